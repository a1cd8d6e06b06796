"""alembic_cluster.settings."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config

from alembic_cluster.errors import ConfigurationError
from alembic_cluster.settings import Settings


def config(folder: Path, written: str = "", x: list[str] | None = None, **options: Any) -> Config:
    file = folder / "alembic.ini"
    file.write_text(f"[alembic]\nscript_location = x\n{written}\n")
    return Config(str(file), cmd_opts=Namespace(x=x, **options))


def test_the_nearer_wins(tmp_path: Path) -> None:
    ini = "alembic_cluster.wait = 2"
    assert Settings(None, {"wait": 1}).number("wait", 0) == 1
    assert Settings(config(tmp_path, ini), {"wait": 1}).number("wait", 0) == 2
    told = config(tmp_path, ini, ["wait=4"])
    told.attributes["alembic_cluster"] = {"wait": 3}
    assert Settings(told).number("wait", 0) == 4
    told.cmd_opts.x = None
    assert Settings(told).number("wait", 0) == 3
    assert Settings(config(tmp_path, ini, ["wait=4"], wait=5)).number("wait", 0) == 5
    assert Settings(config(tmp_path)).number("wait", 7) == 7


@pytest.mark.parametrize(
    ("x", "expected"),
    [("allow-it", True), ("allow_it=yes", True), ("allow-it=off", False), ("allow-it=0", False), ("other", False)],
)
def test_flags(tmp_path: Path, x: str, expected: bool) -> None:
    assert Settings(config(tmp_path, x=[x])).flag("allow_it") is expected


def test_a_flag_of_the_command_line_that_was_not_given_says_nothing(tmp_path: Path) -> None:
    assert Settings(config(tmp_path, "alembic_cluster.allow_it = true", allow_it=False)).flag("allow_it")


@pytest.mark.parametrize(
    ("ask", "value"),
    [
        ("flag", "maybe"),
        ("number", "soon"),
        ("number", "-1"),
        ("number", "nan"),
        ("number", "inf"),
        ("choice", "x"),
        ("milliseconds", "soon"),
        ("milliseconds", "-1s"),
        ("milliseconds", "3 weeks"),
        ("milliseconds", "1000h"),
    ],
)
def test_what_can_not_be_is_refused_by_its_name(tmp_path: Path, ask: str, value: str) -> None:
    settings = Settings(config(tmp_path, f"alembic_cluster.it = {value}"))
    arguments: list[Any] = {"flag": ["it"], "number": ["it", 1], "choice": ["it", ["a", "b"], "a"],
                            "milliseconds": ["it"]}[ask]  # fmt: skip
    with pytest.raises(ConfigurationError, match=r"alembic_cluster\.it in .*alembic\.ini is"):
        getattr(settings, ask)(*arguments)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("500ms", 500), ("30 s", 30_000), ("1.5min", 90_000), ("2H", 7_200_000), ("0", 0), ("250", 250)],
)
def test_times(tmp_path: Path, value: str, expected: int) -> None:
    assert Settings(config(tmp_path, x=[f"it={value}"])).milliseconds("it") == expected
    assert Settings(config(tmp_path)).milliseconds("it") is None


def test_toml(tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text('[tool.alembic]\nscript_location = "x"\n"alembic_cluster.it" = true\n')
    assert Settings(Config(str(tmp_path / "alembic.ini"), toml_file=str(file))).flag("it")

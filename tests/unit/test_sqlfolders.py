"""Folders of SQL files that are revisions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from alembic_cluster.checksums import content_of
from alembic_cluster.errors import ConfigurationError, InvalidSqlFile
from alembic_cluster.sqlfolders import load_folder, new_file


def script_directory(tmp_path: Path, *folders: Path) -> ScriptDirectory:
    (tmp_path / "migrations/versions").mkdir(parents=True, exist_ok=True)
    config = Config()
    config.set_main_option("script_location", str(tmp_path / "migrations"))
    config.set_main_option("alembic_cluster.sql_folders", "\n".join(map(str, folders)))
    return ScriptDirectory.from_config(config)


def files(folder: Path, *names: str, text: str = "SELECT 1;\n-- @UNDO\n") -> None:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_text(text)


def chain(scripts: list[Any]) -> list[tuple[str, Any]]:
    return [(script.revision, script.down_revision) for script in scripts]


def test_the_order_is_that_of_the_numbers(tmp_path: Path) -> None:
    files(tmp_path, "10_c.sql", "9_b.sql", "V1.2__a.cql", "1_first_of_all.sql", ".hidden.sql", "readme.md")
    scripts = load_folder(tmp_path)
    assert chain(scripts) == [("1", None), ("1.2", "1"), ("9", "1.2"), ("10", "9")]
    assert scripts[0].doc == "first of all"


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["create.sql"], "named <version>_<description>.sql"),
        (["1.sql"], "named <version>_<description>.sql"),
        (["1_a.sql", "01_b.sql"], "have the same version"),
    ],
)
def test_names_that_are_refused(tmp_path: Path, names: list[str], said: str) -> None:
    files(tmp_path, *names)
    with pytest.raises(InvalidSqlFile, match=said):
        load_folder(tmp_path)


def test_what_comments_at_the_top_say(tmp_path: Path) -> None:
    text = "-- Create users\n-- @REVISES: abc\n-- @depends_on: d1, d2\n-- @BRANCH_LABELS: sql\n-- @ALLOW_DESTRUCTIVE\n"
    files(tmp_path, "1_a.sql", text=text + "-- @PHASE: contract\n\nSELECT 1;\n-- @REVISES: later\n")
    files(tmp_path, "2_b.sql")
    first, second = load_folder(tmp_path)
    assert (first.down_revision, first.dependencies, first.branch_labels) == ("abc", ("d1", "d2"), {"sql"})
    assert (first.module.allow_destructive, first.module.phase) == (True, "contract")
    assert second.down_revision == "1"
    assert not hasattr(second.module, "allow_destructive")
    files(tmp_path, "3_c.sql", text="-- @ROLLBACK: x\n")
    with pytest.raises(InvalidSqlFile, match="'-- @ROLLBACK' is not known"):
        load_folder(tmp_path)


def test_alembic_finds_them(tmp_path: Path) -> None:
    folder = tmp_path / "sql"
    files(folder, "1_a.sql", "2_b.sql")
    script = script_directory(tmp_path, folder)
    (tmp_path / "migrations/versions/p.py").write_text("revision = 'p'\ndown_revision = '2'\n")
    assert script.get_heads() == ["p"]
    assert [each.revision for each in script.walk_revisions()] == ["p", "2", "1"]
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(ConfigurationError, match="there is no folder"):
        script_directory(tmp_path, folder)


def test_a_file_put_in_between_edits_the_one_behind_it(tmp_path: Path) -> None:
    files(tmp_path, "1_a.sql", "3_c.sql")
    before = {script.revision: content_of(script) for script in load_folder(tmp_path)}
    files(tmp_path, "2_b.sql")
    after = {script.revision: content_of(script) for script in load_folder(tmp_path)}
    assert after["1"] == before["1"]
    assert (before["3"].splitlines()[0], after["3"].splitlines()[0]) == ("-- revises 1", "-- revises 2")


def test_a_new_file(tmp_path: Path) -> None:
    first = new_file(tmp_path, "Create users, and more!", ".sql")
    second = new_file(tmp_path, "", ".cql", "CREATE TABLE t (a int PRIMARY KEY);", "DROP TABLE t;")
    assert first.name.partition("_")[2] == "create_users_and_more.sql"
    assert [script.path for script in load_folder(tmp_path)] == [str(first), str(second)]
    assert second.read_text() == "-- \nCREATE TABLE t (a int PRIMARY KEY);\n\n-- @UNDO\nDROP TABLE t;\n"

"""What a user does with a template of ``alembic-cluster init``: an empty folder, models, a database like them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from alembic_cluster.cli import main

MODELS = """
import sqlalchemy as sa
metadata = sa.MetaData()
sa.Table("t", metadata, sa.Column("a", sa.Integer, primary_key=True), sa.Column("b", sa.String(10)))
"""


@pytest.fixture
def follow_template(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., None]:
    """Go from ``init`` to a silent ``check``.

    Arguments: the template, the database (``cockroachdb`` or ``cassandra``), its URL, the models' text, and whether
    ``--sql`` is tried, too.
    """

    def follow(template: str, database: str, url: str, models: str = MODELS, *, offline: bool = True) -> None:
        multi = template == "multi"
        monkeypatch.setenv(f"{database.upper()}_URL" if multi else "DATABASE_URL", url)
        monkeypatch.chdir(tmp_path)
        monkeypatch.syspath_prepend(tmp_path)
        module = f"models_of_{template.replace('-', '_')}_{database}"

        def run(*arguments: str) -> str:
            main([*(["-n", database] if multi else []), *arguments])
            return "".join(capfd.readouterr())

        main(["init", "-t", template, "migrations"])
        (tmp_path / f"{module}.py").write_text(models)
        env = tmp_path / "migrations/env.py"
        place = f'"{database}": None' if multi else "target_metadata = None"
        text = env.read_text()
        assert place in text
        env.write_text(f"import {module}\n" + text.replace(place, place.replace("None", f"{module}.metadata")))
        run("revision", "--autogenerate", "-m", "t")
        if offline:
            assert "CREATE TABLE" in run("upgrade", "head", "--sql")
        run("upgrade", "head")
        assert "Detected" not in run("check")

    return follow

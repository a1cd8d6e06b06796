"""The templates of ``alembic-cluster init`` on CockroachDB, from an empty folder to a database without differences."""

from __future__ import annotations

from pathlib import Path

import pytest

from alembic_cluster.cli import main
from tests.servers.fixtures import CockroachDatabase

MODELS = """
import sqlalchemy as sa
metadata = sa.MetaData()
sa.Table("t", metadata, sa.Column("a", sa.Integer, primary_key=True), sa.Column("b", sa.String(10)))
"""


@pytest.mark.parametrize("template", ["cockroachdb", "cockroachdb-async", "multi"])
def test_a_template(
    template: str,
    cockroach_database: CockroachDatabase,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    multi, is_async = template == "multi", template.endswith("async")
    url = cockroach_database.url_for("asyncpg").replace("sslmode", "ssl") if is_async else cockroach_database.url
    monkeypatch.setenv("COCKROACHDB_URL" if multi else "DATABASE_URL", url)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    models = f"models_of_{template.replace('-', '_')}"

    def run(*arguments: str) -> str:
        main([*(["-n", "cockroachdb"] if multi else []), *arguments])
        return "".join(capfd.readouterr())

    main(["init", "-t", template, "migrations"])
    (tmp_path / f"{models}.py").write_text(MODELS)
    env = tmp_path / "migrations/env.py"
    text = env.read_text()
    written = (
        text.replace('"cockroachdb": None', f'"cockroachdb": {models}.metadata')
        if multi
        else text.replace("target_metadata = None", f"target_metadata = {models}.metadata")
    )
    assert written != text
    env.write_text(f"import {models}\n" + written)
    run("revision", "--autogenerate", "-m", "t")
    if not is_async:
        assert "CREATE TABLE" in run("upgrade", "head", "--sql")
    run("upgrade", "head")
    assert "Detected" not in run("check")
    assert cockroach_database.execute("SELECT count(*) FROM alembic_cluster_history") == [(1,)]

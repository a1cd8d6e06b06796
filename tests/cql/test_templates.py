"""The templates of ``alembic-cluster init`` on Cassandra, from an empty folder to a keyspace without differences."""

from __future__ import annotations

from pathlib import Path

import pytest

from alembic_cluster.cli import main
from tests.servers.fixtures import CassandraKeyspace

MODELS = """
import sqlalchemy as sa
metadata = sa.MetaData()
sa.Table("t", metadata, sa.Column("a", sa.Integer, primary_key=True), sa.Column("b", sa.Text))
"""


@pytest.mark.parametrize("template", ["cql", "multi"])
def test_a_template(
    template: str,
    cassandra_keyspace: CassandraKeyspace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    multi = template == "multi"
    monkeypatch.setenv("CASSANDRA_URL" if multi else "DATABASE_URL", cassandra_keyspace.url)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    models = f"cql_models_of_{template}"

    def run(*arguments: str) -> str:
        main([*(["-n", "cassandra"] if multi else []), *arguments])
        return "".join(capfd.readouterr())

    main(["init", "-t", template, "migrations"])
    (tmp_path / f"{models}.py").write_text(MODELS)
    env = tmp_path / "migrations/env.py"
    text = env.read_text()
    written = (
        text.replace('"cassandra": None', f'"cassandra": {models}.metadata')
        if multi
        else text.replace("target_metadata = None", f"target_metadata = {models}.metadata")
    )
    env.write_text(f"import {models}\n" + written)
    run("revision", "--autogenerate", "-m", "t")
    assert "CREATE TABLE" in run("upgrade", "head", "--sql")
    run("upgrade", "head")
    assert "Detected" not in run("check")
    assert len(cassandra_keyspace.execute("SELECT * FROM alembic_cluster_history")) == 1

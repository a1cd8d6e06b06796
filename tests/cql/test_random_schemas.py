"""Random keyspaces: what is created is found again, and what changes runs both ways.

``RANDOM_SCHEMAS`` says how many; 20 without it.

What CQL can't take back and a downgrade therefore leaves: a field that a user type got (autogenerate doesn't count it
as a difference as long as it is last). What it can't do at all isn't among the changes: other keys and types, counters
dropped and added again, fields for a type that is in a key.
"""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.cql.random_schemas import changes, keyspaces, to_metadata
from tests.servers.cassandra import CassandraCluster

COUNT = int(os.environ.get("RANDOM_SCHEMAS", "20"))
ENV = """
from alembic import context

with context.config.attributes["engine"].connect() as connection:
    context.configure(connection=connection, target_metadata=context.config.attributes["metadata"])
    context.run_migrations()
"""


@st.composite
def pairs(draw: Any) -> Any:
    before, names = draw(keyspaces())
    return before, draw(changes(before, names))


class Environment:
    """An Alembic environment whose models and engine are handed over."""

    def __init__(self, folder: Path, engine: sa.Engine) -> None:
        self.folder = folder
        self.engine = engine
        with engine.connect() as self.connection:
            pass
        command.init(Config(str(folder / "alembic.ini"), stdout=io.StringIO()), str(folder / "migrations"))
        (folder / "migrations" / "env.py").write_text(ENV)
        ini = folder / "alembic.ini"
        ini.write_text(ini.read_text() + "\n[alembic]\n" if "[alembic]" not in ini.read_text() else ini.read_text())

    def run(self, name: str, metadata: sa.MetaData, *arguments: Any, **options: Any) -> None:
        config = Config(str(self.folder / "alembic.ini"), stdout=io.StringIO(), output_buffer=io.StringIO())
        config.set_main_option("script_location", str(self.folder / "migrations"))
        config.set_main_option("alembic_cluster.allow_destructive", "true")
        config.attributes["metadata"] = metadata
        config.attributes["engine"] = self.engine
        getattr(command, name)(config, *arguments, **options)

    def text(self) -> str:
        return "\n".join(file.read_text() for file in (self.folder / "migrations" / "versions").glob("*.py"))

    def differences(self, metadata: sa.MetaData) -> list[Any]:
        with self.engine.connect() as connection:
            return list(compare_metadata(MigrationContext.configure(connection), metadata))


@settings(
    max_examples=COUNT,
    deadline=None,
    phases=[Phase.generate],  # to shrink one takes minutes on a server; what failed is shown whole
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(pair=pairs())
@pytest.mark.timeout(60 * COUNT)
def test_what_is_created_is_found_again_and_what_changes_runs_both_ways(
    tmp_path: Path, cassandra: CassandraCluster, cassandra_session: Any, pair: Any
) -> None:
    before, after = pair
    name = f"t_{uuid4().hex[:12]}"
    cassandra_session.execute(
        f"CREATE KEYSPACE {name} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}"
    )
    folder = tmp_path / name
    engine = sa.create_engine(cassandra.url(name))
    try:
        folder.mkdir()
        environment = Environment(folder, engine)
        with engine.connect() as connection:
            to_metadata(before).create_all(connection)
        assert environment.differences(to_metadata(before)) == []
        environment.run("revision", to_metadata(after), message="change", autogenerate=True, rev_id="change")
        environment.run("upgrade", to_metadata(after), "head")
        assert environment.differences(to_metadata(after)) == [], environment.text()
        environment.run("downgrade", to_metadata(before), "base")
        assert environment.differences(to_metadata(before)) == [], environment.text()
    finally:
        engine.dispose()
        cassandra_session.execute(f"DROP KEYSPACE {name}", timeout=60)
        shutil.rmtree(folder, ignore_errors=True)

"""Random keyspaces: what is created is found again, and what changes runs both ways.

``RANDOM_SCHEMAS`` says how many; 20 without it. With more, each changed keyspace is also held against a fresh one that
is made of the changed models, by the server's own ``DESCRIBE``.

What CQL can't take back and a downgrade therefore leaves: a field that a user type got (autogenerate doesn't count it
as a difference as long as it is last). What it can't do at all isn't among the changes: other keys and types, counters
dropped and added again, fields for a type that is in a key.
"""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path
from typing import Any, TypeAlias
from uuid import uuid4

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from alembic_cql import create_keyspaces
from tests.cql.keyspace_specs import Keyspace, to_metadata
from tests.cql.random_changes import changes
from tests.cql.random_schemas import keyspaces
from tests.servers.cassandra import CassandraCluster

FEW = 20
COUNT = int(os.environ.get("RANDOM_SCHEMAS", FEW))
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
    name, twin = (f"t_{uuid4().hex[:12]}" for _ in range(2))
    folder = tmp_path / name
    engine = sa.create_engine(cassandra.url(name))

    def metadata(keyspace: Keyspace, of: str = name) -> sa.MetaData:
        return to_metadata(keyspace, of, cassandra.local_dc)

    def create(keyspace: Keyspace, of: str) -> Description:
        create_keyspaces(cassandra.url(), metadata(keyspace, of))
        made = sa.create_engine(cassandra.url(of), poolclass=sa.NullPool)
        with made.connect() as connection:
            metadata(keyspace, of).create_all(connection)
        return describe(cassandra_session, of)

    try:
        folder.mkdir()
        first = create(before, name)
        environment = Environment(folder, engine)
        assert environment.differences(metadata(before)) == []
        environment.run("revision", metadata(after), message="change", autogenerate=True, rev_id="change")
        environment.run("upgrade", metadata(after), "head")
        assert environment.differences(metadata(after)) == [], environment.text()
        if COUNT > FEW:
            assert describe(cassandra_session, name) == create(after, twin), environment.text()
        environment.run("downgrade", metadata(before), "base")
        assert environment.differences(metadata(before)) == [], environment.text()
        last = describe(cassandra_session, name)
        assert {key: text for key, text in last.items() if key[1] != "type"} == {
            key: text for key, text in first.items() if key[1] != "type"
        }, environment.text()
    finally:
        engine.dispose()
        for keyspace in (name, twin):
            cassandra_session.execute(f"DROP KEYSPACE IF EXISTS {keyspace}", timeout=60)
            cassandra_session.execute(f"DROP KEYSPACE IF EXISTS {keyspace}_2", timeout=60)
        shutil.rmtree(folder, ignore_errors=True)


Description: TypeAlias = "dict[tuple[str, str, str], str]"


def describe(session: Any, name: str) -> Description:
    """Give the server's own description of a keyspace and of the other one, without Alembic's table and their names."""
    there = "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name IN (%s, %s)"
    rows = [
        row
        for (keyspace,) in session.execute(there, (name, f"{name}_2"))
        for row in session.execute(f"DESCRIBE KEYSPACE {keyspace}")
    ]
    return {
        (row.keyspace_name.replace(name, ""), row.type, row.name.replace(name, "")): row.create_statement.replace(
            name, "k"
        )
        for row in rows
        if row.name != "alembic_version"
    }

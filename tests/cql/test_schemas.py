"""Real projects' whole schemas: reflected, created again, compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from alembic_cluster.errors import InvalidModel
from alembic_cql import MaterializedView, reflect_keyspace
from alembic_cql import types as cql
from alembic_cql.schema import keyspace_objects
from tests.cql import real_schemas
from tests.cql.project import Project, describe
from tests.cql.real_schemas import RealSchema
from tests.servers.fixtures import CassandraKeyspace


@dataclass(frozen=True)
class Loaded:
    """A real schema in one keyspace, what it reflects to, and another keyspace made of that."""

    schema: RealSchema
    first: CassandraKeyspace
    second: CassandraKeyspace
    metadata: sa.MetaData


@pytest.fixture(scope="module", params=real_schemas.ALL, ids=lambda schema: schema.name)
def loaded(request: pytest.FixtureRequest, keyspaces: Iterator[CassandraKeyspace]) -> Loaded:
    schema: RealSchema = request.param
    statements = schema.statements("k")
    assert statements
    first, second = next(keyspaces), next(keyspaces)
    schema.load(first)
    with connected(first) as connection:
        metadata = reflect_keyspace(connection)
    with connected(second) as connection:
        metadata.create_all(connection)
    return Loaded(schema, first, second, metadata)


def connected(keyspace: CassandraKeyspace) -> sa.Connection:
    return sa.create_engine(keyspace.url, poolclass=sa.NullPool).connect()


def differences(keyspace: CassandraKeyspace, metadata: sa.MetaData) -> list[Any]:
    with connected(keyspace) as connection:
        return compare_metadata(MigrationContext.configure(connection), metadata)


def test_what_is_created_from_the_reflection_is_described_alike(loaded: Loaded) -> None:
    described = describe(loaded.first)
    assert described == describe(loaded.second)
    made = sum(statement.startswith("CREATE") for statement in loaded.schema.statements("k"))
    assert len(described) > made / 2  # the files create some objects twice, IF NOT EXISTS


def test_reflection_finds_every_object(loaded: Loaded) -> None:
    rows = loaded.first.execute(f"DESCRIBE KEYSPACE {loaded.first.name}")
    on_server = {(row.type, row.name) for row in rows} - {("keyspace", loaded.first.name)}
    objects = keyspace_objects(loaded.metadata)
    reflected = {("table", name) for name in loaded.metadata.tables}
    reflected |= {("type", name) for _, name in objects.types}
    reflected |= {("materialized_view", name) for _, name in objects.views}
    reflected |= {("index", str(index.name)) for table in loaded.metadata.tables.values() for index in table.indexes}
    assert reflected == on_server


def test_autogenerate_says_nothing(loaded: Loaded) -> None:
    assert differences(loaded.first, loaded.metadata) == []
    assert differences(loaded.second, loaded.metadata) == []


def test_metadata_reflect_gives_the_tables(loaded: Loaded) -> None:
    reflected = sa.MetaData()
    with connected(loaded.first) as connection:
        reflected.reflect(connection)
    assert reflected.tables.keys() == loaded.metadata.tables.keys()
    for name, table in reflected.tables.items():
        assert table.kwargs == loaded.metadata.tables[name].kwargs
        assert table.columns.keys() == loaded.metadata.tables[name].columns.keys()


def test_alembic_check_is_clean(loaded: Loaded, tmp_path: Path) -> None:
    project = Project(tmp_path, loaded.second)
    project.models(
        f"""
        from alembic_cql import reflect_keyspace
        with sa.create_engine({loaded.first.url!r}, poolclass=sa.NullPool).connect() as connection:
            metadata = reflect_keyspace(connection)
        """
    )
    assert "No new upgrade operations detected" in project.run("check")
    loaded.second.execute("CREATE TABLE one_more (id int PRIMARY KEY)")
    assert not project.is_clean()
    loaded.second.execute("DROP TABLE one_more")


def test_types_that_only_columns_name_are_created_and_dropped(cassandra_keyspace: CassandraKeyspace) -> None:
    metadata = sa.MetaData()
    inner = cql.UserType("inner", [("a", cql.INT)])
    outer = cql.UserType("Outer", [("i", cql.FROZEN(inner))])
    sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("v", cql.SET(cql.FROZEN(outer))))
    sa.Table("u", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("v", cql.FROZEN(inner)))
    with connected(cassandra_keyspace) as connection:
        metadata.create_all(connection)
        metadata.create_all(connection)
        assert keyspace_objects(reflect_keyspace(connection)).types.keys() == {(None, "inner"), (None, "Outer")}
        metadata.drop_all(connection)
        assert not keyspace_objects(reflect_keyspace(connection)).types
    assert {kind for kind, _, _ in describe(cassandra_keyspace)} == {"keyspace"}


def test_a_view_that_no_server_makes_is_refused_before_its_table(cassandra_keyspace: CassandraKeyspace) -> None:
    metadata = sa.MetaData()
    sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("v", sa.Integer))
    MaterializedView("mv", metadata, "t", "v IS NOT NULL", ["v"])
    with connected(cassandra_keyspace) as connection, pytest.raises(InvalidModel, match="its primary key lacks 'id'"):
        metadata.create_all(connection)
    assert {kind for kind, _, _ in describe(cassandra_keyspace)} == {"keyspace"}

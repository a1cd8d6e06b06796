"""What tests of models and of sync_tables compare: the server's own DESCRIBE, and what autogenerate would do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, MetaData, create_engine

from tests.servers.fixtures import CassandraKeyspace


@contextmanager
def another_keyspace(beside: CassandraKeyspace) -> Iterator[CassandraKeyspace]:
    """Give a second fresh keyspace on the same cluster; it is dropped at the end."""
    name = f"t_{uuid4().hex[:12]}"
    replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
    beside.session.execute(f"CREATE KEYSPACE {name} WITH replication = {replication}")
    try:
        yield CassandraKeyspace(name, beside.cluster.url(name), beside.cluster, beside.session)
    finally:
        beside.session.execute(f"DROP KEYSPACE IF EXISTS {name}")


@contextmanager
def engine_of(keyspace: CassandraKeyspace) -> Iterator[Engine]:
    """Give an engine on a keyspace; its connections are closed at the end."""
    engine = create_engine(keyspace.url)
    try:
        yield engine
    finally:
        engine.dispose()


def describe(keyspace: CassandraKeyspace) -> dict[tuple[str, str], str]:
    """Give the server's DESCRIBE of a keyspace: statements by kind and name, without the keyspace's name."""
    rows = keyspace.session.execute(f"DESCRIBE KEYSPACE {keyspace.name}")
    return {
        (row.type, row.name): row.create_statement.replace(f"{keyspace.name}.", "")
        for row in rows
        if row.type != "keyspace"
    }


def pending(keyspace: CassandraKeyspace, metadata: MetaData, **options: Any) -> list[Any]:
    """Give what autogenerate would change to make the keyspace like the metadata."""
    with engine_of(keyspace) as engine, engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
        assert isinstance(found, list)
        return found

"""Fixtures of the CQL tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, event

from tests.cql.oracle import engine_of
from tests.cql.project import Project
from tests.servers.cassandra import CassandraCluster
from tests.servers.fixtures import CassandraKeyspace


@pytest.fixture
def project(tmp_path: Path, cassandra_keyspace: CassandraKeyspace) -> Project:
    """A project of Alembic's own on a fresh keyspace."""
    return Project(tmp_path, cassandra_keyspace)


@pytest.fixture(scope="module")
def keyspaces(cassandra: CassandraCluster, cassandra_session: Any) -> Iterator[Iterator[CassandraKeyspace]]:
    """Fresh keyspaces by ``next``; dropped at the end of the module where the server outlives the tests."""
    made = []

    def more() -> Iterator[CassandraKeyspace]:
        while True:
            name = f"t_{uuid4().hex[:12]}"
            cassandra_session.execute(
                f"CREATE KEYSPACE {name} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}"
            )
            made.append(name)
            yield CassandraKeyspace(name, cassandra.url(name), cassandra, cassandra_session)

    yield more()
    for name in made if os.environ.get("CASSANDRA_HOSTS") else ():
        cassandra_session.execute(f"DROP KEYSPACE {name}")


@pytest.fixture
def keyspace_engine(cassandra_keyspace: CassandraKeyspace) -> Iterator[Engine]:
    """An engine on ``cassandra_keyspace``."""
    with engine_of(cassandra_keyspace) as engine:
        yield engine


@pytest.fixture
def sent(keyspace_engine: Engine) -> list[str]:
    """Every statement that went to the server and could change something."""
    found: list[str] = []

    @event.listens_for(keyspace_engine, "before_cursor_execute")
    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if not statement.lstrip().upper().startswith("SELECT"):
            found.append(statement)

    return found

"""Fixtures of pytest for tests that want a migrated database.

``migrations_url`` names a server: give a fixture of this name in ``conftest.py``, ``--migrations-url``, or the
environment variable ``MIGRATIONS_URL``. Then::

    def test_users(migrated_engine):
        with migrated_engine.connect() as connection:
            ...

Each test has a database (a keyspace) of its own, which is dropped behind it; ``migrated_database_scope = session`` in
pytest's configuration has one for all tests.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from alembic_cluster.api import Migrator

_URL = "MIGRATIONS_URL"


@dataclass(frozen=True)
class MigratedDatabase:
    """A database of a test.

    :ivar url: its URL, with the password.
    :ivar migrator: its migrations.
    """

    url: str
    migrator: Migrator


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our options."""
    group = parser.getgroup("alembic-cluster")
    group.addoption("--migrations-url", help=f"A server that tests may create databases on ({_URL}).")
    parser.addini("migrations_config", "The alembic.ini of the migrations, or their folder.", default="alembic.ini")
    parser.addini("migrated_database_scope", "Scope of the fixture migrated_database.", default="function")


def _scope(fixture_name: str, config: pytest.Config) -> Any:
    return config.getini("migrated_database_scope")


@pytest.fixture(scope="session")
def migrations_url(pytestconfig: pytest.Config) -> str:
    """The server that tests may create databases on; skips the test when nobody has named one."""
    url = pytestconfig.getoption("--migrations-url") or os.environ.get(_URL)
    if not url:
        pytest.skip(f"no server for a migrated database: set {_URL}, --migrations-url or a fixture migrations_url")
    return str(url)


@pytest.fixture(scope=_scope)
def fresh_database(migrations_url: str) -> Iterator[str]:
    """The URL of an empty database, which is dropped behind the test."""
    from sqlalchemy import make_url

    url = make_url(migrations_url)
    name = f"test_{uuid.uuid4().hex[:12]}"
    is_cql = url.get_dialect().name == "cql"
    # A name of letters, digits and underscores, made here.
    if is_cql:
        replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
        make, drop = f"CREATE KEYSPACE {name} WITH replication = {replication}", f"DROP KEYSPACE {name}"
    else:
        make, drop = f"CREATE DATABASE {name}", f"DROP DATABASE {name} CASCADE"
    server = url.set(database=None) if is_cql else url
    _send(server, make)
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        _send(server, drop)


@pytest.fixture(scope=_scope)
def migrated_database(fresh_database: str, pytestconfig: pytest.Config) -> MigratedDatabase:
    """A database of its own with all migrations applied."""
    from pathlib import Path

    from alembic.config import Config

    from alembic_cluster.api import Migrator

    where = Path(pytestconfig.rootpath, pytestconfig.getini("migrations_config"))
    if where.is_dir():
        migrator = Migrator(fresh_database, where)
    else:
        config = Config(str(where))
        config.set_main_option("sqlalchemy.url", fresh_database.replace("%", "%%"))
        migrator = Migrator.from_config(config)
    migrator.upgrade()
    return MigratedDatabase(fresh_database, migrator)


@pytest.fixture(scope=_scope)
def migrated_engine(migrated_database: MigratedDatabase) -> Iterator[Engine]:
    """An engine of that database."""
    from sqlalchemy import create_engine

    engine = create_engine(migrated_database.url)
    yield engine
    engine.dispose()


def _send(url: Any, statement: str) -> None:
    from alembic_cluster.connections import with_connection

    with_connection(
        url, lambda connection: connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql(statement)
    )

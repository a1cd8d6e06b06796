"""A database read whole, and made again out of what was read."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from alembic_crdb import reflect_database
from alembic_crdb.database import read_database
from alembic_crdb.differences import compare_snapshots
from alembic_crdb.versions import server_version
from tests.cockroachdb.definitions import DEFINITIONS
from tests.servers.cockroach import CockroachCluster

STATEMENTS = """
CREATE SCHEMA other;
CREATE TYPE mood AS ENUM ('sad', 'it''s ok');
CREATE TYPE other.size AS ENUM ('s', 'm');
CREATE TABLE users (
    id UUID PRIMARY KEY DEFAULT gen_random_uuid(), name STRING NOT NULL, email VARCHAR(100) UNIQUE, age INT2,
    balance DECIMAL(12,2) DEFAULT '0', m mood DEFAULT 'sad', at TIMESTAMPTZ DEFAULT now(), "full" BOOL DEFAULT false,
    doubled INT8 AS (age * 2) STORED, twice INT8 AS (age + age) VIRTUAL, doc JSONB, tags STRING[], ip INET,
    CONSTRAINT positive CHECK (balance >= 0), INDEX by_name (name DESC) STORING (age), INVERTED INDEX by_doc (doc),
    UNIQUE INDEX part (name, age) WHERE age > 3
);
CREATE TABLE other.c (
    a INT, b other.size, u UUID REFERENCES users (id) ON DELETE CASCADE ON UPDATE SET NULL,
    "Quoted ""name" INT, INDEX (a), FAMILY f1 (a), FAMILY f2 (b, u, "Quoted ""name")
);
CREATE TABLE k (
    a INT4, b INT2, s STRING COLLATE de, bits VARBIT(5), bit4 BIT(4), i INTERVAL(3), ts TIMESTAMP(3), tz TIMETZ, n NAME,
    ch CHAR(3), f4 FLOAT4, f8 FLOAT8, by BYTES, PRIMARY KEY (a, b DESC), CHECK (a < b)
);
CREATE TABLE c1 (a INT PRIMARY KEY, b INT);
CREATE TABLE c2 (a INT, CONSTRAINT c2_pkey PRIMARY KEY (a), FOREIGN KEY (a) REFERENCES c1 (a));
CREATE TABLE c3 (a INT, CONSTRAINT "primary" PRIMARY KEY (a));
ALTER TABLE c1 ADD CONSTRAINT circle FOREIGN KEY (b) REFERENCES c2 (a);
CREATE SEQUENCE s START 3 INCREMENT 2;
CREATE VIEW v AS SELECT id, name FROM users WHERE age > 3;
CREATE MATERIALIZED VIEW mv AS SELECT name FROM users;
COMMENT ON TABLE k IS 'it''s a :table with %%';
COMMENT ON COLUMN k.a IS 'a column';
"""


@pytest.fixture
def databases(cockroach: CockroachCluster) -> Iterator[tuple[Connection, Connection]]:
    """Two empty databases."""
    names = [cockroach.create_database(), cockroach.create_database()]
    engines = [sa.create_engine(cockroach.url(name), isolation_level="AUTOCOMMIT") for name in names]
    with engines[0].connect() as one, engines[1].connect() as other:
        yield one, other
        for connection in (one, other):  # v21.1 can't drop a database whose tables refer to each other
            for table in ("other.c", "c1", "c2"):
                connection.exec_driver_sql(f"DROP TABLE IF EXISTS {table} CASCADE")
    for engine, name in zip(engines, names, strict=True):
        engine.dispose()
        cockroach.drop_database(name)


def described(connection: Connection) -> dict[str, str]:
    """Give the server's own CREATE statements, without the database's name."""
    name = connection.scalar(sa.text("SELECT current_database()"))
    if server_version(connection) >= (26, 1):
        pytest.skip("compares crdb_internal.create_statements, which v26.1 and later close")
    rows = connection.exec_driver_sql(
        f"SELECT schema_name || '.' || descriptor_name, create_statement FROM ({DEFINITIONS}) "
        "WHERE schema_name IN ('public', 'other')"
    )
    return {key: re.sub(rf"\b{name}\.", "", statement) for key, statement in rows}


def test_what_is_read_makes_the_same_database_again(databases):
    one, other = databases
    for statement in STATEMENTS.strip().split(";\n"):
        one.exec_driver_sql(statement.rstrip(";"))
    metadata = reflect_database(one)
    other.exec_driver_sql("CREATE SCHEMA other")
    metadata.create_all(other)

    assert list(compare_snapshots(read_database(one), read_database(other))) == []
    assert described(other) == described(one)


def test_metadata_reflect_keeps_all_of_the_tables(databases):
    """SQLAlchemy's own reflection, which goes through the Inspector."""
    one, other = databases
    for statement in STATEMENTS.strip().split(";\n"):
        one.exec_driver_sql(statement.rstrip(";"))
    metadata = sa.MetaData()
    metadata.reflect(one)
    metadata.reflect(one, schema="other")
    other.exec_driver_sql("CREATE SCHEMA other")
    metadata.create_all(other)

    assert list(compare_snapshots(read_database(one), read_database(other))) == []


def test_reading_a_database_is_one_statement(databases):
    one, _ = databases
    one.exec_driver_sql("CREATE TABLE t (id INT PRIMARY KEY)")
    server_version(one)
    sent: list[str] = []
    sa.event.listen(one, "before_cursor_execute", lambda *args: sent.append(args[2]))
    assert set(reflect_database(one).tables) == {"t"}
    assert len([statement for statement in sent if "version()" not in statement]) == 1

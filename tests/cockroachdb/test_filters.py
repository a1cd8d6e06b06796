"""What takes part in a comparison: schemas, ``include_name``, ``include_object``, and the tables that runs keep."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import produce_migrations
from alembic.migration import MigrationContext
from sqlalchemy.engine import Connection

from alembic_crdb import View
from tests.servers.cockroach import CockroachCluster

STATEMENTS = """
CREATE SCHEMA other;
CREATE TABLE t (id INT8 PRIMARY KEY, a INT8, b INT8, CONSTRAINT ck CHECK (a > 0), CONSTRAINT uq UNIQUE (b));
CREATE INDEX ix ON t (a);
CREATE TABLE child (id INT8 PRIMARY KEY, t_id INT8, CONSTRAINT fk FOREIGN KEY (t_id) REFERENCES t (id));
CREATE TABLE other.t (id INT8 PRIMARY KEY, child INT8 REFERENCES child (id));
CREATE VIEW v AS SELECT id FROM t;
CREATE VIEW other.w AS SELECT id FROM t;
CREATE SEQUENCE s;
CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY);
CREATE TABLE other.my_version (version_num VARCHAR(32) PRIMARY KEY);
CREATE TABLE alembic_cluster_lock (id INT8 PRIMARY KEY);
CREATE TABLE alembic_cluster_history (id INT8 PRIMARY KEY)
"""


@pytest.fixture(scope="module")
def connection(cockroach: CockroachCluster) -> Iterator[Connection]:
    """A database that nothing here changes."""
    name = cockroach.create_database()
    engine = sa.create_engine(cockroach.url(name), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connected:
        for statement in STATEMENTS.strip().split(";\n"):
            connected.exec_driver_sql(statement)
        yield connected
        connected.exec_driver_sql("DROP TABLE other.t CASCADE")
    cockroach.drop_database(name)


def found(connection: Connection, metadata: sa.MetaData, **options: Any) -> list[str]:
    """Compare; gives each operation as its name and what it is on."""
    context = MigrationContext.configure(connection, opts={"target_metadata": metadata, **options})
    return [
        f"{type(op).__name__} {getattr(op, 'table_name', None) or getattr(op, 'name', '')}"
        for outer in produce_migrations(context, metadata).upgrade_ops.ops
        for op in getattr(outer, "ops", [outer])
    ]


def model(*columns: str) -> sa.MetaData:
    """The default schema, without the indexes and constraints.

    :param columns: of the table ``t``, beside its key.
    """
    metadata = sa.MetaData()
    sa.Table(
        "t",
        metadata,
        sa.Column("id", sa.BigInteger, primary_key=True),
        *(sa.Column(name, sa.BigInteger) for name in columns or ("a", "b")),
    )
    sa.Table("child", metadata, sa.Column("id", sa.BigInteger, primary_key=True), sa.Column("t_id", sa.BigInteger))
    return metadata


def none_named(kind: str, *names: str) -> Callable[..., bool]:
    """An ``include_name`` that leaves out these names of a kind."""
    return lambda name, type_, parents: type_ != kind or name not in names


def test_version_table_and_our_own_tables_are_never_seen(connection):
    assert found(connection, sa.MetaData(), include_name=none_named("table", "t", "child")) == []
    left = found(
        connection,
        sa.MetaData(),
        include_schemas=True,
        include_name=none_named("table", "t", "child", "alembic_version"),
        version_table="my_version",
        version_table_schema="other",
    )
    assert left == []


def test_what_is_left_out_by_its_name(connection):
    everything = ["DropConstraintOp t", "DropIndexOp t", "DropIndexOp t", "DropConstraintOp child"]
    assert sorted(found(connection, model())) == sorted(everything)
    for kind, names, gone in [
        ("index", ["ix"], 1),
        ("index", ["ix", "uq"], 2),
        ("unique_constraint", ["uq"], 1),
        ("check_constraint", ["ck"], 1),
        ("foreign_key_constraint", ["fk"], 1),
        ("column", ["ix", "uq", "ck", "fk"], 0),
    ]:
        assert len(found(connection, model(), include_name=none_named(kind, *names))) == 4 - gone, (kind, names)


def test_a_column_that_is_left_out_is_not_dropped(connection):
    metadata = model("a")
    names: list[Any] = []

    def include(name: str, kind: str, parents: dict[str, Any]) -> bool:
        names.append((name, kind, parents.get("table_name"), parents.get("schema_qualified_table_name")))
        return (kind, name) != ("column", "b")

    assert "DropColumnOp t" in found(connection, metadata)
    assert "DropColumnOp t" not in found(connection, metadata, include_name=include)
    assert ("b", "column", "t", "t") in names
    assert ("ck", "check_constraint", "t", "t") in names


def test_include_object_sees_what_would_be_dropped(connection):
    kinds = []

    def include(item: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
        kinds.append((kind, name, reflected))
        return kind == "table"

    assert found(connection, model(), include_object=include) == []
    assert {("index", "ix", True), ("check_constraint", "ck", True), ("foreign_key_constraint", "fk", True)} <= {*kinds}


def test_other_schemas_take_part_when_they_are_asked_for(connection):
    with_other = found(connection, model(), include_schemas=True)
    assert "DropTableOp t" in with_other
    assert "DropTableOp t" not in found(connection, model())

    metadata = model()
    sa.Table(
        "t",
        metadata,
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("child", sa.BigInteger, sa.ForeignKey("child.id")),
        schema="other",
    )
    version = {"version_table": "my_version", "version_table_schema": "other"}
    same = found(
        connection, metadata, include_schemas=True, include_name=none_named("table", "alembic_version"), **version
    )
    assert sorted(same) == sorted(found(connection, model()))
    only = found(connection, metadata, include_schemas=True, include_name=lambda name, kind, parents: name != "other")
    assert only == found(connection, model())


def test_views_and_sequences_of_other_schemas(connection):
    metadata = model()
    View("v", "SELECT id FROM t", metadata=metadata)
    View("w", "SELECT id FROM t", schema="other", metadata=metadata)
    sa.Sequence("s", metadata=metadata)
    sa.Sequence("new", schema="other", metadata=metadata)
    # As tables do, those of the model take part wherever they are, those of the server where they are asked for.
    expected = sorted([*found(connection, model()), "CreateSequenceOp create_sequence"])
    assert sorted(found(connection, metadata)) == expected
    assert sorted(found(connection, metadata, include_name=none_named("schema", "other"))) == sorted(
        found(connection, model())
    )
    assert "CreateSequenceOp create_sequence" in found(connection, metadata, include_schemas=True)
    only_v = sa.MetaData()
    View("v", "SELECT id FROM t", metadata=only_v)
    tables = ("t", "child", "alembic_version", "my_version")
    everything = found(connection, only_v, include_schemas=True, include_name=none_named("table", *tables))
    assert len(everything) == 1  # the view w

    def include(name: str, kind: str, parents: dict[str, Any]) -> bool:
        return kind == "schema" or name not in (*tables, "w")

    assert found(connection, only_v, include_schemas=True, include_name=include) == []

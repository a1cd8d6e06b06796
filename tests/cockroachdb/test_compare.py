"""One change of a model: found as that change, executed, silent afterwards, taken back, silent again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.engine import Connection

from alembic_crdb import View, ZoneConfiguration
from alembic_crdb.types import INT4
from tests.servers.fixtures import CockroachDatabase

Table = Callable[..., sa.Table]
Model = Callable[[sa.MetaData], Any]


def table(metadata: sa.MetaData, *extra: Any, **options: Any) -> sa.Table:
    """The table that most cases change."""
    return sa.Table(
        "t",
        metadata,
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("a", sa.BigInteger),
        *extra,
        **options,
    )


def column(*args: Any, **kw: Any) -> Model:
    return lambda metadata: table(metadata, sa.Column("c", *args, **kw))


def extra(*made: Callable[[], Any], **options: Any) -> Model:
    """A table with constraints and indexes, made anew for each MetaData."""
    return lambda metadata: table(
        metadata,
        sa.Column("b", sa.Text),
        sa.Column("n", sa.BigInteger, nullable=False),
        *(m() for m in made),
        **options,
    )


def key(*columns: str, **options: Any) -> Model:
    def model(metadata: sa.MetaData) -> None:
        sa.Table(
            "t",
            metadata,
            sa.Column("id", sa.BigInteger, autoincrement=False, nullable=False),
            sa.Column("a", sa.BigInteger, autoincrement=False, nullable=False),
            sa.PrimaryKeyConstraint(*columns, **options),
        )

    return model


def enum(*values: str) -> Model:
    return lambda metadata: table(metadata, sa.Column("c", pg.ENUM(*values, name="mood", metadata=metadata)))


def referring(**options: Any) -> Model:
    def model(metadata: sa.MetaData) -> None:
        table(metadata)
        sa.Table(
            "child",
            metadata,
            sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
            sa.Column(
                "t_id", sa.BigInteger, *([sa.ForeignKey("t.id", **options)] if options != {"none": True} else [])
            ),
        )

    return model


def zoned(seconds: int) -> Model:
    def model(metadata: sa.MetaData) -> None:
        ZoneConfiguration(table(metadata), {"gc.ttlseconds": seconds}, metadata=metadata)

    return model


def view(query: str | None, materialized: bool = False) -> Model:
    def model(metadata: sa.MetaData) -> None:
        table(metadata)
        View("other", "SELECT 1 AS one", metadata=metadata)
        if query is not None:
            View("v", query, metadata=metadata, materialized=materialized)

    return model


def nothing(metadata: sa.MetaData) -> None:
    sa.Table("kept", metadata, sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False))


CHANGES: list[tuple[str, Model, Model, str]] = [
    ("table", nothing, lambda metadata: (nothing(metadata), table(metadata)), "create_table"),
    ("table with index and reference", table, referring(ondelete="CASCADE"), "create_table"),
    ("column", table, column(sa.Text), "add_column"),
    ("column not null with default", table, column(sa.Integer, nullable=False, server_default="3"), "add_column"),
    ("computed column", table, column(sa.BigInteger, sa.Computed("a + 1", persisted=True)), "add_column"),
    ("virtual column", table, column(sa.BigInteger, sa.Computed("a + 1", persisted=False)), "add_column"),
    (
        "formula",
        column(sa.BigInteger, sa.Computed("a + 1", persisted=True)),
        column(sa.BigInteger, sa.Computed("a + 2", persisted=True)),
        "drop_column",
    ),
    ("type", column(sa.String(20)), column(sa.String(40)), "alter_column"),
    ("integer width", column(INT4), column(sa.BigInteger), "alter_column"),
    ("nullable", column(sa.Text), column(sa.Text, nullable=False), "alter_column"),
    (
        "default",
        column(sa.Numeric(12, 2), server_default="0"),
        column(sa.Numeric(12, 2), server_default="1"),
        "alter_column",
    ),
    ("default gone", column(sa.Text, server_default="it's :x"), column(sa.Text), "alter_column"),
    ("comment", table, lambda metadata: table(metadata, comment="it's %s :x"), "create_table_comment"),
    ("column comment", column(sa.Text), column(sa.Text, comment="it's"), "alter_column"),
    ("index", extra(), extra(lambda: sa.Index("ix", "a", sa.desc("n"))), "create_index"),
    ("unique index", extra(), extra(lambda: sa.Index("ix", "a", unique=True)), "create_index"),
    (
        "partial index",
        extra(lambda: sa.Index("ix", "a", unique=True, postgresql_where=sa.text("n > 3"))),
        extra(lambda: sa.Index("ix", "a", unique=True, postgresql_where=sa.text("n > 4"))),
        "create_index",
    ),
    (
        "storing",
        extra(lambda: sa.Index("ix", "a")),
        extra(lambda: sa.Index("ix", "a", cockroachdb_include=["b"])),
        "create_index",
    ),
    ("unique constraint", extra(), extra(lambda: sa.UniqueConstraint("a", "n")), "create_unique_constraint"),
    ("named unique constraint", extra(lambda: sa.UniqueConstraint("a", name="uq")), extra(), "drop_index"),
    ("check", extra(), extra(lambda: sa.CheckConstraint("n > 0", name="positive")), "create_check_constraint"),
    (
        "check changed",
        extra(lambda: sa.CheckConstraint("n > 0", name="positive")),
        extra(lambda: sa.CheckConstraint("n > 1", name="positive")),
        "create_check_constraint",
    ),
    ("reference", referring(none=True), referring(ondelete="SET NULL"), "create_foreign_key"),
    ("reference changed", referring(), referring(ondelete="CASCADE", onupdate="CASCADE"), "create_foreign_key"),
    ("primary key", key("id"), key("id", "a"), "alter_primary_key"),
    ("primary key order", key("id", "a"), key("a", "id"), "alter_primary_key"),
    ("enum value", enum("x", "y"), enum("x", "z", "y"), "add_enum_value"),
    ("enum renamed value", enum("x", "y"), enum("x", "q"), "rename_enum_value"),
    ("enum", table, enum("x", "y"), "create_enum"),
    ("enum gone", enum("x", "y"), table, "drop_enum"),
    ("view", view(None), view("SELECT id, a FROM t WHERE a > 3"), "create_view"),
    ("view changed", view("SELECT id, a FROM t"), view("SELECT a AS b, id FROM t"), "create_view"),
    ("materialized view", view(None), view("SELECT id, a FROM t", materialized=True), "create_view"),
    (
        "sequence",
        table,
        lambda metadata: (table(metadata), sa.Sequence("s", metadata=metadata, increment=5)),
        "create_sequence",
    ),
    ("zone", zoned(3600), zoned(7200), "configure_zone"),
    (
        "reserved words",
        table,
        column(sa.Text, key="x", quote=None) and extra(lambda: sa.Column("full", sa.Text, index=True)),
        "add_column",
    ),
]


def database_of(model: Model) -> sa.MetaData:
    metadata = sa.MetaData()
    model(metadata)
    return metadata


@pytest.fixture
def connection(cockroach_database: CockroachDatabase) -> Iterator[Connection]:
    engine = sa.create_engine(cockroach_database.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as opened:
        yield opened
    engine.dispose()


def differences(connection: Connection, metadata: sa.MetaData, **options: Any) -> tuple[Any, str]:
    """Give what autogenerate would write, and the text of its upgrade."""
    context = MigrationContext.configure(connection, opts={"target_metadata": metadata, **options})
    script = produce_migrations(context, metadata)
    return script, render_python_code(script.upgrade_ops, migration_context=context)


def run(connection: Connection, text: str) -> None:
    """Execute the text of an upgrade or downgrade, as a revision would."""
    op = Operations(MigrationContext.configure(connection))
    names = {"op": op, "sa": sa, "postgresql": pg}
    if "alembic_crdb.types" in text:
        import alembic_crdb.types

        names["alembic_crdb"] = alembic_crdb
    exec("def revision():\n" + "\n".join(f"    {line}" for line in text.splitlines()) + "\nrevision()", names)


def text_of(connection: Connection, metadata: sa.MetaData, operations: Any) -> str:
    context = MigrationContext.configure(connection, opts={"target_metadata": metadata})
    return render_python_code(operations, migration_context=context)


@pytest.mark.parametrize(("old", "new", "operation"), [case[1:] for case in CHANGES], ids=[case[0] for case in CHANGES])
def test_a_change_goes_there_and_back(connection, old, new, operation):
    before, after = database_of(old), database_of(new)
    before.create_all(connection)
    assert differences(connection, before)[0].upgrade_ops.is_empty(), differences(connection, before)[1]

    script, upgrade = differences(connection, after)
    assert f"op.{operation}(" in upgrade

    run(connection, upgrade)
    left, text = differences(connection, after)
    assert left.upgrade_ops.is_empty(), text

    run(connection, text_of(connection, after, script.downgrade_ops))
    left, text = differences(connection, before)
    assert left.upgrade_ops.is_empty(), text


def test_include_object_and_include_name_are_asked(connection):
    database_of(referring(ondelete="CASCADE")).create_all(connection)
    empty = sa.MetaData()
    script, _ = differences(connection, empty, include_name=lambda name, kind, parents: name != "t")
    assert [op.table_name for op in script.upgrade_ops.ops] == ["child"]
    script, text = differences(connection, empty, include_object=lambda item, name, kind, *_: kind != "table")
    assert script.upgrade_ops.is_empty(), text


def test_views_and_sequences_that_no_model_declares_are_left_alone(connection):
    database_of(table).create_all(connection)
    connection.exec_driver_sql("CREATE VIEW v AS SELECT id FROM t")
    connection.exec_driver_sql("CREATE SEQUENCE s")
    script, text = differences(connection, database_of(table))
    assert script.upgrade_ops.is_empty(), text

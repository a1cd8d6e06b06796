"""Statements that change a schema, executed: what the server prints afterwards is what they say."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from alembic_crdb import alterations as a
from alembic_crdb import catalog as c
from alembic_crdb import catalog_objects as o
from alembic_crdb import ddl, ddl_objects
from tests.cockroachdb.test_create_all import engine_of, shown_by
from tests.servers.fixtures import CockroachDatabase

T = c.ObjectName("T%", "s")
INT = c.SQLType("INT8")


@pytest.fixture
def connection(cockroach_database: CockroachDatabase, driver: str) -> Iterator[Connection]:
    engine = engine_of(cockroach_database.url_for(driver))
    with engine.connect() as made:
        made.execute(ddl_objects.CreateSchema(o.Schema(c.ObjectName("s"))))
        columns = (c.Column("id", INT, False), c.Column("a", INT), c.Column("full", c.SQLType("STRING"), default="'%'"))
        key = c.PrimaryKey(None, (c.IndexElement("id"),))
        made.execute(ddl.CreateTable(c.Table(T, columns, key, families=(c.Family("f", ("id", "a", "full")),))))
        yield made
    engine.dispose()


def _shown(connection: Connection, name: str = 's."T%"') -> str:
    row = connection.execute(sa.text(f"SELECT create_statement FROM [SHOW CREATE {name}]")).one()
    return " ".join(str(row[0]).split())


def test_columns(connection: Connection) -> None:
    new = c.Column("n", INT, False, True, "5")
    connection.execute(ddl.AlterTable(T, a.AddColumn(new, family="g"), a.AddColumn(c.Column("m", INT), family="f")))
    shown = _shown(connection)
    assert "n INT8 NOT VISIBLE NOT NULL DEFAULT 5:::INT8" in shown
    assert 'FAMILY f (id, a, "full", m), FAMILY g (n)' in shown
    connection.execute(ddl.AlterTable(T, a.SetDefault("full", "'100%'"), a.SetNullable("full", False)))
    connection.execute(ddl.AlterTable(T, a.SetDefault("n", None), a.SetNullable("n", True), a.RenameColumn("m", "M")))
    shown = _shown(connection)
    assert "\"full\" STRING NOT NULL DEFAULT '100%':::STRING" in shown
    assert 'n INT8 NOT VISIBLE NULL, "M" INT8 NULL' in shown
    connection.exec_driver_sql("SET enable_experimental_alter_column_type_general = on")
    connection.execute(ddl.AlterTable(T, a.SetType("full", c.SQLType("STRING", ("9",)))))
    connection.execute(ddl.AlterTable(T, a.DropColumn("n", if_exists=True), a.DropColumn("M")))
    assert "\"full\" STRING(9) NOT NULL DEFAULT '100%':::STRING, CONSTRAINT" in _shown(connection)


def test_constraints(connection: Connection) -> None:
    # One by one: v21.1 takes some of them for duplicates of themselves beside others.
    for constraint in (
        c.Check("ck", "a % 2 = 1", False),
        c.Index("uq", (c.IndexElement("a"),), True),
        c.Unique("un", ("a",), validated=False),
        c.ForeignKey("fk", ("a",), T, ("id",), on_delete="CASCADE", validated=False),
    ):
        connection.execute(ddl.AlterTable(T, a.AddConstraint(constraint)))
    shown = _shown(connection)
    assert "CONSTRAINT ck CHECK ((a % 2:::INT8) = 1:::INT8) NOT VALID" in shown
    assert "UNIQUE INDEX uq (a ASC)" in shown
    assert "CONSTRAINT un UNIQUE WITHOUT INDEX (a) NOT VALID" in shown
    assert 'CONSTRAINT fk FOREIGN KEY (a) REFERENCES s."T%"(id) ON DELETE CASCADE NOT VALID' in shown
    for name in ("ck", "un", "fk"):
        connection.execute(ddl.AlterTable(T, a.ValidateConstraint(name)))
    connection.execute(ddl.AlterTable(T, a.RenameConstraint("ck", "Ck"), a.DropConstraint("fk", if_exists=True)))
    shown = _shown(connection)
    assert "NOT VALID" not in shown
    assert 'CONSTRAINT "Ck" CHECK' in shown
    assert "FOREIGN KEY" not in shown


def test_primary_key(connection: Connection) -> None:
    key = c.PrimaryKey("other", (c.IndexElement("id", "DESC"),), True, (("bucket_count", "4"),))
    connection.execute(ddl.AlterTable(T, a.AlterPrimaryKey(key)))
    assert "PRIMARY KEY (id DESC) USING HASH WITH BUCKET_COUNT = 4" in _shown(connection)
    connection.execute(ddl.AlterTable(T, a.SetNullable("a", False)))
    connection.execute(
        ddl.AlterTable(
            T,
            a.DropConstraint("primary"),
            a.AddConstraint(c.PrimaryKey("pk", (c.IndexElement("a"), c.IndexElement("id")))),
        )
    )
    assert "CONSTRAINT pk PRIMARY KEY (a ASC, id ASC)" in _shown(connection)


def test_indexes_and_names(connection: Connection) -> None:
    index = c.Index("select", (c.IndexElement("a", "DESC"),), storing=("full",))
    connection.execute(ddl.CreateIndex(T, index, if_not_exists=True))
    connection.execute(ddl.CreateIndex(T, index, if_not_exists=True))
    connection.execute(ddl.RenameIndex(T, "select", "Ix%"))
    assert 'INDEX "Ix%" (a DESC) STORING ("full")' in _shown(connection)
    connection.execute(ddl.RenameTable(T, "U"))
    connection.execute(ddl_objects.SetSchema("TABLE", c.ObjectName("U", "s"), "public"))
    assert _shown(connection, '"U"').startswith('CREATE TABLE public."U"')


def test_views(connection: Connection) -> None:
    view = o.View(c.ObjectName("v", "s"), 'SELECT id FROM s."T%"')
    connection.execute(ddl_objects.CreateView(view))
    wider = o.View(c.ObjectName("v", "s"), 'SELECT id, a FROM s."T%"')
    connection.execute(ddl_objects.CreateView(wider, replace=True))
    connection.execute(ddl_objects.RenameView(view.name, "w"))
    assert _shown(connection, "s.w").startswith("CREATE VIEW s.w (id, a) AS SELECT id, a")
    rows = o.View(c.ObjectName("m"), "SELECT 5 AS five", materialized=True)
    connection.execute(ddl_objects.CreateView(rows, if_not_exists=True))
    connection.execute(ddl_objects.RefreshView(rows.name))
    connection.execute(ddl_objects.RenameView(rows.name, "n", materialized=True))
    connection.execute(ddl_objects.DropView(c.ObjectName("n"), materialized=True))
    connection.execute(ddl_objects.DropView(c.ObjectName("w", "s"), if_exists=True, cascade=True))
    assert "VIEW" not in shown_by(connection)


def test_types_and_sequences(connection: Connection) -> None:
    name = c.ObjectName("Mood", "s")
    connection.execute(ddl_objects.CreateEnum(o.EnumType(name, ("a", "it's %"))))
    connection.execute(ddl_objects.AddEnumValue(name, "b", after="a"))
    connection.execute(ddl_objects.AddEnumValue(name, "0", before="a", if_not_exists=True))
    connection.execute(ddl_objects.RenameEnumValue(name, "b", "b%"))
    connection.execute(ddl_objects.RenameType(name, "mood"))
    values = sa.text("SELECT array_to_string(values, '|') FROM [SHOW ENUMS] WHERE name = 'mood'")
    assert connection.scalar(values) == "0|a|b%|it's %"
    connection.execute(ddl_objects.DropType(c.ObjectName("mood", "s"), if_exists=True))
    assert connection.scalar(values) is None
    numbers = c.ObjectName("q", "s")
    connection.execute(ddl_objects.CreateSequence(o.Sequence(numbers, c.SequenceOptions(start=5)), True))
    # v21.1 forgets START when it is not said again.
    connection.execute(ddl_objects.AlterSequence(numbers, c.SequenceOptions(increment=3, start=5)))
    connection.execute(ddl_objects.RenameSequence(numbers, "r"))
    assert "INCREMENT 3 START 5" in _shown(connection, "s.r")
    connection.execute(ddl_objects.DropSequence(c.ObjectName("r", "s")))
    assert "SEQUENCE" not in shown_by(connection)


def test_zones_and_comments(connection: Connection) -> None:
    zone = o.ZoneConfiguration("TABLE", T, (("num_replicas", "1"), ("gc.ttlseconds", "601")))
    shown = sa.text('SELECT raw_config_sql FROM [SHOW ZONE CONFIGURATION FOR TABLE s."T%"]')
    connection.execute(ddl_objects.ConfigureZone(zone))
    assert "gc.ttlseconds = 601" in str(connection.scalar(shown))
    connection.execute(ddl_objects.ConfigureZone(o.ZoneConfiguration("TABLE", T)))
    assert "601" not in str(connection.scalar(shown))
    connection.execute(ddl.Emit(o.Comment("COLUMN", T, "100%", "full")))
    assert 'COMMENT ON COLUMN s."T%"."full" IS \'100%\'' in shown_by(connection)
    connection.execute(ddl.Emit(o.Comment("COLUMN", T, None, "full")))
    assert "COMMENT" not in shown_by(connection)

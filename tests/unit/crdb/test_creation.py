"""``create_all`` and ``drop_all``: what is sent beside SQLAlchemy's statements, when, and for whom."""

from __future__ import annotations

import io
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from alembic_cluster.errors import ConfigurationError
from alembic_crdb import Comment, DatabaseRegions, Schema, View, ZoneConfiguration
from alembic_crdb.schema import objects_of
from tests.unit.crdb.emitting import created, dialect_for, dropped, raw_text_of


def _everything() -> sa.MetaData:
    metadata = sa.MetaData()
    View("v2", "SELECT id FROM v1", metadata=metadata)
    View("v1", "SELECT id FROM t", metadata=metadata, materialized=True)
    Schema("s", metadata=metadata)
    DatabaseRegions("a", ["b"], database="d", metadata=metadata)
    ZoneConfiguration("t", {"num_replicas": 3}, metadata=metadata)
    Comment("SCHEMA", "s", "x", metadata=metadata)
    sa.Table(
        "t",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("mood", sa.Enum("x", name="mood", schema="s"), index=True),
        sa.CheckConstraint("id > 0", name="ck", cockroachdb_not_valid=True),
        comment="c",
    )
    sa.Sequence("q", metadata=metadata)
    return metadata


def _beginnings(statements: list[str]) -> list[str]:
    return [" ".join(statement.split()[:3]) for statement in statements]


def test_order() -> None:
    assert _beginnings(created(_everything(), dialect_for())) == [
        "ALTER DATABASE d",
        "ALTER DATABASE d",
        "CREATE SCHEMA s",
        "CREATE TYPE s.mood",
        "CREATE SEQUENCE q",
        "CREATE TABLE t",
        "CREATE INDEX ix_t_mood",
        "COMMENT ON TABLE",
        "ALTER TABLE t",
        "CREATE MATERIALIZED VIEW",
        "CREATE VIEW v2",
        "ALTER TABLE t",
        "COMMENT ON SCHEMA",
    ]


def test_drop_all_begins_with_the_views() -> None:
    assert dropped(_everything(), dialect_for()) == [
        "DROP VIEW v2",
        "DROP MATERIALIZED VIEW v1",
        "\nDROP TABLE t",
        "DROP SEQUENCE q",
        "DROP TYPE s.mood",
    ]


def _run(method: Any, dialect: Any, **kw: Any) -> list[str]:
    sent: list[str] = []
    engine: Any = sa.create_mock_engine(
        "cockroachdb://", lambda each, *_, **__: sent.append(raw_text_of(each, dialect))
    )
    engine._dialect = dialect
    method(engine, checkfirst=False, **kw)
    return sent


def test_some_tables_alone() -> None:
    metadata = _everything()
    chosen = [metadata.tables["t"]]
    assert _beginnings(_run(metadata.create_all, dialect_for(), tables=chosen)) == [
        "CREATE TYPE s.mood",
        "CREATE SEQUENCE q",
        "CREATE TABLE t",
        "CREATE INDEX ix_t_mood",
        "COMMENT ON TABLE",
        "ALTER TABLE t",
    ]
    assert "DROP VIEW v2" not in _run(metadata.drop_all, dialect_for(), tables=chosen)
    assert _beginnings(_run(chosen[0].create, dialect_for()))[-1] == "ALTER TABLE t"


def test_twice_is_the_same() -> None:
    """SQLAlchemy marks constraints that it adds after their table; the next run must not miss them."""
    metadata = sa.MetaData()
    for name, other in (("one", "two"), ("two", "one")):
        sa.Table(
            name,
            metadata,
            sa.Column("id", sa.Integer, primary_key=True),
            sa.ForeignKeyConstraint(["id"], [f"{other}.id"], name=f"fk_{name}", use_alter=name == "one"),
            sa.CheckConstraint("id > 0", name=f"ck_{name}", cockroachdb_not_valid=True),
        )
    first = created(metadata, dialect_for())
    assert sum("ADD CONSTRAINT fk_one" in statement for statement in first) == 1
    assert sum("ADD CONSTRAINT ck_one CHECK (id > 0) NOT VALID" in statement for statement in first) == 1
    assert created(metadata, dialect_for()) == first


def test_regions_without_a_database_need_a_connection() -> None:
    metadata = sa.MetaData()
    DatabaseRegions("a", metadata=metadata)
    with pytest.raises(ConfigurationError, match="say database="):
        created(metadata, dialect_for())


def test_other_databases_see_nothing_of_it() -> None:
    metadata = sa.MetaData()
    sa.Table(
        "t",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("a", sa.Integer, cockroachdb_not_visible=True),
        sa.CheckConstraint("id > 0", cockroachdb_not_valid=True),
        sa.Index("ix", "a", cockroachdb_using="hash", cockroachdb_comment="c"),
        cockroachdb_families={"f": ["id", "a"]},
        cockroachdb_locality="GLOBAL",
    )
    View("v", "SELECT id FROM t", metadata=metadata)
    Schema("s", metadata=metadata)
    engine = sa.create_engine("sqlite://")
    metadata.create_all(engine)
    assert sa.inspect(engine).get_view_names() == []
    assert [index["name"] for index in sa.inspect(engine).get_indexes("t")] == ["ix"]
    metadata.drop_all(engine)


def test_schema_translate_map() -> None:
    metadata = sa.MetaData()
    sa.Table("p", metadata, sa.Column("id", sa.Integer, primary_key=True), schema="a")
    made = sa.Table(
        "t",
        metadata,
        sa.Column("id", sa.Integer, sa.ForeignKey("a.p.id"), primary_key=True),
        sa.Column("mood", sa.Enum("x", name="mood", schema="a")),
        schema="a",
    )
    dialect = dialect_for()
    for element, text in (
        (sa.schema.CreateTable(made), 'CREATE TABLE "My %%" .t'.replace(" .", ".")),
        (sa.schema.CreateTable(made), 'mood "My %%".mood NULL'),
        (sa.schema.CreateTable(made), 'REFERENCES "My %%".p(id)'),
        (sa.schema.CreateIndex(sa.Index("ix", made.c.mood)), 'ON "My %%".t (mood ASC)'),
    ):
        compiled = element.compile(dialect=dialect, schema_translate_map={"a": "My %"}, render_schema_translate=True)
        assert text in str(compiled)


def test_alembics_create_table_adds_what_is_not_valid() -> None:
    buffer = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="cockroachdb", opts={"as_sql": True, "output_buffer": buffer, "transactional_ddl": False}
    )
    Operations(context).create_table(
        "t",
        sa.Column("a", sa.Integer),
        sa.CheckConstraint("a > 0", name="ck", cockroachdb_not_valid=True),
        cockroachdb_with={"schema_locked": False},
    )
    script = " ".join(buffer.getvalue().split())
    assert script == (
        "CREATE TABLE t ( a INT NULL ) WITH (schema_locked = false); "
        "ALTER TABLE t ADD CONSTRAINT ck CHECK (a > 0) NOT VALID;"
    )


def test_objects_of_a_plain_metadata() -> None:
    metadata = sa.MetaData(schema="x")
    assert objects_of(metadata).views == []
    assert metadata.info == {}
    view = View("v", "SELECT 1", metadata=metadata)
    assert (view.schema, objects_of(metadata).views) == ("x", [view])
    assert View("w", "SELECT 1").schema is None

"""Types and properties of columns."""

from __future__ import annotations

import enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from alembic_crdb import Schema, types
from tests.unit.crdb.constructs.base import Construct, column, table


class Color(enum.Enum):
    """An enum of Python."""

    red = 1
    dark_blue = 2


class Shout(sa.TypeDecorator[str]):
    """A type of a project's own."""

    impl = sa.String
    cache_ok = True


#: Types, how each is emitted, and how v21.1 prints it; None where it does not know it.
TYPES: list[tuple[Any, str, str | None]] = [
    (sa.SmallInteger(), "INT2", "INT2"),
    (sa.Integer(), "INT", "INT8"),
    (sa.BigInteger(), "INT8", "INT8"),
    (types.INT2(), "INT2", "INT2"),
    (types.INT4(), "INT4", "INT4"),
    (types.INT8(), "INT8", "INT8"),
    (sa.Float(), "FLOAT8", "FLOAT8"),
    (sa.Float(24), "FLOAT4", "FLOAT4"),
    (sa.Float(25), "FLOAT8", "FLOAT8"),
    (sa.Double(), "FLOAT8", "FLOAT8"),
    (sa.REAL(), "FLOAT4", "FLOAT4"),
    (types.FLOAT4(), "FLOAT4", "FLOAT4"),
    (types.FLOAT8(), "FLOAT8", "FLOAT8"),
    (sa.Numeric(), "DECIMAL", "DECIMAL"),
    (sa.Numeric(10, 2), "DECIMAL(10,2)", "DECIMAL(10,2)"),
    (sa.Numeric(10), "DECIMAL(10)", "DECIMAL(10)"),
    (sa.String(), "VARCHAR", "VARCHAR"),
    (sa.String(20), "VARCHAR(20)", "VARCHAR(20)"),
    (sa.Unicode(20), "VARCHAR(20)", "VARCHAR(20)"),
    (sa.Text(), "STRING", "STRING"),
    (types.STRING(9), "STRING(9)", "STRING(9)"),
    (sa.CHAR(), "CHAR", "CHAR"),
    (sa.CHAR(3), "CHAR(3)", "CHAR(3)"),
    (types.NAME(), "NAME", "NAME"),
    (types.QUOTED_CHAR(), '"char"', '"char"'),
    (sa.String(20, collation="de_DE"), "VARCHAR(20) COLLATE de_DE", "VARCHAR(20) COLLATE de_DE"),
    (types.STRING(collation="en-US-u-ks-level2"), 'STRING COLLATE "en-US-u-ks-level2"', None),
    (sa.LargeBinary(), "BYTES", "BYTES"),
    (pg.BYTEA(), "BYTES", "BYTES"),
    (pg.BIT(), "BIT", "BIT"),
    (pg.BIT(8), "BIT(8)", "BIT(8)"),
    (types.VARBIT(), "VARBIT", "VARBIT"),
    (types.VARBIT(8), "VARBIT(8)", "VARBIT(8)"),
    (pg.BIT(8, varying=True), "VARBIT(8)", "VARBIT(8)"),
    (sa.Boolean(), "BOOL", "BOOL"),
    (sa.Date(), "DATE", "DATE"),
    (sa.DateTime(), "TIMESTAMP", "TIMESTAMP"),
    (sa.DateTime(timezone=True), "TIMESTAMPTZ", "TIMESTAMPTZ"),
    (pg.TIMESTAMP(precision=3), "TIMESTAMP(3)", "TIMESTAMP(3)"),
    (pg.TIMESTAMP(timezone=True, precision=0), "TIMESTAMPTZ(0)", "TIMESTAMPTZ(0)"),
    (pg.TIMESTAMP(precision=6), "TIMESTAMP", "TIMESTAMP"),
    (sa.Time(), "TIME", "TIME"),
    (sa.Time(timezone=True), "TIMETZ", "TIMETZ"),
    (pg.TIME(timezone=True, precision=2), "TIMETZ(2)", "TIMETZ(2)"),
    (sa.Interval(), "INTERVAL", "INTERVAL"),
    (pg.INTERVAL(precision=3), "INTERVAL(3)", "INTERVAL(3)"),
    (pg.INTERVAL(fields="DAY TO SECOND"), "INTERVAL DAY TO SECOND", "INTERVAL DAY TO SECOND"),
    (sa.JSON(), "JSONB", "JSONB"),
    (pg.JSONB(), "JSONB", "JSONB"),
    (sa.Uuid(), "UUID", "UUID"),
    (pg.UUID(), "UUID", "UUID"),
    (pg.INET(), "INET", "INET"),
    (pg.OID(), "OID", "OID"),
    (pg.REGCLASS(), "REGCLASS", "REGCLASS"),
    (pg.ARRAY(sa.Integer()), "INT[]", "INT8[]"),
    (sa.ARRAY(sa.String(5)), "VARCHAR(5)[]", "VARCHAR(5)[]"),
    (pg.ARRAY(types.INT2()), "INT2[]", "INT2[]"),
    (types.GEOMETRY(), "GEOMETRY", "GEOMETRY"),
    (types.GEOMETRY("point", 4326), "GEOMETRY(POINT,4326)", "GEOMETRY(POINT,4326)"),
    (types.GEOMETRY("POLYGON"), "GEOMETRY(POLYGON)", "GEOMETRY(POLYGON)"),
    (types.GEOMETRY(srid=3857), "GEOMETRY(GEOMETRY,3857)", "GEOMETRY(GEOMETRY,3857)"),
    (types.GEOGRAPHY(), "GEOGRAPHY", "GEOGRAPHY"),
    (types.GEOGRAPHY("POINT", 4326), "GEOGRAPHY(POINT,4326)", "GEOGRAPHY(POINT,4326)"),
    (types.BOX2D(), "BOX2D", "BOX2D"),
    (pg.TSVECTOR(), "TSVECTOR", None),
    (pg.TSQUERY(), "TSQUERY", None),
    (types.VECTOR(3), "VECTOR(3)", None),
    (types.VECTOR(), "VECTOR", None),
    (types.LTREE(), "LTREE", None),
    (pg.CITEXT(), "CITEXT", None),
    (types.PG_LSN(), "PG_LSN", None),
    (types.REFCURSOR(), "REFCURSOR", None),
    (pg.JSONPATH(), "JSONPATH", None),
    (types.CockroachType("REGTYPE"), "REGTYPE", "REGTYPE"),
    (Shout(7), "VARCHAR(7)", "VARCHAR(7)"),
    (sa.String(9).with_variant(pg.JSONB(), "cockroachdb"), "JSONB", "JSONB"),
    (sa.String(9).with_variant(pg.JSONB(), "postgresql"), "VARCHAR(9)", "VARCHAR(9)"),
    (sa.Enum("a", "b", name="mood", native_enum=False), "VARCHAR(1)", "VARCHAR(1)"),
]


def types_of_columns() -> list[Construct]:
    """Give the constructs of types."""
    return [
        Construct(f"type {kind!r}", column(kind), (f"c {text} NULL",), None if shown is None else (f"c {shown} NULL",))
        for kind, text, shown in TYPES
    ]


def enums() -> list[Construct]:
    """Give the constructs of enum types."""

    def attached(metadata: sa.MetaData) -> None:
        pg.ENUM("a", "b", name="unused", metadata=metadata)
        sa.Table("t", metadata, sa.Column("id", sa.Text, primary_key=True))

    def in_schema(metadata: sa.MetaData) -> None:
        Schema("Other", metadata=metadata)
        kind = sa.Enum("a", "b", name="Mood", schema="Other")
        sa.Table("t", metadata, sa.Column("id", sa.Text, primary_key=True), sa.Column("c", kind), sa.Column("d", kind))

    return [
        Construct(
            "enum",
            column(sa.Enum("a", "b'c", name="mood")),
            ("CREATE TYPE mood AS ENUM ('a', 'b''c')", "c mood NULL"),
            ("c public.mood NULL",),
        ),
        Construct(
            "enum of Python",
            column(sa.Enum(Color)),
            ("CREATE TYPE color AS ENUM ('red', 'dark_blue')",),
            ("c public.color NULL",),
        ),
        Construct("enum of PostgreSQL", column(pg.ENUM("a", name="mood")), ("CREATE TYPE mood AS ENUM ('a')",)),
        Construct(
            "array of enum", column(pg.ARRAY(sa.Enum("a", name="mood"))), ("c mood[] NULL",), ("c public.mood[] NULL",)
        ),
        Construct(
            "enum with default",
            column(sa.Enum("a", "b", name="mood"), server_default="b"),
            ("c mood NULL DEFAULT 'b'",),
            ("DEFAULT 'b':::public.mood",),
        ),
        Construct("enum without column", attached, ("CREATE TYPE unused AS ENUM ('a', 'b')",)),
        Construct("enum in a schema", in_schema, ('CREATE TYPE "Other"."Mood" AS ENUM', 'c "Other"."Mood" NULL'), ()),
        Construct(
            "check of an enum that is none",
            column(sa.Enum("a", "b", name="ck", native_enum=False, create_constraint=True)),
            ("CONSTRAINT ck CHECK (c IN ('a', 'b'))",),
            ("CONSTRAINT ck CHECK",),
        ),
    ]


def properties() -> list[Construct]:
    """Give the constructs of properties of columns."""
    return [
        Construct("not null", column(sa.Integer, nullable=False), ("c INT NOT NULL",), ("c INT8 NOT NULL",)),
        Construct(
            "default in parentheses",
            column(sa.Boolean, server_default=sa.text("NOT true")),
            ("c BOOL NULL DEFAULT (NOT true)",),
            ("DEFAULT NOT true",),
        ),
        Construct(
            "default text",
            column(sa.String(30), server_default="it's 5% of \\ x"),
            ("DEFAULT 'it''s 5% of \\ x'",),
            ("DEFAULT e'it\\'s 5% of \\\\ x'",),
        ),
        Construct(
            "default with line break",
            column(sa.Text, server_default="a\nb"),
            ("DEFAULT 'a\nb'",),
            ("DEFAULT e'a\\nb'",),
        ),
        Construct(
            "default number",
            column(sa.Numeric(12, 2), server_default="0"),
            ("DEFAULT '0'",),
            ("DEFAULT 0.00:::DECIMAL",),
        ),
        Construct(
            "default expression",
            column(sa.DateTime(timezone=True), server_default=sa.func.now()),
            ("DEFAULT now()",),
            ("DEFAULT now():::TIMESTAMPTZ",),
        ),
        Construct(
            "default SQL",
            column(sa.Integer, server_default=sa.text("1 + 7 % 3")),
            ("DEFAULT 1 + 7 % 3",),
            ("DEFAULT 1:::INT8 + (7:::INT8 % 3:::INT8)",),
        ),
        Construct(
            "default boolean", column(sa.Boolean, server_default=sa.true()), ("DEFAULT true",), ("DEFAULT true",)
        ),
        Construct(
            "default uuid", column(sa.Uuid, server_default=sa.text("gen_random_uuid()")), ("DEFAULT gen_random_uuid()",)
        ),
        Construct(
            "default unique_rowid",
            column(sa.BigInteger, server_default=sa.text("unique_rowid()")),
            ("DEFAULT unique_rowid()",),
            ("DEFAULT unique_rowid()",),
        ),
        Construct(
            "default json",
            column(pg.JSONB, server_default=sa.text("'{\"a\": [1]}'::jsonb")),
            ("DEFAULT '{\"a\": [1]}'::jsonb",),
        ),
        Construct("default array", column(pg.ARRAY(sa.Text), server_default="{}"), ("DEFAULT '{}'",)),
        Construct(
            "on update", column(sa.DateTime, cockroachdb_on_update="now()"), ("c TIMESTAMP NULL ON UPDATE now()",), None
        ),
        Construct(
            "on update of SQLAlchemy",
            column(sa.DateTime, server_default=sa.func.now(), cockroachdb_on_update=sa.func.now()),
            ("DEFAULT now() ON UPDATE now()",),
            None,
        ),
        Construct(
            "not visible",
            column(sa.Integer, cockroachdb_not_visible=True),
            ("c INT NOT VISIBLE NULL",),
            ("c INT8 NOT VISIBLE NULL",),
        ),
        Construct(
            "computed stored",
            column(sa.Integer, sa.Computed("id + 1", persisted=True)),
            ("c INT NULL AS (id + 1) STORED",),
            ("AS (id + 1:::INT8) STORED",),
        ),
        Construct(
            "computed by default",
            column(sa.Integer, sa.Computed("id % 2")),
            ("AS (id % 2) STORED",),
            ("AS (id % 2:::INT8) STORED",),
        ),
        Construct(
            "computed virtual",
            column(sa.Integer, sa.Computed("id + 1", persisted=False)),
            ("AS (id + 1) VIRTUAL",),
            ("AS (id + 1:::INT8) VIRTUAL",),
        ),
        Construct(
            "identity",
            column(sa.BigInteger, sa.Identity()),
            ("c INT8 NOT NULL GENERATED BY DEFAULT AS IDENTITY",),
            None,
        ),
        Construct(
            "identity always",
            column(sa.BigInteger, sa.Identity(always=True, start=5, increment=2, minvalue=1, maxvalue=99, cache=3)),
            ("GENERATED ALWAYS AS IDENTITY (MINVALUE 1 MAXVALUE 99 INCREMENT 2 START 5 CACHE 3)",),
            None,
        ),
        Construct(
            "sequence of a column",
            column(sa.BigInteger, sa.Sequence("numbers", start=5, increment=2)),
            ("CREATE SEQUENCE numbers INCREMENT 2 START 5", "DEFAULT nextval('numbers')"),
            ("DEFAULT nextval(",),
        ),
        Construct(
            "comment",
            column(sa.Integer, comment="it's 5% \\"),
            ("COMMENT ON COLUMN t.c IS 'it''s 5% \\'",),
            ("COMMENT ON COLUMN",),
        ),
        Construct(
            "reserved words",
            table(
                lambda: sa.Column("full", sa.Integer, sa.CheckConstraint('"full" > 0', name="window")),
                lambda: sa.Index("left", "full"),
            ),
            ('"full" INT NULL', 'CONSTRAINT "window" CHECK ("full" > 0)', 'CREATE INDEX "left" ON t ("full" ASC)'),
            ('INDEX "left" ("full" ASC)',),
        ),
        Construct(
            "quoted names",
            table(lambda: sa.Column("Big %", sa.Integer, key="big"), lambda: sa.Index('I"x', "big")),
            ('"Big %" INT NULL', 'CREATE INDEX "I""x" ON t ("Big %" ASC)'),
            ('"Big %" INT8 NULL',),
        ),
    ]

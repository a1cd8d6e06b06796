"""alembic_crdb.types: one name for each type."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy_cockroachdb.psycopg2 import CockroachDBDialect_psycopg2

from alembic_crdb import types


@pytest.mark.parametrize(
    ("spelled", "name"),
    [
        ("bigint", "INT8"),
        ("INT64", "INT8"),
        ("INTEGER", "INT"),
        ("smallint", "INT2"),
        ("TEXT", "STRING"),
        ("character varying(20)", "STRING(20)"),
        ("VARCHAR", "STRING"),
        ("CHARACTER(1)", "CHAR"),
        ("char(3)", "CHAR(3)"),
        ('"char"', '"char"'),
        ("FLOAT(24)", "FLOAT4"),
        ("FLOAT(25)", "FLOAT8"),
        ("double  precision", "FLOAT8"),
        ("NUMERIC(12, 2)", "DECIMAL(12,2)"),
        ("DECIMAL(12, 0)", "DECIMAL(12)"),
        ("DECIMAL(12, 10)", "DECIMAL(12,10)"),
        ("TIMESTAMP WITHOUT TIME ZONE", "TIMESTAMP"),
        ("TIMESTAMP(3) WITH TIME ZONE", "TIMESTAMPTZ(3)"),
        ("TIMESTAMPTZ(6)", "TIMESTAMPTZ"),
        ("time(0) without time zone", "TIME(0)"),
        ("BIT VARYING(5)", "VARBIT(5)"),
        ("BIT(1)", "BIT"),
        ("json", "JSONB"),
        ("BIGINT[]", "INT8[]"),
        ("VARCHAR(3)[]", "STRING(3)[]"),
        ("INT ARRAY", "INT[]"),
        ('TEXT COLLATE "en_US"', "STRING COLLATE en_US"),
        ("STRING COLLATE en_US", "STRING COLLATE en_US"),
        ("GEOMETRY(POINT,4326)", "GEOMETRY(POINT,4326)"),
        ("geometry(point, 4326)", "GEOMETRY(POINT,4326)"),
        ("VECTOR(3)", "VECTOR(3)"),
        ("public.mood", "mood"),
        ("mood", "mood"),
        ('public."Mood"[]', "Mood[]"),
        ('"Other".mood', "Other.mood"),
        ("INTERVAL DAY TO SECOND", "INTERVAL DAY TO SECOND"),
    ],
)
def test_canonical(spelled: str, name: str) -> None:
    assert types.canonical(spelled) == name
    assert types.canonical(name) == name


@pytest.mark.parametrize(("server", "same"), [("INT8", True), ("INT4", True), ("INT2", False), ("INT8[]", False)])
def test_integer_is_as_wide_as_the_session_says(server: str, same: bool) -> None:
    assert types.same_type(server, "INTEGER") is same
    if not server.endswith("]"):
        assert types.same_type(server + "[]", "INTEGER[]") is same


ENUMS = {("public", "mood"): ["sad", "ok"], ("Other", 'a"b'): ["x"]}
DIALECT = CockroachDBDialect_psycopg2()


@pytest.mark.parametrize(
    "server",
    [
        "BOOL",
        "BYTES",
        "CHAR",
        "CHAR(3)",
        "CITEXT",
        "DATE",
        "DECIMAL",
        "DECIMAL(12,2)",
        "FLOAT4",
        "FLOAT8",
        "INET",
        "INT2",
        "INT4",
        "INT8",
        "INTERVAL",
        "INTERVAL(3)",
        "JSONB",
        "NAME",
        "OID",
        "REGCLASS",
        "STRING",
        "STRING(7)",
        "TIME",
        "TIME(3)",
        "TIMETZ",
        "TIMETZ(0)",
        "TIMESTAMP",
        "TIMESTAMP(3)",
        "TIMESTAMPTZ",
        "TIMESTAMPTZ(0)",
        "TSQUERY",
        "TSVECTOR",
        "UUID",
        "BIT",
        "BIT(3)",
        "VARBIT",
        "VARBIT(5)",
        "VECTOR(3)",
        "LTREE",
        "GEOMETRY(POINT,4326)",
        "GEOGRAPHY",
        "BOX2D",
        '"char"',
        "public.mood",
        "public.mood[]",
        "INT4[]",
        "STRING(3)[]",
        "REGTYPE",
    ],
)
def test_from_server_and_back(server: str) -> None:
    """What stands for a type of the server is written as that type again."""
    made = types.from_server(server, ENUMS)
    assert types.canonical(made.compile(DIALECT)) == types.canonical(server)


def test_enum_keeps_its_name_labels_and_schema() -> None:
    made: Any = types.from_server('"Other"."a""b"', ENUMS)
    assert isinstance(made, postgresql.ENUM)
    assert (made.schema, made.name, made.enums) == ("Other", 'a"b', ["x"])
    made = types.from_server("public.mood", ENUMS)
    assert (made.schema, made.name, made.enums) == (None, "mood", ["sad", "ok"])


def test_collation() -> None:
    made: Any = types.from_server("STRING COLLATE en_US", {})
    assert made.collation == "en_US"
    assert types.same_type("STRING COLLATE en_US", sa.Text(collation="en_US").compile(DIALECT))
    assert not types.same_type("STRING", sa.Text(collation="en_US").compile(DIALECT))


def test_own_types_render_as_what_makes_them() -> None:
    assert repr(types.CockroachType("NAME")) == "CockroachType('NAME')"
    assert repr(types.INT4()) == "INT4()"
    assert repr(types.STRING(7)) == "STRING(length=7)"
    assert types.STRING(7, "en").compile(DIALECT) == 'STRING(7) COLLATE "en"'

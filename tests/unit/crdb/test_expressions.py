"""What a model says and what a server stores of it are one; what differs in meaning is not."""

from __future__ import annotations

import itertools
import json
import os
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from alembic_crdb.catalog import ObjectName, SQLType
from alembic_crdb.expressions import canonical_type, equivalent, normalize, parse_expression, quote_type_names
from alembic_crdb.parser import UnreadableDDL, parse_type
from tests.unit.crdb import strategies

#: What a server made of defaults and CHECK constraints, as it printed them.
STORED: dict[str, Any] = json.loads(Path(__file__).with_name("stored_expressions.json").read_text(encoding="utf-8"))
EXAMPLES = int(os.environ.get("DDL_EXAMPLES", "150"))
MUTATIONS = int(os.environ.get("DDL_MUTATIONS", "1500"))


@pytest.mark.parametrize("pair", STORED["defaults"], ids=lambda pair: f"{pair['type']} {pair['model']}")
def test_a_default_is_what_the_server_stored(pair: dict[str, str]) -> None:
    kind = parse_type(pair["type"])
    assert equivalent(pair["model"], pair["stored"], kind)
    assert equivalent(pair["stored"], pair["model"], kind)
    for text in (pair["model"], pair["stored"] or "NULL"):
        parse_expression(text)


@pytest.mark.parametrize("pair", STORED["checks"], ids=lambda pair: pair["model"])
def test_a_condition_is_what_the_server_stored(pair: dict[str, str]) -> None:
    assert equivalent(pair["model"], pair["stored"])
    assert equivalent(pair["stored"], pair["model"])
    for text in pair.values():
        parse_expression(text)


def test_conditions_that_differ_do_so_in_every_spelling() -> None:
    """Two of the stored ones are one if, and only if, their models are."""
    equal = {
        frozenset((one["stored"], other["stored"]))
        for one, other in itertools.combinations(STORED["checks"], 2)
        if one["stored"] != other["stored"] and equivalent(one["stored"], other["stored"])
    }
    assert equal == {
        frozenset(pair)
        for pair in (
            ("a NOT BETWEEN 0:::INT8 AND 100:::INT8", "NOT (a BETWEEN 0:::INT8 AND 100:::INT8)"),
            ("a NOT IN (1:::INT8, 2:::INT8)", "NOT (a IN (1:::INT8, 2:::INT8))"),
            ("a::STRING = '1':::STRING", "CAST(a AS STRING) = '1':::STRING"),
            (
                "s = ANY ARRAY['a':::STRING, 'b':::STRING]:::STRING[]",
                "s = ANY ARRAY['a':::STRING::VARCHAR, 'b':::STRING::VARCHAR]:::VARCHAR[]::STRING[]",
            ),
        )
    }


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        # What later servers print, and what models for PostgreSQL say.
        ("int", "nextval('public.sq'::REGCLASS)", "nextval('sq')"),
        ("int", "nextval('\"Sq\"'::regclass)", "nextval('public.\"Sq\"'::REGCLASS)"),
        ("timestamptz", "now():::TIMESTAMPTZ AT TIME ZONE 'utc':::STRING", "timezone('utc', now())"),
        ("timestamptz", "CURRENT_TIMESTAMP", "now()"),
        ("timestamptz", "'infinity'", "'infinity':::TIMESTAMPTZ"),
        ("timestamptz", "'2020-01-02'", "'2020-01-02 00:00:00+00:00':::TIMESTAMPTZ"),
        ("timestamptz", "'2020-01-02 01:00:00+01'", "'2020-01-02 00:00:00+00:00':::TIMESTAMPTZ"),
        ("timestamptz(3)", "'2020-01-02 01:00:00.1239+01'", "'2020-01-02 00:00:00.124+00:00':::TIMESTAMPTZ"),
        ("decimal(12,2)", "'1.239'", "1.24:::DECIMAL"),
        ("decimal(12)", "'1.5'", "2:::DECIMAL"),
        ("numeric", "'1E+2'", "100:::DECIMAL"),
        ("float", "'-Infinity'", "'-Inf':::FLOAT8"),
        ("jsonb", '\'{"b":[1.0],"a":1e2}\'', '\'{"a": 100, "b": [1]}\':::JSONB'),
        ("bool", "'on'", "true"),
        ("bool", "1::bool", "1:::INT8::BOOL"),
        ("interval", "'1 day ago'", "'-1 days':::INTERVAL"),
        ("interval", "'P2W'", "'14 days':::INTERVAL"),
        ("interval", "interval '90' minute", "'01:30:00':::INTERVAL"),
        ("interval", "'0.5 months'", "'15 days':::INTERVAL"),
        ("interval(0)", "'1.6 s'", "'00:00:02':::INTERVAL"),
        ("text[]", "'{\"a b\",NULL,c}'", "ARRAY['a b':::STRING, NULL, 'c':::STRING]:::STRING[]"),
        ("public.status", "'a'", "'a':::db.public.status"),
        ("uuid", "'urn:uuid:11111111-2222-3333-4444-555555555555'", "'11111111222233334444555555555555':::UUID"),
        ("inet", "'10.0.0.1/32'", "'10.0.0.1':::INET"),
        ("bytes", "'\\\\x61'::bytea", "b'\\\\x61'"),
        ("text", "NULL::character varying", None),
        ("text", "session_user", "current_user()"),
        (None, "((lower((email)::text)) = 'x'::text)", "lower(email::STRING) = 'x':::STRING"),
        (None, "a ~~ 'x%'::text", "a LIKE 'x%':::STRING"),
        (None, "a !~~* 'x%'", "a NOT ILIKE 'x%':::STRING"),
        (None, "(a AND b) AND (c AND d)", "a AND (b AND c) AND d"),
        (None, "date '2020-01-01' < d", "'2020-01-01':::DATE < d"),
        (None, "double precision '1.5' < d", "1.5:::FLOAT8 < d"),
        (None, "timestamp (3) with time zone '2020-01-01' < d", "'2020-01-01 00:00:00+00:00':::TIMESTAMPTZ < d"),
        (None, '"a" = "B"', 'A = "B"'),
        (None, "t.a = public.t.b", "a = b"),
        (None, "x IS DISTINCT FROM NULL", "x IS NOT NULL"),
        (None, "f(ALL_CAPS, b)", "F(all_caps, B)"),
        (None, "count(*) > 1", "COUNT(*) > 1:::INT8"),
        (None, "(a).b = (a).c", "((a).b) = ((a).c)"),
        (None, "a::public.my_enum = 'x'", "a::my_enum = 'x':::public.my_enum"),
        (None, "status 'a' = s", "'a':::public.status = s"),
        (None, "s = 'A':::sc.Odd Type AND true", "s = 'A' AND true"),
        (None, "s IN ('A':::sc.Odd Type)", "s in ('A')"),
        (None, "substring(a for 2)", "substring(a, 1, 2)"),
        (None, "trim(leading 'x' from a)", "ltrim(a, 'x':::STRING)"),
        (None, "overlay(a placing b from 1 for 2)", "overlay(a, b, 1:::INT8, 2:::INT8)"),
        (None, "position(a in b) = position(lower(a) in b)", "strpos(b, a) = strpos(b, lower(a))"),
        (None, "a SIMILAR TO 'x' ESCAPE 'y'", "similar_to_escape(a, 'x', 'y')"),
        (None, "a NOT LIKE 'x' ESCAPE 'y'", "not_like_escape(a, 'x':::STRING, 'y':::STRING)"),
        (None, "a #- b", "json_remove_path(a, b)"),
        (None, "x'00ff' = b'\\x00\\xff'", "'\\x00ff':::BYTES = x'00FF'"),
        # What no parser of ours reads is compared as text.
        (None, "EXISTS (SELECT 1)", "exists  ( select 1 )"),
        (None, "a ?? b", "A ??  b"),
        (None, "it's", "it's"),
        (None, None, "NULL"),
        (None, None, None),
    ],
)
def test_the_same(kind: str | None, one: str | None, other: str | None) -> None:
    parsed = None if kind is None else parse_type(kind)
    assert equivalent(one, other, parsed)
    assert equivalent(other, one, parsed)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("int", "1", "2"),
        ("int", "1", "-1"),
        ("int", "1", None),
        ("text", "'1'", "1"),
        ("text", "''", None),
        ("text", "'a'", "'A'"),
        ("text", "'NULL'", "NULL"),
        ("text", "'2020-01-02'", "'2020-01-02 00:00:00'"),
        ("decimal(12,2)", "'1.24'", "1.25:::DECIMAL"),
        ("timestamptz", "now()", "clock_timestamp()"),
        ("timestamptz", "'2020-01-02'", "'2020-01-02 00:00:01+00:00':::TIMESTAMPTZ"),
        ("timestamp", "'2020-01-02'", "'2020-01-03 00:00:00':::TIMESTAMP"),
        ("interval", "'1 month'", "'30 days':::INTERVAL"),
        ("jsonb", "'{\"a\": 1}'", '\'{"a": "1"}\':::JSONB'),
        ("jsonb", "'[1, 2]'", "'[2, 1]':::JSONB"),
        ("text[]", "'{a}'", "ARRAY['b':::STRING]:::STRING[]"),
        ("text[]", "'{a}'", "ARRAY['a':::STRING, 'a':::STRING]:::STRING[]"),
        ("text[]", "'{NULL}'", "ARRAY['NULL':::STRING]:::STRING[]"),
        ("int", "nextval('a.sq')", "nextval('b.sq'::REGCLASS)"),
        ("uuid", "gen_random_uuid()", "uuid_v4()::UUID"),
        (None, "a > 0", "a >= 0:::INT8"),
        (None, "a AND b OR c", "a AND (b OR c)"),
        (None, "NOT a AND b", "NOT (a AND b)"),
        (None, "a - b - c", "a - (b - c)"),
        (None, "-a ^ 2", "-(a ^ 2)"),
        (None, "a IN (1, 2)", "a IN (2, 1)"),
        (None, "a IN (1)", "a = 1"),
        (None, "a NOT IN (1)", "a IN (1)"),
        (None, "a BETWEEN 1 AND 2", "a BETWEEN SYMMETRIC 1 AND 2"),
        (None, "a LIKE 'x'", "a ILIKE 'x'"),
        (None, "a = ANY b", "a = ALL b"),
        (None, "a IS NULL", "a IS NOT NULL"),
        (None, "a IS TRUE", "a IS NOT FALSE"),
        (None, "a = 'x'", "a = 'y':::STRING"),
        (None, "a = 'x'", 'a = "x"'),
        (None, "a = b", "a = c"),
        (None, "f(a, b)", "f(b, a)"),
        (None, "f(a)", "g(a)"),
        (None, "a::INT8", "a::INT4"),
        (None, "a::INT8", "a"),
        (None, "a::DECIMAL(10,2)", "a::DECIMAL(10,3)"),
        (None, "a::a.t", "a::b.t"),
        (None, "CASE WHEN a THEN b END", "CASE a WHEN b THEN NULL END"),
        (None, "CASE WHEN a THEN b ELSE c END", "CASE WHEN a THEN b WHEN c THEN d END"),
        (None, "CASE a WHEN b THEN c END", "CASE WHEN a THEN b ELSE c END"),
        (None, "a COLLATE en", "a COLLATE de"),
        (None, "(a, b) = c", "a = c"),
        (None, "ARRAY[a]", "(a,)"),
        (None, "a[1]", "a[2]"),
        (None, "EXISTS (SELECT 1)", "EXISTS (SELECT 2)"),
    ],
)
def test_not_the_same(kind: str | None, one: str | None, other: str | None) -> None:
    parsed = None if kind is None else parse_type(kind)
    assert not equivalent(one, other, parsed)
    assert not equivalent(other, one, parsed)


@pytest.mark.parametrize(
    ("text", "kind", "normal"),
    [
        ("0.00:::DECIMAL", None, "0"),
        ("'0'", "numeric(12,2)", "0"),
        ("(-1):::INT8", None, "-1"),
        ("email || 'x':::STRING", None, "(email || 'x')"),
        ("((a > 0:::INT8) AND (b)) AND c", None, "((a > 0) AND b AND c)"),
        ("a NOT IN (1:::INT8,)", None, "(NOT (a IN (1,)))"),
        ("current_timestamp():::TIMESTAMPTZ", None, "now()"),
        ("(arr)[1] = 'x'::text", None, "(arr[1] = 'x')"),
        ("nextval('Db.\"S\"':::STRING::REGCLASS)", None, "nextval('db.\"S\"')"),
        ("CAST(a AS interval day)", None, "a::INTERVAL DAY"),
        ("'1 day 2 hours'::interval", None, "'0 mons 1 days 7200 s'"),
        ("EXISTS  (SELECT 1)", None, "exists ( select 1 )"),
        ("it's", None, "it's"),
    ],
)
def test_the_one_form(text: str, kind: str | None, normal: str) -> None:
    assert normalize(text, None if kind is None else parse_type(kind)) == normal


@settings(max_examples=EXAMPLES, deadline=None)
@given(strategies.expressions)
def test_every_expression_is_read_and_is_itself(text: str) -> None:
    parse_expression(text)
    assert equivalent(text, f"(  ({text}))")
    assert normalize(text) == normalize(f"( {text} )")
    assert not equivalent(text, f"NOT ({text})")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a b",
        "a +",
        "(a",
        "a)",
        "f(",
        "f(a b)",
        "CASE END",
        "CASE WHEN a END",
        "a IS",
        "a IN",
        "ARRAY[a",
        "a.",
        "1 2",
        "a ::",
    ],
)
def test_what_is_no_expression(text: str) -> None:
    with pytest.raises(UnreadableDDL):
        parse_expression(text)
    normalize(text)
    assert not equivalent(text, "a")


DEEP = 20_000


@pytest.mark.parametrize(
    "text",
    [
        "(" * DEEP + "a" + ")" * DEEP,
        "(" * DEEP,
        "NOT " * DEEP + "a",
        "(" * DEEP + "a" + " OR b)" * DEEP,
        "a" + "::INT8" * DEEP,
        "f(" * DEEP + "1" + ")" * DEEP,
        "ARRAY[" * DEEP + "1" + "]" * DEEP,
        "CASE WHEN " * DEEP,
        "a - (" * DEEP + "b" + ")" * DEEP,
        "'" + "[" * DEEP + "]" * DEEP + "'::JSONB",
        "a" + "[1]" * DEEP,
        "1" * DEEP,
        "a BETWEEN " * DEEP,
    ],
)
def test_deep_nesting_is_no_matter(text: str) -> None:
    assert equivalent(text, f"{text} ")
    assert normalize(text) == normalize(f"{text} ")


def test_whatever_comes_in_is_compared_and_written() -> None:
    rnd = random.Random(os.environ.get("DDL_SEED", "21"))
    known = [text for pairs in (STORED["defaults"], STORED["checks"]) for pair in pairs for text in (pair["model"],)]
    for _ in range(MUTATIONS):
        one, other = rnd.choice(known), rnd.choice(known)
        cut, at = rnd.randrange(len(one) + 1), rnd.randrange(len(other) + 1)
        stray = rnd.choice(("", "(", ")", "'", ",", "::", "NOT ", "é", "\0", "[", " IN ", "CASE ", ":::INT8", "-"))
        text = one[:cut] + stray + other[at:]
        assert equivalent(text, text + " ")
        assert normalize(text) == normalize(text + " ")


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("text", SQLType("STRING")),
        ("character varying(3)", SQLType("VARCHAR", ("3",))),
        ("char(1)", SQLType("CHAR")),
        ("bit(1)", SQLType("BIT")),
        ("integer[]", SQLType("INT8", dimensions=1)),
        ("smallint", SQLType("INT2")),
        ("float(24)", SQLType("FLOAT4")),
        ("float(25)", SQLType("FLOAT8")),
        ("real", SQLType("FLOAT4")),
        ("numeric(10,0)", SQLType("DECIMAL", ("10",))),
        ("bytea", SQLType("BYTES")),
        ("json", SQLType("JSONB")),
        ("public.x", SQLType(ObjectName("x", "public"))),
    ],
)
def test_types_as_the_server_prints_them(text: str, canonical: SQLType) -> None:
    assert canonical_type(parse_type(text)) == canonical


def test_types_without_their_quotes_get_them() -> None:
    types = [
        ObjectName("MyEnum", "public"),
        ObjectName("Odd Type", "sc"),
        ObjectName("plain", "public"),
        ObjectName("X"),
    ]
    text = "(a = 'A':::sc.Odd Type) AND (b = 'sc.Odd Type'::public.MyEnum) AND (c = 'x':::public.plain)"
    assert quote_type_names(text, types) == (
        "(a = 'A':::sc.\"Odd Type\") AND (b = 'sc.Odd Type'::public.\"MyEnum\") AND (c = 'x':::public.plain)"
    )
    assert quote_type_names("a > 0", types) == "a > 0"

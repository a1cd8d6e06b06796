"""Type names read and compared."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from alembic_cql import types as cql
from alembic_cql.dialect import CassandraDialect
from alembic_cql.typenames import SIMPLE, UnknownTypeName, canonical_name, parse_type

DIALECT = CassandraDialect()


def name(text: str) -> str:
    return str(DIALECT.type_compiler_instance.process(parse_type(text)))


@pytest.mark.parametrize("text", [name for name in SIMPLE if name != "varchar"])
def test_native_types_are_read_and_written(text: str) -> None:
    assert name(text) == text
    assert name(text.upper()) == text
    assert canonical_name(parse_type(text), DIALECT) == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("varchar", "text"),
        (" map< text ,frozen<list<int>> > ", "map<text, frozen<list<int>>>"),
        ("LIST<FROZEN<TUPLE<INT,Address>>>", "list<frozen<tuple<int, address>>>"),
        ('frozen<"My Type">', 'frozen<"My Type">'),
        ('"a""b"', '"a""b"'),
        ("ks.kind", "ks.kind"),
        ('"Ks"."Kind"', '"Ks"."Kind"'),
        ("vector<vector<float, 2>, 3>", "vector<vector<float, 2>, 3>"),
        ("'org.example.Type'", "'org.example.Type'"),
    ],
)
def test_names_are_read_and_written(text: str, written: str) -> None:
    assert name(text) == written


@pytest.mark.parametrize(
    "text", ["", "list", "list<>", "list<int", "list<int>>", "map<int>", "vector<int>", "vector<int,x>", "in t", "a-b",
             "<", "tuple<>", "frozen<int,int>", "set<int,int>", 'x."', "ks."]
)  # fmt: skip
def test_what_is_no_type(text: str) -> None:
    if text == "list":  # a user type may be called so
        assert isinstance(parse_type(text), cql.UserType)
        return
    with pytest.raises(UnknownTypeName, match="is not a CQL type"):
        parse_type(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("varchar", "text"),
        ("frozen<tuple<int>>", "tuple<int>"),
        ("frozen<vector<int, 2>>", "vector<int, 2>"),
        ("frozen<list<list<int>>>", "frozen<list<frozen<list<int>>>>"),
        ("tuple<list<int>>", "tuple<frozen<list<int>>>"),
        ("vector<list<int>, 2>", "vector<frozen<list<int>>, 2>"),
        ("list<frozen<map<int, list<int>>>>", "list<frozen<map<int, frozen<list<int>>>>>"),
        ("frozen<frozen<set<int>>>", "frozen<set<int>>"),
        ("tuple<address>", "tuple<frozen<address>>"),
    ],
)
def test_two_spellings_of_one_type(one: str, other: str) -> None:
    assert canonical_name(parse_type(one), DIALECT) == canonical_name(parse_type(other), DIALECT)


@pytest.mark.parametrize(
    ("one", "other"),
    [("list<int>", "frozen<list<int>>"), ("list<int>", "set<int>"), ("address", "frozen<address>"), ("int", "bigint"),
     ("vector<int, 2>", "vector<int, 3>"), ("tuple<int, text>", "tuple<text, int>"), ("uuid", "timeuuid"),
     ("map<int, text>", "map<text, int>"), ('"Address"', "address")],
)  # fmt: skip
def test_two_types(one: str, other: str) -> None:
    assert canonical_name(parse_type(one), DIALECT) != canonical_name(parse_type(other), DIALECT)


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        (sa.String(50), "text"), (sa.Unicode(), "text"), (sa.Text(), "text"), (sa.Enum("a", name="e"), "text"),
        (sa.JSON(), "text"), (sa.Integer(), "int"), (sa.BigInteger(), "bigint"), (sa.SmallInteger(), "smallint"),
        (sa.Float(), "double"), (sa.Double(), "double"), (sa.Float(24), "float"), (sa.Float(53), "double"),
        (sa.REAL(), "float"), (sa.Numeric(10, 2), "decimal"), (sa.Boolean(), "boolean"), (sa.Date(), "date"),
        (sa.Time(), "time"), (sa.DateTime(), "timestamp"), (sa.DateTime(timezone=True), "timestamp"),
        (sa.LargeBinary(), "blob"), (sa.Uuid(), "uuid"), (sa.Uuid(native_uuid=False), "text"), (sa.UUID(), "uuid"),
        (sa.Interval(), "duration"), (sa.PickleType(), "blob"), (sa.ARRAY(sa.Integer), "list<int>"),
        (sa.String().with_variant(cql.ASCII(), "cql"), "ascii"),
        (sa.Unicode().with_variant(sa.CHAR(1), "sqlite"), "text"),
    ],
)  # fmt: skip
def test_sqlalchemys_own_types(kind: sa.types.TypeEngine[object], wanted: str) -> None:
    assert canonical_name(kind, DIALECT) == wanted


def test_known_user_types_bring_their_fields() -> None:
    address = cql.UserType("address", {"street": cql.TEXT()})
    found = parse_type("frozen<list<frozen<address>>>", {"address": address})
    assert isinstance(found, cql.FROZEN)
    assert found.inner.item_type.inner is address  # type: ignore[attr-defined]


def test_types_are_told_apart_by_the_statement_cache() -> None:
    kinds = [
        cql.LIST(cql.INT), cql.SET(cql.INT), cql.LIST(cql.TEXT), cql.VECTOR(cql.INT, 2), cql.VECTOR(cql.INT, 3),
        cql.MAP(cql.INT, cql.TEXT), cql.MAP(cql.TEXT, cql.INT), cql.TUPLE(cql.INT), cql.TUPLE(cql.INT, cql.INT),
        cql.FROZEN(cql.LIST(cql.INT)), cql.UserType("a", {"x": cql.INT}), cql.UserType("a", {"x": cql.TEXT}),
        cql.UserType("b", {"x": cql.INT}), cql.TIMESTAMP(), cql.TIMESTAMP(timezone=True), cql.UUID(),
        cql.UUID(as_uuid=False),
    ]  # fmt: skip
    keys = [kind._static_cache_key for kind in kinds]
    assert len(set(keys)) == len(keys)
    again = cql.FROZEN(cql.MAP(cql.INT, cql.UserType("a", {"x": cql.INT})))
    assert again._static_cache_key == cql.FROZEN(cql.MAP(cql.INT, cql.UserType("a", {"x": cql.INT})))._static_cache_key

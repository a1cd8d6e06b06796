"""What the parser makes of CockroachDB's DDL, and how it refuses what is none."""

from __future__ import annotations

import sys

import pytest

from alembic_crdb.catalog import (
    Check,
    Column,
    Computed,
    Family,
    ForeignKey,
    Identity,
    Index,
    IndexElement,
    Interleave,
    Locality,
    ObjectName,
    Partition,
    Partitioning,
    PrimaryKey,
    SequenceOptions,
    SQLType,
    Table,
    Unique,
)
from alembic_crdb.catalog_objects import (
    AddConstraint,
    Comment,
    CreateIndex,
    EnumType,
    Opaque,
    Policy,
    RowSecurity,
    Sequence,
    View,
    ZoneConfiguration,
)
from alembic_crdb.parser import UnreadableDDL, parse, parse_one, parse_rows, parse_type
from tests.unit.crdb.texts import TABLES

INT8 = SQLType("INT8")


def table(key: str) -> Table:
    found = next(iter(parse(TABLES[key])))
    assert isinstance(found, Table)
    return found


def test_a_table_of_v21() -> None:
    users = table("v21.1 families and primary")
    assert users.name == ObjectName("users", "public")
    assert users.columns[0] == Column("id", INT8, nullable=False, default="unique_rowid()")
    assert [column.name for column in users.columns] == ["id", "name", "Big", "timestamp"]
    assert users.primary_key == PrimaryKey("primary", (IndexElement("id"),))
    assert users.foreign_keys == (
        ForeignKey("fk_name", ("name", "id"), ObjectName("other", "sc"), ("a", "b"), "FULL", "CASCADE", "SET NULL"),
        ForeignKey(
            "fk_2", ("id",), ObjectName("other", "public", "db2"), ("a",), "SIMPLE", "SET DEFAULT", "RESTRICT", False
        ),
    )
    assert users.indexes == (
        Index("users_name_key", (IndexElement("name", "DESC"),), unique=True),
        Index("users_big_idx", (IndexElement("Big", None),), kind="INVERTED"),
    )
    assert users.families == (Family("primary", ("id", "name", "Big", "timestamp")), Family("fam_1", ()))
    assert users.checks == (
        Check("check_id", "id IN (1:::INT8, 2:::INT8)", validated=False),
        Check(None, "name != ')':::STRING"),
    )


def test_the_ways_of_hash_sharding_are_one() -> None:
    old, middle, new = (table(f"{version} hash sharding") for version in ("v21.1", "v22.1", "v23.1"))
    for found, buckets in ((old, 8), (middle, 8), (new, 16)):
        assert found.primary_key is not None
        assert found.primary_key.hash_sharded
        assert found.primary_key.bucket_count == buckets
        assert (found.indexes[0].bucket_count, found.indexes[0].storing) == (4, ("b",))
    assert middle.indexes[0].predicate == new.indexes[0].predicate == "b > 0:::INT8"
    assert new.indexes[0].visibility == 0.0
    assert new.columns[1].hidden
    assert new.columns[1].computed == Computed(
        "mod(fnv32(md5(crdb_internal.datums_to_bytes(ts))), 16:::INT8)", stored=False
    )


def test_partitions_and_interleaved_tables() -> None:
    orders = table("v21.1 interleaved and partitioned")
    assert (
        orders.interleave
        == orders.indexes[0].interleave
        == Interleave(ObjectName("customers", "public"), ("customer",))
    )
    assert orders.indexes[0].partitioning == Partitioning(
        "LIST", ("id",), (Partition("one", ("(1)", "(2)")), Partition("default", ("(DEFAULT)",)))
    )
    students = table("v21.1 nested partitions").partitioning
    assert students is not None
    assert [part.name for part in students.partitions] == ["australia", "north america"]
    inner = students.partitions[0].partitioning
    assert inner is not None
    assert inner.partitions[1] == Partition("current_au", (), "('2017-08-15')", "(MAXVALUE)")


def test_computed_hidden_and_unique_without_index() -> None:
    computed = table("v21.2 computed, hidden, on update")
    assert computed.columns[1] == Column("b", INT8, hidden=True, default="1:::INT8", on_update="2:::INT8")
    assert computed.columns[2].computed == Computed("a + b")
    assert computed.columns[3].computed == Computed("concat('a':::STRING, ', ':::STRING)", stored=False)
    assert computed.indexes[0].elements == (
        IndexElement(None, "ASC", "(a + 1:::INT8)"),
        IndexElement(None, "DESC", "lower(d)"),
        IndexElement(None, "ASC", "pg_catalog.abs(a)", "LAST"),
    )
    assert computed.uniques == (
        Unique("unique_b", ("b", "Mixed"), True, "a IS NOT NULL", validated=False),
        Unique(None, ("c",)),
    )


def test_identity_columns() -> None:
    ids = table("v21.2 identity")
    assert [column.identity for column in ids.columns] == [
        Identity(always=True),
        Identity(False, SequenceOptions(start=10, increment=-2, min_value="NO", max_value=10, cache=5)),
        Identity(True, SequenceOptions(increment=3, start=2)),
    ]


@pytest.mark.parametrize(
    ("key", "locality"),
    [
        ("v21.1 locality by table", Locality("REGIONAL BY TABLE", "us-east1")),
        ("v21.1 locality global", Locality("GLOBAL")),
        ("v21.1 locality by row", Locality("REGIONAL BY ROW", column="crdb_region")),
        ("v22.1 row-level TTL", Locality("REGIONAL BY TABLE")),
        ("v23.2 row-level TTL, locality first", Locality("GLOBAL")),
    ],
)
def test_localities(key: str, locality: Locality) -> None:
    assert table(key).locality == locality


def test_storage_parameters() -> None:
    parameters = dict(table("v22.1 row-level TTL").parameters)
    assert parameters["ttl"] == "'on'"
    assert parameters["ttl_expire_after"] == "'3 mons':::INTERVAL"
    assert parameters["ttl_expiration_expression"] == "e'(a AT TIME ZONE \\'utc\\')'"
    assert parameters["schema_locked"] == "true"


def test_indexes_of_new_servers() -> None:
    first, second, third, fourth = table("v22.2 trigram, visibility, geometry parameters").indexes
    assert first.elements == (IndexElement("a", None, opclass="gin_trgm_ops"),)
    assert second.elements == (IndexElement("a"), IndexElement("g", None))
    assert second.parameters == (("s2_max_level", "15"), ("geometry_min_x", "-1.5"))
    assert second.predicate == "a IS NOT NULL"
    assert (third.visibility, fourth.visibility) == (0.5, 0.0)
    vector = table("v25.2 vector index").indexes[0]
    assert (vector.kind, vector.elements[1].opclass) == ("VECTOR", "vector_cosine_ops")


def test_types() -> None:
    kinds = {column.name: column.type for column in table("v22.2 types").columns}
    assert kinds["n"] == SQLType("DECIMAL", ("10", "2"))
    assert kinds["j"] == SQLType('"char"')
    assert kinds["aa"] == SQLType("INTERVAL", ("3",), "DAY TO SECOND")
    assert kinds["ag"] == SQLType("VARCHAR", ("10",), dimensions=1)
    assert kinds["ai"] == SQLType("STRING", ("10",), collation="en_US")
    assert kinds["am"] == SQLType("GEOMETRY", ("POINT", "4326"))
    assert kinds["az"] == SQLType(ObjectName("status", "public"))
    assert kinds["ba"] == SQLType(ObjectName('Odd "Type"', "sc", "db"), dimensions=1)
    assert kinds["bb"] == SQLType(ObjectName("status"))
    odd = {column.name: column.type for column in table("v21.1 names of types without quotes").columns}
    assert odd["b"] == SQLType(ObjectName("My Enum", "sc"), dimensions=1)
    assert odd["c"] == SQLType(ObjectName("my-enum", "My Sc"))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("int8", SQLType("INT8")),
        ("double precision", SQLType("FLOAT8")),
        ("character varying(10)[]", SQLType("VARCHAR", ("10",), dimensions=1)),
        ("timestamp(3) with time zone", SQLType("TIMESTAMPTZ", ("3",))),
        ("TIME WITHOUT TIME ZONE", SQLType("TIME")),
        ("interval day to second (3)", SQLType("INTERVAL", ("3",), "DAY TO SECOND")),
        ("public.Status", SQLType(ObjectName("Status", "public"))),
        ("status", SQLType(ObjectName("status"))),
        ('"char"', SQLType('"char"')),
        ("string collate en_US", SQLType("STRING", collation="en_US")),
    ],
)
def test_a_type_alone(text: str, kind: SQLType) -> None:
    assert parse_type(text) == kind


@pytest.mark.parametrize("text", ["", "int8 int8", "decimal(", "decimal()", "a.b.c.d", "interval day to", "1"])
def test_what_is_no_type(text: str) -> None:
    with pytest.raises(UnreadableDDL):
        parse_type(text)


def test_other_statements() -> None:
    t = ObjectName("t", "public")
    assert parse_one("CREATE TYPE public.t AS ENUM ('a', e'b\\'c')") == EnumType(t, ("a", "b'c"))
    assert parse_one("CREATE VIEW public.t (a) AS SELECT ';'") == View(t, "SELECT ';'", ("a",))
    assert parse_one("CREATE SEQUENCE public.t MINVALUE -5 START 1 PER SESSION CACHE 9") == Sequence(
        t, SequenceOptions(min_value=-5, start=1, cache=9, per_session=True)
    )
    assert parse_one("COMMENT ON COLUMN public.t.\"a.b\" IS 'x'") == Comment("COLUMN", t, "x", "a.b")
    assert parse_one("COMMENT ON INDEX public.t@primary IS 'x'") == Comment("INDEX", t, "x", "primary")
    assert parse_one("ALTER TABLE public.t ADD CONSTRAINT c CHECK (a > 0)") == AddConstraint(t, Check("c", "a > 0"))
    assert parse_one("CREATE INVERTED INDEX i ON public.t (j)") == CreateIndex(
        t, Index("i", (IndexElement("j", None),), kind="INVERTED")
    )
    assert parse_one("ALTER PARTITION p OF INDEX public.t@i CONFIGURE ZONE USING gc.ttlseconds = 5") == (
        ZoneConfiguration("INDEX", t, (("gc.ttlseconds", "5"),), "i", "p")
    )
    assert parse_one("ALTER TABLE public.t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY") == RowSecurity(
        t, ("ENABLE", "FORCE")
    )
    assert parse_one("CREATE POLICY p ON public.t AS RESTRICTIVE FOR ALL TO me USING (a = ')')") == Policy(
        "p", t, "RESTRICTIVE", "ALL", ("me",), "a = ')'"
    )
    function = "CREATE FUNCTION public.t() RETURNS INT8 LANGUAGE SQL AS $$ SELECT 1; SELECT 2 $$"
    assert parse_one(f"{function};") == Opaque("FUNCTION", t, function)


def test_the_server_s_own_warning_does_not_swallow_the_semicolon_behind_it() -> None:
    warned = TABLES["v21.1 nested partitions"]
    assert len(parse(f"{warned};\nCREATE SCHEMA a")) == 2
    assert len(parse_rows([warned, "CREATE SCHEMA a;", "CREATE SCHEMA b", "-- a comment"])) == 3


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("DROP TABLE t", "expected CREATE, ALTER or COMMENT ON, found 'DROP'"),
        ("CREATE TABLE t", "expected (, the text ends"),
        ("CREATE TABLE t (a INT8 NULL", "expected a property of a column, a comma or a closing parenthesis"),
        ("CREATE TABLE t (a INT8 NULL) GARBAGE", "expected the end of the statement, found 'GARBAGE'"),
        ("CREATE TABLE t (a INT8 PRIMARY KEY)", "expected a property of a column"),
        ("CREATE TABLE t (a INT8 NULL NULL)", "expected no property twice"),
        ("CREATE TABLE t (a INT8 DEFAULT 1 NOT NULL)", "expected a comma or a closing parenthesis, found 'NULL'"),
        ("CREATE TABLE t (a INT8 DEFAULT 'x':::STRING NULL)", "expected a comma or a closing parenthesis"),
        ("CREATE TABLE t (a INT8 DEFAULT (1], b INT8 NULL)", "the bracket that closes the last open one"),
        ("CREATE TABLE t (a INT8 NULL DEFAULT )", "expected an expression"),
        ("CREATE TABLE t (a public.x DEFAULT 'a' NULL)", "expected"),
        ("CREATE TABLE t (PRIMARY KEY (a ASC), PRIMARY KEY (b ASC))", "one primary key"),
        ("CREATE TABLE t (INDEX i (a ASC) WITH (a=1) WITH (b=2))", "no clause twice"),
        ("CREATE TABLE t (INDEX i (a ASC) STORING (b) STORING (c))", "no clause twice"),
        ("CREATE TABLE t (INDEX i (a ASC) VISIBILITY 2.0)", "a number between 0 and 1"),
        ("CREATE TABLE t (CONSTRAINT p PRIMARY KEY (a ASC) STORING (b))", "on a primary key"),
        ('CREATE TABLE "" (a INT8 NULL)', "a name that is not empty"),
        ("CREATE TABLE t (a INT8 NULL) LOCALITY REGIONAL BY", "expected TABLE, the text ends"),
        ("CREATE TYPE t AS ENUM ('a' 'b')", "expected ), found"),
        ("CREATE TYPE t AS ENUM (e'\\q\\')", "a quote that nothing closes"),
        ("CREATE TYPE t AS ENUM (e'\\xff')", "a string"),
        ("CREATE VIEW v AS DROP TABLE t", "expected a query"),
        ("CREATE VIEW v AS SELECT (1", "expected ), the text ends"),
        ("CREATE SEQUENCE s CACHE 1 CACHE 2", "no option twice"),
        ("CREATE SEQUENCE s MINVALUE x", "a whole number"),
        ("CREATE TABLE t (a INT8 NULL) /* c */", "no token"),
        ("COMMENT ON TABLE t IS 'x", "a quote that nothing closes"),
        ("COMMENT ON COLUMN t IS 'x'", "a table and its column"),
        ("ALTER TABLE t ADD COLUMN a INT8", "expected ENABLE or DISABLE or FORCE, found 'ADD'"),
        ("CREATE FUNCTION () RETURNS INT8", "expected a name"),
    ],
)
def test_what_is_refused_says_where_and_why(text: str, reason: str) -> None:
    before = "CREATE SCHEMA a;\nCREATE SCHEMA b;\n"
    with pytest.raises(UnreadableDDL) as caught:
        parse(before + text + ";\nCREATE SCHEMA c")
    assert reason in caught.value.reason or "the text ends" in reason
    assert caught.value.statement.startswith(text[:20])
    assert caught.value.line == 3
    with pytest.raises(UnreadableDDL, match=r"at line 1, column \d+") as alone:
        parse(text)
    assert reason in alone.value.reason
    assert text.startswith(alone.value.statement[:20])


def test_one_statement_is_one() -> None:
    for text in ("", "CREATE SCHEMA a; CREATE SCHEMA b"):
        with pytest.raises(UnreadableDDL, match="expected one statement"):
            parse_one(text)


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE t (a INT8 NULL DEFAULT " + "(" * 20_000 + "1" + ")" * 20_000 + ")",
        "CREATE TABLE t (a INT8" + "[]" * 20_000 + " NULL)",
        "CREATE TABLE t (a INT8 NULL DEFAULT " + "NOT " * 20_000 + "a)",
        "CREATE VIEW v AS SELECT " + "(" * 20_000 + ")" * 20_000,
    ],
)
def test_deep_nesting_is_no_matter(text: str) -> None:
    assert len(parse(text)) == 1


def test_partitions_too_deep_are_refused() -> None:
    inner = "PARTITION BY LIST (a) (PARTITION p VALUES IN (1)"
    with pytest.raises(UnreadableDDL, match="levels of partitions"):
        parse("CREATE TABLE t (a INT8 NULL) " + f"{inner} " * 2000)


def _calls(tables: int) -> int:
    """Count the calls, of Python and of C functions, that the parsing of so many tables takes."""
    one = TABLES["v22.1 row-level TTL"] + ";\n" + TABLES["v21.1 families and primary"]
    text = ";\n".join(one.replace("public.", f"s{number}.") for number in range(tables))
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        parse(text)
    finally:
        sys.setprofile(before)
    return calls


def test_a_text_of_ten_times_the_tables_takes_ten_times_the_calls() -> None:
    _calls(1)
    few, many = _calls(10), _calls(100)
    assert many < 10.5 * few

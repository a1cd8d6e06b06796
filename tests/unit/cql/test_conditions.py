"""Checks of columns, which no released server has: read out of a DESCRIBE, compared, told as operations."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from alembic_cql.column_operations import AlterColumnCheckOp
from alembic_cql.conditions import canonical_check, described_checks
from alembic_cql.differences import check_differences
from alembic_cql.reflection import ColumnInfo, TableInfo

DESCRIBED = """CREATE TABLE k."T, CHECK" (
    "Name" text MASKED WITH system.mask_inner(1, null) CHECK LENGTH("Name") < 50 AND LENGTH() > 1,
    age int CHECK age > 0 AND age <= 150,
    at map<frozen<tuple<int, text>>, list<frozen<map<int, int>>>>,
    json text static CHECK JSON(json),
    check_ text,
    note text CHECK REGEXP(note) = 'a, (CHECK b''s', plain text,
    PRIMARY KEY (("Name", age), check_)
) WITH comment = 'x int CHECK x > 1'"""


def test_what_is_described() -> None:
    assert dict(described_checks(DESCRIBED)) == {
        "Name": 'LENGTH("Name") < 50 AND LENGTH() > 1',
        "age": "age > 0 AND age <= 150",
        "json": "JSON(json)",
        "note": "REGEXP(note) = 'a, (CHECK b''s'",
    }
    assert dict(described_checks("CREATE TABLE k.t (id int PRIMARY KEY, check map<int, text>, b int)")) == {}
    assert dict(described_checks("CREATE TABLE k.t (id int CHECK id > 1 PRIMARY KEY)")) == {"id": "id > 1"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("age > 0 AND age <= 150", "age<=150 and AGE > 0"),
        ('LENGTH("Name") < 50', "length() <50"),
        ("NOT NULL", "not null"),
        ("REGEXP(note) = 'A and B'", "regexp(note)='A and B'"),
    ],
)
def test_equal_conditions(one: str, other: str) -> None:
    column = {"a": "age", "L": "Name", "N": "n", "R": "note"}[one[0]]
    assert canonical_check(one, column) == canonical_check(other, column)


@pytest.mark.parametrize(
    ("one", "other"),
    [("a > 0", "a > 1"), ("a > 0", "a >= 0"), ("length(a) > 5", "a > 5"), ("regexp(a) = 'x'", "regexp(a) = 'X'"),
     ("a > 0", None), ("a > 0", "a > 0 and a < 5")],
)  # fmt: skip
def test_other_conditions(one: str, other: str | None) -> None:
    assert canonical_check(one, "a") != canonical_check(other, "a")


def test_differences_and_their_operations() -> None:
    columns = [("id", None), ("same", "same < 9 AND same > 1"), ("changed", "changed > 1"), ("gone", "gone > 1")]
    found = TableInfo(
        "t",
        tuple(ColumnInfo(name, sa.Integer(), "regular", -1, "ASC", check=check) for name, check in columns),
        {},
        "",
    )
    table = sa.Table(
        "t",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True, cql_check="id > 0"),
        sa.Column("same", sa.Integer, cql_check="same > 1 and same < 9"),
        sa.Column("changed", sa.Integer, cql_check="changed > 2"),
        sa.Column("gone", sa.Integer),
        sa.Column("added", sa.Integer, cql_check="added > 0"),  # comes with its ADD
    )
    told = [(column.name, wanted, existing) for column, wanted, existing in check_differences(table, found)]
    assert told == [("id", "id > 0", None), ("changed", "changed > 2", "changed > 1"), ("gone", None, "gone > 1")]
    operation = AlterColumnCheckOp("t", "changed", "changed > 2", existing_check="changed > 1")
    assert operation.reverse().to_diff_tuple()[-2:] == ("changed > 2", "changed > 1")
    assert found.columns[1].dialect_options == {"cql_check": "same < 9 AND same > 1"}

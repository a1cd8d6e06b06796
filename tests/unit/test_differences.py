"""What differs between models and server, told without one."""

from __future__ import annotations

import pytest

from alembic_cql.differences import canonical_where


@pytest.mark.parametrize(
    "spelling",
    [
        "a IS NOT NULL AND \"Total\" IS NOT NULL AND b = 'x AND y'",
        '"Total" is not null\n  and "a" is  NOT null and B = \'x AND y\';',
        "b='x AND y' AND A IS NOT NULL AND \"Total\" IS NOT NULL",
    ],
)
def test_one_condition_in_several_spellings(spelling: str) -> None:
    assert canonical_where(spelling) == {
        ("a", "is", "not", "null"),
        ('"Total"', "is", "not", "null"),
        ("b", "=", "'x AND y'"),
    }


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a IS NOT NULL", "b IS NOT NULL"),
        ("a IS NOT NULL", '"A" IS NOT NULL'),
        ("a = 'x'", "a = 'X'"),
        ("a = 'x'", 'a = "x"'),
        ("a = 'it''s'", "a = 'its'"),
        ("a IS NOT NULL", "a IS NOT NULL AND b IS NOT NULL"),
        ('"a b" IS NOT NULL', '"a  b" IS NOT NULL'),
    ],
)
def test_different_conditions_stay_different(one: str, other: str) -> None:
    assert canonical_where(one) != canonical_where(other)

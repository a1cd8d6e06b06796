"""How long what is written is to live: as long as what it stands in for."""

from __future__ import annotations

import pytest

from alembic_cql import types as cql
from alembic_cql.copy_plan import Side
from alembic_cql.lifetimes import FOR_GOOD, Lifetimes
from alembic_cql.schema import Key

SIDE = Side(
    "t",
    "ks",
    Key(("p",), (("c", "ASC"),)),
    {"p": "partition_key", "c": "clustering", "s": "static", "a": "regular", "b": "regular", "tags": "regular"},
    {"p": cql.INT(), "c": cql.INT(), "s": cql.INT(), "a": cql.INT(), "b": cql.INT(), "tags": cql.SET(cql.INT)},
)


def test_values_that_are_not_read_are_told_by_their_write_time() -> None:
    assert Lifetimes(SIDE, ("p", "c", "a")).selected == (
        ("TTL", "s"), ("TTL", "a"), ("TTL", "b"), ("WRITETIME", "s"), ("WRITETIME", "b"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("values", "left"),
    [
        # p, c, a; TTL of s, a, b; WRITETIME of s, b
        ((1, 1, None, None, None, None, None, None), {}),
        ((1, 1, 7, None, None, None, None, 99), {"a": FOR_GOOD, "b": FOR_GOOD}),
        ((1, 1, 7, None, 60, None, 99, 99), {"s": FOR_GOOD, "a": 60, "b": FOR_GOOD}),
        ((1, 1, 7, None, 0, None, None, None), {"a": 1}),  # not for good, what is in its last second
    ],
)
def test_what_is_left(values: tuple[int | None, ...], left: dict[str, int]) -> None:
    assert Lifetimes(SIDE, ("p", "c", "a")).of(values) == left


@pytest.mark.parametrize(
    ("names", "left", "groups"),
    [
        (("a", "b"), {}, [(None, ("a", "b"))]),
        (("a", "b"), {"a": 60}, [(60, ("a", "b"))]),
        (("a", "b", "tags"), {"a": 60, "b": 500}, [(60, ("a",)), (500, ("b", "tags"))]),
        (("a", "tags"), {"a": 60, "b": FOR_GOOD}, [(60, ("a",)), (FOR_GOOD, ("tags",))]),
        (("s", "a"), {"a": 60}, [(None, ("s",)), (60, ("a",))]),  # the row's time is not that of its partition
        (("a",), {"s": FOR_GOOD}, [(None, ("a",))]),
    ],
)
def test_columns_are_grouped_by_their_time(
    names: tuple[str, ...], left: dict[str, int], groups: list[tuple[int | None, tuple[str, ...]]]
) -> None:
    assert Lifetimes(SIDE, ("p", "c")).group(names, left) == groups

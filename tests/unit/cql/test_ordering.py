"""The order of inner sets and maps is the server's own."""

from __future__ import annotations

import math
import random
import uuid
from decimal import Decimal
from typing import Any

import pytest
from cassandra import cqltypes as ct

from alembic_cql._ordering import order_key
from alembic_cql._protocol import driver_types, exact_type

EARLY = uuid.UUID("ffffffff-0000-1000-8000-000000000000")  # its time's low bits, which come first, are all set
LATE = uuid.UUID("00000000-0001-1000-8000-000000000000")
OTHER = uuid.UUID("00000000-0000-4000-8000-000000000000")

# Values of a type in the order in which Cassandra 5.0 gives the elements of a set of them back.
ORDERS: list[tuple[Any, list[Any]]] = [
    (ct.Int32Type, [-(2**31), -1, 0, 1, 255, 256, 2**31 - 1]),
    (ct.ByteType, [-128, -1, 0, 127]),
    (ct.IntegerType, [-(10**30), -256, -1, 0, 127, 128, 10**30]),
    (ct.DecimalType, [Decimal("-2"), Decimal("-1.5"), Decimal("0"), Decimal("1E-9"), Decimal("9"), Decimal("10")]),
    (ct.DoubleType, [-math.inf, -1.5, -0.0, 0.0, 5e-324, 1.5, math.inf, math.nan]),
    (ct.UTF8Type, ["", "B", "a", "aa", "b", "é", "日", "😀"]),
    (ct.BytesType, [b"", b"\x00", b"\x00\x00", b"\x7f", b"\x80", b"\xff"]),
    (ct.BooleanType, [False, True]),
    (ct.SimpleDateType, ["1969-12-31", "1970-01-01", "2020-01-01"]),
    (ct.TimeUUIDType, [EARLY, LATE]),
    (ct.UUIDType, [EARLY, LATE, OTHER]),
    (ct.InetAddressType, ["9.0.0.1", "10.0.0.1", "200.0.0.1"]),
    (ct.ListType.apply_parameters((ct.Int32Type,)), [[], [-1], [1], [1, -5], [1, 2], [2]]),
    (ct.MapType.apply_parameters((ct.UTF8Type, ct.Int32Type)), [{}, {"a": 1}, {"a": 2}, {"b": 0}]),
    (ct.TupleType.apply_parameters((ct.Int32Type, ct.UTF8Type)), [(None, "z"), (-1, None), (-1, "a"), (5, "")]),
    (ct.VectorType.apply_parameters((ct.Int32Type, 2), None), [[-1, 5], [0, -1], [0, 1]]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "values"), ORDERS, ids=lambda item: getattr(item, "__name__", None))
def test_orders(kind: Any, values: list[Any]) -> None:
    packed = [kind.to_binary(value, 5) for value in values]
    shuffled = packed[:]
    random.Random(1).shuffle(shuffled)
    assert sorted(shuffled, key=lambda data: order_key(kind, data)) == packed


def test_inner_sets_and_maps_go_out_in_order_and_once() -> None:
    kind = exact_type(ct.ListType.apply_parameters((ct.SetType.apply_parameters((ct.Int32Type,)),)))
    assert kind.to_binary([[3, -1, 3, 2]], 5) == kind.to_binary([{-1, 2, 3}], 5)
    mapping = exact_type(ct.MapType.apply_parameters((ct.UTF8Type, ct.Int32Type)))
    assert mapping.to_binary({"b": 1, "a": 2}, 5) == mapping.to_binary({"a": 2, "b": 1}, 5)
    assert list(mapping.from_binary(mapping.to_binary({"b": 1, "a": 2}, 5), 5).keys()) == ["a", "b"]


def test_types_keep_what_they_are() -> None:
    ours = driver_types()
    for text in (
        "org.apache.cassandra.db.marshal.VectorType(org.apache.cassandra.db.marshal.TimestampType , 3)",
        "org.apache.cassandra.db.marshal.FrozenType(org.apache.cassandra.db.marshal.ListType("
        "org.apache.cassandra.db.marshal.TimestampType))",
    ):
        inner = exact_type(ct.lookup_casstype(text))
        part = inner.subtype if issubclass(inner, ct.VectorType) else inner.subtypes[0]
        assert part is ours.timestamp
    assert exact_type(ct.TimeUUIDType) is ct.TimeUUIDType
    assert exact_type(ct.UTF8Type) is ct.UTF8Type


@pytest.mark.parametrize("name", ["address", "A", "Mixed", "12", "ab_c"])
@pytest.mark.parametrize("keyspace", ["ks", "123"])
def test_a_vector_of_user_types_is_understood(name: str, keyspace: str) -> None:
    driver_types()
    prefix = "org.apache.cassandra.db.marshal."
    text = (
        f"{prefix}VectorType({prefix}UserType({keyspace},{name.encode().hex()},"
        f"{b'street'.hex()}:{prefix}UTF8Type,{b'No'.hex()}:{prefix}Int32Type) , 2)"
    )
    kind = exact_type(ct.lookup_casstype(text))
    assert (kind.vector_size, kind.subtype.typename, kind.subtype.keyspace) == (2, name, keyspace)
    assert kind.subtype.fieldnames == ("street", "No")
    value = [("s", 1), (None, -1)]
    assert [tuple(item) for item in kind.from_binary(kind.to_binary(value, 5), 5)] == value

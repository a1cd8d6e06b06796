"""The order in which the server keeps the elements of sets and the keys of maps.

The server sorts what it reads as CQL text, and the elements of a collection bound as a parameter, but keeps the bytes
of a collection inside another, a tuple or a user type as they come. Sent unsorted, one value has several forms there:
equal rows are found by one of them only, and a set holds the same element twice.

Source: ``compareCustom`` of the types in org.apache.cassandra.db.marshal.
"""

from __future__ import annotations

import math
import struct
from typing import Any


def order_key(kind: Any, data: bytes | None) -> tuple[Any, ...]:
    """Give what serialized values of one type are sorted by, as the server would.

    :param kind: the driver's class of the type.
    :param data: the value's bytes; None for null, which comes first.
    """
    if data is None:
        return ()
    if not data:
        return (0,)
    return (1, _key(kind, data))


def _key(kind: Any, data: bytes) -> Any:
    from cassandra import cqltypes

    if issubclass(kind, (cqltypes.ListType, cqltypes.SetType)):
        return [order_key(kind.subtypes[0], item) for item in _items(data)]
    if issubclass(kind, cqltypes.MapType):
        items = _items(data, 2)
        return [order_key(kind.subtypes[index % 2], item) for index, item in enumerate(items)]
    if issubclass(kind, cqltypes.TupleType):
        return [order_key(part, item) for part, item in zip(kind.subtypes, _fields(data), strict=False)]
    if issubclass(kind, cqltypes.VectorType):
        values = kind.deserialize(data, 4)
        return [order_key(kind.subtype, kind.subtype.serialize(value, 4)) for value in values]
    if issubclass(kind, cqltypes.TimeUUIDType):
        return _time(data), struct.unpack(">8b", data[8:])
    if issubclass(kind, cqltypes.UUIDType):
        version = data[6] >> 4
        return version, _time(data) if version == 1 else data[:8], data[8:]
    if issubclass(kind, (cqltypes.DoubleType, cqltypes.FloatType)):
        number = struct.unpack(">d" if len(data) == 8 else ">f", data)[0]
        return math.isnan(number), 0.0 if math.isnan(number) else number, math.copysign(1, number)
    if issubclass(kind, cqltypes.DecimalType):
        return kind.deserialize(data, 4)
    if issubclass(kind, (cqltypes.Int32Type, cqltypes.LongType, cqltypes.IntegerType, cqltypes.ShortType)):
        return int.from_bytes(data, "big", signed=True)
    if issubclass(kind, (cqltypes.ByteType, cqltypes.TimeType, cqltypes.DateType)):
        return int.from_bytes(data, "big", signed=True)
    return data  # text, blob, inet, boolean, date (unsigned)


def _time(data: bytes) -> bytes:
    return data[6:8] + data[4:6] + data[:4]


def _items(data: bytes, parts: int = 1) -> list[bytes | None]:
    count = struct.unpack_from(">i", data)[0] * parts
    return _fields(data[4:])[:count]


def _fields(data: bytes) -> list[bytes | None]:
    """Take apart what stands with its length before it, -1 for null."""
    found: list[bytes | None] = []
    position = 0
    while position < len(data):
        length = struct.unpack_from(">i", data, position)[0]
        position += 4
        found.append(None if length < 0 else data[position : position + length])
        position += max(length, 0)
    return found

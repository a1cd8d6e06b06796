"""How values travel where the driver's own way falls short.

The driver takes a value that it cannot read for a broken connection, so the first three would break one for good:

* a timestamp is exact to the millisecond, and one outside the years 1 to 9999 is its milliseconds since 1970;
* vectors of user types are read: the driver takes the hexadecimal name of a type for a number when it has digits only;
* a null inside a frozen collection is None: the server takes one from a bound value, the driver's fast path doesn't;
* what is bound to a set or map goes out in the server's own order (see :mod:`alembic_cql._ordering`).

It is done through the driver's own hooks: ``Session.client_protocol_handler`` says by which classes results are read,
the types of a prepared statement by which its parameters are written, and the classes of types are found by name.
"""

from __future__ import annotations

import io
import struct
from functools import cache
from types import SimpleNamespace
from typing import Any

from alembic_cql._ordering import order_key
from alembic_cql.values import from_milliseconds, pairs, to_milliseconds


@cache
def driver_types() -> SimpleNamespace:
    """Give our classes of the driver's types: ``timestamp``, ``set``, ``map``.

    They begin with an underscore, so that the driver doesn't take them for its own everywhere. The class for user
    types does without: that one is to be found where the driver reads a type's Java name.
    """
    from cassandra import cqltypes

    class _Timestamp(cqltypes.DateType):  # type: ignore[misc]
        @staticmethod
        def deserialize(byts: bytes, protocol_version: int) -> Any:
            return from_milliseconds(struct.unpack(">q", byts)[0])

        @staticmethod
        def serialize(value: Any, protocol_version: int) -> bytes:
            return struct.pack(">q", to_milliseconds(value))

    class _Set(cqltypes.SetType):  # type: ignore[misc]
        @classmethod
        def serialize_safe(cls, items: Any, protocol_version: int) -> bytes:
            kind = cls.subtypes[0]
            packed = {kind.to_binary(item, protocol_version) for item in items}
            return _pack([[item] for item in sorted(packed, key=lambda item: order_key(kind, item))])

    class _Map(cqltypes.MapType):  # type: ignore[misc]
        @classmethod
        def serialize_safe(cls, themap: Any, protocol_version: int) -> bytes:
            key_type, value_type = cls.subtypes
            packed = {
                key_type.to_binary(key, protocol_version): value_type.to_binary(value, protocol_version)
                for key, value in pairs(themap)
            }
            return _pack([[key, packed[key]] for key in sorted(packed, key=lambda key: order_key(key_type, key))])

    class UserType(cqltypes.UserType):  # type: ignore[misc]
        @classmethod
        def apply_parameters(cls, subtypes: Any, names: Any) -> Any:
            keyspace, name = (part if isinstance(part, int) else part.cassname for part in subtypes[:2])
            fields = tuple(bytes.fromhex(field).decode() for field in names[2:])
            return cqltypes.UserType.make_udt_class(
                str(keyspace), bytes.fromhex(str(name)).decode(), fields, tuple(subtypes[2:])
            )

    return SimpleNamespace(timestamp=_Timestamp, set=_Set, map=_Map)


def _pack(rows: list[list[bytes]]) -> bytes:
    out = io.BytesIO()
    out.write(struct.pack(">i", len(rows)))
    for row in rows:
        for item in row:
            out.write(struct.pack(">i", len(item)) + item)
    return out.getvalue()


def exact_type(kind: Any) -> Any:
    """Give one of the driver's classes of types with ours in its place, at any depth."""
    from cassandra import cqltypes

    ours = driver_types()
    if issubclass(kind, (cqltypes.FrozenType, cqltypes.ReversedType)):
        return exact_type(kind.subtypes[0])
    if issubclass(kind, cqltypes.VectorType):
        return cqltypes.VectorType.apply_parameters((exact_type(kind.subtype), kind.vector_size), None)
    if issubclass(kind, cqltypes.UserType):
        inner = tuple(map(exact_type, kind.subtypes))
        return cqltypes.UserType.make_udt_class(kind.keyspace, kind.typename, kind.fieldnames, inner)
    for base, replacement in (
        (cqltypes.SetType, ours.set),
        (cqltypes.MapType, ours.map),
        (cqltypes.ListType, cqltypes.ListType),
        (cqltypes.TupleType, cqltypes.TupleType),
    ):
        if issubclass(kind, base):
            return replacement.apply_parameters(tuple(map(exact_type, kind.subtypes)))
    if issubclass(kind, cqltypes.DateType) and not issubclass(kind, cqltypes.TimeUUIDType):
        return ours.timestamp
    return kind


def exact_statement(prepared: Any) -> Any:
    """Have a prepared statement of the driver write its parameters and read its rows by our types."""
    prepared.column_metadata = [
        column._replace(type=exact_type(column.type)) for column in prepared.column_metadata or ()
    ]
    columns = [(*column[:3], exact_type(column[3])) for column in prepared.result_metadata or ()]
    if columns and hasattr(prepared, "update_result_metadata"):  # newer scylla-drivers keep it together with its id
        prepared.update_result_metadata(columns, prepared.result_metadata_id)
    elif columns:
        prepared.result_metadata = columns
    return prepared


@cache
def protocol_handler(base: Any) -> Any:
    """Give a protocol handler like the driver's that reads results by our types.

    :param base: the handler of a session of the driver.
    """
    from cassandra import protocol

    driver_types()
    base_result: Any = base.message_types_by_opcode[protocol.ResultMessage.opcode]

    class Result(base_result):  # type: ignore[misc]
        """A result message."""

        @classmethod
        def read_type(cls, f: Any, user_type_map: Any) -> Any:
            return exact_type(super().read_type(f, user_type_map))

        def recv_results_rows(self, f: Any, *arguments: Any) -> None:
            start = f.tell()
            try:
                super().recv_results_rows(f, *arguments)
            except Exception:
                f.seek(start)
                protocol.ResultMessage.recv_results_rows(self, f, *arguments)

    class Handler(base):  # type: ignore[misc]
        """The protocol handler."""

        message_types_by_opcode = {**base.message_types_by_opcode, Result.opcode: Result}  # noqa: RUF012

    return Handler

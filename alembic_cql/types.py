"""CQL's data types as SQLAlchemy types.

SQLAlchemy's own types may be used in models as well: ``String`` and ``Text`` are ``text``, ``Integer`` ``int``,
``Float`` and ``Double`` ``double``, ``DateTime`` ``timestamp``, ``Uuid`` ``uuid``, ``Numeric`` ``decimal``,
``LargeBinary`` ``blob``, ``Interval`` ``duration``, ``JSON`` and ``Enum`` ``text``, ``ARRAY`` ``list`` (the whole
table stands in docs/cql/types.md).

Values: Python's own wherever they hold what CQL's hold. A ``date`` outside the years 1 to 9999 and a ``time`` with
nanoseconds come back as the driver's ``cassandra.util.Date`` and ``Time``, a ``timestamp`` outside those years as
milliseconds since 1970, a ``duration`` as the driver's ``Duration``. Composite values come back as list, set, dict,
tuple and :class:`~alembic_cql.values.UserTypeValue`; inside a set or as keys of a map in their hashable forms. An
empty collection that isn't frozen comes back as None: the server doesn't tell the two apart.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import types as sqltypes
from sqlalchemy.types import TypeEngine

from alembic_cql.composites import (
    FIELD,
    FROZEN,
    LIST,
    MAP,
    SET,
    TUPLE,
    VECTOR,
    Composite,
    TypeArgument,
    literal_of,
)
from alembic_cql.scalars import (
    ASCII,
    BIGINT,
    BLOB,
    BOOLEAN,
    COUNTER,
    DATE,
    DECIMAL,
    DOUBLE,
    DURATION,
    FLOAT,
    INET,
    INT,
    SMALLINT,
    TEXT,
    TIME,
    TIMESTAMP,
    TIMEUUID,
    TINYINT,
    UUID,
    VARINT,
    GenericFloat,
    GenericInterval,
    GenericJSON,
    GenericUuid,
    quote_text,
)
from alembic_cql.usertypes import CustomType, Fields, UserType

__all__ = [
    "ASCII", "BIGINT", "BLOB", "BOOLEAN", "COUNTER", "DATE", "DECIMAL", "DOUBLE", "DURATION", "FIELD",
    "FLOAT", "FROZEN", "INET", "INT", "LIST", "MAP", "SET", "SMALLINT", "TEXT", "TIME", "TIMESTAMP",
    "TIMEUUID", "TINYINT", "TUPLE", "UUID", "VARINT", "VECTOR", "Composite", "CustomType", "Fields", "TypeArgument",
    "UserType", "literal_of", "quote_text",
]  # fmt: skip

# What stands in for SQLAlchemy's generic types when values are bound, read and written as text.
COLSPECS: dict[type[TypeEngine[Any]], type[TypeEngine[Any]]] = {
    sqltypes.ARRAY: LIST,
    sqltypes.BINARY: BLOB,
    sqltypes.Date: DATE,
    sqltypes.DateTime: TIMESTAMP,
    sqltypes.Float: GenericFloat,
    sqltypes.Interval: GenericInterval,
    sqltypes.JSON: GenericJSON,
    sqltypes.LargeBinary: BLOB,
    sqltypes.Numeric: DECIMAL,
    sqltypes.Time: TIME,
    sqltypes.UUID: UUID,
    sqltypes.Uuid: GenericUuid,
    sqltypes.VARBINARY: BLOB,
}

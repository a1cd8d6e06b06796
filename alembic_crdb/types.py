"""Column types: what the server calls them, and which of SQLAlchemy's types stands for each.

The server has one name for a type, such as ``INT8`` or ``STRING``, and takes many, such as ``BIGINT``
and ``TEXT``. :func:`canonical` gives the server's one name for any of them. The aliases are those of
CockroachDB's documentation, page "Data Types".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import types as sqltypes
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import TypeEngine

# Types of PostgreSQL's dialect that are CockroachDB's as well.
BIT = postgresql.BIT
BYTES = postgresql.BYTEA
CITEXT = postgresql.CITEXT
INET = postgresql.INET
JSONB = postgresql.JSONB
JSONPATH = postgresql.JSONPATH
OID = postgresql.OID
TSQUERY = postgresql.TSQUERY
TSVECTOR = postgresql.TSVECTOR
UUID = postgresql.UUID


class INT2(sqltypes.SMALLINT):
    """A 16-bit integer."""

    __visit_name__ = "INT2"


class INT4(sqltypes.INTEGER):
    """A 32-bit integer. ``sqlalchemy.Integer`` is as wide as the session's ``default_int_size``: 64 bits."""

    __visit_name__ = "INT4"


class INT8(sqltypes.BIGINT):
    """A 64-bit integer."""

    __visit_name__ = "INT8"


class FLOAT4(sqltypes.REAL[Any]):
    """A 32-bit floating-point number."""

    __visit_name__ = "FLOAT4"


class FLOAT8(sqltypes.DOUBLE_PRECISION[Any]):
    """A 64-bit floating-point number."""

    __visit_name__ = "FLOAT8"


class VARBIT(postgresql.BIT):
    """A string of bits of any length.

    :param length: the most bits it takes; None for any number.
    """

    def __init__(self, length: int | None = None) -> None:
        super().__init__(length, varying=True)


class NAME(sqltypes.String):
    """The type of names in the system catalog."""

    __visit_name__ = "NAME"


class QUOTED_CHAR(sqltypes.String):
    """The type ``"char"``, with its quotes: one byte."""

    __visit_name__ = "QUOTED_CHAR"


class LTREE(sqltypes.String):
    """A label tree: a path such as ``Top.Countries.Europe``; of v25.4 and later."""

    __visit_name__ = "LTREE"


class REFCURSOR(sqltypes.String):
    """The name of a cursor; of v23.2 and later."""

    __visit_name__ = "REFCURSOR"


class PG_LSN(sqltypes.String):
    """A log sequence number; of v23.2 and later."""

    __visit_name__ = "PG_LSN"


for _type in (INT2, INT4, INT8, FLOAT4, FLOAT8, NAME, LTREE, REFCURSOR, PG_LSN):
    compiles(_type)(lambda type_, compiler, **kw: type_.__visit_name__)
compiles(QUOTED_CHAR)(lambda type_, compiler, **kw: '"char"')


class STRING(sqltypes.TEXT):
    """Text, with a length or without; the server keeps it apart from ``VARCHAR``.

    :param length: the most characters it takes; None for any number.
    """

    __visit_name__ = "STRING"


@compiles(STRING)
def _string(type_: STRING, compiler: Any, **kw: Any) -> str:
    text = "STRING" if type_.length is None else f"STRING({type_.length})"
    return text if type_.collation is None else f'{text} COLLATE "{type_.collation}"'


class _Spatial(sqltypes.UserDefinedType[Any]):
    cache_ok = True

    def __init__(self, shape: str | None = None, srid: int | None = None) -> None:
        self.shape = shape
        self.srid = srid

    def get_col_spec(self, **kw: Any) -> str:
        """Give the type's text for DDL."""
        name = type(self).__name__
        if self.shape is None and self.srid is None:
            return name
        shape = "GEOMETRY" if self.shape is None else self.shape.upper()
        return f"{name}({shape})" if self.srid is None else f"{name}({shape},{self.srid})"


class GEOMETRY(_Spatial):
    """A shape on a plane; its values are what the driver gives: texts in hexadecimal EWKB.

    :param shape: ``POINT``, ``LINESTRING``, ``POLYGON`` ...; None for any.
    :param srid: of the reference system, such as 4326; None for none.
    """


class GEOGRAPHY(_Spatial):
    """A shape on the earth; its values are what the driver gives: texts in hexadecimal EWKB.

    :param shape: ``POINT``, ``LINESTRING``, ``POLYGON`` ...; None for any.
    :param srid: of the reference system; None for 4326.
    """


class BOX2D(sqltypes.UserDefinedType[Any]):
    """A rectangle around a shape; its values are texts."""

    cache_ok = True

    def get_col_spec(self, **kw: Any) -> str:
        """Give the type's text for DDL."""
        return "BOX2D"


class VECTOR(sqltypes.UserDefinedType[Any]):
    """A vector of 32-bit floating-point numbers; its values are texts such as ``[1,0.5]``; of v24.2 and later.

    :param dimensions: how many numbers; None for any, which no index takes.
    """

    cache_ok = True

    def __init__(self, dimensions: int | None = None) -> None:
        self.dimensions = dimensions

    def get_col_spec(self, **kw: Any) -> str:
        """Give the type's text for DDL."""
        return "VECTOR" if self.dimensions is None else f"VECTOR({self.dimensions})"


class CockroachType(sqltypes.UserDefinedType[Any]):
    """A type of the server that there is no class for.

    :param name: the type as the server prints it, such as ``REGTYPE``.
    """

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **kw: Any) -> str:
        """Give the type's text for DDL."""
        return self.name

    def __repr__(self) -> str:
        return f"CockroachType({self.name!r})"


_ALIASES = {
    "BIGINT": "INT8",
    "INT64": "INT8",
    "INTEGER": "INT",
    "SMALLINT": "INT2",
    "TEXT": "STRING",
    "VARCHAR": "STRING",
    "CHARACTER VARYING": "STRING",
    "CHAR VARYING": "STRING",
    "CHARACTER": "CHAR",
    "BYTEA": "BYTES",
    "BLOB": "BYTES",
    "DOUBLE PRECISION": "FLOAT8",
    "DOUBLE": "FLOAT8",
    "FLOAT": "FLOAT8",
    "REAL": "FLOAT4",
    "NUMERIC": "DECIMAL",
    "DEC": "DECIMAL",
    "BOOLEAN": "BOOL",
    "JSON": "JSONB",
    "BIT VARYING": "VARBIT",
    "TIMESTAMP WITHOUT TIME ZONE": "TIMESTAMP",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ",
    "TIME WITHOUT TIME ZONE": "TIME",
    "TIME WITH TIME ZONE": "TIMETZ",
}
# What the server leaves out because it is the default.
_DEFAULT_ARGUMENTS = {
    "CHAR": "(1)",
    "BIT": "(1)",
    "TIMESTAMP": "(6)",
    "TIMESTAMPTZ": "(6)",
    "TIME": "(6)",
    "TIMETZ": "(6)",
    "INTERVAL": "(6)",
}
# INTEGER is what the session's default_int_size makes of it, 4 bytes or 8.
_SESSIONS_INTEGER = {"INT": ("INT4", "INT8"), "INT[]": ("INT4[]", "INT8[]")}
_BUILTINS = frozenset(
    word
    for line in (
        "BIT BOOL BOX2D BYTES CHAR CITEXT DATE DECIMAL FLOAT4 FLOAT8 GEOGRAPHY GEOMETRY INET INT INT2",
        "INT4 INT8 INTERVAL JSONB JSONPATH LTREE NAME OID PG_LSN REFCURSOR REGCLASS REGNAMESPACE REGPROC REGPROCEDURE",
        "REGROLE REGTYPE STRING TIME TIMESTAMP TIMESTAMPTZ TIMETZ TSQUERY TSVECTOR UUID VARBIT VECTOR",
    )
    for word in line.split()
)
_PARTS = re.compile(
    r"""(?P<name>[^()\[\]]+?)\s*
    (?P<args>\([^()]*\))?
    (?P<zone>\ WITH(?:OUT)?\ TIME\ ZONE)?
    (?P<array>(?:\[\d*\])*|\ ARRAY)
    (?:\ COLLATE\ (?P<collation>.+))?""",
    re.I | re.X,
)


def _split(text: str) -> tuple[str, str, str, str]:
    """Split a type into the server's name for it, its arguments, ``[]`` or nothing, and its collation."""
    match = _PARTS.fullmatch(" ".join(text.split()))
    if match is None:
        return text, "", "", ""
    name = match["name"]
    known = (name + (match["zone"] or "")).upper()
    known = _ALIASES.get(known, known)
    args = (match["args"] or "").replace(" ", "").upper()
    if known == "FLOAT8" and name.upper() == "FLOAT" and args:
        known, args = ("FLOAT4" if int(args[1:-1]) < 25 else "FLOAT8"), ""
    if known == "DECIMAL":
        args = args.replace(",0)", ")")
    if args == _DEFAULT_ARGUMENTS.get(known):
        args = ""
    array = "[]" if match["array"] else ""
    collation = (match["collation"] or "").strip('"')
    if known in _BUILTINS:
        return known, args, array, collation
    return name.replace('"', "").removeprefix("public.") if name != '"char"' else name, args, array, collation


def canonical(text: str) -> str:
    """Give the one name of a type that equal types share.

    ``VARCHAR`` and ``TEXT`` are ``STRING``, as the server treats them alike. ``INT`` and ``INTEGER`` stay
    ``INT``: how wide that is depends on the session. A type of the user's own in the schema ``public``
    loses its schema.

    :param text: a type as the server prints it or as SQLAlchemy writes it in DDL.
    """
    name, args, array, collation = _split(text)
    return name + args + array + (f" COLLATE {collation}" if collation else "")


def same_type(server: str, model: str) -> bool:
    """Tell whether a column of the server has the type that the model says.

    :param server: the column's type as the server prints it, or as SQLAlchemy writes the reflected type.
    :param model: the type as SQLAlchemy writes it.
    """
    have, want = canonical(server), canonical(model)
    return have == want or have in _SESSIONS_INTEGER.get(want, ())


_Make = Callable[[int | None, int | None], TypeEngine[Any]]
# Each makes the type from the first and the second number of its arguments.
_TYPES: Mapping[str, _Make] = {
    "BOOL": lambda size, _: sqltypes.BOOLEAN(),
    "BIT": lambda size, _: postgresql.BIT(length=size),
    "BOX2D": lambda size, _: BOX2D(),
    "VARBIT": lambda size, _: VARBIT(size),
    "BYTES": lambda size, _: postgresql.BYTEA(),
    "CHAR": lambda size, _: sqltypes.CHAR(length=size),
    "CITEXT": lambda size, _: postgresql.CITEXT(),
    "DATE": lambda size, _: sqltypes.DATE(),
    "DECIMAL": lambda size, scale: sqltypes.DECIMAL(precision=size, scale=scale),
    "FLOAT4": lambda size, _: sqltypes.REAL(),
    "FLOAT8": lambda size, _: sqltypes.DOUBLE_PRECISION(),
    "INET": lambda size, _: postgresql.INET(),
    "INT2": lambda size, _: sqltypes.SMALLINT(),
    "INT4": lambda size, _: INT4(),
    "INT8": lambda size, _: sqltypes.BIGINT(),
    "INTERVAL": lambda size, _: postgresql.INTERVAL(precision=size),
    "JSONB": lambda size, _: postgresql.JSONB(),
    "JSONPATH": lambda size, _: postgresql.JSONPATH(),
    "LTREE": lambda size, _: LTREE(),
    "NAME": lambda size, _: NAME(),
    "OID": lambda size, _: postgresql.OID(),
    "PG_LSN": lambda size, _: PG_LSN(),
    "REFCURSOR": lambda size, _: REFCURSOR(),
    "REGCLASS": lambda size, _: postgresql.REGCLASS(),
    "TIME": lambda size, _: postgresql.TIME(precision=size),
    "TIMETZ": lambda size, _: postgresql.TIME(timezone=True, precision=size),
    "TIMESTAMP": lambda size, _: postgresql.TIMESTAMP(precision=size),
    "TIMESTAMPTZ": lambda size, _: postgresql.TIMESTAMP(timezone=True, precision=size),
    "TSQUERY": lambda size, _: postgresql.TSQUERY(),
    "TSVECTOR": lambda size, _: postgresql.TSVECTOR(),
    "UUID": lambda size, _: postgresql.UUID(),
    "VECTOR": lambda size, _: VECTOR(size),
    '"char"': lambda size, _: QUOTED_CHAR(),
}
_SPATIAL = {"GEOMETRY": GEOMETRY, "GEOGRAPHY": GEOGRAPHY}


def user_type(text: str) -> tuple[str, str]:
    """Split the name of a user's type, such as ``public."Mood"``, into schema and name.

    The schema is ``public`` where the name has none.
    """
    parts = [part.strip('"').replace('""', '"') for part in re.findall(r'"(?:[^"]|"")*"|[^."]+', text)]
    return (parts[-2] if len(parts) > 1 else "public"), parts[-1]


def from_server(text: str, enums: Mapping[tuple[str, str], list[str]]) -> TypeEngine[Any]:
    """Give SQLAlchemy's type for a type of the server.

    :param text: the type as the server prints it, such as ``STRING(20)`` or ``public.mood``.
    :param enums: the labels of each enum type, in order, by its schema and name.
    """
    name, args, array, collation = _split(text)
    if array:
        return postgresql.ARRAY(from_server(text.replace(array, "", 1), enums))
    numbers = [int(number) for number in re.findall(r"\d+", args)]
    size = numbers[0] if numbers else None
    if name == "STRING":
        if text.upper().startswith("VARCHAR"):
            return sqltypes.VARCHAR(size, collation or None)
        # SQLAlchemy's TEXT takes no length in PostgreSQL's dialect.
        return (STRING if size else sqltypes.TEXT)(size, collation or None)
    if name in _SPATIAL:
        shape, _, srid = args.strip("()").partition(",")
        return _SPATIAL[name](shape or None, int(srid) if srid else None)
    if name in _TYPES:
        return _TYPES[name](size, numbers[1] if len(numbers) > 1 else None)
    schema, plain = user_type(text)
    if (schema, plain) in enums:
        return postgresql.ENUM(*enums[schema, plain], name=plain, schema=None if schema == "public" else schema)
    return CockroachType(text)

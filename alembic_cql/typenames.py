"""Type names as the server writes them (``map<text, frozen<list<int>>>``) read into types, and compared."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

from alembic_cluster.errors import ClusterError
from alembic_cql import types

_TOKEN = re.compile(
    r"""\s*(?:(?P<name>[A-Za-z0-9_]+)|"(?P<quoted>(?:[^"]|"")+)"|'(?P<custom>[^']+)'|(?P<mark>[<>,.]))"""
)

SIMPLE: Mapping[str, Callable[[], TypeEngine[Any]]] = {
    "ascii": types.ASCII,
    "bigint": types.BIGINT,
    "blob": types.BLOB,
    "boolean": types.BOOLEAN,
    "counter": types.COUNTER,
    "date": types.DATE,
    "decimal": types.DECIMAL,
    "double": types.DOUBLE,
    "duration": types.DURATION,
    "float": types.FLOAT,
    "inet": types.INET,
    "int": types.INT,
    "smallint": types.SMALLINT,
    "text": types.TEXT,
    "time": types.TIME,
    "timestamp": types.TIMESTAMP,
    "timeuuid": types.TIMEUUID,
    "tinyint": types.TINYINT,
    "uuid": types.UUID,
    "varchar": types.TEXT,
    "varint": types.VARINT,
}

UserTypes: TypeAlias = "Mapping[str, types.UserType]"


class UnknownTypeName(ClusterError):
    """A type name that isn't CQL."""


def parse_type(text: str, user_types: UserTypes | None = None) -> TypeEngine[Any]:
    """Read a type name.

    :param text: as ``system_schema.columns`` has it, or as a person writes it.
    :param user_types: the keyspace's user types by name; others become references without fields.
    :raises UnknownTypeName: with the text, when it isn't a CQL type.
    """
    parser = _Parser(text, user_types or {})
    result = parser.type()
    parser.end()
    return result


class _Parser:
    def __init__(self, text: str, user_types: UserTypes) -> None:
        self.text = text
        self.user_types = user_types
        self.position = 0
        self.tokens: list[tuple[str, str]] = []
        while self.position < len(text.rstrip()):
            match = _TOKEN.match(text, self.position)
            if match is None:
                raise self.error()
            self.tokens.append((str(match.lastgroup), str(match[str(match.lastgroup)])))
            self.position = match.end()
        self.tokens.reverse()

    def error(self) -> UnknownTypeName:
        return UnknownTypeName(f"{self.text!r} is not a CQL type")

    def end(self) -> None:
        if self.tokens:
            raise self.error()

    def next(self) -> tuple[str, str]:
        if not self.tokens:
            raise self.error()
        return self.tokens.pop()

    def mark(self, wanted: str) -> bool:
        if self.tokens and self.tokens[-1] == ("mark", wanted):
            self.tokens.pop()
            return True
        return False

    def expect(self, wanted: str) -> None:
        if not self.mark(wanted):
            raise self.error()

    def arguments(self) -> list[TypeEngine[Any]]:
        found = [self.type()]
        while self.mark(","):
            found.append(self.type())
        self.expect(">")
        return found

    def type(self) -> TypeEngine[Any]:
        kind, value = self.next()
        if kind == "custom":
            return types.CustomType(value)
        if kind == "mark":
            raise self.error()
        if kind == "name" and self.mark("<"):
            return self.composite(value.lower())
        if kind == "name" and value.lower() in SIMPLE:
            return SIMPLE[value.lower()]()
        name = value.lower() if kind == "name" else value.replace('""', '"')
        schema = None
        if self.mark("."):
            schema = name
            kind, value = self.next()
            if kind not in ("name", "quoted"):
                raise self.error()
            name = value.lower() if kind == "name" else value.replace('""', '"')
        known = self.user_types.get(name)
        return known if known is not None and schema in (None, known.schema) else types.UserType(name, schema=schema)

    def composite(self, name: str) -> TypeEngine[Any]:
        if name == "vector":
            item = self.type()
            self.expect(",")
            kind, dimension = self.next()
            self.expect(">")
            if kind != "name" or not dimension.isdigit():
                raise self.error()
            return types.VECTOR(item, int(dimension))
        if name == "tuple":
            return types.TUPLE(*self.arguments())
        makers: Mapping[str, tuple[int, Callable[..., TypeEngine[Any]]]] = {
            "frozen": (1, types.FROZEN),
            "list": (1, types.LIST),
            "map": (2, types.MAP),
            "set": (1, types.SET),
        }
        if name not in makers:
            raise self.error()
        count, make = makers[name]
        arguments = self.arguments()
        if len(arguments) != count:
            raise self.error()
        return make(*arguments)


def canonical_name(type_: TypeEngine[Any], dialect: Dialect) -> str:
    """Give the one spelling of a type, for comparison: two types are the same when these are equal.

    Whatever stands inside a frozen collection, a tuple or a vector is frozen whether it says so or not, tuples are
    always frozen, and ``varchar`` is ``text``.

    :raises sqlalchemy.exc.CompileError: for a type that CQL lacks.
    """
    return _canonical(parse_type(dialect.type_compiler_instance.process(type_)), False, dialect)


def signature_name(type_: TypeEngine[Any], dialect: Dialect) -> str:
    """Give the one spelling of a type in the signature of a function, where everything is frozen and nothing says so.

    :raises sqlalchemy.exc.CompileError: for a type that CQL lacks.
    """
    return _canonical(parse_type(dialect.type_compiler_instance.process(type_)), True, dialect)


def _canonical(type_: TypeEngine[Any], frozen: bool, dialect: Dialect) -> str:
    def inner(part: TypeEngine[Any], in_frozen: bool = frozen) -> str:
        return _canonical(part, in_frozen, dialect)

    if isinstance(type_, types.FROZEN):
        if isinstance(type_.inner, (types.LIST, types.MAP, types.UserType)) and not isinstance(
            type_.inner, types.VECTOR
        ):
            text = inner(type_.inner, True)
            return text if frozen else f"frozen<{text}>"
        return inner(type_.inner)
    if isinstance(type_, types.VECTOR):
        return f"vector<{inner(type_.item_type, True)}, {type_.dimension}>"
    if isinstance(type_, types.SET):
        return f"set<{inner(type_.item_type)}>"
    if isinstance(type_, types.LIST):
        return f"list<{inner(type_.item_type)}>"
    if isinstance(type_, types.MAP):
        return f"map<{inner(type_.key_type)}, {inner(type_.value_type)}>"
    if isinstance(type_, types.TUPLE):
        return f"tuple<{', '.join(inner(item, True) for item in type_.item_types)}>"
    if isinstance(type_, types.UserType):
        return dialect.identifier_preparer.quote(type_.name)
    return dialect.type_compiler_instance.process(type_)

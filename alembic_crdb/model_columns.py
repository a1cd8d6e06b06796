"""Columns of a model, and their types, as catalog objects."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Column, DefaultClause, Identity, Sequence, TextClause
from sqlalchemy import types as sqltypes
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeDecorator, TypeEngine

from alembic_cluster.errors import UnreadableDDL
from alembic_crdb import catalog
from alembic_crdb.catalog import Computed, ObjectName, SequenceOptions, SQLType
from alembic_crdb.expressions import canonical_type
from alembic_crdb.lexer import tokenize
from alembic_crdb.model_reader import Reader, options, plain_name
from alembic_crdb.parser import parse_type
from alembic_crdb.types import INT2, INT4

#: Types of PostgreSQL that no version of CockroachDB has (documentation, page "PostgreSQL Compatibility").
_MISSING: Final = frozenset(
    name
    for line in (
        "CIDR CIRCLE HSTORE LINE LSEG MACADDR MACADDR8 MONEY PATH POLYGON REGCONFIG XML",
        "DATERANGE INT4RANGE INT8RANGE NUMRANGE TSRANGE TSTZRANGE",
        "DATEMULTIRANGE INT4MULTIRANGE INT8MULTIRANGE NUMMULTIRANGE TSMULTIRANGE TSTZMULTIRANGE",
    )
    for name in line.split()
)
#: Precisions that the server does not print because they are the default.
_DEFAULT_PRECISION: Final = frozenset({"TIME", "TIMETZ", "TIMESTAMP", "TIMESTAMPTZ", "INTERVAL"})
_SESSIONS_INTEGER: Final = frozenset({"INT", "INTEGER"})
#: Operators that no default has outside of parentheses.
_MAY_NEED_PARENTHESES: Final = re.compile(
    r"\b(?:NOT|AND|OR|IN|LIKE|ILIKE|SIMILAR|BETWEEN|IS|ISNULL|NOTNULL|COLLATE|AT)\b", re.IGNORECASE
)


def type_to_catalog(type_: TypeEngine[Any], reader: Reader, of: str = "a column") -> SQLType:
    """Give a type as the server calls it.

    ``VARCHAR`` stays apart from ``STRING``, and ``INTEGER`` is ``INT``: how wide that is depends on the session's
    ``default_int_size``.

    :param of: what has this type, for messages.
    """
    impl = implementation(type_, reader)
    if isinstance(impl, sqltypes.ARRAY):
        item = type_to_catalog(impl.item_type, reader, of)
        return SQLType(item.name, item.args, item.fields, impl.dimensions or 1, item.collation)
    if is_named(impl):
        return SQLType(reader.object_name(impl))
    text = reader.type_text(type_)
    kind = _parsed(text)
    if isinstance(kind.name, ObjectName) and kind.name.schema is None and kind.name.name.upper() in _MISSING:
        reader.refuse(f"{of[:1].upper()}{of[1:]} has the type {text}, which CockroachDB does not have.")
    return kind


def implementation(type_: TypeEngine[Any], reader: Reader) -> TypeEngine[Any]:
    """Give what a type is on this dialect: of a variant or a decorator, the type behind it."""
    impl = type_.dialect_impl(reader.dialect)
    while isinstance(impl, TypeDecorator):
        impl = impl.type_engine(reader.dialect).dialect_impl(reader.dialect)
    return impl


def is_named(impl: TypeEngine[Any]) -> bool:
    """Tell whether a type is one that CREATE TYPE or CREATE DOMAIN makes."""
    return isinstance(impl, postgresql.DOMAIN) or (isinstance(impl, postgresql.ENUM) and impl.native_enum)


@lru_cache(maxsize=4096)
def _parsed(text: str) -> SQLType:
    try:
        kind = parse_type(text)
    except UnreadableDDL:
        # A type of somebody's own, with a text that we don't know.
        return SQLType(text)
    args = () if kind.name in _DEFAULT_PRECISION and kind.args == ("6",) else kind.args
    name = "INT" if kind.name in _SESSIONS_INTEGER else kind.name
    kind = SQLType(name, args, kind.fields, kind.dimensions, kind.collation)
    return kind if name == "INT" else canonical_type(kind)


def column_to_catalog(column: Column[Any], reader: Reader) -> catalog.Column:
    """Give a column of a model as a catalog object.

    :param column: of a table; an autoincrementing one of its primary key gets ``SERIAL`` as in SQLAlchemy.
    :param reader: reads for the dialect.
    :raises sqlalchemy.exc.CompileError: an expression cannot be written as SQL.
    """
    said = options(column)
    name = plain_name(column.name)
    serial = _serial(column, reader)
    on_update = said.get("on_update")
    computed = column.computed
    return catalog.Column(
        name,
        serial or type_to_catalog(column.type, reader, f"column {name}"),
        bool(column.nullable) and not column.primary_key and column.identity is None,
        bool(said.get("not_visible")),
        None if serial is not None else _default(column, reader),
        None if on_update is None else in_parentheses(reader.sql(on_update)),
        # A model that leaves `persisted` open means a stored one, as with sqlalchemy-cockroachdb.
        None if computed is None else Computed(reader.sql(computed.sqltext), computed.persisted is not False),
        None if column.identity is None else _identity(column.identity, reader, name),
    )


def _serial(column: Column[Any], reader: Reader) -> SQLType | None:
    """Give the type of a column for which SQLAlchemy says SERIAL; None for all others."""
    table = getattr(column, "table", None)
    if not column.primary_key or table is None or table._autoincrement_column is not column:
        return None
    if column.identity is not None or column.computed is not None:
        return None
    default = column.default
    if default is not None and not (isinstance(default, Sequence) and default.optional):
        return None
    impl: TypeEngine[Any] = column.type
    while isinstance(impl, TypeDecorator):
        impl = impl.impl_instance
    # Of a live server sqlalchemy-cockroachdb says that it has no SMALLSERIAL, and neither have existing tables.
    if isinstance(impl, sqltypes.SmallInteger | INT2):
        return None
    if isinstance(impl, sqltypes.BigInteger):
        return SQLType("SERIAL8")
    return SQLType("SERIAL4" if isinstance(impl, INT4) else "SERIAL")


def _default(column: Column[Any], reader: Reader) -> str | None:
    default = column.server_default
    if isinstance(default, DefaultClause):
        argument = default.arg
        if isinstance(argument, str) and not isinstance(argument, TextClause):
            return reader.literal(argument)
        if isinstance(argument, Sequence):
            return reader.next_value(argument)
        return in_parentheses(reader.sql(argument))
    if default is None and isinstance(column.default, Sequence) and not column.default.optional:
        return reader.next_value(column.default)
    return None


def in_parentheses(text: str) -> str:
    """Give an expression as it can stand behind DEFAULT, where NOT, AND, IN and their kind need parentheses.

    The server prints such a default without them (documentation, page "SQL Grammar": DEFAULT takes a ``b_expr``).
    """
    if _MAY_NEED_PARENTHESES.search(text) is None:
        return text
    depth = 0
    try:
        tokens = tokenize(text).texts
    except UnreadableDDL:
        return text
    for token in tokens:
        if token in ("(", "["):
            depth += 1
        elif token in (")", "]"):
            depth -= 1
        elif not depth and _MAY_NEED_PARENTHESES.fullmatch(token) is not None:
            return f"({text})"
    return text


def _identity(identity: Identity, reader: Reader, name: str) -> catalog.Identity:
    return catalog.Identity(bool(identity.always), sequence_options(identity, reader, f"column {name}"))


def sequence_options(said: Sequence | Identity, reader: Reader, of: str) -> SequenceOptions:
    """Give the options of a sequence or identity column.

    :param of: what has them, for messages.
    """
    if said.cycle:
        reader.refuse(
            f"{of[:1].upper()}{of[1:]} has CYCLE, which CockroachDB does not have (go.crdb.dev/issue-v/20961)."
        )
    data_type = getattr(said, "data_type", None)
    kind = None if data_type is None else type_to_catalog(data_type, reader, of).name
    return SequenceOptions(
        as_type=str(kind) if kind is not None else None,
        min_value="NO" if said.nominvalue else said.minvalue,
        max_value="NO" if said.nomaxvalue else said.maxvalue,
        increment=said.increment,
        start=said.start,
        cache=said.cache,
        cycle=said.cycle,
    )

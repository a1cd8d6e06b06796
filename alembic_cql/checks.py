"""What no keyspace can hold, refused before anything is sent.

The server would refuse most of it too, but only when it comes to it: after the tables before it were made. Rules:
CreateTableStatement, CreateTypeStatement, CreateIndexStatement, TableMetadata and CQL3Type of Cassandra 5.0.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, Table, UniqueConstraint
from sqlalchemy.engine import Dialect
from sqlalchemy.types import NullType, TypeEngine

from alembic_cluster.errors import ClusterError, InvalidModel
from alembic_cql import types
from alembic_cql.ddl_objects import column_check, column_mask
from alembic_cql.options import check_options, normal_option, table_options
from alembic_cql.refusal import refuse
from alembic_cql.schema import Key, is_counter, is_static, table_key, used_types
from alembic_cql.typenames import parse_type

TARGETS = ("keys", "values", "entries", "full")
_NAME = re.compile(r"[A-Za-z0-9_]{1,222}")  # SchemaConstants: word characters, and what fits a file name


def check_table(table: Table, dialect: Dialect | None = None) -> Key:
    """Refuse what CQL can't hold.

    :param dialect: with one, types are checked as well, and options against the server it is connected to.
    :return: the table's key.
    :raises InvalidModel: for a table without primary key, with keys, statics, counters or types that don't fit
        together, or with a value that an option doesn't take.
    :raises UnsupportedConstruct: for foreign keys, unique and check constraints, defaults, computed columns, identity.
    """
    _check_name("table", table.name)
    key = table_key(table)
    for constraint in table.constraints:
        if isinstance(constraint, ForeignKeyConstraint):
            names = ", ".join(constraint.column_keys)
            refuse(f"foreign key (table {table.name!r}, {names})", "drop it from the model; check in the program")
        if isinstance(constraint, UniqueConstraint):
            names = ", ".join(column.name for column in constraint.columns)
            refuse(
                f"unique constraint (table {table.name!r}, {names})",
                "make the columns the primary key of a table of their own and insert IF NOT EXISTS",
            )
        if isinstance(constraint, CheckConstraint) and not getattr(constraint, "_type_bound", False):
            refuse(f"check constraint (table {table.name!r}, {constraint.name})", "check in the program")
    for column in table.columns:
        check_column(table.name, column, dialect, in_key=column.name in key.columns)
        if is_static(column) and (column.name in key.columns or not key.clustering):
            raise InvalidModel(
                f"table {table.name!r}: column {column.name!r} cannot be static: only columns outside the primary key "
                "of a table with clustering columns can; nothing was sent"
            )
    for index in table.indexes:
        check_index(index, dialect)
    _check_counters(table, key)
    _check_options(table, dialect)
    return key


def check_column(table_name: str, column: Column[Any], dialect: Dialect | None = None, *, in_key: bool = False) -> None:
    """Refuse defaults, computed columns, identity, and with a dialect types that can't stand there.

    :param in_key: whether the column is part of the primary key.
    :raises UnsupportedConstruct: naming the column.
    :raises InvalidModel: for its type.
    """
    where = f"(table {table_name!r}, column {column.name!r})"
    if column.computed is not None:
        refuse(f"computed column {where}", "compute in the program when writing")
    if column.identity is not None:
        refuse(f"identity column {where}", "use a uuid or timeuuid key made by the program")
    if column.server_default is not None:
        refuse(f"column default {where}", "use default=, which the program fills in")
    mask, check = column.kwargs.get("cql_masked"), column.kwargs.get("cql_check")
    if dialect is not None:
        named = f"table {table_name!r}, column {column.name!r}"
        if mask is not None:
            column_mask(named, mask, dialect)
        if check is not None:
            column_check(named, check, dialect)
        problem = _first_problem(column.type, dialect, in_key)
        if problem is not None:
            raise InvalidModel(f"table {table_name!r}, column {column.name!r}: {problem}; nothing was sent")


def check_user_type(kind: types.UserType, dialect: Dialect) -> None:
    """Refuse a user type that CQL can't hold.

    :raises InvalidModel: naming the type and the field.
    """
    # Its name comes back in an event that the server encodes so that the driver cannot read other characters.
    if not kind.name.isascii() or not kind.name:
        raise InvalidModel(f"user type {kind.name!r}: its name must be of ASCII characters; nothing was sent")
    if not kind.fields:
        raise InvalidModel(f"user type {kind.name!r} has no fields; nothing was sent")
    for name, field in kind.fields:
        problem = _first_problem(field, dialect, False)
        if problem is None and isinstance(field, types.UserType):
            problem = "a user type inside another must be frozen: write FROZEN(...)"
        if problem is None and isinstance(field, types.COUNTER):
            problem = "a user type cannot hold a counter"
        if problem is not None:
            raise InvalidModel(f"user type {kind.name!r}, field {name!r}: {problem}; nothing was sent")


def _first_problem(kind: TypeEngine[Any], dialect: Dialect, in_key: bool) -> str | None:
    """Say what is wrong with a column's type, or None."""
    try:
        text = dialect.type_compiler_instance.process(kind)
    except ClusterError as error:
        return str(error).removesuffix("; nothing was sent")
    parsed = parse_type(text, {used.name: used for used in used_types([kind])})
    problem = next(_problems(parsed, False), None)
    if problem is None and in_key:
        problem = next(_key_problems(parsed), None)
    if problem is None and isinstance(parsed, types.UserType):
        nested = [name for name, field in parsed.fields if _is_open(field)]
        if nested:
            problem = f"its field {nested[0]!r} is a collection, so the user type must be frozen: write FROZEN(...)"
    return None if problem is None else f"{text}: {problem}"


def _is_open(kind: Any) -> bool:
    """Whether it is a collection that isn't frozen (tuples and vectors always are)."""
    return isinstance(kind, (types.LIST, types.MAP)) and not isinstance(kind, types.VECTOR)


def _problems(kind: Any, frozen: bool) -> Iterator[str]:
    if isinstance(kind, types.FROZEN):
        if not isinstance(kind.inner, types.Composite):
            yield "frozen<> is for collections, tuples, vectors and user types"
        yield from _problems(kind.inner, True)
    elif isinstance(kind, types.UserType):
        return
    elif isinstance(kind, types.Composite):
        is_open = _is_open(kind) and not frozen
        parts = kind.parts()
        if isinstance(kind, (types.SET, types.MAP)) and isinstance(parts[0], types.DURATION):
            yield "durations have no order and cannot be in sets or keys of maps"
        for part in parts:
            if isinstance(part, types.COUNTER):
                yield "counters cannot be inside other types"
            if is_open and (_is_open(part) or isinstance(part, types.UserType)):
                yield "what is inside a collection must be frozen: write FROZEN(...)"
            yield from _problems(part, frozen or not _is_open(kind))


def _key_problems(kind: Any) -> Iterator[str]:
    if _is_open(kind) or isinstance(kind, types.UserType):
        yield "in a primary key it must be frozen: write FROZEN(...)"
    if isinstance(kind, types.COUNTER):
        yield "a counter cannot be in a primary key"
    if _has_duration(kind):
        yield "durations have no order and cannot be in a primary key"


def _has_duration(kind: Any) -> bool:
    if isinstance(kind, types.Composite):
        return any(map(_has_duration, kind.parts()))
    return isinstance(kind, types.DURATION)


def _check_name(what: str, name: str) -> None:
    if _NAME.fullmatch(name) is None:
        raise InvalidModel(
            f"{what} {name!r}: its name must be 1 to 222 letters of a-z, digits and underscores; nothing was sent"
        )


def _check_counters(table: Table, key: Key) -> None:
    counters = [column.name for column in table.columns if is_counter(column)]
    others = [column.name for column in table.columns if not is_counter(column) and column.name not in key.columns]
    in_key = [name for name in counters if name in key.columns]
    if in_key:
        raise InvalidModel(f"table {table.name!r}: counter {in_key[0]!r} is in the primary key; nothing was sent")
    if counters and others:
        raise InvalidModel(
            f"table {table.name!r} mixes counters ({', '.join(counters)}) with other columns ({', '.join(others)}): "
            "put the counters into a table of their own; nothing was sent"
        )
    if counters and table_options(table.kwargs).get("default_time_to_live") not in (None, 0, "0"):
        raise InvalidModel(
            f"table {table.name!r} has counters, which cannot expire: drop cql_default_time_to_live; nothing was sent"
        )


def _check_options(table: Table, dialect: Dialect | None) -> None:
    given = table_options(table.kwargs)
    if dialect is None:
        for name, value in given.items():
            normal_option(name, value, table.name)
    else:
        check_options(given, table.name, dialect.features)  # type: ignore[attr-defined]
    table_id = table.kwargs.get("cql_id")
    if table_id is not None:
        try:
            uuid.UUID(str(table_id))
        except ValueError:
            raise InvalidModel(
                f"table {table.name!r}: cql_id takes a uuid, not {table_id!r}; nothing was sent"
            ) from None


def check_index(index: Index, dialect: Dialect | None = None) -> None:
    """Refuse an index that CQL can't hold.

    :raises UnsupportedConstruct: for unique indexes, several columns, expressions.
    :raises InvalidModel: for a target that its column hasn't, and columns that can't have one.
    """
    where = f"(index {index.name!r})"
    if index.name is not None:
        _check_name("index", index.name)
    if index.unique:
        refuse(
            f"unique index {where}",
            "make the columns the primary key of a table of their own and insert IF NOT EXISTS",
        )
    if len(index.expressions) != 1 or len(index.columns) != 1:
        refuse(f"index on several columns or an expression {where}", "make one index for each column")
    if not isinstance(index.expressions[0], Column):
        refuse(
            f"index on an expression {where}",
            "name the column, and for what a collection holds say cql_target='keys', 'values', 'entries' or 'full'",
        )
    target = index.kwargs.get("cql_target")
    if target is not None and str(target).lower() not in TARGETS:
        raise InvalidModel(
            f"index {index.name!r}: cql_target takes {', '.join(TARGETS)}, not {target!r}; nothing was sent"
        )
    if index.kwargs.get("cql_options") and not index.kwargs.get("cql_using"):
        raise InvalidModel(f"index {index.name!r}: cql_options needs cql_using, such as 'sai'; nothing was sent")
    column = next(iter(index.columns))
    if is_counter(column):
        raise InvalidModel(f"index {index.name!r}: counters cannot be indexed; nothing was sent")
    # op.create_index doesn't know the column's type.
    if dialect is not None and target is not None and not isinstance(column.type, NullType):
        _check_target(index, str(target).lower(), column.type, dialect)


def _check_target(index: Index, target: str, kind: TypeEngine[Any], dialect: Dialect) -> None:
    parsed: Any = parse_type(dialect.type_compiler_instance.process(kind))
    frozen = isinstance(parsed, types.FROZEN)
    inner = parsed.inner if frozen else parsed
    if target == "full":
        wrong = None if frozen and _is_open(inner) else "a frozen collection"
    elif target in ("keys", "entries"):
        wrong = None if isinstance(parsed, types.MAP) else "a map that is not frozen"
    else:
        wrong = None if _is_open(parsed) else "a collection that is not frozen"
    if wrong is not None:
        raise InvalidModel(
            f"index {index.name!r}: the target {target!r} needs {wrong}, and the column is "
            f"{dialect.type_compiler_instance.process(kind)}; nothing was sent"
        )

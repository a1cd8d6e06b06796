"""What no keyspace can hold, refused before anything is sent.

The server would refuse most of it too, but only when it comes to it: after the tables before it were made. Rules:
CreateTableStatement, CreateTypeStatement, CreateIndexStatement, TableMetadata and CQL3Type of Cassandra 5.0.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Table, UniqueConstraint
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

from alembic_cluster.errors import ClusterError, InvalidModel
from alembic_cql import types
from alembic_cql.ddl_objects import column_check, column_mask
from alembic_cql.identifiers import check_name
from alembic_cql.indexes import check_index, check_indexes
from alembic_cql.options import check_options, normal_option, table_options
from alembic_cql.refusal import refuse
from alembic_cql.schema import Key, is_counter, is_open, is_static, table_key, used_types
from alembic_cql.typenames import parse_type


def check_table(table: Table, dialect: Dialect | None = None) -> Key:
    """Refuse what CQL can't hold.

    :param dialect: with one, types are checked as well, and options against the server it is connected to.
    :return: the table's key.
    :raises InvalidModel: for a table without primary key, with keys, statics, counters or types that don't fit
        together, or with a value that an option doesn't take.
    :raises UnsupportedConstruct: for foreign keys, unique and check constraints, defaults, computed columns, identity.
    """
    check_name("table", table.name)
    check_comment(f"table {table.name!r}", table.comment)
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
    check_indexes(table)
    _check_counters(table, key)
    _check_options(table, dialect)
    return key


def check_comment(where: str, comment: Any) -> None:
    """Refuse a comment that is no text.

    :param where: what has it, for the message.
    :raises InvalidModel: saying so.
    """
    if comment is not None and not isinstance(comment, str):
        raise InvalidModel(f"{where}: comment takes a text, not {comment!r}; nothing was sent")


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
    static = column.kwargs.get("cql_static")
    if static is not None and not isinstance(static, bool):
        raise InvalidModel(
            f"table {table_name!r}, column {column.name!r}: cql_static takes True or False, not {static!r}; nothing "
            "was sent"
        )
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
        nested = [name for name, field in parsed.fields if is_open(field)]
        if nested:
            problem = f"its field {nested[0]!r} is a collection, so the user type must be frozen: write FROZEN(...)"
    return None if problem is None else f"{text}: {problem}"


def _problems(kind: Any, frozen: bool) -> Iterator[str]:
    if isinstance(kind, types.FROZEN):
        if not isinstance(kind.inner, types.Composite):
            yield "frozen<> is for collections, tuples, vectors and user types"
        yield from _problems(kind.inner, True)
    elif isinstance(kind, types.UserType):
        return
    elif isinstance(kind, types.Composite):
        not_frozen = is_open(kind) and not frozen
        parts = kind.parts()
        if isinstance(kind, (types.SET, types.MAP)) and isinstance(parts[0], types.DURATION):
            yield "durations have no order and cannot be in sets or keys of maps"
        for part in parts:
            if isinstance(part, types.COUNTER):
                yield "counters cannot be inside other types"
            if not_frozen and (is_open(part) or isinstance(part, types.UserType)):
                yield "what is inside a collection must be frozen: write FROZEN(...)"
            yield from _problems(part, frozen or not is_open(kind))


def _key_problems(kind: Any) -> Iterator[str]:
    if is_open(kind) or isinstance(kind, types.UserType):
        yield "in a primary key it must be frozen: write FROZEN(...)"
    if isinstance(kind, types.COUNTER):
        yield "a counter cannot be in a primary key"
    if _has_duration(kind):
        yield "durations have no order and cannot be in a primary key"


def _has_duration(kind: Any) -> bool:
    if isinstance(kind, types.Composite):
        return any(map(_has_duration, kind.parts()))
    return isinstance(kind, types.DURATION)


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

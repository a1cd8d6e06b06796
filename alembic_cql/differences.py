"""What differs between a model's objects and the server's, by the two alone: for autogenerate and sync_tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, Index, MetaData, Table
from sqlalchemy.types import TypeEngine

from alembic_cql.conditions import canonical_check
from alembic_cql.indexes import index_identity
from alembic_cql.masks import parse_mask
from alembic_cql.options import TABLE_OPTIONS, complete_options, readable_option, table_options
from alembic_cql.reflection import TableInfo
from alembic_cql.schema import MaterializedView, is_counter, is_static, table_key, used_types
from alembic_cql.typenames import canonical_name, parse_type
from alembic_cql.types import COUNTER, FROZEN, LIST, MAP, TUPLE, UserType

# Index.info key: the model leaves the name to the server, so that an equal index of any name is this one.
ANY_NAME = "alembic_cql.any_name"


def display_name(table: Table) -> str:
    """Give a table's name with its keyspace, where it names one, for messages."""
    return table.name if table.schema is None else f"{table.schema}.{table.name}"


def impossible_changes(
    table: Table, found: TableInfo, dialect: Any, *, left_out: Iterable[str] = (), types: bool = True
) -> Iterator[str]:
    """Say what differs and can't be altered: the primary key, and the types and static marks of columns.

    :param table: the model's.
    :param found: the server's.
    :param dialect: of the connection; it knows the server's types.
    :param left_out: names of columns that aren't compared.
    :param types: whether types are compared.
    :return: one clause for each difference, such as ``table 't': the model has .., the database ..``.
    """
    key = table_key(table)
    name = display_name(table)
    if key != found.key:
        yield f"table {name!r}: the model has {key}, the database {found.key}"
    columns = {column.name: column for column in found.columns if column.name not in set(left_out)}
    for column in table.columns:
        existing = columns.get(column.name)
        if existing is None:
            continue
        wanted_type, found_type = canonical_name(column.type, dialect), canonical_name(existing.type, dialect)
        if types and wanted_type != found_type:
            yield f"table {name!r}, column {column.name!r}: the model has {wanted_type}, the database {found_type}"
        if is_static(column) != (existing.kind == "static"):
            wanted = "static" if is_static(column) else "not static"
            yield f"table {name!r}, column {column.name!r}: the model has it {wanted}, the database otherwise"


def mask_differences(table: Table, found: TableInfo) -> Iterator[tuple[Column[Any], str | None, str | None]]:
    """Give the columns whose masks differ, with the model's mask and the server's.

    :param table: the model's.
    :param found: the server's.
    :raises InvalidModel: for what isn't the call of a masking function.
    """
    masks = {column.name: column.mask for column in found.columns}
    for column in table.columns:
        if column.name not in masks:
            continue
        existing, text = masks[column.name], column.kwargs.get("cql_masked")
        wanted = None if text is None else parse_mask(text, f"table {table.name!r}, column {column.name!r}")
        if (wanted and wanted.identity) != (existing and existing.identity):
            yield column, text, None if existing is None else str(existing)


def check_differences(table: Table, found: TableInfo) -> Iterator[tuple[Column[Any], str | None, str | None]]:
    """Give the columns whose checks differ, with the model's condition and the server's.

    :param table: the model's.
    :param found: the server's.
    """
    checks = {column.name: column.check for column in found.columns}
    for column in table.columns:
        if column.name in checks:
            wanted, existing = column.kwargs.get("cql_check"), checks[column.name]
            if canonical_check(wanted, column.name) != canonical_check(existing, column.name):
                yield column, wanted, existing


def changed_options(table: Table, found: TableInfo, dialect: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give the options that differ (the comment apart), with the model's values and with the server's.

    An option that the model doesn't name has the server's default.

    :param table: the model's.
    :param found: the server's.
    :param dialect: of the connection; it knows which options the server fills in itself.
    :raises InvalidModel: for a value that an option doesn't take.
    """
    return _changed(table_options(table.kwargs), found, dialect)


def changed_view_options(
    view: MaterializedView, found: TableInfo, dialect: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Do for a materialized view what :func:`changed_options` does for a table."""
    return _changed(view.options, found, dialect)


def _changed(given: Mapping[str, Any], found: TableInfo, dialect: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    wanted = complete_options(given, found.name, dialect.features)
    existing = complete_options(found.options, found.name, dialect.features)
    changed = [name for name in TABLE_OPTIONS if name in wanted and wanted[name] != existing.get(name)]
    return (
        {name: readable_option(name, wanted[name], dialect.features) for name in changed},
        {name: readable_option(name, existing[name], dialect.features) for name in changed if name in existing},
    )


def impossible_view_changes(view: MaterializedView, found: TableInfo) -> Iterator[str]:
    """Say what differs in a view's definition, which no ALTER can change.

    :param found: the server's view.
    :return: one clause for each difference.
    """
    row = found.view or {}
    name = view.name if view.schema is None else f"{view.schema}.{view.name}"
    if view.base != row.get("base_table_name"):
        yield f"view {name!r}: the model's is of table {view.base!r}, the database's of {row.get('base_table_name')!r}"
    if view.key != found.key:
        yield f"view {name!r}: the model has {view.key}, the database {found.key}"
    columns = {column.name for column in found.columns}
    everything = bool(row.get("include_all_columns"))
    equal = everything if view.columns is None else {*view.columns, *view.key.columns} == columns
    if not equal:
        yield f"view {name!r}: the model selects {_selected(view.columns)}, the database {_selected(columns)}"
    if canonical_where(view.where) != canonical_where(str(row.get("where_clause"))):
        yield f"view {name!r}: the model has WHERE {view.where}, the database WHERE {row.get('where_clause')}"


def _selected(columns: Iterable[str] | None) -> str:
    return "all columns" if columns is None else ", ".join(sorted(columns))


_WORD = re.compile(r"""\s*('(?:[^']|'')*'|"(?:[^"]|"")*"|[A-Za-z0-9_]+|.)""", re.DOTALL)
_PLAIN = re.compile(r'"([a-z][a-z0-9_]*)"')


def canonical_where(text: str) -> frozenset[tuple[str, ...]]:
    """Give a view's condition in the form in which equal ones are equal.

    The order of its terms doesn't count, nor do spaces, the case of what isn't quoted, and quotes without need.
    """
    terms: list[list[str]] = [[]]
    for word in _WORD.findall(text.strip().rstrip(";")):
        plain = _PLAIN.fullmatch(word)
        word = plain[1] if plain else word if word[0] in "\"'" else word.lower()
        if word == "and":
            terms.append([])
        else:
            terms[-1].append(word)
    return frozenset(tuple(term) for term in terms)


def impossible_type_changes(wanted: UserType, found: UserType, dialect: Any) -> Iterator[str]:
    """Say which fields of a user type have another type on the server; none can be altered.

    :return: one clause for each.
    """
    existing = {name: canonical_name(kind, dialect) for name, kind in found.fields}
    for name, kind in wanted.fields:
        if name in existing and existing[name] != canonical_name(kind, dialect):
            yield (
                f"user type {wanted.name!r}, field {name!r}: the model has {canonical_name(kind, dialect)}, "
                f"the database {existing[name]}"
            )


def uses_type(kind: TypeEngine[Any], name: str) -> bool:
    """Whether a type is made of a user type, at any depth."""
    return any(
        used.name == name or any(uses_type(inner, name) for _, inner in used.fields) for used in used_types([kind])
    )


def refused_addition(column: Column[Any], found: TableInfo, dropped: Mapping[str, Any], dialect: Any) -> str | None:
    """Say why the server wouldn't take a new column, or give None where it would.

    Of the reasons, those that lie in the table as it is (Cassandra's AlterTableStatement, CASSANDRA-7831 and 8099).

    :param found: the server's table.
    :param dropped: the table's rows of ``system_schema.dropped_columns`` by column name.
    """
    counters = [item for item in found.columns if isinstance(item.type, COUNTER)]
    if is_counter(column) != bool(counters):
        return f"a table has either counters or other columns, and this one has {'' if counters else 'no '}counters"
    row = dropped.get(column.name)
    if row is None:
        return None
    if is_counter(column):
        return "a counter of that name was dropped, and no counter can come back"
    if row.get("kind", column_kind(column)) != column_kind(column):
        return f"a {row['kind']} column of that name was dropped, and it can come back as that only"
    before, now = parse_type(str(row["type"])), parse_type(dialect.type_compiler_instance.process(column.type))
    if used_types([now]):
        return f"a column of that name was dropped ({row['type']}), and one of a user type can't come back"
    if not _may_follow(now, before, dialect):
        return f"a column of that name was dropped, and {row['type']} can't come back as {column.type!r}"
    return None


def column_kind(column: Column[Any]) -> str:
    """Give the kind, in the words of ``system_schema``, of a column that is outside the primary key."""
    return "static" if is_static(column) else "regular"


# By new type, the other types whose values it can read: what Cassandra 5.0 lets a dropped column come back as.
_READS = {
    "bigint": ("timestamp",),
    "blob": ("ascii", "date", "decimal", "duration", "inet", "smallint", "text", "time", "tinyint", "varint"),
    "text": ("ascii",),
    "timestamp": ("bigint",),
    "uuid": ("timeuuid",),
}


def _may_follow(now: TypeEngine[Any], before: TypeEngine[Any], dialect: Any) -> bool:
    new, old = canonical_name(now, dialect), canonical_name(before, dialect)
    if new == old or old in _READS.get(new, ()):
        return True
    # A tuple is frozen whether it says so or not; of all else what is frozen stays so.
    now, before = _bare_tuple(now), _bare_tuple(before)
    if isinstance(now, FROZEN) and isinstance(before, FROZEN):
        now, before = now.inner, before.inner
    # Which collections and tuples follow which hangs on their elements; the server tells.
    same_family = type(now) is type(before) and isinstance(now, (LIST, MAP, TUPLE))
    return same_family or (new == "blob" and isinstance(before, TUPLE))


def _bare_tuple(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    return kind.inner if isinstance(kind, FROZEN) and isinstance(kind.inner, TUPLE) else kind


@dataclass
class IndexDifferences:
    """How the indexes of a model's table and of the server's differ.

    :ivar added: those that the server lacks.
    :ivar removed: those that the model lacks.
    :ivar changed: pairs of the server's and the model's: of one name and otherwise different, or otherwise equal and
        of another name, which the server takes for duplicates.
    :ivar equal: the server's names, by the model's, of equal indexes whose name the model leaves to the server.
    """

    added: list[Index] = field(default_factory=list)
    removed: list[Index] = field(default_factory=list)
    changed: list[tuple[Index, Index]] = field(default_factory=list)
    equal: dict[str, str] = field(default_factory=dict)


def index_differences(table: Table, found: TableInfo) -> IndexDifferences:
    """Compare the indexes of two tables."""
    left = found_indexes(found, table.schema)
    result = IndexDifferences()
    waiting: list[Index] = []
    for index in sorted(table.indexes, key=lambda index: str(index.name)):
        existing = left.pop(str(index.name), None)
        if existing is None:
            waiting.append(index)
        elif index_identity(existing) != index_identity(index):
            result.changed.append((existing, index))
    for index in waiting:
        twin = next((name for name, other in left.items() if index_identity(other) == index_identity(index)), None)
        if twin is None:
            result.added.append(index)
        elif index.name is None or ANY_NAME in index.info:
            result.equal[str(index.name)] = twin
            del left[twin]
        else:
            result.changed.append((left.pop(twin), index))
    result.removed.extend(left.values())
    return result


def found_indexes(found: TableInfo, schema: str | None = None) -> dict[str, Index]:
    """Give the indexes of the server's table by name, as a model would have them."""
    indexes = [Index(index.name, index.column, **index.dialect_options) for index in found.indexes]
    columns = [Column(column.name, column.type) for column in found.columns]
    Table(found.name, MetaData(), *columns, *indexes, schema=schema)
    return {str(index.name): index for index in indexes}

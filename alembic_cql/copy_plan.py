"""Which column of a table goes into which of another, and how; refused before anything is sent where it can't be."""

from __future__ import annotations

import decimal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Table
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

from alembic_cluster.errors import CopyFailed
from alembic_cql.reflection import TableInfo
from alembic_cql.schema import Key, is_static, table_key
from alembic_cql.typenames import canonical_name, parse_type
from alembic_cql.types import COUNTER, FROZEN, LIST, MAP, SET, TUPLE, VECTOR, UserType

Convert = Callable[[Any], Any]


@dataclass(frozen=True)
class Side:
    """One of the two tables.

    :ivar kinds: ``partition_key``, ``clustering``, ``static`` or ``regular`` by column.
    :ivar types: by column.
    """

    name: str
    schema: str | None
    key: Key
    kinds: Mapping[str, str]
    types: Mapping[str, TypeEngine[Any]]

    @classmethod
    def of_info(cls, info: TableInfo, schema: str | None) -> Side:
        """Make it of what the catalog has."""
        return cls(
            info.name,
            schema,
            info.key,
            {column.name: column.kind for column in info.columns},
            {column.name: column.type for column in info.columns},
        )

    @classmethod
    def of_table(cls, table: Table, dialect: Dialect) -> Side:
        """Make it of a table that isn't there yet."""
        key = table_key(table)
        kinds = dict.fromkeys(key.partition, "partition_key") | {name: "clustering" for name, _ in key.clustering}
        for column in table.columns:
            kinds.setdefault(column.name, "static" if is_static(column) else "regular")
        types = {
            column.name: parse_type(dialect.type_compiler_instance.process(column.type)) for column in table.columns
        }
        return cls(table.name, table.schema, key, kinds, types)

    @property
    def has_counters(self) -> bool:
        """Whether what it holds are counters."""
        return any(isinstance(kind, COUNTER) for kind in self.types.values())

    def is_open(self, column: str) -> bool:
        """Whether a column is a collection or user type of several cells, which has no write time of its own."""
        kind = self.types[column]
        return isinstance(kind, (LIST, MAP, UserType)) and not isinstance(kind, VECTOR)


@dataclass(frozen=True)
class CopyPlan:
    """How rows are copied.

    :ivar columns: the source's column by the target's; what isn't there is filled, or left out.
    :ivar convert: functions of values by the target's column.
    :ivar fill: values by the target's column, where the source has none.
    :ivar implied: functions for the driver's own values, that lose nothing.
    """

    source: Side
    target: Side
    columns: Mapping[str, str]
    convert: Mapping[str, Convert] = field(default_factory=dict)
    fill: Mapping[str, Any] = field(default_factory=dict)
    implied: Mapping[str, Convert] = field(default_factory=dict)


def _same(value: Any) -> Any:
    return value


_WHOLE = ("tinyint", "smallint", "int", "bigint", "varint")
# What a type can become without losing anything, and the function that makes it so in Python.
WIDER: Mapping[tuple[str, str], Convert] = {
    **{(old, new): _same for place, old in enumerate(_WHOLE) for new in _WHOLE[place + 1 :]},
    **{(old, "decimal"): decimal.Decimal for old in _WHOLE},
    **{(old, "double"): float for old in ("tinyint", "smallint", "int", "float")},
    ("ascii", "text"): _same,
    ("timeuuid", "uuid"): _same,
    ("ascii", "blob"): str.encode,
    ("text", "blob"): str.encode,
}


def frozen_name(kind: TypeEngine[Any], dialect: Dialect) -> str:
    """Give a type's name as it is inside ``frozen<>``: two of one such name have the same values."""
    composite = isinstance(kind, (LIST, MAP, SET, TUPLE, UserType)) and not isinstance(kind, VECTOR)
    return canonical_name(FROZEN(kind) if composite else kind, dialect)


def plan_copy(
    source: Side,
    target: Side,
    dialect: Dialect,
    *,
    columns: Mapping[str, str] | None = None,
    convert: Mapping[str, Convert] | None = None,
    fill: Mapping[str, Any] | None = None,
) -> CopyPlan:
    """Say how the rows of one table become those of another.

    :param columns: the source's column by the target's, where their names differ.
    :param convert: a function by the target's column, where the types differ; it is never given None.
    :param fill: a value by the target's column, for rows that have none.
    :raises CopyFailed: for a column that isn't there, one of the key that nothing fills, a type that needs a function.
    """
    columns, convert, fill = dict(columns or {}), dict(convert or {}), dict(fill or {})
    where = f"the rows of table {source.name!r} can't be copied to {target.name!r}"
    for name in {**columns, **convert, **fill}:
        if name not in target.kinds:
            raise CopyFailed(f"{where}: {target.name!r} has no column {name!r}; nothing was copied")
    for name in columns.values():
        if name not in source.kinds:
            raise CopyFailed(f"{where}: {source.name!r} has no column {name!r}; nothing was copied")
    found = {name: columns.get(name, name) for name in target.kinds if columns.get(name, name) in source.kinds}
    for name in target.key.columns:
        if name not in found and fill.get(name) is None:
            raise CopyFailed(
                f"{where}: {source.name!r} has no column {name!r}, which is in the key of {target.name!r}: say "
                f"fill={{{name!r}: value}}; nothing was copied"
            )
    _check_counters(source, target, found, where)
    implied = {}
    for name, old in found.items():
        before, now = frozen_name(source.types[old], dialect), frozen_name(target.types[name], dialect)
        if name in convert or before == now:
            continue
        if (before, now) not in WIDER:
            before, now = canonical_name(source.types[old], dialect), canonical_name(target.types[name], dialect)
            raise CopyFailed(
                f"{where}: column {old!r} is {before} and {name!r} is {now}: say how, "
                f"convert={{{name!r}: function}}; nothing was copied"
            )
        implied[name] = WIDER[before, now]
    return CopyPlan(source, target, found, convert, fill, implied)


def _check_counters(source: Side, target: Side, found: Mapping[str, str], where: str) -> None:
    if not source.has_counters and not target.has_counters:
        return
    if source.has_counters is not target.has_counters:
        raise CopyFailed(f"{where}: only one of the two has counters; nothing was copied")
    kept = {found[name] for name in target.key.columns if name in found}
    lost = [name for name in source.key.columns if name not in kept]
    if lost:
        raise CopyFailed(
            f"{where}: column {lost[0]!r} of the key would be lost, and counters of rows that become one can't be "
            "added up so that copying again changes nothing; nothing was copied"
        )

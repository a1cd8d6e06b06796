"""Everything of one database as catalog objects by name; what both sides of a comparison are brought to.

The server's own additions (the ``rowid`` column, the shard column of a hash-sharded index, the one column family that
holds everything) are taken out, so that what is left is what somebody said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from alembic_crdb.catalog import Check, Column, Family, ForeignKey, ObjectName, PrimaryKey, Table, Unique
from alembic_crdb.catalog_objects import (
    AddConstraint,
    AlterDatabase,
    Comment,
    CompositeType,
    CreateIndex,
    Database,
    Domain,
    EnumType,
    Schema,
    Sequence,
    Statement,
    ValidateConstraint,
    View,
    ZoneConfiguration,
)

#: Schema and name.
Name: TypeAlias = tuple[str, str]

ROWID = "rowid"
EXPIRATION = "crdb_internal_expiration"
REGION = "crdb_region"
_SHARD = re.compile(r"crdb_internal_.*_shard_\d+(?:_\d+)?$", re.DOTALL)


@dataclass(frozen=True)
class Snapshot:
    """One database.

    :param comments: by kind of object (``TABLE``, ``COLUMN`` ...), its name (the table's, for what belongs to one) and
        the name of the column, index or constraint.
    :param zones: zone configurations by what they are for: the statement without its options.
    :param others: statements about objects that are neither compared nor made again.
    """

    tables: Mapping[Name, Table] = field(default_factory=dict)
    views: Mapping[Name, View] = field(default_factory=dict)
    enums: Mapping[Name, EnumType] = field(default_factory=dict)
    sequences: Mapping[Name, Sequence] = field(default_factory=dict)
    schemas: frozenset[str] = frozenset()
    comments: Mapping[tuple[str, Name, str | None], str] = field(default_factory=dict)
    zones: Mapping[ZoneConfiguration, ZoneConfiguration] = field(default_factory=dict)
    database: Database | None = None
    others: tuple[Statement, ...] = ()


def name_of(name: ObjectName, default_schema: str = "public") -> Name:
    """Give schema and name of an object; the default schema where its text named none."""
    return (name.schema or default_schema, name.name)


def snapshot_of(statements: Iterable[Statement], default_schema: str = "public") -> Snapshot:
    """Put parsed statements together: constraints and indexes into their tables, comments beside their objects.

    :param statements: in any order.
    :param default_schema: schema of names that have none.
    """
    tables: dict[Name, Table] = {}
    views: dict[Name, View] = {}
    enums: dict[Name, EnumType] = {}
    sequences: dict[Name, Sequence] = {}
    schemas: set[str] = set()
    comments: dict[tuple[str, Name, str | None], str] = {}
    zones: dict[ZoneConfiguration, ZoneConfiguration] = {}
    database: Database | None = None
    later: list[AddConstraint | CreateIndex] = []
    others: list[Statement] = []
    for statement in statements:
        match statement:
            case Table():
                tables[name_of(statement.name, default_schema)] = statement
            case View():
                views[name_of(statement.name, default_schema)] = statement
            case EnumType():
                enums[name_of(statement.name, default_schema)] = statement
            case Sequence():
                sequences[name_of(statement.name, default_schema)] = statement
            case Schema():
                schemas.add(statement.name.name)
            case Database():
                database = statement
            case Comment(text=str(text)):
                comments[statement.target, name_of(statement.name, default_schema), statement.child] = text
            case ZoneConfiguration():
                zones[replace(statement, options=())] = statement
            case AddConstraint() | CreateIndex():
                later.append(statement)
            case ValidateConstraint():
                pass  # printed for every foreign key; the one that is NOT VALID says so where it is added
            case AlterDatabase() | CompositeType() | Domain() | _:
                others.append(statement)
    for added in later:
        key = name_of(added.table, default_schema)
        if key in tables:
            tables[key] = _with(tables[key], added)
    return Snapshot(
        {key: without_server_made(table) for key, table in tables.items()},
        views,
        enums,
        sequences,
        frozenset(schemas),
        comments,
        zones,
        database,
        tuple(others),
    )


def _with(table: Table, added: AddConstraint | CreateIndex) -> Table:
    match added:
        case CreateIndex(index=index):
            return replace(table, indexes=(*table.indexes, index))
        case AddConstraint(constraint=ForeignKey() as key):
            return replace(table, foreign_keys=(*table.foreign_keys, key))
        case AddConstraint(constraint=Check() as check):
            return replace(table, checks=(*table.checks, check))
        case AddConstraint(constraint=Unique() as unique):
            return replace(table, uniques=(*table.uniques, unique))
        case AddConstraint(constraint=PrimaryKey() as key):
            return replace(table, primary_key=key)
    raise AssertionError(added)


def without_server_made(table: Table) -> Table:
    """Take out of a table what the server adds by itself.

    Sources: CockroachDB's documentation, pages "Create Table" (rowid), "Hash-sharded Indexes", "Batch Delete Expired
    Data with Row-Level TTL" (crdb_internal_expiration), "Table Localities" (crdb_region), "Column Families".
    """
    hidden = {column.name for column in table.columns if column.hidden}
    made = {name for name in hidden if _SHARD.match(name)}
    key = table.primary_key
    if key is not None and [element.name for element in key.elements] == [ROWID] and ROWID in hidden:
        made.add(ROWID)
        key = None
    if any(name == "ttl_expire_after" for name, _ in table.parameters):
        made.add(EXPIRATION)
    if table.locality is not None and table.locality.kind == "REGIONAL BY ROW" and table.locality.column is None:
        made |= hidden & {REGION}
    if not made and not table.families:
        return table
    columns = tuple(column for column in table.columns if column.name not in made)
    return replace(
        table,
        columns=columns,
        primary_key=key,
        checks=tuple(check for check in table.checks if not any(_names_shard(name, check) for name in made)),
        families=_said_families(table.families, columns, made),
    )


def _names_shard(name: str, check: Check) -> bool:
    return _SHARD.match(name) is not None and name in check.expression


def _said_families(families: tuple[Family, ...], columns: tuple[Column, ...], made: set[str]) -> tuple[Family, ...]:
    """Give the families that somebody declared: a single one of the name ``primary`` is what every table gets."""
    if len(families) == 1 and families[0].name == "primary":
        return ()
    kept = {column.name for column in columns}
    cleaned = (replace(family, columns=tuple(n for n in family.columns if n in kept)) for family in families)
    return tuple(family for family in cleaned if family.columns)

"""What has to be sent to make a keyspace hold what a MetaData says, without dropping anything that holds data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from alembic.ddl.base import AddColumn
from sqlalchemy import MetaData, Table
from sqlalchemy.schema import CreateIndex, CreateTable, DropIndex, ExecutableDDLElement

from alembic_cluster.errors import InvalidModel
from alembic_cql.checks import check_table
from alembic_cql.ddl import AlterTableOptions, CreateMaterializedView, CreateUserType
from alembic_cql.ddl_alter import AddTypeField, AlterViewOptions
from alembic_cql.ddl_objects import (
    AlterColumnCheck,
    AlterColumnMask,
    AlterKeyspace,
    CreateDefinition,
    CreateKeyspace,
    DropDefinition,
)
from alembic_cql.differences import (
    changed_options,
    changed_view_options,
    check_differences,
    display_name,
    impossible_changes,
    impossible_type_changes,
    impossible_view_changes,
    index_differences,
    mask_differences,
    refused_addition,
    uses_type,
)
from alembic_cql.functions import Definition, check_definitions
from alembic_cql.keyspaces import Keyspace
from alembic_cql.reflection import KeyspaceInfo, TableInfo
from alembic_cql.schema import KeyspaceObjects, MaterializedView, declared_types, keyspace_objects, sorted_types
from alembic_cql.sync_objects import sync_definitions, sync_keyspaces
from alembic_cql.typenames import canonical_name
from alembic_cql.types import UserType


@dataclass
class Plan:
    """What has to be done, and what can't or won't be.

    :ivar statements: to send, in order.
    :ivar only_in_database: one clause for each column, field and index that the models lack, or have otherwise,
        and that stays as it is.
    :ivar impossible: one clause for each difference that no statement could bring about.
    """

    statements: list[ExecutableDDLElement] = field(default_factory=list)
    only_in_database: list[str] = field(default_factory=list)
    impossible: list[str] = field(default_factory=list)


class Planner:
    """Compares a MetaData with the keyspaces that it names.

    :param keyspaces: what each keyspace has, by the name that the metadata's objects give (None: the connection's).
    :param dialect: of the connection.
    :param drop_removed_indexes: whether indexes that the models lack are dropped.
    """

    def __init__(
        self, keyspaces: Mapping[str | None, KeyspaceInfo], dialect: Any, *, drop_removed_indexes: bool
    ) -> None:
        self._keyspaces = keyspaces
        self._dialect = dialect
        self._drop_indexes = drop_removed_indexes
        self._plan = Plan()

    def plan(self, metadata: MetaData, declared: Iterable[Keyspace] = ()) -> Plan:
        """Make the plan.

        :param declared: the keyspaces of the metadata, as this environment has them.
        :raises InvalidModel: for a model that no server can hold.
        """
        objects = keyspace_objects(metadata)
        tables = list(metadata.tables.values())
        self._check(tables, objects)
        self._plan.statements += sync_keyspaces(declared, self._keyspaces)
        for kind in sorted_types(kind for kind in declared_types(metadata).values() if kind.fields):
            self._plan.statements += self._type(kind)
        definitions: dict[str | None, list[Definition]] = {}
        for item in objects.definitions:  # the connection's keyspace may be named, or not
            definitions.setdefault(item.schema or self._dialect.default_schema_name, []).append(item)
        for mine in definitions.values():
            schema = mine[0].schema
            statements, only_there = sync_definitions(schema, self._keyspaces[schema], mine, self._dialect)
            self._plan.statements += statements
            self._plan.only_in_database += only_there
        for table in tables:
            found = self._keyspaces[table.schema].tables.get(table.name)
            self._plan.statements += self._new_table(table) if found is None else self._table(table, found)
        for view in objects.views.values():
            self._plan.statements += self._view(view)
        self._plan.statements.sort(key=lambda statement: _ORDER.index(type(statement)))  # a stable sort
        return self._plan

    def _check(self, tables: Iterable[Table], objects: KeyspaceObjects) -> None:
        for table in tables:
            check_table(table, self._dialect)
            for column in table.columns:
                canonical_name(column.type, self._dialect)
            keyspace = self._keyspaces[table.schema]
            if table.name in keyspace.views:
                self._plan.impossible.append(f"table {display_name(table)!r} is a materialized view in the database")
        check_definitions(objects.definitions, self._dialect)
        for view in objects.views.values():
            key = view.base if view.schema is None else f"{view.schema}.{view.base}"
            keyspace = self._keyspaces[view.schema]
            if key not in {display_name(table) for table in tables} and view.base not in keyspace.tables:
                raise InvalidModel(
                    f"view {view.name!r} is of table {view.base!r}, which there is not; nothing was sent"
                )
            if view.name in keyspace.tables:
                self._plan.impossible.append(f"view {view.name!r} is a table in the database")

    def _type(self, kind: UserType) -> Iterator[ExecutableDDLElement]:
        keyspace = self._keyspaces[kind.schema]
        found = keyspace.types.get(kind.name)
        if found is None:
            yield CreateUserType(kind)
            return
        self._plan.impossible += impossible_type_changes(kind, found, self._dialect)
        existing = [name for name, _ in found.fields]
        added = [(name, field_type) for name, field_type in kind.fields if name not in existing]
        if added:
            for table in keyspace.tables.values():
                keys = [column for column in table.columns if column.kind == "partition_key"]
                if any(uses_type(column.type, kind.name) for column in keys):
                    self._plan.impossible.append(
                        f"user type {kind.name!r} can't get the field {added[0][0]!r}: it is in the partition key of "
                        f"table {table.name!r}"
                    )
        yield from (AddTypeField(kind.name, name, field_type, kind.schema) for name, field_type in added)
        wanted = {name for name, _ in kind.fields}
        self._plan.only_in_database += [
            f"field {name!r} of user type {kind.name!r} is only in the database"
            for name in existing
            if name not in wanted
        ]

    def _new_table(self, table: Table) -> Iterator[ExecutableDDLElement]:
        yield CreateTable(table, if_not_exists=True)
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            yield CreateIndex(index, if_not_exists=True)

    def _table(self, table: Table, found: TableInfo) -> Iterator[ExecutableDDLElement]:
        name = display_name(table)
        impossible = list(impossible_changes(table, found, self._dialect))
        existing = {column.name for column in found.columns}
        dropped = self._keyspaces[table.schema].dropped_columns.get(table.name, {})
        for column in table.columns:
            if column.name in existing or column.primary_key:
                continue  # a new column of the primary key is among the impossible changes already
            refusal = refused_addition(column, found, dropped, self._dialect)
            if refusal is not None:
                impossible.append(f"table {name!r}, column {column.name!r} can't be added: {refusal}")
            yield AddColumn(table.name, column, schema=table.schema)
        self._plan.impossible += impossible
        self._plan.only_in_database += [
            f"column {column.name!r} of table {name!r} is only in the database"
            for column in found.columns
            if column.name not in table.columns
        ]
        options, _ = changed_options(table, found, self._dialect)
        if (table.comment or "") != found.comment:
            options["comment"] = table.comment or ""
        if options:
            yield AlterTableOptions(table.name, options, table.schema)
        for column, mask, _ in mask_differences(table, found):
            yield AlterColumnMask(table.name, column.name, mask, table.schema)
        for column, check, _ in check_differences(table, found):
            yield AlterColumnCheck(table.name, column.name, check, table.schema)
        yield from self._indexes(table, found)

    def _indexes(self, table: Table, found: TableInfo) -> Iterator[ExecutableDDLElement]:
        differences = index_differences(table, found)
        for index in differences.added:
            yield CreateIndex(index, if_not_exists=True)
        for existing, wanted in differences.changed:
            if self._drop_indexes:
                yield DropIndex(existing)
                yield CreateIndex(wanted, if_not_exists=True)
            else:
                self._plan.only_in_database.append(
                    f"index {existing.name!r} of table {display_name(table)!r} differs from the model's "
                    f"{wanted.name!r}; drop_removed_indexes=True makes it anew"
                )
        for index in differences.removed:
            if self._drop_indexes:
                yield DropIndex(index)
            else:
                self._plan.only_in_database.append(
                    f"index {index.name!r} of table {display_name(table)!r} is only in the database; "
                    "drop_removed_indexes=True drops it"
                )

    def _view(self, view: MaterializedView) -> Iterator[ExecutableDDLElement]:
        found = self._keyspaces[view.schema].views.get(view.name)
        if found is None:
            yield CreateMaterializedView(view)
            return
        self._plan.impossible += impossible_view_changes(view, found)
        options, _ = changed_view_options(view, found, self._dialect)
        if (view.comment or "") != found.comment:
            options["comment"] = view.comment or ""
        if options:
            yield AlterViewOptions(view.name, options, view.schema)


_ORDER: list[type[ExecutableDDLElement]] = [
    CreateKeyspace,
    AlterKeyspace,
    CreateUserType,
    AddTypeField,
    DropDefinition,
    CreateDefinition,  # before the tables, whose masks may call functions
    CreateTable,
    AddColumn,
    AlterColumnMask,
    AlterColumnCheck,
    AlterTableOptions,
    DropIndex,
    CreateIndex,
    CreateMaterializedView,
    AlterViewOptions,
]

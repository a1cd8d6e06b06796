"""Autogenerate for CQL: what Alembic's own comparators don't see, and what they see wrongly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from alembic.ddl.base import AddColumn, DropColumn
from alembic.operations import ops
from alembic.util import PriorityDispatchResult
from sqlalchemy import Table
from sqlalchemy.schema import DropIndex

from alembic_cluster.cautions import note_losses
from alembic_cluster.errors import ImpossibleChange
from alembic_cql.cautions import comes_back, flat, note_cautions
from alembic_cql.checks import check_table
from alembic_cql.column_operations import AlterColumnCheckOp, AlterColumnMaskOp
from alembic_cql.compare_keyspaces import compare_keyspaces
from alembic_cql.compare_objects import ObjectDifferences, check_objects, compare_objects, views_without_table
from alembic_cql.compare_views import make_anew
from alembic_cql.ddl import DropMaterializedView
from alembic_cql.differences import (
    changed_options,
    check_differences,
    impossible_changes,
    index_differences,
    mask_differences,
)
from alembic_cql.foresight import Foresight, Refusal
from alembic_cql.heads import OWN_TABLES, is_tools_table
from alembic_cql.operations import AlterTableOptionsOp
from alembic_cql.rebuild import HOW, rebuild, rebuild_requested
from alembic_cql.reflection import KeyspaceInfo, TableInfo
from alembic_cql.typenames import canonical_name
from alembic_cql.unchanged import settle

REBUILD = (
    "No ALTER TABLE can do that: create a new table under another name with the wanted definition, copy the rows in "
    f"batches, let the program use it, and drop the old table in a later revision; {HOW}"
)


def _model_tables(autogen_context: Any) -> Iterator[Table]:
    for table in autogen_context.sorted_tables:
        if autogen_context.run_object_filters(table, table.name, "table", False, None):
            yield table


def check_model(autogen_context: Any, upgrade_ops: ops.UpgradeOps) -> PriorityDispatchResult:
    """Refuse a model that the database can't hold, before anything is compared; hide our own tables."""
    # Alembic itself would log each of them as removed.
    autogen_context._name_filters.append(lambda name, kind, _: kind != "table" or not str(name).startswith(OWN_TABLES))
    settle(autogen_context)
    for table in _model_tables(autogen_context):
        check_table(table, autogen_context.dialect)
        for column in table.columns:
            canonical_name(column.type, autogen_context.dialect)
    check_objects(autogen_context)
    return PriorityDispatchResult.CONTINUE


def compare_schemas(
    autogen_context: Any, upgrade_ops: ops.UpgradeOps, schemas: set[str | None]
) -> PriorityDispatchResult:
    """Compare what Alembic doesn't: keys, types, static columns, options, user types, materialized views."""
    keyspaces = {schema: _keyspace(autogen_context, schema) for schema in sorted(schemas, key=lambda name: name or "")}
    objects = compare_objects(autogen_context, keyspaces)
    impossible = objects.impossible
    changed_keyspaces = compare_keyspaces(autogen_context)
    options: list[ops.MigrateOperation] = []
    rebuilt: list[ops.MigrateOperation] = []
    for table in _model_tables(autogen_context):
        schema = _schema(autogen_context, table)
        if schema not in keyspaces or not autogen_context.run_name_filters(
            table.name, "table", {"schema_name": schema}
        ):
            continue
        found = keyspaces[schema].tables.get(table.name)
        if found is None:
            continue
        clauses = list(_impossible(autogen_context, table, found))
        if clauses and rebuild_requested(autogen_context, table.name):
            there = keyspaces[schema]
            taken = {*there.tables, *there.settled, *there.views, *_names(autogen_context, schema)}
            rebuilt.extend(rebuild(table, found, schema, clauses, taken, autogen_context.dialect))
            upgrade_ops.ops = [item for item in upgrade_ops.ops if not _alters(item, table.name, schema)]
            objects.leave_views_of(table.name, schema)
            continue
        impossible.extend(f"{clause}. {REBUILD}" for clause in clauses)
        _keep_equal_indexes(upgrade_ops, (table.name, schema), index_differences(table, found).equal)
        changes = [*_changed_columns(autogen_context, table, found, schema)]
        operation = _changed_options(table, found, schema, autogen_context.dialect)
        if operation is not None:
            changes.append(operation)
        if changes:
            options.append(ops.ModifyTableOps(table.name, changes, schema=schema))
    tables = [item for item in upgrade_ops.ops if not _is_not_ours(item, keyspaces)]
    for item in tables:
        if isinstance(item, ops.CreateTableOp) and item.kw.get("cql_id") is not None:
            item.kw["cql_id"] = str(item.kw["cql_id"])  # a UUID would be written without its import
    upgrade_ops.ops = [*changed_keyspaces, *objects.before, *tables, *options, *rebuilt, *objects.after]
    impossible.extend(views_without_table(autogen_context, upgrade_ops.ops, keyspaces))
    if not impossible:
        make_anew(autogen_context, upgrade_ops.ops, keyspaces, objects)
        upgrade_ops.ops = [*changed_keyspaces, *objects.before, *tables, *options, *rebuilt, *objects.after]
        impossible.extend(_foreseen(autogen_context, upgrade_ops.ops, objects, keyspaces))
        note_cautions(upgrade_ops.ops, keyspaces, autogen_context.dialect)
        note_losses(upgrade_ops.ops, autogen_context.migration_context.impl, explain=False)
    if impossible:
        raise ImpossibleChange("; ".join(dict.fromkeys(impossible)) + "; no revision was written")
    return PriorityDispatchResult.CONTINUE


def _names(autogen_context: Any, schema: str | None) -> Iterator[str]:
    """Give the names of the model's tables in a keyspace."""
    return (table.name for table in autogen_context.sorted_tables if _schema(autogen_context, table) == schema)


def _alters(operation: ops.MigrateOperation, table: str, schema: str | None) -> bool:
    return isinstance(operation, ops.ModifyTableOps) and (operation.table_name, operation.schema) == (table, schema)


def _schema(autogen_context: Any, table: Table) -> str | None:
    """Give a table's keyspace as Alembic calls it: None for that of the connection."""
    return None if table.schema == autogen_context.dialect.default_schema_name else table.schema


def _keyspace(autogen_context: Any, schema: str | None) -> KeyspaceInfo:
    info: KeyspaceInfo = autogen_context.dialect.keyspace_info(
        autogen_context.connection, schema, info_cache=autogen_context.inspector.info_cache
    )
    return info


def _impossible(autogen_context: Any, table: Table, found: TableInfo) -> Iterable[str]:
    left_out = [
        column.name
        for column in table.columns
        if not autogen_context.run_object_filters(column, column.name, "column", False, None)
    ]
    types = autogen_context.opts.get("compare_type", True) is not False
    return impossible_changes(table, found, autogen_context.dialect, left_out=left_out, types=types)


def _changed_options(table: Table, found: TableInfo, schema: str | None, dialect: Any) -> AlterTableOptionsOp | None:
    """Make the operation that brings the options to the model's, or None where they are equal."""
    changed, existing = changed_options(table, found, dialect)
    if not changed:
        return None
    return AlterTableOptionsOp(table.name, changed, existing=existing, schema=schema)


def _keep_equal_indexes(
    upgrade_ops: ops.UpgradeOps, table: tuple[str, str | None], server_names: Mapping[str, str]
) -> None:
    """Take out the operations that only give an index the name that the server would choose for it."""
    if not server_names:
        return
    for container in upgrade_ops.ops:
        if isinstance(container, ops.ModifyTableOps) and (container.table_name, container.schema) == table:
            container.ops = [
                item
                for item in container.ops
                if not (isinstance(item, ops.CreateIndexOp) and item.index_name in server_names)
                and not (isinstance(item, ops.DropIndexOp) and item.index_name in server_names.values())
            ]


def _changed_columns(
    autogen_context: Any, table: Table, found: TableInfo, schema: str | None
) -> Iterator[ops.MigrateOperation]:
    """Make the operations that bring masks and checks of columns to the model's."""
    for column, wanted, existing in mask_differences(table, found):
        if autogen_context.run_object_filters(column, column.name, "column", False, None):
            yield AlterColumnMaskOp(table.name, column.name, wanted, existing_mask=existing, schema=schema)
    for column, wanted, existing in check_differences(table, found):
        if autogen_context.run_object_filters(column, column.name, "column", False, None):
            yield AlterColumnCheckOp(table.name, column.name, wanted, existing_check=existing, schema=schema)


def _is_not_ours(operation: ops.MigrateOperation, keyspaces: Mapping[str | None, KeyspaceInfo]) -> bool:
    """Tell the drop of a table that a tool for migrations keeps, and no model: ours, Alembic's, another tool's."""
    if not isinstance(operation, ops.DropTableOp):
        return False
    found = keyspaces[operation.schema].tables.get(operation.table_name)
    return found is not None and is_tools_table(found.name, {column.name: column.kind for column in found.columns})


def _foreseen(
    autogen_context: Any,
    operations: Iterable[ops.MigrateOperation],
    objects: ObjectDifferences,
    keyspaces: Mapping[str | None, KeyspaceInfo],
) -> Iterator[str]:
    """Say which of the operations the server is sure to refuse, but for those that are written with a warning."""
    sent: list[Any] = [DropMaterializedView(view) for view in objects.dropped_views]
    foresight = Foresight(autogen_context.connection, sent)
    for item in flat(operations):
        construct = _construct(item)
        if construct is None or comes_back(item, keyspaces):
            continue
        try:
            foresight.check(construct)
        except Refusal as error:
            yield error.reason
        sent.append(construct)


def _construct(operation: ops.MigrateOperation) -> Any:
    if isinstance(operation, ops.AddColumnOp):
        return AddColumn(operation.table_name, operation.column, schema=operation.schema)
    if isinstance(operation, ops.DropColumnOp):
        return DropColumn(operation.table_name, operation.to_column(), schema=operation.schema)
    if isinstance(operation, ops.DropIndexOp):
        return DropIndex(operation.to_index())
    return None

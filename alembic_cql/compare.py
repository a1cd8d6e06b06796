"""Autogenerate for CQL: what Alembic's own comparators don't see, and what they see wrongly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from alembic.operations import ops
from alembic.util import DispatchPriority, PriorityDispatchResult
from sqlalchemy import Table

from alembic_cluster.errors import ImpossibleChange
from alembic_cql.ddl import check_table
from alembic_cql.differences import changed_options, impossible_changes, index_differences
from alembic_cql.operations import AlterTableOptionsOp
from alembic_cql.reflection import KeyspaceInfo, TableInfo
from alembic_cql.typenames import canonical_name

REBUILD = (
    "create a new table under another name with the wanted definition, copy the rows in batches, let the "
    "program use it, and drop the old table in a later revision; no revision was written"
)


def register(plugin: Any) -> None:
    """Add the comparators to an Alembic plugin.

    :param plugin: ``alembic.runtime.plugins.Plugin``.
    """
    for element in ("nullable", "server_default", "comments", "types"):
        plugin.add_autogenerate_comparator(_stop, "column", element, qualifier="cql")
    for element in ("foreignkeys",):
        plugin.add_autogenerate_comparator(_stop, "table", element, qualifier="cql")
    plugin.add_autogenerate_comparator(_check_model, "autogenerate", qualifier="cql", priority=DispatchPriority.FIRST)
    plugin.add_autogenerate_comparator(_compare_tables, "autogenerate", qualifier="cql", priority=DispatchPriority.LAST)


def _stop(*args: Any, **kw: Any) -> PriorityDispatchResult:
    """Keep Alembic from comparing what CQL doesn't have: NOT NULL, defaults, comments on columns, foreign keys."""
    return PriorityDispatchResult.STOP


def _model_tables(autogen_context: Any) -> Iterator[Table]:
    for table in autogen_context.sorted_tables:
        if autogen_context.run_object_filters(table, table.name, "table", False, None):
            yield table


def _check_model(autogen_context: Any, upgrade_ops: ops.UpgradeOps) -> PriorityDispatchResult:
    """Refuse a model that the database can't hold, before anything is compared."""
    for table in _model_tables(autogen_context):
        check_table(table)
        for column in table.columns:
            canonical_name(column.type, autogen_context.dialect)
    return PriorityDispatchResult.CONTINUE


def _compare_tables(autogen_context: Any, upgrade_ops: ops.UpgradeOps) -> PriorityDispatchResult:
    """Compare keys, types, static columns and options of the tables that both sides have."""
    impossible: list[str] = []
    for table in _model_tables(autogen_context):
        keyspace = _keyspace(autogen_context, table.schema)
        found = keyspace.tables.get(table.name)
        if found is None:
            continue
        impossible.extend(impossible_changes(table, found, autogen_context.dialect))
        _keep_equal_indexes(upgrade_ops, table, index_differences(table, found).equal)
        operation = _changed_options(table, found, autogen_context.dialect)
        if operation is not None:
            upgrade_ops.ops.append(ops.ModifyTableOps(table.name, [operation], schema=table.schema))
    if impossible:
        raise ImpossibleChange("; ".join(impossible) + f". No ALTER TABLE can do that: {REBUILD}")
    return PriorityDispatchResult.CONTINUE


def _keep_equal_indexes(upgrade_ops: ops.UpgradeOps, table: Table, server_names: Mapping[str, str]) -> None:
    """Take out the operations that only give an index the name that the server would choose for it."""
    if not server_names:
        return
    for container in upgrade_ops.ops:
        if isinstance(container, ops.ModifyTableOps) and (container.table_name, container.schema) == (
            table.name,
            table.schema,
        ):
            container.ops = [
                item
                for item in container.ops
                if not (isinstance(item, ops.CreateIndexOp) and item.index_name in server_names)
                and not (isinstance(item, ops.DropIndexOp) and item.index_name in server_names.values())
            ]


def _keyspace(autogen_context: Any, schema: str | None) -> KeyspaceInfo:
    info: KeyspaceInfo = autogen_context.dialect.keyspace_info(
        autogen_context.connection, schema, info_cache=autogen_context.inspector.info_cache
    )
    return info


def _changed_options(table: Table, found: TableInfo, dialect: Any) -> AlterTableOptionsOp | None:
    """Make the operation that brings the options to the model's, or None where they are equal."""
    changed, existing = changed_options(table, found, dialect)
    if not changed:
        return None
    return AlterTableOptionsOp(table.name, changed, existing=existing, schema=table.schema)

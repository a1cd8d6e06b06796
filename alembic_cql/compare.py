"""Autogenerate for CQL: what Alembic's own comparators don't see, and what they see wrongly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from alembic.operations import ops
from alembic.util import DispatchPriority, PriorityDispatchResult
from sqlalchemy import Table

from alembic_cluster.errors import ImpossibleChange
from alembic_cql.ddl import check_table
from alembic_cql.operations import AlterTableOptionsOp
from alembic_cql.options import TABLE_OPTIONS, complete_options, readable_option, table_options
from alembic_cql.reflection import KeyspaceInfo, TableInfo
from alembic_cql.schema import is_static, table_key
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
    plugin.add_autogenerate_comparator(
        _check_model, "autogenerate", qualifier="cql", priority=DispatchPriority.FIRST
    )
    plugin.add_autogenerate_comparator(
        _compare_tables, "autogenerate", qualifier="cql", priority=DispatchPriority.LAST
    )


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
        impossible.extend(_impossible(table, found, autogen_context.dialect))
        operation = _changed_options(table, found, autogen_context.dialect)
        if operation is not None:
            upgrade_ops.ops.append(ops.ModifyTableOps(table.name, [operation], schema=table.schema))
    if impossible:
        raise ImpossibleChange("; ".join(impossible) + f". No ALTER TABLE can do that: {REBUILD}")
    return PriorityDispatchResult.CONTINUE


def _keyspace(autogen_context: Any, schema: str | None) -> KeyspaceInfo:
    info: KeyspaceInfo = autogen_context.dialect.keyspace_info(
        autogen_context.connection, schema, info_cache=autogen_context.inspector.info_cache
    )
    return info


def _impossible(table: Table, found: TableInfo, dialect: Any) -> Iterator[str]:
    """Say what differs and can't be altered."""
    key = table_key(table)
    name = table.name if table.schema is None else f"{table.schema}.{table.name}"
    if key != found.key:
        yield f"table {name!r}: the model has {key}, the database {found.key}"
    columns = {column.name: column for column in found.columns}
    for column in table.columns:
        existing = columns.get(column.name)
        if existing is None:
            continue
        wanted_type, found_type = canonical_name(column.type, dialect), canonical_name(existing.type, dialect)
        if wanted_type != found_type:
            yield f"table {name!r}, column {column.name!r}: the model has {wanted_type}, the database {found_type}"
        if is_static(column) != (existing.kind == "static"):
            wanted = "static" if is_static(column) else "not static"
            yield f"table {name!r}, column {column.name!r}: the model has it {wanted}, the database otherwise"


def _changed_options(table: Table, found: TableInfo, dialect: Any) -> AlterTableOptionsOp | None:
    """Make the operation that brings the options to the model's, or None where they are equal."""
    wanted = complete_options(table_options(table.kwargs), table.name, dialect.features)
    existing = complete_options(found.options, table.name, dialect.features)
    changed = [name for name in TABLE_OPTIONS if name in wanted and wanted[name] != existing.get(name)]
    if not changed:
        return None
    return AlterTableOptionsOp(
        table.name,
        {name: readable_option(name, wanted[name]) for name in changed},
        existing={name: readable_option(name, existing[name]) for name in changed if name in existing},
        schema=table.schema,
    )

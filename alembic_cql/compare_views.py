"""Materialized views in the way of a column's drop: dropped before it and made anew after it, either way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from alembic.operations import MigrateOperation, ops

from alembic_cluster.notes import noted
from alembic_cql.cautions import flat
from alembic_cql.compare_objects import ANEW, ObjectDifferences, drop_view, views_of_model
from alembic_cql.features import Features
from alembic_cql.reflection import KeyspaceInfo, TableInfo, to_view
from alembic_cql.schema import MaterializedView
from alembic_cql.view_operations import (
    AlterMaterializedViewOptionsOp,
    CreateMaterializedViewOp,
    DropMaterializedViewOp,
)


class OnlyBack(ops.ModifyTableOps):
    """An operation of the downgrade alone: in the upgrade it is nothing, and no difference.

    :param operation: what is done in the downgrade.
    """

    def __init__(self, table_name: str, operation: MigrateOperation, schema: str | None) -> None:
        super().__init__(table_name, [], schema=schema)
        self._operation = operation

    def reverse(self) -> Any:
        """Give the operation."""
        return self._operation


def make_anew(
    autogen_context: Any,
    operations: Iterable[MigrateOperation],
    keyspaces: Mapping[str | None, KeyspaceInfo],
    result: ObjectDifferences,
) -> None:
    """Have the views of the model dropped and made again around the drop of a column that the server won't drop else.

    Cassandra drops no column of a table with materialized views (AlterTableStatement.java), ScyllaDB none that a view
    selects (alter_table_statement.cc). For a column that is added, it is the downgrade that drops it.

    :param operations: what is to be done for tables.
    :param result: what is to be done for views; changed in place.
    """
    features = autogen_context.dialect.features
    every = list(flat(operations))
    for operation in [item for item in every if isinstance(item, ops.DropColumnOp)]:
        wanted = views_of_model(autogen_context, operation.schema)
        keyspace = keyspaces[operation.schema]
        for name, found in _in_the_way(keyspace, operation.table_name, operation.column_name, features, result):
            if name in wanted:
                drop_view(found, operation.schema, features, result)
                _leave_options(result, name, operation.schema)
                result.after.append(CreateMaterializedViewOp(wanted[name]))
    done: set[tuple[str | None, str]] = set()
    for added in [item for item in every if isinstance(item, ops.AddColumnOp)]:
        keyspace = keyspaces[added.schema]
        for name, found in _in_the_way(keyspace, added.table_name, None, features, result):
            if name in views_of_model(autogen_context, added.schema) and (added.schema, name) not in done:
                done.add((added.schema, name))
                _make_anew_back(to_view(found, added.schema, features), added, result)


def _in_the_way(
    keyspace: KeyspaceInfo, table: str, column: str | None, features: Features, result: ObjectDifferences
) -> Iterator[tuple[str, TableInfo]]:
    """Give the views that stay and keep a column from being dropped; None stands for a new column."""
    going = {view.name for view in result.dropped_views if view.base == table}
    for name, found in keyspace.views.items():
        if found.view is None or found.view["base_table_name"] != table:
            continue
        selects = (
            bool(found.view["include_all_columns"])
            if column is None
            else any(item.name == column for item in found.columns)
        )
        in_the_way = selects or not features.drop_column_under_view
        if in_the_way and name not in going:
            yield name, found


def _make_anew_back(view: MaterializedView, operation: ops.AddColumnOp, result: ObjectDifferences) -> None:
    drop = DropMaterializedViewOp(view.name, schema=view.schema, view=view)
    noted(drop, [ANEW.format(view=view.name, base=view.base)])
    # Taken from its end, the list changes a view's options back first, then drops it.
    result.after.insert(0, OnlyBack(operation.table_name, drop, operation.schema))
    result.before.append(OnlyBack(operation.table_name, CreateMaterializedViewOp(view), operation.schema))


def _leave_options(result: ObjectDifferences, name: str, schema: str | None) -> None:
    """Take out the change of a view's options: the view that is made anew has them."""
    result.after = [
        item
        for item in result.after
        if not isinstance(item, AlterMaterializedViewOptionsOp) or (item.name, item.schema) != (name, schema)
    ]

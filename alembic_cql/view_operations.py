"""Operations of a revision on materialized views, and their CQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from alembic.autogenerate.render import renderers
from alembic.operations import MigrateOperation, Operations
from sqlalchemy.schema import ExecutableDDLElement

from alembic_cql.ddl import CreateMaterializedView, DropMaterializedView, ViewName
from alembic_cql.ddl_alter import AlterViewOptions
from alembic_cql.render import call
from alembic_cql.schema import MaterializedView


@Operations.register_operation("create_materialized_view")
class CreateMaterializedViewOp(MigrateOperation):
    """``CREATE MATERIALIZED VIEW``.

    :param view: the view.
    """

    def __init__(self, view: MaterializedView) -> None:
        self.view = view

    @classmethod
    def create_materialized_view(
        cls,
        operations: Operations,
        name: str,
        base: str,
        where: str,
        partition_key: Sequence[str],
        clustering: Sequence[str] | Mapping[str, str] = (),
        *,
        columns: Sequence[str] | None = None,
        schema: str | None = None,
        comment: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        """Create a materialized view; the server fills it from the table's rows in the background.

        ``op.create_materialized_view("by_email", "users", "email IS NOT NULL AND id IS NOT NULL", ["email"], ["id"])``.

        :param name: its name.
        :param base: name of the table it is made from.
        :param where: the condition as CQL: every column of the view's key ``IS NOT NULL``.
        :param partition_key: names of its partition key columns.
        :param clustering: names of its clustering columns, or a mapping from name to ``ASC`` or ``DESC``.
        :param columns: the columns selected; all (``*``) when None.
        :param schema: keyspace; that of the connection when None.
        :param comment: the view's comment.
        :param options: table options by name.
        :raises InvalidModel: for a value that an option doesn't take; nothing was sent.
        """
        view = MaterializedView(name, None, base, where, partition_key, clustering, columns, schema, comment, options)
        operations.invoke(cls(view))

    def reverse(self) -> DropMaterializedViewOp:
        """Give the operation that drops it."""
        return DropMaterializedViewOp(self.view.name, schema=self.view.schema, view=self.view)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Give what ``alembic check`` prints."""
        return ("add_materialized_view", self.view)


@Operations.register_operation("drop_materialized_view")
class DropMaterializedViewOp(MigrateOperation):
    """``DROP MATERIALIZED VIEW``.

    :param name: the view's name.
    :param schema: its keyspace; that of the connection when None.
    :param view: the view, for the downgrade.
    """

    def __init__(self, name: str, *, schema: str | None = None, view: MaterializedView | None = None) -> None:
        self.name = name
        self.schema = schema
        self.view = view

    @classmethod
    def drop_materialized_view(cls, operations: Operations, name: str, *, schema: str | None = None) -> None:
        """Drop a materialized view: ``op.drop_materialized_view("by_email")``."""
        operations.invoke(cls(name, schema=schema))

    def reverse(self) -> CreateMaterializedViewOp:
        """Give the operation that creates it again.

        :raises ValueError: when its definition isn't known.
        """
        if self.view is None:
            raise ValueError(f"the definition of the materialized view {self.name!r} isn't known")
        return CreateMaterializedViewOp(self.view)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Give what ``alembic check`` prints."""
        return ("remove_materialized_view", self.view or self.name)


@Operations.register_operation("alter_materialized_view_options")
class AlterMaterializedViewOptionsOp(MigrateOperation):
    """``ALTER MATERIALIZED VIEW .. WITH``.

    :param name: the view.
    :param options: new values by option name, ``comment`` included.
    :param existing: values before, for the downgrade.
    :param schema: the view's keyspace; that of the connection when None.
    """

    def __init__(
        self,
        name: str,
        options: Mapping[str, Any],
        *,
        existing: Mapping[str, Any] | None = None,
        schema: str | None = None,
    ) -> None:
        self.name = name
        self.options = dict(options)
        self.existing = dict(existing or {})
        self.schema = schema

    @classmethod
    def alter_materialized_view_options(
        cls,
        operations: Operations,
        name: str,
        options: Mapping[str, Any],
        *,
        existing: Mapping[str, Any] | None = None,
        schema: str | None = None,
    ) -> None:
        """Change options of a view: ``op.alter_materialized_view_options("v", {"gc_grace_seconds": 3600})``.

        :raises InvalidModel: for a value that an option doesn't take; nothing was sent.
        """
        operations.invoke(cls(name, options, existing=existing, schema=schema))

    def reverse(self) -> AlterMaterializedViewOptionsOp:
        """Give the operation that sets the values before.

        :raises ValueError: when they aren't known.
        """
        if set(self.existing) != set(self.options):
            raise ValueError(f"the options of {self.name!r} before the change aren't known")
        return AlterMaterializedViewOptionsOp(self.name, self.existing, existing=self.options, schema=self.schema)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Give what ``alembic check`` prints."""
        return ("alter_materialized_view_options", self.schema, self.name, self.existing, self.options)


def _send(operations: Operations, construct: ExecutableDDLElement) -> None:
    impl: Any = operations.impl
    impl._exec(construct)


@Operations.implementation_for(CreateMaterializedViewOp)
def _create_view(operations: Operations, operation: CreateMaterializedViewOp) -> None:
    _send(operations, CreateMaterializedView(operation.view))


@Operations.implementation_for(DropMaterializedViewOp)
def _drop_view(operations: Operations, operation: DropMaterializedViewOp) -> None:
    _send(operations, DropMaterializedView(operation.view or ViewName(operation.name, operation.schema)))


@Operations.implementation_for(AlterMaterializedViewOptionsOp)
def _alter_view_options(operations: Operations, operation: AlterMaterializedViewOptionsOp) -> None:
    _send(operations, AlterViewOptions(operation.name, operation.options, operation.schema))


@renderers.dispatch_for(CreateMaterializedViewOp)
def _render_create_view(autogen_context: Any, operation: CreateMaterializedViewOp) -> str:
    view = operation.view
    clustering = dict(view.key.clustering)
    columns = None if view.columns is None else list(view.columns)
    plain = set(clustering.values()) <= {"ASC"}
    return call(
        autogen_context,
        "create_materialized_view",
        [
            repr(view.name),
            repr(view.base),
            repr(view.where),
            repr(list(view.key.partition)),
            repr(list(clustering) if plain else clustering),
        ],
        columns=columns,
        schema=view.schema,
        comment=view.comment,
        options=view.options or None,
    )


@renderers.dispatch_for(DropMaterializedViewOp)
def _render_drop_view(autogen_context: Any, operation: DropMaterializedViewOp) -> str:
    return call(autogen_context, "drop_materialized_view", [repr(operation.name)], schema=operation.schema)


@renderers.dispatch_for(AlterMaterializedViewOptionsOp)
def _render_alter_view_options(autogen_context: Any, operation: AlterMaterializedViewOptionsOp) -> str:
    return call(
        autogen_context,
        "alter_materialized_view_options",
        [repr(operation.name), repr(operation.options)],
        existing=operation.existing or None,
        schema=operation.schema,
    )

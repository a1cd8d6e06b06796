"""Operations of a revision beyond Alembic's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alembic.autogenerate.render import renderers
from alembic.operations import MigrateOperation, Operations

from alembic_cql.render import call


@Operations.register_operation("alter_table_options")
class AlterTableOptionsOp(MigrateOperation):
    """``ALTER TABLE .. WITH``.

    :param table_name: the table.
    :param options: new values by option name.
    :param existing: values before, for the downgrade.
    :param schema: the table's keyspace; that of the connection when None.
    """

    def __init__(
        self,
        table_name: str,
        options: Mapping[str, Any],
        *,
        existing: Mapping[str, Any] | None = None,
        schema: str | None = None,
    ) -> None:
        self.table_name = table_name
        self.options = dict(options)
        self.existing = dict(existing or {})
        self.schema = schema

    @classmethod
    def alter_table_options(
        cls,
        operations: Operations,
        table_name: str,
        options: Mapping[str, Any],
        *,
        existing: Mapping[str, Any] | None = None,
        schema: str | None = None,
    ) -> None:
        """Change options of a table: ``op.alter_table_options("t", {"gc_grace_seconds": 3600})``.

        A map such as ``compaction`` is replaced whole, as the server does it.

        :raises InvalidModel: for a value that the option doesn't take; nothing was sent.
        """
        operations.invoke(cls(table_name, options, existing=existing, schema=schema))

    def reverse(self) -> AlterTableOptionsOp:
        """Give the operation that sets the values before.

        :raises ValueError: when they aren't known.
        """
        if set(self.existing) != set(self.options):
            raise ValueError(f"the options of {self.table_name!r} before the change aren't known")
        return AlterTableOptionsOp(self.table_name, self.existing, existing=self.options, schema=self.schema)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Give what ``alembic check`` prints."""
        return ("alter_table_options", self.schema, self.table_name, self.existing, self.options)


@Operations.implementation_for(AlterTableOptionsOp)
def _alter_table_options(operations: Operations, operation: AlterTableOptionsOp) -> None:
    impl: Any = operations.impl
    impl.alter_table_options(operation.table_name, operation.options, operation.schema)


@renderers.dispatch_for(AlterTableOptionsOp)
def _render_alter_table_options(autogen_context: Any, operation: AlterTableOptionsOp) -> str:
    return call(
        autogen_context,
        "alter_table_options",
        [repr(operation.table_name), repr(operation.options)],
        existing=operation.existing or None,
        schema=operation.schema,
    )

"""Operations of a revision on what a column has beside its type: a mask, a check."""

from __future__ import annotations

from typing import Any

from alembic.autogenerate.render import renderers
from alembic.operations import MigrateOperation, Operations

from alembic_cql.ddl_objects import AlterColumnCheck, AlterColumnMask
from alembic_cql.render import call


@Operations.register_operation("alter_column_mask")
class AlterColumnMaskOp(MigrateOperation):
    """``ALTER TABLE .. ALTER .. MASKED WITH``, or ``DROP MASKED``.

    :param table_name: the table.
    :param column_name: the column.
    :param mask: ``DEFAULT`` or the call of a masking function; None drops the mask.
    :param existing_mask: the mask before, for the downgrade.
    :param schema: the table's keyspace; that of the connection when None.
    """

    def __init__(
        self,
        table_name: str,
        column_name: str,
        mask: str | None,
        *,
        existing_mask: str | None = None,
        schema: str | None = None,
    ) -> None:
        self.table_name = table_name
        self.column_name = column_name
        self.mask = mask
        self.existing_mask = existing_mask
        self.schema = schema

    @classmethod
    def alter_column_mask(
        cls,
        operations: Operations,
        table_name: str,
        column_name: str,
        mask: str | None,
        *,
        existing_mask: str | None = None,
        schema: str | None = None,
    ) -> None:
        """Mask a column, or no more: ``op.alter_column_mask("users", "email", "mask_inner(1, null)")``.

        :param table_name: the table.
        :param column_name: the column.
        :param mask: ``DEFAULT`` or the call of a masking function; None drops the mask.
        :param existing_mask: the mask before, as autogenerate writes it.
        :param schema: the table's keyspace; that of the connection when None.
        :raises InvalidModel: for what isn't the call of a function; nothing was sent.
        :raises UnsupportedConstruct: where the server has no masks; nothing was sent.
        """
        operations.invoke(cls(table_name, column_name, mask, existing_mask=existing_mask, schema=schema))

    def reverse(self) -> AlterColumnMaskOp:
        """Give the operation that sets what was before."""
        return AlterColumnMaskOp(
            self.table_name, self.column_name, self.existing_mask, existing_mask=self.mask, schema=self.schema
        )

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Give what ``alembic check`` prints."""
        return ("alter_column_mask", self.schema, self.table_name, self.column_name, self.existing_mask, self.mask)


@Operations.register_operation("alter_column_check")
class AlterColumnCheckOp(MigrateOperation):
    """``ALTER TABLE .. ALTER .. CHECK``, or ``DROP CHECK``.

    :param table_name: the table.
    :param column_name: the column.
    :param check: the condition as CQL; None drops it.
    :param existing_check: the condition before, for the downgrade.
    :param schema: the table's keyspace; that of the connection when None.
    """

    def __init__(
        self,
        table_name: str,
        column_name: str,
        check: str | None,
        *,
        existing_check: str | None = None,
        schema: str | None = None,
    ) -> None:
        self.table_name = table_name
        self.column_name = column_name
        self.check = check
        self.existing_check = existing_check
        self.schema = schema

    @classmethod
    def alter_column_check(
        cls,
        operations: Operations,
        table_name: str,
        column_name: str,
        check: str | None,
        *,
        existing_check: str | None = None,
        schema: str | None = None,
    ) -> None:
        """Have the server check a column's values, or no more: ``op.alter_column_check("users", "age", "age > 0")``.

        :param table_name: the table.
        :param column_name: the column.
        :param check: the condition as CQL; None drops it.
        :param existing_check: the condition before.
        :param schema: the table's keyspace; that of the connection when None.
        :raises UnsupportedConstruct: where the server has no checks; nothing was sent.
        """
        operations.invoke(cls(table_name, column_name, check, existing_check=existing_check, schema=schema))

    def reverse(self) -> AlterColumnCheckOp:
        """Give the operation that sets what was before."""
        return AlterColumnCheckOp(
            self.table_name, self.column_name, self.existing_check, existing_check=self.check, schema=self.schema
        )

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Give what ``alembic check`` prints."""
        return ("alter_column_check", self.schema, self.table_name, self.column_name, self.existing_check, self.check)


@Operations.implementation_for(AlterColumnMaskOp)
def _alter_mask(operations: Operations, operation: AlterColumnMaskOp) -> None:
    impl: Any = operations.impl
    impl._exec(AlterColumnMask(operation.table_name, operation.column_name, operation.mask, operation.schema))


@Operations.implementation_for(AlterColumnCheckOp)
def _alter_check(operations: Operations, operation: AlterColumnCheckOp) -> None:
    impl: Any = operations.impl
    impl._exec(AlterColumnCheck(operation.table_name, operation.column_name, operation.check, operation.schema))


@renderers.dispatch_for(AlterColumnMaskOp)
def _render_mask(autogen_context: Any, operation: AlterColumnMaskOp) -> str:
    return call(
        autogen_context,
        "alter_column_mask",
        [repr(operation.table_name), repr(operation.column_name), repr(operation.mask)],
        existing_mask=operation.existing_mask,
        schema=operation.schema,
    )


@renderers.dispatch_for(AlterColumnCheckOp)
def _render_check(autogen_context: Any, operation: AlterColumnCheckOp) -> str:
    return call(
        autogen_context,
        "alter_column_check",
        [repr(operation.table_name), repr(operation.column_name), repr(operation.check)],
        existing_check=operation.existing_check,
        schema=operation.schema,
    )

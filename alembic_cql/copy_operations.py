"""``op.copy_table``: the rows of one table copied to another."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

from alembic.autogenerate.render import renderers
from alembic.operations import MigrateOperation, Operations, ops
from sqlalchemy.schema import CreateTable

from alembic_cluster.errors import CopyFailed
from alembic_cql.copy_plan import Side, plan_copy
from alembic_cql.copying import CopyRows
from alembic_cql.foresight import Refusal
from alembic_cql.render import call


@Operations.register_operation("copy_table")
class CopyTableOp(MigrateOperation):
    """The rows of a table copied to another one; its arguments are those of ``op.copy_table``."""

    def __init__(
        self,
        source: str,
        target: str,
        *,
        columns: Mapping[str, str] | None = None,
        convert: Mapping[str, Callable[[Any], Any]] | None = None,
        fill: Mapping[str, Any] | None = None,
        schema: str | None = None,
    ) -> None:
        self.source = source
        self.target = target
        self.columns = dict(columns or {})
        self.convert = dict(convert or {})
        self.fill = dict(fill or {})
        self.schema = schema

    @classmethod
    def copy_table(
        cls,
        operations: Operations,
        source: str,
        target: str,
        *,
        columns: Mapping[str, str] | None = None,
        convert: Mapping[str, Callable[[Any], Any]] | None = None,
        fill: Mapping[str, Any] | None = None,
        schema: str | None = None,
    ) -> None:
        """Copy the rows of a table to another one: ``op.copy_table("events", "events_v2", convert={"n": str})``.

        It goes by token ranges and pages, holds no more than a page in memory, and may run while a program uses both
        tables: each value keeps its write time and its time to live, so that what was written to the new table later
        stays, and copying again changes nothing but what changed in the old table. Deletes are not copied. A copy
        that was ended half-way is done by copying again. Rows that have one key in the new table become one row.

        :param source: the table that is read.
        :param target: the table that is written; what it has of the source's columns is copied.
        :param columns: the source's column by the target's, where their names differ.
        :param convert: a function by the target's column, for types that aren't the same or a wider one. It is given
            a Python value, never None.
        :param fill: a value by the target's column, for rows that have none; key columns need one.
        :param schema: the keyspace of both; that of the connection when None.
        :raises CopyFailed: for what can't be copied, before anything of the revision is sent; for a row that has no
            value for the new key when it comes to it.
        :raises UnsupportedOperation: in ``--sql``.
        """
        operations.invoke(cls(source, target, columns=columns, convert=convert, fill=fill, schema=schema))

    def reverse(self) -> MigrateOperation:
        """Give an operation that does nothing: the source has its rows still."""
        return ops.ModifyTableOps(self.source, [], schema=self.schema)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Give what ``alembic check`` prints."""
        return ("copy_table", self.schema, self.source, self.target)


@Operations.implementation_for(CopyTableOp)
def _copy_table(operations: Operations, operation: CopyTableOp) -> None:
    impl: Any = operations.impl
    if impl.as_sql:
        raise Refusal(
            f"no script can copy the rows of {operation.source!r}",
            "run this revision on the database (alembic upgrade), and write the scripts for those before and after it",
        )
    with nullcontext() if impl.rehearsal is None else impl.rehearsal.reading_aside():
        keyspace = impl.dialect.keyspace_info(impl.connection, operation.schema)
    recorded = () if impl.rehearsal is None else impl.rehearsal.constructs
    sides = []
    for name in (operation.source, operation.target):
        made = [item.element for item in recorded if isinstance(item, CreateTable) and item.element.name == name]
        if made:
            sides.append(Side.of_table(made[-1], impl.dialect))
        elif name in keyspace.tables:
            sides.append(Side.of_info(keyspace.tables[name], operation.schema))
        elif any(isinstance(item, str) for item in recorded):
            return  # a text that the revision sends before may create it; the real run tells
        else:
            raise CopyFailed(f"there is no table {name!r} to copy rows from or to; nothing was copied")
    source, target = sides
    plan = plan_copy(
        source, target, impl.dialect, columns=operation.columns, convert=operation.convert, fill=operation.fill
    )
    impl._exec(CopyRows(plan))


@renderers.dispatch_for(CopyTableOp)
def _render_copy_table(autogen_context: Any, operation: CopyTableOp) -> str:
    functions = ", ".join(
        f"{name!r}: {_function_name(function, autogen_context)}" for name, function in operation.convert.items()
    )
    arguments = [repr(operation.source), repr(operation.target)]
    arguments += [f"convert={{{functions}}}"] if functions else []
    return call(
        autogen_context,
        "copy_table",
        arguments,
        columns=operation.columns or None,
        fill=operation.fill or None,
        schema=operation.schema,
    )


def _function_name(function: Any, autogen_context: Any) -> str:
    name: str = function.__name__
    if getattr(builtins, name, None) is function:
        return name
    autogen_context.imports.add(f"import {function.__module__}")
    return f"{function.__module__}.{function.__qualname__}"

"""What Alembic writes into a revision, of a model's tables: all that CREATE TABLE would say of them.

Alembic's own renderers leave out what stands at a column rather than at the table (checks, a Sequence), the options
of a primary key, and options whose values are objects.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

# Alembic has no public way to say how a kind of constraint is rendered.
from alembic.autogenerate.render import _constraint_renderers
from alembic.operations import ops
from sqlalchemy import (
    CheckConstraint,
    Column,
    Constraint,
    DefaultClause,
    Index,
    PrimaryKeyConstraint,
    Sequence,
    Table,
    UniqueConstraint,
)
from sqlalchemy.sql.base import DialectKWArgs

from alembic_crdb.model_reader import Reader
from alembic_crdb.to_metadata import given, parameter_value, sql

_OURS: Final = ("cockroachdb_", "postgresql_")
_COLUMNS: Final = ("include",)
_BY_COLUMN: Final = ("sorting", "ops")


class _PrimaryKeyWithOptions(PrimaryKeyConstraint):
    """A primary key whose options are written, too."""


@_constraint_renderers.dispatch_for(_PrimaryKeyWithOptions)
def _render_primary_key(constraint: PrimaryKeyConstraint, autogen_context: Any, namespace_metadata: Any) -> Any:
    plain = _constraint_renderers.dispatch(PrimaryKeyConstraint)(constraint, autogen_context, namespace_metadata)
    said = "".join(f", {name}={value!r}" for name, value in sorted(dict(constraint.dialect_kwargs).items()))
    return plain if plain is None else f"{plain.removesuffix(')')}{said})"


def create_table(table: Table, reader: Reader, without: Collection[Constraint] = ()) -> ops.CreateTableOp:
    """Give the operation that creates a table of a model.

    :param table: the table.
    :param reader: reads for the dialect.
    :param without: constraints that are added when other tables are there.
    """
    operation = ops.CreateTableOp.from_table(table)
    # By identity: a Column has no other comparison than that of SQL.
    left_out = set(map(id, without))
    items = [_item(item, table, reader) for item in operation.columns if id(item) not in left_out]
    operation.columns = [*items, *_checks_of_columns(table, reader)]
    operation.kw = plain_options(operation.kw, table, reader)
    return operation


def create_index(index: Index, reader: Reader) -> ops.CreateIndexOp:
    """Give the operation that creates an index of a model."""
    operation = ops.CreateIndexOp.from_index(index)
    operation.kw = plain_options(operation.kw, index.table, reader)
    return operation


def with_plain_options(operation: Any, constraint: Constraint, reader: Reader) -> ops.AddConstraintOp:
    """Give an operation that adds a constraint of a model, with options that can be written."""
    if isinstance(operation, ops.CreateUniqueConstraintOp):
        operation.kw = plain_options(operation.kw, constraint.table, reader)
    if isinstance(operation, ops.CreateCheckConstraintOp) and isinstance(constraint, CheckConstraint):
        # As text: a constraint that the operation makes of the model's columns would become one of the model's table.
        operation.condition = sql(reader.sql(constraint.sqltext))
    added: ops.AddConstraintOp = operation
    return added


def column_with_default(column: Column[Any], reader: Reader) -> Column[Any]:
    """Give a column that says the default which its Sequence means."""
    default = column.default
    if column.server_default is not None or not isinstance(default, Sequence) or default.optional:
        return column
    copied: Column[Any] = column._copy()
    copied.default = None
    copied.server_default = DefaultClause(sql(reader.next_value(default)))
    return copied


def added_column(column: Column[Any], reader: Reader) -> Column[Any]:
    """Give a column for ``op.add_column``: the check of its type is an operation of its own, which has a way back."""
    told = column_with_default(column, reader)
    if not getattr(column.type, "create_constraint", False):
        return told
    if told is column:
        told = column._copy()  # and of its type
    told.type.create_constraint = False  # type: ignore[attr-defined]
    return told


def _item(item: Any, table: Table, reader: Reader) -> Any:
    if isinstance(item, Column):
        return column_with_default(item, reader)
    if isinstance(item, PrimaryKeyConstraint):
        return _primary_key(item, table, reader)
    if isinstance(item, UniqueConstraint):
        return _unique(item, table, reader)
    return item


def _primary_key(key: PrimaryKeyConstraint, table: Table, reader: Reader) -> PrimaryKeyConstraint:
    said = _said(key, table, reader)
    if not said:
        return key
    return _PrimaryKeyWithOptions(
        *(column.name for column in key.columns), name=None if key.name is None else str(key.name), **said
    )


def _unique(unique: UniqueConstraint, table: Table, reader: Reader) -> UniqueConstraint:
    said = _said(unique, table, reader)
    if said == dict(unique.dialect_kwargs):
        return unique
    return UniqueConstraint(*(column.name for column in unique.columns), name=unique.name, **said)


def _said(item: DialectKWArgs, table: Table, reader: Reader) -> dict[str, Any]:
    return plain_options(dict(item.dialect_kwargs) if item.dialect_options else {}, table, reader)


def _checks_of_columns(table: Table, reader: Reader) -> list[CheckConstraint]:
    """Give the checks that the model says of single columns."""
    return [
        CheckConstraint(sql(reader.sql(check.sqltext)), name=given(reader.name_of(check)), **check.dialect_kwargs)
        for column in table.columns
        for check in column.constraints
        if isinstance(check, CheckConstraint) and reader.should_create(check)
    ]


def plain_options(said: Mapping[str, Any], table: Table | None, reader: Reader) -> dict[str, Any]:
    """Give dialect options with values whose ``repr`` is Python: names for columns, texts for intervals and SQL.

    :param said: options with the names of their dialects.
    :param table: the table that they are about.
    :param reader: reads for the dialect.
    """
    return {name: _plain_option(name, value, table, reader) for name, value in said.items()}


def _plain_option(name: str, value: Any, table: Table | None, reader: Reader) -> Any:
    ours = next((prefix for prefix in _OURS if name.startswith(prefix)), None)
    if ours is None or value is None:
        return value
    option = name.removeprefix(ours)
    if option == "with":
        return {key: parameter_value(text) for key, text in reader.parameters(value, "an object")}
    if option == "families":
        return {family: [reader.column_name(table, each) for each in columns] for family, columns in value.items()}
    if option in _COLUMNS:
        return [reader.column_name(table, each) for each in value]
    if option in _BY_COLUMN:
        return {reader.column_name(table, key): each for key, each in value.items()}
    return value


__all__ = ["added_column", "column_with_default", "create_index", "create_table", "plain_options", "with_plain_options"]

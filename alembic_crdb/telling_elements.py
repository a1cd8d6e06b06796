"""Changes of columns, indexes and constraints told as operations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from alembic.operations import MigrateOperation, ops
from sqlalchemy import Column, Constraint, Index, UniqueConstraint

from alembic_crdb import catalog, changes, rendering
from alembic_crdb import operations as own
from alembic_crdb.naming import add_constraint
from alembic_crdb.snapshot import Name
from alembic_crdb.telling_sides import Sides, existing_default
from alembic_crdb.to_metadata import check_constraint, make_index, unique_constraint

_DATA_LOSS: Final = (
    "The formula of column {column} of {table} differs, which no server changes in place: the column is dropped and "
    "added again, and its values are computed anew from the rows as they are then."
)


class ElementTeller:
    """Tells what changes in a table's columns, indexes and constraints.

    :param sides: what the server has and what the models say.
    """

    def __init__(self, sides: Sides) -> None:
        self.sides = sides

    def column_change(
        self,
        key: Name,
        change: changes.AddColumn | changes.DropColumn | changes.AlterColumn | changes.ReplaceColumn,
    ) -> Iterator[MigrateOperation]:
        """Tell a change of a column."""
        name, schema = key[1], self.sides.schema(key)
        match change:
            case changes.AddColumn(column=column):
                wanted = self.sides.model_column(key, column.name)
                if self.sides.included(wanted, column.name, "column", False):
                    yield self._add_column(key, wanted)
            case changes.DropColumn(column=column):
                existing = self.sides.reflected(key).c[column.name]
                if self.sides.included(existing, column.name, "column", True):
                    yield ops.DropColumnOp.from_column_and_tablename(schema, name, existing)
            case changes.ReplaceColumn(old=old, new=new):
                yield own.NoteOp(_DATA_LOSS.format(column=new.name, table=name))
                existing = self.sides.reflected(key).c[old.name]
                yield ops.DropColumnOp.from_column_and_tablename(schema, name, existing)
                yield self._add_column(key, self.sides.model_column(key, new.name))
            case changes.AlterColumn():
                wanted = self.sides.model_column(key, change.new.name)
                if self.sides.included(
                    wanted, change.new.name, "column", False, self.sides.reflected(key).c[change.old.name]
                ):
                    yield from self._altered_column(key, change, wanted)

    def _add_column(self, key: Name, column: Column[Any]) -> MigrateOperation:
        told = rendering.added_column(column, self.sides.reader)
        return ops.AddColumnOp.from_column_and_tablename(self.sides.schema(key), key[1], told)

    def _altered_column(
        self, key: Name, change: changes.AlterColumn, wanted: Column[Any]
    ) -> Iterator[MigrateOperation]:
        name, schema = key[1], self.sides.schema(key)
        existing = self.sides.reflected(key).c[change.old.name]
        aspects = set(change.aspects)
        if self.sides.context.opts.get("compare_type") is False:
            aspects.discard("type")
        modified: dict[str, Any] = {}
        if "type" in aspects:
            modified["modify_type"] = wanted.type
        if "nullable" in aspects:
            modified["modify_nullable"] = wanted.nullable
        if "default" in aspects or "identity" in aspects:
            modified["modify_server_default"] = rendering.column_with_default(wanted, self.sides.reader).server_default
        if modified:
            yield ops.AlterColumnOp(
                name,
                change.old.name,
                schema=schema,
                existing_type=existing.type,
                existing_nullable=existing.nullable,
                existing_server_default=existing_default(existing, "modify_server_default" in modified),
                existing_comment=existing.comment,
                **modified,
            )
        if aspects & {"on_update", "hidden"}:
            hidden, on_update = "hidden" in aspects, "on_update" in aspects
            yield own.AlterColumnOptionsOp(
                name,
                change.old.name,
                change.new.hidden if hidden else None,
                change.new.on_update or "" if on_update else None,
                change.old.hidden if hidden else None,
                change.old.on_update or "" if on_update else None,
                schema,
            )

    def index_change(
        self, key: Name, change: changes.AddIndex | changes.DropIndex | changes.AlterIndexVisibility
    ) -> Iterator[MigrateOperation]:
        """Tell a change of an index."""
        match change:
            case changes.AddIndex(index=index):
                item = self.sides.model_item(key, index)
                if isinstance(item, UniqueConstraint):
                    if self.sides.included(item, item.name, "unique_constraint", False):
                        yield self.add_constraint(key, item, index)
                elif isinstance(item, Index) and self.sides.included(item, item.name, "index", False):
                    yield rendering.create_index(item, self.sides.reader)
            case changes.DropIndex(index=index):
                table = self.sides.reflected(key)
                found = next((each for each in table.indexes if each.name == index.name), None)
                if found is None:
                    found = make_index(index, table)
                kind = "index"
                if self.sides.included(found, index.name, kind, True):
                    yield ops.DropIndexOp.from_index(found)
            case changes.AlterIndexVisibility(index=name, old=old, new=new):
                yield own.AlterIndexVisibilityOp(name, key[1], new, old, self.sides.schema(key))

    def constraint_change(
        self, key: Name, change: changes.AddConstraint | changes.DropConstraint | changes.ValidateConstraint
    ) -> Iterator[MigrateOperation]:
        """Tell a change of a foreign key, check or unique constraint without an index."""
        constraint = change.constraint
        if isinstance(change, changes.ValidateConstraint):
            yield own.ValidateConstraintOp(str(constraint.name), key[1], self.sides.schema(key))
            return
        kind = {
            catalog.ForeignKey: "foreign_key_constraint",
            catalog.Unique: "unique_constraint",
            catalog.Check: "check_constraint",
        }[type(constraint)]
        if isinstance(change, changes.AddConstraint):
            item = self.sides.model_item(key, constraint)
            if item is not None and self.sides.included(item, item.name, kind, False):
                yield self.add_constraint(key, item, constraint)
            return
        found = self._reflected_constraint(key, constraint)
        if self.sides.included(found, found.name, kind, True):
            yield ops.DropConstraintOp.from_constraint(found)

    def _reflected_constraint(self, key: Name, constraint: changes.Constraint) -> Any:
        table = self.sides.reflected(key)
        found = next((each for each in table.constraints if each.name == constraint.name), None)
        if found is None:
            match constraint:
                case catalog.Check():
                    found = check_constraint(constraint)
                case catalog.Unique():
                    found = unique_constraint(constraint)
                case catalog.ForeignKey():
                    found = self.sides.maker.foreign_key(constraint)
            table.append_constraint(found)
        return found

    def add_constraint(self, key: Name, constraint: Constraint, element: Any) -> MigrateOperation:
        """Tell that a constraint of the model is added."""
        operation = add_constraint(constraint, key[1], element)
        return rendering.with_plain_options(operation, constraint, self.sides.reader)


__all__ = ["ElementTeller"]

"""Changes told as Alembic's operations, in an order in which the server takes them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from alembic.operations import MigrateOperation, ops
from sqlalchemy import Table
from sqlalchemy.schema import sort_tables_and_constraints

from alembic_crdb import catalog, changes, rendering
from alembic_crdb import operations as own
from alembic_crdb import operations_objects as own_objects
from alembic_crdb.changes import Change
from alembic_crdb.model_constraints import constraint_to_catalog
from alembic_crdb.model_objects import table_comments
from alembic_crdb.printer_base import ElementPrinter
from alembic_crdb.snapshot import Name, Snapshot
from alembic_crdb.telling_elements import ElementTeller
from alembic_crdb.telling_objects import ObjectTeller
from alembic_crdb.telling_sides import Sides, existing_default
from alembic_crdb.to_metadata import (
    locality_text,
    parameter_value,
)

log = logging.getLogger("alembic.cockroachdb")  # below the logger that alembic.ini sets up
_PRINT = ElementPrinter(catalog.CANONICAL)


class Teller:
    """Tells the changes of one comparison.

    :param autogen_context: Alembic's ``AutogenContext``.
    :param database: what the server has.
    :param model: what the models say.
    :param tables: the models' tables, each after those that it refers to.
    :param default_schema: the schema of tables that name none.
    """

    def __init__(
        self, autogen_context: Any, database: Snapshot, model: Snapshot, tables: list[Table], default_schema: str
    ) -> None:
        self.default_schema = default_schema
        self.sides = Sides(autogen_context, database, tables, default_schema)
        self.elements = ElementTeller(self.sides)
        self.objects = ObjectTeller(database, model, default_schema)

    def tell(self, found: list[Change]) -> Iterator[MigrateOperation]:
        """Give the operations.

        Foreign keys go before everything that they need and come after it, whatever tables that is on.

        :param found: the changes.
        """
        found = self.objects.with_views_in_the_way(found)
        yield from self.objects.before(found)
        yield from self._added_tables({change.table for change in found if isinstance(change, changes.AddTable)})
        yield from self._modified(found)
        yield from self.objects.after(found)

    # --------------------------------------------------------------------------------------------- tables

    def _added_tables(self, keys: set[Name]) -> Iterator[MigrateOperation]:
        """Create tables, each after those that it refers to; foreign keys of circles when all are there."""
        included = [
            table
            for key, table in self.sides.tables.items()
            if key in keys and self.sides.included(table, table.name, "table", False)
        ]
        *ordered, (_, late) = _sorted(included)
        for table, _ in ordered:
            log.info("Detected added table %r", table.fullname)
            yield rendering.create_table(table, self.sides.reader, late)
            for index in sorted(table.indexes, key=lambda each: str(each.name)):
                if self.sides.reader.should_create(index) and self.sides.included(index, index.name, "index", False):
                    yield rendering.create_index(index, self.sides.reader)
            yield from self._comments_of_constraints(table)
        for constraint in sorted(late, key=lambda each: (each.table.fullname, str(each.name))):
            if self.sides.reader.should_create(constraint):
                key = (constraint.table.schema or self.default_schema, str(constraint.table.name))
                yield self.elements.add_constraint(
                    key, constraint, constraint_to_catalog(constraint, self.sides.reader)
                )

    def _comments_of_constraints(self, table: Table) -> Iterator[MigrateOperation]:
        for comment in table_comments(table, self.sides.reader):
            if comment.target == "CONSTRAINT":
                name, schema = comment.name.name, comment.name.schema
                yield own_objects.CommentOnOp("CONSTRAINT", name, comment.text, comment.child, schema=schema)

    def _dropped_tables(self, keys: set[Name]) -> Iterator[MigrateOperation]:
        """Drop tables, each before those that it refers to."""
        included = [
            table
            for table in map(self.sides.reflected, sorted(keys))
            if self.sides.included(table, table.name, "table", True)
        ]
        *ordered, (_, late) = _sorted(included)
        for constraint in sorted(late, key=lambda each: (each.table.fullname, str(each.name)), reverse=True):
            yield ops.DropConstraintOp.from_constraint(constraint)
        for table, _ in reversed(ordered):
            log.info("Detected removed table %r", table.fullname)
            for index in sorted(table.indexes, key=lambda each: str(each.name)):
                yield ops.DropIndexOp.from_index(index)
            operation = ops.DropTableOp.from_table(table)
            operation._reverse = rendering.create_table(table, self.sides.reader, late)
            yield operation

    def _modified(self, found: list[Change]) -> Iterator[MigrateOperation]:
        by_table: dict[Name, list[Change]] = {}
        for change in found:
            key = getattr(change, "table", None) or (
                change.name if isinstance(change, changes.AlterComment) and change.name in self.sides.tables else None
            )
            if key is not None and not isinstance(change, changes.AddTable | changes.DropTable):
                by_table.setdefault(key, []).append(change)
        included = {
            key: several
            for key, several in by_table.items()
            if self.sides.included(
                self.sides.tables[key], self.sides.tables[key].name, "table", False, self.sides.reflected(key)
            )
        }
        for stage in range(_STAGES):
            if stage == 1:  # tables that nothing refers to any more, before the keys that they refer to change
                yield from self._dropped_tables({each.table for each in found if isinstance(each, changes.DropTable)})
            for key, several in included.items():
                ranked = sorted((change for change in several if _stage(change) == stage), key=_rank)
                told = [op for change in ranked for op in self._table_change(key, change)]
                if told:
                    table = self.sides.tables[key]
                    yield ops.ModifyTableOps(str(table.name), told, schema=table.schema)

    def _table_change(self, key: Name, change: Change) -> Iterator[MigrateOperation]:
        log.info("Detected %s on %s", type(change).__name__, ".".join(key))
        name, schema = key[1], self.sides.schema(key)
        match change:
            case changes.AddColumn() | changes.DropColumn() | changes.AlterColumn() | changes.ReplaceColumn():
                yield from self.elements.column_change(key, change)
            case changes.AddIndex() | changes.DropIndex() | changes.AlterIndexVisibility():
                yield from self.elements.index_change(key, change)
            case changes.AddConstraint() | changes.DropConstraint() | changes.ValidateConstraint():
                yield from self.elements.constraint_change(key, change)
            case changes.AlterPrimaryKey(old=old, new=new):
                yield self._primary_key(name, schema, old, new)
            case changes.AlterParameters(old=old, new=new):
                yield own.SetStorageParametersOp(name, _values(new), _values(old), schema)
            case changes.AlterLocality(old=old, new=new):
                yield own.SetLocalityOp(name, _locality(new), _locality(old), schema)
            case changes.AlterPartitioning(index=index, old=old, new=new):
                yield own.PartitionByOp(name, _partitioning(new), index, _partitioning(old), schema)
            case changes.AlterFamilies():
                yield own.NoteOp(
                    f"The column families of {name} differ from the model's, and no statement moves a column to "
                    "another family: make a new table, or take the families of the database into the model."
                )
            case changes.AlterComment():
                yield self._comment(key, change)

    def _primary_key(
        self, table: str, schema: str | None, old: catalog.PrimaryKey | None, new: catalog.PrimaryKey | None
    ) -> MigrateOperation:
        if new is None:
            return own.NoteOp(f"The model of {table} has no primary key; the table keeps its own, for it needs one.")
        existing = None if old is None else _key_columns(old)
        return own.AlterPrimaryKeyOp(
            table, _key_columns(new), existing, _buckets(new), None if old is None else _buckets(old), schema
        )

    def _comment(self, key: Name, change: changes.AlterComment) -> MigrateOperation:
        name, schema = key[1], self.sides.schema(key)
        if change.kind == "TABLE":
            if change.new is None:
                return ops.DropTableCommentOp(name, schema=schema, existing_comment=change.old)
            return ops.CreateTableCommentOp(name, change.new, schema=schema, existing_comment=change.old)
        if change.kind == "COLUMN":
            existing = self.sides.reflected(key).c[str(change.child)]
            return ops.AlterColumnOp(
                name,
                str(change.child),
                schema=schema,
                existing_type=existing.type,
                existing_nullable=existing.nullable,
                existing_server_default=existing_default(existing),
                existing_comment=change.old,
                modify_comment=change.new,
            )
        return own_objects.CommentOnOp(change.kind, name, change.new, change.child, change.old, schema)  # type: ignore[arg-type]


def _sorted(tables: list[Table]) -> Any:
    """Order tables, each after those that it refers to; last comes a pair of None and the foreign keys of circles."""
    return sort_tables_and_constraints(tables)  # type: ignore[no-untyped-call]


#: References go first and come last.
_STAGES = 3


def _stage(change: Change) -> int:
    match change:
        case changes.DropConstraint(constraint=catalog.ForeignKey()):
            return 0
        case changes.AddConstraint(constraint=catalog.ForeignKey()):
            return 2
    return 1


def _rank(change: Change) -> int:
    """Order the changes of one table: what stands in the way goes first, columns come before what is made of them."""
    order: tuple[Any, ...] = (
        changes.DropConstraint,
        changes.DropIndex,
        changes.AddColumn,
        changes.AlterColumn,
        changes.ReplaceColumn,
        changes.AlterPrimaryKey,
        changes.DropColumn,
        changes.AddIndex,
        changes.AddConstraint,
    )
    return order.index(type(change)) if type(change) in order else len(order)


def _key_columns(key: catalog.PrimaryKey) -> list[str]:
    return [f"{each.name} DESC" if each.direction == "DESC" else str(each.name) for each in key.elements]


def _buckets(key: catalog.PrimaryKey) -> int | None:
    return (key.bucket_count or 16) if key.hash_sharded else None


def _values(parameters: tuple[tuple[str, str | None], ...]) -> dict[str, Any]:
    return {name: None if value is None else parameter_value(value) for name, value in parameters}


def _locality(locality: catalog.Locality) -> str:
    return locality_text(locality)


def _partitioning(partitioning: catalog.Partitioning | None) -> str:
    if partitioning is None:
        return "NOTHING"
    return " ".join(_PRINT.partitioning(partitioning, 0).removeprefix("PARTITION ").removeprefix("BY ").split())


__all__ = ["Teller"]

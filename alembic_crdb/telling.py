"""Changes told as Alembic's operations, in an order in which the server takes them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import Any

from alembic.operations import MigrateOperation, ops
from sqlalchemy import Column, Index, MetaData, Table, UniqueConstraint
from sqlalchemy.types import NullType

from alembic_crdb import catalog, changes
from alembic_crdb import operations as own
from alembic_crdb import operations_objects as own_objects
from alembic_crdb import operations_regions as own_regions
from alembic_crdb.changes import Change
from alembic_crdb.model import elements_of
from alembic_crdb.model_objects import names_in
from alembic_crdb.model_reader import Reader
from alembic_crdb.naming import add_constraint
from alembic_crdb.printer import to_sql
from alembic_crdb.printer_base import ElementPrinter
from alembic_crdb.snapshot import Name, Snapshot, name_of
from alembic_crdb.telling_regions import regions_after, regions_before
from alembic_crdb.to_metadata import (
    TableMaker,
    check_constraint,
    locality_text,
    make_index,
    parameter_value,
    sequence_options,
    unique_constraint,
)

log = logging.getLogger("alembic.cockroachdb")  # below the logger that alembic.ini sets up
_PRINT = ElementPrinter(catalog.CANONICAL)
_DATA_LOSS = (
    "The formula of column {column} of {table} differs, which no server changes in place: the column is dropped and "
    "added again, and its values are computed anew from the rows as they are then."
)
#: What must be there before the tables that use it, what can only go after them.


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
        self.context = autogen_context
        self.database = database
        self.model = model
        self.default_schema = default_schema
        self.tables = {(table.schema or default_schema, str(table.name)): table for table in tables}
        self.maker = TableMaker(database, default_schema)
        self.reader = Reader(autogen_context.dialect)
        self._metadata = MetaData()
        self._made: dict[Name, Table] = {}
        self._elements: dict[Name, dict[Any, Any]] = {}

    def tell(self, found: list[Change]) -> Iterator[MigrateOperation]:
        """Give the operations.

        :param found: the changes.
        """
        found = self._with_views_in_the_way(found)
        before = (changes.DropView, changes.AddEnum, changes.AlterEnum, changes.AddSequence)
        after = (changes.DropSequence, changes.AddView, changes.AlterZone)
        yield from regions_before(found)
        yield from self._objects(change for change in found if isinstance(change, before))
        yield from self._added_tables([change.table for change in found if isinstance(change, changes.AddTable)])
        yield from self._dropped_tables([change.table for change in found if isinstance(change, changes.DropTable)])
        yield from self._modified(found)
        yield from self._objects(change for change in found if isinstance(change, after))
        yield from self._unused_enums(found)
        yield from regions_after(found)

    def _key(self, name: catalog.ObjectName) -> Name:
        return name_of(name, self.default_schema)

    def _with_views_in_the_way(self, found: list[Change]) -> list[Change]:
        """Have views dropped first and created last that are to be replaced, or whose tables' columns change.

        The server neither drops nor alters a column that a view selects, and replaces a query only by a longer one.
        """
        altered = {
            change.table[1]
            for change in found
            if isinstance(change, changes.DropColumn | changes.ReplaceColumn)
            or (isinstance(change, changes.AlterColumn) and "type" in change.aspects)
        }
        replaced = {self._key(each.new.name) for each in found if isinstance(each, changes.ReplaceView)}
        new = {self._key(each.view.name) for each in found if isinstance(each, changes.AddView)}
        in_the_way = {
            key
            for key, view in self.database.views.items()
            if key in self.model.views and key not in new and not altered.isdisjoint(names_in(view.query))
        }
        again = [key for key in self.database.views if key in replaced | in_the_way]
        kept = [change for change in found if not isinstance(change, changes.ReplaceView)]
        return [
            *(changes.DropView(self.database.views[key]) for key in reversed(again)),
            *kept,
            *(changes.AddView(self.model.views[key]) for key in again),
        ]

    # --------------------------------------------------------------------------------------------- tables

    def _included(self, item: Any, name: Any, kind: str, reflected: bool, compare_to: Any = None) -> bool:
        return bool(self.context.run_object_filters(item, name, kind, reflected, compare_to))

    def _schema(self, key: Name) -> str | None:
        return None if key[0] == self.default_schema else key[0]

    def _reflected(self, key: Name) -> Table:
        """Make SQLAlchemy's table of one that the server has, once, and those that its foreign keys name."""
        if key not in self._made:
            self._made[key] = self.maker.table(key, self._metadata)
            for foreign_key in self.database.tables[key].foreign_keys:
                self._referred(name_of(foreign_key.table, self.default_schema), foreign_key.referenced)
        return self._made[key]

    def _referred(self, key: Name, columns: Iterable[str]) -> None:
        if key in self._made:
            return
        if key in self.database.tables:
            self._reflected(key)
        else:  # left out of the comparison; Alembic asks no more of it than its name
            named = (Column(column, NullType()) for column in columns)
            Table(key[1], self._metadata, *named, schema=self._schema(key), extend_existing=True)

    def _added_tables(self, keys: list[Name]) -> Iterator[MigrateOperation]:
        for key, table in self.tables.items():
            if key not in keys or not self._included(table, table.name, "table", False):
                continue
            log.info("Detected added table %r", table.fullname)
            yield ops.CreateTableOp.from_table(table)
            for index in sorted(table.indexes, key=lambda each: str(each.name)):
                if self._included(index, index.name, "index", False):
                    yield ops.CreateIndexOp.from_index(index)

    def _dropped_tables(self, keys: list[Name]) -> Iterator[MigrateOperation]:
        for key in self._referring_first(keys):
            table = self._reflected(key)
            if not self._included(table, table.name, "table", True):
                continue
            log.info("Detected removed table %r", table.fullname)
            for index in sorted(table.indexes, key=lambda each: str(each.name)):
                yield ops.DropIndexOp.from_index(index)
            yield ops.DropTableOp.from_table(table)

    def _referring_first(self, keys: list[Name]) -> list[Name]:
        """Order tables so that each comes before those that it refers to."""
        ordered: list[Name] = []
        waiting = set(keys)

        def visit(key: Name) -> None:
            if key not in waiting:
                return
            waiting.discard(key)
            for foreign_key in self.database.tables[key].foreign_keys:
                visit(name_of(foreign_key.table, self.default_schema))
            ordered.append(key)

        for key in keys:
            visit(key)
        return ordered[::-1]

    def _modified(self, found: list[Change]) -> Iterator[MigrateOperation]:
        by_table: dict[Name, list[Change]] = {}
        for change in found:
            key = getattr(change, "table", None) or (
                change.name if isinstance(change, changes.AlterComment) and change.name in self.tables else None
            )
            if key is not None and not isinstance(change, changes.AddTable | changes.DropTable):
                by_table.setdefault(key, []).append(change)
        for key, several in by_table.items():
            table = self.tables[key]
            if not self._included(table, table.name, "table", False, self._reflected(key)):
                continue
            told = [op for change in sorted(several, key=_rank) for op in self._table_change(key, change)]
            if told:
                yield ops.ModifyTableOps(str(table.name), told, schema=table.schema)

    def _table_change(self, key: Name, change: Change) -> Iterator[MigrateOperation]:
        log.info("Detected %s on %s", type(change).__name__, ".".join(key))
        name, schema = key[1], self._schema(key)
        match change:
            case changes.AddColumn() | changes.DropColumn() | changes.AlterColumn() | changes.ReplaceColumn():
                yield from self._column_change(key, change)
            case changes.AddIndex() | changes.DropIndex() | changes.AlterIndexVisibility():
                yield from self._index_change(key, change)
            case changes.AddConstraint() | changes.DropConstraint() | changes.ValidateConstraint():
                yield from self._constraint_change(key, change)
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

    def _column_change(
        self,
        key: Name,
        change: changes.AddColumn | changes.DropColumn | changes.AlterColumn | changes.ReplaceColumn,
    ) -> Iterator[MigrateOperation]:
        name, schema = key[1], self._schema(key)
        match change:
            case changes.AddColumn(column=column):
                wanted = self._model_column(key, column.name)
                if self._included(wanted, column.name, "column", False):
                    yield ops.AddColumnOp.from_column_and_tablename(schema, name, wanted)
            case changes.DropColumn(column=column):
                existing = self._reflected(key).c[column.name]
                if self._included(existing, column.name, "column", True):
                    yield ops.DropColumnOp.from_column_and_tablename(schema, name, existing)
            case changes.ReplaceColumn(old=old, new=new):
                yield own.NoteOp(_DATA_LOSS.format(column=new.name, table=name))
                existing = self._reflected(key).c[old.name]
                yield ops.DropColumnOp.from_column_and_tablename(schema, name, existing)
                yield ops.AddColumnOp.from_column_and_tablename(schema, name, self._model_column(key, new.name))
            case changes.AlterColumn():
                wanted = self._model_column(key, change.new.name)
                if self._included(wanted, change.new.name, "column", False, self._reflected(key).c[change.old.name]):
                    yield from self._altered_column(key, change, wanted)

    def _altered_column(
        self, key: Name, change: changes.AlterColumn, wanted: Column[Any]
    ) -> Iterator[MigrateOperation]:
        name, schema = key[1], self._schema(key)
        existing = self._reflected(key).c[change.old.name]
        aspects = set(change.aspects)
        if self.context.opts.get("compare_type") is False:
            aspects.discard("type")
        modified: dict[str, Any] = {}
        if "type" in aspects:
            modified["modify_type"] = wanted.type
        if "nullable" in aspects:
            modified["modify_nullable"] = wanted.nullable
        if "default" in aspects or "identity" in aspects:
            modified["modify_server_default"] = wanted.server_default
        if modified:
            yield ops.AlterColumnOp(
                name,
                change.old.name,
                schema=schema,
                existing_type=existing.type,
                existing_nullable=existing.nullable,
                existing_server_default=_existing_default(existing),
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

    def _model_column(self, key: Name, name: str) -> Column[Any]:
        table = self.tables[key]
        return next(column for column in table.columns if str(column.name) == name)

    def _model_item(self, key: Name, element: Any) -> Any:
        """Give the model's constraint or index of a catalog object."""
        if key not in self._elements:
            pairs = elements_of(self.tables[key], self.reader)
            self._elements[key] = dict(pairs)
        items = self._elements[key]
        if element in items:
            return items[element]
        return next(
            (item for each, item in items.items() if _same_columns(each, element)),
            None,
        )

    def _index_change(
        self, key: Name, change: changes.AddIndex | changes.DropIndex | changes.AlterIndexVisibility
    ) -> Iterator[MigrateOperation]:
        match change:
            case changes.AddIndex(index=index):
                item = self._model_item(key, index)
                if isinstance(item, UniqueConstraint):
                    if self._included(item, item.name, "unique_constraint", False):
                        yield add_constraint(item, key[1], index)
                elif isinstance(item, Index) and self._included(item, item.name, "index", False):
                    yield ops.CreateIndexOp.from_index(item)
            case changes.DropIndex(index=index):
                table = self._reflected(key)
                found = next((each for each in table.indexes if each.name == index.name), None)
                if found is None:
                    found = make_index(index, table)
                kind = "index"
                if self._included(found, index.name, kind, True):
                    yield ops.DropIndexOp.from_index(found)
            case changes.AlterIndexVisibility(index=name, old=old, new=new):
                yield own.AlterIndexVisibilityOp(name, key[1], new, old, self._schema(key))

    def _constraint_change(
        self, key: Name, change: changes.AddConstraint | changes.DropConstraint | changes.ValidateConstraint
    ) -> Iterator[MigrateOperation]:
        constraint = change.constraint
        if isinstance(change, changes.ValidateConstraint):
            yield own.ValidateConstraintOp(str(constraint.name), key[1], self._schema(key))
            return
        kind = {
            catalog.ForeignKey: "foreign_key_constraint",
            catalog.Unique: "unique_constraint",
            catalog.Check: "check_constraint",
        }[type(constraint)]
        if isinstance(change, changes.AddConstraint):
            item = self._model_item(key, constraint)
            if item is not None and self._included(item, item.name, kind, False):
                yield add_constraint(item, key[1], constraint)
            return
        found = self._reflected_constraint(key, constraint)
        if self._included(found, found.name, kind, True):
            yield ops.DropConstraintOp.from_constraint(found)

    def _reflected_constraint(self, key: Name, constraint: changes.Constraint) -> Any:
        table = self._reflected(key)
        found = next((each for each in table.constraints if each.name == constraint.name), None)
        if found is None:
            match constraint:
                case catalog.Check():
                    found = check_constraint(constraint)
                case catalog.Unique():
                    found = unique_constraint(constraint)
                case catalog.ForeignKey():
                    found = self.maker.foreign_key(constraint)
            table.append_constraint(found)
        return found

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
        name, schema = key[1], self._schema(key)
        if change.kind == "TABLE":
            if change.new is None:
                return ops.DropTableCommentOp(name, schema=schema, existing_comment=change.old)
            return ops.CreateTableCommentOp(name, change.new, schema=schema, existing_comment=change.old)
        if change.kind == "COLUMN":
            existing = self._reflected(key).c[str(change.child)]
            return ops.AlterColumnOp(
                name,
                str(change.child),
                schema=schema,
                existing_type=existing.type,
                existing_nullable=existing.nullable,
                existing_server_default=_existing_default(existing),
                existing_comment=change.old,
                modify_comment=change.new,
            )
        return own_objects.CommentOnOp(change.kind, name, change.new, change.child, change.old, schema)  # type: ignore[arg-type]

    # ------------------------------------------------------------------------------------- other objects

    def _objects(self, found: Iterable[Change]) -> Iterator[MigrateOperation]:
        for change in found:
            log.info("Detected %s", type(change).__name__)
            match change:
                case changes.AddEnum(enum=enum):
                    yield own_objects.CreateEnumOp(enum.name.name, list(enum.values), self._of(enum.name))
                case changes.AlterEnum():
                    yield from self._enum_values(change)
                case changes.AddSequence(sequence=sequence):
                    options = sequence_options(sequence.options)
                    yield own_objects.CreateSequenceOp(sequence.name.name, options or None, self._of(sequence.name))
                case changes.DropSequence(sequence=sequence):
                    options = sequence_options(sequence.options)
                    yield own_objects.DropSequenceOp(sequence.name.name, options, self._of(sequence.name))
                case changes.AddView(view=view):
                    yield own_objects.CreateViewOp(
                        view.name.name, view.query, view.materialized, list(view.columns) or (), self._of(view.name)
                    )
                case changes.DropView(view=view):
                    yield own_objects.DropViewOp(
                        view.name.name, view.query, view.materialized, list(view.columns) or (), self._of(view.name)
                    )
                case changes.AlterZone(old=old, new=new):
                    yield _zone(old, new)

    def _of(self, name: catalog.ObjectName) -> str | None:
        return None if name.schema in (None, self.default_schema) else name.schema

    def _enum_values(self, change: changes.AlterEnum) -> Iterator[MigrateOperation]:
        """Tell how the values of an enum type change: what is gone and what is new in its place is a renaming."""
        name, schema = change.new.name.name, self._of(change.new.name)
        old, new = list(change.old.values), list(change.new.values)
        gone = [value for value in old if value not in new]
        added = [value for value in new if value not in old]
        if len(gone) == len(added) == 1 and old.index(gone[0]) == new.index(added[0]):
            yield own_objects.RenameEnumValueOp(name, gone[0], added[0], schema)
            return
        for position, value in enumerate(new):
            if value in old:
                continue
            if position:
                yield own_objects.AddEnumValueOp(name, value, after=new[position - 1], schema=schema)
            else:
                following = next((each for each in new[1:] if each in old), None)
                yield own_objects.AddEnumValueOp(name, value, before=following, schema=schema)
        for value in gone:
            before = old[: old.index(value)]
            previous = before[-1] if before else None
            behind = old[old.index(value) + 1 :]
            following = behind[0] if previous is None and behind else None
            yield own_objects.DropEnumValueOp(name, value, following, previous, schema)

    def _unused_enums(self, found: list[Change]) -> Iterator[MigrateOperation]:
        """Drop the enum types whose last column these changes drop."""
        going = {(change.table, change.column.name) for change in found if isinstance(change, changes.DropColumn)} | {
            (change.table, change.old.name)
            for change in found
            if isinstance(change, changes.AlterColumn | changes.ReplaceColumn)
        }
        gone = {change.table for change in found if isinstance(change, changes.DropTable)}
        for name, enum in self.database.enums.items():
            if name in self.model.enums:
                continue
            users = [
                (key, column.name)
                for key, table in self.database.tables.items()
                for column in table.columns
                if isinstance(column.type.name, catalog.ObjectName)
                and (column.type.name.schema or self.default_schema, column.type.name.name) == name
            ]
            if users and all(key in gone or (key, column) in going for key, column in users):
                yield own_objects.DropEnumOp(enum.name.name, list(enum.values), self._of(enum.name))


def _existing_default(column: Column[Any]) -> Any:
    """Give a column's default as Alembic's operations take it: False for none."""
    return False if column.server_default is None else column.server_default


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


def _same_columns(one: Any, other: Any) -> bool:
    """Tell whether two catalog objects are one, spelled differently, such as an unnamed constraint and its index."""
    names = {getattr(one, "name", None), getattr(other, "name", None)} - {None}
    return len(names) < 2 and _columns(one) == _columns(other)


def _columns(item: Any) -> Any:
    if isinstance(item, catalog.Index):
        return ("unique" if item.unique else "index", tuple(element.name for element in item.elements))
    if isinstance(item, catalog.Unique):
        return ("unique", item.columns)
    if isinstance(item, catalog.ForeignKey):
        return ("foreign key", item.columns, item.table.name, item.referenced)
    return (type(item).__name__, getattr(item, "expression", None))


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


def _zone(old: Any, new: Any) -> MigrateOperation:
    target = to_sql(new or old, catalog.CANONICAL).split(" CONFIGURE ZONE", 1)[0].removeprefix("ALTER ")

    def options(zone: Any) -> dict[str, Any]:
        return {} if zone is None else {name: parameter_value(value) for name, value in zone.options}

    return own_regions.ConfigureZoneOp(target, options(new), options(old))


__all__ = ["Teller"]

"""Changes of what is no table told as operations: schemas, enum types, sequences, views, zones, regions."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from alembic.operations import MigrateOperation

from alembic_crdb import catalog, changes
from alembic_crdb import operations as own
from alembic_crdb import operations_objects as own_objects
from alembic_crdb.catalog_objects import View
from alembic_crdb.changes import Change
from alembic_crdb.model_objects import names_in, sorted_views
from alembic_crdb.operations_regions import ConfigureZoneOp
from alembic_crdb.operations_schemas import CreateSchemaOp
from alembic_crdb.printer import to_sql
from alembic_crdb.snapshot import Name, Snapshot, name_of
from alembic_crdb.telling_regions import regions_after, regions_before
from alembic_crdb.to_metadata import parameter_value, sequence_options

log = logging.getLogger(__name__)
#: What must be there before the tables that use it, and what can only go after them.
_BEFORE = (changes.AddSchema, changes.AddEnum, changes.AlterEnum, changes.AddSequence)


class ObjectTeller:
    """Tells the changes of one comparison that are not about tables.

    :param database: what the server has.
    :param model: what the models say.
    :param default_schema: the schema of objects that name none.
    """

    def __init__(self, database: Snapshot, model: Snapshot, default_schema: str) -> None:
        self.database = database
        self.model = model
        self.default_schema = default_schema

    def before(self, found: list[Change]) -> Iterator[MigrateOperation]:
        """Tell what comes before the changes of tables."""
        gone = {self._key(change.view.name): change.view for change in found if isinstance(change, changes.DropView)}
        for view in reversed(sorted_views(gone.values())):
            yield own_objects.DropViewOp(*self._view(view))
        yield from regions_before(found)
        for kind in _BEFORE:
            yield from self._objects(change for change in found if isinstance(change, kind))

    def after(self, found: list[Change]) -> Iterator[MigrateOperation]:
        """Tell what comes after the changes of tables."""
        yield from self._objects(change for change in found if isinstance(change, changes.DropSequence))
        for view in sorted_views([change.view for change in found if isinstance(change, changes.AddView)]):
            yield own_objects.CreateViewOp(*self._view(view))
        yield from self._objects(change for change in found if isinstance(change, changes.AlterZone))
        for change in found:
            if isinstance(change, changes.AlterEnum):
                yield from self._old_values(change)
        yield from self._unused_enums(found)
        yield from regions_after(found)

    def _key(self, name: catalog.ObjectName) -> Name:
        return name_of(name, self.default_schema)

    def with_views_in_the_way(self, found: list[Change]) -> list[Change]:
        """Have views dropped first and created last that are to be replaced, or whose tables' columns change.

        The server neither drops nor alters a column that a view selects, and replaces a query only by a longer one.
        The views of such a view go and come with it. A view that the model doesn't have goes with its table.
        """
        altered = {
            change.table[1]
            for change in found
            if isinstance(change, changes.ReplaceColumn)
            or (isinstance(change, changes.AlterColumn) and "type" in change.aspects)
        }
        narrowed = {change.table[1] for change in found if isinstance(change, changes.DropColumn)}
        gone = {change.table[1] for change in found if isinstance(change, changes.DropTable)}
        selects = {key: set(names_in(view.query)) for key, view in self.database.views.items()}
        left = selects.keys() - self.model.views.keys()
        dropped = {self._key(each.view.name) for each in found if isinstance(each, changes.DropView)}
        # The server drops no table that a view selects from, whether or not the model knows the view.
        useless = _with_their_views(gone, {key: names for key, names in selects.items() if key in left - dropped})
        replaced = {self._key(each.new.name) for each in found if isinstance(each, changes.ReplaceView)}
        names = {name for _, name in replaced | dropped | useless}
        known = {key: each for key, each in selects.items() if key in self.model.views}
        again = replaced | _with_their_views(altered | narrowed | names, known)
        others = {key: each for key, each in selects.items() if key not in dropped | useless}
        again |= _with_their_views(altered | {name for _, name in again}, others)
        return [
            *(changes.DropView(self.database.views[key]) for key in sorted(again | useless)),
            *(change for change in found if not isinstance(change, changes.ReplaceView)),
            *(changes.AddView(self.model.views.get(key, self.database.views[key])) for key in sorted(again)),
        ]

    def _view(self, view: View) -> tuple[Any, ...]:
        return (view.name.name, view.query, view.materialized, list(view.columns) or (), self._of(view.name))

    def _objects(self, found: Iterable[Change]) -> Iterator[MigrateOperation]:
        for change in found:
            log.info("Detected %s", type(change).__name__)
            match change:
                case changes.AddSchema(schema=schema):
                    yield CreateSchemaOp(schema)
                case changes.AddEnum(enum=enum):
                    yield own_objects.CreateEnumOp(enum.name.name, list(enum.values), self._of(enum.name))
                case changes.AlterEnum():
                    yield from self._new_values(change)
                case changes.AddSequence(sequence=sequence):
                    options = sequence_options(sequence.options)
                    yield own_objects.CreateSequenceOp(sequence.name.name, options or None, self._of(sequence.name))
                case changes.DropSequence(sequence=sequence):
                    options = sequence_options(sequence.options)
                    yield own_objects.DropSequenceOp(sequence.name.name, options, self._of(sequence.name))
                case changes.AlterZone(old=zone, new=wanted):
                    yield _zone(zone, wanted)

    def _of(self, name: catalog.ObjectName) -> str | None:
        return None if name.schema in (None, self.default_schema) else name.schema

    def _new_values(self, change: changes.AlterEnum) -> Iterator[MigrateOperation]:
        """Tell which values an enum type gets, and which is renamed."""
        name, schema = change.new.name.name, self._of(change.new.name)
        renamed = _renamed(change)
        if renamed is not None:
            yield own_objects.RenameEnumValueOp(name, *renamed, schema)
            return
        old, new = change.old.values, change.new.values
        for position, value in enumerate(new):
            if value in old:
                continue
            if position:
                yield own_objects.AddEnumValueOp(name, value, after=new[position - 1], schema=schema)
            else:
                following = next((each for each in new if each in old), None)
                yield own_objects.AddEnumValueOp(name, value, before=following, schema=schema)
        if [value for value in old if value in new] != [value for value in new if value in old]:
            yield own.NoteOp(
                f"The values of the enum type {name} are in another order than the model's: no statement moves a value."
            )

    def _old_values(self, change: changes.AlterEnum) -> Iterator[MigrateOperation]:
        """Tell which values an enum type loses: the last one first, so that the way back finds the one before each."""
        if _renamed(change) is not None:
            return
        name, schema = change.new.name.name, self._of(change.new.name)
        old, new = change.old.values, change.new.values
        for position, value in reversed(list(enumerate(old))):
            if value in new:
                continue
            if position:
                yield own_objects.DropEnumValueOp(name, value, after=old[position - 1], schema=schema)
            else:
                following = next((each for each in old if each in new), None)
                yield own_objects.DropEnumValueOp(name, value, before=following, schema=schema)

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


def _with_their_views(names: set[str], views: Mapping[Name, set[str]]) -> set[Name]:
    """Give the views that select from one of these tables and views, and those that select from such a view."""
    found: set[Name] = set()
    while more := {key for key, each in views.items() if key not in found and not names.isdisjoint(each)}:
        found |= more
        names = names | {name for _, name in more}
    return found


def _zone_option(value: str) -> Any:
    return None if value.upper().split() == ["COPY", "FROM", "PARENT"] else parameter_value(value)


def _renamed(change: changes.AlterEnum) -> tuple[str, str] | None:
    """Give the old and the new name of the one value that stands where the other one stood; None for another change."""
    old, new = change.old.values, change.new.values
    differing = [(one, other) for one, other in zip(old, new, strict=False) if one != other]
    if len(old) != len(new) or len(differing) != 1 or differing[0][1] in old:
        return None
    return differing[0]


def _zone(old: Any, new: Any) -> MigrateOperation:
    target = to_sql(new or old, catalog.CANONICAL).split(" CONFIGURE ZONE", 1)[0].removeprefix("ALTER ")

    def options(zone: Any) -> dict[str, Any]:
        return {} if zone is None else {name: _zone_option(value) for name, value in zone.options}

    return ConfigureZoneOp(target, options(new), options(old))


__all__ = ["ObjectTeller"]

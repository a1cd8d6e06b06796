"""Two databases compared: what a model says against what a server has."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

from sqlalchemy.util import md5_hex

from alembic_crdb import changes, equality
from alembic_crdb.catalog import Column, Index, IndexElement, Locality, Table, Unique
from alembic_crdb.catalog_objects import Database, ZoneConfiguration
from alembic_crdb.changes import Change
from alembic_crdb.lexer import quote_name
from alembic_crdb.snapshot import Name, Snapshot, name_of

T = TypeVar("T")
_NEXT_VALUE = re.compile(r"nextval\('((?:[^']|'')*)'")
_LONGEST = 63  # of PostgreSQL's names, and so of sqlalchemy-cockroachdb's
_DEFAULT_LOCALITY = Locality("REGIONAL BY TABLE")


def compare_tables(key: Name, database: Table, model: Table, default_schema: str = "public") -> Iterator[Change]:
    """Compare one table.

    :param key: its schema and name.
    :param database: as the server has it.
    :param model: as the model says it.
    """
    if database == model:
        return
    yield from _columns(key, database, model, default_schema)
    if not equality.same_primary_key(database.primary_key, model.primary_key):
        yield changes.AlterPrimaryKey(key, database.primary_key, model.primary_key)
    yield from _indexes(key, database, model)
    yield from _foreign_keys(key, database, model, default_schema)
    yield from _checks(key, database, model)
    yield from _uniques(key, database, model)
    old, new = equality.parameter_differences(database.parameters, model.parameters)
    if old:
        yield changes.AlterParameters(key, old, new)
    have, want = database.locality or _DEFAULT_LOCALITY, model.locality or _DEFAULT_LOCALITY
    if have != want:
        yield changes.AlterLocality(key, have, want)
    if database.partitioning != model.partitioning:
        yield changes.AlterPartitioning(key, None, database.partitioning, model.partitioning)
    yield from _families(key, database, model)


def _columns(key: Name, database: Table, model: Table, default_schema: str) -> Iterator[Change]:
    have = {column.name: column for column in database.columns}
    want = {column.name: column for column in model.columns}
    for name, column in want.items():
        if name not in have:
            yield changes.AddColumn(key, column)
    for name, column in have.items():
        if name not in want:
            yield changes.DropColumn(key, column)
        elif column != want[name]:
            yield from _column(key, column, want[name], default_schema)


def _column(key: Name, database: Column, model: Column, default_schema: str) -> Iterator[Change]:
    if not equality.same_computed(database, model):
        yield changes.ReplaceColumn(key, database, model)
        return
    differing = set()
    if not equality.same_type(database.type, model.type, default_schema):
        differing.add("type")
    if database.nullable != model.nullable:
        differing.add("nullable")
    if not equality.same_default(database, model):
        differing.add("default")
    if not equality.equivalent(database.on_update, model.on_update, database.type):
        differing.add("on_update")
    if database.hidden != model.hidden:
        differing.add("hidden")
    if not _same_identity(database, model):
        differing.add("identity")
    if differing:
        yield changes.AlterColumn(key, database, model, frozenset(differing))


def _same_identity(database: Column, model: Column) -> bool:
    have, want = database.identity, model.identity
    if have is None or want is None:
        return have is want
    options = ("increment", "start", "min_value", "max_value", "cache", "cycle")
    defaults = {"increment": 1, "start": 1, "min_value": 1, "max_value": 2**63 - 1, "cache": 1, "cycle": False}

    def said(identity: object, name: str) -> object:
        value = getattr(identity, name)
        return defaults[name] if value in (None, "NO") else value

    return have.always == want.always and all(said(have.options, n) == said(want.options, n) for n in options)


def _all_indexes(table: Table) -> list[Index]:
    """Give the indexes, those of unique constraints among them."""
    constraints = [
        Index(unique.name, tuple(IndexElement(name) for name in unique.columns), True, predicate=unique.predicate)
        for unique in table.uniques
        if not unique.without_index
    ]
    return [*table.indexes, *constraints]


def _indexes(key: Name, database: Table, model: Table) -> Iterator[Change]:
    for have, want in _pair(_all_indexes(database), _all_indexes(model), equality.same_index):
        if have is None and want is not None:
            yield changes.AddIndex(key, want)
        elif want is None and have is not None:
            yield changes.DropIndex(key, have)
        elif have is not None and want is not None and have != want:
            if not equality.same_index(have, want):
                yield changes.DropIndex(key, have)
                yield changes.AddIndex(key, replace(want, name=want.name or have.name))
                continue
            if have.visibility != want.visibility:
                yield changes.AlterIndexVisibility(key, str(have.name), have.visibility, want.visibility)
            if have.partitioning != want.partitioning and want.partitioning is not None:
                yield changes.AlterPartitioning(key, have.name, have.partitioning, want.partitioning)


def _pair(have: list[T], want: list[T], same: Callable[[T, T], bool]) -> Iterator[tuple[T | None, T | None]]:
    """Pair what belongs together: by name, and what the model leaves unnamed by what it is."""
    by_name = {_short(getattr(each, "name", None)): each for each in have}
    left = list(have)
    unnamed = []
    for wanted in want:
        name = getattr(wanted, "name", None)
        found = by_name.get(_short(name)) if name is not None else None
        if name is None:
            unnamed.append(wanted)
        else:
            if found is not None:
                left.remove(found)
            yield found, wanted
    for wanted in unnamed:
        found = next((each for each in left if same(each, wanted)), None)
        if found is not None:
            left.remove(found)
        yield found, wanted
    for each in left:
        yield each, None


def _short(name: str | None) -> str | None:
    """Give a name as SQLAlchemy cuts it for PostgreSQL, which is how a naming convention's long name got there."""
    return name if name is None or len(name) <= _LONGEST else f"{name[: _LONGEST - 8]}_{md5_hex(name)[-4:]}"


def _foreign_keys(key: Name, database: Table, model: Table, default_schema: str) -> Iterator[Change]:
    have = {equality.foreign_key_key(each, default_schema): each for each in database.foreign_keys}
    want = {equality.foreign_key_key(each, default_schema): each for each in model.foreign_keys}
    for identity, constraint in have.items():
        if identity not in want:
            yield changes.DropConstraint(key, constraint)
        elif want[identity].validated and not constraint.validated:
            yield changes.ValidateConstraint(key, constraint)
    for identity, constraint in want.items():
        if identity not in have:
            yield changes.AddConstraint(key, constraint)


def _checks(key: Name, database: Table, model: Table) -> Iterator[Change]:
    for have, want in _pair(list(database.checks), list(model.checks), equality.same_check):
        if have is not None and want is not None:
            if not equality.same_check(have, want):
                yield changes.DropConstraint(key, have)
                yield changes.AddConstraint(key, replace(want, name=want.name or have.name))
            elif want.validated and not have.validated:
                yield changes.ValidateConstraint(key, have)
        elif have is not None:
            yield changes.DropConstraint(key, have)
        elif want is not None:
            yield changes.AddConstraint(key, want)


def _uniques(key: Name, database: Table, model: Table) -> Iterator[Change]:
    def same(one: Unique, other: Unique) -> bool:
        return one.columns == other.columns and equality.same_predicate(one.predicate, other.predicate)

    have_all = [each for each in database.uniques if each.without_index]
    want_all = [each for each in model.uniques if each.without_index]
    for have, want in _pair(have_all, want_all, same):
        if have is not None and (want is None or not same(have, want)):
            yield changes.DropConstraint(key, have)
        if want is not None and (have is None or not same(have, want)):
            yield changes.AddConstraint(key, want)
        elif want is not None and have is not None and want.validated and not have.validated:
            yield changes.ValidateConstraint(key, have)


def _families(key: Name, database: Table, model: Table) -> Iterator[Change]:
    """Compare families where the model declares any, for the columns that it puts into one.

    The server puts all others into the first one.
    """
    if not model.families or not database.families:
        return
    both = {column.name for column in database.columns} & {name for one in model.families for name in one.columns}

    def members(table: Table) -> dict[str, frozenset[str]]:
        found = {family.name: frozenset(family.columns) & both for family in table.families}
        return {name: columns for name, columns in found.items() if columns}

    if members(database) != members(model):
        yield changes.AlterFamilies(key, database.families, model.families)


def compare_snapshots(database: Snapshot, model: Snapshot, default_schema: str = "public") -> Iterator[Change]:
    """Compare everything of two databases.

    What a model can leave to others (views, sequences, zone configurations, comments on indexes and constraints) is
    compared when the model says anything of its kind.
    """
    for schema in sorted(model.schemas - database.schemas - {default_schema}):
        yield changes.AddSchema(schema)
    yield from _enums(database, model)
    yield from _sequences(database, model)
    for key in model.tables:
        if key not in database.tables:
            yield changes.AddTable(key)
    for key, table in database.tables.items():
        if key not in model.tables:
            yield changes.DropTable(key)
        else:
            found = list(compare_tables(key, table, model.tables[key], default_schema))
            yield from found
            yield from _comments(key, found, database, model)
    yield from _views(database, model)
    yield from _zones(database, model, default_schema)
    yield from _regions(database.database, model.database)


def _zones(database: Snapshot, model: Snapshot, default_schema: str) -> Iterator[Change]:
    """Compare zone configurations where the model has any; those of ranges and the database only where it has them.

    Those of a database with regions are the server's own (documentation, page "Troubleshoot Replication Zones").
    """
    if not model.zones:
        return
    have_all = {_zone_key(zone, default_schema): zone for zone in database.zones.values()}
    want_all = {_zone_key(zone, default_schema): zone for zone in model.zones.values()}
    regional = database.database is not None and database.database.primary_region is not None
    for key in {**have_all, **want_all}:
        have, want = have_all.get(key), want_all.get(key)
        if want is None and (regional or have is None or have.target in ("DATABASE", "RANGE")):
            continue
        if not equality.same_zone(have, want):
            yield changes.AlterZone(have, want)


def _zone_key(zone: ZoneConfiguration, default_schema: str) -> tuple[object, ...]:
    name = (zone.name.name,) if zone.target in ("DATABASE", "RANGE") else name_of(zone.name, default_schema)
    return (zone.target, name, zone.index, zone.partition)


def _regions(database: Database | None, model: Database | None) -> Iterator[Change]:
    """Compare the regions of the database where the model says them; of what it says of another one, nothing."""
    if database is None or model is None or model.name not in ("", database.name):
        return

    if not equality.same_regions(database, model):
        yield changes.AlterRegions(database, model)


def _enums(database: Snapshot, model: Snapshot) -> Iterator[Change]:
    for key, enum in model.enums.items():
        if key not in database.enums:
            yield changes.AddEnum(enum)
        elif database.enums[key].values != enum.values:
            yield changes.AlterEnum(database.enums[key], enum)


def _sequences(database: Snapshot, model: Snapshot) -> Iterator[Change]:
    for key, sequence in model.sequences.items():
        if key not in database.sequences:
            yield changes.AddSequence(sequence)
    if not model.sequences:
        return
    servers = set(_texts_of_serials(database, model))
    for key, sequence in database.sequences.items():
        schema, name = map(quote_name, key)
        if key in model.sequences or sequence.options.owned_by or not servers.isdisjoint({name, f"{schema}.{name}"}):
            continue
        yield changes.DropSequence(sequence)


def _texts_of_serials(database: Snapshot, model: Snapshot) -> Iterator[str]:
    """Give the names of the sequences that the server made for SERIAL columns (``serial_normalization``).

    Servers before v21.2 don't say of such a sequence that it is owned by the column.
    """
    for key, table in model.tables.items():
        serials = {each.name for each in table.columns if str(each.type.name).startswith("SERIAL")}
        found = database.tables.get(key)
        for column in () if found is None else found.columns:
            if column.name in serials:
                yield from (name.replace("''", "'") for name in _NEXT_VALUE.findall(column.default or ""))


def _comments(key: Name, found: list[Change], database: Snapshot, model: Snapshot) -> Iterator[Change]:
    """Compare the comments of one table and of what is on it.

    :param found: what else differs: what is dropped takes its comment along, what is added has none yet. An index and
        a column are created with theirs.
    """
    kinds = {"TABLE", "COLUMN", *(kind for kind, _, _ in model.comments)}
    said = {target: text for target, text in database.comments.items() if target[1] == key}
    wanted = {target: text for target, text in model.comments.items() if target[1] == key}
    both = {each.name for each in database.tables[key].columns} & {each.name for each in model.tables[key].columns}
    gone: set[tuple[str, Name, str | None]] = set()
    fresh, commented = gone.copy(), gone.copy()
    for change in found:
        match change:
            case changes.DropColumn(column=item) | changes.ReplaceColumn(old=item):
                gone.add(("COLUMN", key, item.name))
                commented.add(("COLUMN", key, item.name))
            case changes.AddColumn(column=item):
                commented.add(("COLUMN", key, item.name))
            case changes.DropIndex(index=item):
                gone.add(("INDEX", key, item.name))
            case changes.AddIndex(index=item):
                commented.add(("INDEX", key, item.name))
            case changes.DropConstraint(constraint=item):
                gone.add(("CONSTRAINT", key, item.name))
            case changes.AddConstraint(constraint=item):
                fresh.add(("CONSTRAINT", key, item.name))
    for target in {**said, **wanted}:
        kind, name, child = target
        # An empty comment is none, as in Alembic.
        have = None if target in gone | fresh else said.get(target) or None
        want = wanted.get(target) or None
        if kind in kinds and have != want and target not in commented and (kind != "COLUMN" or child in both):
            yield changes.AlterComment(kind, name, child, have, want)


def _views(database: Snapshot, model: Snapshot) -> Iterator[Change]:
    if not model.views:
        return
    for key, view in database.views.items():
        if key not in model.views:
            yield changes.DropView(view)
    for key, view in model.views.items():
        found = database.views.get(key)
        if found is None:
            yield changes.AddView(view)
        elif found.materialized != view.materialized or found.query != view.query:
            yield changes.ReplaceView(found, view)

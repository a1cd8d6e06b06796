"""What a model has beside tables: types, sequences, views, zone configurations, regions, comments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from sqlalchemy import ARRAY, Index, MetaData, Sequence, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import SchemaType, TypeEngine

from alembic_cluster.errors import InvalidModel, UnreadableDDL
from alembic_crdb import catalog_objects, schema
from alembic_crdb.catalog import ObjectName
from alembic_crdb.catalog_objects import Database, EnumType, View, ZoneConfiguration
from alembic_crdb.lexer import is_word, read_name, tokenize
from alembic_crdb.model_columns import implementation, is_named, sequence_options
from alembic_crdb.model_reader import Reader, options, plain_name
from alembic_crdb.parser import parse_one

_ZONE_WORDS: Final = re.compile(
    r"(?P<words>TABLE|INDEX|DATABASE|RANGE|PARTITION\s+(?P<partition>.+?)\s+OF\s+(?P<of>TABLE|INDEX))\s+(?P<name>.+)",
    re.I | re.S,
)


def enums_of(tables: Iterable[Table], metadata: MetaData | None, reader: Reader) -> Iterator[EnumType]:
    """Give the enum types of tables and, beside them, those that are attached to a MetaData; each once."""
    seen = set()
    types = [column.type for table in tables for column in table.columns]
    for type_ in [*types, *(_attached_types(metadata) if metadata is not None else ())]:
        impl = implementation(type_, reader)
        while isinstance(impl, ARRAY):
            impl = implementation(impl.item_type, reader)
        if is_named(impl) and isinstance(impl, postgresql.ENUM):
            enum = enum_to_catalog(impl, reader)
            if enum.name not in seen:
                seen.add(enum.name)
                yield enum


def _attached_types(metadata: MetaData) -> Iterator[TypeEngine[Any]]:
    """Give the types that are created with a MetaData; that they listen to it is all that tells of them."""
    for listener in metadata.dispatch.before_create:
        target = getattr(listener, "target", None)
        if isinstance(target, SchemaType) and isinstance(target, TypeEngine):
            yield target


def enum_to_catalog(enum: postgresql.ENUM, reader: Reader) -> EnumType:
    """Give an enum type of a model as a catalog object.

    :raises InvalidModel: it has no name.
    """
    if not enum.name:
        raise InvalidModel(f"The enum type of the values {enum.enums} has no name. Nothing was sent; give it name=.")
    return EnumType(reader.object_name(enum), tuple(enum.enums))


def sequences_of(metadata: MetaData, tables: Iterable[Table]) -> Iterator[Sequence]:
    """Give the sequences that ``create_all`` creates: those attached to a MetaData, and those of columns' defaults.

    An optional one is for databases that have no SERIAL.
    """
    attached: Any = metadata._sequences.values()
    of_columns = (column.default for table in tables for column in table.columns)
    found: dict[int, Sequence] = {}
    for sequence in (*attached, *of_columns):
        if isinstance(sequence, Sequence) and not sequence.optional:
            found.setdefault(id(sequence), sequence)
    yield from found.values()


def sequence_to_catalog(sequence: Sequence, reader: Reader) -> catalog_objects.Sequence:
    """Give a sequence of a model as a catalog object."""
    name = reader.object_name(sequence)
    return catalog_objects.Sequence(name, sequence_options(sequence, reader, f"sequence {name.name}"))


def view_to_catalog(view: schema.View, reader: Reader) -> View:
    """Give a view of a model as a catalog object.

    :raises sqlalchemy.exc.CompileError: its query cannot be written as SQL.
    """
    of = f"{'materialized ' if view.materialized else ''}view {view.name}"
    return View(
        ObjectName(plain_name(view.name), view.schema),
        reader.query(view.definition),
        view.columns,
        view.materialized,
        parameters=reader.parameters(view.parameters, of),
    )


def sorted_views(views: Iterable[View]) -> list[View]:
    """Put views into an order in which they can be created: each behind those that its query names.

    Names that only look alike can make two views seem to need each other; these stay in the given order.
    """
    waiting = list(views)
    names = {view.name.name for view in waiting}
    needs = {view.name: (names_in(view.query) & names) - {view.name.name} for view in waiting}
    done: list[View] = []
    while waiting:
        there = {view.name.name for view in waiting}
        ready = [view for view in waiting if not needs[view.name] & there] or waiting[:1]
        done += ready
        waiting = [view for view in waiting if view not in ready]
    return done


def names_in(query: str) -> set[str]:
    """Give all words of a query that can be names, those of tables among them."""
    try:
        return {read_name(token) for token in tokenize(query).texts if is_word(token) or token[:1] == '"'}
    except UnreadableDDL:
        # The server refuses such a query when the view is created.
        return set()


def zone_to_catalog(zone: schema.ZoneConfiguration, reader: Reader) -> ZoneConfiguration:
    """Give a zone configuration of a model as a catalog object.

    :raises InvalidModel: its target or an option can't be read.
    """
    target = zone_target(zone.target, reader)
    of = f"the zone configuration of {zone.target}"
    found = reader.parameters(zone.options, of)
    return ZoneConfiguration(target.target, target.name, found, target.index, target.partition)


def zone_target(target: str | Table | Index, reader: Reader) -> ZoneConfiguration:
    """Read what a zone configuration is for; see :class:`alembic_crdb.schema.ZoneConfiguration`.

    :returns: the statement that discards its configuration.
    :raises InvalidModel: it can't be read.
    """
    if isinstance(target, Table):
        return ZoneConfiguration("TABLE", reader.object_name(target))
    if isinstance(target, Index):
        if target.table is None:
            raise InvalidModel(f"The index {target.name} of a zone configuration has no table. Nothing was sent.")
        return ZoneConfiguration("INDEX", reader.object_name(target.table), index=reader.name_of(target))
    said = _ZONE_WORDS.fullmatch(target.strip())
    if said is None:
        words = f"TABLE {target}"
    elif said["of"] is not None:
        words = f"PARTITION {said['partition']} OF {said['of'].upper()} {said['name']}"
    else:
        words = f"{said['words'].upper()} {said['name']}"
    try:
        found = parse_one(f"ALTER {words} CONFIGURE ZONE DISCARD")
    except UnreadableDDL as error:
        raise InvalidModel(
            f"The target of a zone configuration can't be read: {target!r}. Nothing was sent; it may be `TABLE t`, "
            "`INDEX t@ix`, `DATABASE d`, `RANGE default`, `PARTITION p OF TABLE t`, `PARTITION p OF INDEX t@ix`."
        ) from error
    if not isinstance(found, ZoneConfiguration):
        raise InvalidModel(f"The target of a zone configuration is none: {target!r}. Nothing was sent.")
    return found


def database_of(regions: schema.DatabaseRegions) -> Database:
    """Give the regions of a model's database as a catalog object; its name is empty where the model says none."""
    super_region = next(iter(regions.super_regions.items()), None)
    return Database(
        regions.database or "",
        regions.primary,
        tuple(sorted(regions.regions)),
        "ZONE" if regions.survive == "AVAILABILITY ZONE" else regions.survive,
        None if regions.placement == "DEFAULT" else regions.placement,
        super_region,
        regions.secondary,
    )


def comments_of(metadata: MetaData, tables: Iterable[Table], reader: Reader) -> Iterator[catalog_objects.Comment]:
    """Give every comment of a model."""
    for table in tables:
        yield from table_comments(table, reader)
    for comment in schema.objects_of(metadata).comments:
        name = ObjectName(comment.name, comment.schema)
        yield catalog_objects.Comment(comment.target, name, comment.text, comment.child)


def table_comments(table: Table, reader: Reader) -> Iterator[catalog_objects.Comment]:
    """Give the comments on a table, its columns, constraints and indexes."""
    name = reader.object_name(table)
    if table.comment is not None:
        yield catalog_objects.Comment("TABLE", name, table.comment)
    for column in table.columns:
        if column.comment is not None:
            yield catalog_objects.Comment("COLUMN", name, column.comment, plain_name(column.name))
    for constraint in table.constraints:
        if constraint.comment is not None and reader.should_create(constraint):
            yield catalog_objects.Comment("CONSTRAINT", name, constraint.comment, reader.name_of(constraint))
    for index in table.indexes:
        said = options(index).get("comment")
        if said is not None and reader.should_create(index):
            yield catalog_objects.Comment("INDEX", name, said, reader.name_of(index))

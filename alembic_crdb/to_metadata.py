"""Catalog objects made into SQLAlchemy's: what a model would have to say to get the same database."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
    ForeignKeyConstraint,
    Identity,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    TextClause,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeEngine
from sqlalchemy.util import OrderedSet

from alembic_crdb import catalog, types
from alembic_crdb.model_reader import ServersName
from alembic_crdb.printer_base import ElementPrinter
from alembic_crdb.snapshot import Name, Snapshot, name_of

Labels = Mapping[Name, list[str]]

_BIND = re.compile(r"(?<![:\\]):(?=\w)")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_ANNOTATED = re.compile(r"(?P<value>.*?):::?[\w\[\]() ,]+", re.DOTALL)
_PRINTER = ElementPrinter(catalog.CANONICAL)
_DEFAULT_LOCALITY = catalog.Locality("REGIONAL BY TABLE")


def sql(expression: str) -> TextClause:
    """Give an expression as SQLAlchemy's text, with nothing in it taken for a bind parameter."""
    return text(bind_free(expression))


def bind_free(expression: str) -> str:
    """Escape what SQLAlchemy's ``text`` would take for a bind parameter."""
    return _BIND.sub(r"\\:", expression)


def to_metadata(
    snapshot: Snapshot, default_schema: str = "public", metadata: MetaData | None = None, *, key_name: str | None = None
) -> MetaData:
    """Make a MetaData of a database.

    :param snapshot: the database.
    :param default_schema: the schema whose tables are given none.
    :param metadata: where to put the tables; a new one when None.
    :param key_name: as for ``TableMaker``.
    """
    target = MetaData() if metadata is None else metadata
    maker = TableMaker(snapshot, default_schema, key_name=key_name)
    for key in snapshot.tables:
        maker.table(key, target)
    maker.others(target)
    return target


class TableMaker:
    """Makes SQLAlchemy's tables out of a database's.

    :param snapshot: the database.
    :param default_schema: the schema whose tables are given none.
    :param key_name: how the server calls a primary key that is given no name, with ``{}`` for the table's; a key that
        is called so is given none. None for what servers of any version call it.
    """

    def __init__(self, snapshot: Snapshot, default_schema: str = "public", *, key_name: str | None = None) -> None:
        self.snapshot = snapshot
        self._key_names = ("primary", "{}_pkey") if key_name is None else (key_name,)
        self.default_schema = default_schema
        self.labels: Labels = {key: list(enum.values) for key, enum in snapshot.enums.items()}

    def schema(self, schema: str) -> str | None:
        """Give the schema as a Table names it."""
        return None if schema == self.default_schema else schema

    def table(self, key: Name, metadata: MetaData) -> Table:
        """Make one table, with its constraints and indexes.

        :param key: schema and name.
        :param metadata: where it belongs.
        """
        found = self.snapshot.tables[key]
        schema, name = key
        columns = [self.column(key, column) for column in found.columns]
        constraints = [
            *self._primary_key(found),
            *(self.foreign_key(each) for each in found.foreign_keys),
            *(check_constraint(each) for each in found.checks),
            *(unique_constraint(each) for each in found.uniques),
        ]
        table = Table(
            name,
            metadata,
            *columns,
            *constraints,
            schema=self.schema(schema),
            comment=self.snapshot.comments.get(("TABLE", key, None)),
            **table_options(found),
        )
        for constraint in table.constraints:
            constraint.comment = self.snapshot.comments.get(("CONSTRAINT", key, str(constraint.name)))
        table.indexes = OrderedSet()  # so that create_all makes them in the server's order
        for index in found.indexes:
            make_index(index, table, self.snapshot.comments.get(("INDEX", key, index.name)))
        return table

    def column(self, key: Name, column: catalog.Column) -> Column[Any]:
        """Make one column of a table."""
        options: dict[str, Any] = {}
        if column.hidden:
            options["cockroachdb_not_visible"] = True
        if column.on_update is not None:
            options["cockroachdb_on_update"] = sql(column.on_update)
        generated: list[Any] = []
        if column.computed is not None:
            generated.append(Computed(sql(column.computed.expression), persisted=column.computed.stored))
        if column.identity is not None:
            generated.append(identity(column.identity))
        return Column(
            column.name,
            self.type(column.type),
            *generated,
            nullable=column.nullable,
            server_default=None if column.default is None else sql(column.default),
            autoincrement=False,
            comment=self.snapshot.comments.get(("COLUMN", key, column.name)),
            **options,
        )

    def type(self, kind: catalog.SQLType) -> TypeEngine[Any]:
        """Make a column's type."""
        if isinstance(kind.name, str):
            return _plain_type(kind)
        return types.from_server(_PRINTER.type(kind), self.labels)

    def _primary_key(self, table: catalog.Table) -> Iterable[PrimaryKeyConstraint]:
        key = table.primary_key
        if key is None:
            return
        name = None if key.name in [pattern.format(table.name.name) for pattern in self._key_names] else key.name
        columns = (str(element.name) for element in key.elements)
        yield PrimaryKeyConstraint(*columns, name=given(name), **primary_key_options(key))

    def foreign_key(self, key: catalog.ForeignKey) -> ForeignKeyConstraint:
        """Make one foreign key."""
        schema, name = name_of(key.table, self.default_schema)
        target = name if self.schema(schema) is None else f"{schema}.{name}"
        return ForeignKeyConstraint(
            key.columns,
            [f"{target}.{column}" for column in key.referenced],
            name=given(key.name),
            ondelete=None if key.on_delete == "NO ACTION" else key.on_delete,
            onupdate=None if key.on_update == "NO ACTION" else key.on_update,
            match=None if key.match == "SIMPLE" else key.match,
            link_to_name=True,
            **_validity(key.validated),
        )

    def others(self, metadata: MetaData) -> None:
        """Make what is no table: sequences, views, zone configurations, regions."""
        from sqlalchemy import Sequence

        from alembic_crdb import schema

        owned = {name for name, each in self.snapshot.sequences.items() if each.options.owned_by}
        for (space, name), sequence in self.snapshot.sequences.items():
            if (space, name) not in owned:
                Sequence(name, schema=self.schema(space), metadata=metadata, **sequence_options(sequence.options))
        for (space, name), view in self.snapshot.views.items():
            schema.View(
                name,
                view.query,
                metadata=metadata,
                schema=self.schema(space),
                materialized=view.materialized,
                columns=view.columns,
            )


def given(name: str | None) -> str | None:
    """Mark a name as one that no naming convention must touch."""
    return None if name is None else ServersName(name)


@lru_cache(maxsize=512)
def _plain_type(kind: catalog.SQLType) -> TypeEngine[Any]:
    return types.from_server(_PRINTER.type(kind), {})


def identity(found: catalog.Identity) -> Identity:
    """Make ``GENERATED .. AS IDENTITY``."""
    return Identity(always=found.always, **sequence_options(found.options))


def sequence_options(options: catalog.SequenceOptions) -> dict[str, Any]:
    """Give the keyword arguments of SQLAlchemy's Sequence and Identity, without what is the server's default."""
    found = {
        "increment": options.increment,
        "start": options.start,
        "minvalue": options.min_value,
        "maxvalue": options.max_value,
        "cache": options.cache,
        "cycle": options.cycle,
    }
    defaults = {"increment": 1, "start": 1, "minvalue": 1, "maxvalue": 2**63 - 1, "cache": 1, "cycle": False}
    return {name: value for name, value in found.items() if value is not None and value not in (defaults[name], "NO")}


def check_constraint(check: catalog.Check) -> CheckConstraint:
    """Make one check constraint."""
    return CheckConstraint(sql(check.expression), name=given(check.name), **_validity(check.validated))


def _validity(validated: bool) -> dict[str, Any]:
    return {} if validated else {"cockroachdb_not_valid": True}


def unique_constraint(unique: catalog.Unique) -> UniqueConstraint:
    """Make one unique constraint that has no index, or none of its own."""
    options: dict[str, Any] = {}
    if unique.without_index:
        options["cockroachdb_without_index"] = True
    if unique.predicate is not None:
        options["cockroachdb_where"] = sql(unique.predicate)
    options |= _validity(unique.validated)
    return UniqueConstraint(*unique.columns, name=given(unique.name), **options)


def make_index(index: catalog.Index, table: Table, comment: str | None = None) -> Index:
    """Make one index of a table, with its comment."""
    options = index_options(index)
    if comment is not None:
        options["cockroachdb_comment"] = comment
    return Index(
        given(index.name),
        *(_element(element, table) for element in index.elements),
        unique=index.unique,
        **options,
    )


def _element(element: catalog.IndexElement, table: Table) -> Any:
    made: Any = table.c[element.name] if element.name is not None else sql(str(element.expression))
    if element.direction == "DESC":
        made = made.desc() if element.name is not None else sql(f"{element.expression} DESC")
    if element.nulls is not None and element.name is not None:
        made = made.nulls_first() if element.nulls == "FIRST" else made.nulls_last()
    return made


def primary_key_options(key: catalog.PrimaryKey) -> dict[str, Any]:
    """Give the ``cockroachdb_*`` keyword arguments of a PrimaryKeyConstraint."""
    options: dict[str, Any] = {}
    descending = {element.name: "DESC" for element in key.elements if element.direction == "DESC"}
    if descending:
        options["cockroachdb_sorting"] = descending
    if key.hash_sharded:
        options["cockroachdb_using"] = "hash"
    if key.parameters:
        options["cockroachdb_with"] = parameters(key.parameters)
    return options


def index_options(index: catalog.Index) -> dict[str, Any]:
    """Give the ``cockroachdb_*`` keyword arguments of an Index."""
    options: dict[str, Any] = {}
    if index.kind is not None:
        options["cockroachdb_using"] = "gin" if index.kind == "INVERTED" else "vector"
    if index.hash_sharded:
        options["cockroachdb_using"] = "hash"
    if index.storing:
        options["cockroachdb_include"] = list(index.storing)
    if index.parameters:
        options["cockroachdb_with"] = parameters(index.parameters)
    if index.predicate is not None:
        options["cockroachdb_where"] = sql(index.predicate)
    if index.visibility != 1.0:
        options["cockroachdb_visibility"] = index.visibility
    classes = {element.name: element.opclass for element in index.elements if element.name and element.opclass}
    if classes:
        options["cockroachdb_ops"] = classes
    if index.partitioning is not None:
        options["cockroachdb_partition_by"] = _PRINTER.partitioning(index.partitioning, 0)
    return options


def table_options(table: catalog.Table) -> dict[str, Any]:
    """Give the ``cockroachdb_*`` keyword arguments of a Table."""
    options: dict[str, Any] = {}
    if table.families:
        options["cockroachdb_families"] = {family.name: list(family.columns) for family in table.families}
    said = parameters(table.parameters)
    if said:
        options["cockroachdb_with"] = said
    if table.locality is not None and table.locality != _DEFAULT_LOCALITY:
        options["cockroachdb_locality"] = locality_text(table.locality)
    if table.partitioning is not None:
        options["cockroachdb_partition_by"] = _PRINTER.partitioning(table.partitioning, 0)
    return options


def locality_text(locality: catalog.Locality) -> str:
    """Write a locality as ``cockroachdb_locality`` takes it."""
    if locality.kind == "REGIONAL BY TABLE" and locality.region is not None:
        return f"REGIONAL BY TABLE IN '{locality.region}'"
    if locality.kind == "REGIONAL BY ROW" and locality.column is not None:
        return f"REGIONAL BY ROW AS {locality.column}"
    return locality.kind


def parameters(found: catalog.Parameters) -> dict[str, Any]:
    """Give storage parameters as Python values.

    ``ttl = 'on'`` is left out beside the parameter that switches row-level TTL on.
    """
    values = {name: parameter_value(value) for name, value in found}
    if "ttl_expire_after" in values or "ttl_expiration_expression" in values:
        values.pop("ttl", None)
    return values


def parameter_value(value: str) -> Any:
    """Read the value of a storage parameter: ``'3 mons':::INTERVAL`` is a text, ``true`` a boolean."""
    annotated = _ANNOTATED.fullmatch(value)
    if annotated is not None:
        value = annotated["value"]
    if value.startswith("'") and value.endswith("'") and len(value) > 1:
        return value[1:-1].replace("''", "'")
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    if _NUMBER.fullmatch(value):
        return float(value) if "." in value else int(value)
    return value

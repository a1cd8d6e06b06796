"""A keyspace read from ``system_schema`` in one go, and what SQLAlchemy's Inspector asks answered from it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import Column, Connection, Index, MetaData, PrimaryKeyConstraint, Table
from sqlalchemy import inspect as sqlalchemy_inspect
from sqlalchemy.types import TypeEngine

from alembic_cql.catalog import Late, Rows, read_catalog
from alembic_cql.conditions import read_checks
from alembic_cql.features import Features
from alembic_cql.functions import AggregateDefinition, Definition, FunctionDefinition, unfrozen
from alembic_cql.heads import OWN_TABLES, is_heads_table
from alembic_cql.keyspaces import Keyspace, KeyspaceSettings, read_settings
from alembic_cql.masks import Mask, reflected_mask
from alembic_cql.options import TABLE_OPTIONS, set_options
from alembic_cql.schema import Key, MaterializedView, attach, keyspace_objects, sorted_types
from alembic_cql.scylla import extra_options
from alembic_cql.typenames import parse_type
from alembic_cql.types import UserType

# Columns may be missing or more, by server and version: SELECT * and take what is there.
_CATALOG = ("keyspaces", "types", "tables", "columns", "indexes", "views", "dropped_columns", "functions", "aggregates")
_SCYLLA_CATALOG = ("scylla_tables", "scylla_keyspaces", "scylla_aggregates")
_TARGET = re.compile(r"(keys|values|entries|full)\((.*)\)$", re.DOTALL)
_CDC_LOG = "_scylla_cdc_log"
_PAXOS = "$paxos"


@dataclass(frozen=True)
class ColumnInfo:
    """One column: its kind is ``partition_key``, ``clustering``, ``static`` or ``regular``."""

    name: str
    type: TypeEngine[Any]
    kind: str
    position: int
    order: str
    mask: Mask | None = None
    check: str | None = None

    @property
    def dialect_options(self) -> dict[str, Any]:
        """Keyword arguments for ``Column``."""
        mask = None if self.mask is None else str(self.mask)
        found = {"cql_static": self.kind == "static" or None, "cql_masked": mask, "cql_check": self.check}
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True)
class IndexInfo:
    """One secondary index.

    :ivar using: class of a custom index; None for the built-in one.
    :ivar target: ``keys``, ``values``, ``entries`` or ``full`` of a collection; None for the column itself.
    :ivar local: of ScyllaDB's index within each partition, the partition key.
    """

    name: str
    column: str
    using: str | None
    target: str | None
    options: Mapping[str, str]
    local: tuple[str, ...] | None = None

    @property
    def dialect_options(self) -> dict[str, Any]:
        """Keyword arguments for ``Index``."""
        found = {
            "cql_using": self.using,
            "cql_target": self.target,
            "cql_options": dict(self.options) or None,
            "cql_local": None if self.local is None else list(self.local),
        }
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True)
class TableInfo:
    """One table or materialized view.

    :ivar options: all options as the catalog has them, by name.
    :ivar view: for a materialized view, its row of ``system_schema.views``.
    """

    name: str
    columns: tuple[ColumnInfo, ...]
    options: Mapping[str, Any]
    comment: str
    indexes: tuple[IndexInfo, ...] = ()
    view: Mapping[str, Any] | None = None

    @property
    def key(self) -> Key:
        """The primary key."""
        return Key(
            tuple(column.name for column in self.columns if column.kind == "partition_key"),
            tuple((column.name, column.order) for column in self.columns if column.kind == "clustering"),
        )


@dataclass(frozen=True)
class RawRows:
    """A keyspace's rows as they were read.

    :ivar masked: names of tables that have masks or checks of columns.
    :ivar extras: what ScyllaDB keeps of a table's options elsewhere, in a form that can be compared.
    """

    tables: Rows
    columns: Rows
    indexes: Rows
    masked: frozenset[str]
    extras: Mapping[str, Any]

    @cached_property
    def table_rows(self) -> dict[str, tuple[Any, ...]]:
        """Rows of ``tables`` by name."""
        return {name: rows[0] for name, rows in self.tables.by("table_name").items()}

    @cached_property
    def columns_by_table(self) -> dict[str, list[tuple[Any, ...]]]:
        """Rows of ``columns`` by table."""
        return self.columns.by("table_name")

    @cached_property
    def indexes_by_table(self) -> dict[str, list[tuple[Any, ...]]]:
        """Rows of ``indexes`` by table."""
        return self.indexes.by("table_name")


@dataclass(frozen=True)
class KeyspaceInfo:
    """Everything of one keyspace.

    :ivar settings: its own options; None when there is no such keyspace.
    :ivar settled: names of tables that an autogenerate has left out of ``tables``: they are as the model has them.
    :ivar raw: the rows that it is made of.
    """

    name: str
    settings: KeyspaceSettings | None = None
    types: Mapping[str, UserType] = field(default_factory=dict)
    tables: Mapping[str, TableInfo] = field(default_factory=dict)
    views: Mapping[str, TableInfo] = field(default_factory=dict)
    dropped_columns: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    functions: tuple[FunctionDefinition, ...] = ()
    aggregates: tuple[AggregateDefinition, ...] = ()
    settled: frozenset[str] = frozenset()
    raw: RawRows | None = None

    @property
    def definitions(self) -> tuple[Definition, ...]:
        """Functions and aggregates."""
        return (*self.functions, *self.aggregates)


def read_keyspace(
    connection: Connection, keyspace: str, features: Features, meanwhile: Callable[[], None] | None = None
) -> KeyspaceInfo:
    """Read a keyspace's objects, without those that the server makes by itself.

    :param connection: of dialect ``cql``.
    :param meanwhile: called while the server looks.
    """
    found = read_catalog(connection, catalog_tables(features), keyspace, meanwhile)
    bulk = ("tables", "columns", "indexes")  # what there may be much of is made when it is asked for
    rows = {name: answer.mappings() for name, answer in found.items() if name not in bulk}
    if not rows["keyspaces"]:
        return KeyspaceInfo(keyspace)
    types = _user_types(rows["types"])
    masks = {(row["table_name"], row["column_name"]): row for row in rows.get("column_masks", ())}
    checks = read_checks(connection, keyspace) if features.column_checks else {}
    scylla_rows = {row["table_name"]: row for row in rows.get("scylla_tables", ())}
    raw = RawRows(
        found["tables"],
        found["columns"],
        found["indexes"],
        frozenset(name for name, _ in (*masks, *checks)),
        {name: repr(row) for name, row in scylla_rows.items()},
    )

    def table(name: str, row: dict[str, Any], view: dict[str, Any] | None = None) -> TableInfo:
        mine = [dict(zip(raw.columns.names, item, strict=True)) for item in raw.columns_by_table.get(name, ())]
        own_masks, own_checks = (masks, checks) if view is None else ({}, {})
        columns = [_column(item, types, own_masks, own_checks) for item in mine]
        if features.is_scylla:
            row = {**row, **extra_options(row, scylla_rows.get(name))}
        indexes = [dict(zip(raw.indexes.names, item, strict=True)) for item in raw.indexes_by_table.get(name, ())]
        own = tuple(read_index(item) for item in sorted(indexes, key=lambda item: item["index_name"]))
        return _table(name, row, columns, indexes=own, view=view)

    def later(name: str) -> Callable[[], TableInfo]:
        return lambda: table(name, dict(zip(raw.tables.names, raw.table_rows[name], strict=True)))

    names = raw.table_rows.keys()
    own_names = [
        name
        for name in names
        if not (name.endswith(_PAXOS) or (name.endswith(_CDC_LOG) and name.removesuffix(_CDC_LOG) in names))
    ]
    index_views = {f"{row['index_name']}_index" for row in found["indexes"].mappings()} if features.is_scylla else set()
    views = {
        row["view_name"]: table(row["view_name"], row, view=row)
        for row in rows["views"]
        if row["view_name"] not in index_views
    }
    dropped: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in rows["dropped_columns"]:
        dropped.setdefault(row["table_name"], {})[row["column_name"]] = row
    return KeyspaceInfo(
        keyspace,
        read_settings(rows["keyspaces"][0], next(iter(rows.get("scylla_keyspaces", ())), None), features),
        types,
        Late({name: later(name) for name in own_names}),
        views,
        dropped,
        tuple(_function(row, types) for row in rows["functions"]),
        tuple(_aggregate(row, types, rows.get("scylla_aggregates", ())) for row in rows["aggregates"]),
        raw=raw,
    )


def catalog_tables(features: Features) -> tuple[str, ...]:
    """Give the tables of ``system_schema`` that say what a keyspace holds, on one server."""
    return _CATALOG + ("column_masks",) * features.column_masks + _SCYLLA_CATALOG * features.is_scylla


def _function(row: Mapping[str, Any], types: Mapping[str, UserType]) -> FunctionDefinition:
    return FunctionDefinition(
        row["function_name"],
        None,
        [
            (name, unfrozen(parse_type(kind, types)))
            for name, kind in zip(row["argument_names"] or (), row["argument_types"] or (), strict=True)
        ],
        unfrozen(parse_type(row["return_type"], types)),
        row["body"],
        language=row["language"],
        called_on_null_input=bool(row["called_on_null_input"]),
    )


def _aggregate(
    row: Mapping[str, Any], types: Mapping[str, UserType], scylla_rows: Iterable[Mapping[str, Any]]
) -> AggregateDefinition:
    same = ("aggregate_name", "argument_types")
    extra = next((item for item in scylla_rows if all(item.get(name) == row[name] for name in same)), {})
    return AggregateDefinition(
        row["aggregate_name"],
        None,
        [unfrozen(parse_type(kind, types)) for kind in row["argument_types"] or ()],
        row["state_func"],
        unfrozen(parse_type(row["state_type"], types)),
        finalfunc=row["final_func"] or None,
        initcond=row["initcond"] or None,
        reducefunc=extra.get("reduce_func"),
    )


def _user_types(rows: list[dict[str, Any]]) -> dict[str, UserType]:
    # Types refer to each other: each is made after those that it uses.
    references = [
        UserType(
            row["type_name"],
            [(name, parse_type(kind)) for name, kind in zip(row["field_names"], row["field_types"], strict=True)],
        )
        for row in rows
    ]
    texts = {row["type_name"]: row["field_types"] for row in rows}
    made: dict[str, UserType] = {}
    for reference in sorted_types(references):
        names = [name for name, _ in reference.fields]
        kinds = [parse_type(text, made) for text in texts[reference.name]]
        made[reference.name] = UserType(reference.name, zip(names, kinds, strict=True))
    return made


def _column(
    row: Mapping[str, Any],
    types: Mapping[str, UserType],
    masks: Mapping[tuple[str, str], Mapping[str, Any]],
    checks: Mapping[tuple[str, str], str],
) -> ColumnInfo:
    place = (row["table_name"], row["column_name"])
    mask = masks.get(place)
    return ColumnInfo(
        row["column_name"],
        parse_type(row["type"], types),
        row["kind"],
        row["position"],
        row["clustering_order"].upper() if row["kind"] == "clustering" else "ASC",
        None if mask is None else reflected_mask(mask),
        checks.get(place),
    )


def _table(
    name: str,
    row: Mapping[str, Any],
    columns: list[ColumnInfo],
    indexes: tuple[IndexInfo, ...] = (),
    view: Mapping[str, Any] | None = None,
) -> TableInfo:
    order = {"partition_key": 0, "clustering": 1, "static": 2, "regular": 3}
    columns.sort(key=lambda column: (order[column.kind], column.position, column.name))
    options = {option: row[option] for option in TABLE_OPTIONS if row.get(option) is not None}
    return TableInfo(name, tuple(columns), options, row.get("comment") or "", indexes, view)


def read_index(row: Mapping[str, Any]) -> IndexInfo:
    """Make an index of its row of ``system_schema.indexes``."""
    options = dict(row["options"] or {})
    target = options.pop("target")
    using = options.pop("class_name", None)
    local = None
    if target.startswith("{"):  # ScyllaDB's local index (target_parser.cc)
        parts = json.loads(target)
        local, target = tuple(map(_unquoted, parts["pk"])), parts["ck"][0]
    match = _TARGET.match(target)
    function, column = (match.group(1), match.group(2)) if match else (None, target)
    return IndexInfo(row["index_name"], _unquoted(column), using, function, options, local)


def _unquoted(name: str) -> str:
    is_quoted = name.startswith('"') and name.endswith('"') and len(name) > 1
    return name[1:-1].replace('""', '"') if is_quoted else name


def reflect_keyspace(connection: Connection, schema: str | None = None) -> MetaData:
    """Give every object of a keyspace: tables with keys, options and indexes, types, views, functions, aggregates.

    A keyspace that ``schema`` names comes with its own options. ``create_all`` of it makes the same keyspace again.
    Objects of Alembic's own and those that the server makes by itself are left out.

    :param connection: of dialect ``cql``.
    :param schema: the keyspace to read, also written into the objects; that of the connection when None, and then the
        objects name none.
    :raises ConfigurationError: when neither names a keyspace.
    """
    dialect: Any = connection.dialect
    inspector = sqlalchemy_inspect(connection)
    keyspace = dialect.keyspace_info(connection, schema, info_cache=inspector.info_cache)
    metadata = MetaData(schema=schema)
    for kind in keyspace.types.values():
        kind.schema = schema
        attach(metadata, kind)
    for table in keyspace.tables.values():
        kinds = {column.name: column.kind for column in table.columns}
        if is_heads_table(kinds) or table.name.startswith(OWN_TABLES):
            continue
        to_table(table, metadata, dialect.features)
    for view in keyspace.views.values():
        to_view(view, schema, dialect.features, metadata)
    objects = keyspace_objects(metadata)
    for function in keyspace.functions:
        function.schema = schema
        objects.functions.append(function)
    for aggregate in keyspace.aggregates:
        aggregate.schema = schema
        objects.aggregates.append(aggregate)
    if schema is not None and keyspace.settings is not None:
        Keyspace(schema, metadata, **keyspace.settings.options)
    return metadata


def to_table(table: TableInfo, metadata: MetaData, features: Features) -> Table:
    """Make a Table out of a catalog entry.

    :param metadata: where it is to belong.
    """
    columns = [
        Column(
            column.name,
            column.type,
            nullable=column.kind in ("static", "regular"),
            autoincrement=False,
            **column.dialect_options,
        )
        for column in table.columns
    ]
    indexes = [Index(index.name, index.column, **index.dialect_options) for index in table.indexes]
    return Table(
        table.name,
        metadata,
        *columns,
        PrimaryKeyConstraint(*table.key.columns),
        *indexes,
        comment=table.comment or None,
        **table_kwargs(table, features),
    )


def to_view(
    view: TableInfo, schema: str | None, features: Features, metadata: MetaData | None = None
) -> MaterializedView:
    """Make a MaterializedView out of a catalog entry.

    :param schema: the keyspace to write into it.
    :param metadata: where it is to belong.
    """
    assert view.view is not None
    return MaterializedView(
        view.name,
        metadata,
        base=view.view["base_table_name"],
        where=view.view["where_clause"],
        partition_key=view.key.partition,
        clustering=dict(view.key.clustering),
        columns=None if view.view["include_all_columns"] else [column.name for column in view.columns],
        schema=schema,
        comment=view.comment or None,
        options=set_options(view.options, view.name, features),
    )


def table_kwargs(table: TableInfo, features: Features) -> dict[str, Any]:
    """Give the ``cql_*`` keyword arguments that make a Table out of a catalog entry."""
    key = table.key
    options = set_options(table.options, table.name, features)
    kwargs: dict[str, Any] = {f"cql_{name}": value for name, value in options.items()}
    if len(key.partition) > 1:
        kwargs["cql_partition_key"] = list(key.partition)
    if any(order != "ASC" for _, order in key.clustering):
        kwargs["cql_clustering_order"] = dict(key.clustering)
    return kwargs

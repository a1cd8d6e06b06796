"""A keyspace read from ``system_schema`` in one go, and what SQLAlchemy's Inspector asks answered from it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, Connection, Index, MetaData, PrimaryKeyConstraint, Table
from sqlalchemy import inspect as sqlalchemy_inspect
from sqlalchemy.types import TypeEngine

from alembic_cql.features import Features
from alembic_cql.heads import is_heads_table
from alembic_cql.options import TABLE_OPTIONS, set_options
from alembic_cql.schema import Key, MaterializedView, attach, sorted_types
from alembic_cql.typenames import parse_type
from alembic_cql.types import UserType

# Columns may be missing or more, by server and version: SELECT * and take what is there.
_CATALOG = ("types", "tables", "columns", "indexes", "views", "dropped_columns")
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


@dataclass(frozen=True)
class IndexInfo:
    """One secondary index.

    :ivar using: class of a custom index; None for the built-in one.
    :ivar target: ``keys``, ``values``, ``entries`` or ``full`` of a collection; None for the column itself.
    """

    name: str
    column: str
    using: str | None
    target: str | None
    options: Mapping[str, str]

    @property
    def dialect_options(self) -> dict[str, Any]:
        """Keyword arguments for ``Index``."""
        found = {"cql_using": self.using, "cql_target": self.target, "cql_options": dict(self.options) or None}
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
class KeyspaceInfo:
    """Everything of one keyspace."""

    name: str
    types: Mapping[str, UserType] = field(default_factory=dict)
    tables: Mapping[str, TableInfo] = field(default_factory=dict)
    views: Mapping[str, TableInfo] = field(default_factory=dict)
    dropped_columns: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)


def read_keyspace(connection: Connection, keyspace: str, features: Features) -> KeyspaceInfo:
    """Read a keyspace's objects, without those that the server makes by itself.

    :param connection: of dialect ``cql``.
    """
    rows = {
        table: [
            dict(row)
            for row in connection.exec_driver_sql(
                f"SELECT * FROM system_schema.{table} WHERE keyspace_name = ?", (keyspace,)
            ).mappings()
        ]
        for table in _CATALOG
    }
    types = _user_types(rows["types"])
    columns = _by_table(rows["columns"])
    indexes = _by_table(rows["indexes"])
    index_views = {f"{row['index_name']}_index" for row in rows["indexes"]} if features.is_scylla else set()
    names = {row["table_name"] for row in rows["tables"]}
    tables = {}
    for row in rows["tables"]:
        name = row["table_name"]
        if name.endswith(_PAXOS) or (name.endswith(_CDC_LOG) and name.removesuffix(_CDC_LOG) in names):
            continue
        found = tuple(_index(item) for item in sorted(indexes.get(name, ()), key=lambda item: item["index_name"]))
        tables[name] = _table(name, row, columns.get(name, ()), types, features, indexes=found)
    views = {
        row["view_name"]: _table(row["view_name"], row, columns.get(row["view_name"], ()), types, features, view=row)
        for row in rows["views"]
        if row["view_name"] not in index_views
    }
    dropped: dict[str, dict[str, Mapping[str, Any]]] = {}
    for row in rows["dropped_columns"]:
        dropped.setdefault(row["table_name"], {})[row["column_name"]] = row
    return KeyspaceInfo(keyspace, types, tables, views, dropped)


def _by_table(rows: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["table_name"], []).append(row)
    return found


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


def _table(
    name: str,
    row: Mapping[str, Any],
    columns: Iterable[Mapping[str, Any]],
    types: Mapping[str, UserType],
    features: Features,
    indexes: tuple[IndexInfo, ...] = (),
    view: Mapping[str, Any] | None = None,
) -> TableInfo:
    order = {"partition_key": 0, "clustering": 1, "static": 2, "regular": 3}
    found = [
        ColumnInfo(
            column["column_name"],
            parse_type(column["type"], types),
            column["kind"],
            column["position"],
            column["clustering_order"].upper() if column["kind"] == "clustering" else "ASC",
        )
        for column in columns
    ]
    found.sort(key=lambda column: (order[column.kind], column.position, column.name))
    options = {option: row[option] for option in TABLE_OPTIONS if row.get(option) is not None}
    return TableInfo(name, tuple(found), options, row.get("comment") or "", indexes, view)


def _index(row: Mapping[str, Any]) -> IndexInfo:
    options = dict(row["options"] or {})
    target = options.pop("target")
    using = options.pop("class_name", None)
    match = _TARGET.match(target)
    function, column = (match.group(1), match.group(2)) if match else (None, target)
    if column.startswith('"') and column.endswith('"') and len(column) > 1:
        column = column[1:-1].replace('""', '"')
    elif column.startswith("{"):
        column = next(iter(json.loads(column).get("ck") or [column]))  # ScyllaDB's local index
    return IndexInfo(row["index_name"], column, using, function, options)


def reflect_keyspace(connection: Connection, schema: str | None = None) -> MetaData:
    """Give every object of a keyspace: tables with keys, options and indexes, user types, materialized views.

    ``create_all`` of it makes the same keyspace again. Objects of Alembic's own and those that the server makes by
    itself are left out.

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
        if is_heads_table({column.name: column.kind for column in table.columns}):
            continue
        _to_table(table, metadata, dialect.features)
    for view in keyspace.views.values():
        to_view(view, schema, dialect.features, metadata)
    return metadata


def _to_table(table: TableInfo, metadata: MetaData, features: Features) -> Table:
    columns = [
        Column(
            column.name,
            column.type,
            nullable=column.kind in ("static", "regular"),
            autoincrement=False,
            cql_static=column.kind == "static" or None,
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

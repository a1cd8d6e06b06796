"""Keyspaces as plain values, out of which MetaData are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

import alembic_cql as model
from alembic_cql import MaterializedView, UserType
from alembic_cql import types as cql

# A type is text, or a tuple: ("FROZEN", kind), ("LIST", kind), ("MAP", kind, kind), ("VECTOR", 3), ("TYPE", name).
Kind = Any


@dataclass(frozen=True)
class TypeSpec:
    name: str
    fields: tuple[tuple[str, Kind], ...]


@dataclass(frozen=True)
class ColumnSpec:
    name: str
    kind: Kind
    static: bool = False
    mask: str | None = None


@dataclass(frozen=True)
class IndexSpec:
    name: str
    column: str
    options: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class ViewSpec:
    name: str
    extra: str | None  # the column from outside of the table's key
    partition: int  # how many columns of the key are the partition key
    columns: tuple[str, ...] | None
    order: str = "ASC"
    ttl: int | None = None
    comment: str | None = None


@dataclass(frozen=True)
class TableSpec:
    name: str
    partition: tuple[ColumnSpec, ...]
    clustering: tuple[tuple[ColumnSpec, str], ...]
    columns: tuple[ColumnSpec, ...]
    options: tuple[tuple[str, Any], ...] = ()
    comment: str | None = None
    indexes: tuple[IndexSpec, ...] = ()
    views: tuple[ViewSpec, ...] = ()

    @property
    def key(self) -> list[str]:
        return [column.name for column in (*self.partition, *(column for column, _ in self.clustering))]

    @property
    def has_counters(self) -> bool:
        return any(column.kind == "COUNTER" for column in self.columns)


@dataclass(frozen=True)
class FunctionSpec:
    name: str
    arguments: tuple[tuple[str, Kind], ...]
    returns: Kind
    body: str
    on_null: bool = True


@dataclass(frozen=True)
class AggregateSpec:
    name: str
    state: FunctionSpec
    final: FunctionSpec | None = None
    initial: str | None = None


@dataclass(frozen=True)
class Keyspace:
    types: tuple[TypeSpec, ...] = ()
    tables: tuple[TableSpec, ...] = ()
    functions: tuple[FunctionSpec, ...] = ()
    aggregates: tuple[AggregateSpec, ...] = ()
    durable: bool = True
    by_datacenter: bool = False  # replicated by NetworkTopologyStrategy
    other: Keyspace | None = None  # a second one in the same models


# ------------------------------------------------------------------------------------------------ as MetaData


def to_metadata(keyspace: Keyspace, name: str, datacenter: str) -> sa.MetaData:
    """Make MetaData, with objects of its own.

    :param name: the keyspace's, which the connection has; the other one's is that with ``_2``.
    :param datacenter: where its replica is.
    """
    metadata = sa.MetaData()
    _objects(keyspace, metadata, None)
    _declared(keyspace, metadata, name, datacenter)
    if keyspace.other is not None:
        _objects(keyspace.other, metadata, f"{name}_2")
        _declared(keyspace.other, metadata, f"{name}_2", datacenter)
    return metadata


def _declared(keyspace: Keyspace, metadata: sa.MetaData, name: str, datacenter: str) -> None:
    network = {"class": "NetworkTopologyStrategy", datacenter: 1}
    replication = network if keyspace.by_datacenter else {"class": "SimpleStrategy", "replication_factor": 1}
    model.Keyspace(name, metadata, replication=replication, durable_writes=keyspace.durable)


def _objects(keyspace: Keyspace, metadata: sa.MetaData, schema: str | None) -> None:
    types: dict[str, UserType] = {}
    for spec in keyspace.types:
        fields = [(name, _type(kind, types)) for name, kind in spec.fields]
        types[spec.name] = UserType(spec.name, fields, metadata, schema=schema)
    for table in keyspace.tables:
        _table(table, metadata, types, schema)
    for function in keyspace.functions:
        arguments = [(name, _type(kind, types)) for name, kind in function.arguments]
        returns = _type(function.returns, types)
        model.FunctionDefinition(
            function.name, metadata, arguments, returns, function.body,
            called_on_null_input=function.on_null, schema=schema,
        )  # fmt: skip
    for item in keyspace.aggregates:
        (_, state), *taken = item.state.arguments
        model.AggregateDefinition(
            item.name, metadata, [_type(kind, types) for _, kind in taken], item.state.name, _type(state, types),
            finalfunc=item.final and item.final.name, initcond=item.initial, schema=schema,
        )  # fmt: skip


def _type(kind: Kind, types: dict[str, UserType]) -> Any:
    if isinstance(kind, str):
        return getattr(cql, kind)()
    name, *parts = kind
    if name == "TYPE":
        return types[parts[0]]
    if name == "VECTOR":
        return cql.VECTOR(cql.FLOAT(), parts[0])
    return getattr(cql, name)(*(_type(part, types) for part in parts))


def _table(spec: TableSpec, metadata: sa.MetaData, types: dict[str, UserType], schema: str | None) -> None:
    every = [*spec.partition, *(column for column, _ in spec.clustering), *spec.columns]
    columns = []
    for column in every:
        said = {"cql_static": column.static or None, "cql_masked": column.mask}
        given: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
        columns.append(sa.Column(column.name, _type(column.kind, types), **given))
    options = dict(spec.options)
    if len(spec.partition) > 1:
        options["cql_partition_key"] = [column.name for column in spec.partition]
    if any(order == "DESC" for _, order in spec.clustering):
        options["cql_clustering_order"] = {column.name: order for column, order in spec.clustering}
    primary_key = sa.PrimaryKeyConstraint(*spec.key)
    table = sa.Table(spec.name, metadata, *columns, primary_key, comment=spec.comment, schema=schema, **options)
    for index in spec.indexes:
        sa.Index(index.name, table.c[index.column], **dict(index.options))
    for view in spec.views:
        key = ([view.extra] if view.extra else []) + spec.key
        MaterializedView(
            view.name,
            metadata,
            spec.name,
            " AND ".join(f"{_quoted(name)} IS NOT NULL" for name in key),
            key[: view.partition],
            dict.fromkeys(key[view.partition :], view.order),
            columns=view.columns,
            schema=schema,
            comment=view.comment,
            options={} if view.ttl is None else {"gc_grace_seconds": view.ttl},
        )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

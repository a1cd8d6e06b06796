"""Random keyspaces and random changes of them, as plain values out of which MetaData are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa
from hypothesis import strategies as st

from alembic_cql import MaterializedView, UserType
from alembic_cql import types as cql

SCALARS = (
    "ASCII", "BIGINT", "BLOB", "BOOLEAN", "DATE", "DECIMAL", "DOUBLE", "FLOAT", "INET", "INT", "SMALLINT", "TEXT",
    "TIME", "TIMESTAMP", "TIMEUUID", "TINYINT", "UUID", "VARINT",
)  # fmt: skip
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
class Keyspace:
    types: tuple[TypeSpec, ...] = ()
    tables: tuple[TableSpec, ...] = ()


# ------------------------------------------------------------------------------------------------ as MetaData


def to_metadata(keyspace: Keyspace) -> sa.MetaData:
    """Make MetaData, with objects of its own."""
    metadata = sa.MetaData()
    types: dict[str, UserType] = {}
    for spec in keyspace.types:
        types[spec.name] = UserType(spec.name, [(name, _type(kind, types)) for name, kind in spec.fields], metadata)
    for table in keyspace.tables:
        _table(table, metadata, types)
    return metadata


def _type(kind: Kind, types: dict[str, UserType]) -> Any:
    if isinstance(kind, str):
        return getattr(cql, kind)()
    name, *parts = kind
    if name == "TYPE":
        return types[parts[0]]
    if name == "VECTOR":
        return cql.VECTOR(cql.FLOAT(), parts[0])
    return getattr(cql, name)(*(_type(part, types) for part in parts))


def _table(spec: TableSpec, metadata: sa.MetaData, types: dict[str, UserType]) -> None:
    in_key = [*spec.partition, *(column for column, _ in spec.clustering)]
    columns = [sa.Column(column.name, _type(column.kind, types)) for column in in_key]
    columns += [
        sa.Column(column.name, _type(column.kind, types), **({"cql_static": True} if column.static else {}))
        for column in spec.columns
    ]
    options = dict(spec.options)
    if len(spec.partition) > 1:
        options["cql_partition_key"] = [column.name for column in spec.partition]
    if any(order == "DESC" for _, order in spec.clustering):
        options["cql_clustering_order"] = {column.name: order for column, order in spec.clustering}
    table = sa.Table(
        spec.name, metadata, *columns, sa.PrimaryKeyConstraint(*spec.key), comment=spec.comment, **options
    )
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
            options={} if view.ttl is None else {"gc_grace_seconds": view.ttl},
        )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


# ------------------------------------------------------------------------------------------------ strategies

_WORDS = ("account", "Events", "order", "select", "User2", "x", "token", "a_b", "KEY", "by_day", "v1")
_COLUMN_WORDS = (*_WORDS, "No 1", 'say "so"', "it's; DROP", "größe", "naïve?", "%s", ":p", "a.b")
_OPTIONS: dict[str, st.SearchStrategy[Any]] = {
    "cql_gc_grace_seconds": st.sampled_from([0, 3600, 864000, 864001]),
    "cql_default_time_to_live": st.sampled_from([0, 60, 86400]),
    "cql_speculative_retry": st.sampled_from(["99p", "50ms", "ALWAYS", "NEVER", "99PERCENTILE", "MIN(99p,50ms)"]),
    "cql_additional_write_policy": st.sampled_from(["99p", "NEVER", "75ms"]),
    "cql_caching": st.sampled_from([{"keys": "NONE"}, {"keys": "ALL", "rows_per_partition": "10"}]),
    "cql_compaction": st.sampled_from(
        [
            {"class": "LeveledCompactionStrategy", "sstable_size_in_mb": 64},
            {"class": "SizeTieredCompactionStrategy", "max_threshold": 16},
            {"class": "TimeWindowCompactionStrategy", "compaction_window_unit": "DAYS", "compaction_window_size": 2},
            {"class": "UnifiedCompactionStrategy", "scaling_parameters": "T4"},
            {"class": "org.apache.cassandra.db.compaction.SizeTieredCompactionStrategy", "enabled": "false"},
        ]
    ),
    "cql_compression": st.sampled_from(
        [
            {"enabled": False},
            {"class": "ZstdCompressor", "compression_level": 3},
            {"class": "LZ4Compressor", "chunk_length_in_kb": 64},
            {"sstable_compression": "SnappyCompressor", "chunk_length_kb": 4},
        ]
    ),
    "cql_bloom_filter_fp_chance": st.sampled_from([0.1, 0.01, 1.0]),
    "cql_crc_check_chance": st.sampled_from([0.5, 1]),
    "cql_min_index_interval": st.sampled_from([64, 128]),
    "cql_max_index_interval": st.sampled_from([2048, 4096]),
    "cql_memtable_flush_period_in_ms": st.sampled_from([0, 60000]),
    "cql_read_repair": st.sampled_from(["BLOCKING", "none"]),
    "cql_cdc": st.booleans(),
    "cql_incremental_backups": st.booleans(),
    "cql_allow_auto_snapshot": st.booleans(),
}
_SAI = ("ASCII", "BIGINT", "DATE", "DECIMAL", "DOUBLE", "FLOAT", "INET", "INT", "TEXT", "TIME", "TIMESTAMP", "UUID")


@dataclass
class Names:
    """Names that are taken already; each is given once in its keyspace."""

    taken: set[str] = field(default_factory=set)

    def draw(self, draw: Callable[..., Any], words: tuple[str, ...] = _WORDS) -> str:
        word = draw(st.sampled_from(words))
        number = 0
        while (name := f"{word}{number or ''}") in self.taken:
            number += 1
        self.taken.add(name)
        return name


def frozen_kinds(types: tuple[TypeSpec, ...]) -> st.SearchStrategy[Kind]:
    """Types for the inside of others and for keys."""
    leaves = st.sampled_from(SCALARS)
    if types:
        leaves |= st.sampled_from([("FROZEN", ("TYPE", spec.name)) for spec in types])
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            inner.map(lambda kind: ("FROZEN", ("LIST", kind))),
            inner.map(lambda kind: ("FROZEN", ("SET", kind))),
            st.tuples(inner, inner).map(lambda pair: ("FROZEN", ("MAP", *pair))),
            st.tuples(inner, inner).map(lambda pair: ("TUPLE", *pair)),
        ),
        max_leaves=3,
    )


def kinds(types: tuple[TypeSpec, ...]) -> st.SearchStrategy[Kind]:
    """Types of columns outside of the key."""
    inner = frozen_kinds(types)
    choices = [
        st.sampled_from(SCALARS),
        inner,
        inner.map(lambda kind: ("LIST", kind)),
        inner.map(lambda kind: ("SET", kind)),
        st.tuples(inner, inner).map(lambda pair: ("MAP", *pair)),
        st.just("DURATION"),
        st.integers(1, 5).map(lambda dimension: ("VECTOR", dimension)),
    ]
    return st.one_of(choices)


@st.composite
def type_specs(draw: Callable[..., Any], names: Names, types: tuple[TypeSpec, ...]) -> TypeSpec:
    own = Names()
    count = draw(st.integers(1, 3))
    fields = tuple((own.draw(draw, _COLUMN_WORDS), draw(frozen_kinds(types))) for _ in range(count))
    return TypeSpec(names.draw(draw), fields)


@st.composite
def table_specs(draw: Callable[..., Any], names: Names, types: tuple[TypeSpec, ...]) -> TableSpec:
    own = Names()
    in_key = frozen_kinds(types) if draw(st.integers(0, 3)) == 0 else st.sampled_from(SCALARS)

    def column(kind: st.SearchStrategy[Kind], static: bool = False) -> ColumnSpec:
        return ColumnSpec(own.draw(draw, _COLUMN_WORDS), draw(kind), static)

    partition = tuple(column(in_key) for _ in range(draw(st.integers(1, 2))))
    orders = st.sampled_from(["ASC", "DESC"])
    clustering = tuple((column(in_key), draw(orders)) for _ in range(draw(st.integers(0, 2))))
    if draw(st.integers(0, 4)) == 0:
        counters = [ColumnSpec(own.draw(draw, _COLUMN_WORDS), "COUNTER", bool(clustering) and draw(st.booleans()))]
        spec = TableSpec(names.draw(draw), partition, clustering, tuple(counters))
    else:
        columns = tuple(
            column(kinds(types), bool(clustering) and draw(st.integers(0, 3)) == 0)
            for _ in range(draw(st.integers(0, 4)))
        )
        spec = TableSpec(names.draw(draw), partition, clustering, columns)
    spec = replace(spec, options=draw(options(spec.has_counters)), comment=draw(_COMMENTS))
    for _ in range(draw(st.integers(0, 2))):
        spec = draw(with_index(spec, names))
    if draw(st.integers(0, 3)) == 0:
        spec = draw(with_view(spec, names))
    return spec


_COMMENTS = st.sampled_from([None, "plain", "it's a \"comment\"; -- really $$ %s :x {} \\", "größer 😀"])


@st.composite
def options(draw: Callable[..., Any], counters: bool) -> tuple[tuple[str, Any], ...]:
    chosen = draw(st.lists(st.sampled_from(sorted(_OPTIONS)), max_size=4, unique=True))
    found = {name: draw(_OPTIONS[name]) for name in chosen}
    if counters:
        found.pop("cql_default_time_to_live", None)
    return tuple(sorted(found.items(), key=lambda item: item[0]))


def index_options(spec: TableSpec, column: ColumnSpec) -> list[dict[str, Any]]:
    """Give what an index on a column may say."""
    found = _index_options(spec, column)
    plain = column.name.isascii() and column.name.replace("_", "a").isalnum()
    return [one for one in found if plain or "cql_using" not in one]


def _index_options(spec: TableSpec, column: ColumnSpec) -> list[dict[str, Any]]:
    kind = column.kind
    if kind == "COUNTER" or kind == "DURATION" or [column.name] == [one.name for one in spec.partition]:
        return []
    if isinstance(kind, str):
        found: list[dict[str, Any]] = [{}]
        if kind in _SAI:
            found.append({"cql_using": "sai"})
        if kind in ("TEXT", "ASCII") and column.name not in spec.key:
            found.append({"cql_using": "sai", "cql_options": {"case_sensitive": "false", "normalize": "true"}})
        if kind in ("TEXT", "ASCII") and not column.static:
            found.append({"cql_using": "org.apache.cassandra.index.sasi.SASIIndex"})
        return found
    name, *parts = kind
    simple = all(part in _SAI for part in parts)
    if name == "VECTOR":
        return [{"cql_using": "sai", "cql_options": {"similarity_function": "dot_product"}}, {"cql_using": "sai"}]
    if name == "MAP":
        targets = [{"cql_target": target} for target in ("keys", "values", "entries")]
        return targets + ([{"cql_using": "sai", **target} for target in targets] if simple else [])
    if name in ("LIST", "SET"):
        return [{}, {"cql_target": "values"}, *([{"cql_using": "sai"}] if simple else [])]
    if name == "FROZEN" and parts[0][0] in ("LIST", "SET", "MAP"):
        return [{"cql_target": "full"}]
    return []


@st.composite
def with_index(draw: Callable[..., Any], spec: TableSpec, names: Names) -> TableSpec:
    indexed = {index.column for index in spec.indexes}
    every = [*spec.partition, *(column for column, _ in spec.clustering), *spec.columns]
    if spec.has_counters:
        return spec
    possible = [(column, found) for column in every if (found := index_options(spec, column))]
    possible = [(column, found) for column, found in possible if column.name not in indexed]
    if not possible:
        return spec
    column, found = draw(st.sampled_from(possible))
    index = IndexSpec(names.draw(draw), column.name, tuple(sorted(draw(st.sampled_from(found)).items())))
    return replace(spec, indexes=(*spec.indexes, index))


@st.composite
def with_view(draw: Callable[..., Any], spec: TableSpec, names: Names) -> TableSpec:
    if spec.has_counters or dict(spec.options).get("cql_gc_grace_seconds") == 0:
        return spec
    regular = [column for column in spec.columns if not column.static]
    extra = [column.name for column in regular if column.kind in SCALARS]
    chosen = draw(st.none() | st.sampled_from(extra)) if extra else None
    if chosen is None and not spec.clustering and len(spec.partition) == 1:
        return spec
    some = tuple(column.name for column in regular if draw(st.booleans()))
    columns = some if any(column.static for column in spec.columns) or draw(st.booleans()) else None
    count = draw(st.integers(1, len(spec.key)))
    ttl = draw(st.none() | st.just(7200))
    order = draw(st.sampled_from(["ASC", "DESC"]))
    return replace(spec, views=(*spec.views, ViewSpec(names.draw(draw), chosen, count, columns, order, ttl)))


@st.composite
def keyspaces(draw: Callable[..., Any]) -> tuple[Keyspace, Names]:
    names = Names()
    types: tuple[TypeSpec, ...] = ()
    for _ in range(draw(st.integers(0, 2))):
        types = (*types, draw(type_specs(names, types)))
    tables = tuple(draw(table_specs(names, types)) for _ in range(draw(st.integers(1, 3))))
    return Keyspace(types, tables), names


# ------------------------------------------------------------------------------------------------ changes


def _mentions(kind: Kind, name: str) -> bool:
    if isinstance(kind, tuple):
        return kind == ("TYPE", name) or any(_mentions(part, name) for part in kind[1:])
    return False


@st.composite
def changes(draw: Callable[..., Any], keyspace: Keyspace, names: Names) -> Keyspace:
    """Give a keyspace that differs from another one in what CQL can change and take back."""
    names = Names(set(names.taken))
    for _ in range(draw(st.integers(1, 4))):
        keyspace = draw(_change(keyspace, names))
    return keyspace


@st.composite
def _change(draw: Callable[..., Any], keyspace: Keyspace, names: Names) -> Keyspace:
    what = draw(st.sampled_from([_add_table, _drop_table, _add_type, _drop_type, _add_field, *[_change_table] * 6]))
    return draw(what(keyspace, names))


@st.composite
def _add_table(draw: Callable[..., Any], keyspace: Keyspace, names: Names) -> Keyspace:
    return replace(keyspace, tables=(*keyspace.tables, draw(table_specs(names, keyspace.types))))


@st.composite
def _drop_table(draw: Callable[..., Any], keyspace: Keyspace, names: Names) -> Keyspace:
    if not keyspace.tables:
        return keyspace
    gone = draw(st.sampled_from(keyspace.tables))
    return replace(keyspace, tables=tuple(table for table in keyspace.tables if table is not gone))


@st.composite
def _add_type(draw: Callable[..., Any], keyspace: Keyspace, names: Names) -> Keyspace:
    return replace(keyspace, types=(*keyspace.types, draw(type_specs(names, keyspace.types))))


@st.composite
def _drop_type(draw: Callable[..., Any], keyspace: Keyspace, names: Names) -> Keyspace:
    columns = [
        column
        for table in keyspace.tables
        for column in (*table.partition, *(column for column, _ in table.clustering), *table.columns)
    ]
    used = [column.kind for column in columns] + [kind for spec in keyspace.types for _, kind in spec.fields]
    unused = [spec for spec in keyspace.types if not any(_mentions(kind, spec.name) for kind in used)]
    if not unused:
        return keyspace
    gone = draw(st.sampled_from(unused))
    return replace(keyspace, types=tuple(spec for spec in keyspace.types if spec is not gone))


@st.composite
def _add_field(draw: Callable[..., Any], keyspace: Keyspace, names: Names) -> Keyspace:
    """Add a field to a type; none to one that a key is made of, which the server refuses."""
    in_keys = [
        column.kind
        for table in keyspace.tables
        for column in (*table.partition, *(column for column, _ in table.clustering))
    ]
    nested = {spec.name for spec in keyspace.types for other in keyspace.types for _, kind in other.fields
              if _mentions(kind, spec.name)}  # fmt: skip
    open_types = [
        spec for spec in keyspace.types
        if spec.name not in nested and not any(_mentions(kind, spec.name) for kind in in_keys)
    ]  # fmt: skip
    if not open_types:
        return keyspace
    spec = draw(st.sampled_from(open_types))
    earlier = tuple(one for one in keyspace.types[: keyspace.types.index(spec)])
    own = Names({name for name, _ in spec.fields})
    more = replace(spec, fields=(*spec.fields, (own.draw(draw, _COLUMN_WORDS), draw(frozen_kinds(earlier)))))
    return replace(keyspace, types=tuple(more if one is spec else one for one in keyspace.types))


@st.composite
def _change_table(draw: Callable[..., Any], keyspace: Keyspace, names: Names) -> Keyspace:
    if not keyspace.tables:
        return keyspace
    table = draw(st.sampled_from(keyspace.tables))
    what = draw(st.sampled_from(["add", "add", "drop", "options", "comment", "index", "no index", "view", "no view"]))
    changed = table
    if what == "add" and not table.has_counters:
        own = Names({*table.key, *(column.name for column in table.columns)})
        static = bool(table.clustering) and draw(st.integers(0, 3)) == 0
        column = ColumnSpec(own.draw(draw, ("new", "Newer", "added; x")), draw(kinds(keyspace.types)), static)
        if not (static and any(view.columns is None for view in table.views)):
            changed = replace(table, columns=(*table.columns, column))
    elif what == "drop" and not table.has_counters:
        used = {view.extra for view in table.views} | {
            name for view in table.views for name in view.columns or ()
        }
        possible = [column for column in table.columns if column.name not in used]
        if possible:
            gone = draw(st.sampled_from(possible))
            changed = replace(
                table,
                columns=tuple(column for column in table.columns if column is not gone),
                indexes=tuple(index for index in table.indexes if index.column != gone.name),
            )
    elif what == "options":
        found = draw(options(table.has_counters))
        if not (table.views and dict(found).get("cql_gc_grace_seconds") == 0):
            changed = replace(table, options=found)
    elif what == "comment":
        changed = replace(table, comment=draw(_COMMENTS))
    elif what == "index":
        changed = draw(with_index(table, names))
    elif what == "no index":
        changed = replace(table, indexes=table.indexes[1:])
    elif what == "view":
        changed = draw(with_view(table, names))
    elif what == "no view":
        changed = replace(table, views=table.views[1:])
    return replace(keyspace, tables=tuple(changed if one is table else one for one in keyspace.tables))

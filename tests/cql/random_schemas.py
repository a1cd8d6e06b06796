"""Random keyspaces, as hypothesis strategies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st

from tests.cql.keyspace_specs import (
    AggregateSpec,
    ColumnSpec,
    FunctionSpec,
    IndexSpec,
    Keyspace,
    Kind,
    TableSpec,
    TypeSpec,
    ViewSpec,
)

SCALARS = (
    "ASCII", "BIGINT", "BLOB", "BOOLEAN", "DATE", "DECIMAL", "DOUBLE", "FLOAT", "INET", "INT", "SMALLINT", "TEXT",
    "TIME", "TIMESTAMP", "TIMEUUID", "TINYINT", "UUID", "VARINT",
)  # fmt: skip
_WORDS = ("account", "Events", "order", "select", "User2", "x", "token", "a_b", "KEY", "by_day", "v1")
COLUMN_WORDS = (*_WORDS, "No 1", 'say "so"', "it's; DROP", "größe", "naïve?", "%s", ":p", "a.b")
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
    "cql_extensions": st.sampled_from([{"owner": b"\x00'"}, {}]),
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
    fields = tuple((own.draw(draw, COLUMN_WORDS), draw(frozen_kinds(types))) for _ in range(count))
    return TypeSpec(names.draw(draw), fields)


@st.composite
def table_specs(draw: Callable[..., Any], names: Names, types: tuple[TypeSpec, ...]) -> TableSpec:
    own = Names()
    in_key = frozen_kinds(types) if draw(st.integers(0, 3)) == 0 else st.sampled_from(SCALARS)

    def column(kind: st.SearchStrategy[Kind], static: bool = False) -> ColumnSpec:
        spec = ColumnSpec(own.draw(draw, COLUMN_WORDS), draw(kind), static)
        return replace(spec, mask=draw(masks(spec)))

    partition = tuple(column(in_key) for _ in range(draw(st.integers(1, 2))))
    orders = st.sampled_from(["ASC", "DESC"])
    clustering = tuple((column(in_key), draw(orders)) for _ in range(draw(st.integers(0, 2))))
    if draw(st.integers(0, 4)) == 0:
        counters = [ColumnSpec(own.draw(draw, COLUMN_WORDS), "COUNTER", bool(clustering) and draw(st.booleans()))]
        spec = TableSpec(names.draw(draw), partition, clustering, tuple(counters))
    else:
        columns = tuple(
            column(kinds(types), bool(clustering) and draw(st.integers(0, 3)) == 0)
            for _ in range(draw(st.integers(0, 4)))
        )
        spec = TableSpec(names.draw(draw), partition, clustering, columns)
    spec = replace(spec, options=draw(options(spec.has_counters)), comment=draw(COMMENTS))
    for _ in range(draw(st.integers(0, 2))):
        spec = draw(with_index(spec, names))
    if draw(st.integers(0, 3)) == 0:
        spec = draw(with_view(spec, names))
    return spec


COMMENTS = st.sampled_from([None, "plain", "it's a \"comment\"; -- really $$ %s :x {} \\", "größer 😀"])


def masks(column: ColumnSpec) -> st.SearchStrategy[str | None]:
    """Give what a column may be masked by; mostly nothing."""
    some = ["DEFAULT", "mask_null()"]
    if column.kind in ("TEXT", "ASCII"):
        some += ["mask_inner(1, null)", "mask_outer(2, 1, '#')"]
    if column.kind == "INT":
        some += ["mask_replace(7)"]
    return st.integers(0, 7).flatmap(lambda number: st.none() if number else st.sampled_from(some))


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
    some = some or (spec.key[0],)
    columns = some if any(column.static for column in spec.columns) or draw(st.booleans()) else None
    count = draw(st.integers(1, len(spec.key)))
    ttl = draw(st.none() | st.just(7200))
    order = draw(st.sampled_from(["ASC", "DESC"]))
    view = ViewSpec(names.draw(draw), chosen, count, columns, order, ttl, draw(COMMENTS))
    return replace(spec, views=(*spec.views, view))


BODIES = ("throw new RuntimeException();", "/* it's; \"$ */ throw new Error(\"a;'b\\n\");\n// end", "return null;")
STATES = {"INT": ("0", "-7"), "BIGINT": ("12",), "TEXT": ("''", "'a; b'"), "DOUBLE": ("1.5",), "BOOLEAN": ("true",)}


@st.composite
def function_specs(draw: Callable[..., Any], names: Names, types: tuple[TypeSpec, ...]) -> FunctionSpec:
    own = Names()
    words = ("a", "B", "v1", "k")
    taken = frozen_kinds(types) | st.just("COUNTER")
    arguments = tuple((own.draw(draw, words), draw(taken)) for _ in range(draw(st.integers(0, 3))))
    body = draw(st.sampled_from(BODIES))
    return FunctionSpec(names.draw(draw, _FUNCTIONS), arguments, draw(frozen_kinds(types)), body, draw(st.booleans()))


_FUNCTIONS = ("plus", "Plus", "select", "say it", "x; y")


@st.composite
def with_functions(draw: Callable[..., Any], keyspace: Keyspace, names: Names) -> Keyspace:
    """Add a function, or an aggregate with those that it is made of."""
    if draw(st.booleans()):
        function = draw(function_specs(names, keyspace.types))
        if keyspace.functions and draw(st.booleans()):  # another one of the same name
            first = keyspace.functions[0]
            more = (*first.arguments, ("more", "INT"), ("evenMore", "INT"))
            function = replace(function, name=first.name, arguments=more)
        return replace(keyspace, functions=(*keyspace.functions, function))
    state = draw(st.sampled_from(sorted(STATES)))
    taken = draw(frozen_kinds(keyspace.types))
    step = FunctionSpec(names.draw(draw, _FUNCTIONS), (("s", state), ("v", taken)), state, BODIES[0])
    final = FunctionSpec(names.draw(draw, _FUNCTIONS), (("s", state),), draw(frozen_kinds(keyspace.types)), BODIES[0])
    last = draw(st.sampled_from([None, final]))
    initial = draw(st.none() | st.sampled_from(STATES[state]))
    made = AggregateSpec(names.draw(draw, ("total", "Total")), step, last, initial)
    functions = (*keyspace.functions, step, *([] if last is None else [last]))
    return replace(keyspace, functions=functions, aggregates=(*keyspace.aggregates, made))


@st.composite
def keyspaces(draw: Callable[..., Any]) -> tuple[Keyspace, Names]:
    names = Names()
    keyspace = draw(_one_keyspace(names, 3))
    if draw(st.integers(0, 3)) == 0:
        keyspace = replace(keyspace, other=draw(_one_keyspace(names, 1)))
    return keyspace, names


@st.composite
def _one_keyspace(draw: Callable[..., Any], names: Names, most: int) -> Keyspace:
    types: tuple[TypeSpec, ...] = ()
    for _ in range(draw(st.integers(0, 2))):
        types = (*types, draw(type_specs(names, types)))
    tables = tuple(draw(table_specs(names, types)) for _ in range(draw(st.integers(1, most))))
    keyspace = Keyspace(types, tables, durable=draw(st.integers(0, 3)) > 0, by_datacenter=draw(st.booleans()))
    for _ in range(draw(st.integers(0, 1))):
        keyspace = draw(with_functions(keyspace, names))
    return keyspace

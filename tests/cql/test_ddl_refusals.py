"""What no keyspace can hold is refused by create_all before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
import sqlalchemy.dialects.postgresql
from sqlalchemy import Column, Engine, Index, Integer, MetaData, String, Table, event, inspect

from alembic_cql import UserType
from alembic_cql import types as cql
from tests.cql.oracle import engine_of
from tests.servers.fixtures import CassandraKeyspace


@pytest.fixture(scope="module")
def engine(keyspaces: Iterator[CassandraKeyspace]) -> Iterator[Engine]:
    """An engine on an empty keyspace."""
    with engine_of(next(keyspaces)) as engine:
        yield engine


def key() -> Column[int]:
    return Column("k", Integer, primary_key=True)


ADDRESS = UserType("address", [("street", cql.TEXT()), ("tags", cql.LIST(cql.TEXT))])
BAD_COLUMNS: dict[str, tuple[Any, str]] = {
    "default": (Column("v", Integer, server_default="1"), "no column default"),
    "computed": (Column("v", Integer, sa.Computed("k + 1")), "no computed column"),
    "identity": (Column("v", Integer, sa.Identity()), "no identity column"),
    "static without clustering": (Column("v", Integer, cql_static=True), "cannot be static"),
    "untyped": (Column("v"), "column 'v': .*give the column a type"),
    "type of another database": (Column("v", sa.dialects.postgresql.TSVECTOR), "column 'v': CQL has no type TSVECTOR"),
    "array in array": (Column("v", sa.ARRAY(Integer, dimensions=2)), "ARRAY of several dimensions"),
    "vector of none": (Column("v", cql.VECTOR(cql.FLOAT, 0)), "no vector of 0 elements"),
    "vector of some": (Column("v", cql.VECTOR(cql.FLOAT, "3")), "no vector of '3' elements"),  # type: ignore[arg-type]
    "empty tuple": (Column("v", cql.TUPLE()), "no tuple without elements"),
    "open list in list": (Column("v", cql.LIST(cql.LIST(cql.INT))), "must be frozen: write FROZEN"),
    "open list in map": (Column("v", cql.MAP(cql.INT, cql.SET(cql.INT))), "must be frozen: write FROZEN"),
    "open user type in list": (Column("v", cql.LIST(ADDRESS)), "must be frozen: write FROZEN"),
    "open user type with list": (Column("v", ADDRESS), "field 'tags' is a collection, so .* must be frozen"),
    "frozen number": (Column("v", cql.FROZEN(cql.INT)), "frozen<int>: frozen<> is for"),
    "counter in list": (Column("v", cql.LIST(cql.COUNTER)), "counters cannot be inside"),
    "duration in set": (Column("v", cql.SET(cql.DURATION)), "durations have no order"),
    "duration as a map's key": (Column("v", cql.FROZEN(cql.MAP(cql.DURATION, cql.INT))), "durations have no order"),
    "open list in key": (Column("v", cql.LIST(cql.INT), primary_key=True), "in a primary key it must be frozen"),
    "open user type in key": (Column("v", ADDRESS, primary_key=True), "in a primary key it must be frozen"),
    "duration in key": (Column("v", sa.Interval, primary_key=True), "durations have no order"),
    "hidden duration in key": (
        Column("v", cql.FROZEN(cql.LIST(cql.TUPLE(cql.DURATION))), primary_key=True), "durations have no order",
    ),
    "counter in key": (Column("v", cql.COUNTER, primary_key=True), "counter"),
    "counter among others": ([Column("v", cql.COUNTER), Column("w", Integer)], r"mixes counters \(v\) .* \(w\)"),
    "foreign key": (Column("v", Integer, sa.ForeignKey("first.k")), r"no foreign key \(table 'bad', v\)"),
    "unique": (Column("v", Integer, unique=True), r"no unique constraint \(table 'bad', v\)"),
    "check": ([Column("v", Integer), sa.CheckConstraint("v > 1", name="positive")], "no check constraint .*positive"),
    "index on two": ([Column("v", Integer), Index("i", "v", "k")], "make one index for each column"),
    "unique index": ([Column("v", Integer), Index("i", "v", unique=True)], "no unique index"),
    "index on an expression": ([Column("v", String), Index("i", sa.func.lower(sa.text("v")))], "no index on"),
    "index target": ([Column("v", cql.MAP(cql.INT, cql.INT)), Index("i", "v", cql_target="x")], "cql_target takes"),
    "target of no map": ([Column("v", cql.SET(cql.INT)), Index("i", "v", cql_target="keys")], "needs a map that is"),
    "target of no collection": ([Column("v", Integer), Index("i", "v", cql_target="values")], "needs a collection"),
    "full of an open list": ([Column("v", cql.LIST(cql.INT)), Index("i", "v", cql_target="full")], "a frozen collec"),
    "options of no class": ([Column("v", Integer), Index("i", "v", cql_options={"a": 1})], "cql_options needs"),
    "index name": ([Column("v", Integer), Index("my index", "v")], "index 'my index': its name must be"),
    "index on a counter": ([Column("v", cql.COUNTER), Index("i", "v")], "counters cannot be indexed"),
}  # fmt: skip
BAD_OPTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "seconds": ({"cql_gc_grace_seconds": "soon"}, "cql_gc_grace_seconds takes seconds, not 'soon'"),
    "negative": ({"cql_gc_grace_seconds": -1}, "not -1"),
    "fraction": ({"cql_default_time_to_live": 1.5}, "not 1.5"),
    "twenty years": ({"cql_default_time_to_live": 630720001}, "20 years at most"),
    "chance": ({"cql_bloom_filter_fp_chance": 0}, "a number above 0"),
    "percentile": ({"cql_speculative_retry": "101p"}, "'99p'"),
    "policy": ({"cql_additional_write_policy": "MIN(1ms,2ms)"}, "MIN"),
    "strategy": ({"cql_compaction": {"class": "NopeStrategy"}}, "a compaction strategy"),
    "no map": ({"cql_compaction": "LeveledCompactionStrategy"}, "a map of texts"),
    "thresholds": (
        {"cql_compaction": {"class": "SizeTieredCompactionStrategy", "min_threshold": 8, "max_threshold": 4}}, "map",
    ),
    "compressor": ({"cql_compression": {"class": "NopeCompressor"}}, "a compressor"),
    "chunk": ({"cql_compression": {"class": "LZ4Compressor", "chunk_length_in_kb": 3}}, "a power of 2"),
    "compression key": ({"cql_compression": {"class": "LZ4Compressor", "level": 3}}, "LZ4Compressor has no 'level'"),
    "caching": ({"cql_caching": {"keys": "SOME"}}, "ALL, NONE or a number"),
    "read repair": ({"cql_read_repair": "SOMETIMES"}, "'BLOCKING' or 'NONE'"),
    "flag": ({"cql_cdc": "maybe"}, "true or false"),
    "cdc map": ({"cql_cdc": {"enabled": True}}, "cql_cdc takes true or false on this server"),
    "intervals": ({"cql_min_index_interval": 4096}, "more than cql_max_index_interval"),
    "bytes": ({"cql_extensions": {"a": "zz"}}, "from text to bytes"),
    "other server": ({"cql_tombstone_gc": {"mode": "repair"}}, "only ScyllaDB has the option cql_tombstone_gc"),
    "id": ({"cql_id": "one"}, "cql_id takes a uuid"),
    "order of no clustering": ({"cql_clustering_order": {"v": "DESC"}}, "cql_clustering_order takes ASC or DESC"),
    "order": ({"cql_clustering_order": "k DESC"}, "cql_clustering_order takes ASC or DESC"),
    "partition": ({"cql_partition_key": ["v"]}, "cql_partition_key names 'v', and the primary key has k"),
    "partition twice": ({"cql_partition_key": ["k", "k"]}, "cql_partition_key names 'k'"),
    "partition number": ({"cql_partition_key": 5}, "cql_partition_key takes names of columns"),
}  # fmt: skip


def bad_models() -> Iterator[Any]:
    for case, (given, message) in BAD_COLUMNS.items():
        yield pytest.param(given if isinstance(given, list) else [given], {}, message, id=case)
    for case, (options, message) in BAD_OPTIONS.items():
        yield pytest.param([Column("v", Integer)], options, message, id=case)
    counter = Column("v", cql.COUNTER)
    yield pytest.param(
        [counter], {"cql_default_time_to_live": 5}, "counters, which cannot expire", id="expiring counter"
    )


@pytest.mark.parametrize(("items", "options", "message"), list(bad_models()))
def test_bad_models_are_refused_before_anything_is_sent(
    engine: Engine, items: list[Any], options: dict[str, Any], message: str
) -> None:
    metadata = MetaData()
    Table("first", metadata, key())  # by itself it could be made
    UserType("before", {"a": cql.INT()}, metadata)
    copies = [item._copy() for item in items if isinstance(item, Column)]  # each test has columns of its own
    Table("bad", metadata, key(), *copies, *(item for item in items if not isinstance(item, Column)), **options)
    sent: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        with pytest.raises(sa.exc.CompileError, match=message) as caught:
            metadata.create_all(engine)
        assert not [statement for statement in sent if not statement.startswith("SELECT")]
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert "\n" not in str(caught.value)
    assert "nothing was sent" in str(caught.value)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (lambda metadata: Table("bad", metadata, Column("v", Integer)), "table 'bad' has no primary key"),
        (lambda metadata: Table("with space", metadata, key()), "table 'with space': its name must be"),
        (lambda metadata: Table("ünï", metadata, key()), "its name must be"),
        (lambda metadata: UserType("ünï", {"a": cql.INT()}, metadata), "must be of ASCII characters"),
        (lambda metadata: UserType("bad", {"a": cql.COUNTER()}, metadata), "cannot hold a counter"),
        (lambda metadata: UserType("bad", {"a": UserType("inner", {"b": cql.INT()})}, metadata), "must be frozen"),
        (lambda metadata: UserType("bad", {"a": cql.LIST(cql.LIST(cql.INT))}, metadata), "must be frozen"),
    ],
)
def test_bad_names_and_types_are_refused(engine: Engine, table: Any, message: str) -> None:
    metadata = MetaData()
    Table("first", metadata, key())
    table(metadata)
    with pytest.raises(sa.exc.CompileError, match=message):
        metadata.create_all(engine)
    assert not inspect(engine).has_table("first")


def test_an_option_that_does_not_exist() -> None:
    with pytest.raises(sa.exc.ArgumentError, match="'cql_gc_grace'"):
        Table("bad", MetaData(), key(), cql_gc_grace=1)
    with pytest.raises(sa.exc.ArgumentError, match="'cql_statik'"):
        Column("v", Integer, cql_statik=True)

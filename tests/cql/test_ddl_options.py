"""Table options in every spelling, and every kind of index, against what the server keeps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Column, Connection, Engine, Index, Integer, MetaData, String, Table, inspect

from alembic_cql import types as cql
from alembic_cql.indexes import index_identity
from alembic_cql.options import complete_options, option_literal, table_options
from tests.cql.oracle import engine_of
from tests.servers.fixtures import CassandraKeyspace


@pytest.fixture(scope="module")
def keyspace(keyspaces: Iterator[CassandraKeyspace]) -> CassandraKeyspace:
    """One keyspace for the tests of this module; each makes tables of its own."""
    return next(keyspaces)


@pytest.fixture(scope="module")
def engine(keyspace: CassandraKeyspace) -> Iterator[Engine]:
    """An engine on it."""
    with engine_of(keyspace) as engine:
        yield engine


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """A connection of that engine."""
    with engine.connect() as connection:
        yield connection


COMPACTION = "org.apache.cassandra.db.compaction."
SPELLINGS: dict[str, list[Any]] = {
    "additional_write_policy": ["99p", "99.0PERCENTILE", "50.9ms", "always", "none", "max( 90p , 10ms )", "0.1p"],
    "speculative_retry": ["95.50Percentile", "NEVER", "1MS", "MIN(50ms,99p)"],
    "allow_auto_snapshot": [True, "FALSE"],
    "incremental_backups": [False, "true"],
    "bloom_filter_fp_chance": [0.01, "0.1", 1],
    "caching": [
        {"keys": "ALL", "rows_per_partition": "NONE"}, {"keys": "none"}, {"rows_per_partition": "all"},
        {"rows_per_partition": 10, "keys": "ALL"}, {},
    ],
    "cdc": [True, "false"],
    "compaction": [
        {"class": "SizeTieredCompactionStrategy"},
        {"class": COMPACTION + "SizeTieredCompactionStrategy", "max_threshold": 32},
        {"class": "SizeTieredCompactionStrategy", "min_threshold": "4", "max_threshold": "16", "enabled": True},
        {"class": "SizeTieredCompactionStrategy", "enabled": "false", "bucket_high": 1.5},
        {"class": "LeveledCompactionStrategy"},
        {"class": "LeveledCompactionStrategy", "sstable_size_in_mb": 160, "only_purge_repaired_tombstones": True},
        {"class": "TimeWindowCompactionStrategy", "compaction_window_size": 1, "compaction_window_unit": "DAYS"},
        {"class": "UnifiedCompactionStrategy"},
        {"class": "UnifiedCompactionStrategy", "scaling_parameters": "T4, L10", "enabled": "TRUE"},
    ],
    "compression": [
        {"class": "LZ4Compressor"}, {"class": "LZ4Compressor", "chunk_length_in_kb": 64, "enabled": True},
        {"sstable_compression": "SnappyCompressor", "chunk_length_kb": "32"},
        {"class": "ZstdCompressor", "compression_level": 3}, {"class": "DeflateCompressor", "min_compress_ratio": 2},
        {"class": "NoopCompressor"}, {"enabled": False}, {"class": ""}, {"sstable_compression": ""}, {},
        {"class": "org.apache.cassandra.io.compress.LZ4Compressor", "min_compress_ratio": 0},
        {"class": "LZ4Compressor", "lz4_compressor_type": "high", "lz4_high_compressor_level": 9},
    ],
    "crc_check_chance": [1, 0.5, "0.25"],
    "default_time_to_live": [0, "86400", 630720000],
    "extensions": [{}, {"a": b"\x01"}, {"b": "0x0aFF"}],
    "gc_grace_seconds": [0, "864000", 10.0],
    "max_index_interval": [4096],
    "min_index_interval": [1, "128"],
    "memtable": ["default"],
    "memtable_flush_period_in_ms": ["60000"],
    "read_repair": ["none", "Blocking"],
}  # fmt: skip


@pytest.mark.parametrize("name", SPELLINGS)
def test_options_equal_what_the_server_keeps(keyspace: CassandraKeyspace, connection: Connection, name: str) -> None:
    dialect: Any = connection.dialect
    table_name = f"o_{name}"
    keyspace.execute(f"CREATE TABLE {table_name} (k int PRIMARY KEY)")
    for value in SPELLINGS[name]:
        model = Table(table_name, MetaData(), Column("k", Integer, primary_key=True), **{f"cql_{name}": value})
        literal = option_literal(name, value, table_name, dialect.features)
        assert f"{name} = {literal}" in str(sa.schema.CreateTable(model).compile(dialect=dialect))
        keyspace.execute(f"ALTER TABLE {table_name} WITH {name} = {literal}")
        found = dialect.keyspace_info(connection, None).tables[table_name].options
        wanted = complete_options(table_options(model.kwargs), table_name, dialect.features)
        kept = complete_options(found, table_name, dialect.features)
        if name == "compaction":  # altering it leaves the chance that came with another compaction
            kept["bloom_filter_fp_chance"] = wanted["bloom_filter_fp_chance"]
        assert kept == wanted, value
        again = inspect(connection).get_table_options(table_name)
        assert complete_options(table_options(again), table_name, dialect.features) == complete_options(
            found, table_name, dialect.features
        )


def test_what_no_option_says_is_the_servers_default(connection: Connection) -> None:
    for number, options in enumerate(
        ({}, {"cql_compaction": {"class": "LeveledCompactionStrategy"}},
         {"cql_compaction": {"class": "UnifiedCompactionStrategy"}, "comment": "x"})
    ):  # fmt: skip
        model = Table(f"defaults_{number}", MetaData(), Column("k", Integer, primary_key=True), **options)
        model.create(connection)
        dialect: Any = connection.dialect
        found = dialect.keyspace_info(connection, None).tables[model.name].options
        wanted = complete_options(table_options(model.kwargs), model.name, dialect.features)
        assert complete_options(found, model.name, dialect.features) == wanted
        given = {name: value for name, value in options.items() if name != "comment"}
        assert inspect(connection).get_table_options(model.name) == given


# --------------------------------------------------------------------------------------------- indexes


def test_every_kind_of_index(connection: Connection) -> None:
    def table(metadata: MetaData) -> Table:
        return Table(
            "indexed",
            metadata,
            Column("p", Integer, primary_key=True),
            Column("c", Integer, primary_key=True),
            *(Column(name, String) for name in ("plain", "named", "sai", "sasi", "by_class", "s")),
            *(Column(f"m{number}", cql.MAP(cql.TEXT, cql.INT)) for number in range(4)),
            Column("f", cql.FROZEN(cql.LIST(cql.INT))),
            Column("v", cql.VECTOR(cql.FLOAT, 3)),
            Column("st", Integer, cql_static=True),
        )

    sasi = "org.apache.cassandra.index.sasi.SASIIndex"
    model = table(MetaData())
    indexes = [
        Index("plain_idx", model.c.plain),
        Index(None, model.c.named),  # SQLAlchemy's naming convention gives it one
        Index("on_clustering", model.c.c),
        Index("on_static", model.c.st),
        Index("on_keys", model.c.m0, cql_target="keys"),
        Index("on_values", model.c.m1, cql_target="VALUES"),
        Index("on_entries", model.c.m2, cql_target="entries"),
        Index("on_bare_map", model.c.m3),
        Index("on_full", model.c.f, cql_target="full"),
        Index("Sai", model.c.sai, cql_using="sai", cql_options={"case_sensitive": False, "normalize": "true"}),
        Index("by_class", model.c.by_class, cql_using="StorageAttachedIndex"),
        Index("ann", model.c.v, cql_using="sai", cql_options={"similarity_function": "DOT_PRODUCT"}),
        Index("legacy", model.c.s, cql_using="legacy_local_table"),
        Index("sasi", model.c.sasi, cql_using=sasi, cql_options={"mode": "CONTAINS", "case_sensitive": "false"}),
    ]
    model.create(connection)
    found = {index["name"]: index for index in inspect(connection).get_indexes("indexed")}
    assert len(found) == len(indexes)
    twin = table(MetaData())
    for index in indexes:
        name = str(index.name)
        reflected = Index(name, twin.c[found[name]["column_names"][0]], **found[name]["dialect_options"])
        assert index_identity(reflected) == index_identity(index), name
    assert inspect(connection).has_index("indexed", "Sai")
    for index in indexes:
        index.drop(connection)
    assert inspect(connection).get_indexes("indexed") == []
    indexes[0].create(connection, checkfirst=True)
    indexes[0].create(connection, checkfirst=True)
    assert inspect(connection).has_index("indexed", "plain_idx")

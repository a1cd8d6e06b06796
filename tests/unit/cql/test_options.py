"""Table options: canonical values, what a person would write, what CQL reads."""

from __future__ import annotations

from typing import Any

import pytest

from alembic_cluster.errors import InvalidModel
from alembic_cql.features import Features, parse_release
from alembic_cql.options import (
    TABLE_OPTIONS,
    check_options,
    complete_options,
    normal_option,
    option_literal,
    readable_option,
    set_options,
)

CASSANDRA = Features(release=(5, 0, 9))
SCYLLA = Features(is_scylla=True, release=(3, 0, 8))
CDC = {"enabled": "false", "preimage": "false", "postimage": "false", "delta": "full", "ttl": "86400"}


@pytest.mark.parametrize(
    ("name", "value", "normal"),
    [
        ("speculative_retry", "99.0PERCENTILE", "99p"),
        ("speculative_retry", "99.90p", "99.9p"),
        ("speculative_retry", "50.9ms", "50ms"),
        ("speculative_retry", "none", "NEVER"),
        ("additional_write_policy", "max( 10ms , 90p )", "MAX(90p,10ms)"),
        ("caching", {"keys": "all"}, {"keys": "ALL"}),
        ("caching", {"enabled": "false"}, {"keys": "NONE", "rows_per_partition": "NONE"}),
        ("compression", {}, {"enabled": "false"}),
        ("compression", {"sstable_compression": ""}, {"enabled": "false"}),
        ("gc_grace_seconds", "10", 10),
        ("gc_grace_seconds", 10.0, 10),
        ("read_repair", "none", "NONE"),
        ("memtable", "", "default"),
        ("extensions", {"a": b"\x01"}, {"a": "0x01"}),
        ("cdc", {"enabled": True, "preimage": "FULL"}, {**CDC, "enabled": "true", "preimage": "full"}),
        ("cdc", {"enabled": False}, False),
        ("tombstone_gc", {"mode": "repair"}, {"mode": "repair", "propagation_delay_in_seconds": "3600"}),
    ],
)
def test_canonical_values(name: str, value: Any, normal: Any) -> None:
    assert normal_option(name, value, "t") == normal
    assert normal_option(name, normal, "t") == normal


def test_every_default_is_canonical() -> None:
    complete = complete_options({}, "t", CASSANDRA)
    assert set(complete) == set(TABLE_OPTIONS) - {"extensions"}
    assert complete_options(complete, "t", CASSANDRA) == complete
    assert set_options(complete, "t", CASSANDRA) == {}
    assert complete["caching"] == {"keys": "ALL", "rows_per_partition": "NONE"}


def test_servers_differ_in_defaults() -> None:
    assert complete_options({"caching": {}}, "t", CASSANDRA)["caching"]["keys"] == "NONE"
    assert complete_options({"caching": {}}, "t", SCYLLA)["caching"] == {"keys": "ALL", "rows_per_partition": "ALL"}
    assert "tombstone_gc" not in complete_options({}, "t", SCYLLA)  # the server fills it in
    assert complete_options({"tombstone_gc": {"mode": "repair"}}, "t", SCYLLA)["tombstone_gc"]["mode"] == "repair"
    leveled = {"compaction": {"class": "LeveledCompactionStrategy"}}
    assert complete_options(leveled, "t", SCYLLA)["bloom_filter_fp_chance"] == 0.01
    own = Features(release=(5, 0, 9), default_compaction={"class": "LeveledCompactionStrategy"})
    complete = complete_options({}, "t", own)
    assert complete["compaction"]["class"].endswith(".LeveledCompactionStrategy")
    assert complete["bloom_filter_fp_chance"] == 0.1
    assert set_options(complete, "t", own) == {}
    assert set_options(complete, "t", CASSANDRA) == {"compaction": {"class": "LeveledCompactionStrategy"}}


def test_what_a_person_would_write() -> None:
    full = normal_option("compaction", {"class": "SizeTieredCompactionStrategy", "max_threshold": 16}, "t")
    assert readable_option("compaction", full) == {"class": "SizeTieredCompactionStrategy", "max_threshold": "16"}
    custom = normal_option("compaction", {"class": "org.example.Mine"}, "t")
    assert readable_option("compaction", custom) == {"class": "org.example.Mine"}


@pytest.mark.parametrize(
    ("name", "value", "features", "text"),
    [
        ("gc_grace_seconds", "10", None, "10"),
        ("cdc", "TRUE", None, "true"),
        ("crc_check_chance", "0.50", None, "0.5"),
        ("memtable", "it's", None, "'it''s'"),
        ("speculative_retry", "max( 90p , 10ms )", None, "'MAX(90p,10ms)'"),
        ("compaction", {"class": "UnifiedCompactionStrategy", "a'b": True}, None,
         "{'class': 'UnifiedCompactionStrategy', 'a''b': 'true'}"),
        ("compression", {"sstable_compression": "LZ4Compressor"}, CASSANDRA,
         "{'class': 'LZ4Compressor', 'chunk_length_in_kb': '16'}"),
        ("compression", {"sstable_compression": "LZ4Compressor"}, SCYLLA, "{'sstable_compression': 'LZ4Compressor'}"),
        ("extensions", {"a": b"\xff"}, None, "{'a': 0xff}"),
    ],
)  # fmt: skip
def test_literals(name: str, value: Any, features: Features | None, text: str) -> None:
    assert option_literal(name, value, "t", features) == text


def test_options_that_a_server_has_not() -> None:
    check_options({"tombstone_gc": {"mode": "repair"}, "cdc": {"enabled": True}}, "t", SCYLLA)
    check_options({"memtable": "default", "cdc": True}, "t", CASSANDRA)
    for options, features in (
        ({"memtable": "default"}, SCYLLA), ({"cdc": True}, SCYLLA), ({"tablets": {}}, CASSANDRA),
        ({"cdc": {"enabled": True}}, CASSANDRA), ({"caching": {"enabled": True}}, CASSANDRA),
        ({"max_index_interval": 100}, CASSANDRA), ({"nope": 1}, CASSANDRA),
    ):  # fmt: skip
        with pytest.raises(InvalidModel, match=r"table 't': .*; nothing was sent"):
            check_options(options, "t", features)


@pytest.mark.parametrize(
    ("features", "options", "message"),
    [
        (SCYLLA, {"class": "UnifiedCompactionStrategy"}, "this server has no Unified.*it has .*Incremental"),
        (CASSANDRA, {"class": "IncrementalCompactionStrategy"}, "this server has no Incremental.*it has .*Unified"),
        (Features(release=(4, 1)), {"class": "UnifiedCompactionStrategy"}, "this server has no Unified"),
        (CASSANDRA, {"class": "DateTieredCompactionStrategy"}, "this server has no DateTiered"),
        (SCYLLA, {"class": "IncrementalCompactionStrategy", "space_amplification_goal": 2.2}, "above 1, 2 at most"),
        (SCYLLA, {"class": "LeveledCompactionStrategy", "fanout_size": 10}, "has no 'fanout_size'"),
        (SCYLLA, {"class": "SizeTieredCompactionStrategy", "log_all": True}, "has no 'log_all'"),
        (SCYLLA, {"class": "SizeTieredCompactionStrategy", "tombstone_threshold": 5.5}, "from 0 to 1"),
        (CASSANDRA, {"class": "TimeWindowCompactionStrategy", "enable_optimized_twcs_queries": True}, "has no"),
    ],
)
def test_compaction_by_server(features: Features, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidModel, match=f"table 't': the option cql_compaction: .*{message}.*nothing was sent"):
        check_options({"compaction": options}, "t", features)


def test_compaction_that_a_server_has() -> None:
    time = {"class": "TimeWindowCompactionStrategy", "enable_optimized_twcs_queries": True}
    for compaction in (
        time, {"class": "IncrementalCompactionStrategy", "space_amplification_goal": "1.5"},
        {"class": "SizeTieredCompactionStrategy", "space_amplification_goal": "2"},
    ):  # fmt: skip
        check_options({"compaction": compaction}, "t", SCYLLA)
    check_options({"compaction": {"class": "DateTieredCompactionStrategy"}}, "t", Features(release=(3, 11)))
    check_options({"compaction": {"class": "org.example.Mine", "any": "thing"}}, "t", CASSANDRA)
    # What a catalog has is read, and not held to these rules: its server may be newer.
    later = {"class": "TimeWindowCompactionStrategy", "of_a_later_release": "x"}
    assert complete_options({"compaction": later}, "t", CASSANDRA)["compaction"]["of_a_later_release"] == "x"


@pytest.mark.parametrize(
    ("features", "options", "message"),
    [
        (SCYLLA, {"sstable_compression": "NoopCompressor"}, "this server has no Noop"),
        (CASSANDRA, {"class": "ZstdWithDictsCompressor"}, "this server has no ZstdWithDicts"),
        (Features(release=(3, 11)), {"class": "ZstdCompressor"}, "this server has no Zstd"),
        (SCYLLA, {"sstable_compression": "LZ4Compressor", "lz4_compressor_type": "high"}, "has no 'lz4_compressor"),
        (SCYLLA, {"sstable_compression": "LZ4Compressor", "min_compress_ratio": 2}, "has no 'min_compress_ratio'"),
    ],
)
def test_compression_by_server(features: Features, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidModel, match=f"table 't': the option cql_compression: .*{message}.*nothing was sent"):
        check_options({"compression": options}, "t", features)


def test_releases() -> None:
    assert parse_release("5.0.9") == (5, 0, 9)
    assert parse_release("4.1-rc1") == (4, 1)
    assert parse_release("") == ()
    assert Features(release=(4, 0)).alter_if_exists is False
    assert Features(release=(4, 1)).alter_if_exists is True
    assert SCYLLA.alter_if_exists is False
    assert CASSANDRA.not_in is False
    assert Features(release=(6, 0)).not_in is True

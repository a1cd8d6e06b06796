"""Maps of compaction and compression: what we refuse is what the server refuses."""

from __future__ import annotations

from typing import Any

from cassandra.protocol import ConfigurationException

from alembic_cluster.errors import InvalidModel
from alembic_cql.features import Features
from alembic_cql.options import check_options, option_literal
from tests.servers.fixtures import CassandraKeyspace

SIZE, LEVELED = "SizeTieredCompactionStrategy", "LeveledCompactionStrategy"
WINDOWS, UNIFIED = "TimeWindowCompactionStrategy", "UnifiedCompactionStrategy"
COMPACTION: list[tuple[str, dict[str, Any]]] = [
    (SIZE, {"nope": 1}),
    (SIZE, {"tombstone_threshold": "-1", "log_all": "true"}),
    (SIZE, {"tombstone_compaction_interval": "1.5"}),
    (SIZE, {"unchecked_tombstone_compaction": "TRUE", "min_sstable_size": 0, "tombstone_threshold": 2}),
    (SIZE, {"log_all": "x"}),
    (SIZE, {"provide_overlapping_tombstones": "row", "only_purge_repaired_tombstones": True, "bucket_low": -1}),
    (SIZE, {"provide_overlapping_tombstones": "x"}),
    (SIZE, {"bucket_low": 2}),
    (SIZE, {"bucket_high": "x"}),
    (SIZE, {"sstable_size_in_mb": 160}),
    (LEVELED, {"sstable_size_in_mb": 160, "fanout_size": 10, "single_sstable_uplevel": False, "min_threshold": 4}),
    (LEVELED, {"sstable_size_in_mb": 0}),
    (LEVELED, {"fanout_size": "x"}),
    (LEVELED, {"compaction_window_size": 1}),
    (WINDOWS, {"compaction_window_unit": "HOURS", "compaction_window_size": 2, "bucket_low": 0.4}),
    (WINDOWS, {"compaction_window_unit": "hours"}),
    (WINDOWS, {"compaction_window_size": 0}),
    (WINDOWS, {"timestamp_resolution": "DAYS"}),
    (WINDOWS, {"expired_sstable_check_frequency_seconds": -1}),
    (UNIFIED, {"scaling_parameters": "L4, N, T2", "target_sstable_size": "1 GiB", "sstable_growth": "50%"}),
    (UNIFIED, {"scaling_parameters": "T1"}),
    (UNIFIED, {"scaling_parameters": "t4"}),
    (UNIFIED, {"target_sstable_size": "1KiB"}),
    (UNIFIED, {"target_sstable_size": "10"}),
    (UNIFIED, {"min_sstable_size": "10GiB"}),
    (UNIFIED, {"min_sstable_size": "0B", "base_shard_count": 1, "overlap_inclusion_method": "single"}),
    (UNIFIED, {"base_shard_count": 0}),
    (UNIFIED, {"sstable_growth": 2}),
    (UNIFIED, {"min_threshold": 4}),
]
COMPRESSION: list[tuple[str, dict[str, Any]]] = [
    ("LZ4Compressor", {"lz4_compressor_type": "high", "lz4_high_compressor_level": 17}),
    ("LZ4Compressor", {"lz4_compressor_type": "x"}),
    ("LZ4Compressor", {"lz4_high_compressor_level": 18}),
    ("LZ4Compressor", {"min_compress_ratio": 0.5}),
    ("LZ4Compressor", {"compression_level": 1}),
    ("LZ4Compressor", {"chunk_length_in_kb": 3}),
    ("ZstdCompressor", {"compression_level": -5, "min_compress_ratio": 2}),
    ("ZstdCompressor", {"compression_level": 23}),
    ("NoopCompressor", {"compression_level": 1}),
]


def test_what_the_server_says_we_say_before(cassandra_keyspace: CassandraKeyspace) -> None:
    cassandra_keyspace.execute("CREATE TABLE t (id int PRIMARY KEY)")
    cases = [("compaction", *case) for case in COMPACTION] + [("compression", *case) for case in COMPRESSION]
    for option, name, given in cases:
        value = {"class": name, **given}
        try:
            check_options({option: value}, "t", Features())
            refused = None
        except InvalidModel as error:
            refused = str(error)
        written = "{" + ", ".join(f"'{key}': '{item}'" for key, item in value.items()) + "}"
        if refused is None:
            written = option_literal(option, value, "t", Features())
        try:
            cassandra_keyspace.execute(f"ALTER TABLE t WITH {option} = {written}")
        except ConfigurationException:
            assert refused is not None, value
            assert refused.startswith(f"table 't': the option cql_{option}: ")
            assert refused.endswith("; nothing was sent")
        else:
            assert refused is None, value

"""What differs between servers: each difference is one named switch, with its source."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Features:
    """The switches of one server.

    :ivar is_scylla: ScyllaDB; it has the tables ``system_schema.scylla_tables`` and reports release 3.0.8.
    :ivar release: Cassandra's ``release_version`` as numbers, such as ``(5, 0, 8)``.
    :ivar default_compaction: what a table gets that names no compaction, where cassandra.yaml's
        ``default_compaction`` says so (5.0); None for the server's own default.
    """

    is_scylla: bool = False
    release: tuple[int, ...] = (5, 0)
    default_compaction: Mapping[str, str] | None = None

    @property
    def has_default_compaction(self) -> bool:
        """``default_compaction`` in cassandra.yaml, shown by ``system_views.settings``: Cassandra 5.0."""
        return not self.is_scylla and self.release >= (5, 0)

    @property
    def alter_if_exists(self) -> bool:
        """``ALTER TABLE .. ADD IF NOT EXISTS``: Cassandra 4.1 (CASSANDRA-16916); ScyllaDB's grammar has none."""
        return not self.is_scylla and self.release >= (4, 1)

    @property
    def drop_column_under_view(self) -> bool:
        """A column may be dropped although the table has materialized views that don't select it.

        Cassandra refuses (AlterTableStatement.java), ScyllaDB takes it (alter_table_statement.cc).
        """
        return self.is_scylla

    @property
    def alter_column_type(self) -> bool:
        """``ALTER TABLE .. ALTER .. TYPE``: gone from Cassandra (CASSANDRA-12443); ScyllaDB takes compatible types."""
        return self.is_scylla

    @property
    def fills_in_options(self) -> bool:
        """ScyllaDB writes some options itself at CREATE TABLE, otherwise by version and configuration.

        These are ``tombstone_gc`` (get_default_tombstone_gc_mode), ``compression``
        (sstable_compression_user_table_options in scylla.yaml; LZ4WithDictsCompressor since 2025.4), ``compaction``
        (IncrementalCompactionStrategy since 2025.1 in some of them) and ``tablets``.
        """
        return self.is_scylla

    @property
    def filters_by_compaction(self) -> bool:
        """The default of ``bloom_filter_fp_chance`` hangs on the compaction (TableParams.java); not on ScyllaDB's."""
        return not self.is_scylla

    @property
    def times_of_collections(self) -> bool:
        """``WRITETIME`` and ``TTL`` of a column of several cells, as lists: Cassandra 5.0 (CASSANDRA-8877)."""
        return not self.is_scylla and self.release >= (5, 0)

    @property
    def caching_by_default(self) -> Mapping[str, str]:
        """What the option ``caching`` is where a table doesn't set it (CachingParams.java, caching_options.cc)."""
        return {"keys": "ALL", "rows_per_partition": "ALL" if self.is_scylla else "NONE"}

    @property
    def caching_when_missing(self) -> Mapping[str, str]:
        """What a key of the option ``caching`` is that the map leaves out (CachingParams.fromMap)."""
        return self.caching_by_default if self.is_scylla else {"keys": "NONE", "rows_per_partition": "NONE"}

    @property
    def not_in(self) -> bool:
        """``NOT IN`` in a WHERE: a syntax error on Cassandra 5.0."""
        return not self.is_scylla and self.release >= (5, 1)

    @property
    def longest_keyspace_name(self) -> int:
        """Characters of a keyspace's name (SchemaConstants.NAME_LENGTH; ScyllaDB's schema limits)."""
        return 192 if self.is_scylla else 48

    @property
    def function_languages(self) -> tuple[str, ...]:
        """Languages of functions: javascript went with Cassandra 5.0 (CASSANDRA-18252)."""
        if self.is_scylla:
            return ("lua", "wasm")
        return ("java",) if self.release >= (5, 0) else ("java", "javascript")

    @property
    def reduce_functions(self) -> bool:
        """``REDUCEFUNC`` of an aggregate: ScyllaDB's Cql.g."""
        return self.is_scylla

    @property
    def column_masks(self) -> bool:
        """``MASKED WITH``, and the table ``system_schema.column_masks``: Cassandra 5.0 (CEP-20, CASSANDRA-17940)."""
        return not self.is_scylla and self.release >= (5, 0)

    @property
    def column_checks(self) -> bool:
        """``CHECK`` on a column: the release after Cassandra 5.0 (CEP-42, CASSANDRA-19947)."""
        return not self.is_scylla and self.release >= (5, 1)

    @property
    def local_indexes(self) -> bool:
        """An index within each partition, ``ON t ((pk), column)``: ScyllaDB's Cql.g."""
        return self.is_scylla

    @property
    def cdc_is_map(self) -> bool:
        """The option ``cdc`` is a map on ScyllaDB, a boolean on Cassandra."""
        return self.is_scylla


def parse_release(text: str) -> tuple[int, ...]:
    """Read a ``release_version`` such as ``5.0.8`` or ``4.1-rc1`` into numbers."""
    match = re.match(r"\d+(?:\.\d+)*", text)
    return tuple(int(part) for part in match.group().split(".")) if match else ()

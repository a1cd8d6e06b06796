"""ScyllaDB's catalog, as its sources and issues show it: read, compared with models, written, without a server."""

from __future__ import annotations

import struct
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.schema import CreateIndex, CreateTable

from alembic_cluster.errors import InvalidModel
from alembic_cql import Keyspace, MaterializedView, reflection
from alembic_cql.catalog import Rows
from alembic_cql.ddl import AlterTableOptions, CreateMaterializedView
from alembic_cql.dialect import ScyllaDialect
from alembic_cql.differences import (
    changed_options,
    changed_view_options,
    impossible_changes,
    impossible_view_changes,
    index_differences,
)
from alembic_cql.features import Features
from alembic_cql.keyspaces import changed_settings
from alembic_cql.reflection import KeyspaceInfo, catalog_tables, read_keyspace

DIALECT = ScyllaDialect()
DEFAULTS: dict[str, Any] = {
    "bloom_filter_fp_chance": 0.01,
    "caching": {"keys": "ALL", "rows_per_partition": "ALL"},
    "comment": "",
    "compaction": {"class": "IncrementalCompactionStrategy"},
    "compression": {"sstable_compression": "org.apache.cassandra.io.compress.LZ4WithDictsCompressor"},
    "crc_check_chance": 1.0,
    "default_time_to_live": 0,
    "extensions": {},
    "gc_grace_seconds": 864000,
    "max_index_interval": 2048,
    "memtable_flush_period_in_ms": 0,
    "min_index_interval": 128,
    "speculative_retry": "99.0PERCENTILE",
}


def packed(pairs: dict[str, str]) -> bytes:
    """Write a map as ScyllaDB keeps it in an extension."""
    texts = [text.encode() for pair in pairs.items() for text in pair]
    return struct.pack("<I", len(pairs)) + b"".join(struct.pack("<I", len(text)) + text for text in texts)


def column(table: str, name: str, kind: str, type_: str, position: int = -1, order: str = "none") -> dict[str, Any]:
    return {
        "table_name": table, "column_name": name, "kind": kind, "type": type_, "position": position,
        "clustering_order": order,
    }  # fmt: skip


COLUMNS = [
    column("t", "p", "partition_key", "int", 0),
    column("t", "c", "clustering", "text", 0, "desc"),
    column("t", "v", "regular", "int"),
]
OWN = {
    "tombstone_gc": packed({"mode": "repair", "propagation_delay_in_seconds": "3600"}),
    "per_partition_rate_limit": packed({"max_writes_per_second": "100"}),
    "paxos_grace_seconds": struct.pack("<i", 60),
}
CDC = {"enabled": "true", "preimage": "false", "postimage": "false", "delta": "full", "ttl": "3600"}
CATALOG: dict[str, list[dict[str, Any]]] = {
    "keyspaces": [
        {
            "keyspace_name": "k",
            "durable_writes": True,
            "replication": {"class": "org.apache.cassandra.locator.NetworkTopologyStrategy", "dc1": "2"},
            "replication_v2": {"class": "org.apache.cassandra.locator.NetworkTopologyStrategy", "dc1": "['r1', 'r2']"},
        }
    ],
    "scylla_keyspaces": [{"keyspace_name": "k", "initial_tablets": 8}],
    "tables": [
        {"table_name": "t", **DEFAULTS, "extensions": OWN, "compaction": {"class": "LeveledCompactionStrategy"}},
        {"table_name": "t_scylla_cdc_log", **DEFAULTS},
        {"table_name": "t$paxos", **DEFAULTS},
    ],
    "scylla_tables": [
        {"table_name": "t", "cdc": CDC, "in_memory": True, "tablets": {"min_tablet_count": "10"}},
        {"table_name": "t_scylla_cdc_log", "cdc": None, "in_memory": None, "tablets": None},
    ],
    "columns": [
        *COLUMNS,
        column("t_scylla_cdc_log", "cdc$stream_id", "partition_key", "blob", 0),
        column("t$paxos", "p", "partition_key", "int", 0),
        *(column("by_v", name, kind, type_, 0 if kind == "partition_key" else place, "asc")
          for place, (name, kind, type_) in enumerate(
              [("v", "partition_key", "int"), ("p", "clustering", "int"), ("c", "clustering", "text")], -1)),
        column("v_index", "v", "partition_key", "int", 0),
    ],
    "indexes": [
        {"table_name": "t", "index_name": "v", "kind": "COMPOSITES", "options": {"target": "v"}},
        {"table_name": "t", "index_name": "local_v", "kind": "COMPOSITES",
         "options": {"target": '{"pk":["p"],"ck":["v"]}'}},
    ],
    "views": [
        {"view_name": "by_v", "base_table_name": "t", "include_all_columns": True, "base_table_id": UUID(int=1),
         "where_clause": "v IS NOT NULL AND p IS NOT NULL AND c IS NOT NULL", **DEFAULTS,
         "extensions": {"scylla_tags": packed({"system:synchronous_view_updates": "true"})}},
        {"view_name": "v_index", "base_table_name": "t", "include_all_columns": False, "base_table_id": UUID(int=1),
         "where_clause": "v IS NOT NULL", **DEFAULTS},
        {"view_name": "local_v_index", "base_table_name": "t", "include_all_columns": False,
         "base_table_id": UUID(int=1), "where_clause": "v IS NOT NULL", **DEFAULTS},
    ],
}  # fmt: skip


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> KeyspaceInfo:
    features = DIALECT.features

    def catalog(connection: Any, tables: Any, keyspace: str, meanwhile: Any) -> dict[str, Rows]:
        answers = {}
        for name in tables:
            rows = CATALOG.get(name, [])
            names = list(rows[0]) if rows else []
            answers[name] = Rows(names, [tuple(row[key] for key in names) for row in rows])
        return answers

    monkeypatch.setattr(reflection, "read_catalog", catalog)
    assert {"scylla_tables", "scylla_keyspaces"} <= set(catalog_tables(features))
    return read_keyspace(None, "k", features)  # type: ignore[arg-type]


def model(**options: Any) -> sa.Table:
    return sa.Table(
        "t",
        sa.MetaData(),
        sa.Column("p", sa.Integer, primary_key=True),
        sa.Column("c", sa.Text, primary_key=True),
        sa.Column("v", sa.Integer),
        sa.Index("v", "v"),
        sa.Index("local_v", "v", cql_local=["p"]),
        **{
            "cql_clustering_order": {"c": "DESC"},
            "cql_paxos_grace_seconds": 60,
            "cql_cdc": {"enabled": True, "ttl": 3600},
            "cql_in_memory": True,
            "cql_per_partition_rate_limit": {"max_writes_per_second": 100},
            **options,
        },
    )


def test_an_unchanged_schema_has_no_differences(found: KeyspaceInfo) -> None:
    assert set(found.tables) == {"t"}  # no log of CDC, no Paxos
    assert set(found.views) == {"by_v"}  # and no view of an index
    own = {"cql_tombstone_gc": {"mode": "repair"}, "cql_tablets": {"min_tablet_count": 10}}
    for options in ({}, own, {"cql_compaction": {"class": "LeveledCompactionStrategy"}}):
        table = model(**options)
        assert changed_options(table, found.tables["t"], DIALECT) == ({}, {})
        assert list(impossible_changes(table, found.tables["t"], DIALECT)) == []
        differences = index_differences(table, found.tables["t"])
        assert [*differences.added, *differences.removed, *differences.changed] == []
    view = MaterializedView(
        "by_v", None, "t", "v IS NOT NULL AND p IS NOT NULL AND c IS NOT NULL", ["v"], ["p", "c"],
        options={"synchronous_updates": True},
    )  # fmt: skip
    assert changed_view_options(view, found.views["by_v"], DIALECT) == ({}, {})
    assert list(impossible_view_changes(view, found.views["by_v"])) == []
    assert found.settings is not None
    for factor in (2, "2", ["r1", "r2"], ["r2", "r1"]):
        replication = {"class": "NetworkTopologyStrategy", "dc1": factor}
        keyspace = Keyspace("k", replication=replication, tablets={"enabled": True, "initial": 4})
        assert changed_settings(keyspace, found.settings) == ({}, {})


@pytest.mark.parametrize(
    ("option", "value", "written"),
    [
        ("cql_cdc", None, "cdc = {'enabled': 'false'}"),
        ("cql_cdc", {"enabled": True, "preimage": "full"},
         "cdc = {'enabled': 'true', 'preimage': 'full', 'postimage': 'false', 'delta': 'full', 'ttl': '86400'}"),
        ("cql_in_memory", None, "in_memory = false"),
        ("cql_paxos_grace_seconds", None, "paxos_grace_seconds = 864000"),
        ("cql_per_partition_rate_limit", {"max_reads_per_second": 5},
         "per_partition_rate_limit = {'max_reads_per_second': '5'}"),
        ("cql_tombstone_gc", {"mode": "immediate"},
         "tombstone_gc = {'mode': 'immediate', 'propagation_delay_in_seconds': '3600'}"),
        ("cql_tablets", {"min_tablet_count": 20}, "tablets = {'min_tablet_count': '20'}"),
    ],
)  # fmt: skip
def test_a_change_is_written_as_the_server_takes_it(
    found: KeyspaceInfo, option: str, value: Any, written: str
) -> None:
    changed, existing = changed_options(model(**{option: value}), found.tables["t"], DIALECT)
    assert set(changed) == set(existing) == {option.removeprefix("cql_")}
    assert str(AlterTableOptions("t", changed).compile(dialect=DIALECT)).strip() == f"ALTER TABLE t WITH {written}"
    back = str(AlterTableOptions("t", existing).compile(dialect=DIALECT))
    assert back != written


def test_what_is_created() -> None:
    table = model(cql_tablets={"min_tablet_count": 10})
    text = str(CreateTable(table).compile(dialect=DIALECT))
    for part in (
        "in_memory = true", "cdc = {'enabled': 'true', 'ttl': '3600'}", "tablets = {'min_tablet_count': '10'}",
        "per_partition_rate_limit = {'max_writes_per_second': '100'}", "paxos_grace_seconds = 60",
    ):  # fmt: skip
        assert part in text
    (local,) = (index for index in table.indexes if index.name == "local_v")
    assert str(CreateIndex(local).compile(dialect=DIALECT)) == "CREATE INDEX local_v ON t ((p), v)"
    view = MaterializedView("w", None, "t", "v IS NOT NULL", ["v"], options={"synchronous_updates": True})
    assert "synchronous_updates = true" in str(CreateMaterializedView(view).compile(dialect=DIALECT))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cql_cdc": True}, "cql_cdc takes a map on this server"),
        ({"cql_cdc": {"enabled": True, "nope": 1}}, "cql_cdc takes"),
        ({"cql_cdc": {"enabled": True, "delta": "some"}}, "cql_cdc takes"),
        ({"cql_tombstone_gc": {"mode": "never"}}, "cql_tombstone_gc takes .*repair"),
        ({"cql_per_partition_rate_limit": {"reads": 5}}, "cql_per_partition_rate_limit takes .*max_reads"),
        ({"cql_read_repair": "NONE"}, "only Cassandra has the option cql_read_repair"),
    ],
)
def test_what_it_has_not_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidModel, match=f"{message}.*nothing was sent"):
        CreateTable(model(**options)).compile(dialect=DIALECT)


def test_the_default_of_the_filter_does_not_hang_on_the_compaction() -> None:
    assert Features(is_scylla=True).filters_by_compaction is False
    assert Features().filters_by_compaction is True

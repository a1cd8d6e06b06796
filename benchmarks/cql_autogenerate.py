"""Autogenerate on unchanged Cassandra tables against the bare driver's reading of ``system_schema``.

``python -m benchmarks.cql_autogenerate [--tables 1000] [--rounds 5] [--keyspace NAME] [--profile]``

Both run in turn, in each round, on connections that are open already; what is printed is the ratio of their best
times. The driver reads every table of ``system_schema`` that describes a keyspace, whole, as ours does, and makes
nothing of the rows. With ``--keyspace`` the tables stay there for the next run: to make them takes minutes.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import time
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from alembic.autogenerate import produce_migrations
from alembic.migration import MigrationContext

from alembic_cql import types as cql
from tests.servers.cassandra import CassandraCluster, cassandra_from_environment
from tests.servers.fixtures import driver_cluster

_CATALOG = (
    "keyspaces", "types", "tables", "columns", "indexes", "views", "dropped_columns", "functions", "aggregates",
)  # fmt: skip


def models(count: int) -> sa.MetaData:
    """Give tables of ten columns, every third with an index, as services have them."""
    metadata = sa.MetaData()
    for number in range(count):
        table = sa.Table(
            f"t{number}",
            metadata,
            sa.Column("account", sa.Uuid, primary_key=True),
            sa.Column("day", sa.Date, primary_key=True),
            sa.Column("id", cql.TIMEUUID, primary_key=True),
            sa.Column("owner", sa.Text, cql_static=True),
            sa.Column("kind", sa.Text),
            sa.Column("amount", sa.Numeric),
            sa.Column("tags", cql.SET(cql.TEXT)),
            sa.Column("labels", cql.MAP(cql.TEXT, cql.FROZEN(cql.LIST(cql.INT)))),
            sa.Column("at", sa.DateTime(timezone=True)),
            sa.Column("seen", sa.Boolean),
            comment=f"Table {number}",
            cql_partition_key=["account", "day"],
            cql_clustering_order={"id": "DESC"},
            cql_gc_grace_seconds=86400,
            cql_compaction={"class": "LeveledCompactionStrategy", "sstable_size_in_mb": 64},
        )
        if number % 3 == 0:
            sa.Index(f"i{number}", table.c.kind)
    return metadata


def driver_seconds(session: Any, keyspace: str) -> float:
    """Time the bare driver's reading of the keyspace's catalog."""
    started = time.perf_counter()
    for table in _CATALOG:
        list(session.execute(f"SELECT * FROM system_schema.{table} WHERE keyspace_name = %s", (keyspace,)))
    return time.perf_counter() - started


def our_seconds(connection: sa.Connection, metadata: sa.MetaData) -> float:
    """Time one autogenerate, which has to find nothing."""
    context = MigrationContext.configure(connection)
    started = time.perf_counter()
    script = produce_migrations(context, metadata)
    taken = time.perf_counter() - started
    assert script.upgrade_ops is not None
    assert script.upgrade_ops.is_empty(), script.upgrade_ops.as_diffs()[:3]
    return taken


def measure(cluster: CassandraCluster, tables: int, rounds: int, profile: bool, kept: str | None) -> float:
    """Print and give the ratio for one number of tables.

    :param kept: a keyspace for them, which is used as it is if it is there, and left there.
    """
    keyspace = kept or f"bench_{uuid4().hex[:8]}"
    metadata = models(tables)
    bare = driver_cluster(cluster)
    bare.schema_metadata_enabled = False
    session = bare.connect()
    try:
        replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
        session.execute(f"CREATE KEYSPACE IF NOT EXISTS {keyspace} WITH replication = {replication}")
        engine = sa.create_engine(cluster.url(keyspace), poolclass=sa.NullPool)
        try:
            with engine.connect() as connection:
                metadata.create_all(connection)
                ours, driver = [], []
                for _ in range(rounds):
                    driver.append(driver_seconds(session, keyspace))
                    ours.append(our_seconds(connection, metadata))
                if profile:
                    profiler = cProfile.Profile()
                    profiler.runcall(our_seconds, connection, metadata)
                    pstats.Stats(profiler).sort_stats("cumulative").print_stats(60)
        finally:
            if kept is None:
                session.execute(f"DROP KEYSPACE {keyspace}", timeout=300)
    finally:
        bare.shutdown()
    ratio = min(ours) / min(driver)
    print(f"{tables} tables: unchanged, in {ratio:.2f} x the driver's reading of system_schema")
    return ratio


def main() -> None:
    """Measure what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--tables", type=int, nargs="+", default=[1000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keyspace", help="keep the tables in this keyspace, for the next run")
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    with cassandra_from_environment() as cluster:
        for tables in arguments.tables:
            measure(cluster, tables, arguments.rounds, arguments.profile, arguments.keyspace)


if __name__ == "__main__":
    main()

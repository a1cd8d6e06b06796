"""Every row of a table on Cassandra changed by a function: ours, coodie's ``scan_table``, and the bare driver.

``python -m benchmarks.cql_backfill [--rows 1000000] [--rounds 3] [--memory]``

All three read each row, call the same function and write what it gives, in turn, in each round, on one server. coodie's
writes are awaited one after the other, which is how its migrations are written; the bare driver reads our ranges and
writes by ``execute_concurrent_with_args``. What is printed are the medians of the rounds' ratios. ``--memory`` prints
how much more memory a process of ours takes for all rows than for 10,000.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from alembic_cluster.backfill import backfill
from alembic_cql.ranges import cut_ring, read_estimates, read_tokens
from tests.servers.cassandra import CassandraCluster, cassandra_from_environment
from tests.servers.fixtures import driver_cluster

TABLE = "CREATE TABLE {}.t (id bigint PRIMARY KEY, first text, last text, whole text, n int)"
UPDATE = "UPDATE {}.t SET whole = ?, n = ? WHERE id = ?"
RANGE = "token(id) > ? AND token(id) <= ?"
IN_FLIGHT = 128


def work(row: dict[str, Any]) -> dict[str, Any]:
    """Give the new values of a row; those of the next round are others."""
    return {"whole": f"{row['first']} {row['last']}", "n": row["n"] + 1}


def ours(url: str, session: Any, keyspace: str) -> None:
    """A backfill with everything that it does: checkpoint, lease, differences."""
    backfill(url, "t", function=work, restart=True)


def coodies(url: str, session: Any, keyspace: str) -> None:
    """What a migration of coodie does."""
    from coodie.drivers.cassandra import CassandraDriver
    from coodie.migrations.base import MigrationContext

    async def run() -> None:
        context = MigrationContext(CassandraDriver(session=session, default_keyspace=keyspace))
        async for row in context.scan_table(keyspace, "t"):
            new = work(row)
            await context.execute(UPDATE.format(keyspace), [new["whole"], new["n"], row["id"]])

    asyncio.run(run())


def bare(url: str, session: Any, keyspace: str) -> None:
    """The driver alone, over the ranges that ours has."""
    from cassandra.concurrent import execute_concurrent_with_args

    select = session.prepare(f"SELECT id, first, last, whole, n FROM {keyspace}.t WHERE {RANGE}")
    update = session.prepare(UPDATE.format(keyspace))
    for begin, end in cut_ring(read_tokens(session) or [], read_estimates(session, keyspace, "t"), 20_000, 16):
        # All at once: asking for the next page in the midst of a write's answer would wait for itself.
        rows = [row._asdict() for row in session.execute(select, (begin, end))]
        values = ((new["whole"], new["n"], row["id"]) for row in rows for new in [work(row)])
        execute_concurrent_with_args(session, update, values, concurrency=IN_FLIGHT)


@contextmanager
def table(cluster: CassandraCluster, rows: int) -> Iterator[tuple[str, Any, str]]:
    """Give a filled table: the URL, a session of the bare driver, the keyspace."""
    from cassandra.concurrent import execute_concurrent_with_args

    driver = driver_cluster(cluster)
    session = driver.connect()
    keyspace = f"bench_{uuid4().hex[:8]}"
    session.execute(
        f"CREATE KEYSPACE {keyspace} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}"
    )
    try:
        session.execute(TABLE.format(keyspace))
        insert = session.prepare(f"INSERT INTO {keyspace}.t (id, first, last, n) VALUES (?, ?, ?, 0)")
        for begin in range(0, rows, 10_000):
            numbers = range(begin, min(begin + 10_000, rows))
            execute_concurrent_with_args(
                session, insert, ((n, f"first {n}", f"last {n}") for n in numbers), concurrency=IN_FLIGHT
            )
        yield cluster.url(keyspace), session, keyspace
    finally:
        session.execute(f"DROP KEYSPACE {keyspace}")
        driver.shutdown()


def measure(rows: int, rounds: int, report: Callable[[str], None] = print) -> tuple[float, float]:
    """Give how many times as fast as coodie ours is, and as the bare driver."""
    contenders = (ours, coodies, bare)
    ratios: list[tuple[float, float]] = []
    with cassandra_from_environment() as cluster, table(cluster, rows) as (url, session, keyspace):
        for number in range(rounds):
            seconds = {}
            for contender in contenders if number % 2 == 0 else reversed(contenders):
                begun = time.perf_counter()
                contender(url, session, keyspace)
                seconds[contender] = time.perf_counter() - begun
                report(f"{contender.__name__} {rows / seconds[contender]:,.0f} rows/s")
            ratios.append((seconds[coodies] / seconds[ours], seconds[bare] / seconds[ours]))
        expected = rounds * len(contenders)
        assert session.execute(f"SELECT n FROM {keyspace}.t LIMIT 1").one()[0] == expected
    return statistics.median(each[0] for each in ratios), statistics.median(each[1] for each in ratios)


def memory(rows: int) -> float:
    """Give how many MiB more a process takes for so many rows than for 10,000."""
    found = []
    with cassandra_from_environment() as cluster:
        for count in (10_000, rows):
            with table(cluster, count) as (url, _, _keyspace):
                command = [sys.executable, "-m", "benchmarks.cql_backfill", "--only", url]
                ran = subprocess.run(command, check=True, capture_output=True, text=True)
                found.append(int(ran.stdout.split()[-1]) / 1024)
    return found[1] - found[0]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--only", metavar="URL", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        backfill(arguments.only, "t", function=work)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    elif arguments.memory:
        print(f"{memory(arguments.rows):.1f} MiB more for {arguments.rows:,} rows than for 10,000")
    else:
        of_coodie, of_bare = measure(arguments.rows, arguments.rounds)
        print(f"{of_coodie:.1f} times coodie's scan_table, {of_bare:.2f} times the bare driver")

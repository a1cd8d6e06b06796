"""Backfills on executors: processes that die, and a cluster of Dask that loses a worker."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from alembic_cluster.backfill import Progress, backfill
from alembic_cluster.errors import BackfillFailed, InvalidBackfill
from tests.backfill_work import count_up, slowly
from tests.servers.cockroach import CockroachCluster
from tests.servers.fixtures import CassandraKeyspace

SMALL: dict[str, Any] = {"batch_rows": 20, "range_rows": 60, "concurrency": 2}


@pytest.fixture(scope="module")
def url(cockroach: CockroachCluster) -> Iterator[str]:
    name = cockroach.create_database()
    cockroach.execute("CREATE TABLE t (id INT8 PRIMARY KEY, n INT8 NOT NULL)", name)
    yield cockroach.url(name)
    cockroach.drop_database(name)


def fill(url: str, rows: int = 600) -> Any:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("DELETE FROM t"))
        connection.execute(text(f"INSERT INTO t SELECT i, 0 FROM generate_series(1, {rows}) AS g (i)"))
    engine.dispose()

    def counts() -> Any:
        with engine.connect() as connection:
            found = connection.execute(text("SELECT n, count(*) FROM t GROUP BY n")).all()
        engine.dispose()
        return found

    return counts


def processes(count: int = 2) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(count, mp_context=get_context("spawn"))


def test_processes_that_die_are_replaced(url: str) -> None:
    counts = fill(url)
    made: list[ProcessPoolExecutor] = []
    killed: list[int] = []

    def make() -> Executor:
        made.append(processes())
        return made[-1]

    def kill(progress: Progress) -> None:
        if progress.rows and not killed:
            killed.extend(made[-1]._processes)
            os.kill(killed[0], signal.SIGKILL)

    throttled = {**SMALL, "rows_per_second": 200}
    report = backfill(url, "t", function=count_up, name="p", executor=make, on_progress=kill, **throttled)
    assert (len(made), len(killed)) == (2, 2)
    assert report.rows == 600
    assert counts() == [(1, 600)]


def test_an_executor_that_breaks_ends_it_and_another_one_goes_on(url: str) -> None:
    counts = fill(url)
    with processes(1) as pool:
        with pytest.raises(InvalidBackfill, match="another process"):
            backfill(url, "t", function=lambda row: row, name="l", executor=pool, **SMALL)
        (victim,) = pool._processes

        def kill(progress: Progress) -> None:
            if progress.rows:
                os.kill(victim, signal.SIGKILL)

        throttled = {**SMALL, "rows_per_second": 200}
        with pytest.raises(BackfillFailed, match="lost a worker"):
            backfill(url, "t", function=count_up, name="b", executor=pool, on_progress=kill, **throttled)
    report = backfill(url, "t", function=count_up, name="b", **SMALL)
    assert report.resumed
    assert counts() == [(1, 600)]


def test_a_task_that_is_lost_is_handed_out_again(url: str) -> None:
    counts = fill(url, 200)

    class Losing(Executor):
        """Loses each task once: before it ran, or after it."""

        def __init__(self) -> None:
            self.seen: dict[int, int] = {}

        def submit(self, function: Any, /, job: Any, work: Any, *rest: Any, **kw: Any) -> Future[Any]:
            future: Future[Any] = Future()
            seen = self.seen[work.number] = self.seen.get(work.number, 0) + 1
            if seen > 1 or work.number % 2:
                done = function(job, work, *rest)
            future.set_exception(OSError("lost")) if seen == 1 else future.set_result(done)
            return future

    report = backfill(url, "t", function=count_up, name="lost", executor=Losing(), **SMALL)
    assert report.rows == 200
    assert counts() == [(1, 200)]


@pytest.fixture(scope="module")
def dask() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed", reason="not installed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def test_dask_loses_a_worker_and_nothing_else(url: str, dask: Any) -> None:
    counts = fill(url)
    killed: list[int] = []

    def kill(progress: Progress) -> None:
        if progress.rows and not killed:
            killed.extend(dask.run(os.getpid).values())
            os.kill(killed[0], signal.SIGKILL)

    report = backfill(
        url, "t", function=count_up, name="d", executor=dask.get_executor(pure=False), on_progress=kill, **SMALL
    )
    assert len(killed) == 2
    assert (report.rows, report.changed) == (600, 600)
    assert counts() == [(1, 600)]


def test_dask_on_cassandra(cassandra_keyspace: CassandraKeyspace, dask: Any) -> None:
    cassandra_keyspace.execute("CREATE TABLE t (id int PRIMARY KEY, v text)")
    for number in range(60):
        cassandra_keyspace.execute(f"INSERT INTO t (id) VALUES ({number})")
    report = backfill(cassandra_keyspace.url, "t", function=slowly, executor=dask.get_executor(pure=False))
    assert (report.rows, report.changed) == (60, 60)
    assert all(row.v == f"{row.id}!" for row in cassandra_keyspace.execute("SELECT id, v FROM t"))

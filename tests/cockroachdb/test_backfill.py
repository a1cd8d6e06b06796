"""Backfills on a real CockroachDB: every row once, whatever its key, whatever fails, whatever is killed."""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.ext.asyncio import create_async_engine

from alembic_cluster.backfill import Backfill, backfill, backfill_async
from alembic_cluster.errors import BackfillFailed, BackfillRowFailed, InvalidBackfill, LeaseLost, LockNotAcquired
from alembic_cluster.owner import Owner
from alembic_crdb.backfill_checkpoint import CockroachCheckpoint
from tests.backfill_work import count_up
from tests.killing import killed
from tests.servers.cockroach import CockroachCluster
from tests.servers.fixtures import CockroachDatabase


@pytest.fixture(scope="module")
def shared(cockroach: CockroachCluster) -> Iterator[CockroachDatabase]:
    name = cockroach.create_database()
    yield CockroachDatabase(name, cockroach.url(name), cockroach)
    cockroach.drop_database(name)


@pytest.fixture(scope="module")
def engine(shared: CockroachDatabase) -> Iterator[Engine]:
    made = create_engine(shared.url, isolation_level="AUTOCOMMIT")
    yield made
    made.dispose()


def send(engine: Engine, *statements: str) -> list[Any]:
    found: list[Any] = []
    with engine.connect() as connection:
        for statement in statements:
            result = connection.execute(text(statement))
            found = list(result) if result.returns_rows else []
    return found


def fresh(engine: Engine, rows: int = 100) -> None:
    """Make the table ``t`` anew; schema changes take long, so what is there is emptied."""
    there = {name for (name,) in send(engine, "SELECT table_name FROM [SHOW TABLES]")}
    own = there & {"t", "alembic_cluster_backfill", "alembic_cluster_backfill_skipped"}
    send(engine, *(f"DELETE FROM {name}" for name in own))
    if "t" not in there:
        columns = "id INT8 PRIMARY KEY, n INT8 NOT NULL DEFAULT 0 CHECK (n BETWEEN 0 AND 999), v STRING, j JSONB"
        send(engine, f"CREATE TABLE t ({columns})")
    send(engine, f"INSERT INTO t (id, j) SELECT i, '{{\"k\"\\: 1}}' FROM generate_series(1, {rows}) AS g (i)")


def noted(engine: Engine) -> int:
    """Count what the checkpoint has."""
    there = send(engine, "SELECT 1 FROM [SHOW TABLES] WHERE table_name = 'alembic_cluster_backfill'")
    return int(send(engine, "SELECT count(*) FROM alembic_cluster_backfill")[0][0]) if there else 0


KEYS = {
    "mixed": (
        'a STRING, "B x" TIMESTAMPTZ, d DECIMAL(10,3), PRIMARY KEY (a, "B x" DESC, d)',
        "'it''s ' || mod(i, 7)::STRING, '2020-01-01'::TIMESTAMPTZ + i * INTERVAL '1 microsecond', i / 8",
    ),
    "bytes": ("a BYTES, b BOOL, u UUID, PRIMARY KEY (b, a, u)", "i::STRING::BYTES, mod(i, 2) = 0, gen_random_uuid()"),
    "collated": (
        "a STRING COLLATE de, f FLOAT8, PRIMARY KEY (a, f DESC)",
        "('ü' || i::STRING) COLLATE de, i::FLOAT8 / 3",
    ),
    "dates": ("a DATE, b INTERVAL, PRIMARY KEY (a DESC, b)", "'2020-01-01'::DATE + mod(i, 5), i * INTERVAL '1 hour'"),
    "none": ("a INT8, b STRING", "i, 'x'"),
    "odd name": ('"a:b%" INT8 PRIMARY KEY', "i"),
}


@pytest.mark.parametrize("kind", KEYS)
def test_each_row_is_changed_once_whatever_the_key(engine: Engine, kind: str) -> None:
    columns, values = (part.replace(":", "\\:") for part in KEYS[kind])
    name = f'"key {kind}%\\:"'
    send(
        engine,
        f"CREATE TABLE {name} (n INT8 DEFAULT 0, {columns})",
        f"INSERT INTO {name} SELECT 0, {values} FROM generate_series(1, 57) AS g (i)",
    )
    table = name.strip('"').replace("\\", "")
    assert backfill(engine, table, update="n = n + 1", batch_rows=4, range_rows=10).changed == 57
    report = backfill(engine, table, function=lambda row: {"n": row["n"] + 10}, batch_rows=4, range_rows=10)
    assert (report.rows, report.changed, report.ranges) == (57, 57, 6)
    assert send(engine, f"SELECT DISTINCT n FROM {name}") == [(11,)]


def test_rows_of_a_hash_sharded_table(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text("SET experimental_enable_hash_sharded_indexes = true"))
        connection.execute(
            text("CREATE TABLE sharded (id INT8 PRIMARY KEY USING HASH WITH BUCKET_COUNT = 4, n INT8 DEFAULT 0)")
        )
    send(engine, "INSERT INTO sharded (id) SELECT generate_series(1, 50)")
    backfill(engine, "sharded", update="n = n + 1", batch_rows=3, range_rows=10)
    assert send(engine, "SELECT n, count(*) FROM sharded GROUP BY n") == [(1, 50)]


@pytest.mark.parametrize("driver", ["psycopg2", "psycopg", "asyncpg"])
def test_functions_by_every_driver(engine: Engine, shared: CockroachDatabase, driver: str) -> None:
    fresh(engine)
    options: dict[str, Any] = {"batch_rows": 7, "range_rows": 30, "where": "id > :least", "values": {"least": 10}}

    def work(row: dict[str, Any]) -> Any:
        if row["id"] % 2:
            return None
        row["j"]["k"] = [row["id"]]
        return {"j": row["j"], "v": f"it's 100% {row['id']}", "n": row["n"] + 1}

    url = shared.url_for(driver).replace("sslmode", "ssl") if driver == "asyncpg" else shared.url_for(driver)
    if driver == "asyncpg":
        made = create_async_engine(url)
        report = asyncio.run(backfill_async(made, "t", function=work, **options))
        with pytest.raises(InvalidBackfill, match="no column 'w'"):
            asyncio.run(backfill_async(made, "t", update="w = 1"))
    else:
        report = backfill(url, "t", function=work, **options)
    assert (report.rows, report.changed) == (90, 45)
    rows = send(engine, "SELECT id, n, v, j FROM t ORDER BY id")
    for number, n, v, j in rows:
        if number > 10 and number % 2 == 0:
            assert (n, v, j) == (1, f"it's 100% {number}", {"k": [number]})
        else:
            assert (n, v, j) == (0, None, {"k": 1})


def test_it_is_done_once_and_again_only_when_told(engine: Engine) -> None:
    fresh(engine)
    assert not backfill(engine, "t", update="n = n + 1").resumed
    again = backfill(engine, "t", update="n = n + 1")
    assert (again.resumed, again.rows, again.rows_now) == (True, 100, 0)
    assert backfill(engine, "t", update="n = n + 1", repeat=True).rows_now == 100
    assert send(engine, "SELECT DISTINCT n FROM t") == [(2,)]
    backfill(engine, "t", update={"v": "x", "n": text("n + 1")}, name="own")
    with pytest.raises(InvalidBackfill, match="does something else"):
        backfill(engine, "t", update={"v": "y"}, name="own")
    backfill(engine, "t", update={"v": "y"}, name="own", restart=True)
    assert send(engine, "SELECT DISTINCT n, v FROM t") == [(3, "y")]


def test_a_dry_run_counts_and_changes_nothing(engine: Engine) -> None:
    fresh(engine)

    def work(row: dict[str, Any]) -> Any:
        return {"n": 1 // (row["id"] - 50)} if row["id"] > 40 else None

    report = backfill(engine, "t", function=work, dry_run=True, batch_rows=9, range_rows=20)
    assert (report.rows, report.changed, report.skipped, report.dry_run) == (100, 10, 1, True)
    report = backfill(engine, "t", update="n = 1", where="id <= 30", dry_run=True, range_rows=20)
    assert (report.rows, report.changed) == (100, 30)
    assert send(engine, "SELECT DISTINCT n FROM t") == [(0,)]
    assert noted(engine) == 0


def fails_at_77(row: dict[str, Any]) -> dict[str, Any]:
    if row["id"] == 77:
        raise RuntimeError("no 77")
    return {"n": 5000 if row["id"] == 33 else row["n"] + 1}


def test_a_row_that_fails_is_named_and_the_rest_goes_on_when_mended(engine: Engine) -> None:
    fresh(engine)
    with pytest.raises(BackfillRowFailed, match=r'\{"id": 33\}.*CheckViolation') as refused:
        backfill(engine, "t", function=fails_at_77, batch_rows=5, concurrency=1, name="x")
    assert refused.value.key == {"id": 33}
    assert send(engine, "SELECT count(*), max(id) FROM t WHERE n = 1") == [(30, 30)]
    send(engine, "DELETE FROM t WHERE id = 33")
    with pytest.raises(BackfillRowFailed, match="no 77"):
        backfill(engine, "t", function=fails_at_77, batch_rows=5, concurrency=1, name="x")
    send(engine, "DELETE FROM t WHERE id = 77")
    report = backfill(engine, "t", function=fails_at_77, batch_rows=5, concurrency=1, name="x")
    assert (report.resumed, report.rows, report.rows_now < 30) == (True, 98, True)
    assert send(engine, "SELECT n, count(*) FROM t GROUP BY n") == [(1, 98)]


@pytest.mark.parametrize("how", ["function", "batch_function", "update"])
def test_rows_that_fail_are_skipped_into_a_side_table(engine: Engine, how: str) -> None:
    fresh(engine)
    work: dict[str, Any] = {"function": fails_at_77}
    if how == "batch_function":
        work = {how: lambda rows: [fails_at_77(row) for row in rows]}
    elif how == "update":
        work = {how: "n = CASE WHEN id = 33 THEN 5000 WHEN id = 77 THEN -1 ELSE n + 1 END"}
    report = backfill(engine, "t", **work, batch_rows=8, on_error="skip", name=how)
    assert (report.rows, report.changed, report.skipped) == (100, 98, 2)
    assert send(engine, "SELECT n, count(*) FROM t GROUP BY n ORDER BY n") == [(0, 2), (1, 98)]
    found = send(engine, "SELECT job, table_name, row_key FROM alembic_cluster_backfill_skipped ORDER BY row_key")
    assert [(job, table, json.loads(key)) for job, table, key in found] == [
        (how, "t", {"id": 33}),
        (how, "t", {"id": 77}),
    ]


def test_early_reads_are_done_again_where_rows_have_changed_since(engine: Engine) -> None:
    fresh(engine, 40)
    seen: list[int] = []
    send(engine, "SELECT pg_sleep(0.3)")
    with engine.connect() as connection:
        now = connection.execute(text("SELECT cluster_logical_timestamp()::STRING".replace(":", "\\:"))).scalar_one()
    send(engine, "UPDATE t SET n = 100 WHERE id = 7", "DELETE FROM t WHERE id = 8")
    send(engine, "INSERT INTO t (id, n) VALUES (0, 5)")

    def work(row: dict[str, Any]) -> dict[str, Any]:
        seen.append(row["id"])
        return {"n": row["n"] + 1}

    report = backfill(engine, "t", function=work, as_of=now, batch_rows=10)
    assert report.changed == 40
    assert dict(send(engine, "SELECT id, n FROM t WHERE n <> 1")) == {0: 6, 7: 101}
    assert seen.count(7) == 2
    with pytest.raises(InvalidBackfill, match="refuses"):
        backfill(engine, "t", update="n = 1", as_of="when?", repeat=True)


def test_what_can_not_be_is_refused_before_anything_is_sent(engine: Engine) -> None:
    fresh(engine)
    cases: list[tuple[dict[str, Any], str]] = [
        ({"update": "id = id + 1"}, "primary key"),
        ({"update": "nope = 1"}, "no column 'nope'"),
        ({"update": "n = 'x' || 1.5"}, "server refuses"),
        ({"update": "n = 1; DROP TABLE t"}, "semicolon"),
        ({"update": "n = 1, n = 2"}, "twice"),
        ({"update": "n + 1"}, "column = expression"),
        ({"update": "n = :x"}, "':x'"),
        ({"update": "n = 1", "values": {"x": 1}}, ":x"),
        ({"update": "n = 1", "where": "nope"}, "server refuses"),
        ({"update": "n = 1", "function": print}, "several"),
        ({}, "none"),
        ({"update": "n = 1", "batch_rows": 0}, "batch_rows"),
        ({"update": "n = 1", "rows_per_second": -1}, "rows_per_second"),
        ({"update": "n = 1", "on_error": "ignore"}, "on_error"),
        ({"function": print, "columns": ["nope"]}, "no column 'nope'"),
    ]
    for options, message in cases:
        with pytest.raises(InvalidBackfill, match=message):
            backfill(engine, "t", **options)
    with pytest.raises(InvalidBackfill, match="no table 'nope'"):
        backfill(engine, "nope", update="n = 1")
    assert noted(engine) == 0


def test_one_process_at_a_time_and_the_one_before_notes_nothing_more(engine: Engine) -> None:
    fresh(engine)
    made = Backfill(engine, "t", update="n = n + 1", lock_wait=0, batch_rows=10, range_rows=30, concurrency=1)
    with engine.connect() as connection:
        checkpoint = CockroachCheckpoint(connection, made.name)
        checkpoint.prepare()
        lease = checkpoint.lease.acquire(Owner("else", "host", "boot", 1, "", Owner.this_process().since), 60,
                                         checkpoint.lease.read())  # fmt: skip
        assert lease is not None
        with pytest.raises(LockNotAcquired, match="backfill"):
            made.run()
        checkpoint.lease.release(lease)
        taken_over = []

        def take_over() -> None:
            if send(engine, "SELECT count(*) FROM t WHERE n = 1")[0][0] >= 30 and not taken_over:
                checkpoint.begin(99, made.job.digest, anew=False)
                taken_over.append(True)

        first = Backfill(
            engine, "t", update="n = n + 1", batch_rows=10, range_rows=30, concurrency=1, check=take_over
        )
        with pytest.raises(LeaseLost):
            first.run()
    first = Backfill(engine, "t", update="n = n + 1", batch_rows=10, range_rows=30)
    assert first.run().resumed
    assert send(engine, "SELECT n, count(*) FROM t GROUP BY n") == [(1, 100)]


def test_a_connection_that_breaks_is_made_anew(engine: Engine) -> None:
    fresh(engine)
    commits = []

    def cut(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if statement == "COMMIT":
            commits.append(1)
            if len(commits) in (2, 5):
                connection.connection.dbapi_connection.close()

    def cut_after(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if statement == "COMMIT" and len(commits) == 7:
            connection.connection.dbapi_connection.close()  # applied, and nobody hears of it

    event.listen(Engine, "before_cursor_execute", cut)
    event.listen(Engine, "after_cursor_execute", cut_after)
    try:
        report = backfill(engine, "t", function=count_up, batch_rows=10, range_rows=50, concurrency=1)
    finally:
        event.remove(Engine, "before_cursor_execute", cut)
        event.remove(Engine, "after_cursor_execute", cut_after)
    assert report.rows == 100
    assert len(commits) >= 12
    assert send(engine, "SELECT n, count(*) FROM t GROUP BY n") == [(1, 100)]


def test_a_statement_that_the_server_refuses_ends_it_and_says_where(engine: Engine) -> None:
    fresh(engine)
    dropped = []

    def drop() -> None:
        if not dropped and send(engine, "SELECT count(*) FROM t WHERE n = 1") == [(30,)]:
            dropped.append(send(engine, "ALTER TABLE t RENAME COLUMN v TO w"))

    with pytest.raises(BackfillFailed, match=r"range 1.*noted"):
        backfill(engine, "t", update="n = 1, v = 'x'", batch_rows=30, concurrency=1, check=drop)
    send(engine, "ALTER TABLE t RENAME COLUMN w TO v")


def test_coroutine_functions_run_in_the_loop_that_awaits(engine: Engine) -> None:
    fresh(engine)

    async def main() -> int:
        loop = asyncio.get_running_loop()

        async def work(row: dict[str, Any]) -> dict[str, Any]:
            await asyncio.sleep(0)
            assert asyncio.get_running_loop() is loop
            return {"n": row["n"] + 1}

        return (await backfill_async(engine, "t", function=work, batch_rows=10)).changed

    assert asyncio.run(main()) == 100
    assert send(engine, "SELECT n, count(*) FROM t GROUP BY n") == [(1, 100)]


def test_killed_at_random_moments_each_row_is_changed_once(engine: Engine, shared: CockroachDatabase) -> None:
    fresh(engine, 2000)
    counted = "SELECT count(*) FROM t WHERE n > 0"
    kills = int(os.environ.get("BACKFILL_KILLS", "2"))
    met = killed("crdb", shared.url, kills, lambda: int(send(engine, counted)[0][0]), random.Random(7))
    assert met
    assert send(engine, "SELECT n, count(*) FROM t GROUP BY n") == [(1, 2000)]

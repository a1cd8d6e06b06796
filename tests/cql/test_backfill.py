"""Backfills on a real Cassandra: every row, whatever its key and types, whatever fails, whatever is killed."""

from __future__ import annotations

import asyncio
import json
import os
import random
import time
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from alembic_cluster.backfill import Backfill, Progress, backfill, backfill_async
from alembic_cluster.errors import BackfillFailed, BackfillRowFailed, InvalidBackfill, LeaseLost, LockNotAcquired
from alembic_cluster.owner import Owner
from alembic_cql import types as cql
from alembic_cql.backfill_checkpoint import CqlCheckpoint
from tests.cql.oracle import engine_of
from tests.cql.type_cases import CASES
from tests.killing import killed
from tests.servers.fixtures import CassandraKeyspace


@pytest.fixture(scope="module")
def keyspace(keyspaces: Iterator[CassandraKeyspace]) -> CassandraKeyspace:
    found = next(keyspaces)
    found.execute("CREATE TABLE t (id int PRIMARY KEY, n int, v text, l list<int>)")
    found.execute(
        "CREATE TABLE wide (p int, q text, c int, s text STATIC, v text, w int, PRIMARY KEY ((p, q), c)) "
        "WITH CLUSTERING ORDER BY (c DESC)"
    )
    return found


@pytest.fixture
def engine(keyspace: CassandraKeyspace) -> Iterator[Engine]:
    with engine_of(keyspace) as engine:
        yield engine


def fill(keyspace: CassandraKeyspace, rows: int = 100) -> None:
    tables = keyspace.execute("SELECT table_name FROM system_schema.tables WHERE keyspace_name = %s", [keyspace.name])
    for (name,) in tables:
        if name in ("t", "wide") or name.startswith("alembic_cluster_backfill"):
            keyspace.execute(f"TRUNCATE {name}")
    insert = keyspace.session.prepare(f"INSERT INTO {keyspace.name}.t (id, n) VALUES (?, 0)")
    for future in [keyspace.session.execute_async(insert, [number]) for number in range(1, rows + 1)]:
        future.result()


def values(keyspace: CassandraKeyspace, columns: str = "id, n") -> dict[int, Any]:
    return {row[0]: row[1] if len(row) == 2 else tuple(row[1:]) for row in keyspace.execute(f"SELECT {columns} FROM t")}


def test_rows_by_expression_and_by_function(keyspace: CassandraKeyspace, engine: Engine) -> None:
    fill(keyspace)
    report = backfill(engine, "t", update={"v": "it's", "n": sa.text(":x")}, values={"x": 7})
    assert (report.rows, report.changed, report.resumed) == (100, 100, False)
    assert set(values(keyspace, "id, n, v").values()) == {(7, "it's")}

    def work(row: dict[str, Any]) -> Any:
        assert set(row) == {"id", "n"}
        return {"v": str(row["id"]), "l": [row["n"]]} if row["id"] % 2 else None

    report = backfill(engine, "t", function=work, columns=["n"], batch_rows=3)
    assert (report.rows, report.changed) == (100, 50)
    expected = {number: (str(number), [7]) if number % 2 else ("it's", None) for number in range(1, 101)}
    assert values(keyspace, "id, v, l") == expected
    again = backfill(engine, "t", function=work, columns=["n"])
    assert (again.resumed, again.rows_now, again.rows) == (True, 0, 100)
    report = backfill(engine, "t", update="n = 1", where="v = :v", values={"v": "it's"})
    assert (report.rows, set(values(keyspace).values())) == (50, {1, 7})


def test_composite_keys_static_columns_and_partitions_without_rows(keyspace: CassandraKeyspace, engine: Engine) -> None:
    fill(keyspace, 0)
    for number in range(30):
        keyspace.execute(f"INSERT INTO wide (p, q, c, v, w) VALUES ({number % 3}, 'it''s', {number}, 'x', 0)")
    keyspace.execute("INSERT INTO wide (p, q, s) VALUES (9, '', 'alone')")

    def work(row: dict[str, Any]) -> Any:
        return {"w": row["c"], "s": f"{row['p']}"} if row["c"] is not None else {"w": 5}

    backfill(engine, "wide", function=work, batch_rows=4)
    found = [tuple(row) for row in keyspace.execute("SELECT p, c, w, s FROM wide")]
    assert sorted(found, key=str) == sorted(
        [(number % 3, number, number, str(number % 3)) for number in range(30)] + [(9, None, None, "alone")], key=str
    )
    report = backfill(engine, "wide", update={"s": "all"})
    assert report.rows == 31
    assert {row[0] for row in keyspace.execute("SELECT s FROM wide")} == {"all"}


def test_every_type_is_read_and_written_as_it_is(keyspace: CassandraKeyspace, engine: Engine) -> None:
    plain = [case for case in CASES if repr(case[1]) != "nan" and not isinstance(case[0], cql.COUNTER)]
    cases = list({repr(case[0]): case for case in plain}.values())  # one of each type
    columns = [sa.Column(f"c{number}", case[0]) for number, case in enumerate(cases)]
    metadata = sa.MetaData()
    table = sa.Table("typed", metadata, sa.Column("id", sa.Integer, primary_key=True), *columns)
    with engine.begin() as connection:
        metadata.create_all(connection)
        for number, case in enumerate(cases):
            connection.execute(table.insert().values({"id": number, f"c{number}": case[1]}))
        before = {row[0]: row for row in connection.execute(sa.select(table))}
        kept: dict[int, Any] = {}

        def away(row: dict[str, Any]) -> Any:
            kept[row["id"]] = row[f"c{row['id']}"]
            return {f"c{row['id']}": None}

        backfill(engine, "typed", function=away, concurrency=1)
        backfill(engine, "typed", function=lambda row: {f"c{row['id']}": kept[row["id"]]}, name="back", concurrency=1)
        after = {row[0]: row for row in connection.execute(sa.select(table))}
    assert {number: row for number, row in after.items() if row != before[number]} == {}


def test_what_is_written_lives_as_long_as_what_it_stands_in_for(keyspace: CassandraKeyspace, engine: Engine) -> None:
    keyspace.execute("CREATE TABLE fading (id int PRIMARY KEY, n int, v text, w text) WITH default_time_to_live = 9000")
    keyspace.execute(
        "CREATE TABLE sessions (p int, c int, s text STATIC, r text STATIC, v text, PRIMARY KEY (p, c)) "
        "WITH default_time_to_live = 9000"
    )
    for insert in (
        "fading (id, n) VALUES (1, 0) USING TTL 500",
        "fading (id, n) VALUES (2, 0) USING TTL 0",
        "fading (id, n, v) VALUES (3, 0, 'x') USING TTL 5000",
        "fading (id, n) VALUES (3, 0) USING TTL 100",
        "fading (id, n, v) VALUES (4, 0, 'x') USING TTL 0",
        "fading (id, v) VALUES (4, 'x') USING TTL 100",
        "fading (id) VALUES (5)",
        "sessions (p, c, v) VALUES (1, 1, 'x') USING TTL 500",
        "sessions (p, s) VALUES (1, 'x') USING TTL 0",
    ):
        keyspace.execute(f"INSERT INTO {insert}")

    def left(columns: str, table: str = "fading") -> dict[int, list[int | None]]:
        """Give the times to live by key, each as the one it was given of those above."""
        asked = ", ".join(f"TTL({column})" for column in columns)
        rows = keyspace.execute(f"SELECT {'id' if table == 'fading' else 'p'}, {asked} FROM {table}")
        given = (100, 500, 5000, 9000)
        return {
            row[0]: [None if x is None else next(each for each in given if x <= each) for x in row[1:]] for row in rows
        }

    expected = {
        1: [500, 500, 500],
        2: [None, None, None],
        3: [100, 5000, 5000],
        4: [None, 100, None],
        5: [9000, 9000, 9000],
    }

    def work(row: dict[str, Any]) -> dict[str, Any]:
        return {"n": (row.get("n") or 0) + 1, "v": "new", "w": "new"}

    backfill(engine, "fading", function=work, columns=["n"])
    assert left("nvw") == expected
    report = backfill(engine, "fading", update={"n": 7, "w": "newer", "v": "newer"})
    assert (report.changed, left("nvw")) == (5, expected)
    report = backfill(engine, "fading", function=work, only_if=["n"], restart=True)
    assert (report.changed, left("nvw")) == (5, expected)
    assert {tuple(row) for row in keyspace.execute("SELECT n, v, w FROM fading")} == {(8, "new", "new")}
    backfill(engine, "sessions", update={"s": "new", "r": "new", "v": "new"})
    assert left("srv", "sessions") == {1: [None, None, 500]}


def test_what_a_program_writes_or_deletes_meanwhile_stays(keyspace: CassandraKeyspace, engine: Engine) -> None:
    fill(keyspace)
    done = []

    def work(row: dict[str, Any]) -> dict[str, Any]:
        if not done:
            done.append(True)
            keyspace.execute("UPDATE t SET n = 50 WHERE id = 5")
            keyspace.execute("DELETE FROM t WHERE id = 6")
            for number in range(1, 101):
                keyspace.execute(f"UPDATE t SET v = 'newer' WHERE id = {number}")
        return {"n": (row["n"] or 0) + 1, "v": "older"}

    fillers = {"batch_rows": 1000, "range_rows": 10**6, "concurrency": 1}
    keyspace.execute("DELETE FROM t WHERE id = 6")
    keyspace.execute("INSERT INTO t (id, n) VALUES (6, 0)")
    backfill(engine, "t", function=work, **fillers)
    found = values(keyspace, "id, n, v")
    assert found[5][0] in (50, 51)  # read before the program wrote it, or after
    assert "newer" in {v for _, v in found.values()}


def test_conditional_updates_leave_alone_what_has_changed(keyspace: CassandraKeyspace, engine: Engine) -> None:
    fill(keyspace, 20)
    keyspace.execute("UPDATE t SET v = 'a' WHERE id = 3")

    def work(row: dict[str, Any]) -> dict[str, Any]:
        if row["id"] in (4, 5):
            keyspace.execute(f"UPDATE t SET n = 9 WHERE id = {row['id']}")
        return {"v": "b"}

    report = backfill(engine, "t", function=work, only_if=["n", "v"])
    assert (report.rows, report.changed) == (20, 18)
    assert {key for key, v in values(keyspace, "id, v").items() if v != "b"} == {4, 5}


def fails(row: dict[str, Any]) -> dict[str, Any]:
    if row["id"] == 77:
        raise RuntimeError("no 77")
    return {"n": 2**40 if row["id"] == 33 else 1}


def test_a_row_that_fails_is_named_or_skipped(keyspace: CassandraKeyspace, engine: Engine) -> None:
    fill(keyspace)
    with pytest.raises(BackfillRowFailed, match=r'"id": (33|77)') as refused:
        backfill(engine, "t", function=fails, name="f")
    assert refused.value.key in ({"id": 33}, {"id": 77})
    report = backfill(engine, "t", function=fails, name="f", on_error="skip")
    assert (report.resumed, report.rows, report.skipped) == (True, 100, 2)
    assert [key for key, n in values(keyspace).items() if n != 1] in ([33, 77], [77, 33])
    rows = keyspace.execute("SELECT row_key, error FROM alembic_cluster_backfill_skipped WHERE job = 'f'")
    assert sorted(json.loads(key)["id"] for key, _ in rows) == [33, 77]
    assert any("no 77" in error for _, error in rows)


def test_the_server_refuses_one_row_of_a_batch(keyspace: CassandraKeyspace, engine: Engine) -> None:
    fill(keyspace, 20)
    indexed = "CREATE INDEX IF NOT EXISTS by_v ON t (v)"
    keyspace.execute(indexed)  # a value of more than 64 KiB can't be indexed
    try:
        report = backfill(
            engine, "t", function=lambda row: {"v": "x" * (70_000 if row["id"] == 7 else 1)}, on_error="skip"
        )
    finally:
        keyspace.execute("DROP INDEX by_v")
    assert (report.changed, report.skipped) == (19, 1)
    assert [key for key, v in values(keyspace, "id, v").items() if v != "x"] == [7]


def test_a_dry_run_counts_and_leaves_nothing_behind(keyspace: CassandraKeyspace, engine: Engine) -> None:
    fill(keyspace)
    report = backfill(engine, "t", function=fails, dry_run=True, name="dry")
    assert (report.rows, report.changed, report.skipped, report.dry_run) == (100, 98 + 1, 1, True)
    assert backfill(engine, "t", update="n = 1", dry_run=True, name="dry").changed == 100
    assert set(values(keyspace).values()) == {0}
    with engine.connect() as connection:
        assert CqlCheckpoint(connection, keyspace.name, "dry").read() is None


def test_what_can_not_be_is_refused(keyspace: CassandraKeyspace, engine: Engine) -> None:
    keyspace.execute("CREATE TABLE IF NOT EXISTS counted (id int PRIMARY KEY, c counter)")
    cases: list[tuple[str, dict[str, Any], str]] = [
        ("t", {"update": "id = 1"}, "primary key"),
        ("t", {"update": "nope = 1"}, "no column 'nope'"),
        ("t", {"update": "n = 'x'"}, "server refuses"),
        ("t", {"update": "l = l + [1]"}, "adds to a list"),
        ("t", {"update": "l = [1] + l"}, "adds to a list"),
        ("t", {"update": "n = 1", "where": "nope = 1"}, "server refuses"),
        ("t", {"update": "n = 1", "as_of": "-1s"}, "CockroachDB"),
        ("t", {"update": "n = 1", "only_if": ["nope"]}, "no column 'nope'"),
        ("counted", {"update": "c = c + 1"}, "counters"),
        ("nope", {"update": "n = 1"}, "'nope' is not there"),
    ]
    for table, options, message in cases:
        with pytest.raises(InvalidBackfill, match=message):
            backfill(engine, table, **options)


def test_it_goes_on_inside_of_a_long_range(keyspace: CassandraKeyspace, engine: Engine) -> None:
    fill(keyspace)
    calls: list[int] = []

    def work(row: dict[str, Any]) -> dict[str, Any]:
        calls.append(row["id"])
        if len(calls) == 80:
            raise RuntimeError("ended here")
        return {"v": "x"}

    made: dict[str, Any] = {"function": work, "batch_rows": 2, "range_rows": 1, "concurrency": 1, "name": "long"}
    with pytest.raises(BackfillFailed):
        backfill(engine, "t", **made)
    report = backfill(engine, "t", **made)
    assert report.rows == 100
    assert len(calls) < 100 + 10
    assert set(values(keyspace, "id, v").values()) == {"x"}


def test_one_process_at_a_time_and_the_one_before_notes_nothing_more(
    keyspace: CassandraKeyspace, engine: Engine
) -> None:
    fill(keyspace)
    made = Backfill(engine, "t", update="n = 1", lock_wait=0, concurrency=1)
    with engine.connect() as connection:
        checkpoint = CqlCheckpoint(connection, keyspace.name, made.name)
        checkpoint.prepare()
        owner = Owner("else", "host", "boot", 1, "", Owner.this_process().since)
        lease = checkpoint.lease.acquire(owner, 60, checkpoint.lease.read())
        assert lease is not None
        with pytest.raises(LockNotAcquired, match="backfill"):
            made.run()
        checkpoint.lease.release(lease)
        taken_over = []

        def take_over() -> None:
            if checkpoint.read() is not None and checkpoint.totals().ranges > 20 and not taken_over:
                taken_over.append(checkpoint.begin(10**6, made.job.digest, anew=False))

        with pytest.raises(LeaseLost):
            Backfill(engine, "t", update="n = 1", concurrency=1, check=take_over).run()
    assert made.run().resumed
    assert set(values(keyspace).values()) == {1}


def test_progress_and_the_pace(keyspace: CassandraKeyspace, engine: Engine) -> None:
    fill(keyspace, 60)
    told: list[Progress] = []
    begun = time.monotonic()
    backfill(engine, "t", update="n = 1", rows_per_second=60, concurrency=2, on_progress=told.append)
    assert time.monotonic() - begun > 0.5  # a second's rows, less what the first pages have for nothing
    assert [each.rows for each in told] == sorted(each.rows for each in told)
    assert (told[-1].rows, told[-1].fraction, told[-1].ranges) == (60, 1.0, told[-1].known)


def test_coroutine_functions(keyspace: CassandraKeyspace, engine: Engine) -> None:
    fill(keyspace, 20)

    async def work(rows: list[dict[str, Any]]) -> list[Any]:
        await asyncio.sleep(0)
        return [{"n": row["id"]} for row in rows]

    assert asyncio.run(backfill_async(engine, "t", batch_function=work)).changed == 20
    assert all(key == n for key, n in values(keyspace).items())


def test_killed_at_random_moments_every_row_is_changed(keyspace: CassandraKeyspace, engine: Engine) -> None:
    fill(keyspace, 1000)

    def moved() -> int:
        return int(keyspace.execute("SELECT count(v) FROM t")[0][0])

    kills = int(os.environ.get("BACKFILL_KILLS", "1"))
    assert killed("cql", keyspace.url, kills, moved, random.Random(3))
    assert all(v == f"{key}!" for key, v in values(keyspace, "id, v").items())
    rows = keyspace.execute("SELECT rows_read, done FROM alembic_cluster_backfill")
    assert sum(read for read, _ in rows) == 1000
    assert all(done for _, done in rows)

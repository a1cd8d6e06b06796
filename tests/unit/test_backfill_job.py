"""What a backfill is told: texts taken apart, what can't be refused, and what travels to a worker."""

from __future__ import annotations

import pickle
import time
from typing import Any

import pytest
from sqlalchemy import create_engine, literal_column, text
from sqlalchemy.dialects import postgresql, sqlite

from alembic_cluster.backfill import Backfill
from alembic_cluster.backfill_job import Assignment, Job, Target, bind_marks, make_change
from alembic_cluster.backfill_rows import Changes, RowError
from alembic_cluster.backfill_workers import Here, Pace
from alembic_cluster.errors import (
    BackfillRowFailed,
    BackfillStopped,
    ConfigurationError,
    InvalidBackfill,
    UnsupportedOperation,  # fmt: skip
)
from tests.backfill_work import count_up

DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    ("update", "expected"),
    [
        ("a = 1", [("a", "1")]),
        ("SET A = b || ',;', \"B x\" = f(1, 2)", [("a", "b || ',;'"), ("B x", "f(1, 2)")]),
        ("\"q\"\"t\" = ARRAY[1, 2], m = {'k': 1, 'l': 2}\n", [('q"t', "ARRAY[1, 2]"), ("m", "{'k': 1, 'l': 2}")]),
        ("a = (b = c)", [("a", "(b = c)")]),
    ],
)
def test_an_update_is_taken_apart(update: str, expected: list[tuple[str, str]]) -> None:
    assert make_change(DIALECT, update=update).assignments == tuple(Assignment(*each) for each in expected)


def test_an_update_by_column() -> None:
    change = make_change(DIALECT, update={"a": 1, "b": text("b + :x"), "c": literal_column("now()")}, values={"x": 2})
    assert change.assignments == (Assignment("a", None, 1), Assignment("b", "b + :x"), Assignment("c", "now()"))


@pytest.mark.parametrize("update", ["a", "a = 1, a = 2", "", "a = 1; b = 2", "a == 1", ", a = 1", 5, {}])
def test_an_update_that_can_not_be(update: Any) -> None:
    with pytest.raises(InvalidBackfill, match="nothing was sent"):
        make_change(DIALECT, update=update)


def test_marks_stand_for_values_outside_of_quotes() -> None:
    assert bind_marks("m = {'a':1, ':x': :x} + :y", {"x": 5, "y": 6}) == ("m = {'a':1, ':x': ?} + ?", [5, 6])


def test_what_travels_to_a_worker_makes_its_own_engine() -> None:
    engine = create_engine("sqlite:///some file.db?x=1", connect_args={"timeout": 1})
    change = make_change(sqlite.dialect(), function=count_up)  # type: ignore[no-untyped-call]
    job = pickle.loads(pickle.dumps(Job("n", "t", None, Target(engine), change)))
    assert job.target.engine is not engine
    assert job.target.engine.url == engine.url
    assert job.change.function is count_up
    assert pickle.loads(pickle.dumps(Target(_make_engine))).engine.url.database == "made"
    with pytest.raises(ConfigurationError):
        Target(5)


def _make_engine() -> Any:
    return create_engine("sqlite:///made")


def test_an_error_travels_back_with_its_key() -> None:
    error = pickle.loads(pickle.dumps(BackfillRowFailed("no", {"id": 1})))
    assert (str(error), error.key) == ("no", {"id": 1})


def test_other_databases_have_no_backfills() -> None:
    with pytest.raises(UnsupportedOperation, match="sqlite"):
        Backfill("sqlite://", "t", update="a = 1").run()


def test_names_tell_changes_apart() -> None:
    names = {
        Backfill("sqlite://", table, **options).name
        for table, options in [
            ("t", {"update": "a = 1"}),
            ("t", {"update": "a = 2"}),
            ("u", {"update": "a = 1"}),
            ("t", {"update": {"a": "1"}}),
            ("t", {"update": "a = 1", "where": "b"}),
            ("t", {"function": count_up}),
            ("t", {"update": "a = :x", "values": {"x": 1}}),
            ("t", {"update": "a = :x", "values": {"x": 2}}),
        ]
    }
    assert len(names) == 8


class Watch:
    fence = 0

    def check(self) -> None: ...

    def take(self, rows: int) -> None: ...

    def wait_for(self, coroutine: Any) -> Any:
        import asyncio

        return asyncio.run(coroutine)


def changes(function: Any, rows: list[dict[str, Any]], **kind: Any) -> list[Any]:
    change = make_change(DIALECT, **{"batch_function" if kind.get("batched") else "function": function})
    return Changes(change, ["id"], ["id", "n", "l"], ["l"]).of(rows, Watch())


def test_what_a_function_says_is_held_against_what_was_read() -> None:
    def work(row: dict[str, Any]) -> Any:
        given = {
            1: None,
            2: {"n": 0},
            3: {"n": 5},
            4: {"id": 9},
            5: {"nope": 1},
            6: 7,
            7: row | {"n": False},
            8: {"n": None},
        }
        if row["id"] == 9:
            row["l"].append(1)
            return None
        return given[row["id"]]

    rows = [{"id": number, "n": 0, "l": []} for number in range(1, 10)]
    found = changes(work, rows)
    said = [None, None, {"n": 5}, {"n": False}, {"n": None}, {"l": [1]}]
    assert [found[place] for place in (0, 1, 2, 6, 7, 8)] == said
    assert [type(found[place].error) for place in (3, 4, 5)] == [ValueError, ValueError, TypeError]
    assert rows[8]["l"] == []


def test_batches_and_coroutines() -> None:
    rows = [{"id": number, "n": 0} for number in range(4)]

    async def work(row: dict[str, Any]) -> Any:
        return {"n": 1 // row["id"]}

    async def works(batch: list[dict[str, Any]]) -> Any:
        return [await work(row) for row in batch]

    for found in (changes(work, rows), changes(works, rows, batched=True)):
        assert isinstance(found[0], RowError)
        assert isinstance(found[0].error, ZeroDivisionError)
        assert found[1:] == [{"n": 1}, None, None]
    with pytest.raises(InvalidBackfill, match="got 4 rows and gave 1"):
        changes(lambda batch: [None], rows, batched=True)


def test_the_pace_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    pace = Pace(50, None)
    for _ in range(20):
        pace.take(10)
    assert now[0] - 100 == pytest.approx(4)
    here = Here(lambda: None, lambda rows: None)
    here.stopped.set()
    with pytest.raises(BackfillStopped):
        Pace(None, here).check()

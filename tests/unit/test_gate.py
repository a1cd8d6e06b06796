"""alembic_cluster.gate on SQLite: what passes, in which order, and what a gate can do with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from alembic.ddl.sqlite import SQLiteImpl
from sqlalchemy.orm import Session

from alembic_cluster.gate import OWN, Gate, Gates, Kind, Statement, kind_of
from alembic_cluster.rehearsal import RehearsedExecution


@pytest.fixture
def connection() -> Iterator[sa.Connection]:
    engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE t (a INTEGER)")
        yield connection
    engine.dispose()


class Noting(Gate):
    def __init__(self, notes: list[object], name: str = "", place: int = 0) -> None:
        self.notes, self.name, self.place = notes, name, place

    def around(self, statement: Statement, send: Callable[[], None]) -> None:
        self.notes.append(self.name + statement.text)
        send()
        self.notes.append(self.name + "after")


def rows(connection: sa.Connection) -> list[int]:
    return [a for (a,) in connection.exec_driver_sql("SELECT a FROM t ORDER BY a")]


def test_each_way_passes(connection: sa.Connection) -> None:
    notes: list[object] = []
    Gates.of(connection).add(Noting(notes))
    table = sa.table("t", sa.column("a"))
    connection.exec_driver_sql("INSERT INTO t VALUES (1)")
    connection.execute(sa.text("INSERT INTO t VALUES (:a)"), {"a": 2})
    connection.execute(sa.insert(table), [{"a": 3}, {"a": 4}])
    with Session(connection) as session:
        session.execute(sa.insert(table).values(a=5))
    assert notes[::2] == [
        "INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (?)", "INSERT INTO t (a) VALUES (?)",
        "INSERT INTO t (a) VALUES (?)",
    ]  # fmt: skip
    assert rows(connection) == [1, 2, 3, 4, 5]


def test_the_lower_place_is_outside(connection: sa.Connection) -> None:
    notes: list[object] = []
    gates = Gates.of(connection)
    gates.add(Noting(notes, "in ", 2))
    gates.add(Noting(notes, "out ", 1))
    connection.exec_driver_sql("DELETE FROM t")
    assert notes == ["out DELETE FROM t", "in DELETE FROM t", "in after", "out after"]


def test_a_gate_leaves_out_repeats_and_refuses(connection: sa.Connection) -> None:
    class Choosy(Gate):
        def around(self, statement: Statement, send: Callable[[], None]) -> None:
            if statement.parameters == (1,):
                return
            if statement.parameters == (2,):
                send()
            if statement.parameters == (3,):
                raise LookupError
            send()

    gates, gate = Gates.of(connection), Choosy()
    gates.add(gate)
    for value in (1, 2):
        connection.execute(sa.text("INSERT INTO t VALUES (:a)"), {"a": value})
    with pytest.raises(LookupError):
        connection.execute(sa.text("INSERT INTO t VALUES (:a)"), {"a": 3})
    gates.remove(gate)
    connection.execute(sa.text("INSERT INTO t VALUES (:a)"), {"a": 3})
    assert rows(connection) == [2, 2, 3]


def test_a_gate_sees_the_drivers_exception(connection: sa.Connection) -> None:
    class Seeing(Gate):
        def around(self, statement: Statement, send: Callable[[], None]) -> None:
            try:
                send()
            except connection.dialect.loaded_dbapi.OperationalError:
                connection.exec_driver_sql("CREATE TABLE missing (a)")
                send()

    Gates.of(connection).add(Seeing())
    connection.exec_driver_sql("INSERT INTO missing VALUES (1)")
    assert connection.exec_driver_sql("SELECT a FROM missing").all() == [(1,)]


def test_what_is_our_own_passes_by(connection: sa.Connection) -> None:
    notes: list[object] = []
    Gates.of(connection).add(Noting(notes))
    connection.exec_driver_sql("INSERT INTO t VALUES (1)", execution_options={OWN: True})
    assert notes == []
    assert rows(connection) == [1]


def test_only_that_connection(connection: sa.Connection) -> None:
    notes: list[object] = []
    Gates.of(connection).add(Noting(notes))
    with connection.engine.connect() as other:
        other.exec_driver_sql("DELETE FROM t")
    assert notes == []


def test_changes_of_a_revision_are_numbered(connection: sa.Connection) -> None:
    seen: list[int | None] = []

    class Numbers(Gate):
        def around(self, statement: Statement, send: Callable[[], None]) -> None:
            seen.append(statement.ordinal)
            send()

    gates = Gates.of(connection)
    gates.add(Numbers())
    connection.exec_driver_sql("DELETE FROM t")
    for _ in range(2):
        with gates.revision():
            connection.exec_driver_sql("INSERT INTO t VALUES (1)")
            rows(connection)
            connection.exec_driver_sql("INSERT INTO t VALUES (2)")
    connection.exec_driver_sql("DELETE FROM t")
    assert seen == [None, 1, None, 2, 1, None, 2, None]


def test_a_rehearsal_passes_no_gate(connection: sa.Connection) -> None:
    notes: list[object] = []
    Gates.of(connection).add(Noting(notes))
    impl = type("Impl", (RehearsedExecution, SQLiteImpl), {})(connection.dialect, connection, False, None, None, {})
    rehearsal = impl.rehearse(lambda: connection.exec_driver_sql("INSERT INTO t VALUES (1)"))
    assert rehearsal.statements == ["INSERT INTO t VALUES (1)"]
    assert notes == []
    assert rows(connection) == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("select 1", Kind.READ),
        ("-- INSERT\n /* DELETE */ (SELECT 1)", Kind.READ),
        ("WITH a AS (SELECT 1) SELECT * FROM a FOR UPDATE", Kind.READ),
        ("WITH a AS (DELETE FROM t RETURNING a) SELECT * FROM a", Kind.CHANGE),
        ("EXPLAIN SELECT 1", Kind.READ),
        ("EXPLAIN ANALYZE DELETE FROM t", Kind.CHANGE),
        ("EXPLAIN (ANALYZE) DELETE FROM t", Kind.CHANGE),
        ("LIST ROLES", Kind.READ),
        ("BEGIN", Kind.SESSION),
        ("BEGIN BATCH INSERT INTO t (a) VALUES (1); APPLY BATCH", Kind.CHANGE),
        ("begin unlogged batch", Kind.CHANGE),
        ("SET statement_timeout = 1", Kind.SESSION),
        ("SET CLUSTER SETTING a = 1", Kind.CHANGE),
        ("SAVEPOINT a", Kind.SESSION),
        ("USE k", Kind.SESSION),
        ("-- SELECT\nDROP TABLE t", Kind.CHANGE),
        ("SELECTION", Kind.CHANGE),
        ("TRUNCATE t", Kind.CHANGE),
    ],
)
def test_kinds(text: str, kind: Kind) -> None:
    assert kind_of(text) is kind

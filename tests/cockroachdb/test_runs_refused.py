"""What a server asks to be sent again, and answers that leave it open whether a statement was applied."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg.errors
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from alembic_cluster.errors import OutcomeUnknown, StatementFailed
from alembic_cluster.gate import Gate, Place, Statement
from tests.cockroachdb import disturbed
from tests.cockroachdb.disturbed import LockedProject
from tests.servers.fixtures import CockroachDatabase

TABLE = """
op.execute("CREATE TABLE t (id INT8 PRIMARY KEY, x INT8 NOT NULL)")
op.execute("INSERT INTO t SELECT g, 0 FROM generate_series(1, 4) AS g")
op.execute("CREATE TABLE log (x INT8)")
"""
#: Its second statement writes what the first has read: refused when somebody else has written it between the two.
CONTENDED = """
with op.get_context().begin_transaction():
    op.execute("INSERT INTO log SELECT x FROM t WHERE id = 2")
    {read}
    op.execute("UPDATE t SET x = x + 1 WHERE id = 2")
op.execute("UPDATE t SET x = x + 100 WHERE id = 1")
"""


@pytest.fixture
def locked(cockroach_database: CockroachDatabase, tmp_path: Path) -> Iterator[LockedProject]:
    """A project with the table, by psycopg, whose exceptions can be made by hand."""
    project = LockedProject(tmp_path, cockroach_database.url_for("psycopg"))
    project.revision("t", TABLE)
    project.upgrade()
    yield project
    disturbed.injected.clear()


@contextmanager
def before_sending(text: str, do: Callable[[], object], times: int = 1) -> Iterator[None]:
    """Do something right before a statement goes to the server, so many times."""
    left = [do] * times

    def listener(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if left and text in statement:
            left.pop()()

    event.listen(Engine, "before_cursor_execute", listener)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", listener)
    assert not left


class Injected(Gate):
    """Puts an exception in the place of the server's answers to a statement.

    :param text: what the statement has in it.
    :param sends: whether the server gets it all the same.
    """

    place = Place.LEASE + 95

    def __init__(self, text: str, error: Exception, times: int = 1, *, sends: bool = False) -> None:
        self.text = text
        self.error = error
        self.left = times
        self.sends = sends

    def around(self, statement: Statement, send: Callable[[], None]) -> None:
        """Send a statement, or don't."""
        meant = self.left > 0 and self.text in statement.text
        if not meant or self.sends:
            send()
        if meant:
            self.left -= 1
            raise self.error


def test_contention_in_a_transaction(cockroach_database: CockroachDatabase, locked: LockedProject) -> None:
    def write() -> None:
        cockroach_database.execute("UPDATE t SET x = x + 10 WHERE id = 2")

    def sums() -> list[Any]:
        return locked.rows("SELECT (SELECT x FROM t WHERE id = 1), (SELECT x FROM t WHERE id = 2), "
                           "(SELECT sum(x) FROM log), (SELECT count(*) FROM log)")  # fmt: skip

    # Begun again with all of its statements, and nobody notices.
    locked.revision("c1", CONTENDED.format(read=""))
    with before_sending("SET x = x + 1 WHERE", write):
        locked.upgrade()
    assert sums() == [(100, 11, 10, 1)]
    # The revision has seen what it read: it is refused, and nothing of the transaction is applied.
    locked.revision("c2", CONTENDED.format(read="op.get_bind().execute(sa.text('SELECT x FROM t')).all()"))
    with before_sending("SET x = x + 1 WHERE", write), pytest.raises(StatementFailed, match="40001"):
        locked.upgrade()
    assert sums() == [(100, 21, 10, 1)]
    locked.upgrade()
    assert sums() == [(200, 22, 31, 2)]
    # There is a bound.
    locked.revision("c3", CONTENDED.format(read=""))
    with before_sending("SET x = x + 1 WHERE", write), pytest.raises(StatementFailed, match="40001"):
        locked.upgrade(tries="1")
    assert sums() == [(200, 32, 31, 2)]
    locked.upgrade(tries="2")
    assert sums() == [(300, 33, 63, 3)]


def test_answers_that_leave_it_open(locked: LockedProject) -> None:
    ambiguous = psycopg.errors.StatementCompletionUnknown("result is ambiguous")
    later = psycopg.errors.ObjectNotInPrerequisiteState('index "ix" is being dropped, try again later')
    restart = psycopg.errors.SerializationFailure("restart transaction")
    cases = [
        # text of the statement, error, whether the server got it
        ("CREATE INDEX ix", ambiguous, True),
        ("ADD COLUMN y", ambiguous, False),
        ("CREATE INDEX iy", later, False),
        ("RENAME COLUMN", restart, False),
        ("INSERT INTO log VALUES (1)", restart, False),
        ("COMMENT ON", ambiguous, True),  # no harm in doing it twice
        ("DROP TABLE gone", ambiguous, True),
    ]
    disturbed.injected += [Injected(text, error, sends=sends) for text, error, sends in cases]
    locked.revision(
        "a1",
        """
        op.execute("CREATE INDEX ix ON t (x)")
        op.execute("ALTER TABLE t ADD COLUMN y INT8")
        op.execute("CREATE INDEX iy ON t (y)")
        op.execute("ALTER TABLE t RENAME COLUMN y TO z")
        op.execute("INSERT INTO log VALUES (1)")
        op.execute("COMMENT ON TABLE t IS 'a'")
        op.execute("CREATE TABLE gone (id INT8 PRIMARY KEY)")
        op.execute("DROP TABLE gone")
        """,
    )
    locked.upgrade()
    assert not any(each.left for each in disturbed.injected if isinstance(each, Injected))
    assert locked.rows("SELECT DISTINCT index_name FROM [SHOW INDEXES FROM t] WHERE index_name > 'i' ORDER BY 1") == [
        ("ix",), ("iy",), ("primary",)
    ]  # fmt: skip
    assert locked.rows("SELECT count(*), count(z) FROM t") == [(4, 0)]
    assert locked.rows("SELECT count(*) FROM log") == [(1,)]
    assert locked.rows("SELECT comment FROM [SHOW TABLES WITH COMMENT] WHERE table_name = 't'") == [("a",)]
    # Nothing in a catalog tells of it: it is said, and not sent again.
    locked.revision("a2", "op.execute('SELECT pg_sleep(0)')\nop.execute('EXPLAIN ANALYZE UPDATE t SET x = x + 1')")
    disturbed.injected[:] = [Injected("EXPLAIN", ambiguous, sends=True)]
    before = locked.rows("SELECT sum(x) FROM t")
    for _ in range(2):
        with pytest.raises(OutcomeUnknown):
            locked.upgrade()
        disturbed.injected.clear()
    ((after,),) = locked.rows("SELECT sum(x) FROM t")
    assert after == before[0][0] + 4


def test_revision_that_goes_on_without_what_was_refused(locked: LockedProject) -> None:
    locked.revision(
        "g1",
        """
        bind = op.get_bind()
        with op.get_context().begin_transaction():
            op.execute("INSERT INTO log VALUES (50)")
            try:
                with bind.begin_nested():
                    op.execute("INSERT INTO log VALUES (500)")
                    op.execute("INSERT INTO t VALUES (1, 1)")
            except sa.exc.IntegrityError:
                op.execute("INSERT INTO log VALUES (51)")
        try:
            with op.get_context().begin_transaction():
                op.execute("INSERT INTO log VALUES (501)")
                op.execute("INSERT INTO t VALUES (2, 1)")
        except sa.exc.IntegrityError:
            op.execute("INSERT INTO log VALUES (52)")
        for statement in ("CREATE TABLE t (id INT8 PRIMARY KEY)", "INSERT INTO t VALUES (3, 1)"):
            try:
                op.execute(statement)
            except sa.exc.DBAPIError:
                op.execute("INSERT INTO log VALUES (53)")
        op.execute("ALTER TABLE t ADD COLUMN w INT8")
        op.execute("INSERT INTO log VALUES (54)")
        """,
    )
    disturbed.injected[:] = [Injected("ADD COLUMN w", psycopg.errors.InsufficientPrivilege("no"))]
    with pytest.raises(StatementFailed, match="no"):
        locked.upgrade()
    locked.upgrade()
    assert locked.rows("SELECT x FROM log ORDER BY x") == [(50,), (51,), (52,), (53,), (53,), (54,)]

"""Lock, ledger and journal on CockroachDB: three tables beside the version table.

* CockroachDB has no advisory locks that hold anything back (``pg_advisory_lock`` answers and does nothing), so the lock
  is a row: owner, fencing number, and when its lease ends, by the server's clock alone.
* Every change of that row is one statement that says how the row must be, ``UPDATE ... WHERE fence = ... RETURNING``.
* Every other row is written by a statement that looks at the fence in the same breath, so that a run that has lost the
  lock can't write any. Rows that say what a change of data did are written in its transaction.
* The sessions of a holder that is succeeded are ended: whatever it would still send, the server doesn't take it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final, TypeVar

from sqlalchemy.engine import Connection

from alembic_cluster.errors import LeaseLost, first_line
from alembic_cluster.gate import Statement
from alembic_cluster.stores import (
    HISTORY_TABLE,
    JOURNAL_TABLE,
    LOCK_TABLE,
    JournalRow,
    Lease,
)
from alembic_crdb.beside import pause_for
from alembic_crdb.evidence import REPEATABLE, Evidence, end_session, look
from alembic_crdb.jobs import Listener, await_jobs
from alembic_crdb.lease import CockroachLease
from alembic_crdb.ledger import CockroachHistory, CockroachJournal
from alembic_crdb.locked import lock_again
from alembic_crdb.raw import NO_TABLE, is_unanswered, sqlstate_of, tell
from alembic_crdb.reconnecting import reconnect
from alembic_crdb.transactions import enter_autocommit, is_data_change

log = logging.getLogger("alembic.cockroachdb")  # below the logger that alembic.ini sets up

_RACE: Final = frozenset({"40001", "42P07", "23505", "XX000"})  # what one of several creators may be told
_TRIES: Final = 20
_Given = TypeVar("_Given")

_CREATE: Final = {
    LOCK_TABLE: """(
        scope STRING NOT NULL PRIMARY KEY, fence INT8 NOT NULL, token STRING, owner STRING, ttl FLOAT8,
        expires TIMESTAMPTZ, session STRING, moves INT8 NOT NULL
    )""",
    HISTORY_TABLE: """(
        scope STRING NOT NULL, fence INT8 NOT NULL, step INT8 NOT NULL, revision STRING NOT NULL,
        direction STRING NOT NULL, started TIMESTAMPTZ NOT NULL, finished TIMESTAMPTZ NOT NULL,
        seconds FLOAT8 NOT NULL, owner STRING NOT NULL, message STRING NOT NULL, checksum STRING NOT NULL,
        tool STRING NOT NULL, content STRING NOT NULL, PRIMARY KEY (scope, fence, step)
    )""",
    JOURNAL_TABLE: """(
        scope STRING NOT NULL, fence INT8 NOT NULL, step INT8 NOT NULL, ordinal INT8 NOT NULL, digest STRING NOT NULL,
        text STRING NOT NULL, state STRING NOT NULL, data STRING, PRIMARY KEY (scope, fence, step, ordinal)
    )""",
}


class CockroachStores:
    """All that a database keeps for one version table.

    :param connection: in autocommit from now on, and with nothing under way.
    :param version_table: its name.
    :param schema: the version table's schema, where our tables are, too; None for the connection's default one.
    :param listener: is told about the jobs that are awaited.
    """

    def __init__(
        self,
        connection: Connection,
        version_table: str = "alembic_version",
        schema: str | None = None,
        listener: Listener | None = None,
    ) -> None:
        enter_autocommit(connection)
        self.connection = connection
        self._listener = listener
        quote = connection.dialect.identifier_preparer.quote
        self._prefix = f"{quote(schema)}." if schema else ""
        self.scope = f"{schema or connection.dialect.default_schema_name or 'public'}.{version_table}"
        self.armed: Lease | None = None
        self.session = ""
        self.is_inside: Callable[[], bool] = lambda: False  # whether the connection is in a transaction
        self.restore: Callable[[Connection], object] | None = None  # sets up a session that took a broken one's place
        self.lifted: Callable[[Connection], AbstractContextManager[None]] = lambda _: nullcontext()  # no limits
        self._moves = 0
        self._left: dict[int, tuple[str, Mapping[str, Any]]] = {}  # statements that an earlier run left as sent
        self.lease = CockroachLease(self)
        self.history = CockroachHistory(self)
        self.journal = CockroachJournal(self)

    def name(self, table: str) -> str:
        """Write the name of one of our tables."""
        return self._prefix + table

    def ask(self, statement: str, *, once: bool = False, **values: Any) -> list[tuple[Any, ...]]:
        """Send a statement about our tables, whose names stand in braces; no rows when the table is missing.

        :param once: whether doing it twice is another thing than doing it once.
        """
        text = statement.format(
            lock=self.name(LOCK_TABLE), history=self.name(HISTORY_TABLE), journal=self.name(JOURNAL_TABLE)
        )
        return self.again(lambda: tell(self.connection, text, scope=self.scope, **values), once=once)

    def again(self, work: Callable[[], _Given], *, once: bool = False) -> _Given:
        """Do something again that other transactions were in the way of, or that got no answer.

        Inside a transaction that is the run's task.

        :param once: whether what got no answer must not be done again.
        :raises Exception: the driver's.
        """
        pause = pause_for(self.connection)
        for attempt in range(_TRIES):
            try:
                return work()
            except Exception as error:
                if attempt == _TRIES - 1 or self.is_inside():
                    raise
                if sqlstate_of(error) == "40001":
                    pause(0.02 * (attempt + 1))
                elif self.armed is not None and not once and is_unanswered(self.connection, error):
                    log.warning("Connecting again: %s", first_line(error))
                    self.connect_again()
                else:
                    raise
        raise AssertionError

    def connect_again(self) -> None:
        """Put another connection in the place of the run's, which broke, and end its session.

        :raises LeaseLost: another run has the lock by now.
        :raises Exception: the driver's, when no connection could be made.
        """
        old = self.session
        reconnect(self.connection, self.restore)
        self.take_session(ended=old)

    def prepare(self) -> None:
        """Create the tables that are missing. Processes that do so at the same time end with the same tables."""
        with self.lifted(self.connection):
            self.create(_CREATE)
        self.seed()

    def create(self, tables: Mapping[str, str]) -> None:
        """Create tables that are missing.

        :param tables: by name, columns and keys in brackets.
        """
        pause = pause_for(self.connection)
        for table, columns in tables.items():
            for attempt in range(_TRIES):
                try:
                    tell(self.connection, f"SELECT 1 FROM {self.name(table)} LIMIT 1")
                    break
                except Exception as error:
                    if sqlstate_of(error) not in {NO_TABLE, *_RACE} or attempt == _TRIES - 1:
                        raise
                try:
                    tell(self.connection, f"CREATE TABLE IF NOT EXISTS {self.name(table)} {columns}")
                except Exception as error:
                    if sqlstate_of(error) not in _RACE:
                        raise
                    pause(0.02 * (attempt + 1))

    def create_lock(self) -> None:
        """Create no more than what the lock needs."""
        self.create({LOCK_TABLE: _CREATE[LOCK_TABLE]})
        self.seed()

    def seed(self) -> None:
        """Make the lock's row."""
        self.ask(
            "INSERT INTO {lock} (scope, fence, moves) VALUES (CAST(:scope AS STRING), 0, 0) "
            "ON CONFLICT (scope) DO NOTHING"
        )

    def arm(self, lease: Lease | None) -> None:
        """Have the heads move, and rows be written, under this lease's fence from now on, or without one.

        :raises LeaseLost: another run has the lock by now.
        """
        self.armed = lease
        if lease is not None:
            self.take_session()

    def take_session(self, ended: str = "") -> None:
        """Note the session of the run's connection in the lock, for a successor to end it.

        :param ended: the session that broke, which the server is to end if it hasn't yet.
        """
        ((self.session,),) = tell(self.connection, "SELECT session_id FROM [SHOW session_id]")
        if ended:
            end_session(self.connection, ended, pause=pause_for(self.connection))
        if self.armed is None:
            return
        rows = self.ask(
            "UPDATE {lock} SET session = CAST(:session AS STRING) "
            "WHERE scope = CAST(:scope AS STRING) AND fence = CAST(:fence AS INT8) RETURNING moves",
            once=True,  # it is a part of connecting again
            session=self.session,
            fence=self.armed.fence,
        )
        self._require(rows)
        if not ended:
            self._moves = int(rows[0][0])

    def flush(self) -> None:
        """Do nothing: whatever was written is durable."""

    def _require(self, rows: Sequence[Any]) -> None:
        if not rows:
            raise LeaseLost(
                "Another run has taken the migration lock: nothing more was sent to the server. What this run did "
                "before is in the journal; the other run goes on behind it."
            )

    def write_under_fence(self, statement: str, **values: Any) -> None:
        """Send a statement that selects from ``{lock}`` what it writes, one row for the fence, and gives rows back.

        :raises LeaseLost: another run has the lock by now; nothing was written.
        """
        fence = self.armed.fence if self.armed is not None else -1
        self._require(self.ask(statement, held=fence, **values))

    def count_move(self) -> None:
        """Count, in the transaction that is open, that heads move.

        :raises LeaseLost: another run has the lock by now.
        """
        if self.armed is None:
            return
        rows = self.ask(
            "UPDATE {lock} SET moves = CAST(:moves AS INT8) "
            "WHERE scope = CAST(:scope AS STRING) AND fence = CAST(:fence AS INT8) RETURNING moves",
            moves=self._moves + 1,
            fence=self.armed.fence,
        )
        self._require(rows)

    def moved(self) -> None:
        """Say that the transaction in which a move was counted is committed."""
        self._moves += 1

    def has_moved(self) -> bool:
        """Tell whether the move that was counted last was committed."""
        rows = self.ask("SELECT moves FROM {lock} WHERE scope = CAST(:scope AS STRING)")
        return bool(rows) and int(rows[0][0]) > self._moves

    def remember_left(self, left: dict[int, tuple[str, Mapping[str, Any]]]) -> None:
        """Keep what an earlier run noted with the statements whose outcome it didn't see.

        :param left: by ordinal: the statement's digest, and what was kept with it.
        """
        self._left = left

    def is_done(self, ordinal: int) -> bool:
        """Tell whether the journal says that a statement is done."""
        return self.journal.state(ordinal) == "done"

    def was_applied(self, statement: Statement) -> bool | None:
        """Look whether a statement was applied whose answer never came.

        The session that sent it is ended, and its jobs are awaited.

        :return: None when that can't be told.
        """
        if is_data_change(statement.text):
            return False  # it commits with the row that says that it is done
        left = self._left.pop(statement.ordinal or 0, None)
        data = left[1] if left is not None else self.journal.data(statement.ordinal or 0)
        if data is None or data.get("digest") is None:
            return None
        return self.again(lambda: self._was_applied(statement.text, data))

    def _was_applied(self, text: str, data: Mapping[str, Any]) -> bool:
        pause = pause_for(self.connection)
        end_session(self.connection, data.get("session", ""), pause=pause)
        await_jobs(self.connection, self._listener, pause=pause)
        if data["digest"] == REPEATABLE:
            return False
        applied: bool = look(self.connection, text).digest != data["digest"]
        lock_again(self.connection, data.get("locked", ()))
        return applied

    def evidence_for(self, row: JournalRow) -> str:
        """Give what is kept with a statement that is about to be sent, as JSON."""
        left = self._left.get(row.ordinal)
        if left is not None and left[0] == row.digest:
            return json.dumps(left[1])
        found = Evidence(None) if is_data_change(row.text) else self.again(lambda: look(self.connection, row.text))
        return json.dumps({"digest": found.digest, "locked": found.locked, "session": self.session})

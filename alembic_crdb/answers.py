"""Answers that never came: a broken connection, an ambiguous result (SQLSTATE 40003), a server that restarts.

Nothing is sent again blindly. The connection is made anew, the session that may still be at work is ended, its jobs
are awaited; then the journal or the catalog tells whether the statement was applied.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from alembic_cluster.errors import LeaseLost, OutcomeUnknown, first_line
from alembic_cluster.execution import shorten
from alembic_cluster.gate import Gate, Kind, Place, Statement
from alembic_crdb.jobs import how_to, unfinished
from alembic_crdb.raw import is_unanswered, sqlstate_of, tell
from alembic_crdb.reconnecting import reconnect
from alembic_crdb.stores import CockroachStores
from alembic_crdb.transactions import Transactions, is_data_change, is_schema_change

log = logging.getLogger("alembic.cockroachdb")  # below the logger that alembic.ini sets up

_CANCELED: Final = "57014"  # query_canceled: statement_timeout, or somebody's CANCEL QUERY
_MOST = 5  # times that one statement may lose its connection


class _Answers(Gate):
    """What both gates of this module share.

    :param stores: of the run's connection.
    :param transactions: those of the run.
    """

    def __init__(self, stores: CockroachStores, transactions: Transactions) -> None:
        self._stores = stores
        self._transactions = transactions

    def _connect_again(self, statement: Statement, error: Exception, lost: int) -> None:
        """Make the connection anew after an answer did not come.

        :param lost: how often that has happened to this statement.
        :raises LeaseLost: another run has the lock by now.
        :raises Exception: the given error, when it happens too often or no connection can be made.
        """
        if lost > _MOST:
            raise error
        log.warning(
            "No answer to %s (%s). Connecting again, to see what came of it.",
            shorten(statement.text),
            first_line(error),
        )
        try:
            old = self._stores.session
            reconnect(statement.connection, self._stores.restore)
            self._stores.take_session(ended=old)
        except LeaseLost:
            raise
        except Exception as failure:
            raise error from failure

    @staticmethod
    def _answered(statement: Statement) -> None:
        """Give a statement that turned out to be applied a cursor without rows, for SQLAlchemy to look at."""
        statement.context.cursor = statement.connection.connection.cursor()


class AnswerGate(_Answers):
    """Finds out what came of a schema change, or of another statement that can't be in a transaction."""

    place = Place.ANSWER

    def around(self, statement: Statement, send: Callable[[], None]) -> None:
        """Send a statement; once more only when it is certain that it was not applied.

        :raises OutcomeUnknown: that can't be told, or its job goes on.
        """
        if statement.ordinal is None or self._transactions.is_open or is_data_change(statement.text):
            send()
            return
        lost = 0
        while True:
            try:
                send()
                return
            except Exception as error:
                if sqlstate_of(error) == _CANCELED and is_schema_change(statement.text):
                    self._see_after_timeout(statement, error)
                    return
                if not is_unanswered(statement.connection, error):
                    raise
                lost += 1
                self._connect_again(statement, error, lost)
                applied = self._stores.was_applied(statement)
                if applied is None:
                    raise OutcomeUnknown(_unknown(statement, first_line(error))) from error
                log.warning("It was applied." if applied else "It was not applied: it is sent again.")
                self._answered(statement)
                if applied:
                    return

    def _see_after_timeout(self, statement: Statement, error: Exception) -> None:
        """Tell a schema change that was given up waiting for from one that is undone.

        :raises OutcomeUnknown: its job goes on.
        :raises Exception: the given error, when nothing of it is applied.
        """
        jobs = unfinished(statement.connection)
        if jobs:
            raise OutcomeUnknown(
                f"The server stopped waiting for a statement ({first_line(error)}), and goes on with it: {jobs[-1]}. "
                f"{how_to(jobs[-1])} Run the same command again: it waits for the job and goes on behind it. "
                f"Statement: {shorten(statement.text)}"
            ) from error
        if not self._stores.was_applied(statement):
            raise error
        self._answered(statement)


def _unknown(statement: Statement, reason: str) -> str:
    return (
        f"No answer came to a statement ({reason}), and whether it was applied can't be told from the catalog. Look "
        f"for it yourself; the statements before it stay applied. Statement: {shorten(statement.text)}"
    )


class TransactionGate(_Answers):
    """Puts a change of data and its row of the journal into one transaction, so that both are there, or neither is.

    A change outside of a revision, which is what moves the heads, is in one transaction with a look at the fence.
    """

    place = Place.TRANSACTION

    def around(self, statement: Statement, send: Callable[[], None]) -> None:
        """Send a change of data, and commit it.

        :raises LeaseLost: another run has the lock by now; nothing of the statement is applied.
        """
        if self._transactions.is_open:
            if statement.kind is Kind.SESSION and statement.text == "COMMIT":
                self._commit(statement, send)
            else:
                send()
        elif statement.changes and is_data_change(statement.text):
            self._by_itself(statement, send)
        else:
            send()

    def _by_itself(self, statement: Statement, send: Callable[[], None]) -> None:
        connection = statement.connection
        lost = 0
        while True:
            committing = False
            try:
                with self._inside():
                    tell(connection, self._transactions.begin_word)
                    if statement.ordinal is None:
                        self._stores.count_move()
                    send()
                committing = True
                tell(connection, "COMMIT")
                break
            except Exception as error:
                if not is_unanswered(connection, error):
                    with suppress(Exception):
                        tell(connection, "ROLLBACK")
                    raise
                has_rows = bool(getattr(statement.context.cursor, "description", None))
                lost += 1
                self._connect_again(statement, error, lost)
                applied = committing and self._is_committed(statement)
                if applied and has_rows:
                    raise  # its rows are gone with the connection; the next run goes on behind it
                log.warning("It was applied." if applied else "It was not applied: it is sent again.")
                self._answered(statement)
                if applied:
                    break
        if statement.ordinal is None:
            self._stores.moved()
        self._stores.journal.committed()

    @contextmanager
    def _inside(self) -> Iterator[None]:
        before = self._stores.is_inside
        self._stores.is_inside = lambda: True
        try:
            yield
        finally:
            self._stores.is_inside = before

    def _is_committed(self, statement: Statement) -> bool:
        if statement.ordinal is None:
            return self._stores.has_moved()
        return self._stores.is_done(statement.ordinal)

    def _commit(self, statement: Statement, send: Callable[[], None]) -> None:
        """Commit the transaction of a revision's own block."""
        try:
            send()
        except Exception as error:
            if not is_unanswered(statement.connection, error):
                raise
            self._connect_again(statement, error, 1)
            if not self._stores.is_done():
                raise  # it is rolled back; the journal has none of it, so the next run sends it
            log.warning("It was applied.")
            self._answered(statement)
        self._stores.journal.committed()

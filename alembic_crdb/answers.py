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
from alembic_crdb.reconnecting import give_cursor
from alembic_crdb.stores import CockroachStores
from alembic_crdb.transactions import SAVEPOINT, Transactions, is_data_change, is_schema_change

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
            self._stores.connect_again()
        except LeaseLost:
            raise
        except Exception as failure:
            raise error from failure
        give_cursor(statement)


class AnswerGate(_Answers):
    """Finds out what came of a schema change, or of another statement that can't be in a transaction; reads again."""

    place = Place.ANSWER

    def __init__(self, stores: CockroachStores, transactions: Transactions) -> None:
        super().__init__(stores, transactions)
        self._session = stores.session

    def around(self, statement: Statement, send: Callable[[], None]) -> None:
        """Send a statement; once more only when it is certain that it was not applied.

        :raises OutcomeUnknown: that can't be told, or its job goes on.
        """
        reads = statement.kind is Kind.READ
        if self._session != self._stores.session and not self._transactions.is_open:
            # The journal may have connected again since the statement got its cursor.
            self._session = self._stores.session
            give_cursor(statement)
        if self._transactions.is_open or not (reads or (statement.ordinal and not is_data_change(statement.text))):
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
                applied = not reads and self._stores.was_applied(statement)
                if applied is None:
                    raise OutcomeUnknown(_unknown(statement, first_line(error))) from error
                log.warning("It was applied." if applied else "It was not applied: it is sent again.")
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
        give_cursor(statement)


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

    def __init__(self, stores: CockroachStores, transactions: Transactions) -> None:
        super().__init__(stores, transactions)
        self._savepoints: dict[str, int] = {}  # how many statements the transaction had sent before each

    def around(self, statement: Statement, send: Callable[[], None]) -> None:
        """Send a change of data, and commit it.

        :raises LeaseLost: another run has the lock by now; nothing of the statement is applied.
        """
        if self._transactions.is_open:
            if statement.kind is Kind.SESSION:
                self._of_transaction(statement, send)
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
                    self._stores.journal.rolled_back()
                    raise
                has_rows = bool(getattr(statement.context.cursor, "description", None))
                lost += 1
                self._connect_again(statement, error, lost)
                applied = committing and self._is_committed(statement)
                if applied and has_rows:
                    raise  # its rows are gone with the connection; the next run goes on behind it
                log.warning("It was applied." if applied else "It was not applied: it is sent again.")
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

    def _of_transaction(self, statement: Statement, send: Callable[[], None]) -> None:
        """Send what ends the transaction of a revision's own block, or a part of it."""
        journal = self._stores.journal
        savepoint = SAVEPOINT.fullmatch(statement.text)
        if statement.text == "COMMIT":
            self._commit(statement, send)
        elif statement.text == "ROLLBACK":
            try:
                send()
            finally:
                journal.rolled_back()
        else:
            send()
            if savepoint is not None and savepoint["end"] is None:
                self._savepoints[savepoint["name"]] = journal.sent_inside
            elif savepoint is not None and savepoint["end"] == "ROLLBACK TO":
                journal.back_to(self._savepoints[savepoint["name"]])

    def _commit(self, statement: Statement, send: Callable[[], None]) -> None:
        try:
            send()
        except Exception as error:
            journal = self._stores.journal
            if not is_unanswered(statement.connection, error):
                journal.rolled_back()
                raise
            self._connect_again(statement, error, 1)
            if not journal.is_committed():
                journal.rolled_back()
                self._transactions.is_gone = True
                raise
            log.warning("It was applied.")
        self._stores.journal.committed()

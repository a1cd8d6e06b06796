"""What the server asks to be sent again, sent again; what has to come to its end first, awaited.

Everything here is about refusals: the server has said that the statement was not applied. What got no answer is the
business of :mod:`alembic_crdb.answers`.
"""

from __future__ import annotations

import logging
import random
import re
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from sqlalchemy.engine import Connection

from alembic_cluster.errors import first_line
from alembic_cluster.gate import Gate, Gates, Kind, Place, Statement
from alembic_crdb.beside import pause_for
from alembic_crdb.jobs import Listener, await_jobs
from alembic_crdb.raw import is_unanswered, sqlstate_of, tell
from alembic_crdb.reconnecting import give_cursor
from alembic_crdb.transactions import Transactions, is_schema_change

log = logging.getLogger("alembic.cockroachdb")  # below the logger that alembic.ini sets up

SERIALIZATION_FAILURE: Final = "40001"
_FIRST_PAUSE = 0.05  # seconds
_LONGEST_PAUSE = 5.0
#: What a server says of an object that another schema change has not finished with yet; nothing is applied then.
_LATER: Final = re.compile(r"try again later|is being (?:added|dropped|backfilled)|schema change is in progress", re.I)


class RetryGate(Gate):
    """Sends again what the server refused for a reason that passes.

    * SQLSTATE 40001: another transaction was in the way. A statement by itself is sent again; a transaction is begun
      again with all of its statements, unless the revision has read in it what may be otherwise now.
    * The connection broke in the middle of a transaction, which the server rolls back then: it is begun again in the
      same way, on another connection.
    * "try again later": an object is not ready yet. The jobs of the database are awaited first.

    :param transactions: those of the run.
    :param tries: how often a statement is sent at most.
    :param listener: is told about the jobs that are awaited.
    :param connect_again: puts another connection in the place of one that broke; None where nobody could find out what
        came of a commit.
    """

    place = Place.RETRY

    def __init__(
        self,
        transactions: Transactions,
        *,
        tries: int = 10,
        listener: Listener | None = None,
        connect_again: Callable[[], None] | None = None,
    ) -> None:
        self._transactions = transactions
        self.tries = tries
        self._listener = listener
        self._connect_again = connect_again
        self._block: list[Statement] = []  # what the open transaction has sent
        self._has_read = False  # the revision has seen what the open transaction read
        self._repeating = False

    def around(self, statement: Statement, send: Callable[[], None]) -> None:
        """Send a statement until the server takes it or refuses it for good."""
        if self._repeating:
            send()
            return
        if statement.kind is Kind.SESSION and statement.text == self._transactions.begin_word:
            self._block, self._has_read, self._transactions.is_gone = [], False, False
        begun = time.monotonic()
        for attempt in range(1, self.tries + 1):
            try:
                self._send(statement, send, again=attempt > 1)
                break
            except Exception as error:
                if attempt == self.tries or not self._may_pass(statement, error):
                    raise
                seconds = min(_FIRST_PAUSE * 2 ** (attempt - 1), _LONGEST_PAUSE) * random.uniform(0.5, 1)
                log.warning(
                    "The server refused a statement (%s). It is sent again: attempt %d of %d, after %.1f s.",
                    first_line(error), attempt + 1, self.tries, time.monotonic() - begun + seconds,
                )  # fmt: skip
                pause_for(statement.connection)(seconds)
        if self._transactions.is_open:
            self._remember(statement)

    def _remember(self, statement: Statement) -> None:
        if statement.kind is Kind.CHANGE:
            self._block.append(statement)
            self._has_read = self._has_read or bool(getattr(statement.context.cursor, "description", None))
        elif statement.text != self._transactions.begin_word:
            self._has_read = True  # a read, a savepoint, or a setting

    def _send(self, statement: Statement, send: Callable[[], None], *, again: bool) -> None:
        if again and self._transactions.is_open and statement.text != self._transactions.begin_word:
            self._begin_again(statement.connection)
        send()

    def _begin_again(self, connection: Connection) -> None:
        """Repeat the statements of the open transaction in a new one."""
        with suppress(Exception):
            tell(connection, "ROLLBACK")
        tell(connection, self._transactions.begin_word)
        gates = Gates.of(connection)
        self._repeating = True
        try:
            for statement in self._block:
                gates.send(statement, _sender(statement), behind=self)
        finally:
            self._repeating = False

    def _may_pass(self, statement: Statement, error: Exception) -> bool:
        """Tell whether a refusal may pass, and do what has to be done first."""
        connection = statement.connection
        if is_unanswered(connection, error):
            return self._is_rolled_back(statement)
        if sqlstate_of(error) == SERIALIZATION_FAILURE:
            return not (self._transactions.is_open and self._has_read)
        if self._transactions.is_open or not is_schema_change(statement.text):
            return False
        if _LATER.search(str(error)):
            await_jobs(connection, self._listener, pause=pause_for(connection))
            return True
        return False

    def _is_rolled_back(self, statement: Statement) -> bool:
        """Tell whether what got no answer is undone and can be repeated; on another connection by then."""
        transactions = self._transactions
        if statement.text == transactions.begin_word:
            repeatable = True
        elif statement.text == "COMMIT":
            repeatable = transactions.is_gone and not self._has_read
        else:
            repeatable = transactions.is_open and not self._has_read and statement.kind is not Kind.SESSION
        if self._connect_again is None or not repeatable:
            return False
        if not transactions.is_gone:
            self._connect_again()
        transactions.is_gone = False
        give_cursor(statement)
        return True


def _sender(statement: Statement) -> Callable[[], None]:
    """Give what sends a statement once more, by a cursor of its own."""
    dialect: Any = statement.connection.dialect

    def send() -> None:
        cursor = statement.connection.connection.cursor()
        try:
            if statement.many:
                dialect.do_executemany(cursor, statement.text, statement.parameters, statement.context)
            elif statement.parameters is None:
                dialect.do_execute_no_params(cursor, statement.text, statement.context)
            else:
                dialect.do_execute(cursor, statement.text, statement.parameters, statement.context)
        finally:
            cursor.close()

    return send

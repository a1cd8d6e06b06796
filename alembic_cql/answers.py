"""Answers that never came, and refusals that ask for another attempt, of schema changes in a run of revisions."""

from __future__ import annotations

import logging
import random
import re
import time
from collections.abc import Callable
from typing import Final

from alembic_cluster.errors import first_line
from alembic_cluster.execution import shorten
from alembic_cluster.gate import Gate, Place, Statement
from alembic_cql._exceptions import (
    DataError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    SchemaDisagreement,
)

log = logging.getLogger("alembic.cluster")  # below the logger that alembic.ini sets up

_DDL: Final = re.compile(r"\s*(CREATE|ALTER|DROP)\b", re.IGNORECASE)
_PATIENCE: Final = 10.0  # seconds that the coordinator may go on with what it has not answered
_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 1.0
# ScyllaDB commits schema changes by Raft and gives up after ten attempts of its own (scylladb/scylladb#21779, #26187).
_CONCURRENT: Final = re.compile(r"concurrent modification", re.IGNORECASE)
_TRIES: Final = 10


def is_refusal(error: BaseException) -> bool:
    """Tell whether an exception is the server's word that a statement is not applied."""
    if isinstance(error, (ProgrammingError, DataError, NotSupportedError)):
        return True
    # Unavailable: the coordinator says that it didn't begin.
    return isinstance(error, OperationalError) and type(error.__cause__).__name__ == "Unavailable"


class AnswerGate(Gate):
    """Looks in the catalog for a schema change that got no answer; it is never sent again.

    :param was_applied: looks.
    """

    place = Place.ANSWER

    def __init__(
        self, was_applied: Callable[[Statement], bool | None], sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._was_applied = was_applied
        self._sleep = sleep

    def around(self, statement: Statement, send: Callable[[], None]) -> None:
        """Send a statement.

        :raises OperationalError: what the driver raised, when the change is not to be seen in the catalog.
        """
        try:
            send()
        except (OperationalError, InternalError) as error:
            if (
                statement.ordinal is None
                or isinstance(error, SchemaDisagreement)
                or is_refusal(error)
                or _CONCURRENT.search(str(error))
                or not _DDL.match(statement.text)
            ):
                raise
            log.warning("no answer to %s (%s): looking in the catalog", shorten(statement.text), first_line(error))
            if not self._appears(statement):
                raise
            log.warning("it was applied")

    def _appears(self, statement: Statement) -> bool:
        deadline = time.monotonic() + _PATIENCE
        pause = _FIRST_PAUSE
        while True:
            try:
                if self._was_applied(statement):
                    return True
            except Exception as error:
                log.warning("the catalog can't be read: %s", first_line(error))
            if time.monotonic() > deadline:
                return False
            self._sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)


class ConcurrentChangeGate(Gate):
    """Sends a schema change again that ScyllaDB refused because another one was quicker."""

    place = Place.RETRY

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self._sleep = sleep

    def around(self, statement: Statement, send: Callable[[], None]) -> None:
        """Send a statement.

        :raises InternalError: it was refused ten times.
        """
        for attempt in range(1, _TRIES + 1):
            try:
                send()
            except InternalError as error:
                if attempt == _TRIES or not _CONCURRENT.search(str(error)):
                    raise
                self._sleep(random.uniform(0.5, 1.5) * min(0.1 * 2**attempt, 5.0))
            else:
                return

"""Schema changes watched: how far their jobs are while they run, and which of them go on after Ctrl-C."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress

from sqlalchemy.engine import Connection

from alembic_cluster.gate import Gate, Place, Statement
from alembic_crdb.beside import connection_beside, pause_for, send_and
from alembic_crdb.jobs import Job, Listener, await_jobs, how_to, schema_changes, sentence
from alembic_crdb.transactions import is_schema_change

log = logging.getLogger("alembic.cockroachdb")  # below the logger that alembic.ini sets up

_QUIET = 1.0  # seconds that a statement may take before its job is looked for
_EVERY = 1.0  # seconds between two looks


class JobsGate(Gate):
    """Has every schema change come to its end before the next statement: its statement, and all of its jobs.

    :param listener: is told how far the jobs are; it is called in the run's own thread.
    """

    # The innermost: what it sends in a thread of its own must be nothing but the driver's call.
    place = Place.LEASE + 50

    def __init__(self, listener: Listener | None = None) -> None:
        self.listener = listener or _say

    def around(self, statement: Statement, send: Callable[[], None]) -> None:
        """Send a schema change and wait for its jobs.

        :raises KeyboardInterrupt: by Ctrl-C; what the server goes on with is logged then.
        """
        if not is_schema_change(statement.text):
            send()
            return
        connection = statement.connection
        with ExitStack() as stack:
            watch = _Watch(connection, self.listener, stack)
            try:
                send_and(connection, send, watch.look)
                await_jobs(connection, self.listener, pause=pause_for(connection))
            except (KeyboardInterrupt, asyncio.CancelledError):  # the latter is Ctrl-C under asyncio.run
                watch.say_what_goes_on()
                raise


class _Watch:
    """One schema change that runs."""

    def __init__(self, connection: Connection, listener: Listener, stack: ExitStack) -> None:
        self._connection = connection
        self._listener = listener
        self._stack = stack
        self._begun = self._next = time.monotonic()
        self._next += _QUIET
        self._second: Connection | None = None
        self._told: dict[int, Job] = {}

    def look(self) -> None:
        """Look how far the jobs are, when it is time to; a look that fails is the last one."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _EVERY
        try:
            for job in self._jobs():
                before = self._told.get(job.id)
                if before is None and job.finished:
                    continue
                self._told[job.id] = job
                if before is None or before.shown != job.shown:
                    self._listener(job)
        except Exception as error:
            log.debug("No look at the jobs of the statement that runs: %s", error)
            self._next = float("inf")
            self._second = None

    def _jobs(self) -> list[Job]:
        if self._second is None:
            self._second = self._stack.enter_context(connection_beside(self._connection))
        return schema_changes(self._second, since=time.monotonic() - self._begun + 1)

    def say_what_goes_on(self) -> None:
        """Log which jobs the server goes on with."""
        jobs = list(self._told.values())
        with suppress(Exception):
            jobs = self._jobs()
        going = [job for job in jobs if not job.finished]
        for job in going:
            log.warning("Interrupted. The server goes on with it: %s. %s", job, how_to(job))
        if not going:
            log.warning("Interrupted. No job of the statement goes on; it may be applied, or not.")


def _say(job: Job) -> None:
    log.info("%s", sentence(job))

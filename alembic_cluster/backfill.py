"""Backfills: every row of a large table changed, in ranges, by as many workers as there are, once.

::

    from alembic_cluster.backfill import backfill

    backfill(engine, "users", update="full_name = first_name || ' ' || last_name", where="full_name IS NULL")

    def slug(row):
        return {"slug": row["title"].lower().replace(" ", "-")}

    backfill(engine, "articles", function=slug, columns=["title"], rows_per_second=5000)

A table of the database, ``alembic_cluster_backfill``, says what is done. A backfill that was killed goes on from there
when it is started again, with the same name; what is done is not done twice.

In a revision it is ``op.backfill(...)``, on the command line ``alembic-cluster backfill``; all three take the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any

from sqlalchemy.sql import ClauseElement

from alembic_cluster.backfill_job import BatchFunction, Job, OnError, Options, RowFunction, Target, make_change
from alembic_cluster.backfill_run import BackfillRun, Listener, MakeExecutor, Progress, Report
from alembic_cluster.errors import InvalidBackfill

__all__ = ["Backfill", "Progress", "Report", "backfill", "backfill_async"]


class Backfill:
    """A backfill of one table; see :mod:`alembic_cluster.backfill`.

    :param target: an ``Engine`` or ``AsyncEngine``, a connection of one, a URL, or a function that makes an engine.
        Workers in other processes make an engine of their own, by the URL or by that function.
    :param table: the table's name, without quotes.
    :param update: what comes after ``SET`` of an UPDATE in the database's own words; or a mapping by column of values
        and SQL expressions (``sqlalchemy.text``).
    :param function: in place of ``update``: gets a copy of a row as a ``dict``, and returns a mapping of new values,
        or None for the copy as it has changed it. What is as it was read is not written. It may be a coroutine
        function.
    :param batch_function: the same for a list of rows; returns one such value for each.
    :param columns: what the function gets to see beside the primary key; all columns when None.
    :param where: a condition in the database's own words; on Cassandra it filters (``ALLOW FILTERING``).
    :param values: by name, what ``:name`` in ``update`` and ``where`` stands for.
    :param schema: schema or keyspace of the table; the connection's when None.
    :param name: what the checkpoint calls it; made of the table and what is done when None.
    :param batch_rows: rows that are read, changed and retried together (1000).
    :param range_rows: rows that a range has, about (20,000).
    :param concurrency: ranges that are under way at a time (4).
    :param rows_per_second: at most that many rows are read, over all workers.
    :param tries: how often a batch is tried, and a range whose worker is lost (5).
    :param on_error: ``"stop"`` ends at a row that fails; ``"skip"`` notes it in ``alembic_cluster_backfill_skipped``
        and goes on.
    :param as_of: CockroachDB: read as of then (``"-10s"``, ``"follower_read_timestamp()"``). What decides about a
        row's new values is read again under a lock where it has changed since.
    :param only_if: CQL: columns that must still have the values that were read when a row is changed (a conditional
        update, ``IF``); the row is left alone otherwise.
    :param executor: what runs ranges: any ``concurrent.futures.Executor``, or a function that makes one, which is
        called again when its workers die; threads of this process when None.
    :param on_progress: is told how far it is, at most twice a second.
    :param restart: begin anew, whatever the checkpoint says.
    :param repeat: begin anew when the checkpoint says that all is done; go on when it doesn't.
    :param lock_wait: seconds to wait for another process that runs the same backfill (60).
    :raises InvalidBackfill: it can't be; nothing was sent.
    """

    def __init__(
        self,
        target: Any,
        table: str,
        *,
        update: str | Mapping[str, Any] | None = None,
        function: RowFunction | None = None,
        batch_function: BatchFunction | None = None,
        columns: Sequence[str] | None = None,
        where: str | ClauseElement | None = None,
        values: Mapping[str, Any] | None = None,
        schema: str | None = None,
        name: str | None = None,
        batch_rows: int = Options.batch_rows,
        range_rows: int = Options.range_rows,
        concurrency: int = Options.concurrency,
        rows_per_second: float | None = None,
        tries: int = Options.tries,
        on_error: OnError = "stop",
        as_of: str | None = None,
        only_if: Sequence[str] = (),
        executor: Executor | MakeExecutor | None = None,
        on_progress: Listener | None = None,
        restart: bool = False,
        repeat: bool = False,
        lock_wait: float = 60.0,
        check: Callable[[], None] | None = None,
    ) -> None:
        if not table:
            raise InvalidBackfill(f"a backfill is of one table, and {table!r} is no name; nothing was sent")
        aim = target if isinstance(target, Target) else Target(target)
        change = make_change(
            aim.engine.dialect,
            update=update,
            function=function,
            batch_function=batch_function,
            columns=columns,
            where=where,
            values=values,
        )
        options = Options(
            batch_rows, range_rows, concurrency, rows_per_second, tries, on_error, as_of, tuple(only_if)
        )
        options.check()
        job = Job(name or "", table, schema, aim, change, options)
        self.job = job if name else Job(f"{table} {job.digest[:12]}", table, schema, aim, change, options)
        self._how: dict[str, Any] = {
            "executor": executor, "anew": restart, "repeat": repeat, "lock_wait": lock_wait, "check": check,
            "listener": on_progress,
        }  # fmt: skip

    @property
    def name(self) -> str:
        """What the checkpoint calls it."""
        return self.job.name

    def run(self) -> Report:
        """Do it, or go on with it.

        :return: what was done; a report of what an earlier run has done when nothing is left.
        :raises InvalidBackfill: it can't be done to this table, or the checkpoint is of another one; nothing was sent.
        :raises BackfillFailed: it ended before its end; what is done is noted.
        :raises LockNotAcquired: another process runs it.
        :raises LeaseLost: another process may run it by now.
        """
        return BackfillRun(self.job, **self._how).run()

    def dry_run(self) -> Report:
        """Count the rows that :meth:`run` would read and change now; nothing is changed.

        A function is called for each row, so it must not do anything else.
        """
        return BackfillRun(self.job, **self._how).dry_run()

    async def run_async(self) -> Report:
        """Do what :meth:`run` does; a coroutine function is awaited in the loop that awaits this."""
        return await self._await("run")

    async def dry_run_async(self) -> Report:
        """Do what :meth:`dry_run` does, awaited."""
        return await self._await("dry_run")

    async def _await(self, what: str) -> Report:
        run = BackfillRun(self.job, loop=asyncio.get_running_loop(), **self._how)
        work = asyncio.ensure_future(asyncio.to_thread(getattr(run, what)))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            run.stop()
            await asyncio.wait({work})
            raise


def backfill(target: Any, table: str, *, dry_run: bool = False, **options: Any) -> Report:
    """Do a backfill, or go on with it; the arguments are those of :class:`Backfill`.

    :param dry_run: count only.
    """
    made = Backfill(target, table, **options)
    return made.dry_run() if dry_run else made.run()


async def backfill_async(target: Any, table: str, *, dry_run: bool = False, **options: Any) -> Report:
    """Do what :func:`backfill` does, awaited."""
    made = Backfill(target, table, **options)
    return await (made.dry_run_async() if dry_run else made.run_async())

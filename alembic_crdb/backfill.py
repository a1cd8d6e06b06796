"""Backfills on CockroachDB: ranges of the primary key, and pages of it that are changed in one transaction each.

A page's transaction moves the range's checkpoint too, so each row is changed exactly once, whatever is killed when.
Pages follow the primary index by its key (``WHERE key > last``), so a page costs the same at the end of a table as at
its beginning. Reads that decide about nothing (where a range may end, what a slow function gets to see first) may be
``AS OF SYSTEM TIME``, which waits for no writer (documentation, page "AS OF SYSTEM TIME").
"""

from __future__ import annotations

import logging
import random
import re
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from alembic_cluster.backfill_job import Job
from alembic_cluster.backfill_rows import Changes, RowError
from alembic_cluster.backfill_source import Range, Watch
from alembic_cluster.connections import fresh_connection, in_loop_of
from alembic_cluster.errors import BackfillFailed, InvalidBackfill, LeaseLost, first_line
from alembic_crdb.backfill_checkpoint import CockroachCheckpoint
from alembic_crdb.backfill_pages import Pages
from alembic_crdb.backfill_reads import Reads
from alembic_crdb.backfill_writes import ColumnTypes, PageWrites
from alembic_crdb.keys import escaped, quoter, read_columns, read_key
from alembic_crdb.raw import BROKEN, sqlstate_of
from alembic_crdb.types import from_server

log = logging.getLogger("alembic.cluster")

_AS_OF: Final = re.compile(r"(?:follower_read_timestamp|with_max_staleness|with_min_timestamp)\([^;]*\)", re.I)
_SERIALIZATION: Final = "40001"
_NO_TABLE: Final = "42P01"


class CockroachBackfill:
    """One table of a database in one process; each call opens a connection of its own."""

    def __init__(self, job: Job) -> None:
        self._job = job
        engine = job.target.engine
        quote = quoter(engine.dialect)
        self._quoted = quote(job.table) if job.schema is None else f"{quote(job.schema)}.{quote(job.table)}"
        self._name = escaped(self._quoted)
        self._seen: Reads | None = None

    # ------------------------------------------------------------------------------------------- connections

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        with fresh_connection(self._job.target.engine) as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.exec_driver_sql("SET extra_float_digits = 3")  # keys travel as texts, whole
            yield connection

    @contextmanager
    def checkpoint(self) -> Iterator[CockroachCheckpoint]:
        """Give the checkpoint on a connection of its own."""
        with self._connection() as connection:
            yield self._checkpoint_on(connection)

    def _checkpoint_on(self, connection: Connection) -> CockroachCheckpoint:
        return CockroachCheckpoint(connection, self._job.name, with_skipped=self._job.options.on_error == "skip")

    def close(self) -> None:
        """Do nothing: each call closes what it opens."""

    # ------------------------------------------------------------------------------------------- looking

    def check(self) -> None:
        """Look at the table.

        :raises InvalidBackfill: it isn't there, has no such column, or its key would change.
        """
        with self._connection() as connection:
            reads = self._look(connection)
            key, types, change = reads.key, reads.types, self._job.change
            for name in (*(each.column for each in change.assignments), *(change.columns or ())):
                if name not in types.names:
                    raise InvalidBackfill(
                        f"table {self._job.table!r} has no column {name!r}; it has {', '.join(types.names)}; "
                        "nothing was sent"
                    )
            for each in change.assignments:
                if each.column in key.names:
                    raise InvalidBackfill(
                        f"column {each.column!r} is in the primary key of {self._job.table!r}, along which the "
                        "backfill walks: it would meet rows twice; nothing was sent"
                    )
            self._try_out(connection, reads)

    def _try_out(self, connection: Connection, reads: Reads) -> None:
        """Have the server look over the texts: EXPLAIN runs nothing."""
        change = self._job.change
        try:
            if change.assignments:
                writes = PageWrites(connection, self._quoted, reads.key, reads.types, change)
                connection.execute(text(f"EXPLAIN {writes.update_text('false')}"), writes.values)
            elif change.where is not None:
                query = f"EXPLAIN SELECT 1 FROM {self._name} WHERE {change.where}"
                connection.execute(text(query), dict(change.values))
            if self._job.options.as_of is not None:
                connection.execute(text(f"EXPLAIN SELECT 1 FROM {self._name}{reads.as_of}"))
        except DBAPIError as error:
            raise InvalidBackfill(
                f"the server refuses this backfill: {first_line(error.orig).rstrip('.')}; nothing was changed"
            ) from error

    def _look(self, connection: Connection) -> Reads:
        if self._seen is None:
            job = self._job
            try:
                types, shown = read_columns(connection, self._quoted)
            except DBAPIError as error:
                if sqlstate_of(error.orig) != _NO_TABLE:
                    raise
                types, shown = {}, []
            if not types:
                raise InvalidBackfill(f"there is no table {job.table!r} to backfill; nothing was sent")
            key = read_key(connection, self._quoted, types)
            if not key.columns:
                raise InvalidBackfill(f"{job.table!r} is no table, or has no primary key; nothing was sent")
            kinds = {name: from_server(types[name], {}) for name in shown}
            self._seen = Reads(job, self._quoted, key, ColumnTypes(types, kinds, connection.dialect))
        return self._seen

    def estimate(self) -> int | None:
        """Give the number of rows that the newest statistics have."""
        query = f"SELECT row_count FROM [SHOW STATISTICS FOR TABLE {self._name}] ORDER BY created DESC LIMIT 1"
        found = None
        with self._connection() as connection, suppress(DBAPIError):  # a user that may not see them
            found = connection.execute(text(query)).scalar()
        return int(found or 0) or None

    def plan(self, last: Range | None) -> Generator[Range, None, None]:
        """Walk the primary index in steps of ``range_rows``; the last range has no end."""
        number, lower = (0, None) if last is None else (last.number, last.upper)
        if last is not None and last.upper is None:
            return
        with self._connection() as connection:
            reads = self._look(connection)
            while True:
                number += 1
                upper = reads.step(connection, lower, None, self._job.options.range_rows)
                yield Range(number, lower, upper)
                if upper is None:
                    return
                lower = upper

    # ------------------------------------------------------------------------------------------- counting

    def count(self, work: Range, watch: Watch) -> Range:
        """Count what a range would read and change, and change nothing."""
        try:
            return in_loop_of(self._job.target.engine.dialect, lambda: self._count(work, watch))
        except DBAPIError as error:
            raise self._failed(work, error) from error

    def _count(self, work: Range, watch: Watch) -> Range:
        with self._connection() as connection:
            reads, change = self._look(connection), self._job.change
            key, types = reads.key, reads.types
            if change.function is None:
                condition, values = key.between(work.position or work.lower, work.upper)
                counted = f"count(*) FILTER (WHERE {change.where})" if change.where else "count(*)"
                query = f"SELECT count(*), {counted} FROM {self._name}{reads.as_of} WHERE {condition}"
                read, changed = connection.execute(text(query), {**values, **change.values}).one()
                watch.take(read)
                return replace(work, read=read, changed=changed, done=True)
            changes = Changes(change, key.names, types.names, types.mutable)
            while not work.done:
                watch.check()
                rows, after = reads.page(connection, work, lock=False)
                found = changes.of(rows, watch)
                work = replace(
                    after,
                    changed=work.changed + sum(isinstance(each, dict) for each in found),
                    skipped=work.skipped + sum(isinstance(each, RowError) for each in found),
                )
                watch.take(len(rows))
            return work

    # ------------------------------------------------------------------------------------------- doing

    def run(self, work: Range, watch: Watch) -> Range:
        """Do a range from where the checkpoint has it on."""
        return in_loop_of(self._job.target.engine.dialect, lambda: self._run(work, watch))

    def _run(self, work: Range, watch: Watch) -> Range:
        """Do pages until the range is done, on a new connection after one that broke."""
        tries, reached = 0, work.position
        while True:
            try:
                with self._connection() as connection:
                    return self._pages(connection, work.number, watch)
            except DBAPIError as error:
                if not (error.connection_invalidated or sqlstate_of(error.orig) in BROKEN):
                    raise self._failed(work, error) from error
                failure: Exception = error
            except Exception as error:
                if not _is_disconnect(error, self._job):
                    raise
                failure = error
            now = self._reached(work.number)
            tries, reached = (1 if now != reached else tries + 1), now
            if tries >= self._job.options.tries:
                raise self._failed(work, failure) from failure
            log.info("the connection broke (%s): the range goes on where it is noted", first_line(failure))
            _pause(tries, watch)

    def _reached(self, number: int) -> str | None:
        found = None
        with suppress(Exception), self.checkpoint() as checkpoint:
            found = checkpoint.read_range(number)
        return None if found is None else found[0].position

    def _failed(self, work: Range, error: BaseException) -> BackfillFailed:
        orig = getattr(error, "orig", None) or error
        return BackfillFailed(
            f"the backfill {self._job.name!r} ended in its range {work.number}: {first_line(orig).rstrip('.')}. "
            "The batch is not applied, what was done before is noted: mend the cause and start it again, and it goes "
            "on there"
        )

    def _pages(self, connection: Connection, number: int, watch: Watch) -> Range:
        checkpoint = self._checkpoint_on(connection)
        page = Pages(self._look(connection), connection, checkpoint, watch)
        tries = 0
        while True:
            watch.check()
            found = checkpoint.read_range(number)
            if found is None or found[1] != watch.fence:
                raise LeaseLost(
                    f"another process runs the backfill {self._job.name!r} by now, or has begun it anew: this one "
                    "has ended, and what it did is noted"
                )
            before = found[0]
            while not before.done:
                watch.check()
                try:
                    after = page.do(before)
                except Exception as error:
                    with suppress(Exception):
                        connection.exec_driver_sql("ROLLBACK")
                    state = sqlstate_of(getattr(error, "orig", error))
                    tries += 1
                    if state != _SERIALIZATION or tries >= self._job.options.tries:
                        raise
                    _pause(tries, watch)
                    break
                if after is None:  # the checkpoint is not where it was seen
                    break
                tries = 0
                watch.take(after.read - before.read)
                before = after
            if before.done:
                return before


def _is_disconnect(error: Exception, job: Job) -> bool:
    """Tell whether an exception of the driver itself says that the connection broke."""
    dbapi: Any = job.target.engine.dialect.dbapi
    return isinstance(error, OSError) or (dbapi is not None and isinstance(error, dbapi.Error))


def _pause(tries: int, watch: Watch) -> None:
    watch.check()
    time.sleep(min(0.05 * 2**tries, 5.0) * random.uniform(0.5, 1))

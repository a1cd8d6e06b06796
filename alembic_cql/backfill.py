"""Backfills on Cassandra and ScyllaDB: token ranges, read in pages ahead of the writes, and changed in small batches.

Every row is written with the time at which its page was asked for (``USING TIMESTAMP``). So what a program writes
meanwhile is newer and stays, what it deletes stays deleted, and doing a part of a range again changes nothing more.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

from alembic_cluster.backfill_job import Job
from alembic_cluster.backfill_rows import Changes, RowError, key_text, row_failed
from alembic_cluster.backfill_source import Range, Watch
from alembic_cluster.connections import fresh_connection
from alembic_cluster.errors import BackfillFailed, ClusterError, InvalidBackfill, LeaseLost, first_line
from alembic_cql._exceptions import OperationalError, map_exception
from alembic_cql.backfill_checkpoint import CqlCheckpoint
from alembic_cql.backfill_statements import Statements
from alembic_cql.backfill_writes import RowWrites
from alembic_cql.copy_plan import Side
from alembic_cql.ranges import cut_ring, estimate_partitions, read_estimates, read_tokens
from alembic_cql.refusal import missing_keyspace

log = logging.getLogger("alembic.cluster")


class CqlBackfill:
    """One table of a cluster in one process; its threads share one session of the driver."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._stack = ExitStack()
        self._lock = threading.Lock()
        self._opened: tuple[Any, Any, str] | None = None
        self._side: Side | None = None

    def _open(self) -> tuple[Any, Any, str]:
        """Give SQLAlchemy's connection, the driver's session, and the table's keyspace."""
        with self._lock:
            if self._opened is None:
                connection = self._stack.enter_context(fresh_connection(self._job.target.engine))
                dialect: Any = connection.dialect
                keyspace = self._job.schema or dialect.default_schema_name
                if keyspace is None:
                    self._stack.close()
                    raise missing_keyspace()
                session = connection.connection.dbapi_connection.live_session()  # type: ignore[union-attr]
                self._opened = connection, session, keyspace
            return self._opened

    def close(self) -> None:
        """Close the session."""
        with self._lock:
            self._opened = None
            self._stack.close()

    @contextmanager
    def checkpoint(self) -> Iterator[CqlCheckpoint]:
        """Give the checkpoint."""
        yield self._checkpoint()

    def _checkpoint(self) -> CqlCheckpoint:
        connection, _, keyspace = self._open()
        own = connection.dialect.default_schema_name or keyspace
        skips = self._job.options.on_error == "skip"
        return CqlCheckpoint(connection, own, self._job.name, with_skipped=skips)

    # ------------------------------------------------------------------------------------------- looking

    def check(self) -> None:
        """Look at the table.

        :raises InvalidBackfill: it isn't there, has no such column, or it can't be done to it.
        """
        self._statements().check()

    def _statements(self) -> Statements:
        connection, session, keyspace = self._open()
        job, dialect = self._job, connection.dialect
        with self._lock:
            if self._side is None:
                info = dialect.keyspace_info(connection, keyspace)
                if job.table not in info.tables:
                    what = "is a materialized view" if job.table in info.views else f"is not there in {keyspace!r}"
                    raise InvalidBackfill(f"the table {job.table!r} {what}; nothing was sent")
                self._side = Side.of_info(info.tables[job.table], keyspace)
        return Statements(session, job, self._side, dialect)

    def estimate(self) -> int | None:
        """Give about how many partitions the table has."""
        _, session, keyspace = self._open()
        return estimate_partitions(read_estimates(session, keyspace, self._job.table))

    def plan(self, last: Range | None) -> Generator[Range, None, None]:
        """Cut the ring; where its tokens are no numbers, the table is one range."""
        _, session, keyspace = self._open()
        tokens = read_tokens(session)
        if tokens is None:
            if last is None:
                yield Range(1)
            return
        options = self._job.options
        estimates = read_estimates(session, keyspace, self._job.table)
        behind = None if last is None or last.upper is None else int(last.upper)
        number = 0 if last is None else last.number
        for begin, end in cut_ring(tokens, estimates, options.range_rows, 4 * options.concurrency):
            if behind is not None and end <= behind:
                continue
            number += 1
            yield Range(number, str(begin if behind is None else max(begin, behind)), str(end))

    # ------------------------------------------------------------------------------------------- doing

    def count(self, work: Range, watch: Watch) -> Range:
        """Count what a range would read and change, and change nothing."""
        with self._one_error(work):
            return _Walk(self, work, watch, None).go()

    def run(self, work: Range, watch: Watch) -> Range:
        """Do a range from where the checkpoint has it on."""
        checkpoint = self._checkpoint()
        now = checkpoint.read_range(work.number)
        if now is None:
            raise LeaseLost(f"the backfill {self._job.name!r} was begun anew by another process; this one has ended")
        tries = 0
        while not now.done:
            walk = _Walk(self, now, watch, checkpoint)
            try:
                return walk.go()
            except ClusterError:
                raise
            except Exception as error:
                mapped = map_exception(error)
                tries = 1 if walk.reached != now else tries + 1
                now = walk.reached
                if tries >= self._job.options.tries or not isinstance(mapped, OperationalError):
                    raise self._failed(work, mapped) from error
                log.info("range %d of the backfill stumbled (%s): once more", work.number, first_line(mapped))
                watch.check()
                time.sleep(min(0.1 * 2**tries, 5.0))
        return now

    @contextmanager
    def _one_error(self, work: Range) -> Iterator[None]:
        try:
            yield
        except ClusterError:
            raise
        except Exception as error:
            raise self._failed(work, map_exception(error)) from error

    def _failed(self, work: Range, error: BaseException) -> BackfillFailed:
        return BackfillFailed(
            f"the backfill {self._job.name!r} ended in its range {work.number}: {first_line(error).rstrip('.')}. Some "
            "rows of that range may be changed, what was done before is noted: mend the cause and start it again, and "
            "it goes on there"
        )


class _Walk:
    """One walk through a token range.

    :param checkpoint: None counts only.
    :ivar reached: the range as it is noted.
    """

    def __init__(self, source: CqlBackfill, work: Range, watch: Watch, checkpoint: CqlCheckpoint | None) -> None:
        self._job = source._job
        self._session = source._open()[1]
        self._statements = source._statements()
        self._watch = watch
        self._checkpoint = checkpoint
        self.reached = work
        self._read, self._changed, self._skipped = work.read, work.changed, work.skipped
        change = self._job.change
        key = self._statements.key
        side = source._side
        assert side is not None
        self._changes = None if change.function is None else Changes(change, key, side.kinds, self._statements.mutable)
        self._values = {} if change.function is not None else self._statements.expression_values()
        self._writes = RowWrites(self._session, self._statements, self._fail, self._job.options.tries)

    def go(self) -> Range:
        """Walk to the range's end.

        :raises Exception: the driver's; :attr:`reached` says from where to go on.
        """
        noted = self._read
        try:
            for page, left, stamp in self._pages():
                self._watch.check()
                self._do(page, left, stamp)
                self._read += len(page)
                self._watch.take(len(page))
                if self._checkpoint is not None and self._read - noted >= self._job.options.range_rows and page:
                    noted = self._read
                    self._note_inside(page)
            self._writes.settle()
        except BaseException:
            self._writes.abandon()
            raise
        return self._note(replace(self.reached, position=self.reached.upper, done=True))

    def _pages(self) -> Iterator[tuple[list[dict[str, Any]], list[dict[str, int]], int]]:
        """Give pages of rows, with the seconds that their values have left to live and the time they were asked for.

        The next page is under way meanwhile.
        """
        work, statements = self.reached, self._statements
        whole = work.upper is None
        token_range = [] if whole else [int(work.position or work.lower or 0), int(work.upper or 0)]
        if self._checkpoint is None and self._changes is None:
            values = [*token_range, *statements.condition_values]
            count = next(iter(self._session.execute(statements.counting(whole=whole).bind(values))))[0]
            self._read += count
            self._changed += count
            return
        bound = statements.selecting(whole=whole).bind([*token_range, *statements.condition_values])
        bound.fetch_size = self._job.options.batch_rows
        bound.is_idempotent = True
        stamp = time.time_ns() // 1000
        future = self._session.execute_async(bound)
        while True:
            rows = future.result().current_rows
            asked = stamp
            more = future.has_more_pages
            if more:
                stamp = time.time_ns() // 1000
                future.start_fetching_next_page()
            yield (
                [statements.row(values) for values in rows],
                [statements.lifetimes.of(values) for values in rows],
                asked,
            )
            if not more:
                return

    def _do(self, page: list[dict[str, Any]], left: list[dict[str, int]], stamp: int) -> None:
        if self._changes is None:
            for row, seconds in zip(page, left, strict=True):
                self._writes.write_expression(row, self._values, seconds, stamp)
            return
        dry = self._checkpoint is None
        for row, seconds, each in zip(page, left, self._changes.of(page, self._watch), strict=True):
            if each is None:
                continue
            if isinstance(each, RowError):
                self._fail(row, each.error)
            elif dry:
                self._changed += 1
            else:
                self._writes.write(row, each, seconds, stamp)

    def _fail(self, row: Any, error: BaseException) -> None:
        self._skipped += 1
        if self._checkpoint is None:
            return
        key = self._statements.key
        if self._job.options.on_error == "stop":
            raise row_failed(self._job.name, self._job.table, row, key, error) from error
        self._checkpoint.skip(self._job.table, key_text(row, key), f"{type(error).__name__}: {first_line(error)}")

    def _note_inside(self, page: list[dict[str, Any]]) -> None:
        """Note that all before the last row's partition is done: that one may have more rows, and is read again."""
        last = self._statements.partition_of(page[-1])
        again = sum(self._statements.partition_of(row) == last for row in page)
        if again == len(page):
            return
        self._writes.settle()
        token = self._statements.token_of(page[-1])
        if token is not None and self.reached.upper is not None:
            self._note(replace(self.reached, position=str(token - 1)), again)

    def _note(self, after: Range, again: int = 0) -> Range:
        """Note how far the range is.

        :param again: rows that whoever goes on from there reads once more.
        """
        self._changed += self._writes.applied
        self._writes.applied = 0
        changed = self._changed - (again if self._changes is None else 0)
        after = replace(after, read=self._read - again, changed=changed, skipped=self._skipped)
        if self._checkpoint is not None:
            self._checkpoint.move(after, self._watch.fence)
        self.reached = after
        return after

"""One run of a backfill: ranges handed to an executor until none is left.

What is done stands in the checkpoint, written by the workers themselves. So a range whose worker is lost is handed out
again and goes on where the checkpoint has it, and a run that was killed is gone on with by starting it again.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from alembic_cluster.backfill_job import Job
from alembic_cluster.backfill_source import Checkpoint, Header, Range, Source
from alembic_cluster.backfill_workers import Here, run_range, share, source_of
from alembic_cluster.connections import in_loop_of
from alembic_cluster.errors import BackfillFailed, ClusterError, InvalidBackfill, first_line
from alembic_cluster.lease import HeldLease, Renewal, wait_for_lock
from alembic_cluster.owner import Owner
from alembic_cluster.stores import LeaseStore

log = logging.getLogger("alembic.cluster")

TTL = 30.0
_PLANNED_AT_ONCE = 100  # ranges that are written to the checkpoint together
_LOOK_EVERY = 0.5  # seconds between two looks at whether the run is to end
_TOLD_EVERY = 0.5


@dataclass(frozen=True)
class Progress:
    """How far a backfill is.

    :ivar rows: rows that were read, in this run and in those before it; ``changed`` and ``skipped`` likewise.
    :ivar ranges: ranges that are done, of ``known`` ones.
    :ivar fraction: how much is done, from 0 to 1; None when that can't be told.
    :ivar seconds: since this run began.
    :ivar rate: rows per second of this run.
    :ivar left: seconds that are left, by the rate; None when that can't be told.
    """

    rows: int
    changed: int
    skipped: int
    ranges: int
    known: int
    fraction: float | None
    seconds: float
    rate: float
    left: float | None

    def __str__(self) -> str:
        """Say it in a few words."""
        text = f"{self.rows:,} rows, {self.rate:,.0f} rows/s"
        return text if self.left is None else f"{text}, {_clock(self.left)} left"


@dataclass(frozen=True)
class Report:
    """What a backfill has done.

    :ivar name: of the checkpoint.
    :ivar rows: rows that were read, in this run and in those before it that it went on with.
    :ivar changed: rows that were changed; of a dry run, that would be.
    :ivar skipped: rows that failed and were skipped.
    :ivar rows_now: rows that this run has read.
    :ivar ranges: ranges of the table.
    :ivar seconds: how long this run took.
    :ivar resumed: whether it went on with what an earlier run had begun, or had finished.
    :ivar dry_run: whether nothing was changed.
    """

    name: str
    rows: int
    changed: int
    skipped: int
    rows_now: int
    ranges: int
    seconds: float
    resumed: bool = False
    dry_run: bool = False


Listener = Callable[[Progress], None]
MakeExecutor = Callable[[], Executor]


class BackfillRun:
    """One run.

    :param executor: what runs ranges, or a function that makes it; threads of this process when None.
    :param anew: do everything, whatever is done.
    :param repeat: do everything if all is done; go on otherwise.
    :param lock_wait: seconds to wait for another process that runs it.
    :param check: is called between batches of this process; raises what is to end the run.
    :param listener: is told how far it is, twice a second at most.
    """

    def __init__(
        self,
        job: Job,
        *,
        executor: Executor | MakeExecutor | None = None,
        anew: bool = False,
        repeat: bool = False,
        lock_wait: float = 60.0,
        check: Callable[[], None] | None = None,
        listener: Listener | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        job.options.check()
        self._job = job
        self._executor = executor
        self._anew = anew
        self._repeat = repeat
        self._lock_wait = lock_wait
        self._check_outside = check or (lambda: None)
        self._listener = listener
        self._held: HeldLease | None = None
        self._here = Here(self._check, self._told, loop)
        self._lock = threading.Lock()
        self._begun = time.monotonic()
        self._told_at = 0.0
        self._now = 0  # rows of this run, as its own threads told
        self._base = Range(0)  # what was done before this run
        self._sums = [0, 0, 0]
        self._ranges = self._known = 0
        self._all_known = False
        self._estimate: int | None = None

    def run(self) -> Report:
        """Run it.

        :raises InvalidBackfill: it can't be done; nothing was changed.
        :raises BackfillFailed: it ended before its end; what is done is noted.
        :raises LockNotAcquired: another process runs it.
        :raises LeaseLost: another process may run it by now.
        """
        return self._with_source(self._run)

    def dry_run(self) -> Report:
        """Count what :meth:`run` would do, and change nothing."""
        return self._with_source(self._dry_run)

    def stop(self) -> None:
        """Have it end after the batches that are under way."""
        self._here.stopped.set()

    def _with_source(self, work: Callable[[Source], Report]) -> Report:
        share(self._job.token, self._here)
        try:
            source = source_of(self._job)
            return in_loop_of(self._job.target.engine.dialect, lambda: work(source))
        except BaseException:
            self._here.stopped.set()
            raise
        finally:
            share(self._job.token, None)

    # -------------------------------------------------------------------------------------------------- the two runs

    def _run(self, source: Source) -> Report:
        job = self._job
        source.check()
        with source.checkpoint() as checkpoint:
            checkpoint.prepare()
            with self._lease(source, checkpoint) as fence:
                header = checkpoint.read()
                anew = self._is_anew(header)
                if header is not None and header.state == "done" and not anew:
                    totals = checkpoint.totals()
                    log.info("backfill %r is done since an earlier run", job.name)
                    return self._report(totals.read, totals.changed, totals.skipped, totals.ranges, resumed=True)
                checkpoint.begin(fence, job.digest, anew=anew)
                self._job = job = job.under(fence)
                self._estimate = source.estimate()
                self._take_totals(checkpoint)
                self._all_known = not anew and header is not None and header.state == "planned"
                with closing(self._plan(source, checkpoint)) as more:
                    self._work(chain(list(checkpoint.unfinished()), more))
                checkpoint.write_state("done")
                totals = checkpoint.totals()
        self._tell(final=True)
        return self._report(totals.read, totals.changed, totals.skipped, totals.ranges, resumed=not anew)

    def _dry_run(self, source: Source) -> Report:
        source.check()
        with source.checkpoint() as checkpoint:
            header = checkpoint.read()
            anew = self._is_anew(header)
            if header is not None and header.state == "done" and not anew:
                return self._report(0, 0, 0, 0, resumed=True, dry_run=True)
            last, left = None, []
            if not anew:
                last, left = checkpoint.last(), list(checkpoint.unfinished())
        self._estimate = source.estimate()
        planned = not anew and header is not None and header.state == "planned"
        more = iter(()) if planned else source.plan(last)
        self._work((Range(each.number, each.lower, each.upper, each.position) for each in chain(left, more)), dry=True)
        self._tell(final=True)
        read, changed, skipped = self._sums
        return self._report(read, changed, skipped, self._ranges, resumed=not anew, dry_run=True)

    def _is_anew(self, header: Header | None) -> bool:
        if header is None or self._anew or (header.state == "done" and self._repeat):
            return True
        if header.digest != self._job.digest:
            raise InvalidBackfill(
                f"the checkpoint {self._job.name!r} is of a backfill that does something else, which is "
                f"{'done' if header.state == 'done' else 'not finished'}: give this one another name=, or restart=True "
                "to forget that one; nothing was changed"
            )
        return False

    def _report(
        self, rows: int, changed: int, skipped: int, ranges: int, *, resumed: bool, dry_run: bool = False
    ) -> Report:
        seconds = time.monotonic() - self._begun
        now = max(0, self._sums[0] - self._base.read)
        return Report(self._job.name, rows, changed, skipped, now, ranges, seconds, resumed, dry_run)

    # ---------------------------------------------------------------------------------------------------- the lease

    @contextmanager
    def _lease(self, source: Source, checkpoint: Checkpoint) -> Iterator[int]:
        what = f"backfill {self._job.name!r}"
        held = self._held = wait_for_lock(
            checkpoint.lease, Owner.this_process(), TTL, self._lock_wait, tell=log.warning, what=what
        )

        @contextmanager
        def beside() -> Iterator[LeaseStore]:
            with source.checkpoint() as another:
                yield another.lease

        dialect = self._job.target.engine.dialect
        renewal = Renewal(held, beside, lambda work: in_loop_of(dialect, work))
        renewal.start()
        try:
            yield held.lease.fence
        finally:
            renewal.stop()
            if not held.is_lost:
                checkpoint.lease.release(held.lease)

    def _check(self) -> None:
        self._check_outside()
        if self._held is not None:
            self._held.check()

    # --------------------------------------------------------------------------------------------------- the ranges

    def _plan(self, source: Source, checkpoint: Checkpoint) -> Generator[Range, None, None]:
        """Give the ranges that no run has planned yet, each noted before it is given."""
        if self._all_known:
            return
        most = self._job.options.concurrency
        with closing(source.plan(checkpoint.last())) as ranges:
            while some := list(islice(ranges, most)):
                most = min(2 * most, _PLANNED_AT_ONCE)
                checkpoint.add(some)
                self._known += len(some)
                yield from some
        checkpoint.write_state("planned")
        self._all_known = True

    def _take_totals(self, checkpoint: Checkpoint) -> None:
        totals = checkpoint.totals()
        self._sums = [totals.read, totals.changed, totals.skipped]
        self._base = Range(0, read=totals.read, changed=totals.changed, skipped=totals.skipped)
        self._ranges, self._known = totals.ranges, totals.known

    def _work(self, ranges: Iterator[Range], *, dry: bool = False) -> None:
        pool = _Pool(self._executor, self._job.options.concurrency)
        pending: dict[Future[Range], tuple[Range, int]] = {}
        again: list[tuple[Range, int]] = []
        try:
            while True:
                self._check()
                while len(pending) < self._job.options.concurrency:
                    item = again.pop() if again else next(((each, 1) for each in ranges), None)
                    if item is None:
                        break
                    pending[pool.submit(run_range, self._job, item[0], dry)] = item
                if not pending:
                    break
                for future in wait(pending, _LOOK_EVERY, FIRST_COMPLETED).done:
                    work, tries = pending.pop(future)
                    try:
                        self._count(work, future.result())
                    except Exception as error:
                        again.append((work, self._tried(work, tries, error, pool)))
                self._tell()
        except BaseException:
            self._here.stopped.set()
            for future in pending:
                future.cancel()
            pool.end(wait_for=True)
            raise
        pool.end(wait_for=True)

    def _tried(self, work: Range, tries: int, error: Exception, pool: _Pool) -> int:
        """Tell whether a range whose worker is lost is handed out again; gives the number of its next try."""
        if isinstance(error, ClusterError):
            raise error
        if type(error).__name__ in ("PicklingError", "AttributeError") and "pickle" in str(error).lower():
            raise InvalidBackfill(
                f"the backfill can't be sent to another process ({first_line(error)}): its function has to be one of a "
                "module that the workers can import; nothing was changed by it"
            ) from error
        if tries >= self._job.options.tries or (isinstance(error, BrokenExecutor) and not pool.mend()):
            raise BackfillFailed(
                f"the backfill {self._job.name!r} lost a worker in its range {work.number}: {type(error).__name__}: "
                f"{first_line(error).rstrip('.')}. What is done is noted: start it again, and it goes on from there"
            ) from error
        log.warning("a worker was lost (%s): range %d is handed out again", first_line(error), work.number)
        return tries + 1

    def _count(self, work: Range, done: Range) -> None:
        with self._lock:
            self._ranges += 1
            for place, name in enumerate(("read", "changed", "skipped")):
                self._sums[place] += getattr(done, name) - getattr(work, name)

    # --------------------------------------------------------------------------------------------------- telling

    def _told(self, rows: int) -> None:
        with self._lock:
            self._now += rows

    def _tell(self, *, final: bool = False) -> None:
        if self._listener is None or (not final and time.monotonic() - self._told_at < _TOLD_EVERY):
            return
        self._told_at = time.monotonic()
        self._listener(self._progress(final))

    def _progress(self, final: bool) -> Progress:
        seconds = time.monotonic() - self._begun
        read, changed, skipped = self._sums
        # Threads of this process tell of every batch, workers elsewhere of every range.
        rows = max(read, self._base.read + self._now) if not final else read
        rate = (rows - self._base.read) / seconds if seconds else 0.0
        fraction: float | None = None
        if final:
            fraction = 1.0
        elif self._all_known and self._known:
            fraction = self._ranges / self._known
        if self._estimate and not final:
            fraction = max(fraction or 0.0, min(rows / self._estimate, 0.99))
        before = self._base.read / self._estimate if self._estimate else 0.0
        left = None
        if fraction is not None and fraction > before:
            left = seconds * (1 - fraction) / (fraction - min(before, fraction * 0.99))
        return Progress(rows, changed, skipped, self._ranges, self._known, fraction, seconds, rate, left)


class _Pool:
    """An executor: the user's, one that the user's function makes, or threads."""

    def __init__(self, given: Executor | MakeExecutor | None, threads: int) -> None:
        self._make: MakeExecutor | None = None
        self._own = True
        if given is None:
            self._make = lambda: ThreadPoolExecutor(threads, thread_name_prefix="alembic-cluster backfill")
        elif hasattr(given, "submit"):
            self._own = False
        else:
            self._make = given
        self._executor: Any = given if self._make is None else self._make()

    def submit(self, function: Callable[..., Range], *arguments: Any) -> Future[Range]:
        try:
            found: Future[Range] = self._executor.submit(function, *arguments)
        except BrokenExecutor as error:
            found = Future()
            found.set_exception(error)
        return found

    def mend(self) -> bool:
        """Make a new executor in place of a broken one; False where it was the user's."""
        if self._make is None:
            return False
        if getattr(self._executor, "_broken", True):
            self._executor.shutdown(wait=False)
            self._executor = self._make()
        return True

    def end(self, *, wait_for: bool) -> None:
        if self._own:
            self._executor.shutdown(wait=wait_for, cancel_futures=True)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"

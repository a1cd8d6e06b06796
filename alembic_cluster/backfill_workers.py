"""What runs in a worker: one range of a backfill, in whatever thread, process or host an executor has.

A worker opens the database once for each backfill and keeps it open; what it has to know it gets with the job.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.util import await_only
from sqlalchemy.util.concurrency import in_greenlet

from alembic_cluster.backfill_job import Job
from alembic_cluster.backfill_source import Range, Source, open_source
from alembic_cluster.errors import BackfillStopped

_KEPT = 2  # sources of other backfills that a worker's process keeps open


@dataclass
class Here:
    """What the process that began a backfill shares with those workers of it that are its own threads.

    :ivar check: raises what ends the work.
    :ivar tell: is told how many rows were read.
    :ivar loop: the event loop that awaits the backfill; None where none does.
    """

    check: Callable[[], None]
    tell: Callable[[int], None]
    loop: asyncio.AbstractEventLoop | None = None
    stopped: threading.Event = field(default_factory=threading.Event)


class _Process:
    """What a process has open. A forked one begins without."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.here: dict[str, Here] = {}
        self.sources: OrderedDict[str, Source] = OrderedDict()


_process = _Process()


def _forked() -> None:
    global _process
    _process = _Process()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


def share(token: str, here: Here | None) -> None:
    """Say what a backfill's threads in this process share; None ends that and closes its source."""
    with _process.lock:
        if here is not None:
            _process.here[token] = here
            return
        _process.here.pop(token, None)
        source = _process.sources.pop(token, None)
    if source is not None:
        source.close()


def source_of(job: Job) -> Source:
    """Give the source of a backfill in this process; the first call opens it."""
    with _process.lock:
        found = _process.sources.get(job.token)
        if found is None:
            found = _process.sources[job.token] = open_source(job)
            old = [token for token in _process.sources if token not in _process.here and token != job.token]
            for token in old[:-_KEPT]:
                _process.sources.pop(token).close()
        _process.sources.move_to_end(job.token)
        return found


class Pace:
    """A range's watch: its share of the rows per second, and when to stop.

    :param rate: rows per second; None for no limit.
    :ivar fence: of the lease that the backfill runs under.
    """

    def __init__(self, rate: float | None, here: Here | None, fence: int = 0) -> None:
        self.fence = fence
        self._rate = rate
        self._here = here
        self._next = time.monotonic()

    def check(self) -> None:
        """Let it go on.

        :raises BackfillStopped: it is to end.
        :raises LeaseLost: this run may send nothing more.
        """
        here = self._here
        if here is not None:
            if here.stopped.is_set():
                raise BackfillStopped("the backfill was stopped; what was done is noted")
            here.check()

    def take(self, rows: int) -> None:
        """Tell of rows that were read; wait until the next ones may be."""
        here = self._here
        if here is not None:
            here.tell(rows)
        if self._rate is None:
            return
        self._next = max(self._next, time.monotonic() - 1) + rows / self._rate
        while (left := self._next - time.monotonic()) > 0:
            self.check()
            if here is not None:
                here.stopped.wait(min(left, 0.5))
            else:
                time.sleep(min(left, 0.5))

    def wait_for(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Give what a coroutine gives: in the event loop that awaits the backfill, or in one of its own."""
        loop = None if self._here is None else self._here.loop
        if loop is not None and loop.is_running():
            return asyncio.run_coroutine_threadsafe(coroutine, loop).result()
        if in_greenlet():
            return await_only(coroutine)
        return asyncio.run(coroutine)


def run_range(job: Job, work: Range, dry: bool = False) -> Range:
    """Do one range of a backfill, or count it; what an executor calls.

    :raises Exception: see :class:`~alembic_cluster.backfill_source.Source`.
    """
    here = _process.here.get(job.token)
    options = job.options
    rate = None if options.rows_per_second is None else options.rows_per_second / options.concurrency
    watch = Pace(rate, here, job.fence)
    watch.check()
    source = source_of(job)
    return source.count(work, watch) if dry else source.run(work, watch)


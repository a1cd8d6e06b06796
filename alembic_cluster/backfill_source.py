"""What a database does for backfills: ranges of a table, rows of a range, and a checkpoint.

A dialect's Alembic implementation has a static method ``backfill_source(job) -> Source``; with that, backfills work for
it. A source is opened once in each process and used by its threads.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from sqlalchemy.engine import Dialect

from alembic_cluster.backfill_job import Job
from alembic_cluster.errors import UnsupportedOperation
from alembic_cluster.stores import LeaseStore

BACKFILL_TABLE = "alembic_cluster_backfill"
SKIPPED_TABLE = "alembic_cluster_backfill_skipped"

State = Literal["planning", "planned", "done"]


@dataclass(frozen=True)
class Range:
    """A part of a table, as the checkpoint has it.

    :ivar number: its place, from 1.
    :ivar lower: where it begins, as the source writes it, itself not in the range; None for the table's beginning.
    :ivar upper: where it ends, itself in the range; None for the table's end.
    :ivar position: how far it is done; None where it has not begun.
    :ivar read: rows of it that were looked at; ``changed`` and ``skipped`` likewise.
    """

    number: int
    lower: str | None = None
    upper: str | None = None
    position: str | None = None
    read: int = 0
    changed: int = 0
    skipped: int = 0
    done: bool = False


@dataclass(frozen=True)
class Header:
    """A backfill, as the checkpoint has it.

    :ivar digest: see :attr:`~alembic_cluster.backfill_job.Job.digest`.
    :ivar state: whether all ranges are known, and all are done.
    """

    digest: str
    state: State


@dataclass(frozen=True)
class Totals:
    """What is done of a backfill.

    :ivar ranges: how many are done, of how many that are known.
    """

    ranges: int = 0
    known: int = 0
    read: int = 0
    changed: int = 0
    skipped: int = 0


class Checkpoint(Protocol):
    """The rows of one backfill in :data:`BACKFILL_TABLE`, for what starts and ends it."""

    @property
    def lease(self) -> LeaseStore:
        """The lease of the one that runs it."""

    def prepare(self) -> None:
        """Create the tables that are missing. Processes that do so at the same time end with the same tables."""

    def read(self) -> Header | None:
        """Read how it stands; None when there is none of this name, or no table yet."""

    def begin(self, fence: int, digest: str, *, anew: bool) -> None:
        """Have it run under a lease: what runs under an earlier one notes nothing more.

        :param anew: forget what is done of it.
        """

    def unfinished(self) -> Iterator[Range]:
        """Give the ranges that are not done, in order."""

    def last(self) -> Range | None:
        """Give the range with the highest number."""

    def add(self, ranges: Sequence[Range]) -> None:
        """Note ranges, all of them new."""

    def write_state(self, state: State) -> None:
        """Note that all ranges are known, or done."""

    def totals(self) -> Totals:
        """Count what is done."""


class Watch(Protocol):
    """What a range that is under way asks, and tells, between two batches."""

    @property
    def fence(self) -> int:
        """The fence of the lease that the backfill runs under: what is noted is noted under it."""

    def check(self) -> None:
        """Let it go on.

        :raises LeaseLost: this run may send nothing more.
        :raises BackfillStopped: it is to end.
        """

    def take(self, rows: int) -> None:
        """Tell of rows that were read; returns when the next ones may be."""

    def wait_for(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Give what a coroutine gives."""


class Source(Protocol):
    """One table of one database in one process."""

    def check(self) -> None:
        """Look at the table.

        :raises InvalidBackfill: it can't be done to this table; nothing was changed.
        """

    def checkpoint(self) -> AbstractContextManager[Checkpoint]:
        """Give the checkpoint on a connection of its own, for one thread."""

    def plan(self, last: Range | None) -> Generator[Range, None, None]:
        """Give the ranges of the table behind one, in order and without gaps; those of the whole table for None."""

    def estimate(self) -> int | None:
        """Give about how many rows the table has; None when nobody has counted."""

    def run(self, work: Range, watch: Watch) -> Range:
        """Do a range, from where the checkpoint has it on, and note it there.

        :return: the range as it is noted now.
        :raises BackfillFailed: a row or a batch failed; what was done before is noted.
        :raises LeaseLost: another run has taken over.
        """

    def count(self, work: Range, watch: Watch) -> Range:
        """Count what :meth:`run` would read and change, and change nothing."""

    def close(self) -> None:
        """Close what is open."""


def open_source(job: Job) -> Source:
    """Open the source of a backfill in this process.

    :raises UnsupportedOperation: the database has none.
    """
    dialect = job.target.engine.dialect
    found: Callable[[Job], Source] | None = getattr(implementation_of(dialect), "backfill_source", None)
    if found is None:
        raise UnsupportedOperation(f"there are no backfills on {dialect.name}; nothing was sent")
    return found(job)


def implementation_of(dialect: Dialect) -> type[Any] | None:
    """Give the class of a dialect's Alembic implementation, where what a database does in its own way is found."""
    from alembic.ddl.impl import DefaultImpl

    try:
        return DefaultImpl.get_by_dialect(dialect)
    except KeyError:
        return None

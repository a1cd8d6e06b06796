"""What a database keeps for this package, and the face that each database gives it.

A dialect's Alembic implementation has a method ``stores(connection) -> Stores``; with that, lock, ledger and journal
work for it. The run's own thread uses the stores of the run's connection, the thread that renews the lease those of a
connection of its own.

All of it belongs to one *scope*: the version table whose heads move. Two version tables in one database are two scopes.

**The fence** is a number that grows by one with each lease. Whatever is written for a lease is written under its
fence, so that a process that was thought dead and wakes up can't change anything: a store refuses such a write with
:class:`~alembic_cluster.errors.LeaseLost`, or keeps it where nobody looks any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from alembic_cluster.gate import Statement
    from alembic_cluster.owner import Owner

LOCK_TABLE = "alembic_cluster_lock"
HISTORY_TABLE = "alembic_cluster_history"
JOURNAL_TABLE = "alembic_cluster_journal"
TABLES = (LOCK_TABLE, HISTORY_TABLE, JOURNAL_TABLE)

Direction = Literal["upgrade", "downgrade"]
State = Literal["sent", "done", "refused"]


@dataclass(frozen=True)
class Lease:
    """What the holder of the lock has.

    :ivar fence: its fencing number.
    :ivar ttl: seconds that it lasts from each renewal on.
    """

    owner: Owner
    fence: int
    ttl: float


@dataclass(frozen=True)
class LockState:
    """The lock as the database has it.

    :ivar fence: the fencing number given out last; 0 before the first.
    :ivar holder: who holds it; None when nobody does, or the lease has run out by the server's clock.
    :ivar remaining: seconds until the holder's lease runs out unless it is renewed; None when nobody holds it.
    """

    fence: int = 0
    holder: Owner | None = None
    remaining: float | None = None


class LeaseStore(Protocol):
    """The lock. Every read is linearizable (``SERIAL`` in CQL).

    A write without a known outcome (a timeout of a conditional write, an ambiguous commit) is resolved by reading
    before the method returns. Where that can't be done, :class:`~alembic_cluster.errors.OutcomeUnknown` is raised.
    """

    def read(self) -> LockState:
        """Read the lock."""

    def acquire(self, owner: Owner, ttl: float, seen: LockState) -> Lease | None:
        """Take the lock if it is still as it was seen, with the next fencing number.

        :param ttl: seconds.
        :param seen: what :meth:`read` gave. With a holder, that one is known to be dead and is succeeded.
        :return: the lease; None when somebody was quicker.
        """

    def renew(self, lease: Lease) -> bool:
        """Have a lease last ``lease.ttl`` seconds from now on; False when it is lost."""

    def release(self, lease: Lease) -> None:
        """Give a lease back; nothing happens when it is lost."""

    def remove(self, seen: LockState) -> bool:
        """Take the lock from its holder, whatever that one does, and fence it out.

        :return: False when the lock is not as it was seen any more; nothing was changed then.
        """


@dataclass(frozen=True)
class HistoryRow:
    """One revision that ran in one direction.

    :ivar fence: of the lease that it ran under.
    :ivar step: its place among the revisions of that lease, from 1.
    :ivar started: UTC by the clock of the process that ran it, like ``finished``.
    :ivar seconds: how long it took, by a monotonic clock.
    :ivar owner: the process, see :class:`~alembic_cluster.owner.Owner`.
    :ivar message: the revision's first line.
    :ivar checksum: SHA-256 of the revision's content, see :mod:`alembic_cluster.checksums`.
    :ivar content: the revision's content; empty where it was not read along.
    :ivar tool: the version of alembic-cluster.
    """

    fence: int
    step: int
    revision: str
    direction: Direction
    started: datetime
    finished: datetime
    seconds: float
    owner: str
    message: str
    checksum: str
    tool: str
    content: str = ""


class HistoryStore(Protocol):
    """The ledger: what ran."""

    def rows(self) -> Sequence[HistoryRow]:
        """Give all rows without their contents, ordered by fence and step; none when there is no table yet."""

    def content(self, row: HistoryRow) -> str:
        """Read the content that belongs to a row."""

    def write(self, row: HistoryRow) -> None:
        """Write a row, or write it anew. It need not be durable before :meth:`Stores.flush` returns."""


@dataclass(frozen=True)
class JournalHeader:
    """The revision that a journal is of.

    :ivar fence: of the lease that it runs under; ``step`` likewise as in :class:`HistoryRow`.
    :ivar heads: the heads before it. While they are these, it is not finished.
    :ivar checksum: SHA-256 of the revision's content.
    :ivar plan: SHA-256 of all statements that its rehearsal told; None when it didn't come to its end.
    :ivar finished: whether its heads have moved.
    :ivar failed: whether its function ended with an error, so that it is expected to be mended before it goes on.
    """

    fence: int
    step: int
    revision: str
    direction: Direction
    heads: tuple[str, ...]
    checksum: str
    plan: str | None
    started: datetime
    owner: str
    finished: bool = False
    failed: bool = False


@dataclass(frozen=True)
class JournalRow:
    """One statement of a revision.

    :ivar ordinal: its place among the revision's changes, from 1.
    :ivar digest: SHA-256 of text and parameters.
    :ivar text: the statement, at most :data:`alembic_cluster.journal.LONGEST_TEXT` characters of it.
    :ivar state: ``sent``: what came of it is not known; ``done``; ``refused``: the server said that it isn't applied.
    """

    ordinal: int
    digest: str
    text: str
    state: State


class JournalStore(Protocol):
    """The statements of the revision that runs, or that ran last."""

    def read(self) -> tuple[JournalHeader, Sequence[JournalRow]] | None:
        """Read the journal with the highest fence and step, rows in order; None when there is none (or no table).

        The rows of one that is finished may be left out.
        """

    def write(self, header: JournalHeader, rows: Sequence[JournalRow], *, new: bool = False) -> None:
        """Write rows, each anew when it is there; durable when it returns.

        On a database with transactions it is part of the run's transaction if one is open. Rows that say ``done`` of
        what the catalog shows as well may be kept back until the next write, or :meth:`Stores.flush`.

        :param new: whether the header is written, too: the revision's first write, and when something of it changes.
        """

    def forget(self, before: int) -> None:
        """Delete the journals of all fences below ``before``."""


class Stores(Protocol):
    """All that a database keeps for one scope."""

    @property
    def lease(self) -> LeaseStore:
        """The lock."""

    @property
    def history(self) -> HistoryStore:
        """The ledger."""

    @property
    def journal(self) -> JournalStore:
        """The journal."""

    def prepare(self) -> None:
        """Create the tables that are missing. Processes that do so at the same time end with the same tables."""

    def arm(self, lease: Lease | None) -> None:
        """Have the heads move under this lease's fence from now on, or without one when it is None.

        The version table is there by then.

        :raises LeaseLost: when a later lease was armed before.
        """

    def flush(self) -> None:
        """Wait until what was written is durable."""


class StoringImpl(Protocol):
    """What an Alembic implementation adds for this package."""

    def stores(self, connection: object) -> Stores:
        """Give the stores of the version table that the implementation moves, on a connection."""

    def was_applied(self, statement: Statement) -> bool | None:
        """Look whether a statement that got no answer was applied.

        :param statement: about to be sent again if it wasn't.
        :return: None when that can't be told, and sending it again could do it twice.
        """

    def is_refusal(self, error: BaseException) -> bool:
        """Tell whether the driver's exception is the server's word that a statement is not applied.

        :param error: what sending the statement raised; anything but a refusal leaves it open.
        """

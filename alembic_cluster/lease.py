"""A lease as its holder sees it: taken, renewed by a thread, lost for good when no renewal gets through.

The holder counts from the moment *before* it asked for the lease or its renewal, by a clock that nobody sets, and takes
it for lost at two thirds of its time to live; the database gives it to another only when the whole time is over.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar

from alembic_cluster.errors import LeaseLost, LockNotAcquired, first_line
from alembic_cluster.owner import Owner, provably_dead
from alembic_cluster.stores import Lease, LeaseStore, LockState

log = logging.getLogger("alembic.cluster")  # below the logger that alembic.ini sets up

MIGRATION_LOCK = "the migration lock"
_RENEWED_AT = 1 / 3  # of the time to live
_LOST_AT = 2 / 3
_AGAIN_AT = 1 / 30  # after a renewal that failed
_FIRST_PAUSE = 0.1  # seconds between two looks at a lock that somebody holds
_LONGEST_PAUSE = 2.0
_TOLD_EVERY = 30.0

Clock = Callable[[], float]
_Given = TypeVar("_Given")


def steady_clock() -> float:
    """Give seconds that only grow, by no clock that anybody sets; where the system can, they grow in its sleep too."""
    boottime = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boottime is None else time.clock_gettime(boottime)


class HeldLease:
    """A lease in the hands of its holder.

    :param lease: what the store gave.
    :param asked: by ``clock``, when it was asked for.
    :ivar what: what messages call the lock.
    """

    def __init__(
        self, lease: Lease, asked: float, clock: Clock = steady_clock, what: str = MIGRATION_LOCK
    ) -> None:
        self.lease = lease
        self.what = what
        self._confirmed = asked
        self._clock = clock
        self._lost: str | None = None

    @property
    def next_renewal(self) -> float:
        """When it is to be renewed, by the clock."""
        return self._confirmed + self.lease.ttl * _RENEWED_AT

    @property
    def is_lost(self) -> bool:
        """Whether it is lost. What is lost once stays lost, whatever comes later."""
        if self._lost is None and self._clock() - self._confirmed >= self.lease.ttl * _LOST_AT:
            self._lost = (
                f"it was not renewed for {self._clock() - self._confirmed:.0f} of its {self.lease.ttl:.0f} seconds"
            )
        return self._lost is not None

    def renewed(self, asked: float) -> None:
        """Note that the store renewed it, asked at that time by the clock."""
        if not self.is_lost:
            self._confirmed = max(self._confirmed, asked)

    def taken(self) -> None:
        """Note that the store says it is somebody else's."""
        if self._lost is None:
            self._lost = "another run has taken it over, or somebody removed it"

    def check(self) -> None:
        """Let a statement pass.

        :raises LeaseLost: the lease is lost.
        """
        if self.is_lost:
            raise LeaseLost(
                f"this run has lost {self.what} ({self._lost}), so another run may be at work: nothing more "
                "was sent. Run the same command again; it goes on where this one, or the one that took over, has ended."
            )


def wait_for_lock(
    store: LeaseStore,
    owner: Owner,
    ttl: float,
    wait: float,
    *,
    clock: Clock = steady_clock,
    sleep: Callable[[float], None] = time.sleep,
    tell: Callable[[str], None] = log.info,
    what: str = MIGRATION_LOCK,
) -> HeldLease:
    """Take the lock; while somebody else holds it, wait and say who.

    :param ttl: seconds that the lease lasts from each renewal on.
    :param wait: seconds to wait at most; 0 for one attempt.
    :param tell: is given one line when there is something new to say, and every half a minute.
    :param what: what messages call the lock.
    :raises LockNotAcquired: the time was not enough.
    :raises OutcomeUnknown: see :class:`~alembic_cluster.stores.LeaseStore`.
    """
    began = clock()
    pause = _FIRST_PAUSE
    told: Owner | None = None
    told_at = began
    while True:
        seen = store.read()
        if seen.holder is None or provably_dead(seen.holder):
            if seen.holder is not None:
                tell(f"{what} was held by {seen.holder}, which is dead: succeeding it")
            asked = clock()
            lease = store.acquire(owner, ttl, seen)
            if lease is not None:
                return HeldLease(lease, asked, clock, what)
            seen = LockState(seen.fence + 1)
        elif seen.holder != told or clock() - told_at >= _TOLD_EVERY:
            told, told_at = seen.holder, clock()
            tell(f"waiting for {what}: held by {seen.holder} ({clock() - began:.0f} of {wait:.0f} s)")
        left = began + wait - clock()
        if left <= 0:
            raise LockNotAcquired(_not_acquired(seen, wait, what))
        sleep(min(pause * random.uniform(0.5, 1.5), left))
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def _not_acquired(seen: LockState, wait: float, what: str) -> str:
    who = "other runs were quicker" if seen.holder is None else f"it is held by {seen.holder}"
    lasts = "" if seen.remaining is None else f", for {seen.remaining:.0f} s more unless it is renewed"
    return (
        f"{what} could not be taken within {wait:g} s: {who}{lasts}. Nothing was sent. Run the command "
        "again later, with more time (lock_wait), or see 'alembic-cluster unlock'."
    )


class Renewal:
    """Renews a lease from a thread of its own, on a connection of its own, which is opened when it is first needed.

    :param held: the lease.
    :param connect: opens a connection and gives the store on it, for the time of a ``with`` block.
    :param run: runs the thread's work; an asynchronous driver needs an event loop around it.
    """

    def __init__(
        self,
        held: HeldLease,
        connect: Callable[[], AbstractContextManager[LeaseStore]],
        run: Callable[[Callable[[], None]], None] = lambda work: work(),
        clock: Clock = steady_clock,
    ) -> None:
        self._held = held
        self._connect = connect
        self._clock = clock
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=run, args=(self._work,), name="alembic-cluster lease", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; a renewal that is under way is not waited for long."""
        self._stopped.set()
        self._thread.join(timeout=5.0)

    def _work(self) -> None:
        while not self._pause(self._held.next_renewal - self._clock()):
            try:
                with self._connect() as store:
                    self._renew_on(store)
            except Exception as error:
                log.warning("%s could not be renewed yet: %s", self._held.what, first_line(error))
                if self._held.is_lost or self._pause(self._held.lease.ttl * _AGAIN_AT):
                    return
            if self._held.is_lost:
                return

    def _renew_on(self, store: LeaseStore) -> None:
        while not self._held.is_lost:
            asked = self._clock()
            if not store.renew(self._held.lease):
                self._held.taken()
                return
            self._held.renewed(asked)
            if self._pause(self._held.next_renewal - self._clock()):
                return

    def _pause(self, seconds: float) -> bool:
        return self._stopped.wait(max(0.0, seconds))

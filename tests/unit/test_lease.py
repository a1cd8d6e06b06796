"""alembic_cluster.lease: several runs, one lock, and a clock that the test moves."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from alembic_cluster import lease as lease_module
from alembic_cluster.errors import LeaseLost, LockNotAcquired
from alembic_cluster.lease import HeldLease, Renewal, wait_for_lock
from alembic_cluster.owner import Owner, provably_dead
from alembic_cluster.stores import Lease, LockState

TTL = 30.0


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Locks:
    """The lock as a database keeps it, with a clock of its own."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.fence = 0
        self.holder: Owner | None = None
        self.ends = 0.0

    def read(self) -> LockState:
        if self.holder is None or self.ends <= self.clock():
            return LockState(self.fence)
        return LockState(self.fence, self.holder, self.ends - self.clock())

    def acquire(self, owner: Owner, ttl: float, seen: LockState) -> Lease | None:
        now = self.read()
        if now.fence != seen.fence or now.holder != seen.holder:
            return None
        self.fence, self.holder, self.ends = self.fence + 1, owner, self.clock() + ttl
        return Lease(owner, self.fence, ttl)

    def renew(self, lease: Lease) -> bool:
        if self.read().holder != lease.owner:
            return False
        self.ends = self.clock() + lease.ttl
        return True

    def release(self, lease: Lease) -> None:
        if self.read().holder == lease.owner:
            self.holder = None

    def remove(self, seen: LockState) -> bool:
        if self.read() != seen:
            return False
        self.holder, self.fence = None, self.fence + 1
        return True


def owner(**changes: Any) -> Owner:
    return replace(Owner.this_process(), **changes)


class Runs(RuleBasedStateMachine):
    """Four runs that act, sleep and are late at will: at no time may two of them send."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.locks = Locks(self.clock)
        self.held: dict[int, HeldLease] = {}
        self.fences: list[int] = []

    @rule(run=st.integers(0, 3), delay=st.floats(0, TTL))
    def acquire(self, run: int, delay: float) -> None:
        if run in self.held:
            return
        seen = self.locks.read()
        asked = self.clock()
        self.clock.now += delay  # before the database hears of it
        taken = None if seen.holder is not None else self.locks.acquire(owner(), TTL, seen)
        if taken is not None:
            self.held[run] = HeldLease(taken, asked, self.clock)
            self.fences.append(taken.fence)

    @rule(run=st.integers(0, 3), before=st.floats(0, TTL), after=st.floats(0, TTL))
    def renew(self, run: int, before: float, after: float) -> None:
        if run in self.held:
            held, asked = self.held[run], self.clock()
            self.clock.now += before
            renewed = self.locks.renew(held.lease)
            self.clock.now += after  # before the run hears of it
            held.renewed(asked) if renewed else held.taken()

    @rule(run=st.integers(0, 3))
    def release(self, run: int) -> None:
        if run in self.held:
            self.locks.release(self.held.pop(run).lease)

    @rule()
    def remove(self) -> None:
        """Somebody takes it away: the holder may send until it tries to renew, and its fence is an old one."""
        if self.locks.remove(self.locks.read()):
            self.fences.append(self.locks.fence)
            for held in self.held.values():
                held.taken()

    @rule(seconds=st.floats(0, 2 * TTL))
    def time_passes(self, seconds: float) -> None:
        self.clock.now += seconds

    @invariant()
    def one_may_send(self) -> None:
        may = [held for held in self.held.values() if not held.is_lost]
        assert len(may) <= 1
        assert all(held.lease.fence == self.locks.fence for held in may)
        assert all(held.lease.owner == self.locks.read().holder for held in may)

    @invariant()
    def fences_grow(self) -> None:
        assert self.fences == sorted(set(self.fences))


Runs.TestCase.settings = settings(max_examples=100, stateful_step_count=25, deadline=None)
TestRuns = Runs.TestCase


def test_lost_at_two_thirds_and_for_good() -> None:
    clock = Clock()
    held = HeldLease(Lease(owner(), 1, TTL), 0.0, clock)
    clock.now = 19.9
    held.check()
    clock.now = 20.0
    with pytest.raises(LeaseLost, match="20 of its 30 seconds"):
        held.check()
    held.renewed(20.0)
    with pytest.raises(LeaseLost):
        held.check()


def test_a_waiter_says_who_holds_it_and_gives_up() -> None:
    clock = Clock()
    locks = Locks(clock)
    other = owner(host="elsewhere", token="other")
    locks.acquire(other, 1000, LockState())
    told: list[str] = []
    with pytest.raises(LockNotAcquired, match=r"within 60 s: it is held by process \d+ on elsewhere, since"):
        wait_for_lock(locks, owner(), TTL, 60, clock=clock, sleep=clock.sleep, tell=told.append)
    assert 60 <= clock.now < 61
    assert len(told) == 2
    assert all(str(other) in line for line in told)


def test_a_waiter_takes_what_has_run_out() -> None:
    clock = Clock()
    locks = Locks(clock)
    locks.acquire(owner(host="elsewhere", token="other"), TTL, LockState())
    held = wait_for_lock(locks, owner(), TTL, 600, clock=clock, sleep=clock.sleep, tell=lambda _: None)
    assert held.lease.fence == 2
    assert 30 <= clock.now < 34


def test_the_dead_are_succeeded_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    locks = Locks(clock)
    locks.acquire(owner(), TTL, LockState())
    monkeypatch.setattr(lease_module, "provably_dead", lambda _: True)
    held = wait_for_lock(locks, owner(), TTL, 0, clock=clock, sleep=clock.sleep, tell=lambda _: None)
    assert (held.lease.fence, clock.now) == (2, 0.0)


def test_a_thread_renews_and_hears_of_a_loss() -> None:
    renewed = threading.Event()
    calls: list[int] = []

    class Store(Locks):
        def renew(self, lease: Lease) -> bool:
            calls.append(1)
            if len(calls) == 1:
                raise ConnectionError("once")
            renewed.set()
            return len(calls) < 4

    @contextmanager
    def connect() -> Iterator[Any]:
        yield Store(Clock())

    held = HeldLease(Lease(owner(), 1, 0.6), lease_module.steady_clock())
    renewal = Renewal(held, connect)
    renewal.start()
    assert renewed.wait(20)
    renewal._thread.join(20)
    assert held.is_lost
    renewal.stop()


def test_who_is_provably_dead() -> None:
    me = Owner.this_process()
    assert not provably_dead(me)
    assert provably_dead(replace(me, started="1"))
    assert provably_dead(replace(me, pid=2**22 + 1))
    assert not provably_dead(replace(me, pid=2**22 + 1, host="elsewhere"))
    assert not provably_dead(replace(me, pid=2**22 + 1, boot="another"))
    assert not provably_dead(replace(me, pid=2**22 + 1, boot=""))
    assert not provably_dead(replace(me, pid=1, started=""))

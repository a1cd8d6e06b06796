"""The lock of a keyspace: one partition of conditional writes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

from alembic_cluster.errors import OutcomeUnknown, first_line
from alembic_cluster.owner import Owner
from alembic_cluster.stores import LOCK_TABLE, Lease, LockState
from alembic_cql._exceptions import InternalError, OperationalError, ProgrammingError
from alembic_cql.queries import again, is_missing, is_unanswered

if TYPE_CHECKING:
    from alembic_cql.stores import CqlStores

_SLOT: Final = "lease"


class CqlLease:
    """The lock: :data:`alembic_cluster.stores.LOCK_TABLE`."""

    def __init__(self, stores: CqlStores) -> None:
        self._stores = stores
        self._table = stores.name(LOCK_TABLE)

    def read(self) -> LockState:
        """Read the lock, at ``SERIAL``; as nobody's when there is no table yet."""
        try:
            rows = self._stores.ask(
                f"SELECT fence, owner, host, boot, pid, started, since, TTL(owner) FROM {self._table} WHERE scope = ?",
                self._stores.scope,
                serial=True,
            )
        except ProgrammingError as error:
            if is_missing(error):
                return LockState()
            raise
        if not rows:
            return LockState()
        fence, token, host, boot, pid, started, since, ttl = rows[0]
        if token is None:
            return LockState(int(fence or 0))
        return LockState(int(fence or 0), Owner(token, host, boot, pid, started, _utc(since)), float(ttl or 0))

    def acquire(self, owner: Owner, ttl: float, seen: LockState) -> Lease | None:
        """Take the lock if it is still as it was seen, with the next fencing number."""
        fence = seen.fence + 1
        values = (owner.host, owner.boot, owner.pid, owner.started, owner.since)
        if seen.holder is None:
            take = (
                f"INSERT INTO {self._table} (scope, slot, owner, host, boot, pid, started, since) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?) IF NOT EXISTS USING TTL ?"
            )
            given: tuple[Any, ...] = (self._stores.scope, _SLOT, owner.token, *values, _seconds(ttl))
        else:
            take, given = self._rewrite(owner, ttl, seen.holder.token)
        taken = self._decide(seen.fence, fence, take, given, lambda now: _is(now, owner))
        return Lease(owner, fence, ttl) if taken else None

    def _rewrite(self, owner: Owner, ttl: float, token: str) -> tuple[str, tuple[Any, ...]]:
        """Write every column of the row anew: each has a time to live of its own."""
        cql = (
            f"UPDATE {self._table} USING TTL ? SET owner = ?, host = ?, boot = ?, pid = ?, started = ?, since = ? "
            "WHERE scope = ? AND slot = ? IF owner = ?"
        )
        columns = (owner.token, owner.host, owner.boot, owner.pid, owner.started, owner.since)
        return cql, (_seconds(ttl), *columns, self._stores.scope, _SLOT, token)

    def _decide(
        self, before: int, fence: int, cql: str, values: tuple[Any, ...], is_ours: Callable[[LockState], bool]
    ) -> bool:
        """Raise the fence and change the holder's row, both or neither."""
        scope = self._stores.scope
        condition, given = ("fence = ?", (before,)) if before else ("fence = null", ())
        batch = f"BEGIN BATCH UPDATE {self._table} SET fence = ? WHERE scope = ? IF {condition}; {cql}; APPLY BATCH"
        return self._resolved(batch, (fence, scope, *given, *values), is_ours)

    def _resolved(self, cql: str, values: tuple[Any, ...], is_ours: Callable[[LockState], bool]) -> bool:
        """Run a conditional statement; one without an answer is looked for.

        :raises OutcomeUnknown: the lock can't be read either.
        """
        try:
            return bool(self._stores.decide(cql, *values)[0][0])
        except (OperationalError, InternalError) as error:
            if not is_unanswered(error):
                raise
            unanswered = error
        try:
            return is_ours(self.read())
        except (OperationalError, InternalError) as error:
            raise self._unknown(unanswered) from error

    @staticmethod
    def _unknown(error: BaseException) -> OutcomeUnknown:
        return OutcomeUnknown(
            f"the cluster did not say whether the migration lock changed hands, nor who holds it: {first_line(error)}. "
            "No statement of a revision was sent since. Run the same command again when the cluster answers."
        )

    def renew(self, lease: Lease) -> bool:
        """Have a lease last ``lease.ttl`` seconds from now on; False when it is lost.

        :raises OperationalError: no answer came; the lease is still ours.
        """
        cql, values = self._rewrite(lease.owner, lease.ttl, lease.owner.token)
        try:
            return bool(self._stores.decide(cql, *values)[0][0])
        except (OperationalError, InternalError) as error:
            # Whether it lasts longer now isn't known, only whose it is: the caller renews it again.
            if is_unanswered(error) and not _is(self.read(), lease.owner):
                return False
            raise

    def release(self, lease: Lease) -> None:
        """Give a lease back; nothing happens when it is lost."""
        cql = f"DELETE FROM {self._table} WHERE scope = ? AND slot = ? IF owner = ?"
        again(lambda: self._stores.decide(cql, self._stores.scope, _SLOT, lease.owner.token))

    def remove(self, seen: LockState) -> bool:
        """Take the lock from its holder, and fence it out."""
        if seen.holder is None:
            return False
        cql = f"DELETE FROM {self._table} WHERE scope = ? AND slot = ? IF owner = ?"
        values = (self._stores.scope, _SLOT, seen.holder.token)
        removed = self._decide(seen.fence, seen.fence + 1, cql, values, lambda now: now == LockState(seen.fence + 1))
        if removed:
            self._stores.raise_heads_fence(seen.fence + 1)
        return removed


def _is(state: LockState, owner: Owner) -> bool:
    return state.holder is not None and state.holder.token == owner.token


def _seconds(ttl: float) -> int:
    return max(1, round(ttl))


def _utc(value: datetime) -> datetime:
    return value if value.tzinfo is not None else value.replace(tzinfo=timezone.utc)

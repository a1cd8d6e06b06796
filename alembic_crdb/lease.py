"""The migration lock: one row with an owner, a fencing number and the end of its lease by the server's clock."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from alembic_cluster.errors import OutcomeUnknown
from alembic_cluster.owner import Owner
from alembic_cluster.stores import Lease, LockState
from alembic_crdb.beside import pause_for
from alembic_crdb.evidence import end_session
from alembic_crdb.raw import NO_TABLE, is_unanswered, sqlstate_of
from alembic_crdb.reconnecting import reconnect

if TYPE_CHECKING:
    from alembic_crdb.stores import CockroachStores


class CockroachLease:
    """The lock, one row of ``alembic_cluster_lock``."""

    def __init__(self, stores: CockroachStores) -> None:
        self._stores = stores

    def read(self) -> LockState:
        """Read the lock; as nobody's when there is no table yet."""
        rows = self._rows()
        if not rows:
            return LockState()
        fence, owner, remaining, _ = rows[0]
        if owner is None or remaining is None or remaining <= 0:
            return LockState(int(fence))
        return LockState(int(fence), _owner(owner), float(remaining))

    def _rows(self) -> list[tuple[Any, ...]]:
        try:
            return self._stores.ask(
                "SELECT fence, owner, CAST(extract(epoch FROM expires - clock_timestamp()) AS FLOAT8), session "
                "FROM {lock} WHERE scope = CAST(:scope AS STRING)"
            )
        except Exception as error:
            if sqlstate_of(error) == NO_TABLE:
                return []
            raise

    def acquire(self, owner: Owner, ttl: float, seen: LockState) -> Lease | None:
        """Take the lock if it is still as it was seen, with the next fencing number.

        :raises OutcomeUnknown: the connection broke, and the lock could not be read.
        """
        before = self._rows()
        rows = self._known(
            "UPDATE {lock} SET fence = fence + 1, token = CAST(:token AS STRING), owner = CAST(:owner AS STRING), "
            "ttl = CAST(:ttl AS FLOAT8), expires = clock_timestamp() + CAST(:ttl AS FLOAT8) * INTERVAL '1 second', "
            "session = NULL, moves = 0 WHERE scope = CAST(:scope AS STRING) AND fence = CAST(:fence AS INT8) AND "
            "(token IS NULL OR expires <= clock_timestamp() OR token = CAST(:dead AS STRING)) RETURNING fence",
            owner,
            token=owner.token,
            owner=_text(owner),
            ttl=float(ttl),
            fence=seen.fence,
            dead=seen.holder.token if seen.holder is not None else "",
        )
        if not rows:
            return None
        if before and before[0][3]:
            self._end(before[0][3])
        return Lease(owner, int(rows[0][0]), ttl)

    def _known(self, statement: str, me: Owner, /, **values: Any) -> list[tuple[Any, ...]]:
        """Take the lock, or find out whether it was taken."""
        stores = self._stores
        try:
            return stores.ask(statement, once=True, **values)
        except Exception as error:
            if not is_unanswered(stores.connection, error):
                raise
            try:
                reconnect(stores.connection, stores.restore)
                return stores.ask(
                    "SELECT fence FROM {lock} WHERE scope = CAST(:scope AS STRING) AND token = CAST(:token AS STRING)",
                    token=me.token,
                )
            except Exception as failure:
                raise OutcomeUnknown(
                    "The connection broke while the migration lock was taken, and the lock can't be read. Nothing of a "
                    "revision was sent. A lock that was taken runs out by itself: run the same command again."
                ) from failure

    def _end(self, session: str) -> None:
        with suppress(Exception):  # the fence keeps its writes out, too
            end_session(self._stores.connection, session, pause=pause_for(self._stores.connection))

    def renew(self, lease: Lease) -> bool:
        """Have a lease last ``lease.ttl`` seconds from now on; False when it is lost."""
        return bool(
            self._mine(
                "UPDATE {lock} SET expires = clock_timestamp() + CAST(:ttl AS FLOAT8) * INTERVAL '1 second'",
                lease,
                ttl=float(lease.ttl),
            )
        )

    def release(self, lease: Lease) -> None:
        """Give a lease back; nothing happens when it is lost."""
        self._mine("UPDATE {lock} SET token = NULL, owner = NULL, expires = NULL, session = NULL", lease)

    def _mine(self, update: str, lease: Lease, **values: Any) -> list[tuple[Any, ...]]:
        statement = (
            f"{update} WHERE scope = CAST(:scope AS STRING) AND token = CAST(:token AS STRING) "
            "AND fence = CAST(:fence AS INT8) RETURNING fence"
        )
        values |= {"token": lease.owner.token, "fence": lease.fence}
        try:
            return self._stores.ask(statement, once=True, **values)
        except Exception as error:
            if not is_unanswered(self._stores.connection, error):
                raise
            reconnect(self._stores.connection, self._stores.restore, at_most=lease.ttl / 3)
            return self._stores.ask(statement, **values)  # doing it twice is doing it once

    def remove(self, seen: LockState) -> bool:
        """Take the lock from its holder, whatever that one does; False when it is not as it was seen any more."""
        before = self._rows()
        rows = self._stores.ask(
            "UPDATE {lock} SET fence = fence + 1, token = NULL, owner = NULL, expires = NULL, session = NULL "
            "WHERE scope = CAST(:scope AS STRING) AND fence = CAST(:fence AS INT8) "
            "AND coalesce(token, '') = CAST(:token AS STRING) RETURNING fence",
            once=True,
            fence=seen.fence,
            token=seen.holder.token if seen.holder is not None else "",
        )
        if rows and before and before[0][3]:
            self._end(before[0][3])
        return bool(rows)


def _text(owner: Owner) -> str:
    return json.dumps({**asdict(owner), "since": owner.since.isoformat()})


def _owner(text: str) -> Owner:
    values = json.loads(text)
    return Owner(**{**values, "since": datetime.fromisoformat(values["since"])})

"""What the application does with the timeline."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, Row, insert, select, update

from example_app.timeline.models import Event, EventCount, EventKind


class UnknownKind(Exception):
    """The table of kinds doesn't have this one; nothing was recorded."""


class Timeline:
    """The timeline in one keyspace.

    :param engine: of the keyspace.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def record(
        self,
        account: uuid.UUID,
        kind: str,
        *,
        owner: str | None = None,
        amount: Decimal | None = None,
        tags: Collection[str] = (),
        details: Mapping[str, str] | None = None,
        origin: Sequence[str] = (),
    ) -> uuid.UUID:
        """Record an event that happens now.

        :param owner: the account's owner; kept once for the whole day.
        :param origin: where it comes from, such as ``["app", "ios"]``.
        :return: the event's id, a version 1 UUID, which holds its time.
        :raises UnknownKind: the kind is not among ``kinds()``.
        """
        if kind not in self.kinds():
            raise UnknownKind(f"there are no events of kind {kind!r}; there are {', '.join(sorted(self.kinds()))}")
        event_id = uuid.uuid1()
        given = {
            "owner": owner,
            "amount": amount,
            "tags": set(tags) or None,
            "details": dict(details or {}) or None,
            "origin": list(origin) or None,
        }
        # What isn't given is left out: CQL would keep a written null as a tombstone.
        values = {name: value for name, value in given.items() if value is not None}
        with self._engine.connect() as connection:
            connection.execute(
                insert(Event).values(account=account, day=_day(event_id), id=event_id, kind=kind, **values)
            )
            connection.execute(
                update(EventCount)
                .where(EventCount.account == account, EventCount.kind == kind)
                .values(total=EventCount.total + 1)
            )
        return event_id

    def day(
        self, account: uuid.UUID, day: datetime.date | None = None, *, kind: str | None = None, limit: int = 100
    ) -> Sequence[Row[Any]]:
        """List an account's events of one day, the newest first.

        :param day: in UTC; today when None.
        :param kind: only events of this kind.
        :return: rows with the columns of ``Event``; ``happened_at(row.id)`` is the time.
        """
        statement = (
            select(Event.__table__)
            .where(Event.account == account, Event.day == (day or datetime.datetime.now(datetime.timezone.utc).date()))
            .limit(limit)
        )
        if kind is not None:
            statement = statement.where(Event.kind == kind)
        with self._engine.connect() as connection:
            return connection.execute(statement).all()

    def counts(self, account: uuid.UUID) -> Mapping[str, int]:
        """Count an account's events by kind."""
        statement = select(EventCount.kind, EventCount.total).where(EventCount.account == account)
        with self._engine.connect() as connection:
            return {kind: total or 0 for kind, total in connection.execute(statement)}

    def kinds(self) -> Mapping[str, str]:
        """Give the kinds that may be recorded, each with its title."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(EventKind.kind, EventKind.title))
            return {kind: title or kind for kind, title in rows}


def happened_at(event_id: uuid.UUID) -> datetime.datetime:
    """Give the time that a version 1 UUID holds, in UTC."""
    # RFC 9562: 100 ns steps since the Gregorian calendar began.
    since = datetime.timedelta(microseconds=event_id.time // 10)
    return datetime.datetime(1582, 10, 15, tzinfo=datetime.timezone.utc) + since


def _day(event_id: uuid.UUID) -> datetime.date:
    return happened_at(event_id).date()

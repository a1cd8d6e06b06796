"""Tables of the keyspace ``timeline``, on Cassandra."""

from __future__ import annotations

import datetime
import uuid
from decimal import Decimal

from sqlalchemy import Date, Index, Numeric, Text, Uuid
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from alembic_cql import types as cql

KEPT_SECONDS = 90 * 24 * 3600


class Base(DeclarativeBase):
    """Base of the models; its metadata is what Alembic compares with the keyspace."""


class Event(Base):
    """Something that happened to an account.

    One partition holds one account's day, the newest event first, so that a day is read from one place. Events
    expire after 90 days; time windows of a day let Cassandra drop whole files of them.
    """

    __tablename__ = "events"
    __table_args__ = (
        Index("events_kind", "kind", cql_using="sai"),
        {
            "comment": "What happened to each account, by day",
            "cql_partition_key": ["account", "day"],
            "cql_clustering_order": {"id": "DESC"},
            "cql_default_time_to_live": KEPT_SECONDS,
            "cql_gc_grace_seconds": 24 * 3600,
            "cql_compaction": {
                "class": "TimeWindowCompactionStrategy",
                "compaction_window_unit": "DAYS",
                "compaction_window_size": "1",
            },
        },
    )

    account: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    day: Mapped[datetime.date] = mapped_column(Date, primary_key=True)
    id: Mapped[uuid.UUID] = mapped_column(cql.TIMEUUID, primary_key=True)
    owner: Mapped[str | None] = mapped_column(Text, cql_static=True)
    kind: Mapped[str | None] = mapped_column(Text)
    amount: Mapped[Decimal | None] = mapped_column(Numeric)
    tags: Mapped[set[str] | None] = mapped_column(cql.SET(Text))
    details: Mapped[dict[str, str] | None] = mapped_column(cql.MAP(Text, Text))
    origin: Mapped[list[str] | None] = mapped_column(cql.FROZEN(cql.LIST(Text)))


class EventCount(Base):
    """How many events of a kind an account has had, those that expired included."""

    __tablename__ = "event_counts"

    account: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    total: Mapped[int | None] = mapped_column(cql.COUNTER)


class EventKind(Base):
    """A kind of event that may be recorded, and what it is called on a statement."""

    __tablename__ = "event_kinds"

    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    title: Mapped[str | None] = mapped_column(Text)

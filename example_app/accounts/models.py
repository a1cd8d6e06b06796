"""Tables of the database ``accounts``, on CockroachDB."""

from __future__ import annotations

import datetime
import uuid
from decimal import Decimal

from sqlalchemy import Computed, DateTime, Index, Numeric, String, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Base of the models; its metadata is what Alembic compares with the database."""


class Account(Base):
    """One customer's account.

    The key is random, so that new rows spread over all ranges instead of piling up in the last one.
    """

    __tablename__ = "accounts"
    __table_args__ = (Index("ix_accounts_owner", "owner"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    owner: Mapped[str] = mapped_column(String(80))
    balance: Mapped[Decimal] = mapped_column(Numeric(12, 2), server_default=text("0.00"))
    opened_at: Mapped[datetime.datetime] = mapped_column(DateTime(timezone=True), server_default=text("now()"))
    overdrawn: Mapped[bool | None] = mapped_column(
        Computed("CASE WHEN balance < 0 THEN true ELSE false END", persisted=True)
    )
    currency: Mapped[str] = mapped_column(String(3), default="EUR")

"""Tags, details and origin of events, events of a kind, and how many; kept for 90 days.

Revision ID: 0002
Revises: 0001
Create Date: 2026-11-21 09:00:00
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from alembic_cql import types as cql

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
allow_destructive = "upgrade"  # a time to live; longer than the one before


def upgrade() -> None:
    op.add_column("events", sa.Column("tags", cql.SET(sa.Text()), nullable=True))
    op.add_column("events", sa.Column("details", cql.MAP(sa.Text(), sa.Text()), nullable=True))
    op.add_column("events", sa.Column("origin", cql.FROZEN(cql.LIST(sa.Text())), nullable=True))
    op.create_index("events_kind", "events", ["kind"], cql_using="sai")
    # noqa: CQ008 rows that are there keep their 30 days
    op.alter_table_options(
        "events",
        {"default_time_to_live": 90 * 24 * 3600, "gc_grace_seconds": 24 * 3600},
        existing={"default_time_to_live": 30 * 24 * 3600, "gc_grace_seconds": 10 * 24 * 3600},
    )
    op.create_table(
        "event_counts",
        sa.Column("account", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("total", cql.COUNTER(), nullable=True),
        sa.PrimaryKeyConstraint("account", "kind"),
    )


def downgrade() -> None:
    op.drop_table("event_counts")
    op.alter_table_options(
        "events",
        {"default_time_to_live": 30 * 24 * 3600, "gc_grace_seconds": 10 * 24 * 3600},
        existing={"default_time_to_live": 90 * 24 * 3600, "gc_grace_seconds": 24 * 3600},
    )
    op.drop_index("events_kind", table_name="events")
    op.drop_column("events", "origin")
    op.drop_column("events", "details")
    op.drop_column("events", "tags")

"""Events by account and day.

Revision ID: 0001
Revises:
Create Date: 2026-11-21 09:00:00
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from alembic_cql import types as cql

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "events",
        sa.Column("account", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("id", cql.TIMEUUID(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True, cql_static=True),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("amount", sa.Numeric(), nullable=True),
        sa.PrimaryKeyConstraint("account", "day", "id"),
        comment="What happened to each account, by day",
        cql_partition_key=["account", "day"],
        cql_clustering_order={"id": "DESC"},
        cql_default_time_to_live=30 * 24 * 3600,
        cql_compaction={
            "class": "TimeWindowCompactionStrategy",
            "compaction_window_unit": "DAYS",
            "compaction_window_size": "1",
        },
    )


def downgrade() -> None:
    op.drop_table("events")

"""The kinds of events, with the titles that statements show.

Revision ID: 0003
Revises: 0002
Create Date: 2026-11-21 09:00:00
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    kinds = op.create_table(
        "event_kinds",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("kind"),
    )
    op.bulk_insert(
        kinds,
        [
            {"kind": "opened", "title": "Account opened"},
            {"kind": "deposit", "title": "Deposit"},
            {"kind": "withdrawal", "title": "Withdrawal"},
            {"kind": "reminder", "title": "Reminder: the account is overdrawn"},
        ],
    )


def downgrade() -> None:
    op.drop_table("event_kinds")

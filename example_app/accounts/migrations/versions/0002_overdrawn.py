"""Overdrawn accounts, and accounts by owner.

Revision ID: 0002
Revises: 0001
Create Date: 2026-11-21 09:00:00
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column(
        "accounts",
        sa.Column(
            "overdrawn", sa.Boolean(), sa.Computed("CASE WHEN balance < 0 THEN true ELSE false END", persisted=True)
        ),
    )
    op.create_index("ix_accounts_owner", "accounts", ["owner"])


def downgrade() -> None:
    op.drop_index("ix_accounts_owner", table_name="accounts")
    op.drop_column("accounts", "overdrawn")

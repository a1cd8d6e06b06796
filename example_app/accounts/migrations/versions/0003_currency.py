"""A currency for every account: euro for those that are there.

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
    op.add_column("accounts", sa.Column("currency", sa.String(3), nullable=True))

    accounts = sa.table("accounts", sa.column("currency", sa.String(3)))
    with op.get_context().begin_transaction():
        op.execute(accounts.update().where(accounts.c.currency.is_(None)).values(currency="EUR"))

    op.alter_column("accounts", "currency", existing_type=sa.String(3), nullable=False)


def downgrade() -> None:
    op.drop_column("accounts", "currency")

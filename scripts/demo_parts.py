"""What the demo does on each database: the change to the model, and the operations that must come of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Part:
    """One of the two databases.

    :ivar section: its section of the example's ``alembic.ini``.
    :ivar variable: the environment variable that the example reads its URL from.
    :ivar tables: its tables at the newest revision.
    :ivar row: a statement that writes one row; the row must survive each step.
    :ivar edits: old and new text of the model file ``example_app/<section>/models.py``.
    :ivar upgrade: the operations that autogenerate must write for the edits, in order; ``downgrade`` likewise.
    :ivar in_script: what the ``--sql`` scripts of ``upgrade`` and ``downgrade`` must have, where there is no server.
    """

    product: str
    section: str
    variable: str
    tables: frozenset[str]
    table: str
    row: str
    edits: Mapping[str, str]
    upgrade: Sequence[str]
    downgrade: Sequence[str]
    in_script: Mapping[str, Sequence[str]] = field(default_factory=dict)


CASSANDRA = Part(
    product="Cassandra",
    section="timeline",
    variable="TIMELINE_URL",
    tables=frozenset({"events", "event_counts", "event_kinds"}),
    table="events",
    row="INSERT INTO events (account, day, id, owner, kind, tags) "
    "VALUES (uuid(), '2026-11-21', now(), 'Ada Lovelace', 'opened', {'first'})",
    edits={
        "KEPT_SECONDS = 90 * 24 * 3600": "KEPT_SECONDS = 180 * 24 * 3600",
        'Index("events_kind", "kind", cql_using="sai"),\n': 'Index("events_kind", "kind", cql_using="sai"),\n'
        '        Index("events_tags", "tags", cql_using="sai", cql_target="values"),\n',
        "    kind: Mapped[str | None] = mapped_column(Text)\n": "    kind: Mapped[str | None] = mapped_column(Text)\n"
        "    branch: Mapped[str | None] = mapped_column(Text, cql_static=True)\n"
        "    rates: Mapped[dict[str, Decimal] | None] = mapped_column(cql.MAP(Text, Numeric))\n",
    },
    upgrade=(
        "op.add_column('events', sa.Column('branch', sa.Text(), nullable=True, cql_static=True))",
        "op.add_column('events', sa.Column('rates', cql.MAP(sa.Text(), sa.Numeric()), nullable=True))",
        "op.create_index('events_tags', 'events', ['tags'], unique=False, cql_target='values', cql_using='sai')",
        "op.alter_table_options('events', {'default_time_to_live': 15552000}, "
        "existing={'default_time_to_live': 7776000})",
    ),
    downgrade=(
        "op.alter_table_options('events', {'default_time_to_live': 7776000}, "
        "existing={'default_time_to_live': 15552000})",
        "op.drop_index('events_tags', table_name='events', cql_target='values', cql_using='sai')",
        "op.drop_column('events', 'rates')",
        "op.drop_column('events', 'branch')",
    ),
)
COCKROACHDB = Part(
    product="CockroachDB",
    section="accounts",
    variable="ACCOUNTS_URL",
    tables=frozenset({"accounts"}),
    table="accounts",
    row="INSERT INTO accounts (owner, balance, currency) VALUES ('Ada Lovelace', -12.50, 'EUR')",
    edits={
        '(Index("ix_accounts_owner", "owner"),)': '(Index("ix_accounts_owner", "owner"), '
        'Index("ix_accounts_opened_at", "opened_at"))',
        '    currency: Mapped[str] = mapped_column(String(3), default="EUR")\n': "    currency: Mapped[str] = "
        'mapped_column(String(3), default="EUR")\n'
        "    note: Mapped[str | None] = mapped_column(String(200))\n",
    },
    upgrade=(
        "op.add_column('accounts', sa.Column('note', sa.String(length=200), nullable=True))",
        "op.create_index('ix_accounts_opened_at', 'accounts', ['opened_at'], unique=False)",
    ),
    downgrade=(
        "op.drop_index('ix_accounts_opened_at', table_name='accounts')",
        "op.drop_column('accounts', 'note')",
    ),
    in_script={
        "upgrade": ("CREATE TABLE accounts", "ADD COLUMN overdrawn", "SET NOT NULL", "ADD COLUMN note"),
        "downgrade": ("DROP COLUMN note", "DROP COLUMN currency", "DROP COLUMN overdrawn", "DROP TABLE accounts"),
    },
)

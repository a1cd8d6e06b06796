"""Reads that stream (``yield_per``, ``stream_results``) although the run is in autocommit.

A cursor of the server lives in a transaction: psycopg2 and asyncpg refuse one outside, the server refuses psycopg's,
and servers before v22.1 have none at all. Where it can't be, the rows come to the client at once and are handed out in
the same parts. Inside ``with op.get_context().begin_transaction():`` the server's cursor is used, so that rows too many
for the client's memory are read there.
"""

from __future__ import annotations

from collections.abc import Callable

from alembic_cluster.gate import Gate, Place, Statement
from alembic_crdb.transactions import Transactions
from alembic_crdb.versions import SQL_CURSORS, version_of


class CursorGate(Gate):
    """Takes a cursor of the client where a cursor of the server can't be.

    :param transactions: those of the run.
    """

    place = Place.GUARD - 50

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def around(self, statement: Statement, send: Callable[[], None]) -> None:
        """Send a statement with a cursor that works."""
        context = statement.context
        if getattr(context, "_is_server_side", False) and not self._has_cursors(statement):
            unused, context.cursor = context.cursor, context.create_default_cursor()
            unused.close()  # psycopg warns of one that isn't
            context._is_server_side = False
        send()

    def _has_cursors(self, statement: Statement) -> bool:
        return self._transactions.is_open and SQL_CURSORS.on(version_of(statement.connection.dialect))

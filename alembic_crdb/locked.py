"""Tables that are locked against schema changes: the storage parameter ``schema_locked``.

It exists since v23.1 and is on for new tables since v26.1. Servers set it off and on again by themselves for most
statements, not for all (documentation, page "ALTER TABLE", section on ``schema_locked``;
https://github.com/cockroachdb/cockroach/issues/172617). What they refuse because of it is sent with the tables
unlocked.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from typing import Final

from sqlalchemy.engine import Connection

from alembic_cluster.gate import Gate, Place, Statement
from alembic_crdb.evidence import ABSENT, look, tables_of
from alembic_crdb.raw import sqlstate_of, tell
from alembic_crdb.transactions import is_schema_change

log = logging.getLogger("alembic.cockroachdb")  # below the logger that alembic.ini sets up

_OPERATOR_INTERVENTION: Final = "57000"
_REFUSAL: Final = re.compile(r"schema_locked|\bis locked\b", re.I)
_SAYS_IT_ITSELF: Final = re.compile(r"\bschema_locked\b", re.I)


class UnlockGate(Gate):
    """Unlocks a table for the one statement that the server refuses because of its lock, and locks it again.

    It stands behind the journal, so that a run that goes on after a kill knows what to lock again.
    """

    place = Place.LEASE + 20

    def around(self, statement: Statement, send: Callable[[], None]) -> None:
        """Send a statement, and once more with its tables unlocked if the server wants them so."""
        try:
            send()
        except Exception as error:
            tables = tables_of(statement.text) if _is_refused_for_lock(statement, error) else []
            if not tables:
                raise
        else:
            return
        connection = statement.connection
        log.info("%s is locked against schema changes: unlocked for one statement.", " and ".join(tables))
        locked = look(connection, statement.text).locked
        for table in locked:
            tell(connection, f"ALTER TABLE {table} SET (schema_locked = false)")
        try:
            send()
        finally:
            lock_again(connection, locked)


def _is_refused_for_lock(statement: Statement, error: Exception) -> bool:
    return (
        sqlstate_of(error) == _OPERATOR_INTERVENTION
        and _REFUSAL.search(str(error)) is not None
        and is_schema_change(statement.text)
        and not _SAYS_IT_ITSELF.search(statement.text)
    )


def lock_again(connection: Connection, tables: Iterable[str]) -> None:
    """Lock tables that were unlocked for a statement.

    :param tables: as a statement writes them; what the statement has dropped or renamed is left out.
    """
    for table in tables:
        before = look(connection, f"ALTER TABLE {table}")
        if before.digest == ABSENT or before.locked:
            continue
        tell(connection, f"ALTER TABLE {table} SET (schema_locked = true)")

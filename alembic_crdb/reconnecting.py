"""Another driver's connection in place of one that broke."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy.engine import Connection

from alembic_cluster.errors import ClusterError, first_line
from alembic_cluster.gate import Statement
from alembic_crdb.beside import pause_for
from alembic_crdb.raw import tell
from alembic_crdb.transactions import set_autocommit, wished_level

log = logging.getLogger("alembic.cockroachdb")  # below the logger that alembic.ini sets up


def reconnect(
    connection: Connection, restore: Callable[[Connection], object] | None = None, *, at_most: float = 60.0
) -> None:
    """Give a Connection another driver's connection in place of one that broke; SQLAlchemy notices nothing.

    SQLAlchemy's own way raises what is in the middle of being done, and can't begin before all of it has been undone.

    :param restore: sets up the new session: its settings.
    :param at_most: seconds to try.
    :raises ClusterError: what forbids to go on, such as a lost lease, at once.
    :raises Exception: the driver's, when no connection could be made in time.
    """
    pooled: Any = connection.connection
    record = pooled._connection_record
    begun, seconds, pause = time.monotonic(), 0.05, pause_for(connection)
    while True:
        record.invalidate()
        try:
            pooled.dbapi_connection = record.get_connection()
            set_autocommit(connection, wished_level(connection))
            if restore is not None:
                restore(connection)
            tell(connection, "SELECT 1")
        except ClusterError:
            raise
        except Exception as error:
            if time.monotonic() - begun + seconds > at_most:
                raise
            log.info("No connection yet: %s", first_line(error))
            pause(seconds)
            seconds = min(seconds * 2, 2.0)
        else:
            return


def give_cursor(statement: Statement) -> None:
    """Give a statement a cursor of the connection as it is now: to be sent again, or one without rows to look at."""
    statement.context.cursor = statement.connection.connection.cursor()

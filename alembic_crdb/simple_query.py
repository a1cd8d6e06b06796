"""Schema changes by asyncpg, without a prepared statement.

asyncpg prepares whatever it executes with a cursor's interface, and servers have trouble with some schema changes that
come prepared, such as ``DROP TYPE`` in v21.1 and ``DROP TRIGGER`` in v25.1
(https://github.com/cockroachdb/cockroach/issues/142202). ``Connection.execute`` of asyncpg does without.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy.util import await_only

from alembic_cluster.gate import Gate, Place, Statement
from alembic_crdb.transactions import is_schema_change


class SimpleQueryGate(Gate):
    """Sends a schema change without values by itself, in place of what would follow: it stands last."""

    place = Place.LEASE + 99

    def around(self, statement: Statement, send: Callable[[], None]) -> None:
        """Send a statement."""
        if statement.parameters or statement.many or not is_schema_change(statement.text):
            send()
            return
        adapted: Any = statement.connection.connection.dbapi_connection

        async def execute() -> None:
            async with adapted._execute_mutex:
                try:
                    await adapted._connection.execute(statement.text)
                except Exception as error:
                    adapted._handle_exception(error)  # raises it as DB-API has it

        dialect: Any = statement.connection.dialect
        await_only(execute())
        # What is prepared may have a table's old columns; SQLAlchemy tells only its own constructs for schema changes.
        dialect._invalidate_schema_cache()

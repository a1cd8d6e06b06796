"""What this package says to a server for itself, past SQLAlchemy's Connection.

It goes by the driver's own cursors, in the transaction that is open or in none: no event of SQLAlchemy sees it, no gate
asks for it, and a connection that breaks meanwhile raises the driver's exception and leaves SQLAlchemy's Connection as
it is, so that it can be given another connection (see :mod:`alembic_crdb.answers`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.engine.interfaces import Compiled

NO_TABLE: Final = "42P01"  # SQLSTATE undefined_table
#: SQLSTATE: no answer could be given, or the session was ended from outside.
BROKEN: Final = frozenset({"40003", "57P01", "57P02", "57P03", "57P05"})


def tell(connection: Connection, statement: str, **values: Any) -> list[tuple[Any, ...]]:
    """Send one statement and give its rows.

    :param statement: ``:name`` stands for a value, a colon is written ``\\:``; say a value's type with CAST.
    :param values: by name.
    :raises Exception: the driver's own.
    """
    pooled = connection.connection
    cursor: Any = pooled.cursor()
    try:
        if values:
            compiled = _compiled(statement, connection.dialect)
            parameters: Any = compiled.construct_params(values)
            positions = getattr(compiled, "positiontup", None)
            if positions is not None:
                parameters = tuple(parameters[name] for name in positions)
            cursor.execute(str(compiled), parameters)
        else:
            cursor.execute(statement)
        return [tuple(row) for row in cursor.fetchall()] if cursor.description else []
    finally:
        cursor.close()


@lru_cache(maxsize=256)
def _compiled(statement: str, dialect: Any) -> Compiled:
    return text(statement).compile(dialect=dialect)


def sqlstate_of(error: BaseException | None) -> str:
    """Give the SQLSTATE of a driver's exception, by whatever name the driver has it; empty when it has none."""
    return str(getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or "")


def is_unanswered(connection: Connection, error: BaseException) -> bool:
    """Tell whether an exception of the driver says that no answer came, so that the outcome is not known.

    SQLSTATE 40003 is CockroachDB's answer when it can't tell the outcome of a commit (documentation, page "Common
    Errors", "result is ambiguous"); 57P01 is that of a node that shuts down.
    """
    dialect: Any = connection.dialect
    if sqlstate_of(error) in BROKEN or isinstance(error, OSError):
        return True
    if not isinstance(error, dialect.dbapi.Error):
        return False
    pooled: Any = connection.connection
    if is_closed(pooled.dbapi_connection):
        return True
    return bool(dialect.is_disconnect(error, pooled.dbapi_connection, None))


def is_closed(dbapi_connection: Any) -> bool:
    """Tell whether a driver's connection knows that it is closed."""
    if dbapi_connection is None:
        return True
    asyncpgs = getattr(dbapi_connection, "_connection", None)
    return bool(asyncpgs.is_closed() if asyncpgs is not None else dbapi_connection.closed)

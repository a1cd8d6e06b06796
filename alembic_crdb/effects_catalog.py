"""What the text of a statement doesn't say, asked of the server's catalog."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.engine import Connection

from alembic_cluster.gate import OWN
from alembic_cluster.words import split_path

_TYPE = text("""
    SELECT crdb_sql_type FROM information_schema.columns
    WHERE table_schema = coalesce(:schema, current_schema()) AND table_name = :table AND column_name = :column
""")


def column_type(connection: Connection, table: str, column: str) -> str | None:
    """Give the type of a column as the server prints it; None when there is no such column.

    :param table: a path such as ``shop.users``; without a schema it is the session's.
    """
    *outside, name = split_path(table)
    values = {"schema": outside[-1] if outside else None, "table": name, "column": column}
    found: str | None = connection.scalar(_TYPE, values, execution_options={OWN: True})
    return found

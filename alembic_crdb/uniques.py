"""Dropping what is unique.

To CockroachDB a unique constraint and a unique index are one thing. Before v26.2 only ``DROP INDEX ... CASCADE``
drops it, and CASCADE takes the foreign keys that refer to it along. So those are looked for first.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Constraint, Table, text
from sqlalchemy.engine import Connection
from sqlalchemy.schema import DropConstraint, DropTable

from alembic_cluster.errors import UnsupportedOperation

_UNIQUE = text("""
SELECT c.conrelid, c.conkey::STRING FROM pg_catalog.pg_constraint AS c
JOIN pg_catalog.pg_class AS t ON t.oid = c.conrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
WHERE c.contype = 'u' AND c.conindid <> 0 AND c.conname = :name AND t.relname = :table AND n.nspname = :schema
""")
_REFERRING = text("""
SELECT c.conname, t.relname, n.nspname FROM pg_catalog.pg_constraint AS c
JOIN pg_catalog.pg_class AS t ON t.oid = c.conrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
WHERE c.contype = 'f' AND c.confrelid = :table AND c.confkey::STRING = :columns ORDER BY t.relname, c.conname
""")


def is_droppable_unique(
    connection: Connection, schema: str | None, table: str, name: str, dropped: Iterable[Any] = ()
) -> bool:
    """Tell whether a table has a unique index or constraint of this name, before it is dropped.

    :param schema: the table's schema; None is the connection's default one.
    :param dropped: what a rehearsal has dropped by now: SQLAlchemy's DropTable and DropConstraint among others.
    :raises UnsupportedOperation: a foreign key refers to it, so that dropping it would drop the foreign key.
    """
    unique = _unique(connection, schema, table, name)
    if unique is None:
        return False
    referring = _referring(connection, unique, dropped)
    if referring is not None:
        raise UnsupportedOperation(
            f"{name} of table {table} can't be dropped: foreign key {referring[0]} of table {referring[1]} refers "
            "to its columns and would be dropped with it. Nothing was sent; drop the foreign key first."
        )
    return True


def needed_by(connection: Connection, schema: str | None, table: str, name: str) -> tuple[str, str] | None:
    """Give the name and table of a foreign key that refers to the columns of a unique index or constraint."""
    unique = _unique(connection, schema, table, name)
    return None if unique is None else _referring(connection, unique, ())


def _unique(connection: Connection, schema: str | None, table: str, name: str) -> Any:
    schema = schema or connection.dialect.default_schema_name
    return connection.execute(_UNIQUE, {"name": name, "table": table, "schema": schema}).first()


def _referring(connection: Connection, unique: Any, dropped: Iterable[Any]) -> tuple[str, str] | None:
    default_schema = connection.dialect.default_schema_name
    gone: set[tuple[str | None, ...]] = set()
    for construct in dropped:
        if isinstance(construct, DropTable):
            table: Table = construct.element
            gone.add((table.schema or default_schema, str(table.name)))
        elif isinstance(construct, DropConstraint):
            constraint: Constraint = construct.element
            gone.add((constraint.table.schema or default_schema, str(constraint.table.name), str(constraint.name)))
    for name, table_name, schema in connection.execute(_REFERRING, {"table": unique[0], "columns": unique[1]}):
        if gone.isdisjoint([(schema, table_name), (schema, table_name, name)]):
            return name, table_name
    return None

"""A row changed on a condition: one lightweight transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Table
from sqlalchemy.engine import Connection

from alembic_cluster.errors import OutcomeUnknown, first_line
from alembic_cql.queries import is_unanswered


def update_if(
    connection: Connection,
    table: Table,
    key: Mapping[str, Any],
    values: Mapping[str, Any],
    condition: Mapping[str, Any],
) -> bool:
    """Set columns of a row if others have the values given (``UPDATE ... IF``).

    :param key: the row's whole primary key.
    :param condition: None stands for a column without a value.
    :return: whether it was applied.
    :raises OutcomeUnknown: the server gave no answer.
    """
    preparer = connection.dialect.identifier_preparer
    parameters = [_bound(connection, table, part) for part in (values, key, condition)]
    settings = ", ".join(f"{preparer.quote(name)} = ?" for name in values)
    where = " AND ".join(f"{preparer.quote(name)} = ?" for name in key)
    only_if = " AND ".join(f"{preparer.quote(name)} = ?" for name in condition)
    cql = f"UPDATE {preparer.format_table(table)} SET {settings} WHERE {where} IF {only_if}"
    try:
        return connection.exec_driver_sql(cql, tuple(value for part in parameters for value in part)).rowcount == 1
    except Exception as error:
        if not is_unanswered(getattr(error, "orig", error)):
            raise
        raise OutcomeUnknown(
            f"the server did not say whether a row of {table.name!r} was written ({first_line(error)}): read it again; "
            "writing it once more on the same condition does no harm"
        ) from error


def _bound(connection: Connection, table: Table, values: Mapping[str, Any]) -> list[Any]:
    found = []
    for name, value in values.items():
        kind = table.c[name].type.dialect_impl(connection.dialect)
        write: Callable[[Any], Any] | None = kind.bind_processor(connection.dialect)
        found.append(value if value is None or write is None else write(value))
    return found

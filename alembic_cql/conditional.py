"""A row changed on a condition: one lightweight transaction. What is written lives as long as what it stands in for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import Table
from sqlalchemy.engine import Connection

from alembic_cluster.errors import OutcomeUnknown, first_line
from alembic_cql.copy_plan import Side
from alembic_cql.lifetimes import Lifetimes
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
    updates: list[str] = []
    parameters: list[Any] = []
    table_name = connection.dialect.identifier_preparer.format_table(table)
    where = _equal(connection, key, " AND ")
    only_if = _equal(connection, condition, " AND ")
    for seconds, names in _groups(connection, table, key, tuple(values)):
        using = "" if seconds is None else " USING TTL ?"
        settings = _equal(connection, names, ", ")
        updates.append(f"UPDATE {table_name}{using} SET {settings} WHERE {where} IF {only_if}")
        parameters += [] if seconds is None else [seconds]
        for part in ({name: values[name] for name in names}, key, condition):
            parameters += _bound(connection, table, part)
    cql = updates[0] if len(updates) == 1 else f"BEGIN BATCH {'; '.join(updates)}; APPLY BATCH"
    try:
        return connection.exec_driver_sql(cql, tuple(parameters)).rowcount == 1
    except Exception as error:
        if not is_unanswered(getattr(error, "orig", error)):
            raise
        raise OutcomeUnknown(
            f"the server did not say whether a row of {table.name!r} was written ({first_line(error)}): read it again; "
            "writing it once more on the same condition does no harm"
        ) from error


def _groups(
    connection: Connection, table: Table, key: Mapping[str, Any], names: tuple[str, ...]
) -> list[tuple[int | None, tuple[str, ...]]]:
    """Put columns together that are written with one time to live."""
    preparer = connection.dialect.identifier_preparer
    lifetimes = Lifetimes(Side.of_table(table, connection.dialect), ())
    if not lifetimes.selected:
        return [(None, names)]
    selected = ", ".join(lifetimes.selectors(preparer.quote))
    row = connection.exec_driver_sql(
        f"SELECT {selected} FROM {preparer.format_table(table)} WHERE {_equal(connection, key, ' AND ')}",
        tuple(_bound(connection, table, key)),
    ).first()
    return lifetimes.group(names, {} if row is None else lifetimes.of(tuple(row)))


def _equal(connection: Connection, names: Iterable[str], separator: str) -> str:
    return separator.join(f"{connection.dialect.identifier_preparer.quote(name)} = ?" for name in names)


def _bound(connection: Connection, table: Table, values: Mapping[str, Any]) -> list[Any]:
    found = []
    for name, value in values.items():
        kind = table.c[name].type.dialect_impl(connection.dialect)
        write: Callable[[Any], Any] | None = kind.bind_processor(connection.dialect)
        found.append(value if value is None or write is None else write(value))
    return found

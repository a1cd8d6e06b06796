"""The rows of ``system_schema`` for one keyspace, all tables asked at once, and what is seldom wanted made late."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from alembic_cql.dbapi import Error
from alembic_cql.scalars import quote_text

_PAGE = 20_000  # rows; the columns of two thousand tables come in one answer
T = TypeVar("T")


class Rows:
    """The rows of one table: as tuples, with the names of their columns."""

    def __init__(self, names: Iterable[str], rows: Iterable[tuple[Any, ...]]) -> None:
        self.names = list(names)
        self.rows = list(rows)

    def mappings(self) -> list[dict[str, Any]]:
        """Give each row by column name."""
        return [dict(zip(self.names, row, strict=True)) for row in self.rows]

    def by(self, name: str) -> dict[str, list[tuple[Any, ...]]]:
        """Give the rows by the value of a column."""
        found: dict[str, list[tuple[Any, ...]]] = {}
        if self.rows:
            place = self.names.index(name)
            for row in self.rows:
                found.setdefault(row[place], []).append(row)
        return found


def read_catalog(
    connection: Connection, tables: Iterable[str], keyspace: str, meanwhile: Callable[[], None] | None = None
) -> dict[str, Rows]:
    """Read what ``system_schema`` says of a keyspace.

    :param connection: of dialect ``cql``.
    :param tables: names of tables of ``system_schema``.
    :param meanwhile: called while the server looks.
    :raises sqlalchemy.exc.DBAPIError: when the server answers none.
    """
    queries = {
        name: f"SELECT * FROM system_schema.{name} WHERE keyspace_name = {quote_text(keyspace)}" for name in tables
    }
    ours: Any = connection.connection.dbapi_connection
    try:
        found = ours.read_together(queries.values(), _PAGE, meanwhile)
        return {name: Rows(*answer) for name, answer in zip(queries, found, strict=True)}
    except Error:
        # One by one, so that what is wrong is told as of any other statement.
        answers = {name: connection.exec_driver_sql(query) for name, query in queries.items()}
        return {name: Rows(answer.keys(), [tuple(row) for row in answer]) for name, answer in answers.items()}


class Late(Mapping[str, T], Generic[T]):
    """A mapping whose values are made when they are asked for, each once.

    :param makers: a function for each key.
    """

    def __init__(self, makers: Mapping[str, Callable[[], T]]) -> None:
        self._makers = dict(makers)
        self._made: dict[str, T] = {}

    def __getitem__(self, key: str) -> T:
        if key not in self._made:
            self._made[key] = self._makers[key]()
        return self._made[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)

    def __contains__(self, key: object) -> bool:
        return key in self._makers

    def without(self, keys: Iterable[str]) -> Late[T]:
        """Give the same without some keys."""
        left_out = set(keys)
        return Late({key: maker for key, maker in self._makers.items() if key not in left_out})

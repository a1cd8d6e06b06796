"""The statements that change a page of rows: one for all of them, whatever the number of rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy import types as sqltypes
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.sql.elements import TextClause
from sqlalchemy.types import TypeEngine

from alembic_cluster.backfill_job import Change
from alembic_crdb.keys import Key, cast, escaped, quoter

_MODIFIERS: Final = re.compile(r"\([^)]*\)")
_MOST_PARAMETERS: Final = 30_000  # of a statement: PostgreSQL's protocol counts them in 16 bits


class ColumnTypes:
    """The columns of a table with their types.

    :param written: types as the server writes them, by column.
    :param kinds: SQLAlchemy's types, by column; those of hidden columns may be missing.
    """

    def __init__(self, written: Mapping[str, str], kinds: Mapping[str, TypeEngine[Any]], dialect: Dialect) -> None:
        self.written = dict(written)
        self._kinds = {name: kinds.get(name, sqltypes.NullType()) for name in written}
        self._shown = tuple(name for name in written if name in kinds)
        self._dialect = dialect

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all columns."""
        return tuple(self.written)

    @property
    def mutable(self) -> tuple[str, ...]:
        """The columns whose values a function could change in place."""
        return tuple(name for name, kind in self._kinds.items() if isinstance(kind, sqltypes.JSON | sqltypes.ARRAY))

    def wanted(self, key: Sequence[str], chosen: Sequence[str] | None) -> tuple[str, ...]:
        """Give the columns that a function gets to see: its key, and those chosen; all that are not hidden else."""
        return tuple(dict.fromkeys([*key, *(self._shown if chosen is None else chosen)]))

    def list_of(self, names: Iterable[str]) -> str:
        """Write columns, for a ``SELECT`` whose colons begin parameters."""
        quote = quoter(self._dialect)
        return ", ".join(escaped(quote(name)) for name in names)

    def typed(self, query: TextClause, leading: int, names: Sequence[str]) -> Any:
        """Say the types of a query's columns: so many texts, and then these columns."""
        from sqlalchemy import column

        texts = [column(f"place_{number}", sqltypes.Text()) for number in range(leading)]
        return query.columns(*texts, *(column(name, self._kinds[name]) for name in names))

    def bound(self, name: str) -> Callable[[Any], Any]:
        """Give what makes the driver's value of a program's."""
        kind = self._kinds[name].dialect_impl(self._dialect)
        found: Callable[[Any], Any] | None = kind.bind_processor(self._dialect)
        return found if found is not None else lambda value: value


class PageWrites:
    """Writes pages of one table on one connection, in the transaction that is open.

    :param quoted: the table's name as SQL.
    """

    def __init__(self, connection: Connection, quoted: str, key: Key, types: ColumnTypes, change: Change) -> None:
        self._connection = connection
        self._quoted = quoted
        self._key = key
        self._types = types
        self._change = change
        self._quote = quoter(connection.dialect)
        self._settings, self.values = self._expression()

    def _expression(self) -> tuple[str, dict[str, Any]]:
        values = dict(self._change.values)
        settings = []
        for number, each in enumerate(self._change.assignments):
            column = escaped(self._quote(each.column))
            if each.text is not None:
                settings.append(f"{column} = {each.text}")
                continue
            name = f"backfill_value_{number}"
            settings.append(f"{column} = {cast(f':{name}', self._types.written[each.column])}")
            values[name] = None if each.value is None else self._types.bound(each.column)(each.value)
        return ", ".join(settings), values

    def update_text(self, condition: str) -> str:
        """Write the UPDATE of the expression for the rows that a condition gives."""
        where = f" AND ({self._change.where})" if self._change.where else ""
        return f"UPDATE {escaped(self._quoted)} SET {self._settings} WHERE {condition}{where}"

    def count(self, lower: str | None, upper: str | None) -> int:
        """Count the rows between two places."""
        condition, values = self._key.between(lower, upper)
        query = f"SELECT count(*) FROM {escaped(self._quoted)} WHERE {condition}"
        return int(self._connection.execute(text(query), values).scalar_one())

    def updating(self, lower: str | None, upper: str | None) -> tuple[str, dict[str, Any]]:
        """Write the UPDATE of the rows between two places, and the values of its parameters."""
        condition, values = self._key.between(lower, upper)
        return self.update_text(condition), {**self.values, **values}

    def update_one(self, place: Sequence[str]) -> int:
        """Change one row by the expression."""
        condition = " AND ".join(
            f"{column.quoted} = {column.read(f':key_{number}')}" for number, column in enumerate(self._key.columns)
        )
        values = {f"key_{number}": value for number, value in enumerate(place)}
        return self._connection.execute(text(self.update_text(condition)), {**self.values, **values}).rowcount

    def write(self, changes: Sequence[tuple[Sequence[str], Mapping[str, Any]]]) -> int:
        """Set columns of rows to values; gives how many rows.

        :param changes: the texts of each row's key, and its new values. Rows of the same columns go together.
        """
        groups: dict[tuple[str, ...], list[tuple[Sequence[str], Mapping[str, Any]]]] = {}
        for place, values in changes:
            groups.setdefault(tuple(values), []).append((place, values))
        return sum(self._write_alike(names, rows) for names, rows in groups.items())

    def _write_alike(self, names: tuple[str, ...], rows: Sequence[tuple[Sequence[str], Mapping[str, Any]]]) -> int:
        functions = [self._types.bound(name) for name in names]
        width = len(self._key.columns) + len(names)
        most = max(1, _MOST_PARAMETERS // width)
        count = 0
        for begin in range(0, len(rows), most):
            some = rows[begin : begin + most]
            parameters: list[Any] = []
            for place, values in some:
                parameters += place
                parameters += [
                    None if values[name] is None else function(values[name])
                    for name, function in zip(names, functions, strict=True)
                ]
            count += self._send(self._text(names, len(some)), parameters)
        return count

    def _text(self, names: Sequence[str], rows: int) -> Callable[[Callable[[int], str]], str]:
        columns = self._key.columns

        kinds = [self._types.written[name] for name in names]

        def written(mark: Callable[[int], str]) -> str:
            lines, number = [], 0
            for _ in range(rows):
                items = [column.read(mark(number + place)) for place, column in enumerate(columns)]
                number += len(columns)
                items += [cast(self._annotated(mark(number + place), kind), kind) for place, kind in enumerate(kinds)]
                number += len(names)
                lines.append(f"({', '.join(items)})")
            settings = ", ".join(f"{self._quote(name)} = given.v{place}" for place, name in enumerate(names))
            keys = " AND ".join(f"target.{column.quoted} = given.k{place}" for place, column in enumerate(columns))
            heads = [f"k{place}" for place in range(len(columns))] + [f"v{place}" for place in range(len(names))]
            return (
                f"UPDATE {self._quoted} AS target SET {settings} FROM (VALUES {', '.join(lines)}) "
                f"AS given ({', '.join(heads)}) WHERE {keys}"
            )

        return written

    @staticmethod
    def _annotated(mark: str, kind: str) -> str:
        """Say the type of a parameter that travels apart: in VALUES the server takes those in casts for texts."""
        return f"({mark}:::{_MODIFIERS.sub('', kind)})" if mark.startswith("$") else mark

    def _send(self, written: Callable[[Callable[[int], str]], str], parameters: list[Any]) -> int:
        """Send a statement in the driver's own style of parameters: there are too many for SQLAlchemy to look at."""
        style = self._connection.dialect.paramstyle
        if style in ("pyformat", "format"):
            marked = written(lambda _: "\0").replace("%", "%%").replace("\0", "%s")
        else:
            marked = written(lambda number: f"${number + 1}")
        return self._connection.exec_driver_sql(marked, tuple(parameters)).rowcount

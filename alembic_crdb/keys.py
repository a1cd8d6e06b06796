"""A table's primary key as the server has it, and conditions that cut a table along it.

A place in a table is the key of a row, each of its columns as the server writes it as text. The server reads it back by
a cast to the column's type, so that no driver's type is in the way, and folds the cast into a span of the index: a
condition on a place reads nothing that it doesn't give.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.engine import Connection, Dialect

_COLLATED: Final = re.compile(r"(.+?) COLLATE (\S+)", re.IGNORECASE)
# An index of a table may have the name of one of another's; relation and name together tell.
_KEY: Final = text(
    "SELECT column_name, direction FROM [SHOW INDEXES FROM {table}] WHERE NOT storing AND index_name = ("
    "SELECT c.relname FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid "
    "WHERE i.indisprimary AND i.indrelid = CAST(CAST(:table AS STRING) AS REGCLASS)) ORDER BY seq_in_index"
)


@dataclass(frozen=True)
class KeyColumn:
    """A column of a primary key.

    :ivar quoted: its name as SQL.
    :ivar type: its type as SQL.
    """

    name: str
    quoted: str
    type: str
    descending: bool = False

    def read(self, mark: str) -> str:
        """Write the value that a parameter has as text."""
        return cast(mark, self.type, as_text=True)


@dataclass(frozen=True)
class Key:
    """A primary key; where a table has none, the server's own ``rowid``."""

    columns: tuple[KeyColumn, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its columns."""
        return tuple(column.name for column in self.columns)

    @property
    def texts(self) -> str:
        """The key as texts, for a list of columns."""
        return ", ".join(f"CAST({each.quoted} AS STRING) AS place_{place}" for place, each in enumerate(self.columns))

    @property
    def order(self) -> str:
        """The order of the primary index."""
        return ", ".join(f"{column.quoted} {'DESC' if column.descending else 'ASC'}" for column in self.columns)

    def between(self, lower: str | None, upper: str | None) -> tuple[str, dict[str, Any]]:
        """Give the condition for the rows behind one place, up to another one and with it.

        :return: SQL with ``:name`` parameters, and their values.
        """
        parts: list[str] = []
        values: dict[str, Any] = {}
        for name, place in (("lower", lower), ("upper", upper)):
            if place is None:
                continue
            parts.append(self._beyond(name, behind=name == "lower"))
            values |= {f"{name}_{number}": value for number, value in enumerate(json.loads(place))}
        return " AND ".join(parts) or "true", values

    def _beyond(self, name: str, *, behind: bool) -> str:
        condition = ""
        for number, column in reversed(list(enumerate(self.columns))):
            mark = column.read(f":{name}_{number}")
            sign = ">" if behind != column.descending else "<"
            if not condition:
                condition = f"{column.quoted} {sign}{'' if behind else '='} {mark}"
            else:
                condition = f"({column.quoted} {sign} {mark} OR ({column.quoted} = {mark} AND {condition}))"
        first = self.columns[0]
        if len(self.columns) > 1:  # what the index is entered by, said plainly
            sign = ">=" if behind != first.descending else "<="
            condition = f"{first.quoted} {sign} {first.read(f':{name}_0')} AND {condition}"
        return f"({condition})"


def cast(mark: str, type_name: str, *, as_text: bool = False) -> str:
    """Write a parameter's value as one of a type.

    :param as_text: the parameter is a string, whatever the driver would make of it.
    """
    collated = _COLLATED.fullmatch(type_name)
    if as_text:
        mark = f"CAST({mark} AS STRING)"
    if collated is None:
        return f"CAST({mark} AS {type_name})"
    plain = collated[1] if not as_text else "STRING"
    return f"(CAST({mark} AS {plain}) COLLATE {collated[2]})"


def place(values: Sequence[Any]) -> str:
    """Write a place from the texts of a key."""
    return json.dumps(list(values), ensure_ascii=False)


def read_columns(connection: Connection, quoted: str) -> tuple[dict[str, str], list[str]]:
    """Read the types of all columns.

    :param quoted: the table's name as SQL.
    :return: types as SQL by the columns' names, and the names of those that ``SELECT *`` gives; empty when there is no
        such table.
    """
    query = f"SELECT column_name, data_type, is_hidden FROM [SHOW COLUMNS FROM {escaped(quoted)}]"
    rows = connection.execute(text(query)).all()
    return {name: kind for name, kind, _ in rows}, [name for name, _, hidden in rows if not hidden]


def read_key(connection: Connection, quoted: str, types: dict[str, str]) -> Key:
    """Read the primary key, with the columns that the server put before or in place of the user's."""
    rows = connection.execute(text(_KEY.text.replace("{table}", escaped(quoted))), {"table": quoted})
    quote = quoter(connection.dialect)
    return Key(tuple(KeyColumn(name, quote(name), types[name], order.upper() == "DESC") for name, order in rows))


def quoter(dialect: Dialect) -> Callable[[str], str]:
    """Give what quotes names for ``text()``, which doubles percent signs itself where the driver wants it."""
    preparer: Any = dialect.identifier_preparer
    if not preparer._double_percents:
        return preparer.quote  # type: ignore[no-any-return]
    return lambda name: str(preparer.quote(name)).replace("%%", "%")


def escaped(quoted: str) -> str:
    """Write a name into a text whose colons begin parameters."""
    return quoted.replace(":", "\\:")

"""How a backfill reads a table: along its primary index, a page at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.engine import Connection

from alembic_cluster.backfill_job import Job
from alembic_cluster.backfill_source import Range
from alembic_crdb.backfill_writes import ColumnTypes
from alembic_crdb.keys import Key, escaped, place

_AS_OF: Final = re.compile(r"(?:follower_read_timestamp|with_max_staleness|with_min_timestamp)\([^;]*\)", re.I)


class Row(dict[str, Any]):
    """A row by column, with its key as the server writes it.

    :ivar place: the texts of its key.
    """

    def __init__(self, fields: Any, place: tuple[str, ...]) -> None:
        super().__init__(fields)
        self.place = place


@dataclass(frozen=True)
class Reads:
    """The reads of one table.

    :ivar quoted: the table's name as SQL.
    """

    job: Job
    quoted: str
    key: Key
    types: ColumnTypes

    @property
    def name(self) -> str:
        """The table's name, for a text whose colons begin parameters."""
        return escaped(self.quoted)

    @property
    def as_of(self) -> str:
        """What comes behind the table's name where a read may be as of an earlier time."""
        as_of = self.job.options.as_of
        if as_of is None:
            return ""
        if _AS_OF.fullmatch(as_of):
            return f" AS OF SYSTEM TIME {as_of}"
        return " AS OF SYSTEM TIME '" + as_of.replace("'", "''").replace(":", "\\:") + "'"

    def step(self, connection: Connection, lower: str | None, upper: str | None, rows: int) -> str | None:
        """Give the place so many rows behind another one; None when there are fewer."""
        condition, values = self.key.between(lower, upper)
        query = (
            f"SELECT {self.key.texts} FROM {self.name}{self.as_of} WHERE {condition} "
            f"ORDER BY {self.key.order} LIMIT 1 OFFSET {rows - 1}"
        )
        found = connection.execute(text(query), values).first()
        return None if found is None else place(found)

    def steps(self, connection: Connection, lower: str | None, upper: str | None, rows: int) -> list[str]:
        """Give the places after each so many rows between two places; the rows behind the last one are fewer."""
        condition, values = self.key.between(lower, upper)
        columns = ", ".join(column.quoted for column in self.key.columns)
        query = (
            f"SELECT {self.key.texts} FROM (SELECT {columns}, row_number() OVER (ORDER BY {self.key.order}) AS "
            f"backfill_row FROM {self.name} WHERE {condition}) AS keys{self.as_of} "
            f"WHERE mod(backfill_row, {rows}) = 0 ORDER BY backfill_row"
        )
        return [place(found) for found in connection.execute(text(query), values)]

    def page(self, connection: Connection, work: Range, *, lock: bool) -> tuple[list[Row], Range]:
        """Read the next rows of a range, and give the range as it is behind them.

        :param lock: have other transactions wait for the one that is open.
        """
        change, key, types = self.job.change, self.key, self.types
        condition, values = key.between(work.position or work.lower, work.upper)
        where = f" AND ({change.where})" if change.where else ""
        wanted = types.wanted(key.names, change.columns)
        count = self.job.options.batch_rows
        query = text(
            f"SELECT {key.texts}, {types.list_of(wanted)} FROM {self.name}{'' if lock else self.as_of} "
            f"WHERE {condition}{where} ORDER BY {key.order} LIMIT {count}{' FOR UPDATE' if lock else ''}"
        )
        rows = types.typed(query, len(key.columns), wanted)
        found = connection.execute(rows, {**values, **change.values}).all()
        width = len(key.columns)
        given = [Row(zip(wanted, row[width:], strict=True), tuple(row[:width])) for row in found]
        end = len(found) < count
        position = work.upper if end else place(found[-1][:width])
        after = replace(work, position=position, read=work.read + len(found), done=end)
        return given, after

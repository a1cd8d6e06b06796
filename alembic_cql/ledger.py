"""Ledger and journal of a keyspace."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

from alembic_cluster.stores import HISTORY_TABLE, JOURNAL_TABLE, HistoryRow, JournalHeader, JournalRow
from alembic_cql._exceptions import ProgrammingError
from alembic_cql.queries import is_missing

if TYPE_CHECKING:
    from alembic_cql.stores import CqlStores

_HEADER: Final = 0  # ordinal of the journal's row that says which revision it is of
_BATCH: Final = 500  # rows of at most 10 kB that are written as one; a mutation may have 16 MiB
_HISTORY: Final = (
    "fence", "step", "revision", "direction", "started", "finished", "seconds", "owner", "message", "checksum", "tool",
)  # fmt: skip


def _utc(value: datetime) -> datetime:
    return value if value.tzinfo is not None else value.replace(tzinfo=timezone.utc)


class CqlHistory:
    """The ledger: :data:`alembic_cluster.stores.HISTORY_TABLE`."""

    def __init__(self, stores: CqlStores) -> None:
        self._stores = stores
        self._table = stores.name(HISTORY_TABLE)

    def rows(self) -> Sequence[HistoryRow]:
        """Give all rows without their contents, ordered by fence and step; none when there is no table yet."""
        try:
            rows = self._stores.ask(
                f"SELECT {', '.join(_HISTORY)} FROM {self._table} WHERE scope = ?", self._stores.scope
            )
        except ProgrammingError as error:
            if is_missing(error):
                return []
            raise
        found = [dict(zip(_HISTORY, row, strict=True)) for row in rows]
        return [
            HistoryRow(**{**row, "started": _utc(row["started"]), "finished": _utc(row["finished"])}) for row in found
        ]

    def content(self, row: HistoryRow) -> str:
        """Read the content that belongs to a row; empty when the row is gone."""
        rows = self._stores.ask(
            f"SELECT content FROM {self._table} WHERE scope = ? AND fence = ? AND step = ?",
            self._stores.scope,
            row.fence,
            row.step,
        )
        return str(rows[0][0] or "") if rows else ""

    def write(self, row: HistoryRow) -> None:
        """Write a row, or write it anew; :meth:`CqlStores.flush` waits for it."""
        names, using = (*_HISTORY, "content"), ""
        if row.fence != self._stores.fence and (written := self._write_time(row)) is not None:
            using = f" USING TIMESTAMP {written + 1}"  # by the clock that it was written by, which may be ahead of ours
        self._stores.write_later(
            f"INSERT INTO {self._table} (scope, {', '.join(names)}) VALUES (?{', ?' * len(names)}){using}",
            self._stores.scope,
            *(getattr(row, name) for name in names),
        )

    def _write_time(self, row: HistoryRow) -> int | None:
        rows = self._stores.ask(
            f"SELECT WRITETIME(checksum) FROM {self._table} WHERE scope = ? AND fence = ? AND step = ?",
            self._stores.scope,
            row.fence,
            row.step,
        )
        return int(rows[0][0]) if rows else None


class CqlJournal:
    """The statements of the revision that runs: :data:`alembic_cluster.stores.JOURNAL_TABLE`."""

    def __init__(self, stores: CqlStores) -> None:
        self._stores = stores
        self._table = stores.name(JOURNAL_TABLE)
        self._kept_back: list[Sequence[Any]] = []

    def read(self) -> tuple[JournalHeader, Sequence[JournalRow]] | None:
        """Read the journal with the highest fence and step, rows in order; None when there is none."""
        newest = self._newest()
        if newest is None or newest.finished:
            return None if newest is None else (newest, [])
        rows = self._stores.ask(
            f"SELECT ordinal, digest, statement, state FROM {self._table} "
            f"WHERE scope = ? AND fence = ? AND step = ? AND ordinal > {_HEADER}",
            self._stores.scope,
            newest.fence,
            newest.step,
        )
        return newest, [JournalRow(*row) for row in rows]

    def _newest(self) -> JournalHeader | None:
        """Find the newest header: what has none is what a run wrote of an earlier journal, and died before its end."""
        query, values = f"SELECT fence, step, ordinal, header FROM {self._table} WHERE scope = ?", [self._stores.scope]
        while True:
            try:
                rows = self._stores.ask(f"{query} LIMIT 1", *values)
            except ProgrammingError as error:
                if is_missing(error):
                    return None
                raise
            if not rows:
                return None
            fence, step, ordinal, header = rows[0]
            if ordinal == _HEADER:
                said = json.loads(header)
                said |= {"started": datetime.fromisoformat(said["started"]), "heads": tuple(said["heads"])}
                return JournalHeader(fence=fence, step=step, **said)
            if len(values) == 1:
                query += " AND (fence, step) < (?, ?)"
            values[1:] = [fence, step]

    def write(self, header: JournalHeader, rows: Sequence[JournalRow], *, new: bool = False) -> None:
        """Write rows, in one batch of one partition; a schema change that is done is written with the next rows.

        A new header comes last, and what the ledger has of the revision before is durable by then.
        """
        scope, at = self._stores.scope, (header.fence, header.step)
        written: list[Sequence[Any]] = [
            (scope, *at, row.ordinal, row.digest, row.text, row.state, None) for row in rows
        ]
        if not new and all(row.state == "done" and _SHOWN.match(row.text) for row in rows):
            self._kept_back += written
            return
        if new:
            self._stores.settle()
            written.append((scope, *at, _HEADER, None, None, None, _header_text(header)))
        kept_back, self._kept_back = self._kept_back, []
        self._send([*kept_back, *written])

    def flush(self) -> None:
        """Write what was kept back."""
        kept_back, self._kept_back = self._kept_back, []
        self._send(kept_back)

    def _send(self, rows: Sequence[Sequence[Any]]) -> None:
        for begin in range(0, len(rows), _BATCH):
            self._stores.write_all(
                f"INSERT INTO {self._table} (scope, fence, step, ordinal, digest, statement, state, header) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                rows[begin : begin + _BATCH],
            )

    def forget(self, before: int) -> None:
        """Delete the journals of all fences below ``before``."""
        self._kept_back.clear()
        self._stores.write_later(f"DELETE FROM {self._table} WHERE scope = ? AND fence < ?", self._stores.scope, before)


# What the catalog, or sending it again, settles as well (see outcomes.py); so its row may come a moment later.
_SHOWN: Final = re.compile(r"\s*(CREATE|ALTER|DROP)\b", re.IGNORECASE)


def _header_text(header: JournalHeader) -> str:
    values = asdict(header)
    del values["fence"], values["step"]
    return json.dumps({**values, "started": header.started.isoformat()})

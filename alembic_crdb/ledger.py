"""The ledger of revisions that ran, and the journal of the one that runs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from alembic_cluster.stores import HistoryRow, JournalHeader, JournalRow
from alembic_crdb.raw import NO_TABLE, sqlstate_of

if TYPE_CHECKING:
    from alembic_crdb.stores import CockroachStores

# One row when the fence is held, or when rows are written without one, such as by `alembic-cluster repair`.
_HELD: Final = "{lock} AS held WHERE held.scope = CAST(:scope AS STRING) AND CAST(:held AS INT8) IN (-1, held.fence)"
_HEADER: Final = 0  # ordinal of the row that tells which revision the others are of
_HISTORY: Final = (
    "fence", "step", "revision", "direction", "started", "finished", "seconds", "owner", "message", "checksum", "tool",
)  # fmt: skip
_TYPES: Final = {
    "fence": "INT8",
    "step": "INT8",
    "started": "TIMESTAMPTZ",
    "finished": "TIMESTAMPTZ",
    "seconds": "FLOAT8",
}


class CockroachHistory:
    """The ledger, ``alembic_cluster_history``."""

    def __init__(self, stores: CockroachStores) -> None:
        self._stores = stores

    def rows(self) -> Sequence[HistoryRow]:
        """Give all rows without their contents, ordered by fence and step; none when there is no table yet."""
        try:
            rows = self._stores.ask(
                f"SELECT {', '.join(_HISTORY)} FROM {{history}} WHERE scope = CAST(:scope AS STRING) "
                "ORDER BY fence, step"
            )
        except Exception as error:
            if sqlstate_of(error) == NO_TABLE:
                return []
            raise
        return [HistoryRow(**dict(zip(_HISTORY, row, strict=True))) for row in rows]

    def content(self, row: HistoryRow) -> str:
        """Read the content that belongs to a row; empty when the row is gone."""
        rows = self._stores.ask(
            "SELECT content FROM {history} WHERE scope = CAST(:scope AS STRING) AND fence = CAST(:fence AS INT8) "
            "AND step = CAST(:step AS INT8)",
            fence=row.fence,
            step=row.step,
        )
        return str(rows[0][0]) if rows else ""

    def write(self, row: HistoryRow) -> None:
        """Write a row, or write it anew.

        :raises LeaseLost: another run has the lock by now.
        """
        names = [*_HISTORY, "content"]
        values = ", ".join(f"CAST(:{name} AS {_TYPES.get(name, 'STRING')})" for name in names)
        self._stores.write_under_fence(
            f"UPSERT INTO {{history}} (scope, {', '.join(names)}) SELECT held.scope, {values} FROM {_HELD} RETURNING 1",
            **asdict(row),
        )


class CockroachJournal:
    """The statements of the revision that runs, or that ran last: ``alembic_cluster_journal``."""

    def __init__(self, stores: CockroachStores) -> None:
        self._stores = stores
        self._at = (0, 0)
        self._header: JournalHeader | None = None  # of the revision that runs
        self._not_durable: dict[int, JournalRow] = {}  # written with the header in a transaction that is not committed
        self._earlier: dict[int, JournalRow] = {}  # of these, what an earlier run has brought about
        self._inside: dict[int, JournalRow] = {}  # of the transaction that is open, in order
        self._current: JournalHeader | None = None

    def read(self) -> tuple[JournalHeader, Sequence[JournalRow]] | None:
        """Read the journal with the highest fence and step, rows in order; None when there is none (or no table)."""
        try:
            newest = self._stores.ask(
                "SELECT fence, step, data FROM {journal} WHERE scope = CAST(:scope AS STRING) AND ordinal = 0 "
                "ORDER BY fence DESC, step DESC LIMIT 1"
            )
        except Exception as error:
            if sqlstate_of(error) == NO_TABLE:
                return None
            raise
        if not newest:
            return None
        fence, step, data = newest[0]
        self._at = (fence, step)
        rows = self._stores.ask(
            "SELECT ordinal, digest, text, state, data FROM {journal} WHERE scope = CAST(:scope AS STRING) "
            "AND fence = CAST(:fence AS INT8) AND step = CAST(:step AS INT8) AND ordinal > 0 ORDER BY ordinal",
            fence=fence,
            step=step,
        )
        self._stores.remember_left(
            {row[0]: (row[1], json.loads(row[4])) for row in rows if row[3] == "sent" and row[4]}
        )
        values = json.loads(data)
        values |= {"started": datetime.fromisoformat(values["started"]), "heads": tuple(values["heads"])}
        header = JournalHeader(fence=fence, step=step, **values)
        return header, [JournalRow(ordinal, digest, text, state) for ordinal, digest, text, state, _ in rows]

    def write(self, header: JournalHeader, rows: Sequence[JournalRow], *, new: bool = False) -> None:
        """Write rows, each anew when it is there, in one statement; part of the transaction that is open, if one is.

        :raises LeaseLost: another run has the lock by now; nothing was written.
        """
        self._at = (header.fence, header.step)
        self._current = header
        inside = self._stores.is_inside()
        if inside and rows:
            self._inside[rows[-1].ordinal] = rows[-1]
            if all(row.state == "refused" for row in rows):
                return  # the transaction is aborted, and its rows are gone with it
        if new:
            self._header = header
            self._earlier |= {row.ordinal: row for row in rows[:-1]}
        self._write(header, rows)
        if not inside:
            self.committed()

    def _write(self, header: JournalHeader, rows: Sequence[JournalRow]) -> None:
        if self._header is not None:
            self._not_durable |= {row.ordinal: row for row in rows}
            rows = list(self._not_durable.values())
        written = [[row.ordinal, row.digest, row.text, row.state, self._data(row)] for row in rows]
        if self._header is not None:
            written.append([_HEADER, header.checksum, header.revision, "begun", _header_data(self._header)])
        if not written:
            return
        self._stores.write_under_fence(
            "UPSERT INTO {journal} (scope, fence, step, ordinal, digest, text, state, data) "
            "SELECT held.scope, CAST(:fence AS INT8), CAST(:step AS INT8), CAST(r.value->>0 AS INT8), r.value->>1, "
            "r.value->>2, r.value->>3, r.value->>4 FROM json_array_elements(CAST(:rows AS JSONB)) AS r (value), "
            f"{_HELD} RETURNING 1",
            fence=header.fence,
            step=header.step,
            rows=json.dumps(written).replace("\\u0000", ""),
        )

    def committed(self) -> None:
        """Hear that what was written is durable."""
        self._header = None
        self._not_durable, self._earlier, self._inside = {}, {}, {}

    def rolled_back(self) -> None:
        """Hear that the open transaction is rolled back; what it has sent is noted as refused.

        A revision may go on all the same, and the next run sends these statements again.
        """
        gone = [replace(row, state="refused") for row in self._inside.values()]
        self._inside = {}
        self._not_durable = dict(self._earlier) if self._header is not None else {}
        if gone and self._current is not None:
            with suppress(Exception):  # the first error is the one to see
                self._write(self._current, gone)
                self.committed()

    @property
    def sent_inside(self) -> int:
        """How many statements the open transaction has sent."""
        return len(self._inside)

    def back_to(self, count: int) -> None:
        """Hear that only the first so many statements of the open transaction have stayed, behind a savepoint's end.

        :raises LeaseLost: another run has the lock by now.
        """
        gone = [replace(row, state="refused") for row in list(self._inside.values())[count:]]
        self._inside |= {row.ordinal: row for row in gone}
        if gone and self._current is not None:
            self._write(self._current, gone)

    def is_committed(self) -> bool:
        """Tell whether the transaction that was open is committed, by what it has written last."""
        if not self._inside:
            return True
        last = list(self._inside.values())[-1]
        return self.state(last.ordinal) == last.state

    def _data(self, row: JournalRow) -> str | None:
        return self._stores.evidence_for(row) if row.state == "sent" else None

    def _at_ordinal(self, column: str, ordinal: int) -> Any:
        rows = self._stores.ask(
            f"SELECT {column} FROM {{journal}} WHERE scope = CAST(:scope AS STRING) AND fence = CAST(:fence AS INT8) "
            "AND step = CAST(:step AS INT8) AND ordinal = CAST(:ordinal AS INT8)",
            fence=self._at[0],
            step=self._at[1],
            ordinal=ordinal,
        )
        return rows[0][0] if rows else None

    def state(self, ordinal: int) -> str | None:
        """Read the state of one statement; None when there is no row of it."""
        found: str | None = self._at_ordinal("state", ordinal)
        return found

    def data(self, ordinal: int) -> Mapping[str, Any] | None:
        """Read what is kept with a statement that was sent; None when there is nothing."""
        found = self._at_ordinal("data", ordinal)
        return None if found is None else dict(json.loads(found))

    def forget(self, before: int) -> None:
        """Delete the journals of all fences below ``before``."""
        self._stores.ask(
            "DELETE FROM {journal} WHERE scope = CAST(:scope AS STRING) AND fence < CAST(:fence AS INT8)", fence=before
        )


def _header_data(header: JournalHeader) -> str:
    values = asdict(header)
    del values["fence"], values["step"]
    return json.dumps({**values, "started": header.started.isoformat()})

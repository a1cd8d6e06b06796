"""The checkpoint of a backfill on CockroachDB: a row for the backfill, and one for each range.

A worker moves its range's row in the transaction that changes the rows, on the condition that the row is where the
worker thinks it is and that the fence is its own. So whatever is lost between the two, every row is changed once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy.engine import Connection

from alembic_cluster.backfill_source import BACKFILL_TABLE, SKIPPED_TABLE, Header, Range, State, Totals
from alembic_cluster.stores import LeaseStore
from alembic_crdb.raw import NO_TABLE, sqlstate_of, tell
from alembic_crdb.stores import CockroachStores

_HEADER: Final = 0
_TABLES: Final = {
    BACKFILL_TABLE: """(
        job STRING NOT NULL, number INT8 NOT NULL, fence INT8 NOT NULL, state STRING NOT NULL, begins STRING,
        ends STRING, reached STRING, rows_read INT8 NOT NULL, rows_changed INT8 NOT NULL, rows_skipped INT8 NOT NULL,
        digest STRING, changed_at TIMESTAMPTZ NOT NULL DEFAULT now(), PRIMARY KEY (job, number)
    )"""
}
_SKIPPED: Final = {
    SKIPPED_TABLE: """(
        job STRING NOT NULL, table_name STRING NOT NULL, row_key STRING NOT NULL, error STRING NOT NULL,
        skipped_at TIMESTAMPTZ NOT NULL DEFAULT now(), PRIMARY KEY (job, table_name, row_key)
    )"""
}
_COLUMNS: Final = "number, begins, ends, reached, rows_read, rows_changed, rows_skipped, state"


class CockroachCheckpoint:
    """The rows of one backfill.

    :param connection: in autocommit, and in one thread's hands.
    :param job: the backfill's name.
    :param with_skipped: whether rows may be skipped into the side table.
    """

    def __init__(self, connection: Connection, job: str, *, with_skipped: bool = False) -> None:
        self._stores = CockroachStores(connection, f"backfill {job}")
        self._connection = connection
        self._job = job
        self._with_skipped = with_skipped

    @property
    def lease(self) -> LeaseStore:
        """The lease of the one that runs it."""
        return self._stores.lease

    def prepare(self) -> None:
        """Create the tables that are missing. Processes that do so at the same time end with the same tables."""
        self._stores.create_lock()
        self._stores.create({**_TABLES, **(_SKIPPED if self._with_skipped else {})})

    def _ask(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        text = (
            f"{statement} WHERE job = CAST(:job AS STRING)"
            if "{where}" not in statement
            else statement.format(where="WHERE job = CAST(:job AS STRING)")
        )
        return self._stores.again(lambda: tell(self._connection, text, job=self._job, **values))

    def read(self) -> Header | None:
        """Read how it stands; None when there is none of this name, or no table yet."""
        try:
            rows = self._ask(f"SELECT digest, state FROM {BACKFILL_TABLE} {{where}} AND number = 0")
        except Exception as error:
            if sqlstate_of(error) == NO_TABLE:
                return None
            raise
        return Header(*rows[0]) if rows else None

    def begin(self, fence: int, digest: str, *, anew: bool) -> None:
        """Have it run under a lease: what runs under an earlier one notes nothing more."""
        if anew:
            self._ask(f"DELETE FROM {BACKFILL_TABLE}")
            if self._with_skipped:
                self._ask(f"DELETE FROM {SKIPPED_TABLE}")
        self._stores.again(
            lambda: tell(
                self._connection,
                f"INSERT INTO {BACKFILL_TABLE} (job, number, fence, state, rows_read, rows_changed, rows_skipped, "
                "digest) VALUES (CAST(:job AS STRING), 0, CAST(:fence AS INT8), 'planning', 0, 0, 0, "
                "CAST(:digest AS STRING)) ON CONFLICT (job, number) DO NOTHING",
                job=self._job,
                fence=fence,
                digest=digest,
            )
        )
        self._ask(
            f"UPDATE {BACKFILL_TABLE} SET fence = CAST(:fence AS INT8) {{where}} AND (number = 0 OR state <> 'done')",
            fence=fence,
        )

    def unfinished(self) -> Iterator[Range]:
        """Give the ranges that are not done, in order."""
        query = f"SELECT {_COLUMNS} FROM {BACKFILL_TABLE} {{where}} AND number > 0 AND state <> 'done' ORDER BY number"
        return iter([_range(row) for row in self._ask(query)])

    def last(self) -> Range | None:
        """Give the range with the highest number."""
        query = f"SELECT {_COLUMNS} FROM {BACKFILL_TABLE} {{where}} AND number > 0 ORDER BY number DESC LIMIT 1"
        rows = self._ask(query)
        return _range(rows[0]) if rows else None

    def add(self, ranges: Sequence[Range]) -> None:
        """Note ranges, all of them new, all or none."""
        given = json.dumps([[each.number, each.lower, each.upper] for each in ranges])
        self._stores.again(
            lambda: tell(
                self._connection,
                f"INSERT INTO {BACKFILL_TABLE} (job, number, fence, state, begins, ends, rows_read, rows_changed, "
                "rows_skipped) SELECT CAST(:job AS STRING), CAST(each->>0 AS INT8), header.fence, 'open', "
                "each->>1, each->>2, 0, 0, 0 FROM jsonb_array_elements(CAST(:given AS JSONB)) AS t (each), "
                f"{BACKFILL_TABLE} AS header WHERE header.job = CAST(:job AS STRING) AND header.number = 0",
                job=self._job,
                given=given,
            )
        )

    def write_state(self, state: State) -> None:
        """Note that all ranges are known, or done."""
        self._ask(
            f"UPDATE {BACKFILL_TABLE} SET state = CAST(:state AS STRING), changed_at = now() {{where}} AND number = 0",
            state=state,
        )

    def totals(self) -> Totals:
        """Count what is done."""
        query = (
            "SELECT count(*) FILTER (WHERE state = 'done'), count(*), CAST(coalesce(sum(rows_read), 0) AS INT8), "
            "CAST(coalesce(sum(rows_changed), 0) AS INT8), CAST(coalesce(sum(rows_skipped), 0) AS INT8) "
            f"FROM {BACKFILL_TABLE} {{where}} AND number > 0"
        )
        return Totals(*map(int, self._ask(query)[0]))

    # ------------------------------------------------------------------------------------------- of one range

    def read_range(self, number: int) -> tuple[Range, int] | None:
        """Read a range and the fence that it may be moved under."""
        rows = self._ask(
            f"SELECT {_COLUMNS}, fence FROM {BACKFILL_TABLE} {{where}} AND number = CAST(:number AS INT8)",
            number=number,
        )
        return (_range(rows[0][:-1]), int(rows[0][-1])) if rows else None

    def move(self, before: Range, after: Range, fence: int) -> bool:
        """Move a range's row, in the transaction that is open; False when it isn't where it was seen.

        The row is locked by this, so that no other worker has the same rows in hand.
        """
        rows = tell(
            self._connection,
            f"UPDATE {BACKFILL_TABLE} SET reached = CAST(:reached AS STRING), rows_read = CAST(:read AS INT8), "
            "rows_changed = CAST(:changed AS INT8), rows_skipped = CAST(:skipped AS INT8), "
            "state = CAST(:state AS STRING), changed_at = now() WHERE job = CAST(:job AS STRING) "
            "AND number = CAST(:number AS INT8) AND fence = CAST(:fence AS INT8) AND state <> 'done' "
            "AND reached IS NOT DISTINCT FROM CAST(:before AS STRING) RETURNING number",
            reached=after.position,
            read=after.read,
            changed=after.changed,
            skipped=after.skipped,
            state="done" if after.done else "open",
            job=self._job,
            number=before.number,
            fence=fence,
            before=before.position,
        )
        return bool(rows)

    def moving(self, before: Range, after: Range, fence: int, update: str) -> tuple[str, dict[str, Any]]:
        """Write a statement that changes rows and moves a range's row, or neither.

        :param update: the UPDATE, to which a condition is added.
        :param after: without the number of rows that it changes, which the statement adds, and gives.
        :return: the statement with ``:name`` parameters, and their values. It gives no row when the range's row isn't
            where it was seen.
        """
        here = "job = CAST(:backfill_job AS STRING) AND number = CAST(:backfill_number AS INT8)"
        statement = (
            f"WITH guard AS (SELECT number FROM {BACKFILL_TABLE} WHERE {here} "
            "AND fence = CAST(:backfill_fence AS INT8) AND state <> 'done' "
            "AND reached IS NOT DISTINCT FROM CAST(:backfill_before AS STRING) FOR UPDATE), "
            f"changed AS ({update} AND EXISTS (SELECT 1 FROM guard) RETURNING 1), "
            f"moved AS (UPDATE {BACKFILL_TABLE} SET reached = CAST(:backfill_reached AS STRING), "
            "rows_read = CAST(:backfill_read AS INT8), rows_changed = rows_changed + (SELECT count(*) FROM changed), "
            f"state = CAST(:backfill_state AS STRING), changed_at = now() WHERE {here} "
            "AND EXISTS (SELECT 1 FROM guard) RETURNING rows_changed) SELECT rows_changed FROM moved"
        )
        values = {
            "job": self._job, "number": before.number, "fence": fence, "before": before.position,
            "reached": after.position, "read": after.read, "state": "done" if after.done else "open",
        }  # fmt: skip
        return statement, {f"backfill_{name}": value for name, value in values.items()}

    def skip(self, table: str, key: str, error: str) -> None:
        """Note a row that was skipped, in the transaction that is open."""
        tell(
            self._connection,
            f"UPSERT INTO {SKIPPED_TABLE} (job, table_name, row_key, error, skipped_at) VALUES (CAST(:job AS STRING), "
            "CAST(:table AS STRING), CAST(:key AS STRING), CAST(:error AS STRING), now())",
            job=self._job,
            table=table,
            key=key,
            error=error,
        )


def _range(row: Sequence[Any]) -> Range:
    number, lower, upper, position, read, changed, skipped, state = row
    done = state == "done"
    return replace(Range(int(number), lower, upper, position), read=read, changed=changed, skipped=skipped, done=done)

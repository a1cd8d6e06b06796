"""The checkpoint of a backfill on Cassandra and ScyllaDB: one partition, a row for each range.

Whatever changes what another process may change is a conditional write, so that no clock decides: a range is done once,
and only under the fence of the run that has the lease. A backfill that begins anew has rows of a new generation.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from typing import Any, Final

from sqlalchemy.engine import Connection

from alembic_cluster.backfill_source import BACKFILL_TABLE, SKIPPED_TABLE, Header, Range, State, Totals
from alembic_cluster.errors import LeaseLost, OutcomeUnknown
from alembic_cluster.stores import LeaseStore
from alembic_cql._exceptions import ProgrammingError
from alembic_cql.queries import is_missing, is_unanswered
from alembic_cql.stores import CqlStores

_TRIES: Final = 5
_TABLES: Final = {
    BACKFILL_TABLE: (
        "job text, fence bigint static, generation bigint static, digest text static, state text static, "
        "run bigint, number int, begins text, ends text, reached text, rows_read bigint, rows_changed bigint, "
        "rows_skipped bigint, done boolean, PRIMARY KEY (job, run, number)",
        "What is done of backfills",
    )
}
_SKIPPED: Final = {
    SKIPPED_TABLE: (
        "job text, table_name text, row_key text, error text, skipped_at timestamp, "
        "PRIMARY KEY (job, table_name, row_key)",
        "Rows that backfills skipped",
    )
}
_COLUMNS: Final = "number, begins, ends, reached, rows_read, rows_changed, rows_skipped, done"


class CqlCheckpoint:
    """The rows of one backfill.

    :param keyspace: where the tables of this package are.
    :param job: the backfill's name.
    :param with_skipped: whether rows may be skipped into the side table.
    """

    def __init__(self, connection: Connection, keyspace: str, job: str, *, with_skipped: bool = False) -> None:
        self._stores = CqlStores(connection, f"backfill {job}", keyspace)
        self._job = job
        self._with_skipped = with_skipped
        self._table = self._stores.name(BACKFILL_TABLE)
        self._side = self._stores.name(SKIPPED_TABLE)
        self._generation: int | None = None

    @property
    def lease(self) -> LeaseStore:
        """The lease of the one that runs it."""
        return self._stores.lease

    def prepare(self) -> None:
        """Create the tables that are missing. Processes that do so at the same time end with the same tables."""
        self._stores.create_lock()
        self._stores.create({**_TABLES, **(_SKIPPED if self._with_skipped else {})})

    def read(self) -> Header | None:
        """Read how it stands; None when there is none of this name, or no table yet."""
        found = self._head()
        return None if found is None else Header(found[0], found[1])

    def _head(self) -> tuple[str, State, int, int] | None:
        try:
            rows = self._stores.ask(
                f"SELECT digest, state, fence, generation FROM {self._table} WHERE job = ? LIMIT 1",
                self._job,
                serial=True,
            )
        except ProgrammingError as error:
            if is_missing(error):
                return None
            raise
        return (*rows[0][:2], int(rows[0][2]), int(rows[0][3])) if rows and rows[0][0] is not None else None

    def begin(self, fence: int, digest: str, *, anew: bool) -> None:
        """Have it run under a lease: what runs under an earlier one notes nothing more.

        :raises LeaseLost: it runs under a later one.
        """
        before = self._head()
        generation = fence if anew or before is None else before[3]
        state = "planning" if anew or before is None else before[1]
        values: list[Any] = [fence, generation, digest, state, self._job]
        condition = "fence = null"
        if before is not None:
            condition = "fence = ?"
            values.append(before[2])
        self._decide(
            f"UPDATE {self._table} SET fence = ?, generation = ?, digest = ?, state = ? WHERE job = ? IF {condition}",
            values,
            lambda: (self._head() or (None, None, None))[2] == fence,
        )
        self._generation = generation
        if anew and before is not None:
            self._stores.write(f"DELETE FROM {self._table} WHERE job = ? AND run < ?", self._job, generation)
            if self._with_skipped:
                self._stores.write(f"DELETE FROM {self._side} WHERE job = ?", self._job)

    def _decide(self, cql: str, values: Sequence[Any], is_done: Any) -> None:
        """Send a conditional write until it is applied, or it is known that somebody was quicker.

        :raises LeaseLost: it wasn't applied.
        :raises OutcomeUnknown: the server gave no answer.
        """
        for attempt in range(_TRIES):
            try:
                applied = self._stores.decide(cql, *values)[0][0]
            except Exception as error:
                if not is_unanswered(error):
                    raise
                time.sleep(0.1 * 2**attempt)
                if is_done():
                    return
                continue
            if applied or is_done():
                return
            raise LeaseLost(
                f"another process runs the backfill {self._job!r} by now, or has begun it anew: this one has ended, "
                "and what it did is noted"
            )
        raise OutcomeUnknown(
            f"the server did not say whether the checkpoint of the backfill {self._job!r} was written. What was "
            "changed stays; start it again, and it goes on from what is noted"
        )

    def _run(self) -> int:
        if self._generation is None:
            found = self._head()
            self._generation = -1 if found is None else found[3]
        return self._generation

    def _ranges(self, more: str = "") -> Iterator[Range]:
        if self._run() < 0:
            return
        rows = self._stores.ask(
            f"SELECT {_COLUMNS} FROM {self._table} WHERE job = ? AND run = ?{more}", self._job, self._run()
        )
        for row in rows:
            yield _range(row)

    def unfinished(self) -> Iterator[Range]:
        """Give the ranges that are not done, in order."""
        return (each for each in self._ranges() if not each.done)

    def last(self) -> Range | None:
        """Give the range with the highest number."""
        return next(self._ranges(" ORDER BY run DESC, number DESC LIMIT 1"), None)

    def add(self, ranges: Sequence[Range]) -> None:
        """Note ranges, all of them new."""
        run = self._run()
        self._stores.write_all(
            f"INSERT INTO {self._table} (job, run, number, begins, ends, rows_read, rows_changed, rows_skipped, done) "
            "VALUES (?, ?, ?, ?, ?, 0, 0, 0, false) IF NOT EXISTS",
            [(self._job, run, each.number, each.lower, each.upper) for each in ranges],
        )

    def write_state(self, state: State) -> None:
        """Note that all ranges are known, or done."""
        found = self._head()
        assert found is not None
        self._decide(
            f"UPDATE {self._table} SET state = ? WHERE job = ? IF fence = ?",
            [state, self._job, found[2]],
            lambda: (self._head() or (None, None))[1] == state,
        )

    def totals(self) -> Totals:
        """Count what is done."""
        done = known = read = changed = skipped = 0
        for each in self._ranges():
            known += 1
            done += each.done
            read, changed, skipped = read + each.read, changed + each.changed, skipped + each.skipped
        return Totals(done, known, read, changed, skipped)

    # ------------------------------------------------------------------------------------------- of one range

    def read_range(self, number: int) -> Range | None:
        """Read a range."""
        rows = self._stores.ask(
            f"SELECT {_COLUMNS} FROM {self._table} WHERE job = ? AND run = ? AND number = ?",
            self._job,
            self._run(),
            number,
            serial=True,
        )
        return _range(rows[0]) if rows else None

    def move(self, after: Range, fence: int) -> None:
        """Note how far a range is.

        :raises LeaseLost: another run has taken over, or the range is done already.
        """
        self._decide(
            f"UPDATE {self._table} SET reached = ?, rows_read = ?, rows_changed = ?, rows_skipped = ?, done = ? "
            "WHERE job = ? AND run = ? AND number = ? IF fence = ? AND done = false",
            [
                after.position, after.read, after.changed, after.skipped, after.done, self._job, self._run(),
                after.number, fence,
            ],
            lambda: self._is_noted(after),
        )  # fmt: skip

    def _is_noted(self, after: Range) -> bool:
        """Tell whether a range stands there as it was written, or as another worker has done it meanwhile."""
        now = self.read_range(after.number)
        return now is not None and (now.done or (now.position, now.read) == (after.position, after.read))

    def skip(self, table: str, key: str, error: str) -> None:
        """Note a row that was skipped."""
        self._stores.write(
            f"INSERT INTO {self._side} (job, table_name, row_key, error, skipped_at) VALUES (?, ?, ?, ?, ?)",
            self._job,
            table,
            key,
            error,
            datetime.now(timezone.utc),
        )


def _range(row: Sequence[Any]) -> Range:
    number, lower, upper, position, read, changed, skipped, done = row
    return Range(int(number), lower, upper, position, int(read), int(changed), int(skipped), bool(done))

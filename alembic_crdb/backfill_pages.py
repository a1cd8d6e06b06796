"""One page of a backfill: read, changed, and noted in the checkpoint, in one transaction."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from alembic_cluster.backfill_rows import Changes, RowError, key_text, row_failed
from alembic_cluster.backfill_source import Range, Watch
from alembic_cluster.errors import first_line
from alembic_crdb.backfill_checkpoint import CockroachCheckpoint
from alembic_crdb.backfill_reads import Reads, Row
from alembic_crdb.backfill_writes import PageWrites
from alembic_crdb.raw import sqlstate_of


class Pages:
    """Does one page after the other on one connection."""

    def __init__(self, reads: Reads, connection: Connection, checkpoint: CockroachCheckpoint, watch: Watch) -> None:
        key, types = reads.key, reads.types
        self._reads = reads
        self._job = reads.job
        self._connection = connection
        self._checkpoint = checkpoint
        self._key = key
        self._watch = watch
        self._place: tuple[int, str | None] = (0, None)  # where the pages that are known begin
        self._ends: deque[str] = deque()
        change = self._job.change
        self._writes = PageWrites(connection, reads.quoted, key, types, change)
        self._changes = None if change.function is None else Changes(change, key.names, types.names, types.mutable)

    def do(self, before: Range) -> Range | None:
        """Change the next rows of a range and move its checkpoint; None when the checkpoint has moved meanwhile."""
        try:
            return self._by_expression(before) if self._changes is None else self._by_function(before)
        except DBAPIError as error:
            if not _is_about_values(error):
                raise
            with suppress(Exception):
                self._connection.exec_driver_sql("ROLLBACK")
            return self._row_by_row(before)

    def _by_expression(self, before: Range) -> Range | None:
        """Change a page by one statement, which is its own transaction: that is half of what a longer one costs."""
        begin = before.position or before.lower
        ends = self._ends_behind(before.number, begin, before.upper)
        end = ends[0] if ends else None
        upper = before.upper if end is None else end
        rows = self._job.options.batch_rows if end is not None else self._writes.count(begin, upper)
        after = replace(before, position=upper, read=before.read + rows, done=end is None)
        update, values = self._writes.updating(begin, upper)
        statement, more = self._checkpoint.moving(before, after, self._watch.fence, update)
        found = self._connection.execute(text(statement), {**values, **more}).scalar()
        if ends:
            ends.popleft()
        self._place = (before.number, upper)
        return None if found is None else replace(after, changed=int(found))

    def _ends_behind(self, number: int, begin: str | None, upper: str | None) -> deque[str]:
        """Give where the pages of a range end that are left; asked once for a range."""
        if self._place != (number, begin):
            self._ends = deque(self._reads.steps(self._connection, begin, upper, self._job.options.batch_rows))
        return self._ends

    def _by_function(self, before: Range) -> Range | None:
        early = self._computed_early(before) if self._job.options.as_of is not None else {}
        self._begin()
        rows, after = self._reads.page(self._connection, before, lock=True)
        fresh = [row for row in rows if row.place not in early or early[row.place][0] != row]
        found = {row.place: each for row, each in zip(fresh, self._of(fresh), strict=True)}
        changes = [(row, found[row.place] if row.place in found else early[row.place][1]) for row in rows]
        good = [(row.place, each) for row, each in changes if isinstance(each, dict)]
        bad = [(row, each) for row, each in changes if isinstance(each, RowError)]
        for row, each in bad:
            self._skip(row, each.error)
        changed = self._writes.write(good)
        after = replace(after, changed=before.changed + changed, skipped=before.skipped + len(bad))
        return self._commit(before, after)

    def _of(self, rows: Sequence[Any]) -> list[Any]:
        assert self._changes is not None
        return list(self._changes.of(rows, self._watch))

    def _computed_early(self, before: Range) -> dict[tuple[str, ...], tuple[Row, Any]]:
        """Call the function for rows as they were; what is otherwise by now is computed again under a lock."""
        rows, _ = self._reads.page(self._connection, before, lock=False)
        return {row.place: (row, each) for row, each in zip(rows, self._of(rows), strict=True)}

    def _row_by_row(self, before: Range) -> Range | None:
        """Do a page one row after the other, each behind a savepoint, to find those that the server refuses."""
        self._begin()
        rows, after = self._reads.page(self._connection, before, lock=True)
        found = [{}] * len(rows) if self._changes is None else self._of(rows)
        changed = skipped = 0
        for row, each in zip(rows, found, strict=True):
            if isinstance(each, RowError):
                self._skip(row, each.error)
                skipped += 1
                continue
            if each is None:
                continue
            self._connection.exec_driver_sql("SAVEPOINT backfill_row")
            try:
                if self._changes is None:
                    changed += self._writes.update_one(row.place)
                else:
                    changed += self._writes.write([(row.place, each)])
                self._connection.exec_driver_sql("RELEASE SAVEPOINT backfill_row")
            except DBAPIError as error:
                if not _is_about_values(error):
                    raise
                self._connection.exec_driver_sql("ROLLBACK TO SAVEPOINT backfill_row")
                self._skip(row, error.orig or error)
                skipped += 1
        after = replace(after, changed=before.changed + changed, skipped=before.skipped + skipped)
        return self._commit(before, after)

    def _skip(self, row: Mapping[str, Any], error: BaseException) -> None:
        if self._job.options.on_error == "stop":
            raise row_failed(self._job.name, self._job.table, row, self._key.names, error) from error
        key = key_text(row, self._key.names)
        self._checkpoint.skip(self._job.table, key, f"{type(error).__name__}: {first_line(error)}")

    def _begin(self) -> None:
        self._connection.exec_driver_sql("BEGIN")

    def _commit(self, before: Range, after: Range) -> Range | None:
        moved = self._checkpoint.move(before, after, self._watch.fence)
        self._connection.exec_driver_sql("COMMIT" if moved else "ROLLBACK")
        return after if moved else None


def _is_about_values(error: DBAPIError) -> bool:
    """Tell whether the server refuses the values of a row: classes 22 (data) and 23 (constraints) of SQLSTATE."""
    return sqlstate_of(error.orig)[:2] in ("22", "23")

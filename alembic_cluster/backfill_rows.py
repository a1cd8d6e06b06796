"""What a function says of rows, made into what is to be written; and the rows that it fails on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from alembic_cluster.backfill_job import Change
from alembic_cluster.backfill_source import Watch
from alembic_cluster.errors import BackfillRowFailed, InvalidBackfill, first_line


@dataclass(frozen=True)
class RowError:
    """A row that a function failed on, or whose new values can't be.

    :ivar row: as it was read.
    :ivar error: why.
    """

    row: Mapping[str, Any]
    error: Exception


class Changes:
    """Calls a change's function.

    :param key: the names of the table's key columns, which no function may change.
    :param known: the names of all columns.
    :param mutable: the names of those whose values a function could change in place.
    """

    def __init__(
        self, change: Change, key: Sequence[str], known: Collection[str], mutable: Collection[str] = ()
    ) -> None:
        assert change.function is not None
        self._function: Callable[..., Any] = change.function
        self._batched = change.batched
        self._is_async = change.is_async
        self._key = frozenset(key)
        self._known = frozenset(known)
        self._mutable = tuple(mutable)

    def of(self, rows: Sequence[dict[str, Any]], watch: Watch) -> list[dict[str, Any] | RowError | None]:
        """Give for each row the columns that change, with their new values; None for a row to leave alone.

        A function gets a copy of a row, may change it, and returns it, a mapping of new values, or None for the copy
        as it is now. What equals what was read is left out.

        :raises InvalidBackfill: a function of batches doesn't give as many values as it got rows.
        """
        copies = [self._copy(row) for row in rows]
        given = self._of_batch(copies, watch) if self._batched else self._of_rows(copies, watch)
        return [
            self._difference(row, copy if after is None else after)
            for row, copy, after in zip(rows, copies, given, strict=True)
        ]

    def _copy(self, row: dict[str, Any]) -> dict[str, Any]:
        copy = row.copy()
        for name in self._mutable:
            if name in copy:
                copy[name] = deepcopy(copy[name])
        return copy

    def _of_batch(self, copies: list[dict[str, Any]], watch: Watch) -> Sequence[Any]:
        try:
            given = self._function(copies)
            given = watch.wait_for(given) if self._is_async else given
        except Exception as error:
            if len(copies) == 1:
                return [error]
            return [self._of_batch([copy], watch)[0] for copy in copies]  # one by one, to see which row it is
        given = copies if given is None else list(given)
        if len(given) != len(copies):
            raise InvalidBackfill(
                f"the function of a backfill got {len(copies)} rows and gave {len(given)} values: it gives one for "
                "each row; nothing of this batch was changed"
            )
        return given

    def _of_rows(self, copies: list[dict[str, Any]], watch: Watch) -> Sequence[Any]:
        function = self._function
        if self._is_async:

            async def gather() -> Any:
                return await asyncio.gather(*map(function, copies), return_exceptions=True)

            together: Sequence[Any] = watch.wait_for(gather())
            return together
        found: list[Any] = []
        for copy in copies:
            try:
                found.append(function(copy))
            except Exception as error:
                found.append(error)
        return found

    def _difference(self, row: Mapping[str, Any], after: Any) -> dict[str, Any] | RowError | None:
        if isinstance(after, Exception):
            return RowError(row, after)
        if not isinstance(after, Mapping):
            return RowError(row, TypeError(f"the function gave {type(after).__name__}, not a mapping of columns"))
        found = {}
        for name, value in after.items():
            if name in row:
                before = row[name]
                if before is value or (type(before) is type(value) and before == value):
                    continue
            if name in self._key:
                return RowError(row, ValueError(f"the function changes {name!r}, which is in the primary key"))
            if name not in self._known:
                return RowError(row, ValueError(f"the function sets {name!r}, and the table has no such column"))
            found[name] = value
        return found or None


def key_text(row: Mapping[str, Any], key: Sequence[str]) -> str:
    """Write a row's key as JSON, for people and for the side table."""
    return json.dumps({name: row.get(name) for name in key}, default=str, ensure_ascii=False)


def row_failed(
    job_name: str, table: str, row: Mapping[str, Any], key: Sequence[str], error: BaseException
) -> BackfillRowFailed:
    """Make the error for a row that ends a backfill."""
    shown = key_text(row, key)
    return BackfillRowFailed(
        f"the backfill {job_name!r} stopped at the row {shown} of table {table!r}: {type(error).__name__}: "
        f"{first_line(error).rstrip('.')}. This row was not changed; what was done before is noted. Mend the row or "
        "the function and start it again, and it goes on there; on_error='skip' notes such rows and goes on",
        key={name: row.get(name) for name in key},
    )

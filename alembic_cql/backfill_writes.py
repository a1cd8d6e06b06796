"""Rows of one token range on their way to the server: grouped, so many at a time, each tried again by itself.

Rows of one range have the same replicas, so up to ten of them travel in one unlogged batch that any replica takes: a
driver written in Python is busy with requests, not with rows. Ten partitions and 5 KiB are where servers begin to warn
(cassandra.yaml: ``unlogged_batch_across_partitions_warn_threshold``, ``batch_size_warn_threshold``).
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from alembic_cluster.errors import first_line
from alembic_cql._exceptions import OperationalError, map_exception
from alembic_cql.backfill_statements import Statements

log = logging.getLogger("alembic.cluster")

_IN_FLIGHT: Final = 32  # requests of one range
_ROWS: Final = 10
_BYTES: Final = 4096

Failed = Callable[[Mapping[str, Any], BaseException], None]
_Group = list[tuple[Mapping[str, Any], Sequence[Any]]]  # rows with their updates
_Plan = tuple[Any, list[Callable[[Any], Any]], list[tuple[str, Any]]]  # an update, with what makes its parameters


class RowWrites:
    """Writes the rows of a range.

    :param failed: is told of a row whose values the driver or the server refuses.
    :param tries: how often a request is tried.
    :ivar applied: rows that were changed.
    """

    def __init__(self, session: Any, statements: Statements, failed: Failed, tries: int) -> None:
        from cassandra.query import UNSET_VALUE, BatchStatement, BatchType

        self.applied = 0
        self._session = session
        self._statements = statements
        self._failed = failed
        self._tries = tries
        self._flying: deque[tuple[Any, Any, _Group]] = deque()
        self._group: _Group = []
        self._size = 0
        self._plans: dict[tuple[str, ...], _Plan] = {}
        self._unset: Any = UNSET_VALUE
        self._single = statements.is_conditional
        self._make_batch: Callable[[], Any] = lambda: BatchStatement(BatchType.UNLOGGED)

    def write(self, row: Mapping[str, Any], values: Mapping[str, Any], left: Mapping[str, int], stamp: int) -> None:
        """Set columns of a row.

        :param row: as it was read.
        :param left: seconds that its values have left to live.
        :param stamp: the write time, in microseconds since 1970.
        """
        try:
            bounds = []
            for seconds, names in self._statements.lifetimes.group(tuple(values), left):
                prepared, writers, key = self._plan(names)
                new = map(values.__getitem__, names)
                given = [None if each is None else write(each) for each, write in zip(new, writers, strict=True)]
                bounds.append(self._bound(prepared, given, key, row, stamp, seconds))
        except Exception as error:  # the driver's types raise what they like; nothing was sent
            self._failed(row, error)
            return
        self._add(row, bounds)

    def write_expression(
        self, row: Mapping[str, Any], given: Mapping[str, Sequence[Any]], left: Mapping[str, int], stamp: int
    ) -> None:
        """Change a row by the expression.

        :param given: values of the expression's parameters by the column that they are for.
        """
        bounds = []
        for seconds, names in self._statements.lifetimes.group(tuple(given), left):
            prepared, _, key = self._plan(names)
            values = [value for name in names for value in given[name]]
            bounds.append(self._bound(prepared, values, key, row, stamp, seconds))
        self._add(row, bounds)

    def _plan(self, names: tuple[str, ...]) -> _Plan:
        found = self._plans.get(names)
        if found is None:
            statements = self._statements
            key = [(name, statements.writer(name)) for name in statements.key_for(names)]
            writers = [statements.writer(name) for name in names]
            found = self._plans[names] = statements.updating(names), writers, key
        return found

    def _bound(
        self,
        prepared: Any,
        given: list[Any],
        key: Sequence[tuple[str, Any]],
        row: Mapping[str, Any],
        stamp: int,
        seconds: int | None,
    ) -> Any:
        """Bind an update; None for a partition that has static columns and no row."""
        parameters = [write(row[name]) for name, write in key if row[name] is not None]
        if len(parameters) < len(key):
            return None
        lifetime = self._unset if seconds is None else seconds
        if self._single:
            only_if = self._statements.only_if
            found = [None if row[name] is None else self._statements.writer(name)(row[name]) for name in only_if]
            return prepared.bind([lifetime, *given, *parameters, *found])
        bound = prepared.bind([stamp, lifetime, *given, *parameters])
        bound.is_idempotent = True
        return bound

    def _add(self, row: Mapping[str, Any], bounds: Sequence[Any]) -> None:
        bounds = [bound for bound in bounds if bound is not None]
        if not bounds:
            return
        if self._single:
            self._send([(row, bounds)])
            return
        size = sum(len(value) for bound in bounds for value in bound.values if isinstance(value, bytes))
        if self._group and (len(self._group) >= _ROWS or self._size + size > _BYTES):
            self._send_group()
        self._group.append((row, bounds))
        self._size += size

    def _send_group(self) -> None:
        if self._group:
            group, self._group, self._size = self._group, [], 0
            self._send(group)

    def _send(self, group: _Group) -> None:
        if len(self._flying) >= _IN_FLIGHT:
            self._land_one()
        request = self._request([bound for _, bounds in group for bound in bounds])
        self._flying.append((self._session.execute_async(request), request, group))

    def _request(self, bounds: Sequence[Any]) -> Any:
        """Make one request of some updates."""
        if len(bounds) == 1:
            return bounds[0]
        batch = self._make_batch()
        for bound in bounds:
            batch.add(bound)
        batch.is_idempotent = not self._single
        return batch

    def settle(self) -> None:
        """Send what is left and wait for every answer."""
        self._send_group()
        while self._flying:
            self._land_one()

    def abandon(self) -> None:
        """Wait for what is under way, whatever comes of it, and forget the rest."""
        self._group = []
        flying, self._flying = self._flying, deque()
        for future, _, _ in flying:
            try:
                future.result()
            except Exception as error:
                log.debug("a write of a batch that is given up failed: %s", first_line(error))

    def _land_one(self) -> None:
        future, request, group = self._flying.popleft()
        try:
            result = future.result()
        except Exception as error:
            result = self._again(request, group, error)
            if result is None:
                return
        self.applied += len(group) if not self._single else int(result.was_applied)

    def _again(self, request: Any, group: _Group, error: Exception) -> Any:
        """Try a request again that got no answer; find the row of one that was refused.

        :return: what the server answered in the end; None where that is counted already.
        """
        for attempt in range(1, self._tries + 1):
            if not isinstance(map_exception(error), OperationalError):
                if len(group) > 1:
                    for row, bounds in group:
                        self._alone(row, bounds)
                else:
                    self._failed(group[0][0], error)
                return None
            if attempt == self._tries:
                break
            time.sleep(min(0.05 * 2**attempt, 5.0))
            try:
                return self._session.execute(request)
            except Exception as once_more:
                error = once_more
        raise error

    def _alone(self, row: Mapping[str, Any], bounds: Sequence[Any]) -> None:
        request = self._request(bounds)
        try:
            self._session.execute(request)
        except Exception as error:
            if self._again(request, [(row, bounds)], error) is None:
                return
        self.applied += 1

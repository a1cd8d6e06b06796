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


class RowWrites:
    """Writes the rows of a range.

    :param failed: is told of a row whose values the driver or the server refuses.
    :param tries: how often a request is tried.
    :ivar applied: rows that were changed.
    """

    def __init__(self, session: Any, statements: Statements, failed: Failed, tries: int) -> None:
        from cassandra.query import BatchStatement, BatchType

        self.applied = 0
        self._session = session
        self._statements = statements
        self._failed = failed
        self._tries = tries
        self._flying: deque[tuple[Any, Any, list[tuple[Mapping[str, Any], Any]]]] = deque()
        self._group: list[tuple[Mapping[str, Any], Any]] = []
        self._size = 0
        self._plans: dict[tuple[str, ...], tuple[Any, list[Callable[[Any], Any]], list[tuple[str, Any]]]] = {}
        self._single = statements.is_conditional
        self._make_batch: Callable[[], Any] = lambda: BatchStatement(BatchType.UNLOGGED)

    def write(self, row: Mapping[str, Any], values: Mapping[str, Any], stamp: int) -> None:
        """Set columns of a row.

        :param row: as it was read.
        :param stamp: the write time, in microseconds since 1970.
        """
        prepared, writers, key = self._plan(tuple(values))
        try:
            new = values.values()
            given = [None if each is None else write(each) for each, write in zip(new, writers, strict=True)]
            bound = self._bound(prepared, given, key, row, stamp)
        except Exception as error:  # the driver's types raise what they like; nothing was sent
            self._failed(row, error)
            return
        self._add(row, bound)

    def write_expression(self, row: Mapping[str, Any], names: tuple[str, ...], given: list[Any], stamp: int) -> None:
        """Change a row by the expression.

        :param given: values of the expression's parameters.
        """
        prepared, _, key = self._plan(names)
        self._add(row, self._bound(prepared, given, key, row, stamp))

    def _plan(self, names: tuple[str, ...]) -> tuple[Any, list[Callable[[Any], Any]], list[tuple[str, Any]]]:
        found = self._plans.get(names)
        if found is None:
            statements = self._statements
            key = [(name, statements.writer(name)) for name in statements.key_for(names)]
            writers = [statements.writer(name) for name in names]
            found = self._plans[names] = statements.updating(names), writers, key
        return found

    def _bound(
        self, prepared: Any, given: list[Any], key: Sequence[tuple[str, Any]], row: Mapping[str, Any], stamp: int
    ) -> Any:
        """Bind an update; None for a partition that has static columns and no row."""
        parameters = [write(row[name]) for name, write in key if row[name] is not None]
        if len(parameters) < len(key):
            return None
        if self._single:
            only_if = self._statements.only_if
            found = [None if row[name] is None else self._statements.writer(name)(row[name]) for name in only_if]
            return prepared.bind([*given, *parameters, *found])
        bound = prepared.bind([stamp, *given, *parameters])
        bound.is_idempotent = True
        return bound

    def _add(self, row: Mapping[str, Any], bound: Any) -> None:
        if bound is None:
            return
        if self._single:
            self._send([(row, bound)])
            return
        size = sum(len(value) for value in bound.values if isinstance(value, bytes))
        if self._group and (len(self._group) >= _ROWS or self._size + size > _BYTES):
            self._send_group()
        self._group.append((row, bound))
        self._size += size

    def _send_group(self) -> None:
        if self._group:
            group, self._group, self._size = self._group, [], 0
            self._send(group)

    def _send(self, group: list[tuple[Mapping[str, Any], Any]]) -> None:
        if len(self._flying) >= _IN_FLIGHT:
            self._land_one()
        request = group[0][1]
        if len(group) > 1:
            request = self._make_batch()
            for _, bound in group:
                request.add(bound)
            request.is_idempotent = True
        self._flying.append((self._session.execute_async(request), request, group))

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

    def _again(self, request: Any, group: list[tuple[Mapping[str, Any], Any]], error: Exception) -> Any:
        """Try a request again that got no answer; find the row of one that was refused.

        :return: what the server answered in the end; None where that is counted already.
        """
        for attempt in range(1, self._tries + 1):
            if not isinstance(map_exception(error), OperationalError):
                if len(group) > 1:
                    for row, bound in group:
                        self._alone(row, bound)
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

    def _alone(self, row: Mapping[str, Any], bound: Any) -> None:
        try:
            self._session.execute(bound)
        except Exception as error:
            if self._again(bound, [(row, bound)], error) is None:
                return
        self.applied += 1

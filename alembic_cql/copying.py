"""Rows copied from one table to another, token range by token range, so that copying again changes nothing.

Each value keeps its write time and what is left of its time to live (``USING TIMESTAMP .. AND TTL ..``), so a newer
value that the program has written to the new table meanwhile stays, and a deleted one stays deleted. Server rules:
``WRITETIME`` and ``TTL`` of a column of several cells are lists since Cassandra 5.0 (CASSANDRA-8877) and refused
before; its row's write time stands in then. The same insert twice would double a list's elements, so a list that the
new table has is left alone. Counters are brought to the old table's values by adding the difference.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy.schema import ExecutableDDLElement

from alembic_cluster.errors import CopyFailed
from alembic_cql._exceptions import OperationalError, map_exception
from alembic_cql.copy_plan import CopyPlan, Side
from alembic_cql.types import LIST, SET, VECTOR

log = logging.getLogger("alembic.runtime.copy.cql")

RANGES = 64
IN_FLIGHT = 64
_TRIES = 5
_REPORT_EVERY = 10.0  # seconds
_OLDEST = 1  # microseconds since 1970: the write time of a row that shows none; whatever came after wins


class CopyRows(ExecutableDDLElement):
    """The rows of a table copied to another one: no statement of CQL's, and one to whoever counts statements.

    :param plan: which column goes where.
    """

    __visit_name__ = "copy_cql_rows"

    def __init__(self, plan: CopyPlan) -> None:
        self.plan = plan


def copy_rows(connection: Any, plan: CopyPlan, dialect: Any) -> int:
    """Copy all rows.

    :param connection: of :mod:`alembic_cql.dbapi`.
    :return: how many rows were read.
    :raises CopyFailed: for a row without a value for the new key.
    :raises Error: of DB-API, what the server refuses after several tries. What was copied stays; begin again.
    """
    return _Copier(connection, plan, dialect).run()


class _Copier:
    def __init__(self, connection: Any, plan: CopyPlan, dialect: Any) -> None:
        from cassandra.query import UNSET_VALUE

        self._connection = connection
        self._session = connection.live_session()
        self._plan = plan
        self._dialect = dialect
        self._unset = UNSET_VALUE
        self._flying: deque[Any] = deque()
        self._partition: tuple[Any, ...] | None = None
        self._functions = _functions(plan, dialect)
        self._values = list(dict.fromkeys([*plan.source.key.columns, *plan.columns.values()]))
        outside_key = [name for name in self._values if plan.source.kinds[name] in ("static", "regular")]
        self._timed = [] if plan.source.has_counters else [name for name in outside_key if self._has_time(name)]
        target = plan.target
        self._regular = [name for name in self._filled() if target.kinds[name] == "regular"]
        self._static = [name for name in self._filled() if target.kinds[name] == "static"]
        # A static column of a static one has one value a partition; one of a regular column may have many.
        self._statics_once = all(plan.source.kinds.get(plan.columns.get(name, "")) == "static" for name in self._static)
        self._lists = [name for name in self._regular + self._static if _is_open_list(target, name)]

    def _filled(self) -> Iterator[str]:
        return (name for name in self._plan.target.kinds if name in self._plan.columns or name in self._plan.fill)

    def _has_time(self, column: str) -> bool:
        return not self._plan.source.is_open(column) or self._dialect.features.times_of_collections

    # ---------------------------------------------------------------------------------------- reading

    def run(self) -> int:
        source, target = self._plan.source.name, self._plan.target.name
        count, reported = 0, time.monotonic()
        ranges = list(self._ranges())
        for number, bounds in enumerate(ranges, 1):
            count += self._retried(bounds)
            if time.monotonic() - reported > _REPORT_EVERY:
                reported = time.monotonic()
                log.info("Copied %d rows of %r to %r: range %d of %d", count, source, target, number, len(ranges))
        log.info("Copied %d rows of %r to %r", count, source, target)
        return count

    def _ranges(self) -> Iterator[tuple[int, int] | None]:
        """Give the token ranges, each without its lower bound; None for all rows where tokens are no numbers."""
        cursor = self._connection.cursor()
        cursor.execute("SELECT partitioner FROM system.local WHERE key = 'local'")
        if not str(cursor.fetchone()[0]).endswith("Murmur3Partitioner"):
            yield None
            return
        lowest, step = -(2**63), 2**64 // RANGES
        for number in range(RANGES):
            yield lowest + number * step, min(lowest + (number + 1) * step, 2**63 - 1)

    def _copy_range(self, bounds: tuple[int, int] | None) -> int:
        count, self._partition = 0, None
        for row in self._read(bounds):
            self._write(row)
            count += 1
        self._land(0)
        return count

    def _read(self, bounds: tuple[int, int] | None) -> Iterator[tuple[Any, ...]]:
        quote = self._quote
        wanted = [quote(name) for name in self._values]
        wanted += [f"{function}({quote(name)})" for name in self._timed for function in ("WRITETIME", "TTL")]
        cql = f"SELECT {', '.join(wanted)} FROM {self._name(self._plan.source)}"
        if bounds is not None:
            token = f"token({', '.join(map(quote, self._plan.source.key.partition))})"
            cql += f" WHERE {token} > ? AND {token} <= ?"
        yield from self._session.execute(self._connection._prepare(cql).bind(bounds or ()))

    def _retried(self, bounds: tuple[int, int] | None) -> int:
        for number in range(1, _TRIES + 1):
            try:
                return self._copy_range(bounds)
            except CopyFailed:
                raise
            except Exception as error:
                self._flying.clear()
                mapped = map_exception(error)
                if number == _TRIES or not isinstance(mapped, OperationalError):
                    raise mapped from error
                log.info("Copying stumbled (%s); once more in %d s", mapped, 2**number)
                time.sleep(2**number)
        raise AssertionError

    # ---------------------------------------------------------------------------------------- writing

    def _write(self, row: Sequence[Any]) -> None:
        plan = self._plan
        found = dict(zip(self._values, row, strict=False))
        times = _times(self._timed, row[len(self._values) :])
        values = {name: self._value(name, found.get(plan.columns.get(name, ""))) for name in plan.target.kinds}
        values = {name: value for name, value in values.items() if value is not None}
        key = [values.get(name) for name in plan.target.key.columns]
        partition = tuple(key[: len(plan.target.key.partition)])
        given = [name for name in self._regular if name in values]
        has_row = all(found[name] is not None for name, _ in plan.source.key.clustering)
        if None in partition or (None in key and (has_row or given)):
            lacking = plan.target.key.columns[key.index(None)]
            shown = ", ".join(f"{name}={found[name]!r}" for name in plan.source.key.columns)
            raise CopyFailed(
                f"the row {shown} of table {plan.source.name!r} has no value for {lacking!r}, which is in the key of "
                f"{plan.target.name!r}: say fill={{{lacking!r}: value}} and copy again; the rows before it are copied"
            )
        if plan.target.has_counters:
            self._count_up(key, {name: values[name] for name in given})
            return
        if self._lists:
            there = self._there(key, has_row)
            values = {name: value for name, value in values.items() if name not in there}
            given = [name for name in given if name in values]
        if has_row or given:
            self._write_row(key, {name: values[name] for name in given}, times)
        if self._static and not (self._statics_once and _partition_key(partition) == self._partition):
            update = self._update(self._static, plan.target.key.partition)
            statics = {name: values[name] for name in self._static if name in values}
            for written, group in self._groups(statics, times):
                self._send(update, written, group, self._static, partition)
        self._partition = _partition_key(partition)

    def _write_row(self, key: Sequence[Any], values: Mapping[str, Any], times: Mapping[str, Any]) -> None:
        """Insert with what lives longest, which the row itself then does too; the others are updates."""
        (written, group), *others = self._groups(values, times) or [((_OLDEST, 0), {})]
        self._send(self._insert(), written, group, self._regular, key, key_first=True)
        update = self._update(self._regular, self._plan.target.key.columns)
        for written, group in others:
            self._send(update, written, group, self._regular, key)

    def _groups(
        self, values: Mapping[str, Any], times: Mapping[str, tuple[int | None, int | None]]
    ) -> list[tuple[tuple[int, int], dict[str, Any]]]:
        """Put together what was written at one time, the longest to live first."""
        newest = max((written for written, _ in times.values() if written is not None), default=_OLDEST)
        groups: dict[tuple[int, int], dict[str, Any]] = {}
        for name, value in values.items():
            written, left = times.get(self._plan.columns.get(name, ""), (None, None))
            filled = name not in self._plan.columns
            default = _OLDEST if filled else newest
            groups.setdefault((default if written is None else written, left or 0), {})[name] = value
        return sorted(groups.items(), key=lambda item: (item[0][1] != 0, -item[0][1], item[0][0]))

    def _value(self, name: str, value: Any) -> Any:
        if value is None:
            fill = self._plan.fill.get(name)
            return None if fill is None else self._functions[name][1](fill)
        return self._functions[name][0](value)

    def _insert(self) -> str:
        columns = [*self._plan.target.key.columns, *self._regular]
        marks = ", ".join("?" for _ in columns)
        names = ", ".join(map(self._quote, columns))
        return f"INSERT INTO {self._name(self._plan.target)} ({names}) VALUES ({marks}) USING TIMESTAMP ? AND TTL ?"

    def _update(self, columns: Sequence[str], key: Sequence[str]) -> str:
        settings = ", ".join(f"{self._quote(name)} = ?" for name in columns)
        where = " AND ".join(f"{self._quote(name)} = ?" for name in key)
        return f"UPDATE {self._name(self._plan.target)} USING TIMESTAMP ? AND TTL ? SET {settings} WHERE {where}"

    def _send(
        self,
        cql: str,
        written: tuple[int, int],
        group: Mapping[str, Any],
        columns: Sequence[str],
        key: Sequence[Any],
        *,
        key_first: bool = False,
    ) -> None:
        values = [group.get(name, self._unset) for name in columns]
        self._fly(cql, [*key, *values, *written] if key_first else [*written, *values, *key])

    def _fly(self, cql: str, parameters: Sequence[Any]) -> None:
        bound = self._connection._prepare(cql).bind(parameters)
        bound.is_idempotent = True
        self._flying.append(self._session.execute_async(bound))
        self._land(IN_FLIGHT - 1)

    def _land(self, most: int) -> None:
        while len(self._flying) > most:
            self._flying.popleft().result()

    # ---------------------------------------------------------------------------------------- looking first

    def _there(self, key: Sequence[Any], has_row: bool) -> set[str]:
        """Give the lists that the new table's row has already."""
        names = self._lists if has_row else [name for name in self._lists if name in self._static]
        if not names:
            return set()
        columns = self._plan.target.key.columns if has_row else self._plan.target.key.partition
        row = self._select(names, columns, key[: len(columns)])
        return set() if row is None else {name for name, value in zip(names, row, strict=True) if value is not None}

    def _count_up(self, key: Sequence[Any], values: Mapping[str, int]) -> None:
        names = list(values)
        there = self._select(names, self._plan.target.key.columns, key) or [None] * len(names)
        missing = {
            name: values[name] - (before or 0)
            for name, before in zip(names, there, strict=True)
            if before is None or values[name] != before
        }
        if not missing:
            return
        settings = ", ".join(f"{self._quote(name)} = {self._quote(name)} + ?" for name in missing)
        where = " AND ".join(f"{self._quote(name)} = ?" for name in self._plan.target.key.columns)
        cql = f"UPDATE {self._name(self._plan.target)} SET {settings} WHERE {where}"
        # Not sent again by the driver: twice would count twice. A new try of the range looks first.
        self._session.execute(self._connection._prepare(cql).bind([*missing.values(), *key]))

    def _select(self, names: Iterable[str], key_names: Sequence[str], key: Sequence[Any]) -> Any:
        where = " AND ".join(f"{self._quote(name)} = ?" for name in key_names)
        columns = ", ".join(map(self._quote, names))
        cql = f"SELECT {columns} FROM {self._name(self._plan.target)} WHERE {where} LIMIT 1"
        return self._session.execute(self._connection._prepare(cql).bind(list(key))).one()

    def _quote(self, name: str) -> str:
        quoted: str = self._dialect.identifier_preparer.quote(name)
        return quoted

    def _name(self, side: Side) -> str:
        return self._quote(side.name) if side.schema is None else f"{self._quote(side.schema)}.{self._quote(side.name)}"


def _functions(plan: CopyPlan, dialect: Any) -> dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]]:
    """Give, by the target's column, what makes its value of the driver's, and of one of a program's."""
    result: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {}
    for name, kind in plan.target.types.items():
        bind = kind.dialect_impl(dialect).bind_processor(dialect) or _same
        if name in plan.convert:
            before = plan.source.types[plan.columns[name]]
            read = before.dialect_impl(dialect).result_processor(dialect, None) or _same
            result[name] = (_chain(read, plan.convert[name], bind), bind)
        else:
            result[name] = (plan.implied.get(name, _same), bind)
    return result


def _chain(*functions: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def apply(value: Any) -> Any:
        for function in functions:
            value = None if value is None else function(value)
        return value

    return apply


def _same(value: Any) -> Any:
    return value


def _times(names: Sequence[str], found: Sequence[Any]) -> dict[str, tuple[int | None, int | None]]:
    """Give write time and seconds left by column; of a column of several cells, those of its newest."""
    return {name: (_last(found[2 * place]), _last(found[2 * place + 1])) for place, name in enumerate(names)}


def _last(value: Any) -> int | None:
    if not isinstance(value, (list, tuple)):
        return value  # type: ignore[no-any-return]
    # A cell without a time to live outlives the others.
    return None if not value or None in value else max(value)


def _is_open_list(side: Side, name: str) -> bool:
    kind = side.types[name]
    return isinstance(kind, LIST) and not isinstance(kind, (SET, VECTOR))


def _partition_key(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(map(repr, values))

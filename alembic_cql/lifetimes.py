"""How long what a backfill writes is to live: as long as what it stands in for.

An UPDATE without ``USING TTL`` gives a value the default of the table, so a value that was to expire would stay for
good, and with it a row whose other values are gone. So the time to live of every value is read along with the row:

* A value that is replaced hands on what is left of its own.
* A value in a column that was empty lives as long as the longest-lived of the row's others; among static columns, of
  the partition's.
* Where nothing tells, as in a row of keys alone, the table's default is taken.

``TTL`` and ``WRITETIME`` of a column of several cells are lists since Cassandra 5.0 and refused before
(CASSANDRA-8877), so a collection that isn't frozen counts as empty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from alembic_cql.copy_plan import Side

FOR_GOOD: Final = 0  # USING TTL 0: no end, whatever the table's default


class Lifetimes:
    """Asks for the time to live of the values of a table's rows, and reads the answers.

    :param side: the table.
    :param read: the columns whose values are selected.
    :ivar selected: ``(function, column)`` to be selected behind them.
    """

    def __init__(self, side: Side, read: Sequence[str]) -> None:
        timed = [name for name, kind in side.kinds.items() if kind in ("regular", "static") and not side.is_open(name)]
        place = {name: number for number, name in enumerate(read)}
        selected = [("TTL", name) for name in timed]
        for name in timed:
            if name not in place:
                place[name] = len(read) + len(selected)
                selected.append(("WRITETIME", name))
        self.selected: Final = tuple(selected)
        self._places = [(name, place[name], len(read) + number) for number, name in enumerate(timed)]
        self._kinds = side.kinds
        self._has_static = "static" in side.kinds.values()

    def selectors(self, quote: Callable[[str], str]) -> list[str]:
        """Write what is to be selected as CQL."""
        return [f"{function}({quote(name)})" for function, name in self.selected]

    def of(self, values: Sequence[Any]) -> dict[str, int]:
        """Give the seconds that are left to each value that is there.

        :param values: what was selected, of one row.
        """
        return {
            name: FOR_GOOD if values[left] is None else max(values[left], 1)  # the last second shows as 0
            for name, value, left in self._places
            if values[value] is not None
        }

    def group(self, names: Sequence[str], left: Mapping[str, int]) -> list[tuple[int | None, tuple[str, ...]]]:
        """Put columns together that are written with one time to live.

        :param names: of the columns that are written.
        :param left: from :meth:`of`.
        :return: seconds, or None for the table's default, with the columns.
        """
        if not self._has_static and not any(left.values()):
            return [(FOR_GOOD if left else None, tuple(names))]
        groups: dict[int | None, list[str]] = {}
        for name in names:
            own = left.get(name)
            groups.setdefault(self._longest(name, left) if own is None else own, []).append(name)
        return [(seconds, tuple(group)) for seconds, group in groups.items()]

    def _longest(self, name: str, left: Mapping[str, int]) -> int | None:
        static = self._kinds[name] == "static"
        others = [seconds for other, seconds in left.items() if (self._kinds[other] == "static") == static]
        return None if not others else FOR_GOOD if FOR_GOOD in others else max(others)

"""The statements of a backfill on Cassandra and ScyllaDB: what reads a token range, and what changes a row of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from alembic_cluster.backfill_job import Job, bind_marks
from alembic_cluster.errors import InvalidBackfill
from alembic_cql._protocol import exact_statement
from alembic_cql.copy_plan import Side
from alembic_cql.lifetimes import Lifetimes
from alembic_cql.types import LIST, MAP, SET, VECTOR, UserType

#: What a second UPDATE would add to once more: counters and lists.
_ADDS: Final = re.compile(r"^\s*(?:\"[^\"]+\"|\w+)\s*[+-]|[+-]\s*(?:\"[^\"]+\"|\w+)\s*$")


class Statements:
    """Makes and prepares them.

    :param session: the driver's.
    :param side: the table.
    """

    def __init__(self, session: Any, job: Job, side: Side, dialect: Any) -> None:
        self._session = session
        self._job = job
        self._side = side
        self._dialect = dialect
        self._prepared: dict[str, Any] = {}
        change = job.change
        chosen = tuple(side.kinds) if change.columns is None and change.function is not None else change.columns or ()
        self.key = tuple(side.key.columns)
        self.read = tuple(dict.fromkeys([*self.key, *chosen, *job.options.only_if]))
        readers = [(name, self._reader(name)) for name in self.read if name in side.types]  # check() refuses others
        self._converted = [(name, read) for name, read in readers if read is not None]
        self.only_if = job.options.only_if
        self.lifetimes = Lifetimes(side, self.read)

    # ------------------------------------------------------------------------------------------- looking

    def check(self) -> None:
        """Look whether it can be done to this table, and have the server look over the texts.

        :raises InvalidBackfill: it can't; nothing was changed.
        """
        change, side = self._job.change, self._side
        if side.has_counters:
            raise InvalidBackfill(
                f"{side.name!r} holds counters, and an update that is sent twice counts twice: no backfill can tell; "
                "nothing was sent"
            )
        if self._job.options.as_of is not None:
            raise InvalidBackfill("as_of= is for CockroachDB: CQL reads what is there now; nothing was sent")
        names = [each.column for each in change.assignments]
        for name in (*names, *(change.columns or ()), *self.only_if):
            if name not in side.kinds:
                raise InvalidBackfill(
                    f"table {side.name!r} has no column {name!r}; it has {', '.join(side.kinds)}; nothing was sent"
                )
        for each in change.assignments:
            if side.kinds[each.column] in ("partition_key", "clustering"):
                raise InvalidBackfill(f"column {each.column!r} is in the primary key of {side.name!r}, which no UPDATE "
                                      "can change; nothing was sent")  # fmt: skip
            kind = side.types[each.column]
            adds = isinstance(kind, LIST) and not isinstance(kind, SET | MAP | VECTOR)
            if adds and each.text is not None and _ADDS.search(each.text):
                raise InvalidBackfill(
                    f"'{each.column} = {each.text}' adds to a list, and would add once more where a part is repeated: "
                    "use a function that gives the whole list; nothing was sent"
                )
        try:
            self.selecting(whole=False)
            if change.assignments:
                self.updating(tuple(names))
        except Exception as error:
            raise InvalidBackfill(
                f"the server refuses this backfill: {' '.join(str(error).split())}; nothing was changed"
            ) from error

    # ------------------------------------------------------------------------------------------- reading

    def selecting(self, *, whole: bool) -> Any:
        """Give the prepared query of a token range, or of the whole table."""
        return self._query(", ".join([*map(self._quote, self.read), *self.lifetimes.selectors(self._quote)]), whole)

    def counting(self, *, whole: bool) -> Any:
        """Give the prepared query that counts."""
        return self._query("count(*)", whole)

    def _query(self, wanted: str, whole: bool) -> Any:
        cql = f"SELECT {wanted} FROM {self._name}"
        conditions = []
        if not whole:
            token = f"token({', '.join(map(self._quote, self._side.key.partition))})"
            conditions.append(f"{token} > ? AND {token} <= ?")
        if self._job.change.where is not None:
            conditions.append(bind_marks(self._job.change.where, self._job.change.values)[0])
        if conditions:
            cql += " WHERE " + " AND ".join(conditions)
        return self._prepare(cql + (" ALLOW FILTERING" if self._job.change.where is not None else ""))

    @property
    def condition_values(self) -> list[Any]:
        """The values of the parameters of ``where``."""
        where = self._job.change.where
        return [] if where is None else bind_marks(where, self._job.change.values)[1]

    def partition_of(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        """Give the key of a row's partition."""
        return tuple(row[name] for name in self._side.key.partition)

    def token_of(self, row: Mapping[str, Any]) -> int | None:
        """Ask for the token of a row's partition; None when it is gone."""
        names = self._side.key.partition
        where = " AND ".join(f"{self._quote(name)} = ?" for name in names)
        cql = f"SELECT token({', '.join(map(self._quote, names))}) FROM {self._name} WHERE {where} LIMIT 1"
        values = [self.writer(name)(row[name]) for name in names]
        found = list(self._session.execute(self._prepare(cql).bind(values)))
        return int(found[0][0]) if found else None

    def row(self, values: Sequence[Any]) -> dict[str, Any]:
        """Make a row of the driver's values."""
        row = dict(zip(self.read, values, strict=False))  # what is behind them is for the lifetimes
        for name, reader in self._converted:
            value = row[name]
            if value is not None:
                row[name] = reader(value)
        return row

    # ------------------------------------------------------------------------------------------- writing

    @property
    def mutable(self) -> tuple[str, ...]:
        """The columns whose values a function could change in place."""
        return tuple(name for name, kind in self._side.types.items() if isinstance(kind, LIST | MAP | SET | UserType))

    @property
    def is_conditional(self) -> bool:
        """Whether rows are changed by conditional updates."""
        return bool(self.only_if)

    def key_for(self, names: Sequence[str]) -> tuple[str, ...]:
        """Give the key columns that an update of these columns names: static ones are of the whole partition."""
        static = all(self._side.kinds[name] == "static" for name in names)
        return tuple(self._side.key.partition) if static else self.key

    def updating(self, names: tuple[str, ...]) -> Any:
        """Give the prepared update of columns.

        Its parameters are write time, time to live, values, key, and what must be there. The write time is that of the
        read, so that what a program writes later stays, and what it has deleted stays deleted. Conditional updates get
        theirs from the server.
        """
        texts = {each.column: each.text for each in self._job.change.assignments}
        settings = []
        for name in names:
            given = texts.get(name)
            mark = "?" if given is None else bind_marks(given, self._job.change.values)[0]
            settings.append(f"{self._quote(name)} = {mark}")
        where = " AND ".join(f"{self._quote(name)} = ?" for name in self.key_for(names))
        using = "TTL ?" if self.only_if else "TIMESTAMP ? AND TTL ?"
        condition = " AND ".join(f"{self._quote(name)} = ?" for name in self.only_if)
        cql = f"UPDATE {self._name} USING {using} SET {', '.join(settings)} WHERE {where}"
        return self._prepare(f"{cql} IF {condition}" if condition else cql)

    def writer(self, name: str) -> Callable[[Any], Any]:
        """Give what makes the driver's value of a program's."""
        found: Callable[[Any], Any] | None = (
            self._side.types[name].dialect_impl(self._dialect).bind_processor(self._dialect)
        )
        return _same if found is None else found

    def _reader(self, name: str) -> Callable[[Any], Any] | None:
        found: Callable[[Any], Any] | None = (
            self._side.types[name].dialect_impl(self._dialect).result_processor(self._dialect, None)
        )
        return found

    def expression_values(self) -> dict[str, list[Any]]:
        """Give the values of the parameters of the expression, in order, by the column that they are for."""
        found = {}
        for each in self._job.change.assignments:
            if each.text is not None:
                found[each.column] = bind_marks(each.text, self._job.change.values)[1]
            else:
                found[each.column] = [None if each.value is None else self.writer(each.column)(each.value)]
        return found

    def _prepare(self, cql: str) -> Any:
        found = self._prepared.get(cql)
        if found is None:
            found = self._prepared[cql] = exact_statement(self._session.prepare(cql))
        return found

    def _quote(self, name: str) -> str:
        quoted: str = self._dialect.identifier_preparer.quote(name)
        return quoted

    @property
    def _name(self) -> str:
        side = self._side
        return self._quote(side.name) if side.schema is None else f"{self._quote(side.schema)}.{self._quote(side.name)}"


def _same(value: Any) -> Any:
    return value

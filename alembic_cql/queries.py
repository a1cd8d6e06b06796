"""What our own tables are read and written by: prepared statements, each with the consistency that it needs.

Whatever the connection's consistency is: conditional writes are ``SERIAL`` over all datacenters, all else is written
and read at ``QUORUM``, so that a run in one datacenter sees what one in another did.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy.engine import Connection

from alembic_cql._exceptions import InternalError, OperationalError, ProgrammingError, map_exception

_NOT_THERE: Final = re.compile(r"does not exist|unconfigured table|Unknown CF", re.IGNORECASE)
_PATIENCE: Final = 10.0  # seconds that a table that was just made may take to be known everywhere
_PAUSE: Final = 0.05
_ATTEMPTS: Final = 4
_FIRST_PAUSE: Final = 0.1  # seconds between attempts; each is three times the one before


class Queries:
    """Sends statements on the driver's session of a connection.

    :param connection: of SQLAlchemy.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.new_tables = False  # whether a table may have been made just now
        self._prepared: dict[str, Any] = {}
        self._under_way: list[Any] = []

    def decide(self, cql: str, *values: Any) -> list[Any]:
        """Run a conditional statement, over all datacenters; its first column says whether it was applied."""
        bound = self._statement(cql).bind(values)
        bound.consistency_level, bound.serial_consistency_level = _level("QUORUM"), _level("SERIAL")
        return [tuple(row) for row in self._patiently(lambda: self.session.execute(bound))]

    def ask(self, cql: str, *values: Any, serial: bool = False, plain: bool = False) -> list[Any]:
        """Read rows; some times where the servers don't answer.

        :param serial: settle what conditional writes are under way.
        :param plain: read a node's own tables.
        """
        from cassandra.query import SimpleStatement

        # Not prepared, which would be another round trip for what is asked once.
        level = None if plain else _level("SERIAL" if serial else "QUORUM")
        statement = SimpleStatement(cql.replace("?", "%s"), consistency_level=level)
        found = again(lambda: self._patiently(lambda: self.session.execute(statement, values or None)))
        return [tuple(row) for row in found]

    def write(self, cql: str, *values: Any) -> None:
        """Write rows; some times where the servers don't answer."""
        bound = self._bound(cql, values)
        again(lambda: self._patiently(lambda: self.session.execute(bound)))

    def write_all(self, cql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Write rows of one partition, all or none."""
        if len(rows) == 1:
            self.write(cql, *rows[0])
            return
        from cassandra.query import BatchStatement, BatchType

        batch = BatchStatement(BatchType.UNLOGGED, consistency_level=_level("QUORUM"))
        statement = self._statement(cql)
        for row in rows:
            batch.add(statement, row)
        again(lambda: self._patiently(lambda: self.session.execute(batch)))

    def write_later(self, cql: str, *values: Any) -> None:
        """Begin to write a row; :meth:`settle` waits for it."""
        self._under_way.append((self.session.execute_async(self._bound(cql, values)), cql, values))

    def settle(self) -> None:
        """Wait for the rows that are under way; one that got no answer is written once more."""
        under_way, self._under_way = self._under_way, []
        for future, cql, values in under_way:
            try:
                future.result()
            except Exception:
                self.write(cql, *values)

    @property
    def cursor(self) -> Any:
        """A new DB-API cursor."""
        return self._dbapi.cursor()

    @property
    def session(self) -> Any:
        """The driver's session."""
        return self._dbapi.live_session()

    @property
    def _dbapi(self) -> Any:
        return self.connection.connection.dbapi_connection

    def _statement(self, cql: str) -> Any:
        found = self._prepared.get(cql)
        if found is None:
            found = self._prepared[cql] = self._patiently(lambda: self.session.prepare(cql))
        return found

    def _bound(self, cql: str, values: Sequence[Any]) -> Any:
        bound = self._statement(cql).bind(values)
        bound.consistency_level = _level("QUORUM")
        return bound

    def _patiently(self, act: Callable[[], Any]) -> Any:
        """Do something; a table of ours that another process is making may not be known to each node yet."""
        deadline = time.monotonic() + (_PATIENCE if self.new_tables else 0)
        while True:
            try:
                return act()
            except Exception as error:
                mapped = map_exception(error)
                if _NOT_THERE.search(str(mapped)) is None or time.monotonic() > deadline:
                    raise mapped from error
            time.sleep(_PAUSE)


def again(act: Callable[[], Any]) -> Any:
    """Do what may be done twice, some times where the servers don't answer or too few of them are up.

    :raises OperationalError: none of the attempts got an answer.
    """
    for attempt in range(_ATTEMPTS):
        try:
            return act()
        except (OperationalError, InternalError):
            if attempt + 1 == _ATTEMPTS:
                raise
        time.sleep(_FIRST_PAUSE * 3**attempt)
    raise AssertionError


def is_missing(error: BaseException) -> bool:
    """Tell whether an error says that a table isn't there."""
    return isinstance(error, ProgrammingError) and _NOT_THERE.search(str(error)) is not None


def is_unanswered(error: BaseException) -> bool:
    """Tell whether an error leaves open whether a write was applied."""
    if type(error.__cause__).__name__ == "Unavailable":
        return False  # the server says itself that it didn't begin
    return isinstance(error, (OperationalError, InternalError))


def _level(name: str) -> int:
    from cassandra import ConsistencyLevel

    return int(ConsistencyLevel.name_to_value[name])

"""DB-API 2.0 (PEP 249) face of cassandra-driver and scylla-driver.

What CQL lacks shows here as follows: ``commit`` does nothing, because each statement is durable when it returns;
``rollback`` does nothing either, because there is nothing to take back; ``rowcount`` is -1, but 1 or 0 after a
conditional statement that was or wasn't applied. Statements with parameters are prepared (``?`` marks), so that
values travel with their types; statements without are sent as text. After each DDL statement the cursor waits for
schema agreement.

Exceptions are the DB-API's own hierarchy; the driver's exception is the ``__cause__``.
"""

from __future__ import annotations

import datetime
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from alembic_cluster.errors import ClusterError
from alembic_cql._exceptions import (
    ConnectionLost,
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    SchemaDisagreement,
    Warning,
    describe,
    map_exception,
)
from alembic_cql._protocol import exact_statement
from alembic_cql._session import open_session
from alembic_cql.agreement import wait_for_agreement
from alembic_cql.connecting import read_options

__all__ = [
    "BINARY", "DATETIME", "NUMBER", "ROWID", "STRING", "Binary", "Connection", "ConnectionLost", "Cursor", "DataError",
    "DatabaseError", "Date", "DateFromTicks", "Error", "IntegrityError", "InterfaceError", "InternalError",
    "NotSupportedError", "OperationalError", "ProgrammingError", "SchemaDisagreement", "Time", "TimeFromTicks",
    "Timestamp", "TimestampFromTicks", "Warning", "apilevel", "connect", "paramstyle", "threadsafety",
]  # fmt: skip

apilevel = "2.0"
threadsafety = 1
paramstyle = "qmark"

# Statements that a connection keeps prepared; the server has a limit of its own and forgets the oldest as well.
PREPARED_STATEMENTS = 256


class TypeObject(frozenset[str]):
    """PEP 249's type object: equal to each type name that it stands for, as ``Cursor.description`` has them."""

    def __eq__(self, other: object) -> bool:
        return other in self if isinstance(other, str) else frozenset.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = frozenset.__hash__


STRING = TypeObject(("ascii", "text", "varchar", "inet"))
BINARY = TypeObject(("blob",))
NUMBER = TypeObject(
    ("bigint", "counter", "decimal", "double", "float", "int", "smallint", "tinyint", "varint")
)  # fmt: skip
DATETIME = TypeObject(("date", "duration", "time", "timestamp"))
ROWID = TypeObject(("timeuuid", "uuid"))

Date = datetime.date
Time = datetime.time
Timestamp = datetime.datetime
Binary = bytes


def DateFromTicks(ticks: float) -> datetime.date:
    """Give the date (UTC) of a number of seconds since 1970."""
    return TimestampFromTicks(ticks).date()


def TimeFromTicks(ticks: float) -> datetime.time:
    """Give the time of day (UTC) of a number of seconds since 1970."""
    return TimestampFromTicks(ticks).time()


def TimestampFromTicks(ticks: float) -> datetime.datetime:
    """Give the naive timestamp (UTC) of a number of seconds since 1970."""
    return datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=ticks)


_BEFORE = r"(?:\s|--[^\n]*\n|//[^\n]*\n|/\*.*?\*/)*"
_DDL = re.compile(_BEFORE + r"(CREATE|ALTER|DROP)\b", re.IGNORECASE | re.DOTALL)
_USE = re.compile(_BEFORE + r"USE\b", re.IGNORECASE | re.DOTALL)


def _raise(error: BaseException) -> NoReturn:
    raise map_exception(error) from error


class Cursor:
    """PEP 249 cursor. Result pages are fetched from the server as rows are asked for."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.arraysize = 100
        self.description: list[tuple[Any, ...]] | None = None
        self.rowcount = -1
        self.lastrowid = None
        self._rows: Iterator[Any] = iter(())
        self._closed = False

    def execute(
        self,
        operation: str,
        parameters: Sequence[Any] | None = None,
        *,
        consistency: int | None = None,
        serial_consistency: int | None = None,
    ) -> None:
        """Run one statement.

        :param operation: CQL with ``?`` for each parameter.
        :param parameters: values in the order of the marks; the statement is prepared when there are any.
        :param consistency: driver's consistency level for this statement; the connection's when None.
        :param serial_consistency: likewise, for the Paxos phase of a conditional statement.
        :raises Error: in PEP 249's hierarchy.
        """
        session = self._session()
        self.description = None
        self.rowcount = -1
        self._rows = iter(())
        try:
            statement = self.connection._statement(operation, parameters, consistency, serial_consistency)
            future = session.execute_async(statement)
            result = future.result()
        except Exception as error:
            _raise(error)
        if result.column_names:
            self._take(result)
        elif _DDL.match(operation):
            # Statements prepared before may read a table as it no longer is.
            self.connection.forget_prepared()
            self.connection.await_agreement(future.coordinator_host)
        elif _USE.match(operation):
            self.connection.forget_prepared()  # they go on meaning the keyspace before

    def _take(self, result: Any) -> None:
        names, types = result.column_names, result.column_types
        self.description = [
            (name, _type_name(kind), None, None, None, None, None) for name, kind in zip(names, types, strict=True)
        ]
        self._rows = _each(result)
        if names[0] == "[applied]":
            rows = list(self._rows)
            self.rowcount = int(all(row[0] for row in rows))
            self._rows = iter(rows)

    def executemany(self, operation: str, seq_of_parameters: Sequence[Sequence[Any]]) -> None:
        """Run one statement once per parameter list, one after the other.

        :raises Error: for the first that fails; those before it are applied.
        """
        for parameters in seq_of_parameters:
            self.execute(operation, parameters)

    def fetchone(self) -> tuple[Any, ...] | None:
        """Give the next row, or None after the last."""
        self._session()
        try:
            row = next(self._rows, None)
        except Exception as error:
            _raise(error)
        return None if row is None else tuple(row)

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        """Give the next ``size`` rows (default ``arraysize``), fewer at the end."""
        rows: list[tuple[Any, ...]] = []
        for _ in range(self.arraysize if size is None else size):
            row = self.fetchone()
            if row is None:
                break
            rows.append(row)
        return rows

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Give all remaining rows."""
        self._session()
        try:
            return [tuple(row) for row in self._rows]
        except Exception as error:
            _raise(error)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        while (row := self.fetchone()) is not None:
            yield row

    def setinputsizes(self, sizes: Sequence[Any]) -> None:
        """Do nothing; PEP 249 allows that."""

    def setoutputsize(self, size: int, column: int | None = None) -> None:
        """Do nothing; PEP 249 allows that."""

    def close(self) -> None:
        """Forget the result; the connection stays open."""
        self._closed = True
        self._rows = iter(())

    def _session(self) -> Any:
        if self._closed:
            raise InterfaceError("the cursor is closed")
        return self.connection.live_session()


def _each(result: Any) -> Iterator[Any]:
    """Give the rows of a result of the driver, each once: its own iterator begins a page anew with each loop."""
    yield from result


def _type_name(kind: Any) -> str:
    """Give the CQL name of one of the driver's types, without the ``frozen<>`` that it puts around each."""
    name: str = re.sub(r"\bvarchar\b", "text", kind.cql_parameterized_type())
    return name[len("frozen<") : -1] if name.startswith("frozen<") else name


class Connection:
    """PEP 249 connection: one driver session of its own.

    :param session: the driver's session; its cluster is shut down by :meth:`close`.
    :param agreement_timeout: seconds to wait for schema agreement after each DDL statement.
    """

    def __init__(self, session: Any, agreement_timeout: float) -> None:
        self._open_session: Any = session
        self._guard: Callable[[], Any] | None = None
        self._prepared: OrderedDict[str, Any] = OrderedDict()
        self.agreement_timeout = agreement_timeout

    @property
    def session(self) -> Any:
        """The driver's session, for what the DB-API has no word for.

        :raises InterfaceError: after :meth:`close`.
        """
        if self._guard is not None:
            self._guard()
        return self.live_session()

    def live_session(self) -> Any:
        """Give the same, for what this module and the dialect do with it.

        :raises InterfaceError: after :meth:`close`.
        """
        if self._open_session is None:
            raise InterfaceError("the connection is closed")
        return self._open_session

    @contextmanager
    def guarded(self, guard: Callable[[], Any]) -> Iterator[None]:
        """Have a function called whenever :attr:`session` is asked for in a ``with`` block."""
        self._guard = guard
        try:
            yield
        finally:
            self._guard = None

    def cursor(self) -> Cursor:
        """Give a new cursor."""
        return Cursor(self)

    def commit(self) -> None:
        """Do nothing: each statement was durable when it returned."""

    def rollback(self) -> None:
        """Do nothing: CQL has no transaction to take back."""

    def close(self) -> None:
        """Shut the session and its cluster object down. A second call does nothing."""
        session, self._open_session = self._open_session, None
        self.forget_prepared()
        if session is not None:
            session.cluster.shutdown()

    def await_agreement(self, host: Any = None) -> None:
        """Wait until all live nodes have one schema version.

        :param host: the driver's host to ask, usually the one that coordinated the DDL.
        :raises SchemaDisagreement: when they don't within ``agreement_timeout`` seconds, with the versions per node.
        """
        started = time.monotonic()
        session = self.live_session()
        if len(session.cluster.metadata.all_hosts()) == 1:
            return  # the driver hears of every node that joins
        try:
            agreement = wait_for_agreement(session, self.agreement_timeout, host)
        except InterfaceError:
            raise
        except Exception as error:
            raise SchemaDisagreement(
                "the statement was applied, but the schema versions of the nodes could not be read: " + describe(error)
            ) from error
        if not agreement.reached:
            raise SchemaDisagreement(
                f"the statement was applied, but after {time.monotonic() - started:.0f} s the nodes still have "
                f"different schema versions ({agreement}); look at those nodes, then run the command again"
            )

    def _statement(
        self,
        operation: str,
        parameters: Sequence[Any] | None,
        consistency: int | None,
        serial_consistency: int | None,
    ) -> Any:
        from cassandra.query import SimpleStatement

        statement = self._prepare(operation).bind(parameters) if parameters else SimpleStatement(operation)
        if consistency is not None:
            statement.consistency_level = consistency
        if serial_consistency is not None:
            statement.serial_consistency_level = serial_consistency
        return statement

    def read_together(
        self, operations: Iterable[str], page: int, meanwhile: Callable[[], None] | None = None
    ) -> list[tuple[Sequence[str], list[tuple[Any, ...]]]]:
        """Run several queries at once.

        :param operations: queries without parameters.
        :param page: rows that one answer may have.
        :param meanwhile: called when they are sent, before their answers are waited for.
        :return: the names of the columns and the rows of each.
        :raises Error: in PEP 249's hierarchy, of the first that fails.
        """
        from cassandra.query import SimpleStatement

        session = self.live_session()
        try:
            futures = [session.execute_async(SimpleStatement(text, fetch_size=page)) for text in operations]
        except Exception as error:
            _raise(error)
        if meanwhile is not None:
            meanwhile()
        try:
            results = [future.result() for future in futures]
            return [(result.column_names, list(result)) for result in results]
        except Exception as error:
            _raise(error)

    def _prepare(self, operation: str) -> Any:
        prepared = self._prepared.get(operation)
        if prepared is None:
            prepared = self._prepared[operation] = exact_statement(self.live_session().prepare(operation))
            if len(self._prepared) > PREPARED_STATEMENTS:
                self._prepared.popitem(last=False)
        self._prepared.move_to_end(operation)
        return prepared

    def forget_prepared(self) -> None:
        """Prepare each statement anew when it comes next."""
        self._prepared.clear()


def connect(**options: Any) -> Connection:
    """Open a connection.

    :param options: see :class:`alembic_cql.connecting.SessionOptions`.
    :raises alembic_cluster.errors.ConfigurationError: for an option that can't be; nothing was sent.
    :raises OperationalError: when no contact point answers or the credentials are refused.
    :raises ProgrammingError: when the keyspace doesn't exist.
    :raises ImportError: when no driver is installed.
    """
    wanted = read_options(options)
    try:
        session = open_session(wanted)
    except (ClusterError, ImportError):
        raise
    except Exception as error:
        if type(error).__name__ == "DependencyException":  # the driver is there, and nothing for it to wait with
            raise ImportError(str(error)) from error
        _raise(error)
    return Connection(session, wanted.schema_agreement_timeout)

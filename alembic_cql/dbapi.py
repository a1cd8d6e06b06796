"""DB-API 2.0 (PEP 249) face of cassandra-driver and scylla-driver.

What CQL lacks shows here as follows: ``commit`` does nothing, because each statement is durable when it returns;
``rollback`` does nothing either, because there is nothing to take back; ``rowcount`` is always -1. Statements with
parameters are prepared (``?`` marks), so that values travel with their types; statements without are sent as text.
After each DDL statement the cursor waits for schema agreement.

Exceptions are the DB-API's own hierarchy; the driver's exception is the ``__cause__``.
"""

from __future__ import annotations

import datetime
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from alembic_cql._session import open_session
from alembic_cql.agreement import wait_for_agreement

apilevel = "2.0"
threadsafety = 1
paramstyle = "qmark"

STRING = str
BINARY = bytes
NUMBER = float
DATETIME = datetime.datetime
ROWID = object

Date = datetime.date
Time = datetime.time
Timestamp = datetime.datetime
Binary = bytes


class Warning(Exception):
    """Required by PEP 249; never raised here."""


class Error(Exception):
    """Base of all errors of this module."""


class InterfaceError(Error):
    """The connection or cursor is used in a way it can't be, such as after ``close``."""


class DatabaseError(Error):
    """The server or the cluster answered with an error."""


class DataError(DatabaseError):
    """A value doesn't fit the type of its column."""


class OperationalError(DatabaseError):
    """The cluster couldn't answer: unreachable, overloaded, timed out, wrong credentials."""


class SchemaDisagreement(OperationalError):
    """A DDL statement was applied, but the live nodes didn't agree on the schema within the time allowed."""


class IntegrityError(DatabaseError):
    """Required by PEP 249; Cassandra has no constraints that could raise it."""


class InternalError(DatabaseError):
    """The server met an error of its own."""


class ProgrammingError(DatabaseError):
    """The statement is wrong: syntax, unknown table, missing permission, object exists already."""


class NotSupportedError(DatabaseError):
    """The server or protocol version in use can't do this."""


_DDL = re.compile(r"(?:\s|--[^\n]*\n|//[^\n]*\n|/\*.*?\*/)*(CREATE|ALTER|DROP)\b", re.IGNORECASE | re.DOTALL)

# By name, because the exceptions are the same in both driver distributions, and newer drivers add some.
_BY_DRIVER_CLASS: Mapping[str, type[Error]] = {
    "AlreadyExists": ProgrammingError,
    "AuthenticationFailed": OperationalError,
    "ConfigurationException": ProgrammingError,
    "ConnectionException": OperationalError,
    "CoordinationFailure": OperationalError,
    "DriverException": DatabaseError,
    "FunctionFailure": DataError,
    "InvalidRequest": ProgrammingError,
    "NoHostAvailable": OperationalError,
    "OperationTimedOut": OperationalError,
    "ProtocolException": InternalError,
    "RequestExecutionException": OperationalError,
    "RequestValidationException": ProgrammingError,
    "ServerError": InternalError,
    "SyntaxException": ProgrammingError,
    "Timeout": OperationalError,
    "Unauthorized": ProgrammingError,
    "Unavailable": OperationalError,
    "UnresolvableContactPoints": OperationalError,
    "UnsupportedOperation": NotSupportedError,
}


def map_exception(error: BaseException) -> Error:
    """Give the DB-API exception for one of the driver's.

    :param error: any exception raised by the driver. ``TypeError``, ``ValueError``, ``struct.error`` and the like come
        from binding a value and become :class:`DataError`.
    """
    for cls in type(error).__mro__:
        if cls.__name__ in _BY_DRIVER_CLASS:
            return _BY_DRIVER_CLASS[cls.__name__](describe(error))
    if isinstance(error, (TypeError, ValueError, OverflowError, ArithmeticError, AttributeError, KeyError)):
        return DataError(str(error))
    if type(error).__name__ == "error" and type(error).__module__ == "struct":
        return DataError(str(error))
    if isinstance(error, OSError):
        return OperationalError(str(error))
    return DatabaseError(f"{type(error).__name__}: {error}")


def describe(error: BaseException) -> str:
    """Give a driver's exception as one readable line, without the repr that it wraps around the server's message."""
    host_errors = getattr(error, "errors", None)
    if type(error).__name__ == "NoHostAvailable" and isinstance(host_errors, Mapping) and host_errors:
        return "; ".join(f"{host}: {describe(cause)}" for host, cause in host_errors.items())
    text = " ".join(str(error).split())
    match = re.search(r'message="(.*)"$', text)
    return match.group(1) if match else text or type(error).__name__


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
        self._rows = iter(())
        try:
            statement = self.connection._statement(operation, parameters, consistency, serial_consistency)
            future = session.execute_async(statement)
            result = future.result()
        except Exception as error:
            _raise(error)
        if result.column_names:
            types = result.column_types or [None] * len(result.column_names)
            self.description = [
                (name, kind, None, None, None, None, None)
                for name, kind in zip(result.column_names, types, strict=True)
            ]
            self._rows = iter(result)
        elif _DDL.match(operation):
            self.connection.await_agreement(getattr(future, "_current_host", None))

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


class Connection:
    """PEP 249 connection: one driver session of its own.

    :param session: the driver's session; its cluster is shut down by :meth:`close`.
    :param agreement_timeout: seconds to wait for schema agreement after each DDL statement.
    """

    def __init__(self, session: Any, agreement_timeout: float) -> None:
        self._open_session: Any = session
        self._guard: Callable[[], Any] | None = None
        self._prepared: dict[str, Any] = {}
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
        if session is not None:
            session.cluster.shutdown()

    def await_agreement(self, host: Any = None) -> None:
        """Wait until all live nodes have one schema version.

        :param host: the driver's host to ask, usually the one that coordinated the DDL.
        :raises SchemaDisagreement: when they don't within ``agreement_timeout`` seconds, with the versions per node.
        """
        started = time.monotonic()
        try:
            agreement = wait_for_agreement(self.live_session(), self.agreement_timeout, host)
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

        if parameters:
            prepared = self._prepared.get(operation)
            if prepared is None:
                prepared = self._prepared[operation] = self.live_session().prepare(operation)
            statement = prepared.bind(parameters)
        else:
            statement = SimpleStatement(operation)
        if consistency is not None:
            statement.consistency_level = consistency
        if serial_consistency is not None:
            statement.serial_consistency_level = serial_consistency
        return statement


def connect(**options: Any) -> Connection:
    """Open a connection.

    :param options: see :class:`alembic_cql._session.SessionOptions`.
    :raises OperationalError: when no contact point answers or the credentials are refused.
    :raises ProgrammingError: when the keyspace doesn't exist.
    """
    agreement_timeout = float(options.pop("schema_agreement_timeout", 30.0))
    try:
        session = open_session(**options)
    except Exception as error:
        _raise(error)
    return Connection(session, agreement_timeout)

"""PEP 249's exceptions, and which of them each of the driver's exceptions becomes."""

from __future__ import annotations

import re
from collections.abc import Mapping


class Warning(Exception):
    """Required by PEP 249; never raised here."""


class Error(Exception):
    """Base of all errors of the DB-API module."""


class InterfaceError(Error):
    """The connection or cursor is used in a way it can't be, such as after ``close``."""


class DatabaseError(Error):
    """The server or the cluster answered with an error."""


class DataError(DatabaseError):
    """A value doesn't fit the type of its column."""


class OperationalError(DatabaseError):
    """The cluster couldn't answer: unreachable, overloaded, timed out, wrong credentials.

    :ivar outcome_unknown: whether what was sent may have been carried out all the same.
    """

    outcome_unknown = False


class ConnectionLost(OperationalError):
    """No node could be asked: every connection is closed or broken. A new connection may work."""


class SchemaDisagreement(OperationalError):
    """A DDL statement was applied, but the live nodes didn't agree on the schema within the time allowed.

    :ivar applied: tells :mod:`alembic_cluster.execution` so.
    """

    applied = True


class IntegrityError(DatabaseError):
    """Required by PEP 249; Cassandra has no constraints that could raise it."""


class InternalError(DatabaseError):
    """The server met an error of its own."""


class ProgrammingError(DatabaseError):
    """The statement is wrong: syntax, unknown table, missing permission, object exists already."""


class NotSupportedError(DatabaseError):
    """The server or protocol version in use can't do this."""


_FAMILY = (Warning, Error, *Error.__subclasses__(), *DatabaseError.__subclasses__(), *OperationalError.__subclasses__())
for _class in _FAMILY:
    _class.__module__ = "alembic_cql.dbapi"  # where users find them, and what messages call them

# By name, because the exceptions are the same in both driver distributions, and newer drivers add some.
_BY_DRIVER_CLASS: Mapping[str, type[Error]] = {
    "AlreadyExists": ProgrammingError,
    "AuthenticationFailed": OperationalError,
    "ConfigurationException": ProgrammingError,
    "ConnectionException": ConnectionLost,
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
    "UnauthorizedErrorMessage": ProgrammingError,
    "Unavailable": OperationalError,
    "UnresolvableContactPoints": OperationalError,
    "UnsupportedOperation": NotSupportedError,
}
_BAD_VALUES = (TypeError, ValueError, OverflowError, ArithmeticError, AttributeError, LookupError)


def map_exception(error: BaseException) -> Error:
    """Give the DB-API exception for one of the driver's.

    :param error: any exception raised by the driver. ``TypeError``, ``ValueError``, ``struct.error`` and the like come
        from binding a value and become :class:`DataError`.
    """
    if isinstance(error, Error):
        return error
    made = _kind(error)(describe(error))
    if isinstance(made, OperationalError):
        made.outcome_unknown = type(error).__name__ in ("OperationTimedOut", "WriteTimeout")
    return made


def _kind(error: BaseException) -> type[Error]:
    causes = _host_errors(error)
    if causes:
        kinds = {_kind(cause) for cause in causes.values()}
        return kinds.pop() if len(kinds) == 1 else OperationalError
    if type(error).__name__ == "NoHostAvailable":
        return ConnectionLost
    for cls in type(error).__mro__:
        if cls.__name__ in _BY_DRIVER_CLASS:
            return _BY_DRIVER_CLASS[cls.__name__]
    if isinstance(error, OSError):
        return ConnectionLost
    if isinstance(error, _BAD_VALUES) or (type(error).__name__, type(error).__module__) == ("error", "struct"):
        return DataError
    return DatabaseError


def _host_errors(error: BaseException) -> Mapping[object, BaseException]:
    """Give what each node said, for the driver's ``NoHostAvailable``."""
    found = getattr(error, "errors", None)
    if type(error).__name__ != "NoHostAvailable" or not isinstance(found, Mapping):
        return {}
    return {host: cause for host, cause in found.items() if isinstance(cause, BaseException)}


def describe(error: BaseException) -> str:
    """Give a driver's exception as one readable line, without the repr that it wraps around the server's message."""
    causes = _host_errors(error)
    if len(causes) == 1:
        return describe(next(iter(causes.values())))
    if causes:
        return "; ".join(f"{host}: {describe(cause)}" for host, cause in causes.items())
    name = type(error).__name__
    text = " ".join(str(error).split())
    if name == "NoHostAvailable":
        return "no node could be asked: those that are known are down, or their connections broke"
    if "Timed out creating connection" in text:
        return "no answer within the connect_timeout"
    if name == "OperationTimedOut":
        return f"no answer in time ({text or name}); what was sent may still be carried out"
    if name == "UnresolvableContactPoints":
        return "no address is known for the host's name"
    if isinstance(error, OSError):
        text = text.rpartition("Last error: ")[2]  # the driver puts the address in front, once more
    if isinstance(error, ConnectionResetError):
        return f"{text} (does the server want TLS on this port?)"
    if "EOF occurred in violation of protocol" in text or "ALERT_CERTIFICATE_REQUIRED" in text:
        return f"the server ended the TLS handshake: does it want a client's certificate (ssl_cert)? ({text})"
    if "WRONG_VERSION_NUMBER" in text:
        return f"the server does not speak TLS on this port ({text})"
    if "does not support protocol version" in text:
        return f"what answers there is no Cassandra or ScyllaDB server ({text})"
    match = re.search(r'message="(.*)">?$', text)
    return match.group(1) if match else text or name

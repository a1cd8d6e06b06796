"""The driver's exceptions become the DB-API's."""

from __future__ import annotations

import struct
from types import SimpleNamespace
from typing import Any

import cassandra
import pytest
import sqlalchemy as sa
from cassandra import ConsistencyLevel, WriteType
from cassandra.cluster import NoHostAvailable
from cassandra.connection import ConnectionShutdown
from cassandra.protocol import OverloadedErrorMessage, ServerError, SyntaxException

from alembic_cluster.execution import statement_failure
from alembic_cql import dbapi
from alembic_cql._exceptions import describe, map_exception
from alembic_cql.dialect import CassandraDialect

REFUSED = ConnectionRefusedError(111, "Tried connecting to [('h', 9042)]. Last error: Connection refused")


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (SyntaxException(0x2000, 'line 1:0 no viable input "x"', None), dbapi.ProgrammingError, 'input "x"'),
        (cassandra.InvalidRequest("wrong"), dbapi.ProgrammingError, "wrong"),
        (cassandra.AlreadyExists("ks", "t"), dbapi.ProgrammingError, "Table 'ks.t' already exists"),
        (cassandra.Unauthorized("no"), dbapi.ProgrammingError, "no"),
        (cassandra.AuthenticationFailed("bad password"), dbapi.OperationalError, "bad password"),
        (cassandra.Unavailable("u", consistency=ConsistencyLevel.TWO), dbapi.OperationalError, "TWO"),
        (cassandra.ReadTimeout("r", consistency=ConsistencyLevel.ONE), dbapi.OperationalError, "ONE"),
        (cassandra.WriteTimeout("w", write_type=WriteType.CAS), dbapi.OperationalError, "CAS"),
        (cassandra.FunctionFailure("f", "ks", "fn", ["int"]), dbapi.DataError, "f"),
        (cassandra.UnsupportedOperation("old"), dbapi.NotSupportedError, "old"),
        (cassandra.OperationTimedOut(), dbapi.OperationalError, "no answer in time"),
        (cassandra.DriverException("odd"), dbapi.DatabaseError, "odd"),
        (ServerError(0, 'java: "null"', None), dbapi.InternalError, 'java: "null"'),
        (OverloadedErrorMessage(0x1001, "busy", None), dbapi.OperationalError, "busy"),
        (ConnectionShutdown("gone"), dbapi.ConnectionLost, "gone"),
        (NoHostAvailable("none", {}), dbapi.ConnectionLost, "no node could be asked"),
        (NoHostAvailable("none", {"h": REFUSED}), dbapi.ConnectionLost, "Connection refused"),
        (NoHostAvailable("none", {"h": ServerError(0, "npe", None)}), dbapi.InternalError, "npe"),
        (NoHostAvailable("none", {"h": REFUSED, "i": cassandra.AuthenticationFailed("pw")}), dbapi.OperationalError,
         "h: Connection refused; i: pw"),
        (ConnectionResetError(104, "Connection reset by peer"), dbapi.ConnectionLost, "want TLS"),
        (TypeError("not an int"), dbapi.DataError, "not an int"),
        (struct.error("format"), dbapi.DataError, "format"),
        (OverflowError("too large"), dbapi.DataError, "too large"),
        (UnicodeEncodeError("ascii", "ü", 0, 1, "no"), dbapi.DataError, "encode"),
        (RuntimeError("what"), dbapi.DatabaseError, "what"),
    ],
)  # fmt: skip
def test_exceptions(error: Exception, kind: type[Exception], text: str) -> None:
    found = map_exception(error)
    assert type(found) is kind
    assert text in str(found)
    assert "\n" not in str(found)


def test_a_run_says_what_is_not_known() -> None:
    dialect = CassandraDialect()
    for error, known in ((cassandra.OperationTimedOut(), False), (cassandra.InvalidRequest("wrong"), True)):
        orig = map_exception(error)
        assert getattr(orig, "outcome_unknown", False) is not known
        wrapped = sa.exc.DBAPIError.instance("DROP TABLE t", None, orig, dbapi.Error, dialect=dialect)
        connection = SimpleNamespace(get_execution_options=dict)
        failure = statement_failure(connection, wrapped, "DROP TABLE t", "Cassandra")  # type: ignore[arg-type]
        assert ("Whether it was applied is not known" in str(failure)) is not known
        assert ("Cassandra refused" in str(failure)) is known


def test_what_is_ours_stays() -> None:
    error = dbapi.InterfaceError("closed")
    assert map_exception(error) is error


def test_the_hierarchy_is_pep_249s() -> None:
    assert issubclass(dbapi.Warning, Exception)
    assert not issubclass(dbapi.Warning, dbapi.Error)
    for child, parent in (
        ("InterfaceError", "Error"), ("DatabaseError", "Error"), ("DataError", "DatabaseError"),
        ("OperationalError", "DatabaseError"), ("IntegrityError", "DatabaseError"), ("InternalError", "DatabaseError"),
        ("ProgrammingError", "DatabaseError"), ("NotSupportedError", "DatabaseError"),
        ("ConnectionLost", "OperationalError"), ("SchemaDisagreement", "OperationalError"),
    ):  # fmt: skip
        found: Any = getattr(dbapi, child)
        assert found.__bases__ == (getattr(dbapi, parent),)
        assert found.__module__ == "alembic_cql.dbapi"


def test_many_lines_become_one() -> None:
    assert describe(ValueError("a\n  b\tc")) == "a b c"
    assert describe(ValueError()) == "ValueError"

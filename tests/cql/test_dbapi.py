"""The DB-API module by itself, on a real server."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import make_url

from alembic_cql import dbapi
from alembic_cql.url import connect_arguments
from tests.cql.type_cases import TIMEUUID
from tests.servers.fixtures import CassandraKeyspace


def connect(keyspace: CassandraKeyspace, **options: Any) -> dbapi.Connection:
    return dbapi.connect(**{**connect_arguments(make_url(keyspace.url)), **options})


@pytest.fixture(scope="module")
def shared(keyspaces: Iterator[CassandraKeyspace]) -> CassandraKeyspace:
    """A keyspace with a table ``t (k, v)`` for the tests of this module that don't change it."""
    keyspace = next(keyspaces)
    keyspace.execute("CREATE TABLE t (k int PRIMARY KEY, v text)")
    return keyspace


@pytest.fixture(scope="module")
def connection(shared: CassandraKeyspace) -> Iterator[dbapi.Connection]:
    """One connection for all of them."""
    connection = connect(shared)
    yield connection
    connection.close()


@pytest.fixture
def cursor(shared: CassandraKeyspace, connection: dbapi.Connection) -> dbapi.Cursor:
    """A cursor on a keyspace with an empty table ``t (k, v)``."""
    for (key,) in shared.execute("SELECT k FROM t"):
        shared.execute("DELETE FROM t WHERE k = %s", (key,))
    return connection.cursor()


def test_the_module_says_what_it_is() -> None:
    assert (dbapi.apilevel, dbapi.threadsafety, dbapi.paramstyle) == ("2.0", 1, "qmark")
    assert dbapi.Date(2020, 1, 2) == datetime.date(2020, 1, 2)
    assert dbapi.TimestampFromTicks(-0.5) == datetime.datetime(1969, 12, 31, 23, 59, 59, 500000)
    assert dbapi.DateFromTicks(86400) == datetime.date(1970, 1, 2)
    assert dbapi.TimeFromTicks(3600) == datetime.time(1)
    assert dbapi.Binary(b"x") == b"x"


def test_rows_come_one_by_one_in_portions_and_all(cursor: dbapi.Cursor) -> None:
    cursor.executemany("INSERT INTO t (k, v) VALUES (?, ?)", [(number, str(number)) for number in range(10)])
    cursor.execute("SELECT k, v FROM t")
    first = cursor.fetchone()
    assert isinstance(first, tuple)
    more = cursor.fetchmany(3)
    cursor.arraysize = 2
    more += cursor.fetchmany()
    rest = cursor.fetchall()
    assert (len(more), len(rest)) == (5, 4)
    assert {first, *more, *rest} == {(number, str(number)) for number in range(10)}
    assert (cursor.fetchone(), cursor.fetchmany(5), cursor.fetchall()) == (None, [], [])


@pytest.mark.parametrize("how", ["fetchall", "fetchmany", "iterate", "parameters"])
def test_more_rows_than_a_page(shared: CassandraKeyspace, cursor: dbapi.Cursor, how: str) -> None:
    cursor.executemany("INSERT INTO t (k) VALUES (?)", [(number,) for number in range(40)])
    connection = connect(shared, fetch_size=7)
    paged = connection.cursor()
    if how == "parameters":
        paged.execute("SELECT k FROM t WHERE token(k) > ?", (-(2**63),))
    else:
        paged.execute("SELECT k FROM t")
    if how == "fetchmany":
        found = paged.fetchmany(15) + paged.fetchmany(10) + paged.fetchall()
    else:
        found = list(paged) if how == "iterate" else paged.fetchall()
    assert sorted(found) == [(number,) for number in range(40)]
    connection.close()


def test_description_names_columns_and_types(cursor: dbapi.Cursor) -> None:
    assert cursor.description is None
    cursor.execute(
        "SELECT v, (bigint) 1, (blob) 0x00, (timeuuid) ?, (frozen<list<int>>) ?, (map<text, int>) ?, (date) ? FROM t",
        (TIMEUUID, [1], {"a": 1}, "2020-01-01"),
    )
    assert cursor.description is not None
    names, codes = zip(*(column[:2] for column in cursor.description), strict=True)
    assert names[0] == "v"
    assert codes == ("text", "bigint", "blob", "timeuuid", "list<int>", "map<text, int>", "date")
    assert codes[0] == dbapi.STRING
    assert codes[1] == dbapi.NUMBER
    assert codes[2] == dbapi.BINARY
    assert codes[3] == dbapi.ROWID
    assert codes[6] == dbapi.DATETIME
    assert codes[1] != dbapi.STRING
    cursor.execute("INSERT INTO t (k) VALUES (1)")
    assert cursor.description is None
    assert cursor.fetchall() == []


def test_rowcount_says_whether_a_condition_held(cursor: dbapi.Cursor) -> None:
    insert = "INSERT INTO t (k, v) VALUES (?, ?) IF NOT EXISTS"
    cursor.execute(insert, (1, "a"))
    assert (cursor.rowcount, cursor.fetchall()) == (1, [(True,)])
    cursor.execute(insert, (1, "b"))
    assert (cursor.rowcount, cursor.fetchall()) == (0, [(False, 1, "a")])
    cursor.execute("SELECT k FROM t")
    assert cursor.rowcount == -1


@pytest.mark.parametrize(
    ("statement", "parameters", "kind", "message"),
    [
        ("SELEC 1", None, dbapi.ProgrammingError, "line 1:0 no viable alternative at input 'SELEC'"),
        ("SELECT k FROM nope", None, dbapi.ProgrammingError, "table nope does not exist"),
        ("SELECT k FROM nope WHERE k = ?", (1,), dbapi.ProgrammingError, "table nope does not exist"),
        ("SELECT nope FROM t", None, dbapi.ProgrammingError, "Undefined column name nope"),
        ("SELECT k FROM nope.t", None, dbapi.ProgrammingError, "keyspace nope does not exist"),
        ("CREATE TABLE t (k int PRIMARY KEY)", None, dbapi.ProgrammingError, r"Table '\w+\.t' already exists"),
        ("CREATE TABLE u (k int)", None, dbapi.ProgrammingError, "No PRIMARY KEY specifed for table"),
        ("DROP TABLE nope", None, dbapi.ProgrammingError, "doesn't exist"),
        ("ALTER TABLE t WITH nope = 1", None, dbapi.ProgrammingError, "Unknown property 'nope'"),
        ("ALTER TABLE t WITH gc_grace_seconds = -1", None, dbapi.ProgrammingError, "gc_grace_seconds must be"),
        ("SELECT v FROM t WHERE v = 'x'", None, dbapi.ProgrammingError, "use ALLOW FILTERING"),
        ("INSERT INTO t (k) VALUES ('x')", None, dbapi.ProgrammingError, "Invalid STRING constant"),
        ("INSERT INTO t (k) VALUES (?)", ("x",), dbapi.DataError, "column \"k\""),
        ("INSERT INTO t (k) VALUES (?)", (2**31,), dbapi.DataError, "column \"k\""),
        ("INSERT INTO t (k) VALUES (?)", (1, 2), dbapi.DataError, "Too many arguments"),
        ("INSERT INTO t (k, v) VALUES (?, ?)", (1, b"\xff"), dbapi.DataError, "encode"),
    ],
)  # fmt: skip
def test_errors_have_the_apis_own_classes(
    cursor: dbapi.Cursor, statement: str, parameters: Any, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message) as caught:
        cursor.execute(statement, parameters)
    assert type(caught.value) is kind
    assert isinstance(caught.value, dbapi.DatabaseError)
    assert caught.value.__cause__ is not None
    assert "\n" not in str(caught.value)
    cursor.execute("SELECT k FROM t")  # the connection goes on working
    assert cursor.fetchall() == []


def test_a_level_that_the_keyspace_cannot_reach(cursor: dbapi.Cursor) -> None:
    from cassandra import ConsistencyLevel

    with pytest.raises(dbapi.OperationalError, match="Cannot achieve consistency level TWO"):
        cursor.execute("INSERT INTO t (k) VALUES (?)", (1,), consistency=ConsistencyLevel.TWO)
    with pytest.raises(dbapi.OperationalError, match="Cannot achieve consistency level TWO"):
        cursor.execute("INSERT INTO t (k) VALUES (1)", consistency=ConsistencyLevel.TWO)
    cursor.execute("SELECT k FROM t")
    assert cursor.fetchall() == []


def test_the_connections_own_level_counts(shared: CassandraKeyspace) -> None:
    connection = connect(shared, consistency="three")
    with pytest.raises(dbapi.OperationalError, match="THREE"):
        connection.cursor().execute("INSERT INTO t (k) VALUES (1)")
    connection.close()


def test_no_answer_in_time(shared: CassandraKeyspace) -> None:
    connection = connect(shared, request_timeout=0.0001)
    with pytest.raises(dbapi.OperationalError, match=r"no answer in time.*may still be carried out"):
        connection.cursor().executemany("SELECT k FROM t", [()] * 50)
    connection.close()


def test_closed_things_refuse(shared: CassandraKeyspace) -> None:
    connection = connect(shared)
    closed = connection.cursor()
    closed.execute("SELECT key FROM system.local")
    closed.close()
    for use in (
        lambda: closed.execute("SELECT key FROM system.local"),
        closed.fetchone,
        closed.fetchall,
        closed.fetchmany,
    ):
        with pytest.raises(dbapi.InterfaceError, match="cursor is closed"):
            use()
    cursor = connection.cursor()
    connection.close()
    connection.close()  # a second time does nothing
    for use in (lambda: cursor.execute("SELECT key FROM system.local"), cursor.fetchone, lambda: connection.session):
        with pytest.raises(dbapi.InterfaceError, match="connection is closed"):
            use()


def test_commit_and_rollback_do_nothing(cursor: dbapi.Cursor) -> None:
    cursor.execute("INSERT INTO t (k) VALUES (1)")
    cursor.connection.rollback()
    cursor.connection.commit()
    cursor.execute("SELECT k FROM t")
    assert cursor.fetchall() == [(1,)]


def test_executemany_stops_at_the_first_failure(cursor: dbapi.Cursor) -> None:
    with pytest.raises(dbapi.DataError):
        cursor.executemany("INSERT INTO t (k) VALUES (?)", [(1,), (2,), ("x",), (4,)])
    cursor.execute("SELECT k FROM t")
    assert sorted(cursor.fetchall()) == [(1,), (2,)]


def test_prepared_statements_are_kept_but_not_without_end(
    shared: CassandraKeyspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connect(shared)
    cursor, session = connection.cursor(), connection.session
    prepared: list[str] = []
    prepare = session.prepare
    monkeypatch.setattr(dbapi, "PREPARED_STATEMENTS", 3)
    monkeypatch.setattr(session, "prepare", lambda text: prepared.append(text) or prepare(text))
    statements = [f"SELECT v FROM t WHERE k = ? LIMIT {number}" for number in (1, 2, 3)]
    for statement in [*statements, *statements]:
        cursor.execute(statement, (1,))
    assert prepared == statements
    cursor.execute("SELECT v FROM t WHERE k = ? LIMIT 4", (1,))
    cursor.execute(statements[1], (1,))  # still there
    assert len(prepared) == 4
    cursor.execute(statements[0], (1,))  # the oldest had to go
    assert prepared[-1] == statements[0]
    connection.close()


@pytest.mark.parametrize("protocol_version", [4, 5])
@pytest.mark.parametrize("by", ["this connection", "another"])
def test_a_table_altered_meanwhile(cassandra_keyspace: CassandraKeyspace, by: str, protocol_version: int) -> None:
    connection = connect(cassandra_keyspace, protocol_version=protocol_version)
    cursor = connection.cursor()

    def alter(statement: str) -> None:
        cursor.execute(statement) if by == "this connection" else cassandra_keyspace.execute(statement)

    alter("CREATE TABLE t (k int PRIMARY KEY, b text)")
    cursor.execute("INSERT INTO t (k, b) VALUES (?, ?)", (1, "b"))
    select = "SELECT * FROM t WHERE k = ?"
    cursor.execute(select, (1,))
    assert cursor.fetchall() == [(1, "b")]
    alter("ALTER TABLE t ADD a int")
    cursor.execute(select, (1,))
    assert [column[0] for column in cursor.description or ()] == ["k", "a", "b"]
    assert cursor.fetchall() == [(1, None, "b")]
    alter("ALTER TABLE t DROP b")
    cursor.execute(select, (1,))
    assert cursor.fetchall() == [(1, None)]
    alter("DROP TABLE t")
    alter("CREATE TABLE t (k int PRIMARY KEY, a text)")
    cursor.execute("INSERT INTO t (k, a) VALUES (?, ?)", (1, "text now"))
    cursor.execute(select, (1,))
    assert cursor.fetchall() == [(1, "text now")]
    connection.close()


def test_a_user_type_altered_meanwhile(cassandra_keyspace: CassandraKeyspace) -> None:
    connection = connect(cassandra_keyspace)
    cursor = connection.cursor()
    cursor.execute("CREATE TYPE point (x int, y int)")
    cursor.execute("CREATE TABLE t (k int PRIMARY KEY, p frozen<point>)")
    insert = "INSERT INTO t (k, p) VALUES (?, ?)"
    cursor.execute(insert, (1, (1, 2)))
    cursor.execute("ALTER TYPE point ADD z int")
    cursor.execute(insert, (1, (1, 2, 3)))
    cursor.execute("SELECT p FROM t WHERE k = ?", (1,))
    assert cursor.fetchone() == ((1, 2, 3),)
    connection.close()


def test_another_keyspace_in_use(cursor: dbapi.Cursor, shared: CassandraKeyspace) -> None:
    connection = connect(shared)
    cursor = connection.cursor()
    query = "SELECT table_name FROM tables LIMIT ?"
    cursor.execute("USE system_schema")
    cursor.execute(query, (1,))
    assert len(cursor.fetchall()) == 1
    cursor.execute("USE system_virtual_schema")
    cursor.execute("SELECT keyspace_name FROM tables LIMIT ?", (1,))
    assert cursor.fetchall()[0][0].startswith("system_v")
    cursor.execute(query + " ", (1,))
    cursor.execute("use system_schema")
    cursor.execute("SELECT keyspace_name FROM tables LIMIT ?", (1,))
    assert not cursor.fetchall()[0][0].startswith("system_v")
    connection.close()


def test_several_connections_are_several_sessions(shared: CassandraKeyspace) -> None:
    one, other = connect(shared), connect(shared)
    one.close()
    cursor = other.cursor()
    cursor.execute("SELECT key FROM system.local")
    assert cursor.fetchall() == [("local",)]
    other.close()


def test_nothing_goes_on_before_the_nodes_agree(
    shared: CassandraKeyspace, connection: dbapi.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[Any] = []
    monkeypatch.setattr(connection, "await_agreement", waited.append)
    cursor = connection.cursor()
    for statement in (
        "CREATE TABLE IF NOT EXISTS t (k int PRIMARY KEY)",  # nothing to do, and the driver would not wait
        "-- a comment\n  /* and\nanother */ alter table t with comment = 'x'",
        "DROP TABLE IF EXISTS u",
    ):
        cursor.execute(statement)
    assert len(waited) == 3
    assert all(host is not None for host in waited)
    cursor.execute("SELECT key FROM system.local")
    assert len(waited) == 3

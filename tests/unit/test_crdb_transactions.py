"""alembic_crdb.transactions: what is sent when, without a server."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import OperationalError

from alembic_cluster.execution import Progress
from alembic_crdb.transactions import Transactions, is_schema_change


class Server:
    """Keeps what it is sent; refuses what it is told to."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.refuses: str | None = None
        self.progress = Progress()
        self.transactions = Transactions(self._send, self.progress)

    def _send(self, statement: str) -> None:
        self.sent.append(statement)
        if statement == self.refuses:
            raise OperationalError(statement, None, Exception("no"))

    def run(self, *statements: str) -> None:
        for statement in statements:
            self._send(self.transactions.before(statement))


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.mark.parametrize(
    ("statement", "is_one"),
    [
        ("CREATE TABLE t (x INT)", True),
        ("\n  alter table t add column y int", True),
        ("-- why\n/* and\n how */ DROP TABLE t", True),
        ("--", False),
        ("-- drop it\nSELECT 1", False),
        ("TRUNCATE t", True),
        ("COMMENT ON TABLE t IS 'x'", True),
        ("GRANT SELECT ON t TO u", True),
        ("INSERT INTO created VALUES (1)", False),
        ("WITH x AS (SELECT 1) UPDATE t SET y = 1", False),
        ("SELECT * FROM t -- drop", False),
        ("", False),
    ],
)
def test_is_schema_change(statement: str, is_one: bool) -> None:
    assert is_schema_change(statement) is is_one


def test_no_transaction_without_a_block(server: Server) -> None:
    server.run("INSERT 1", "CREATE TABLE t (x INT)")
    assert server.sent == ["INSERT 1", "CREATE TABLE t (x INT)"]


def test_block_begins_with_its_first_statement_and_commits_once(server: Server) -> None:
    with server.transactions.block():
        assert server.sent == []
        server.run("INSERT 1")
        with server.transactions.block():
            server.run("INSERT 2")
        assert server.progress.in_transaction
    assert server.sent == ["BEGIN", "INSERT 1", "INSERT 2", "COMMIT"]
    assert not server.progress.in_transaction


def test_empty_block_sends_nothing(server: Server) -> None:
    with server.transactions.block():
        pass
    assert server.sent == []


def _fail_inside(server: Server) -> None:
    with server.transactions.block():
        server.run("INSERT 1")
        raise KeyError


def test_error_rolls_back(server: Server) -> None:
    with pytest.raises(KeyError):
        _fail_inside(server)
    server.run("INSERT 2")
    assert server.sent == ["BEGIN", "INSERT 1", "ROLLBACK", "INSERT 2"]


def test_first_error_is_raised_when_the_rollback_fails_too(server: Server) -> None:
    server.refuses = "ROLLBACK"
    with pytest.raises(KeyError):
        _fail_inside(server)
    assert not server.progress.in_transaction


def test_refused_commit_is_raised_and_nothing_counts_as_applied(server: Server) -> None:
    server.refuses = "COMMIT"
    block = server.transactions.block()
    block.__enter__()
    server.run("INSERT 1")
    server.progress.pending.append("INSERT 1")
    with pytest.raises(OperationalError):
        block.__exit__(None, None, None)
    assert server.progress.applied == []
    assert not server.progress.in_transaction
    server.run("INSERT 2")
    assert server.sent == ["BEGIN", "INSERT 1", "COMMIT", "INSERT 2"]


def test_schema_change_in_a_block_runs_by_itself(server: Server) -> None:
    with server.transactions.block():
        server.run("INSERT 1", "CREATE INDEX i ON t (x)", "DROP INDEX j", "INSERT 2")
    assert server.sent == [
        "BEGIN", "INSERT 1", "COMMIT", "CREATE INDEX i ON t (x)", "DROP INDEX j", "BEGIN", "INSERT 2", "COMMIT"
    ]  # fmt: skip


def test_pause_commits_and_goes_on(server: Server) -> None:
    with server.transactions.block():
        server.run("INSERT 1")
        with server.transactions.pause():
            server.run("INSERT 2", "INSERT 3")
        server.run("INSERT 4")
    assert server.sent == ["BEGIN", "INSERT 1", "COMMIT", "INSERT 2", "INSERT 3", "BEGIN", "INSERT 4", "COMMIT"]


def test_savepoint_outside_a_block_is_a_transaction(server: Server) -> None:
    server.run(
        "SAVEPOINT s1", "INSERT 1", "SAVEPOINT s2", "INSERT 2", "ROLLBACK TO SAVEPOINT s2", "RELEASE SAVEPOINT s1"
    )
    server.run("INSERT 3")
    assert [statement for statement in server.sent if statement != "SELECT 1"] == [
        "BEGIN", "INSERT 1", "SAVEPOINT s2", "INSERT 2", "ROLLBACK TO SAVEPOINT s2", "COMMIT", "INSERT 3"
    ]  # fmt: skip


def test_savepoint_rolled_back(server: Server) -> None:
    server.run("SAVEPOINT s1", "INSERT 1", "ROLLBACK TO SAVEPOINT s1", "INSERT 2")
    assert [statement for statement in server.sent if statement != "SELECT 1"] == [
        "BEGIN", "INSERT 1", "ROLLBACK", "INSERT 2"
    ]  # fmt: skip


def test_savepoint_that_a_schema_change_ended_is_not_named_again(server: Server) -> None:
    with server.transactions.block():
        server.run("SAVEPOINT s1", "INSERT 1", "CREATE INDEX i ON t (x)", "INSERT 2", "RELEASE SAVEPOINT s1")
    assert "RELEASE SAVEPOINT s1" not in server.sent
    assert server.sent[-2:] == ["SELECT 1", "COMMIT"]

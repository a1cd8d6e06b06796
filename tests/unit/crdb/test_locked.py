"""Tables with ``schema_locked``, which the servers of the other tests don't have: the gate by itself."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import psycopg.errors
import pytest

from alembic_cluster.gate import Kind, Statement
from alembic_crdb import locked
from alembic_crdb.evidence import Evidence
from alembic_crdb.locked import UnlockGate


class Server:
    """A server with one table, ``"T t"``, that refuses schema changes while it is locked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_locked = True
        self.sent: list[str] = []
        monkeypatch.setattr(locked, "look", lambda *_: Evidence("d", ('"T t"',) if self.is_locked else ()))
        monkeypatch.setattr(locked, "tell", lambda _, text: self.take(text))

    def take(self, text: str) -> None:
        """Take a statement."""
        self.sent.append(text)
        if "schema_locked" in text:
            self.is_locked = "true" in text
        elif self.is_locked:
            raise psycopg.errors.OperatorIntervention('this schema change is disallowed because table "T t" is locked')

    def run(self, text: str) -> None:
        """Send a statement through the gate."""
        connection: Any = SimpleNamespace()
        statement = Statement(text, None, False, Kind.CHANGE, 1, connection, None, None)
        UnlockGate().around(statement, lambda: self.take(text))


def test_a_table_is_unlocked_for_one_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(monkeypatch)
    server.run('ALTER TABLE "T t" ADD COLUMN a INT8')
    assert server.is_locked
    assert server.sent == [
        'ALTER TABLE "T t" ADD COLUMN a INT8',
        'ALTER TABLE "T t" SET (schema_locked = false)',
        'ALTER TABLE "T t" ADD COLUMN a INT8',
        'ALTER TABLE "T t" SET (schema_locked = true)',
    ]


def test_a_table_is_locked_again_behind_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(monkeypatch)

    def take(text: str) -> None:
        Server.take(server, text)
        if not server.is_locked and "COLUMN" in text:
            raise psycopg.errors.DuplicateColumn("a")

    monkeypatch.setattr(server, "take", take)
    with pytest.raises(psycopg.errors.DuplicateColumn):
        server.run('ALTER TABLE "T t" ADD COLUMN a INT8')
    assert server.is_locked


@pytest.mark.parametrize(
    "text", ["ALTER TABLE x SET (schema_locked = true, ttl = 'on')", "ALTER SEQUENCE s INCREMENT 2"]
)
def test_what_is_not_about_it_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    server = Server(monkeypatch)
    monkeypatch.setattr(
        server, "take", lambda _: (_ for _ in ()).throw(psycopg.errors.OperatorIntervention("is locked"))
    )
    with pytest.raises(psycopg.errors.OperatorIntervention):
        server.run(text)
    assert server.sent == []

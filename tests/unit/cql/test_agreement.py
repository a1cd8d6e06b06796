"""Waiting for schema agreement, with nodes that are made up."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from alembic_cql import agreement
from alembic_cql.agreement import wait_for_agreement

OLD, NEW = uuid.uuid4(), uuid.uuid4()


@dataclass(frozen=True)
class Endpoint:
    """Where a node listens."""

    name: str
    port: int

    def __str__(self) -> str:
        return self.name

    def resolve(self) -> tuple[str, int]:
        return "127.0.0.1", self.port


class Node:
    """A node as the driver knows it; ``port`` is where it listens, if it does."""

    def __init__(self, name: str, version: Any, port: int, is_up: bool | None = True) -> None:
        self.host_id = uuid.uuid4()
        self.version = version
        self.is_up = is_up
        self.answers = True
        self.endpoint = Endpoint(name, port)


class Session:
    """A session whose nodes answer from memory."""

    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = nodes
        self.asked: list[Node] = []
        self.cluster = SimpleNamespace(metadata=SimpleNamespace(all_hosts=lambda: nodes))

    def execute_async(self, query: str, host: Any, **_: Any) -> Any:
        self.asked.append(host)
        return SimpleNamespace(result=lambda: self._answer(query, host))

    def _answer(self, query: str, host: Any) -> list[dict[str, Any]]:
        if not host.answers:
            raise TimeoutError("no answer")
        local = "system.local" in query
        rows = [node for node in self.nodes if (node is host) is local]
        return [{"host_id": node.host_id, "schema_version": node.version, "native_port": None} for node in rows]


@pytest.fixture
def listening() -> Iterator[int]:
    """A port where something listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def silent() -> int:
    """A port where nothing does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agreement, "KNOCK_EVERY", 0.01)


def test_all_agree(listening: int) -> None:
    session = Session([Node("a", NEW, listening), Node("b", NEW, listening)])
    found = wait_for_agreement(session, 5, session.nodes[1])
    assert found.reached
    assert found.versions == {"a": str(NEW), "b": str(NEW)}
    assert session.asked == [session.nodes[1]] * 2


def test_one_comes_later(listening: int) -> None:
    late = Node("b", OLD, listening)
    session = Session([Node("a", NEW, listening), late])

    def execute_async(query: str, host: Any, **kw: Any) -> Any:
        if len(session.asked) > 5:
            late.version = NEW
        return Session.execute_async(session, query, host, **kw)

    session.execute_async = execute_async  # type: ignore[method-assign]
    assert wait_for_agreement(session, 30, session.nodes[0]).reached
    assert len(session.asked) > 5


def test_one_never_does(listening: int) -> None:
    session = Session([Node("a", NEW, listening), Node("b", OLD, listening)])
    found = wait_for_agreement(session, 0.1, session.nodes[0])
    assert not found.reached
    assert str(found) == f"a: {NEW}, b: {OLD}"


def test_one_is_known_to_be_down(listening: int) -> None:
    session = Session([Node("a", NEW, listening), Node("b", OLD, listening, is_up=False)])
    found = wait_for_agreement(session, 0, session.nodes[0])
    assert found.reached
    assert found.down == ("b",)
    assert "down, not waited for: b" in str(found)


def test_one_refuses_connections_though_nobody_noticed_yet(listening: int, silent: int) -> None:
    session = Session([Node("a", NEW, listening), Node("b", OLD, silent)])
    found = wait_for_agreement(session, 30, session.nodes[0])
    assert found.reached
    assert found.down == ("b",)


def test_the_node_asked_is_gone(listening: int) -> None:
    session = Session([Node("a", NEW, listening), Node("b", NEW, listening)])
    session.nodes[0].answers = False
    assert wait_for_agreement(session, 30, session.nodes[0]).reached
    assert session.asked[0] is session.nodes[0]
    assert session.asked[-1] is session.nodes[1]


def test_no_node_answers(listening: int) -> None:
    session = Session([Node("a", NEW, listening)])
    session.nodes[0].answers = False
    with pytest.raises(TimeoutError):
        wait_for_agreement(session, 0.05)


def test_half_written_rows_of_nodes_that_join_do_not_count(listening: int) -> None:
    session = Session([Node("a", NEW, listening), Node("b", None, listening)])
    assert wait_for_agreement(session, 0, session.nodes[0]).versions == {"a": str(NEW)}

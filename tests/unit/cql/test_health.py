"""alembic_cql.health: what it tells of nodes."""

from __future__ import annotations

import pytest

from alembic_cql.health import _told


@pytest.mark.parametrize(
    ("versions", "down", "found"),
    [
        ({"1": "a", "2": "a"}, [], [("schema versions", "ok", "2 node(s) agree")]),
        ({"1": "a", "2": "b"}, [], [("schema versions", "failed", "nodes disagree: 1 a, 2 b")]),
        ({"1": "a", "2": "b"}, ["2"], [("schema versions", "ok", "1 node(s) agree"), ("nodes", "warning", "2 down")]),
    ],
)
def test_nodes(versions: dict[str, str], down: list[str], found: list[tuple[str, str, str]]) -> None:
    assert [each[:3] for each in _told(versions, down)] == found

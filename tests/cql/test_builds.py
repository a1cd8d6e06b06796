"""``await_builds``: a run waits until indexes and views are filled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from alembic_cluster.errors import BuildStalled
from alembic_cluster.progress import Event
from alembic_cql import builds
from alembic_cql.builds import Build, BuildGate, builds_of, progress_of
from tests.cql.runs import LockedProject
from tests.servers.fixtures import CassandraKeyspace

MADE = """
op.execute("CREATE TABLE t (a int, b int, c text, PRIMARY KEY (a, b))")
op.execute("CREATE CUSTOM INDEX ON t (c) USING 'sai'")
op.execute("CREATE INDEX by_b ON t (b)")
op.execute('CREATE MATERIALIZED VIEW "Vv" AS SELECT * FROM t WHERE a IS NOT NULL AND b IS NOT NULL PRIMARY KEY (b, a)')
"""


class Heard:
    def __init__(self) -> None:
        self.events: list[Event] = []

    def hear(self, event: Event) -> None:
        self.events.append(event)


def test_a_run_waits_for_what_it_makes(
    tmp_path: Path, cassandra_keyspace: CassandraKeyspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, heard = LockedProject(tmp_path, cassandra_keyspace), Heard()
    project.revision("a", MADE)
    asked: list[Build] = []

    def ask(session: Any, build: Build) -> Any:
        found = progress_of(session, build)
        first = build not in asked
        asked.append(build)
        return (["a node"], 0.5) if first else found

    monkeypatch.setattr(builds, "progress_of", ask)
    project.upgrade_with(await_builds=True, listeners=[heard])
    keyspace = cassandra_keyspace.name
    assert list(dict.fromkeys(asked)) == [
        Build("index", keyspace, "t_c_idx", "t"),
        Build("index", keyspace, "by_b", "t"),
        Build("materialized view", keyspace, "Vv", "t"),
    ]
    shown = [event for event in heard.events if event.kind == "statement progress"]
    assert [(event.ordinal, event.fraction) for event in shown if event.fraction] == [(2, 0.5), (3, 0.5), (4, 0.5)]


def test_what_nobody_fills(cassandra_keyspace: CassandraKeyspace) -> None:
    engine = sa.create_engine(cassandra_keyspace.url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        gate = BuildGate(connection, sleep=lambda _: None, patience=0)
        with pytest.raises(BuildStalled, match="nowhere is not filled on 127"):
            gate._wait(Build("index", cassandra_keyspace.name, "nowhere", "t"))
        assert list(builds_of(connection, "CREATE INDEX nowhere ON t (a)")) == []


def test_how_far_the_nodes_are(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(session: Any, host: Any, query: str, *values: str) -> list[dict[str, Any]]:
        if "sstable_tasks" in query:
            return [
                {"table_name": "t", "kind": "View build", "progress": 1, "total": 4},
                {"table_name": "other", "kind": "View build", "progress": 3, "total": 4},
            ]
        return [{}] if host.endpoint == "done" else []

    class Host:
        def __init__(self, endpoint: str, is_up: bool | None) -> None:
            self.endpoint, self.is_up = endpoint, is_up

    class Session:
        cluster: Any = None

    Session.cluster = type("Cluster", (), {})()
    Session.cluster.metadata = type("Metadata", (), {})()
    hosts = [Host("done", True), Host("at it", None), Host("down", False)]
    Session.cluster.metadata.all_hosts = lambda: hosts
    monkeypatch.setattr(builds, "_ask", ask)
    assert progress_of(Session(), Build("materialized view", "k", "v", "t")) == (["at it"], 0.625)
    assert progress_of(Session(), Build("index", "k", "v", "t")) == (["at it"], None)

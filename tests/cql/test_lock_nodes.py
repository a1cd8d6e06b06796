"""Runs on three nodes of which one is killed, hangs, or is lost in the middle of a conditional write."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import make_url

from tests.cql.runs import LockedProject
from tests.servers.cassandra import CassandraCluster
from tests.servers.fixtures import CassandraKeyspace, driver_cluster

pytestmark = [
    pytest.mark.skipif("NODES" not in os.environ, reason="takes minutes: scripts/nightly nodes"),
    pytest.mark.timeout(1200),
]

TABLES = [f"t{number}" for number in range(6)]
CREATES = "\n".join(f"op.execute('CREATE TABLE {name} (a int PRIMARY KEY)')" for name in TABLES)


class KeyspaceOfThree(CassandraKeyspace):
    """A keyspace whose rows are asked for on new connections, for the old ones break with a node."""

    def execute(self, cql: str, parameters: Any = None) -> list[Any]:
        up = [node.host for node in self.cluster.nodes if node.is_running and not node.is_paused]
        driver = driver_cluster(self.cluster, up)
        try:
            return list(driver.connect(self.name).execute(cql, parameters))
        finally:
            driver.shutdown()


@pytest.fixture
def project(tmp_path: Path, three_cassandra_nodes: CassandraCluster) -> LockedProject:
    """A project on a keyspace that all three nodes have."""
    name = f"t_{uuid4().hex[:12]}"
    KeyspaceOfThree("system", "", three_cassandra_nodes, None).execute(
        f"CREATE KEYSPACE {name} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 3}}"
    )
    url = make_url(three_cassandra_nodes.url(name)).update_query_dict({"request_timeout": "30"})
    keyspace = KeyspaceOfThree(name, url.render_as_string(hide_password=False), three_cassandra_nodes, None)
    return LockedProject(tmp_path, keyspace)


def test_a_node_is_killed_during_a_run(project: LockedProject, three_cassandra_nodes: CassandraCluster) -> None:
    project.revision("a", CREATES)
    runner = project.process("upgrade", "head", DIE="stop:3")
    os.waitpid(runner.pid, os.WUNTRACED)
    three_cassandra_nodes.nodes[1].kill()
    os.kill(runner.pid, signal.SIGCONT)
    output, _ = runner.communicate(timeout=300)
    if runner.returncode != 0:  # the statement had gone to that node
        output, _ = project.process("upgrade", "head").communicate(timeout=300)
    assert project.heads() == {"a"}, output
    assert set(TABLES) <= project.tables()
    assert project.history() == [("a", "upgrade")]


def test_a_node_hangs_and_the_schema_disagrees(project: LockedProject, three_cassandra_nodes: CassandraCluster) -> None:
    project.revision("a", CREATES)
    url = make_url(project.keyspace.url).update_query_dict({"schema_agreement_timeout": "5", "request_timeout": "8"})
    project.set_url(url.render_as_string(hide_password=False))
    told = ""
    while (
        "Cassandra applied statement" not in told
    ):  # or else it went to the hanging node itself, and got no answer
        runner = project.process("upgrade", "head", DIE="stop:1")
        os.waitpid(runner.pid, os.WUNTRACED)
        three_cassandra_nodes.nodes[2].pause()
        os.kill(runner.pid, signal.SIGCONT)
        output, _ = runner.communicate(timeout=300)
        assert runner.returncode != 0, output
        told += " ".join(output.split())
        three_cassandra_nodes.heal()
    assert "goes on behind this statement" in told
    versions = dict(re.findall(r"([\d.]+):\d+: ([0-9a-f-]{36})", told))
    assert set(versions) == set(three_cassandra_nodes.hosts), told
    assert len(set(versions.values())) == 2
    project.set_url(project.keyspace.url)
    process = project.process("upgrade", "head")
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    assert project.heads() == {"a"}
    assert set(TABLES) <= project.tables()
    assert project.history() == [("a", "upgrade")]


@pytest.mark.parametrize("of", ["alembic_cluster_lock", "alembic_version (scope, version_num)"])
def test_the_coordinator_is_lost_in_the_middle_of_a_conditional_write(
    of: str, project: LockedProject, three_cassandra_nodes: CassandraCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cassandra.cluster import Session

    send = Session.execute_async
    killed: list[Any] = []

    def send_and_kill(self: Any, query: Any, *args: Any, **kw: Any) -> Any:
        future = send(self, query, *args, **kw)
        prepared = getattr(query, "prepared_statement", query)
        text = (
            str(getattr(prepared, "query_string", prepared)).replace('"', "").replace(f"{project.keyspace.name}.", "")
        )
        if not killed and " IF " in text and of in text:
            (node,) = [node for node in three_cassandra_nodes.nodes if node.host == str(future._current_host.address)]
            node.kill()
            killed.append(node)
        return future

    monkeypatch.setattr(Session, "execute_async", send_and_kill)
    project.revision("a", CREATES)
    try:
        project.upgrade()
    except Exception as error:  # no other node could tell what came of it at that moment
        print(type(error).__name__, error)
        project.upgrade()
    assert killed
    assert project.heads() == {"a"}
    assert project.history() == [("a", "upgrade")]

"""Cassandra really starts, stops, dies, freezes and comes back; and leaves nothing."""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.servers import keeper
from tests.servers.cassandra import (
    CassandraCluster,
    CassandraNode,
    ExternalCassandra,
    cassandra_from_environment,
    parse_hosts,
)
from tests.servers.errors import NoServer, NotOurServer, ServerDidNotStart
from tests.servers.fixtures import CassandraKeyspace, driver_cluster


def test_each_test_has_a_keyspace_of_its_own(cassandra_keyspace: CassandraKeyspace) -> None:
    cassandra_keyspace.execute("CREATE TABLE t (id int PRIMARY KEY, name text)")
    cassandra_keyspace.execute("INSERT INTO t (id, name) VALUES (1, 'one')")
    assert [row.name for row in cassandra_keyspace.execute("SELECT name FROM t")] == ["one"]


@pytest.mark.parametrize(
    "schema",
    [
        "CREATE MATERIALIZED VIEW v AS SELECT * FROM t WHERE id IS NOT NULL AND name IS NOT NULL "
        "PRIMARY KEY (name, id)",
        "CREATE CUSTOM INDEX i ON t (name) USING 'org.apache.cassandra.index.sasi.SASIIndex'",
        "CREATE INDEX i ON t (name) USING 'sai'",
        "CREATE FUNCTION f (x int) RETURNS NULL ON NULL INPUT RETURNS int LANGUAGE java AS 'return x + 1;'",
        "ALTER TABLE t ALTER name MASKED WITH DEFAULT",
        "ALTER TABLE t WITH cdc = true",
        "CREATE TABLE u (id int PRIMARY KEY, v vector<float, 3>)",
    ],
)
def test_what_a_default_server_leaves_off_is_on(cassandra_keyspace: CassandraKeyspace, schema: str) -> None:
    if not cassandra_keyspace.cluster.is_ours:
        pytest.skip("the cluster that CASSANDRA_HOSTS names has its own configuration")
    cassandra_keyspace.execute("CREATE TABLE t (id int PRIMARY KEY, name text)")
    cassandra_keyspace.execute(schema)


def _count(session: Any) -> int:
    from cassandra import ConsistencyLevel
    from cassandra.query import SimpleStatement

    query = SimpleStatement("SELECT count(*) FROM survives.t", consistency_level=ConsistencyLevel.QUORUM)
    return int(session.execute(query).one()[0])


def _add(session: Any, key: int) -> None:
    from cassandra import ConsistencyLevel
    from cassandra.query import SimpleStatement

    insert = SimpleStatement("INSERT INTO survives.t (id) VALUES (%s)", consistency_level=ConsistencyLevel.QUORUM)
    session.execute(insert, (key,))


def test_three_nodes_lose_one_and_get_it_back(three_cassandra_nodes: CassandraCluster) -> None:
    cluster = three_cassandra_nodes
    first, second, third = cluster.nodes
    assert isinstance(first, CassandraNode)
    # Each driver asks one node only, so that none of them waits for a node that is frozen.
    drivers = [driver_cluster(cluster, [node.host]) for node in (first, third)]
    try:
        by_first, by_third = (driver.connect() for driver in drivers)
        by_first.execute(
            "CREATE KEYSPACE survives WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 3}"
        )
        by_first.execute("CREATE TABLE survives.t (id int PRIMARY KEY)")

        second.kill()
        assert not second.is_running
        assert first.is_running
        assert third.is_running
        _add(by_first, 1)
        old = second.pid
        second.restart()
        assert second.is_running
        assert second.pid != old
        assert not keeper.start_time(old)

        third.pause()
        assert third.is_paused
        _add(by_first, 2)
        third.resume()
        assert not third.is_paused

        # What the first node took together with one of the others is there when the first is gone.
        first.stop()
        assert not first.is_running
        _add(by_third, 3)
        assert _count(by_third) == 3
        first.start()
        assert first.is_running
    finally:
        for driver in drivers:
            driver.shutdown()


def test_the_next_test_finds_all_nodes_up(three_cassandra_nodes: CassandraCluster) -> None:
    three_cassandra_nodes.nodes[2].pause()
    three_cassandra_nodes.heal()
    assert all(node.is_running for node in three_cassandra_nodes.nodes)
    driver = driver_cluster(three_cassandra_nodes)
    try:
        driver.connect()
        up = {host.address for host in driver.metadata.all_hosts() if host.is_up}
        assert up == set(three_cassandra_nodes.hosts)
    finally:
        driver.shutdown()


def test_password_and_tls_are_asked_for() -> None:
    from cassandra.auth import PlainTextAuthProvider
    from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable
    from cassandra.policies import RoundRobinPolicy

    with CassandraCluster.start(auth=True, tls=True) as cluster:
        assert cluster.url("k").startswith("cassandra://cassandra:cassandra@127.")
        trusting = ssl.create_default_context(cafile=str(cluster.ca_file))

        def users(password: str, context: ssl.SSLContext | None) -> list[str]:
            profile = ExecutionProfile(load_balancing_policy=RoundRobinPolicy())
            driver = Cluster(
                cluster.hosts,
                port=cluster.port,
                auth_provider=PlainTextAuthProvider("cassandra", password),
                ssl_context=context,
                connect_timeout=10,
                execution_profiles={EXEC_PROFILE_DEFAULT: profile},
            )
            try:
                return [row.role for row in driver.connect().execute("SELECT role FROM system_auth.roles")]
            finally:
                driver.shutdown()

        assert users("cassandra", trusting) == ["cassandra"]
        with pytest.raises(NoHostAvailable, match="incorrect"):
            users("wrong", trusting)
        with pytest.raises(NoHostAvailable, match=r"CERTIFICATE_VERIFY_FAILED|certificate verify failed"):
            users("cassandra", ssl.create_default_context())
        folder = cluster.ca_file.parent if cluster.ca_file else Path()
        pid = cluster.nodes[0].pid
    assert not folder.exists()
    assert not keeper.start_time(pid)


def test_a_server_that_cannot_start_says_why_and_leaves_nothing() -> None:
    before = set(Path(tempfile.gettempdir()).glob("cassandra-*"))
    with pytest.raises(ServerDidNotStart, match=r"(?s)ended before it was ready.*no_such_partitioner") as caught:
        CassandraCluster.start(settings={"partitioner": "no_such_partitioner"})
    assert "127." in str(caught.value)
    assert set(Path(tempfile.gettempdir()).glob("cassandra-*")) == before


@pytest.mark.parametrize(
    ("text", "hosts", "port"),
    [
        ("db1", ["db1"], 9042),
        ("db1,db2:9043", ["db1", "db2"], 9043),
        ("db1:9043, db2:9043", ["db1", "db2"], 9043),
        (" 10.0.0.1 , 10.0.0.2 ", ["10.0.0.1", "10.0.0.2"], 9042),
    ],
)
def test_cassandra_hosts_is_read(text: str, hosts: list[str], port: int) -> None:
    assert parse_hosts(text) == (hosts, port)


@pytest.mark.parametrize("text", [",", "db1:9042,db2:9043", "db1:port"])
def test_cassandra_hosts_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(NoServer, match="CASSANDRA_HOSTS"):
        parse_hosts(text)


def test_cassandra_hosts_names_a_cluster_that_is_not_ours(
    cassandra: CassandraCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASSANDRA_HOSTS", f"{','.join(cassandra.hosts)}:{cassandra.port}")
    with cassandra_from_environment() as external:
        assert isinstance(external, ExternalCassandra)
        assert external.url("k") == cassandra.url("k")
        node = external.nodes[0]
        assert node.is_running
        for control in (node.stop, node.kill, node.pause, node.resume, node.restart):
            with pytest.raises(NotOurServer, match="CASSANDRA_HOSTS"):
                control()
    assert cassandra.nodes[0].is_running


def test_cassandra_hosts_where_nothing_listens_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASSANDRA_HOSTS", "127.0.0.1:1")
    with pytest.raises(NoServer, match=r"nothing listens at 127\.0\.0\.1:1"):
        cassandra_from_environment()

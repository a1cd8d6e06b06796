"""pytest fixtures: a running server, and a fresh keyspace or database for each test."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from tests.servers.cassandra import CassandraCluster, cassandra_from_environment
from tests.servers.cockroach import CockroachCluster, cockroach_from_environment
from tests.servers.errors import NoServer


@dataclass(frozen=True)
class CassandraKeyspace:
    """A fresh keyspace: its ``name``, the SQLAlchemy ``url`` that has it, and the ``cluster`` it is on."""

    name: str
    url: str
    cluster: CassandraCluster
    session: Any

    def execute(self, cql: str, parameters: Any = None) -> list[Any]:
        """Run one CQL statement in this keyspace by the bare driver; gives the rows."""
        self.session.set_keyspace(self.name)
        return list(self.session.execute(cql, parameters))


@pytest.fixture(scope="session")
def cassandra() -> Iterator[CassandraCluster]:
    """One Cassandra node for the whole session, or the cluster that ``CASSANDRA_HOSTS`` names."""
    with cassandra_from_environment() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def cassandra_session(cassandra: CassandraCluster) -> Iterator[Any]:
    """A session of the bare driver on ``cassandra``, for what a test does beside the dialect."""
    driver = driver_cluster(cassandra)
    try:
        yield driver.connect()
    finally:
        driver.shutdown()


def driver_cluster(cluster: CassandraCluster, hosts: Sequence[str] | None = None) -> Any:
    """Give the bare driver's ``Cluster`` object for a running cluster, not connected yet.

    :param hosts: the only nodes to talk to; ``None`` for all.
    """
    from cassandra.auth import PlainTextAuthProvider
    from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
    from cassandra.policies import DCAwareRoundRobinPolicy, WhiteListRoundRobinPolicy

    nodes = DCAwareRoundRobinPolicy(cluster.local_dc) if hosts is None else WhiteListRoundRobinPolicy(hosts)
    profile = ExecutionProfile(load_balancing_policy=nodes, request_timeout=60)
    login = PlainTextAuthProvider(cluster.user, cluster.password or "") if cluster.user is not None else None
    return Cluster(
        hosts or cluster.hosts,
        port=cluster.port,
        auth_provider=login,
        execution_profiles={EXEC_PROFILE_DEFAULT: profile},
        connect_timeout=20,
    )


@pytest.fixture
def cassandra_keyspace(cassandra: CassandraCluster, cassandra_session: Any) -> Iterator[CassandraKeyspace]:
    """A fresh keyspace on ``cassandra`` (one replica), dropped after the test."""
    name = f"t_{uuid4().hex[:12]}"
    cassandra_session.execute(
        f"CREATE KEYSPACE {name} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}"
    )
    try:
        yield CassandraKeyspace(name, cassandra.url(name), cassandra, cassandra_session)
    finally:
        cassandra_session.execute(f"DROP KEYSPACE IF EXISTS {name}")


@pytest.fixture(scope="module")
def _three_cassandra_nodes() -> Iterator[CassandraCluster]:
    if os.environ.get("CASSANDRA_HOSTS"):
        pytest.skip("stops and kills nodes, and the cluster that CASSANDRA_HOSTS names is not ours to stop")
    with CassandraCluster.start(nodes=3) as cluster:
        yield cluster


@pytest.fixture
def three_cassandra_nodes(_three_cassandra_nodes: CassandraCluster) -> CassandraCluster:
    """Three Cassandra nodes, all up; a test may stop, kill or pause them, the next finds them up again."""
    _three_cassandra_nodes.heal()
    return _three_cassandra_nodes


@dataclass(frozen=True)
class CockroachDatabase:
    """A fresh database: its ``name``, the SQLAlchemy ``url`` (psycopg2) that has it, its ``cluster``."""

    name: str
    url: str
    cluster: CockroachCluster

    def url_for(self, driver: str) -> str:
        """Give the URL for another driver, such as ``psycopg``."""
        return self.cluster.url(self.name, driver)

    def execute(self, sql: str) -> list[Any]:
        """Run one statement in this database by the bare driver; gives the rows."""
        return self.cluster.execute(sql, self.name)


@pytest.fixture(scope="session")
def _cockroach_servers() -> Iterator[list[CockroachCluster]]:
    servers: list[CockroachCluster] = []
    yield servers
    for server in servers:
        server.close()


@pytest.fixture(scope="module")
def cockroach(_cockroach_servers: list[CockroachCluster]) -> CockroachCluster:
    """One CockroachDB node, or what ``COCKROACH_URL`` names; skips without.

    Files of tests share it until it is worn: with each schema change it goes through every object that it ever had, so
    that after 500 objects a change takes twice as long, and a fresh server is sooner there than waited for.
    """
    if _cockroach_servers and _cockroach_servers[0].is_worn():
        _cockroach_servers.pop().close()
    if not _cockroach_servers:
        try:
            _cockroach_servers.append(cockroach_from_environment())
        except NoServer as reason:
            pytest.skip(str(reason))
    return _cockroach_servers[0]


@pytest.fixture
def cockroach_database(cockroach: CockroachCluster) -> Iterator[CockroachDatabase]:
    """A fresh database on ``cockroach``, dropped after the test."""
    name = cockroach.create_database()
    try:
        yield CockroachDatabase(name, cockroach.url(name), cockroach)
    finally:
        cockroach.drop_database(name)


@pytest.fixture(scope="module")
def _three_cockroach_nodes() -> Iterator[CockroachCluster]:
    if os.environ.get("COCKROACH_URL"):
        pytest.skip("stops and kills nodes, and the server that COCKROACH_URL names is not ours to stop")
    try:
        cluster = CockroachCluster.start(nodes=3)
    except NoServer as reason:
        pytest.skip(str(reason))
    with cluster:
        yield cluster


@pytest.fixture
def three_cockroach_nodes(_three_cockroach_nodes: CockroachCluster) -> CockroachCluster:
    """Three CockroachDB nodes, all up; a test may stop, kill or pause them, the next finds them up again."""
    _three_cockroach_nodes.heal()
    return _three_cockroach_nodes

"""Schema agreement on three nodes: all up, one killed, one that hangs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection, create_engine, make_url

from alembic_cql import dbapi
from tests.servers.cassandra import CassandraCluster

pytestmark = pytest.mark.timeout(600)

KEYSPACE = "agreement"


@pytest.fixture
def connection(three_cassandra_nodes: CassandraCluster) -> Iterator[Connection]:
    """A connection that waits 5 s for agreement and 4 s for a statement; there is a keyspace on all three nodes."""
    url = make_url(three_cassandra_nodes.url())
    url = url.update_query_dict({"schema_agreement_timeout": "5", "request_timeout": "4", "consistency": "QUORUM"})
    patient = create_engine(three_cassandra_nodes.url())
    with patient.connect() as connection:
        connection.exec_driver_sql(
            f"CREATE KEYSPACE IF NOT EXISTS {KEYSPACE} "
            "WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 3}"
        )
    patient.dispose()
    engine = create_engine(url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def tables_of_each_node(cluster: CassandraCluster) -> list[set[str]]:
    """Ask each running node by itself which tables it knows."""
    from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
    from cassandra.policies import WhiteListRoundRobinPolicy

    found = []
    for node in cluster.nodes:
        if not node.is_running:
            continue
        profile = ExecutionProfile(load_balancing_policy=WhiteListRoundRobinPolicy([node.host]))
        driver = Cluster(
            [node.host],
            port=cluster.port,
            execution_profiles={EXEC_PROFILE_DEFAULT: profile},
            protocol_version=5,
            connect_timeout=20,
        )
        try:
            rows = driver.connect().execute(
                f"SELECT table_name FROM system_schema.tables WHERE keyspace_name = '{KEYSPACE}'"
            )
            found.append({row.table_name for row in rows})
        finally:
            driver.shutdown()
    return found


def create(connection: Connection, name: str) -> None:
    connection.exec_driver_sql(f"CREATE TABLE {KEYSPACE}.{name} (k int PRIMARY KEY)")


def test_when_ddl_returns_every_node_knows(three_cassandra_nodes: CassandraCluster, connection: Connection) -> None:
    for name in ("a", "b"):
        create(connection, name)
        tables = tables_of_each_node(three_cassandra_nodes)
        assert len(tables) == 3
        assert all(name in known for known in tables)


def test_a_node_that_was_killed_is_not_waited_for(
    three_cassandra_nodes: CassandraCluster, connection: Connection
) -> None:
    three_cassandra_nodes.nodes[1].kill()
    names = {"killed_1", "killed_2", "killed_3"}
    for name in sorted(names):  # whichever node each of them goes to
        create(connection, name)
    for _ in range(6):
        connection.exec_driver_sql(f"INSERT INTO {KEYSPACE}.killed_1 (k) VALUES (?)", (1,))
    tables = tables_of_each_node(three_cassandra_nodes)
    assert len(tables) == 2
    assert all(names <= known for known in tables)
    three_cassandra_nodes.heal()
    create(connection, "after_killed")
    tables = tables_of_each_node(three_cassandra_nodes)
    assert len(tables) == 3
    assert all(names | {"after_killed"} <= known for known in tables)


def test_a_node_that_hangs_is_told_of(three_cassandra_nodes: CassandraCluster, connection: Connection) -> None:
    cluster = three_cassandra_nodes
    cluster.nodes[2].pause()
    errors = []
    for number in range(4):
        # Never a silent success. A statement that went to the hanging node itself gets no answer.
        with pytest.raises(sa.exc.OperationalError) as caught:
            create(connection, f"hanging_{number}")
        errors.append(caught.value.orig)
        assert isinstance(caught.value.orig, dbapi.SchemaDisagreement) or "no answer in time" in str(caught.value.orig)
    disagreement: Any = next(error for error in errors if isinstance(error, dbapi.SchemaDisagreement))
    text = str(disagreement)
    assert text.startswith("the statement was applied, but after ")
    versions = dict(re.findall(r"([\d.]+):\d+: ([0-9a-f-]{36})", text))
    assert set(versions) == set(cluster.hosts)
    assert versions[cluster.hosts[0]] == versions[cluster.hosts[1]] != versions[cluster.hosts[2]]
    cluster.heal()
    connection.connection.dbapi_connection.agreement_timeout = 60  # type: ignore[union-attr]
    create(connection, "after_hanging")
    tables = tables_of_each_node(cluster)
    assert tables[0] == tables[1] == tables[2]
    assert "after_hanging" in tables[0]

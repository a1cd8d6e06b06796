"""Two datacenters: which nodes coordinate, keyspaces replicated in each, heads that are one for both."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import make_url

from alembic_cluster.errors import ClusterError, ConfigurationError
from alembic_cql import Keyspace, create_keyspaces
from tests.cql.project import Project
from tests.servers.cassandra import CassandraCluster
from tests.servers.fixtures import CassandraKeyspace, driver_cluster

pytestmark = [
    pytest.mark.skipif("NODES" not in os.environ, reason="takes minutes: scripts/nightly nodes"),
    pytest.mark.timeout(1200),
]

MODELS = """
from alembic_cql import Keyspace
Keyspace("bank", metadata, replication={replication})
sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("v", sa.Text))
"""
BOTH = {"class": "NetworkTopologyStrategy", "east": 1, "west": 1}


@pytest.fixture(scope="module")
def two_datacenters() -> Iterator[CassandraCluster]:
    with CassandraCluster.start(nodes=2, datacenters=("east", "west")) as cluster:
        yield cluster


def url_in(cluster: CassandraCluster, datacenter: str, keyspace: str = "") -> sa.URL:
    """Give the URL of a client that stands in a datacenter and knows the other one's node alone."""
    other = cluster.nodes[0 if datacenter == "west" else 1]
    url = make_url(cluster.url(keyspace)).set(host=other.host)
    return url.update_query_dict({"local_dc": datacenter})


def test_the_local_datacenter_coordinates(two_datacenters: CassandraCluster) -> None:
    for datacenter in ("east", "west"):
        engine = sa.create_engine(url_in(two_datacenters, datacenter), poolclass=sa.NullPool)
        with engine.connect() as connection:
            asked = {connection.exec_driver_sql("SELECT data_center FROM system.local").scalar() for _ in range(10)}
        assert asked == {datacenter}
    with pytest.raises(ConfigurationError, match=r"no datacenter 'north' \(local_dc\); it has east, west"):
        sa.create_engine(make_url(two_datacenters.url()).update_query_dict({"local_dc": "north"})).connect()


def test_a_keyspace_moves_between_datacenters(two_datacenters: CassandraCluster, tmp_path: Path) -> None:
    east, west = (
        url_in(two_datacenters, name, "bank").render_as_string(hide_password=False) for name in ("east", "west")
    )
    driver = driver_cluster(two_datacenters)
    session: Any = driver.connect()
    try:
        project = Project(tmp_path, CassandraKeyspace("bank", east, two_datacenters, session))
        project.models(MODELS.format(replication=BOTH))
        metadata = sa.MetaData()
        Keyspace("bank", metadata, replication=BOTH)
        assert create_keyspaces(east, metadata) == ["bank"]
        project.autogenerate("a")
        project.upgrade()
        assert (project.is_clean(), project.tables(), project.heads()) == (True, {"t"}, {"a"})
        project.set_url(west)
        assert "a (head)" in project.run("current")
        assert project.is_clean()
        project.models(MODELS.format(replication={"class": "NetworkTopologyStrategy", "west": 1}))
        assert "op.alter_keyspace(" in project.autogenerate("b")
        project.upgrade()
        assert project.is_clean()
        project.downgrade("-1")
        next(project.versions.glob("b_*.py")).unlink()
        query = "SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = 'bank'"
        ((found,),) = project.keyspace.execute(query)
        assert dict(found) == {"class": f"org.apache.cassandra.locator.{BOTH['class']}", "east": "1", "west": "1"}
        project.models(MODELS.format(replication={**BOTH, "north": 1}))
        project.autogenerate("c")  # for an environment that has it
        with pytest.raises(ClusterError, match=r"no datacenter 'north' \(it has east, west\).*was sent"):
            project.upgrade("c")
        assert project.heads() == {"a"}
    finally:
        driver.shutdown()

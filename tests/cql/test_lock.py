"""``migration_lock`` on Cassandra: real processes that wait, die, stop and come back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cql.runs import LockedProject
from tests.servers.fixtures import CassandraKeyspace

OWN = ("alembic_version", "alembic_cluster_lock", "alembic_cluster_history", "alembic_cluster_journal")


@pytest.fixture
def project(tmp_path: Path, cassandra_keyspace: CassandraKeyspace) -> LockedProject:
    return LockedProject(tmp_path, cassandra_keyspace)


def test_a_run(project: LockedProject) -> None:
    project.revision("a", "op.execute('CREATE TABLE a (a int PRIMARY KEY)')", "op.execute('DROP TABLE a')")
    project.revision("b", "op.execute('CREATE TABLE b (a int PRIMARY KEY)')", "op.execute('DROP TABLE b')")
    project.upgrade()
    assert project.heads() == {"b"}
    assert project.history() == [("a", "upgrade"), ("b", "upgrade")]
    project.downgrade("base")
    assert project.heads() == set()
    assert project.tables() - set(OWN) == set()
    assert project.history()[2:] == [("b", "downgrade"), ("a", "downgrade")]

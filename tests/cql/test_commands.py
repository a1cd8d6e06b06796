"""Each command of ``alembic-cluster`` in each situation, on Cassandra; read-only roles are in test_connect.py."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from tests import situations
from tests.cql.runs import LockedProject
from tests.servers.fixtures import CassandraKeyspace


def two_tables(folder: Path, keyspace: CassandraKeyspace) -> LockedProject:
    """Make a project of two revisions; the second one's second statement is refused."""
    project = LockedProject(folder, keyspace)
    project.revision("a", "op.execute('CREATE TABLE a (a int PRIMARY KEY)')", "op.execute('DROP TABLE a')")
    project.revision(
        "b", "op.execute('CREATE TABLE b (a int PRIMARY KEY)')\nop.execute('CREATE TABLE a (b int PRIMARY KEY)')"
    )
    return project


@pytest.fixture
def project(tmp_path: Path, cassandra_keyspace: CassandraKeyspace) -> LockedProject:
    return two_tables(tmp_path, cassandra_keyspace)


def test_situations(project: LockedProject) -> None:
    situations.hold_against(project.folder, situations.EMPTY)
    assert (
        project.keyspace.execute(
            "SELECT table_name FROM system_schema.tables WHERE keyspace_name = %s", [project.keyspace.name]
        )
        == []
    )
    assert situations.call(project.folder, "upgrade a")[0] == 0
    assert situations.call(project.folder, "upgrade head")[0] == 255
    situations.hold_against(project.folder, situations.HALF_APPLIED)
    situations.take_lock(project.folder)
    situations.hold_against(project.folder, situations.HELD)


def test_unreachable(project: LockedProject) -> None:
    url = make_url(project.keyspace.url)
    for changed in (url.set(host="127.0.0.1", port=1), url.set(database="no_such_keyspace")):
        project.set_url(changed.render_as_string(hide_password=False))
        situations.hold_against(project.folder, situations.UNREACHABLE)


def test_upgrade_warns_of_findings(project: LockedProject) -> None:
    project.revision(
        "c", "op.execute('CREATE TABLE c (a int PRIMARY KEY, b list<int>)')\nop.execute('TRUNCATE a')", down="a"
    )
    written = project.cli("upgrade", "c")
    found = re.findall(r"WARNI \[alembic\.cluster\.lint\] \S+/c\.py:(\d+): (\w+)", written)
    assert found == [("11", "CQ009")]  # no CQ013, which only informs; no AL001, which is the guard's matter

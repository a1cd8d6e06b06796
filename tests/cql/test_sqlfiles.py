"""CQL files on Cassandra: named by revisions, and revisions themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from alembic_cluster.errors import EditedRevision, UnreadableScript
from tests.cql.runs import LockedProject
from tests.servers.fixtures import CassandraKeyspace

EVENTS = """\
-- @ALLOW_DESTRUCTIVE
-- events; of 'everybody
CREATE TABLE events (id int PRIMARY KEY, kind text, "order" int) WITH comment = '${owner}; it''s';
// rows
BEGIN BATCH
  INSERT INTO events (id, kind) VALUES (1, ':kind 100%');
  INSERT INTO events (id, kind) VALUES (2, 'b');
APPLY BATCH;
-- @UNDO
DROP TABLE events;
"""


def test_files(tmp_path: Path, cassandra_keyspace: CassandraKeyspace) -> None:
    project = LockedProject(tmp_path, cassandra_keyspace)
    folder = tmp_path / "cql"
    folder.mkdir()
    (folder / "1_events.cql").write_text(EVENTS)
    (folder / "2_open.cql").write_text("CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t (a) VALUES ('")
    project.edit(
        "alembic.ini", r"(?m)^script_location = ", f"alembic_cluster.sql_folders = {folder}\nscript_location = "
    )
    project.cli("-x", "var.owner=me", "upgrade", "1")
    assert project.rows("SELECT id, kind FROM events") == [(1, ":kind 100%"), (2, "b")]
    assert project.rows(
        f"SELECT comment FROM system_schema.tables WHERE keyspace_name = '{cassandra_keyspace.name}' "
        "AND table_name = 'events'"
    ) == [("me; it's",)]
    with pytest.raises(UnreadableScript):
        project.upgrade()
    assert "t" not in project.tables()
    (folder / "2_open.cql").unlink()
    project.revision("p", "op.execute_file('p.cql')", "op.undo_file('p.cql')")
    revision = project.versions / "p.py"
    revision.write_text(
        revision.read_text().replace("down_revision = None", "down_revision = '1'\nallow_destructive = True")
    )
    (project.versions / "p.cql").write_text("CREATE TABLE t (a int PRIMARY KEY);\n-- @UNDO\nDROP TABLE t")
    project.upgrade()
    assert "t" in project.tables()
    (project.versions / "p.cql").write_text("CREATE TABLE t (a int PRIMARY KEY);\n-- @UNDO\nDROP TABLE IF EXISTS t")
    with pytest.raises(EditedRevision, match="IF EXISTS"):
        project.upgrade()
    project.downgrade("base")
    assert not {"t", "events"} & project.tables()

"""SQL files on CockroachDB: named by revisions, and revisions themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from alembic_cluster.errors import ConfigurationError, DestructiveRefused, EditedRevision, InvalidSqlFile
from tests.cockroachdb.project import Project
from tests.servers.fixtures import CockroachDatabase

USERS = """\
-- @ALLOW_DESTRUCTIVE
-- Users: a comment with a semicolon; and 'a quote
CREATE TABLE users (id INT PRIMARY KEY, name STRING DEFAULT 'a;b', "select" INT);
CREATE INDEX ON users (name) STORING ("select");
INSERT INTO users (id, name, "select") VALUES (1, '${greeting} :name 100%', 10 % 3);

-- @UNDO
DROP INDEX users@users_name_idx; DROP TABLE users;
"""


@pytest.fixture
def project(cockroach_database: CockroachDatabase, tmp_path: Path) -> Project:
    project = Project(tmp_path, cockroach_database.url)
    online = r"with context.begin_transaction\(\):\n            context.run_migrations\(\)\n\n\nif"
    locked = "with migration_lock(context):\n            context.run_migrations()\n\n\nif"
    project.edit("migrations/env.py", online, locked)
    project.edit("migrations/env.py", "^from logging", "from alembic_cluster import migration_lock\nfrom logging")
    return project


def names(database: CockroachDatabase) -> list[tuple[str]]:
    return [row[0] for row in database.execute("SELECT name FROM users ORDER BY id")]


def test_a_file_beside_its_revision(project: Project, cockroach_database: CockroachDatabase) -> None:
    project.revision("a", "op.execute_file('a.sql')", "op.undo_file('a.sql')")
    file = project.folder / "migrations/versions/a.sql"
    file.write_text(USERS)
    with pytest.raises(ConfigurationError, match="greeting"):
        project.upgrade()
    project.cli("-x", "var.greeting=hello", "upgrade", "head")
    assert names(cockroach_database) == ["hello :name 100%"]
    file.write_text(USERS + "-- one more line\n")
    with pytest.raises(EditedRevision, match="one more line"):
        project.upgrade()
    file.write_text(USERS)
    with pytest.raises(DestructiveRefused):  # the revision is the Python file
        project.downgrade("base")
    project.cli("-x", "allow-destructive", "downgrade", "base")
    project.cli("-x", "var.greeting=again", "upgrade", "head")
    assert "again :name 100%" in project.cli("-x", "var.greeting=again", "upgrade", "head", "--sql")


def test_a_folder_of_revisions(project: Project, cockroach_database: CockroachDatabase) -> None:
    folder = project.folder / "sql"
    folder.mkdir()
    (folder / "20230101120000_create_users.sql").write_text(USERS)
    (folder / "20230102130000_add_age.sql").write_text(
        "-- @ALLOW_DESTRUCTIVE\nALTER TABLE users ADD COLUMN age INT DEFAULT 7;\n"
        "UPDATE users SET age = 8 WHERE id = 1;\n"
        "-- @UNDO\nALTER TABLE users DROP COLUMN age;\n"
    )
    (folder / "20230103000000_no_way_back.sql").write_text("INSERT INTO users (id) VALUES (2)")
    project.edit("alembic.ini", r"(?m)^script_location = .*$",
                 f"script_location = {project.folder}/migrations\nalembic_cluster.sql_folders = {folder}\n"
                 "alembic_cluster.var.greeting = hi")  # fmt: skip
    assert "20230103000000 (head), no way back" in project.cli("history")
    project.upgrade("20230102130000")
    assert cockroach_database.execute("SELECT name, age FROM users") == [("hi :name 100%", 8)]
    project.upgrade()
    project.upgrade()
    with pytest.raises(InvalidSqlFile, match="no line '-- @UNDO'"):
        project.downgrade("-1")
    (folder / "20230101130000_late.sql").write_text("SELECT 1")
    with pytest.raises(EditedRevision, match="revises 20230101130000"):
        project.upgrade()
    (folder / "20230101130000_late.sql").unlink()
    (folder / "20230103000000_no_way_back.sql").write_text("INSERT INTO users (id) VALUES (2)\n-- @UNDO\n")
    with pytest.raises(EditedRevision):
        project.upgrade()
    project.downgrade("20230101120000")
    assert "age" not in str(cockroach_database.execute("SHOW COLUMNS FROM users"))
    project.downgrade("base")

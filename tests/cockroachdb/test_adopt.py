"""``alembic-cluster adopt`` on CockroachDB: projects of manticore-cockroachdb, of golang-migrate, of plain files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from alembic_cluster.adopting import adopt
from alembic_cluster.errors import AdoptionRefused, InvalidSqlFile
from tests.cockroachdb.project import Project
from tests.servers.fixtures import CockroachDatabase

# manticore-cockroachdb 0.3.1 itself writes the files and the state, as its guide does.
MANTICORE = """
import sys
from manticore_cockroachdb import Database, Migrator
database = Database.from_url(sys.argv[1])
migrator = Migrator(database, sys.argv[2])
migrator.create_migration("create users table", "CREATE TABLE users (id INT PRIMARY KEY, n STRING DEFAULT 'a;${b}');",
                          "DROP TABLE users;")
migrator.create_migration("add age", "ALTER TABLE users ADD COLUMN age INT;", "ALTER TABLE users DROP COLUMN age;")
migrator.migrate()
migrator.create_migration("rows", "INSERT INTO users (id) VALUES (1);")
database.close()
"""


@pytest.fixture
def project(cockroach_database: CockroachDatabase, tmp_path: Path) -> Project:
    return Project(tmp_path, cockroach_database.url)


def test_manticore(project: Project, cockroach_database: CockroachDatabase, tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    url = cockroach_database.url.replace("cockroachdb+psycopg2", "postgresql").replace("cockroachdb", "postgresql")
    ran = subprocess.run(
        [sys.executable, "-c", MANTICORE, url, str(folder)], capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, ran.stderr
    looked = adopt(project.config, "manticore", folder, dry_run=True)
    assert (looked.revisions, looked.applied) == (["1", "2", "3"], 2)
    assert project.cli("history") == ""
    adopt(project.config, "manticore", folder)
    assert "2" in project.cli("current").split()
    project.upgrade()
    assert cockroach_database.execute("SELECT id, n, age FROM users") == [(1, "a;${b}", None)]
    with pytest.raises(InvalidSqlFile, match=r"3_rows.sql"):  # it has no way back there, either
        project.downgrade("-1")
    assert cockroach_database.execute("SELECT version FROM _migrations ORDER BY version") == [(1,), (2,)]
    project.models("import sqlalchemy as sa\nmetadata = sa.MetaData()\nsa.Table('users', metadata, "
                   "sa.Column('id', sa.BigInteger, primary_key=True, autoincrement=False), "
                   "sa.Column('n', sa.String, server_default='a;${b}'), sa.Column('age', sa.BigInteger))")  # fmt: skip
    project.check()  # their table is none of ours, and stays
    with pytest.raises(AdoptionRefused, match="has revisions already"):
        adopt(project.config, "manticore", folder)


def write(folder: Path, *names: str) -> None:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_text(f"SELECT '{name}'")


def test_golang_migrate(project: Project, cockroach_database: CockroachDatabase, tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    write(folder, *(f"{n}_t{n}.{way}.sql" for n in (1, 2, 10) for way in ("up", "down")))
    (folder / "2_t2.down.sql").unlink()
    with pytest.raises(AdoptionRefused, match="has no table schema_migrations"):
        adopt(project.config, "golang-migrate", folder)
    cockroach_database.execute("CREATE TABLE schema_migrations (version INT8 PRIMARY KEY, dirty BOOL NOT NULL)")
    cockroach_database.execute("INSERT INTO schema_migrations VALUES (2, true)")
    with pytest.raises(AdoptionRefused, match=r"2 \(dirty\)"):
        adopt(project.config, "golang-migrate", folder)
    cockroach_database.execute("UPDATE schema_migrations SET dirty = false")
    found = adopt(project.config, "golang-migrate", folder)
    assert (found.revisions, found.head) == (["1", "2", "10"], "2")
    assert [each.down for each in found.migrations] == ["SELECT '1_t1.down.sql'", None, "SELECT '10_t10.down.sql'"]
    project.upgrade()


def test_plain_files(project: Project, tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    write(folder, "V1__a.sql", "V1.1__b.sql", "V2__c.sql", "readme.txt")
    (folder / "V2__c.sql").write_text("SELECT 1;\n-- @down\nSELECT 2;")
    with pytest.raises(AdoptionRefused, match="there is no version '7'"):
        adopt(project.config, "plain", folder, applied="7")
    found = adopt(project.config, "plain", folder, applied="1.1")
    assert (found.revisions, found.head) == (["1", "1.1", "2"], "1.1")
    project.upgrade()
    project.downgrade("-1")
    with pytest.raises(AdoptionRefused, match="there is no folder"):
        adopt(project.config, "plain", tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(AdoptionRefused, match="has no migrations of plain"):
        adopt(project.config, "plain", tmp_path / "empty")

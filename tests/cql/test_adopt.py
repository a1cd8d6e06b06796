"""``alembic-cluster adopt`` on Cassandra: projects of coodie, of cassandra-migrate, of cql-track."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from pathlib import Path
from typing import Any

import pytest

from alembic_cluster.adopting import adopt
from alembic_cluster.errors import AdoptionRefused
from tests.cql.project import Project
from tests.servers.fixtures import CassandraKeyspace

COODIE = """
from coodie.migrations import Migration

class ForwardMigration(Migration):
    description = "{description}"

    async def upgrade(self, ctx):
        {upgrade}

    async def downgrade(self, ctx):
        {downgrade}
"""


def coodie_file(folder: Path, name: str, upgrade: str, downgrade: str = "pass") -> Path:
    file = folder / f"{name}.py"
    file.write_text(COODIE.format(description=name, upgrade=upgrade, downgrade=downgrade))
    return file


def execute(cql: str) -> str:
    return f"await ctx.execute({cql!r})"


def test_coodie(project: Project, cassandra_keyspace: CassandraKeyspace, tmp_path: Path) -> None:
    runner = pytest.importorskip("coodie.migrations.runner")
    from coodie.drivers.cassandra import CassandraDriver

    name, folder = cassandra_keyspace.name, tmp_path / "theirs"
    folder.mkdir()
    coodie_file(folder, "20260101_001_reviews", execute(f"CREATE TABLE {name}.reviews (id int PRIMARY KEY)"),
                execute(f"DROP TABLE {name}.reviews"))  # fmt: skip
    coodie_file(folder, "20260101_002_rows", f"await ctx.execute('INSERT INTO {name}.reviews (id) VALUES (?)', [7])")
    driver = CassandraDriver(session=cassandra_keyspace.session, default_keyspace=name)
    asyncio.run(runner.MigrationRunner(driver, name, folder).apply())
    last = coodie_file(folder, "20260102_001_rating", execute(f"ALTER TABLE {name}.reviews ADD rating int;"),
                       execute(f"ALTER TABLE {name}.reviews DROP rating"))  # fmt: skip
    found = adopt(project.config(), "coodie", folder)
    assert (found.applied, found.head) == (2, "20260101_002_rows")
    project.upgrade()
    assert project.rows("SELECT id, rating FROM reviews") == [(7, None)]
    project.downgrade("-1")
    assert project.tables() >= {"reviews", "_coodie_migrations"}
    assert last.exists()


def test_coodies_files_that_are_programs(project: Project, tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    coodie_file(folder, "20260101_001_scan", "async for row in ctx.scan_table('k', 't'): print(row)")
    state(project, '"_coodie_migrations"', "migration_name text PRIMARY KEY, checksum text")
    with pytest.raises(AdoptionRefused, match="it changes rows by a program"):
        adopt(project.config(), "coodie", folder)
    adopt(project.config(), "coodie", folder, applied="20260101_001_scan")
    (file,) = project.versions.glob("*.cql")
    assert "it changes rows by a program" in file.read_text()
    coodie_file(folder, "20260101_002_broken", "(")
    with pytest.raises(AdoptionRefused, match="can't be loaded"):
        adopt(project.config(), "coodie", folder)


def state(project: Project, table: str, columns: str, *rows: dict[str, Any]) -> None:
    project.keyspace.execute(f"CREATE TABLE {table} ({columns})")
    for row in rows:
        marks = ", ".join(["%s"] * len(row))
        project.keyspace.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))


def test_cassandra_migrate(project: Project, tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    texts = {f"v{n:03}_t{n}.cql": f"CREATE TABLE t{n} (a int PRIMARY KEY);" for n in (1, 2, 3)}
    for name, text in texts.items():
        (folder / name).write_text(text)

    def row(name: str, said: str = "SUCCEEDED") -> dict[str, Any]:
        digest = hashlib.sha256(texts[name].encode()).digest()
        return {"id": uuid.uuid4(), "version": 1, "name": name, "checksum": digest, "state": said}

    columns = "id uuid PRIMARY KEY, version int, name text, content text, checksum blob, state text"
    rows = [row("v001_t1.cql"), row("v003_t3.cql", "FAILED")]
    state(project, "database_migrations", columns, *rows)
    with pytest.raises(AdoptionRefused, match=r"v003_t3.cql \(FAILED\)"):
        adopt(project.config(), "cassandra-migrate", folder)
    project.keyspace.execute("UPDATE database_migrations SET state = 'SUCCEEDED' WHERE id = %s", (rows[1]["id"],))
    with pytest.raises(AdoptionRefused, match=r"v002_t2.cql is not applied, and later ones are"):
        adopt(project.config(), "cassandra-migrate", folder)
    project.keyspace.execute("DELETE FROM database_migrations WHERE id = %s", (rows[1]["id"],))
    (folder / "v001_t1.cql").write_text("CREATE TABLE other (a int PRIMARY KEY);")
    with pytest.raises(AdoptionRefused, match=r"v001_t1.cql was edited"):
        adopt(project.config(), "cassandra-migrate", folder)
    found = adopt(project.config(), "cassandra-migrate", folder, allow_edited=True)
    assert found.head == "v001_t1.cql"
    project.upgrade()
    assert {"t2", "t3"} <= project.tables()


def test_cql_track(project: Project, tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    text = "CREATE TABLE t1 (a int PRIMARY KEY);\n-- @down\nDROP TABLE t1;\n"
    (folder / "V001__create_t1.cql").write_text(text)
    (folder / "V002__create_t2.cql").write_text(text.replace("t1", "t2"))
    checksum = hashlib.md5(text.strip().encode()).hexdigest()
    columns = "version int PRIMARY KEY, description text, checksum text, status text"
    state(project, "cqltrack_history", columns, {"version": 1, "checksum": checksum, "status": "applied"})
    project.keyspace.execute("CREATE TABLE t1 (a int PRIMARY KEY)")
    found = adopt(project.config(), "cql-track", folder)
    assert (found.revisions, found.head) == (["1", "2"], "1")
    project.upgrade()
    project.downgrade("base")
    assert not {"t1", "t2"} & project.tables()

"""``Migrator`` and ``AsyncMigrator`` on CockroachDB."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.util import CommandError

from alembic_cluster.api import AsyncMigrator, Migrator
from alembic_cluster.errors import ConfigurationError, ConnectFailed, SchemaDriftWarning, VersionedKeyspace
from tests.cockroachdb.project import Project
from tests.servers.fixtures import CockroachDatabase

CREATE = "CREATE TABLE users (id INT PRIMARY KEY, name STRING);", "DROP TABLE users;"
ADD = "ALTER TABLE users ADD COLUMN age INT;", "ALTER TABLE users DROP COLUMN age;"


def test_what_manticores_guide_shows(cockroach_database: CockroachDatabase, tmp_path: Path) -> None:
    migrator = Migrator(cockroach_database.url, tmp_path / "migrations", allow_destructive=True)
    assert (migrator.load(), migrator.current(), migrator.applied(), migrator.history()) == ([], (), [], [])
    first, second = migrator.create("create users table", *CREATE), migrator.create("add age column", *ADD)
    assert [(each.revision, each.description) for each in migrator.load()] == [
        (first.revision, "create users table"),
        (second.revision, "add age column"),
    ]
    assert [each.statement.text for read in migrator.plan().revisions for each in read.statements] == [
        CREATE[0][:-1],
        ADD[0][:-1],
    ]
    assert migrator.upgrade(first.revision) == [first]
    assert migrator.is_applied(first.revision)
    assert not migrator.is_applied(second.revision)
    assert migrator.upgrade() == [second]
    assert migrator.upgrade() == []
    assert migrator.current() == (second.revision,)
    assert [each.revision for each in migrator.applied()] == [first.revision, second.revision]
    assert all(each.finished and each.owner for each in migrator.applied())
    assert migrator.downgrade() == [second]
    migrator.upgrade()
    assert migrator.downgrade(2) == [second, first]
    migrator.upgrade()
    assert migrator.downgrade(first.revision) == [second]
    assert [(row.revision, row.direction) for row in migrator.history()][-2:] == [
        (second.revision, "upgrade"),
        (second.revision, "downgrade"),
    ]
    migrator.stamp(second.revision)
    assert migrator.status().heads == (second.revision,)
    with pytest.raises(CommandError):
        migrator.is_applied("999")


def test_awaited(cockroach_database: CockroachDatabase, tmp_path: Path) -> None:
    url = cockroach_database.url_for("asyncpg").replace("sslmode=", "ssl=")

    async def run() -> list[str]:
        migrator = AsyncMigrator(url, tmp_path, allow_destructive=True)
        await migrator.create("users ${x}", CREATE[0] + "INSERT INTO users VALUES (1, '${name}');", CREATE[1])
        with pytest.raises(ConfigurationError, match="name"):
            await migrator.upgrade()
        migrator = AsyncMigrator(url, tmp_path, variables={"name": "Ann", "x": ""}, allow_destructive=True)
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        ticking = asyncio.create_task(tick())
        assert [each.description for each in await migrator.upgrade()] == ["users x"]
        ticking.cancel()
        assert ticks > 1
        assert (await migrator.status()).heads == await migrator.current()
        return [name for (name,) in cockroach_database.execute("SELECT name FROM users")]

    assert asyncio.run(run()) == ["Ann"]


def test_several_at_once_in_one_process(cockroach_database: CockroachDatabase, tmp_path: Path) -> None:
    Migrator(cockroach_database.url, tmp_path).create("users", *CREATE)

    async def run() -> list[int]:
        migrators = [AsyncMigrator(cockroach_database.url, tmp_path) for _ in range(3)]
        return [len(done) for done in await asyncio.gather(*(each.upgrade() for each in migrators))]

    assert sorted(asyncio.run(run())) == [0, 0, 1]


def test_an_unreachable_database(tmp_path: Path) -> None:
    migrator = Migrator("cockroachdb://root@127.0.0.1:1/d?sslmode=disable&connect_timeout=2", tmp_path)
    with pytest.raises(ConnectFailed):
        migrator.upgrade()


def test_a_project_of_alembics(cockroach_database: CockroachDatabase, tmp_path: Path) -> None:
    project = Project(tmp_path, cockroach_database.url)
    project.revision("a", "op.create_table('t', sa.Column('a', sa.Integer, primary_key=True))", "op.drop_table('t')")
    migrator = Migrator.from_config(tmp_path / "alembic.ini")
    assert [each.revision for each in migrator.upgrade()] == ["a"]
    again = Migrator(cockroach_database.url, tmp_path / "migrations")
    assert [each.revision for each in again.downgrade("base")] == ["a"]
    with pytest.raises(ConfigurationError, match="there is no file"):
        Migrator.from_config(tmp_path / "none.ini")
    with pytest.raises(ConfigurationError, match="a URL or an engine is needed"):
        Migrator(5, tmp_path)


def test_sync(cockroach_database: CockroachDatabase, tmp_path: Path) -> None:
    before, after = sa.MetaData(), sa.MetaData()
    sa.Table("t", before, sa.Column("a", sa.Integer, primary_key=True), sa.Column("b", sa.Integer, index=True))
    table = sa.Table("t", after, sa.Column("a", sa.Integer, primary_key=True), sa.Column("c", sa.String(10)))
    sa.Index("t_c", table.c.c)
    migrator = Migrator(cockroach_database.url, tmp_path, metadata=before)
    assert len(migrator.sync(dry_run=True)) == 2
    assert len(migrator.sync()) == 2
    assert migrator.sync() == []
    with pytest.warns(SchemaDriftWarning) as warned:
        sent = migrator.sync(after)
    assert len(warned) == 2
    assert [text for text in sent if "DROP" in text] == []
    with pytest.warns(SchemaDriftWarning) as warned:
        (sent_then,) = migrator.sync(after, drop_removed_indexes=True)
    assert "DROP INDEX" in sent_then
    (left,) = [str(each.message) for each in warned]
    assert "DROP COLUMN b" in left
    migrator.create("m", "SELECT 1")
    migrator.upgrade()
    with pytest.raises(VersionedKeyspace):
        migrator.sync(after)

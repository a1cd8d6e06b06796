"""``Migrator`` and ``AsyncMigrator`` on Cassandra."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa

from alembic_cluster.api import AsyncMigrator, Migrator
from alembic_cluster.errors import VersionedKeyspace
from tests.servers.fixtures import CassandraKeyspace


def test_a_folder_of_cql(cassandra_keyspace: CassandraKeyspace, tmp_path: Path) -> None:
    models = sa.MetaData()
    sa.Table("synced", models, sa.Column("a", sa.Integer, primary_key=True))
    migrator = Migrator(cassandra_keyspace.url, tmp_path, metadata=models, allow_destructive=True)
    (sent,) = migrator.sync()
    assert sent.startswith("CREATE TABLE IF NOT EXISTS synced")
    assert migrator.sync() == []
    first = migrator.create("events", "CREATE TABLE events (id int PRIMARY KEY);", "DROP TABLE events;")
    assert first.path.suffix == ".cql"
    second = migrator.create("rows", "INSERT INTO events (id) VALUES (1);", "DELETE FROM events WHERE id = 1;")
    assert migrator.upgrade() == [first, second]
    assert migrator.is_applied(second.revision)
    with pytest.raises(VersionedKeyspace):
        migrator.sync()

    async def back() -> list[str]:
        return [each.revision for each in await AsyncMigrator(cassandra_keyspace.url, tmp_path).downgrade(1)]

    assert asyncio.run(back()) == [second.revision]
    assert migrator.downgrade("base") == [first]
    assert [(row.revision, row.direction) for row in migrator.history()] == [
        (first.revision, "upgrade"),
        (second.revision, "upgrade"),
        (second.revision, "downgrade"),
        (first.revision, "downgrade"),
    ]

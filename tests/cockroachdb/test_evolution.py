"""Row versions where the rows are stored, on a real CockroachDB."""

from __future__ import annotations

import asyncio
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import create_async_engine

from alembic_cluster.evolution import Evolution
from alembic_cluster.evolution_store import StoredRows
from tests.servers.fixtures import CockroachDatabase

users = Evolution("users")


@users.step(1, 2, defaults={"tags": dict})
def name_is_full_name(row: dict[str, Any]) -> None:
    if row.get("name") is not None:
        row["full_name"] = row.pop("name")


def test_rows_are_written_back_counted_and_upgraded(cockroach_database: CockroachDatabase) -> None:
    engine = create_engine(cockroach_database.url, isolation_level="AUTOCOMMIT")
    columns = "id INT8 PRIMARY KEY, schema_version INT2, name STRING, full_name STRING, tags JSONB"
    rows = "SELECT i, IF(mod(i, 2) = 0, NULL, 1), concat('n', CAST(i AS STRING)) FROM generate_series(1, 50) AS g (i)"
    with engine.connect() as connection:
        connection.execute(text(f"CREATE TABLE users ({columns})"))
        connection.execute(text(f"INSERT INTO users (id, schema_version, name) {rows}"))
        row = dict(connection.execute(text("SELECT * FROM users WHERE id = 2")).mappings().one())
    stored = StoredRows(users, engine, "users")
    assert stored.upgrade_and_save(row)["full_name"] == "n2"
    assert not stored.write_back(row, users.upgrade(row))
    assert stored.counts() == {1: 49, 2: 1}
    report = stored.backfill(batch_rows=7)
    assert (report.rows, report.changed) == (50, 49)

    async def main() -> tuple[dict[int, int], int, Any]:
        made = create_async_engine(cockroach_database.url_for("asyncpg").replace("sslmode", "ssl"))
        awaited = StoredRows(users, made, "users")
        try:
            old = {"id": 9, "schema_version": 1, "name": "late"}
            counted, report = await awaited.counts_async(), await awaited.backfill_async()
            return counted, report.changed, await awaited.write_back_async(old, users.upgrade(old))
        finally:
            await made.dispose()

    assert asyncio.run(main()) == ({2: 50}, 0, False)
    query = "SELECT DISTINCT name, full_name = concat('n', CAST(id AS STRING)), tags FROM users"
    with engine.connect() as connection:
        found = connection.execute(text(query)).all()
    assert found == [(None, True, {})]
    engine.dispose()

"""Migrations of the kinds that coodie's guide and demo have, run by coodie and written as revisions: one result."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from coodie import drivers, sync
from coodie.migrations.runner import MigrationRunner

from tests.cql.oracle import another_keyspace
from tests.cql.project import Project, describe
from tests.servers.cassandra import CassandraCluster
from tests.servers.fixtures import CassandraKeyspace, driver_cluster

# What each migration does in coodie's way, forth and back; and in ours. {k} is the keyspace.
STEPS: dict[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "base_tables": (
        (
            """
            await ctx.execute("CREATE TABLE IF NOT EXISTS {k}.products (id uuid PRIMARY KEY, name text, brand text, "
                              "price double, tags list<text>, created_at timestamp)")
            await ctx.execute("CREATE INDEX IF NOT EXISTS ON {k}.products (brand)")
            await ctx.execute("CREATE TABLE IF NOT EXISTS {k}.reviews (product_id uuid, created_at timestamp, "
                              "author text, content text, PRIMARY KEY (product_id, created_at)) "
                              "WITH CLUSTERING ORDER BY (created_at DESC)")
            for number in range(30):
                await ctx.execute("INSERT INTO {k}.products (id, name, brand) VALUES (?, ?, ?)",
                                  [UUID(int=number), f"p{{number}}", f"brand {{number % 3}}" if number % 4 else None])
            """,
            """
            await ctx.execute("DROP TABLE IF EXISTS {k}.reviews")
            await ctx.execute("DROP TABLE IF EXISTS {k}.products")
            """,
        ),
        (
            """
            products = op.create_table(
                "products", sa.Column("id", sa.Uuid, primary_key=True), sa.Column("name", sa.Text),
                sa.Column("brand", sa.Text), sa.Column("price", sa.Double), sa.Column("tags", cql.LIST(cql.TEXT())),
                sa.Column("created_at", sa.DateTime), sa.Index("products_brand_idx", "brand"),
            )
            op.create_table(
                "reviews", sa.Column("product_id", sa.Uuid, primary_key=True),
                sa.Column("created_at", sa.DateTime, primary_key=True), sa.Column("author", sa.Text),
                sa.Column("content", sa.Text), cql_clustering_order={"created_at": "DESC"},
            )
            op.bulk_insert(products, [
                {"id": UUID(int=n), "name": f"p{n}", "brand": f"brand {n % 3}" if n % 4 else None} for n in range(30)
            ])
            """,
            """
            op.drop_table("reviews")
            op.drop_table("products")
            """,
        ),
    ),
    "column_and_index": (
        (
            """
            await ctx.execute('ALTER TABLE {k}.reviews ADD "rating" int')
            await ctx.execute("CREATE INDEX IF NOT EXISTS reviews_rating_idx ON {k}.reviews (rating)")
            """,
            """
            await ctx.execute("DROP INDEX IF EXISTS {k}.reviews_rating_idx")
            await ctx.execute('ALTER TABLE {k}.reviews DROP "rating"')
            """,
        ),
        (
            """
            op.add_column("reviews", sa.Column("rating", sa.Integer))
            op.create_index("reviews_rating_idx", "reviews", ["rating"])
            """,
            """
            op.drop_index("reviews_rating_idx", table_name="reviews")
            op.drop_column("reviews", "rating")
            """,
        ),
    ),
    "time_to_live": (
        (
            'await ctx.execute("ALTER TABLE {k}.reviews WITH default_time_to_live = 31536000")',
            'await ctx.execute("ALTER TABLE {k}.reviews WITH default_time_to_live = 0")',
        ),
        (
            'op.alter_table_options("reviews", {"default_time_to_live": 31536000})',
            'op.alter_table_options("reviews", {"default_time_to_live": 0})',
        ),
    ),
    "rename_by_copy": (
        (
            """
            await ctx.execute('ALTER TABLE {k}.products ADD "manufacturer" text')
            async for row in ctx.scan_table("{k}", "products", num_ranges=8):
                if row.get("brand"):
                    await ctx.execute('UPDATE {k}.products SET "manufacturer" = ? WHERE id = ?',
                                      [row["brand"], row["id"]])
            await ctx.execute("DROP INDEX IF EXISTS {k}.products_brand_idx")
            await ctx.execute('ALTER TABLE {k}.products DROP "brand"')
            """,
            """
            await ctx.execute('ALTER TABLE {k}.products ADD "brand" text')
            async for row in ctx.scan_table("{k}", "products", num_ranges=8):
                if row.get("manufacturer"):
                    await ctx.execute('UPDATE {k}.products SET "brand" = ? WHERE id = ?',
                                      [row["manufacturer"], row["id"]])
            await ctx.execute("CREATE INDEX IF NOT EXISTS ON {k}.products (brand)")
            await ctx.execute('ALTER TABLE {k}.products DROP "manufacturer"')
            """,
        ),
        (
            """
            op.add_column("products", sa.Column("manufacturer", sa.Text))
            for id_, brand in op.get_bind().execute(sa.select(products.c.id, products.c.brand)).all():
                if brand:
                    op.execute(products.update().where(products.c.id == id_).values(manufacturer=brand))
            op.drop_index("products_brand_idx", table_name="products")
            op.drop_column("products", "brand")
            """,
            """
            op.add_column("products", sa.Column("brand", sa.Text))
            for id_, maker in op.get_bind().execute(sa.select(products.c.id, products.c.manufacturer)).all():
                if maker:
                    op.execute(products.update().where(products.c.id == id_).values(brand=maker))
            op.create_index("products_brand_idx", "products", ["brand"])
            op.drop_column("products", "manufacturer")
            """,
        ),
    ),
}
TOP = """
from uuid import UUID
texts = [sa.column(name, sa.Text) for name in ("brand", "manufacturer")]
products = sa.table("products", sa.column("id", sa.Uuid), *texts)
"""
COODIES = """
from uuid import UUID
from coodie.migrations import Migration

class ForwardMigration(Migration):
    description = "{name}"
    allow_destructive = True

    async def upgrade(self, ctx):
{forth}

    async def downgrade(self, ctx):
{back}
"""


@pytest.fixture
def runner(
    cassandra: CassandraCluster, cassandra_keyspace: CassandraKeyspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], MigrationRunner]]:
    """coodie's runner on the keyspace, with the migrations as files."""
    folder = tmp_path / "coodie"
    folder.mkdir()
    for number, (name, ((forth, back), _)) in enumerate(STEPS.items(), start=1):
        texts = {"forth": forth, "back": back}
        written = {key: _indented(text.format(k=cassandra_keyspace.name)) for key, text in texts.items()}
        (folder / f"20260101_{number:03}_{name}.py").write_text(COODIES.format(name=name, **written))
    monkeypatch.setattr(drivers, "_registry", {})
    monkeypatch.setattr(drivers, "_default_driver_name", None)
    session = driver_cluster(cassandra)
    sync.init_coodie(session=session.connect(), keyspace=cassandra_keyspace.name, driver_type="cassandra")
    yield lambda: MigrationRunner(drivers.get_driver(), cassandra_keyspace.name, folder)
    session.shutdown()


def _indented(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    least = min(len(line) - len(line.lstrip()) for line in lines)
    return "\n".join(" " * 8 + line[least:] for line in lines)


def test_the_same_migrations_make_the_same_keyspace(
    runner: Callable[[], MigrationRunner], cassandra_keyspace: CassandraKeyspace, tmp_path: Path
) -> None:
    with another_keyspace(cassandra_keyspace) as ours:
        (tmp_path / "ours").mkdir()
        project = Project(tmp_path / "ours", ours)
        for name, (_, (forth, back)) in STEPS.items():
            project.revision(name, forth, back, top=TOP + "allow_destructive = True\n")

        def look(keyspace: CassandraKeyspace) -> Any:
            own = ("alembic_version", '"_coodie_migrations"', '"_coodie_migrations_lock"')
            found = describe(keyspace, without=own)
            there = any(name == "products" for _, name, _ in found)
            rows = sorted(map(repr, keyspace.execute("SELECT * FROM products"))) if there else []
            return [item for item in found if item[0] != "keyspace"], rows

        for number, name in enumerate(STEPS, start=1):
            asyncio.run(runner().apply(target=f"20260101_{number:03}"))
            project.upgrade(name)
            assert look(ours) == look(cassandra_keyspace), name
        assert len(look(ours)[1]) == 30
        for name in reversed(STEPS):
            asyncio.run(runner().rollback(steps=1))
            project.downgrade("-1")
            assert look(ours) == look(cassandra_keyspace), name
        assert look(ours) == ([], [])

"""coodie's documents as MetaData; the oracle is coodie's own sync_table and sync_view on a real server."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Annotated, Any
from uuid import UUID

import pytest
from coodie import aio, fields, sync
from sqlalchemy import MetaData

from alembic_cluster.errors import SchemaDriftWarning
from alembic_cql import metadata_from_coodie, sync_tables
from tests.cql.coodie_documents import TABLES, VIEWS, Embedding, GrownProduct, Invoice, Product, Tuned
from tests.cql.oracle import another_keyspace, describe, engine_of, pending
from tests.cql.project import Project
from tests.servers.cassandra import CassandraCluster
from tests.servers.fixtures import CassandraKeyspace, driver_cluster


@pytest.fixture(scope="module")
def _driver(cassandra: CassandraCluster) -> Iterator[Any]:
    driver = driver_cluster(cassandra)
    yield driver.connect()
    driver.shutdown()


@pytest.fixture
def synced(
    _driver: Any, cassandra_keyspace: CassandraKeyspace, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., CassandraKeyspace]]:
    """coodie's sync_table and sync_view of some documents in a fresh keyspace, which it gives."""
    from coodie import drivers
    from coodie.schema import build_schema

    monkeypatch.setattr(drivers, "_registry", {})
    monkeypatch.setattr(drivers, "_default_driver_name", None)
    sync.init_coodie(session=_driver, keyspace=cassandra_keyspace.name, driver_type="cassandra")

    def run(*documents: Any) -> CassandraKeyspace:
        for document in documents:
            build_schema(document)  # else a document takes the columns of its base, where that is synced first
        for document in documents:
            is_view = issubclass(document, (sync.MaterializedView, aio.MaterializedView))
            done = document.sync_view() if is_view else document.sync_table()
            if asyncio.iscoroutine(done):
                asyncio.run(done)
        return cassandra_keyspace

    return run


def made_by_us(beside: CassandraKeyspace, metadata: MetaData) -> dict[tuple[str, str], str]:
    with another_keyspace(beside) as second:
        with engine_of(second) as engine:
            metadata.create_all(engine)
        return describe(second)


def test_the_server_gets_what_sync_table_makes(synced: Callable[..., CassandraKeyspace]) -> None:
    keyspace = synced(*TABLES, *VIEWS)
    metadata = metadata_from_coodie([*TABLES, *VIEWS])
    expected = describe(keyspace)
    assert made_by_us(keyspace, metadata) == expected
    assert pending(keyspace, metadata) == []
    assert {kind for kind, _ in expected} == {"type", "table", "index", "materialized_view"}


def test_a_changed_document_is_found(synced: Callable[..., CassandraKeyspace]) -> None:
    keyspace = synced(Invoice)

    class NewInvoice(sync.Document):
        id: Annotated[UUID, fields.PrimaryKey()]
        number: Annotated[str, fields.Indexed()]

        class Settings:
            name = "Invoices"
            __default_ttl__ = 60

    operations = pending(keyspace, metadata_from_coodie(NewInvoice))
    assert sorted(operation[0] for operation in operations) == [
        "add_column", "add_index", "alter_table_options", "remove_column",
    ]  # fmt: skip


def test_revisions_are_written_from_documents(project: Project) -> None:
    project.models("""
        from typing import Annotated
        from uuid import UUID
        from alembic_cql import metadata_from_coodie
        from coodie import fields, sync
        from coodie.usertype import UserType

        class Place(UserType):
            camelCase: str

        class Visit(sync.Document):
            guest: Annotated[UUID, fields.PrimaryKey()]
            number: Annotated[int, fields.ClusteringKey(order="DESC")]
            places: list[Place]
            Rating: Annotated[int, fields.Indexed()]
            vector: Annotated[list[float], fields.Vector(dimensions=3), fields.VectorIndex()]

            class Settings:
                __default_ttl__ = 60

        class VisitsByRating(sync.MaterializedView):
            Rating: Annotated[int, fields.PrimaryKey()]
            guest: Annotated[UUID, fields.ClusteringKey()]
            number: Annotated[int, fields.ClusteringKey(clustering_key_index=1)]

            class Settings:
                __base_table__ = "visit"

        metadata = metadata_from_coodie([Visit, VisitsByRating])
    """)
    project.autogenerate("first")
    project.upgrade()
    assert project.is_clean()
    assert {key for key in describe(project.keyspace) if key != ("table", "alembic_version")} == {
        ("type", "place"),
        ("table", "visit"),
        ("index", "visit_rating_idx"),
        ("index", "visit_vector_idx"),
        ("materialized_view", "visits_by_rating"),
    }
    project.downgrade("base")
    assert set(describe(project.keyspace)) == {("table", "alembic_version")}


def test_sync_tables_does_what_sync_table_does_as_a_document_grows(
    synced: Callable[..., CassandraKeyspace],
) -> None:
    theirs = synced(Product)
    theirs.execute("ALTER TABLE products ADD legacy_col int")
    with another_keyspace(theirs) as ours, engine_of(ours) as engine:
        sync_tables(engine, metadata_from_coodie(Product))
        ours.execute("ALTER TABLE products ADD legacy_col int")
        GrownProduct.sync_table(drop_removed_indexes=True)
        with pytest.warns(SchemaDriftWarning, match="column 'legacy_col' of table 'products' is only in the database"):
            sync_tables(engine, metadata_from_coodie(GrownProduct), drop_removed_indexes=True)
        assert describe(ours) == describe(theirs)


def test_true_as_python_writes_it_is_true(synced: Callable[..., CassandraKeyspace]) -> None:
    keyspace = synced(Tuned)
    assert "'enabled': 'True'" in describe(keyspace)["table", "tunedtable"]
    metadata = metadata_from_coodie(Tuned)
    compaction = metadata.tables["tunedtable"].kwargs["cql_compaction"]
    for spelling in ("true", True, "TRUE"):
        compaction["enabled"] = spelling
        assert pending(keyspace, metadata) == []
    compaction["enabled"] = "false"
    assert [operation[0] for operation in pending(keyspace, metadata)] == ["alter_table_options"]


def test_a_vector_index_is_an_sai_index_on_cassandra(cassandra_keyspace: CassandraKeyspace) -> None:
    metadata = metadata_from_coodie(Embedding)
    with engine_of(cassandra_keyspace) as engine:
        metadata.create_all(engine)
    assert "DOT_PRODUCT" in describe(cassandra_keyspace)["index", "embedding_vector_idx"]
    assert "USING 'sai'" in describe(cassandra_keyspace)["index", "embedding_vector_idx"]
    assert pending(cassandra_keyspace, metadata) == []

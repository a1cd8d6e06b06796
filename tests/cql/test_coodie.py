"""coodie's documents as MetaData; the oracle is coodie's own sync_table and sync_view on a real server."""

# ruff: noqa: RUF012, UP045  (coodie's __options__ are mappings on the class; Optional is what users write)

import asyncio
import sys
import types
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from decimal import Decimal
from ipaddress import IPv4Address
from typing import Annotated, Any, ClassVar, Optional
from uuid import UUID

import pytest
from coodie import aio, fields, sync
from coodie.types import CqlDuration
from coodie.usertype import UserType
from pydantic import BaseModel
from sqlalchemy import Index, MetaData
from sqlalchemy.schema import CreateIndex

from alembic_cluster.errors import ConfigurationError, InvalidModel, SchemaDriftWarning
from alembic_cql import metadata_from_coodie, sync_tables
from alembic_cql.dialect import ScyllaDialect
from alembic_cql.schema import keyspace_objects
from tests.cql.oracle import another_keyspace, describe, engine_of, pending
from tests.cql.project import Project
from tests.servers.cassandra import CassandraCluster
from tests.servers.fixtures import CassandraKeyspace, driver_cluster


class HTTPAddress(UserType):
    host: str
    portNumber: int


class Order(UserType):
    LIMIT: ClassVar[int] = 5
    origin: HTTPAddress
    lines: Annotated[list[str], fields.Frozen()]
    by_name: Annotated[dict[str, HTTPAddress], fields.Frozen()]


class Everything(sync.Document):
    bucket: Annotated[int, fields.PrimaryKey(partition_key_index=1)]
    tenant: Annotated[str, fields.PrimaryKey(partition_key_index=0)]
    number: Annotated[int, fields.BigInt(), fields.ClusteringKey(clustering_key_index=1)]
    at: Annotated[UUID, fields.TimeUUID(), fields.ClusteringKey(order="DESC", clustering_key_index=0)]
    shared: Annotated[str, fields.Static()] = ""
    a_text: Annotated[str, fields.Indexed()]
    a_ascii: Annotated[str, fields.Ascii()]
    a_small: Annotated[int, fields.SmallInt()]
    a_tiny: Annotated[int, fields.TinyInt()]
    a_varint: Annotated[int, fields.VarInt()]
    an_int: int
    a_timestamp: Optional[datetime] = None
    a_date: date | None = None
    a_time: time
    a_marked_time: Annotated[int, fields.Time()]
    a_uuid: UUID
    a_boolean: bool
    a_float: float
    a_double: Annotated[float, fields.Double()]
    a_decimal: Decimal
    a_blob: bytes
    an_inet: IPv4Address
    a_duration: CqlDuration
    a_set: Annotated[set[str], fields.Indexed(index_name="TagIndex")]
    a_list: list[UUID]
    a_map: dict[str, int]
    a_tuple: tuple[str, int]
    a_frozen_set: frozenset[str]
    deep: dict[str, Annotated[list[Annotated[set[int], fields.Frozen()]], fields.Frozen()]]
    an_order: Order
    orders: list[Order]
    by_name: dict[str, Order] | None = None
    a_vector: Annotated[list[float], fields.Vector(dimensions=3)]
    camelCase: Annotated[str, fields.Indexed()]
    select: str


class PageViews(aio.CounterDocument):
    url: Annotated[str, fields.PrimaryKey()]
    views: Annotated[int, fields.Counter()]
    visitors: Annotated[int, fields.Counter()]

    class Settings:
        name = '"PageViewCounts"'


class Tuned(aio.Document):
    id: Annotated[UUID, fields.PrimaryKey()]
    value: str

    class Settings:
        name = "TunedTable"
        __default_ttl__ = 7200
        __options__ = {
            "compaction": {"class": "LeveledCompactionStrategy", "sstable_size_in_mb": 64, "enabled": True},
            "gc_grace_seconds": 43200,
            "bloom_filter_fp_chance": 0.2,
            "speculative_retry": "50ms",
            "comment": "A table of tokens",
        }


class Review(sync.Document):
    product: Annotated[UUID, fields.PrimaryKey()]
    at: Annotated[datetime, fields.ClusteringKey(order="DESC")]
    author: str
    Stars: int

    class Settings:
        name = "reviews"


class ReviewsByAuthor(sync.MaterializedView):
    author: Annotated[str, fields.PrimaryKey()]
    product: Annotated[UUID, fields.ClusteringKey(clustering_key_index=1)]
    at: Annotated[datetime, fields.ClusteringKey(clustering_key_index=0)]

    class Settings:
        name = "reviews_by_author"
        __base_table__ = "reviews"


class ReviewsByStars(aio.MaterializedView):
    Stars: Annotated[int, fields.PrimaryKey()]
    at: Annotated[datetime, fields.ClusteringKey(clustering_key_index=0)]
    product: Annotated[UUID, fields.ClusteringKey(clustering_key_index=1)]

    class Settings:
        name = "reviews_by_stars"
        __base_table__ = "Reviews"
        __view_columns__ = ["Stars", "at", "product"]
        __where_clause__ = '"Stars" is not null and "at" IS NOT NULL AND product IS NOT NULL'
        __clustering_order__ = {"at": "ASC", "product": "DESC"}


class ReviewsUpwards(sync.MaterializedView):
    author: Annotated[str, fields.PrimaryKey()]
    at: Annotated[datetime, fields.ClusteringKey(clustering_key_index=0)]
    product: Annotated[UUID, fields.ClusteringKey(clustering_key_index=1)]

    class Settings:
        __base_table__ = "reviews"
        __clustering_order__ = {"at": "ASC", "product": "ASC"}


class Pet(sync.Document):
    owner: Annotated[UUID, fields.PrimaryKey()]
    kind: Annotated[str, fields.Discriminator(), fields.ClusteringKey()]
    name: str

    class Settings:
        name = "pets"
        __options__ = {"gc_grace_seconds": 7200}


class Cat(Pet):
    lives: Optional[int] = None

    class Settings:
        __discriminator_value__ = "cat"


class Dog(Pet):
    tricks: Annotated[Optional[str], fields.Indexed()] = None

    class Settings:
        __discriminator_value__ = "dog"


class Timestamped(sync.Document):
    created: datetime

    class Settings:
        __abstract__ = True


class Invoice(Timestamped):
    id: Annotated[UUID, fields.PrimaryKey()]

    class Settings:
        name = "invoices"


class Mixin(aio.Document):
    updated: datetime


class Payment(Mixin):
    id: Annotated[UUID, fields.PrimaryKey()]


TABLES = [Everything, PageViews, Tuned, Review, Pet, Cat, Dog, Invoice, Payment]
VIEWS = [ReviewsByAuthor, ReviewsByStars, ReviewsUpwards]


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


class Product(sync.Document):
    id: Annotated[UUID, fields.PrimaryKey()]
    name: str
    brand: Annotated[str, fields.Indexed()] = "Unknown"
    price: float = 0.0

    class Settings:
        name = "products"


class GrownProduct(sync.Document):
    id: Annotated[UUID, fields.PrimaryKey()]
    name: str
    brand: str = "Unknown"
    price: float = 0.0
    rating: Annotated[int, fields.Indexed()] = 0

    class Settings:
        name = "products"
        __default_ttl__ = 7200


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


class Embedding(sync.Document):
    id: Annotated[UUID, fields.PrimaryKey()]
    vector: Annotated[list[float], fields.Vector(dimensions=3), fields.VectorIndex(similarity_function="DOT_PRODUCT")]


def test_a_vector_index_is_an_sai_index_on_cassandra(cassandra_keyspace: CassandraKeyspace) -> None:
    metadata = metadata_from_coodie(Embedding)
    with engine_of(cassandra_keyspace) as engine:
        metadata.create_all(engine)
    assert "DOT_PRODUCT" in describe(cassandra_keyspace)["index", "embedding_vector_idx"]
    assert "USING 'sai'" in describe(cassandra_keyspace)["index", "embedding_vector_idx"]
    assert pending(cassandra_keyspace, metadata) == []


def test_a_vector_index_is_scyllas_own_on_scylladb() -> None:
    (table,) = metadata_from_coodie(Embedding).tables.values()
    (index,) = table.indexes
    text = str(CreateIndex(index).compile(dialect=ScyllaDialect()))
    assert text == (
        "CREATE CUSTOM INDEX embedding_vector_idx ON embedding (vector) USING 'vector_index' "
        "WITH OPTIONS = {'similarity_function': 'DOT_PRODUCT'}"
    )


@pytest.mark.parametrize("named", [[Pet], [Cat], Dog])
def test_one_document_of_a_shared_table_stands_for_all(named: Any) -> None:
    (table,) = metadata_from_coodie(named).tables.values()
    assert set(table.columns.keys()) == {"owner", "kind", "name", "lives", "tricks"}
    assert table.kwargs["cql_gc_grace_seconds"] == 7200


@pytest.mark.parametrize(("base", "tables"), [(Timestamped, {"invoices"}), (Mixin, {"payment"})])
def test_a_base_class_stands_for_the_documents_below_it(base: Any, tables: set[str]) -> None:
    assert set(metadata_from_coodie(base).tables) == tables


def test_a_module_stands_for_the_documents_in_it() -> None:
    module = types.ModuleType("app_documents")
    vars(module).update(
        Document=sync.Document, Mixin=Mixin, Timestamped=Timestamped, Invoice=Invoice, Cat=Cat, Order=Order
    )
    assert set(metadata_from_coodie(module).tables) == {"invoices", "pets"}


def test_user_types_come_from_plain_models_too_and_may_be_named() -> None:
    class Point(BaseModel):
        x: float

    class Place(sync.Document):
        id: Annotated[UUID, fields.PrimaryKey()]
        corners: list[Point]

    metadata = metadata_from_coodie([Place, Order])
    assert {
        name: [field for field, _ in kind.fields] for (_, name), kind in keyspace_objects(metadata).types.items()
    } == {
        "point": ["x"],
        "http_address": ["host", "portNumber"],
        "order": ["origin", "lines", "by_name"],
    }
    assert list(keyspace_objects(metadata_from_coodie(HTTPAddress)).types) == [(None, "http_address")]


class InOneKeyspace(sync.Document):
    id: Annotated[UUID, fields.PrimaryKey()]
    address: HTTPAddress

    class Settings:
        keyspace = "One"


class ViewOfOne(sync.MaterializedView):
    id: Annotated[UUID, fields.PrimaryKey()]

    class Settings:
        keyspace = "one"
        __base_table__ = "in_one_keyspace"


class InAnother(aio.Document):
    id: Annotated[UUID, fields.PrimaryKey()]

    class Settings:
        keyspace = '"Another"'


@pytest.mark.parametrize(
    ("documents", "keyspace", "tables", "others"),
    [
        ([InOneKeyspace, ViewOfOne], None, {"in_one_keyspace"}, {None}),
        ([InOneKeyspace, ViewOfOne], "elsewhere", {"one.in_one_keyspace"}, {"one"}),
        ([InOneKeyspace, InAnother], None, {"one.in_one_keyspace", "Another.in_another"}, {"one"}),
        ([InOneKeyspace, InAnother], "one", {"in_one_keyspace", "Another.in_another"}, {None}),
        ([InOneKeyspace, Invoice], None, {"one.in_one_keyspace", "invoices"}, {"one"}),
    ],
)
def test_tables_outside_the_connections_keyspace_name_theirs(
    documents: Any, keyspace: str | None, tables: set[str], others: set[str | None]
) -> None:
    metadata = metadata_from_coodie(documents, keyspace=keyspace)
    objects = keyspace_objects(metadata)
    assert set(metadata.tables) == tables
    assert {schema for schema, _ in [*objects.types, *objects.views]} == others


def test_documents_that_contradict_each_other_are_refused() -> None:
    class Left(sync.Document):
        id: Annotated[UUID, fields.PrimaryKey()]
        value: str

        class Settings:
            name = "shared"

    class Right(Left):
        value: int  # type: ignore[assignment]

    with pytest.raises(InvalidModel, match=r"Left and .*Right share table 'shared' and differ in column 'value'"):
        metadata_from_coodie([Left, Right])


class Recursive(BaseModel):
    inner: "list[Recursive]"


def test_what_coodie_itself_cannot_map_is_refused() -> None:
    class Keyless(sync.Document):
        name: str

    class Untyped(sync.Document):
        id: Annotated[UUID, fields.PrimaryKey()]
        either: int | str

    class Mixed(sync.Document):
        id: Annotated[UUID, fields.PrimaryKey()]
        count: Annotated[int, fields.Counter()]
        name: str

    class Endless(sync.Document):
        id: Annotated[UUID, fields.PrimaryKey()]
        tree: Recursive

    class Inner(UserType):
        either: int | str

    class Outer(sync.Document):
        id: Annotated[UUID, fields.PrimaryKey()]
        inner: Inner

    class Baseless(sync.MaterializedView):
        id: Annotated[UUID, fields.PrimaryKey()]

    for document, text in [
        (Keyless, "Keyless has no primary key"),
        (Untyped, "Untyped: Cannot map Union type"),
        (Mixed, "Mixed: Counter tables can only have counter"),
        (Endless, "Recursive contains itself"),
        (Outer, "Inner, field 'either': Cannot map Union type"),
        (Baseless, "Baseless: Baseless.Settings must define __base_table__"),
    ]:
        with pytest.raises(InvalidModel, match=text):
            metadata_from_coodie(document)


def test_an_option_that_no_server_has_is_refused() -> None:
    class Odd(sync.Document):
        id: Annotated[UUID, fields.PrimaryKey()]

        class Settings:
            __options__ = {"gc_graze_seconds": 1}

    with pytest.raises(InvalidModel, match="Odd: there is no table option 'gc_graze_seconds'"):
        metadata_from_coodie(Odd)


@pytest.mark.parametrize("documents", [[42], "Pet", [BaseModel], [None], types.ModuleType("empty"), Index])
def test_what_is_no_document_is_refused(documents: Any) -> None:
    with pytest.raises(ConfigurationError, match="coodie model"):
        metadata_from_coodie(documents)


def test_no_documents_are_no_tables() -> None:
    assert list(metadata_from_coodie([]).tables) == []


def test_without_coodie_the_answer_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "coodie", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'coodie==1\.9\.3'"):
        metadata_from_coodie([])


def test_a_coodie_of_another_make_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("coodie.types._udt_type_name")
    with pytest.raises(ConfigurationError, match="release that is not known here"):
        metadata_from_coodie([])

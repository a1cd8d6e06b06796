"""cqlengine's models as MetaData; the oracle is cqlengine's own sync_table on a real server."""

# ruff: noqa: RUF012  (cqlengine's __options__ are mappings on the class)

from __future__ import annotations

import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cassandra.cqlengine import columns, connection, management
from cassandra.cqlengine.models import Model
from cassandra.cqlengine.usertype import UserType
from sqlalchemy import Index, MetaData

from alembic_cluster.errors import ConfigurationError, InvalidModel
from alembic_cql import metadata_from_cqlengine, sync_tables
from alembic_cql import types as cql
from alembic_cql.schema import keyspace_objects
from tests.cql.oracle import another_keyspace, describe, engine_of, pending
from tests.cql.project import Project
from tests.servers.cassandra import CassandraCluster
from tests.servers.fixtures import CassandraKeyspace, driver_cluster


class Street(UserType):
    name = columns.Text()
    houseNumbers = columns.Set(columns.Integer)


class PostalAddress(UserType):
    street = columns.UserDefinedType(Street)
    code = columns.Text(db_field="zip code")
    lines = columns.List(columns.Text)
    nested = columns.Map(columns.Text, columns.List(columns.Integer()))


class Everything(Model):
    tenant = columns.Text(partition_key=True)
    bucket = columns.Integer(partition_key=True)
    at = columns.TimeUUID(primary_key=True, clustering_order="desc")
    number = columns.BigInt(primary_key=True)
    shared = columns.Text(static=True)
    a_text = columns.Text(index=True)
    a_ascii = columns.Ascii()
    a_small = columns.SmallInt()
    a_tiny = columns.TinyInt()
    a_varint = columns.VarInt()
    a_timestamp = columns.DateTime()
    a_date = columns.Date()
    a_time = columns.Time()
    a_uuid = columns.UUID()
    a_boolean = columns.Boolean()
    a_float = columns.Float()
    a_double = columns.Double()
    a_decimal = columns.Decimal()
    a_blob = columns.Blob()
    some_bytes = columns.Bytes()
    an_inet = columns.Inet()
    a_duration = columns.Duration()
    a_set = columns.Set(columns.Text, index=True)
    a_list = columns.List(columns.UUID)
    a_map = columns.Map(columns.Text, columns.Integer, index=True)
    a_tuple = columns.Tuple(columns.Text, columns.Integer, columns.List(columns.Text()))
    deep = columns.Map(columns.Text, columns.List(columns.Tuple(columns.Text, columns.Set(columns.Integer()))))
    of_tuples = columns.Set(columns.Tuple(columns.Integer, columns.Text))
    an_address = columns.UserDefinedType(PostalAddress)
    addresses = columns.List(columns.UserDefinedType(PostalAddress))
    by_name = columns.Map(columns.Text, columns.UserDefinedType(PostalAddress))
    renamed = columns.Text(db_field="Column With Spaces", index=True)
    order = columns.Text()


class PageViews(Model):
    __table_name__ = "page_view_counts"
    url = columns.Text(db_field="Page", primary_key=True)
    day = columns.Date(db_field="select", primary_key=True, clustering_order="ASC")
    views = columns.Counter()
    visitors = columns.Counter(db_field="Visitors")


class Tuned(Model):
    __table_name__ = "TunedTable"
    __table_name_case_sensitive__ = True
    __options__ = {
        "compaction": {
            "class": "LeveledCompactionStrategy",
            "sstable_size_in_mb": "64",
            "tombstone_threshold": ".2",
        },
        "compression": {"class": "DeflateCompressor", "chunk_length_in_kb": 32},
        "caching": {"keys": "ALL", "rows_per_partition": "20"},
        "gc_grace_seconds": 43200,
        "default_time_to_live": 60,
        "bloom_filter_fp_chance": 0.2,
        "speculative_retry": "50ms",
        "cdc": False,
        "comment": "Anna's table; don't drop",
        "memtable_flush_period_in_ms": None,
    }
    id = columns.UUID(primary_key=True)
    value = columns.Text()


class Pet(Model):
    __options__ = {"gc_grace_seconds": 7200}
    owner = columns.UUID(primary_key=True)
    kind = columns.Text(primary_key=True, discriminator_column=True)
    name = columns.Text()


class Cat(Pet):
    __discriminator_value__ = "cat"
    lives = columns.Integer()


class HouseCat(Cat):
    __discriminator_value__ = "house cat"
    sofa = columns.Text(index=True)


class Dog(Pet):
    __discriminator_value__ = "dog"
    tricks = columns.Set(columns.Text)


class Timestamped(Model):
    __abstract__ = True
    id = columns.UUID(primary_key=True)
    created = columns.DateTime()


class Invoice(Timestamped):
    total = columns.Decimal()


class CreditNote(Timestamped):
    invoice = columns.UUID(index=True)


ALL = [Everything, PageViews, Tuned, Pet, Cat, HouseCat, Dog, Invoice, CreditNote]


@pytest.fixture(scope="module")
def _mapper(cassandra: CassandraCluster) -> Iterator[None]:
    # A session of its own: cqlengine changes the row factory of the one that it is given.
    driver = driver_cluster(cassandra)
    connection.register_connection("test", session=driver.connect(), default=True)
    yield
    connection.unregister_connection("test")
    driver.shutdown()


@pytest.fixture
def sync(
    _mapper: None, cassandra_keyspace: CassandraKeyspace, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., CassandraKeyspace]:
    """cqlengine's sync_table of some models in a fresh keyspace, which it gives."""
    monkeypatch.setenv("CQLENG_ALLOW_SCHEMA_MANAGEMENT", "1")

    def run(*classes: Any) -> CassandraKeyspace:
        for cls in classes:
            monkeypatch.setattr(cls, "__keyspace__", cassandra_keyspace.name)
        connection.get_cluster("test").refresh_schema_metadata()  # it may not have heard of the keyspace yet
        for cls in classes:
            management.sync_table(cls)
        return cassandra_keyspace

    return run


def make_and_describe(beside: CassandraKeyspace, metadata: MetaData) -> dict[tuple[str, str], str]:
    with another_keyspace(beside) as second:
        with engine_of(second) as engine:
            metadata.create_all(engine)
        return describe(second)


@pytest.mark.filterwarnings("ignore:Model __table_name_case_sensitive__:PendingDeprecationWarning")
def test_the_server_gets_what_sync_table_makes(sync: Callable[..., CassandraKeyspace]) -> None:
    keyspace = sync(*ALL)
    metadata = metadata_from_cqlengine(ALL)
    assert make_and_describe(keyspace, metadata) == describe(keyspace)
    assert pending(keyspace, metadata) == []
    assert {kind for kind, _ in describe(keyspace)} == {"type", "table", "index"}


def test_a_changed_model_is_found(sync: Callable[..., CassandraKeyspace]) -> None:
    class Account(Model):
        id = columns.UUID(primary_key=True)
        name = columns.Text(index=True)
        gone = columns.Text()

    keyspace = sync(Account)

    class NewAccount(Model):
        __table_name__ = "account"
        __keyspace__ = keyspace.name
        __options__ = {"gc_grace_seconds": 60}
        id = columns.UUID(primary_key=True)
        name = columns.Text()
        email = columns.Text(index=True)

    operations = pending(keyspace, metadata_from_cqlengine([NewAccount]))
    assert sorted(operation[0] for operation in operations) == [
        "add_column", "add_index", "alter_table_options", "remove_column", "remove_index",
    ]  # fmt: skip


MODELS = """
    from alembic_cql import metadata_from_cqlengine
    from cassandra.cqlengine import columns
    from cassandra.cqlengine.models import Model
    from cassandra.cqlengine.usertype import UserType

    class Place(UserType):
        name = columns.Text(db_field="Name")
        {field}

    class Visit(Model):
        __keyspace__ = "whatever"
        __options__ = {options}
        guest = columns.UUID(primary_key=True)
        at = columns.DateTime(primary_key=True, clustering_order="DESC")
        places = columns.List(columns.UserDefinedType(Place))
        note = columns.Text({index})

    metadata = metadata_from_cqlengine([Visit])
"""


def test_revisions_are_written_from_models(project: Project) -> None:
    project.models(MODELS.format(field="", options="{}", index=""))
    project.autogenerate("first")
    project.upgrade()
    assert project.is_clean()
    assert {kind for kind, _ in describe(project.keyspace)} == {"type", "table"}
    before = describe(project.keyspace)
    changed = MODELS.format(field="x = columns.Double()", options='{"gc_grace_seconds": 60}', index="index=True")
    project.models(changed)
    assert not project.is_clean()
    project.autogenerate("second")
    project.upgrade()
    assert project.is_clean()
    after = describe(project.keyspace)
    assert "x double" in after["type", "place"]
    assert "gc_grace_seconds = 60" in after["table", "visit"]
    assert ("index", "visit_note_idx") in after
    project.downgrade("-1")
    assert {key: text for key, text in describe(project.keyspace).items() if key[0] == "table"} == {
        key: text for key, text in before.items() if key[0] == "table"
    }


def test_sync_tables_does_what_sync_table_does_as_a_model_grows(sync: Callable[..., CassandraKeyspace]) -> None:
    class Place(UserType):
        x = columns.Double()

    class Visit(Model):
        id = columns.UUID(primary_key=True)
        at = columns.DateTime(primary_key=True, clustering_order="DESC")

    class WidePlace(UserType):
        __type_name__ = "place"
        x = columns.Double()
        y = columns.Double()

    class GrownVisit(Model):
        __table_name__ = "visit"
        __options__ = {"compaction": {"class": "LeveledCompactionStrategy"}, "bloom_filter_fp_chance": 0.1}
        id = columns.UUID(primary_key=True)
        at = columns.DateTime(primary_key=True, clustering_order="DESC")
        note = columns.Text(index=True, db_field="Note")
        total = columns.Integer(static=True)
        places = columns.List(columns.UserDefinedType(WidePlace))

    theirs = sync(Visit)
    with another_keyspace(theirs) as ours, engine_of(ours) as engine:
        sync_tables(engine, metadata_from_cqlengine([Visit, Place]))
        management.sync_type(theirs.name, Place)
        sync(GrownVisit)
        sync_tables(engine, metadata_from_cqlengine(GrownVisit))
        assert describe(ours) == describe(theirs)


def test_an_equal_index_of_another_name_is_the_models(sync: Callable[..., CassandraKeyspace]) -> None:
    class Customer(Model):
        id = columns.UUID(primary_key=True)
        email = columns.Text(index=True)
        tags = columns.Set(columns.Text, index=True)

    keyspace = sync(Customer)
    keyspace.execute("DROP INDEX customer_email_idx")
    keyspace.execute('CREATE INDEX "ByEmail" ON customer (email)')
    metadata = metadata_from_cqlengine([Customer])
    assert pending(keyspace, metadata) == []
    keyspace.execute('DROP INDEX "ByEmail"')
    assert [operation[0] for operation in pending(keyspace, metadata)] == ["add_index"]


def test_indexes_whose_names_collide_are_numbered_as_the_server_does(
    sync: Callable[..., CassandraKeyspace],
) -> None:
    class First(Model):
        __table_name__ = "a_b"
        id = columns.UUID(primary_key=True)
        c = columns.Text(index=True)

    class Second(Model):
        __table_name__ = "a"
        id = columns.UUID(primary_key=True)
        b_c = columns.Text(index=True)
        odd = columns.Text(index=True, db_field="od d-\u00c4")

    keyspace = sync(First, Second)
    metadata = metadata_from_cqlengine([First, Second])
    names = {str(index.name) for table in metadata.tables.values() for index in table.indexes}
    assert names == {"a_b_c_idx", "a_b_c_idx_1", "a_odd_idx"}
    assert names == {name for kind, name in describe(keyspace) if kind == "index"}
    assert pending(keyspace, metadata) == []


def test_a_custom_index_is_left_to_others() -> None:
    class Searched(Model):
        id = columns.UUID(primary_key=True)
        text = columns.Text(custom_index=True)

    assert metadata_from_cqlengine(Searched).tables["searched"].indexes == set()


@pytest.mark.parametrize("named", [[Pet], [Cat], [HouseCat, Dog], Dog])
def test_one_model_of_a_shared_table_stands_for_all(named: Any) -> None:
    (table,) = metadata_from_cqlengine(named).tables.values()
    assert set(table.columns.keys()) == {"owner", "kind", "name", "lives", "sofa", "tricks"}
    assert [index.name for index in table.indexes] == ["pet_sofa_idx"]


def test_an_abstract_model_stands_for_those_below_it() -> None:
    assert set(metadata_from_cqlengine(Timestamped).tables) == {"invoice", "credit_note"}


def test_a_module_stands_for_the_models_in_it() -> None:
    module = types.ModuleType("app_models")
    vars(module).update(Model=Model, Timestamped=Timestamped, Invoice=Invoice, Cat=Cat, Street=Street, Index=Index)
    assert set(metadata_from_cqlengine(module).tables) == {"invoice", "pet"}
    assert set(metadata_from_cqlengine([module, CreditNote, Invoice]).tables) == {"invoice", "pet", "credit_note"}


def test_a_user_type_that_no_model_uses_may_be_named() -> None:
    metadata = metadata_from_cqlengine([Invoice, PostalAddress])
    assert [name for _, name in keyspace_objects(metadata).types] == ["street", "postal_address"]
    assert list(metadata_from_cqlengine(Street).tables) == []


class InOneKeyspace(Model):
    __keyspace__ = "one"
    id = columns.UUID(primary_key=True)
    where = columns.UserDefinedType(Street)


class InAnother(Model):
    __keyspace__ = "Another"
    id = columns.UUID(primary_key=True)
    where = columns.UserDefinedType(Street)


@pytest.mark.parametrize(
    ("models", "keyspace", "tables", "types"),
    [
        ([InOneKeyspace], None, {"in_one_keyspace"}, {None}),
        ([InOneKeyspace], "elsewhere", {"one.in_one_keyspace"}, {"one"}),
        ([InOneKeyspace, InAnother], None, {"one.in_one_keyspace", "Another.in_another"}, {"one", "Another"}),
        ([InOneKeyspace, InAnother], "one", {"in_one_keyspace", "Another.in_another"}, {None, "Another"}),
        ([InOneKeyspace, Invoice], None, {"one.in_one_keyspace", "invoice"}, {"one"}),
    ],
)
def test_tables_outside_the_connections_keyspace_name_theirs(
    models: Any, keyspace: str | None, tables: set[str], types: set[str | None]
) -> None:
    metadata = metadata_from_cqlengine(models, keyspace=keyspace)
    assert set(metadata.tables) == tables
    assert {schema for schema, _ in keyspace_objects(metadata).types} == types


def test_the_default_keyspace_of_cqlengine_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cassandra.cqlengine.models.DEFAULT_KEYSPACE", "one")
    assert set(metadata_from_cqlengine([InOneKeyspace, Invoice]).tables) == {"in_one_keyspace", "invoice"}


def test_a_column_of_a_class_of_ones_own_and_a_frozen_one() -> None:
    class Embedding(columns.Column):
        db_type = "vector<float, 3>"

    class FrozenSet(columns.Set):
        def __init__(self, value_type: Any, **kw: Any) -> None:
            super().__init__(value_type, **kw)
            self._freeze_db_type()

    class Own(Model):
        id = columns.UUID(primary_key=True)
        embedding = Embedding()
        words = FrozenSet(columns.Text, index=True)

    table = metadata_from_cqlengine(Own).tables["own"]
    assert isinstance(table.c.embedding.type, cql.VECTOR)
    assert table.c.embedding.type.dimension == 3
    assert isinstance(table.c.words.type, cql.FROZEN)
    (index,) = table.indexes
    assert index.kwargs["cql_target"] == "full"


def test_models_that_contradict_each_other_are_refused() -> None:
    class Left(Model):
        __table_name__ = "shared_table"
        id = columns.UUID(primary_key=True)
        value = columns.Text()

    class Right(Model):
        __table_name__ = "shared_table"
        id = columns.UUID(primary_key=True)
        value = columns.Integer()

    class Keyed(Model):
        __table_name__ = "shared_table"
        id = columns.UUID(primary_key=True)
        value = columns.Text(primary_key=True)

    class Optioned(Model):
        __table_name__ = "shared_table"
        __options__ = {"gc_grace_seconds": 1}
        id = columns.UUID(primary_key=True)
        other = columns.Text()

    class OtherwiseOptioned(Optioned):
        __options__ = {"gc_grace_seconds": 2}

    with pytest.raises(InvalidModel, match=r"Left and .*Right share table 'shared_table' and differ in column 'value'"):
        metadata_from_cqlengine([Left, Right])
    with pytest.raises(InvalidModel, match="differ in the primary key"):
        metadata_from_cqlengine([Left, Keyed])
    with pytest.raises(InvalidModel, match="differ in option 'gc_grace_seconds'"):
        metadata_from_cqlengine([Optioned, OtherwiseOptioned])
    assert set(metadata_from_cqlengine([Left, Optioned]).tables["shared_table"].c.keys()) == {"id", "value", "other"}


def test_user_types_of_one_name_are_joined_or_refused() -> None:
    class Place(UserType):
        __type_name__ = "spot"
        x = columns.Double()

    class Spot(UserType):
        x = columns.Double()
        y = columns.Double()

    class OtherSpot(UserType):
        __type_name__ = "Spot"
        x = columns.Text()

    def model(kind: Any) -> Any:
        return type(kind.__name__ + "User", (Model,), {
            "id": columns.UUID(primary_key=True), "at": columns.UserDefinedType(kind),
        })  # fmt: skip

    metadata = metadata_from_cqlengine([model(Place), model(Spot)])
    (spot,) = keyspace_objects(metadata).types.values()
    assert [name for name, _ in spot.fields] == ["x", "y"]
    with pytest.raises(InvalidModel, match="field 'x' of user type 'spot' is text here and double"):
        metadata_from_cqlengine([model(Place), model(OtherSpot)])


def test_an_option_that_no_server_has_is_refused() -> None:
    class Odd(Model):
        __options__ = {"gc_graze_seconds": 1}
        id = columns.UUID(primary_key=True)

    with pytest.raises(InvalidModel, match="Odd: there is no table option 'gc_graze_seconds'"):
        metadata_from_cqlengine(Odd)


def test_a_type_that_is_no_cql_is_refused() -> None:
    class Wrong(columns.Column):
        db_type = "list<"

    class Bad(Model):
        id = columns.UUID(primary_key=True)
        value = Wrong()

    with pytest.raises(InvalidModel, match="Bad, column 'value': 'list<' is not a CQL type; nothing was sent"):
        metadata_from_cqlengine(Bad)


@pytest.mark.parametrize("models", [[42], "Pet", [str], [None], types.ModuleType("empty"), Index])
def test_what_is_no_model_is_refused(models: Any) -> None:
    with pytest.raises(ConfigurationError, match="cqlengine model"):
        metadata_from_cqlengine(models)


def test_no_models_are_no_tables() -> None:
    assert list(metadata_from_cqlengine([]).tables) == []


def test_without_the_driver_the_answer_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cassandra.cqlengine", None)
    monkeypatch.delattr("cassandra.cqlengine", raising=False)
    with pytest.raises(ConfigurationError, match=r"pip install 'alembic-cluster\[cassandra\]'"):
        metadata_from_cqlengine([])


def test_importing_the_package_imports_neither_library() -> None:
    script = "import sys, alembic_cql; print([m for m in ('cassandra', 'coodie', 'pydantic') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

"""cqlengine's models as MetaData; the oracle is cqlengine's own sync_table on a real server."""

# ruff: noqa: RUF012  (cqlengine's __options__ are mappings on the class)

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cassandra.cqlengine import columns, connection, management
from cassandra.cqlengine.models import Model
from cassandra.cqlengine.usertype import UserType
from sqlalchemy import MetaData

from alembic_cql import metadata_from_cqlengine, sync_tables
from tests.cql.cqlengine_models import ALL
from tests.cql.oracle import another_keyspace, describe, engine_of, pending
from tests.cql.project import Project
from tests.servers.cassandra import CassandraCluster
from tests.servers.fixtures import CassandraKeyspace, driver_cluster


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

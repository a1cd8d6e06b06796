"""sync_tables on a real server: what it sends, what it leaves, what it refuses."""

from __future__ import annotations

import warnings

import pytest
from sqlalchemy import Column, Engine, Index, MetaData, Table, Text

from alembic_cluster.errors import (
    SchemaDriftWarning,
)
from alembic_cql import AggregateDefinition, FunctionDefinition, Keyspace, UserType, sync_tables
from alembic_cql import types as cql
from alembic_cql.schema import keyspace_objects
from tests.cql.oracle import another_keyspace, describe, engine_of, pending
from tests.cql.sync_models import grown_shop, shop
from tests.servers.fixtures import CassandraKeyspace


def test_an_empty_keyspace_gets_everything(
    cassandra_keyspace: CassandraKeyspace, keyspace_engine: Engine, sent: list[str]
) -> None:
    metadata = shop()
    result = sync_tables(keyspace_engine, metadata)
    assert [statement.split("(")[0].split()[:3] for statement in result] == [
        ["CREATE", "TYPE", '"Money"'],
        ["CREATE", "TYPE", "line"],
        ["CREATE", "TABLE", "IF"],
        ["CREATE", "INDEX", "IF"],
        ["CREATE", "MATERIALIZED", "VIEW"],
    ]
    assert result == sent
    assert result.warnings == ()
    assert pending(cassandra_keyspace, metadata) == []
    with another_keyspace(cassandra_keyspace) as second, engine_of(second) as other:
        metadata.create_all(other)
        assert describe(second) == describe(cassandra_keyspace)


def test_a_second_call_sends_nothing(keyspace_engine: Engine, sent: list[str]) -> None:
    sync_tables(keyspace_engine, shop())
    del sent[:]
    assert sync_tables(keyspace_engine, shop()) == []
    assert sent == []


def test_what_grew_in_the_models_is_added(
    cassandra_keyspace: CassandraKeyspace, keyspace_engine: Engine, sent: list[str]
) -> None:
    sync_tables(keyspace_engine, shop())
    cassandra_keyspace.execute("INSERT INTO orders (customer, at, state) VALUES (uuid(), now(), 'open')")
    del sent[:]
    result = sync_tables(keyspace_engine, grown_shop())
    assert result == sent
    assert [" ".join(statement.split()[:5]) for statement in result] == [
        "CREATE TYPE coupon ( code",
        'ALTER TYPE "Money" ADD "Rate"',
        "CREATE TABLE IF NOT EXISTS",
        "ALTER TABLE orders ADD lines",
        "ALTER TABLE orders ADD since",
        "ALTER TABLE orders ADD note",
        "ALTER TABLE orders WITH bloom_filter_fp_chance",
        "CREATE INDEX IF NOT EXISTS",
        "CREATE MATERIALIZED VIEW orders_by_limit AS",
        "ALTER MATERIALIZED VIEW orders_by_state WITH",
    ]
    assert sync_tables(keyspace_engine, grown_shop()) == []
    assert len(cassandra_keyspace.execute("SELECT * FROM orders")) == 1
    with another_keyspace(cassandra_keyspace) as second, engine_of(second) as other:
        sync_tables(other, grown_shop())
        assert describe(second) == describe(cassandra_keyspace)


def test_a_dry_run_gives_the_same_statements_and_sends_none(
    cassandra_keyspace: CassandraKeyspace, keyspace_engine: Engine, sent: list[str]
) -> None:
    planned = sync_tables(keyspace_engine, shop(), dry_run=True)
    assert sent == []
    assert describe(cassandra_keyspace) == {}
    assert sync_tables(keyspace_engine, shop()) == planned
    before = describe(cassandra_keyspace)
    planned = sync_tables(keyspace_engine, grown_shop(), dry_run=True)
    assert describe(cassandra_keyspace) == before
    assert sync_tables(keyspace_engine, grown_shop()) == planned


def test_a_connection_will_do(keyspace_engine: Engine) -> None:
    with keyspace_engine.connect() as connection:
        assert len(sync_tables(connection, shop())) == 5
        assert not connection.closed


def test_tables_of_a_keyspace_that_is_named(cassandra_keyspace: CassandraKeyspace, keyspace_engine: Engine) -> None:
    with another_keyspace(cassandra_keyspace) as second:
        sync_tables(keyspace_engine, shop(second.name))
        assert describe(cassandra_keyspace) == {}
        assert ("table", "orders") in describe(second)
        second.execute("DROP MATERIALIZED VIEW orders_by_state")
        second.execute('CREATE INDEX extra ON orders ("Total")')
        result = sync_tables(keyspace_engine, shop(second.name), drop_removed_indexes=True)
        assert [statement.split("\n")[0] for statement in result] == [
            f"DROP INDEX {second.name}.extra",
            f"CREATE MATERIALIZED VIEW {second.name}.orders_by_state AS",
        ]
        assert sync_tables(keyspace_engine, shop(second.name)) == []


def test_what_is_only_in_the_database_is_warned_about_and_stays(
    cassandra_keyspace: CassandraKeyspace, keyspace_engine: Engine
) -> None:
    sync_tables(keyspace_engine, grown_shop())
    metadata = shop()
    expected = (
        "field 'Rate' of user type 'Money' is only in the database",
        "column 'since' of table 'orders' is only in the database",
        "column 'lines' of table 'orders' is only in the database",
        "column 'note' of table 'orders' is only in the database",
        "index 'OrdersNotes' of table 'orders' is only in the database; drop_removed_indexes=True drops it",
    )
    with pytest.warns(SchemaDriftWarning) as caught:
        result = sync_tables(keyspace_engine, metadata)
    assert set(result.warnings) == set(expected)
    assert {str(warning.message) for warning in caught} == set(expected)
    assert {warning.filename for warning in caught} == {__file__}
    statements = describe(cassandra_keyspace)
    assert "note text" in statements["table", "orders"]
    assert ("table", "coupons") in statements
    assert ("type", "coupon") in statements
    assert ("index", '"OrdersNotes"') in statements


def test_a_warning_made_an_error_comes_before_anything_is_sent(
    cassandra_keyspace: CassandraKeyspace, keyspace_engine: Engine
) -> None:
    cassandra_keyspace.execute("CREATE TABLE coupons (code text PRIMARY KEY, old int)")
    metadata = MetaData()
    Table("coupons", metadata, Column("code", Text, primary_key=True), Column("new", cql.INT))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(SchemaDriftWarning):
            sync_tables(keyspace_engine, metadata)
    assert "new int" not in describe(cassandra_keyspace)["table", "coupons"]


def indexed(*indexes: Index) -> MetaData:
    metadata = MetaData()
    Table(
        "t",
        metadata,
        Column("id", cql.INT, primary_key=True),
        Column("a", Text),
        Column("m", cql.MAP(Text, Text)),
        *indexes,
    )
    return metadata


@pytest.mark.filterwarnings("ignore::alembic_cluster.errors.SchemaDriftWarning")
def test_removed_and_changed_indexes_go_on_request_only(
    cassandra_keyspace: CassandraKeyspace, keyspace_engine: Engine
) -> None:
    sync_tables(keyspace_engine, indexed(Index("one", "a"), Index("two", "m"), Index("three", "m", cql_target="keys")))
    wanted = indexed(Index("three", "m", cql_target="entries"), Index("Renamed", "a"))
    kept = sync_tables(keyspace_engine, wanted)
    assert kept == []
    assert [text.split(";")[0] for text in kept.warnings] == [
        "index 'three' of table 't' differs from the model's 'three'",
        "index 'one' of table 't' differs from the model's 'Renamed'",
        "index 'two' of table 't' is only in the database",
    ]
    result = sync_tables(keyspace_engine, wanted, drop_removed_indexes=True)
    assert result == [
        "DROP INDEX three",
        "DROP INDEX one",
        "DROP INDEX two",
        "CREATE INDEX IF NOT EXISTS three ON t (entries(m))",
        'CREATE INDEX IF NOT EXISTS "Renamed" ON t (a)',
    ]
    assert result.warnings == ()
    assert {name for kind, name in describe(cassandra_keyspace) if kind == "index"} == {"three", '"Renamed"'}
    assert sync_tables(keyspace_engine, wanted, drop_removed_indexes=True) == []


def test_an_index_without_a_name_is_the_one_that_is_there(keyspace_engine: Engine) -> None:
    metadata = MetaData(naming_convention={"pk": "none for indexes"})
    Table("t", metadata, Column("id", cql.INT, primary_key=True), Column("a", Text), Index(None, "a"))
    assert sync_tables(keyspace_engine, metadata)[1:] == ["CREATE INDEX IF NOT EXISTS ON t (a)"]
    assert sync_tables(keyspace_engine, metadata, drop_removed_indexes=True) == []


def objects(name: str, body: str, on_null: bool = False) -> MetaData:
    metadata = MetaData()
    Keyspace(name, metadata, replication={"class": "SimpleStrategy", "replication_factor": 1}, durable_writes=False)
    point = UserType("point", {"x": cql.INT})  # used, and attached to no MetaData
    FunctionDefinition("hide", metadata, {"a": Text}, cql.TEXT, body, called_on_null_input=True)
    numbers = {"a": cql.INT, "b": cql.INT}
    FunctionDefinition("plus", metadata, numbers, cql.INT, "return 1;", called_on_null_input=on_null)
    AggregateDefinition("total", metadata, [cql.INT], "plus", cql.INT, initcond=0)
    id_, secret = Column("id", cql.INT, primary_key=True), Column("secret", Text, cql_masked="hide()")
    Table("people", metadata, id_, secret, Column("at", cql.FROZEN(point)))
    Table("elsewhere", metadata, Column("id", cql.INT, primary_key=True), schema=name)
    return metadata


def test_keyspaces_functions_masks_and_types_without_a_metadata(
    cassandra_keyspace: CassandraKeyspace, keyspace_engine: Engine, sent: list[str]
) -> None:
    other = f"{cassandra_keyspace.name}_o"
    metadata = objects(other, "return a;")
    try:
        result = sync_tables(keyspace_engine, metadata)
        assert [statement.split("(")[0].split()[:2] for statement in result] == [
            ["CREATE", "KEYSPACE"],
            ["CREATE", "TYPE"],
            *[["CREATE", "FUNCTION"]] * 2,
            ["CREATE", "AGGREGATE"],
            *[["CREATE", "TABLE"]] * 2,
        ]
        assert pending(cassandra_keyspace, metadata) == []
        assert sync_tables(keyspace_engine, metadata) == []
        changed = objects(other, 'return "x";', True)
        keyspace_objects(changed).keyspaces[other].durable_writes = True
        changed.tables["people"].c.secret.kwargs["cql_masked"] = "mask_null()"
        cassandra_keyspace.execute(
            "CREATE FUNCTION theirs (a int) CALLED ON NULL INPUT RETURNS int LANGUAGE java AS 'return a;'"
        )
        with pytest.warns(SchemaDriftWarning, match=r"function theirs\(int\) is only in the database"):
            result = sync_tables(keyspace_engine, changed)
        assert [statement.split("(")[0].split()[:3] for statement in result] == [
            ["ALTER", "KEYSPACE", other],
            ["DROP", "AGGREGATE", "total"],
            ["DROP", "FUNCTION", "plus"],
            ["CREATE", "OR", "REPLACE"],
            ["CREATE", "FUNCTION", "plus"],
            ["CREATE", "AGGREGATE", "total"],
            ["ALTER", "TABLE", "people"],
        ]
        assert [item[0] for item in pending(cassandra_keyspace, changed)] == ["remove_function"]
    finally:
        cassandra_keyspace.execute(f"DROP KEYSPACE IF EXISTS {other}")

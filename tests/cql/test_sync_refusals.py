"""What sync_tables refuses before it sends anything, and what it says when the server refuses."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy import Column, Engine, MetaData, Table, Text, create_engine, event

from alembic_cluster.errors import (
    ConfigurationError,
    ImpossibleChange,
    InvalidModel,
    StatementFailed,
    VersionedKeyspace,
)
from alembic_cql import MaterializedView, UserType, sync_tables
from alembic_cql import types as cql
from tests.cql.oracle import another_keyspace, describe, engine_of
from tests.cql.sync_models import shop
from tests.servers.fixtures import CassandraKeyspace


def table(*columns: Column[Any], **options: Any) -> MetaData:
    metadata = MetaData()
    Table("t", metadata, *columns, **options)
    return metadata


def key(name: str = "id") -> Column[Any]:
    return Column(name, cql.INT, primary_key=True)


@pytest.mark.parametrize(
    ("existing", "wanted", "reason"),
    [
        ([key(), Column("a", cql.INT)], [key(), Column("a", Text)], "column 'a': the model has text, the database int"),
        ([key()], [key("other")], "the model has PRIMARY KEY"),
        ([key(), key("c")], [key(), Column("c", cql.INT)], "the model has PRIMARY KEY"),
        ([key()], [key(), key("c")], "the model has PRIMARY KEY"),
        (
            [key(), key("c"), Column("s", Text)],
            [key(), key("c"), Column("s", Text, cql_static=True)],
            "column 's': the model has it static",
        ),
        ([key(), Column("n", cql.COUNTER)], [key(), Column("x", Text)], "'x' can't be added: a table has either"),
        ([key(), Column("x", Text)], [key(), Column("n", cql.COUNTER)], "'n' can't be added: a table has either"),
        ([key()], [key(), Column("n", cql.COUNTER)], "'n' can't be added: a table has either"),
    ],
)
def test_what_cannot_be_altered_is_refused_before_anything_is_sent(
    cassandra_keyspace: CassandraKeyspace,
    keyspace_engine: Engine,
    sent: list[str],
    existing: Any,
    wanted: Any,
    reason: str,
) -> None:
    sync_tables(keyspace_engine, table(*existing))
    before = describe(cassandra_keyspace)
    del sent[:]
    metadata = table(*wanted)
    Table("a_new_one", metadata, key())
    for dry_run in (True, False):
        with pytest.raises(ImpossibleChange, match=reason) as refused:
            sync_tables(keyspace_engine, metadata, dry_run=dry_run)
        assert "nothing was sent" in str(refused.value)
    assert sent == []
    assert describe(cassandra_keyspace) == before


def test_a_changed_clustering_order_is_refused(keyspace_engine: Engine) -> None:
    sync_tables(keyspace_engine, table(key(), key("c")))
    with pytest.raises(ImpossibleChange, match=r"c DESC.*c ASC"):
        sync_tables(keyspace_engine, table(key(), key("c"), cql_clustering_order={"c": "desc"}))


@pytest.mark.parametrize(
    ("dropped", "added", "refused"),
    [
        ("int", Column("x", Text), "int can't come back"),
        ("text", Column("x", cql.ASCII), "text can't come back"),
        ("int", Column("x", cql.INT, cql_static=True), "a regular column of that name was dropped"),
        ("int static", Column("x", cql.INT), "a static column of that name was dropped"),
        ("frozen<list<int>>", Column("x", cql.LIST(cql.INT)), "can't come back"),
        ("frozen<u>", Column("x", cql.FROZEN(UserType("u", {"a": cql.INT}))), "one of a user type can't come back"),
        ("int", Column("x", cql.INT), None),
        ("ascii", Column("x", Text), None),
        ("timestamp", Column("x", cql.BIGINT), None),
        ("tuple<int, int>", Column("x", cql.BLOB), None),
        ("tuple<int, int>", Column("x", cql.TUPLE(cql.INT, cql.INT, cql.INT)), None),
        ("list<text>", Column("x", cql.LIST(cql.BLOB)), None),
        ("frozen<u>", Column("x", cql.TUPLE(cql.INT)), None),
    ],
)
def test_a_dropped_column_comes_back_only_as_the_server_allows(
    cassandra_keyspace: CassandraKeyspace,
    keyspace_engine: Engine,
    dropped: str,
    added: Column[Any],
    refused: str | None,
) -> None:
    cassandra_keyspace.execute("CREATE TYPE u (a int)")
    cassandra_keyspace.execute(f"CREATE TABLE t (id int, c int, x {dropped}, y int, PRIMARY KEY (id, c))")
    cassandra_keyspace.execute("ALTER TABLE t DROP x")
    metadata = table(key(), key("c"), Column("y", cql.INT), added._copy())
    if refused is None:
        assert len(sync_tables(keyspace_engine, metadata)) == 1
        return
    with pytest.raises(ImpossibleChange, match=refused):
        sync_tables(keyspace_engine, metadata)
    kind = keyspace_engine.dialect.type_compiler_instance.process(added.type) + (
        " static" if added.kwargs.get("cql_static") else ""
    )
    with pytest.raises(Exception, match=r"(?i)incompatible with previous|re-add"):
        cassandra_keyspace.execute(f"ALTER TABLE t ADD x {kind}")  # the server agrees


def test_a_dropped_counter_cannot_come_back(cassandra_keyspace: CassandraKeyspace, keyspace_engine: Engine) -> None:
    cassandra_keyspace.execute("CREATE TABLE t (id int PRIMARY KEY, x counter, y counter)")
    cassandra_keyspace.execute("ALTER TABLE t DROP x")
    with pytest.raises(ImpossibleChange, match="no counter can come back"):
        sync_tables(keyspace_engine, table(key(), Column("x", cql.COUNTER), Column("y", cql.COUNTER)))


def typed(fields: dict[str, Any], *, in_key: bool = False) -> MetaData:
    metadata = MetaData()
    inner = UserType("u", fields, metadata)
    outer = UserType("v", {"u": cql.FROZEN(inner)}, metadata)
    kind = cql.FROZEN(cql.LIST(cql.FROZEN(outer)))
    Table("t", metadata, Column("id", kind if in_key else cql.INT, primary_key=True), Column("x", kind))
    return metadata


def test_user_types_are_extended_but_not_altered(keyspace_engine: Engine) -> None:
    sync_tables(keyspace_engine, typed({"a": cql.INT}))
    with pytest.raises(ImpossibleChange, match="user type 'u', field 'a': the model has text, the database int"):
        sync_tables(keyspace_engine, typed({"a": Text()}))
    assert sync_tables(keyspace_engine, typed({"b": Text(), "a": cql.INT})) == ["ALTER TYPE u ADD b text"]
    assert sync_tables(keyspace_engine, typed({"b": Text(), "a": cql.INT})) == []


def test_a_user_type_in_a_partition_key_gets_no_field(keyspace_engine: Engine, sent: list[str]) -> None:
    sync_tables(keyspace_engine, typed({"a": cql.INT}, in_key=True))
    del sent[:]
    with pytest.raises(ImpossibleChange, match="'u' can't get the field 'b': it is in the partition key of table 't'"):
        sync_tables(keyspace_engine, typed({"a": cql.INT, "b": cql.INT}, in_key=True))
    assert sent == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"where": 'state IS NOT NULL AND customer IS NOT NULL AND at IS NOT NULL AND "Total" IS NOT NULL'}, "WHERE"),
        ({"clustering": {"customer": "ASC", "at": "DESC"}}, "PRIMARY KEY"),
        (
            {"columns": ["state", "customer", "at"]},
            "the model selects at, customer, state, the database Total, at, customer, state",
        ),
    ],
)
def test_the_definition_of_a_view_cannot_change(keyspace_engine: Engine, change: dict[str, Any], reason: str) -> None:
    sync_tables(keyspace_engine, shop())
    metadata = shop()
    view = metadata.info["alembic_cql"].views.pop((None, "orders_by_state"))
    same: dict[str, Any] = {"where": view.where, "clustering": dict(view.key.clustering), "columns": view.columns}
    MaterializedView(view.name, metadata, base="orders", partition_key=["state"], **{**same, **change})
    with pytest.raises(ImpossibleChange, match=f"view 'orders_by_state': .*{reason}"):
        sync_tables(keyspace_engine, metadata)


def test_a_table_where_a_view_is_and_a_view_of_nothing(keyspace_engine: Engine, sent: list[str]) -> None:
    sync_tables(keyspace_engine, shop())
    del sent[:]
    metadata = MetaData()
    Table("orders_by_state", metadata, key())
    with pytest.raises(ImpossibleChange, match="table 'orders_by_state' is a materialized view in the database"):
        sync_tables(keyspace_engine, metadata)
    metadata = MetaData()
    MaterializedView("orders", metadata, base="orders", where="id IS NOT NULL", partition_key=["id"])
    with pytest.raises(ImpossibleChange, match="view 'orders' is a table in the database"):
        sync_tables(keyspace_engine, metadata)
    metadata = MetaData()
    MaterializedView("v", metadata, base="nothing", where="id IS NOT NULL", partition_key=["id"])
    with pytest.raises(InvalidModel, match="view 'v' is of table 'nothing', which there is not"):
        sync_tables(keyspace_engine, metadata)
    assert sent == []


def test_a_versioned_keyspace_is_refused_unless_told_so(project: Any) -> None:
    command.ensure_version(project.config())
    metadata = table(key())
    with engine_of(project.keyspace) as engine:
        for dry_run in (True, False):
            with pytest.raises(VersionedKeyspace, match="has the version table 'alembic_version'"):
                sync_tables(engine, metadata, dry_run=dry_run)
        assert ("table", "t") not in describe(project.keyspace)
        assert len(sync_tables(engine, metadata, allow_versioned=True)) == 1


@pytest.mark.parametrize("named", [True, False])
def test_a_version_table_of_another_name(
    cassandra_keyspace: CassandraKeyspace, keyspace_engine: Engine, named: bool
) -> None:
    if named:
        cassandra_keyspace.execute('CREATE TABLE "Revisions" (id int PRIMARY KEY)')
        assert sync_tables(keyspace_engine, MetaData()) == []
        with pytest.raises(VersionedKeyspace, match="has the version table 'Revisions'"):
            sync_tables(keyspace_engine, table(key()), version_table="Revisions")
    else:  # recognised by its columns
        cassandra_keyspace.execute(
            "CREATE TABLE revs (scope text, version_num text, fence bigint static, PRIMARY KEY (scope, version_num))"
        )
        with pytest.raises(VersionedKeyspace, match="has the version table 'revs'"):
            sync_tables(keyspace_engine, table(key()))


def test_a_version_table_in_a_keyspace_of_its_own(
    cassandra_keyspace: CassandraKeyspace, keyspace_engine: Engine
) -> None:
    with another_keyspace(cassandra_keyspace) as second:
        second.execute("CREATE TABLE alembic_version (id int PRIMARY KEY)")
        with pytest.raises(VersionedKeyspace, match=f"keyspace '{second.name}'"):
            sync_tables(keyspace_engine, table(key()), version_table_schema=second.name)
        # The connection's keyspace counts, also when the tables name another.
        with engine_of(second) as other, pytest.raises(VersionedKeyspace):
            sync_tables(other, shop(cassandra_keyspace.name))
        assert len(sync_tables(keyspace_engine, table(key()))) == 1


def test_bad_models_are_refused_before_anything_is_sent(keyspace_engine: Engine, sent: list[str]) -> None:
    for options, reason in (
        ({"cql_gc_grace_seconds": "soon"}, "the option cql_gc_grace_seconds takes"),
        ({"cql_clustering_order": {"x": "ASC"}}, "cql_clustering_order"),
    ):
        metadata = table(key(), **options)
        Table("first", metadata, key())
        with pytest.raises(InvalidModel, match=reason):
            sync_tables(keyspace_engine, metadata)
    with pytest.raises(InvalidModel, match="no primary key"):
        sync_tables(keyspace_engine, table(Column("a", Text)))
    with pytest.raises(ConfigurationError, match="keyspace 'no_such_one', and there is none"):
        sync_tables(keyspace_engine, shop("no_such_one"))
    assert sent == []


def test_a_refused_statement_says_what_is_applied(
    cassandra_keyspace: CassandraKeyspace, keyspace_engine: Engine
) -> None:
    cassandra_keyspace.execute("CREATE TABLE b (id int PRIMARY KEY)")
    metadata = table(key())
    Table("b", metadata, key(), Column("x", Text), Column("y", Text))

    @event.listens_for(keyspace_engine, "before_cursor_execute")
    def be_first(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if statement == "ALTER TABLE b ADD x text":
            cassandra_keyspace.execute(statement)

    expected = r"statement 2 of 3 failed on Cassandra: .*already exists\..* The one before it stays applied"
    with pytest.raises(StatementFailed, match=expected) as failed:
        sync_tables(keyspace_engine, metadata)
    assert isinstance(failed.value, sa.exc.ProgrammingError)
    assert failed.value.statement == "ALTER TABLE b ADD x text"
    assert sync_tables(keyspace_engine, metadata) == ["ALTER TABLE b ADD y text"]


def test_another_database_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="not for the dialect 'sqlite'"):
        sync_tables(create_engine("sqlite://"), MetaData())

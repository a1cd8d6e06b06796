"""sync_tables on a real server: what it sends, what it leaves, what it refuses."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy import Column, Engine, Index, MetaData, Table, Text, create_engine, event

from alembic_cluster.errors import (
    ConfigurationError,
    ImpossibleChange,
    InvalidModel,
    SchemaDriftWarning,
    StatementFailed,
    VersionedKeyspace,
)
from alembic_cql import MaterializedView, UserType, sync_tables
from alembic_cql import types as cql
from tests.cql.oracle import another_keyspace, describe, engine_of, pending
from tests.servers.fixtures import CassandraKeyspace


@pytest.fixture
def engine(cassandra_keyspace: CassandraKeyspace) -> Iterator[Engine]:
    with engine_of(cassandra_keyspace) as engine:
        yield engine


@pytest.fixture
def sent(engine: Engine) -> list[str]:
    """Every statement that went to the server and could change something."""
    found: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if not statement.lstrip().upper().startswith("SELECT"):
            found.append(statement)

    return found


def shop(schema: str | None = None) -> MetaData:
    metadata = MetaData(schema=schema)
    money = UserType("Money", {"amount": cql.DECIMAL(), "currency": cql.ASCII()}, metadata)
    UserType("line", {"price": cql.FROZEN(money), "tags": cql.FROZEN(cql.SET(Text))}, metadata)
    Table(
        "orders",
        metadata,
        Column("customer", cql.UUID, primary_key=True),
        Column("at", cql.TIMEUUID, primary_key=True),
        Column("Total", cql.FROZEN(money)),
        Column("state", Text, index=True),
        Column("limit", cql.INT, cql_static=True),
        cql_clustering_order={"at": "DESC"},
        cql_gc_grace_seconds=3600,
        comment="What's ordered",
    )
    MaterializedView(
        "orders_by_state",
        metadata,
        base="orders",
        where="state IS NOT NULL AND customer IS NOT NULL AND at IS NOT NULL",
        partition_key=["state"],
        clustering={"at": "DESC", "customer": "ASC"},
        columns=["state", "at", "customer", "Total"],
    )
    return metadata


def grown_shop() -> MetaData:
    """The same with something more of each kind."""
    metadata = MetaData()
    money = UserType("Money", {"amount": cql.DECIMAL(), "currency": cql.ASCII(), "Rate": cql.DOUBLE()}, metadata)
    UserType("coupon", {"code": Text()}, metadata)
    line = UserType("line", {"price": cql.FROZEN(money), "tags": cql.FROZEN(cql.SET(Text))}, metadata)
    Table(
        "orders",
        metadata,
        Column("customer", cql.UUID, primary_key=True),
        Column("at", cql.TIMEUUID, primary_key=True),
        Column("Total", cql.FROZEN(money)),
        Column("state", Text, index=True),
        Column("limit", cql.INT, cql_static=True),
        Column("lines", cql.LIST(cql.FROZEN(line))),
        Column("since", cql.DATE, cql_static=True),
        Column("note", Text),
        Index("OrdersNotes", "note", cql_using="sai"),
        cql_clustering_order={"at": "DESC"},
        cql_compaction={"class": "LeveledCompactionStrategy"},
        comment='It\'s "new"',
    )
    Table("coupons", metadata, Column("code", Text, primary_key=True), Column("used", cql.COUNTER))
    for name, options in (("orders_by_state", {"gc_grace_seconds": 60}), ("orders_by_limit", {})):
        MaterializedView(
            name,
            metadata,
            base="orders",
            where='state is not null  AND "customer" IS NOT NULL AND at IS NOT NULL',
            partition_key=["state"],
            clustering={"at": "DESC", "customer": "ASC"},
            columns=["customer", "at", "state", "Total"],
            comment="A view" if options else None,
            options=options,
        )
    return metadata


def test_an_empty_keyspace_gets_everything(
    cassandra_keyspace: CassandraKeyspace, engine: Engine, sent: list[str]
) -> None:
    metadata = shop()
    result = sync_tables(engine, metadata)
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


def test_a_second_call_sends_nothing(engine: Engine, sent: list[str]) -> None:
    sync_tables(engine, shop())
    del sent[:]
    assert sync_tables(engine, shop()) == []
    assert sent == []


def test_what_grew_in_the_models_is_added(
    cassandra_keyspace: CassandraKeyspace, engine: Engine, sent: list[str]
) -> None:
    sync_tables(engine, shop())
    cassandra_keyspace.execute("INSERT INTO orders (customer, at, state) VALUES (uuid(), now(), 'open')")
    del sent[:]
    result = sync_tables(engine, grown_shop())
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
    assert sync_tables(engine, grown_shop()) == []
    assert len(cassandra_keyspace.execute("SELECT * FROM orders")) == 1
    with another_keyspace(cassandra_keyspace) as second, engine_of(second) as other:
        sync_tables(other, grown_shop())
        assert describe(second) == describe(cassandra_keyspace)


def test_a_dry_run_gives_the_same_statements_and_sends_none(
    cassandra_keyspace: CassandraKeyspace, engine: Engine, sent: list[str]
) -> None:
    planned = sync_tables(engine, shop(), dry_run=True)
    assert sent == []
    assert describe(cassandra_keyspace) == {}
    assert sync_tables(engine, shop()) == planned
    before = describe(cassandra_keyspace)
    planned = sync_tables(engine, grown_shop(), dry_run=True)
    assert describe(cassandra_keyspace) == before
    assert sync_tables(engine, grown_shop()) == planned


def test_a_connection_will_do(engine: Engine) -> None:
    with engine.connect() as connection:
        assert len(sync_tables(connection, shop())) == 5
        assert not connection.closed


def test_tables_of_a_keyspace_that_is_named(cassandra_keyspace: CassandraKeyspace, engine: Engine) -> None:
    with another_keyspace(cassandra_keyspace) as second:
        sync_tables(engine, shop(second.name))
        assert describe(cassandra_keyspace) == {}
        assert ("table", "orders") in describe(second)
        second.execute("DROP MATERIALIZED VIEW orders_by_state")
        second.execute('CREATE INDEX extra ON orders ("Total")')
        result = sync_tables(engine, shop(second.name), drop_removed_indexes=True)
        assert [statement.split("\n")[0] for statement in result] == [
            f"DROP INDEX {second.name}.extra",
            f"CREATE MATERIALIZED VIEW {second.name}.orders_by_state AS",
        ]
        assert sync_tables(engine, shop(second.name)) == []


def test_what_is_only_in_the_database_is_warned_about_and_stays(
    cassandra_keyspace: CassandraKeyspace, engine: Engine
) -> None:
    sync_tables(engine, grown_shop())
    metadata = shop()
    expected = (
        "field 'Rate' of user type 'Money' is only in the database",
        "column 'since' of table 'orders' is only in the database",
        "column 'lines' of table 'orders' is only in the database",
        "column 'note' of table 'orders' is only in the database",
        "index 'OrdersNotes' of table 'orders' is only in the database; drop_removed_indexes=True drops it",
    )
    with pytest.warns(SchemaDriftWarning) as caught:
        result = sync_tables(engine, metadata)
    assert set(result.warnings) == set(expected)
    assert {str(warning.message) for warning in caught} == set(expected)
    assert {warning.filename for warning in caught} == {__file__}
    statements = describe(cassandra_keyspace)
    assert "note text" in statements["table", "orders"]
    assert ("table", "coupons") in statements
    assert ("type", "coupon") in statements
    assert ("index", '"OrdersNotes"') in statements


def test_a_warning_made_an_error_comes_before_anything_is_sent(
    cassandra_keyspace: CassandraKeyspace, engine: Engine
) -> None:
    cassandra_keyspace.execute("CREATE TABLE coupons (code text PRIMARY KEY, old int)")
    metadata = MetaData()
    Table("coupons", metadata, Column("code", Text, primary_key=True), Column("new", cql.INT))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(SchemaDriftWarning):
            sync_tables(engine, metadata)
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
def test_removed_and_changed_indexes_go_on_request_only(cassandra_keyspace: CassandraKeyspace, engine: Engine) -> None:
    sync_tables(engine, indexed(Index("one", "a"), Index("two", "m"), Index("three", "m", cql_target="keys")))
    wanted = indexed(Index("three", "m", cql_target="entries"), Index("Renamed", "a"))
    kept = sync_tables(engine, wanted)
    assert kept == []
    assert [text.split(";")[0] for text in kept.warnings] == [
        "index 'three' of table 't' differs from the model's 'three'",
        "index 'one' of table 't' differs from the model's 'Renamed'",
        "index 'two' of table 't' is only in the database",
    ]
    result = sync_tables(engine, wanted, drop_removed_indexes=True)
    assert result == [
        "DROP INDEX three",
        "DROP INDEX one",
        "DROP INDEX two",
        "CREATE INDEX IF NOT EXISTS three ON t (entries(m))",
        'CREATE INDEX IF NOT EXISTS "Renamed" ON t (a)',
    ]
    assert result.warnings == ()
    assert {name for kind, name in describe(cassandra_keyspace) if kind == "index"} == {"three", '"Renamed"'}
    assert sync_tables(engine, wanted, drop_removed_indexes=True) == []


def test_an_index_without_a_name_is_the_one_that_is_there(engine: Engine) -> None:
    metadata = MetaData(naming_convention={"pk": "none for indexes"})
    Table("t", metadata, Column("id", cql.INT, primary_key=True), Column("a", Text), Index(None, "a"))
    assert sync_tables(engine, metadata)[1:] == ["CREATE INDEX IF NOT EXISTS ON t (a)"]
    assert sync_tables(engine, metadata, drop_removed_indexes=True) == []


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
    cassandra_keyspace: CassandraKeyspace, engine: Engine, sent: list[str], existing: Any, wanted: Any, reason: str
) -> None:
    sync_tables(engine, table(*existing))
    before = describe(cassandra_keyspace)
    del sent[:]
    metadata = table(*wanted)
    Table("a_new_one", metadata, key())
    for dry_run in (True, False):
        with pytest.raises(ImpossibleChange, match=reason) as refused:
            sync_tables(engine, metadata, dry_run=dry_run)
        assert "nothing was sent" in str(refused.value)
    assert sent == []
    assert describe(cassandra_keyspace) == before


def test_a_changed_clustering_order_is_refused(engine: Engine) -> None:
    sync_tables(engine, table(key(), key("c")))
    with pytest.raises(ImpossibleChange, match=r"c DESC.*c ASC"):
        sync_tables(engine, table(key(), key("c"), cql_clustering_order={"c": "desc"}))


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
    cassandra_keyspace: CassandraKeyspace, engine: Engine, dropped: str, added: Column[Any], refused: str | None
) -> None:
    cassandra_keyspace.execute("CREATE TYPE u (a int)")
    cassandra_keyspace.execute(f"CREATE TABLE t (id int, c int, x {dropped}, y int, PRIMARY KEY (id, c))")
    cassandra_keyspace.execute("ALTER TABLE t DROP x")
    metadata = table(key(), key("c"), Column("y", cql.INT), added._copy())
    if refused is None:
        assert len(sync_tables(engine, metadata)) == 1
        return
    with pytest.raises(ImpossibleChange, match=refused):
        sync_tables(engine, metadata)
    kind = engine.dialect.type_compiler_instance.process(added.type) + (
        " static" if added.kwargs.get("cql_static") else ""
    )
    with pytest.raises(Exception, match=r"(?i)incompatible with previous|re-add"):
        cassandra_keyspace.execute(f"ALTER TABLE t ADD x {kind}")  # the server agrees


def test_a_dropped_counter_cannot_come_back(cassandra_keyspace: CassandraKeyspace, engine: Engine) -> None:
    cassandra_keyspace.execute("CREATE TABLE t (id int PRIMARY KEY, x counter, y counter)")
    cassandra_keyspace.execute("ALTER TABLE t DROP x")
    with pytest.raises(ImpossibleChange, match="no counter can come back"):
        sync_tables(engine, table(key(), Column("x", cql.COUNTER), Column("y", cql.COUNTER)))


def typed(fields: dict[str, Any], *, in_key: bool = False) -> MetaData:
    metadata = MetaData()
    inner = UserType("u", fields, metadata)
    outer = UserType("v", {"u": cql.FROZEN(inner)}, metadata)
    kind = cql.FROZEN(cql.LIST(cql.FROZEN(outer)))
    Table("t", metadata, Column("id", kind if in_key else cql.INT, primary_key=True), Column("x", kind))
    return metadata


def test_user_types_are_extended_but_not_altered(engine: Engine) -> None:
    sync_tables(engine, typed({"a": cql.INT}))
    with pytest.raises(ImpossibleChange, match="user type 'u', field 'a': the model has text, the database int"):
        sync_tables(engine, typed({"a": Text()}))
    assert sync_tables(engine, typed({"b": Text(), "a": cql.INT})) == ["ALTER TYPE u ADD b text"]
    assert sync_tables(engine, typed({"b": Text(), "a": cql.INT})) == []


def test_a_user_type_in_a_partition_key_gets_no_field(engine: Engine, sent: list[str]) -> None:
    sync_tables(engine, typed({"a": cql.INT}, in_key=True))
    del sent[:]
    with pytest.raises(ImpossibleChange, match="'u' can't get the field 'b': it is in the partition key of table 't'"):
        sync_tables(engine, typed({"a": cql.INT, "b": cql.INT}, in_key=True))
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
def test_the_definition_of_a_view_cannot_change(engine: Engine, change: dict[str, Any], reason: str) -> None:
    sync_tables(engine, shop())
    metadata = shop()
    view = metadata.info["alembic_cql"].views.pop((None, "orders_by_state"))
    same: dict[str, Any] = {"where": view.where, "clustering": dict(view.key.clustering), "columns": view.columns}
    MaterializedView(view.name, metadata, base="orders", partition_key=["state"], **{**same, **change})
    with pytest.raises(ImpossibleChange, match=f"view 'orders_by_state': .*{reason}"):
        sync_tables(engine, metadata)


def test_a_table_where_a_view_is_and_a_view_of_nothing(engine: Engine, sent: list[str]) -> None:
    sync_tables(engine, shop())
    del sent[:]
    metadata = MetaData()
    Table("orders_by_state", metadata, key())
    with pytest.raises(ImpossibleChange, match="table 'orders_by_state' is a materialized view in the database"):
        sync_tables(engine, metadata)
    metadata = MetaData()
    MaterializedView("orders", metadata, base="orders", where="id IS NOT NULL", partition_key=["id"])
    with pytest.raises(ImpossibleChange, match="view 'orders' is a table in the database"):
        sync_tables(engine, metadata)
    metadata = MetaData()
    MaterializedView("v", metadata, base="nothing", where="id IS NOT NULL", partition_key=["id"])
    with pytest.raises(InvalidModel, match="view 'v' is of table 'nothing', which there is not"):
        sync_tables(engine, metadata)
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
def test_a_version_table_of_another_name(cassandra_keyspace: CassandraKeyspace, engine: Engine, named: bool) -> None:
    if named:
        cassandra_keyspace.execute('CREATE TABLE "Revisions" (id int PRIMARY KEY)')
        assert sync_tables(engine, MetaData()) == []
        with pytest.raises(VersionedKeyspace, match="has the version table 'Revisions'"):
            sync_tables(engine, table(key()), version_table="Revisions")
    else:  # recognised by its columns
        cassandra_keyspace.execute(
            "CREATE TABLE revs (scope text, version_num text, fence bigint static, PRIMARY KEY (scope, version_num))"
        )
        with pytest.raises(VersionedKeyspace, match="has the version table 'revs'"):
            sync_tables(engine, table(key()))


def test_a_version_table_in_a_keyspace_of_its_own(cassandra_keyspace: CassandraKeyspace, engine: Engine) -> None:
    with another_keyspace(cassandra_keyspace) as second:
        second.execute("CREATE TABLE alembic_version (id int PRIMARY KEY)")
        with pytest.raises(VersionedKeyspace, match=f"keyspace '{second.name}'"):
            sync_tables(engine, table(key()), version_table_schema=second.name)
        # The connection's keyspace counts, also when the tables name another.
        with engine_of(second) as other, pytest.raises(VersionedKeyspace):
            sync_tables(other, shop(cassandra_keyspace.name))
        assert len(sync_tables(engine, table(key()))) == 1


def test_bad_models_are_refused_before_anything_is_sent(engine: Engine, sent: list[str]) -> None:
    for options, reason in (
        ({"cql_gc_grace_seconds": "soon"}, "the option cql_gc_grace_seconds takes"),
        ({"cql_clustering_order": {"x": "ASC"}}, "cql_clustering_order"),
    ):
        metadata = table(key(), **options)
        Table("first", metadata, key())
        with pytest.raises(InvalidModel, match=reason):
            sync_tables(engine, metadata)
    with pytest.raises(InvalidModel, match="no primary key"):
        sync_tables(engine, table(Column("a", Text)))
    with pytest.raises(ConfigurationError, match="keyspace 'no_such_one', and there is none"):
        sync_tables(engine, shop("no_such_one"))
    assert sent == []


def test_a_refused_statement_says_what_is_applied(cassandra_keyspace: CassandraKeyspace, engine: Engine) -> None:
    metadata = MetaData()
    Table("a", metadata, key())
    Table("b", metadata, key(), Column("x", cql.LIST(cql.LIST(cql.INT))))
    Table("c", metadata, key())
    with pytest.raises(
        StatementFailed, match=r"statement 2 of 3 failed on Cassandra: .* The one before it stays applied"
    ) as failed:
        sync_tables(engine, metadata)
    assert isinstance(failed.value, sa.exc.ProgrammingError)
    assert failed.value.statement.startswith("CREATE TABLE IF NOT EXISTS b")
    assert {name for _, name in describe(cassandra_keyspace)} == {"a"}


def test_another_database_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="not for the dialect 'sqlite'"):
        sync_tables(create_engine("sqlite://"), MetaData())

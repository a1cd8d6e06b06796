"""What create_all and drop_all make, on a real server: keys, names, options, types, indexes, views."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Column, Connection, Engine, Index, Integer, MetaData, String, Table, inspect

from alembic_cql import MaterializedView, UserType
from alembic_cql import types as cql
from tests.cql.oracle import describe, engine_of
from tests.servers.fixtures import CassandraKeyspace

ODD_NAMES = [
    "select", "Key", "with space", 'quo"te', "it's", "100%", "%(x)s", "a:b", ":x", "what?", "a.b", "a$b", "_under",
    "1st", "ünï", "日本", "😀", "keys(x)", "{json}", "back\\slash", "semi;colon", "--dash", "/*star*/", "new\nline",
    "c" * 48, "d" * 300,
]  # fmt: skip


@pytest.fixture(scope="module")
def keyspace(keyspaces: Iterator[CassandraKeyspace]) -> CassandraKeyspace:
    """One keyspace for the tests of this module; each makes tables of its own."""
    return next(keyspaces)


@pytest.fixture(scope="module")
def engine(keyspace: CassandraKeyspace) -> Iterator[Engine]:
    """An engine on it."""
    with engine_of(keyspace) as engine:
        yield engine


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """A connection of that engine."""
    with engine.connect() as connection:
        yield connection


def columns_of(keyspace: CassandraKeyspace, table: str) -> dict[str, tuple[str, int, str, str]]:
    """Give what the server itself says of a table's columns: kind, position, order, type."""
    rows = keyspace.session.execute(
        "SELECT column_name, kind, position, clustering_order, type FROM system_schema.columns "
        f"WHERE keyspace_name = '{keyspace.name}' AND table_name = '{table}'"
    )
    return {row[0]: tuple(row[1:]) for row in rows}


# ------------------------------------------------------------------------------------------------ keys


def test_keys(keyspace: CassandraKeyspace, connection: Connection) -> None:
    table = Table(
        "keys",
        MetaData(),
        Column("v", Integer),
        Column("late", String, primary_key=True),
        Column("tenant", String, primary_key=True),
        Column("day", sa.Date, primary_key=True),
        Column("ts", sa.DateTime, primary_key=True),
        Column("s", String, cql_static=True),
        cql_partition_key=["tenant", "day"],
        cql_clustering_order={"late": "asc", "ts": "desc"},
    )
    table.create(connection)
    assert columns_of(keyspace, "keys") == {
        "tenant": ("partition_key", 0, "none", "text"),
        "day": ("partition_key", 1, "none", "date"),
        "late": ("clustering", 0, "asc", "text"),
        "ts": ("clustering", 1, "desc", "timestamp"),
        "s": ("static", -1, "none", "text"),
        "v": ("regular", -1, "none", "int"),
    }


def test_the_first_column_of_the_key_is_the_partition(keyspace: CassandraKeyspace, connection: Connection) -> None:
    columns = [Column(name, Integer, primary_key=True) for name in ("a", "b", "c")]
    Table("plain_key", MetaData(), *columns).create(connection)
    found = columns_of(keyspace, "plain_key")
    assert [found[name][:2] for name in "abc"] == [("partition_key", 0), ("clustering", 0), ("clustering", 1)]
    columns = [Column(name, Integer, primary_key=True) for name in ("a", "b")]
    Table("one_partition", MetaData(), *columns, cql_partition_key="b").create(connection)
    assert columns_of(keyspace, "one_partition")["b"][0] == "partition_key"


def test_a_counter_table_counts(connection: Connection) -> None:
    table = Table(
        "counters",
        MetaData(),
        Column("k", Integer, primary_key=True),
        Column("c", cql.COUNTER),
        Column("d", cql.COUNTER),
    )
    table.create(connection)
    for change in (5, -2):
        connection.execute(sa.update(table).where(table.c.k == 1).values(c=table.c.c + change, d=table.c.d - change))
    assert connection.execute(sa.select(table)).one() == (1, 3, -3)


def test_a_tables_id(keyspace: CassandraKeyspace, connection: Connection) -> None:
    wanted = uuid.uuid5(uuid.NAMESPACE_DNS, keyspace.name)
    Table("with_id", MetaData(), Column("k", Integer, primary_key=True), cql_id=wanted).create(connection)
    row = keyspace.session.execute(
        f"SELECT id FROM system_schema.tables WHERE keyspace_name = '{keyspace.name}' AND table_name = 'with_id'"
    ).one()
    assert row[0] == wanted


# ----------------------------------------------------------------------------------------------- names


def test_columns_of_any_name(keyspace: CassandraKeyspace, connection: Connection) -> None:
    key, *others = ODD_NAMES
    table = Table(
        "names", MetaData(), Column(key, Integer, primary_key=True), *(Column(name, String) for name in others)
    )
    table.create(connection)
    assert set(columns_of(keyspace, "names")) == set(ODD_NAMES)
    row = {key: 1, **{name: f"value of {name}" for name in others}}
    connection.execute(sa.insert(table), [row, {**row, key: 2}])
    literal = sa.insert(table).values({**row, key: 3}).compile(
        dialect=connection.dialect, compile_kwargs={"literal_binds": True}
    )  # fmt: skip
    connection.exec_driver_sql(str(literal))
    for number in (1, 2, 3):
        found = connection.execute(sa.select(table).where(table.c[key] == number)).mappings().one()
        assert dict(found) == {**row, key: number}
    for name in others:
        connection.execute(sa.update(table).where(table.c[key] == 1).values({name: "changed"}))
    assert set(connection.execute(sa.select(table).where(table.c[key] == 1)).one()) == {1, "changed"}
    reflected = Table("names", MetaData(), autoload_with=connection)
    assert set(reflected.columns.keys()) == set(ODD_NAMES)


def test_indexes_on_columns_of_any_name(connection: Connection) -> None:
    # Not the longest, for an index is a file of that name, and no line break, which the server can't read back.
    names = [name for name in ODD_NAMES[:-2] if "\n" not in name]
    table = Table(
        "indexed_names",
        MetaData(),
        Column("k", Integer, primary_key=True),
        *(Column(name, cql.MAP(cql.TEXT, cql.INT)) for name in names),
    )
    wanted = {}
    for number, name in enumerate(names):
        target = ("keys", "values", "entries")[number % 3]
        Index(f"Idx_{number}", table.c[name], cql_target=target)
        wanted[f"Idx_{number}"] = (name, target)
    table.create(connection)
    found = {
        index["name"]: (index["column_names"][0], index["dialect_options"]["cql_target"])
        for index in inspect(connection).get_indexes("indexed_names")
    }
    assert found == wanted


@pytest.mark.parametrize("name", ["T" * 48, "t" * 222, "select", "Mixed", "1st", "_under", "MATERIALIZED"])
def test_tables_of_any_name_that_a_table_can_have(connection: Connection, name: str) -> None:
    table = Table(name, MetaData(), Column("k", Integer, primary_key=True), Column("v", Integer))
    table.create(connection)
    inspector = inspect(connection)
    assert inspector.has_table(name)
    assert name in inspector.get_table_names()
    connection.execute(sa.insert(table).values(k=1, v=2))
    assert connection.execute(sa.select(table.c.v)).scalar() == 2
    connection.execute(sa.schema.SetTableComment(Table(name, MetaData(), comment="it's")))
    assert inspect(connection).get_table_comment(name) == {"text": "it's"}
    connection.execute(sa.schema.DropTableComment(table))
    assert inspect(connection).get_table_comment(name) == {"text": None}
    table.drop(connection)
    assert not inspect(connection).has_table(name)


def test_user_types_of_any_name(keyspace: CassandraKeyspace, connection: Connection) -> None:
    metadata = MetaData()
    kind = UserType("Some Type", [(name, cql.INT()) for name in ODD_NAMES], metadata)
    holder = UserType("select", {"inner": cql.FROZEN(kind)}, metadata)
    table = Table("type_names", metadata, Column("k", Integer, primary_key=True), Column("v", cql.FROZEN(holder)))
    metadata.create_all(connection)
    value = {"inner": {name: number for number, name in enumerate(ODD_NAMES)}}
    connection.execute(sa.insert(table).values(k=1, v=value))
    literal = sa.insert(table).values(k=2, v=value)
    text = literal.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
    connection.exec_driver_sql(str(text))
    assert connection.execute(sa.select(table.c.v)).scalars().all() == [value, value]
    reflected = inspect(connection).get_columns("type_names")[1]["type"]
    assert isinstance(reflected, cql.FROZEN)
    assert repr(reflected.inner) == repr(holder)
    metadata.drop_all(connection)
    assert not [key for key in describe(keyspace) if key[0] == "type"]


# --------------------------------------------------------------------------------------- all of a metadata


def rich_metadata(schema: str | None = None) -> MetaData:
    """Tables, user types that use each other, views, an index."""
    metadata = MetaData(schema=schema)
    person = UserType("person", [("home", cql.FROZEN(UserType("address", [("street", cql.TEXT())])))])
    UserType("unused", {"a": cql.INT()}, metadata)
    users = Table(
        "users",
        metadata,
        Column("id", sa.Uuid, primary_key=True),
        Column("email", String),
        Column("who", cql.FROZEN(person)),
        Column("friends", cql.SET(cql.FROZEN(person))),
        comment="people",
    )
    Index("email_index", users.c.email)
    Table("events", metadata, Column("id", Integer, primary_key=True), Column("n", Integer))
    MaterializedView(
        "by_email", metadata, base="users", where="email IS NOT NULL AND id IS NOT NULL",
        partition_key=["email"], clustering={"id": "DESC"}, comment="users by email",
    )  # fmt: skip
    assert users.schema == schema
    return metadata


EVERYTHING = {
    ("type", "address"), ("type", "person"), ("type", "unused"), ("table", "users"), ("table", "events"),
    ("index", "email_index"), ("materialized_view", "by_email"),
}  # fmt: skip


def test_create_all_makes_everything_and_drop_all_nothing_less(
    cassandra_keyspace: CassandraKeyspace, keyspace_engine: Engine, sent: list[str]
) -> None:
    rich_metadata().create_all(keyspace_engine)
    assert set(describe(cassandra_keyspace)) == EVERYTHING
    assert len(sent) == len(EVERYTHING)
    sent.clear()
    rich_metadata().create_all(keyspace_engine)  # all there: nothing to do
    assert sent == []
    with pytest.raises(sa.exc.ProgrammingError, match="already exists"):
        rich_metadata().create_all(keyspace_engine, checkfirst=False)
    cassandra_keyspace.execute("DROP MATERIALIZED VIEW by_email")
    cassandra_keyspace.execute("DROP TABLE users")
    rich_metadata().create_all(keyspace_engine)  # what is missing is made again
    assert set(describe(cassandra_keyspace)) == EVERYTHING
    cassandra_keyspace.execute("CREATE TABLE other (k int PRIMARY KEY, a frozen<address>)")
    rich_metadata().drop_all(keyspace_engine)
    assert set(describe(cassandra_keyspace)) == {("table", "other"), ("type", "address")}  # it is still used
    rich_metadata().drop_all(keyspace_engine)


def test_a_part_of_a_metadata(cassandra_keyspace: CassandraKeyspace, keyspace_engine: Engine) -> None:
    metadata = rich_metadata()
    metadata.create_all(keyspace_engine, tables=[metadata.tables["events"]])
    assert {name for kind, name in describe(cassandra_keyspace) if kind != "type"} == {"events"}
    metadata.create_all(keyspace_engine)
    metadata.drop_all(keyspace_engine, tables=[metadata.tables["events"]])
    assert set(describe(cassandra_keyspace)) == EVERYTHING - {("table", "events"), ("type", "unused")}


def test_another_keyspace_than_the_connections(cassandra: Any, cassandra_keyspace: CassandraKeyspace) -> None:
    engine = sa.create_engine(cassandra.url())
    metadata = rich_metadata(cassandra_keyspace.name)
    metadata.create_all(engine)
    assert set(describe(cassandra_keyspace)) == EVERYTHING
    table = metadata.tables[f"{cassandra_keyspace.name}.users"]
    with engine.connect() as connection:
        who = {"home": {"street": "s"}}
        connection.execute(sa.insert(table).values(id=uuid.uuid4(), who=who, friends=[who]))
        assert connection.execute(sa.select(table.c.who)).scalar() == who
    metadata.create_all(engine)
    metadata.drop_all(engine)
    assert describe(cassandra_keyspace) == {}
    engine.dispose()


def test_a_script_of_everything() -> None:
    script: list[str] = []
    engine: Any = sa.create_mock_engine(
        "cassandra://", lambda statement, *_, **__: script.append(str(statement.compile(dialect=engine.dialect)))
    )
    metadata = rich_metadata()
    metadata.create_all(engine, checkfirst=False)
    metadata.drop_all(engine, checkfirst=False)
    verbs = [" ".join(text.split()[:3]) for text in script]
    assert len(verbs) == 2 * len(EVERYTHING) - 1  # an index goes with its table
    assert verbs[0].startswith("CREATE TYPE")
    assert verbs[-1].startswith("DROP TYPE")
    assert verbs.index("CREATE TYPE address") < verbs.index("CREATE TYPE person") < verbs.index("CREATE TABLE users")
    assert verbs.index("DROP TABLE users") < verbs.index("DROP TYPE person") < verbs.index("DROP TYPE address")

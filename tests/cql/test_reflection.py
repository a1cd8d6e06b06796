"""The Inspector's answers, MetaData.reflect and reflect_keyspace, on what CQL itself made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine, Inspector, MetaData, Table, inspect
from sqlalchemy.engine.reflection import ObjectKind, ObjectScope

from alembic_cluster.errors import ConfigurationError
from alembic_cql import reflect_keyspace
from alembic_cql import types as cql
from alembic_cql.dbapi import Connection
from alembic_cql.schema import keyspace_objects
from alembic_cql.typenames import canonical_name
from tests.cql.oracle import another_keyspace, describe, engine_of
from tests.servers.fixtures import CassandraKeyspace

STATEMENTS = [
    "CREATE TYPE address (street text, tags set<text>)",
    'CREATE TYPE "Person" (home frozen<address>, "last Name" text)',
    """CREATE TABLE rich (
        day date, tenant text, "Ts" timestamp, seq int, note text static, owner frozen<"Person">, q int,
        m map<text, frozen<list<int>>>, l list<varint>, t tuple<int, list<text>>, v vector<float, 3>, d duration,
        PRIMARY KEY ((tenant, day), "Ts", seq)
    ) WITH CLUSTERING ORDER BY ("Ts" DESC, seq ASC) AND comment = 'it''s rich' AND gc_grace_seconds = 5
        AND compaction = {'class': 'LeveledCompactionStrategy', 'sstable_size_in_mb': '100'}
        AND compression = {'enabled': 'false'} AND speculative_retry = '50ms'""",
    "CREATE TABLE plain (k int PRIMARY KEY, v int)",
    "CREATE TABLE counted (k int PRIMARY KEY, c counter)",
    "CREATE TABLE only_key (a int, b int, PRIMARY KEY (a, b))",
    "CREATE INDEX q_idx ON rich (q)",
    'CREATE INDEX "On Keys" ON rich (keys(m))'.replace("On Keys", "On_Keys"),
    "CREATE INDEX ann ON rich (v) USING 'sai' WITH OPTIONS = {'similarity_function': 'EUCLIDEAN'}",
    """CREATE MATERIALIZED VIEW by_v AS SELECT k, v FROM plain WHERE v IS NOT NULL AND k IS NOT NULL
        PRIMARY KEY (v, k) WITH CLUSTERING ORDER BY (k DESC) AND comment = 'by v' AND gc_grace_seconds = 60""",
    """CREATE MATERIALIZED VIEW "Wide" AS SELECT * FROM only_key WHERE a IS NOT NULL AND b IS NOT NULL
        PRIMARY KEY ((b, a))""",
]
TABLES = ["counted", "only_key", "plain", "rich"]
VIEWS = ["Wide", "by_v"]


@pytest.fixture(scope="module")
def keyspace(keyspaces: Iterator[CassandraKeyspace]) -> CassandraKeyspace:
    """A keyspace that CQL made."""
    keyspace = next(keyspaces)
    for statement in STATEMENTS:
        keyspace.execute(statement)
    return keyspace


@pytest.fixture(scope="module")
def engine(keyspace: CassandraKeyspace) -> Iterator[Engine]:
    """An engine on it."""
    with engine_of(keyspace) as engine:
        yield engine


@pytest.fixture(params=["its own", "named"])
def schema(request: pytest.FixtureRequest, keyspace: CassandraKeyspace) -> str | None:
    """The keyspace as the connection's, or named in each question."""
    return None if request.param == "its own" else keyspace.name


@pytest.fixture
def inspector(engine: Engine, cassandra: Any, schema: str | None) -> Iterator[Inspector]:
    """An Inspector; where the keyspace is named, of a connection that has none."""
    asked = engine if schema is None else sa.create_engine(cassandra.url())
    with asked.connect() as connection:
        yield inspect(connection)
    if asked is not engine:
        asked.dispose()


def test_names(inspector: Inspector, schema: str | None, keyspace: CassandraKeyspace) -> None:
    assert inspector.get_table_names(schema) == TABLES
    assert inspector.get_materialized_view_names(schema) == VIEWS
    assert inspector.get_view_names(schema) == []
    assert inspector.get_temp_table_names() == inspector.get_temp_view_names() == []
    assert inspector.get_sequence_names(schema) == []
    assert not inspector.has_sequence("s", schema)
    names = inspector.get_schema_names()
    assert keyspace.name in names
    assert not [name for name in names if name.startswith("system")]
    assert inspector.has_schema(keyspace.name)
    assert not inspector.has_schema("nope")
    assert inspector.default_schema_name == (keyspace.name if schema is None else None)
    for name in (*TABLES, *VIEWS):
        assert inspector.has_table(name, schema)
    assert not inspector.has_table("RICH", schema)
    assert not inspector.has_table("rich", "nope")
    assert [name for name, _ in inspector.get_sorted_table_and_fkc_names(schema)] == [*TABLES, None]


def test_columns(inspector: Inspector, schema: str | None) -> None:
    columns = {column["name"]: column for column in inspector.get_columns("rich", schema)}
    assert list(columns) == ["tenant", "day", "Ts", "seq", "note", "d", "l", "m", "owner", "q", "t", "v"]
    kinds = {name: canonical_name(column["type"], inspector.dialect) for name, column in columns.items()}
    assert kinds == {
        "tenant": "text", "day": "date", "Ts": "timestamp", "seq": "int", "note": "text", "d": "duration",
        "l": "list<varint>", "m": "map<text, frozen<list<int>>>", "owner": 'frozen<"Person">', "q": "int",
        "t": "tuple<int, list<text>>", "v": "vector<float, 3>",
    }  # fmt: skip
    assert [name for name, column in columns.items() if not column["nullable"]] == ["tenant", "day", "Ts", "seq"]
    static = [name for name, column in columns.items() if column["dialect_options"]]
    assert static == ["note"]
    assert columns["note"]["dialect_options"] == {"cql_static": True}
    owner: Any = columns["owner"]["type"]
    assert owner.inner.field_names() == ("home", "last Name")
    assert owner.inner.fields[0][1].inner.field_names() == ("street", "tags")
    assert isinstance(inspector.get_columns("counted", schema)[1]["type"], cql.COUNTER)


def test_keys_options_comments(inspector: Inspector, schema: str | None) -> None:
    assert inspector.get_pk_constraint("rich", schema)["constrained_columns"] == ["tenant", "day", "Ts", "seq"]
    assert inspector.get_pk_constraint("by_v", schema)["constrained_columns"] == ["v", "k"]
    assert inspector.get_table_options("rich", schema) == {
        "cql_partition_key": ["tenant", "day"],
        "cql_clustering_order": {"Ts": "DESC", "seq": "ASC"},
        "cql_gc_grace_seconds": 5,
        "cql_compaction": {"class": "LeveledCompactionStrategy", "sstable_size_in_mb": "100"},
        "cql_compression": {"enabled": "false"},
        "cql_speculative_retry": "50ms",
    }
    assert inspector.get_table_options("plain", schema) == {}
    assert inspector.get_table_comment("rich", schema) == {"text": "it's rich"}
    assert inspector.get_table_comment("plain", schema) == {"text": None}


def test_indexes(inspector: Inspector, schema: str | None) -> None:
    found = {index["name"]: index for index in inspector.get_indexes("rich", schema)}
    assert {name: index["column_names"] for name, index in found.items()} == {
        "q_idx": ["q"], "On_Keys": ["m"], "ann": ["v"],
    }  # fmt: skip
    assert found["q_idx"]["dialect_options"] == {}
    assert found["On_Keys"]["dialect_options"] == {"cql_target": "keys"}
    assert found["ann"]["dialect_options"] == {
        "cql_using": "sai", "cql_options": {"similarity_function": "EUCLIDEAN"},
    }  # fmt: skip
    assert not any(index["unique"] for index in found.values())
    assert inspector.has_index("rich", "On_Keys", schema)
    assert not inspector.has_index("rich", "on_keys", schema)


def test_what_cql_has_none_of(inspector: Inspector, schema: str | None) -> None:
    assert inspector.get_foreign_keys("rich", schema) == []
    assert inspector.get_unique_constraints("rich", schema) == []
    assert inspector.get_check_constraints("rich", schema) == []


def test_views(inspector: Inspector, schema: str | None) -> None:
    assert inspector.get_view_definition("by_v", schema) == (
        "SELECT v, k FROM plain WHERE v IS NOT NULL AND k IS NOT NULL"
    )
    assert inspector.get_view_definition("Wide", schema).startswith("SELECT * FROM only_key WHERE ")
    assert [column["name"] for column in inspector.get_columns("Wide", schema)] == ["b", "a"]
    with pytest.raises(sa.exc.NoSuchTableError):
        inspector.get_view_definition("plain", schema)


def test_everything_at_once(inspector: Inspector, schema: str | None) -> None:
    for name in (
        "columns", "pk_constraint", "indexes", "table_options", "table_comment", "foreign_keys", "unique_constraints",
        "check_constraints",
    ):  # fmt: skip
        one = getattr(inspector, f"get_{name}")
        many = getattr(inspector, f"get_multi_{name}")
        found = many(schema)
        assert {key[1] for key in found} == set(TABLES)
        assert all(key[0] == schema for key in found)
        for table in TABLES:
            assert repr(found[(schema, table)]) == repr(one(table, schema)), name
        views = many(schema, kind=ObjectKind.MATERIALIZED_VIEW)
        assert {key[1] for key in views} == set(VIEWS)
        assert set(many(schema, kind=ObjectKind.ANY, filter_names=["rich", "by_v", "nope"])) == {
            (schema, "rich"), (schema, "by_v"),
        }  # fmt: skip
        assert many(schema, kind=ObjectKind.VIEW) == many(schema, scope=ObjectScope.TEMPORARY) == {}


def test_what_is_not_there(inspector: Inspector, schema: str | None) -> None:
    for ask in (
        inspector.get_columns, inspector.get_pk_constraint, inspector.get_indexes, inspector.get_table_options,
        inspector.get_table_comment,
    ):  # fmt: skip
        with pytest.raises(sa.exc.NoSuchTableError):
            ask("nope", schema)
    with pytest.raises(sa.exc.NoSuchTableError):
        inspector.get_columns("rich", "nope")
    assert inspector.get_table_names("nope") == []
    with pytest.raises(sa.exc.InvalidRequestError, match="nope"):
        MetaData().reflect(inspector.bind, schema=schema, only=["nope"])


def test_without_a_keyspace(cassandra: Any) -> None:
    engine = sa.create_engine(cassandra.url())
    with engine.connect() as connection:
        inspector = inspect(connection)
        for ask in (
            inspector.get_table_names, lambda: inspector.has_table("t"), lambda: inspector.get_columns("t"),
            lambda: MetaData().reflect(connection), lambda: reflect_keyspace(connection),
        ):  # fmt: skip
            with pytest.raises(ConfigurationError, match="the URL names no keyspace: write cassandra://host/keyspace"):
                ask()
    engine.dispose()


def test_one_inspector_reads_the_catalog_once(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    together = Connection.read_together

    def read(self: Connection, queries: Iterable[str], *arguments: Any) -> Any:
        texts = list(queries)
        asked.extend(texts)
        return together(self, texts, *arguments)

    monkeypatch.setattr(Connection, "read_together", read)
    with engine.connect() as connection:
        inspector = inspect(connection)
        for name in inspector.get_table_names():
            inspector.get_columns(name), inspector.get_indexes(name), inspector.get_pk_constraint(name)
        MetaData().reflect(connection)
    reads = [text for text in asked if "system_schema.columns" in text]
    assert len(reads) == 2  # one for the Inspector, one for reflect's own


def test_metadata_reflect(engine: Engine, keyspace: CassandraKeyspace) -> None:
    metadata = MetaData()
    metadata.reflect(engine)
    assert sorted(metadata.tables) == TABLES
    rich = metadata.tables["rich"]
    assert [column.name for column in rich.primary_key] == ["tenant", "day", "Ts", "seq"]
    assert rich.c.note.kwargs["cql_static"] is True
    assert rich.comment == "it's rich"
    assert {index.name for index in rich.indexes} == {"q_idx", "On_Keys", "ann"}
    metadata.reflect(engine, views=True)
    assert sorted(metadata.tables) == sorted([*TABLES, *VIEWS])
    named = MetaData()
    named.reflect(engine, schema=keyspace.name, only=["plain"])
    assert list(named.tables) == [f"{keyspace.name}.plain"]
    with engine.connect() as connection:
        connection.execute(sa.insert(named.tables[f"{keyspace.name}.plain"]).values(k=1, v=2))
        view = Table("by_v", MetaData(), autoload_with=connection)
        assert connection.execute(sa.select(view).where(view.c.v == 2)).all() == [(2, 1)]


def test_reflect_keyspace_gives_everything(keyspace: CassandraKeyspace, engine: Engine) -> None:
    with engine.connect() as connection:
        found = reflect_keyspace(connection)
        named = reflect_keyspace(connection, keyspace.name)
    assert sorted(found.tables) == TABLES
    assert sorted(named.tables) == [f"{keyspace.name}.{name}" for name in TABLES]
    objects = keyspace_objects(found)
    assert {name for _, name in objects.types} == {"address", "Person"}
    assert {name for _, name in objects.views} == set(VIEWS)
    with another_keyspace(keyspace) as copy, engine_of(copy) as other:
        found.create_all(other)
        assert describe(copy) == describe(keyspace)
        with other.connect() as connection:
            found.drop_all(connection)
        assert describe(copy) == {}

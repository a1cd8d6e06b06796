"""What the Inspector of an engine answers: from one query for what lasts, from stock for the rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.engine.reflection import ObjectKind, ObjectScope
from sqlalchemy.exc import NoSuchTableError, SAWarning

from alembic_crdb.versions import server_version
from tests.cockroachdb.test_reflect_database import STATEMENTS
from tests.servers.cockroach import CockroachCluster

TEMPORARY = """
SET experimental_enable_temp_tables = 'on';
CREATE TEMP TABLE passing (id INT8 PRIMARY KEY, x STRING)
"""


@pytest.fixture(scope="module")
def connection(cockroach: CockroachCluster) -> Iterator[Connection]:
    """A database that has a bit of everything; nothing in it is changed by the tests."""
    name = cockroach.create_database()
    engine = sa.create_engine(cockroach.url(name), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connected:
        for statement in (STATEMENTS.strip() + TEMPORARY).split(";\n"):
            connected.exec_driver_sql(statement.rstrip(";"))
        yield connected
        for table in ("other.c", "c1", "c2"):  # v21.1 can't drop a database whose tables refer to each other
            connected.exec_driver_sql(f"DROP TABLE IF EXISTS {table} CASCADE")
    cockroach.drop_database(name)


@pytest.fixture
def inspector(connection: Connection) -> Any:
    """A new Inspector, which has asked nothing yet."""
    return sa.inspect(connection)


@pytest.fixture
def sent(connection: Connection) -> Iterator[list[str]]:
    """The statements that are sent, without the one that asks for the server's version."""
    server_version(connection)
    found: list[str] = []

    def note(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if "version()" not in statement:
            found.append(statement)

    sa.event.listen(connection, "before_cursor_execute", note)
    yield found
    sa.event.remove(connection, "before_cursor_execute", note)


def test_all_answers_about_tables_are_one_query(inspector, sent):
    assert inspector.get_schema_names() == ["information_schema", "other", "public"]
    assert inspector.get_table_names() == ["c1", "c2", "c3", "k", "users"]
    assert inspector.get_table_names("other") == ["c"]
    assert inspector.get_view_names() == ["v"]
    assert inspector.get_materialized_view_names() == ["mv"]
    assert inspector.get_sequence_names() == ["s"]
    assert [(enum["schema"], enum["name"], enum["labels"]) for enum in inspector.get_enums("*")] == [
        ("other", "size", ["s", "m"]),
        ("public", "mood", ["sad", "it's ok"]),
    ]
    assert inspector.get_view_definition("v") == "SELECT id, name FROM public.users WHERE age > 3"
    assert [column["name"] for column in inspector.get_columns("c", "other")] == ["a", "b", "u", 'Quoted "name']
    assert inspector.get_multi_pk_constraint()[None, "k"]["dialect_options"] == {"cockroachdb_sorting": {"b": "DESC"}}
    assert inspector.get_table_comment("k") == {"text": "it's a :table with %"}
    assert inspector.get_table_options("c", "other")["cockroachdb_families"]["f1"] == ["a"]
    assert inspector.has_index("users", "by_name")
    assert not inspector.has_index("users", "nothing")
    assert len(sent) == 1
    assert not inspector.has_index("nothing", "by_name")


def test_foreign_keys_name_the_schema_as_it_was_asked_for(inspector):
    (key,) = inspector.get_foreign_keys("c", "other")
    assert (key["referred_schema"], key["referred_table"]) == (None, "users")
    assert key["options"] == {"ondelete": "CASCADE", "onupdate": "SET NULL"}
    (key,) = inspector.get_foreign_keys("c2", "public")
    assert (key["referred_schema"], key["referred_table"]) == ("public", "c1")


def test_unique_indexes_are_constraints_unless_they_say_more(inspector):
    unique = [constraint["name"] for constraint in inspector.get_unique_constraints("users")]
    assert unique == ["users_email_key"]
    indexes = {index["name"]: index for index in inspector.get_indexes("users")}
    assert set(indexes) == {"users_email_key", "by_name", "by_doc", "part"}
    assert indexes["users_email_key"]["duplicates_constraint"] == "users_email_key"
    assert "duplicates_constraint" not in indexes["part"]
    assert indexes["by_name"]["include_columns"] == ["age"]
    assert indexes["by_name"]["column_sorting"] == {"name": ("desc",)}


def test_columns_of_views_are_one_more_query(inspector, sent):
    found = inspector.get_multi_columns(kind=ObjectKind.ANY_VIEW)
    assert {key: [str(column["type"]) for column in columns] for key, columns in found.items()} == {
        (None, "v"): ["UUID", "TEXT"],
        (None, "mv"): ["TEXT"],
    }
    assert len(sent) == 2


def test_reflecting_a_metadata_is_one_query(connection, sent):
    metadata = sa.MetaData()
    metadata.reflect(connection)
    metadata.reflect(connection, schema="other")
    assert set(metadata.tables) == {"users", "k", "c1", "c2", "c3", "other.c"}
    assert len(sent) == 2  # SQLAlchemy makes an Inspector for each call


def test_what_the_query_does_not_give_is_asked_of_stock(inspector):
    assert "tables" in inspector.get_table_names("information_schema")
    assert inspector.get_columns("tables", "information_schema")[0]["name"] == "table_catalog"
    columns = inspector.get_multi_columns("information_schema", ["tables"])["information_schema", "tables"]
    assert columns[0]["name"] == "table_catalog"
    assert inspector.get_temp_table_names() == ["passing"]
    assert inspector.get_pk_constraint("passing")["constrained_columns"] == ["id"]
    temporary = inspector.get_multi_pk_constraint(scope=ObjectScope.TEMPORARY)
    assert list(temporary) == [(None, "passing")]
    assert (None, "passing") in inspector.get_multi_pk_constraint(scope=ObjectScope.ANY)
    assert (None, "passing") not in inspector.get_multi_pk_constraint()
    with pytest.warns(SAWarning, match="size"):  # an enum type, which stock does not know
        hidden = inspector.get_columns("c", "other", include_hidden=True)
    assert [column["name"] for column in hidden if column["is_hidden"]] == ["rowid"]


@pytest.mark.parametrize(
    "question",
    [
        "get_columns",
        "get_pk_constraint",
        "get_foreign_keys",
        "get_indexes",
        "get_unique_constraints",
        "get_check_constraints",
        "get_table_comment",
        "get_table_options",
        "get_view_definition",
    ],
)
@pytest.mark.parametrize("schema", [None, "other", "nowhere", "pg_catalog"])
def test_a_table_that_there_is_not(inspector, question, schema):
    with pytest.raises(NoSuchTableError):
        getattr(inspector, question)("nothing", schema)


def test_an_engine_is_inspected_too(cockroach):
    name = cockroach.create_database()
    engine = sa.create_engine(cockroach.url(name), poolclass=sa.NullPool)
    inspector = sa.inspect(engine)
    assert inspector.get_table_names() == []
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (id INT8 PRIMARY KEY)")
    assert inspector.get_table_names() == []
    inspector.clear_cache()
    assert inspector.get_table_names() == ["t"]
    cockroach.drop_database(name)

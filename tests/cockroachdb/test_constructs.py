"""Each construct alone, by autogenerate on a server: made of nothing, added to a table, and taken back each time.

Some of them: ``CRDB_CONSTRUCTS=all`` has all of them tried, as ``scripts/nightly`` does. What ``create_all`` makes of
each is compared in ``test_create_all.py``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tests.cockroachdb.live import Live, connected, left_in, use_another_database
from tests.servers.cockroach import CockroachCluster
from tests.unit.crdb.constructs import CONSTRUCTS
from tests.unit.crdb.constructs.base import Construct
from tests.unit.crdb.constructs.columns import TYPES, Shout

#: What v21.1 has.
KNOWN = [each for each in CONSTRUCTS if each.shown is not None]
_STEP = 1 if os.environ.get("CRDB_CONSTRUCTS") == "all" else 12
#: What a table has without the construct.
_PLAIN = ("a", "b")
#: Constructs that are a way of writing what the plain table is as well.
_NO_CHANGE = {
    "serial",
    "serial 8",
    "serial 4",
    "no serial 2",
    "optional sequence",
    "no primary key",
    "storage parameters that the server forgets",
    "unlogged",
}


#: What no statement changes in a table that is there: the revision has a note, and says it again the next time.
_UNCHANGEABLE = {"families", "families by columns"}


@pytest.fixture(scope="module")
def shared(cockroach: CockroachCluster) -> Iterator[Connection]:
    """A connection to a database for all tests of this module, each of which leaves it empty."""
    with connected(cockroach, "psycopg2") as made:
        yield made


@pytest.fixture
def live(shared: Connection, tmp_path: Path) -> Iterator[Live]:
    yield Live(shared, tmp_path, include_schemas=True)
    if set(left_in(shared)) - {"alembic_version"}:  # by a test that failed
        use_another_database(shared)


def model(construct: Construct) -> sa.MetaData:
    metadata = sa.MetaData()
    construct.build(metadata)
    return metadata


def plain(metadata: sa.MetaData) -> sa.MetaData:
    """Give the tables of a model with nothing but their keys and plain columns."""
    made = sa.MetaData()
    for table in metadata.tables.values():
        if table.schema is not None:
            continue
        columns = [
            sa.Column(
                column.name,
                column.type if not isinstance(column.type, sa.Enum) else sa.Integer,
                primary_key=column.primary_key,
                autoincrement=column.autoincrement if column.default is None else False,
            )
            for column in table.columns
            if column.primary_key or column.name in _PLAIN
        ]
        sa.Table(table.name, made, *columns, schema=table.schema)
    return made


@pytest.mark.parametrize("construct", KNOWN[::_STEP], ids=lambda each: each.name)
def test_of_nothing(live: Live, construct: Construct) -> None:
    text = live.there_and_back(sa.MetaData(), model(construct))
    assert "op." in text
    assert set(left_in(live.connection)) <= {"alembic_version"}


@pytest.mark.parametrize(
    "construct",
    [each for each in KNOWN[_STEP // 2 :: _STEP] if each.name not in _UNCHANGEABLE],
    ids=lambda each: each.name,
)
def test_added_to_a_table(live: Live, construct: Construct) -> None:
    wanted = model(construct)
    old = plain(wanted)
    old.create_all(live.connection)
    text = live.there_and_back(old, wanted)
    assert ("op." in text) == (construct.name not in _NO_CHANGE)
    old.drop_all(live.connection)
    assert set(left_in(live.connection)) <= {"alembic_version"}


def test_types(live: Live) -> None:
    known = [kind for kind, _, shown in TYPES if shown is not None and type(kind) is not Shout]
    metadata, old = sa.MetaData(), sa.MetaData()
    sa.Table("t", metadata, *(sa.Column(f"c{n}", kind) for n, kind in enumerate(known)))
    sa.Table("t", old, sa.Column("c0", known[0]))
    old.create_all(live.connection)
    live.there_and_back(old, metadata)
    old.drop_all(live.connection)


def _tenants(metadata: sa.MetaData) -> None:
    key = sa.PrimaryKeyConstraint("tenant", "id")
    columns = (sa.Column("tenant", sa.BigInteger, nullable=False, server_default="1"), sa.UniqueConstraint("id"))
    sa.Table("users", metadata, _id(nullable=False), *columns, key)
    sa.Table("orders", metadata, _id(primary_key=True), sa.Column("user", sa.ForeignKey("users.id")))


def _users(metadata: sa.MetaData) -> None:
    sa.Table("users", metadata, _id(primary_key=True), sa.Column("name", sa.String(5)))
    user = sa.Column("user", sa.ForeignKey("users.id", onupdate="CASCADE"))
    sa.Table("orders", metadata, _id(primary_key=True), user)
    sa.Table("teams", metadata, _id(primary_key=True), sa.Column("lead", sa.ForeignKey("users.id")))


def _id(**options: Any) -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, autoincrement=False, **options)


def of(build: Callable[[sa.MetaData], None]) -> sa.MetaData:
    metadata = sa.MetaData()
    build(metadata)
    return metadata


def test_key_with_a_new_column_beside_tables_that_refer_to_it(live: Live) -> None:
    """The table that is dropped goes before the key changes, and the new column after the old key is back."""
    of(_users).create_all(live.connection)
    live.there_and_back(of(_users), of(_tenants))
    of(_users).drop_all(live.connection)


def test_all_goes(live: Live) -> None:
    of(_tenants).create_all(live.connection)
    assert "op.drop_table" in live.there_and_back(of(_tenants), sa.MetaData())
    of(_tenants).drop_all(live.connection)


def test_views_that_no_model_has(live: Live) -> None:
    """They come back when a column that they select changes, and go with their table."""
    of(_users).create_all(live.connection)
    live.connection.exec_driver_sql("CREATE VIEW named AS SELECT id, name FROM users")
    live.connection.exec_driver_sql("CREATE VIEW names AS SELECT name FROM named")
    wanted = of(_users)
    wanted.tables["users"].c.name.type = sa.String(9)
    assert live.there_and_back(of(_users), wanted).count("op.create_view('name") == 4
    assert live.there_and_back(of(_users), sa.MetaData()).count("op.create_view('name") == 2
    for view in ("names", "named"):
        live.connection.exec_driver_sql(f"DROP VIEW {view}")
    of(_users).drop_all(live.connection)


def test_key_of_a_table_with_comments_on_indexes(live: Live) -> None:
    """Every index is made anew with the key, and v21.1 can't print a table whose old index has a comment."""

    def keyed(*key: str) -> sa.MetaData:
        metadata = sa.MetaData()
        index = sa.Index("ix", "a", cockroachdb_comment="it's 5%")
        columns = (sa.Column(name, sa.BigInteger, autoincrement=False, nullable=False) for name in "ab")
        sa.Table("t", metadata, *columns, sa.PrimaryKeyConstraint(*key), index)
        return metadata

    keyed("a").create_all(live.connection)
    live.there_and_back(keyed("a"), keyed("b"))
    keyed("a").drop_all(live.connection)

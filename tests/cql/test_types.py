"""Every type, at its limits: bound and as text, written by us and read back, and the same for the server."""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Column, Engine, MetaData, Table, insert, select

from alembic_cluster.errors import InvalidValue
from alembic_cql import types as cql
from alembic_cql.values import UserTypeValue, freeze
from tests.cql.oracle import engine_of
from tests.cql.type_cases import ADDRESS, CASES, HERE, UUID4
from tests.servers.fixtures import CassandraKeyspace

# One table for all: a column for each type that is written differently.
_COLUMNS = {repr(case[0]): case[0] for case in CASES}
TABLE = Table(
    "everything",
    MetaData(),
    Column("id", sa.Uuid, primary_key=True),
    *(Column(f"c{number}", kind) for number, kind in enumerate(_COLUMNS.values())),
)


@pytest.fixture(scope="module")
def engine(keyspaces: Iterator[CassandraKeyspace]) -> Iterator[Engine]:
    """An engine on a keyspace that has TABLE and its user types."""
    with engine_of(next(keyspaces)) as engine:
        TABLE.metadata.create_all(engine)
        yield engine


def same(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, float) and math.isnan(wanted):
        return isinstance(found, float) and math.isnan(found)
    if isinstance(wanted, float) and wanted == 0:
        return found == 0 and math.copysign(1, found) == math.copysign(1, wanted)
    return type(found) is type(wanted) and bool(found == wanted) if wanted is None else bool(found == wanted)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]!r:.60}")
def test_values_survive(engine: Engine, case: Any) -> None:
    kind, value = case[:2]
    wanted = case[2] if len(case) > 2 else value
    column = TABLE.columns[f"c{list(_COLUMNS).index(repr(kind))}"]
    bound, literal = uuid.uuid4(), uuid.uuid4()
    with engine.connect() as connection:
        connection.execute(insert(TABLE).values({"id": bound, column.name: value}))
        statement = insert(TABLE).values({"id": literal, column.name: value})
        text = str(statement.compile(dialect=engine.dialect, compile_kwargs={"literal_binds": True}))
        connection.exec_driver_sql(text)
        query = select(TABLE.c.id, column, sa.func.tojson(column)).where(TABLE.c.id.in_([bound, literal]))
        rows = {row[0]: row for row in connection.execute(query)}
    assert same(rows[bound][1], wanted), rows[bound]
    assert same(rows[literal][1], wanted), rows[literal]
    if wanted is not None:
        assert type(rows[bound][1]) is type(rows[literal][1])
    # Without us in between: the server keeps both as the same value, elements of inner sets in the same order.
    assert rows[bound][2] == rows[literal][2]


def test_what_is_read_has_pythons_types(engine: Engine) -> None:
    row, number = uuid.uuid4(), list(_COLUMNS).index(repr(ADDRESS))
    column = TABLE.columns[f"c{number}"]
    with engine.connect() as connection:
        connection.execute(insert(TABLE).values({"id": row, column.name: HERE}))
        found = connection.execute(select(column).where(TABLE.c.id == row)).scalar_one()
    assert isinstance(found, UserTypeValue)
    assert (found.street, found["No 1"], found.tags) == (HERE["street"], -1, HERE["tags"])
    assert found == tuple(HERE.values())
    assert list(found) == list(HERE)


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (cql.LIST(cql.INT), [1, None], "None cannot be an element"),
        (cql.SET(cql.TEXT), ["a", None], "None cannot be an element"),
        (cql.MAP(cql.TEXT, cql.INT), {"a": None}, "None cannot be an element"),
        (cql.FROZEN(cql.LIST(cql.INT)), [None], "None cannot be an element"),
        (cql.VECTOR(cql.FLOAT, 3), [1.0, None, 1.0], "None cannot be an element"),
        (cql.VECTOR(cql.FLOAT, 3), [1.0], "3 elements are wanted, not 1"),
        (cql.LIST(cql.TEXT), "text", "a list is wanted, not 'text'"),
        (cql.LIST(cql.INT), 5, "a list is wanted, not 5"),
        (cql.MAP(cql.TEXT, cql.INT), [1], r"a mapping is wanted, not \[1\]"),
        (cql.TUPLE(cql.INT, cql.TEXT), (1, "a", 2), "a tuple of 2 elements"),
        (cql.TUPLE(cql.INT, cql.TEXT), "ab", "a tuple is wanted"),
        (ADDRESS, {"streat": "x"}, "no field 'streat'; it has street, No 1, tags"),
        (ADDRESS, ("s", 1, {"x"}, 4), "3 fields, and 4 values"),
        (ADDRESS, "text", "has none of them"),
        (cql.INET(), "300.1.1.1", "300.1.1.1"),
        (cql.DECIMAL(), Decimal("NaN"), "cannot hold"),
        (cql.BLOB(), "text", "takes bytes, not 'text'"),
        (cql.BLOB(), 5, "takes bytes, not 5"),
        (cql.UUID(), "no uuid", "badly formed"),
        (cql.TIMESTAMP(), "2020-01-01", "a timestamp is a datetime"),
    ],
    ids=repr,
)
def test_bad_values_are_refused_before_they_are_sent(engine: Engine, kind: Any, value: Any, message: str) -> None:
    column = TABLE.columns[f"c{list(_COLUMNS).index(repr(kind))}"]
    row = uuid.uuid4()
    statement = insert(TABLE).values({"id": row, column.name: value})
    with engine.connect() as connection:
        with pytest.raises(sa.exc.StatementError, match=message):
            connection.execute(statement)
        with pytest.raises(InvalidValue, match=message):
            statement.compile(dialect=engine.dialect, compile_kwargs={"literal_binds": True})
        assert connection.execute(select(TABLE.c.id).where(TABLE.c.id == row)).all() == []


@pytest.mark.parametrize(
    ("kind", "value"),
    [(cql.INT(), 2**31), (cql.TINYINT(), 128), (cql.BIGINT(), -(2**63) - 1), (cql.INT(), "x"), (cql.TEXT(), 1),
     (cql.ASCII(), "ü"), (cql.FLOAT(), 1e300), (cql.BOOLEAN(), "maybe"), (cql.TIMEUUID(), UUID4)],
    ids=repr,
)  # fmt: skip
def test_values_that_do_not_fit_are_refused(engine: Engine, kind: Any, value: Any) -> None:
    column = TABLE.columns[f"c{list(_COLUMNS).index(repr(kind))}"]
    row = uuid.uuid4()
    with engine.connect() as connection:
        with pytest.raises((sa.exc.DataError, sa.exc.ProgrammingError, sa.exc.StatementError)):
            connection.execute(insert(TABLE).values({"id": row, column.name: value}))
        assert connection.execute(select(TABLE.c.id).where(TABLE.c.id == row)).all() == []


def test_a_null_that_another_program_wrote_into_a_frozen_collection_is_read(engine: Engine) -> None:
    column = TABLE.columns[f"c{list(_COLUMNS).index(repr(cql.FROZEN(cql.LIST(cql.INT))))}"]
    row = uuid.uuid4()
    with engine.connect() as connection:
        session = connection.connection.dbapi_connection.session  # type: ignore[union-attr]
        statement = session.prepare(f"INSERT INTO everything (id, {column.name}) VALUES (?, ?)")
        session.execute(statement, (row, [1, None]))
        assert connection.execute(select(column).where(TABLE.c.id == row)).scalar() == [1, None]


def test_inner_sets_that_another_program_wrote_in_another_order_are_read(engine: Engine) -> None:
    kind = cql.MAP(cql.FROZEN(ADDRESS), cql.FROZEN(ADDRESS))
    column = TABLE.columns[f"c{list(_COLUMNS).index(repr(kind))}"]
    row = uuid.uuid4()
    with engine.connect() as connection:
        session = connection.connection.dbapi_connection.session  # type: ignore[union-attr]
        statement = session.prepare(f"INSERT INTO everything (id, {column.name}) VALUES (?, ?)")
        key = ("s", 1, ["z", "b", "a"])
        session.execute(statement, (row, _Pairs([(key, key)])))
        found = connection.execute(select(column).where(TABLE.c.id == row)).scalar()
    address = {"street": "s", "No 1": 1, "tags": {"a", "b", "z"}}
    assert found == {freeze(address): address}


class _Pairs(list[Any]):
    def items(self) -> list[Any]:
        return self


def test_a_user_type_that_grew_on_the_server(engine: Engine, cassandra_keyspace: CassandraKeyspace) -> None:
    cassandra_keyspace.execute("CREATE TYPE point (x int, y int, z int)")
    cassandra_keyspace.execute("CREATE TABLE t (k int PRIMARY KEY, v frozen<point>)")
    old = cql.UserType("point", [("x", cql.INT()), ("y", cql.INT())])
    table = Table("t", MetaData(), Column("k", sa.Integer, primary_key=True), Column("v", cql.FROZEN(old)))
    with engine_of(cassandra_keyspace) as engine, engine.connect() as connection:
        connection.execute(insert(table).values(k=1, v={"x": 1, "y": 2}))
        assert connection.execute(select(table.c.v)).scalar() == {"x": 1, "y": 2}
        cassandra_keyspace.execute("ALTER TYPE point ADD w int")
        connection.execute(insert(table).values(k=1, v=(3, 4)))
        assert connection.execute(select(table.c.v)).scalar() == {"x": 3, "y": 4}
    assert cassandra_keyspace.execute("SELECT tojson(v) FROM t")[0][0].count("null") == 2

"""Random types with random values: bound and as text, written by us and read back, and the same for the server."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Engine, MetaData, Table, insert, select
from sqlalchemy.types import TypeEngine

from alembic_cql import types as cql
from alembic_cql.ddl import CreateUserType
from alembic_cql.typenames import canonical_name
from alembic_cql.values import freeze
from tests.cql.oracle import engine_of
from tests.cql.type_cases import ADDRESS
from tests.servers.fixtures import CassandraKeyspace


@pytest.fixture(scope="module")
def engine(keyspaces: Iterator[CassandraKeyspace]) -> Iterator[Engine]:
    """An engine on a keyspace that has ADDRESS."""
    with engine_of(next(keyspaces)) as engine:
        with engine.connect() as connection:
            connection.execute(CreateUserType(ADDRESS))
        yield engine


DAYS = st.dates()
SCALARS: dict[str, tuple[TypeEngine[Any], st.SearchStrategy[Any]]] = {
    "text": (cql.TEXT(), st.text(st.characters(exclude_categories=["Cs"]), max_size=5)),
    "ascii": (cql.ASCII(), st.text(st.characters(max_codepoint=127), max_size=5)),
    "tinyint": (cql.TINYINT(), st.integers(-(2**7), 2**7 - 1)),
    "int": (cql.INT(), st.integers(-(2**31), 2**31 - 1)),
    "bigint": (cql.BIGINT(), st.integers(-(2**63), 2**63 - 1)),
    "varint": (cql.VARINT(), st.integers()),
    "decimal": (cql.DECIMAL(), st.decimals(allow_nan=False, allow_infinity=False, places=3)),
    "double": (cql.DOUBLE(), st.floats(allow_nan=False)),
    "float": (cql.FLOAT(), st.floats(allow_nan=False, width=32)),
    "boolean": (cql.BOOLEAN(), st.booleans()),
    "blob": (cql.BLOB(), st.binary(max_size=5)),
    "uuid": (cql.UUID(), st.uuids()),
    "timeuuid": (cql.TIMEUUID(), st.uuids(version=1)),
    # IPv4 in IPv6 has two spellings; see type_cases.py.
    "inet": (cql.INET(), st.ip_addresses().filter(lambda ip: getattr(ip, "ipv4_mapped", None) is None).map(str)),
    "date": (cql.DATE(), DAYS),
    "time": (cql.TIME(), st.times()),
    "timestamp": (cql.TIMESTAMP(), st.datetimes().map(lambda value: value.replace(microsecond=7000))),
}  # fmt: skip
NOT_ZERO = {"double", "float"}  # 0.0 and -0.0 are equal in Python and two elements of a set for the server


def closed(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    return (
        cql.FROZEN(kind)
        if isinstance(kind, (cql.LIST, cql.MAP, cql.UserType)) and not isinstance(kind, cql.VECTOR)
        else kind
    )


@st.composite
def kinds(draw: st.DrawFn, depth: int = 3) -> tuple[TypeEngine[Any], st.SearchStrategy[Any]]:
    """A type, and the values that it takes, in the form in which they are read."""
    form = draw(
        st.sampled_from(["scalar"] if depth == 0 else ["scalar", "list", "set", "map", "tuple", "vector", "user"])
    )
    if form == "scalar":
        name = draw(st.sampled_from(sorted(SCALARS)))
        kind, values = SCALARS[name]
        return kind, values.filter(bool) if name in NOT_ZERO else values
    if form == "user":
        values = st.fixed_dictionaries(
            {
                "street": SCALARS["text"][1] | st.none(),
                "No 1": SCALARS["int"][1] | st.none(),
                "tags": st.none() | st.sets(SCALARS["text"][1], max_size=3),
            }
        )
        return ADDRESS, values
    parts = [draw(kinds(depth - 1)) for _ in range(2 if form in ("map", "tuple") else 1)]
    types = [closed(kind) for kind, _ in parts]
    first = parts[0][1]
    if form == "list":
        return cql.LIST(types[0]), st.lists(first, max_size=3)
    if form == "vector":
        return cql.VECTOR(types[0], 2), st.lists(first, min_size=2, max_size=2)
    if form == "set":
        return cql.SET(types[0]), st.sets(first.map(freeze), max_size=4)
    if form == "map":
        return cql.MAP(*types), st.dictionaries(first.map(freeze), parts[1][1], max_size=3)
    return cql.TUPLE(*types), st.tuples(first | st.none(), parts[1][1] | st.none())


@settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.generate],  # to shrink one takes minutes on a server; what failed is shown whole
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_any_type_with_any_value(engine: Engine, data: st.DataObject) -> None:
    pairs = [data.draw(kinds(), label="type") for _ in range(4)]
    rows = [tuple(data.draw(values) for _, values in pairs) for _ in range(4)]
    table = Table(
        f"r{uuid.uuid4().hex}",
        MetaData(),
        Column("id", sa.Integer, primary_key=True),
        Column("how", sa.String, primary_key=True),
        *(Column(f"c{number}", kind) for number, (kind, _) in enumerate(pairs)),
    )
    with engine.connect() as connection:
        table.create(connection)
        for number, row in enumerate(rows):
            values = {"id": number, "how": "bound", **{f"c{index}": value for index, value in enumerate(row)}}
            connection.execute(insert(table).values(values))
            text = insert(table).values({**values, "how": "text"}).compile(
                dialect=engine.dialect, compile_kwargs={"literal_binds": True}
            )  # fmt: skip
            connection.exec_driver_sql(str(text))
            found = connection.execute(select(table).where(table.c.id == number).order_by(table.c.how)).all()
            for one in found:
                for index, value in enumerate(row):
                    kind = pairs[index][0]
                    empty = isinstance(kind, (cql.LIST, cql.MAP)) and not isinstance(kind, cql.VECTOR) and not value
                    gone = isinstance(kind, cql.UserType) and not any(item is not None for item in value.values())
                    assert one[2 + index] == (None if empty or gone else value), kind
            query = (
                f'SELECT JSON {", ".join(f"c{index}" for index in range(4))} FROM "{table.name}" WHERE id = {number}'
            )
            texts = {json.dumps(json.loads(text)) for (text,) in connection.exec_driver_sql(query)}
            assert len(texts) == 1
        info = engine.dialect.keyspace_info(connection, None)  # type: ignore[attr-defined]
        for column in info.tables[table.name].columns:
            if column.name.startswith("c"):
                assert canonical_name(column.type, engine.dialect) == canonical_name(
                    table.c[column.name].type, engine.dialect
                )
        table.drop(connection)

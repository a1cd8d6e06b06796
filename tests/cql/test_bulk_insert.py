"""``op.bulk_insert`` of every type, by the server and by a script."""

from __future__ import annotations

import datetime
import uuid
from decimal import Decimal
from typing import Any

import pytest

from alembic_cluster.errors import InvalidStatement
from alembic_cql.splitting import split_cql
from tests.cql.project import Project

BULK = """
inner = cql.UserType("inner", [("a", cql.INT()), ("b", cql.FROZEN(cql.LIST(cql.TEXT)))])
op.create_type(inner)
rows = op.create_table(
    "rows", sa.Column("id", sa.Integer, primary_key=True),
    *(sa.Column(f"c{n}", kind) for n, kind in enumerate([
        cql.ASCII(), cql.BIGINT(), cql.BLOB(), cql.BOOLEAN(), cql.DATE(), cql.DECIMAL(), cql.DOUBLE(), cql.DURATION(),
        cql.FLOAT(), cql.INET(), cql.SMALLINT(), cql.TEXT(), cql.TIME(), cql.TIMESTAMP(timezone=True), cql.TIMEUUID(),
        cql.TINYINT(), cql.UUID(), cql.VARINT(), cql.VECTOR(cql.FLOAT, 3), cql.LIST(cql.INT), cql.SET(cql.TEXT),
        cql.MAP(cql.TEXT, cql.FROZEN(cql.LIST(cql.DATE))), cql.TUPLE(cql.INT, cql.TEXT), cql.FROZEN(inner),
        sa.String(9), sa.Enum("a", "b", name="ab"), sa.Numeric(5, 2), sa.DateTime(), sa.LargeBinary(), sa.Uuid(),
        sa.Boolean(), sa.Float(), sa.BigInteger(),
    ])),
)
values = [
    "ascii", 2**62, b"\\x00\\xff", True, datetime.date(2024, 2, 29), Decimal("-1.50"), 1.5e300,
    datetime.timedelta(days=1), 0.5, "2001:db8::1", -5, "it's ü; -- :x ?", datetime.time(1, 2, 3, 4),
    datetime.datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC),
    uuid.UUID("055eee50-1883-11e8-b380-65b5d5335ba9"), 7, uuid.UUID(int=5), 10**40, [1.0, 2.0, 3.0], [3, 1, 2],
    {"x", "it's"}, {"k": [datetime.date(2024, 1, 1)]}, (1, "t"), {"a": 1, "b": ["c", "d"]},
    "short", "b", Decimal("1.25"), datetime.datetime(2024, 5, 6, 7, 8, 9), b"", uuid.UUID(int=6), False,
    float("inf"), -1,
]
op.bulk_insert(rows, [{"id": 1, **{f"c{n}": value for n, value in enumerate(values)}}, {"id": 2, "c0": "two"}])
op.bulk_insert(rows, [{"id": 3}])
op.bulk_insert(rows, [])
"""
BULK_TOP = "import datetime, uuid\nfrom decimal import Decimal\nUTC = datetime.timezone.utc\n"


def bulk_revision(project: Project) -> None:
    project.revision("a", BULK, top=BULK_TOP)


def bulk_row(project: Project) -> dict[str, Any]:
    """Give the first row as the bare driver reads it."""
    project.keyspace.session.cluster.refresh_keyspace_metadata(project.keyspace.name)
    project.keyspace.session.cluster.refresh_user_type_metadata(project.keyspace.name, "inner")
    (row,) = project.keyspace.execute("SELECT * FROM rows WHERE id = 1")
    return dict(row._asdict())


def check_bulk(project: Project) -> None:
    row = bulk_row(project)
    assert row["c0"] == "ascii"
    assert row["c1"] == 2**62
    assert row["c2"] == b"\x00\xff"
    assert row["c4"].date() == datetime.date(2024, 2, 29)
    assert row["c5"] == Decimal("-1.50")
    assert row["c6"] == 1.5e300
    assert (row["c7"].months, row["c7"].days, row["c7"].nanoseconds) == (0, 1, 0)
    assert row["c9"] == "2001:db8::1"
    assert row["c11"] == "it's ü; -- :x ?"
    assert row["c12"].time() == datetime.time(1, 2, 3, 4)
    assert row["c13"] == datetime.datetime(2024, 5, 6, 7, 8, 9)
    assert row["c14"] == uuid.UUID("055eee50-1883-11e8-b380-65b5d5335ba9")
    assert row["c17"] == 10**40
    assert list(row["c18"]) == [1.0, 2.0, 3.0]
    assert row["c19"] == [3, 1, 2]
    assert set(row["c20"]) == {"x", "it's"}
    assert [str(day) for day in row["c21"]["k"]] == ["2024-01-01"]
    assert tuple(row["c22"]) == (1, "t")
    assert (row["c23"].a, list(row["c23"].b)) == (1, ["c", "d"])
    assert row["c26"] == Decimal("1.25")
    assert row["c28"] == b""
    assert row["c30"] is False
    assert row["c31"] == float("inf")
    assert row["c32"] == -1
    assert {row[0] for row in project.keyspace.execute("SELECT id FROM rows")} == {1, 2, 3}


def test_bulk_insert_of_every_type(project: Project) -> None:
    bulk_revision(project)
    project.upgrade()
    check_bulk(project)


def test_bulk_insert_of_every_type_by_a_script(project: Project) -> None:
    bulk_revision(project)
    for text in split_cql(project.upgrade(sql=True)):
        project.keyspace.execute(text)
    check_bulk(project)


def test_bulk_insert_refuses_rows_that_do_not_fit(project: Project) -> None:
    table = "t = op.create_table('t', sa.Column('id', sa.Integer, primary_key=True), sa.Column('v', sa.Integer))\n"
    project.revision("a", table + "op.bulk_insert(t, [{'id': 1, 'v': 2}, {'id': 2, 'nonsense': 3}])")
    with pytest.raises(InvalidStatement, match=r"row 2 .*'nonsense'.*nothing of this revision was sent"):
        project.upgrade()
    assert project.tables() == set()

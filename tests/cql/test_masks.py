"""Masks of columns on a real server: models, reflection, autogenerate both ways, what is refused."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.schema import CreateTable

from alembic_cluster.errors import ClusterError, InvalidModel
from alembic_cql import reflect_keyspace
from alembic_cql.conditions import read_checks
from alembic_cql.ddl_objects import AlterColumnCheck
from alembic_cql.dialect import CassandraDialect, ScyllaDialect
from alembic_cql.features import Features
from tests.cql.models import table
from tests.cql.oracle import another_keyspace, engine_of, pending
from tests.cql.project import Project, describe
from tests.cql.test_autogenerate import both_ways
from tests.servers.fixtures import CassandraKeyspace

EVERY = {
    "a": ("text", "mask_inner(1, NULL)"),
    "b": ("text", "DEFAULT"),
    "c": ("int", "MASK_REPLACE( -1 )"),
    "d": ("text", "system.mask_outer(1,2,'#')"),
    "e": ("blob", "mask_hash('SHA-512')"),
    "f": ("text", "mask_null()"),
    "g": ("text", "mask_replace('a, (b) X')"),
    "h": ("timestamp", "mask_replace('2020-01-01')"),
    "i": ("uuid", "mask_replace(6B1F9D9C-6c1e-5f0e-9a2e-7d0f3c1c8a55)"),
    "j": ("double", "mask_replace(1)"),
    "k": ("boolean", "mask_replace(TRUE)"),
    "l": ("blob", "mask_replace(0xAB)"),
    "m": ("time", "mask_replace('01:02:03')"),
    "n": ("duration", "mask_replace(1d2h)"),
    "o": ("inet", "mask_replace('127.0.0.1')"),
    "p": ("text", "mask_replace('')"),
    "Q": ("int", "mask_default()"),
    "r": ("text", '"Mine"(5)'),
}
FUNCTION = 'CREATE FUNCTION "Mine" (a text, n int) CALLED ON NULL INPUT RETURNS text LANGUAGE java AS $$ return "x"; $$'


def test_every_mask_is_equal_to_what_the_server_made_of_it(cassandra_keyspace: CassandraKeyspace) -> None:
    cassandra_keyspace.execute(FUNCTION)
    columns = ", ".join(f'"{name}" {kind} MASKED WITH {mask}' for name, (kind, mask) in EVERY.items())
    cassandra_keyspace.execute(f"CREATE TABLE t (id int MASKED WITH DEFAULT PRIMARY KEY, {columns})")
    with engine_of(cassandra_keyspace) as engine, engine.connect() as connection:
        reflected = reflect_keyspace(connection)
    same = sa.MetaData()
    sa.Table(
        "t",
        same,
        sa.Column("id", sa.Integer, primary_key=True, cql_masked="mask_default()"),
        *(sa.Column(name, reflected.tables["t"].c[name].type, cql_masked=mask) for name, (_, mask) in EVERY.items()),
    )
    for metadata in (reflected, same):
        found = [item for item in pending(cassandra_keyspace, metadata) if "function" not in item[0]]
        assert found == []
    other = same.tables["t"]
    other.c.j.kwargs["cql_masked"] = "mask_replace(2)"
    other.c.f.kwargs["cql_masked"] = None
    changed = [item[3:] for item in pending(cassandra_keyspace, same) if item[0] == "alter_column_mask"]
    assert sorted(changed) == [("f", "mask_null()", None), ("j", "mask_replace(1.0)", "mask_replace(2)")]
    with another_keyspace(cassandra_keyspace) as second, engine_of(second) as engine:
        reflected.create_all(engine)
        assert describe(second) == describe(cassandra_keyspace)


CHANGES = {
    "a mask, another one, none": (
        table("sa.Column('a', sa.Text)", "sa.Column('b', sa.Text, cql_masked='DEFAULT')")
        + "sa.Table('w', metadata, sa.Column('id', sa.Integer, primary_key=True, cql_masked='mask_null()'))\n",
        table("sa.Column('a', sa.Text, cql_masked='mask_inner(1, 2)')", "sa.Column('b', sa.Text)")
        + "sa.Table('w', metadata, sa.Column('id', sa.Integer, primary_key=True, cql_masked='mask_replace(0)'))\n",
        [
            "alter_column_mask('t', 'a', 'mask_inner(1, 2)')",
            "alter_column_mask('t', 'b', None, existing_mask='mask_default()')",
            "alter_column_mask('w', 'id', 'mask_replace(0)', existing_mask='mask_null()')",
        ],
    ),
    "columns with masks come and go": (
        table("sa.Column('gone', sa.Text, cql_masked='mask_outer(1, null)')"),
        table("sa.Column('new', sa.Text, cql_masked='mask_outer(2, null)')"),
        ["cql_masked='mask_outer(2, null)'", "drop_column('t', 'gone')"],
    ),
    "a table with masks": (
        table(),
        table() + "sa.Table('w', metadata, sa.Column('id', sa.Integer, primary_key=True),"
        " sa.Column('c', sa.Text, cql_masked='mask_inner(1, null)'))",
        ["cql_masked='mask_inner(1, null)'"],
    ),
    "a function of one's own": (
        table("sa.Column('a', sa.Text)"),
        "from alembic_cql import FunctionDefinition\n"
        "FunctionDefinition('mine', metadata, [('a', cql.TEXT)], cql.TEXT, 'return a;')\n"
        + table("sa.Column('a', sa.Text, cql_masked='mine()')"),
        ["create_function('mine'", "alter_column_mask('t', 'a', 'mine()')"],
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_runs_both_ways(project: Project, change: str) -> None:
    old, new, wanted = CHANGES[change]
    upgrade, downgrade = both_ways(project, old, new)
    for text in wanted:
        assert text in upgrade.replace("\n", "")
    assert upgrade != downgrade != ""


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        ("mask_null(); DROP TABLE t", "the call of a masking function"),
        ("no call", "the call of a masking function"),
        (5, "the call of a masking function"),
        ("mask_inner(1,)", "the call of a masking function"),
        ("mask_replace('it''s')", "with a quote in it"),
        ("mask_replace([1, 2])", "can't be compared"),
    ],
)
def test_what_is_no_mask_is_refused(project: Project, mask: str, message: str) -> None:
    project.models(table(f"sa.Column('a', sa.Text, cql_masked={mask!r})"))
    with pytest.raises(InvalidModel, match=message + ".*nothing was sent"):
        project.run("check")
    project.revision(
        "a",
        "op.create_table('good', sa.Column('id', sa.Integer, primary_key=True))\n"
        f"op.alter_column_mask('good', 'id', {mask!r})",
    )
    with pytest.raises(ClusterError, match=message + ".*nothing was sent"):
        project.upgrade()
    assert project.tables() == set()


def test_servers_without_masks_and_checks() -> None:
    masked = sa.Table(
        "t", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("a", sa.Text, cql_masked="DEFAULT")
    )
    checked = sa.Table(
        "t", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("a", sa.Integer, cql_check="a > 5")
    )
    old, now, later = CassandraDialect(), CassandraDialect(), CassandraDialect()
    old.features, later.features = Features(release=(4, 1)), Features(release=(6, 0))
    for dialect in (old, ScyllaDialect()):
        with pytest.raises(ClusterError, match=r"no mask of a column on this server.*nothing was sent"):
            CreateTable(masked).compile(dialect=dialect)
    assert "a text MASKED WITH mask_default()" in str(CreateTable(masked).compile(dialect=now))
    for dialect in (old, now, ScyllaDialect()):
        with pytest.raises(ClusterError, match=r"no check of a column on this server.*nothing was sent"):
            CreateTable(checked).compile(dialect=dialect)
    assert "a int CHECK a > 5" in str(CreateTable(checked).compile(dialect=later))
    alter, drop = AlterColumnCheck("t", "a", "a > 6"), AlterColumnCheck("t", "a", None)
    assert str(alter.compile(dialect=later)) == "ALTER TABLE t ALTER a CHECK a > 6"
    assert str(drop.compile(dialect=later)) == "ALTER TABLE t ALTER a DROP CHECK"


def test_no_checks_are_described_by_a_server_without(cassandra_keyspace: CassandraKeyspace) -> None:
    cassandra_keyspace.execute(
        'CREATE TABLE "T" (id int, "check" text MASKED WITH mask_inner(1, null), m map<text, frozen<list<int>>>, '
        "PRIMARY KEY ((id), \"check\")) WITH comment = 'a int CHECK a > 1'"
    )
    with engine_of(cassandra_keyspace) as engine, engine.connect() as connection:
        assert read_checks(connection, cassandra_keyspace.name) == {}

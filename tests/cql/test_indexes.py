"""Secondary indexes of every kind on a real server: equal ones stay, a changed option makes one anew, bad ones stop."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.schema import CreateIndex

from alembic_cluster.errors import ClusterError
from alembic_cql import types as cql
from alembic_cql.dialect import CassandraDialect, ScyllaDialect
from alembic_cql.indexes import index_identity
from alembic_cql.reflection import read_index
from tests.cql.models import table
from tests.cql.project import Project, describe
from tests.cql.test_autogenerate import both_ways
from tests.servers.fixtures import CassandraKeyspace

COLUMNS = (
    "sa.Column('e', cql.VECTOR(cql.FLOAT, 3))",
    "sa.Column('m', cql.MAP(cql.TEXT, cql.TEXT))",
    "sa.Column('s', cql.SET(cql.INT))",
    "sa.Column('fz', cql.FROZEN(cql.LIST(cql.INT)))",
    "sa.Column('n', sa.Integer)",
    "sa.Column('st', sa.Text, cql_static=True)",
    "sa.Column('Up', sa.Text)",
)
SASI = "cql_using='org.apache.cassandra.index.sasi.SASIIndex'"
OLD = table(
    *COLUMNS,
    "sa.Index('ann', 'e', cql_using='sai', cql_options={'similarity_function': 'cosine'})",
    "sa.Index('words', 'v', cql_using='StorageAttachedIndex', cql_options={'case_sensitive': False})",
    "sa.Index('by_key', 'm', cql_using='sai', cql_target='KEYS', cql_options={'ascii': 'false'})",
    "sa.Index('by_set', 's', cql_using='sai')",
    "sa.Index('by_fz', 'fz', cql_target='full')",
    f"sa.Index('sasi', 'Up', {SASI}, cql_options={{'mode': 'PREFIX'}})",
    "sa.Index('static', 'st')",
    "sa.Index('clustering', 'c')",
)
SAME = table(
    *COLUMNS,
    "sa.Index('ann', 'e', cql_using='SAI')",
    "sa.Index('words', 'v', cql_using='sai', cql_options={'case_sensitive': 'FALSE', 'normalize': 'false'})",
    "sa.Index('by_key', 'm', cql_using='sai', cql_target='keys')",
    "sa.Index('by_set', 's', cql_using='sai', cql_target='values')",
    "sa.Index('by_fz', 'fz', cql_target='full')",
    f"sa.Index('sasi', 'Up', {SASI}, cql_options={{'mode': 'prefix'}})",
    "sa.Index('static', 'st', cql_using='legacy_local_table')",
    "sa.Index('clustering', 'c')",
)
NEW = table(
    *COLUMNS,
    "sa.Index('ann', 'e', cql_using='sai', cql_options={'similarity_function': 'EUCLIDEAN'})",
    "sa.Index('words', 'v', cql_using='sai', cql_options={'case_sensitive': False, 'normalize': True})",
    "sa.Index('by_key', 'm', cql_using='sai', cql_target='entries')",
    "sa.Index('by_set', 's')",
    "sa.Index('by_fz', 'fz', cql_using='sai', cql_target='full')",
    f"sa.Index('sasi', 'Up', {SASI}, cql_options={{'mode': 'CONTAINS', 'analyzed': 'true'}})",
    "sa.Index('static', 'st', cql_using='sai')",
)


def test_what_changed_is_made_anew_and_equal_spellings_stay(project: Project) -> None:
    upgrade, downgrade = both_ways(project, OLD, NEW)
    for name in ("ann", "words", "by_key", "by_set", "by_fz", "sasi", "static"):
        assert f"drop_index(op.f('{name}')" in upgrade
        assert f"create_index('{name}'" in upgrade.replace("op.f('" + name + "')", f"'{name}'")
    assert "op.drop_index(op.f('clustering')" in upgrade
    assert "'similarity_function': 'EUCLIDEAN'" in upgrade
    assert "cql_options={'similarity_function': 'cosine'}" in downgrade
    project.models(SAME)
    assert project.differences() == []


BAD = {
    "an unknown option of SAI": (
        "'v', cql_using='sai', cql_options={'fuzzy': 'true'}",
        "SAI has no option 'fuzzy'; it has",
    ),
    "no flag": ("'v', cql_using='sai', cql_options={'ascii': 'often'}", "'ascii' takes true or false, not 'often'"),
    "an analyzer of numbers": (
        "'n', cql_using='sai', cql_options={'case_sensitive': 'false'}",
        "'case_sensitive' is for texts, and this is int",
    ),
    "similarity of numbers": (
        "'n', cql_using='sai', cql_options={'similarity_function': 'cosine'}",
        "is for vectors, and this is int",
    ),
    "an unknown similarity": (
        "'e', cql_using='sai', cql_options={'similarity_function': 'close'}",
        "takes cosine, dot_product, euclidean, not 'close'",
    ),
    "bytes": ("'b', cql_using='sai'", "SAI cannot index blob"),
    "vectors of whole numbers": ("'i', cql_using='sai'", "SAI indexes vectors of float"),
    "durations": ("'d'", "durations have no order"),
    "a user type": ("'u'", "of a user type that is not frozen"),
    "keys of a set": ("'s', cql_target='keys'", "'keys' needs a map"),
    "full of an open one": ("'s', cql_target='full'", "'full' needs a frozen collection"),
    "an unknown target": ("'s', cql_target='some'", "cql_target takes keys, values"),
    "a mode that SASI hasn't": (
        f"'v', {SASI}, cql_options={{'mode': 'FUZZY'}}",
        "'mode' takes prefix, contains, sparse",
    ),
    "a part of a frozen one": ("'fz'", "say cql_target='full'"),
    "an analyzer of a key": (
        "'c', cql_using='sai', cql_options={'normalize': 'true'}",
        "'normalize' is for columns outside of the primary key",
    ),
    "the whole partition key": ("'k'", "is the whole partition key"),
    "local on Cassandra": ("'v', cql_local=['k']", "only ScyllaDB has local indexes"),
    "options without a kind": ("'v', cql_options={'mode': 'x'}", "cql_options needs cql_using"),
    "no column": ("'nope'", "nope"),
}
BAD_COLUMNS = (
    "sa.Column('b', sa.LargeBinary)",
    "sa.Column('i', cql.VECTOR(cql.INT, 3))",
    "sa.Column('d', cql.DURATION)",
    "sa.Column('u', cql.UserType('u', [('a', cql.INT)]))",
)


@pytest.fixture(scope="module")
def columns() -> str:
    return ", ".join(
        f'"{column}" {kind}'
        for column, kind in {
            "v": "text",
            "e": "vector<float, 3>",
            "s": "set<int>",
            "fz": "frozen<list<int>>",
            "n": "int",
            "b": "blob",
            "i": "vector<int, 3>",
            "d": "duration",
            "u": "u",
        }.items()
    )


@pytest.mark.parametrize("case", BAD)
def test_an_index_that_cannot_be_stops_model_and_revision(project: Project, columns: str, case: str) -> None:
    arguments, message = BAD[case]
    project.keyspace.execute("CREATE TYPE u (a int)")
    project.keyspace.execute(f"CREATE TABLE t (k uuid, c timestamp, {columns}, PRIMARY KEY (k, c))")
    before = describe(project.keyspace)
    column, _, rest = arguments.partition(", ")
    project.revision(
        "a",
        "op.create_table('good', sa.Column('id', sa.Integer, primary_key=True))\n"
        f"op.create_index('i', 't', [{column}]{', ' + rest if rest else ''})",
    )
    with pytest.raises(ClusterError, match=message + ".*nothing (of this revision )?was sent"):
        project.upgrade()
    assert describe(project.keyspace) == before
    if case != "no column":
        project.models(table(*COLUMNS, *BAD_COLUMNS, f"sa.Index('ix', {arguments})"))
        with pytest.raises(ClusterError, match=message + ".*nothing was sent"):
            project.differences()


def test_no_index_on_a_table_of_counters(project: Project) -> None:
    project.keyspace.execute("CREATE TABLE hits (page text, day date, n counter, PRIMARY KEY (page, day))")
    for number, (column, message) in enumerate({"n": "counters cannot be indexed", "day": "has counters"}.items()):
        project.revision(f"a{number}", f"op.create_index('i', 'hits', [{column!r}], cql_using='sai')", down=None)
        with pytest.raises(ClusterError, match=message + ".*nothing was sent"):
            project.upgrade(f"a{number}")


def test_two_sai_indexes_of_one_column(cassandra_keyspace: CassandraKeyspace) -> None:
    metadata = sa.MetaData()
    sa.Table(
        "t",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("v", sa.Text),
        sa.Index("a", "v", cql_using="sai"),
        sa.Index("b", "v", cql_using="sai", cql_options={"ascii": "true"}),
    )
    engine = sa.create_engine(cassandra_keyspace.url, poolclass=sa.NullPool)
    with pytest.raises(ClusterError, match=r"'a' and 'b' are both SAI indexes of column 'v'.*nothing was sent"):
        metadata.create_all(engine)
    assert {kind for kind, *_ in describe(cassandra_keyspace)} == {"keyspace"}


def test_local_indexes_are_scylladbs() -> None:
    model = sa.Table(
        "t",
        sa.MetaData(),
        sa.Column("p1", sa.Integer, primary_key=True),
        sa.Column("P2", sa.Integer, primary_key=True),
        sa.Column("m", cql.MAP(cql.TEXT, cql.INT)),
        cql_partition_key=["p1", "P2"],
    )
    local = sa.Index("ix", model.c.m, cql_local=["p1", "P2"], cql_target="keys")
    wrong = sa.Index("ix2", model.c.m, cql_local=["p1"])
    assert str(CreateIndex(local).compile(dialect=ScyllaDialect())) == 'CREATE INDEX ix ON t ((p1, "P2"), keys(m))'
    with pytest.raises(ClusterError, match=r"cql_local takes the partition key, \['p1', 'P2'\], not \['p1'\]"):
        CreateIndex(wrong).compile(dialect=ScyllaDialect())
    with pytest.raises(ClusterError, match="only ScyllaDB has local indexes"):
        CreateIndex(local).compile(dialect=CassandraDialect())
    row = {"index_name": "ix", "options": {"target": '{"pk":["p1","\\"P2\\""],"ck":["keys(m)"]}'}}
    found = read_index(row)
    assert (found.column, found.target, found.local) == ("m", "keys", ("p1", "P2"))
    reflected = sa.Index("ix", model.c.m, **found.dialect_options)
    assert index_identity(reflected) == index_identity(local)

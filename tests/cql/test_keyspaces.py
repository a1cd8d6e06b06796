"""Keyspaces as schema objects on a real server: created, compared, altered, otherwise in each environment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from alembic_cluster.errors import ConfigurationError, InvalidModel
from alembic_cql import Keyspace, create_keyspaces, reflect_keyspace
from alembic_cql.schema import keyspace_objects
from tests.cql.oracle import engine_of, pending
from tests.cql.project import Project, body
from tests.servers.fixtures import CassandraKeyspace

SIMPLE = {"class": "SimpleStrategy", "replication_factor": 1}
TABLE = """
sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("u", cql.FROZEN(
    UserType("u", [("a", cql.INT)], metadata, schema={name!r}))), sa.Index("t_u", "u"), schema={name!r})
MaterializedView("v", metadata, "t", "u IS NOT NULL AND id IS NOT NULL", ["u"], ["id"], schema={name!r})
FunctionDefinition("f", metadata, [("a", cql.INT)], cql.INT, "return a;", schema={name!r})
"""


@pytest.fixture
def other(cassandra_session: Any) -> Iterator[str]:
    """The name of a keyspace that isn't there; dropped at the end."""
    name = f"T_{uuid4().hex[:12]}"
    yield name
    cassandra_session.execute(f'DROP KEYSPACE IF EXISTS "{name}"')


def options(session: Any, name: str) -> tuple[dict[str, str], bool] | None:
    query = "SELECT replication, durable_writes FROM system_schema.keyspaces WHERE keyspace_name = %s"
    row = session.execute(query, [name]).one()
    return None if row is None else ({**row.replication, "class": row.replication["class"].split(".")[-1]}, row[1])


def model(name: str, replication: Any, more: str = "") -> str:
    return (
        "from alembic_cql import FunctionDefinition, Keyspace\n"
        f"Keyspace({name!r}, metadata, replication={replication!r}{more})\n" + TABLE.format(name=name)
    )


def test_a_keyspace_with_all_that_is_in_it_runs_both_ways(
    project: Project, other: str, cassandra_session: Any, cassandra: Any
) -> None:
    network = {"class": "NetworkTopologyStrategy", cassandra.local_dc: 1}
    project.models(model(other, SIMPLE))
    text = body(project.autogenerate("a"), "upgrade").replace("\n", "")
    assert text.startswith(f"op.create_keyspace({other!r},{SIMPLE!r},)")
    project.upgrade()
    assert project.is_clean()
    assert options(cassandra_session, other) == ({"class": "SimpleStrategy", "replication_factor": "1"}, True)
    project.models(model(other, network, ", durable_writes=False"))
    text = project.autogenerate("b")
    assert "existing_replication={'class': 'SimpleStrategy', 'replication_factor': 1}" in body(text, "upgrade")
    assert "full repair" in text
    project.upgrade()
    assert project.is_clean()
    changed = ({"class": "NetworkTopologyStrategy", cassandra.local_dc: "1"}, False)
    assert options(cassandra_session, other) == changed
    project.downgrade("-1")
    assert options(cassandra_session, other) == ({"class": "SimpleStrategy", "replication_factor": "1"}, True)
    project.upgrade()
    assert options(cassandra_session, other) == changed
    project.downgrade("base")
    assert options(cassandra_session, other) is None


def test_what_differs_by_environment_is_configured(
    project: Project, other: str, cassandra_session: Any, cassandra: Any
) -> None:
    production = {"class": "NetworkTopologyStrategy", "east": 3, "west": 3}
    project.models(model(other, production))
    project.autogenerate("a")
    with pytest.raises(InvalidModel, match=r"no datacenter 'east'.*cql_keyspaces.*nothing"):
        project.upgrade()
    assert options(cassandra_session, other) is None
    project.edit(
        "alembic.ini",
        r"(?m)^sqlalchemy\.url",
        f"cql_keyspaces = {json.dumps({'*': {'replication': SIMPLE}})}\nsqlalchemy.url",
    )
    project.upgrade()
    assert options(cassandra_session, other) == ({"class": "SimpleStrategy", "replication_factor": "1"}, True)
    assert project.is_clean()
    project.configure(f"cql_keyspaces={{{other!r}: {{'durable_writes': False}}}}")
    text = body(project.autogenerate("b"), "upgrade")
    assert text == f"op.alter_keyspace({other!r}, durable_writes=True, existing_durable_writes=True)"
    project.upgrade()
    assert options(cassandra_session, other) == ({"class": "SimpleStrategy", "replication_factor": "1"}, False)
    assert project.is_clean()
    replication = {"class": "NetworkTopologyStrategy", cassandra.local_dc: 1}
    given = json.dumps({other: {"replication": replication, "durable_writes": False}})
    output = project.cli("-x", f"cql_keyspaces={given}", "check", expect=None)
    assert "alter_keyspace" in output


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ('{"k": 1}', "takes a map of keyspaces"),
        ('{"k": ', "is not JSON"),
        ('{"k": {"replicas": 3}}', "no option 'replicas'; there are replication, durable_writes, tablets"),
        ('{"k": {"replication": {"dc1": 3}}}', "has no 'class'"),
    ],
)
def test_a_configuration_that_cannot_be(project: Project, other: str, given: str, message: str) -> None:
    project.models(model(other, SIMPLE))
    project.edit("alembic.ini", r"(?m)^sqlalchemy\.url", f"cql_keyspaces = {given}\nsqlalchemy.url")
    with pytest.raises(ConfigurationError, match=message + ".*nothing was sent"):
        project.run("check")


def test_create_all_creates_the_keyspace_and_leaves_one_that_is_there(
    cassandra_keyspace: CassandraKeyspace, other: str, cassandra_session: Any
) -> None:
    metadata = sa.MetaData()
    Keyspace(other, metadata, replication={"class": "NetworkTopologyStrategy", "east": 3})
    sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True), schema=other)
    with engine_of(cassandra_keyspace) as engine, pytest.raises(InvalidModel, match=r"no datacenter 'east'"):
        metadata.create_all(engine)
    assert options(cassandra_session, other) is None
    here = {other: {"replication": SIMPLE}}
    engine = sa.create_engine(cassandra_keyspace.url, poolclass=sa.NullPool, cql_keyspaces=here)
    metadata.create_all(engine)
    metadata.create_all(engine)
    assert options(cassandra_session, other) == ({"class": "SimpleStrategy", "replication_factor": "1"}, True)
    assert pending(cassandra_keyspace, metadata, cql_keyspaces=here) == []
    with engine.connect() as connection:
        reflected = reflect_keyspace(connection, other)
        assert keyspace_objects(reflected).keyspaces[other].replication == SIMPLE
        assert pending(cassandra_keyspace, reflected) == []
    metadata.drop_all(engine)
    assert options(cassandra_session, other) is not None  # a keyspace is only dropped by name


def test_the_keyspace_of_the_url_is_made_before_the_first_connection(
    project: Project, other: str, cassandra_session: Any, cassandra: Any
) -> None:
    production = {"class": "NetworkTopologyStrategy", "east": 3}
    project.models(
        f"from alembic_cql import Keyspace\nKeyspace({other!r}, metadata, replication={production!r})\n"
        + ("sa.Table('t', metadata, sa.Column('id', sa.Integer, primary_key=True))")
    )
    project.set_url(cassandra.url(other))
    here = json.dumps({"*": {"replication": SIMPLE}})
    project.edit("alembic.ini", r"(?m)^sqlalchemy\.url", f"cql_keyspaces = {here}\nsqlalchemy.url")
    url = "config.get_main_option('sqlalchemy.url')"
    env = project.folder / "migrations" / "env.py"
    begin = f"from alembic_cql import create_keyspaces\ncreate_keyspaces({url}, target_metadata)\n\nif context.is_off"
    env.write_text(env.read_text().replace("if context.is_off", begin))
    project.revision("z", "op.create_table('z', sa.Column('id', sa.Integer, primary_key=True))", "op.drop_table('z')")
    assert "CREATE TABLE z" in project.upgrade(sql=True)
    assert options(cassandra_session, other) is None  # --sql makes nothing
    project.upgrade()
    assert options(cassandra_session, other) == ({"class": "SimpleStrategy", "replication_factor": "1"}, True)
    text = body(project.autogenerate("a"), "upgrade")
    assert "keyspace" not in text
    project.upgrade()
    assert project.is_clean()
    assert project.tables() == set()
    assert create_keyspaces(cassandra.url(other), []) == []


def test_a_factor_for_all_datacenters_is_what_the_server_made_of_it(
    cassandra_keyspace: CassandraKeyspace, other: str, cassandra: Any
) -> None:
    metadata = sa.MetaData()
    network = "org.apache.cassandra.locator.NetworkTopologyStrategy"
    Keyspace(other, metadata, replication={"class": network, "replication_factor": 1})
    with engine_of(cassandra_keyspace) as engine:
        metadata.create_all(engine)
    for replication in (
        {"class": "NetworkTopologyStrategy", "replication_factor": "1"},
        {"class": network, cassandra.local_dc: "1"},
        {"class": network, cassandra.local_dc: 1, "gone": 0},
        {"class": network, "replication_factor": 5, cassandra.local_dc: 1},
    ):
        same = sa.MetaData()
        Keyspace(other, same, replication=replication)
        assert pending(cassandra_keyspace, same) == [], replication
    more = sa.MetaData()
    Keyspace(other, more, replication={"class": network, "replication_factor": 2})
    assert [item[0] for item in pending(cassandra_keyspace, more)] == ["alter_keyspace"]


def test_a_keyspace_that_no_model_declares_is_not_compared(
    project: Project, other: str, cassandra_session: Any
) -> None:
    cassandra_session.execute(
        f"CREATE KEYSPACE \"{other}\" WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}"
    )
    cassandra_session.execute(f'CREATE TABLE "{other}".t (id int PRIMARY KEY)')
    project.models("")
    assert project.differences() == []


def test_the_keyspace_of_the_connection_is_not_dropped(project: Project) -> None:
    project.revision("a", f"op.drop_keyspace({project.keyspace.name!r})")
    with pytest.raises(InvalidModel, match=r"this connection is in.*nothing of this revision was sent"):
        project.upgrade()


BAD: dict[str, tuple[Any, str]] = {
    "no map": (3, "takes a map such as"),
    "no class": ({"dc1": 3}, "has no 'class'"),
    "an unknown class": ({"class": "Networktopologystrategy", "dc1": 3}, "no replication strategy"),
    "the server's own": ({"class": "LocalStrategy"}, "for the server's own"),
    "simple without a factor": ({"class": "SimpleStrategy"}, "needs 'replication_factor'"),
    "simple by datacenter": ({"class": "SimpleStrategy", "dc1": 3}, "takes 'replication_factor' alone, not 'dc1'"),
    "network without datacenters": ({"class": "NetworkTopologyStrategy"}, "at least one datacenter"),
    "network with none": ({"class": "NetworkTopologyStrategy", "dc1": 0}, "at least one datacenter"),
    "no number": ({"class": "SimpleStrategy", "replication_factor": "many"}, "takes a number of replicas.*'many'"),
    "less than none": ({"class": "SimpleStrategy", "replication_factor": -1}, "takes a number of replicas"),
    "a flag": ({"class": "SimpleStrategy", "replication_factor": True}, "takes a number of replicas"),
    "zero": ({"class": "SimpleStrategy", "replication_factor": 0}, "takes a number of replicas"),
    "all transient": ({"class": "NetworkTopologyStrategy", "dc1": "3/3"}, "at most 2 can be transient"),
    "racks": ({"class": "NetworkTopologyStrategy", "dc1": ["r1"]}, "only ScyllaDB takes a list of racks"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_replication_that_cannot_be_is_refused(project: Project, other: str, case: str) -> None:
    replication, message = BAD[case]
    good = "op.create_table('good', sa.Column('id', sa.Integer, primary_key=True))"
    project.revision("a", f"{good}\nop.create_keyspace({other!r}, {replication!r})")
    with pytest.raises(InvalidModel, match=message + ".*nothing was sent"):
        project.upgrade()
    project.revision(
        "a", f"{good}\nop.alter_keyspace({project.keyspace.name!r}, replication={replication!r})", down=None
    )
    with pytest.raises(InvalidModel, match=message + ".*nothing was sent"):
        project.upgrade()
    assert project.tables() == set()


@pytest.mark.parametrize("name", ["a b", 'a"; DROP KEYSPACE x', "", "é", "x" * 49])
def test_a_name_that_cannot_be_is_refused(project: Project, name: str) -> None:
    project.revision("a", f"op.create_keyspace({name!r}, {SIMPLE!r})")
    with pytest.raises(InvalidModel, match=r"its name must be 1 to.*nothing was sent"):
        project.upgrade()


def test_tablets_are_scylladbs(project: Project, other: str) -> None:
    project.revision("a", f"op.create_keyspace({other!r}, {SIMPLE!r}, tablets={{'enabled': False}})")
    with pytest.raises(InvalidModel, match="only ScyllaDB has the option tablets; nothing was sent"):
        project.upgrade()

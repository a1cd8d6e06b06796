"""Bad input through the command line: one clear line, a status that isn't 0, nothing half-done, no traceback."""

from __future__ import annotations

import re

import pytest

from tests.cql.project import Project, describe

CREATE = "op.create_table('good', sa.Column('id', sa.Integer, primary_key=True))"


def refused(project: Project, *arguments: str) -> str:
    """Run a command that must fail, and give its one line."""
    output = project.cli(*arguments, expect=None)
    assert "Traceback" not in output, output
    lines = [line for line in output.splitlines() if not re.match(r"(INFO|ERROR|WARN\w*) +\[", line)]
    assert len(lines) == 1, output
    assert lines[0].startswith("FAILED: ")
    return lines[0]


@pytest.mark.parametrize(
    "command", [("upgrade", "head"), ("current",), ("revision", "--autogenerate", "-m", "x"), ("check",)]
)
def test_an_unreachable_host(project: Project, command: tuple[str, ...]) -> None:
    project.set_url("cassandra://127.0.0.1:1/keyspace?connect_timeout=2")
    project.revision("a", CREATE)
    assert re.search(r"127\.0\.0\.1:1\b.*[Nn]othing was", refused(project, *command))
    assert [path.name for path in project.versions.glob("*.py")] == ["a.py"]


def test_a_host_that_has_no_address(project: Project) -> None:
    project.set_url("cassandra://no-such-host.invalid/keyspace")
    assert "no-such-host.invalid" in refused(project, "upgrade", "head")


def test_a_wrong_keyspace(project: Project) -> None:
    project.set_url(project.keyspace.cluster.url("no_such_keyspace"))
    project.revision("a", CREATE)
    assert re.search("Keyspace 'no_such_keyspace' does not exist.*CREATE KEYSPACE", refused(project, "upgrade", "head"))


def test_no_keyspace(project: Project) -> None:
    project.set_url(project.keyspace.cluster.url("").rstrip("/"))
    project.revision("a", CREATE)
    assert "names no keyspace" in refused(project, "upgrade", "head")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("nonsense=1", "unknown option 'nonsense'.*local_dc"),
        ("consistency=MOST", "'consistency' takes.*QUORUM.*'MOST'"),
        ("connect_timeout=soon", "'connect_timeout' takes seconds.*'soon'"),
        ("ssl_ca=/nowhere.pem", "ssl_ca.*/nowhere.pem.*no such file"),
        ("local_dc=nowhere", "no datacenter 'nowhere'.*it has"),
    ],
)
def test_a_url_with_a_bad_option(project: Project, option: str, message: str) -> None:
    project.set_url(f"{project.keyspace.url.partition('?')[0]}?{option}")
    project.revision("a", CREATE)
    assert re.search(message, refused(project, "upgrade", "head"))
    assert describe(project.keyspace, without=()) == describe(project.keyspace)


def test_an_unknown_dialect_is_not_ours(project: Project) -> None:
    project.set_url("casandra://localhost/k")
    assert "casandra" in project.cli("current", expect=None)


MODELS = {
    "unknown type": (
        "import sqlalchemy.dialects.postgresql\n"
        "sa.Table('x', metadata, sa.Column('id', sa.Integer, primary_key=True),"
        " sa.Column('h', sa.dialects.postgresql.HSTORE))",
        "no type HSTORE",
    ),
    "no primary key": (
        "sa.Table('x', metadata, sa.Column('id', sa.Integer))",
        "table 'x' has no primary key.*primary_key=True",
    ),
    "foreign key": (
        "sa.Table('x', metadata, sa.Column('id', sa.Integer, primary_key=True))\n"
        "sa.Table('y', metadata, sa.Column('id', sa.Integer, sa.ForeignKey('x.id'), primary_key=True))",
        "no foreign key.*'y'",
    ),
    "another type": ("sa.Table('x', metadata, sa.Column('id', sa.Text, primary_key=True))", "the model has text"),
    "another key": (
        "sa.Table('x', metadata, sa.Column('v', sa.Integer, primary_key=True))",
        "the model has PRIMARY KEY",
    ),
}


@pytest.mark.parametrize("case", MODELS)
def test_a_model_that_the_database_cannot_hold(project: Project, case: str) -> None:
    project.keyspace.execute("CREATE TABLE x (id int PRIMARY KEY, v int)")
    model, message = MODELS[case]
    project.models(model)
    before = describe(project.keyspace, without=())
    for command in (("revision", "--autogenerate", "-m", "x"), ("check",)):
        assert re.search(message, refused(project, *command))
    assert list(project.versions.glob("*.py")) == []
    left = [item for item in describe(project.keyspace, without=()) if item[1] != "alembic_version"]
    assert left == before


OPERATIONS = {
    "create_foreign_key": (
        "op.create_foreign_key('fk', 'good', 'x', ['id'], ['id'])",
        r"no foreign keys \(table 'good', fk\).*drop create_foreign_key.*nothing of this revision was sent",
    ),
    "type change": (
        "op.alter_column('x', 'v', type_=sa.Text())",
        "cannot change the type of column 'v'.*nothing of this revision was sent",
    ),
    "unknown type": (
        "import sqlalchemy.dialects.postgresql\nop.add_column('x', sa.Column('h', sa.dialects.postgresql.HSTORE))",
        "no type HSTORE",
    ),
}


@pytest.mark.parametrize("case", OPERATIONS)
def test_a_revision_that_asks_for_what_cql_has_not(project: Project, case: str) -> None:
    operation, message = OPERATIONS[case]
    project.revision(
        "a", "op.create_table('x', sa.Column('id', sa.Integer, primary_key=True), sa.Column('v', sa.Integer))"
    )
    project.upgrade()
    project.revision("b", f"{CREATE}\n{operation}")
    before = describe(project.keyspace)
    assert re.search(message, refused(project, "upgrade", "head"))
    assert describe(project.keyspace) == before
    assert project.heads() == {"a"}
    assert "CREATE TABLE good" not in project.cli("upgrade", "a:head", "--sql", expect=None)


def test_cql_that_the_server_does_not_know(project: Project) -> None:
    project.revision("a", f"{CREATE}\nop.execute('CREATE TABLE bad (id no_such_type PRIMARY KEY)')")
    line = refused(project, "upgrade", "head")
    assert re.search(r"Revision a, upgrade\(\), line \d+ of a.py: Cassandra refused statement 2: .*no_such_type", line)
    assert "The one statement before it stays applied" in line
    assert project.heads() == set()


def test_a_revision_that_is_not_there(project: Project) -> None:
    project.revision("a", CREATE)
    assert "nonsense" in refused(project, "upgrade", "nonsense")
    project.keyspace.execute("DROP TABLE IF EXISTS alembic_version")

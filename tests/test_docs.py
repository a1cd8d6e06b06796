"""What the documentation says, held against the code and a real server."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from importlib.util import find_spec
from inspect import signature
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy.schema import CreateTable

from alembic_cluster import migration_lock
from alembic_cluster.errors import ClusterError
from alembic_cluster.runner import TTL, WAIT
from alembic_cql import reflect_keyspace
from alembic_cql import types as cql
from alembic_cql.connecting import SessionOptions
from alembic_cql.dialect import CassandraDialect
from alembic_cql.features import Features
from alembic_cql.heads import heads_table
from alembic_cql.options import TABLE_OPTIONS, complete_options
from alembic_cql.stores import DEFINITIONS
from alembic_cql.url import QUERY_OPTIONS
from alembic_crdb import op as crdb_op
from alembic_crdb.arguments import OPTIONS
from tests.cockroachdb.project import Project
from tests.servers.cache import PROJECT
from tests.servers.fixtures import CassandraKeyspace, CockroachDatabase
from tests.unit.crdb.op_stub import operations as operations_for_cockroachdb
from tests.unit.op_stub import SHARED, functions_of
from tests.unit.op_stub import operations as operations_for_cql

DOCS = PROJECT / "docs"
DIALECT = CassandraDialect()


def page(name: str) -> str:
    return (DOCS / name).read_text()


def section(text: str, title: str) -> str:
    (found,) = re.findall(rf"(?ms)^## {re.escape(title)}$\n(.*?)(?=^## |\Z)", text)
    return str(found)


def blocks(text: str, language: str = "python") -> list[str]:
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```$", text)


def rows(text: str) -> list[list[str]]:
    """Give the cells of the tables of a text, without the headings."""
    found = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
        if line.startswith("|") and not set(line) <= set("|-: "):
            found.append(cells)
        elif set(line) <= set("|-: ") and line.startswith("|"):
            found.pop()  # the heading above it
    return found


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


TYPES = [(code(row[0])[0], code(row[1])[0]) for row in rows(page("cql/types.md"))]


@pytest.mark.parametrize(("python", "written"), TYPES, ids=[python for python, _ in TYPES])
def test_types(python: str, written: str) -> None:
    made = eval(python, {"sa": sa, "cql": cql})
    assert DIALECT.type_compiler_instance.process(made) == written


def test_every_type_of_ours_is_documented() -> None:
    documented = {match for python, _ in TYPES for match in re.findall(r"cql\.(\w+)", python)}
    ours = {
        name for name, value in vars(cql).items() if isinstance(value, type) and issubclass(value, sa.types.TypeEngine)
    }
    assert documented == ours & set(cql.__all__) - {"Composite"}


def test_connection_options() -> None:
    table = rows(section(page("cql/connecting.md"), "Options"))
    assert {name for row in table for name in code(row[0])} == {*QUERY_OPTIONS, "host"}
    defaults = {row[0].strip("`"): row[2] for row in table}
    options = SessionOptions()
    for name in ("connect_timeout", "request_timeout", "schema_agreement_timeout", "fetch_size"):
        assert float(defaults[name]) == getattr(options, name)
    for name in ("consistency", "serial_consistency"):
        assert defaults[name] == f"`{getattr(options, name)}`"


def test_table_options() -> None:
    table = rows(section(page("cql/models.md"), "Table options"))
    said = {code(row[0])[0].removeprefix("cql_"): row for row in table}
    assert set(said) == set(TABLE_OPTIONS)
    for name, (heading, default) in said.items():
        option = TABLE_OPTIONS[name]
        assert ("ScyllaDB" in heading) == (option.server == "scylla"), name
        if name != "tombstone_gc":  # has none: the server fills it in
            given = complete_options({name: eval(code(default)[0])}, "t", Features())
            assert given == complete_options({}, "t", Features()), name


def test_settings_of_a_run() -> None:
    table = {code(row[0])[0]: row for row in rows(section(page("running.md"), "Settings")) if "`" in row[0]}
    assert float(code(table["lock_ttl"][1])[0]) == TTL
    assert float(code(table["lock_wait"][1])[0]) == WAIT
    assert set(table) >= set(signature(migration_lock).parameters) - {"context", "settings"}


def test_the_tables_of_runs_are_as_written() -> None:
    written = " ".join("\n".join(blocks(section(page("running.md"), "The tables"), "sql")).split())
    for name, (columns, _) in DEFINITIONS.items():
        assert f"CREATE TABLE {name} ( {columns.partition(')')[0]})" in written


def test_the_model_is_the_table_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    models, written = blocks(page("cql/models.md"))[0], blocks(page("cql/models.md"), "sql")[0]
    module = ModuleType("models_of_the_page")
    monkeypatch.setitem(sys.modules, module.__name__, module)  # where SQLAlchemy looks the annotations up
    exec(models, vars(module))
    assert str(CreateTable(module.Event.__table__).compile(dialect=DIALECT)).strip() == written.strip()


def test_the_version_table_is_as_written() -> None:
    written = blocks(page("cql/operations.md"), "sql")[0]
    made = CreateTable(heads_table("alembic_version", None, None)).compile(dialect=DIALECT)
    assert str(made).strip() == written.strip()


@pytest.fixture
def operations(cassandra_keyspace: CassandraKeyspace) -> Any:
    """``op`` on a fresh keyspace, as a revision has it."""
    engine = sa.create_engine(cassandra_keyspace.url, poolclass=sa.NullPool)
    with engine.connect() as connection, Operations.context(MigrationContext.configure(connection)) as op:
        yield op


def test_the_operations_run(operations: Any) -> None:
    scope: dict[str, Any] = {"op": operations, "sa": sa, "cql": cql}
    for block in blocks(page("cql/operations.md")):
        exec(block, scope)
        if "titles" in block:
            assert scope["titles"] == {"deposit": "Money in"}
        if "interest" in block:
            assert sa.inspect(operations.get_bind()).get_indexes("events")[0]["name"] == "events_kind"
            count = operations.get_bind().execute(sa.text("SELECT count(*) FROM kinds")).scalar()
            assert count == 3
    left = reflect_keyspace(operations.get_bind())
    assert not left.tables


def test_what_is_refused(operations: Any) -> None:
    metadata = sa.MetaData()
    events = sa.Table(
        "events",
        metadata,
        sa.Column("account", sa.Uuid, primary_key=True),
        sa.Column("id", cql.TIMEUUID, primary_key=True),
        sa.Column("kind", sa.Text),
        sa.Column("owner", sa.Text),
    )
    kinds = sa.Table("kinds", metadata, sa.Column("kind", sa.Text, primary_key=True), sa.Column("title", sa.Text))
    connection = operations.get_bind()
    metadata.create_all(connection)
    before = _schema(connection)
    refused = rows(section(page("cql/operations.md"), "What is refused, and what to do instead"))
    assert len(refused) > 20
    for operation in (code(row[0])[0] for row in refused):
        with pytest.raises(ClusterError, match=r"nothing of this revision was sent|nothing was sent"):
            eval(operation, {"op": operations, "sa": sa, "events": events, "kinds": kinds})
        assert _schema(connection) == before, operation


def _schema(connection: sa.Connection) -> list[str]:
    metadata = reflect_keyspace(connection)
    return [str(CreateTable(table).compile(connection)) for table in metadata.sorted_tables] + [
        str(index) for table in metadata.sorted_tables for index in table.indexes
    ]


def test_a_keyspace_as_metadata(cassandra_keyspace: CassandraKeyspace) -> None:
    cassandra_keyspace.execute("CREATE TYPE address (street text)")
    cassandra_keyspace.execute("CREATE TABLE homes (id int PRIMARY KEY, home frozen<address>)")
    block = blocks(section(page("cql/models.md"), "A keyspace as MetaData"))[0]
    scope: dict[str, Any] = {}
    exec(block.replace("cassandra://localhost:9042/bank?local_dc=datacenter1", cassandra_keyspace.url), scope)
    assert set(scope["metadata"].tables) == {"homes"}


def test_user_types(cassandra_keyspace: CassandraKeyspace) -> None:
    scope: dict[str, Any] = {}
    exec(blocks(section(page("cql/types.md"), "User types"))[0], scope)
    table = sa.Table(
        "homes", scope["metadata"], sa.Column("id", sa.Integer, primary_key=True), sa.Column("home", scope["homes"])
    )
    engine = sa.create_engine(cassandra_keyspace.url, poolclass=sa.NullPool)
    scope["metadata"].create_all(engine)
    with engine.connect() as connection:
        connection.execute(table.insert().values(id=1, home={"street": "Main"}))
        value = connection.execute(sa.select(table.c.home)).scalar_one()
    assert value == {"street": "Main", "city": None}
    assert value.street == "Main"


def test_options_for_cockroachdb() -> None:
    said = {code(row[0])[0]: set(code(row[1])) for row in rows(section(page("cockroachdb.md"), "Models"))}
    wanted = {cls.__name__: {f"cockroachdb_{name}" for name in options} for cls, options in OPTIONS.items()}
    assert said == wanted


def test_the_models_for_cockroachdb(cockroach_database: CockroachDatabase) -> None:
    scope: dict[str, Any] = {}
    exec(blocks(section(page("cockroachdb.md"), "Models"))[0], scope)
    metadata = scope["metadata"]
    metadata.remove(scope["events"])  # row-level TTL came with v22.1
    engine = sa.create_engine(cockroach_database.url_for("psycopg"), poolclass=sa.NullPool)
    metadata.create_all(engine)
    inspector = sa.inspect(engine)
    assert inspector.get_table_names() == ["sessions"]
    assert inspector.get_view_names() == ["long_sessions"]
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []
    offline = sa.create_engine("cockroachdb+psycopg://root@localhost/bank").dialect  # as of the newest server
    assert "ttl_expire_after = '3 months'" in str(CreateTable(scope["events"]).compile(dialect=offline))


def test_operations_for_cockroachdb() -> None:
    said = {
        name
        for row in rows(section(page("cockroachdb.md"), "Operations beyond Alembic's own"))
        for name in code(row[1])
    }
    shared = functions_of(crdb_op, SHARED)
    assert said == {f"op.{name}" for name in (*operations_for_cockroachdb(), *shared)}


def test_operations_for_cql() -> None:
    text = page("cql/operations.md")
    assert [name for name in operations_for_cql() if f"op.{name}" not in text] == []


def test_the_revision_for_cockroachdb_runs(cockroach_database: CockroachDatabase, tmp_path: Path) -> None:
    head, _, body = blocks(page("cockroachdb.md"))[0].partition("\n")
    assert head == "def upgrade() -> None:"
    cockroach_database.execute("CREATE TABLE accounts (id INT PRIMARY KEY)")
    cockroach_database.execute("INSERT INTO accounts VALUES (1)")
    project = Project(tmp_path, cockroach_database.url_for("psycopg"))
    project.revision("currency", body)
    project.cli("upgrade", "head")
    assert cockroach_database.execute("SELECT * FROM accounts") == [(1, "EUR")]


def test_modules_that_the_architecture_names_are_there() -> None:
    package = ""
    for line in page("architecture.md").splitlines():
        if heading := re.match(r"## `(\w+)`", line):
            package = heading[1]
        elif line.startswith("## One run"):
            break
        elif package and line.startswith("|"):
            for name in code(line.split("|")[1]):
                assert (PROJECT / package / name).exists(), f"{package}/{name}"


@pytest.mark.parametrize("source", sorted(DOCS.rglob("*.md")), ids=lambda path: path.relative_to(DOCS).as_posix())
def test_python_in_the_documentation_is_python(source: Path) -> None:
    for block in blocks(source.read_text()):
        body = re.sub(r"\A#.*\n", "", block)  # the name of the file, above a part of it
        compile(textwrap.dedent(body), str(source), "exec")


@pytest.mark.skipif(find_spec("mkdocs") is None, reason="the extra [docs] is not installed")
def test_the_documentation_builds(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "site" / "cql" / "types" / "index.html").is_file()

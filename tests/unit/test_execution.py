"""alembic_cluster.execution, driven through Alembic on SQLite: every database answers the same way."""

from __future__ import annotations

import sqlite3
import textwrap
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import CommandLine, Config
from alembic.ddl import impl as alembic_impl
from alembic.ddl.sqlite import SQLiteImpl
from alembic.util import CommandError

from alembic_cluster import execution
from alembic_cluster.errors import ConfigurationError, ConnectFailed, StatementFailed, UnsupportedConstruct


@pytest.fixture(autouse=True)
def _watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alembic_impl, "_impls", dict(alembic_impl._impls))
    monkeypatch.setattr(execution, "_products", dict(execution._products))

    class Watched(execution.WatchedExecution, SQLiteImpl):
        __dialect__ = "sqlite"

    execution.watch_errors("sqlite", "SQLite")


class Project:
    """An environment made by ``alembic init`` on a SQLite file."""

    def __init__(self, folder: Path, url: str | None = None) -> None:
        self.folder = folder
        self.url = url or f"sqlite:///{folder / 'db.sqlite'}"
        self.config = Config(str(folder / "alembic.ini"))
        command.init(self.config, str(folder / "migrations"))
        self.config.set_main_option("sqlalchemy.url", self.url)

    def revision(self, name: str, upgrade: str, down: str | None = None) -> None:
        (self.folder / "migrations" / "versions" / f"{name}.py").write_text(
            f"revision = {name!r}\ndown_revision = {down!r}\n"
            "import sqlalchemy as sa\nfrom alembic import op\n"
            f"def upgrade():\n{textwrap.indent(textwrap.dedent(upgrade).strip(), '    ')}\n"
            "def downgrade():\n    pass\n"
        )

    def query(self, sql: str) -> list[tuple[object, ...]]:
        engine = sa.create_engine(self.url)
        with engine.connect() as connection:
            rows = [tuple(row) for row in connection.execute(sa.text(sql))]
        engine.dispose()
        return rows


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_refused_statement_names_place_statement_answer_and_what_is_applied(project: Project) -> None:
    project.revision("a1", "op.execute('CREATE TABLE t (x INT)')\nop.execute('INSERT INTO nowhere\\n  VALUES (1)')")
    with pytest.raises(StatementFailed) as caught:
        command.upgrade(project.config, "head")
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("Revision a1, upgrade(), line 7 of a1.py: SQLite refused statement 2: ")
    assert "no such table: nowhere" in message
    assert "INSERT INTO nowhere VALUES (1);" in message
    assert "The one statement before it stays applied (the last: CREATE TABLE t (x INT);)" in message
    assert caught.value.statement == "INSERT INTO nowhere\n  VALUES (1)"


def test_statement_that_is_applied_although_it_failed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    class Disagreement(sqlite3.OperationalError):
        applied = True

    def disagree(cursor: sqlite3.Cursor, statement: str, parameters: object, context: object = None) -> None:
        cursor.execute(statement, parameters)
        if statement.startswith("CREATE TABLE t "):
            raise Disagreement("the statement was applied, but n1: v1, n2: v2")

    monkeypatch.setattr(sa.create_engine("sqlite://").dialect.__class__, "do_execute", staticmethod(disagree))
    project.revision("a1", "op.execute('CREATE TABLE s (x INT)')\nop.execute('CREATE TABLE t (x INT)')")
    with pytest.raises(StatementFailed) as caught:
        command.upgrade(project.config, "head")
    message = str(caught.value)
    assert "SQLite applied statement 2: the statement was applied, but n1: v1, n2: v2" in message
    assert "The 2 statements up to this one stay applied" in message


def test_first_statement_refused_says_nothing_is_applied(project: Project) -> None:
    project.revision("a1", "op.execute('SELECT * FROM nowhere')")
    with pytest.raises(StatementFailed, match="Nothing of the revision is applied"):
        command.upgrade(project.config, "head")


def test_count_starts_anew_with_each_revision(project: Project) -> None:
    project.revision("a1", "op.execute('CREATE TABLE t (x INT)')")
    project.revision("a2", "op.execute('INSERT INTO nowhere VALUES (1)')", down="a1")
    with pytest.raises(StatementFailed, match=r"refused statement 1: .*Nothing of the revision is applied"):
        command.upgrade(project.config, "head")
    assert project.query("SELECT version_num FROM alembic_version") == [("a1",)]


def test_statement_on_the_bind_is_watched_too(project: Project) -> None:
    project.revision(
        "a1",
        """
        op.get_bind().execute(sa.text("CREATE TABLE t (x INT)"))
        op.get_bind().execute(sa.text("SELECT 1")).scalar()
        op.get_bind().execute(sa.text("INSERT INTO nowhere VALUES (:x)"), {"x": 1})
        """,
    )
    with pytest.raises(StatementFailed, match="refused statement 2: "):
        command.upgrade(project.config, "head")


def test_revision_may_catch_sqlalchemys_error(project: Project) -> None:
    project.revision(
        "a1",
        """
        try:
            op.execute("INSERT INTO nowhere VALUES (1)")
        except sa.exc.OperationalError as error:
            assert "nowhere" in str(error.orig)
        """,
    )
    command.upgrade(project.config, "head")
    assert project.query("SELECT version_num FROM alembic_version") == [("a1",)]


def test_refused_version_row_says_that_the_revision_is_applied(project: Project) -> None:
    project.revision("a1", "op.execute('CREATE TABLE t (x INT)')\nop.execute('DROP TABLE alembic_version')")
    with pytest.raises(StatementFailed, match=r"All 2 statements .*alembic stamp"):
        command.upgrade(project.config, "head")


def test_construct_that_cant_be_compiled(project: Project) -> None:
    project.revision(
        "a1", "op.execute('CREATE TABLE t (x INT)')\nop.add_column('t', sa.Column('y', sa.types.NullType))"
    )
    with pytest.raises(UnsupportedConstruct, match=r"line 7 of a1.py: .*The one statement before it stays applied"):
        command.upgrade(project.config, "head")


def test_command_line_prints_one_line(
    project: Project, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project.revision("a1", "op.execute('INSERT INTO nowhere VALUES (1)')")
    monkeypatch.chdir(project.folder)
    ini = project.folder / "alembic.ini"
    ini.write_text(ini.read_text().replace("driver://user:pass@localhost/dbname", project.url))
    with pytest.raises(SystemExit) as caught:
        CommandLine().main(["upgrade", "head"])
    captured = capfd.readouterr()
    assert caught.value.code not in (0, None)
    assert "Traceback" not in captured.err + captured.out
    assert "FAILED: Revision a1" in captured.err + captured.out


def test_no_connection(tmp_path: Path) -> None:
    project = Project(tmp_path, url="sqlite:////no-such-folder/db")
    with pytest.raises(ConnectFailed, match=r"No connection to SQLite at sqlite:.*unable to open.*Nothing was sent"):
        command.current(project.config)


def test_password_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    class Failure:
        dialect = sa.create_engine("sqlite://").dialect
        engine = type("E", (), {"url": sa.make_url("x://me:s3cret@h/d")})

    wrapped = sa.exc.OperationalError(None, None, Exception("no"))
    assert "s3cret" not in str(execution.connect_failure(Failure, wrapped))  # type: ignore[arg-type]
    refused = sa.exc.ProgrammingError(None, None, Exception('invalid connection option "foo"'))
    bad_option = execution.connect_failure(Failure, refused)  # type: ignore[arg-type]
    assert isinstance(bad_option, ConfigurationError)
    assert 'option "foo"' in str(bad_option)
    assert isinstance(bad_option, CommandError)


def test_outside_an_environment_nothing_changes() -> None:
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection, pytest.raises(sa.exc.OperationalError) as caught:
        connection.execute(sa.text("SELECT * FROM nowhere"))
    assert not isinstance(caught.value, CommandError)


def test_progress_of_a_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("revision", "down_revision"):  # what marks a revision's file
        monkeypatch.setitem(globals(), name, "a1")
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        progress = execution.Progress.of(connection)
        assert execution.Progress.of(connection) is progress
        connection.execute(sa.text("CREATE TABLE t (x INT)"))
        progress.begin()
        connection.execute(sa.text("INSERT INTO t VALUES (1)"))
        assert progress.applied == ["CREATE TABLE t (x INT)"]
        progress.end(committed=False)
        assert progress.applied == ["CREATE TABLE t (x INT)"]
        progress.begin()
        connection.execute(sa.text("INSERT INTO t VALUES (2)"))
        progress.end(committed=True)
        assert progress.applied == ["CREATE TABLE t (x INT)", "INSERT INTO t VALUES (2)"]
    engine.dispose()


def test_shorten() -> None:
    assert execution.shorten(" SELECT\n 1 ; ") == "SELECT 1;"
    assert execution.shorten("x" * 400) == "x" * 300 + " ...;"

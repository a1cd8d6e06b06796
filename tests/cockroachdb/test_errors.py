"""Bad input answers with one clear line and a non-zero exit status, by plain ``alembic``."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.cockroachdb.project import Project
from tests.servers.fixtures import CockroachDatabase


def _failure(project: Project, *arguments: str) -> str:
    """Run a command that must fail; gives its one line."""
    out = project.cli(*arguments, expect=None)
    assert "Traceback" not in out, out
    (line,) = (line for line in out.splitlines() if "FAILED: " in line)
    # Alembic prints the line twice: once for its log, and wrapped for the reader.
    return line if len(line) > 200 else " ".join(out[out.index("FAILED: ") :].split())


@pytest.fixture
def bad(tmp_path: Path, cockroach_database: CockroachDatabase, driver: str) -> Callable[..., Project]:
    """Makes a project whose URL is changed by a function."""

    def make(**changes: object) -> Project:
        url = sa.make_url(cockroach_database.url_for(driver))
        query = changes.pop("query", None)
        url = url.set(**changes)  # type: ignore[arg-type]
        if query is not None:
            url = url.update_query_dict(query)  # type: ignore[arg-type]
        return Project(tmp_path, url.render_as_string(hide_password=False))

    return make


@pytest.mark.parametrize("arguments", [("upgrade", "head"), ("current",)])
def test_unreachable_host(bad: Callable[..., Project], arguments: tuple[str, ...]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: refused at once
        line = _failure(bad(host="127.0.0.1", port=taken.getsockname()[1]), *arguments)
    assert "No connection to CockroachDB at cockroachdb" in line
    assert "refused" in line
    assert "Nothing was sent" in line


def test_unknown_host(bad: Callable[..., Project]) -> None:
    assert "no-such-host.invalid" in _failure(bad(host="no-such-host.invalid"), "upgrade", "head")


def test_unknown_user_or_wrong_password(bad: Callable[..., Project]) -> None:
    line = _failure(bad(username="nobody", password="s3cret"), "upgrade", "head")
    assert "password authentication failed for user nobody" in line
    assert "s3cret" not in line
    assert "***" in line


def test_missing_database(bad: Callable[..., Project]) -> None:
    line = _failure(bad(database="no_such_db"), "upgrade", "head")
    assert 'database "no_such_db" does not exist' in line
    assert "No connection to CockroachDB" in line


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"no_such_option": "1"}, "no_such_option"),
        ({"sslmode": "bogus"}, "bogus"),
        ({"connect_timeout": "soon"}, "soon"),
    ],
)
def test_bad_option(bad: Callable[..., Project], query: dict[str, str], said: str) -> None:
    line = _failure(bad(query=query), "upgrade", "head")
    assert said in line
    assert "Nothing was sent" in line


def test_option_that_the_driver_chokes_on(tmp_path: Path, cockroach_database: CockroachDatabase) -> None:
    url = sa.make_url(cockroach_database.url_for("psycopg")).update_query_dict({"prepare_threshold": "often"})
    project = Project(tmp_path, url.render_as_string(hide_password=False))
    assert "prepare_threshold" in _failure(project, "upgrade", "head")


def test_refused_statement(project: Project) -> None:
    file = project.revision(
        "a1",
        """
        op.create_table("t", sa.Column("x", sa.Integer()))
        op.get_bind().execute(sa.text("INSERT INTO t VALUES (1)"))
        op.drop_column("t", "no_such_column")
        """,
    )
    line = _failure(project, "upgrade", "head")
    assert "Revision a1, upgrade(), line 11 of a1.py: CockroachDB refused statement 3: " in line
    assert 'column "no_such_column" does not exist (SQLSTATE 42703)' in line
    assert "ALTER TABLE t DROP COLUMN no_such_column;" in line
    assert "The 2 statements before it stay applied" in line
    assert project.versions() == []
    # What the line says to do: make the applied part repeatable, and run again.
    file.write_text(
        file.read_text()
        .replace('sa.Column("x", sa.Integer()))', 'sa.Column("x", sa.Integer()), if_not_exists=True)')
        .replace('op.drop_column("t", "no_such_column")', "")
    )
    project.cli("upgrade", "head")
    assert project.versions() == ["a1"]


@pytest.mark.grammar_exempt("sends what the grammar refuses")
def test_syntax_error_shows_one_line(project: Project) -> None:
    project.revision("a1", 'op.execute("""CREATE TABLE t (\\n  x INT,\\n  full INT)""")')
    line = _failure(project, "upgrade", "head")
    assert "syntax error" in line
    assert "CREATE TABLE t ( x INT, full INT);" in line


def test_type_that_cant_be_written(project: Project) -> None:
    project.revision("a1", "op.add_column('t', sa.Column('x', sa.types.NullType()))")
    assert "AddColumn can't be written for CockroachDB" in _failure(project, "upgrade", "head")


def test_refused_query_outside_a_revision(project: Project) -> None:
    project.edit(
        "migrations/env.py",
        r"(?m)^        with context\.begin_transaction\(\):\n            context\.run_migrations\(\)\n\n\nif",
        "        connection.exec_driver_sql('SELECT * FROM no_such_table')\n\n\nif",
    )
    line = _failure(project, "current")
    assert 'relation "no_such_table" does not exist' in line
    assert "Revision" not in line

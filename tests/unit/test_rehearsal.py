"""alembic_cluster.rehearsal, driven through Alembic on SQLite: a revision is tried out before anything is sent."""

from __future__ import annotations

import builtins
import io
import logging
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.ddl import impl as alembic_impl
from alembic.ddl.sqlite import SQLiteImpl

from alembic_cluster import execution
from alembic_cluster.errors import InvalidStatement, StatementFailed, UnsupportedConstruct, UnsupportedOperation
from alembic_cluster.rehearsal import Rehearsal, RehearsedExecution

CREATE = "op.create_table('one', sa.Column('id', sa.Integer, primary_key=True))"
IMPOSSIBLE = "op.create_unique_constraint('u', 'one', ['id'])  # SQLite can't"


@pytest.fixture(autouse=True)
def _rehearsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alembic_impl, "_impls", dict(alembic_impl._impls))
    monkeypatch.setattr(execution, "_products", dict(execution._products))

    class Rehearsed(execution.WatchedExecution, RehearsedExecution, SQLiteImpl):
        __dialect__ = "sqlite"

    execution.watch_errors("sqlite", "SQLite")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the revision notes down by ``calls.append``."""
    noted: list[Any] = []
    monkeypatch.setattr(builtins, "calls", noted, raising=False)
    return noted


class Project:
    """An environment made by ``alembic init`` on a SQLite file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"sqlite:///{folder / 'db.sqlite'}"
        self.output = io.StringIO()
        self.config = Config(str(folder / "alembic.ini"), stdout=io.StringIO(), output_buffer=self.output)
        command.init(self.config, str(folder / "migrations"))
        self.config.set_main_option("sqlalchemy.url", self.url)

    def revision(self, upgrade: str, top: str = "") -> None:
        (self.folder / "migrations" / "versions" / "a.py").write_text(
            f"revision = 'a'\ndown_revision = None\nimport sqlalchemy as sa\nfrom alembic import op\n{top}\n"
            f"def upgrade():\n{textwrap.indent(textwrap.dedent(upgrade).strip(), '    ')}\n"
            "def downgrade():\n    pass\n"
        )

    def upgrade(self, **options: Any) -> None:
        command.upgrade(self.config, "head", **options)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(sql))]

    def execute(self, sql: str) -> None:
        with sa.create_engine(self.url, poolclass=sa.NullPool).begin() as connection:
            connection.execute(sa.text(sql))

    def tables(self) -> set[str]:
        return {row[0] for row in self.query("SELECT name FROM sqlite_master WHERE type = 'table'")}

    def is_untouched(self) -> bool:
        return self.tables() == {"alembic_version"} and not self.query("SELECT * FROM alembic_version")


@pytest.fixture
def project(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Project]:
    yield Project(tmp_path)
    logging.getLogger("alembic").disabled = False  # the environment's fileConfig disables what is there


@pytest.mark.parametrize(
    ("then", "error"),
    [
        (IMPOSSIBLE, NotImplementedError),
        ("op.create_tabel('two')", AttributeError),
        ("op.add_column('one', sa.Column('x', sa.types.NullType))", UnsupportedConstruct),
        ("op.bulk_insert(one, [{'id': 1}, {}])", InvalidStatement),
        ("op.execute(sa.text('DELETE FROM one WHERE id = :id'))", InvalidStatement),
        ("raise RuntimeError('not today')", RuntimeError),
        ("op.get_bind().execute(sa.text('DROP TABLE nothing'))\n" + IMPOSSIBLE, None),
    ],
)
def test_what_fails_after_good_operations_fails_before_they_are_sent(
    project: Project, then: str, error: type[Exception] | None
) -> None:
    project.revision(f"one = {CREATE}\n{then}")
    if error is None:  # nobody knows what the write through get_bind() would answer, so the server is to say
        with pytest.raises(StatementFailed):
            project.upgrade()
        assert project.tables() == {"alembic_version", "one"}
        return
    with pytest.raises(error):
        project.upgrade()
    assert project.is_untouched()


def test_each_statement_is_sent_once_whichever_way_it_goes(project: Project) -> None:
    project.revision(
        f"""
        one = {CREATE}
        op.bulk_insert(one, [{{'id': 1}}])
        op.execute("INSERT INTO one VALUES (2)")
        op.get_bind().execute(sa.insert(one).values(id=3))
        op.get_bind().exec_driver_sql("INSERT INTO one VALUES (?)", (4,))
        op.get_bind().execute(sa.insert(one), [{{'id': 5}}, {{'id': 6}}])
        with sa.orm.Session(op.get_bind()) as session:
            session.add(Row(id=7))
            session.flush()
            session.commit()
        """,
        top="import sqlalchemy.orm\nBase = sa.orm.declarative_base()\n"
        "class Row(Base):\n    __tablename__ = 'one'\n    id = sa.Column(sa.Integer, primary_key=True)\n",
    )
    project.upgrade()
    assert [row[0] for row in project.query("SELECT id FROM one ORDER BY id")] == [1, 2, 3, 4, 5, 6, 7]


def test_writes_by_another_engine_wait_for_the_real_run(project: Project, tmp_path: Path) -> None:
    other = f"sqlite:///{tmp_path / 'other.sqlite'}"
    with sa.create_engine(other).begin() as connection:
        connection.execute(sa.text("CREATE TABLE log (line text)"))
    project.revision(
        f"""
        {CREATE}
        with sa.create_engine({other!r}).begin() as connection:
            connection.execute(sa.text("INSERT INTO log VALUES ('here')"))
        """
    )
    project.upgrade()
    with sa.create_engine(other).connect() as connection:
        assert connection.execute(sa.text("SELECT * FROM log")).all() == [("here",)]


def test_what_it_reads_is_what_is_there(project: Project, calls: list[Any]) -> None:
    project.execute("CREATE TABLE old (id int)")
    project.execute("INSERT INTO old VALUES (1), (2)")
    project.revision(
        f"""
        ids = [row.id for row in op.get_bind().execute(sa.text("SELECT id FROM old ORDER BY id"))]
        calls.append(ids)
        one = {CREATE}
        op.bulk_insert(one, [{{'id': id}} for id in ids])
        """
    )
    project.upgrade()
    assert calls == [[1, 2], [1, 2]]
    assert project.query("SELECT id FROM one ORDER BY id") == [(1,), (2,)]


def test_a_refusal_after_a_read_still_comes_first(project: Project) -> None:
    project.execute("CREATE TABLE old (id int)")
    project.revision(f"op.get_bind().execute(sa.text('SELECT id FROM old')).all()\n{CREATE}\n{IMPOSSIBLE}")
    with pytest.raises(NotImplementedError):
        project.upgrade()
    assert project.tables() == {"alembic_version", "old"}


def test_a_refusal_after_looking_at_the_schema_still_comes_first(project: Project) -> None:
    project.revision(
        f"""
        if not sa.inspect(op.get_bind()).has_table('one'):
            {CREATE}
        if not sa.inspect(op.get_bind()).has_table('two'):
            raise_later = True
        {IMPOSSIBLE}
        """
    )
    try:
        project.upgrade()
    except NotImplementedError:
        pass
    else:
        pytest.fail("it was not refused")


@pytest.mark.parametrize(
    "upgrade",
    [
        f"{CREATE}\nop.execute('INSERT INTO one VALUES (1)')\n"
        "assert op.get_bind().execute(sa.text('SELECT count(*) FROM one')).scalar() == 1",
        f"{CREATE}\nif not sa.inspect(op.get_bind()).has_table('one'): raise RuntimeError('where is it?')",
        "op.get_bind().execute(sa.text('CREATE TABLE one (id int)'))\n"
        "assert sa.inspect(op.get_bind()).has_table('one'), 'where is it?'",
        f"{CREATE}\nassert op.get_bind().execute(sa.text('INSERT INTO one VALUES (1) RETURNING id')).scalar() == 1",
    ],
)
def test_errors_that_only_a_rehearsal_has_are_not_reported(project: Project, upgrade: str) -> None:
    project.revision(upgrade)
    project.upgrade()
    assert "one" in project.tables()
    assert project.query("SELECT * FROM alembic_version") == [("a",)]


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "upgrade",
    [
        # Takes rows away until none is left.
        "while rows := op.get_bind().execute(sa.text('SELECT id FROM old LIMIT 2')).all():\n"
        "    for row in rows: op.execute(f'DELETE FROM old WHERE id = {row.id}')",
        "while op.get_bind().execute(sa.text('SELECT id FROM old LIMIT 1')).first():\n"
        "    op.get_bind().execute(sa.text('DELETE FROM old'))",
        # Waits for what it has asked for.
        "op.drop_table('old')\nwhile sa.inspect(op.get_bind()).has_table('old'): pass\n"
        "op.execute('CREATE TABLE old (id int)')",
        "while not op.get_bind().execute(sa.text('DELETE FROM old WHERE id < 9')).rowcount >= 0: pass",
    ],
)
def test_a_loop_that_waits_for_its_own_writes_ends(project: Project, upgrade: str) -> None:
    project.execute("CREATE TABLE old (id int)")
    project.execute("INSERT INTO old VALUES (1), (2), (3), (4), (5)")
    project.revision(upgrade)
    project.upgrade()
    assert project.query("SELECT * FROM old") == []


def test_rows_that_are_moved_one_by_one_are_not_all_rehearsed(project: Project, calls: list[Any]) -> None:
    project.revision(
        f"""
        {CREATE}
        for number in range(20_000):
            calls.append(number)
            op.execute(f"INSERT INTO one VALUES ({{number}})")
        """
    )
    project.upgrade()
    assert project.query("SELECT count(*) FROM one") == [(20_000,)]
    assert 20_000 < len(calls) < 31_000


def test_it_prints_logs_and_warns_once(
    project: Project, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    project.revision(
        f"""
        import logging, sys, warnings
        print("to the screen")
        print("to the error stream", file=sys.stderr)
        logging.getLogger("alembic.ours").warning("to the log")
        warnings.warn("to whom it may concern")
        {CREATE}
        """
    )
    with pytest.warns(UserWarning, match="to whom it may concern") as warned:
        project.upgrade()
    assert len(warned) == 1
    captured = capfd.readouterr()
    assert captured.out.count("to the screen") == 1
    assert captured.err.count("to the error stream") == 1
    assert captured.err.count("to the log") == 1


def test_what_was_printed_before_an_error_is_seen(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.revision("print('so far, so good')\nraise RuntimeError('not today')")
    with pytest.raises(RuntimeError):
        project.upgrade()
    assert capsys.readouterr().out.count("so far, so good") == 1


def test_a_question_is_asked_once(project: Project, monkeypatch: pytest.MonkeyPatch, calls: list[Any]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\nno\n"))
    project.revision(f"answer = input('Really? ')\ncalls.append(answer)\n{CREATE}")
    project.upgrade()
    assert calls == ["yes"]


def test_the_functions_own_except_does_not_swallow_the_end(project: Project, calls: list[Any]) -> None:
    project.revision(
        f"""
        {CREATE}
        op.execute("INSERT INTO one VALUES (1)")
        try:
            calls.append(op.get_bind().execute(sa.text("SELECT count(*) FROM one")).scalar())
        except Exception:
            calls.append("swallowed")
        """
    )
    project.upgrade()
    assert calls == [1]


def test_a_function_that_leaves_the_program_does_so_before_anything_is_sent(project: Project) -> None:
    project.revision(f"{CREATE}\nraise SystemExit(3)")
    with pytest.raises(SystemExit):
        project.upgrade()
    assert project.is_untouched()


def test_it_can_be_switched_off(project: Project, calls: list[Any]) -> None:
    env = project.folder / "migrations" / "env.py"
    env.write_text(env.read_text().replace("context.configure(", "context.configure(rehearse=False,"))
    project.revision(f"calls.append('called')\n{CREATE}\n{IMPOSSIBLE}")
    with pytest.raises(NotImplementedError):
        project.upgrade()
    assert calls == ["called"]
    assert project.tables() == {"alembic_version", "one"}


def test_a_script_is_not_begun_when_it_cannot_be_finished(project: Project) -> None:
    project.revision(f"op.get_context().impl.static_output('-- hello')\n{CREATE}\n{IMPOSSIBLE}")
    with pytest.raises(NotImplementedError):
        project.upgrade(sql=True)
    assert "CREATE TABLE one" not in project.output.getvalue()
    assert "hello" not in project.output.getvalue()


def test_a_script_says_everything_once(project: Project) -> None:
    project.revision(f"op.get_context().impl.static_output('-- hello')\n{CREATE}\nop.execute('DROP TABLE one')")
    project.upgrade(sql=True)
    for text in ("-- hello", "CREATE TABLE one", "DROP TABLE one"):
        assert project.output.getvalue().count(text) == 1


def test_what_was_only_rehearsed_does_not_count_as_applied(project: Project) -> None:
    project.revision(
        f"""
        {CREATE}
        op.get_bind().execute(sa.text("INSERT INTO one VALUES (1)"))
        op.get_bind().execute(sa.text("INSERT INTO two VALUES (1)"))
        """
    )
    with pytest.raises(StatementFailed, match=r"statement 3: .*The 2 statements before it stay applied"):
        project.upgrade()
    assert "one" in project.tables()


def test_a_refusal_that_only_the_real_run_meets_says_what_stays(project: Project) -> None:
    project.revision(
        f"""
        {CREATE}
        op.execute("INSERT INTO one VALUES (1)")
        if op.get_bind().execute(sa.text("SELECT count(*) FROM one")).scalar():
            raise UnsupportedOperation("no way: go back; nothing of this revision was sent")
        """,
        top="from alembic_cluster.errors import UnsupportedOperation",
    )
    with pytest.raises(
        UnsupportedOperation, match=r"no way: go back\. That was not sent\. The 2 statements before it stay"
    ):
        project.upgrade()


def test_other_threads_go_on(tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'db.sqlite'}")

    def write(number: int) -> None:
        with engine.begin() as connection:
            connection.execute(sa.text(f"INSERT INTO t VALUES ({number})"))

    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE t (id int)"))
    with Rehearsal().listening():
        write(1)
        thread = threading.Thread(target=write, args=(2,))
        thread.start()
        thread.join()
    write(3)
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT id FROM t ORDER BY id")).all() == [(2,), (3,)]
    engine.dispose()

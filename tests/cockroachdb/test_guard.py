"""Statements that lose data, on CockroachDB: refused before the revision's first statement, or allowed."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from alembic_cluster.errors import ConfigurationError, DestructiveRefused
from tests.cockroachdb.project import Project
from tests.servers.fixtures import CockroachDatabase

GUARD = """\
            from alembic_cluster.guard import guard_run
            from alembic_cluster.settings import Settings
            guard_run(context.get_context().impl, connection, Settings(config))
            context.run_migrations()"""


@pytest.fixture
def project(cockroach_database: CockroachDatabase, tmp_path: Path) -> Project:
    made = Project(tmp_path, cockroach_database.url_for("psycopg2"))
    env = tmp_path / "migrations" / "env.py"
    before, online = env.read_text().split("def run_migrations_online")
    env.write_text(f"{before}def run_migrations_online{online.replace('            context.run_migrations()', GUARD)}")
    made.revision("a", "op.create_table('t', sa.Column('id', sa.BigInteger, primary_key=True), sa.Column('n', sa.Text))"
                  "\nop.execute(\"INSERT INTO t VALUES (1, 'one')\")", "op.drop_table('t')")  # fmt: skip
    made.upgrade()
    return made


def has(project: Project, column: str) -> bool:
    engine = sa.create_engine(project.url, poolclass=sa.NullPool)
    return column in {each["name"] for each in sa.inspect(engine).get_columns("t")}


LOSING = "op.add_column('t', sa.Column('m', sa.Integer))\nop.drop_column('t', 'n')"


def test_refused_before_the_first_statement(project: Project) -> None:
    project.revision("b", LOSING)
    with pytest.raises(DestructiveRefused, match=r"\(1\) ALTER TABLE t DROP COLUMN n; - all values") as refused:
        project.upgrade()
    assert [str(statement.losses[0]) for statement in refused.value.statements] == ["drop column t.n"]
    assert has(project, "n")
    assert not has(project, "m")
    assert project.versions() == ["a"]


def test_the_command_line_says_it_in_one_line_and_can_allow_it(project: Project) -> None:
    project.revision("b", LOSING)
    said = project.cli("upgrade", "head", expect=None)
    assert "allow_destructive = True" in said
    assert "Traceback" not in said
    project.cli("-x", "allow-destructive", "upgrade", "head")
    assert not has(project, "n")


def test_a_revision_can_allow_itself_one_way(project: Project) -> None:
    file = project.revision("b", LOSING, "op.drop_column('t', 'm')\nop.add_column('t', sa.Column('n', sa.Text))")
    file.write_text('allow_destructive = "upgrade"\n' + file.read_text())
    project.upgrade()
    assert not has(project, "n")
    with pytest.raises(DestructiveRefused, match=r"downgrade\(\): 1 statement"):
        project.downgrade("-1")
    file.write_text(file.read_text().replace('"upgrade"\n', "True\n", 1))
    project.downgrade("-1")
    assert project.versions() == ["a"]


def test_a_wrong_word_in_a_revision_is_refused(project: Project) -> None:
    file = project.revision("b", LOSING)
    file.write_text('allow_destructive = "yes"\n' + file.read_text())
    with pytest.raises(ConfigurationError, match="allow_destructive of revision b is 'yes'"):
        project.upgrade()


@pytest.mark.parametrize(
    ("line", "upgrade", "downgrade"),
    [
        ("alembic_cluster.allow_destructive = true", True, True),
        ("alembic_cluster.allow_destructive_downgrade = true", False, True),
        ("alembic_cluster.allow_destructive = false", False, False),
    ],
)
def test_configuration(project: Project, line: str, upgrade: bool, downgrade: bool) -> None:
    project.edit("alembic.ini", r"(?m)^sqlalchemy\.url = .*$", f"sqlalchemy.url = {project.url}\n{line}")
    project.revision("b", LOSING)

    def refused(run: object, *arguments: str) -> bool:
        try:
            run(*arguments)  # type: ignore[operator]
        except DestructiveRefused:
            return True
        return False

    assert refused(project.upgrade) is not upgrade
    assert refused(project.downgrade, "base") is not downgrade


LOSSES = [
    "op.execute('SELECT 1; TRUNCATE t')",
    "op.get_bind().exec_driver_sql('DELETE FROM t')",
    "op.alter_column('t', 'id', type_=sa.SmallInteger)",
    "op.execute('ALTER TABLE t ALTER COLUMN n TYPE VARCHAR(3)')",
    "op.create_index('ix', 't', ['n'])\nop.drop_index('ix', 't')\nop.drop_table('t')",
    "from sqlalchemy.orm import Session\nSession(op.get_bind()).execute(sa.text('DELETE FROM t'))",
]
HARMLESS = """
op.execute('ALTER TABLE t ALTER COLUMN n SET DATA TYPE STRING')
op.create_table('u', sa.Column('id', sa.BigInteger, primary_key=True))
op.drop_table('u')
op.execute("DELETE FROM t WHERE n = 'x'")
"""


def test_whichever_way_it_goes(project: Project) -> None:
    for statement in LOSSES:
        file = project.revision("b", statement)
        with pytest.raises(DestructiveRefused) as refused:
            project.upgrade()
        assert len(refused.value.statements) == 1
        assert project.rows("SELECT n FROM t") == [("one",)]
        file.unlink()
    project.revision("b", HARMLESS)
    project.upgrade()
    assert project.versions() == ["b"]


def test_what_no_rehearsal_foresees_is_refused_when_it_is_about_to_be_sent(project: Project) -> None:
    project.revision(
        "b",
        "op.execute(\"INSERT INTO t VALUES (2, 'two')\")\n"
        "if op.get_bind().scalar(sa.text('SELECT count(*) FROM t')) == 2:\n    op.execute('TRUNCATE t')",
    )
    with pytest.raises(DestructiveRefused, match="1 statement of the revision before it passed"):
        project.upgrade()
    assert project.rows("SELECT count(*) FROM t") == [(2,)]


def test_the_drivers_own_connection_is_not_used_twice(project: Project) -> None:
    project.revision(
        "b",
        "with op.get_bind().connection.cursor() as cursor:\n"
        "    cursor.execute(\"INSERT INTO t VALUES (3, 'three')\")\n"
        "raw = op.get_bind().engine.raw_connection()\n"
        "raw.cursor().execute(\"INSERT INTO t VALUES (4, 'four')\")\nraw.commit()\nraw.close()",
    )
    project.upgrade()
    assert project.rows("SELECT id FROM t ORDER BY id") == [(1,), (3,), (4,)]


def test_nothing_is_guarded_without_the_line_in_env(cockroach_database: CockroachDatabase, tmp_path: Path) -> None:
    plain = Project(tmp_path, cockroach_database.url_for("psycopg2"))
    plain.revision("a", "op.create_table('t', sa.Column('id', sa.BigInteger, primary_key=True))", "op.drop_table('t')")
    command.upgrade(Config(str(plain.folder / "alembic.ini")), "head")
    plain.downgrade("base")
    assert plain.versions() == []


def test_an_autogenerated_revision_says_what_it_loses(project: Project) -> None:
    project.models(
        "import sqlalchemy as sa\nmetadata = sa.MetaData()\n"
        "sa.Table('t', metadata, sa.Column('id', sa.BigInteger, primary_key=True))\n"
    )
    text = project.autogenerate("c")
    warning = "# WARNING: drop column t.n: all values of the column are deleted."
    assert warning in text
    assert "allow_destructive = True" in text
    assert text.index(warning) < text.index("op.drop_column('t', 'n')")

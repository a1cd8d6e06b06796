"""alembic_cql.heads: the version table on a real server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from alembic_cluster.errors import ConfigurationError, HeadsMoved, OutcomeUnknown, StatementFailed
from alembic_cql import dbapi
from alembic_cql.heads import HeadMove, heads_table
from tests.cql.project import Project
from tests.servers.fixtures import CassandraKeyspace


def table(name: str) -> str:
    return f"op.create_table({name!r}, sa.Column('id', sa.Integer, primary_key=True))"


def three_branches(project: Project) -> None:
    project.revision("root", table("root"))
    for name in ("a", "b", "c"):
        project.revision(name, table(f"t_{name}"), f"op.drop_table('t_{name}')", down="root")
    project.upgrade()


def test_a_head_moves_along_and_back(project: Project) -> None:
    project.revision("a", table("one"), "op.drop_table('one')")
    project.revision("b", table("two"), "op.drop_table('two')")
    project.upgrade("a")
    assert project.heads() == {"a"}
    project.upgrade()
    assert project.heads() == {"b"}
    project.downgrade("-1")
    assert project.heads() == {"a"}
    project.downgrade("base")
    assert project.heads() == set()
    assert project.tables() == set()
    project.upgrade()
    assert project.heads() == {"b"}
    assert "b (head)" in project.run("current")


def test_branches_have_a_head_each_until_they_merge(project: Project) -> None:
    three_branches(project)
    assert project.heads() == {"a", "b", "c"}
    assert all(f"{name} (head)" in project.run("current") for name in ("a", "b", "c"))
    project.run("merge", ["a", "b", "c"], rev_id="m")
    project.upgrade()
    assert project.heads() == {"m"}
    project.downgrade("a")
    assert project.heads() == {"a", "b", "c"}
    project.downgrade("base")
    assert project.heads() == set()


def test_a_merge_moves_all_its_heads_or_none(project: Project) -> None:
    three_branches(project)
    project.run("merge", ["a", "b", "c"], rev_id="m")
    (file,) = project.versions.glob("m_*.py")
    taken = "DELETE FROM alembic_version WHERE scope = 'heads' AND version_num = 'c' IF EXISTS"
    file.write_text(file.read_text().replace("    pass", f"    op.execute({taken!r})", 1))
    with pytest.raises(HeadsMoved):
        project.upgrade()
    assert project.heads() == {"a", "b"}


def test_one_branch_goes_back_alone(project: Project) -> None:
    three_branches(project)
    project.downgrade("b@-1")
    assert project.heads() == {"a", "c"}
    project.upgrade()
    assert project.heads() == {"a", "b", "c"}


def test_heads_that_another_process_moved_are_left_alone(project: Project) -> None:
    other = "INSERT INTO alembic_version (scope, version_num) VALUES ('heads', '{}') IF NOT EXISTS"
    project.revision("a", f"op.execute({other.format('a')!r})\n{table('one')}")
    with pytest.raises(HeadsMoved, match=r"another process migrated.*were applied.*'alembic current'"):
        project.upgrade()
    assert project.heads() == {"a"}
    moved = "DELETE FROM alembic_version WHERE scope = 'heads' AND version_num = 'a' IF EXISTS"
    project.revision("b", f"op.execute({moved!r})\nop.execute({other.format('z')!r})")
    with pytest.raises(HeadsMoved):
        project.upgrade()
    assert project.heads() == {"z"}


def test_two_runs_that_read_the_same_heads_move_them_once(project: Project) -> None:
    """Alembic's own API, without an environment."""
    project.revision("a", "pass")
    project.revision("b", "pass")
    project.upgrade("a")
    script = ScriptDirectory.from_config(project.config())
    engine = sa.create_engine(project.keyspace.url, poolclass=sa.NullPool)
    with engine.connect() as first, engine.connect() as second:
        contexts = [MigrationContext.configure(connection) for connection in (first, second)]
        assert [context.get_current_revision() for context in contexts] == ["a", "a"]
        move = HeadMove("alembic_version", added=("b",), removed=("a",))
        move.apply(first)
        with pytest.raises(HeadsMoved):
            move.apply(second)
        contexts[1].stamp(script, "base")
    assert project.heads() == set()


def interrupted(monkeypatch: pytest.MonkeyPatch, times: int, send: bool, reads: int = 0) -> Callable[[], int]:
    """Have the first answers to a move of heads not come, and those to the first reads of them; count the moves."""
    execute = dbapi.Cursor.execute
    left = {"moves": times, "reads": reads}
    sent: list[str] = []

    def flaky(cursor: Any, operation: str, *args: Any, **kw: Any) -> None:
        moves = operation.startswith(("INSERT INTO alembic_version", "BEGIN BATCH"))
        is_read = operation.startswith("SELECT version_num") and bool(sent)
        sent.extend([operation] if moves else [])
        kind = "moves" if moves else "reads"
        if (moves or is_read) and left[kind] > 0:
            left[kind] -= 1
            if send:
                execute(cursor, operation, *args, **kw)
            raise dbapi.OperationalError("timed out on purpose")
        execute(cursor, operation, *args, **kw)

    monkeypatch.setattr(dbapi.Cursor, "execute", flaky)
    return lambda: len(sent)


def test_a_move_without_an_answer_that_was_applied_counts(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.revision("a", "pass")
    project.revision("b", "pass")
    moves = interrupted(monkeypatch, times=2, send=True)
    project.upgrade()
    assert project.heads() == {"b"}
    assert moves() == 2


def test_a_move_without_an_answer_that_was_not_applied_is_sent_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.revision("a", "pass")
    project.revision("b", "pass")
    moves = interrupted(monkeypatch, times=2, send=False)
    project.upgrade()
    assert project.heads() == {"b"}
    assert moves() == 4


def test_a_move_that_never_gets_through_is_an_error(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.revision("a", table("one"))
    interrupted(monkeypatch, times=9, send=False)
    with pytest.raises(StatementFailed, match="timed out on purpose"):
        project.upgrade()
    monkeypatch.undo()
    assert project.heads() == set()


def test_a_move_of_which_nobody_knows_says_so(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.revision("a", table("one"))
    interrupted(monkeypatch, times=1, send=True, reads=1)
    with pytest.raises(OutcomeUnknown, match=r"did not say.*were applied.*'alembic current'.*'alembic stamp'"):
        project.upgrade()
    monkeypatch.undo()
    assert "a (head)" in project.run("current")


def test_stamp_and_purge(project: Project) -> None:
    three_branches(project)
    project.run("stamp", "root")
    assert project.heads() == {"root"}
    project.run("stamp", ["a", "b"])
    assert project.heads() == {"a", "b"}
    project.keyspace.execute("INSERT INTO alembic_version (scope, version_num) VALUES ('heads', 'gone') IF NOT EXISTS")
    project.run("stamp", "c", purge=True)
    assert project.heads() == {"c"}
    project.run("stamp", "base")
    assert project.heads() == set()
    project.run("stamp", "heads", purge=True)
    assert project.heads() == {"a", "b", "c"}


def test_the_version_table_may_have_another_name(project: Project) -> None:
    project.configure("version_table='OurVersions'")
    project.revision("a", table("one"), "op.drop_table('one')")
    project.revision("b", "pass")
    project.upgrade()
    rows = project.keyspace.execute('SELECT version_num FROM "OurVersions"')
    assert {row[0] for row in rows} == {"b"}
    project.models("sa.Table('one', metadata, sa.Column('id', sa.Integer, primary_key=True))")
    assert project.is_clean()
    project.downgrade("base")
    assert project.tables() == {"OurVersions"}
    project.run("stamp", "b", purge=True)
    assert "b (head)" in project.run("current")


def test_the_version_table_may_lie_in_another_keyspace(project: Project, cassandra_session: Any) -> None:
    other = f"{project.keyspace.name}_v"
    cassandra_session.execute(
        f"CREATE KEYSPACE {other} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}"
    )
    try:
        project.configure(f"version_table_schema={other!r}")
        project.revision("a", table("one"), "op.drop_table('one')")
        project.revision("b", "pass")
        project.upgrade()
        assert {row[0] for row in cassandra_session.execute(f"SELECT version_num FROM {other}.alembic_version")} == {
            "b"
        }
        assert project.tables() == {"one"}
        assert "b (head)" in project.run("current")
        assert f"{other}.alembic_version" in project.upgrade("a:b", sql=True)
        project.downgrade("base")
        assert not [
            row for row in cassandra_session.execute(f"SELECT version_num FROM {other}.alembic_version") if row[0]
        ]
    finally:
        cassandra_session.execute(f"DROP KEYSPACE {other}")


@pytest.mark.parametrize(
    "command", [("current",), ("upgrade", "head"), ("stamp", "a"), ("revision", "-m", "x", "--autogenerate")]
)
def test_a_table_of_that_name_that_is_not_ours_is_refused(project: Project, command: tuple[str, ...]) -> None:
    project.revision("a", table("one"))
    project.keyspace.execute("CREATE TABLE alembic_version (version_num text PRIMARY KEY)")
    project.keyspace.execute("INSERT INTO alembic_version (version_num) VALUES ('old')")
    options: dict[str, Any] = {"autogenerate": True} if command[0] == "revision" else {}
    with pytest.raises(
        ConfigurationError, match=r"alembic_version is not a version table of ours.*version_num.*nothing"
    ):
        project.run(command[0], *command[1:2] if command[0] != "revision" else ("x",), **options)
    assert project.tables() == set()
    assert [row[0] for row in project.keyspace.execute("SELECT version_num FROM alembic_version")] == ["old"]


def test_a_keyspace_with_tables_and_no_versions_is_upgraded(project: Project) -> None:
    project.keyspace.execute("CREATE TABLE before (id int PRIMARY KEY)")
    project.revision("a", table("one"))
    assert project.run("current").strip() == ""
    project.upgrade()
    assert project.tables() == {"before", "one"}
    assert project.heads() == {"a"}


def test_racing_creators_of_the_version_table_make_one_table(cassandra_keyspace: CassandraKeyspace) -> None:
    """The id hangs on the names, so a second creator makes the same table."""
    made = heads_table("alembic_version", None, cassandra_keyspace.name)
    again = heads_table("alembic_version", None, cassandra_keyspace.name)
    elsewhere = heads_table("alembic_version", None, "other")
    assert made.kwargs["cql_id"] == again.kwargs["cql_id"] != elsewhere.kwargs["cql_id"]
    engine = sa.create_engine(cassandra_keyspace.url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        made.create(connection)
        again.create(connection, checkfirst=False)
    rows = cassandra_keyspace.execute(
        f"SELECT id FROM system_schema.tables WHERE keyspace_name = '{cassandra_keyspace.name}'"
    )
    assert [row[0] for row in rows] == [made.kwargs["cql_id"]]


def test_a_version_table_that_is_only_being_made_is_waited_for(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.revision("a", "pass")
    project.upgrade()
    execute = dbapi.Cursor.execute
    refusals: list[Exception] = [
        dbapi.ProgrammingError("table alembic_version does not exist"),
        dbapi.ProgrammingError("unconfigured table alembic_version"),
        dbapi.InternalError("java.lang.IllegalArgumentException: Unknown CF b6b6c7a1-9fb6-5183-a3e1-4a4faf1b5377"),
    ]

    def early(cursor: Any, operation: str, *args: Any, **kw: Any) -> None:
        if operation.startswith("SELECT version_num") and refusals:
            raise refusals.pop()
        execute(cursor, operation, *args, **kw)

    monkeypatch.setattr(dbapi.Cursor, "execute", early)
    assert "a (head)" in project.run("current")
    assert refusals == []

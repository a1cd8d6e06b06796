"""Revisions that were edited, half-applied, or are to be decided about by hand, on Cassandra."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from alembic_cluster.errors import ChangedRevision, EditedRevision, OutcomeUnknown, StatementFailed, UnfinishedRevision
from alembic_cql.impl import CqlImpl
from tests.cql.runs import LockedProject
from tests.servers.fixtures import CassandraKeyspace

CLUSTER = ("-c", "from alembic_cluster.cli import main; main()")


@pytest.fixture
def project(tmp_path: Path, cassandra_keyspace: CassandraKeyspace) -> LockedProject:
    return LockedProject(tmp_path, cassandra_keyspace)


def creates(*names: str) -> str:
    return "\n".join(f"op.execute('CREATE TABLE {name} (a int PRIMARY KEY)')" for name in names)


def test_an_edited_revision(project: LockedProject) -> None:
    file = project.revision("a", creates("a"), "op.drop_table('a')")
    project.upgrade()
    applied = file.read_text()
    file.write_text(applied.replace("\n", "\r\n"))
    project.upgrade()  # as a checkout on Windows has it
    file.write_text(applied.replace("def downgrade", "# later\ndef downgrade"))
    with pytest.raises(EditedRevision) as refused:  # although there is nothing to do
        project.upgrade()
    assert "Revision a was edited after it was applied at 20" in str(refused.value)
    assert "    +# later" in str(refused.value)
    project.revision("b", creates("b"), "op.drop_table('b')")
    project.cli("upgrade", "head", expect=None)
    assert project.heads() == {"a"}
    project.upgrade_with(allow_edited=True)
    assert project.heads() == {"b"}
    with pytest.raises(EditedRevision):
        project.upgrade()
    assert "Revision a is recorded" in project.cli("repair", program=CLUSTER)
    project.upgrade()
    project.downgrade("base")
    file.write_text(applied)
    project.upgrade("a")  # one that is not applied may be edited


def test_a_half_applied_revision_that_is_edited(project: LockedProject) -> None:
    file = project.revision("a", creates("a", "b", "c", "d"))
    written = file.read_text()
    project.dies("upgrade", "head", at="before:3")
    for edited in (
        written.replace("TABLE d (a int", "TABLE d (a text"),  # what is to come
        written.replace("TABLE a (a int", "TABLE a (a text"),  # what is applied
        written.replace("op.execute('CREATE TABLE b (a int PRIMARY KEY)')", "pass"),
    ):
        file.write_text(edited)
        with pytest.raises(ChangedRevision) as refused:
            project.upgrade()
        assert "1. CREATE TABLE a (a int PRIMARY KEY);\n    2. CREATE TABLE b" in str(refused.value)
        assert "TABLE c" not in str(refused.value).partition("Applied of it")[2].replace("    3. CREATE TABLE c", "")
        assert project.tables() & {"a", "b", "c", "d"} == {"a", "b"}
    file.write_text("# another comment\n" + written.replace("TABLE d (a int", "TABLE d (a text"))
    project.cli("upgrade", "head", "--allow-edited", program=CLUSTER)
    assert project.heads() == {"a"}
    query = "SELECT type FROM system_schema.columns WHERE keyspace_name = %s AND table_name = 'd'"
    assert [kind for (kind,) in project.keyspace.execute(query, [project.keyspace.name])] == ["text"]


def test_a_comment_is_no_other_revision(project: LockedProject) -> None:
    file = project.revision("a", creates("a", "b"))
    project.dies("upgrade", "head", at="after:1")
    file.write_text("# a comment\n" + file.read_text())
    project.upgrade()
    assert project.heads() == {"a"}


def test_a_refused_statement_is_mended(project: LockedProject) -> None:
    file = project.revision("a", creates("a") + "\nop.execute('CREATE TABLE b (a nonsense PRIMARY KEY)')")
    with pytest.raises(StatementFailed, match="goes on behind what is applied"):
        project.upgrade()
    file.write_text(file.read_text().replace("nonsense", "int"))
    project.upgrade()
    assert project.heads() == {"a"}
    assert {"a", "b"} <= project.tables()


def test_a_revision_that_looks_before_it_acts(project: LockedProject) -> None:
    project.revision(
        "a",
        "for name in 'abc':\n"
        "    if not sa.inspect(op.get_bind()).has_table(name):\n"
        "        op.execute(f'CREATE TABLE {name} (a int PRIMARY KEY)')",
    )
    project.dies("upgrade", "head", at="before:3")
    project.upgrade()
    assert project.heads() == {"a"}
    assert {"a", "b", "c"} <= project.tables()


def test_another_revision_comes_after_the_half_applied_one(project: LockedProject) -> None:
    project.revision("a", creates("a"), "op.drop_table('a')")
    project.revision("b", creates("b1", "b2"))
    project.dies("upgrade", "head", at="after:2")
    with pytest.raises(UnfinishedRevision, match="'alembic upgrade b'"):
        project.downgrade("base")
    with pytest.raises(UnfinishedRevision, match="'alembic upgrade b'"):
        project.upgrade("a")  # which has nothing to do
    assert project.run("current") == "a\n"
    project.keyspace.execute("DROP TABLE b1")
    project.cli("repair", "--forget", program=CLUSTER)
    project.downgrade("base")
    assert project.heads() == set()


def test_a_statement_that_lands_after_it_was_looked_for(
    project: LockedProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.revision("a", creates("a", "b"))
    project.dies("upgrade", "head", at="during:1", DIE_AFTER="1")
    answers = iter([False])
    look = CqlImpl.was_applied
    monkeypatch.setattr(CqlImpl, "was_applied", lambda self, statement: next(answers, look(self, statement)))
    project.upgrade()
    assert project.heads() == {"a"}


def test_repair_by_a_clock_that_is_behind(project: LockedProject) -> None:
    file = project.revision("a", creates("a"))
    project.upgrade()
    project.keyspace.execute(
        "UPDATE alembic_cluster_history USING TIMESTAMP 4000000000000000 SET checksum = 'x' "
        "WHERE scope = 'alembic_version' AND fence = 1 AND step = 1"
    )
    with pytest.raises(EditedRevision):
        project.upgrade()
    file.write_text(file.read_text() + "# more\n")
    project.cli("repair", program=CLUSTER)
    project.upgrade()


def test_what_no_catalog_tells_is_asked_for(project: LockedProject) -> None:
    project.keyspace.execute("CREATE TABLE hits (page text PRIMARY KEY, n counter)")
    project.revision("a", "op.execute(\"UPDATE hits SET n = n + 1 WHERE page = 'x'\")\n" + creates("a"))
    project.dies("upgrade", "head", at="during:1", DIE_AFTER="0.5")
    with pytest.raises(OutcomeUnknown, match="repair --applied"):
        project.upgrade()
    project.cli("repair", "--applied", program=CLUSTER)
    project.upgrade()
    assert project.heads() == {"a"}
    assert [n for (n,) in project.keyspace.execute("SELECT n FROM hits")] == [1]


def test_unlock(project: LockedProject) -> None:
    assert "Nobody holds" in project.cli("unlock", program=CLUSTER)
    project.revision("a", creates("a", "b"))
    holder = project.process("-x", "lock_ttl=300", "upgrade", "head", DIE="stop:2")
    os.waitpid(holder.pid, os.WUNTRACED)
    try:
        assert f"held by process {holder.pid}" in project.cli("unlock", program=CLUSTER, expect=75)
        assert "taken away" in project.cli("unlock", "--force", program=CLUSTER)
        project.upgrade()
        assert project.heads() == {"a"}
        os.kill(holder.pid, signal.SIGCONT)
        output, _ = holder.communicate(timeout=120)
        assert holder.returncode != 0
        assert project.history() == [("a", "upgrade")], output
    finally:
        holder.kill()
        holder.communicate()


def test_stamp_and_other_commands(project: LockedProject) -> None:
    project.revision("a", creates("a"))
    project.revision("b", creates("b"))
    project.run("stamp", "a")
    assert project.heads() == {"a"}
    project.run("stamp", "b", purge=True)
    assert project.heads() == {"b"}
    assert "b (head)" in project.run("current")
    assert "CREATE TABLE a" in project.run("upgrade", "base:head", sql=True)
    project.run("stamp", "base")
    project.upgrade()
    assert project.history() == [("a", "upgrade"), ("b", "upgrade")]

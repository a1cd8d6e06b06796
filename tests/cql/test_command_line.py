"""Alembic's own commands, as their own processes, with an environment that nobody touched."""

from __future__ import annotations

import itertools
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.cql.project import IMPORTS, Project, body
from tests.servers.fixtures import CassandraKeyspace

MODEL = 'sa.Table("t", metadata, sa.Column("id", sa.Uuid, primary_key=True), sa.Column("v", sa.Text){})'
CLUSTER = shutil.which("alembic-cluster", path=str(Path(sys.executable).parent)) or "alembic-cluster"


@pytest.fixture
def untouched(tmp_path: Path, cassandra_keyspace: CassandraKeyspace) -> Project:
    """What ``alembic init`` writes, with the URL and ``target_metadata`` filled in."""
    project = Project(tmp_path, cassandra_keyspace)
    project.edit("migrations/env.py", r"(?m)^target_metadata = None$", "from models import metadata as target_metadata")
    return project


def write_models(project: Project, source: str) -> None:
    (project.folder / "models.py").write_text(f"{IMPORTS}metadata = sa.MetaData()\n{source}\n")


def test_the_main_job(untouched: Project) -> None:
    programs = itertools.cycle([("-m", "alembic"), (CLUSTER,)])  # either does what the other began

    def cli(*arguments: str, expect: int | None = 0) -> str:
        return untouched.cli(*arguments, expect=expect, program=next(programs))

    write_models(untouched, MODEL.format(""))
    cli("revision", "--autogenerate", "-m", "first", "--rev-id", "a")
    assert "not up to date" in cli("check", expect=None)
    cli("upgrade", "head")
    assert untouched.tables() == {"t"}
    assert "a (head)" in cli("current")
    assert "No new upgrade operations detected" in cli("check")
    write_models(untouched, MODEL.format(', sa.Column("w", sa.Integer)'))
    assert re.search(r"add_column", cli("check", expect=None))
    cli("revision", "--autogenerate", "-m", "second", "--rev-id", "b")
    (file,) = untouched.versions.glob("b_*.py")
    assert body(file.read_text(), "upgrade").startswith("op.add_column('t'")
    cli("upgrade", "+1")
    cli("downgrade", "-1")
    assert "a" in cli("current")
    cli("upgrade", "head")
    cli("check")
    history = cli("history")
    assert "a -> b (head), second" in history
    assert "<base> -> a, first" in history
    assert "b (head)" in cli("heads")
    cli("downgrade", "base")
    assert untouched.tables() == set()
    assert untouched.heads() == set()


def test_branches(untouched: Project) -> None:
    cli = untouched.cli
    write_models(untouched, "")
    cli("revision", "-m", "root", "--rev-id", "r")
    cli("revision", "-m", "one", "--rev-id", "a", "--head", "r")
    cli("revision", "-m", "two", "--rev-id", "b", "--head", "r", "--splice")
    assert "r (branchpoint)" in cli("branches")
    assert "Multiple head revisions" in cli("upgrade", "head", expect=None)
    cli("upgrade", "heads")
    assert untouched.heads() == {"a", "b"}
    cli("merge", "-m", "together", "--rev-id", "m", "heads")
    cli("upgrade", "head")
    assert untouched.heads() == {"m"}
    cli("stamp", "a")
    assert untouched.heads() == {"a"}
    cli("stamp", "--purge", "m")
    assert untouched.heads() == {"m"}
    assert "m (head) (mergepoint)" in cli("current", "--verbose").replace("Rev: ", "") or "m (head)" in cli("current")


def test_the_installed_command_names_itself(untouched: Project) -> None:
    output = untouched.cli("--help", program=(CLUSTER,))
    assert "usage: alembic-cluster" in output
    assert "downgrade" in output


def test_two_processes_that_race_for_the_version_table_make_one(untouched: Project) -> None:
    write_models(untouched, "")
    racers = [untouched.start("upgrade", "heads") for _ in range(3)]
    outputs = [racer.communicate(timeout=120)[0] for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0, 0], "\n".join(outputs)
    keyspace = untouched.keyspace
    keyspace.execute("INSERT INTO alembic_version (scope, version_num) VALUES ('heads', 'x') IF NOT EXISTS")
    assert untouched.heads() == {"x"}

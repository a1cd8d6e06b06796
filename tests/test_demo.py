"""The demo: it does its job, it fails when a step goes wrong, and it leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

import pytest

from tests.servers.cache import CACHE, PROJECT
from tests.servers.cassandra import CassandraCluster
from tests.servers.cockroach import CockroachCluster
from tests.servers.keeper import start_time

OWN = CACHE / "demo"
COMMAND = [sys.executable, "-m", "scripts.demo"]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A fresh home folder, which must stay empty; so must the demo's own folder."""
    folder = tmp_path / "home"
    folder.mkdir()
    before = set(OWN.glob("*"))
    yield folder
    assert list(folder.iterdir()) == []
    deadline = time.monotonic() + 60  # after SIGKILL another process tidies up
    while set(OWN.glob("*")) - before and time.monotonic() < deadline:
        time.sleep(0.1)
    assert set(OWN.glob("*")) - before == set()


def environment(home: Path, **changes: str) -> dict[str, str]:
    """Give ours without what names servers, with the changes."""
    names = ("CASSANDRA_HOSTS", "COCKROACH_URL", "COLUMNS", "TERM", "PYTHONPATH")
    kept = {name: value for name, value in os.environ.items() if name not in names}
    return {**kept, "HOME": str(home), **changes}


def on_cassandra(cluster: CassandraCluster) -> dict[str, str]:
    return {"CASSANDRA_HOSTS": f"{','.join(cluster.hosts)}:{cluster.port}"}


def run(*arguments: str, env: Mapping[str, str]) -> tuple[int, str]:
    """Run the demo without a terminal; gives its status and what it wrote."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        cwd=PROJECT,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=280,
    )
    return done.returncode, done.stdout


def test_on_cassandra(cassandra: CassandraCluster, cassandra_session: object, home: Path) -> None:
    status, said = run("cassandra", env=environment(home, **on_cassandra(cassandra)))
    assert status == 0, said
    for words in (
        "upgrade head",
        "│ id      │ timeuuid           │ clustering DESC │",
        "+    branch: Mapped[str | None]",
        "op.add_column('events', sa.Column('branch', sa.Text(), nullable=True, cql_static=True))",
        "│ + branch │ text               │ static          │",
        "+ default_time_to_live = 15552000",
        "No new upgrade operations detected.",
        "downgrade -1",
        "Every step did what it should",
    ):
        assert words in said
    keyspaces = cassandra_session.execute("SELECT keyspace_name FROM system_schema.keyspaces")  # type: ignore[attr-defined]
    assert [row.keyspace_name for row in keyspaces if row.keyspace_name.startswith("demo_")] == []


def test_on_cockroachdb(cockroach: CockroachCluster, home: Path) -> None:
    status, said = run("cockroachdb", env=environment(home, COCKROACH_URL=cockroach.url()))
    assert status == 0, said
    for words in (
        "│ overdrawn │ BOOLEAN",
        "op.add_column('accounts', sa.Column('note', sa.String(length=200), nullable=True))",
        "│ + note    │ VARCHAR(200)",
        "+ index ix_accounts_opened_at (opened_at)",
        "Every step did what it should",
    ):
        assert words in said
    databases = [str(row[0]) for row in cockroach.execute("SHOW DATABASES")]
    assert [name for name in databases if name.startswith("demo_")] == []


def test_without_a_cockroachdb_it_shows_the_script_and_says_why(home: Path, tmp_path: Path) -> None:
    empty = tmp_path / "no-programs"
    empty.mkdir()
    status, said = run("cockroachdb", env=environment(home, PATH=str(empty)))
    assert status == 0, said
    (why,) = [line for line in said.splitlines() if line.startswith("So here is the script")]
    assert "no cockroach on PATH" in why
    for words in (
        "CREATE TABLE accounts (",
        "ADD COLUMN overdrawn BOOL",
        "ADD COLUMN note VARCHAR(200)",
        "DROP INDEX accounts@ix_accounts_opened_at;",
        "DROP TABLE accounts;",
    ):
        assert words in said


def test_a_step_that_goes_wrong_is_seen(cassandra: CassandraCluster, home: Path, tmp_path: Path) -> None:
    sabotage = "from alembic.operations import ops\nops.CreateIndexOp.reverse = lambda self: self"
    (tmp_path / "sitecustomize.py").write_text(sabotage)
    status, said = run("cassandra", env=environment(home, PYTHONPATH=str(tmp_path), **on_cassandra(cassandra)))
    assert status == 1, said
    last = " ".join(said.partition("Not as it should be:")[2].split())
    assert "downgrade() lacks op.drop_index" in last


def test_an_unreachable_cassandra_is_one_line(home: Path) -> None:
    status, said = run("cassandra", env=environment(home, CASSANDRA_HOSTS="127.0.0.1:1"))
    assert status == 69
    assert said.splitlines()[-1] == "No server: nothing listens at 127.0.0.1:1, which CASSANDRA_HOSTS names"


def test_an_unknown_database_is_refused(home: Path) -> None:
    status, said = run("oracle", env=environment(home))
    assert status == 2
    assert "oracle" in said


def _children(pid: int) -> set[int]:
    """Give all descendants of a process, by what the kernel says."""
    found: set[int] = set()
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(folder.name))
    waiting = [pid]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found.update(children)
        waiting.extend(children)
    return found


def _read_until(words: str, output: IO[str]) -> str:
    said = ""
    for line in output:
        said += line
        if words in line:
            return said
    pytest.fail(f"the demo ended before it said {words!r}:\n{said}")


@pytest.mark.parametrize(
    ("number", "whole_group"),
    [(signal.SIGINT, True), (signal.SIGKILL, False)],
    ids=["Ctrl-C", "SIGKILL"],
)
def test_a_signal_in_the_middle_leaves_nothing(number: signal.Signals, whole_group: bool, home: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "cassandra"],
        cwd=PROJECT,
        env=environment(home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    with process, process.stdout as output:
        try:
            _read_until("upgrade head", output)
            started = {pid: start_time(pid) for pid in _children(process.pid)}
            assert started, "Cassandra should be among the demo's processes"
            if whole_group:
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)
            output.read()
            status = process.wait(60)
        finally:
            process.kill()
    assert status == (-number if number is signal.SIGKILL else 128 + number)
    deadline = time.monotonic() + 60  # after SIGKILL others tidy up
    left = set(started)
    while left and time.monotonic() < deadline:
        left = {pid for pid in left if started[pid] and start_time(pid) == started[pid]}
        time.sleep(0.1)
    assert left == set()

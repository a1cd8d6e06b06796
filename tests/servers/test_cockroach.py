"""CockroachDB really starts, stops, dies, freezes and comes back; or the reason is given."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.servers import cockroach as module
from tests.servers import keeper
from tests.servers.cockroach import (
    CockroachCluster,
    CockroachNode,
    ExternalCockroach,
    cockroach_from_environment,
)
from tests.servers.errors import NoServer, NotOurServer, ServerDidNotStart
from tests.servers.fixtures import CockroachDatabase

needs_program = pytest.mark.skipif(shutil.which("cockroach") is None, reason="no cockroach on PATH")


def test_each_test_has_a_database_of_its_own(cockroach_database: CockroachDatabase) -> None:
    cockroach_database.execute("CREATE TABLE t (id INT PRIMARY KEY)")
    assert cockroach_database.execute("SELECT count(*) FROM t") == [(0,)]
    assert cockroach_database.execute("SELECT current_database()") == [(cockroach_database.name,)]


@pytest.mark.parametrize("driver", ["psycopg2", "psycopg"])
def test_the_url_is_sqlalchemys(cockroach_database: CockroachDatabase, driver: str) -> None:
    engine = create_engine(cockroach_database.url_for(driver))
    try:
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT current_database()")) == cockroach_database.name
    finally:
        engine.dispose()


def test_three_nodes_lose_one_and_get_it_back(three_cockroach_nodes: CockroachCluster) -> None:
    cluster = three_cockroach_nodes
    first, second, third = cluster.nodes
    assert isinstance(second, CockroachNode)
    name = cluster.create_database()
    cluster.execute("CREATE TABLE t (id INT PRIMARY KEY)", name)

    third.kill()
    assert not third.is_running
    cluster.execute("INSERT INTO t VALUES (1)", name, node=1)
    third.restart()
    assert cluster.execute("SELECT id FROM t", name, node=2) == [(1,)]

    third.pause()
    assert third.is_paused
    cluster.execute("INSERT INTO t VALUES (2)", name, node=0)
    third.resume()
    assert not third.is_paused
    assert cluster.execute("SELECT id FROM t ORDER BY id", name, node=2) == [(1,), (2,)]

    old = second.pid
    second.stop()
    assert not second.is_running
    assert not keeper.start_time(old)
    second.start()
    assert cluster.execute("SELECT count(*) FROM t", name, node=1) == [(2,)]
    assert first.is_running


@needs_program
def test_nothing_is_left_of_a_cluster() -> None:
    before = set(Path(tempfile.gettempdir()).glob("cockroach-*"))
    with CockroachCluster.start() as cluster:
        pid = cluster.nodes[0].pid
        cluster.create_database()
        cluster.nodes[0].restart()
        databases = [row[0] for row in cluster.execute("SHOW DATABASES")]
        assert sorted(databases) == ["defaultdb", "postgres", "system"], "in memory: empty after a restart"
    assert not keeper.start_time(pid)
    assert set(Path(tempfile.gettempdir()).glob("cockroach-*")) == before


def _program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(script)
    (folder / name).chmod(stat.S_IRWXU)


def test_a_server_that_cannot_start_says_why_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _program(tmp_path / "programs", "cockroach", "#!/bin/sh\necho cannot read the store\nexit 1\n")
    monkeypatch.setenv("PATH", f"{tmp_path / 'programs'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(ServerDidNotStart, match=r"(?s)CockroachDB node 1.*ended before.*cannot read the store"):
        CockroachCluster.start()
    assert list(tmp_path.glob("cockroach-*")) == []


def test_without_any_server_the_reason_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COCKROACH_URL", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoServer) as caught:
        cockroach_from_environment()
    reason = str(caught.value)
    assert "\n" not in reason
    assert all(word in reason for word in ("COCKROACH_URL", "PATH", "Docker"))


def test_an_engine_that_does_not_answer_is_no_docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _program(tmp_path, "docker", "#!/bin/sh\nexit 1\n")
    monkeypatch.delenv("COCKROACH_URL", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoServer):
        cockroach_from_environment()


# Stands in for Docker's own program: each container is a process in a folder.
_DOCKER = """#!{python}
import os, pathlib, signal, subprocess, sys, time
state = pathlib.Path({state!r})
command, *rest = sys.argv[1:]
(state / "calls").open("a").write(" ".join(sys.argv[1:]) + "\\n")
name = rest[-1]
pid = lambda: int((state / name / "pid").read_text())
def running():
    try:
        return pathlib.Path(f"/proc/{{pid()}}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    except OSError:
        return False
def ended():
    while running():
        time.sleep(0.02)
def create():
    at = rest.index("--name")
    folder = state / rest[at + 1]
    folder.mkdir()
    program = next(i for i, word in enumerate(rest) if word.startswith("start"))
    (folder / "arguments").write_text("\\0".join(rest[program:]))
    (folder / "environment").write_text("\\0".join(word[6:] for word in rest if word.startswith("--env=")))
def start():
    folder = state / name
    words = (folder / "arguments").read_text().split("\\0")
    added = (folder / "environment").read_text().split("\\0")
    environment = {{**os.environ, **dict(word.split("=", 1) for word in added)}}
    with open(folder / "log", "ab") as log:
        child = subprocess.Popen([{cockroach!r}, *words, f"--temp-dir={{folder}}"], cwd=folder, stdout=log,
                                 stderr=log, start_new_session=True, env=environment)
    (folder / "pid").write_text(str(child.pid))
def inspect():
    print(pid() if "Pid" in rest[1] else str(running()).lower())
def logs():
    print((state / name / "log").read_text())
def rm():
    os.kill(pid(), signal.SIGKILL)
    ended()
    (state / name / "removed").touch()
def stop():
    os.kill(pid(), signal.SIGTERM)
    ended()
def kill():
    os.kill(pid(), signal.SIGKILL)
    ended()
def pause():
    os.kill(pid(), signal.SIGSTOP)
def unpause():
    os.kill(pid(), signal.SIGCONT)
def exec():
    subprocess.run([{cockroach!r}, *rest[2:]], check=True)
def info():
    print("27.0")
globals()[command]()
"""


@needs_program
def test_docker_is_used_where_its_engine_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = 3
    cockroach = str(shutil.which("cockroach"))
    state = tmp_path / "state"
    state.mkdir()
    script = _DOCKER.format(python=sys.executable, state=str(state), cockroach=cockroach)
    _program(tmp_path / "programs", "docker", script)
    monkeypatch.setenv("PATH", str(tmp_path / "programs"))
    monkeypatch.setenv("COCKROACH_IMAGE", "registry/cockroach:of-ours")
    with CockroachCluster.start(nodes) as cluster:
        assert cluster.execute("SELECT 1") == [(1,)]
        node = cluster.nodes[-1]
        node.pause()
        assert node.is_paused
        node.resume()
        node.kill()
        assert not node.is_running
        node.restart()
        node.stop()
        assert not node.is_running
        cluster.heal()
        assert node.is_running
        pids = [node.pid for node in cluster.nodes]
    assert not any(keeper.start_time(pid) for pid in pids)
    assert len(list(state.glob("*/removed"))) == nodes
    created = next(line for line in (state / "calls").read_text().splitlines() if line.startswith("create"))
    assert " --network host " in created
    assert " registry/cockroach:of-ours start" in created


def test_cockroach_url_names_a_server_that_is_not_ours(
    cockroach: CockroachCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COCKROACH_URL", cockroach.url().replace("cockroachdb+psycopg2", "postgresql"))
    with cockroach_from_environment() as external:
        assert isinstance(external, ExternalCockroach)
        assert external.url("x") == cockroach.url("x")
        name = external.create_database()
        assert external.execute("SELECT current_database()", name) == [(name,)]
        external.drop_database(name)
        node = external.nodes[0]
        for control in (node.stop, node.kill, node.pause, node.resume, node.restart):
            with pytest.raises(NotOurServer, match="COCKROACH_URL"):
                control()
    assert cockroach.nodes[0].is_running


@pytest.mark.parametrize("url", ["nonsense", "postgresql:///db", "postgresql://root@127.0.0.1:1/db"])
def test_a_cockroach_url_without_a_server_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("COCKROACH_URL", url)
    with pytest.raises(NoServer, match="COCKROACH_URL"):
        cockroach_from_environment()


def test_what_the_program_takes_for_its_own_options_is_kept_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COCKROACH_HOST", "elsewhere")
    assert "COCKROACH_HOST" not in module._environment({})
    assert module._environment({})["PATH"] == os.environ["PATH"]

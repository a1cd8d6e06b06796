"""No server and no folder outlives the test session that made it, however that session ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.servers import keeper
from tests.servers.addresses import accepts_connections, free_common_ports, free_loopback_addresses
from tests.servers.at_end import make_folder, remove_folder
from tests.servers.cache import PROJECT
from tests.servers.errors import ServerDidNotStart
from tests.servers.process import ServerProcess

_SESSION = """
import os, signal, sys, time
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # ignored, and inherited so, where the tests run under nohup
from pathlib import Path
from tests.servers.at_end import make_folder
from tests.servers.process import ServerProcess
folder = make_folder("session-")
server = ServerProcess("a server", ["sleep", "600"], folder / "log", None, folder)
server.start()
if "paused" in sys.argv:
    server.pause()
print(server.pid, folder, flush=True)
sys.stdin.readline()
if "raise" in sys.argv:
    raise RuntimeError("a test that failed")
if "forked" in sys.argv and os.fork() == 0:
    sys.exit()
time.sleep(0 if "exit" in sys.argv else 600)
"""


def _session(*arguments: str) -> tuple[subprocess.Popen[str], int, Path]:
    session = subprocess.Popen(
        [sys.executable, "-c", _SESSION, *arguments],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert session.stdout is not None
    pid, folder = session.stdout.readline().split()
    return session, int(pid), Path(folder)


def _gone(pid: int, folder: Path) -> bool:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if not keeper.start_time(pid) and not folder.exists():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("how", ["exit", "raise"])
def test_a_session_that_ends_takes_its_server_along(how: str) -> None:
    session, pid, folder = _session(how)
    with session:
        assert keeper.start_time(pid)
        assert folder.is_dir()
        session.communicate("go\n", timeout=60)
    assert not keeper.start_time(pid)
    assert not folder.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
@pytest.mark.parametrize("state", ["running", "paused"])
def test_a_session_that_is_killed_takes_its_server_along(number: signal.Signals, state: str) -> None:
    session, pid, folder = _session(state)
    with session:
        session.send_signal(number)
    assert _gone(pid, folder)


def test_a_forked_child_ends_nothing() -> None:
    session, pid, folder = _session("forked")
    with session:
        assert session.stdin is not None
        session.stdin.write("go\n")
        session.stdin.flush()
        time.sleep(1)  # the child ends meanwhile
        assert keeper.start_time(pid)
        assert folder.is_dir()
        session.kill()
    assert _gone(pid, folder)


@pytest.fixture
def sleeper() -> ServerProcess:
    folder = make_folder("sleeper-")
    return ServerProcess("sleeper", ["sleep", "600"], folder / "log", None, folder)


def test_a_server_outlives_the_thread_that_started_it(sleeper: ServerProcess) -> None:
    thread = threading.Thread(target=sleeper.start)
    thread.start()
    thread.join()
    time.sleep(0.2)
    assert sleeper.is_running
    sleeper.kill()
    assert not sleeper.is_running


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]


def test_stop_kill_and_pause(sleeper: ServerProcess) -> None:
    sleeper.start()
    first = sleeper.pid
    sleeper.start()
    assert sleeper.pid == first, "it ran already"
    sleeper.pause()
    assert sleeper.is_paused
    assert _state(first) == "T"
    sleeper.resume()
    assert not sleeper.is_paused
    while _state(first) == "T":
        time.sleep(0.01)
    sleeper.pause()
    sleeper.stop()
    assert not sleeper.is_running
    assert not sleeper.is_paused
    with pytest.raises(ProcessLookupError, match="sleeper does not run"):
        sleeper.pause()
    sleeper.start()
    assert sleeper.pid != first
    sleeper.kill()


def test_stop_kills_what_does_not_listen() -> None:
    folder = make_folder("stubborn-")
    log = folder / "log"
    command = ["sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.1; done"]
    stubborn = ServerProcess("stubborn", command, log, None, folder)
    stubborn.start()
    stubborn.wait_until(lambda: "up" in stubborn.output(), 30)
    stubborn.stop(timeout=0.5)
    assert not stubborn.is_running
    remove_folder(folder)
    assert not folder.exists()


def test_an_early_end_is_told_at_once_with_the_last_lines() -> None:
    folder = make_folder("early-")
    command = ["sh", "-c", "echo line one; echo the port is taken >&2; exit 3"]
    server = ServerProcess("early", command, folder / "log", None, folder)
    server.start()
    with pytest.raises(ServerDidNotStart, match=r"(?s)early ended.*line one\nthe port is taken"):
        server.wait_until(lambda: False, 600)


def test_a_server_that_is_never_ready_is_told_with_the_last_lines(sleeper: ServerProcess) -> None:
    sleeper.start()
    sleeper.log.write_text("still thinking\n")
    with pytest.raises(ServerDidNotStart, match=r"(?s)sleeper was not ready within 0\.2 s.*still thinking"):
        sleeper.wait_until(lambda: False, 0.2)
    sleeper.kill()


def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    server = ServerProcess("nothing", [str(tmp_path / "nothing")], tmp_path / "log", None, tmp_path)
    server.start()
    with pytest.raises(ServerDidNotStart, match="nothing"):
        server.wait_until(lambda: False, 600)


def test_addresses_and_ports_are_free() -> None:
    addresses = free_loopback_addresses(3)
    assert len(set(addresses)) == 3
    ports = free_common_ports(addresses, 2)
    assert len(set(ports)) == 2
    for address in addresses:
        assert address.startswith("127.")
        assert not any(accepts_connections(address, port) for port in ports)


def test_a_reused_process_id_is_not_killed() -> None:
    bystander = subprocess.Popen(["sleep", "600"], start_new_session=True)
    try:
        lines = f"watch {bystander.pid} 1\nwatch {os.getpid()} 1\n"
        subprocess.run([sys.executable, "-I", keeper.__file__], input=lines, text=True, check=True, timeout=60)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_one_that_ended_without_being_asked_to_has_died(tmp_path: Path) -> None:
    server = ServerProcess("it", ["sh", "-c", "echo last words; sleep 60"], tmp_path / "log", None, tmp_path)
    assert not server.has_died
    server.start()
    assert not server.has_died
    server.kill()
    assert not server.has_died
    server.start()
    os.kill(server.pid, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while server.is_running and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.has_died
    server.end()

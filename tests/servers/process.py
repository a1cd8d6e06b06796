"""Server processes and their temporary folders: started here, ended here by their id, whatever happens."""

from __future__ import annotations

import atexit
import contextlib
import errno
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from tests.servers import keeper
from tests.servers.errors import ServerDidNotStart

_LOG_LINES = 25


class _Keeper:
    """The helper process that ends our servers and removes their folders if this process is killed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._owner = 0

    def tell(self, line: str) -> None:
        with self._lock:
            if self._process is None or self._owner != os.getpid() or self._process.poll() is not None:
                self._owner = os.getpid()
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-S", keeper.__file__],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    text=True,
                    cwd="/",
                    start_new_session=True,
                )
            pipe = self._process.stdin
            assert pipe is not None
            pipe.write(line + "\n")
            pipe.flush()

    def end(self) -> None:
        with self._lock:
            if self._process is not None and self._owner == os.getpid():
                with contextlib.suppress(OSError):
                    if self._process.stdin is not None:
                        self._process.stdin.close()
                self._process.wait()
            self._process = None


_KEEPER = _Keeper()
_RUNNING: dict[int, ServerProcess] = {}
_FOLDERS: dict[Path, int] = {}


@atexit.register
def _end_all() -> None:
    """End every server and folder that this process started and did not end; a forked child has none."""
    for process in list(_RUNNING.values()):
        process.end()
    for folder, owner in list(_FOLDERS.items()):
        if owner == os.getpid():
            remove_folder(folder)
    _KEEPER.end()


def make_folder(prefix: str) -> Path:
    """Give a new temporary folder that does not outlive this process; ``remove_folder`` removes it."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    _FOLDERS[folder] = os.getpid()
    _KEEPER.tell(f"folder {folder}")
    return folder


def remove_folder(folder: Path) -> None:
    """Remove a folder of ``make_folder`` with everything in it."""
    shutil.rmtree(folder, ignore_errors=True)
    if _FOLDERS.pop(folder, None) is not None:
        _KEEPER.tell(f"removed {folder}")


class ServerProcess:
    """One server process: its own process group, its output in a log file.

    :param name: what messages call it, such as ``Cassandra node 1``.
    :param command: the program and its arguments.
    :param log: the file that its output is appended to.
    :param env: its whole environment; ``None`` for ours.
    :param cwd: its working folder.
    """

    def __init__(
        self, name: str, command: Sequence[str], log: Path, env: Mapping[str, str] | None, cwd: Path
    ) -> None:
        self.name = name
        self.log = log
        self._command = [str(part) for part in command]
        self._env = dict(env) if env is not None else None
        self._cwd = cwd
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._log_start = 0
        self._paused = False

    @property
    def pid(self) -> int:
        """The process id; 0 before the first start."""
        return self._process.pid if self._process is not None else 0

    @property
    def is_running(self) -> bool:
        """Whether the process is there, paused or not."""
        return self._process is not None and self._process.poll() is None

    @property
    def is_paused(self) -> bool:
        """Whether it runs, and ``pause`` was called after the last ``resume``."""
        return self._paused and self.is_running

    def start(self) -> None:
        """Start it; nothing to do when it runs already."""
        if self.is_running:
            return
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as output:
            # The shell waits for a line before it becomes the server, so that no server ever runs that the
            # keeper does not know: if we are killed in between, its input ends and so does the shell.
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", 'read -r go && exec "$@" </dev/null', "sh", *self._command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._env,
                cwd=self._cwd,
                start_new_session=True,
            )
        self._owner = os.getpid()
        self._paused = False
        pid = self._process.pid
        _RUNNING[pid] = self
        _KEEPER.tell(f"watch {pid} {keeper.start_time(pid)}")
        pipe: IO[bytes] | None = self._process.stdin
        assert pipe is not None
        with contextlib.suppress(BrokenPipeError), pipe:
            pipe.write(b"go\n")

    def stop(self, timeout: float = 60.0) -> None:
        """End it gracefully (SIGTERM); killed when it is still there after ``timeout`` seconds."""
        if not self.is_running:
            self._ended()
            return
        self._signal(signal.SIGCONT)
        self._signal(signal.SIGTERM)
        assert self._process is not None
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
        self._ended()

    def kill(self) -> None:
        """End it at once (SIGKILL), as a power cut would."""
        if self.is_running:
            self._signal(signal.SIGKILL)
            assert self._process is not None
            self._process.wait()
        self._ended()

    def end(self) -> None:
        """End it without ceremony, if this process is the one that started it."""
        if self._owner == os.getpid():
            self.kill()

    def pause(self) -> None:
        """Freeze it (SIGSTOP): its sockets stay open and nothing answers."""
        self._signal(signal.SIGSTOP)
        self._paused = True

    def resume(self) -> None:
        """Let it go on after ``pause`` (SIGCONT)."""
        self._signal(signal.SIGCONT)
        self._paused = False

    def output(self) -> str:
        """Give what it has written since its last start."""
        with self.log.open("rb") as file:
            file.seek(self._log_start)
            return file.read().decode(errors="replace")

    def log_tail(self, lines: int = _LOG_LINES) -> str:
        """Give the last ``lines`` lines of its log, over all its starts."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def wait_until(self, ready: Callable[[], bool], timeout: float) -> None:
        """Wait until ``ready()``; it is asked about twenty times a second.

        :raises ServerDidNotStart: the process ended, or ``timeout`` seconds passed.
        """
        deadline = time.monotonic() + timeout
        while True:
            if not self.is_running:
                status = self._process.returncode if self._process is not None else None
                raise self._did_not_start(f"ended with status {status} before it was ready")
            if ready():
                return
            if time.monotonic() > deadline:
                raise self._did_not_start(f"was not ready within {timeout:g} s")
            time.sleep(0.05)

    def _did_not_start(self, what: str) -> ServerDidNotStart:
        return ServerDidNotStart(f"{self.name} {what}; its last log lines:\n{self.log_tail()}")

    def _signal(self, number: signal.Signals) -> None:
        if not self.is_running:
            raise ProcessLookupError(errno.ESRCH, f"{self.name} does not run")
        os.killpg(self.pid, number)

    def _ended(self) -> None:
        if _RUNNING.pop(self.pid, None) is not None:
            _KEEPER.tell(f"forget {self.pid}")


def accepts_connections(host: str, port: int) -> bool:
    """Tell whether something listens there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def free_port(host: str = "127.0.0.1") -> int:
    """Give a TCP port that nothing listens on at this address."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def free_loopback_addresses(count: int) -> list[str]:
    """Give ``count`` neighbouring loopback addresses for one cluster, such as 127.83.7.1, .2, .3.

    All of 127.0.0.0/8 is loopback on Linux; a random part of it keeps two test sessions on one machine apart.
    """
    for _ in range(50):
        prefix = f"127.{random.randint(1, 254)}.{random.randint(1, 254)}"
        addresses = [f"{prefix}.{number}" for number in range(1, count + 1)]
        if all(not accepts_connections(address, 9042) for address in addresses):
            return addresses
    raise OSError(errno.EADDRINUSE, "no free loopback addresses")


def free_common_ports(addresses: Sequence[str], count: int) -> list[int]:
    """Give ``count`` ports, each free at every one of the addresses."""
    ports: list[int] = []
    with contextlib.ExitStack() as held:
        for port in _candidate_ports():
            if len(ports) == count:
                break
            with contextlib.ExitStack() as attempt:
                try:
                    for address in addresses:
                        probe = attempt.enter_context(socket.socket())
                        probe.bind((address, port))
                except OSError:
                    continue
                held.enter_context(attempt.pop_all())
                ports.append(port)
    if len(ports) < count:
        raise OSError(errno.EADDRINUSE, "no free ports")
    return ports


def _candidate_ports() -> Iterator[int]:
    # Below the range that Linux hands out to outgoing connections (32768 and up), so that nothing slips in.
    return iter(random.sample(range(10000, 32000), 200))

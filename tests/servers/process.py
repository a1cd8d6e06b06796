"""Server processes: started, stopped, killed and frozen by their id."""

from __future__ import annotations

import abc
import contextlib
import errno
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from tests.servers import at_end
from tests.servers.errors import ServerDidNotStart

LOG_LINES = 25


class Server(abc.ABC):
    """A server that we start: a process or a container; ``name`` is what messages call it."""

    name: str

    @property
    @abc.abstractmethod
    def pid(self) -> int:
        """The process id; 0 before the first start."""

    @property
    @abc.abstractmethod
    def is_running(self) -> bool:
        """Whether the process is there, paused or not."""

    @property
    @abc.abstractmethod
    def is_paused(self) -> bool:
        """Whether it runs, and ``pause`` was called after the last ``resume``."""

    @abc.abstractmethod
    def start(self) -> None:
        """Start it; nothing to do when it runs already."""

    @abc.abstractmethod
    def stop(self, timeout: float = 60.0) -> None:
        """End it gracefully; killed when it is still there after ``timeout`` seconds."""

    @abc.abstractmethod
    def kill(self) -> None:
        """End it at once, as a power cut would."""

    @abc.abstractmethod
    def end(self) -> None:
        """End it without ceremony and for good."""

    @abc.abstractmethod
    def pause(self) -> None:
        """Freeze it: its sockets stay open and nothing answers."""

    @abc.abstractmethod
    def resume(self) -> None:
        """Let it go on after ``pause``; nothing to do when it is not paused."""

    @abc.abstractmethod
    def log_tail(self, lines: int = LOG_LINES) -> str:
        """Give the last ``lines`` lines of its log, over all its starts."""

    def wait_until(self, ready: Callable[[], bool], timeout: float) -> None:
        """Wait until ``ready()``; it is asked many times a second.

        :raises ServerDidNotStart: the server ended, or ``timeout`` seconds passed; with its last log lines.
        """
        deadline = time.monotonic() + timeout
        while True:
            if not self.is_running:
                raise self._did_not_start("ended before it was ready")
            if ready():
                return
            if time.monotonic() > deadline:
                raise self._did_not_start(f"was not ready within {timeout:g} s")
            time.sleep(0.05)

    def _did_not_start(self, what: str) -> ServerDidNotStart:
        return ServerDidNotStart(f"{self.name} {what}; its last log lines:\n{self.log_tail()}")


class ServerProcess(Server):
    """One server process: its own process group, its output in a log file.

    :param name: what messages call it, such as ``Cassandra node 1``.
    :param command: the program and its arguments.
    :param log: the file that its output is appended to.
    :param env: its whole environment; ``None`` for ours.
    :param cwd: its working folder.
    """

    def __init__(self, name: str, command: Sequence[str], log: Path, env: Mapping[str, str] | None, cwd: Path) -> None:
        self.name = name
        self.log = log
        self._command = [str(part) for part in command]
        self._env = dict(env) if env is not None else None
        self._cwd = cwd
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0
        self._paused = False
        self._asked_to_end = False

    @property
    def pid(self) -> int:
        """The process id; 0 before the first start."""
        return self._process.pid if self._process is not None else 0

    @property
    def is_running(self) -> bool:
        """Whether the process is there, paused or not."""
        return self._process is not None and self._process.poll() is None

    @property
    def has_died(self) -> bool:
        """Whether it has ended without being asked to."""
        return self._process is not None and not self.is_running and not self._asked_to_end

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
        self._paused = self._asked_to_end = False
        pid = self._process.pid
        at_end.watch_server(pid, self.end)
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
        """End it at once; its data stays where it is."""
        self.kill()

    def pause(self) -> None:
        """Freeze it (SIGSTOP): its sockets stay open and nothing answers."""
        self._signal(signal.SIGSTOP)
        # The signal is only sent by now; wait until every thread has stopped (or the process has ended).
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
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

    def log_tail(self, lines: int = LOG_LINES) -> str:
        """Give the last ``lines`` lines of its log, over all its starts."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _signal(self, number: signal.Signals) -> None:
        if not self.is_running:
            raise ProcessLookupError(errno.ESRCH, f"{self.name} does not run")
        self._asked_to_end |= number in (signal.SIGTERM, signal.SIGKILL)
        os.killpg(self.pid, number)

    def _ended(self) -> None:
        at_end.forget_server(self.pid)

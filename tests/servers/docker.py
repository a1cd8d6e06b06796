"""A server in a Docker container, controlled like :class:`tests.servers.process.ServerProcess`."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence

from tests.servers import at_end
from tests.servers.errors import ServerDidNotStart
from tests.servers.process import LOG_LINES, Server


def docker_answers() -> bool:
    """Tell whether there is a ``docker`` whose engine answers within a few seconds."""
    if shutil.which("docker") is None:
        return False
    try:
        return _docker("info", "--format", "{{.ServerVersion}}", timeout=10).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _docker(*arguments: str, timeout: float | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["docker", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
        timeout=timeout,
    )


class DockerContainer(Server):
    """One container on the host's network.

    :param name: what messages call it.
    :param container: the container's own name; it is removed at the end by this name.
    :param image: the image, pulled by Docker when it is not here.
    :param arguments: the arguments of the image's program.
    :param env: what is added to the image's environment.
    """

    def __init__(self, name: str, container: str, image: str, arguments: Sequence[str], env: Mapping[str, str]) -> None:
        self.name = name
        self.container = container
        self._image = image
        self._arguments = list(arguments)
        self._env = [f"--env={name}={value}" for name, value in env.items()]
        self._created = False
        self._paused = False

    @property
    def pid(self) -> int:
        """The process id of the server, on this host; 0 while it does not run."""
        shown = _docker("inspect", "--format", "{{.State.Pid}}", self.container).stdout.strip()
        return int(shown) if shown.isdigit() else 0

    @property
    def is_running(self) -> bool:
        """Whether the container runs, paused or not."""
        shown = _docker("inspect", "--format", "{{.State.Running}}", self.container)
        return shown.returncode == 0 and shown.stdout.strip() == "true"

    @property
    def is_paused(self) -> bool:
        """Whether it runs and is paused."""
        return self._paused and self.is_running

    def start(self) -> None:
        """Start it; nothing to do when it runs already.

        :raises ServerDidNotStart: Docker refused, for example because the image could not be pulled.
        """
        if not self._created:
            at_end.watch_container(self.container)
            self._created = True
            where = ["--name", self.container, "--network", "host"]
            self._do("create", *where, *self._env, self._image, *self._arguments)
        self._paused = False
        self._do("start", self.container)

    def stop(self, timeout: float = 60.0) -> None:
        """End it gracefully; killed when it is still there after ``timeout`` seconds."""
        if self.is_paused:
            self.resume()
        if self.is_running:
            self._do("stop", "--time", f"{timeout:.0f}", self.container)

    def kill(self) -> None:
        """End it at once."""
        if self.is_running:
            self._do("kill", self.container)
        self._paused = False

    def end(self) -> None:
        """Remove it."""
        at_end.remove_container(self.container)
        self._created = False

    def pause(self) -> None:
        """Freeze it."""
        self._do("pause", self.container)
        self._paused = True

    def resume(self) -> None:
        """Let it go on after ``pause``."""
        if self._paused:
            self._do("unpause", self.container)
            self._paused = False

    def log_tail(self, lines: int = LOG_LINES) -> str:
        """Give the last lines of its log."""
        return _docker("logs", "--tail", str(lines), self.container).stdout.rstrip()

    def _do(self, *arguments: str) -> None:
        done = _docker(*arguments)
        if done.returncode != 0:
            said = done.stdout.strip()
            raise ServerDidNotStart(f"{self.name}: docker {arguments[0]} ended with {done.returncode}: {said}")

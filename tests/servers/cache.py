"""The project's own folder for everything downloaded or built: ``.cache/`` (never committed)."""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.servers.errors import DownloadFailed

PROJECT = Path(__file__).resolve().parents[2]
CACHE = PROJECT / ".cache"


@contextlib.contextmanager
def locked(name: str) -> Iterator[Path]:
    """Hold the lock ``.cache/<name>.lock`` between processes; gives the folder ``.cache/<name>``."""
    folder = CACHE / name
    folder.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def run_tool(command: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None, what: str) -> str:
    """Run a tool that downloads or builds, with the machine's own settings; gives its standard output.

    :param what: what it was for, in the error's first line.
    :raises DownloadFailed: it ended with another status than 0; the message has its last lines.
    """
    done = subprocess.run(
        list(command),
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        tail = "\n".join(done.stdout.strip().splitlines()[-15:])
        raise DownloadFailed(f"{what}: {command[0]} ended with status {done.returncode}\n{tail}")
    return done.stdout

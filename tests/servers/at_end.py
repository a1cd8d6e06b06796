"""What must not outlive this process: servers, folders, containers. Ended at its end, whatever ends it."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from tests.servers import keeper


class _Keeper:
    """The helper process that does the ending when this process is killed."""

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
_SERVERS: dict[int, Callable[[], None]] = {}
_FOLDERS: set[Path] = set()
_CONTAINERS: set[str] = set()
_OWNER = os.getpid()


@atexit.register
def _end_all() -> None:
    """End all that this process started and did not end; a forked child has started none of it."""
    if os.getpid() != _OWNER:
        return
    for end in list(_SERVERS.values()):
        end()
    for container in list(_CONTAINERS):
        remove_container(container)
    for folder in list(_FOLDERS):
        remove_folder(folder)
    _KEEPER.end()


def watch_server(pid: int, end: Callable[[], None]) -> None:
    """Have the process ``pid`` (leader of its group) ended: by ``end()``, or by SIGKILL if we are killed."""
    _SERVERS[pid] = end
    _KEEPER.tell(f"watch {pid} {keeper.start_time(pid)}")


def forget_server(pid: int) -> None:
    """Take back ``watch_server``: the process has ended."""
    if _SERVERS.pop(pid, None) is not None:
        _KEEPER.tell(f"forget {pid}")


def make_folder(prefix: str) -> Path:
    """Give a new temporary folder that does not outlive this process; ``remove_folder`` removes it."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    _FOLDERS.add(folder)
    _KEEPER.tell(f"folder {folder}")
    return folder


def remove_folder(folder: Path) -> None:
    """Remove a folder of ``make_folder`` with everything in it."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder in _FOLDERS:
        _FOLDERS.discard(folder)
        _KEEPER.tell(f"removed {folder}")


def watch_container(name: str) -> None:
    """Have the Docker container of this name removed at the end."""
    _CONTAINERS.add(name)
    _KEEPER.tell(f"container {name}")


def remove_container(name: str) -> None:
    """Remove a container of ``watch_container``, running or not."""
    keeper.remove_container(name)
    if name in _CONTAINERS:
        _CONTAINERS.discard(name)
        _KEEPER.tell(f"removed {name}")

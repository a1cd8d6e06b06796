"""Ends what a killed test session left behind. :mod:`tests.servers.process` runs it as a script.

It reads lines on standard input, of a pipe whose other end only the test session holds::

    watch PID START     kill this process (and its group) at the end, if it is still the one started at START
    forget PID          it ended
    folder PATH         remove this folder at the end
    container NAME      remove this Docker container at the end
    removed PATH|NAME   it is gone already

The end is the end of input: the session ended in whatever way, SIGKILL included. A parent-death signal would
not do, because Linux sends it when the *thread* that started the server ends.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time


def start_time(pid: int) -> str:
    """Give the kernel's start time of a process, in clock ticks after boot, or "" when there is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            # The name in parentheses may hold spaces; after it, the start time is field 20.
            fields = stat.read().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]


def remove_container(name: str) -> None:
    """Remove a Docker container, running or not; nothing happens when there is none."""
    with contextlib.suppress(OSError):
        subprocess.run(
            ["docker", "rm", "--force", "--volumes", name],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )


def main() -> None:
    """Keep the list that the session writes; when its end of the pipe closes, end what is on it."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    watched: dict[int, str] = {}
    folders: dict[str, None] = {}
    containers: dict[str, None] = {}
    for line in sys.stdin:
        verb, _, rest = line.rstrip("\n").partition(" ")
        if verb == "watch":
            pid, _, started = rest.partition(" ")
            watched[int(pid)] = started
        elif verb == "forget":
            watched.pop(int(rest), None)
        elif verb == "folder":
            folders[rest] = None
        elif verb == "container":
            containers[rest] = None
        elif verb == "removed":
            containers.pop(rest, None)
            folders.pop(rest, None)
    left = {pid for pid, started in watched.items() if started and start_time(pid) == started}
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while any(start_time(pid) == watched[pid] for pid in left) and time.monotonic() < deadline:
        time.sleep(0.02)
    for container in containers:
        remove_container(container)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()

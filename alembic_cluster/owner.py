"""Who runs a migration: a process, told apart from every other, and told to be dead where that is certain."""

from __future__ import annotations

import os
import socket
import uuid
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

_STARTED = 19  # the field "starttime" (22) of /proc/<pid>/stat, counted behind the program's name; see proc_pid_stat(5)


@dataclass(frozen=True)
class Owner:
    """One process that holds, or wants, the lease.

    :ivar token: a random UUID: two owners are the same only if their tokens are.
    :ivar host: the host's name.
    :ivar boot: what identifies this boot of this host, and the processes that see one another there; empty when the
        system doesn't tell.
    :ivar pid: the process's id.
    :ivar started: when the process began, in the system's own count since boot; empty when the system doesn't tell.
    :ivar since: when it asked for the lease (UTC, by its own clock: to be shown, never compared).
    """

    token: str
    host: str
    boot: str
    pid: int
    started: str
    since: datetime

    @classmethod
    def this_process(cls) -> Owner:
        """Make an owner of the running process."""
        pid = os.getpid()
        return cls(
            str(uuid.uuid4()), socket.gethostname(), _boot(), pid, _started(pid) or "", datetime.now(timezone.utc)
        )

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}, since {self.since:%Y-%m-%d %H:%M:%S} UTC"


def provably_dead(owner: Owner) -> bool:
    """Say whether an owner's process is certainly gone.

    That is so when it ran in this boot of this host, among the processes that are to be seen from here, and its id is
    nobody's or another's now. Of a process elsewhere nothing is known, so the answer is False.
    """
    boot = _boot()
    if not boot or owner.boot != boot or owner.host != socket.gethostname():
        return False
    try:
        os.kill(owner.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False  # another user's process lives; /proc may hide it (option hidepid)
    return bool(owner.started) and _started(owner.pid) != owner.started


def _boot() -> str:
    """Give the boot's id with that of the process namespace: containers of one host share the first only."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def _started(pid: int) -> str | None:
    """Give the start time of a process that lives; None when there is none, or only what its parent has not buried."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[_STARTED]

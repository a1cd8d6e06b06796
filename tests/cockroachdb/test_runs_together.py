"""Several runs at once; a holder that is frozen beyond its lease.

``ROUNDS`` says how often eight processes start together (1; 50 in nightly runs).
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.cockroachdb.disturbed import BEFORE, SHORT, LockedProject, sent, write_revisions
from tests.servers.fixtures import CockroachDatabase

_ROUNDS = int(os.environ.get("ROUNDS", "1"))


@pytest.mark.timeout(7200 if "ROUNDS" in os.environ else 300)
def test_eight_processes_upgrade_at_once(cockroach_database: CockroachDatabase, tmp_path: Path) -> None:
    """On a database without any table of ours, each time."""
    for number in range(_ROUNDS):
        name = cockroach_database.cluster.create_database()
        folder = tmp_path / str(number)
        folder.mkdir()
        try:
            project = LockedProject(folder, cockroach_database.cluster.url(name))
            write_revisions(project)
            started = [project.start("upgrade", "head") for _ in range(8)]
            outputs = [process.communicate(timeout=240)[0] for process in started]
            assert [process.returncode for process in started] == [0] * 8, "\n\n".join(outputs)
            counted = Counter(text for output in outputs for text in sent(output))
            assert set(counted.values()) == {1}, counted
            assert len(counted) == BEFORE.count("op.execute") + len(SHORT[0])
            assert project.versions() == ["r1"]
        finally:
            cockroach_database.cluster.drop_database(name)


def test_frozen_holder_is_succeeded_and_sends_nothing_more(
    cockroach_database: CockroachDatabase, tmp_path: Path
) -> None:
    project = LockedProject(tmp_path, cockroach_database.url, ttl=3)
    write_revisions(project)
    assert project.run("upgrade", "r0")[0] == 0
    status, output = project.run("upgrade", "r1")
    assert status == 0, output
    wanted = project.state()
    assert project.run("downgrade", "r0")[0] == 0
    # Each time at another place: before the server knows the statement, and when it has just answered.
    for point, ordinal in (("noted", 4), ("journaled", 3), ("answered", 5))[:_ROUNDS]:
        frozen = project.start("upgrade", "r1", disturb=f"{point}:{ordinal}:stop")
        try:
            _wait_until_stopped(frozen.pid)
            status, output = project.run("upgrade", "r1")
            assert status == 0, output
            assert project.state() == wanted, (point, output)
        finally:
            frozen.send_signal(signal.SIGCONT)
        told, _ = frozen.communicate(timeout=40)
        assert frozen.returncode not in (0, -signal.SIGKILL), told
        assert project.state() == wanted, (point, told)
        assert len(sent(told)) <= ordinal, told
        assert "lost the migration lock" in told or "has taken the migration lock" in told, told
        status, output = project.run("downgrade", "r0")
        assert status == 0, output
        assert len(sent(output)) == len(SHORT[1])


def _wait_until_stopped(pid: int) -> None:
    deadline = time.monotonic() + 60
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
        assert time.monotonic() < deadline
        time.sleep(0.05)

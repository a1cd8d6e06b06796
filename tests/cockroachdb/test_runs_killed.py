"""A run is killed at every statement boundary and in the middle of statements; the same command finishes it.

``KILLS`` says how many places are tried (3), or ``all``: twenty statements each way at six points.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
from pathlib import Path

import pytest

from tests.cockroachdb.disturbed import DOWNGRADE, POINTS, UPGRADE, LockedProject, sent, write_revisions
from tests.servers.fixtures import CockroachDatabase

_STATEMENTS = len(UPGRADE)


def _places() -> list[tuple[str, int]]:
    """Give what is tried: each point once at least, and statements all over the revision."""
    every = list(itertools.product(POINTS, range(1, _STATEMENTS + 1)))
    wanted = os.environ.get("KILLS", "3")
    if wanted == "all":
        return every
    chosen = random.Random(wanted)
    first = [(point, chosen.randrange(1, _STATEMENTS + 1)) for point in POINTS]
    return (first + chosen.sample(every, len(every)))[: int(wanted)]


@pytest.mark.timeout(7200 if os.environ.get("KILLS") else 300)
def test_killed_runs_are_finished_by_the_same_command(cockroach_database: CockroachDatabase, tmp_path: Path) -> None:
    assert len(UPGRADE) == len(DOWNGRADE) == 20
    project = LockedProject(tmp_path, cockroach_database.url)
    write_revisions(project)
    project.upgrade("r0")
    low = project.state()
    status, output = project.run("upgrade", "r1")
    assert status == 0, output
    assert sent(output) == [" ".join(each.split()) for each in UPGRADE]
    high = project.state()
    status, output = project.run("downgrade", "r0")
    assert status == 0, output
    assert project.state() == low
    waits = random.Random(1)
    for point, ordinal in _places():
        for command, statements, wanted in (
            (("upgrade", "r1"), UPGRADE, high),
            (("downgrade", "r0"), DOWNGRADE, low),
        ):
            place = f"{point}:{ordinal}:kill:{waits.uniform(0, 0.06):.3f}"
            status, killed = project.run(*command, disturb=place)
            assert status == -signal.SIGKILL, (place, killed)
            status, again = project.run(*command)
            assert status == 0, (place, killed, again)
            assert project.state() == wanted, (place, killed, again)
            assert "waiting for the migration lock" not in again, (place, again)
            both = sent(killed) + sent(again)
            texts = [" ".join(each.split()) for each in statements]
            # Only the one that was in flight may have been sent by both.
            twice = [text for text in texts if both.count(text) == 2]
            assert sorted(set(both)) == sorted(set(texts)), (place, both)
            assert twice in ([], [texts[ordinal - 1]]), (place, twice)
            print(place, again.partition("STARTED AFTER ")[2].partition("\n")[0], "s")

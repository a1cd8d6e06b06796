"""A run is killed at a statement boundary or in the middle of a statement; the same command finishes it.

``KILLS=all`` tries a revision of twenty statements each way, at six points of each; a number tries so many places of a
shorter one (2).
"""

from __future__ import annotations

import itertools
import os
import random
import signal
from pathlib import Path

import pytest

from tests.cockroachdb.disturbed import (
    DOWNGRADE,
    POINTS,
    SHORT,
    UPGRADE,
    LockedProject,
    one_line,
    sent,
    write_revisions,
)
from tests.servers.fixtures import CockroachDatabase

_KILLS = os.environ.get("KILLS", "2")
_WAYS = (UPGRADE, DOWNGRADE) if _KILLS == "all" else SHORT


def _places() -> list[tuple[str, int]]:
    every = list(itertools.product(POINTS, range(1, len(_WAYS[0]) + 1)))
    # The same for everybody: one in the middle of the DDL, one between the statement and its row of the journal.
    return every if _KILLS == "all" else [("middle", 5), ("answered", 4), *random.Random(1).sample(every, len(every))]


@pytest.mark.timeout(4 * 3600 if _KILLS == "all" else 600)
def test_killed_runs_are_finished_by_the_same_command(cockroach_database: CockroachDatabase, tmp_path: Path) -> None:
    up, down = map(one_line, _WAYS)
    assert len(up) == len(down)
    project = LockedProject(tmp_path, cockroach_database.url)
    write_revisions(project, _WAYS)
    project.upgrade("r0")
    low = project.state()
    status, output = project.run("upgrade", "r1")
    assert status == 0, output
    assert sent(output) == up
    high = project.state()
    project.downgrade("r0")
    assert project.state() == low
    waits = random.Random(1)
    for point, ordinal in _places()[: None if _KILLS == "all" else int(_KILLS)]:
        for command, statements, wanted in ((("upgrade", "r1"), up, high), (("downgrade", "r0"), down, low)):
            place = f"{point}:{ordinal}:kill:{waits.uniform(0, 0.06):.3f}"
            status, killed = project.run(*command, disturb=place)
            assert status == -signal.SIGKILL, (place, killed)
            status, again = project.run(*command)
            assert status == 0, (place, killed, again)
            assert project.state() == wanted, (place, killed, again)
            assert "waiting for the migration lock" not in again, (place, again)
            both = sent(killed) + sent(again)
            # Only the one that was in flight may have been sent by both.
            twice = [text for text in statements if both.count(text) == 2]
            assert sorted(set(both)) == sorted(set(statements)), (place, both)
            assert twice in ([], [statements[ordinal - 1]]), (place, twice)
            print(place, again.partition("STARTED AFTER ")[2].partition("\n")[0], "s")

"""kill -9 at random moments of a backfill, until it comes to its end."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from tests.servers.cache import PROJECT


def killed(database: str, url: str, times: int, moved: Callable[[], int], chance: random.Random) -> int:
    """Run a backfill of :mod:`tests.backfill_work`, and kill it so often.

    :param moved: counts what is done.
    :return: how many of the kills met a backfill that was under way.
    """
    command = [sys.executable, "-m", "tests.backfill_work", database, url]
    met = 0
    for _ in range(times):
        process = subprocess.Popen(command, cwd=PROJECT, env={**os.environ, "PYTHONPATH": str(PROJECT)})
        before, begun = moved(), time.monotonic()
        while process.poll() is None and moved() == before and time.monotonic() - begun < 60:
            time.sleep(0.02)
        time.sleep(chance.uniform(0, 0.4))
        if process.poll() is None:
            met += 1
            process.send_signal(signal.SIGKILL)
        process.wait()
    done = subprocess.run(command, cwd=PROJECT, env={**os.environ, "PYTHONPATH": str(PROJECT)}, timeout=120)
    assert done.returncode == 0
    return met

"""How long ``plan``, ``status``, ``lint`` and ``doctor`` take, against ``alembic current``.

``python -m benchmarks.commands URL [--rounds 10]``

One project of one applied revision, in a folder of its own, on the database of the URL, which has to be empty; the
commands run in turn, each as a process, in each round. Printed are the ratios of their best times, by the clock and by
the processor's time.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ALEMBIC = ("-m", "alembic")
OURS = ("-c", "from alembic_cluster.cli import main; main()")
COMMANDS = {
    "alembic current": (*ALEMBIC, "current"),
    **{f"alembic-cluster {name}": (*OURS, name) for name in ("current", "status", "plan", "lint", "doctor")},
}
REVISION = """\"\"\"one\"\"\"
revision, down_revision = "1a90", None
from alembic import op
def upgrade(): op.execute("CREATE TABLE measured (id int PRIMARY KEY)")
def downgrade(): op.execute("DROP TABLE measured")
"""


def prepare(folder: Path, url: str) -> None:
    """Make the project and upgrade the database."""
    subprocess.run([sys.executable, *ALEMBIC, "init", "migrations"], cwd=folder, check=True, capture_output=True)
    ini = folder / "alembic.ini"
    ini.write_text(re.sub(r"(?m)^sqlalchemy\.url = .*$", f"sqlalchemy.url = {url}", ini.read_text()))
    env = folder / "migrations" / "env.py"
    before, online = env.read_text().split("def run_migrations_online")
    online = online.replace("context.begin_transaction()", "migration_lock(context)")
    env.write_text(f"from alembic_cluster import migration_lock\n{before}def run_migrations_online{online}")
    (folder / "migrations" / "versions" / "one.py").write_text(REVISION)
    subprocess.run([sys.executable, *ALEMBIC, "upgrade", "head"], cwd=folder, check=True, capture_output=True)


def measure(folder: Path, command: tuple[str, ...]) -> tuple[float, float]:
    """Give the seconds that one process takes, by the clock and of the processor."""
    before, began = os.times(), time.perf_counter()
    subprocess.run([sys.executable, *command], cwd=folder, capture_output=True, check=False)
    seconds, after = time.perf_counter() - began, os.times()
    children = after.children_user + after.children_system - before.children_user - before.children_system
    return seconds, children


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--rounds", type=int, default=10)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, arguments.url)
        best: dict[str, tuple[float, float]] = {}
        for _ in range(arguments.rounds):
            for command, words in COMMANDS.items():
                now = measure(folder, words)
                best[command] = (
                    now if command not in best else (min(best[command][0], now[0]), min(best[command][1], now[1]))
                )
        subprocess.run(
            [sys.executable, *OURS, "downgrade", "base", "--allow-destructive"],
            cwd=folder,
            check=True,
            capture_output=True,
        )
    base = best["alembic current"]
    print(f"{'command':24} {'clock':>6} {'processor':>9}")
    for command, (clock, processor) in best.items():
        print(f"{command:24} {clock / base[0]:6.2f} {processor / base[1]:9.2f}")


if __name__ == "__main__":
    main()

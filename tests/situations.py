"""Every command of ``alembic-cluster`` in each situation that a database can be in, and what has to come of it."""

from __future__ import annotations

import contextlib
import io
import re
import sys
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from alembic.config import Config

from alembic_cluster.cli import ClusterCommandLine
from alembic_cluster.lease import wait_for_lock
from alembic_cluster.owner import Owner
from alembic_cluster.stored import Stored, visit

# A situation's table: the command line, the exit status, and what it has to say.
Table = Mapping[str, tuple[int, str]]
_NO_CONNECTION: Final = (255, r"\AFAILED: (No connection to|Keyspace '\w+' does not exist) .*\n\Z")
_NO_KEEPING: Final = (255, r"\AFAILED: \w+ refused, .* lock, ledger or journal .*\n\Z")

EMPTY: Final[Table] = {
    "current": (0, r"\A\s*\Z"),
    "status": (0, r"b +pending[^|]*a +pending[^|]*stands at base; 2 pending.\nNobody holds the migration lock"),
    "status --json": (0, r'"state": "pending"'),
    "plan": (0, r"upgrade a\n  1\. CREATE TABLE a .*\n     metadata only\nupgrade b\n  1\. CREATE TABLE b "),
    "plan --sql": (0, r"-- upgrade a\nCREATE TABLE a .*;\n-- upgrade b"),
    "plan --target a --json": (0, r'"revision": "a"'),
    "plan -1": (255, "Relative revision -1"),
    "plan nowhere": (255, "Can't locate revision identified by 'nowhere'"),
    "doctor": (0, r"OK      lock: nobody holds it\nOK      journal: no revision is half-applied"),
    "doctor --json": (0, r'"name": "permissions"'),
    "lint": (0, "AL002"),
    "unlock": (0, r"\ANobody holds the migration lock\.\n"),
    "repair": (0, r"\ANo applied revision was edited\.\n"),
    "repair --forget": (255, r"\AFAILED: No revision is half-applied; nothing was changed\.\n"),
    "heads": (0, "b .head."),
    "check": (255, r"\AFAILED: Target database is not up to date"),
    "downgrade -1": (255, r"\AFAILED: Relative revision -1"),
}
UNREACHABLE: Final[Table] = {
    **dict.fromkeys(
        ("current", "status", "status --json", "plan", "unlock", "repair", "check", "upgrade head", "downgrade -1"),
        _NO_CONNECTION,
    ),
    "stamp head": _NO_CONNECTION,
    "backfill a --set a=1": _NO_CONNECTION,
    "doctor": (1, r"FAILED  connection: .*\n        -> Check the URL"),
    "lint": (0, "AL002"),
    "heads": (0, "b .head."),
    "upgrade head --sql": (0, "CREATE TABLE a"),
}
READ_ONLY: Final[Table] = {
    "current": (0, r"\A\s*\Z"),
    "status": (0, "2 pending"),
    "plan": (0, r"1\. CREATE TABLE a"),
    "doctor": (1, r"FAILED  permissions: .*\n        -> GRANT .*CREATE ON"),
    "unlock": (0, "Nobody holds"),
    "repair": (0, "No applied revision"),
    "upgrade head": _NO_KEEPING,
    "stamp head": _NO_KEEPING,
}
HALF_APPLIED: Final[Table] = {
    "current": (0, r"a\n\Z"),
    "status": (0, r"b +half-applied.*\na +applied[^|]*upgrade of b is half-applied \(1 of its statements, by process"),
    "status --json": (0, r'"half_applied": {\s+"revision": "b"'),
    "plan": (
        0,
        r"1\. CREATE TABLE b .*\n     applied by an earlier run, is not sent again\n  2\. .*\n     metadata only",
    ),
    "plan --sql": (0, r"\A-- upgrade b\nCREATE TABLE a .*;\n\Z"),
    "plan a-1": (0, r"downgrade a\n"),
    "doctor": (0, r"WARNING journal: upgrade of b is half-applied\n        -> Run the same command again"),
    "unlock": (0, "Nobody holds"),
    "repair": (0, "Revision b is half-applied"),
    "repair --applied": (255, "FAILED: What came of each statement of revision b is known; nothing was changed"),
    "check": (255, "not up to date"),
    "downgrade -1": (255, r"\AFAILED: Revision b is half-applied: .* Finish it first: 'alembic upgrade b'"),
    "upgrade head": (255, r"FAILED: Revision b, upgrade\(\), line \d+ of b.py: \w+ refused statement 2: .*a.* exists"),
}
HELD: Final[Table] = {
    "current": (0, r"a\n\Z"),
    "status": (0, r"The migration lock is held by process \d+ on .* for \d+ s more"),
    "status --json": (0, r'"holder": "process \d+'),
    "plan": (0, r"CREATE TABLE b"),
    "doctor": (0, r"WARNING lock: held by process \d+ .*\n        -> "),
    "lint": (0, "AL002"),
    "unlock": (75, r"The migration lock is held by process .*\nFAILED: The lock was left alone"),
    "repair --forget --lock-wait 0": (75, r"FAILED: The migration lock could not be taken within 0 s: it is held by"),
    "upgrade head --lock-wait 0": (75, r"FAILED: The migration lock could not be taken within 0 s: it is held by"),
    "downgrade base --lock-wait 0": (75, "it is held by"),
    "stamp head --lock-wait 0": (75, "it is held by"),
    "unlock --force": (0, "It was taken away"),
    "status ": (0, "Nobody holds the migration lock"),
}


class _Line(ClusterCommandLine):
    def run_cmd(self, config: Config, options: Namespace) -> None:
        config.stdout = sys.stdout  # not that of the time when Alembic was imported
        super().run_cmd(config, options)


def call(folder: Path, line: str) -> tuple[int, str]:
    """Run one command in this process; whatever is no exit is raised, as what would be a traceback.

    :return: its exit status, and what it wrote, standard output first; what Alembic logs is left out.
    """
    output, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        try:
            _Line("alembic-cluster").main(["-c", str(folder / "alembic.ini"), *line.split()])
            status = 0
        except SystemExit as ended:
            status = int(ended.code or 0)
    told = [text for text in errors.getvalue().splitlines(True) if not text.startswith(("INFO", "WARNI"))]
    return status, output.getvalue().lstrip() + "".join(told)


def hold_against(folder: Path, table: Table) -> None:
    """Run each command of a table; tells all that came out otherwise at once."""
    wrong = []
    for line, (status, wanted) in table.items():
        ended, told = call(folder, line)
        if ended != status or re.search(wanted, told) is None:
            wrong.append(f"{line}: status {ended}, wanted {status} and {wanted!r}\n{told}")
    assert not wrong, "\n".join(wrong)


def take_lock(folder: Path) -> None:
    """Have the migration lock held by this process, until its lease runs out."""

    def hold(stored: Stored) -> None:
        stored.stores.prepare()
        wait_for_lock(stored.stores.lease, Owner.this_process(), 600, 0)

    visit(Config(str(folder / "alembic.ini"), stdout=io.StringIO()), hold)

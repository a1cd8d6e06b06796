"""``alembic-cluster adopt``."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.config import Config

HELP = "Take over another tool's project: write revisions out of its files, and stamp what is applied."
#: Names of :data:`alembic_cluster.adoptable.TOOLS`, which is imported when it is needed.
NAMES = ("cassandra-migrate", "coodie", "cql-track", "golang-migrate", "manticore", "plain")


def add_arguments(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("tool", choices=NAMES, help="The other tool; 'plain' for a folder of files.")
    parser.add_argument("folder", help="Its migrations.")
    parser.add_argument(
        "--applied", metavar="VERSION", help="The last version that is applied, where no table says it."
    )
    parser.add_argument(
        "--allow-edited", action="store_true", help="Go on although files were edited after they were applied."
    )
    parser.add_argument("--dry-run", action="store_true", help="Show what is there; write nothing.")


def run(config: Config, *, tool: str, folder: str, applied: str | None, allow_edited: bool, dry_run: bool) -> None:
    """Do it, and say what was done."""
    from alembic_cluster.adopting import adopt

    found = adopt(config, tool, folder, applied=applied, allow_edited=allow_edited, dry_run=dry_run)
    for at, (each, name) in enumerate(zip(found.migrations, found.revisions, strict=True)):
        state = "applied" if at < found.applied else "pending"
        config.print_stdout("%s  %-8s %s (%s)", name, state, each.description, each.name)
    done = "Nothing was written." if dry_run else f"The database stands at {found.head or 'base'}."
    config.print_stdout("%s migrations, %s applied. %s", len(found.migrations), found.applied, done)

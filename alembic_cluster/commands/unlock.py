"""``alembic-cluster unlock``."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.config import Config

HELP = "Show who holds the migration lock, and take it away from a run that is dead."


def add_arguments(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument(
        "--force",
        action="store_true",
        help="Take it away although its lease lives. That run stops before its next statement, but the one that it "
        "has just sent goes on: end the process first.",
    )


def run(config: Config, *, force: bool) -> None:
    """Show who holds the migration lock; take it away if that is certain to be right, or wanted.

    :raises LockNotAcquired: the lease lives; nothing was changed.
    """
    from alembic_cluster.stored import visit
    from alembic_cluster.unlocking import unlock

    visit(config, lambda stored: unlock(stored, force))

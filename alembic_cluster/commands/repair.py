"""``alembic-cluster repair``."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.config import Config

HELP = "Record edited revisions as they are now; decide about a half-applied revision."


def add_arguments(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument(
        "--edited", action="store_true", help="Record applied revisions that were edited as they are now (the default)."
    )
    choice.add_argument(
        "--forget", action="store_true", help="The half-applied revision was undone by hand: it begins anew."
    )
    choice.add_argument(
        "--applied", action="store_true", help="Its statement of unknown outcome is applied, and is not to be sent."
    )
    choice.add_argument("--not-applied", action="store_true", help="It is not applied, and is to be sent again.")


def run(config: Config, *, forget: bool, applied: bool, not_applied: bool) -> None:
    """Bring ledger or journal in line; one of the three about a half-applied revision, or none.

    :raises ConfigurationError: there is nothing to decide.
    :raises LockNotAcquired: a run is at work.
    """
    from alembic_cluster.repairing import decide, record
    from alembic_cluster.stored import visit

    if forget or applied or not_applied:
        visit(config, lambda stored: decide(stored, forget, applied))
    else:
        visit(config, record)

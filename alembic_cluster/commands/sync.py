"""``alembic-cluster sync``."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.config import Config

HELP = "Bring a development database to what the models say, without a revision; drops nothing that holds data."


def add_arguments(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("--dry-run", action="store_true", help="Print the statements; send nothing.")
    parser.add_argument("--drop-removed-indexes", action="store_true", help="Drop indexes that the models lack.")
    parser.add_argument(
        "--allow-versioned", action="store_true", help="Go on although revisions keep this database's schema."
    )


def run(config: Config, *, dry_run: bool, drop_removed_indexes: bool, allow_versioned: bool) -> None:
    """Do it for the models that ``env.py`` has, and print the statements."""
    from alembic_cluster.syncing import sync_environment

    for statement in sync_environment(
        config, dry_run=dry_run, drop_removed_indexes=drop_removed_indexes, allow_versioned=allow_versioned
    ):
        config.print_stdout("%s;", statement)

"""``alembic-cluster status``."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.config import Config

HELP = (
    "Show which revisions are applied, when and by whom, which are pending, edited or half-applied; who holds the lock."
)


def add_arguments(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("--json", action="store_true", help="Write it as JSON.")


def run(config: Config, *, json: bool) -> None:
    """Print it."""
    from alembic_cluster.state import read_state

    state = read_state(config)
    config.print_stdout("%s", state.as_json() if json else state.as_text())

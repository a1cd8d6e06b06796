"""``alembic-cluster doctor``."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.config import Config

HELP = "Check versions, entry points, env.py, permissions and the cluster; say what to do about each."


def add_arguments(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("--json", action="store_true", help="Write it as JSON.")


def run(config: Config, *, json: bool) -> None:
    """Print every check; end with status 1 where one failed."""
    from alembic_cluster.checkup import as_json, as_text, examine

    checks = examine(config)
    config.print_stdout("%s", as_json(checks) if json else as_text(checks))
    if any(check.result == "failed" for check in checks):
        raise SystemExit(1)

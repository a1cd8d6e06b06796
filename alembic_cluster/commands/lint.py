"""``alembic-cluster lint``."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.config import Config

HELP = "Look for what goes wrong with revisions, without a server."


def add_arguments(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("revisions", nargs="*", help="Revisions, ranges such as 5f2c:head, and their files (all).")
    parser.add_argument(
        "--format",
        choices=("text", "json", "github"),
        help="How to write findings (github on GitHub Actions, else text).",
    )
    parser.add_argument("--json", action="store_true", help="The same as --format json.")
    parser.add_argument("--fail-on", choices=("error", "warning", "info", "never"), default="error",
                        help="The least severity that ends with status 1 (error).")  # fmt: skip


def run(config: Config, *, revisions: Sequence[str], format: str | None, json: bool, fail_on: str) -> None:
    """Lint, print the findings, and end with status 1 where they are severe enough."""
    from alembic_cluster.lint.output import summary, written
    from alembic_cluster.lint.run import fails, lint, relative

    found = [relative(finding) for finding in lint(config, revisions)]
    chosen = "json" if json else format or ("github" if os.environ.get("GITHUB_ACTIONS") == "true" else "text")
    text = written(found, chosen)
    config.print_stdout("%s", text) if text else None
    if chosen != "json":
        config.print_stdout("%s", summary(found))
    if fails(found, fail_on):
        raise SystemExit(1)

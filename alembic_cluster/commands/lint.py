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
    parser.add_argument("--explain", metavar="CODE", help="Show what a rule finds, why, and what to write instead.")


def run(
    config: Config, *, revisions: Sequence[str], format: str | None, json: bool, fail_on: str, explain: str | None
) -> None:
    """Lint, print the findings, and end with status 1 where they are severe enough; or explain a rule.

    :raises ConfigurationError: there is no such rule.
    """
    if explain is not None:
        from alembic_cluster.lint.pages import page_of_rule

        config.print_stdout("%s", page_of_rule(explain))
        return
    from alembic_cluster.lint.output import summary, written
    from alembic_cluster.lint.run import fails, lint, relative

    chosen = "json" if json else format or ("github" if os.environ.get("GITHUB_ACTIONS") == "true" else "text")
    # Annotations are at paths of the repository, wherever in it the command runs.
    here = os.environ.get("GITHUB_WORKSPACE") if chosen == "github" else None
    found = [relative(finding, here) for finding in lint(config, revisions)]
    text = written(found, chosen)
    config.print_stdout("%s", text) if text else None
    if chosen != "json":
        config.print_stdout("%s", summary(found))
    if fails(found, fail_on):
        raise SystemExit(1)

"""``alembic-cluster plan``."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.config import Config

HELP = "Show each statement that upgrade or downgrade would send, and what it costs; sends nothing."


def add_arguments(parser: ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("revision", nargs="?", help="As upgrade or downgrade takes it: 5f2c, +1, -1, base (heads).")
    parser.add_argument("--target", metavar="REVISION", help="The same.")
    parser.add_argument(
        "--down", action="store_true", help="What downgrade would send (-1), where the revision alone doesn't say so."
    )
    parser.add_argument("--json", action="store_true", help="Write it as JSON.")
    parser.add_argument("--sql", action="store_true", help="Write the statements only.")


def run(
    config: Config,
    *,
    revision: str | None,
    target: str | None,
    json: bool,
    sql: bool,
    down: bool,
) -> None:
    """Print the plan."""
    from alembic_cluster.planning import make_plan

    wanted = target or revision or ("-1" if down else "heads")
    plan = make_plan(config, wanted, "downgrade" if down else "")
    if json:
        config.print_stdout("%s", plan.as_json())
    else:
        config.print_stdout("%s", plan.as_sql() if sql else plan.as_text())

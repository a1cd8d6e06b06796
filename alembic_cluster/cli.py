"""The console script ``alembic-cluster``: alembic's own command line."""

from __future__ import annotations

from collections.abc import Sequence

from alembic.config import CommandLine


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command.

    :param argv: the arguments without the program's name; ``sys.argv[1:]`` when None.
    :raises SystemExit: with a non-zero status when the command fails.
    """
    CommandLine(prog="alembic-cluster").main(argv)

# PYTHON_ARGCOMPLETE_OK
"""The console script ``alembic-cluster``: alembic's own command line with more commands and options."""

from __future__ import annotations

import os
import re
import sys
from argparse import Namespace
from collections.abc import Sequence

from alembic import __version__
from alembic.config import CommandLine, Config
from alembic.util import CommandError

from alembic_cluster import commands
from alembic_cluster.completion import complete
from alembic_cluster.ledger import tool_version

FAILED = 255  # what Alembic ends with, too


class ClusterCommandLine(CommandLine):
    """Alembic's command line with what :mod:`alembic_cluster.commands` adds."""

    def __init__(self, prog: str | None = None) -> None:
        super().__init__(prog)
        self.parser.description = "Alembic's commands, and more, for CockroachDB, Apache Cassandra and ScyllaDB."
        self.parser.epilog = (
            "Exit status: 0 done; 1 lint has findings, or a check of doctor failed; 2 the command line is wrong; "
            "75 another run holds the migration lock, try again later; 255 anything else."
        )
        for action in self.parser._actions:
            if action.dest == "version":
                action.version = f"%(prog)s {tool_version()} (alembic {__version__})"  # type: ignore[attr-defined]
        commands.register(self)

    def run_cmd(self, config: Config, options: Namespace) -> None:
        """Run one command, as Alembic's own method of this name does; what went wrong is one line on standard error.

        :raises SystemExit: with :data:`FAILED`, or the error's own ``EXIT_STATUS``.
        """
        wanted, options.raiseerr = options.raiseerr, True
        try:
            super().run_cmd(config, options)
        except CommandError as error:
            if wanted:
                raise
            print(f"FAILED: {as_sentence(str(error))}", file=sys.stderr)
            raise SystemExit(getattr(error, "EXIT_STATUS", FAILED)) from error


def as_sentence(message: str) -> str:
    """Give a message with a capital letter at its begin and a full stop at its end, where its words allow it."""
    if re.match(r"[a-z]+[ ,]", message):
        message = message[0].upper() + message[1:]
    return f"{message}." if re.search(r"[\w'\")\]]\Z", message) else message


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command.

    :param argv: the arguments without the program's name; ``sys.argv[1:]`` when None.
    :raises SystemExit: with a non-zero status when the command fails.
    """
    line = ClusterCommandLine(prog="alembic-cluster")
    complete(line.parser, os.environ)
    line.main(argv)

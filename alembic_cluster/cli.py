"""The console script ``alembic-cluster``: alembic's own command line with more commands and options."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from alembic.config import CommandLine, Config

from alembic_cluster import commands
from alembic_cluster.errors import LockNotAcquired


class ClusterCommandLine(CommandLine):
    """Alembic's command line with what :mod:`alembic_cluster.commands` adds."""

    def __init__(self, prog: str | None = None) -> None:
        super().__init__(prog)
        commands.register(self)

    def run_cmd(self, config: Config, options: Namespace) -> None:
        """Run one command, as Alembic's own method of this name does.

        :raises SystemExit: with the status of :class:`LockNotAcquired` where that is the reason.
        """
        try:
            super().run_cmd(config, options)
        except SystemExit as ended:
            if isinstance(ended.__context__, LockNotAcquired):
                raise SystemExit(LockNotAcquired.EXIT_STATUS) from ended
            raise


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command.

    :param argv: the arguments without the program's name; ``sys.argv[1:]`` when None.
    :raises SystemExit: with a non-zero status when the command fails.
    """
    ClusterCommandLine(prog="alembic-cluster").main(argv)

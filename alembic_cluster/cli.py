"""The console script ``alembic-cluster``: alembic's own command line with more commands and options."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import Any

from alembic.config import CommandLine, Config

from alembic_cluster.commands import repair, unlock
from alembic_cluster.errors import LockNotAcquired

COMMANDS: tuple[Any, ...] = (unlock, repair)
#: Options of Alembic's own commands: names of the commands, the option, and what argparse is told.
OPTIONS: tuple[tuple[tuple[str, ...], str, dict[str, Any]], ...] = (
    (
        ("upgrade", "downgrade", "stamp", "unlock", "repair"),
        "--lock-wait",
        {"type": float, "metavar": "SECONDS", "help": "Wait that long at most for another run to end (600)."},
    ),
    (
        ("upgrade", "downgrade"),
        "--allow-edited",
        {
            "action": "store_true",
            "help": "Go on although an applied revision, or the rest of a half-applied one, was edited.",
        },
    ),
)


class ClusterCommandLine(CommandLine):
    """Alembic's command line with what this package adds."""

    def __init__(self, prog: str | None = None) -> None:
        super().__init__(prog)
        for module in COMMANDS:
            module.register(self)
        for commands, option, arguments in OPTIONS:
            for name in commands:
                self.subparsers.choices[name].add_argument(option, **arguments)

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

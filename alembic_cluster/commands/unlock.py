"""``alembic-cluster unlock``: who holds the migration lock, and taking it away."""

from __future__ import annotations

from alembic.config import CommandLine, Config

from alembic_cluster.commands.stored import Stored, visit
from alembic_cluster.errors import LockNotAcquired
from alembic_cluster.owner import provably_dead


def register(line: CommandLine) -> None:
    """Add the command."""
    parser = line.subparsers.add_parser(
        "unlock", help="Show who holds the migration lock, and take it away from a run that is dead."
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="Take it away although its lease lives. That run stops before its next statement, but the one that it "
        "has just sent goes on: end the process first.",
    )
    parser.set_defaults(cmd=(unlock, [], ["force"]))


def unlock(config: Config, force: bool = False) -> None:
    """Show who holds the migration lock; take it away if that is certain to be right, or wanted.

    :param force: take it away although the lease lives.
    :raises LockNotAcquired: the lease lives; nothing was changed.
    """
    visit(config, lambda stored: _unlock(stored, force))


def _unlock(stored: Stored, force: bool) -> None:
    say, lease = stored.config.print_stdout, stored.stores.lease
    seen = lease.read()
    if seen.holder is None:
        say("Nobody holds the migration lock.")
        return
    dead = provably_dead(seen.holder)
    state = "which is dead" if dead else f"whose lease lasts {seen.remaining or 0:.0f} s more unless it is renewed"
    say(f"The migration lock is held by {seen.holder}, {state}.")
    if not dead and not force:
        raise LockNotAcquired(
            "the lock was left alone: a dead run's lease ends by itself, or is taken over at once on the same host. "
            "'alembic-cluster unlock --force' takes it away from a run that lives"
        )
    if lease.remove(seen):
        say("It was taken away; what that run would still write is refused.")
    else:
        say("It has changed hands meanwhile, and was left alone.")

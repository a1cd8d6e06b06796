"""The migration lock, taken away from a run that is dead: ``alembic-cluster unlock``."""

from __future__ import annotations

from alembic_cluster.errors import LockNotAcquired
from alembic_cluster.owner import provably_dead
from alembic_cluster.stored import Stored


def unlock(stored: Stored, force: bool) -> None:
    """Show who holds the lock of one database; take it away if that is certain to be right, or wanted.

    :param force: take it away although the lease lives.
    :raises LockNotAcquired: the lease lives; nothing was changed.
    """
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

"""``migration_lock``: the one line of ``env.py`` that makes runs exclusive, resumable and recorded.

::

    from alembic_cluster import migration_lock

    with migration_lock(context):
        context.run_migrations()

When there is something to do, the lock is taken first, and the heads are read again when it is held. See
:mod:`alembic_cluster.runner` for what happens then.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic_cluster.errors import ConfigurationError, LockNotAcquired
from alembic_cluster.guard import guard_run
from alembic_cluster.keeping import kept_clear
from alembic_cluster.lint.upgrading import watch_for_findings
from alembic_cluster.phases import keep_phase
from alembic_cluster.progress import reported
from alembic_cluster.runner import Run
from alembic_cluster.settings import Settings


@contextmanager
def migration_lock(
    context: Any,
    *,
    lock_ttl: float | None = None,
    lock_wait: float | None = None,
    allow_edited: bool | None = None,
    **settings: Any,
) -> Iterator[None]:
    """Run migrations in a ``with`` block under the migration lock.

    Where there is nothing to lock, it does nothing: for ``--sql``, for commands that change nothing, and for databases
    that this package doesn't know.

    Each setting can also be said in ``alembic.ini`` and on the command line, see :mod:`alembic_cluster.settings`.

    :param context: ``alembic.context``, after ``context.configure``.
    :param lock_ttl: seconds that the lease lasts unless it is renewed, which is done at a third of it (30).
    :param lock_wait: seconds to wait for another run at most (600).
    :param allow_edited: go on although an applied revision was edited, or the rest of a half-applied one.
    :param settings: of other parts of the package, by their names.
    :raises ConfigurationError: a setting that can't be; nothing was sent.
    :raises LockNotAcquired: another run holds the lock. The command line ends with status 75 instead.
    :raises KeepingFailed: lock, ledger or journal can't be read or written.
    :raises LeaseLost: another run may have taken over; nothing was sent since.
    :raises EditedRevision: an applied revision was edited; nothing was sent.
    :raises ChangedRevision: a half-applied revision was edited; nothing was sent.
    :raises UnfinishedRevision: another revision has to be finished first; nothing was sent.
    """
    try:
        migration = context.get_context()
    except Exception as error:
        raise ConfigurationError(
            "migration_lock(context) comes after context.configure(...) in env.py; nothing was sent"
        ) from error
    given = {"lock_ttl": lock_ttl, "lock_wait": lock_wait, "allow_edited": allow_edited, **settings}
    config = migration.config
    if migration.as_sql or migration.connection is None or not hasattr(migration.impl, "stores"):
        yield
        return
    run_settings = Settings(config, given)
    if hasattr(migration.impl, "take_settings"):
        migration.impl.take_settings(run_settings)
    keep_phase(migration, run_settings)
    guard_run(migration.impl, migration.connection, run_settings)
    watch_for_findings(migration, run_settings)
    run = Run(migration, run_settings)
    try:
        with (
            reported(migration.impl, migration.connection, run_settings, config),
            kept_clear(migration.connection),
            run,
        ):
            yield
    except LockNotAcquired as error:
        if config is None or config.cmd_opts is None or getattr(config.cmd_opts, "raiseerr", False):
            raise
        # Alembic's command line gives every CommandError the same status.
        print(f"FAILED: {error}", file=sys.stderr)
        raise SystemExit(LockNotAcquired.EXIT_STATUS) from error

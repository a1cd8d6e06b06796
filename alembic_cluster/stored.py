"""What a database keeps for runs, for commands that look at it or mend it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory

from alembic_cluster.errors import ConfigurationError
from alembic_cluster.keeping import kept_clear
from alembic_cluster.lease import wait_for_lock
from alembic_cluster.owner import Owner
from alembic_cluster.runner import TTL, WAIT
from alembic_cluster.settings import Settings
from alembic_cluster.stores import Lease, Stores


@dataclass(frozen=True)
class Stored:
    """One database that ``env.py`` connects to.

    :ivar heads: where it stands.
    """

    config: Config
    script: ScriptDirectory
    stores: Stores
    heads: tuple[str, ...]

    @contextmanager
    def locked(self) -> Iterator[Lease]:
        """Hold the migration lock in a ``with`` block.

        :raises LockNotAcquired: another run holds it.
        """
        settings = Settings(self.config)
        self.stores.prepare()
        ttl, wait = settings.number("lock_ttl", TTL), settings.number("lock_wait", WAIT)
        held = wait_for_lock(self.stores.lease, Owner.this_process(), ttl, wait, tell=self.config.print_stdout)
        try:
            self.stores.arm(held.lease)
            yield held.lease
            self.stores.flush()
        finally:
            self.stores.arm(None)
            self.stores.lease.release(held.lease)


def visit(config: Config, do: Callable[[Stored], None]) -> None:
    """Call a function for each database that ``env.py`` connects to.

    :raises ConfigurationError: for a database that keeps nothing for runs.
    """
    script = ScriptDirectory.from_config(config)

    def look(heads: tuple[str, ...], migration: Any) -> list[Any]:
        stores = getattr(migration.impl, "stores", None)
        if stores is None:
            raise ConfigurationError(f"there is no migration lock on {migration.dialect.name}; nothing was sent")
        with kept_clear(migration.connection):
            do(Stored(config, script, stores(migration.connection), tuple(heads)))
        return []

    with EnvironmentContext(config, script, fn=look, dont_mutate=True):
        script.run_env()

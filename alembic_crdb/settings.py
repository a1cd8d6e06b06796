"""What a run on CockroachDB can be told: time limits and the like (see :mod:`alembic_cluster.settings`).

::

    alembic -x statement_timeout=10min upgrade head

    [alembic]
    alembic_cluster.statement_timeout = 10min
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Connection

from alembic_cluster.errors import ConfigurationError
from alembic_cluster.settings import Settings
from alembic_crdb.raw import tell
from alembic_crdb.versions import LOCK_TIMEOUT, WANTED_BEFORE, server_version


@dataclass(frozen=True)
class RunSettings:
    """What a run was told.

    :ivar statement_timeout: milliseconds that a statement may take, as the session variable of this name; 0 for as long
        as it takes; None for what the server has set.
    :ivar lock_timeout: milliseconds that a statement may wait for a lock, the same way.
    :ivar tries: how often a statement is sent at most that the server asks to send again.
    """

    statement_timeout: int | None = None
    lock_timeout: int | None = None
    tries: int = 10

    @classmethod
    def of(cls, settings: Settings) -> RunSettings:
        """Read what a run was told.

        :raises ConfigurationError: a value that can't be read; nothing was sent.
        """
        tries = settings.number("tries", cls.tries)
        if tries < 1 or tries != int(tries):
            raise ConfigurationError(f"tries is {tries:g}, and must be a whole number from 1 on. Nothing was sent.")
        return cls(settings.milliseconds("statement_timeout"), settings.milliseconds("lock_timeout"), int(tries))

    def apply(self, connection: Connection) -> None:
        """Set the session up, and have it set back before the connection goes to its pool.

        :raises ConfigurationError: the server has no such limit.
        """
        version = server_version(connection)
        if self.lock_timeout and not LOCK_TIMEOUT.on(version):
            raise ConfigurationError(
                f"lock_timeout needs CockroachDB v{LOCK_TIMEOUT.since[0]}.{LOCK_TIMEOUT.since[1]} "
                f"({LOCK_TIMEOUT.source}); nothing was sent. Take it out, or upgrade the server."
            )
        for name, value in self._limits():
            tell(connection, f"SET {name} = {value}")
            _reset_at_the_end(connection, name)
        for name, switch in WANTED_BEFORE.items():
            if not switch.on(version):
                tell(connection, f"SET {name} = true")
                _reset_at_the_end(connection, name)

    @contextmanager
    def lifted(self, connection: Connection) -> Iterator[None]:
        """Have the limits not hold in a ``with`` block, for what no revision sends."""
        for name, value in self._limits():
            if value:
                tell(connection, f"RESET {name}")
        yield
        for name, value in self._limits():
            tell(connection, f"SET {name} = {value}")

    def _limits(self) -> Iterator[tuple[str, int]]:
        if self.statement_timeout is not None:
            yield "statement_timeout", self.statement_timeout
        if self.lock_timeout:
            yield "lock_timeout", self.lock_timeout


def _reset_at_the_end(connection: Connection, name: str) -> None:
    def reset(dbapi_connection: Any) -> None:
        with suppress(Exception):  # a connection that is broken by now
            cursor = dbapi_connection.cursor()
            cursor.execute(f"RESET {name}")
            cursor.close()

    pooled: Any = connection.connection
    pooled._connection_record.finalize_callback.append(reset)  # called before what ends the autocommit

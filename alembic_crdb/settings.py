"""What a run on CockroachDB can be told: time limits and the like.

Each is an ``-x`` argument, or a key of the ``[alembic]`` section with ``alembic_cluster.`` before it; the first wins::

    alembic -x statement_timeout=10min upgrade head

    [alembic]
    alembic_cluster.statement_timeout = 10min
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.engine import Connection

from alembic_cluster.errors import ConfigurationError
from alembic_cluster.execution import environment_runs
from alembic_crdb.raw import tell
from alembic_crdb.versions import LOCK_TIMEOUT, server_version

_PREFIX: Final = "alembic_cluster."
_UNITS: Final = {"": 1, "ms": 1, "s": 1000, "sec": 1000, "min": 60_000, "m": 60_000, "h": 3_600_000}
_TIME: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)")
_MOST: Final = 2**31 - 1


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

    def apply(self, connection: Connection) -> None:
        """Set the session up, and have it set back before the connection goes to its pool.

        :raises ConfigurationError: the server has no such limit.
        """
        if self.lock_timeout and not LOCK_TIMEOUT.on(server_version(connection)):
            raise ConfigurationError(
                f"lock_timeout needs CockroachDB v{LOCK_TIMEOUT.since[0]}.{LOCK_TIMEOUT.since[1]} "
                f"({LOCK_TIMEOUT.source}); nothing was sent. Take it out, or upgrade the server."
            )
        for name, value in self._limits():
            tell(connection, f"SET {name} = {value}")
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


def run_settings() -> RunSettings:
    """Read what the running environment was told; nothing outside of one.

    :raises ConfigurationError: a value that can't be read; nothing was sent.
    """
    if not environment_runs():
        return RunSettings()
    return RunSettings(
        statement_timeout=_milliseconds("statement_timeout"),
        lock_timeout=_milliseconds("lock_timeout"),
        tries=_count("tries") or RunSettings.tries,
    )


def _told(name: str) -> str | None:
    from alembic import context

    given = context.get_x_argument(as_dictionary=True)
    value = given.get(name) if name in given else context.config.get_main_option(_PREFIX + name)
    return value.strip() if isinstance(value, str) else value


def _milliseconds(name: str) -> int | None:
    value = _told(name)
    if value is None:
        return None
    match = _TIME.fullmatch(value.lower())
    if match is None or match[2] not in _UNITS or float(match[1]) * _UNITS[match[2]] > _MOST:
        raise ConfigurationError(
            f"{name} = {value!r} is no time: write it as 500ms, 30s, 10min or 1h (0 for no limit). Nothing was sent."
        )
    return round(float(match[1]) * _UNITS[match[2]])


def _count(name: str) -> int | None:
    value = _told(name)
    if value is None:
        return None
    if not value.isdecimal() or int(value) < 1:
        raise ConfigurationError(f"{name} = {value!r} is no number from 1 on. Nothing was sent.")
    return int(value)

"""A node that was there before us."""

from __future__ import annotations

from typing import NoReturn

from tests.servers.addresses import accepts_connections
from tests.servers.errors import NoServer, NotOurServer
from tests.servers.process import LOG_LINES


class ExternalNode:
    """A node of a cluster that an environment variable names: it has an address; to control it is refused.

    :param product: ``Cassandra`` or ``CockroachDB``.
    :param host: where it is.
    :param port: its client port.
    :param variable: the environment variable that names it.
    """

    is_paused = False

    def __init__(self, product: str, host: str, port: int, variable: str) -> None:
        self.host = host
        self.port = port
        self.name = f"{product} node {host}:{port}"
        self._variable = variable

    @property
    def is_running(self) -> bool:
        """Whether it takes connections."""
        return accepts_connections(self.host, self.port)

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise NotOurServer(
            f"{self.name} is not ours to stop, kill, pause or restart: {self._variable} names a server that was "
            "already there"
        )

    start = stop = kill = pause = resume = restart = _refuse
    pid = property(_refuse)

    def wait_ready(self, timeout: float = 0.0) -> None:
        """Check that it takes connections.

        :raises NoServer: it does not.
        """
        if not self.is_running:
            raise NoServer(f"nothing listens at {self.host}:{self.port}, which {self._variable} names")

    def log_tail(self, lines: int = LOG_LINES) -> str:
        """Give nothing: its log is not here."""
        return ""

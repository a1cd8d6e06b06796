"""What can go wrong with a test server.

::

    ServerError
    ├── NoServer            this machine has no way to a server; tests skip with the reason
    ├── DownloadFailed      Maven or Go could not fetch what the server is made of
    ├── ServerDidNotStart   it was started and did not come up; the message ends with its last log lines
    ├── ServerDied          it ended without being asked to; the message ends with its last log lines
    └── NotOurServer        stop, kill, pause or restart was asked of a server that somebody else started
"""

from __future__ import annotations


class ServerError(Exception):
    """Base of all errors of the test servers."""


class NoServer(ServerError):
    """There is no way to a server on this machine; the message is the reason, in one line."""


class DownloadFailed(ServerError):
    """A package registry did not give what a server is made of; the message ends with the tool's output."""


class ServerDidNotStart(ServerError):
    """A server process ended early or was not ready in time; the message ends with its last log lines."""


class ServerDied(ServerError):
    """A server process ended without being asked to; the message ends with its last log lines."""


class NotOurServer(ServerError):
    """The server was there before us, so it is not ours to stop, kill, pause or restart."""

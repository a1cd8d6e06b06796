"""What the driver writes to the log and a user need not read.

Where a call fails, the driver logs a traceback and raises; the exception becomes one clear line, and with Alembic's
logging as ``alembic init`` sets it up, the traceback would stand above it. ``logging.getLogger("cassandra")`` set to
``DEBUG`` or ``INFO`` shows everything.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_LOGGERS = (
    "cassandra.cluster",
    "cassandra.connection",
    "cassandra.datastax.cloud",
    "cassandra.policies",
    "cassandra.pool",
    "cassandra.protocol",
)
_NOT_NEEDED = (
    "Error preparing query:",  # raised as well
    "`USE <keyspace>` with prepared statements",  # sessions of ours forget what they prepared before
)

_lock = threading.Lock()
_connecting = 0


def _is_needed(record: logging.LogRecord) -> bool:
    if record.levelno < logging.WARNING or logging.getLogger("cassandra").level in (logging.DEBUG, logging.INFO):
        return True
    if _connecting and record.levelno < logging.CRITICAL:
        return False
    message = record.getMessage()
    return not any(text in message for text in _NOT_NEEDED)


@contextmanager
def quiet_while_connecting() -> Iterator[None]:
    """Keep warnings and errors of the driver out of the log while a connection is made; it raises them anyway."""
    global _connecting
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_is_needed)  # a second time does nothing
    with _lock:
        _connecting += 1
    try:
        yield
    finally:
        with _lock:
            _connecting -= 1

"""A revision that reaches for the driver's own connection ends its rehearsal: there, nothing could be held back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.pool import Pool

#: Whose own use of the driver's connection is part of what SQLAlchemy's events tell of.
_LIBRARIES = frozenset({"sqlalchemy", "sqlalchemy_cockroachdb", "alembic", "alembic_cluster", "alembic_crdb"})


@contextmanager
def guarded(connection: Connection, reached: Callable[[], object]) -> Iterator[None]:
    """Call ``reached`` when a program asks for ``connection.connection`` or ``engine.raw_connection()``.

    :param connection: the run's.
    :param reached: raises to keep the driver's connection from the one who asks.
    """
    own = type(connection)

    def the_drivers(self: Connection) -> Any:
        if not _is_library(sys._getframe(1)):
            reached()
        return own.connection.__get__(self)

    def checked_out(*_: Any) -> None:
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and frame.f_code.co_name != "raw_connection":
            frame = frame.f_back
        if frame is not None and frame.f_back is not None and not _is_library(frame.f_back):
            reached()

    # A property can only be changed on the class, and SQLAlchemy has no event for this.
    connection.__class__ = type(own.__name__, (own,), {"connection": property(the_drivers)})
    event.listen(Pool, "checkout", checked_out)
    try:
        yield
    finally:
        event.remove(Pool, "checkout", checked_out)
        connection.__class__ = own


def _is_library(frame: FrameType) -> bool:
    return frame.f_globals.get("__name__", "").partition(".")[0] in _LIBRARIES

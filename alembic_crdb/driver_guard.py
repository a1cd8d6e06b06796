"""A revision that reaches for the driver's own connection ends its rehearsal: there, nothing could be held back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.engine import Connection

#: Whose own use of the driver's connection is part of what SQLAlchemy's events tell of.
_LIBRARIES = frozenset({"sqlalchemy", "sqlalchemy_cockroachdb", "alembic", "alembic_cluster", "alembic_crdb"})


@contextmanager
def guarded(connection: Connection, reached: Callable[[], object]) -> Iterator[None]:
    """Call ``reached`` when a program asks for ``connection.connection`` in a ``with`` block.

    :param connection: the run's.
    :param reached: raises to keep the driver's connection from the one who asks.
    """
    own = type(connection)

    def the_drivers(self: Connection) -> Any:
        if sys._getframe(1).f_globals.get("__name__", "").partition(".")[0] not in _LIBRARIES:
            reached()
        return own.connection.__get__(self)

    # A property can only be changed on the class, and SQLAlchemy has no event for this.
    connection.__class__ = type(own.__name__, (own,), {"connection": property(the_drivers)})
    try:
        yield
    finally:
        connection.__class__ = own

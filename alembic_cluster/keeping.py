"""What a server refuses of what this package keeps for itself: lock, ledger and journal, as one clear line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.engine import Connection

from alembic_cluster.errors import ClusterError, KeepingFailed, first_line
from alembic_cluster.execution import product, what_stays


@contextmanager
def kept_clear(connection: Connection) -> Iterator[None]:
    """Make a driver's own exception in a ``with`` block, which no SQLAlchemy was between, an error of ours.

    :param connection: that the block is about.
    :raises KeepingFailed: in its place.
    """
    try:
        yield
    except Exception as error:
        drivers: Any = connection.dialect.loaded_dbapi
        if isinstance(error, ClusterError) or not isinstance(error, drivers.Error):
            raise
        stays = what_stays(connection)
        raise KeepingFailed(
            f"{product(connection.dialect.name)} refused, or did not answer, a statement about lock, ledger or journal "
            f"(the tables alembic_cluster_*): {first_line(error).rstrip('.')}. {stays or 'Nothing else was sent.'} A "
            "user that migrates has to create, read and write tables: see 'alembic-cluster doctor'; then run the same "
            "command again."
        ) from error

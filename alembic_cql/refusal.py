"""How what CQL lacks is refused."""

from __future__ import annotations

from typing import NoReturn

from alembic_cluster.errors import ConfigurationError, UnsupportedConstruct


def refuse(what: str, instead: str) -> NoReturn:
    """Refuse a construct.

    :param what: what CQL has not, such as ``JOIN``.
    :param instead: what to do instead.
    :raises UnsupportedConstruct: always.
    """
    raise UnsupportedConstruct(f"CQL has no {what}: {instead}; nothing was sent")


def missing_keyspace() -> ConfigurationError:
    """Make the error for a request that needs a keyspace where none is named."""
    return ConfigurationError(
        "the URL names no keyspace: write cassandra://host/keyspace (create it first: CREATE KEYSPACE .. WITH "
        "replication = {..}); nothing was sent"
    )

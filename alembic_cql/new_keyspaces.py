"""``create_keyspaces``: what ``create_engine`` and a migration need to be there before they can begin."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from alembic import context
from sqlalchemy import URL, MetaData, NullPool, create_engine, make_url

from alembic_cluster.errors import ConfigurationError
from alembic_cluster.execution import environment_runs
from alembic_cql.create_all import missing_keyspaces
from alembic_cql.ddl_objects import CreateKeyspace


def create_keyspaces(url: str | URL, metadata: MetaData | Iterable[MetaData], **options: Any) -> list[str]:
    """Create the keyspaces of a model that the cluster hasn't, that of the URL among them; leave the others alone.

    A connection into a keyspace needs it to be there, so this makes one of its own, into none. In env.py, before the
    engine is made: ``create_keyspaces(config.get_main_option("sqlalchemy.url"), target_metadata)``. With ``--sql`` it
    does nothing.

    :param url: the database's URL.
    :param metadata: where the :class:`~alembic_cql.Keyspace` objects are; several are one model.
    :param options: of ``create_engine``, such as ``cql_keyspaces`` or ``connect_args``.
    :return: the names of those that were created.
    :raises ConfigurationError: for a URL of another database.
    :raises InvalidModel: for a keyspace that this cluster can't have; nothing was sent.
    """
    target = make_url(url)
    if target.get_dialect().name != "cql":
        raise ConfigurationError(
            f"create_keyspaces takes a URL of Cassandra or ScyllaDB, not {target!r}; nothing was sent"
        )
    if environment_runs() and context.is_offline_mode():
        return []
    engine = create_engine(target.set(database=""), poolclass=NullPool, **options)
    every = [metadata] if isinstance(metadata, MetaData) else list(metadata)
    with engine.connect() as connection:
        missing = [keyspace for item in every for keyspace in missing_keyspaces(item, connection)]
        for keyspace in missing:
            connection.execute(CreateKeyspace(keyspace, if_not_exists=True))
    return [keyspace.name for keyspace in missing]

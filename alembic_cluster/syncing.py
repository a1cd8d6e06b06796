"""Bringing a development database to what the models say, without a revision; revisions are for all else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sqlalchemy import MetaData
from sqlalchemy.engine import Connection

from alembic_cluster.connections import Bind, with_connection
from alembic_cluster.errors import ConfigurationError

if TYPE_CHECKING:
    from alembic.config import Config


class SyncResult(list[str]):
    """The statements that were sent, or would be, in order.

    :ivar warnings: what is only in the database, or otherwise there, and stays as it is; one clause for each.
    """

    def __init__(self, statements: Iterable[str] = (), warnings: Iterable[str] = ()) -> None:
        super().__init__(statements)
        self.warnings = tuple(warnings)


def sync(
    bind: Bind | Connection,
    metadata: MetaData,
    *,
    dry_run: bool = False,
    drop_removed_indexes: bool = False,
    allow_versioned: bool = False,
) -> SyncResult:
    """Create what the models have and the database hasn't, and change what differs; nothing that holds data is dropped.

    :param bind: a URL, an ``Engine``, an ``AsyncEngine`` or a ``Connection``.
    :param metadata: the models.
    :param dry_run: send nothing.
    :param drop_removed_indexes: drop the indexes of the models' tables that the models lack.
    :param allow_versioned: work also in a database whose schema revisions keep.
    :return: the statements, and what stays as it is; of the latter a
        :class:`~alembic_cluster.errors.SchemaDriftWarning` each.
    :raises VersionedKeyspace: Alembic's version table is there, and ``allow_versioned`` is false; nothing was sent.
    :raises ConfigurationError: for a database that this package doesn't know; nothing was sent.
    :raises ClusterError: for models that the database can't hold; nothing was sent.
    """

    from alembic.runtime.migration import MigrationContext  # `import alembic` imports this module half-way

    def work(connection: Connection) -> SyncResult:
        context = MigrationContext.configure(connection)
        impl: Any = context.impl
        if not hasattr(impl, "sync"):
            raise ConfigurationError(f"sync is not for the dialect {connection.dialect.name!r}; nothing was sent")
        result: SyncResult = impl.sync(
            context,
            metadata,
            dry_run=dry_run,
            drop_removed_indexes=drop_removed_indexes,
            allow_versioned=allow_versioned,
        )
        return result

    return work(bind) if isinstance(bind, Connection) else with_connection(bind, work)


def sync_environment(config: Config, **options: bool) -> list[str]:
    """Do :func:`sync` for the database and the models of an ``env.py``.

    :param options: of :func:`sync`.
    :return: the statements.
    :raises ConfigurationError: ``env.py`` gives no ``target_metadata``; nothing was sent.
    """
    from alembic_cluster.reading import in_environment

    statements: list[str] = []

    def work(heads: Any, context: Any) -> None:
        given = context.opts.get("target_metadata")
        if given is None:
            raise ConfigurationError("env.py gives no target_metadata to context.configure; nothing was sent")
        for metadata in given if isinstance(given, (list, tuple)) else [given]:
            statements.extend(sync(context.connection, metadata, **options))

    in_environment(config, work)
    return statements

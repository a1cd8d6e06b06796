"""Alembic's environment of a :class:`~alembic_cluster.api.Migrator` that has a URL and a folder, and no other."""

from alembic import context
from sqlalchemy.engine import Connection

from alembic_cluster import migration_lock
from alembic_cluster.connections import with_connection

metadata = context.config.attributes.get("target_metadata")

if context.is_offline_mode():
    context.configure(
        url=context.config.attributes["url"],
        target_metadata=metadata,
        literal_binds=True,
        dialect_opts={"paramstyle": "named"},
    )
    context.run_migrations()
else:

    def run(connection: Connection) -> None:
        """Run the command on a connection."""
        context.configure(connection=connection, target_metadata=metadata)
        with migration_lock(context):
            context.run_migrations()

    with_connection(context.config.attributes["bind"], run)

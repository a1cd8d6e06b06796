"""Alembic's environment for Cassandra and ScyllaDB; the URL comes from DATABASE_URL."""

import os
from logging.config import fileConfig

from alembic import context
from alembic.util import CommandError
from sqlalchemy import NullPool, create_engine

from alembic_cluster import migration_lock

config = context.config
if config.config_file_name is not None:
    fileConfig(config.config_file_name, disable_existing_loggers=False)

# The models: from myapp.models import Base, then Base.metadata
target_metadata = None


def database_url() -> str:
    """DATABASE_URL, or sqlalchemy.url of alembic.ini."""
    url = os.environ.get("DATABASE_URL") or config.get_main_option("sqlalchemy.url")
    if not url:
        raise CommandError("Set DATABASE_URL, such as cassandra://localhost:9042/bank?local_dc=dc1")
    return url


def run_migrations_offline() -> None:
    """Print the statements (--sql); nothing is sent."""
    context.configure(
        url=database_url(),
        target_metadata=target_metadata,
        literal_binds=True,
        dialect_opts={"paramstyle": "named"},
    )
    context.run_migrations()


def run_migrations_online() -> None:
    """Run the command on the database: one process at a time."""
    engine = create_engine(database_url(), poolclass=NullPool)
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=target_metadata)
        with migration_lock(context):
            context.run_migrations()


if context.is_offline_mode():
    run_migrations_offline()
else:
    run_migrations_online()

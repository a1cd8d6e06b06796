"""Alembic's environment of the accounts, on CockroachDB: as ``alembic init`` writes it, with our models and our URL."""

from logging.config import fileConfig

from alembic import context
from sqlalchemy import create_engine, pool

from alembic_cluster import migration_lock
from example_app.accounts.models import Base
from example_app.settings import ACCOUNTS, database_url

config = context.config

if config.config_file_name is not None:
    fileConfig(config.config_file_name, disable_existing_loggers=False)

target_metadata = Base.metadata


def run_migrations_offline() -> None:
    """Write the statements as a script, without a connection (``--sql``)."""
    context.configure(
        url=database_url(ACCOUNTS),
        target_metadata=target_metadata,
        literal_binds=True,
        dialect_opts={"paramstyle": "named"},
    )

    with context.begin_transaction():
        context.run_migrations()


def run_migrations_online() -> None:
    """Run the revisions on the server."""
    engine = create_engine(database_url(ACCOUNTS), poolclass=pool.NullPool)

    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=target_metadata)

        with migration_lock(context):
            context.run_migrations()


if context.is_offline_mode():
    run_migrations_offline()
else:
    run_migrations_online()

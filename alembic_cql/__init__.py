"""SQLAlchemy dialect and Alembic implementation for Apache Cassandra and ScyllaDB."""

from __future__ import annotations

# First: `import alembic` loads this package's plugin, which must not find the modules below half-imported.
import alembic  # noqa: F401  isort: split

from alembic_cql.adapters import metadata_from_coodie, metadata_from_cqlengine
from alembic_cql.create_keyspaces import create_keyspaces
from alembic_cql.functions import AggregateDefinition, FunctionDefinition
from alembic_cql.keyspaces import Keyspace
from alembic_cql.reflection import reflect_keyspace
from alembic_cql.schema import MaterializedView
from alembic_cql.splitting import split_cql
from alembic_cql.sync import SyncResult, sync_tables
from alembic_cql.types import UserType

__all__ = [
    "AggregateDefinition",
    "FunctionDefinition",
    "Keyspace",
    "MaterializedView",
    "SyncResult",
    "UserType",
    "create_keyspaces",
    "metadata_from_coodie",
    "metadata_from_cqlengine",
    "reflect_keyspace",
    "split_cql",
    "sync_tables",
]

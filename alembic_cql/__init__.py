"""SQLAlchemy dialect and Alembic implementation for Apache Cassandra and ScyllaDB."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

# First: `import alembic` loads this package's plugin, which must not find the modules below half-imported.
import alembic  # noqa: F401

if TYPE_CHECKING:
    from alembic_cluster.syncing import SyncResult
    from alembic_cql import types
    from alembic_cql.adapters import metadata_from_coodie, metadata_from_cqlengine
    from alembic_cql.functions import AggregateDefinition, FunctionDefinition
    from alembic_cql.keyspaces import Keyspace
    from alembic_cql.new_keyspaces import create_keyspaces
    from alembic_cql.reflection import reflect_keyspace
    from alembic_cql.schema import MaterializedView
    from alembic_cql.splitting import split_cql
    from alembic_cql.sync import sync_tables
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
    "types",
]

_MODULES = {
    "AggregateDefinition": "functions",
    "FunctionDefinition": "functions",
    "Keyspace": "keyspaces",
    "MaterializedView": "schema",
    "SyncResult": "sync",
    "UserType": "types",
    "create_keyspaces": "new_keyspaces",
    "metadata_from_coodie": "adapters",
    "metadata_from_cqlengine": "adapters",
    "reflect_keyspace": "reflection",
    "split_cql": "splitting",
    "sync_tables": "sync",
}


def __getattr__(name: str) -> Any:
    # Not before they are asked for: every `import alembic` imports this package, for whatever database it is.
    if name == "types":
        return import_module("alembic_cql.types")
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"alembic_cql.{_MODULES[name]}"), name)

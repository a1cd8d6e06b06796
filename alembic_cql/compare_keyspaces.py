"""Autogenerate for keyspaces themselves: those that the model has a Keyspace for, and no others."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from alembic.operations import MigrateOperation
from alembic.util import PriorityDispatchResult
from sqlalchemy import MetaData

from alembic_cluster.notes import noted
from alembic_cql.environments import configured_keyspaces, in_environment
from alembic_cql.keyspace_operations import AlterKeyspaceOp, CreateKeyspaceOp
from alembic_cql.keyspaces import Keyspace, changed_settings, check_server
from alembic_cql.reflection import KeyspaceInfo
from alembic_cql.schema import keyspace_objects

log = logging.getLogger("alembic.autogenerate.compare.cql")
KEYSPACE = "keyspace"  # what include_object is told
_REPAIR = "Run a full repair of keyspace {name!r} afterwards: no statement brings its rows to new replicas."


def declared_keyspaces(autogen_context: Any) -> list[Keyspace]:
    """Give the keyspaces of the model that this environment's filters let by."""
    found = autogen_context.metadata
    every: Iterable[MetaData] = found if isinstance(found, (list, tuple)) else [found]
    declared = [item for metadata in every for item in keyspace_objects(metadata).keyspaces.values()]
    return [
        item
        for item in declared
        if autogen_context.run_name_filters(item.name, "schema", {})
        and autogen_context.run_object_filters(item, item.name, KEYSPACE, False, None)
    ]


def add_declared(autogen_context: Any, upgrade_ops: Any, schemas: set[str | None]) -> PriorityDispatchResult:
    """Have the tables of each keyspace of the model compared, whether env.py says ``include_schemas`` or not.

    :param schemas: those that are compared; changed in place.
    """
    default = autogen_context.dialect.default_schema_name
    declared = {item.name for item in declared_keyspaces(autogen_context)}
    schemas |= {None if name == default else name for name in declared}
    if default is None and declared:
        schemas.discard(None)
    return PriorityDispatchResult.CONTINUE


def compare_keyspaces(autogen_context: Any) -> list[MigrateOperation]:
    """Give the operations that make and change keyspaces. None is ever dropped: others may keep theirs in the cluster.

    :raises InvalidModel: for a keyspace that this server can't have.
    """
    dialect = autogen_context.dialect
    configured = configured_keyspaces(dialect, autogen_context.migration_context)
    found: list[MigrateOperation] = []
    for declared in declared_keyspaces(autogen_context):
        wanted = in_environment(declared, configured)
        check_server(wanted.name, wanted.options, dialect.features)
        info: KeyspaceInfo = dialect.keyspace_info(
            autogen_context.connection, wanted.name, info_cache=autogen_context.inspector.info_cache
        )
        if info.settings is None:
            log.info("Detected added keyspace %r", wanted.name)
            found.append(CreateKeyspaceOp(declared))
            continue
        changed, existing = changed_settings(wanted, info.settings)
        if changed:
            log.info("Detected changed options of keyspace %r: %s", wanted.name, ", ".join(changed))
            options = {name: declared.options.get(name, value) for name, value in changed.items()}
            operation = AlterKeyspaceOp(wanted.name, options, existing=existing)
            repair = [_REPAIR.format(name=wanted.name)] if "replication" in changed else []
            noted(operation, repair, repair)
            found.append(operation)
    return found

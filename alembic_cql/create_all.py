"""What ``MetaData.create_all`` and ``drop_all`` do besides tables: they check all first, make all other objects too."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import MetaData, Table, event

from alembic_cql.checks import check_table, check_user_type
from alembic_cql.ddl import CreateMaterializedView, CreateUserType, DropMaterializedView, DropUserType
from alembic_cql.ddl_objects import CreateDefinition, CreateKeyspace, DropDefinition
from alembic_cql.environments import configured_keyspaces, in_environment
from alembic_cql.functions import AggregateDefinition, Definition, check_definitions, signature
from alembic_cql.keyspaces import Keyspace, check_datacenters, check_server
from alembic_cql.options import check_changes
from alembic_cql.reflection import KeyspaceInfo
from alembic_cql.schema import (
    MaterializedView,
    check_view,
    declared_types,
    keyspace_objects,
    sorted_types,
    used_types,
)
from alembic_cql.types import UserType


def listen(dialect_name: str) -> None:
    """Begin to listen to the events of every MetaData, for connections of one dialect."""
    for name, handler in (
        ("before_create", _before_create),
        ("after_create", _after_create),
        ("before_drop", _before_drop),
        ("after_drop", _after_drop),
    ):
        event.listen(MetaData, name, _only_for(dialect_name, handler))


def _only_for(dialect_name: str, handler: Callable[..., None]) -> Callable[..., None]:
    def listener(target: MetaData, connection: Any, **kw: Any) -> None:
        if connection.dialect.name == dialect_name:
            handler(target, connection, list(kw.get("tables") or ()), bool(kw.get("checkfirst")))

    return listener


def _before_create(metadata: MetaData, connection: Any, tables: list[Table], checkfirst: bool) -> None:
    """Refuse what can't be before the first table is sent, then create keyspaces and what tables may need."""
    keyspaces = missing_keyspaces(metadata, connection, checkfirst=checkfirst)
    declared = declared_types(metadata)
    existing = _existing(connection, declared, "types") if checkfirst else set()
    types = [
        kind for kind in sorted_types(declared.values()) if kind.fields and (kind.schema, kind.name) not in existing
    ]
    for kind in types:
        check_user_type(kind, connection.dialect)
    for table in tables:
        check_table(table, connection.dialect)
    for view in keyspace_objects(metadata).views.values():
        base = metadata.tables.get(_base_key(view))
        if base is not None:
            check_view(view, base)
        check_changes(view.options, view.name, connection.dialect.features, of_view=True)
    definitions = keyspace_objects(metadata).definitions
    check_definitions(definitions, connection.dialect)
    there = _existing_definitions(connection, definitions) if checkfirst else set()
    for keyspace in keyspaces:
        connection.execute(CreateKeyspace(keyspace, if_not_exists=checkfirst))
    for kind in types:
        connection.execute(CreateUserType(kind))
    for definition in definitions:
        if _definition_key(definition, connection.dialect) not in there:
            connection.execute(CreateDefinition(definition))


def declared_keyspaces(metadata: MetaData, dialect: Any) -> list[Keyspace]:
    """Give the keyspaces of a MetaData as this environment has them.

    :param dialect: of the connection.
    """
    configured = configured_keyspaces(dialect)
    return [in_environment(item, configured) for item in keyspace_objects(metadata).keyspaces.values()]


def check_keyspaces(keyspaces: Iterable[Keyspace], connection: Any) -> None:
    """Refuse keyspaces that a cluster can't have.

    :param connection: of dialect ``cql``.
    :raises InvalidModel: naming the keyspace.
    """
    dialect = connection.dialect
    for keyspace in keyspaces:
        check_server(keyspace.name, keyspace.options, dialect.features)
        check_datacenters(keyspace.name, keyspace.replication, dialect.datacenters(connection))


def missing_keyspaces(metadata: MetaData, connection: Any, *, checkfirst: bool = True) -> list[Keyspace]:
    """Give the keyspaces of a MetaData that aren't there, as this environment has them.

    :param connection: of dialect ``cql``.
    :param checkfirst: whether those that are there are left out.
    :raises InvalidModel: for one that this cluster can't have.
    """
    wanted = declared_keyspaces(metadata, connection.dialect)
    existing = connection.dialect.get_schema_names(connection) if checkfirst and wanted else ()
    missing = [keyspace for keyspace in wanted if keyspace.name not in existing]
    check_keyspaces(missing, connection)
    return missing


def _definition_key(item: Definition, dialect: Any) -> tuple[str | None, bool, str]:
    return item.schema, isinstance(item, AggregateDefinition), signature(item, dialect)


def _existing_definitions(connection: Any, wanted: Iterable[Definition]) -> set[tuple[str | None, bool, str]]:
    found = set()
    for schema in {item.schema for item in wanted}:
        info: KeyspaceInfo = connection.dialect.keyspace_info(connection, schema)
        for item in info.definitions:
            found.add((schema, *_definition_key(item, connection.dialect)[1:]))
    return found


def _after_create(metadata: MetaData, connection: Any, tables: list[Table], checkfirst: bool) -> None:
    views = keyspace_objects(metadata).views
    existing = _existing(connection, views, "views") if checkfirst else set()
    bases = {(view.schema, view.base) for view in views.values()}
    there = _existing(connection, bases, "tables") if checkfirst else bases
    for key, view in views.items():
        # A table of this MetaData that isn't there is one that create_all(tables=...) left out.
        left_out = _base_key(view) in metadata.tables and (view.schema, view.base) not in there
        if key not in existing and not left_out:
            connection.execute(CreateMaterializedView(view))


def _before_drop(metadata: MetaData, connection: Any, tables: list[Table], checkfirst: bool) -> None:
    views = keyspace_objects(metadata).views
    existing = _existing(connection, views, "views") if checkfirst else set(views)
    going = {table.key for table in tables}
    for key, view in reversed(views.items()):
        base_stays = _base_key(view) in metadata.tables and _base_key(view) not in going
        if key in existing and not base_stays:
            connection.execute(DropMaterializedView(view))


def _after_drop(metadata: MetaData, connection: Any, tables: list[Table], checkfirst: bool) -> None:
    """Drop functions, aggregates, and the user types that nothing needs any more; never a keyspace."""
    definitions = keyspace_objects(metadata).definitions
    there = _existing_definitions(connection, definitions) if checkfirst else set()
    for item in reversed(definitions):
        key = _definition_key(item, connection.dialect)
        if not checkfirst or key in there:
            what = "aggregate" if key[1] else "function"
            connection.execute(DropDefinition(what, item.name, item.types, item.schema))
    declared = declared_types(metadata)
    for kind in reversed(sorted_types(declared.values())):
        if kind.fields and (not checkfirst or _can_go(connection, kind)):
            connection.execute(DropUserType(kind))


def _can_go(connection: Any, kind: UserType) -> bool:
    keyspace: KeyspaceInfo = connection.dialect.keyspace_info(connection, kind.schema)
    return kind.name in keyspace.types and kind.name not in _names_in_use(keyspace)


def _names_in_use(keyspace: KeyspaceInfo) -> set[str]:
    """Give the user types that a keyspace's tables and functions use, directly or inside other types."""
    found: set[str] = set()
    waiting = [column.type for table in keyspace.tables.values() for column in table.columns]
    waiting += [kind for item in keyspace.functions for kind in (*item.types, item.returns)]
    waiting += [kind for item in keyspace.aggregates for kind in (*item.types, item.stype)]
    while waiting:
        for used in used_types([waiting.pop()]):
            if used.name not in found:
                found.add(used.name)
                waiting += [kind for _, kind in used.fields]
    return found


def _base_key(view: MaterializedView) -> str:
    return view.base if view.schema is None else f"{view.schema}.{view.base}"


def _existing(connection: Any, wanted: Iterable[tuple[str | None, str]], catalog: str) -> set[tuple[str | None, str]]:
    """Give the ``(keyspace, name)`` pairs that the server has in the wanted keyspaces."""
    found: set[tuple[str | None, str]] = set()
    for schema in {schema for schema, _ in wanted}:
        info = connection.dialect.keyspace_info(connection, schema)
        found |= {(schema, name) for name in getattr(info, catalog)}
    return found

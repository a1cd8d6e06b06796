"""What ``MetaData.create_all`` and ``drop_all`` do besides tables: they check all first, make types and views too."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import MetaData, Table, event

from alembic_cql.checks import check_table, check_user_type
from alembic_cql.ddl import CreateMaterializedView, CreateUserType, DropMaterializedView, DropUserType
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
    """Refuse what can't be before the first table is sent, then create the user types that tables need."""
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
    for kind in types:
        connection.execute(CreateUserType(kind))


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
    """Drop the user types that no table needs any more."""
    declared = declared_types(metadata)
    for kind in reversed(sorted_types(declared.values())):
        if kind.fields and (not checkfirst or _can_go(connection, kind)):
            connection.execute(DropUserType(kind))


def _can_go(connection: Any, kind: UserType) -> bool:
    keyspace: KeyspaceInfo = connection.dialect.keyspace_info(connection, kind.schema)
    return kind.name in keyspace.types and kind.name not in _names_in_use(keyspace)


def _names_in_use(keyspace: KeyspaceInfo) -> set[str]:
    """Give the user types that a keyspace's tables use, directly or inside other types."""
    found: set[str] = set()
    waiting = [column.type for table in keyspace.tables.values() for column in table.columns]
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

"""Autogenerate for user types, materialized views, functions and aggregates."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from alembic.operations import MigrateOperation
from alembic.operations.ops import CreateTableOp, DropTableOp
from sqlalchemy import MetaData

from alembic_cluster.notes import WARNING, noted
from alembic_cql.compare_functions import compare_functions
from alembic_cql.differences import changed_view_options, impossible_type_changes, impossible_view_changes
from alembic_cql.features import Features
from alembic_cql.functions import check_definitions
from alembic_cql.options import check_changes
from alembic_cql.reflection import KeyspaceInfo, TableInfo, to_view
from alembic_cql.schema import MaterializedView, check_view, declared_types, keyspace_objects, sorted_types
from alembic_cql.type_operations import AlterTypeOp, CreateTypeOp, DropTypeOp
from alembic_cql.types import UserType
from alembic_cql.view_operations import (
    AlterMaterializedViewOptionsOp,
    CreateMaterializedViewOp,
    DropMaterializedViewOp,
)

log = logging.getLogger("alembic.autogenerate.compare.cql")
ANEW = (
    f"{WARNING}materialized view {{view!r}} is dropped and made anew from all rows of table {{base!r}}: queries of it "
    "fail meanwhile, and find less until it is built."
)
_USER_TYPE, _VIEW = "user_type", "materialized_view"  # what include_object and include_name are told


@dataclass
class ObjectDifferences:
    """What is to be done for user types, functions, aggregates and materialized views.

    :ivar before: operations that come before those on tables.
    :ivar after: operations that come after them.
    :ivar dropped_views: the views that are dropped in ``before``.
    :ivar impossible: what differs and can't be altered.
    """

    before: list[MigrateOperation] = field(default_factory=list)
    after: list[MigrateOperation] = field(default_factory=list)
    dropped_views: list[MaterializedView] = field(default_factory=list)
    impossible: list[str] = field(default_factory=list)

    def leave_views_of(self, base: str, schema: str | None) -> None:
        """Take out what is to be done for the views of a table."""

        def concerns(operation: MigrateOperation) -> bool:
            view = getattr(operation, "view", None)
            return isinstance(view, MaterializedView) and (view.base, view.schema) == (base, schema)

        self.before = [item for item in self.before if not concerns(item)]
        self.after = [item for item in self.after if not concerns(item)]


def check_objects(autogen_context: Any) -> None:
    """Refuse views, functions and aggregates that the database can't hold.

    :raises InvalidModel: naming it.
    """
    every = [item for metadata in _metadata(autogen_context) for item in keyspace_objects(metadata).definitions]
    check_definitions(every, autogen_context.dialect)
    for metadata in _metadata(autogen_context):
        for (schema, _), view in keyspace_objects(metadata).views.items():
            base = metadata.tables.get(view.base if schema is None else f"{schema}.{view.base}")
            if base is not None:
                check_view(view, base)
            check_changes(view.options, view.name, autogen_context.dialect.features, of_view=True)


def compare_objects(autogen_context: Any, keyspaces: Mapping[str | None, KeyspaceInfo]) -> ObjectDifferences:
    """Compare the user types, functions, aggregates and views of the model with those of keyspaces.

    A type or function is created before the tables and dropped after them, a view the other way round.

    :param autogen_context: Alembic's ``AutogenContext``.
    :param keyspaces: the keyspaces to compare with, that of the connection by None.
    """
    result = ObjectDifferences()
    types = {key: kind for metadata in _metadata(autogen_context) for key, kind in declared_types(metadata).items()}
    views = {
        key: view for metadata in _metadata(autogen_context) for key, view in keyspace_objects(metadata).views.items()
    }
    for schema, keyspace in keyspaces.items():
        _compare_views(autogen_context, schema, keyspace, _of_keyspace(autogen_context, views, schema), result)
    every = [item for metadata in _metadata(autogen_context) for item in keyspace_objects(metadata).definitions]
    definitions = {(item.schema, str(number)): item for number, item in enumerate(every)}
    dropped_types: list[MigrateOperation] = []
    for schema, keyspace in keyspaces.items():
        wanted = _of_keyspace(autogen_context, types, schema)
        in_it = _of_keyspace(autogen_context, definitions, schema).values()
        functions = compare_functions(autogen_context, schema, keyspace, in_it)
        result.before.extend(functions.drops)
        result.before.extend(_changed_types(autogen_context, schema, keyspace, wanted, result.impossible))
        result.before.extend(functions.creates)
        result.after.extend(functions.gone)
        dropped_types.extend(_dropped_types(autogen_context, schema, keyspace, wanted))
    result.after.extend(dropped_types)
    return result


def views_without_table(
    autogen_context: Any, operations: Iterable[MigrateOperation], keyspaces: Mapping[str | None, KeyspaceInfo]
) -> Iterator[str]:
    """Give a clause for each materialized view of the model whose table neither stays nor comes.

    :param operations: what autogenerate found.
    """
    default = autogen_context.dialect.default_schema_name

    def place(schema: str | None, name: str) -> tuple[str | None, str]:
        return None if schema == default else schema, name

    done = list(operations)
    made = {place(item.schema, item.table_name) for item in done if isinstance(item, CreateTableOp)}
    dropped = {place(item.schema, item.table_name) for item in done if isinstance(item, DropTableOp)}
    created = {place(item.view.schema, item.view.name) for item in done if isinstance(item, CreateMaterializedViewOp)}
    for metadata in _metadata(autogen_context):
        for (own, name), view in keyspace_objects(metadata).views.items():
            schema, base = place(own, view.base)
            keyspace = keyspaces.get(schema)
            if keyspace is None:
                continue
            is_there = base in keyspace.tables or base in keyspace.settled
            if (schema, base) in dropped or ((schema, name) in created and (schema, base) not in made and not is_there):
                yield f"materialized view {name!r} is made from table {base!r}, which the model has not"


def _metadata(autogen_context: Any) -> Iterable[MetaData]:
    found = autogen_context.metadata
    return found if isinstance(found, (list, tuple)) else [found]


def _of_keyspace(
    autogen_context: Any, items: Mapping[tuple[str | None, str], Any], schema: str | None
) -> dict[str, Any]:
    default = autogen_context.dialect.default_schema_name
    return {name: item for (own, name), item in items.items() if (None if own == default else own) == schema}


def _names(autogen_context: Any, names: Iterable[str], kind: str, schema: str | None) -> list[str]:
    return [name for name in names if autogen_context.run_name_filters(name, kind, {"schema_name": schema})]


def _changed_types(
    autogen_context: Any, schema: str | None, keyspace: KeyspaceInfo, wanted: dict[str, UserType], impossible: list[str]
) -> Iterator[MigrateOperation]:
    """Give the operations on types that come before those on tables."""
    known = _names(autogen_context, keyspace.types, _USER_TYPE, schema)
    for kind in sorted_types(wanted.values()):
        found = keyspace.types[kind.name] if kind.name in known else None
        # A type without fields is a mere reference by name.
        if not kind.fields or not autogen_context.run_object_filters(kind, kind.name, _USER_TYPE, False, found):
            continue
        if found is None:
            log.info("Detected added user type %r", kind.name)
            yield CreateTypeOp(kind)
            continue
        clauses = list(impossible_type_changes(kind, found, autogen_context.dialect))
        added = kind.fields[len(found.fields) :]
        names, found_names = [name for name, _ in kind.fields], [name for name, _ in found.fields]
        if not clauses and names != found_names and names != found_names[: len(names)]:
            if names[: len(found_names)] == found_names:
                log.info("Detected added fields of user type %r", kind.name)
                yield AlterTypeOp(kind.name, add=added, schema=schema, if_not_exists=True)
            else:
                clauses.append(
                    f"user type {kind.name!r}: the model has the fields {', '.join(names)}, the database "
                    f"{', '.join(found_names)}"
                )
        impossible.extend(
            f"{clause}. CQL only adds fields at the end (or renames them, op.alter_type(rename=..)): put new fields "
            "last and let the others stay, or create a type of another name"
            for clause in clauses
        )


def _dropped_types(
    autogen_context: Any, schema: str | None, keyspace: KeyspaceInfo, wanted: dict[str, UserType]
) -> Iterator[MigrateOperation]:
    """Give the operations that drop types that only the keyspace has; none before those that use it."""
    for kind in reversed(sorted_types(keyspace.types.values())):
        if kind.name in wanted or not _names(autogen_context, [kind.name], _USER_TYPE, schema):
            continue
        if autogen_context.run_object_filters(kind, kind.name, _USER_TYPE, True, None):
            log.info("Detected removed user type %r", kind.name)
            kind.schema = schema
            yield DropTypeOp(kind.name, schema=schema, type_=kind)


def _compare_views(
    autogen_context: Any,
    schema: str | None,
    keyspace: KeyspaceInfo,
    wanted: dict[str, MaterializedView],
    result: ObjectDifferences,
) -> None:
    features = autogen_context.dialect.features
    known = _names(autogen_context, keyspace.views, _VIEW, schema)

    for name in known:
        info = keyspace.views[name]
        if name not in wanted and autogen_context.run_object_filters(
            to_view(info, schema, features), name, _VIEW, True, None
        ):
            log.info("Detected removed materialized view %r", name)
            drop_view(info, schema, features, result, anew=False)
    for name, view in wanted.items():
        found = keyspace.views[name] if name in known else None
        compare_to = None if found is None else to_view(found, schema, features)
        if not autogen_context.run_object_filters(view, name, _VIEW, False, compare_to):
            continue
        if found is None:
            log.info("Detected added materialized view %r", name)
            result.after.append(CreateMaterializedViewOp(view))
        elif any(impossible_view_changes(view, found)):
            log.info("Detected changed materialized view %r", name)
            drop_view(found, schema, features, result)
            result.after.append(CreateMaterializedViewOp(view))
        else:
            result.after.extend(_changed_view_options(view, found, schema, autogen_context.dialect))


def drop_view(
    info: TableInfo, schema: str | None, features: Features, result: ObjectDifferences, *, anew: bool = True
) -> None:
    """Have a view of the server dropped.

    :param anew: whether it is made again afterwards, which is said above the operation.
    """
    view = to_view(info, schema, features)
    result.dropped_views.append(view)
    operation = DropMaterializedViewOp(view.name, schema=schema, view=view)
    result.before.append(operation)
    if anew:
        noted(operation, [ANEW.format(view=view.name, base=view.base)])


def views_of_model(autogen_context: Any, schema: str | None) -> dict[str, MaterializedView]:
    """Give the model's views of one keyspace by name."""
    views = {
        key: view for metadata in _metadata(autogen_context) for key, view in keyspace_objects(metadata).views.items()
    }
    return _of_keyspace(autogen_context, views, schema)


def _changed_view_options(
    view: MaterializedView, found: TableInfo, schema: str | None, dialect: Any
) -> Iterator[MigrateOperation]:
    changed, existing = changed_view_options(view, found, dialect)
    if (view.comment or "") != found.comment:
        changed["comment"], existing["comment"] = view.comment or "", found.comment
    if changed:
        yield AlterMaterializedViewOptionsOp(view.name, changed, existing=existing, schema=schema)

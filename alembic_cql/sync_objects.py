"""What ``sync_tables`` has to send for keyspaces, functions and aggregates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy.schema import ExecutableDDLElement

from alembic_cql.compare_functions import compare_functions
from alembic_cql.ddl_objects import AlterKeyspace, CreateDefinition, CreateKeyspace, DropDefinition
from alembic_cql.function_operations import CreateAggregateOp, CreateFunctionOp, DropAggregateOp, DropFunctionOp
from alembic_cql.functions import Definition, signature
from alembic_cql.keyspaces import Keyspace, changed_settings
from alembic_cql.reflection import KeyspaceInfo


class _Unfiltered:
    """What :func:`compare_functions` asks of Alembic's context, where no env.py leaves anything out."""

    def __init__(self, dialect: Any) -> None:
        self.dialect = dialect

    def run_name_filters(self, *args: Any) -> bool:
        return True

    def run_object_filters(self, *args: Any) -> bool:
        return True


def sync_keyspaces(
    wanted: Iterable[Keyspace], keyspaces: Mapping[str | None, KeyspaceInfo]
) -> Iterator[ExecutableDDLElement]:
    """Give what makes and changes keyspaces.

    :param wanted: those of the model, as this environment has them.
    :param keyspaces: what each has, by name.
    """
    for keyspace in wanted:
        settings = keyspaces[keyspace.name].settings
        if settings is None:
            yield CreateKeyspace(keyspace, if_not_exists=True)
            continue
        changed, _ = changed_settings(keyspace, settings)
        if changed:
            yield AlterKeyspace(keyspace.name, changed)


def sync_definitions(
    schema: str | None, found: KeyspaceInfo, wanted: Iterable[Definition], dialect: Any
) -> tuple[list[ExecutableDDLElement], list[str]]:
    """Give what makes and changes functions and aggregates of a keyspace, and a clause for each that no model has."""
    differences = compare_functions(_Unfiltered(dialect), schema, found, wanted)
    statements: list[ExecutableDDLElement] = []
    creates: dict[str, CreateDefinition] = {}
    for made in differences.creates:
        assert isinstance(made, (CreateFunctionOp, CreateAggregateOp))
        item = made.function if isinstance(made, CreateFunctionOp) else made.aggregate
        creates[signature(item, dialect)] = CreateDefinition(item, made.replace)
    only_there = []
    for dropped in (*differences.drops, *differences.gone):
        assert isinstance(dropped, (DropFunctionOp, DropAggregateOp))
        kind = "function" if isinstance(dropped, DropFunctionOp) else "aggregate"
        existing = dropped.function if isinstance(dropped, DropFunctionOp) else dropped.aggregate
        assert existing is not None
        text = signature(existing, dialect)
        if text in creates:
            statements.append(DropDefinition(kind, dropped.name, dropped.types, schema))
        else:
            only_there.append(f"{kind} {text} is only in the database")
    return [*statements, *creates.values()], only_there

"""A development database brought to what the models say: autogenerate's operations but those that lose something."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from typing import Any

from alembic.autogenerate import produce_migrations
from alembic.operations import Operations, ops
from sqlalchemy import MetaData, inspect

from alembic_cluster.errors import SchemaDriftWarning, VersionedKeyspace
from alembic_cluster.syncing import SyncResult
from alembic_crdb.transactions import enter_autocommit

_DROPS = ("Drop", "drop")


def sync_database(
    context: Any, metadata: MetaData, *, dry_run: bool, drop_removed_indexes: bool, allow_versioned: bool
) -> SyncResult:
    """Do what :func:`alembic_cluster.syncing.sync` says.

    :param context: Alembic's ``MigrationContext`` of the connection.
    """
    impl = context.impl
    enter_autocommit(context.connection)
    if not allow_versioned and inspect(context.connection).has_table("alembic_version"):
        raise VersionedKeyspace(
            "The database has an alembic_version: revisions keep its schema, and sync would have them disagree with "
            "it. Nothing was sent; write a revision, or say allow_versioned."
        )
    operations = Operations(context)
    found = list(_flat(produce_migrations(context, metadata).upgrade_ops.ops))  # type: ignore[union-attr]
    made = {_name(each) for each in found if not type(each).__name__.startswith(_DROPS)}
    texts: list[str] = []
    left: list[str] = []
    taken: list[Any] = []
    known = impl.known()
    for operation in found:
        rehearsal = impl.rehearse(operations.invoke, operation=operation)
        statements = [each for text in rehearsal.statements for each in impl.statements(text, known) if each.changes]
        is_index = isinstance(operation, ops.DropIndexOp)
        stays = any(each.losses for each in statements) or (
            type(operation).__name__.startswith(_DROPS) and _name(operation) not in made
        )
        if stays and not (is_index and drop_removed_indexes):
            left.append(f"stays as it is: {'; '.join(each.text for each in statements)}")
            continue
        texts += [each.text for each in statements]
        taken.append(operation)
    for each in left:
        warnings.warn(each, SchemaDriftWarning, stacklevel=5)
    if not dry_run:
        for operation in taken:
            operations.invoke(operation)
    return SyncResult(texts, left)


def _flat(operations: Iterable[Any]) -> Iterator[Any]:
    for operation in operations:
        if isinstance(operation, ops.ModifyTableOps):
            yield from _flat(operation.ops)
        else:
            yield operation


def _name(operation: Any) -> tuple[Any, Any]:
    names = ("constraint_name", "index_name", "view_name")
    return getattr(operation, "table_name", None), next(
        (getattr(operation, name) for name in names if getattr(operation, name, None)), None
    )

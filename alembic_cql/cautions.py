"""What a person should know before a revision runs, written above the operation that it is about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from alembic.operations import MigrateOperation, ops

from alembic_cluster.notes import WARNING, noted
from alembic_cql.differences import refused_addition
from alembic_cql.operations import AlterTableOptionsOp
from alembic_cql.reflection import KeyspaceInfo, TableInfo
from alembic_cql.schema import is_counter
from alembic_cql.typenames import canonical_name, parse_type

_TTL = "default_time_to_live"


def flat(operations: Iterable[MigrateOperation]) -> Iterator[MigrateOperation]:
    """Give operations one by one, those in a table's container too."""
    for operation in operations:
        yield from operation.ops if isinstance(operation, ops.ModifyTableOps) else [operation]


def note_cautions(
    operations: Iterable[MigrateOperation], keyspaces: Mapping[str | None, KeyspaceInfo], dialect: Any
) -> None:
    """Write above each operation what it destroys, and what the server will make of it.

    :param operations: of an upgrade; changed in place.
    :param keyspaces: what each keyspace has, that of the connection by None.
    :param dialect: of the connection.
    """
    for operation in flat(operations):
        if isinstance(operation, ops.DropTableOp):
            name = operation.table_name
            noted(
                operation,
                [f"{WARNING}this deletes table {name!r} with all its rows; a downgrade brings it back empty."],
                [f"Table {name!r} comes back empty."],
            )
        elif isinstance(operation, ops.DropColumnOp):
            noted(operation, *_dropped_column(operation))
        elif isinstance(operation, ops.AddColumnOp):
            keyspace = keyspaces[operation.schema]
            found = keyspace.tables[operation.table_name]
            dropped = keyspace.dropped_columns.get(operation.table_name, {})
            noted(operation, list(_added_column(operation, found, dropped, dialect)))
        elif isinstance(operation, AlterTableOptionsOp):
            noted(operation, list(_shorter_life(operation)))


def comes_back(operation: MigrateOperation, keyspaces: Mapping[str | None, KeyspaceInfo]) -> bool:
    """Whether an operation adds a column under the name of one that was dropped before."""
    if not isinstance(operation, ops.AddColumnOp):
        return False
    return operation.column.name in keyspaces[operation.schema].dropped_columns.get(operation.table_name, {})


def _dropped_column(operation: ops.DropColumnOp) -> tuple[list[str], list[str]]:
    where = f"column {operation.column_name!r} of table {operation.table_name!r}"
    loss = f"{WARNING}this deletes what {where} holds, in all rows"
    if is_counter(operation.to_column()):
        return (
            [f"{loss}; no counter can come back under its name, so a downgrade is refused."],
            [f"{WARNING}the server refuses this: no dropped counter can come back under its name."],
        )
    return [f"{loss}; a downgrade brings it back empty."], [f"{where[0].upper()}{where[1:]} comes back empty."]


def _added_column(
    operation: ops.AddColumnOp, found: TableInfo, dropped: Mapping[str, Any], dialect: Any
) -> Iterator[str]:
    column = operation.column
    row = dropped.get(column.name)
    if row is None:
        return
    where = f"column {column.name!r} of table {operation.table_name!r}"
    refusal = refused_addition(column, found, dropped, dialect)
    if refusal is not None:
        yield f"{WARNING}the server refuses this {where}: {refusal}. Give it another name, in the model and here."
        return
    before, now = canonical_name(parse_type(str(row["type"])), dialect), canonical_name(column.type, dialect)
    if before != now:
        yield f"{WARNING}{where} was dropped as {before}. It comes back as {now}, without what it held."


def _shorter_life(operation: AlterTableOptionsOp) -> Iterator[str]:
    now, before = operation.options.get(_TTL), operation.existing.get(_TTL)
    if now and (not before or int(now) < int(before)):
        yield (
            f"{WARNING}rows of table {operation.table_name!r} that are written from now on go after {now} s"
            f"{f' instead of {before} s' if before else ''}; those that are there keep their time to live."
        )

"""Foreign keys and checks of a model as catalog objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal, cast, get_args

from sqlalchemy import CheckConstraint, Constraint, ForeignKey, ForeignKeyConstraint, Table, UniqueConstraint
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.exc import NoReferencedColumnError, NoReferencedTableError
from sqlalchemy.schema import PrimaryKeyConstraint

from alembic_crdb import catalog
from alembic_crdb.catalog import Action, Check, ObjectName, PrimaryKey, Unique
from alembic_crdb.model_indexes import primary_key_to_catalog, refuse_deferred, unique_to_catalog
from alembic_crdb.model_reader import Reader, options, plain_name

_ACTIONS: Final = get_args(Action)
_MATCHES: Final = ("SIMPLE", "FULL", "PARTIAL")


def constraint_to_catalog(
    constraint: Constraint, reader: Reader
) -> PrimaryKey | catalog.ForeignKey | Check | Unique | catalog.Index | None:
    """Give a constraint of a model as a catalog object; None for what the server does not have.

    :raises InvalidModel: an option has a value that makes no sense.
    """
    if isinstance(constraint, PrimaryKeyConstraint):
        return primary_key_to_catalog(constraint, reader)
    if isinstance(constraint, UniqueConstraint):
        return unique_to_catalog(constraint, reader)
    if isinstance(constraint, ForeignKeyConstraint):
        return foreign_key_to_catalog(constraint, reader)
    if isinstance(constraint, CheckConstraint):
        return check_to_catalog(constraint, reader)
    if isinstance(constraint, ExcludeConstraint):
        reader.refuse(
            f"Table {constraint.table.name} has the EXCLUDE constraint {reader.name_of(constraint) or '(unnamed)'}, "
            "which CockroachDB does not have (go.crdb.dev/issue-v/46657). Give it ddl_if(dialect='postgresql') to "
            "keep it for PostgreSQL."
        )
    else:
        reader.refuse(
            f"Table {constraint.table.name} has a constraint of no kind that CockroachDB has: {constraint!r}."
        )
    return None


def check_to_catalog(constraint: CheckConstraint, reader: Reader) -> Check:
    """Give a CHECK constraint of a model as a catalog object."""
    # To SQLAlchemy one that was given to a column is no constraint of the table.
    parent: Any = constraint.parent
    table = parent if isinstance(parent, Table) else parent.table
    name = reader.name_of(constraint)
    refuse_deferred(constraint, reader, f"check {name or '(unnamed)'} of table {table.name}")
    return Check(name, reader.sql(constraint.sqltext), not options(constraint).get("not_valid"))


def foreign_key_to_catalog(constraint: ForeignKeyConstraint, reader: Reader) -> catalog.ForeignKey:
    """Give a foreign key of a model as a catalog object; its table need not be in the MetaData."""
    columns = tuple(plain_name(element.parent.name) for element in constraint.elements)
    name = reader.name_of(constraint)
    of = f"foreign key {name or ', '.join(columns)} of table {constraint.table.name}"
    refuse_deferred(constraint, reader, of)
    targets = [_target(element, reader) for element in constraint.elements]
    match = (constraint.match or "SIMPLE").upper()
    if match not in _MATCHES or match == "PARTIAL":
        reader.refuse(f"{of[:1].upper()}{of[1:]} has MATCH {match}, which CockroachDB does not have.")
        match = "SIMPLE"
    return catalog.ForeignKey(
        name,
        columns,
        targets[0][0],
        tuple(column for _, column in targets),
        cast(Literal["SIMPLE", "FULL"], match),
        _action(constraint.ondelete, "DELETE", reader, of),
        _action(constraint.onupdate, "UPDATE", reader, of),
        not options(constraint).get("not_valid"),
    )


def _target(element: ForeignKey, reader: Reader) -> tuple[ObjectName, str]:
    try:
        column = element.column
        return reader.object_name(column.table), plain_name(column.name)
    except (NoReferencedTableError, NoReferencedColumnError):
        schema, table, name = element._column_tokens
        stand_in: Any = _StandIn(table, schema)
        return reader.object_name(stand_in), str(name or element.parent.name)


class _StandIn:
    """A table that a foreign key names and the MetaData does not have."""

    _use_schema_map = True

    def __init__(self, name: str, schema: str | None) -> None:
        self.name = name
        self.schema = schema


def _action(said: str | None, event: str, reader: Reader, of: str) -> Action:
    action = " ".join((said or "NO ACTION").upper().split())
    if action not in _ACTIONS:
        reader.refuse(f"{of[:1].upper()}{of[1:]} has ON {event} {said}, which CockroachDB does not have.")
        return "NO ACTION"
    return cast(Action, action)


def constraints_of(table: Table, reader: Reader) -> Iterator[Constraint]:
    """Give the constraints of a table that are for this dialect, in the order in which they were made."""
    of_columns = [constraint for column in table.columns for constraint in column.constraints]
    for constraint in (*table._sorted_constraints, *of_columns):
        if reader.should_create(constraint):
            yield constraint

"""Operations on tables beyond Alembic's own; ``op.<name>(...)`` in a revision."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.sql import Executable

from alembic_cluster import backfill_operation as backfill_operation
from alembic_cluster.errors import InvalidModel
from alembic_cluster.file_operations import ExecuteFileOp
from alembic_crdb import alterations, ddl
from alembic_crdb.catalog import IndexElement, PrimaryKey
from alembic_crdb.model import locality_of
from alembic_crdb.model_indexes import partitioning_of
from alembic_crdb.model_reader import Reader
from alembic_crdb.operation_base import CockroachOperation, known, operation, table_name
from alembic_crdb.primary_keys import change_primary_key
from alembic_crdb.to_metadata import sql


@operation("alter_primary_key")
@dataclass(eq=False)
class AlterPrimaryKeyOp(CockroachOperation):
    """``ALTER TABLE .. ALTER PRIMARY KEY USING COLUMNS``.

    The server keeps the old key as a unique index; it is dropped again unless ``keep_old``.

    :param table_name: the table.
    :param columns: the new key, in order; ``"ts DESC"`` for a descending column.
    :param existing: the key before, for the downgrade.
    :param buckets: number of hash buckets; not hash-sharded when None.
    :param existing_buckets: likewise, before.
    :param schema: the table's schema; the default one when None.
    :param keep_old: whether the old key stays as a unique index.
    """

    table_name: str
    columns: Sequence[str]
    existing: Sequence[str] | None = None
    buckets: int | None = None
    existing_buckets: int | None = None
    schema: str | None = None
    keep_old: bool = False

    def run(self, impl: Any) -> None:
        """Send the ALTER TABLE, and drop the index that the server makes of the old key."""
        change_primary_key(impl, table_name(self.table_name, self.schema), self._key(), self.keep_old)

    def statements(self, dialect: Any) -> Iterable[Executable]:
        """Give the ALTER TABLE."""
        yield ddl.AlterTable(table_name(self.table_name, self.schema), alterations.AlterPrimaryKey(self._key()))

    def _key(self) -> PrimaryKey:
        return PrimaryKey(
            None,
            tuple(map(_element, self.columns)),
            self.buckets is not None,
            () if self.buckets is None else (("bucket_count", str(self.buckets)),),
        )

    def reverse(self) -> AlterPrimaryKeyOp:
        """Give the operation that sets the key before."""
        before = known(self.existing, f"The primary key of {self.table_name}")
        return AlterPrimaryKeyOp(
            self.table_name, before, self.columns, self.existing_buckets, self.buckets, self.schema, self.keep_old
        )


def _element(column: str) -> IndexElement:
    name, _, direction = column.rpartition(" ")
    if direction.upper() in ("ASC", "DESC") and name:
        return IndexElement(name, "DESC" if direction.upper() == "DESC" else "ASC")
    return IndexElement(column)


@operation("set_locality")
@dataclass(eq=False)
class SetLocalityOp(CockroachOperation):
    """``ALTER TABLE .. SET LOCALITY``.

    :param table_name: the table.
    :param locality: as ``cockroachdb_locality`` of a Table, such as ``"REGIONAL BY ROW"``.
    :param existing: the locality before, for the downgrade.
    :param schema: the table's schema; the default one when None.
    """

    table_name: str
    locality: str
    existing: str | None = None
    schema: str | None = None

    def statements(self, dialect: Any) -> Iterable[Executable]:
        """Give the ALTER TABLE."""
        locality = locality_of(self.locality, f"table {self.table_name}")
        yield ddl.SetLocality(table_name(self.table_name, self.schema), locality)

    def reverse(self) -> SetLocalityOp:
        """Give the operation that sets the locality before."""
        before = known(self.existing, f"The locality of {self.table_name}")
        return SetLocalityOp(self.table_name, before, self.locality, self.schema)


@operation("set_storage_parameters")
@dataclass(eq=False)
class SetStorageParametersOp(CockroachOperation):
    """``ALTER TABLE .. SET (...)`` and ``RESET (...)``: storage parameters, those of row-level TTL among them.

    :param table_name: the table.
    :param parameters: values by name; None sets a parameter back to its default.
    :param existing: values before, for the downgrade.
    :param schema: the table's schema; the default one when None.
    """

    table_name: str
    parameters: Mapping[str, Any]
    existing: Mapping[str, Any] | None = None
    schema: str | None = None

    def statements(self, dialect: Any) -> Iterable[Executable]:
        """Give one statement for what is set and one for what is reset."""
        name = table_name(self.table_name, self.schema)
        said = {key: value for key, value in self.parameters.items() if value is not None}
        reset = tuple(key for key, value in self.parameters.items() if value is None)
        if {"ttl_expire_after", "ttl_expiration_expression"} <= {*reset} or (
            reset and all(key.startswith("ttl") for key in reset) and _ends_ttl(reset, said)
        ):
            reset = ("ttl",)
        if reset:
            yield ddl.AlterTable(name, alterations.ResetParameters(reset))
        if said:
            values = Reader(dialect).parameters(said, f"table {self.table_name}")
            yield ddl.AlterTable(name, alterations.SetParameters(values))

    def reverse(self) -> SetStorageParametersOp:
        """Give the operation that sets the values before."""
        before = known(self.existing, f"The storage parameters of {self.table_name}")
        return SetStorageParametersOp(self.table_name, before, self.parameters, self.schema)


def _ends_ttl(reset: Sequence[str], said: Mapping[str, Any]) -> bool:
    """Tell whether row-level TTL is to be switched off: RESET (ttl) takes all of its parameters along."""
    switches = ("ttl_expire_after", "ttl_expiration_expression")
    return any(key in reset for key in switches) and not any(key in said for key in switches)


@operation("reset_storage_parameters")
@dataclass(eq=False)
class ResetStorageParametersOp(CockroachOperation):
    """``ALTER TABLE .. RESET (...)``.

    :param table_name: the table.
    :param names: the parameters.
    :param existing: values before, for the downgrade.
    :param schema: the table's schema; the default one when None.
    """

    table_name: str
    names: Sequence[str]
    existing: Mapping[str, Any] | None = None
    schema: str | None = None

    def statements(self, dialect: Any) -> Iterable[Executable]:
        """Give the ALTER TABLE."""
        return SetStorageParametersOp(self.table_name, dict.fromkeys(self.names), schema=self.schema).statements(
            dialect
        )

    def reverse(self) -> SetStorageParametersOp:
        """Give the operation that sets the values before."""
        before = known(self.existing, f"The storage parameters of {self.table_name}")
        return SetStorageParametersOp(self.table_name, before, dict.fromkeys(self.names), self.schema)


@operation("alter_index_visibility")
@dataclass(eq=False)
class AlterIndexVisibilityOp(CockroachOperation):
    """``ALTER INDEX .. VISIBLE``, ``NOT VISIBLE`` or ``VISIBILITY n``.

    :param index_name: the index.
    :param table_name: its table.
    :param visibility: from 0.0, not visible, to 1.0.
    :param existing: the visibility before, for the downgrade.
    :param schema: the table's schema; the default one when None.
    """

    index_name: str
    table_name: str
    visibility: float
    existing: float | None = None
    schema: str | None = None

    def statements(self, dialect: Any) -> Iterable[Executable]:
        """Give the ALTER INDEX."""
        if not 0 <= self.visibility <= 1:
            raise InvalidModel(f"The visibility of index {self.index_name} is from 0.0 to 1.0. Nothing was sent.")
        yield ddl.AlterIndexVisibility(
            table_name(self.table_name, self.schema), self.index_name, float(self.visibility)
        )

    def reverse(self) -> AlterIndexVisibilityOp:
        """Give the operation that sets the visibility before."""
        before = known(self.existing, f"The visibility of {self.index_name}")
        return AlterIndexVisibilityOp(self.index_name, self.table_name, before, self.visibility, self.schema)


@operation("alter_column_options")
@dataclass(eq=False)
class AlterColumnOptionsOp(CockroachOperation):
    """``ALTER COLUMN`` for what ``op.alter_column`` has no word for: visibility and ``ON UPDATE``.

    :param table_name: the table.
    :param column_name: the column.
    :param not_visible: whether ``SELECT *`` leaves it out; None to leave that alone.
    :param on_update: the expression as SQL, ``""`` for none; None to leave it alone.
    :param existing_not_visible: before, for the downgrade.
    :param existing_on_update: before, for the downgrade; ``""`` for none.
    :param schema: the table's schema; the default one when None.
    """

    table_name: str
    column_name: str
    not_visible: bool | None = None
    on_update: str | None = None
    existing_not_visible: bool | None = None
    existing_on_update: str | None = None
    schema: str | None = None

    def statements(self, dialect: Any) -> Iterable[Executable]:
        """Give one ALTER TABLE with all of it."""
        actions: list[alterations.Action] = []
        if self.not_visible is not None:
            actions.append(alterations.SetHidden(self.column_name, self.not_visible))
        if self.on_update is not None:
            actions.append(alterations.SetOnUpdate(self.column_name, self.on_update or None))
        if actions:
            yield ddl.AlterTable(table_name(self.table_name, self.schema), *actions)

    def reverse(self) -> AlterColumnOptionsOp:
        """Give the operation that sets what was before."""
        column = f"Column {self.column_name} of {self.table_name}"
        hidden = None if self.not_visible is None else known(self.existing_not_visible, column)
        on_update = None if self.on_update is None else known(self.existing_on_update, column)
        return AlterColumnOptionsOp(
            self.table_name, self.column_name, hidden, on_update, self.not_visible, self.on_update, self.schema
        )


@operation("validate_constraint")
@dataclass(eq=False)
class ValidateConstraintOp(CockroachOperation):
    """``VALIDATE CONSTRAINT``: check the rows that were there when the constraint was added NOT VALID.

    :param constraint_name: the constraint.
    :param table_name: its table.
    :param schema: the table's schema; the default one when None.
    """

    constraint_name: str
    table_name: str
    schema: str | None = None

    def statements(self, dialect: Any) -> Iterable[Executable]:
        """Give the ALTER TABLE."""
        yield ddl.AlterTable(
            table_name(self.table_name, self.schema), alterations.ValidateConstraint(self.constraint_name)
        )

    def reverse(self) -> NoteOp:
        """Give a note: a constraint that was found to hold needs no way back."""
        return NoteOp(f"constraint {self.constraint_name} of {self.table_name} stays validated")


@operation("partition_by")
@dataclass(eq=False)
class PartitionByOp(CockroachOperation):
    """``PARTITION BY`` of a table or an index.

    :param table_name: the table.
    :param partitioning: such as ``"LIST (city) (PARTITION a VALUES IN ('x'))"``; ``"NOTHING"`` for none.
    :param index_name: the index; the table itself when None.
    :param existing: before, for the downgrade.
    :param schema: the table's schema; the default one when None.
    """

    table_name: str
    partitioning: str
    index_name: str | None = None
    existing: str | None = None
    schema: str | None = None

    def statements(self, dialect: Any) -> Iterable[Executable]:
        """Give the ALTER TABLE or ALTER INDEX."""
        name = table_name(self.table_name, self.schema)
        nothing = self.partitioning.strip().upper() == "NOTHING"
        wanted = None if nothing else partitioning_of(self.partitioning, f"table {self.table_name}")
        if self.index_name is None:
            yield ddl.AlterTable(name, alterations.PartitionBy(wanted))
        else:
            yield ddl.PartitionIndex(name, self.index_name, wanted)

    def reverse(self) -> PartitionByOp:
        """Give the operation that sets what was before."""
        before = known(self.existing, f"The partitioning of {self.table_name}")
        return PartitionByOp(self.table_name, before, self.index_name, self.partitioning, self.schema)


@operation("note")
@dataclass(eq=False)
class NoteOp(CockroachOperation):
    """A note to the reader of a revision; sends nothing.

    :param message: what to know.
    """

    message: str

    def statements(self, dialect: Any) -> Iterable[Executable]:
        """Give nothing."""
        return ()

    def reverse(self) -> NoteOp:
        """Give itself."""
        return self

    def render(self, prefix: str, *, in_batch: bool = False) -> str:
        """Write the note as a comment."""
        return "\n".join(f"# {line}" for line in textwrap.wrap(self.message, 100))


@operation("execute_sql")
@dataclass(eq=False)
class ExecuteSqlOp(CockroachOperation):
    """Raw SQL with its own way back.

    :param up: the SQL, sent as it is; a colon in it is no bind parameter.
    :param down: the SQL of the downgrade; None when there is none.
    """

    up: str
    down: str | None = None

    def statements(self, dialect: Any) -> Iterable[Executable]:
        """Give the SQL."""
        yield sql(self.up)

    def reverse(self) -> ExecuteSqlOp:
        """Give the operation with both texts exchanged."""
        return ExecuteSqlOp(known(self.down, "The SQL"), self.up)


__all__ = [
    "AlterColumnOptionsOp",
    "AlterIndexVisibilityOp",
    "AlterPrimaryKeyOp",
    "ExecuteFileOp",
    "ExecuteSqlOp",
    "NoteOp",
    "PartitionByOp",
    "ResetStorageParametersOp",
    "SetLocalityOp",
    "SetStorageParametersOp",
    "ValidateConstraintOp",
]

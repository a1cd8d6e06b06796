"""What can differ between two databases, each difference as one immutable object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from alembic_crdb.catalog import (
    Check,
    Column,
    Family,
    ForeignKey,
    Index,
    Locality,
    Partitioning,
    PrimaryKey,
    Unique,
)
from alembic_crdb.catalog_objects import Database, EnumType, Sequence, View, ZoneConfiguration
from alembic_crdb.snapshot import Name

Constraint: TypeAlias = "ForeignKey | Check | Unique"


@dataclass(frozen=True)
class AddTable:
    """The model has a table that the database lacks."""

    table: Name


@dataclass(frozen=True)
class DropTable:
    """The database has a table that the model lacks."""

    table: Name


@dataclass(frozen=True)
class AddColumn:
    """The model has a column that the table lacks."""

    table: Name
    column: Column


@dataclass(frozen=True)
class DropColumn:
    """The table has a column that the model lacks."""

    table: Name
    column: Column


@dataclass(frozen=True)
class AlterColumn:
    """A column differs.

    :ivar aspects: which of ``type``, ``nullable``, ``default``, ``on_update``, ``hidden``, ``identity``.
    """

    table: Name
    old: Column
    new: Column
    aspects: frozenset[str]


@dataclass(frozen=True)
class ReplaceColumn:
    """A computed column's formula differs, which no server changes in place: dropped and added, its values lost."""

    table: Name
    old: Column
    new: Column


@dataclass(frozen=True)
class AlterPrimaryKey:
    """The primary key differs; None where there is none but the hidden ``rowid``."""

    table: Name
    old: PrimaryKey | None
    new: PrimaryKey | None


@dataclass(frozen=True)
class AddIndex:
    """The model has an index that the table lacks, or another one of this name."""

    table: Name
    index: Index


@dataclass(frozen=True)
class DropIndex:
    """The table has an index that the model lacks, or another one of this name."""

    table: Name
    index: Index


@dataclass(frozen=True)
class AlterIndexVisibility:
    """An index differs in its visibility alone."""

    table: Name
    index: str
    old: float
    new: float


@dataclass(frozen=True)
class AddConstraint:
    """The model has a constraint that the table lacks."""

    table: Name
    constraint: Constraint


@dataclass(frozen=True)
class DropConstraint:
    """The table has a constraint that the model lacks."""

    table: Name
    constraint: Constraint


@dataclass(frozen=True)
class ValidateConstraint:
    """The table has a constraint NOT VALID that the model has validated."""

    table: Name
    constraint: Constraint


@dataclass(frozen=True)
class AlterParameters:
    """Storage parameters differ; values as texts, None for a parameter that is not set."""

    table: Name
    old: tuple[tuple[str, str | None], ...]
    new: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True)
class AlterLocality:
    """The locality differs."""

    table: Name
    old: Locality
    new: Locality


@dataclass(frozen=True)
class AlterFamilies:
    """The column families of columns that both have differ, which no statement changes."""

    table: Name
    old: tuple[Family, ...]
    new: tuple[Family, ...]


@dataclass(frozen=True)
class AlterPartitioning:
    """The partitioning of a table or, with its name, of an index differs."""

    table: Name
    index: str | None
    old: Partitioning | None
    new: Partitioning | None


@dataclass(frozen=True)
class AlterComment:
    """A comment differs.

    :ivar kind: ``TABLE``, ``COLUMN``, ``INDEX``, ``CONSTRAINT`` ...
    :ivar child: the column, index or constraint.
    """

    kind: str
    name: Name
    child: str | None
    old: str | None
    new: str | None


@dataclass(frozen=True)
class AddSchema:
    """The model has a schema that the database lacks."""

    schema: str


@dataclass(frozen=True)
class AddEnum:
    """The model has an enum type that the database lacks."""

    enum: EnumType


@dataclass(frozen=True)
class DropEnum:
    """The database has an enum type that the model lacks."""

    enum: EnumType


@dataclass(frozen=True)
class AlterEnum:
    """An enum type's values differ."""

    old: EnumType
    new: EnumType


@dataclass(frozen=True)
class AddSequence:
    """The model has a sequence that the database lacks."""

    sequence: Sequence


@dataclass(frozen=True)
class DropSequence:
    """The database has a sequence that the model lacks."""

    sequence: Sequence


@dataclass(frozen=True)
class AddView:
    """The model has a view that the database lacks."""

    view: View


@dataclass(frozen=True)
class DropView:
    """The database has a view that the model lacks."""

    view: View


@dataclass(frozen=True)
class ReplaceView:
    """A view's query differs."""

    old: View
    new: View


@dataclass(frozen=True)
class AlterZone:
    """A zone configuration differs; None where there is none."""

    old: ZoneConfiguration | None
    new: ZoneConfiguration | None


@dataclass(frozen=True)
class AlterRegions:
    """The regions of the database or what it survives differ; the old one has no primary region where it has none."""

    old: Database
    new: Database


Change: TypeAlias = (
    AddTable
    | DropTable
    | AddColumn
    | DropColumn
    | AlterColumn
    | ReplaceColumn
    | AlterPrimaryKey
    | AddIndex
    | DropIndex
    | AlterIndexVisibility
    | AddConstraint
    | DropConstraint
    | ValidateConstraint
    | AlterParameters
    | AlterLocality
    | AlterFamilies
    | AlterPartitioning
    | AlterComment
    | AddSchema
    | AddEnum
    | DropEnum
    | AlterEnum
    | AddSequence
    | DropSequence
    | AddView
    | DropView
    | ReplaceView
    | AlterZone
    | AlterRegions
)

"""What ``ALTER TABLE`` does to a table: each action an immutable object; several go into one statement.

Actions that the server takes only by themselves (SET LOCALITY, CONFIGURE ZONE, RENAME TO, SET SCHEMA) are statements
of their own in :mod:`alembic_crdb.ddl`. Source: CockroachDB's documentation, page "ALTER TABLE".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from alembic_crdb import catalog, requirements, versions
from alembic_crdb.catalog import (
    CANONICAL,
    Check,
    ForeignKey,
    Identity,
    Index,
    Parameters,
    Partitioning,
    PrimaryKey,
    SequenceOptions,
    SQLType,
    Unique,
)
from alembic_crdb.printer_base import ElementPrinter

Version: TypeAlias = tuple[int, int]
_PRINT: Final = ElementPrinter(CANONICAL)
_IDENTITY_OPTIONS: Final = ("increment", "min_value", "max_value", "start", "cache", "node_cache", "cycle")


@dataclass(frozen=True)
class Action:
    """One action. :meth:`sql` gives its text for a version of the server."""

    def sql(self, version: Version) -> str:
        """Write the action.

        :raises UnsupportedConstruct: the server is too old for it.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class AddColumn(Action):
    """``ADD COLUMN``.

    :param family: the column family that it goes into.
    :param create_family: whether to create that family if there is none.
    """

    column: catalog.Column
    if_not_exists: bool = False
    family: str | None = None
    create_family: bool = True

    def sql(self, version: Version) -> str:
        """Write the action."""
        requirements.require_column(self.column, version, "this one")
        text = f"ADD COLUMN {'IF NOT EXISTS ' if self.if_not_exists else ''}{_PRINT.column(self.column)}"
        if self.family is not None:
            text += f" {'CREATE IF NOT EXISTS ' if self.create_family else ''}FAMILY {_PRINT.name(self.family)}"
        return text


@dataclass(frozen=True)
class DropColumn(Action):
    """``DROP COLUMN``."""

    name: str
    if_exists: bool = False
    cascade: bool = False

    def sql(self, version: Version) -> str:
        """Write the action."""
        text = f"DROP COLUMN {'IF EXISTS ' if self.if_exists else ''}{_PRINT.name(self.name)}"
        return f"{text} CASCADE" if self.cascade else text


@dataclass(frozen=True)
class RenameColumn(Action):
    """``RENAME COLUMN``."""

    old: str
    new: str

    def sql(self, version: Version) -> str:
        """Write the action."""
        return f"RENAME COLUMN {_PRINT.name(self.old)} TO {_PRINT.name(self.new)}"


@dataclass(frozen=True)
class _OfColumn(Action):
    column: str

    @property
    def _alter(self) -> str:
        return f"ALTER COLUMN {_PRINT.name(self.column)}"


@dataclass(frozen=True)
class SetType(_OfColumn):
    """``ALTER COLUMN .. SET DATA TYPE``.

    :param using: the expression that gives the new values.
    """

    type: SQLType
    using: str | None = None

    def sql(self, version: Version) -> str:
        """Write the action."""
        requirements.require_type(self.type, version, f"Column {self.column}")
        text = f"{self._alter} SET DATA TYPE {_PRINT.type(self.type)}"
        return text if self.using is None else f"{text} USING {self.using}"


@dataclass(frozen=True)
class SetDefault(_OfColumn):
    """``ALTER COLUMN .. SET DEFAULT``, or ``DROP DEFAULT`` for None."""

    expression: str | None

    def sql(self, version: Version) -> str:
        """Write the action."""
        return f"{self._alter} {'DROP DEFAULT' if self.expression is None else f'SET DEFAULT {self.expression}'}"


@dataclass(frozen=True)
class SetNullable(_OfColumn):
    """``ALTER COLUMN .. DROP NOT NULL``, or ``SET NOT NULL``."""

    nullable: bool

    def sql(self, version: Version) -> str:
        """Write the action."""
        return f"{self._alter} {'DROP' if self.nullable else 'SET'} NOT NULL"


@dataclass(frozen=True)
class SetOnUpdate(_OfColumn):
    """``ALTER COLUMN .. SET ON UPDATE``, or ``DROP ON UPDATE`` for None."""

    expression: str | None

    def sql(self, version: Version) -> str:
        """Write the action."""
        versions.ON_UPDATE.require(version, f"ON UPDATE of column {self.column}")
        return f"{self._alter} {'DROP ON UPDATE' if self.expression is None else f'SET ON UPDATE {self.expression}'}"


@dataclass(frozen=True)
class SetHidden(_OfColumn):
    """``ALTER COLUMN .. SET NOT VISIBLE``, or ``SET VISIBLE``."""

    hidden: bool

    def sql(self, version: Version) -> str:
        """Write the action."""
        return f"{self._alter} SET {'NOT ' if self.hidden else ''}VISIBLE"


@dataclass(frozen=True)
class DropStored(_OfColumn):
    """``ALTER COLUMN .. DROP STORED``: a stored computed column becomes an ordinary one with its values."""

    def sql(self, version: Version) -> str:
        """Write the action."""
        return f"{self._alter} DROP STORED"


@dataclass(frozen=True)
class AddIdentity(_OfColumn):
    """``ALTER COLUMN .. ADD GENERATED .. AS IDENTITY``; the server takes it for a column without default."""

    identity: Identity

    def sql(self, version: Version) -> str:
        """Write the action."""
        versions.CHANGES_IDENTITY.require(version, f"To make column {self.column} an identity column")
        options = _PRINT.sequence_options(self.identity.options)
        text = f"{self._alter} ADD GENERATED {'ALWAYS' if self.identity.always else 'BY DEFAULT'} AS IDENTITY"
        return f"{text} ({options})" if options else text


@dataclass(frozen=True)
class SetIdentity(_OfColumn):
    """``ALTER COLUMN .. SET GENERATED`` and, for what is given of the options, ``SET START`` and so on.

    :param always: None to leave it.
    :param options: those to change.
    """

    always: bool | None = None
    options: SequenceOptions = catalog.NO_OPTIONS

    def sql(self, version: Version) -> str:
        """Write the action; it may be two."""
        versions.CHANGES_IDENTITY.require(version, f"To change the identity of column {self.column}")
        texts = []
        if self.always is not None:
            texts.append(f"{self._alter} SET GENERATED {'ALWAYS' if self.always else 'BY DEFAULT'}")
        restart = self.options.restart
        said = [
            _PRINT.sequence_options(SequenceOptions(**{option: value}))
            for option in _IDENTITY_OPTIONS
            if (value := getattr(self.options, option)) is not None
        ]
        if said:
            texts.append(f"{self._alter} {' '.join(f'SET {option}' for option in said)}")
        if restart is not None:
            texts.append(f"{self._alter} RESTART{'' if restart == 'DEFAULT' else f' WITH {restart}'}")
        return ", ".join(texts)


@dataclass(frozen=True)
class DropIdentity(_OfColumn):
    """``ALTER COLUMN .. DROP IDENTITY``."""

    if_exists: bool = False

    def sql(self, version: Version) -> str:
        """Write the action."""
        versions.CHANGES_IDENTITY.require(version, f"To make column {self.column} no identity column any more")
        return f"{self._alter} DROP IDENTITY{' IF EXISTS' if self.if_exists else ''}"


@dataclass(frozen=True)
class AddConstraint(Action):
    """``ADD CONSTRAINT``; a unique index is added as the constraint that it is.

    :param constraint: an Index must be unique and :func:`is_plain_unique`.
    """

    constraint: PrimaryKey | ForeignKey | Check | Unique | Index

    def sql(self, version: Version) -> str:
        """Write the action."""
        constraint = self.constraint
        if isinstance(constraint, Index):
            columns = tuple(str(element.name) for element in constraint.elements)
            constraint = Unique(constraint.name, columns, False)
        elif isinstance(constraint, PrimaryKey):
            constraint = requirements.ready_primary_key(constraint, version, "this one")
        return f"ADD {_PRINT.constraint(constraint)}"


def is_plain_unique(index: Index) -> bool:
    """Tell whether ``ADD CONSTRAINT .. UNIQUE`` can say everything that a unique index is.

    One of some rows is none: v21.1 takes its WHERE and makes the index one of all rows.
    """
    columns = all(element.name is not None and element.direction == "ASC" for element in index.elements)
    other = index.hash_sharded or index.storing or index.parameters or index.partitioning or index.predicate
    return index.unique and columns and not other and index.visibility == 1


@dataclass(frozen=True)
class DropConstraint(Action):
    """``DROP CONSTRAINT``."""

    name: str
    if_exists: bool = False
    cascade: bool = False

    def sql(self, version: Version) -> str:
        """Write the action."""
        text = f"DROP CONSTRAINT {'IF EXISTS ' if self.if_exists else ''}{_PRINT.name(self.name)}"
        return f"{text} CASCADE" if self.cascade else text


@dataclass(frozen=True)
class RenameConstraint(Action):
    """``RENAME CONSTRAINT``."""

    old: str
    new: str

    def sql(self, version: Version) -> str:
        """Write the action."""
        return f"RENAME CONSTRAINT {_PRINT.name(self.old)} TO {_PRINT.name(self.new)}"


@dataclass(frozen=True)
class ValidateConstraint(Action):
    """``VALIDATE CONSTRAINT``: check the rows that were there when it was added NOT VALID."""

    name: str

    def sql(self, version: Version) -> str:
        """Write the action."""
        return f"VALIDATE CONSTRAINT {_PRINT.name(self.name)}"


@dataclass(frozen=True)
class AlterPrimaryKey(Action):
    """``ALTER PRIMARY KEY USING COLUMNS``; the key's name stays what it is.

    :param primary_key: its columns, buckets and parameters.
    """

    primary_key: PrimaryKey

    def sql(self, version: Version) -> str:
        """Write the action."""
        key = requirements.ready_primary_key(replace(self.primary_key, name=None), version, "this one")
        return _PRINT.constraint(key).replace("PRIMARY KEY", "ALTER PRIMARY KEY USING COLUMNS", 1)


@dataclass(frozen=True)
class SetParameters(Action):
    """``SET (parameter = value, ...)``: storage parameters, values as texts of SQL."""

    parameters: Parameters

    def sql(self, version: Version) -> str:
        """Write the action."""
        requirements.require_parameters(self.parameters, version, "It")
        versions.SETS_PARAMETERS.require(version, "ALTER TABLE .. SET (..)")
        return f"SET ({_PRINT.parameters(self.parameters, ' = ')})"


@dataclass(frozen=True)
class ResetParameters(Action):
    """``RESET (parameter, ...)``: storage parameters back to their defaults."""

    names: tuple[str, ...]

    def sql(self, version: Version) -> str:
        """Write the action."""
        versions.SETS_PARAMETERS.require(version, "ALTER TABLE .. RESET (..)")
        return f"RESET ({', '.join(map(_PRINT.parameter_key, self.names))})"


@dataclass(frozen=True)
class PartitionBy(Action):
    """``PARTITION BY``, or ``PARTITION BY NOTHING`` for None."""

    partitioning: Partitioning | None

    def sql(self, version: Version) -> str:
        """Write the action."""
        if self.partitioning is None:
            return "PARTITION BY NOTHING"
        return _PRINT.partitioning(self.partitioning, 0)

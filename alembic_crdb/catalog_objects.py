"""The statements beside ``CREATE TABLE`` that CockroachDB prints of a database, as immutable objects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from alembic_crdb.catalog import (
    CANONICAL,
    NO_OPTIONS,
    Check,
    ForeignKey,
    Index,
    Layout,
    ObjectName,
    Parameters,
    PrimaryKey,
    SequenceOptions,
    SQLType,
    Table,
    Unique,
)


@dataclass(frozen=True, slots=True)
class EnumType:
    """``CREATE TYPE name AS ENUM (values)``; the values in their order, without quotes."""

    name: ObjectName
    values: tuple[str, ...] = ()
    layout: Layout = field(default=CANONICAL, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class CompositeType:
    """``CREATE TYPE name AS (field type, ...)``, of v22.2 and later."""

    name: ObjectName
    fields: tuple[tuple[str, SQLType], ...] = ()
    layout: Layout = field(default=CANONICAL, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Domain:
    """``CREATE DOMAIN name AS type``, of v26.3 and later."""

    name: ObjectName
    type: SQLType
    default: str | None = None
    nullable: bool = True
    checks: tuple[Check, ...] = ()
    layout: Layout = field(default=CANONICAL, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Sequence:
    """``CREATE SEQUENCE``; ``temporary`` for ``TEMP``."""

    name: ObjectName
    options: SequenceOptions = NO_OPTIONS
    temporary: bool = False
    layout: Layout = field(default=CANONICAL, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class View:
    """``CREATE [MATERIALIZED] VIEW name (columns) AS query``.

    :param query: the text after ``AS``, as the server printed it.
    :param parameters: of ``WITH``, values as texts: ``("security_invoker", "true")``.
    """

    name: ObjectName
    query: str
    columns: tuple[str, ...] = ()
    materialized: bool = False
    temporary: bool = False
    parameters: Parameters = ()
    layout: Layout = field(default=CANONICAL, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Schema:
    """``CREATE SCHEMA name [AUTHORIZATION owner]``; the name may have a database before it."""

    name: ObjectName
    owner: str | None = None
    if_not_exists: bool = False
    layout: Layout = field(default=CANONICAL, compare=False, repr=False)


SurvivalGoal: TypeAlias = Literal["ZONE", "REGION", "AVAILABILITY ZONE"]


@dataclass(frozen=True, slots=True)
class Database:
    """``CREATE DATABASE`` with its regions.

    :param options: ``("ENCODING", "'UTF8'")`` and the like: what stands as ``KEY = value``, values as texts.
    """

    name: str
    primary_region: str | None = None
    regions: tuple[str, ...] = ()
    survive: SurvivalGoal | None = None
    placement: Literal["RESTRICTED", "DEFAULT"] | None = None
    super_region: tuple[str, tuple[str, ...]] | None = None
    secondary_region: str | None = None
    options: Parameters = ()
    layout: Layout = field(default=CANONICAL, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class AlterDatabase:
    """``ALTER DATABASE name action``.

    :param action: what it does.
    :param regions: the regions that the action names.
    :param super_region: the name of the super region, for the actions on one.
    """

    name: str
    action: Literal[
        "PRIMARY REGION",
        "SET SECONDARY REGION",
        "DROP SECONDARY REGION",
        "ADD REGION",
        "DROP REGION",
        "ADD SUPER REGION",
        "ALTER SUPER REGION",
        "DROP SUPER REGION",
        "SURVIVE ZONE FAILURE",
        "SURVIVE REGION FAILURE",
        "SURVIVE AVAILABILITY ZONE FAILURE",
        "PLACEMENT RESTRICTED",
        "PLACEMENT DEFAULT",
    ]
    regions: tuple[str, ...] = ()
    super_region: str | None = None
    layout: Layout = field(default=CANONICAL, compare=False, repr=False)


CommentTarget: TypeAlias = Literal[
    "DATABASE", "SCHEMA", "TYPE", "TABLE", "VIEW", "SEQUENCE", "COLUMN", "INDEX", "CONSTRAINT", "FUNCTION"
]


@dataclass(frozen=True, slots=True)
class Comment:
    """``COMMENT ON target IS text``.

    :param name: the object; the table for a column, an index or a constraint.
    :param child: the column, index or constraint; the argument types, as a text, for a function.
    :param text: ``None`` for ``NULL``, which removes the comment.
    """

    target: CommentTarget
    name: ObjectName
    text: str | None
    child: str | None = None
    layout: Layout = field(default=CANONICAL, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class AddConstraint:
    """``ALTER TABLE table ADD CONSTRAINT``: how ``SHOW CREATE ALL TABLES`` prints foreign keys."""

    table: ObjectName
    constraint: ForeignKey | Check | Unique | PrimaryKey
    layout: Layout = field(default=CANONICAL, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ValidateConstraint:
    """``ALTER TABLE table VALIDATE CONSTRAINT name``."""

    table: ObjectName
    name: str
    layout: Layout = field(default=CANONICAL, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class CreateIndex:
    """``CREATE INDEX name ON table (...)``, as ``SHOW CREATE INDEXES`` prints it."""

    table: ObjectName
    index: Index
    layout: Layout = field(default=CANONICAL, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ZoneConfiguration:
    """``ALTER target CONFIGURE ZONE USING options``.

    :param name: the database, the range (``default``), the table, or the table of the index or partition.
    :param partition: of ``PARTITION partition OF TABLE | INDEX``.
    :param options: values as texts: ``("num_replicas", "5")``, ``("gc.ttlseconds", "90000")``; empty for
        ``CONFIGURE ZONE DISCARD``.
    """

    target: Literal["DATABASE", "TABLE", "INDEX", "RANGE"]
    name: ObjectName
    options: Parameters = ()
    index: str | None = None
    partition: str | None = None
    layout: Layout = field(default=CANONICAL, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class RowSecurity:
    """``ALTER TABLE table ENABLE | DISABLE | FORCE | NO FORCE ROW LEVEL SECURITY``, of v25.2 and later.

    :param modes: what is said, in its order.
    """

    table: ObjectName
    modes: tuple[Literal["ENABLE", "DISABLE", "FORCE", "NO FORCE"], ...] = ("ENABLE",)
    layout: Layout = field(default=CANONICAL, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Policy:
    """``CREATE POLICY name ON table`` of row-level security, of v25.2 and later.

    :param kind: ``PERMISSIVE`` or ``RESTRICTIVE``; ``None`` where it was not said.
    :param command: ``None`` where it was not said.
    :param using: the expression's text.
    :param check: the text of ``WITH CHECK``.
    """

    name: str
    table: ObjectName
    kind: Literal["PERMISSIVE", "RESTRICTIVE"] | None = None
    command: Literal["ALL", "SELECT", "INSERT", "UPDATE", "DELETE"] | None = None
    roles: tuple[str, ...] = ()
    using: str | None = None
    check: str | None = None
    layout: Layout = field(default=CANONICAL, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Opaque:
    """A statement that is kept whole and taken apart no further: functions, procedures, triggers, privileges.

    :param kind: ``FUNCTION``, ``PROCEDURE``, ``TRIGGER``, ``GRANT`` ...
    :param name: of the object, where the statement names one.
    :param text: the whole statement, without its semicolon.
    """

    kind: str
    name: ObjectName | None
    text: str
    layout: Layout = field(default=CANONICAL, compare=False, repr=False)


Statement: TypeAlias = (
    Table
    | View
    | Sequence
    | EnumType
    | CompositeType
    | Domain
    | Schema
    | Database
    | AlterDatabase
    | Comment
    | AddConstraint
    | ValidateConstraint
    | CreateIndex
    | ZoneConfiguration
    | RowSecurity
    | Policy
    | Opaque
)


@dataclass(frozen=True, slots=True)
class Script:
    """The statements of one text.

    :param trailer: what followed the last of them: its semicolon, comments; no part of comparisons.
    """

    statements: tuple[Statement, ...] = ()
    trailer: str = field(default="", compare=False, repr=False)

    def __iter__(self) -> Iterator[Statement]:
        return iter(self.statements)

    def __len__(self) -> int:
        return len(self.statements)

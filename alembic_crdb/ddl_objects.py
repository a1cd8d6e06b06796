"""Statements about what is no table: views, types, sequences, schemas, the database; see :mod:`alembic_crdb.ddl`."""

from __future__ import annotations

from typing import Final, Literal

from alembic_crdb import catalog_objects, requirements
from alembic_crdb.alterations import Version
from alembic_crdb.catalog import CANONICAL, ObjectName, SequenceOptions
from alembic_crdb.catalog_objects import EnumType, Schema, Sequence, View, ZoneConfiguration
from alembic_crdb.ddl import CockroachDDL, if_exists, optional
from alembic_crdb.printer import StatementPrinter

_PRINT: Final = StatementPrinter(CANONICAL)


class CreateView(CockroachDDL):
    """``CREATE [OR REPLACE] [MATERIALIZED] VIEW``.

    :param replace: ``OR REPLACE``, which the server has for views that are not materialized, and which may add
        columns at the end and change no others.
    """

    def __init__(self, view: View, if_not_exists: bool = False, replace: bool = False) -> None:
        self.view = view
        self.if_not_exists = if_not_exists
        self.replace = replace

    def sql(self, version: Version) -> str:
        """Write the statement."""
        text = optional(_PRINT.statement(requirements.ready(self.view, version)), "VIEW", self.if_not_exists)
        return text.replace("CREATE", "CREATE OR REPLACE", 1) if self.replace else text


class DropView(CockroachDDL):
    """``DROP [MATERIALIZED] VIEW``."""

    def __init__(
        self, name: ObjectName, materialized: bool = False, if_exists: bool = False, cascade: bool = False
    ) -> None:
        self.name = name
        self.materialized = materialized
        self.if_exists = if_exists
        self.cascade = cascade

    def sql(self, version: Version) -> str:
        """Write the statement."""
        kind = "MATERIALIZED VIEW" if self.materialized else "VIEW"
        text = f"DROP {kind} {if_exists(self.if_exists)}{_PRINT.object_name(self.name)}"
        return f"{text} CASCADE" if self.cascade else text


class RenameView(CockroachDDL):
    """``ALTER [MATERIALIZED] VIEW .. RENAME TO``; its schema stays."""

    def __init__(self, name: ObjectName, new: str, materialized: bool = False) -> None:
        self.name = name
        self.new = new
        self.materialized = materialized

    def sql(self, version: Version) -> str:
        """Write the statement."""
        kind = "MATERIALIZED VIEW" if self.materialized else "VIEW"
        return f"ALTER {kind} {_PRINT.object_name(self.name)} RENAME TO {_PRINT.name(self.new)}"


class RefreshView(CockroachDDL):
    """``REFRESH MATERIALIZED VIEW``."""

    def __init__(self, name: ObjectName) -> None:
        self.name = name

    def sql(self, version: Version) -> str:
        """Write the statement."""
        return f"REFRESH MATERIALIZED VIEW {_PRINT.object_name(self.name)}"


class ConfigureZone(CockroachDDL):
    """``CONFIGURE ZONE USING``, or ``CONFIGURE ZONE DISCARD`` for a configuration without options."""

    def __init__(self, zone: ZoneConfiguration) -> None:
        self.zone = zone

    def sql(self, version: Version) -> str:
        """Write the statement."""
        return _PRINT.statement(self.zone)


class AlterDatabase(CockroachDDL):
    """``ALTER DATABASE``: regions, survival goal, placement.

    :param change: what it does.
    :param lenient: whether a region that is added may be there already, and one that is dropped not (v21.2 and later).
    """

    def __init__(self, change: catalog_objects.AlterDatabase, lenient: bool = False) -> None:
        self.change = change
        self.lenient = lenient

    def sql(self, version: Version) -> str:
        """Write the statement."""
        text = _PRINT.statement(self.change)
        if not self.lenient or self.change.action not in ("ADD REGION", "DROP REGION"):
            return text
        there = "IF NOT EXISTS" if self.change.action == "ADD REGION" else "IF EXISTS"
        before = f"ALTER DATABASE {_PRINT.name(self.change.name)} {self.change.action}"
        return f"{before} {there}{text.removeprefix(before)}"


class CreateEnum(CockroachDDL):
    """``CREATE TYPE .. AS ENUM``."""

    def __init__(self, enum: EnumType, if_not_exists: bool = False) -> None:
        self.enum = enum
        self.if_not_exists = if_not_exists

    def sql(self, version: Version) -> str:
        """Write the statement."""
        return optional(_PRINT.statement(self.enum), "TYPE", self.if_not_exists)


class DropType(CockroachDDL):
    """``DROP TYPE``, which the server takes when no column has the type."""

    def __init__(self, name: ObjectName, if_exists: bool = False) -> None:
        self.name = name
        self.if_exists = if_exists

    def sql(self, version: Version) -> str:
        """Write the statement."""
        return f"DROP TYPE {if_exists(self.if_exists)}{_PRINT.object_name(self.name)}"


class AddEnumValue(CockroachDDL):
    """``ALTER TYPE .. ADD VALUE``; at the end, or beside another value."""

    def __init__(
        self,
        name: ObjectName,
        value: str,
        before: str | None = None,
        after: str | None = None,
        if_not_exists: bool = False,
    ) -> None:
        self.name = name
        self.value = value
        self.before = before
        self.after = after
        self.if_not_exists = if_not_exists

    def sql(self, version: Version) -> str:
        """Write the statement."""
        exists = "IF NOT EXISTS " if self.if_not_exists else ""
        text = f"ALTER TYPE {_PRINT.object_name(self.name)} ADD VALUE {exists}{_PRINT.string(self.value)}"
        if self.before is not None:
            return f"{text} BEFORE {_PRINT.string(self.before)}"
        return text if self.after is None else f"{text} AFTER {_PRINT.string(self.after)}"


class RenameEnumValue(CockroachDDL):
    """``ALTER TYPE .. RENAME VALUE``."""

    def __init__(self, name: ObjectName, old: str, new: str) -> None:
        self.name = name
        self.old = old
        self.new = new

    def sql(self, version: Version) -> str:
        """Write the statement."""
        words = f"RENAME VALUE {_PRINT.string(self.old)} TO {_PRINT.string(self.new)}"
        return f"ALTER TYPE {_PRINT.object_name(self.name)} {words}"


class DropEnumValue(CockroachDDL):
    """``ALTER TYPE .. DROP VALUE``, which the server takes when no row has the value."""

    def __init__(self, name: ObjectName, value: str) -> None:
        self.name = name
        self.value = value

    def sql(self, version: Version) -> str:
        """Write the statement."""
        return f"ALTER TYPE {_PRINT.object_name(self.name)} DROP VALUE {_PRINT.string(self.value)}"


class RenameType(CockroachDDL):
    """``ALTER TYPE .. RENAME TO``."""

    def __init__(self, name: ObjectName, new: str) -> None:
        self.name = name
        self.new = new

    def sql(self, version: Version) -> str:
        """Write the statement."""
        return f"ALTER TYPE {_PRINT.object_name(self.name)} RENAME TO {_PRINT.name(self.new)}"


class CreateSequence(CockroachDDL):
    """``CREATE SEQUENCE``."""

    def __init__(self, sequence: Sequence, if_not_exists: bool = False) -> None:
        self.sequence = sequence
        self.if_not_exists = if_not_exists

    def sql(self, version: Version) -> str:
        """Write the statement."""
        text = _PRINT.statement(requirements.ready(self.sequence, version))
        return optional(text, "SEQUENCE", self.if_not_exists)


class AlterSequence(CockroachDDL):
    """``ALTER SEQUENCE`` with the options that are given."""

    def __init__(self, name: ObjectName, changes: SequenceOptions) -> None:
        self.name = name
        self.changes = changes

    def sql(self, version: Version) -> str:
        """Write the statement."""
        requirements.require_sequence(self.changes, version, f"Sequence {self.name.name}")
        return f"ALTER SEQUENCE {_PRINT.object_name(self.name)} {_PRINT.sequence_options(self.changes)}"


class RenameSequence(CockroachDDL):
    """``ALTER SEQUENCE .. RENAME TO``; its schema stays."""

    def __init__(self, name: ObjectName, new: str) -> None:
        self.name = name
        self.new = new

    def sql(self, version: Version) -> str:
        """Write the statement."""
        return f"ALTER SEQUENCE {_PRINT.object_name(self.name)} RENAME TO {_PRINT.name(self.new)}"


class DropSequence(CockroachDDL):
    """``DROP SEQUENCE``."""

    def __init__(self, name: ObjectName, if_exists: bool = False) -> None:
        self.name = name
        self.if_exists = if_exists

    def sql(self, version: Version) -> str:
        """Write the statement."""
        return f"DROP SEQUENCE {if_exists(self.if_exists)}{_PRINT.object_name(self.name)}"


class CreateSchema(CockroachDDL):
    """``CREATE SCHEMA``."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema

    def sql(self, version: Version) -> str:
        """Write the statement."""
        return _PRINT.statement(self.schema)


class DropSchema(CockroachDDL):
    """``DROP SCHEMA``, which the server takes when nothing is in it."""

    def __init__(self, name: ObjectName, if_exists: bool = False) -> None:
        self.name = name
        self.if_exists = if_exists

    def sql(self, version: Version) -> str:
        """Write the statement."""
        return f"DROP SCHEMA {if_exists(self.if_exists)}{_PRINT.object_name(self.name)}"


class SetSchema(CockroachDDL):
    """``ALTER TABLE | VIEW | MATERIALIZED VIEW | SEQUENCE | TYPE .. SET SCHEMA``."""

    def __init__(
        self,
        kind: Literal["TABLE", "VIEW", "MATERIALIZED VIEW", "SEQUENCE", "TYPE"],
        name: ObjectName,
        schema: str,
    ) -> None:
        self.kind = kind
        self.name = name
        self.schema = schema

    def sql(self, version: Version) -> str:
        """Write the statement."""
        return f"ALTER {self.kind} {_PRINT.object_name(self.name)} SET SCHEMA {_PRINT.name(self.schema)}"

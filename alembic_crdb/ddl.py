"""Statements that change a schema, as SQLAlchemy executes them.

Each is made of catalog objects and gives the text that goes to the server: ``statement.sql(version)``. A connection
executes it (``connection.execute(CreateView(view))``), and so does Alembic's implementation. What the server is too
old for is refused before anything is sent.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import ExecutableDDLElement
from sqlalchemy.sql.compiler import DDLCompiler

from alembic_crdb import catalog_objects, requirements
from alembic_crdb.alterations import Action, Version
from alembic_crdb.catalog import CANONICAL, Index, Locality, ObjectName, Partitioning, Table
from alembic_crdb.catalog_objects import Statement
from alembic_crdb.driver_text import driver_text
from alembic_crdb.printer import StatementPrinter
from alembic_crdb.versions import version_of

_PRINT: Final = StatementPrinter(CANONICAL)


class CockroachDDL(ExecutableDDLElement):
    """A statement of CockroachDB."""

    inherit_cache = False

    def sql(self, version: Version) -> str:
        """Write the statement for a version of the server.

        :raises UnsupportedConstruct: the server is too old for it.
        """
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(type(self))

    def __repr__(self) -> str:
        said = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({said})"


@compiles(CockroachDDL)
def _compile(element: CockroachDDL, compiler: DDLCompiler, **kw: Any) -> str:
    return driver_text(compiler, element.sql(version_of(compiler.dialect)))


class Emit(CockroachDDL):
    """Any statement that the catalog has, such as a Comment, a Domain or an AddConstraint.

    :param statement: the catalog object.
    """

    def __init__(self, statement: Statement) -> None:
        self.statement = statement

    def sql(self, version: Version) -> str:
        """Write the statement."""
        return _PRINT.statement(requirements.ready(self.statement, version))


class CreateTable(CockroachDDL):
    """``CREATE TABLE``.

    :param table: NOT VALID constraints are none in CREATE TABLE; add them afterwards.
    """

    def __init__(self, table: Table, if_not_exists: bool = False) -> None:
        self.table = table
        self.if_not_exists = if_not_exists

    def sql(self, version: Version) -> str:
        """Write the statement."""
        return optional(_PRINT.statement(requirements.ready_table(self.table, version)), "TABLE", self.if_not_exists)


class CreateIndex(CockroachDDL):
    """``CREATE INDEX``."""

    def __init__(self, table: ObjectName, index: Index, if_not_exists: bool = False) -> None:
        self.table = table
        self.index = index
        self.if_not_exists = if_not_exists

    def sql(self, version: Version) -> str:
        """Write the statement."""
        index = requirements.ready_index(self.index, version, self.table.name)
        return optional(_PRINT.statement(catalog_objects.CreateIndex(self.table, index)), "INDEX", self.if_not_exists)


class AlterTable(CockroachDDL):
    """``ALTER TABLE`` with one or more actions, which take effect together.

    :param table: the table.
    :param actions: of :mod:`alembic_crdb.alterations`, at least one.
    """

    def __init__(self, table: ObjectName, *actions: Action, if_exists: bool = False) -> None:
        self.table = table
        self.actions = actions
        self.if_exists = if_exists

    def sql(self, version: Version) -> str:
        """Write the statement."""
        actions = ", ".join(action.sql(version) for action in self.actions)
        return f"ALTER TABLE {if_exists(self.if_exists)}{_PRINT.object_name(self.table)} {actions}"


class RenameTable(CockroachDDL):
    """``ALTER TABLE .. RENAME TO``; its schema stays."""

    def __init__(self, table: ObjectName, new: str) -> None:
        self.table = table
        self.new = new

    def sql(self, version: Version) -> str:
        """Write the statement."""
        return f"ALTER TABLE {_PRINT.object_name(self.table)} RENAME TO {_PRINT.name(self.new)}"


class SetLocality(CockroachDDL):
    """``ALTER TABLE .. SET LOCALITY``."""

    def __init__(self, table: ObjectName, locality: Locality) -> None:
        self.table = table
        self.locality = locality

    def sql(self, version: Version) -> str:
        """Write the statement."""
        return f"ALTER TABLE {_PRINT.object_name(self.table)} SET LOCALITY {_PRINT.locality(self.locality)}"


class AlterIndexVisibility(CockroachDDL):
    """``ALTER INDEX .. VISIBLE``, ``NOT VISIBLE`` or ``VISIBILITY n``.

    :param visibility: from 0.0, not visible, to 1.0.
    """

    def __init__(self, table: ObjectName, index: str, visibility: float, if_exists: bool = False) -> None:
        self.table = table
        self.index = index
        self.visibility = visibility
        self.if_exists = if_exists

    def sql(self, version: Version) -> str:
        """Write the statement."""
        index = Index(self.index, (), visibility=self.visibility)
        requirements.ready_index(index, version, self.table.name)
        words = {1.0: "VISIBLE", 0.0: "NOT VISIBLE"}.get(self.visibility) or f"VISIBILITY {self.visibility!r}"
        return f"ALTER INDEX {if_exists(self.if_exists)}{_index(self.table, self.index)} {words}"


class PartitionIndex(CockroachDDL):
    """``ALTER INDEX .. PARTITION BY``, or ``PARTITION BY NOTHING`` for None."""

    def __init__(self, table: ObjectName, index: str, partitioning: Partitioning | None) -> None:
        self.table = table
        self.index = index
        self.partitioning = partitioning

    def sql(self, version: Version) -> str:
        """Write the statement."""
        text = "PARTITION BY NOTHING" if self.partitioning is None else _PRINT.partitioning(self.partitioning, 0)
        return f"ALTER INDEX {_index(self.table, self.index)} {text}"


class RenameIndex(CockroachDDL):
    """``ALTER INDEX .. RENAME TO``."""

    def __init__(self, table: ObjectName, index: str, new: str) -> None:
        self.table = table
        self.index = index
        self.new = new

    def sql(self, version: Version) -> str:
        """Write the statement."""
        return f"ALTER INDEX {_index(self.table, self.index)} RENAME TO {_PRINT.name(self.new)}"


def if_exists(exists: bool) -> str:
    """Give the words for a name that need not be there."""
    return "IF EXISTS " if exists else ""


def optional(text: str, kind: str, if_not_exists: bool) -> str:
    """Say IF NOT EXISTS behind the first keyword of this kind, which comes before any name."""
    return text.replace(f"{kind} ", f"{kind} IF NOT EXISTS ", 1) if if_not_exists else text


def _index(table: ObjectName, index: str) -> str:
    return f"{_PRINT.object_name(table)}@{_PRINT.free_name(index)}"

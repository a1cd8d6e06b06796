"""What a statement means for the primary key of a table, read from Alembic's constructs and from text.

Only what :mod:`alembic_crdb.primary_keys` has to know is read: everything else gives no event.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from alembic.ddl import base as alembic_ddl
from sqlalchemy import Constraint, PrimaryKeyConstraint, TextClause, UniqueConstraint
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import AddConstraint, DropConstraint, DropTable

from alembic_cluster.errors import UnreadableDDL
from alembic_crdb import ddl
from alembic_crdb.alterations import RenameColumn
from alembic_crdb.catalog import IndexElement, ObjectName, PrimaryKey
from alembic_crdb.lexer import is_word, read_name, tokenize
from alembic_crdb.model_constraints import constraint_to_catalog
from alembic_crdb.model_reader import Reader


@dataclass(frozen=True)
class KeyDropped:
    """``DROP CONSTRAINT``.

    :param said: whether the revision says that it is the primary key.
    :param cascade: whether foreign keys that refer to it go as well.
    """

    table: ObjectName
    name: str
    said: bool = False
    cascade: bool = False


@dataclass(frozen=True)
class KeyAdded:
    """``ADD PRIMARY KEY``."""

    table: ObjectName
    key: PrimaryKey


@dataclass(frozen=True)
class ColumnDropped:
    """``DROP COLUMN``."""

    table: ObjectName
    column: str


@dataclass(frozen=True)
class ColumnAdded:
    """``ADD COLUMN``."""

    table: ObjectName
    column: str


@dataclass(frozen=True)
class ColumnRenamed:
    """``RENAME COLUMN``."""

    table: ObjectName
    column: str
    new: str


@dataclass(frozen=True)
class TableDropped:
    """``DROP TABLE``."""

    table: ObjectName


@dataclass(frozen=True)
class TableRenamed:
    """``RENAME TO``."""

    table: ObjectName
    new: str


Event: TypeAlias = KeyDropped | KeyAdded | ColumnDropped | ColumnAdded | ColumnRenamed | TableDropped | TableRenamed


def events_of(construct: Any, dialect: Dialect) -> list[Event]:
    """Read what Alembic's implementation is about to send: a construct or a text.

    :return: what it does, in order; nothing where a part of it is of no concern here.
    """
    if isinstance(construct, str):
        return events_of_text(construct)
    if isinstance(construct, TextClause):
        return events_of_text(construct.text)
    event = _event_of_construct(construct, dialect)
    return [] if event is None else [event]


def _event_of_construct(construct: Any, dialect: Dialect) -> Event | None:
    if isinstance(construct, DropConstraint | AddConstraint):
        constraint = construct.element
        reader = Reader(dialect)
        if isinstance(construct, AddConstraint):
            if not isinstance(constraint, PrimaryKeyConstraint):
                return None
            key = constraint_to_catalog(constraint, reader)
            reader.check()
            return KeyAdded(reader.object_name(constraint.table), key) if isinstance(key, PrimaryKey) else None
        said = isinstance(constraint, PrimaryKeyConstraint)
        if said or type(constraint) is Constraint or isinstance(constraint, UniqueConstraint):
            name = dialect.identifier_preparer.format_constraint(constraint)
            return KeyDropped(reader.object_name(constraint.table), read_name(name or '""'), said)
        return None
    if isinstance(construct, DropTable):
        return TableDropped(Reader(dialect).object_name(construct.element))
    if isinstance(construct, ddl.AlterTable):
        renamed = [action for action in construct.actions if isinstance(action, RenameColumn)]
        return ColumnRenamed(construct.table, renamed[0].old, renamed[0].new) if renamed else None
    if not isinstance(construct, alembic_ddl.AlterTable):
        return None
    table = ObjectName(str(construct.table_name), None if construct.schema is None else str(construct.schema))
    if isinstance(construct, alembic_ddl.DropColumn):
        return ColumnDropped(table, str(construct.column.name))
    if isinstance(construct, alembic_ddl.AddColumn):
        return ColumnAdded(table, str(construct.column.name))
    if isinstance(construct, alembic_ddl.ColumnName):
        return ColumnRenamed(table, str(construct.column_name), str(construct.newname))
    return (
        TableRenamed(table, str(construct.new_table_name)) if isinstance(construct, alembic_ddl.RenameTable) else None
    )


def events_of_text(text: str) -> list[Event]:
    """Read one statement.

    :return: nothing for what can't be read, which is for the server to answer.
    """
    try:
        return _Statement(text).events()
    except (UnreadableDDL, _Unread):
        return []


class _Unread(Exception):
    """Something else stands there."""


class _Statement:
    """One statement as it is written by hand: keywords in any case."""

    def __init__(self, text: str) -> None:
        self._texts = tokenize(text).texts
        self._at = 0

    def events(self) -> list[Event]:
        if self._accept("DROP", "TABLE"):
            self._accept("IF", "EXISTS")
            return [TableDropped(self._object_name())]
        self._expect("ALTER", "TABLE")
        self._accept("IF", "EXISTS")
        self._accept("ONLY")
        table = self._object_name()
        found = [self._action(table)]
        while self._accept(","):
            found.append(self._action(table))
        self._accept(";")
        if self._texts[self._at]:
            raise _Unread
        return found

    def _action(self, table: ObjectName) -> Event:
        if self._accept("DROP", "CONSTRAINT"):
            self._accept("IF", "EXISTS")
            dropped = KeyDropped(table, self._name())
            if self._accept("CASCADE"):
                return replace(dropped, cascade=True)
            self._accept("RESTRICT")
            return dropped
        if self._accept("DROP"):
            self._accept("COLUMN")
            self._accept("IF", "EXISTS")
            column = self._name()
            self._accept("CASCADE") or self._accept("RESTRICT")
            return ColumnDropped(table, column)
        if self._accept("RENAME", "TO"):
            return TableRenamed(table, self._name())
        if self._accept("RENAME"):
            self._accept("COLUMN")
            column = self._name()
            self._expect("TO")
            return ColumnRenamed(table, column, self._name())
        self._expect("ADD")
        return self._added(table)

    def _added(self, table: ObjectName) -> Event:
        name = self._name() if self._accept("CONSTRAINT") else None
        if self._accept("PRIMARY", "KEY"):
            return KeyAdded(table, PrimaryKey(name, self._elements()))
        if name is not None or self._word() in {"CHECK", "FOREIGN", "UNIQUE", "EXCLUDE"}:
            raise _Unread
        self._accept("COLUMN")
        self._accept("IF", "NOT", "EXISTS")
        column = self._name()
        while self._texts[self._at] not in {"", ";"}:  # its type and properties; other actions behind it are not read
            self._at += 1
        return ColumnAdded(table, column)

    def _elements(self) -> tuple[IndexElement, ...]:
        self._expect("(")
        found = []
        while True:
            name = self._name()
            found.append(IndexElement(name, "DESC" if self._accept("DESC") else "ASC"))
            self._accept("ASC")
            if self._accept(")"):
                return tuple(found)
            self._expect(",")

    def _object_name(self) -> ObjectName:
        names = [self._name()]
        while self._accept("."):
            names.append(self._name())
        if len(names) > 3:
            raise _Unread
        return ObjectName(*reversed(names))

    def _name(self) -> str:
        token = self._texts[self._at]
        if not (token[:1] == '"' or is_word(token)):
            raise _Unread
        self._at += 1
        return read_name(token)

    def _word(self) -> str:
        return self._texts[self._at].upper()

    def _accept(self, *words: str) -> bool:
        there = [token.upper() for token in self._texts[self._at : self._at + len(words)]]
        if there != list(words):
            return False
        self._at += len(words)
        return True

    def _expect(self, *words: str) -> None:
        if not self._accept(*words):
            raise _Unread

"""Operations on what is no table: enum types, sequences, views, comments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Sequence as SQLSequence
from sqlalchemy.schema import DropSequence
from sqlalchemy.sql import Executable

from alembic_crdb import catalog_objects, ddl, ddl_objects
from alembic_crdb.catalog_objects import CommentTarget, EnumType, View
from alembic_crdb.model_objects import sequence_to_catalog
from alembic_crdb.model_reader import Reader
from alembic_crdb.operation_base import CockroachOperation, known, operation, table_name


@operation("create_enum")
@dataclass(eq=False)
class CreateEnumOp(CockroachOperation):
    """``CREATE TYPE .. AS ENUM``.

    :param enum_name: the type.
    :param values: in their order.
    :param schema: its schema; the default one when None.
    """

    enum_name: str
    values: Sequence[str]
    schema: str | None = None

    def statements(self, dialect: Any) -> Iterable[Executable]:
        """Give the CREATE TYPE."""
        yield ddl_objects.CreateEnum(EnumType(table_name(self.enum_name, self.schema), tuple(self.values)))

    def reverse(self) -> DropEnumOp:
        """Give the operation that drops it."""
        return DropEnumOp(self.enum_name, self.values, self.schema)


@operation("drop_enum")
@dataclass(eq=False)
class DropEnumOp(CockroachOperation):
    """``DROP TYPE``; the server takes it when no column has the type.

    :param enum_name: the type.
    :param existing: its values, for the downgrade.
    :param schema: its schema; the default one when None.
    """

    enum_name: str
    existing: Sequence[str] | None = None
    schema: str | None = None

    def statements(self, dialect: Any) -> Iterable[Executable]:
        """Give the DROP TYPE."""
        yield ddl_objects.DropType(table_name(self.enum_name, self.schema))

    def reverse(self) -> CreateEnumOp:
        """Give the operation that creates it again."""
        return CreateEnumOp(self.enum_name, known(self.existing, f"The values of {self.enum_name}"), self.schema)


@operation("add_enum_value")
@dataclass(eq=False)
class AddEnumValueOp(CockroachOperation):
    """``ALTER TYPE .. ADD VALUE``.

    :param enum_name: the type.
    :param value: the new value.
    :param before: the value that it comes before; at the end when neither is given.
    :param after: the value that it comes after.
    :param schema: the type's schema; the default one when None.
    """

    enum_name: str
    value: str
    before: str | None = None
    after: str | None = None
    schema: str | None = None

    def statements(self, dialect: Any) -> Iterable[Executable]:
        """Give the ALTER TYPE."""
        name = table_name(self.enum_name, self.schema)
        yield ddl_objects.AddEnumValue(name, self.value, self.before, self.after)

    def reverse(self) -> DropEnumValueOp:
        """Give the operation that drops the value."""
        return DropEnumValueOp(self.enum_name, self.value, self.before, self.after, self.schema)


@operation("drop_enum_value")
@dataclass(eq=False)
class DropEnumValueOp(CockroachOperation):
    """``ALTER TYPE .. DROP VALUE``; the server takes it when no row has the value.

    :param enum_name: the type.
    :param value: the value.
    :param before: the value that it stands before, for the downgrade.
    :param after: the value that it stands after, likewise.
    :param schema: the type's schema; the default one when None.
    """

    enum_name: str
    value: str
    before: str | None = None
    after: str | None = None
    schema: str | None = None

    def statements(self, dialect: Any) -> Iterable[Executable]:
        """Give the ALTER TYPE."""
        yield ddl_objects.DropEnumValue(table_name(self.enum_name, self.schema), self.value)

    def reverse(self) -> AddEnumValueOp:
        """Give the operation that adds the value again, where it stood."""
        return AddEnumValueOp(self.enum_name, self.value, self.before, self.after, self.schema)


@operation("rename_enum_value")
@dataclass(eq=False)
class RenameEnumValueOp(CockroachOperation):
    """``ALTER TYPE .. RENAME VALUE``.

    :param enum_name: the type.
    :param old: the value.
    :param new: its new name.
    :param schema: the type's schema; the default one when None.
    """

    enum_name: str
    old: str
    new: str
    schema: str | None = None

    def statements(self, dialect: Any) -> Iterable[Executable]:
        """Give the ALTER TYPE."""
        yield ddl_objects.RenameEnumValue(table_name(self.enum_name, self.schema), self.old, self.new)

    def reverse(self) -> RenameEnumValueOp:
        """Give the operation that renames it back."""
        return RenameEnumValueOp(self.enum_name, self.new, self.old, self.schema)


@operation("create_view")
@dataclass(eq=False)
class CreateViewOp(CockroachOperation):
    """``CREATE VIEW`` or ``CREATE MATERIALIZED VIEW``.

    :param view_name: the view.
    :param definition: its query.
    :param materialized: whether its rows are stored.
    :param columns: names of its columns; those of the query when empty.
    :param schema: its schema; the default one when None.
    """

    view_name: str
    definition: str
    materialized: bool = False
    columns: Sequence[str] = ()
    schema: str | None = None

    def statements(self, dialect: Any) -> Iterable[Executable]:
        """Give the CREATE VIEW."""
        yield ddl_objects.CreateView(self.view())

    def view(self) -> View:
        """Give the view as a catalog object."""
        name = table_name(self.view_name, self.schema)
        return View(name, self.definition.strip().rstrip(";"), tuple(self.columns), self.materialized)

    def reverse(self) -> DropViewOp:
        """Give the operation that drops it."""
        return DropViewOp(self.view_name, self.definition, self.materialized, self.columns, self.schema)


@operation("drop_view")
@dataclass(eq=False)
class DropViewOp(CockroachOperation):
    """``DROP VIEW`` or ``DROP MATERIALIZED VIEW``.

    :param view_name: the view.
    :param existing: its query, for the downgrade.
    :param materialized: whether its rows are stored.
    :param columns: names of its columns, for the downgrade.
    :param schema: its schema; the default one when None.
    """

    view_name: str
    existing: str | None = None
    materialized: bool = False
    columns: Sequence[str] = ()
    schema: str | None = None

    def statements(self, dialect: Any) -> Iterable[Executable]:
        """Give the DROP VIEW."""
        yield ddl_objects.DropView(table_name(self.view_name, self.schema), self.materialized)

    def reverse(self) -> CreateViewOp:
        """Give the operation that creates it again."""
        before = known(self.existing, f"The query of {self.view_name}")
        return CreateViewOp(self.view_name, before, self.materialized, self.columns, self.schema)


@operation("replace_view")
@dataclass(eq=False)
class ReplaceViewOp(CockroachOperation):
    """A view with another query: dropped and created, for the server replaces one only by a query with more columns.

    :param view_name: the view.
    :param definition: its new query.
    :param existing: the query before, for the downgrade.
    :param materialized: whether its rows are stored.
    :param existing_materialized: likewise, before; as it is to be when None.
    :param schema: its schema; the default one when None.
    """

    view_name: str
    definition: str
    existing: str | None = None
    materialized: bool = False
    existing_materialized: bool | None = None
    schema: str | None = None

    def statements(self, dialect: Any) -> Iterable[Executable]:
        """Give the DROP and the CREATE."""
        was = self.materialized if self.existing_materialized is None else self.existing_materialized
        yield ddl_objects.DropView(table_name(self.view_name, self.schema), was)
        yield from CreateViewOp(self.view_name, self.definition, self.materialized, (), self.schema).statements(dialect)

    def reverse(self) -> ReplaceViewOp:
        """Give the operation that sets the query before."""
        before = known(self.existing, f"The query of {self.view_name}")
        was = self.materialized if self.existing_materialized is None else self.existing_materialized
        return ReplaceViewOp(self.view_name, before, self.definition, was, self.materialized, self.schema)


@operation("create_sequence")
@dataclass(eq=False)
class CreateSequenceOp(CockroachOperation):
    """``CREATE SEQUENCE``.

    :param sequence_name: the sequence.
    :param options: as SQLAlchemy's Sequence takes them, such as ``{"increment": 5}``.
    :param schema: its schema; the default one when None.
    """

    sequence_name: str
    options: Mapping[str, Any] | None = None
    schema: str | None = None

    def statements(self, dialect: Any) -> Iterable[Executable]:
        """Give the CREATE SEQUENCE."""
        reader = Reader(dialect)
        sequence = SQLSequence(self.sequence_name, schema=self.schema, **dict(self.options or {}))
        found = sequence_to_catalog(sequence, reader)
        reader.check()
        yield ddl_objects.CreateSequence(found)

    def reverse(self) -> DropSequenceOp:
        """Give the operation that drops it."""
        return DropSequenceOp(self.sequence_name, self.options or {}, self.schema)


@operation("drop_sequence")
@dataclass(eq=False)
class DropSequenceOp(CockroachOperation):
    """``DROP SEQUENCE``.

    :param sequence_name: the sequence.
    :param existing: its options, for the downgrade.
    :param schema: its schema; the default one when None.
    """

    sequence_name: str
    existing: Mapping[str, Any] | None = None
    schema: str | None = None

    def statements(self, dialect: Any) -> Iterable[Executable]:
        """Give the DROP SEQUENCE."""
        yield DropSequence(SQLSequence(self.sequence_name, schema=self.schema))

    def reverse(self) -> CreateSequenceOp:
        """Give the operation that creates it again, starting anew."""
        before = known(self.existing, f"The options of {self.sequence_name}")
        return CreateSequenceOp(self.sequence_name, before, self.schema)


@operation("comment_on")
@dataclass(eq=False)
class CommentOnOp(CockroachOperation):
    """``COMMENT ON`` what Alembic has no operation for.

    :param target: ``DATABASE``, ``SCHEMA``, ``TYPE``, ``INDEX`` or ``CONSTRAINT``.
    :param object_name: the object; the table of an index or constraint.
    :param comment: the comment; None removes it.
    :param child: the index or constraint.
    :param existing: the comment before, for the downgrade.
    :param schema: the object's schema; the default one when None.
    """

    target: CommentTarget
    object_name: str
    comment: str | None
    child: str | None = None
    existing: str | None = None
    schema: str | None = None

    def statements(self, dialect: Any) -> Iterable[Executable]:
        """Give the COMMENT ON."""
        name = table_name(self.object_name, self.schema)
        yield ddl.Emit(catalog_objects.Comment(self.target, name, self.comment, self.child))

    def reverse(self) -> CommentOnOp:
        """Give the operation that sets the comment before."""
        return CommentOnOp(self.target, self.object_name, self.existing, self.child, self.comment, self.schema)


__all__ = [
    "AddEnumValueOp",
    "CommentOnOp",
    "CreateEnumOp",
    "CreateSequenceOp",
    "CreateViewOp",
    "DropEnumOp",
    "DropEnumValueOp",
    "DropSequenceOp",
    "DropViewOp",
    "RenameEnumValueOp",
    "ReplaceViewOp",
]

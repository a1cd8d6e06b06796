"""``op.alter_column`` as the statements that CockroachDB takes, as few as it allows.

``ALTER COLUMN TYPE`` goes by itself (cockroachdb/cockroach#49351). Name, NOT NULL, default and identity go into one
``ALTER TABLE`` (documentation, page "ALTER TABLE").
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, Final, TypeAlias

from sqlalchemy import BigInteger, Column, Computed, Connection, Identity, text
from sqlalchemy.types import TypeEngine

from alembic_cluster.errors import ConfigurationError, UnsupportedOperation
from alembic_crdb import alterations, catalog
from alembic_crdb.alterations import Action
from alembic_crdb.catalog import NO_OPTIONS, ObjectName, SequenceOptions
from alembic_crdb.model_columns import column_to_catalog
from alembic_crdb.model_reader import Reader, plain_name

Actions: TypeAlias = tuple[Action, ...]

_COMMENT: Final = text(
    "SELECT d.description FROM pg_catalog.pg_namespace AS n "
    "JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid "
    "JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid "
    "JOIN pg_catalog.pg_description AS d ON d.objoid = c.oid AND d.objsubid = a.attnum "
    "WHERE n.nspname = :schema AND c.relname = :table AND a.attname = :column"
)


def comment_of(connection: Connection, table: ObjectName, column: str) -> str | None:
    """Ask for the comment of a column; None when it has none, or isn't there."""
    schema = table.schema or connection.dialect.default_schema_name
    found: str | None = connection.scalar(_COMMENT, {"schema": schema, "table": table.name, "column": column})
    return found


@dataclass(frozen=True)
class ColumnChange:
    """What ``op.alter_column`` is to do.

    :param table: the table's name, for messages.
    :param default: what ``server_default`` was given: False to leave it, None to drop it.
    :param using: an expression of SQL that gives the new values of the new type.
    :param new_name: None to leave it.
    :param existing_default: what ``existing_server_default`` was given.
    """

    table: str
    column: str
    nullable: bool | None = None
    default: Any = False
    type: TypeEngine[Any] | None = None
    using: str | None = None
    new_name: str | None = None
    existing_default: Any = False

    def statements(self, reader: Reader) -> Iterator[Actions]:
        """Give the actions of each ALTER TABLE, in order.

        :raises ConfigurationError: ``using`` without a type.
        :raises UnsupportedOperation: the server has no way to do it.
        """
        if self.using is not None and self.type is None:
            raise ConfigurationError(
                f"op.alter_column of {self._which}: postgresql_using says how values become those of a new type, and "
                "no type_ is given. Nothing was sent; give both or neither."
            )
        default: list[Any] = list(self._default(reader))
        if self.type is not None:
            kind = self._as_catalog(reader).type
            reader.check()
            name = plain_name(self.column)
            if default and default[0] in (alterations.SetDefault(self._now, None), alterations.DropIdentity(self._now)):
                # The old default need not be one of the new type.
                yield (replace(default.pop(0), column=name),)
            yield (alterations.SetType(name, kind, self.using),)
        together: list[Action] = list(default)
        if self.nullable is not None:
            # An identity column has to be NOT NULL before.
            together.insert(0, alterations.SetNullable(self._now, self.nullable))
        if self.new_name is not None and self.new_name != self.column:
            together.insert(0, alterations.RenameColumn(plain_name(self.column), plain_name(self.new_name)))
        if together:
            yield tuple(together)

    @property
    def _which(self) -> str:
        return f"column {self.column} of table {self.table}"

    @property
    def _now(self) -> str:
        """The column's name when the actions behind its renaming take effect."""
        return plain_name(self.new_name if self.new_name is not None else self.column)

    def _as_catalog(self, reader: Reader, default: Any = None) -> catalog.Column:
        said = [default] if isinstance(default, Computed | Identity) else []
        plain = None if said else default
        column: Column[Any] = Column(self.column, self.type or BigInteger(), *said, server_default=plain)
        return column_to_catalog(column, reader)

    def _default(self, reader: Reader) -> Iterator[Action]:
        if self.default is False:
            return
        before = None if self.existing_default is False else self.existing_default
        if isinstance(self.default, Computed):
            raise UnsupportedOperation(
                f"op.alter_column can't make {self._which} a computed one, nor change what it is computed from: "
                "CockroachDB has no statement for it. Nothing was sent; use op.drop_column and op.add_column, and know "
                "that the values that were stored are lost"
            )
        if isinstance(before, Computed):
            if before.persisted is False or self.default is not None:
                raise UnsupportedOperation(
                    f"op.alter_column can't make {self._which} an ordinary one: it is computed, and CockroachDB can "
                    "only drop STORED. Nothing was sent; use op.add_column, copy the values and use op.drop_column"
                )
            yield alterations.DropStored(self._now)
        elif isinstance(self.default, Identity):
            wanted = self._identity(self.default, reader)
            if isinstance(before, Identity):
                yield from self._changed_identity(self._identity(before, reader), wanted)
            else:
                if before is not None:
                    yield alterations.SetDefault(self._now, None)
                yield alterations.AddIdentity(self._now, wanted)
        else:
            if isinstance(before, Identity):
                yield alterations.DropIdentity(self._now)
                if self.default is None:
                    return
            expression = None if self.default is None else self._as_catalog(reader, self.default).default
            reader.check()
            yield alterations.SetDefault(self._now, expression)

    def _identity(self, identity: Identity, reader: Reader) -> catalog.Identity:
        found = self._as_catalog(reader, identity).identity
        reader.check()
        assert found is not None
        return found

    def _changed_identity(self, before: catalog.Identity, wanted: catalog.Identity) -> Iterator[Action]:
        always = wanted.always if wanted.always != before.always else None
        changed = {
            each.name: getattr(wanted.options, each.name)
            for each in fields(SequenceOptions)
            if each.compare and getattr(wanted.options, each.name) not in (None, getattr(before.options, each.name))
        }
        options = SequenceOptions(**changed) if changed else NO_OPTIONS
        if always is not None or changed:
            yield alterations.SetIdentity(self._now, always, options)

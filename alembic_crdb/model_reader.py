"""How a model is read: its options, names and SQL expressions, as the text that stands in the catalog."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import copy
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnClause,
    Constraint,
    ForeignKeyConstraint,
    Index,
    SelectBase,
    Sequence,
    Table,
    TextClause,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import CreateIndex, SchemaItem
from sqlalchemy.sql import coercions, roles
from sqlalchemy.sql.base import DialectKWArgs
from sqlalchemy.sql.compiler import IdentifierPreparer
from sqlalchemy.sql.ddl import CreateConstraint
from sqlalchemy.sql.elements import conv, quoted_name
from sqlalchemy.types import STRINGTYPE

from alembic_cluster.errors import InvalidModel, UnsupportedConstruct
from alembic_crdb.catalog import ObjectName, Parameters
from alembic_crdb.quoting import plain_preparer, quote_as_server

_OURS: Final = "cockroachdb_"
_POSTGRESQL: Final = "postgresql_"
#: What SQLAlchemy has in place of a schema that is translated later; it comes without quotes.
_TRANSLATED: Final = "__[SCHEMA_"
_PARAMETER_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")


def options(item: DialectKWArgs) -> dict[str, Any]:
    """Give the dialect options that were said of a table, column, constraint or index, without their prefixes.

    ``cockroachdb_*`` and ``postgresql_*``; where both say something, the first one counts.
    """
    if not item.dialect_options:
        return {}
    said = dict(item.dialect_kwargs)
    found = {
        name.removeprefix(_POSTGRESQL): value
        for name, value in said.items()
        if name.startswith(_POSTGRESQL) and value is not None
    }
    found |= {name.removeprefix(_OURS): value for name, value in said.items() if name.startswith(_OURS)}
    return found


def said_for_postgresql(item: DialectKWArgs, name: str) -> Any:
    """Give an option that was said for PostgreSQL alone; None where it was not, or was for CockroachDB, too."""
    said = dict(item.dialect_kwargs) if item.dialect_options else {}
    return None if _OURS + name in said else said.get(_POSTGRESQL + name)


class ServersName(conv):
    """A name that a server has: no naming convention touches it, and it stays as long as it is.

    PostgreSQL's names have 63 bytes at most, and SQLAlchemy cuts longer ones; those of CockroachDB have no such limit.
    """


def plain_name(name: str) -> str:
    """Give the name that the server gets for a name of a model, which ``quote=False`` leaves without quotes."""
    return name.lower() if isinstance(name, quoted_name) and name.quote is False else str(name)


class Reader:
    """Reads models for one dialect object.

    What the server has no counterpart for is collected in :attr:`refusals`: a comparison looks past it, and
    what is to be executed is refused.

    :param dialect: of sqlalchemy-cockroachdb; it is made to quote as CockroachDB does.
    :param preparer: gives the schemas of objects, translated where ``schema_translate_map`` is used; the dialect's
        own when None.
    """

    def __init__(self, dialect: Dialect, preparer: IdentifierPreparer | None = None) -> None:
        quote_as_server(dialect)
        self.dialect = dialect
        self.refusals: list[str] = []
        self._schemas = preparer or dialect.identifier_preparer
        self.preparer = plain_preparer(dialect.identifier_preparer)
        self._plain = copy(dialect)
        self._plain.identifier_preparer = self.preparer
        self._sql = dialect.statement_compiler(self._plain, None)
        self._ddl = dialect.ddl_compiler(self._plain, None)  # type: ignore[arg-type]

    def refuse(self, message: str) -> None:
        """Note what the server has no counterpart for."""
        self.refusals.append(message)

    def check(self) -> None:
        """Refuse what was noted.

        :raises UnsupportedConstruct: there was something; nothing was sent.
        """
        if self.refusals:
            raise UnsupportedConstruct(f"{self.refusals[0]} Nothing of it was sent.")

    def schema_of(self, item: Any) -> str | None:
        """Give the schema of a table, type or sequence; None where it has none."""
        schema: str | None = self._schemas.schema_for_object(item)
        if schema is None or schema.startswith(_TRANSLATED):
            return schema
        return plain_name(schema)

    def object_name(self, item: Any) -> ObjectName:
        """Give the name of a table, type or sequence."""
        return ObjectName(plain_name(item.name), self.schema_of(item))

    def name_of(self, item: Constraint | Index) -> str | None:
        """Give the name of a constraint or index by the naming convention; None when the server is to choose one.

        :raises sqlalchemy.exc.IdentifierError: it is too long.
        """
        if item.name is None:
            return None
        if isinstance(item.name, ServersName):
            return str(item.name)
        name = self.preparer.format_constraint(item, _alembic_quote=False)
        return None if name is None else plain_name(name)

    def sql(self, expression: Any) -> str:
        """Give the text of an SQL expression; a str is such a text already."""
        if isinstance(expression, str):
            return expression.strip()
        element = coercions.expect(roles.DDLExpressionRole, expression)
        return str(self._sql.process(element, include_table=False, literal_binds=True)).strip()

    def query(self, definition: str | SelectBase) -> str:
        """Give the text of a query, without its semicolon."""
        if not isinstance(definition, str):
            definition = str(definition.compile(dialect=self._plain, compile_kwargs={"literal_binds": True}))
        return definition.strip().rstrip(";").rstrip()

    def literal(self, value: str) -> str:
        """Write a string as SQL."""
        return str(self._sql.render_literal_value(value, STRINGTYPE))

    def type_text(self, type_: Any) -> str:
        """Write a type as SQLAlchemy does in DDL."""
        return str(self.dialect.type_compiler_instance.process(type_, identifier_preparer=self.preparer))

    def next_value(self, sequence: Sequence) -> str:
        """Write the default of a column that takes its values from a sequence."""
        return f"nextval({self.literal('.'.join(map(self.preparer.quote, self.object_name(sequence).parts)))})"

    def parameters(self, values: Any, of: str) -> Parameters:
        """Give storage parameters as texts of SQL.

        :param values: by name: texts, numbers, booleans, intervals; a TextClause stands for itself.
        :param of: what they are of, for the message.
        :raises InvalidModel: a name or a value is of another kind.
        """
        if values is not None and not isinstance(values, Mapping):
            raise InvalidModel(f"The storage parameters of {of} are no dict: {values!r}. Nothing was sent.")
        return tuple(
            (self._parameter(name, of), self.value(value, f"{name} of {of}"))
            for name, value in (values or {}).items()
            if value is not None
        )

    @staticmethod
    def _parameter(name: Any, of: str) -> str:
        if not isinstance(name, str) or _PARAMETER_NAME.fullmatch(name) is None:
            raise InvalidModel(f"{name!r} is no name of a parameter of {of}. Nothing was sent.")
        return name

    def value(self, value: Any, of: str) -> str:
        """Write the value of a parameter as SQL.

        :raises InvalidModel: it is no text, number, boolean, interval or TextClause.
        """
        if isinstance(value, TextClause):
            return self.sql(value)
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float):
            return repr(value)
        if isinstance(value, timedelta):
            return self.literal(f"{value.days} days {value.seconds} seconds {value.microseconds} microseconds")
        if isinstance(value, str):
            return self.literal(value)
        raise InvalidModel(f"The value of {of} is neither text, number nor boolean: {value!r}. Nothing was sent.")

    @staticmethod
    def column_name(table: Table | None, column: Any) -> str:
        """Give the name of a column that an option names by its key or name, or by the Column itself."""
        if table is not None and isinstance(column, str) and column in table.c:
            column = table.c[column]
        return plain_name(column.name if isinstance(column, ColumnClause) else column)

    def should_create(self, item: SchemaItem) -> bool:
        """Tell whether a constraint or index is for this dialect: types' own rules, and ``ddl_if``.

        A foreign key that ``create_all`` added after its table is one, although CREATE TABLE leaves it out from then.
        """
        if isinstance(item, Constraint) and not isinstance(item, ForeignKeyConstraint):
            return self.in_create_table(item)
        made: Any = item
        if made._ddl_if is None:
            return True
        create: Any = CreateIndex(made) if isinstance(made, Index) else CreateConstraint(made)
        return bool(made._ddl_if._should_execute(create, made, None, compiler=self._ddl))

    def in_create_table(self, constraint: Constraint) -> bool:
        """Tell whether SQLAlchemy would write a constraint into CREATE TABLE."""
        return bool(constraint._should_create_for_compiler(self._ddl))

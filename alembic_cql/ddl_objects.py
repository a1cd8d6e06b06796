"""CQL text of keyspaces, functions, aggregates, and of what ALTER TABLE does to one column's mask or check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import ExecutableDDLElement

from alembic_cluster.errors import InvalidModel
from alembic_cql.ddl_alter import qualified
from alembic_cql.functions import (
    AggregateDefinition,
    Definition,
    FunctionDefinition,
    body_literal,
    check_definition,
    unfrozen,
)
from alembic_cql.keyspaces import Keyspace, check_server
from alembic_cql.masks import parse_mask
from alembic_cql.refusal import refuse
from alembic_cql.scalars import quote_text


class CreateKeyspace(ExecutableDDLElement):
    """``CREATE KEYSPACE``.

    :param element: the keyspace.
    :param if_not_exists: whether one that is there stays as it is.
    """

    def __init__(self, element: Keyspace, if_not_exists: bool = False) -> None:
        self.element = element
        self.if_not_exists = if_not_exists


class AlterKeyspace(ExecutableDDLElement):
    """``ALTER KEYSPACE``.

    :param name: the keyspace.
    :param options: new values by the words of the statement.
    """

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        self.name = name
        self.changes = dict(options)


class DropKeyspace(ExecutableDDLElement):
    """``DROP KEYSPACE``, with all that is in it."""

    def __init__(self, name: str, if_exists: bool = False) -> None:
        self.name = name
        self.if_exists = if_exists


class CreateDefinition(ExecutableDDLElement):
    """``CREATE FUNCTION`` or ``CREATE AGGREGATE``.

    :param element: the function or aggregate.
    :param replace: whether one of its signature that is there is replaced.
    """

    def __init__(self, element: Definition, replace: bool = False) -> None:
        self.element = element
        self.replace = replace


class DropDefinition(ExecutableDDLElement):
    """``DROP FUNCTION`` or ``DROP AGGREGATE``.

    :param kind: ``function`` or ``aggregate``.
    :param name: its name.
    :param types: types of its arguments; None where only one has the name.
    :param schema: its keyspace; that of the connection when None.
    :param if_exists: whether none is no error.
    """

    def __init__(
        self, kind: str, name: str, types: Any = None, schema: str | None = None, *, if_exists: bool = False
    ) -> None:
        self.kind = kind
        self.name = name
        self.types = types
        self.schema = schema
        self.if_exists = if_exists


class AlterColumnMask(ExecutableDDLElement):
    """``ALTER TABLE .. ALTER .. MASKED WITH``, or ``DROP MASKED``.

    :param mask: the call of a masking function; None drops it.
    """

    def __init__(self, table_name: str, column_name: str, mask: str | None, schema: str | None = None) -> None:
        self.table_name = table_name
        self.column_name = column_name
        self.mask = mask
        self.schema = schema


class AlterColumnCheck(ExecutableDDLElement):
    """``ALTER TABLE .. ALTER .. CHECK``, or ``DROP CHECK``.

    :param check: the condition as CQL; None drops it.
    """

    def __init__(self, table_name: str, column_name: str, check: str | None, schema: str | None = None) -> None:
        self.table_name = table_name
        self.column_name = column_name
        self.check = check
        self.schema = schema


def _literal(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{quote_text(str(key))}: {_literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_literal, value)) + "]"
    return str(value).lower() if isinstance(value, (bool, int)) else quote_text(str(value))


def _keyspace_properties(name: str, options: Mapping[str, Any], compiler: Any) -> str:
    check_server(name, options, compiler.dialect.features)
    written = []
    for option, value in options.items():
        written.append(f"{option} = {_literal(value)}")
    if not written:
        raise InvalidModel(f"keyspace {name!r}: nothing is to be changed; nothing was sent")
    return "\n    AND ".join(written)


@compiles(CreateKeyspace, "cql")
def _create_keyspace(element: CreateKeyspace, compiler: Any, **kw: Any) -> str:
    keyspace = element.element
    condition = "IF NOT EXISTS " if element.if_not_exists else ""
    properties = _keyspace_properties(keyspace.name, keyspace.options, compiler)
    return f"CREATE KEYSPACE {condition}{compiler.preparer.quote(keyspace.name)} WITH {properties}"


@compiles(AlterKeyspace, "cql")
def _alter_keyspace(element: AlterKeyspace, compiler: Any, **kw: Any) -> str:
    properties = _keyspace_properties(element.name, element.changes, compiler)
    return f"ALTER KEYSPACE {compiler.preparer.quote(element.name)} WITH {properties}"


@compiles(DropKeyspace, "cql")
def _drop_keyspace(element: DropKeyspace, compiler: Any, **kw: Any) -> str:
    check_server(element.name, {}, compiler.dialect.features)
    return f"DROP KEYSPACE {'IF EXISTS ' if element.if_exists else ''}{compiler.preparer.quote(element.name)}"


def _type(compiler: Any, kind: Any) -> str:
    return str(compiler.dialect.type_compiler_instance.process(unfrozen(kind)))


@compiles(CreateDefinition, "cql")
def _create_definition(element: CreateDefinition, compiler: Any, **kw: Any) -> str:
    item = element.element
    check_definition(item, compiler.dialect)
    begin = f"CREATE {'OR REPLACE ' if element.replace else ''}"
    name = qualified(compiler, item.name, item.schema)
    if isinstance(item, FunctionDefinition):
        return begin + _function(item, name, compiler)
    return begin + _aggregate(item, name, compiler)


def _function(item: FunctionDefinition, name: str, compiler: Any) -> str:
    arguments = ", ".join(f"{compiler.preparer.quote(key)} {_type(compiler, kind)}" for key, kind in item.arguments)
    on_null = "CALLED" if item.called_on_null_input else "RETURNS NULL"
    return (
        f"FUNCTION {name} ({arguments})\n    {on_null} ON NULL INPUT\n    RETURNS {_type(compiler, item.returns)}\n"
        f"    LANGUAGE {item.language}\n    AS {body_literal(item.body)}"
    )


def _aggregate(item: AggregateDefinition, name: str, compiler: Any) -> str:
    quote = compiler.preparer.quote
    lines = [
        f"AGGREGATE {name} ({', '.join(_type(compiler, kind) for kind in item.types)})",
        f"SFUNC {quote(item.sfunc)}",
        f"STYPE {_type(compiler, item.stype)}",
    ]
    if item.reducefunc is not None:
        lines.append(f"REDUCEFUNC {quote(item.reducefunc)}")
    if item.finalfunc is not None:
        lines.append(f"FINALFUNC {quote(item.finalfunc)}")
    initial = item.initial_state(compiler.dialect)
    if initial is not None:
        lines.append(f"INITCOND {initial}")
    return "\n    ".join(lines)


@compiles(DropDefinition, "cql")
def _drop_definition(element: DropDefinition, compiler: Any, **kw: Any) -> str:
    condition = "IF EXISTS " if element.if_exists else ""
    name = qualified(compiler, element.name, element.schema)
    types = "" if element.types is None else f" ({', '.join(_type(compiler, kind) for kind in element.types)})"
    return f"DROP {element.kind.upper()} {condition}{name}{types}"


@compiles(AlterColumnMask, "cql")
def _alter_mask(element: AlterColumnMask, compiler: Any, **kw: Any) -> str:
    what = column_mask(f"table {element.table_name!r}, column {element.column_name!r}", element.mask, compiler.dialect)
    return _alter_column(element, compiler, what.strip() or "DROP MASKED")


@compiles(AlterColumnCheck, "cql")
def _alter_check(element: AlterColumnCheck, compiler: Any, **kw: Any) -> str:
    where = f"table {element.table_name!r}, column {element.column_name!r}"
    what = column_check(where, element.check or "", compiler.dialect)
    return _alter_column(element, compiler, what.strip() if element.check else "DROP CHECK")


def _alter_column(element: Any, compiler: Any, what: str) -> str:
    table = qualified(compiler, element.table_name, element.schema)
    return f"ALTER TABLE {table} ALTER {compiler.preparer.quote(element.column_name)} {what}"


def column_mask(where: str, mask: str | None, dialect: Any) -> str:
    """Write a column's mask as it follows the type; empty for None.

    :param where: the column, for messages.
    :raises InvalidModel: for what isn't the call of a masking function.
    :raises UnsupportedConstruct: where the server has no masks.
    """
    if not dialect.features.column_masks:
        refuse(f"mask of a column on this server ({where})", "it came with Cassandra 5.0: drop cql_masked")
    return "" if mask is None else f" MASKED WITH {parse_mask(mask, where)}"


def column_check(where: str, check: Any, dialect: Any) -> str:
    """Write a column's check as it follows the type.

    :param where: the column, for messages.
    :raises UnsupportedConstruct: where the server has no checks.
    :raises InvalidModel: for what can't be a condition.
    """
    if not dialect.features.column_checks:
        refuse(f"check of a column on this server ({where})", "it comes after Cassandra 5.0: check in the program")
    if not isinstance(check, str) or ";" in check:
        raise InvalidModel(
            f"{where}: cql_check takes a condition such as 'LENGTH(name) < 50', not {check!r}; nothing was sent"
        )
    return f" CHECK {check}"

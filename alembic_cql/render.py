"""CQL types and calls of operations as Python text in a revision."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy.types import TypeEngine

from alembic_cql import types

IMPORT = "from alembic_cql import types as cql"


def render_type(type_: TypeEngine[Any], autogen_context: Any) -> str | None:
    """Write a type of alembic_cql.types, and add the import it needs to the revision.

    :param autogen_context: Alembic's ``AutogenContext``.
    :return: None for a type of another module, which Alembic writes itself.
    """
    if getattr(types, type(type_).__name__, None) is not type(type_):
        _import_module(type_, autogen_context)
        return None
    autogen_context.imports.add(IMPORT)

    def part(inner: TypeEngine[Any]) -> str:
        return _render_any(inner, autogen_context)

    name = f"cql.{type(type_).__name__}"
    if isinstance(type_, types.FROZEN):
        return f"{name}({part(type_.inner)})"
    if isinstance(type_, types.VECTOR):
        return f"{name}({part(type_.item_type)}, {type_.dimension})"
    if isinstance(type_, types.LIST):
        return f"{name}({part(type_.item_type)})"
    if isinstance(type_, types.MAP):
        return f"{name}({part(type_.key_type)}, {part(type_.value_type)})"
    if isinstance(type_, types.TUPLE):
        return f"{name}({', '.join(map(part, type_.item_types))})"
    if isinstance(type_, types.CustomType):
        return f"{name}({type_.class_name!r})"
    if isinstance(type_, types.UserType):
        schema = "" if type_.schema is None else f", schema={type_.schema!r}"
        return f"{name}({type_.name!r}, {render_fields(type_.fields, autogen_context)}{schema})"
    return f"{name}({'timezone=True' if getattr(type_, 'timezone', False) else ''})"


def render_fields(fields: Iterable[tuple[str, TypeEngine[Any]]], autogen_context: Any) -> str:
    """Write the fields of a user type as a list of pairs."""
    return "[" + ", ".join(f"({name!r}, {_render_any(kind, autogen_context)})" for name, kind in fields) + "]"


def render_types(types: Iterable[TypeEngine[Any]], autogen_context: Any) -> str:
    """Write types as a list."""
    return "[" + ", ".join(_render_any(kind, autogen_context) for kind in types) + "]"


def call(autogen_context: Any, operation: str, arguments: Sequence[str], **keywords: Any) -> str:
    """Write the call of an operation.

    :param arguments: written already.
    :param keywords: values; those that are None are left out.
    """
    prefix = autogen_context.opts["alembic_module_prefix"] or ""
    parts = [*arguments, *(f"{name}={value!r}" for name, value in keywords.items() if value is not None)]
    short = f"{prefix}{operation}({', '.join(parts)})"
    return short if len(short) < 90 else f"{prefix}{operation}(\n    " + ",\n    ".join(parts) + ",\n)"


def _render_any(type_: TypeEngine[Any], autogen_context: Any) -> str:
    ours = render_type(type_, autogen_context)
    if ours is not None:
        return ours
    if type(type_).__module__.startswith("sqlalchemy."):
        return f"{autogen_context.opts['sqlalchemy_module_prefix'] or ''}{type_!r}"
    prefix = autogen_context.opts["user_module_prefix"]
    return f"{type(type_).__module__ + '.' if prefix is None else prefix}{type_!r}"


def _import_module(type_: TypeEngine[Any], autogen_context: Any) -> None:
    """Have the revision import the module of a user's own type, which Alembic names but doesn't import."""
    module = type(type_).__module__
    is_found = getattr(sys.modules.get(module), type(type_).__name__, None) is type(type_)
    own = not module.startswith("sqlalchemy.") and module != "__main__"
    if own and is_found and autogen_context.opts["user_module_prefix"] is None:
        autogen_context.imports.add(f"import {module}")

"""CQL types as Python text in a revision."""

from __future__ import annotations

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
        fields = ", ".join(f"({field!r}, {part(kind)})" for field, kind in type_.fields)
        schema = "" if type_.schema is None else f", schema={type_.schema!r}"
        return f"{name}({type_.name!r}, [{fields}]{schema})"
    return f"{name}({'timezone=True' if getattr(type_, 'timezone', False) else ''})"


def _render_any(type_: TypeEngine[Any], autogen_context: Any) -> str:
    ours = render_type(type_, autogen_context)
    if ours is not None:
        return ours
    module = type(type_).__module__
    if module.startswith("sqlalchemy."):
        return f"{autogen_context.opts['sqlalchemy_module_prefix'] or ''}{type_!r}"
    autogen_context.imports.add(f"import {module}")
    return f"{module}.{type_!r}"

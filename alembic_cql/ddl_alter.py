"""CQL text of changes to user types and materialized views."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import ExecutableDDLElement
from sqlalchemy.types import TypeEngine

from alembic_cql.options import check_changes, option_literal
from alembic_cql.types import quote_text


class AddTypeField(ExecutableDDLElement):
    """``ALTER TYPE .. ADD``.

    :param type_name: the user type.
    :param field_name: the new field, which comes last.
    :param field_type: its type.
    :param schema: the user type's keyspace; that of the connection when None.
    :param if_not_exists: whether a field of that name may be there already.
    """

    def __init__(
        self,
        type_name: str,
        field_name: str,
        field_type: TypeEngine[Any],
        schema: str | None = None,
        *,
        if_not_exists: bool = False,
    ) -> None:
        self.if_not_exists = if_not_exists
        self.type_name = type_name
        self.field_name = field_name
        self.field_type = field_type
        self.schema = schema


class AlterViewOptions(ExecutableDDLElement):
    """``ALTER MATERIALIZED VIEW .. WITH``.

    :param view_name: the view.
    :param options: values by option name (``comment`` included).
    :param schema: its keyspace; that of the connection when None.
    """

    def __init__(self, view_name: str, options: Mapping[str, Any], schema: str | None = None) -> None:
        self.view_name = view_name
        self.changes = dict(options)
        self.schema = schema


def qualified(compiler: Any, name: str, schema: str | None) -> str:
    """Write a name with its keyspace, where there is one."""
    quoted: str = compiler.preparer.quote(name)
    return quoted if schema is None else f"{compiler.preparer.quote_schema(schema)}.{quoted}"


@compiles(AddTypeField, "cql")
def _add_type_field(element: AddTypeField, compiler: Any, **kw: Any) -> str:
    kind = compiler.dialect.type_compiler_instance.process(element.field_type)
    name = qualified(compiler, element.type_name, element.schema)
    condition = "IF NOT EXISTS " if element.if_not_exists and compiler.dialect.features.alter_if_exists else ""
    return f"ALTER TYPE {name} ADD {condition}{compiler.preparer.quote(element.field_name)} {kind}"


@compiles(AlterViewOptions, "cql")
def _alter_view_options(element: AlterViewOptions, compiler: Any, **kw: Any) -> str:
    given = {name: value for name, value in element.changes.items() if name != "comment"}
    check_changes(given, element.view_name, compiler.dialect.features, of_view=True)
    properties = [
        f"{name} = {quote_text(value or '') if name == 'comment' else option_literal(name, value, element.view_name)}"
        for name, value in element.changes.items()
    ]
    name = qualified(compiler, element.view_name, element.schema)
    return f"ALTER MATERIALIZED VIEW {name} WITH " + "\n    AND ".join(properties)

"""Operations of a revision on user types, and their CQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alembic.autogenerate.render import renderers
from alembic.operations import MigrateOperation, Operations
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import ExecutableDDLElement

from alembic_cluster.errors import InvalidModel
from alembic_cql.ddl import CreateUserType, DropUserType
from alembic_cql.ddl_alter import AddTypeField, qualified
from alembic_cql.render import call, render_fields
from alembic_cql.types import Fields, UserType


@Operations.register_operation("create_type")
class CreateTypeOp(MigrateOperation):
    """``CREATE TYPE``.

    :param type_: the type with its fields.
    """

    def __init__(self, type_: UserType) -> None:
        self.type = type_

    @classmethod
    def create_type(
        cls, operations: Operations, name: str | UserType, fields: Fields = (), *, schema: str | None = None
    ) -> None:
        """Create a user type: ``op.create_type("address", [("street", cql.TEXT())])``.

        :param name: its name; or a :class:`~alembic_cql.types.UserType` with its fields, and nothing else.
        :param fields: field types by name, or pairs, in order; the types that they use must be there.
        :param schema: keyspace; that of the connection when None.
        :raises InvalidModel: for a type without fields; nothing was sent.
        """
        operations.invoke(cls(name if isinstance(name, UserType) else UserType(name, fields, schema=schema)))

    def reverse(self) -> DropTypeOp:
        """Give the operation that drops it."""
        return DropTypeOp(self.type.name, schema=self.type.schema, type_=self.type)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Give what ``alembic check`` prints."""
        return ("add_type", self.type)


@Operations.register_operation("drop_type")
class DropTypeOp(MigrateOperation):
    """``DROP TYPE``.

    :param name: the type's name.
    :param schema: its keyspace; that of the connection when None.
    :param type_: the type with its fields, for the downgrade.
    """

    def __init__(self, name: str, *, schema: str | None = None, type_: UserType | None = None) -> None:
        self.name = name
        self.schema = schema
        self.type = type_

    @classmethod
    def drop_type(cls, operations: Operations, name: str, *, schema: str | None = None) -> None:
        """Drop a user type: ``op.drop_type("address")``. The server refuses while a table or type uses it."""
        operations.invoke(cls(name, schema=schema))

    def reverse(self) -> CreateTypeOp:
        """Give the operation that creates it again.

        :raises ValueError: when its fields aren't known.
        """
        if self.type is None:
            raise ValueError(f"the fields of the type {self.name!r} aren't known")
        return CreateTypeOp(self.type)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Give what ``alembic check`` prints."""
        return ("remove_type", self.type or self.name)


@Operations.register_operation("alter_type")
class AlterTypeOp(MigrateOperation):
    """``ALTER TYPE``: fields are added at the end, or renamed; CQL drops none.

    :param name: the type's name.
    :param add: names and types of the new fields.
    :param rename: new names by old ones.
    :param schema: its keyspace; that of the connection when None.
    :param if_not_exists: whether the new fields may be there already.
    """

    def __init__(
        self,
        name: str,
        *,
        add: Fields = (),
        rename: Mapping[str, str] | None = None,
        schema: str | None = None,
        if_not_exists: bool = False,
    ) -> None:
        self.if_not_exists = if_not_exists
        self.name = name
        self.fields = UserType(name, add).fields
        self.rename = dict(rename or {})
        self.schema = schema

    @classmethod
    def alter_type(
        cls,
        operations: Operations,
        name: str,
        *,
        add: Fields = (),
        rename: Mapping[str, str] | None = None,
        schema: str | None = None,
        if_not_exists: bool = False,
    ) -> None:
        """Add fields to a user type, or rename some: ``op.alter_type("address", add=[("zip", cql.TEXT())])``.

        :param add: types of the new fields by name, or pairs, in order; they come last.
        :param rename: new names by old ones.
        :param schema: keyspace; that of the connection when None.
        :param if_not_exists: whether the new fields may be there already: a downgrade can't drop them.
        :raises InvalidModel: when there is nothing to add or rename; nothing was sent.
        """
        operations.invoke(cls(name, add=add, rename=rename, schema=schema, if_not_exists=if_not_exists))

    def reverse(self) -> AlterTypeOp:
        """Give the operation that renames back; what was added stays, for CQL drops no field."""
        return AlterTypeOp(self.name, rename={new: old for old, new in self.rename.items()}, schema=self.schema)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Give what ``alembic check`` prints."""
        return ("alter_type", self.schema, self.name, self.fields, self.rename)


class RenameTypeFields(ExecutableDDLElement):
    """``ALTER TYPE .. RENAME``."""

    def __init__(self, type_name: str, rename: Mapping[str, str], schema: str | None = None) -> None:
        self.type_name = type_name
        self.rename = dict(rename)
        self.schema = schema


@compiles(RenameTypeFields, "cql")
def _rename_type_fields(element: RenameTypeFields, compiler: Any, **kw: Any) -> str:
    quote = compiler.preparer.quote
    renamed = " AND ".join(f"{quote(old)} TO {quote(new)}" for old, new in element.rename.items())
    return f"ALTER TYPE {qualified(compiler, element.type_name, element.schema)} RENAME {renamed}"


def _send(operations: Operations, construct: ExecutableDDLElement) -> None:
    impl: Any = operations.impl
    impl._exec(construct)


@Operations.implementation_for(CreateTypeOp)
def _create_type(operations: Operations, operation: CreateTypeOp) -> None:
    _send(operations, CreateUserType(operation.type))


@Operations.implementation_for(DropTypeOp)
def _drop_type(operations: Operations, operation: DropTypeOp) -> None:
    _send(operations, DropUserType(operation.type or UserType(operation.name, schema=operation.schema)))


@Operations.implementation_for(AlterTypeOp)
def _alter_type(operations: Operations, operation: AlterTypeOp) -> None:
    if not operation.fields and not operation.rename:
        raise InvalidModel(
            f"alter_type of {operation.name!r} has nothing to do: give add= or rename=; nothing was sent"
        )
    if operation.rename:
        _send(operations, RenameTypeFields(operation.name, operation.rename, operation.schema))
    there = _fields_there(operations, operation)
    for name, kind in operation.fields:  # the grammar takes one at a time
        if name not in there:
            field = AddTypeField(operation.name, name, kind, operation.schema, if_not_exists=operation.if_not_exists)
            _send(operations, field)


def _fields_there(operations: Operations, operation: AlterTypeOp) -> tuple[str, ...]:
    """Give the fields that needn't be added, where the server has no ``IF NOT EXISTS`` for them."""
    impl: Any = operations.impl
    if not operation.if_not_exists or impl.as_sql or impl.dialect.features.alter_if_exists:
        return ()
    found = impl.dialect.keyspace_info(impl.connection, operation.schema).types.get(operation.name)
    return () if found is None else tuple(found.field_names())


@renderers.dispatch_for(CreateTypeOp)
def _render_create_type(autogen_context: Any, operation: CreateTypeOp) -> str:
    fields = render_fields(operation.type.fields, autogen_context)
    return call(autogen_context, "create_type", [repr(operation.type.name), fields], schema=operation.type.schema)


@renderers.dispatch_for(DropTypeOp)
def _render_drop_type(autogen_context: Any, operation: DropTypeOp) -> str:
    return call(autogen_context, "drop_type", [repr(operation.name)], schema=operation.schema)


@renderers.dispatch_for(AlterTypeOp)
def _render_alter_type(autogen_context: Any, operation: AlterTypeOp) -> list[str]:
    if not operation.fields and not operation.rename:
        return [f"# what the type {operation.name!r} got stays there: CQL drops no field", "pass"]
    arguments = [repr(operation.name)]
    if operation.fields:
        arguments.append(f"add={render_fields(operation.fields, autogen_context)}")
    if operation.rename:
        arguments.append(f"rename={operation.rename!r}")
    return [
        call(
            autogen_context,
            "alter_type",
            arguments,
            schema=operation.schema,
            if_not_exists=operation.if_not_exists or None,
        )
    ]

"""Operations of a revision on functions and aggregates."""

from __future__ import annotations

from typing import Any

from alembic.autogenerate.render import renderers
from alembic.operations import MigrateOperation, Operations

from alembic_cql.ddl_objects import CreateDefinition, DropDefinition
from alembic_cql.functions import (
    AggregateDefinition,
    Arguments,
    ArgumentTypes,
    FunctionDefinition,
    argument_types,
)
from alembic_cql.render import call, render_fields, render_types
from alembic_cql.types import TypeArgument


@Operations.register_operation("create_function")
class CreateFunctionOp(MigrateOperation):
    """``CREATE FUNCTION``, or ``CREATE OR REPLACE FUNCTION``.

    :param function: the function.
    :param replaced: the one of its signature that is replaced, for the downgrade.
    :param replace: whether one of its signature may be there.
    """

    def __init__(
        self, function: FunctionDefinition, *, replaced: FunctionDefinition | None = None, replace: bool = False
    ) -> None:
        self.function = function
        self.replaced = replaced
        self.replace = replace or replaced is not None

    @classmethod
    def create_function(
        cls,
        operations: Operations,
        name: str,
        arguments: Arguments,
        returns: TypeArgument,
        body: str,
        *,
        language: str = "java",
        called_on_null_input: bool = False,
        schema: str | None = None,
        replace: bool = False,
    ) -> None:
        """Create a function: ``op.create_function("twice", [("n", cql.INT())], cql.INT(), "return 2 * n;")``.

        :param name: its name.
        :param arguments: names and types of the arguments, in order.
        :param returns: type of what it returns.
        :param body: the source text, as it stands between ``$$``.
        :param language: ``java`` on Cassandra, ``lua`` or ``wasm`` on ScyllaDB.
        :param called_on_null_input: whether it is called when an argument is null.
        :param schema: keyspace; that of the connection when None.
        :param replace: whether one of its signature may be there, which is replaced; its result's type and what happens
            on null must be the same.
        :raises InvalidModel: for what no server takes; nothing was sent.
        """
        function = FunctionDefinition(
            name,
            None,
            arguments,
            returns,
            body,
            language=language,
            called_on_null_input=called_on_null_input,
            schema=schema,
        )
        operations.invoke(cls(function, replace=replace))

    def reverse(self) -> MigrateOperation:
        """Give the operation that drops it, or that puts back what it replaced.

        :raises ValueError: when what it replaced isn't known.
        """
        if self.replaced is not None:
            return CreateFunctionOp(self.replaced, replaced=self.function)
        if self.replace:
            raise ValueError(f"what the function {self.function.name!r} replaced isn't known")
        return DropFunctionOp(
            self.function.name, self.function.types, schema=self.function.schema, function=self.function
        )

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Give what ``alembic check`` prints."""
        return ("modify_function" if self.replace else "add_function", self.function)


@Operations.register_operation("drop_function")
class DropFunctionOp(MigrateOperation):
    """``DROP FUNCTION``.

    :param name: its name.
    :param arguments: types of its arguments; None where only one has the name.
    :param schema: its keyspace; that of the connection when None.
    :param function: the function, for the downgrade.
    """

    def __init__(
        self,
        name: str,
        arguments: ArgumentTypes | None = None,
        *,
        schema: str | None = None,
        function: FunctionDefinition | None = None,
    ) -> None:
        self.name = name
        self.types = None if arguments is None else argument_types(arguments, f"function {name!r}")
        self.schema = schema
        self.function = function

    @classmethod
    def drop_function(
        cls,
        operations: Operations,
        name: str,
        arguments: ArgumentTypes | None = None,
        *,
        schema: str | None = None,
    ) -> None:
        """Drop a function: ``op.drop_function("twice", [cql.INT()])``.

        :param name: its name.
        :param arguments: types of its arguments; None where only one has the name.
        :param schema: keyspace; that of the connection when None.
        """
        operations.invoke(cls(name, arguments, schema=schema))

    def reverse(self) -> CreateFunctionOp:
        """Give the operation that creates it again.

        :raises ValueError: when its body isn't known.
        """
        if self.function is None:
            raise ValueError(f"the body of the function {self.name!r} isn't known")
        return CreateFunctionOp(self.function)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Give what ``alembic check`` prints."""
        return ("remove_function", self.function or self.name)


@Operations.register_operation("create_aggregate")
class CreateAggregateOp(MigrateOperation):
    """``CREATE AGGREGATE``, or ``CREATE OR REPLACE AGGREGATE``.

    :param aggregate: the aggregate.
    :param replaced: the one of its signature that is replaced, for the downgrade.
    :param replace: whether one of its signature may be there.
    """

    def __init__(
        self, aggregate: AggregateDefinition, *, replaced: AggregateDefinition | None = None, replace: bool = False
    ) -> None:
        self.aggregate = aggregate
        self.replaced = replaced
        self.replace = replace or replaced is not None

    @classmethod
    def create_aggregate(
        cls,
        operations: Operations,
        name: str,
        arguments: ArgumentTypes,
        sfunc: str,
        stype: TypeArgument,
        *,
        finalfunc: str | None = None,
        initcond: Any = None,
        reducefunc: str | None = None,
        schema: str | None = None,
        replace: bool = False,
    ) -> None:
        """Create an aggregate: ``op.create_aggregate("total", [cql.INT()], "add", cql.INT(), initcond="0")``.

        :param name: its name.
        :param arguments: types of the arguments, in order.
        :param sfunc: name of the function that takes the state and the arguments and gives the new state.
        :param stype: type of the state.
        :param finalfunc: name of the function that makes the result of the last state.
        :param initcond: the first state as CQL, or a value of Python's that isn't a text.
        :param reducefunc: ScyllaDB's function that joins two states.
        :param schema: keyspace; that of the connection when None.
        :param replace: whether one of its signature may be there, which is replaced; the types of its state and result
            must be the same.
        :raises InvalidModel: for what no server takes; nothing was sent.
        """
        aggregate = AggregateDefinition(
            name,
            None,
            arguments,
            sfunc,
            stype,
            finalfunc=finalfunc,
            initcond=initcond,
            reducefunc=reducefunc,
            schema=schema,
        )
        operations.invoke(cls(aggregate, replace=replace))

    def reverse(self) -> MigrateOperation:
        """Give the operation that drops it, or that puts back what it replaced.

        :raises ValueError: when what it replaced isn't known.
        """
        if self.replaced is not None:
            return CreateAggregateOp(self.replaced, replaced=self.aggregate)
        if self.replace:
            raise ValueError(f"what the aggregate {self.aggregate.name!r} replaced isn't known")
        item = self.aggregate
        return DropAggregateOp(item.name, item.types, schema=item.schema, aggregate=item)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Give what ``alembic check`` prints."""
        return ("modify_aggregate" if self.replace else "add_aggregate", self.aggregate)


@Operations.register_operation("drop_aggregate")
class DropAggregateOp(MigrateOperation):
    """``DROP AGGREGATE``.

    :param name: its name.
    :param arguments: types of its arguments; None where only one has the name.
    :param schema: its keyspace; that of the connection when None.
    :param aggregate: the aggregate, for the downgrade.
    """

    def __init__(
        self,
        name: str,
        arguments: ArgumentTypes | None = None,
        *,
        schema: str | None = None,
        aggregate: AggregateDefinition | None = None,
    ) -> None:
        self.name = name
        self.types = None if arguments is None else argument_types(arguments, f"aggregate {name!r}")
        self.schema = schema
        self.aggregate = aggregate

    @classmethod
    def drop_aggregate(
        cls,
        operations: Operations,
        name: str,
        arguments: ArgumentTypes | None = None,
        *,
        schema: str | None = None,
    ) -> None:
        """Drop an aggregate: ``op.drop_aggregate("total", [cql.INT()])``.

        :param name: its name.
        :param arguments: types of its arguments; None where only one has the name.
        :param schema: keyspace; that of the connection when None.
        """
        operations.invoke(cls(name, arguments, schema=schema))

    def reverse(self) -> CreateAggregateOp:
        """Give the operation that creates it again.

        :raises ValueError: when its functions aren't known.
        """
        if self.aggregate is None:
            raise ValueError(f"the functions of the aggregate {self.name!r} aren't known")
        return CreateAggregateOp(self.aggregate)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Give what ``alembic check`` prints."""
        return ("remove_aggregate", self.aggregate or self.name)


def _send(operations: Operations, construct: Any) -> None:
    impl: Any = operations.impl
    impl._exec(construct)


@Operations.implementation_for(CreateFunctionOp)
def _create_function(operations: Operations, operation: CreateFunctionOp) -> None:
    _send(operations, CreateDefinition(operation.function, operation.replace))


@Operations.implementation_for(CreateAggregateOp)
def _create_aggregate(operations: Operations, operation: CreateAggregateOp) -> None:
    _send(operations, CreateDefinition(operation.aggregate, operation.replace))


@Operations.implementation_for(DropFunctionOp)
def _drop_function(operations: Operations, operation: DropFunctionOp) -> None:
    _send(operations, DropDefinition("function", operation.name, operation.types, operation.schema))


@Operations.implementation_for(DropAggregateOp)
def _drop_aggregate(operations: Operations, operation: DropAggregateOp) -> None:
    _send(operations, DropDefinition("aggregate", operation.name, operation.types, operation.schema))


@renderers.dispatch_for(CreateFunctionOp)
def _render_create_function(autogen_context: Any, operation: CreateFunctionOp) -> str:
    item = operation.function
    return call(
        autogen_context,
        "create_function",
        [
            repr(item.name),
            render_fields(item.arguments, autogen_context),
            render_types([item.returns], autogen_context)[1:-1],
            repr(item.body),
        ],
        language=None if item.language == "java" else item.language,
        called_on_null_input=item.called_on_null_input or None,
        schema=item.schema,
        replace=operation.replace or None,
    )


@renderers.dispatch_for(CreateAggregateOp)
def _render_create_aggregate(autogen_context: Any, operation: CreateAggregateOp) -> str:
    item = operation.aggregate
    return call(
        autogen_context,
        "create_aggregate",
        [
            repr(item.name),
            render_types(item.types, autogen_context),
            repr(item.sfunc),
            render_types([item.stype], autogen_context)[1:-1],
        ],
        finalfunc=item.finalfunc,
        initcond=item.initial_state(autogen_context.dialect),
        reducefunc=item.reducefunc,
        schema=item.schema,
        replace=operation.replace or None,
    )


@renderers.dispatch_for(DropFunctionOp)
def _render_drop_function(autogen_context: Any, operation: DropFunctionOp) -> str:
    return _render_drop(autogen_context, "drop_function", operation)


@renderers.dispatch_for(DropAggregateOp)
def _render_drop_aggregate(autogen_context: Any, operation: DropAggregateOp) -> str:
    return _render_drop(autogen_context, "drop_aggregate", operation)


def _render_drop(autogen_context: Any, name: str, operation: DropFunctionOp | DropAggregateOp) -> str:
    arguments = [repr(operation.name)]
    if operation.types is not None:
        arguments.append(render_types(operation.types, autogen_context))
    return call(autogen_context, name, arguments, schema=operation.schema)

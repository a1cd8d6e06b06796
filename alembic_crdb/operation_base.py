"""What every operation of this package has in common: statements to send, a way back, and its own text."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import MISSING, Field, fields
from typing import Any, ClassVar, TypeVar

from alembic.autogenerate.render import renderers
from alembic.operations import BatchOperations, MigrateOperation, Operations
from alembic.operations.batch import BatchOperationsImpl
from sqlalchemy.sql import Executable

from alembic_cluster.errors import UnsupportedOperation
from alembic_crdb.catalog import ObjectName

_O = TypeVar("_O", bound="type[CockroachOperation]")


class CockroachOperation(MigrateOperation):
    """An operation that is a dataclass: its fields are the arguments of ``op.<name>``, and what is rendered.

    :cvar name: the operation's name.
    """

    name: ClassVar[str] = ""

    def statements(self, dialect: Any) -> Iterable[Executable]:
        """Give the statements to send, in order.

        :param dialect: the run's dialect object.
        """
        raise NotImplementedError

    def run(self, impl: Any) -> None:
        """Send the statements.

        :param impl: Alembic's implementation for CockroachDB.
        """
        for statement in self.statements(impl.dialect):
            impl.execute(statement)

    def reverse(self) -> CockroachOperation:
        """Give the operation that takes this one back.

        :raises ValueError: what was before isn't known.
        """
        raise NotImplementedError

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Give what ``alembic check`` prints."""
        return (self.name, *(getattr(self, each.name) for each in self._fields()))

    def render(self, prefix: str, *, in_batch: bool = False) -> str:
        """Write the operation as Python.

        :param prefix: what stands before its name, such as ``op.``.
        :param in_batch: whether it stands in a ``with op.batch_alter_table(...)``, which says the table.
        """
        arguments = []
        said = self.said_by_batch() if in_batch else ()
        for each in self._fields():
            if each.name in said:
                continue
            value = getattr(self, each.name)
            if each.default is MISSING and each.default_factory is MISSING:
                arguments.append(repr(value))
            elif value != each.default:
                arguments.append(f"{each.name}={value!r}")
        return f"{prefix}{self.name}({', '.join(arguments)})"

    @classmethod
    def _fields(cls) -> tuple[Field[Any], ...]:
        return fields(cls)  # type: ignore[arg-type]

    @classmethod
    def invoke(cls, operations: Operations, *args: Any, **kw: Any) -> Any:
        """Run the operation; ``op.<name>`` takes the same arguments."""
        return operations.invoke(cls(*args, **kw))

    @classmethod
    def invoke_in_batch(cls, operations: BatchOperations, *args: Any, **kw: Any) -> Any:
        """Run the operation when its batch ends; ``batch_op.<name>`` takes the arguments without table and schema."""
        said = cls.said_by_batch()
        names = [each.name for each in cls._fields() if each.name not in said]
        if len(args) > len(names):
            raise TypeError(f"batch_op.{cls.name}() takes {len(names)} arguments: {', '.join(names)}")
        batch = operations.impl
        table = {name: getattr(batch, name) for name in said}
        return operations.invoke(cls(**table, **dict(zip(names, args, strict=False)), **kw))

    @classmethod
    def said_by_batch(cls) -> tuple[str, ...]:
        """Give the fields that ``op.batch_alter_table`` says already."""
        return ("table_name", "schema") if any(each.name == "table_name" for each in cls._fields()) else ()


def operation(name: str) -> Callable[[_O], _O]:
    """Register a dataclass as ``op.<name>`` and ``batch_op.<name>``, with its implementation and its renderer."""

    def register(cls: _O) -> _O:
        cls.name = name
        Operations.register_operation(name, "invoke")(cls)
        BatchOperations.register_operation(name, "invoke_in_batch")(cls)
        Operations.implementation_for(cls)(_run)
        renderers.dispatch_for(cls)(_render)
        return cls

    return register


def _run(operations: Operations, op: CockroachOperation) -> None:
    impl: Any = operations.impl
    if not isinstance(impl, BatchOperationsImpl):
        op.run(impl)
    elif impl._should_recreate():
        raise UnsupportedOperation(
            f"batch_op.{op.name} can't be part of a batch that makes the table anew (recreate='always'): call "
            f"op.{op.name} behind the batch; nothing was sent"
        )
    else:
        impl.batch.append(("run_operation", (op,), {}))


def _render(autogen_context: Any, op: CockroachOperation) -> str:
    if autogen_context._has_batch:
        return op.render("batch_op.", in_batch=True)
    return op.render(autogen_context.opts["alembic_module_prefix"] or "")


def known(value: Any, what: str) -> Any:
    """Give a value that is needed for the way back.

    :raises ValueError: it is None.
    """
    if value is None:
        raise ValueError(
            f"{what} before the change isn't known: give it to the operation, or write the downgrade by hand"
        )
    return value


def table_name(name: str, schema: str | None) -> ObjectName:
    """Give the catalog's name of an object."""
    return ObjectName(name, schema)

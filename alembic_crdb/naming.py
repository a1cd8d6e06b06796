"""Names for constraints that a model leaves without one."""

from __future__ import annotations

from typing import Any, Final

from alembic.operations import ops
from sqlalchemy.schema import Constraint

from alembic_crdb import catalog

_ENDINGS: Final = {catalog.ForeignKey: "fkey", catalog.Check: "check"}
_LONGEST: Final = 63


class _NamedByUs:
    """An operation with a name of ours, of which ``compare_metadata`` tells what the model says: no name."""

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Give the operation as ``compare_metadata`` does."""
        kind, constraint = super().to_diff_tuple()  # type: ignore[misc]
        constraint.name = None
        return kind, constraint


class _CreateForeignKeyOp(_NamedByUs, ops.CreateForeignKeyOp):
    pass


class _CreateUniqueConstraintOp(_NamedByUs, ops.CreateUniqueConstraintOp):
    pass


class _CreateCheckConstraintOp(_NamedByUs, ops.CreateCheckConstraintOp):
    pass


_OURS: Final[dict[type[ops.AddConstraintOp], Any]] = {
    ops.CreateForeignKeyOp: _CreateForeignKeyOp,
    ops.CreateUniqueConstraintOp: _CreateUniqueConstraintOp,
    ops.CreateCheckConstraintOp: _CreateCheckConstraintOp,
}


def add_constraint(constraint: Constraint, table: str, element: Any) -> Any:
    """Give the operation that adds a constraint, under a name: the downgrade needs one.

    What the model leaves unnamed gets the name that current servers would give.

    :param constraint: of the model.
    :param table: the table's name.
    :param element: the constraint as a catalog object.
    """
    operation: Any = ops.AddConstraintOp.from_constraint(constraint)
    if operation.constraint_name is not None:
        return operation
    if isinstance(element, catalog.Index):
        columns = [str(each.name) for each in element.elements]
    else:
        columns = list(getattr(element, "columns", ()))
    made = _OURS[type(operation)].from_constraint(constraint)
    made.constraint_name = "_".join([table, *columns, _ENDINGS.get(type(element), "key")])[:_LONGEST]
    return made

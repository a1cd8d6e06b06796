"""Operations of a revision that send CQL as it is written, with the way back beside it."""

from __future__ import annotations

from typing import Any

from alembic.autogenerate.render import renderers
from alembic.operations import MigrateOperation, Operations

from alembic_cql.render import call


@Operations.register_operation("execute_cql")
class ExecuteCqlOp(MigrateOperation):
    """One or several CQL statements.

    :param up: their text.
    :param down: the text that takes them back.
    """

    def __init__(self, up: str, down: str | None = None) -> None:
        self.up = up
        self.down = down

    @classmethod
    def execute_cql(cls, operations: Operations, up: str, down: str | None = None) -> None:
        """Send CQL as it is written: ``op.execute_cql("CREATE ROLE r", down="DROP ROLE r")``.

        A text may hold several statements, separated by semicolons.

        :param up: what is sent.
        :param down: what takes it back; a downgrade that Alembic writes out of this operation sends it.
        :raises UnreadableScript: for a text that can't be taken apart; nothing of it was sent.
        """
        operations.invoke(cls(up, down))

    def reverse(self) -> ExecuteCqlOp:
        """Give the operation that takes it back.

        :raises ValueError: when nobody said how.
        """
        if self.down is None:
            raise ValueError("execute_cql: what takes the statements back isn't known, give down=")
        return ExecuteCqlOp(self.down, self.up)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Give what ``alembic check`` prints."""
        return ("execute_cql", self.up)


@Operations.implementation_for(ExecuteCqlOp)
def _execute_cql(operations: Operations, operation: ExecuteCqlOp) -> None:
    impl: Any = operations.impl
    impl.execute_script(operation.up)


@renderers.dispatch_for(ExecuteCqlOp)
def _render_execute_cql(autogen_context: Any, operation: ExecuteCqlOp) -> str:
    return call(autogen_context, "execute_cql", [repr(operation.up)], down=operation.down)

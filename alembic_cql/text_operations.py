"""Operations of a revision that send CQL as it is written, with the way back beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic.autogenerate.render import renderers
from alembic.operations import MigrateOperation, Operations

from alembic_cluster.errors import ConfigurationError
from alembic_cluster.execution import revision_folder
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


@Operations.register_operation("execute_file")
class ExecuteFileOp(MigrateOperation):
    """The statements of a CQL file.

    :param up: the file; see :meth:`execute_file` for where it is looked for.
    :param down: the file whose statements take these back.
    """

    def __init__(self, up: str | Path, down: str | Path | None = None) -> None:
        self.up = up
        self.down = down

    @classmethod
    def execute_file(cls, operations: Operations, up: str | Path, down: str | Path | None = None) -> None:
        """Send the statements of a CQL file: ``op.execute_file("0001_up.cql", down="0001_down.cql")``.

        A path that isn't absolute is looked for beside the revision, then in the working directory.

        :param up: the file whose statements are sent, UTF-8.
        :param down: the file that takes them back; a downgrade that Alembic writes out of this operation sends it.
        :raises ConfigurationError: when the file can't be read; nothing of it was sent.
        :raises UnreadableScript: when it can't be taken apart; nothing of it was sent.
        """
        operations.invoke(cls(up, down))

    def reverse(self) -> ExecuteFileOp:
        """Give the operation that takes it back.

        :raises ValueError: when nobody said how.
        """
        if self.down is None:
            raise ValueError(f"execute_file: what takes {str(self.up)!r} back isn't known, give down=")
        return ExecuteFileOp(self.down, self.up)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Give what ``alembic check`` prints."""
        return ("execute_file", str(self.up))


@Operations.implementation_for(ExecuteCqlOp)
def _execute_cql(operations: Operations, operation: ExecuteCqlOp) -> None:
    _send(operations, operation.up)


@Operations.implementation_for(ExecuteFileOp)
def _execute_file(operations: Operations, operation: ExecuteFileOp) -> None:
    folder = revision_folder()
    beside = None if folder is None else folder / operation.up
    path = beside if beside is not None and beside.exists() else Path(operation.up)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"the CQL file {operation.up} can't be read: {error}; nothing of it was sent"
        ) from error
    _send(operations, text)


def _send(operations: Operations, text: str) -> None:
    impl: Any = operations.impl
    impl._exec(text)


@renderers.dispatch_for(ExecuteCqlOp)
def _render_execute_cql(autogen_context: Any, operation: ExecuteCqlOp) -> str:
    return call(autogen_context, "execute_cql", [repr(operation.up)], down=operation.down)


@renderers.dispatch_for(ExecuteFileOp)
def _render_execute_file(autogen_context: Any, operation: ExecuteFileOp) -> str:
    down = None if operation.down is None else str(operation.down)
    return call(autogen_context, "execute_file", [repr(str(operation.up))], down=down)

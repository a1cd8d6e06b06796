"""Operations of a revision that send what stands in an SQL or CQL file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic.autogenerate.render import renderers
from alembic.operations import MigrateOperation, Operations
from sqlalchemy import text

from alembic_cluster.sqlfiles import statements_of


@Operations.register_operation("execute_file")
class ExecuteFileOp(MigrateOperation):
    """The statements of a file, up to its ``-- @UNDO``.

    :param up: the file; see :meth:`execute_file` for where it is looked for.
    :param down: the file whose statements take these back; None when they stand behind ``-- @UNDO``.
    """

    def __init__(self, up: str | Path, down: str | Path | None = None) -> None:
        self.up = up
        self.down = down

    @classmethod
    def execute_file(cls, operations: Operations, up: str | Path, down: str | Path | None = None) -> None:
        """Send the statements of a file: ``op.execute_file("0001_users.sql")``.

        What stands behind a line ``-- @UNDO`` is the way back, and for ``op.undo_file``. ``${name}`` stands for a
        variable of the environment. A path that isn't absolute is looked for beside the revision, then in the working
        directory. Statements are separated by semicolons, and sent one by one.

        :param up: the file, UTF-8.
        :param down: another file that takes it back; a downgrade that Alembic writes out of this operation sends it.
        :raises ConfigurationError: the file can't be read, or a variable isn't set; nothing of it was sent.
        :raises ClusterError: it can't be taken apart into statements; nothing of it was sent.
        """
        operations.invoke(cls(up, down))

    def reverse(self) -> MigrateOperation:
        """Give the operation that takes it back."""
        return UndoFileOp(self.up) if self.down is None else ExecuteFileOp(self.down, self.up)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Give what ``alembic check`` prints."""
        return ("execute_file", str(self.up))


@Operations.register_operation("undo_file")
class UndoFileOp(MigrateOperation):
    """The statements of a file behind its ``-- @UNDO``.

    :param path: the file; see :meth:`ExecuteFileOp.execute_file` for where it is looked for.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = path

    @classmethod
    def undo_file(cls, operations: Operations, path: str | Path) -> None:
        """Send what stands behind ``-- @UNDO`` in a file: ``op.undo_file("0001_users.sql")``, for a downgrade.

        :param path: the file, looked for as ``op.execute_file`` does.
        :raises InvalidSqlFile: there is no such line in it; nothing was sent.
        :raises ConfigurationError: the file can't be read, or a variable isn't set; nothing of it was sent.
        :raises ClusterError: it can't be taken apart into statements; nothing of it was sent.
        """
        operations.invoke(cls(path))

    def reverse(self) -> ExecuteFileOp:
        """Give the operation that takes it back."""
        return ExecuteFileOp(self.path)

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Give what ``alembic check`` prints."""
        return ("undo_file", str(self.path))


@Operations.implementation_for(ExecuteFileOp)
def _execute_file(operations: Operations, operation: ExecuteFileOp) -> None:
    _send(operations, statements_of(operations, operation.up, "upgrade"))


@Operations.implementation_for(UndoFileOp)
def _undo_file(operations: Operations, operation: UndoFileOp) -> None:
    _send(operations, statements_of(operations, operation.path, "downgrade"))


def _send(operations: Operations, statements: str) -> None:
    impl: Any = operations.impl
    script = getattr(impl, "execute_script", None)
    if not statements:
        return
    if script is not None:
        script(statements)
    else:
        impl.execute(text(statements.replace(":", "\\:")))


@renderers.dispatch_for(ExecuteFileOp)
def _render_execute_file(autogen_context: Any, operation: ExecuteFileOp) -> str:
    down = "" if operation.down is None else f", down={str(operation.down)!r}"
    return f"{_prefix(autogen_context)}execute_file({str(operation.up)!r}{down})"


@renderers.dispatch_for(UndoFileOp)
def _render_undo_file(autogen_context: Any, operation: UndoFileOp) -> str:
    return f"{_prefix(autogen_context)}undo_file({str(operation.path)!r})"


def _prefix(autogen_context: Any) -> str:
    return str(autogen_context.opts["alembic_module_prefix"] or "")

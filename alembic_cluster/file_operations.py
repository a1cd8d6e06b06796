"""``op.execute_file``: one operation for every database, so that it doesn't hang on which package was loaded last."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic.autogenerate.render import renderers
from alembic.operations import MigrateOperation, Operations
from sqlalchemy import text

from alembic_cluster.errors import ConfigurationError
from alembic_cluster.execution import revision_folder


@Operations.register_operation("execute_file")
@dataclass(eq=False)
class ExecuteFileOp(MigrateOperation):
    """Send the statements of a file: ``op.execute_file("0001_up.sql", down="0001_down.sql")``.

    A path that isn't absolute is looked for beside the revision, then in the working directory. The database's own
    implementation sends the text: its method ``execute_script``.

    :param up: the file whose statements are sent, UTF-8.
    :param down: the file that takes them back; a downgrade that Alembic writes out of this operation sends it.
    :raises ConfigurationError: when the file can't be read; nothing of it was sent.
    :raises UnreadableScript: when it can't be taken apart (CQL); nothing of it was sent.
    """

    up: str | Path
    down: str | Path | None = None

    @classmethod
    def execute_file(cls, operations: Operations, up: str | Path, down: str | Path | None = None) -> None:
        """Send the statements of a file: ``op.execute_file("0001_up.sql", down="0001_down.sql")``.

        A path that isn't absolute is looked for beside the revision, then in the working directory.

        :param up: the file whose statements are sent, UTF-8.
        :param down: the file that takes them back; a downgrade that Alembic writes out of this operation sends it.
        :raises ConfigurationError: when the file can't be read; nothing of it was sent.
        :raises UnreadableScript: when it can't be taken apart (CQL); nothing of it was sent.
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

    def read(self) -> str:
        """Read the file.

        :raises ConfigurationError: it can't be read.
        """
        folder = revision_folder()
        beside = None if folder is None else folder / self.up
        path = beside if beside is not None and beside.exists() else Path(self.up)
        try:
            return path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"the file {self.up} can't be read: {error}; nothing of it was sent") from error


@Operations.implementation_for(ExecuteFileOp)
def _execute_file(operations: Operations, operation: ExecuteFileOp) -> None:
    script = operation.read()
    if not script.strip():
        return
    if hasattr(operations.impl, "execute_script"):
        operations.impl.execute_script(script)
    else:  # another database of the same project; an escaped colon is no bind parameter
        operations.execute(text(script.replace(":", r"\:")))


@renderers.dispatch_for(ExecuteFileOp)
def _render_execute_file(autogen_context: Any, operation: ExecuteFileOp) -> str:
    prefix = autogen_context.opts["alembic_module_prefix"] or ""
    down = "" if operation.down is None else f", down={str(operation.down)!r}"
    return f"{prefix}execute_file({str(operation.up)!r}{down})"

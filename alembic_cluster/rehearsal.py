"""A revision is run once without a server's writes before it is run for real.

Neither database takes a revision back when its fifth statement turns out to be impossible. So its function is
called a first time with a recorder in place of the server: every ``op.*`` is compiled, nothing is sent, reads through
``op.get_bind()`` pass. What the dialect can't do is refused then, before the revision's first statement.

Where a rehearsal can't go on (the function writes through ``op.get_bind()`` itself, or reads a table that it would
have made), it ends there and the real run follows. What the function prints is printed by the real run only.
``context.configure(rehearse=False)`` switches it off, for revisions that act on other things than the database.
"""

from __future__ import annotations

import contextlib
import functools
import io
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import event
from sqlalchemy.engine import Connection

from alembic_cluster.errors import ClusterError

if TYPE_CHECKING:
    from alembic.ddl.impl import DefaultImpl

    _Base = DefaultImpl
else:
    _Base = object

_READ = re.compile(r"\s*(SELECT|SHOW|EXPLAIN|DESCRIBE|DESC|LIST|VALUES|WITH)\b", re.IGNORECASE)


class EndOfRehearsal(BaseException):
    """The function does what can't be rehearsed. Not an Exception, so that a revision's own ``except`` lets it by."""


class RehearsedExecution(_Base):
    """Mixin for an Alembic implementation: rehearses every revision before it runs it.

    The class that uses it calls :meth:`record` in its ``_exec`` and sends nothing when that answers True.
    """

    recorded: list[str] | None = None

    def start_migrations(self) -> None:
        """Rehearse each step of this run right before it runs."""
        super().start_migrations()
        context = None if self.as_sql or not self.context_opts.get("rehearse", True) else _migration_context()
        if context is None or context.impl is not self:
            return
        steps: Callable[..., Any] = context._migrations_fn

        def rehearsed(*args: Any) -> Iterator[Any]:
            for step in steps(*args):
                step.migration_fn = self._rehearsed(step.migration_fn)
                yield step

        context._migrations_fn = rehearsed

    def record(self, construct: Any) -> bool:
        """Take a construct down if this is a rehearsal.

        :param construct: text, or anything with ``compile``.
        :return: whether it is one, so that nothing must be sent.
        :raises ClusterError: when the dialect can't say it.
        """
        if self.recorded is None:
            return False
        text = construct if isinstance(construct, str) else str(construct.compile(dialect=self.dialect))
        self.recorded.append(text)
        return True

    def _rehearsed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)  # Alembic's log calls the step by its function's name
        def run(**kw: Any) -> Any:
            self.rehearse(function, **kw)
            return function(**kw)

        return run

    def rehearse(self, function: Callable[..., Any], **kw: Any) -> list[str]:
        """Run a revision's function without sending anything.

        :return: the statements it would send, as far as can be told.
        :raises ClusterError: what the real run would be refused for.
        """
        connection = self.connection
        recorded: list[str] = []
        self.recorded = recorded
        if connection is not None:
            event.listen(connection, "before_execute", _only_reads)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                function(**kw)
        except ClusterError as error:
            if not _is_answer_to_a_read(error):
                raise
        except (EndOfRehearsal, Exception):
            pass  # the real run meets it, or doesn't: what a read gave may be the rehearsal's own doing
        finally:
            self.recorded = None
            if connection is not None:
                event.remove(connection, "before_execute", _only_reads)
        return recorded


def _only_reads(connection: Connection, statement: Any, *_: Any) -> None:
    """Let reads pass and end the rehearsal at a write."""
    if not getattr(statement, "is_select", False) and not _READ.match(str(statement)):
        raise EndOfRehearsal


def _is_answer_to_a_read(error: ClusterError) -> bool:
    """Whether the server said it, to a read of what the revision would have made before."""
    return getattr(error, "orig", None) is not None


def _migration_context() -> Any:
    """Give the running MigrationContext, or None outside an environment."""
    from alembic import op

    try:
        return op.get_context()
    except NameError:
        return None

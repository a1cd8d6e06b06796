"""A revision is run once without a server's writes before it is run for real.

Neither database takes a revision back when its fifth statement turns out to be impossible. So its function is
called a first time with a recorder in place of the server: every ``op.*`` is compiled, reads go to the server, and
nothing is sent that could change anything, whichever way it would go: ``op.*``, ``op.get_bind()``, an ORM session or
another engine. What the dialect can't do is refused then, before the revision's first statement; so is any error of
the function itself that doesn't hang on what the held back statements would have brought about.

Where a rehearsal can't go on (the function reads rows that it would have written, asks for input, waits for something
that only its own statements bring about, reaches for the driver itself, sends 10,000 statements), it ends there and
the real run follows. What the function prints, logs or warns of is to be seen of the real run only.
``context.configure(rehearse=False)`` switches it off, for revisions that act on other things than databases, or that
write from threads of their own.
"""

from __future__ import annotations

import functools
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import Insert, event, exc
from sqlalchemy.engine import Engine

from alembic_cluster.errors import ClusterError, InvalidStatement, first_line
from alembic_cluster.execution import HELD_BACK, Progress, say_what_stays
from alembic_cluster.gate import Kind, kind_of
from alembic_cluster.quiet import quiet
from alembic_cluster.revision_frames import revision_lines

if TYPE_CHECKING:
    from alembic.ddl.impl import DefaultImpl
    from sqlalchemy.sql import Executable

    _Base = DefaultImpl
else:
    _Base = object

_SCHEMA = re.compile(r"\s*(CREATE|ALTER|DROP|COMMENT|GRANT|REVOKE)\b", re.IGNORECASE)
_CATALOG = re.compile(r"\b(system_schema|system|information_schema|pg_catalog|crdb_internal)\W*\.", re.IGNORECASE)
_MOST = 10_000  # statements that are taken down; a revision of more moves data, row by row
_PATIENCE = 25  # times that one statement is sent after something was held back; a loop that waits would never end


class EndOfRehearsal(BaseException):
    """The function does what can't be rehearsed. Not an Exception, so that a revision's own ``except`` lets it by."""


class Rehearsal:
    """One rehearsal of one revision's function.

    :ivar statements: what would have been sent, in order.
    :ivar lines: for each of these, the lines of the revision's file that were running, the outermost first.
    :ivar constructs: of these, what came by ``op.*``: text, or what SQLAlchemy compiles.
    :ivar faithful: whether the function has seen nothing yet that the real run would see otherwise.
    :ivar complete: whether the function came to its end.

    :param watch: is told the text of each statement that is held back on its way past ``op.*``.
    """

    def __init__(self, watch: Callable[[str], object] | None = None) -> None:
        self.statements: list[str] = []
        self.lines: list[tuple[int, ...]] = []
        self._watch = watch
        self.constructs: list[Any] = []
        self.faithful = True
        self.complete = False
        self._aside = False
        self._data_written = False
        self._sent: Counter[int] = Counter()

    def record(self, construct: Any, text: str) -> None:
        """Take down what came by ``op.*``."""
        self.constructs.append(construct)
        self._hold(text)

    def note(self, text: str) -> None:
        """Take down what the implementation does in its own way, such as ``BEGIN``."""
        self.statements.append(text)
        self.lines.append(revision_lines())

    def _hold(self, text: str) -> None:
        if len(self.statements) >= _MOST:
            raise EndOfRehearsal
        self.note(text)
        self._data_written = self._data_written or _SCHEMA.match(text) is None

    def meet(
        self, connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool
    ) -> None:
        """Let a read pass and mark a write as held back (SQLAlchemy's event ``before_cursor_execute``).

        :raises EndOfRehearsal: where the answer would be another one in the real run.
        """
        if self._aside:
            return
        kind = kind_of(statement)
        if kind is Kind.SESSION:  # no part of what the revision brings about
            setattr(context, HELD_BACK, True)
            return
        reads = kind is Kind.READ
        if self.statements or not reads:
            self.faithful = False
            self._sent[hash((statement, repr(parameters)))] += 1
            stale = reads and self._data_written and not _CATALOG.search(statement)
            if stale or max(self._sent.values()) > _PATIENCE:
                cursor.close()  # a driver may warn of one that isn't, and SQLAlchemy does it for an Exception only
                raise EndOfRehearsal
        if not reads:
            setattr(context, HELD_BACK, True)
            self._hold(statement)
            if self._watch is not None:
                self._watch(statement)

    @contextmanager
    def reading_aside(self) -> Iterator[None]:
        """Let pass, and not count, what is read in a ``with`` block: the implementation reads, not the function."""
        self._aside = True
        try:
            yield
        finally:
            self._aside = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Have every statement of this thread, on any engine, come by here."""
        thread = threading.get_ident()

        def meet(*args: Any) -> None:
            if threading.get_ident() == thread:
                self.meet(*args)

        # The end is told before SQLAlchemy's own try block, which would take it for the end of the connection.
        listeners: dict[str, Callable[..., Any]] = {
            "before_cursor_execute": meet,
            "do_execute": lambda cursor, statement, parameters, context: getattr(context, HELD_BACK, None),
            "do_executemany": lambda cursor, statement, parameters, context: getattr(context, HELD_BACK, None),
            "do_execute_no_params": lambda cursor, statement, context: getattr(context, HELD_BACK, None),
        }
        for name, listener in listeners.items():
            event.listen(Engine, name, listener)
        try:
            yield
        finally:
            for name, listener in listeners.items():
                event.remove(Engine, name, listener)


class RevisionWatcher(Protocol):
    """What is told about each revision of a run."""

    def revision_begins(self, step: Any, rehearsal: Rehearsal) -> None:
        """Hear that a revision's function is about to run.

        :param step: Alembic's step.
        :param rehearsal: what the function would send, as far as can be told.
        :raises ClusterError: to refuse the revision; nothing of it is sent then.
        """

    def revision_ends(self, error: BaseException | None) -> None:
        """Hear that it has ended.

        :param error: what it raised.
        """


class RehearsedExecution(_Base):
    """Mixin for an Alembic implementation: rehearses every revision before it runs it. Left of Alembic's class."""

    rehearsal: Rehearsal | None = None  # the one that runs
    foreseen = False  # whether the function that runs was rehearsed to its end
    watchers: Sequence[RevisionWatcher] = ()  # are told when a revision's function begins and has ended
    step: Any = None  # Alembic's step that runs
    last_rehearsal: Rehearsal | None = None
    values_matter = True  # whether a value to insert that can't be written as text is an error

    def start_migrations(self) -> None:
        """Rehearse each step of this run right before it runs; leave out those of another phase."""
        super().start_migrations()
        if (migration := running_context(self)) is not None:
            from alembic_cluster.phases import keep_phase
            from alembic_cluster.settings import Settings

            keep_phase(migration, Settings(migration.config))
        context = running_context(self) if self.context_opts.get("rehearse", True) else None
        if context is None:
            return
        steps: Callable[..., Any] = context._migrations_fn

        def rehearsed(*args: Any) -> Iterator[Any]:
            for step in steps(*args):
                if hasattr(step, "revision"):  # unlike a step of `alembic stamp`
                    step.migration_fn = self._rehearsed(step.migration_fn)
                self.step = step
                yield step

        context._migrations_fn = rehearsed

    def _rehearsed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)  # Alembic's log calls the step by its function's name
        def run(**kw: Any) -> Any:
            rehearsal = self.rehearse(function, **kw)
            self.foreseen = rehearsal.complete
            failure: BaseException | None = None
            try:
                for watcher in self.watchers:
                    watcher.revision_begins(self.step, rehearsal)
                result = function(**kw)
                self.function_ended()
                return result
            except BaseException as error:
                failure = error
                progress: Progress | None = getattr(self, "progress", None)
                if progress is not None and isinstance(error, ClusterError):
                    say_what_stays(error, progress)
                raise
            finally:
                self.foreseen = False
                for watcher in self.watchers:
                    watcher.revision_ends(failure)

        return run

    def rehearse(self, function: Callable[..., Any], **kw: Any) -> Rehearsal:
        """Run a revision's function without sending anything that could change anything.

        :return: what it would send, as far as can be told.
        :raises ClusterError: what the real run would be refused for.
        :raises Exception: any other error that the real run is certain to meet.
        """
        rehearsal = self.rehearsal = self.last_rehearsal = Rehearsal(self.watch_held_back)
        # Where SQLAlchemy notes which types it has created already, for the tables that come after.
        memo, self.memo = self.memo, deepcopy(self.memo)
        try:
            with quiet(on_input=end_rehearsal) as output, rehearsal.listening(), self.driver_kept_away():
                function(**kw)
                self.function_ended()
            rehearsal.complete = True
        except EndOfRehearsal:
            pass
        except Exception as error:
            if rehearsal.faithful or (isinstance(error, ClusterError) and not _is_answer(error)):
                output.release()
                raise
            # Otherwise what a read gave may be the rehearsal's own doing: the real run meets the error, or doesn't.
        finally:
            self.rehearsal = None
            self.memo = memo
        return rehearsal

    def function_ended(self) -> None:
        """Look back at what a revision's function has done, in a rehearsal and in the real run; nothing unless told.

        :raises ClusterError: something is left half done.
        """

    def watch_held_back(self, statement: str) -> None:
        """Look at a statement that a rehearsal has held back on its way past ``op.*``; nothing unless told."""

    def driver_kept_away(self) -> AbstractContextManager[None]:
        """Give what ends the rehearsal when the function reaches for the driver past SQLAlchemy; nothing unless told.

        An implementation may override it and call :func:`end_rehearsal` from there.
        """
        return nullcontext()

    def _exec(
        self,
        construct: Executable | str,
        execution_options: Mapping[str, Any] | None = None,
        multiparams: Sequence[Mapping[str, Any]] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Any:
        """Send one construct, or take it down if this is a rehearsal.

        :raises sqlalchemy.exc.CompileError: when the dialect can't say it.
        :raises InvalidStatement: for a bind parameter without a value.
        """
        if self.rehearsal is None:
            return super()._exec(construct, execution_options, multiparams, params or {})
        rows = [dict(row) for row in multiparams or [params or {}]]
        self.rehearsal.record(construct, self._text(construct, rows))
        return None

    def _text(self, construct: Any, rows: list[dict[str, Any]]) -> str:
        if isinstance(construct, str):
            return construct
        try:
            compiled = construct.compile(dialect=self.dialect, **({"column_keys": list(rows[0])} if rows[0] else {}))
        except exc.CompileError:
            if self.values_matter or not isinstance(construct, Insert):
                raise
            return f"INSERT INTO {self.dialect.identifier_preparer.format_table(construct.table)} VALUES (?)"
        for row in rows:
            try:
                compiled.construct_params(row)
            except exc.InvalidRequestError as error:
                raise InvalidStatement(
                    f"{first_line(error)} ({str(compiled).strip()}): give it a value, or write '\\:' for a colon that "
                    "begins no parameter; nothing of this revision was sent"
                ) from error
        return str(compiled)

    def static_output(self, text: str) -> None:
        """Write to the script, but not in a rehearsal."""
        if self.rehearsal is None:
            super().static_output(text)


def end_rehearsal(*_: Any) -> Any:
    """End the rehearsal that runs.

    :raises EndOfRehearsal: always.
    """
    raise EndOfRehearsal


def _is_answer(error: ClusterError) -> bool:
    """Whether the server said it, to a read of what the revision would have made before."""
    return getattr(error, "orig", None) is not None


def running_context(impl: DefaultImpl) -> Any:
    """Give the MigrationContext that an implementation works for, or None outside an environment."""
    from alembic import op

    try:
        context = op.get_context()
    except NameError:
        return None
    return context if context.impl is impl else None

"""What a migration run has applied so far, and one clear line when the server refuses something.

Both implementations of Alembic use it the same way::

    class CQLImpl(WatchedExecution, DefaultImpl):       # left of Alembic's class
        __dialect__ = "cql"

    def setup(plugin):                                  # the entry point of group ``alembic.plugins``
        watch_errors("cql", "Cassandra")

From then on:

* ``impl.progress`` (:class:`Progress`) knows which statements of the running revision were applied, whichever
  way they went: ``op.*``, ``op.execute`` or ``op.get_bind().execute``. It starts anew when the version table
  moves.
* While Alembic runs an environment (``alembic ...`` or ``alembic.command.*``), a statement that the server
  refuses raises :class:`~alembic_cluster.errors.StatementFailed` and a connection that fails raises
  :class:`~alembic_cluster.errors.ConnectFailed`. Alembic's command line prints either as one line and exits
  with a non-zero status. A StatementFailed is also an instance of the SQLAlchemy class that would have been
  raised, so a revision's own ``except sqlalchemy.exc.ProgrammingError`` goes on working. Outside an
  environment nothing changes.
* An ``op.*`` construct that the dialect can't compile raises
  :class:`~alembic_cluster.errors.UnsupportedConstruct`.

This module is imported in the middle of ``import alembic``, so it imports Alembic's parts where it uses them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, exc
from sqlalchemy.engine import Connection, CursorResult, Engine
from sqlalchemy.sql import Executable

from alembic_cluster.errors import (
    ClusterError,
    ConfigurationError,
    ConnectFailed,
    LeaseLost,
    StatementFailed,
    UnsupportedConstruct,
    first_line,
)
from alembic_cluster.revision_frames import place_in_revision, revision_frame

if TYPE_CHECKING:
    from alembic.ddl.impl import DefaultImpl
    from sqlalchemy import Table
    from sqlalchemy.engine import Dialect, ExceptionContext

    _Base = DefaultImpl
else:
    _Base = object

_OPTION = "alembic_cluster_progress"
# What changes nothing that a later run could trip over.
_NOT_COUNTED = re.compile(r"\s*(select|show|explain|values|describe|desc|list|use|set|begin|commit|rollback)\b", re.I)
HELD_BACK = "_alembic_cluster_held_back"  # attribute of the execution context of a statement that is not to be sent
_COMPLETION_UNKNOWN = "40003"  # SQLSTATE statement_completion_unknown
_LOOK = {
    False: "look for it before anything is run again.",
    True: "run the same command again, which looks for it and goes on from there.",
}
_SHOWN = 300  # characters of a statement in a one-line message; the error's `statement` has all of it

_products: dict[str, str] = {}
_kinds: dict[type[exc.StatementError], type[StatementFailed]] = {}


@dataclass
class Progress:
    """What the running revision has done to the server.

    :ivar applied: its statements that the server has applied for good, in order.
    :ivar pending: its statements inside a transaction that is not committed yet, in order.
    :ivar in_transaction: True while statements run inside a transaction.
    :ivar resumable: whether a journal is kept, so that the next run goes on where this one ended.
    """

    applied: list[str] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    in_transaction: bool = False
    resumable: bool = False

    @classmethod
    def of(cls, connection: Connection) -> Progress:
        """Give the progress of a connection; the first call makes it and begins to listen."""
        found = connection.get_execution_options().get(_OPTION)
        if isinstance(found, Progress):
            return found
        progress = cls()
        connection.execution_options(**{_OPTION: progress})
        event.listen(connection, "after_cursor_execute", progress._executed)
        return progress

    def _executed(
        self,
        connection: Connection,
        cursor: Any,
        statement: str,
        parameters: Any,
        context: Any,
        executemany: bool,
    ) -> None:
        if getattr(context, HELD_BACK, False) or _NOT_COUNTED.match(statement):
            return
        if revision_frame() is not None:
            (self.pending if self.in_transaction else self.applied).append(statement)

    def begin(self) -> None:
        """Say that a transaction has begun: what runs from now on is applied only when it commits."""
        self.in_transaction = True

    def end(self, *, committed: bool) -> None:
        """Say that the transaction has ended.

        :param committed: whether its statements are applied now; they are forgotten otherwise.
        """
        if committed:
            self.applied += self.pending
        self.pending.clear()
        self.in_transaction = False

    def next_revision(self) -> None:
        """Forget the revision that is finished."""
        self.applied.clear()


class WatchedExecution(_Base):
    """Mixin for an Alembic implementation: see the module's text.

    It keeps :attr:`progress` and turns constructs that can't be compiled into our own error.
    """

    progress: Progress
    _version_table: Table | None = None

    def __init__(
        self,
        dialect: Dialect,
        connection: Connection | None,
        as_sql: bool,
        transactional_ddl: bool | None,
        output_buffer: Any,
        context_opts: dict[str, Any],
    ) -> None:
        super().__init__(dialect, connection, as_sql, transactional_ddl, output_buffer, context_opts)
        self.progress = Progress() if as_sql or connection is None else Progress.of(connection)
        self.progress.next_revision()

    def version_table_impl(self, **kw: Any) -> Table:
        """Give the version table, as Alembic's own hook of this name does, and remember it."""
        self._version_table = super().version_table_impl(**kw)
        return self._version_table

    def _exec(
        self,
        construct: Executable | str,
        execution_options: Mapping[str, Any] | None = None,
        multiparams: Sequence[Mapping[str, Any]] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> CursorResult[Any] | None:
        """Send one construct, as Alembic's own method of this name does.

        :raises UnsupportedConstruct: the dialect can't compile it; nothing was sent.
        :raises StatementFailed: the server refused it.
        """
        try:
            result = super()._exec(construct, execution_options, multiparams, params or {})
        except exc.CompileError as error:
            if isinstance(error, UnsupportedConstruct):
                raise
            raise UnsupportedConstruct(
                f"{place_in_revision()}{type(construct).__name__} can't be written for {product(self.dialect.name)}: "
                f"{first_line(error).rstrip('.')}. {_next_step(self.progress, bool(place_in_revision()))}"
            ) from error
        if self._version_table is not None and getattr(construct, "table", None) is self._version_table:
            self.progress.next_revision()
        return result


def product(dialect_name: str) -> str:
    """Give a database's name for messages, such as ``CockroachDB`` for the dialect ``cockroachdb``."""
    return _products.get(dialect_name, dialect_name)


def watch_errors(dialect_name: str, product_name: str) -> None:
    """Answer a refused statement or connection of one dialect with one clear line while Alembic runs.

    Calling it again for the same dialect does nothing more.

    :param dialect_name: SQLAlchemy's ``dialect.name``, such as ``cockroachdb``.
    :param product_name: what messages call the database, such as ``CockroachDB``.
    """
    _products[dialect_name] = product_name
    if not event.contains(Engine, "handle_error", _on_error):
        event.listen(Engine, "handle_error", _on_error)


def environment_runs() -> bool:
    """Tell whether Alembic is running an environment (``env.py``) in this process right now."""
    from alembic import context

    return hasattr(context, "config")  # Alembic's module has it just as long


def _on_error(failure: ExceptionContext) -> BaseException | None:
    if failure.dialect.name not in _products or not environment_runs():
        return None
    error, database = failure.sqlalchemy_exception, product(failure.dialect.name)
    if error is None:
        # The driver itself stumbles over a statement of Alembic's or SQLAlchemy's: an option has a wrong type.
        cause = failure.original_exception
        if not isinstance(cause, (TypeError, ValueError)) or revision_frame() is not None:
            return None
        options = sorted(failure.engine.url.query) if failure.engine is not None else []
        return ConfigurationError(
            f"{failure.dialect.driver}, the driver for {database}, can't run {failure.statement!r}: {cause}. "
            f"Nothing was changed; check the options of the URL ({', '.join(options) or 'it has none'})."
        )
    if isinstance(error, StatementFailed):
        return None
    if failure.connection is None:
        return connect_failure(failure, error)
    return statement_failure(failure.connection, error, failure.statement, database)


def connect_failure(failure: ExceptionContext, error: exc.StatementError) -> BaseException:
    """Make the error for a connection that could not be made.

    :param failure: what SQLAlchemy's event ``handle_error`` hands over.
    :param error: SQLAlchemy's exception around the driver's.
    :return: :class:`ConfigurationError` when the driver does not know an option of the URL,
        :class:`ConnectFailed` otherwise.
    """
    target = product(failure.dialect.name)
    if failure.engine is not None:
        target += f" at {failure.engine.url.render_as_string(hide_password=True)}"
    answer = server_message(error)
    if isinstance(error, exc.ProgrammingError) and _sqlstate(error.orig) is None:
        return ConfigurationError(f"The URL of {target} can't be used: {answer} Nothing was sent; mend the URL.")
    return ConnectFailed(
        f"No connection to {target}: {answer} Nothing was sent. "
        "Check that the server runs and that host, port, user, password and database of the URL are right.",
        error.orig or error,
    )


def statement_failure(
    connection: Connection, error: exc.StatementError, statement: str | None, database: str
) -> StatementFailed:
    """Make the error for a statement that the server refused.

    :param connection: the connection that it was sent on.
    :param error: SQLAlchemy's exception around the driver's.
    :param statement: the statement's text; None when a transaction's end was refused.
    :param database: what the message calls the server.
    :return: a :class:`StatementFailed` that is an instance of the class of ``error`` as well.
    """
    progress = connection.get_execution_options().get(_OPTION) or Progress()
    place = place_in_revision()
    which = "the commit" if statement is None else "statement"
    if place and statement is not None:
        which += f" {len(progress.applied) + len(progress.pending) + 1}"
    shown = "" if statement is None else f" Statement: {shorten(statement)}"
    no_answer = (
        error.connection_invalidated
        or _sqlstate(error.orig) == _COMPLETION_UNKNOWN
        or getattr(error.orig, "outcome_unknown", False)  # the word of alembic_cql's driver
    )
    # A transaction that was not asked to commit is gone with its connection.
    if statement is not None and getattr(error.orig, "applied", False):  # by alembic_cql's driver likewise
        if place:
            progress.applied.append(statement)
        message = f"{place}{database} applied {which}: {server_message(error)}{shown} {_behind(progress)}".rstrip()
    elif no_answer and (not progress.in_transaction or statement in (None, "COMMIT")):
        message = (
            f"{place}{database} did not answer {which}: {server_message(error)}{shown} Whether it was applied is not "
            f"known: {_LOOK[progress.resumable]} {_what_stays(progress)}"
        ).rstrip()
    else:
        message = (
            f"{place}{database} refused {which}: {server_message(error)}{shown} {_next_step(progress, bool(place))}"
        )
    kind = _failed_and(type(error))
    failed = kind.__new__(kind)
    failed.__dict__.update(error.__dict__)
    failed.args = (message,)
    failed.statement = statement or ""
    return failed


def _failed_and(kind: type[exc.StatementError]) -> type[StatementFailed]:
    """Give the class that is a StatementFailed and one of SQLAlchemy's errors."""
    if kind not in _kinds:
        _kinds[kind] = type("StatementFailed", (StatementFailed, kind), {"__module__": StatementFailed.__module__})
    return _kinds[kind]


def server_message(error: exc.StatementError) -> str:
    """Give the server's own words in one line: message, hint and SQLSTATE, ended by a full stop."""
    orig: Any = error.orig if error.orig is not None else error
    text = first_line(orig).rstrip(".")
    if state := _sqlstate(orig):
        text += f" (SQLSTATE {state})"
    hint = getattr(getattr(orig, "diag", None), "message_hint", None)
    if hint:
        text += f"; hint: {' '.join(hint.split())}".rstrip(".")
    return text + "."


def _sqlstate(orig: Any) -> str | None:
    """Give the SQLSTATE of a driver's exception: psycopg's and asyncpg's name for it, or psycopg2's."""
    state: str | None = getattr(orig, "sqlstate", None) or getattr(orig, "pgcode", None)
    return state


def shorten(statement: str) -> str:
    """Give a statement in one line of at most 300 characters, ended by a semicolon."""
    line = " ".join(statement.split()).rstrip("; ")
    return f"{line[:_SHOWN]} ...;" if len(line) > _SHOWN else f"{line};"


def _next_step(progress: Progress, in_revision: bool) -> str:
    """Say what stays applied of the running revision and what to do next."""
    text = "The open transaction is rolled back with everything in it. " if progress.in_transaction else ""
    if not progress.applied:
        nothing = "Nothing of the revision is applied: mend" if in_revision else "Mend"
        return f"{text}{nothing} the cause and run the same command again."
    if progress.resumable:
        return (
            f"{text}{_what_stays(progress)} Mend the cause, in the revision too if need be, and run the same command "
            "again: it goes on behind what is applied."
        )
    if not in_revision:
        return (
            f"{text}All {len(progress.applied)} statements of the revision are applied (the last: "
            f"{shorten(progress.applied[-1])}) but the version table was not moved: mend the cause and record the "
            "revision with 'alembic stamp'."
        )
    return (
        f"{text}{_what_stays(progress)} Undo what is applied or make it repeatable (IF NOT EXISTS), then run the same "
        "command again."
    )


def say_what_stays(error: ClusterError, progress: Progress) -> None:
    """Mend the message of a refusal that meets a revision half-way: it says that nothing was sent.

    :param error: raised by the revision's function; its message is changed in place.
    :param progress: what the revision did before.
    """
    stays = _what_stays(progress)
    text = str(error.args[0]) if error.args else ""
    # Who has lost the lease can't say what stays: another run may have gone on by now.
    if not stays or stays in text or isinstance(error, (StatementFailed, LeaseLost)):
        return
    for ending in ("; nothing of this revision was sent", "; nothing was sent"):
        text = text.removesuffix(ending)
    error.args = (f"{text.rstrip('.')}. That was not sent. {_next_step(progress, True)}", *error.args[1:])


def what_stays(connection: Connection) -> str:
    """Say what stays applied of the revision that runs on a connection; empty when nothing does."""
    progress = connection.get_execution_options().get(_OPTION)
    return _what_stays(progress) if isinstance(progress, Progress) else ""


def _behind(progress: Progress) -> str:
    """Say how to go on behind a statement that is applied."""
    if not progress.applied:
        return ""
    if progress.resumable:
        return "The version table was not moved: the same command goes on behind this statement."
    count = len(progress.applied)
    which = "This statement stays" if count == 1 else f"The {count} statements up to this one stay"
    return f"{which} applied and the version table was not moved: undo what is applied or make it repeatable."


def _what_stays(progress: Progress) -> str:
    """Say what stays applied of a revision that has not come to its end; empty when nothing does."""
    count = len(progress.applied)
    if count == 0:
        return ""
    which = "The one statement before it stays" if count == 1 else f"The {count} statements before it stay"
    return f"{which} applied (the last: {shorten(progress.applied[-1])}) and the version table was not moved."

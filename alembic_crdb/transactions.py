"""Transactions of a run whose connection is in autocommit.

CockroachDB recommends one schema change for one implicit transaction: a change inside an explicit transaction
is not atomic with the rest and may fail at the commit (documentation, page "Online Schema Changes"). So the
run's connection is in autocommit, and explicit transactions are for data:

* ``with op.get_context().begin_transaction():`` in a revision is a real transaction. A schema change inside
  commits it first, runs by itself, and the statements after it begin a new one; servers do just that since
  v25.1 (session variable ``autocommit_before_ddl``).
* ``with op.get_context().autocommit_block():`` commits an open transaction and runs its statements one by one.
* ``with op.get_bind().begin_nested():`` outside a transaction is a transaction, too: the server knows
  savepoints only inside one.
* ``op.execute("BEGIN")`` begins one, until ``COMMIT`` or the end of the revision; ``op.execute("COMMIT")`` by itself,
  by which revisions written for PostgreSQL leave Alembic's transaction, has nothing to end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

from alembic.runtime.migration import MigrationContext
from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from alembic_cluster.execution import Progress
from alembic_cluster.gate import OWN
from alembic_crdb.lexer import LEADING_COMMENTS

_SCHEMA_CHANGE = re.compile(
    LEADING_COMMENTS + r"(?:alter|comment|create|drop|grant|reassign|refresh|revoke|truncate)\b", re.I | re.S
)
_DATA_CHANGE = re.compile(LEADING_COMMENTS + r"\(?\s*(?:delete|insert|merge|update|upsert|with)\b", re.I | re.S)
SAVEPOINT = re.compile(r"(?:(?P<end>RELEASE|ROLLBACK TO) )?SAVEPOINT (?P<name>\S+)")
_MODE = r"(?:ISOLATION\s+LEVEL\s+(?:SERIALIZABLE|REPEATABLE\s+READ|READ\s+(?:UN)?COMMITTED)|READ\s+(?:WRITE|ONLY)|,)"
_BY_TEXT = re.compile(
    LEADING_COMMENTS + r"(?:(?P<begin>(?:BEGIN(?:\s+(?:WORK|TRANSACTION))?|START\s+TRANSACTION)(?:\s*" + _MODE + r")*)|"
    r"(?:(?P<commit>COMMIT|END)|ROLLBACK|ABORT)(?:\s+(?:WORK|TRANSACTION))?)\s*;?\s*\Z",
    re.I | re.S,
)
_OWN = frozenset({"BEGIN", "COMMIT", "ROLLBACK"})
_WISH = "alembic_crdb_isolation_level"
_IN_PLACE_OF_A_SAVEPOINT = "SELECT 1"
_IDLE = 0  # libpq's PQTRANS_IDLE, in both drivers
_OPTION = "alembic_crdb_transactions"


def is_schema_change(statement: str) -> bool:
    """Tell whether a statement's text is a schema change, which CockroachDB runs by itself."""
    return _SCHEMA_CHANGE.match(statement) is not None


def is_data_change(statement: str) -> bool:
    """Tell whether a statement that changes something changes rows, which a transaction can hold."""
    return _DATA_CHANGE.match(statement) is not None


def enter_autocommit(connection: Connection) -> bool:
    """Put the connection of a run into autocommit, until it goes back to its pool.

    A transaction that the caller began, but that has sent nothing yet, stays open for SQLAlchemy and is
    none for the server: ``with engine.begin() as connection`` in ``env.py`` is as good as ``connect()``.

    :return: False when the caller's transaction is under way, and so must be left to the caller.
    """
    level = _chosen_level(connection) or connection.get_execution_options().get(_WISH)
    connection.execution_options(**{_WISH: level})
    dialect, pooled = connection.dialect, connection.connection
    dbapi_connection: Any = pooled.dbapi_connection
    if dialect.detect_autocommit_setting(dbapi_connection):
        return True
    if not connection.in_transaction():
        if level is None:
            connection.execution_options(isolation_level="AUTOCOMMIT")
        else:
            set_autocommit(connection, level)
        return True
    # asyncpg's connection has no status to ask for, and setting it would roll back what is under way.
    if dialect.is_async or dbapi_connection.info.transaction_status != _IDLE:
        return False
    set_autocommit(connection, level)
    return True


def set_autocommit(connection: Connection, level: str | None) -> None:
    """Put the driver's connection into autocommit, without SQLAlchemy's own way back.

    That one insists on the server's word for a level, and a server may raise the level that it was given.

    :param level: the isolation level that it has before and afterwards; None for the driver's.
    """
    dialect: Any = connection.dialect
    pooled: Any = connection.connection
    dialect.set_isolation_level(pooled.dbapi_connection, "AUTOCOMMIT")
    pooled._connection_record.finalize_callback.append(
        dialect.reset_isolation_level if level is None else lambda each: dialect.set_isolation_level(each, level)
    )


def wished_level(connection: Connection) -> str | None:
    """Give the isolation level that was chosen for a connection that is in autocommit by now; None when none was."""
    level: str | None = connection.get_execution_options().get(_WISH)
    return level


def begin_word(connection: Connection) -> str:
    """Give the statement that begins a transaction, at the isolation level that the caller chose for the engine.

    A connection in autocommit has lost that choice: ``create_engine(..., isolation_level="READ COMMITTED")``.
    """
    level = wished_level(connection)
    return f"BEGIN ISOLATION LEVEL {level}" if level else "BEGIN"


def _chosen_level(connection: Connection) -> str | None:
    """Give the isolation level that was chosen for a connection, or for its engine; None when none was."""
    dialect: Any = connection.dialect
    for options in (connection.get_execution_options(), connection.engine.get_execution_options()):
        if "isolation_level" in options:
            level = options["isolation_level"]
            break
    else:
        level = getattr(dialect, "_on_connect_isolation_level", None)
    return str(level).replace("_", " ").upper() if level and str(level).upper() != "AUTOCOMMIT" else None


class Transactions:
    """The explicit transactions of one run.

    :param send: sends the text of a statement.
    :param progress: what is told about each transaction's end.
    """

    def __init__(self, send: Callable[[str], object], progress: Progress) -> None:
        self._send = send
        self._progress = progress
        self._wanted = False  # the next statement belongs into a transaction
        self._open = False
        self._outermost: str | None = None  # the savepoint that stands for a whole transaction
        self._savepoints: set[str] = set()
        self._in_revision = False
        self._asleep = False
        self._by_text = False  # the revision has begun it by a text
        self._sending = False
        self.begin_word = "BEGIN"
        #: Whether the open transaction is known to have been rolled back with its connection.
        self.is_gone = False

    @contextmanager
    def asleep(self) -> Iterator[None]:
        """Begin and end nothing in a ``with`` block: nothing of it is sent."""
        before, self._asleep = self._asleep, True
        try:
            yield
        finally:
            self._asleep = before

    @property
    def is_open(self) -> bool:
        """Whether the server is in a transaction that was begun here."""
        return self._open

    @classmethod
    def of(cls, connection: Connection, progress: Progress) -> Transactions:
        """Give the transactions of a connection in autocommit; the first call begins to listen to it."""
        found = connection.get_execution_options().get(_OPTION)
        if isinstance(found, Transactions):
            return found
        made = cls(connection.exec_driver_sql, progress)
        made.begin_word = begin_word(connection)
        connection.execution_options(**{_OPTION: made})
        event.listen(connection, "before_cursor_execute", made._before_cursor, retval=True)
        return made

    def _before_cursor(
        self, connection: Connection, cursor: Any, statement: str, parameters: Any, context: Any, many: bool
    ) -> tuple[str, Any]:
        if context is not None and context.execution_options.get(OWN):
            return statement, parameters
        return self.before(statement), parameters

    def before(self, statement: str) -> str:
        """Begin or commit as the statement needs it.

        :return: the statement to send in its place.
        """
        if self._asleep or statement in _OWN or statement == self.begin_word:
            return statement
        if savepoint := SAVEPOINT.fullmatch(statement):
            return self._at_savepoint(statement, savepoint["end"], savepoint["name"])
        if self._wanted and is_schema_change(statement):
            self._end("COMMIT")
        elif self._wanted:
            self._begin()
        return statement

    def _at_savepoint(self, statement: str, end: str | None, name: str) -> str:
        if end is None:
            if self._wanted:
                self._begin()
                self._savepoints.add(name)
                return statement
            self._wanted, self._outermost = True, name
        elif name == self._outermost:
            self._wanted, self._outermost = False, None
            self._end("COMMIT" if end == "RELEASE" else "ROLLBACK")
        elif name in self._savepoints:
            return statement
        return _IN_PLACE_OF_A_SAVEPOINT

    def take(self, statement: str) -> bool:
        """Do what a revision's own BEGIN, COMMIT or ROLLBACK asks for.

        :return: whether that is done, so that the statement is not to be sent.
        """
        found = _BY_TEXT.match(statement)
        if found is None or self._sending:
            return False
        if self._asleep:
            return True
        if found["begin"]:
            self._by_text = self._by_text or not self._wanted
            self._wanted = True
        elif self._wanted:
            self._end_text("COMMIT" if found["commit"] else "ROLLBACK")
        else:
            return bool(found["commit"])
        return True

    @contextmanager
    def until_the_end(self) -> Iterator[None]:
        """Commit, behind a ``with`` block, what was begun in it by a text and not ended; roll it back for an error."""
        try:
            yield
        except BaseException:
            if self._by_text:
                with suppress(SQLAlchemyError):  # the first error is the one to see
                    self._end_text("ROLLBACK")
            raise
        if self._by_text:
            self._end_text("COMMIT")

    def _end_text(self, word: str) -> None:
        if self._by_text:
            self._by_text = self._wanted = False
        self._end(word)

    def _tell(self, word: str) -> None:
        self._sending = True
        try:
            self._send(word)
        finally:
            self._sending = False

    def _begin(self) -> None:
        if not self._open:
            self._tell(self.begin_word)
            self._open = True
            self._progress.begin()

    def _end(self, word: str) -> None:
        if not self._open:
            return
        committed = False
        try:
            self._tell(word)  # still open for the gates, which find out what came of it
            committed = word == "COMMIT"
        finally:
            self._open = False
            self._savepoints.clear()
            self._progress.end(committed=committed)

    @contextmanager
    def block(self) -> Iterator[None]:
        """Run what is inside in one transaction; inside another one it does nothing more."""
        if self._asleep or self._wanted:
            yield
            return
        self._wanted = True
        try:
            yield
        except BaseException:
            self._wanted = False
            with suppress(SQLAlchemyError):  # the first error is the one to see
                self._end("ROLLBACK")
            raise
        self._wanted = False
        self._end("COMMIT")

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Commit the open transaction and run what is inside in none."""
        if self._asleep:
            yield
            return
        self._end("COMMIT")
        before, self._wanted, self._by_text = (self._wanted, self._by_text), False, False
        try:
            with self.until_the_end():
                yield
        finally:
            self._wanted, self._by_text = before

    def govern(self, context: MigrationContext) -> None:
        """Make a context's ``begin_transaction`` and ``autocommit_block`` those of this module.

        Alembic's own end their block by putting the connection back into a transaction. And Alembic has no
        hook for them, so the two public methods are replaced on this one object.
        """
        alembics = context.begin_transaction

        def begin_transaction(_per_migration: bool = False) -> AbstractContextManager[Any]:
            if _per_migration:
                return self._revision(alembics(_per_migration=True))
            return self.block() if self._in_revision else alembics()

        context.begin_transaction = begin_transaction  # type: ignore[method-assign]
        context.autocommit_block = self.pause  # type: ignore[method-assign]

    @contextmanager
    def _revision(self, alembics: AbstractContextManager[Any]) -> Iterator[None]:
        with alembics:
            self._in_revision = True
            try:
                yield
            finally:
                self._in_revision = False

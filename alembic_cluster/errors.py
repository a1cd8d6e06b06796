"""Every error that a user of the three packages can meet.

::

    alembic.util.CommandError             alembic prints it as one line and exits with a non-zero status
    └── ClusterError
        ├── ConfigurationError            a URL, an option or an environment that cannot work
        ├── ConnectFailed                 no server answered, or it refused us (also an OperationalError)
        ├── UnsupportedOperation          the server has no way to do this; nothing was sent
        │   └── UnsupportedConstruct      the same, met while compiling (also a CompileError)
        ├── ImpossibleChange              the model differs in a way that no ALTER can bring about
        ├── VersionedKeyspace             sync_tables on a keyspace whose schema revisions keep
        ├── InvalidModel                  a model that the database cannot hold (also a CompileError)
        ├── InvalidValue                  a value that its column cannot hold, met while writing it as text
        ├── InvalidStatement              a statement that lacks the value of a bind parameter; nothing was sent
        ├── UnreadableScript              a text of several statements that can't be taken apart; nothing was sent
        ├── AdoptionRefused               another tool's project that can't be taken over as it is; nothing was written
        ├── InvalidSqlFile                a migration file without a way back, with two, or named like no version
        ├── UnreadableDDL                 a server's DDL text that the parser does not know; nothing was sent
        ├── CopyFailed                    rows can't be copied from one table to another; copying again is harmless
        ├── HeadsMoved                    another process moved the version heads meanwhile
        ├── OutcomeUnknown                the server gave no answer, and whether a write was applied can't be told yet
        ├── InvalidEvolution              a chain of row versions with a gap, a duplicate or a step that can't run
        ├── UnknownRowVersion             a row of a version that this program can't read; nothing was written
        ├── RowUpgradeFailed              a step of a row's upgrade raised an error; nothing was written
        ├── InvalidBackfill               a backfill that can't be, or another one than its checkpoint is of
        ├── BackfillFailed                a backfill ended before its end; what is done is noted, and it can go on
        │   ├── BackfillRowFailed         at a row that its function failed on, or that the server refused
        │   └── BackfillStopped           because it was told to
        ├── PhaseRefused                  the revisions of one phase stand on some of the other that have not run
        ├── DestructiveRefused            a revision loses data, and nobody has allowed it; nothing of it was sent
        ├── BuildStalled                  an index or a view of Cassandra is not filled, and nothing fills it
        ├── LockNotAcquired               another process holds the migration lock (exit status 75)
        ├── KeepingFailed                 lock, ledger or journal could not be read or written
        ├── LeaseLost                     this run's lease has run out or was taken; nothing more was sent
        ├── EditedRevision                an applied revision is not what it was when it was applied
        ├── ChangedRevision               a half-applied revision is not what it was when it began
        ├── UnfinishedRevision            another revision is half-applied and has to be finished first
        └── StatementFailed               the server refused a statement (also SQLAlchemy's error for it)

    UserWarning
    └── SchemaDriftWarning                something that sync_tables leaves as it is in the database

What is called "also" in the tree is of the module sqlalchemy.exc.
Each message says what happened, what was and was not applied, and what to do next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from alembic.util import CommandError
from sqlalchemy import exc


class ClusterError(CommandError):
    """Base of all errors of alembic-cluster.

    It is an ``alembic.util.CommandError``, so that ``alembic`` itself answers with one line and a non-zero
    exit status instead of a traceback.
    """


class ConfigurationError(ClusterError, exc.ArgumentError):
    """A URL, an option or an environment that cannot work; nothing was sent to a server."""


class ConnectFailed(ClusterError, exc.OperationalError, exc.DontWrapMixin):
    """No connection could be made; nothing was sent.

    :param message: one line: what was tried and what came back.
    :param orig: the driver's own exception.
    """

    def __init__(self, message: str, orig: BaseException) -> None:
        exc.OperationalError.__init__(self, None, None, orig)
        self.args = (message,)

    def __str__(self) -> str:
        return str(self.args[0])


class UnsupportedOperation(ClusterError):
    """The database has no statement for this; refused before anything was sent."""


class UnsupportedConstruct(UnsupportedOperation, exc.CompileError):
    """An SQL construct that the database's language lacks; refused while compiling, nothing was sent."""


class ImpossibleChange(ClusterError):
    """The model and the database differ in a way that no ALTER statement can bring about."""


class VersionedKeyspace(ClusterError):
    """A keyspace has Alembic's version table, so its schema is changed by revisions; nothing was sent."""


class SchemaDriftWarning(UserWarning):
    """Something is only in the database, or otherwise there than in the models, and stays as it is."""


class InvalidModel(ClusterError, exc.CompileError):
    """A model that the database cannot hold, such as a table without a primary key; nothing was sent."""


class InvalidValue(ClusterError, exc.CompileError):
    """A value that its column's type cannot hold, met while writing it as text; nothing was sent."""


class InvalidEvolution(ClusterError):
    """A chain of row versions that can't be: a gap, a duplicate, a step that leaps; told where it is declared."""


class UnknownRowVersion(ClusterError):
    """A row of a version that this program can't read: newer than it, older than its first step, or no version."""


class RowUpgradeFailed(ClusterError):
    """A step of a row's upgrade raised an error; the row is as it was and nothing was written.

    :param row: the row as it was read.
    """

    def __init__(self, message: str, row: Any = None) -> None:
        super().__init__(message)
        self.row = row


class InvalidBackfill(ClusterError):
    """A backfill that can't be: an option, a column, or another change than its checkpoint is of."""


class BackfillFailed(ClusterError):
    """A backfill ended before its end. What is done is noted: started again, it goes on from there."""


class BackfillRowFailed(BackfillFailed):
    """A backfill ended at a row that its function failed on, or whose new values the server refused.

    :param key: the row's key columns.
    """

    def __init__(self, message: str, key: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.key = dict(key or {})


class BackfillStopped(BackfillFailed):
    """A backfill was told to stop, by Ctrl-C or by another range of it that failed."""


class UnreadableDDL(ClusterError):
    """DDL text that the parser does not understand; nothing of it was taken over, nothing was sent.

    :param reason: what was wrong there, such as ``expected a name``.
    :param statement: the statement's text.
    :param position: where in ``statement`` it stopped, counted from 0.
    :param line: the line of the whole text, counted from 1; ``None`` when ``statement`` is the whole text.
    """

    def __init__(self, reason: str, statement: str, position: int, line: int | None = None) -> None:
        self.reason = reason
        self.statement = statement
        self.position = position
        begin = statement.rfind("\n", 0, position) + 1
        self.line = statement.count("\n", 0, position) + 1 if line is None else line
        self.column = position - begin + 1
        shown = statement[max(begin, position - 60) : position + 60].partition("\n")[0].strip()
        head = " ".join(statement[:200].split())[:80]
        super().__init__(
            f"Cannot read the statement {head!r}: {reason}, at line {self.line}, column {self.column}, "
            f"near {shown!r}. Nothing of it was taken over and nothing was sent. Please report it with the "
            "statement and the server's version."
        )


class InvalidStatement(ClusterError):
    """A statement of a revision that can't be sent as it is written: a bind parameter of it has no value."""


class UnreadableScript(ClusterError):
    """A text of several statements that can't be taken apart, such as one with a string that doesn't end."""


class AdoptionRefused(ClusterError):
    """Another tool's project that can't be taken over as it is; no file was written and nothing was stamped."""


class InvalidSqlFile(ClusterError):
    """A migration file of SQL or CQL that can't be used as it is; nothing of it was sent."""


class CopyFailed(ClusterError):
    """Rows can't be copied from one table to another as told; copying again does no harm."""


class HeadsMoved(ClusterError):
    """The rows of the version table are not what this run read; another process migrated meanwhile."""


class OutcomeUnknown(ClusterError):
    """The server did not say whether a conditional write was applied, nor answered the question afterwards."""


class PhaseRefused(ClusterError):
    """The revisions of a phase can't run, for they stand on others of the other phase; nothing was sent."""


class DestructiveRefused(ClusterError):
    """A revision has statements that lose data, and nobody has allowed it; they were not sent.

    :param message: lists the statements and says how to allow them.
    :param statements: each with what it loses, as :class:`alembic_cluster.statements.Statement`.
    """

    def __init__(self, message: str, statements: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.statements = list(statements)


class BuildStalled(ClusterError):
    """An index or a materialized view is there, and a node neither has filled it nor is filling it."""


class LockNotAcquired(ClusterError):
    """Another process holds the migration lock, and the time to wait is over; nothing was sent.

    The command line ends with :data:`EXIT_STATUS` then: try again later.
    """

    EXIT_STATUS = 75  # EX_TEMPFAIL of sysexits.h


class KeepingFailed(ClusterError):
    """The server refused, or did not answer, what this package keeps for itself: lock, ledger or journal."""


class LeaseLost(ClusterError):
    """This run's lease has run out, or another run has taken over; nothing was sent since."""


class EditedRevision(ClusterError):
    """An applied revision's file has another content than when it was applied; nothing was sent."""


class ChangedRevision(ClusterError):
    """A half-applied revision would not send what it would have sent when it began; nothing more was sent."""


class UnfinishedRevision(ClusterError):
    """A revision is half-applied, and the command would do something else than to finish it; nothing was sent."""


class StatementFailed(ClusterError):
    """The server refused a statement of a migration.

    What a run raises is a subclass that is also SQLAlchemy's own error for the case, ``ProgrammingError`` for
    one, with its attributes, so that a revision may catch either.

    :param message: what happened, what was applied before it, what to do next.
    :param statement: the statement's text as it was sent; empty when the end of a transaction was refused.
    :param orig: the driver's exception.
    """

    def __init__(self, message: str, statement: str, orig: BaseException | None) -> None:
        super().__init__(message)
        self.statement = statement
        self.orig = orig

    def __str__(self) -> str:
        return str(self.args[0])


def first_line(error: Any) -> str:
    """Give the first non-empty line of an exception's text, for one-line messages."""
    lines = [line.strip() for line in str(error).splitlines()]
    return next((line for line in lines if line), type(error).__name__)

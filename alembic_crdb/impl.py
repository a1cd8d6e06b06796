"""Alembic's implementation for CockroachDB.

Importing this module registers it with Alembic, in place of sqlalchemy-cockroachdb's.
"""

from __future__ import annotations

import collections.abc
import functools
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from alembic import context
from sqlalchemy import (
    Column,
    Constraint,
    Executable,
    Index,
    MetaData,
    Sequence,
    Table,
    TableClause,
    TextClause,
    UniqueConstraint,
    text,
)
from sqlalchemy.engine import Connection, CursorResult, Dialect
from sqlalchemy.schema import CreateSequence, DropIndex
from sqlalchemy.types import TypeEngine

from alembic_cluster.execution import WatchedExecution, environment_runs
from alembic_cluster.rehearsal import Rehearsal, RehearsedExecution, end_rehearsal
from alembic_cluster.statements import Known, Statement
from alembic_cluster.syncing import SyncResult
from alembic_crdb import ddl
from alembic_crdb import operations as operations
from alembic_crdb import operations_objects as operations_objects
from alembic_crdb import operations_regions as operations_regions
from alembic_crdb import operations_schemas as operations_schemas
from alembic_crdb.alterations import SetType
from alembic_crdb.catalog import ObjectName
from alembic_crdb.column_changes import ColumnChange, comment_of
from alembic_crdb.compiler import DropUniqueIndex
from alembic_crdb.creation import index_comments
from alembic_crdb.dialect import adapt
from alembic_crdb.driver_guard import guarded
from alembic_crdb.driver_text import plain_text
from alembic_crdb.effects import read_statements
from alembic_crdb.effects_catalog import column_type
from alembic_crdb.health import health, table_sizes
from alembic_crdb.impl_comparing import ComparingImpl
from alembic_crdb.index_texts import leave_out_of_storing
from alembic_crdb.model_reader import Reader, plain_name
from alembic_crdb.operation_base import CockroachOperation
from alembic_crdb.primary_keys import PrimaryKeys
from alembic_crdb.running import GovernedExecution
from alembic_crdb.statements import split_statements
from alembic_crdb.taking import Taking
from alembic_crdb.to_metadata import bind_free
from alembic_crdb.transactions import Transactions, enter_autocommit
from alembic_crdb.uniques import is_droppable_unique
from alembic_crdb.versions import ALTERS_ANY_TYPE, DROPS_UNIQUE_CONSTRAINT, remember_version, version_of

log = logging.getLogger("alembic.cockroachdb")  # below the logger that alembic.ini sets up


class CockroachDBImpl(GovernedExecution, WatchedExecution, RehearsedExecution, ComparingImpl):
    """How Alembic migrates and compares a CockroachDB database.

    Alembic keeps the implementation that is defined last.
    """

    __dialect__ = "cockroachdb"
    transactional_ddl = False

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
        adapt(dialect)
        self._transactions: Transactions | None = None
        self._keys = PrimaryKeys(self)
        self._taking = Taking(self, self._keys)
        if as_sql:
            self._transactions = Transactions(self._write, self.progress)
        elif environment_runs():
            self._leave_transaction()

    def _leave_transaction(self) -> None:
        if self.connection is not None and self._transactions is None and enter_autocommit(self.connection):
            self._transactions = Transactions.of(self.connection, self.progress)
            if environment_runs():
                self.govern_statements(self._transactions)

    def _write(self, word: str) -> None:
        super().static_output(word + self.command_terminator)

    def start_migrations(self) -> None:
        """Prepare the run; Alembic calls this first in every run."""
        self._leave_transaction()
        if self._transactions is None:
            # A read that a rehearsal makes too early would end the caller's transaction.
            self.context_opts = {**self.context_opts, "rehearse": False}
        super().start_migrations()
        if self._transactions is None:
            log.warning(
                "The connection given to Alembic is inside a transaction of the caller: the schema changes of "
                "this run become part of it, and CockroachDB does not undo all of them if it fails. "
                "Call connection.commit() before context.configure(connection=connection)."
            )
        elif environment_runs() and context.get_context().impl is self:
            self._transactions.govern(context.get_context())

    # ------------------------------------------------------------------------------------- rehearsal

    def rehearse(self, function: Callable[..., Any], **kw: Any) -> Rehearsal:
        """Run a revision's function without sending anything that could change anything.

        :raises UnsupportedOperation: it drops a primary key and adds none, among others.
        """
        self._keys.begin()
        asleep = nullcontext() if self._transactions is None else self._transactions.asleep()
        try:
            with asleep:
                return super().rehearse(function, **kw)
        finally:
            self._keys.begin(paired_before=True)

    def _rehearsed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        run = super()._rehearsed(function)

        @functools.wraps(function)
        def watched(**kw: Any) -> Any:
            begun = nullcontext() if self._transactions is None else self._transactions.until_the_end()
            past_alembic = nullcontext() if self._online is None else self._taking.past_alembic(self._online)
            with past_alembic, self._taking.texts.until_the_end(), begun:
                return run(**kw)

        return watched

    def function_ended(self) -> None:
        """Refuse a primary key that is dropped only."""
        self._keys.refuse_held()

    def watch_held_back(self, statement: str) -> None:
        """Take down what a statement past ``op.*`` does to primary keys; refuse what the server doesn't have."""
        self._taking.take_written(statement)

    def driver_kept_away(self) -> AbstractContextManager[None]:
        """End a rehearsal that reaches for the driver's connection."""
        return nullcontext() if self._online is None else guarded(self._online, end_rehearsal)

    @contextmanager
    def asking(self) -> Iterator[Connection | None]:
        """Give the connection for a question of our own, which no rehearsal counts; None offline."""
        if self._online is None or self.rehearsal is None:
            yield self._online
            return
        with self.rehearsal.reading_aside():
            yield self._online

    @property
    def _version(self) -> tuple[int, int]:
        with self.asking() as connection:
            if connection is not None:
                remember_version(connection)
        return version_of(self.dialect)

    # ---------------------------------------------------------------------------------------- sending

    def _exec(
        self,
        construct: Executable | str,
        execution_options: Mapping[str, Any] | None = None,
        multiparams: collections.abc.Sequence[Mapping[str, Any]] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> CursorResult[Any] | None:
        """Send one construct; a text of several statements is sent one by one.

        :raises UnsupportedConstruct: the dialect can't compile it; nothing was sent.
        :raises StatementFailed: the server refused it.
        """
        result = None
        if self._version_table is not None and getattr(construct, "table", None) is self._version_table:
            self._keys.refuse_held()  # where no rehearsal has
        for part in self._apart(construct):
            if self._taking.take(part):
                continue
            result = super()._exec(part, execution_options, multiparams, params)
        return result

    def execute_script(self, script: str) -> None:
        """Send a text as it is: a colon in it is no bind parameter."""
        self._exec(text(bind_free(script)))

    def sync(self, context: Any, metadata: MetaData, **options: Any) -> SyncResult:
        """Do what :func:`alembic_cluster.syncing.sync` says."""
        from alembic_crdb.sync import sync_database

        return sync_database(context, metadata, **options)

    def _apart(self, construct: Executable | str) -> list[Executable | str]:
        if not isinstance(construct, str | TextClause):
            return [construct]
        clause = text(construct) if isinstance(construct, str) else construct
        parts = split_statements(clause.text)
        if len(parts) < 2 or clause.compile(dialect=self.dialect).params:
            return [construct]
        return [text(part) for part in parts]

    def static_output(self, written: str) -> None:
        """Write a statement of a ``--sql`` run, with the transaction that it belongs to, and no ``%`` doubled."""
        written = plain_text(self.dialect, written)
        if self._transactions is not None:
            written = self._transactions.before(written)
        super().static_output(written)

    def run_operation(self, operation: CockroachOperation) -> None:
        """Run an operation that a batch has kept, in its turn."""
        operation.run(self)

    def bulk_insert(self, table: TableClause | Table, rows: list[dict[str, Any]], multiinsert: bool = True) -> None:
        """Insert rows: all of them or, when one is refused, none."""
        whole = self._transactions.block() if self._transactions is not None and len(rows) > 1 else nullcontext()
        with whole:
            super().bulk_insert(table, rows, multiinsert=multiinsert)

    # ------------------------------------------------------------------------------------------- op.*

    def alter_column(
        self,
        table_name: str,
        column_name: str,
        *,
        nullable: bool | None = None,
        server_default: Any = False,
        name: str | None = None,
        type_: TypeEngine[Any] | None = None,
        schema: str | None = None,
        existing_server_default: Any = False,
        comment: Any = False,
        **kw: Any,
    ) -> None:
        """Alter a column by as few statements as the server allows.

        :raises UnsupportedOperation: the server has no way to do it.
        """
        using = kw.pop("cockroachdb_using", None) or kw.pop("postgresql_using", None)
        change = ColumnChange(
            table_name, column_name, nullable, server_default, type_, using, name, existing_server_default
        )
        table = ObjectName(plain_name(table_name), None if schema is None else plain_name(schema))
        for actions in [*change.statements(Reader(self.dialect))]:
            if any(isinstance(action, SetType) for action in actions) and not ALTERS_ANY_TYPE.on(self._version):
                if not environment_runs():
                    self._exec("SET enable_experimental_alter_column_type_general = true")
                # A new column takes the place of the old one, whose comment would be in the way of SHOW CREATE then.
                kept = kw.get("existing_comment") or self._comment_of(table, plain_name(column_name))
                if kept is not None:
                    super().alter_column(table_name, column_name, schema=schema, comment=None)
                    comment = kept if comment is False else comment
            self._exec(ddl.AlterTable(table, *actions))
        # What is left is Alembic's own: the comment, and a warning of options that are MySQL's.
        super().alter_column(
            table_name,
            name or column_name,
            schema=schema,
            comment=comment,
            autoincrement=kw.get("autoincrement"),
            existing_autoincrement=kw.get("existing_autoincrement"),
            existing_comment=kw.get("existing_comment"),
            existing_type=kw.get("existing_type"),
            existing_nullable=kw.get("existing_nullable"),
        )

    def _comment_of(self, table: ObjectName, column: str) -> str | None:
        with self.asking() as connection:
            return None if connection is None else comment_of(connection, table, column)

    def create_table(self, table: Table, **kw: Any) -> None:
        """Create a table, and before it the sequences that its columns take their values from."""
        self._create_sequences(table.columns)
        super().create_table(table, **kw)

    def add_column(self, table_name: str, column: Column[Any], **kw: Any) -> None:
        """Add a column, and before it the sequence that it takes its values from."""
        self._create_sequences([column])
        super().add_column(table_name, column, **kw)

    def _create_sequences(self, columns: Iterable[Column[Any]]) -> None:
        for column in columns:
            if isinstance(column.default, Sequence) and not column.default.optional:
                self._exec(CreateSequence(column.default, if_not_exists=True))

    def create_index(self, index: Index, **kw: Any) -> None:
        """Create an index, with its comment; what it has of the primary key anyway is left out of what it stores."""
        assert index.table is not None  # Alembic makes one
        leave_out_of_storing(index, self._keys.columns_of(Reader(self.dialect).object_name(index.table)))
        super().create_index(index, **kw)
        for statement in index_comments(index, self.dialect):
            self._exec(statement)

    def drop_index(self, index: Index, **kw: Any) -> None:
        """Drop an index, also a unique one.

        :raises UnsupportedOperation: a foreign key needs it.
        """
        unique = bool(index.unique)
        if self._online is not None and index.table is not None:
            unique = self._is_droppable_unique(index.table, index.name)
        self._exec(DropUniqueIndex(index, **kw) if unique else DropIndex(index, **kw))

    def drop_constraint(self, const: Constraint, **kw: Any) -> None:
        """Drop a constraint, also a unique one, which servers before v26.2 take only as an index.

        :raises UnsupportedOperation: a foreign key needs the unique constraint.
        """
        unique = isinstance(const, UniqueConstraint)
        # Alembic makes a plain Constraint where the revision does not say the type.
        if self._online is not None and (unique or type(const) is Constraint):
            unique = not DROPS_UNIQUE_CONSTRAINT.on(self._version) and self._is_droppable_unique(
                const.table, const.name
            )
        if unique:
            self._exec(DropUniqueIndex(Index(str(const.name), _table=const.table), **kw))
        else:
            super().drop_constraint(const, **kw)

    def known(self) -> Known:
        """Give what is known of the database before the first statement: its catalog, where there is a connection."""
        online = self._online
        return Known() if online is None else Known(lambda table, column: column_type(online, table, column))

    def table_sizes(self, tables: Iterable[str]) -> dict[str, int]:
        """Give the server's estimates of the rows of tables."""
        return {} if self._online is None else table_sizes(self._online, tables)

    def health(self) -> Iterable[tuple[str, str, str, str]]:
        """Look at what ``alembic-cluster doctor`` shows of the server."""
        return [] if self._online is None else health(self._online)

    def statements(self, text: str, known: Known | None = None) -> list[Statement]:
        """Tell what the statements of a text do; see :class:`alembic_cluster.statements.Reads`."""
        return read_statements(text, known, version_of(self.dialect))

    def _is_droppable_unique(self, table: Table, name: Any) -> bool:
        with self.asking() as connection:
            assert connection is not None
            dropped = () if self.rehearsal is None else self.rehearsal.constructs
            return is_droppable_unique(connection, table.schema, table.name, str(name), dropped)

    @property
    def _online(self) -> Connection | None:
        return None if self.as_sql else self.connection

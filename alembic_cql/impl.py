"""Alembic's implementation for CQL: what ``op.*`` sends, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal

from alembic.ddl._autogen import ComparisonResult
from alembic.ddl.base import AddColumn, ColumnName, ColumnType, DropColumn
from alembic.ddl.impl import DefaultImpl
from sqlalchemy import Column, Index, MetaData, Table
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import ExecutableDDLElement
from sqlalchemy.sql import Executable
from sqlalchemy.types import TypeEngine, to_instance

from alembic_cluster.errors import InvalidStatement
from alembic_cluster.execution import WatchedExecution
from alembic_cluster.rehearsal import RehearsedExecution, end_rehearsal, running_context
from alembic_cluster.statements import Known, Statement
from alembic_cluster.syncing import SyncResult
from alembic_cql.ddl import AlterTableOptions
from alembic_cql.effects import read_statements
from alembic_cql.foresight import Foresight, Refusal
from alembic_cql.heads import HeadMove, check_layout, count_moves, heads_table
from alembic_cql.health import health, table_sizes
from alembic_cql.indexes import index_identity
from alembic_cql.render import render_type
from alembic_cql.running import GovernedExecution
from alembic_cql.splitting import split_cql
from alembic_cql.typenames import canonical_name

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from alembic_cluster.backfill_job import Job as BackfillJob
    from alembic_cql.backfill import CqlBackfill


class _TextExecution(DefaultImpl):
    """Sends text as it stands: for ``text()``, the :1 of {'replication_factor':1} would be a bind parameter."""

    def _exec(
        self,
        construct: Executable | str,
        execution_options: Mapping[str, Any] | None = None,
        multiparams: Sequence[Mapping[str, Any]] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Any:
        if self.as_sql:
            self.static_output(self._script_text(construct) + self.command_terminator)
            return None
        if not isinstance(construct, str):
            return super()._exec(construct, execution_options, multiparams, params or {})
        assert self.connection is not None
        return self.connection.exec_driver_sql(construct, execution_options=dict(execution_options or {}))

    def _script_text(self, construct: Any) -> str:
        """Write a statement for a script. Alembic would make four spaces of each tab, in texts of the user's too."""
        if isinstance(construct, str):
            return construct
        options = {} if isinstance(construct, ExecutableDDLElement) else {"literal_binds": True}
        return str(construct.compile(dialect=self.dialect, compile_kwargs=options)).strip()

    def execute_script(self, script: str) -> None:
        """Send the statements of a text as they stand."""
        self._exec(script)


class CqlImpl(GovernedExecution, WatchedExecution, RehearsedExecution, _TextExecution):
    """Alembic's DDL for Cassandra and ScyllaDB."""

    __dialect__ = "cql"
    transactional_ddl = False
    _pending_moves: HeadMove | None = None  # the first moves of a step that makes several
    _moves_of_step = 1
    _heads: frozenset[str] | set[str] = frozenset()
    _foresight: Foresight | None = None

    def version_table_impl(self, **kw: Any) -> Table:
        """Make the version table of :mod:`alembic_cql.heads`."""
        version_table, version_table_schema = kw["version_table"], kw["version_table_schema"]
        keyspace = version_table_schema or getattr(self.dialect, "default_schema_name", None)
        self._version_table = heads_table(version_table, version_table_schema, None if self.as_sql else keyspace)
        return self._version_table

    def start_migrations(self) -> None:
        """Check the version table that is there, and have the heads of each step move as one.

        :raises ConfigurationError: when it is not one of ours.
        """
        super().start_migrations()
        assert self._version_table is not None
        if not self.as_sql and self.connection is not None:
            check_layout(self.connection, self._version_table)
        context = running_context(self)
        if context is None:
            return
        steps = context._migrations_fn

        def counted(heads: Any, *args: Any) -> Iterator[Any]:
            self._heads = set(heads)
            for step in steps(heads, *args):
                self._moves_of_step = count_moves(step, self._heads)
                yield step

        context._migrations_fn = counted

    def _exec(
        self,
        construct: Executable | str,
        execution_options: Mapping[str, Any] | None = None,
        multiparams: Sequence[Mapping[str, Any]] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Any:
        """Send one construct, or a text of several statements one after the other.

        :raises UnreadableScript: for a text that can't be taken apart; nothing of it was sent.
        """
        if isinstance(construct, str):
            result = None
            for statement in split_cql(construct):
                result = super()._exec(statement, execution_options)
            return result
        if self._version_table is not None and getattr(construct, "table", None) is self._version_table:
            self._move_heads(HeadMove.read(construct, self.dialect))  # type: ignore[arg-type]
            return None
        self._look_ahead(construct)
        return super()._exec(construct, execution_options, multiparams, params)

    def sync(self, context: Any, metadata: MetaData, **options: Any) -> SyncResult:
        """Do what :func:`alembic_cluster.syncing.sync` says."""
        from alembic_cql.sync import sync_tables

        assert self.connection is not None
        return sync_tables(self.connection, metadata, **options)

    def _look_ahead(self, construct: Any) -> None:
        """Refuse what the server is sure to refuse, unless a whole rehearsal has found nothing of the kind."""
        if self.as_sql or self.connection is None or self.foreseen:
            return
        if self.rehearsal is None:
            Foresight(self.connection).check(construct)
            return
        if self._foresight is None or self._foresight.recorded is not self.rehearsal.constructs:
            self._foresight = Foresight(self.connection, self.rehearsal.constructs)
        with self.rehearsal.reading_aside():
            self._foresight.check(construct)

    #: GROUP BY is for columns of the primary key.
    groups_by_any_column = False

    @staticmethod
    def update_if(
        connection: Connection,
        table: Table,
        key: Mapping[str, Any],
        values: Mapping[str, Any],
        condition: Mapping[str, Any],
    ) -> bool:
        """Change a row on a condition, see :mod:`alembic_cql.conditional`."""
        from alembic_cql.conditional import update_if

        return update_if(connection, table, key, values, condition)

    @staticmethod
    def backfill_source(job: BackfillJob) -> CqlBackfill:
        """Give what does backfills, see :mod:`alembic_cluster.backfill_source`."""
        from alembic_cql.backfill import CqlBackfill

        return CqlBackfill(job)

    def _move_heads(self, move: HeadMove) -> None:
        """Move heads by one statement for all that a merge or its undoing moves: what dies between two loses a head."""
        if self._stores is not None:
            move = replace(move, fence=self._stores.fence)
        self._moves_of_step -= 1
        move = move if self._pending_moves is None else self._pending_moves + move
        self._pending_moves = move if self._moves_of_step > 0 else None
        if self._pending_moves is not None:
            return
        if self.as_sql:
            self.static_output(move.cql + self.command_terminator)
        else:
            assert self.connection is not None
            move.apply(self.connection)
        self._heads = (self._heads - {*move.removed}) | {*move.added}
        self.progress.next_revision()

    def driver_kept_away(self) -> AbstractContextManager[None]:
        """End a rehearsal that reaches for the driver's session."""
        if self.as_sql or self.connection is None:
            return nullcontext()
        connection: Any = self.connection.connection.dbapi_connection
        return connection.guarded(end_rehearsal)  # type: ignore[no-any-return]

    def known(self) -> Known:
        """Give what is known of the keyspace before the first statement: nothing that the texts don't say."""
        return Known()

    def table_sizes(self, tables: Iterable[str]) -> dict[str, int]:
        """Give one node's estimates of the partitions of tables."""
        return {} if self.as_sql or self.connection is None else table_sizes(self.connection, tables)

    def health(self) -> Iterable[tuple[str, str, str, str]]:
        """Look at what ``alembic-cluster doctor`` shows of the cluster."""
        return [] if self.as_sql or self.connection is None else health(self.connection)

    def statements(self, text: str, known: Known | None = None) -> list[Statement]:
        """Tell what the statements of a text do; see :class:`alembic_cluster.statements.Reads`."""
        return read_statements(text, known)

    # ------------------------------------------------------------------------------------------------ op.*

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
        comment: Any = False,
        existing_type: TypeEngine[Any] | None = None,
        existing_nullable: bool | None = None,
        **kw: Any,
    ) -> None:
        """Rename a primary key column, or change a type where ScyllaDB can.

        :raises UnsupportedOperation: for all else that ``alter_column`` stands for.
        """
        where = f"column {column_name!r} of table {table_name!r}"
        if nullable is not None and nullable != existing_nullable:
            raise Refusal(
                f"CQL has no NOT NULL, so nullable of {where} cannot be changed",
                "drop nullable= from the operation; check for None in the program",
            )
        if server_default is not False and server_default is not None:
            raise Refusal(
                f"CQL has no column defaults, so {where} cannot get one",
                "use default= in the model, which the program fills in",
            )
        if comment not in (False, None):
            raise Refusal(f"CQL has no comments on columns ({where})", "write it into the table's comment")
        if type_ is not None:
            self._change_type(table_name, column_name, type_, existing_type, schema)
        if name is not None and name != column_name:
            self._exec(ColumnName(table_name, column_name, name, schema=schema))

    def _change_type(
        self,
        table_name: str,
        column_name: str,
        type_: TypeEngine[Any],
        existing_type: TypeEngine[Any] | None,
        schema: str | None,
    ) -> None:
        new = canonical_name(to_instance(type_), self.dialect)
        if existing_type is not None and canonical_name(to_instance(existing_type), self.dialect) == new:
            return
        if not self.dialect.features.alter_column_type:  # type: ignore[attr-defined]
            raise Refusal(
                f"Cassandra cannot change the type of column {column_name!r} of table {table_name!r} to {new}",
                "add a column of another name, copy the values in batches, and drop the old one in a later revision",
            )
        self._exec(ColumnType(table_name, column_name, type_, schema=schema))

    def bulk_insert(self, table: Any, rows: Any, multiinsert: bool = True) -> None:
        """Insert rows; each has the columns that it names.

        :raises InvalidStatement: for a row with a column that the table hasn't; nothing was sent.
        """
        known = {column.key for column in getattr(table, "columns", ())}
        for number, row in enumerate(rows, 1):
            unknown = [name for name in row if known and name not in known] if isinstance(row, Mapping) else []
            if unknown:
                raise InvalidStatement(
                    f"bulk_insert: row {number} has the column {unknown[0]!r}, and table {table.name!r} has "
                    f"{', '.join(sorted(known))}; nothing of this revision was sent"
                )
        if self.as_sql or not isinstance(rows, list):
            super().bulk_insert(table, rows, multiinsert)
            return
        for _, alike in groupby(rows, key=frozenset):  # one statement for rows of the same columns
            super().bulk_insert(table, list(alike), multiinsert)

    def add_constraint(self, const: Any, **kw: Any) -> None:
        """Refuse it: CQL has none. The check that a type brings along (``Enum``) is left out, as in a new table.

        :raises UnsupportedOperation: for all others.
        """
        if getattr(const, "_type_bound", False):
            return
        kind, instead = _CONSTRAINTS.get(type(const).__name__, ("constraints", "check in the program"))
        raise Refusal(f"CQL has no {kind} (table {const.table.name!r}, {const.name or 'unnamed'})", instead)

    def drop_constraint(self, const: Any, **kw: Any) -> None:
        """Refuse it: CQL has none.

        :raises UnsupportedOperation: always.
        """
        raise Refusal(
            f"CQL has no constraints, so {const.name!r} of table {const.table.name!r} cannot be dropped",
            "drop the operation from the revision",
        )

    def rename_table(self, old_table_name: str, new_table_name: Any, schema: str | None = None) -> None:
        """Refuse it: CQL can't.

        :raises UnsupportedOperation: always.
        """
        raise Refusal(
            f"CQL cannot rename table {old_table_name!r}",
            f"create {str(new_table_name)!r}, copy the rows, and drop {old_table_name!r} in a later revision",
        )

    def create_column_comment(self, column: Any) -> None:
        """Leave it out: a comment on a column of a new table documents the model, CQL stores none."""

    def prep_table_for_batch(self, batch_impl: Any, table: Table) -> None:
        """Refuse a batch that copies the table.

        :raises UnsupportedOperation: always.
        """
        raise Refusal(
            f"batch_alter_table(recreate='always') cannot copy table {table.name!r} in CQL", "leave recreate out"
        )

    def alter_table_options(self, table_name: str, options: Mapping[str, Any], schema: str | None = None) -> None:
        """Send ``ALTER TABLE .. WITH``."""
        self._exec(AlterTableOptions(table_name, options, schema))

    # ------------------------------------------------------------------------------------- autogenerate

    def compare_type(self, inspector_column: Any, metadata_column: Any) -> bool:
        """Say equal: alembic_cql.compare compares types, for no ALTER could change one."""
        return False

    def adjust_reflected_dialect_options(self, reflected_object: Any, kind: str) -> dict[str, Any]:
        """Keep an index's ``cql_*`` options."""
        options: dict[str, Any] = reflected_object.get("dialect_options", {})
        return options

    def compare_indexes(self, metadata_index: Index, reflected_index: Index) -> ComparisonResult:
        """Compare column, class, target and options."""
        wanted, found = index_identity(metadata_index), index_identity(reflected_index)
        if wanted == found:
            return ComparisonResult.Equal()
        return ComparisonResult.Different(f"{found} to {wanted}")

    def render_type(self, type_obj: TypeEngine[Any], autogen_context: Any) -> str | Literal[False]:
        """Write a CQL type as Python, with its import."""
        return render_type(type_obj, autogen_context) or False


_CONSTRAINTS = {
    "ForeignKeyConstraint": (
        "foreign keys",
        "drop create_foreign_key from the revision and ForeignKey from the model; check in the program",
    ),
    "UniqueConstraint": (
        "unique constraints",
        "make the columns the primary key of a table of their own and insert IF NOT EXISTS",
    ),
    "CheckConstraint": ("check constraints", "check in the program"),
    "PrimaryKeyConstraint": (
        "way to change a primary key",
        "create a new table with the wanted key, copy the rows, and drop the old table in a later revision",
    ),
}


def _table(compiler: Any, element: Any) -> str:
    name = compiler.preparer.quote(str(element.table_name))
    return f"{compiler.preparer.quote_schema(element.schema)}.{name}" if element.schema else str(name)


@compiles(AddColumn, "cql")
def _add_column(element: AddColumn, compiler: Any, **kw: Any) -> str:
    column: Column[Any] = element.column
    compiler.check_added_column(str(element.table_name), column)
    condition = _if(compiler, "NOT EXISTS", bool(element.if_not_exists))
    return f"ALTER TABLE {_table(compiler, element)} ADD {condition}{compiler.get_column_specification(column)}"


@compiles(DropColumn, "cql")
def _drop_column(element: DropColumn, compiler: Any, **kw: Any) -> str:
    condition = _if(compiler, "EXISTS", bool(element.if_exists))
    return f"ALTER TABLE {_table(compiler, element)} DROP {condition}{compiler.preparer.quote(element.column.name)}"


def _if(compiler: Any, what: str, wanted: bool) -> str:
    if not wanted:
        return ""
    if not compiler.dialect.features.alter_if_exists:
        raise Refusal(f"this server's ALTER TABLE has no IF {what}", "leave it out")
    return f"IF {what} "


@compiles(ColumnName, "cql")
def _rename_column(element: ColumnName, compiler: Any, **kw: Any) -> str:
    old, new = compiler.preparer.quote(element.column_name), compiler.preparer.quote(element.newname)
    return f"ALTER TABLE {_table(compiler, element)} RENAME {old} TO {new}"


@compiles(ColumnType, "cql")
def _alter_type(element: ColumnType, compiler: Any, **kw: Any) -> str:
    kind = compiler.dialect.type_compiler_instance.process(element.type_)
    return f"ALTER TABLE {_table(compiler, element)} ALTER {compiler.preparer.quote(element.column_name)} TYPE {kind}"

"""``op.backfill``: a backfill as one statement of a revision, under the run's lock, lease and journal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from alembic.operations import MigrateOperation, Operations
from sqlalchemy import text
from sqlalchemy.engine import Connection

from alembic_cluster.errors import UnsupportedOperation
from alembic_cluster.gate import Gates, Statement


@Operations.register_operation("backfill")
class BackfillOp(MigrateOperation):
    """A backfill of one table; its arguments are those of ``op.backfill``."""

    def __init__(self, table: str, options: Mapping[str, Any]) -> None:
        self.table = table
        self.options = dict(options)

    @classmethod
    def backfill(
        cls,
        operations: Operations,
        table: str,
        *,
        update: str | Mapping[str, Any] | None = None,
        function: Callable[[dict[str, Any]], Any] | None = None,
        batch_function: Callable[[list[dict[str, Any]]], Any] | None = None,
        columns: Sequence[str] | None = None,
        where: str | None = None,
        values: Mapping[str, Any] | None = None,
        schema: str | None = None,
        name: str | None = None,
        batch_rows: int = 1000,
        range_rows: int = 20000,
        concurrency: int = 4,
        rows_per_second: float | None = None,
        tries: int = 5,
        on_error: str = "stop",
        as_of: str | None = None,
        only_if: Sequence[str] = (),
        executor: Any = None,
    ) -> None:
        """Change all rows of a table, in ranges: ``op.backfill("users", update="full_name = first || ' ' || last")``.

        It holds nothing up: rows are changed a page at a time, by several workers, on connections of their own. A run
        that is killed goes on with it where it was; once the migration lock is lost, nothing more is sent. See
        ``alembic_cluster.backfill.Backfill`` for each argument.

        :param table: the table's name.
        :param update: what comes after ``SET``; or a mapping by column of values and SQL expressions.
        :param function: gets a row as a ``dict``, returns new values, or None for the row as it changed it.
        :param batch_function: the same for a list of rows; returns one such value for each.
        :param columns: what the function gets to see beside the primary key.
        :param where: a condition in the database's own words.
        :param values: by name, what ``:name`` in ``update`` and ``where`` stands for.
        :param schema: schema or keyspace of the table.
        :param name: what the checkpoint calls it; made of the revision, the table and what is done when None.
        :param batch_rows: rows that are read, changed and retried together.
        :param range_rows: rows that a range has, about.
        :param concurrency: ranges that are under way at a time.
        :param rows_per_second: at most that many rows are read, over all workers.
        :param tries: how often a batch is tried.
        :param on_error: ``"stop"`` ends at a row that fails; ``"skip"`` notes it in a side table and goes on.
        :param as_of: CockroachDB: read as of then, such as ``"-10s"``.
        :param only_if: CQL: columns that must still have the values that were read when a row is changed.
        :param executor: any ``concurrent.futures.Executor``, or a function that makes one; threads when None.
        :raises InvalidBackfill: it can't be; nothing of it was sent.
        :raises BackfillFailed: it ended before its end; run the same command again, and it goes on.
        :raises UnsupportedOperation: in ``--sql``, and inside of a transaction of the revision.
        """
        options = {key: value for key, value in locals().items() if key not in ("cls", "operations", "table")}
        operations.invoke(cls(table, options))

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Give what ``alembic check`` prints."""
        return ("backfill", self.options.get("schema"), self.table)


@Operations.implementation_for(BackfillOp)
def _backfill(operations: Operations, operation: BackfillOp) -> None:
    from alembic_cluster.backfill import Backfill

    impl: Any = operations.impl
    if impl.as_sql or impl.connection is None:
        raise UnsupportedOperation(
            f"no script can backfill the table {operation.table!r}: run this revision on the database "
            "(alembic upgrade), and write the scripts for those before and after it; nothing was sent"
        )
    connection: Connection = impl.connection
    gates = Gates.of(connection)
    options = dict(operation.options)
    named = options.pop("name")
    made = Backfill(connection, operation.table, name=named, **options)
    words = made.job.describe()
    rehearsal = getattr(impl, "rehearsal", None)
    if rehearsal is not None:
        rehearsal.record(text(words.replace(":", "\\:")), words)
        return
    if getattr(getattr(impl, "_transactions", None), "is_open", False):
        raise UnsupportedOperation(
            f"the backfill of {operation.table!r} is inside of a transaction of the revision, and runs on connections "
            "of its own: put it behind the block; the transaction is rolled back"
        )
    revision = getattr(getattr(getattr(impl, "step", None), "revision", None), "revision", None)
    name = named or (made.name if revision is None else f"{revision} {made.name}")
    context = SimpleNamespace(
        root_connection=connection, cursor=None, execution_options=connection.get_execution_options()
    )
    statement = gates.meet(words, None, False, None, context)
    gates.send(statement, lambda: _run(connection, gates, statement, operation.table, name, options))
    progress = getattr(impl, "progress", None)
    if progress is not None and not statement.left_out:
        progress.applied.append(words)


def _run(
    connection: Connection, gates: Gates, statement: Statement, table: str, name: str, options: dict[str, Any]
) -> None:
    """Run it, or go on with it: with one that is done only where an earlier run of this revision has not noted that."""
    from alembic_cluster.backfill import Backfill, Progress
    from alembic_cluster.progress import reporter_of

    reporter = reporter_of(connection)

    def tell(progress: Progress) -> None:
        if reporter is not None:
            reporter.statement_is_at(progress.fraction, str(progress))

    Backfill(
        connection,
        table,
        name=name,
        check=gates.check,
        on_progress=tell,
        repeat=not statement.sent_before,
        **options,
    ).run()

# Written by tests/unit/crdb/op_stub.py; a test holds it against the operations.
"""Alembic's ``op`` with the operations of this package."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal

from alembic.op import add_column as add_column
from alembic.op import alter_column as alter_column
from alembic.op import bulk_insert as bulk_insert
from alembic.op import create_check_constraint as create_check_constraint
from alembic.op import create_exclude_constraint as create_exclude_constraint
from alembic.op import create_foreign_key as create_foreign_key
from alembic.op import create_index as create_index
from alembic.op import create_primary_key as create_primary_key
from alembic.op import create_table as create_table
from alembic.op import create_table_comment as create_table_comment
from alembic.op import create_unique_constraint as create_unique_constraint
from alembic.op import drop_column as drop_column
from alembic.op import drop_constraint as drop_constraint
from alembic.op import drop_index as drop_index
from alembic.op import drop_table as drop_table
from alembic.op import drop_table_comment as drop_table_comment
from alembic.op import execute as execute
from alembic.op import f as f
from alembic.op import get_bind as get_bind
from alembic.op import get_context as get_context
from alembic.op import implementation_for as implementation_for
from alembic.op import inline_literal as inline_literal
from alembic.op import invoke as invoke
from alembic.op import register_operation as register_operation
from alembic.op import rename_table as rename_table
from alembic.op import run_async as run_async
from alembic.operations import BatchOperations
from sqlalchemy import Table

from alembic_crdb.catalog_objects import CommentTarget

def batch_alter_table(
    table_name: str,
    schema: str | None = None,
    recreate: Literal["auto", "always", "never"] = "auto",
    partial_reordering: list[tuple[str, ...]] | None = None,
    copy_from: Table | None = None,
    table_args: tuple[Any, ...] = (),
    table_kwargs: Mapping[str, Any] = ...,
    reflect_args: tuple[Any, ...] = (),
    reflect_kwargs: Mapping[str, Any] = ...,
    naming_convention: dict[str, str] | None = None,
) -> AbstractContextManager[_BatchOperations]:
    """Alembic's, whose operations run when the block ends; those of this package are among them."""

class _BatchOperations(BatchOperations):
    def add_enum_value(
        self,
        enum_name: str,
        value: str,
        before: str | None = None,
        after: str | None = None,
        schema: str | None = None,
    ) -> None:
        """As ``op.add_enum_value``."""
    def add_region(
        self,
        database: str,
        region: str,
    ) -> None:
        """As ``op.add_region``."""
    def alter_column_options(
        self,
        column_name: str,
        not_visible: bool | None = None,
        on_update: str | None = None,
        existing_not_visible: bool | None = None,
        existing_on_update: str | None = None,
    ) -> None:
        """As ``op.alter_column_options``."""
    def alter_index_visibility(
        self,
        index_name: str,
        visibility: float,
        existing: float | None = None,
    ) -> None:
        """As ``op.alter_index_visibility``."""
    def alter_primary_key(
        self,
        columns: Sequence[str],
        existing: Sequence[str] | None = None,
        buckets: int | None = None,
        existing_buckets: int | None = None,
        keep_old: bool = False,
    ) -> None:
        """As ``op.alter_primary_key``."""
    def alter_region(
        self,
        database: str,
        action: Literal["ADD REGION", "DROP REGION", "PRIMARY REGION"],
        region: str,
        existing: str | None = None,
    ) -> None:
        """As ``op.alter_region``."""
    def comment_on(
        self,
        target: CommentTarget,
        object_name: str,
        comment: str | None,
        child: str | None = None,
        existing: str | None = None,
        schema: str | None = None,
    ) -> None:
        """As ``op.comment_on``."""
    def configure_zone(
        self,
        target: str,
        options: Mapping[str, Any] | None,
        existing: Mapping[str, Any] | None = None,
    ) -> None:
        """As ``op.configure_zone``."""
    def create_enum(
        self,
        enum_name: str,
        values: Sequence[str],
        schema: str | None = None,
    ) -> None:
        """As ``op.create_enum``."""
    def create_schema(
        self,
        schema_name: str,
    ) -> None:
        """As ``op.create_schema``."""
    def create_sequence(
        self,
        sequence_name: str,
        options: Mapping[str, Any] | None = None,
        schema: str | None = None,
    ) -> None:
        """As ``op.create_sequence``."""
    def create_view(
        self,
        view_name: str,
        definition: str,
        materialized: bool = False,
        columns: Sequence[str] = (),
        schema: str | None = None,
    ) -> None:
        """As ``op.create_view``."""
    def drop_enum(
        self,
        enum_name: str,
        existing: Sequence[str] | None = None,
        schema: str | None = None,
    ) -> None:
        """As ``op.drop_enum``."""
    def drop_enum_value(
        self,
        enum_name: str,
        value: str,
        before: str | None = None,
        after: str | None = None,
        schema: str | None = None,
    ) -> None:
        """As ``op.drop_enum_value``."""
    def drop_region(
        self,
        database: str,
        region: str,
    ) -> None:
        """As ``op.drop_region``."""
    def drop_schema(
        self,
        schema_name: str,
    ) -> None:
        """As ``op.drop_schema``."""
    def drop_sequence(
        self,
        sequence_name: str,
        existing: Mapping[str, Any] | None = None,
        schema: str | None = None,
    ) -> None:
        """As ``op.drop_sequence``."""
    def drop_view(
        self,
        view_name: str,
        existing: str | None = None,
        materialized: bool = False,
        columns: Sequence[str] = (),
        schema: str | None = None,
    ) -> None:
        """As ``op.drop_view``."""
    def execute_sql(
        self,
        up: str,
        down: str | None = None,
    ) -> None:
        """As ``op.execute_sql``."""
    def note(
        self,
        message: str,
    ) -> None:
        """As ``op.note``."""
    def partition_by(
        self,
        partitioning: str,
        index_name: str | None = None,
        existing: str | None = None,
    ) -> None:
        """As ``op.partition_by``."""
    def rename_enum_value(
        self,
        enum_name: str,
        old: str,
        new: str,
        schema: str | None = None,
    ) -> None:
        """As ``op.rename_enum_value``."""
    def replace_view(
        self,
        view_name: str,
        definition: str,
        existing: str | None = None,
        materialized: bool = False,
        existing_materialized: bool | None = None,
        schema: str | None = None,
    ) -> None:
        """As ``op.replace_view``."""
    def reset_storage_parameters(
        self,
        names: Sequence[str],
        existing: Mapping[str, Any] | None = None,
    ) -> None:
        """As ``op.reset_storage_parameters``."""
    def set_locality(
        self,
        locality: str,
        existing: str | None = None,
    ) -> None:
        """As ``op.set_locality``."""
    def set_storage_parameters(
        self,
        parameters: Mapping[str, Any],
        existing: Mapping[str, Any] | None = None,
    ) -> None:
        """As ``op.set_storage_parameters``."""
    def set_survival_goal(
        self,
        database: str,
        goal: Literal["ZONE", "REGION"],
        existing: Literal["ZONE", "REGION"] | None = None,
    ) -> None:
        """As ``op.set_survival_goal``."""
    def validate_constraint(
        self,
        constraint_name: str,
    ) -> None:
        """As ``op.validate_constraint``."""

def add_enum_value(
    enum_name: str,
    value: str,
    before: str | None = None,
    after: str | None = None,
    schema: str | None = None,
) -> None:
    """``ALTER TYPE .. ADD VALUE``.

    :param enum_name: the type.
    :param value: the new value.
    :param before: the value that it comes before; at the end when neither is given.
    :param after: the value that it comes after.
    :param schema: the type's schema; the default one when None.
    """

def add_region(
    database: str,
    region: str,
) -> None:
    """``ALTER DATABASE .. ADD REGION``.

    :param database: the database.
    :param region: the region.
    """

def alter_column_options(
    table_name: str,
    column_name: str,
    not_visible: bool | None = None,
    on_update: str | None = None,
    existing_not_visible: bool | None = None,
    existing_on_update: str | None = None,
    schema: str | None = None,
) -> None:
    """``ALTER COLUMN`` for what ``op.alter_column`` has no word for: visibility and ``ON UPDATE``.

    :param table_name: the table.
    :param column_name: the column.
    :param not_visible: whether ``SELECT *`` leaves it out; None to leave that alone.
    :param on_update: the expression as SQL, ``""`` for none; None to leave it alone.
    :param existing_not_visible: before, for the downgrade.
    :param existing_on_update: before, for the downgrade; ``""`` for none.
    :param schema: the table's schema; the default one when None.
    """

def alter_index_visibility(
    index_name: str,
    table_name: str,
    visibility: float,
    existing: float | None = None,
    schema: str | None = None,
) -> None:
    """``ALTER INDEX .. VISIBLE``, ``NOT VISIBLE`` or ``VISIBILITY n``.

    :param index_name: the index.
    :param table_name: its table.
    :param visibility: from 0.0, not visible, to 1.0.
    :param existing: the visibility before, for the downgrade.
    :param schema: the table's schema; the default one when None.
    """

def alter_primary_key(
    table_name: str,
    columns: Sequence[str],
    existing: Sequence[str] | None = None,
    buckets: int | None = None,
    existing_buckets: int | None = None,
    schema: str | None = None,
    keep_old: bool = False,
) -> None:
    """``ALTER TABLE .. ALTER PRIMARY KEY USING COLUMNS``.

    The server keeps the old key as a unique index; it is dropped again unless ``keep_old``.

    :param table_name: the table.
    :param columns: the new key, in order; ``"ts DESC"`` for a descending column.
    :param existing: the key before, for the downgrade.
    :param buckets: number of hash buckets; not hash-sharded when None.
    :param existing_buckets: likewise, before.
    :param schema: the table's schema; the default one when None.
    :param keep_old: whether the old key stays as a unique index.
    """

def alter_region(
    database: str,
    action: Literal["ADD REGION", "DROP REGION", "PRIMARY REGION"],
    region: str,
    existing: str | None = None,
) -> None:
    """``ALTER DATABASE .. ADD | DROP | PRIMARY REGION``; ``op.add_region`` and its kind are written with it.

    :param database: the database.
    :param action: ``ADD REGION``, ``DROP REGION`` or ``PRIMARY REGION``.
    :param region: the region.
    :param existing: the primary region before, for the downgrade of ``PRIMARY REGION``; empty where there was none.
    """

def backfill(
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

def comment_on(
    target: CommentTarget,
    object_name: str,
    comment: str | None,
    child: str | None = None,
    existing: str | None = None,
    schema: str | None = None,
) -> None:
    """``COMMENT ON`` what Alembic has no operation for.

    :param target: ``DATABASE``, ``SCHEMA``, ``TYPE``, ``INDEX`` or ``CONSTRAINT``.
    :param object_name: the object; the table of an index or constraint.
    :param comment: the comment; None removes it.
    :param child: the index or constraint.
    :param existing: the comment before, for the downgrade.
    :param schema: the object's schema; the default one when None.
    """

def configure_zone(
    target: str,
    options: Mapping[str, Any] | None,
    existing: Mapping[str, Any] | None = None,
) -> None:
    """``CONFIGURE ZONE USING``, or ``CONFIGURE ZONE DISCARD`` for no options.

    :param target: as of a ZoneConfiguration: ``"TABLE t"``, ``"INDEX t@ix"``, ``"DATABASE d"``, ``"RANGE default"``.
    :param options: such as ``{"num_replicas": 5}``; None or empty discards the configuration, and the value None
        copies that of the parent.
    :param existing: before, for the downgrade; empty for none. What is there no more is discarded first.
    """

def create_enum(
    enum_name: str,
    values: Sequence[str],
    schema: str | None = None,
) -> None:
    """``CREATE TYPE .. AS ENUM``.

    :param enum_name: the type.
    :param values: in their order.
    :param schema: its schema; the default one when None.
    """

def create_schema(
    schema_name: str,
) -> None:
    """``CREATE SCHEMA IF NOT EXISTS``.

    :param schema_name: the schema.
    """

def create_sequence(
    sequence_name: str,
    options: Mapping[str, Any] | None = None,
    schema: str | None = None,
) -> None:
    """``CREATE SEQUENCE``.

    :param sequence_name: the sequence.
    :param options: as SQLAlchemy's Sequence takes them, such as ``{"increment": 5}``.
    :param schema: its schema; the default one when None.
    """

def create_view(
    view_name: str,
    definition: str,
    materialized: bool = False,
    columns: Sequence[str] = (),
    schema: str | None = None,
) -> None:
    """``CREATE VIEW`` or ``CREATE MATERIALIZED VIEW``.

    :param view_name: the view.
    :param definition: its query.
    :param materialized: whether its rows are stored.
    :param columns: names of its columns; those of the query when empty.
    :param schema: its schema; the default one when None.
    """

def drop_enum(
    enum_name: str,
    existing: Sequence[str] | None = None,
    schema: str | None = None,
) -> None:
    """``DROP TYPE``; the server takes it when no column has the type.

    :param enum_name: the type.
    :param existing: its values, for the downgrade.
    :param schema: its schema; the default one when None.
    """

def drop_enum_value(
    enum_name: str,
    value: str,
    before: str | None = None,
    after: str | None = None,
    schema: str | None = None,
) -> None:
    """``ALTER TYPE .. DROP VALUE``; the server takes it when no row has the value.

    :param enum_name: the type.
    :param value: the value.
    :param before: the value that it stands before, for the downgrade.
    :param after: the value that it stands after, likewise.
    :param schema: the type's schema; the default one when None.
    """

def drop_region(
    database: str,
    region: str,
) -> None:
    """``ALTER DATABASE .. DROP REGION``.

    :param database: the database.
    :param region: the region.
    """

def drop_schema(
    schema_name: str,
) -> None:
    """``DROP SCHEMA``, which the server takes when nothing is in it.

    :param schema_name: the schema.
    """

def drop_sequence(
    sequence_name: str,
    existing: Mapping[str, Any] | None = None,
    schema: str | None = None,
) -> None:
    """``DROP SEQUENCE``.

    :param sequence_name: the sequence.
    :param existing: its options, for the downgrade.
    :param schema: its schema; the default one when None.
    """

def drop_view(
    view_name: str,
    existing: str | None = None,
    materialized: bool = False,
    columns: Sequence[str] = (),
    schema: str | None = None,
) -> None:
    """``DROP VIEW`` or ``DROP MATERIALIZED VIEW``.

    :param view_name: the view.
    :param existing: its query, for the downgrade.
    :param materialized: whether its rows are stored.
    :param columns: names of its columns, for the downgrade.
    :param schema: its schema; the default one when None.
    """

def execute_file(
    up: str | Path,
    down: str | Path | None = None,
) -> None:
    """Send the statements of a file: ``op.execute_file("0001_users.sql")``.

    What stands behind a line ``-- @UNDO`` is the way back, and for ``op.undo_file``. ``${name}`` stands for a
    variable of the environment. A path that isn't absolute is looked for beside the revision, then in the working
    directory. Statements are separated by semicolons, and sent one by one.

    :param up: the file, UTF-8.
    :param down: another file that takes it back; a downgrade that Alembic writes out of this operation sends it.
    :raises ConfigurationError: the file can't be read, or a variable isn't set; nothing of it was sent.
    :raises ClusterError: it can't be taken apart into statements; nothing of it was sent.
    """

def execute_sql(
    up: str,
    down: str | None = None,
) -> None:
    """Raw SQL with its own way back.

    :param up: the SQL, sent as it is; a colon in it is no bind parameter.
    :param down: the SQL of the downgrade; None when there is none.
    """

def note(
    message: str,
) -> None:
    """A note to the reader of a revision; sends nothing.

    :param message: what to know.
    """

def partition_by(
    table_name: str,
    partitioning: str,
    index_name: str | None = None,
    existing: str | None = None,
    schema: str | None = None,
) -> None:
    """``PARTITION BY`` of a table or an index.

    :param table_name: the table.
    :param partitioning: such as ``"LIST (city) (PARTITION a VALUES IN ('x'))"``; ``"NOTHING"`` for none.
    :param index_name: the index; the table itself when None.
    :param existing: before, for the downgrade.
    :param schema: the table's schema; the default one when None.
    """

def rename_enum_value(
    enum_name: str,
    old: str,
    new: str,
    schema: str | None = None,
) -> None:
    """``ALTER TYPE .. RENAME VALUE``.

    :param enum_name: the type.
    :param old: the value.
    :param new: its new name.
    :param schema: the type's schema; the default one when None.
    """

def replace_view(
    view_name: str,
    definition: str,
    existing: str | None = None,
    materialized: bool = False,
    existing_materialized: bool | None = None,
    schema: str | None = None,
) -> None:
    """A view with another query: dropped and created, for the server replaces one only by a query with more columns.

    :param view_name: the view.
    :param definition: its new query.
    :param existing: the query before, for the downgrade.
    :param materialized: whether its rows are stored.
    :param existing_materialized: likewise, before; as it is to be when None.
    :param schema: its schema; the default one when None.
    """

def reset_storage_parameters(
    table_name: str,
    names: Sequence[str],
    existing: Mapping[str, Any] | None = None,
    schema: str | None = None,
) -> None:
    """``ALTER TABLE .. RESET (...)``.

    :param table_name: the table.
    :param names: the parameters.
    :param existing: values before, for the downgrade.
    :param schema: the table's schema; the default one when None.
    """

def set_locality(
    table_name: str,
    locality: str,
    existing: str | None = None,
    schema: str | None = None,
) -> None:
    """``ALTER TABLE .. SET LOCALITY``.

    :param table_name: the table.
    :param locality: as ``cockroachdb_locality`` of a Table, such as ``"REGIONAL BY ROW"``.
    :param existing: the locality before, for the downgrade.
    :param schema: the table's schema; the default one when None.
    """

def set_storage_parameters(
    table_name: str,
    parameters: Mapping[str, Any],
    existing: Mapping[str, Any] | None = None,
    schema: str | None = None,
) -> None:
    """``ALTER TABLE .. SET (...)`` and ``RESET (...)``: storage parameters, those of row-level TTL among them.

    :param table_name: the table.
    :param parameters: values by name; None sets a parameter back to its default.
    :param existing: values before, for the downgrade.
    :param schema: the table's schema; the default one when None.
    """

def set_survival_goal(
    database: str,
    goal: Literal["ZONE", "REGION"],
    existing: Literal["ZONE", "REGION"] | None = None,
) -> None:
    """``ALTER DATABASE .. SURVIVE ZONE | REGION FAILURE``.

    :param database: the database.
    :param goal: the failure to survive.
    :param existing: the goal before, for the downgrade.
    """

def undo_file(
    path: str | Path,
) -> None:
    """Send what stands behind ``-- @UNDO`` in a file: ``op.undo_file("0001_users.sql")``, for a downgrade.

    :param path: the file, looked for as ``op.execute_file`` does.
    :raises InvalidSqlFile: there is no such line in it; nothing was sent.
    :raises ConfigurationError: the file can't be read, or a variable isn't set; nothing of it was sent.
    :raises ClusterError: it can't be taken apart into statements; nothing of it was sent.
    """

def validate_constraint(
    constraint_name: str,
    table_name: str,
    schema: str | None = None,
) -> None:
    """``VALIDATE CONSTRAINT``: check the rows that were there when the constraint was added NOT VALID.

    :param constraint_name: the constraint.
    :param table_name: its table.
    :param schema: the table's schema; the default one when None.
    """

# Written by tests/unit/op_stub.py; a test holds it against the operations.
"""Alembic's ``op`` with the operations of this package."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from alembic.op import *  # noqa: F403

from alembic_cql.functions import Arguments, ArgumentTypes
from alembic_cql.types import Fields, TypeArgument, UserType

def alter_column_check(
    table_name: str,
    column_name: str,
    check: str | None,
    *,
    existing_check: str | None = None,
    schema: str | None = None,
) -> None:
    """Have the server check a column's values, or no more: ``op.alter_column_check("users", "age", "age > 0")``.

    :param table_name: the table.
    :param column_name: the column.
    :param check: the condition as CQL; None drops it.
    :param existing_check: the condition before.
    :param schema: the table's keyspace; that of the connection when None.
    :raises UnsupportedConstruct: where the server has no checks; nothing was sent.
    """

def alter_column_mask(
    table_name: str,
    column_name: str,
    mask: str | None,
    *,
    existing_mask: str | None = None,
    schema: str | None = None,
) -> None:
    """Mask a column, or no more: ``op.alter_column_mask("users", "email", "mask_inner(1, null)")``.

    :param table_name: the table.
    :param column_name: the column.
    :param mask: ``DEFAULT`` or the call of a masking function; None drops the mask.
    :param existing_mask: the mask before, as autogenerate writes it.
    :param schema: the table's keyspace; that of the connection when None.
    :raises InvalidModel: for what isn't the call of a function; nothing was sent.
    :raises UnsupportedConstruct: where the server has no masks; nothing was sent.
    """

def alter_keyspace(
    name: str,
    *,
    replication: Mapping[str, Any] | None = None,
    durable_writes: bool | None = None,
    tablets: Mapping[str, Any] | None = None,
    existing_replication: Mapping[str, Any] | None = None,
    existing_durable_writes: bool | None = None,
    existing_tablets: Mapping[str, Any] | None = None,
) -> None:
    """Change a keyspace: ``op.alter_keyspace("bank", replication={"class": "NetworkTopologyStrategy", "dc1": 5})``.

    The replication map is replaced whole. New replicas get the rows that are there by a repair, which no statement
    starts: run ``nodetool repair --full`` afterwards.

    :param name: the keyspace.
    :param replication: the new replication map; as it is when None.
    :param durable_writes: whether writes go through the commit log; as it is when None.
    :param tablets: ScyllaDB's map; as it is when None.
    :param existing_replication: the map before, as autogenerate writes it.
    :param existing_durable_writes: the value before.
    :param existing_tablets: the map before.
    :raises InvalidModel: for a map that no server takes, or when nothing is given; nothing was sent.
    """

def alter_materialized_view_options(
    name: str,
    options: Mapping[str, Any],
    *,
    existing: Mapping[str, Any] | None = None,
    schema: str | None = None,
) -> None:
    """Change options of a view: ``op.alter_materialized_view_options("v", {"gc_grace_seconds": 3600})``.

    :raises InvalidModel: for a value that an option doesn't take; nothing was sent.
    """

def alter_table_options(
    table_name: str,
    options: Mapping[str, Any],
    *,
    existing: Mapping[str, Any] | None = None,
    schema: str | None = None,
) -> None:
    """Change options of a table: ``op.alter_table_options("t", {"gc_grace_seconds": 3600})``.

    A map such as ``compaction`` is replaced whole, as the server does it.

    :raises InvalidModel: for a value that the option doesn't take; nothing was sent.
    """

def alter_type(
    name: str,
    *,
    add: Fields = (),
    rename: Mapping[str, str] | None = None,
    schema: str | None = None,
    if_not_exists: bool = False,
) -> None:
    """Add fields to a user type, or rename some: ``op.alter_type("address", add=[("zip", cql.TEXT())])``.

    :param add: types of the new fields by name, or pairs, in order; they come last.
    :param rename: new names by old ones.
    :param schema: keyspace; that of the connection when None.
    :param if_not_exists: whether the new fields may be there already: a downgrade can't drop them.
    :raises InvalidModel: when there is nothing to add or rename; nothing was sent.
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
    on_error: str = 'stop',
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

def copy_table(
    source: str,
    target: str,
    *,
    columns: Mapping[str, str] | None = None,
    convert: Mapping[str, Callable[[Any], Any]] | None = None,
    fill: Mapping[str, Any] | None = None,
    schema: str | None = None,
) -> None:
    """Copy the rows of a table to another one: ``op.copy_table("events", "events_v2", convert={"n": str})``.

    It goes by token ranges and pages, holds no more than a page in memory, and may run while a program uses both
    tables: each value keeps its write time and its time to live, so that what was written to the new table later
    stays, and copying again changes nothing but what changed in the old table. Deletes are not copied. A copy
    that was ended half-way is done by copying again. Rows that have one key in the new table become one row.

    :param source: the table that is read.
    :param target: the table that is written; what it has of the source's columns is copied.
    :param columns: the source's column by the target's, where their names differ.
    :param convert: a function by the target's column, for types that aren't the same or a wider one. It is given
        a Python value, never None.
    :param fill: a value by the target's column, for rows that have none; key columns need one.
    :param schema: the keyspace of both; that of the connection when None.
    :raises CopyFailed: for what can't be copied, before anything of the revision is sent; for a row that has no
        value for the new key when it comes to it.
    :raises UnsupportedOperation: in ``--sql``.
    """

def create_aggregate(
    name: str,
    arguments: ArgumentTypes,
    sfunc: str,
    stype: TypeArgument,
    *,
    finalfunc: str | None = None,
    initcond: Any = None,
    reducefunc: str | None = None,
    schema: str | None = None,
    replace: bool = False,
) -> None:
    """Create an aggregate: ``op.create_aggregate("total", [cql.INT()], "add", cql.INT(), initcond="0")``.

    :param name: its name.
    :param arguments: types of the arguments, in order.
    :param sfunc: name of the function that takes the state and the arguments and gives the new state.
    :param stype: type of the state.
    :param finalfunc: name of the function that makes the result of the last state.
    :param initcond: the first state as CQL, or a value of Python's that isn't a text.
    :param reducefunc: ScyllaDB's function that joins two states.
    :param schema: keyspace; that of the connection when None.
    :param replace: whether one of its signature may be there, which is replaced; the types of its state and result
        must be the same.
    :raises InvalidModel: for what no server takes; nothing was sent.
    """

def create_function(
    name: str,
    arguments: Arguments,
    returns: TypeArgument,
    body: str,
    *,
    language: str = 'java',
    called_on_null_input: bool = False,
    schema: str | None = None,
    replace: bool = False,
) -> None:
    """Create a function: ``op.create_function("twice", [("n", cql.INT())], cql.INT(), "return 2 * n;")``.

    :param name: its name.
    :param arguments: names and types of the arguments, in order.
    :param returns: type of what it returns.
    :param body: the source text, as it stands between ``$$``.
    :param language: ``java`` on Cassandra, ``lua`` or ``wasm`` on ScyllaDB.
    :param called_on_null_input: whether it is called when an argument is null.
    :param schema: keyspace; that of the connection when None.
    :param replace: whether one of its signature may be there, which is replaced; its result's type and what happens
        on null must be the same.
    :raises InvalidModel: for what no server takes; nothing was sent.
    """

def create_keyspace(
    name: str,
    replication: Mapping[str, Any],
    *,
    durable_writes: bool = True,
    tablets: Mapping[str, Any] | None = None,
    if_not_exists: bool = False,
) -> None:
    """Create a keyspace: ``op.create_keyspace("bank", {"class": "NetworkTopologyStrategy", "dc1": 3})``.

    :param name: its name.
    :param replication: the replication map.
    :param durable_writes: whether writes go through the commit log.
    :param tablets: ScyllaDB's map, such as ``{"enabled": False}``.
    :param if_not_exists: whether one that is there stays as it is.
    :raises InvalidModel: for a name or a map that no server takes; nothing was sent.
    """

def create_materialized_view(
    name: str,
    base: str,
    where: str,
    partition_key: Sequence[str],
    clustering: Sequence[str] | Mapping[str, str] = (),
    *,
    columns: Sequence[str] | None = None,
    schema: str | None = None,
    comment: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> None:
    """Create a materialized view; the server fills it from the table's rows in the background.

    ``op.create_materialized_view("by_email", "users", "email IS NOT NULL AND id IS NOT NULL", ["email"], ["id"])``.

    :param name: its name.
    :param base: name of the table it is made from.
    :param where: the condition as CQL: every column of the view's key ``IS NOT NULL``.
    :param partition_key: names of its partition key columns.
    :param clustering: names of its clustering columns, or a mapping from name to ``ASC`` or ``DESC``.
    :param columns: the columns selected; all (``*``) when None.
    :param schema: keyspace; that of the connection when None.
    :param comment: the view's comment.
    :param options: table options by name.
    :raises InvalidModel: for a value that an option doesn't take; nothing was sent.
    """

def create_type(
    name: str | UserType,
    fields: Fields = (),
    *,
    schema: str | None = None,
) -> None:
    """Create a user type: ``op.create_type("address", [("street", cql.TEXT())])``.

    :param name: its name; or a :class:`~alembic_cql.types.UserType` with its fields, and nothing else.
    :param fields: field types by name, or pairs, in order; the types that they use must be there.
    :param schema: keyspace; that of the connection when None.
    :raises InvalidModel: for a type without fields; nothing was sent.
    """

def drop_aggregate(
    name: str,
    arguments: ArgumentTypes | None = None,
    *,
    schema: str | None = None,
) -> None:
    """Drop an aggregate: ``op.drop_aggregate("total", [cql.INT()])``.

    :param name: its name.
    :param arguments: types of its arguments; None where only one has the name.
    :param schema: keyspace; that of the connection when None.
    """

def drop_function(
    name: str,
    arguments: ArgumentTypes | None = None,
    *,
    schema: str | None = None,
) -> None:
    """Drop a function: ``op.drop_function("twice", [cql.INT()])``.

    :param name: its name.
    :param arguments: types of its arguments; None where only one has the name.
    :param schema: keyspace; that of the connection when None.
    """

def drop_keyspace(
    name: str,
    *,
    if_exists: bool = False,
) -> None:
    """Drop a keyspace with every table and row in it: ``op.drop_keyspace("bank")``.

    :param if_exists: whether none is no error.
    :raises InvalidModel: for the keyspace that the connection is in; nothing was sent.
    """

def drop_materialized_view(
    name: str,
    *,
    schema: str | None = None,
) -> None:
    """Drop a materialized view: ``op.drop_materialized_view("by_email")``."""

def drop_type(
    name: str,
    *,
    schema: str | None = None,
) -> None:
    """Drop a user type: ``op.drop_type("address")``. The server refuses while a table or type uses it."""

def execute_cql(
    up: str,
    down: str | None = None,
) -> None:
    """Send CQL as it is written: ``op.execute_cql("CREATE ROLE r", down="DROP ROLE r")``.

    A text may hold several statements, separated by semicolons.

    :param up: what is sent.
    :param down: what takes it back; a downgrade that Alembic writes out of this operation sends it.
    :raises UnreadableScript: for a text that can't be taken apart; nothing of it was sent.
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

def undo_file(
    path: str | Path,
) -> None:
    """Send what stands behind ``-- @UNDO`` in a file: ``op.undo_file("0001_users.sql")``, for a downgrade.

    :param path: the file, looked for as ``op.execute_file`` does.
    :raises InvalidSqlFile: there is no such line in it; nothing was sent.
    :raises ConfigurationError: the file can't be read, or a variable isn't set; nothing of it was sent.
    :raises ClusterError: it can't be taken apart into statements; nothing of it was sent.
    """

"""``sync_tables``: the development shortcut, a keyspace brought to what the models say without a revision."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, MetaData
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import ExecutableDDLElement

from alembic_cluster.errors import (
    ConfigurationError,
    ImpossibleChange,
    SchemaDriftWarning,
    StatementFailed,
    VersionedKeyspace,
)
from alembic_cluster.execution import server_message, shorten, statement_failure
from alembic_cluster.syncing import SyncResult
from alembic_cql.create_all import check_keyspaces, declared_keyspaces
from alembic_cql.heads import is_heads_table
from alembic_cql.reflection import KeyspaceInfo
from alembic_cql.schema import declared_types, keyspace_objects
from alembic_cql.sync_plan import Plan, Planner

VERSION_TABLE = "alembic_version"


def sync_tables(
    bind: Engine | Connection,
    metadata: MetaData,
    *,
    dry_run: bool = False,
    drop_removed_indexes: bool = False,
    allow_versioned: bool = False,
    version_table: str = VERSION_TABLE,
    version_table_schema: str | None = None,
) -> SyncResult:
    """Bring the database to what the models say, for development and tests; revisions are for all else.

    Declared keyspaces, user types, functions, tables, indexes and materialized views are created; columns, fields of
    user types and indexes are added; options, masks and functions are changed, options that a model doesn't name back
    to the server's defaults. Nothing that holds data is ever dropped. A second call sends nothing. Run it in one
    process at a time.

    :param bind: an engine or connection of dialect ``cql``.
    :param metadata: the models; :func:`~alembic_cql.metadata_from_cqlengine` and
        :func:`~alembic_cql.metadata_from_coodie` make one of theirs.
    :param dry_run: change nothing: only the catalog is read.
    :param drop_removed_indexes: drop the indexes of the models' tables that the models lack, and make those anew that
        differ.
    :param allow_versioned: work also in a keyspace whose schema revisions keep.
    :param version_table: name of Alembic's version table, if env.py gives another.
    :param version_table_schema: keyspace of the version table, if env.py gives one.
    :return: the statements, and what is only in the database; of the latter a :class:`SchemaDriftWarning` each, given
        before the first statement is sent.
    :raises VersionedKeyspace: when Alembic's version table is there, and ``allow_versioned`` is false.
    :raises ImpossibleChange: when a primary key, a type or a static mark differs, or whatever else can't be altered.
    :raises InvalidModel: for models that no server can hold.
    :raises ConfigurationError: for another dialect, or when a keyspace is missing. After these nothing was sent.
    :raises StatementFailed: when the server refuses a statement; the message says what was applied.
    """
    if bind.dialect.name != "cql":
        raise ConfigurationError(
            f"sync_tables is for Cassandra and ScyllaDB, not for the dialect {bind.dialect.name!r}; nothing was sent"
        )
    with _connected(bind) as connection:
        dialect: Any = connection.dialect
        declared = declared_keyspaces(metadata, connection.dialect)
        check_keyspaces(declared, connection)
        keyspaces = _read_keyspaces(connection, metadata, {item.name for item in declared})
        if not allow_versioned:
            _refuse_versioned(connection, keyspaces, version_table, version_table_schema)
        plan = Planner(keyspaces, dialect, drop_removed_indexes=drop_removed_indexes).plan(metadata, declared)
        _refuse_impossible(plan)
        texts = [str(statement.compile(dialect=dialect)).strip() for statement in plan.statements]
        for finding in plan.only_in_database:
            warnings.warn(finding, SchemaDriftWarning, stacklevel=2)
        if not dry_run:
            _send(connection, plan.statements, texts)
    return SyncResult(texts, plan.only_in_database)


@contextmanager
def _connected(bind: Engine | Connection) -> Iterator[Connection]:
    if isinstance(bind, Connection):
        yield bind
    else:
        with bind.connect() as connection:
            yield connection


def _read_keyspaces(connection: Connection, metadata: MetaData, declared: set[str]) -> dict[str | None, KeyspaceInfo]:
    dialect: Any = connection.dialect
    objects = keyspace_objects(metadata)
    named: set[str | None] = {table.schema for table in metadata.tables.values()}
    named |= {schema for schema, _ in [*declared_types(metadata), *objects.views]}
    named |= {item.schema for item in objects.definitions}
    existing = dialect.get_schema_names(connection)
    missing = sorted(schema for schema in named if schema is not None and schema not in {*existing, *declared})
    if missing:
        raise ConfigurationError(
            f"the models name the keyspace {missing[0]!r}, and there is none: create it first "
            "(CREATE KEYSPACE .. WITH replication = {..}), or give the models a Keyspace of that name; nothing was sent"
        )
    return {schema: dialect.keyspace_info(connection, schema) for schema in {*named, *declared}}


def _refuse_versioned(
    connection: Connection,
    keyspaces: dict[str | None, KeyspaceInfo],
    version_table: str,
    version_table_schema: str | None,
) -> None:
    schemas = {*keyspaces, *([version_table_schema] if version_table_schema else [])}
    if connection.dialect.default_schema_name is not None:
        schemas.add(None)
    for schema in sorted(schemas, key=str):
        tables = keyspaces[schema].tables.values() if schema in keyspaces else ()
        names = [item.name for item in tables if is_heads_table({column.name: column.kind for column in item.columns})]
        if connection.dialect.has_table(connection, version_table, schema):
            names.insert(0, version_table)
        if names:
            raise VersionedKeyspace(
                f"keyspace {schema or connection.dialect.default_schema_name!r} has the version table {names[0]!r}, so "
                "revisions keep its schema: write one (alembic revision --autogenerate) and run it, or pass "
                "allow_versioned=True; nothing was sent"
            )


def _refuse_impossible(plan: Plan) -> None:
    if plan.impossible:
        raise ImpossibleChange(
            "; ".join(plan.impossible) + ". No ALTER can do that: undo the change in the model, give the new thing "
            "another name, or drop the old one yourself where its rows may go; nothing was sent"
        )


def _send(connection: Connection, statements: list[ExecutableDDLElement], texts: list[str]) -> None:
    dialect: Any = connection.dialect
    for number, (statement, text) in enumerate(zip(statements, texts, strict=True), 1):
        try:
            connection.execute(statement)
        except DBAPIError as error:
            product = "ScyllaDB" if dialect.features.is_scylla else "Cassandra"
            earlier = "The one before it stays" if number == 2 else f"The {number - 1} before it stay"
            before = f"{earlier} applied" if number > 1 else "Nothing was applied before it"
            failed: BaseException = error
            if not isinstance(failed, StatementFailed):  # a running Alembic environment makes one itself
                failed = statement_failure(connection, error, text, product)
            failed.args = (
                f"sync_tables: statement {number} of {len(texts)} failed on {product}: {server_message(error)} "
                f"Statement: {shorten(text)} {before}. Mend the cause and call sync_tables again: it does the rest.",
            )
            raise failed from error.orig

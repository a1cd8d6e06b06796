"""What differs between a model's table and the server's, told from the two alone: for autogenerate and sync_tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, Index, MetaData, Table

from alembic_cql.ddl import index_identity
from alembic_cql.options import TABLE_OPTIONS, complete_options, readable_option, table_options
from alembic_cql.reflection import TableInfo
from alembic_cql.schema import is_static, table_key
from alembic_cql.typenames import canonical_name

# Index.info key: the model leaves the name to the server, so that an equal index of any name is this one.
ANY_NAME = "alembic_cql.any_name"


def display_name(table: Table) -> str:
    """Give a table's name with its keyspace, where it names one, for messages."""
    return table.name if table.schema is None else f"{table.schema}.{table.name}"


def impossible_changes(table: Table, found: TableInfo, dialect: Any) -> Iterator[str]:
    """Say what differs and can't be altered: the primary key, and the types and static marks of columns.

    :param table: the model's.
    :param found: the server's.
    :param dialect: of the connection; it knows the server's types.
    :return: one clause for each difference, such as ``table 't': the model has .., the database ..``.
    """
    key = table_key(table)
    name = display_name(table)
    if key != found.key:
        yield f"table {name!r}: the model has {key}, the database {found.key}"
    columns = {column.name: column for column in found.columns}
    for column in table.columns:
        existing = columns.get(column.name)
        if existing is None:
            continue
        wanted_type, found_type = canonical_name(column.type, dialect), canonical_name(existing.type, dialect)
        if wanted_type != found_type:
            yield f"table {name!r}, column {column.name!r}: the model has {wanted_type}, the database {found_type}"
        if is_static(column) != (existing.kind == "static"):
            wanted = "static" if is_static(column) else "not static"
            yield f"table {name!r}, column {column.name!r}: the model has it {wanted}, the database otherwise"


def changed_options(table: Table, found: TableInfo, dialect: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give the options that differ (the comment apart), with the model's values and with the server's.

    An option that the model doesn't name has the server's default.

    :param table: the model's.
    :param found: the server's.
    :param dialect: of the connection; it knows which options the server fills in itself.
    :raises InvalidModel: for a value that an option doesn't take.
    """
    wanted = complete_options(table_options(table.kwargs), table.name, dialect.features)
    existing = complete_options(found.options, table.name, dialect.features)
    changed = [name for name in TABLE_OPTIONS if name in wanted and wanted[name] != existing.get(name)]
    return (
        {name: readable_option(name, wanted[name]) for name in changed},
        {name: readable_option(name, existing[name]) for name in changed if name in existing},
    )


def found_indexes(found: TableInfo) -> dict[str, Index]:
    """Give the indexes of the server's table by name, as a model would have them."""
    indexes = [Index(index.name, index.column, **index.dialect_options) for index in found.indexes]
    Table(found.name, MetaData(), *(Column(column.name, column.type) for column in found.columns), *indexes)
    return {str(index.name): index for index in indexes}


def equal_indexes(table: Table, found: TableInfo) -> dict[str, str]:
    """Give the server's name of each of the model's indexes that it has under another name, which is as good.

    :return: the server's name by the model's, only of indexes whose name the model leaves to the server.
    """
    existing = found_indexes(found)
    wanted = {str(index.name) for index in table.indexes}
    spare = {index_identity(index): name for name, index in existing.items() if name not in wanted}
    free = [index for index in table.indexes if ANY_NAME in index.info and index.name not in existing]
    return {str(index.name): spare[index_identity(index)] for index in free if index_identity(index) in spare}

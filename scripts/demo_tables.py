"""What the servers say of their tables, as text: for showing, and for telling whether two readings are the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from alembic_cluster.stores import TABLES

KEPT = {"alembic_version", *TABLES}  # what migrations keep for themselves


@dataclass(frozen=True)
class Shown:
    """One table: a row for each column, and notes on what concerns the whole table."""

    name: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


def tables_of(connection: sa.Connection) -> tuple[Shown, ...]:
    """Read all tables but those that migrations keep, sorted by name.

    :param connection: of either database.
    """
    inspector = sa.inspect(connection)
    read = _cassandra if connection.dialect.name == "cql" else _cockroachdb
    names = sorted(set(inspector.get_table_names()) - KEPT)
    return tuple(read(inspector, name) for name in names)


def _type(inspector: sa.Inspector, column: Any) -> str:
    return str(column["type"].compile(dialect=inspector.bind.dialect))


def _indexes(inspector: sa.Inspector, table: str) -> Iterator[str]:
    for index in sorted(inspector.get_indexes(table), key=lambda index: str(index["name"])):
        options = {key: value for key, value in index.get("dialect_options", {}).items() if value}
        columns = ", ".join(map(str, index["column_names"]))
        said = "".join(f", {key.partition('_')[2]} {value}" for key, value in sorted(options.items()))
        yield f"index {index['name']} ({columns}{said})"


def _cassandra(inspector: sa.Inspector, table: str) -> Shown:
    options = dict(inspector.get_table_options(table))
    key = inspector.get_pk_constraint(table)["constrained_columns"]
    partition = options.pop("cql_partition_key", key[:1])
    order = options.pop("cql_clustering_order", {})
    rows = []
    for column in inspector.get_columns(table):
        name = column["name"]
        if name in partition:
            part = f"partition {partition.index(name) + 1}"
        elif name in key:
            part = f"clustering {order.get(name, 'ASC')}"
        else:
            part = "static" if column.get("dialect_options", {}).get("cql_static") else ""
        rows.append((name, _type(inspector, column), part))
    comment = inspector.get_table_comment(table)["text"]
    notes = [comment] if comment else []
    notes += [f"{name.removeprefix('cql_')} = {value}" for name, value in sorted(options.items())]
    return Shown(table, ("column", "type", "key"), tuple(rows), (*notes, *_indexes(inspector, table)))


def _cockroachdb(inspector: sa.Inspector, table: str) -> Shown:
    key = inspector.get_pk_constraint(table)["constrained_columns"]
    rows = []
    for column in inspector.get_columns(table):
        computed = column.get("computed")
        value = f"AS ({computed['sqltext']})" if computed else column["default"] or ""
        null = "" if column["nullable"] else "NOT NULL"
        part = "primary key" if column["name"] in key else ""
        rows.append((column["name"], _type(inspector, column), null, str(value), part))
    headings = ("column", "type", "null", "default", "key")
    return Shown(table, headings, tuple(rows), tuple(_indexes(inspector, table)))

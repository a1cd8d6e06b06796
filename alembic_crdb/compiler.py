"""DDL text that sqlalchemy-cockroachdb does not write, or not as CockroachDB takes it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Computed
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import DropIndex

_NO_TABLE = "no_table"  # Alembic's stand-in when op.drop_index is called without a table


class DropUniqueIndex(DropIndex):
    """Drop an index together with the unique constraint that it is."""


@compiles(Computed, "cockroachdb")
def _computed(generated: Computed, compiler: Any, **kw: Any) -> str:
    """Write ``AS (...) STORED``, or ``VIRTUAL`` for ``persisted=False``.

    An expression of a model that leaves ``persisted`` open is stored, as with sqlalchemy-cockroachdb.
    """
    expression = compiler.sql_compiler.process(generated.sqltext, include_table=False, literal_binds=True)
    return f"AS ({expression}) {'VIRTUAL' if generated.persisted is False else 'STORED'}"


@compiles(DropIndex, "cockroachdb")
@compiles(DropUniqueIndex, "cockroachdb")
def _drop_index(drop: DropIndex, compiler: Any, **kw: Any) -> str:
    """Write ``DROP INDEX table@index``: the names of indexes are those of their table."""
    index = drop.element
    preparer = compiler.preparer
    target = preparer.format_index(index)
    if index.table is not None and index.table.name != _NO_TABLE:
        target = f"{preparer.format_table(index.table)}@{target}"
    elif index.table is not None and index.table.schema is not None:
        target = f"{preparer.quote_schema(index.table.schema)}.{target}"
    cascade = " CASCADE" if isinstance(drop, DropUniqueIndex) else ""
    return f"DROP INDEX {'IF EXISTS ' if drop.if_exists else ''}{target}{cascade}"

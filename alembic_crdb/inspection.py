"""What the Inspector answers about one database, told from its catalog objects.

The answers have the shapes of SQLAlchemy's ``Reflected...`` dictionaries. What only CockroachDB has stands in their
``dialect_options`` (a foreign key's ``options``), by the names that a model says it with (``cockroachdb_*``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from alembic_crdb import catalog
from alembic_crdb.lexer import tokenize
from alembic_crdb.snapshot import Name, Snapshot, name_of
from alembic_crdb.to_metadata import (
    TableMaker,
    index_options,
    primary_key_options,
    sequence_options,
    table_options,
)

#: Defaults that the server makes for itself, and SQLAlchemy calls autoincrement.
_AUTOINCREMENT: Final = re.compile(r"(?:unordered_)?unique_rowid\(|nextval\(")
_NUMERIC: Final = frozenset({"INT8", "DECIMAL", "FLOAT8"})
_IDENTITY: Final[Mapping[str, Any]] = {
    "start": 1,
    "increment": 1,
    "minvalue": 1,
    "maxvalue": 2**63 - 1,
    "cycle": False,
    "cache": 1,
}


class Inspection:
    """Answers about the tables of a database.

    :param snapshot: the database.
    :param default_schema: the schema of names that have none.
    """

    def __init__(self, snapshot: Snapshot, default_schema: str) -> None:
        self.snapshot = snapshot
        self.default_schema = default_schema
        self._maker = TableMaker(snapshot, default_schema)

    def columns(self, key: Name) -> list[dict[str, Any]]:
        """Give the columns of a table, without those that the server made."""
        return [self._column(key, column) for column in self.snapshot.tables[key].columns]

    def _column(self, key: Name, column: catalog.Column) -> dict[str, Any]:
        found: dict[str, Any] = {
            "name": column.name,
            "type": self._maker.type(column.type),
            "nullable": column.nullable,
            "default": column.default,
            "autoincrement": column.identity is not None or bool(_AUTOINCREMENT.match(column.default or "")),
            "comment": self._comment("COLUMN", key, column.name),
        }
        if column.computed is not None:
            found["computed"] = {"sqltext": column.computed.expression, "persisted": column.computed.stored}
        if column.identity is not None:
            said = sequence_options(column.identity.options)
            found["identity"] = {"always": column.identity.always, **_IDENTITY, **said}
        options: dict[str, Any] = {}
        if column.hidden:
            options["cockroachdb_not_visible"] = True
        if column.on_update is not None:
            options["cockroachdb_on_update"] = column.on_update
        if options:
            found["dialect_options"] = options
        return found

    def primary_key(self, key: Name) -> dict[str, Any]:
        """Give a table's primary key; no columns where the server made it up."""
        found = self.snapshot.tables[key].primary_key
        if found is None:
            return {"constrained_columns": [], "name": None, "comment": None}
        answer: dict[str, Any] = {
            "constrained_columns": [str(element.name) for element in found.elements],
            "name": found.name,  # the default one, too: revisions drop a key by the name that they find
            "comment": self._comment("CONSTRAINT", key, found.name),
        }
        if options := primary_key_options(found):
            answer["dialect_options"] = options
        return answer

    def foreign_keys(self, key: Name, schema: str | None) -> list[dict[str, Any]]:
        """Give a table's foreign keys.

        :param schema: the schema that was asked for; a table in it is given with it.
        """
        return [self._foreign_key(key, each, schema) for each in self.snapshot.tables[key].foreign_keys]

    def _foreign_key(self, key: Name, found: catalog.ForeignKey, schema: str | None) -> dict[str, Any]:
        target, table = name_of(found.table, self.default_schema)
        options: dict[str, Any] = {}
        if found.on_update != "NO ACTION":
            options["onupdate"] = found.on_update
        if found.on_delete != "NO ACTION":
            options["ondelete"] = found.on_delete
        if found.match != "SIMPLE":
            options["match"] = found.match
        if not found.validated:
            options["cockroachdb_not_valid"] = True
        return {
            "name": found.name,
            "constrained_columns": list(found.columns),
            "referred_schema": None if target == self.default_schema and target != schema else target,
            "referred_table": table,
            "referred_columns": list(found.referenced),
            "options": options,
            "comment": self._comment("CONSTRAINT", key, found.name),
        }

    def indexes(self, key: Name) -> list[dict[str, Any]]:
        """Give a table's indexes, without the primary key's; those of unique constraints are among them."""
        return [self._index(key, index) for index in self.snapshot.tables[key].indexes]

    def _index(self, key: Name, index: catalog.Index) -> dict[str, Any]:
        found: dict[str, Any] = {
            "name": index.name,
            "unique": index.unique,
            "column_names": [element.name for element in index.elements],
            "include_columns": list(index.storing),
        }
        if any(element.name is None for element in index.elements):
            found["expressions"] = [_element(element) for element in index.elements]
        sorting = {str(element.name): _sorting(element) for element in index.elements if element.name is not None}
        if sorting := {name: words for name, words in sorting.items() if words}:
            found["column_sorting"] = sorting
        if is_constraint(index):
            found["duplicates_constraint"] = index.name
        options = index_options(index)
        if index.predicate is not None:
            options["cockroachdb_where"] = index.predicate
        if comment := self._comment("INDEX", key, index.name):
            options["cockroachdb_comment"] = comment
        found["dialect_options"] = options
        return found

    def unique_constraints(self, key: Name) -> list[dict[str, Any]]:
        """Give a table's unique constraints: the unique indexes that say no more, and those without an index."""
        table = self.snapshot.tables[key]
        found: list[dict[str, Any]] = [
            {
                "name": index.name,
                "column_names": [str(element.name) for element in index.elements],
                "comment": self._comment("CONSTRAINT", key, index.name),
                "dialect_options": {},
            }
            for index in table.indexes
            if is_constraint(index)
        ]
        for unique in table.uniques:
            options: dict[str, Any] = {"cockroachdb_without_index": True} if unique.without_index else {}
            if unique.predicate is not None:
                options["cockroachdb_where"] = unique.predicate
            if not unique.validated:
                options["cockroachdb_not_valid"] = True
            found.append(
                {
                    "name": unique.name,
                    "column_names": list(unique.columns),
                    "comment": self._comment("CONSTRAINT", key, unique.name),
                    "dialect_options": options,
                }
            )
        return found

    def check_constraints(self, key: Name) -> list[dict[str, Any]]:
        """Give a table's check constraints."""
        return [
            {
                "name": check.name,
                "sqltext": _unannotated(check.expression),
                "comment": self._comment("CONSTRAINT", key, check.name),
                **({} if check.validated else {"cockroachdb_not_valid": True}),
            }
            for check in self.snapshot.tables[key].checks
        ]

    def comment(self, kind: str, key: Name) -> dict[str, Any]:
        """Give the comment on a ``TABLE`` or ``VIEW``."""
        return {"text": self._comment(kind, key, None)}

    def options(self, key: Name) -> dict[str, Any]:
        """Give a table's families, storage parameters, locality and partitions."""
        return table_options(self.snapshot.tables[key])

    def _comment(self, kind: str, key: Name, child: str | None) -> str | None:
        return self.snapshot.comments.get((kind, key, child))


def _unannotated(expression: str) -> str:
    """Leave out the types that the server prints behind numbers and strings: ``a > 1:::INT8`` is ``a > 1``.

    ``pg_get_constraintdef``, from which sqlalchemy-cockroachdb answers, leaves out those of numbers, too.
    """
    tokens = tokenize(expression)
    texts, starts = tokens.texts, tokens.starts
    kept, done = [], 0
    for at, (literal, annotation, kind) in enumerate(zip(texts, texts[1:], texts[2:], strict=False)):
        numeric = literal[:1].isdigit() and kind in _NUMERIC
        if annotation == ":::" and (numeric or (literal[:1] == "'" and kind == "STRING")):
            kept.append(expression[done : starts[at] + len(literal)])
            done = starts[at + 2] + len(kind)
    return "".join(kept) + expression[done:]


def is_constraint(index: catalog.Index) -> bool:
    """Tell whether a unique index says no more than ``UNIQUE (columns)`` does."""
    return index.unique and not index_options(index) and all(_is_bare(element) for element in index.elements)


def _is_bare(element: catalog.IndexElement) -> bool:
    return element.name is not None and not _sorting(element)


def _sorting(element: catalog.IndexElement) -> tuple[str, ...]:
    """Give how an element is sorted, in SQLAlchemy's words; nothing for the server's default."""
    words = ("desc",) if element.direction == "DESC" else ()
    # CockroachDB sorts NULLs first when ascending (documentation, page "ORDER BY").
    if element.nulls is None or element.nulls == ("LAST" if words else "FIRST"):
        return words
    return (*words, f"nulls_{element.nulls.lower()}")


def _element(element: catalog.IndexElement) -> str:
    if element.name is not None:
        return element.name
    return f"{element.expression} DESC" if element.direction == "DESC" else str(element.expression)

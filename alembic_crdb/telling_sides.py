"""The two sides of a comparison as SQLAlchemy's objects, which is what Alembic's operations are made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Column, MetaData, Table
from sqlalchemy.types import NullType

from alembic_crdb import catalog
from alembic_crdb.model import elements_of
from alembic_crdb.model_reader import Reader
from alembic_crdb.snapshot import Name, Snapshot, name_of
from alembic_crdb.to_metadata import TableMaker


class Sides:
    """What the server has and what the models say.

    :param autogen_context: Alembic's ``AutogenContext``.
    :param database: what the server has.
    :param tables: the models' tables.
    :param default_schema: the schema of tables that name none.
    """

    def __init__(self, autogen_context: Any, database: Snapshot, tables: list[Table], default_schema: str) -> None:
        self.context = autogen_context
        self.database = database
        self.default_schema = default_schema
        self.tables = {(table.schema or default_schema, str(table.name)): table for table in tables}
        self.maker = TableMaker(database, default_schema)
        self.reader = Reader(autogen_context.dialect)
        self._metadata = MetaData()
        self._made: dict[Name, Table] = {}
        self._elements: dict[Name, dict[Any, Any]] = {}

    def included(self, item: Any, name: Any, kind: str, reflected: bool, compare_to: Any = None) -> bool:
        """Tell whether ``include_object`` lets something take part."""
        return bool(self.context.run_object_filters(item, name, kind, reflected, compare_to))

    def schema(self, key: Name) -> str | None:
        """Give the schema that operations on a table name; None for the default one."""
        return None if key[0] == self.default_schema else key[0]

    def reflected(self, key: Name) -> Table:
        """Make SQLAlchemy's table of one that the server has, once, and those that its foreign keys name."""
        if key not in self._made:
            self._made[key] = self.maker.table(key, self._metadata)
            for foreign_key in self.database.tables[key].foreign_keys:
                self._referred(name_of(foreign_key.table, self.default_schema), foreign_key.referenced)
        return self._made[key]

    def _referred(self, key: Name, columns: Iterable[str]) -> None:
        if key in self._made:
            return
        if key in self.database.tables:
            self.reflected(key)
        else:  # left out of the comparison; Alembic asks no more of it than its name
            named = (Column(column, NullType()) for column in columns)
            Table(key[1], self._metadata, *named, schema=self.schema(key), extend_existing=True)

    def model_column(self, key: Name, name: str) -> Column[Any]:
        """Give the model's column of this name."""
        table = self.tables[key]
        return next(column for column in table.columns if str(column.name) == name)

    def model_item(self, key: Name, element: Any) -> Any:
        """Give the model's constraint or index of a catalog object."""
        if key not in self._elements:
            pairs = elements_of(self.tables[key], self.reader)
            self._elements[key] = dict(pairs)
        items = self._elements[key]
        if element in items:
            return items[element]
        return next(
            (item for each, item in items.items() if _same_columns(each, element)),
            None,
        )


def existing_default(column: Column[Any], modified: bool = False) -> Any:
    """Give a column's default as Alembic's operations take it: False for none, and None where it gets another one."""
    return False if column.server_default is None and not modified else column.server_default


def _same_columns(one: Any, other: Any) -> bool:
    """Tell whether two catalog objects are one, spelled differently, such as an unnamed constraint and its index."""
    names = {getattr(one, "name", None), getattr(other, "name", None)} - {None}
    return len(names) < 2 and _columns(one) == _columns(other)


def _columns(item: Any) -> Any:
    if isinstance(item, catalog.Index):
        return ("unique" if item.unique else "index", tuple(element.name for element in item.elements))
    if isinstance(item, catalog.Unique):
        return ("unique", item.columns)
    if isinstance(item, catalog.ForeignKey):
        return ("foreign key", item.columns, item.table.name, item.referenced)
    return (type(item).__name__, getattr(item, "expression", None))


__all__ = ["Sides", "existing_default"]

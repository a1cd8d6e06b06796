"""Tables that are on the server just as the model has them, told from the catalog's rows by themselves.

Of a thousand tables a change touches a few. Making SQLAlchemy's objects of all others, only to find them equal, takes
many times as long as reading ``system_schema``; so those are settled first and left out of the comparison. Whatever
isn't plainly equal (a mask, an index under another name, a type of a project's own) is compared as ever.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Table
from sqlalchemy.types import TypeEngine
from sqlalchemy.util import get_cls_kwargs

from alembic_cluster.errors import ClusterError
from alembic_cql.catalog import Late
from alembic_cql.composites import Composite
from alembic_cql.differences import changed_options
from alembic_cql.indexes import identity
from alembic_cql.options import STRUCTURE_OPTIONS, check_options, table_options
from alembic_cql.reflection import KeyspaceInfo, RawRows, read_index
from alembic_cql.schema import key_of
from alembic_cql.typenames import SIMPLE, canonical_name, parse_type
from alembic_cql.types import VECTOR, UserType

# SQLAlchemy's types whose arguments say all that there is to say of them.
_PLAIN = (
    sa.String, sa.Text, sa.Unicode, sa.UnicodeText, sa.VARCHAR, sa.CHAR, sa.Integer, sa.SmallInteger, sa.BigInteger,
    sa.Boolean, sa.Date, sa.Time, sa.DateTime, sa.Float, sa.Double, sa.REAL, sa.Numeric, sa.LargeBinary, sa.Uuid,
    *SIMPLE.values(),
)  # fmt: skip
_STRUCTURE = frozenset(f"cql_{name}" for name in STRUCTURE_OPTIONS)
_IN_NO_OPTION = ("keyspace_name", "table_name", "id", "comment", "flags")


def settle(autogen_context: Any) -> None:
    """Leave out of an autogenerate the tables that are on the server just as the model has them.

    :param autogen_context: Alembic's ``AutogenContext``; its tables, and the keyspaces that its Inspector has read,
        are those that are left.
    """
    if callable(autogen_context.opts.get("compare_type")):
        return  # the project has a say in what is equal
    dialect, default = autogen_context.dialect, autogen_context.dialect.default_schema_name
    found = autogen_context.metadata
    tables: dict[str | None, list[Table]] = {}
    for metadata in found if isinstance(found, (list, tuple)) else [found]:
        for table in metadata.tables.values():
            tables.setdefault(None if table.schema == default else table.schema, []).append(table)
    settled: set[Table] = set()
    for schema, there in tables.items():
        if (schema is None and default is None) or not (schema is None or autogen_context.opts.get("include_schemas")):
            continue
        cache = autogen_context.inspector.info_cache
        info: KeyspaceInfo = dialect.keyspace_info(autogen_context.connection, schema, info_cache=cache)
        if info.raw is None or not isinstance(info.tables, Late):
            continue
        compare = _Comparison(info, info.raw, dialect)
        filters = autogen_context.run_name_filters
        equal = {
            table
            for table in there
            if table.name in info.tables
            and filters(table.name, "table", {"schema_name": schema})
            and compare.is_equal(table)
        }
        settled |= equal
        names = {table.name for table in equal}
        left = replace(info, tables=info.tables.without(names), settled=frozenset(names))
        cache["alembic_cql.keyspace_info", info.name] = left
    every = [table for there in tables.values() for table in there]
    is_left = [table for table in every if table not in settled]
    autogen_context.sorted_tables = (
        [table for table in autogen_context.sorted_tables if table not in settled] if is_left else []
    )


class _Comparison:
    def __init__(self, info: KeyspaceInfo, raw: RawRows, dialect: Any) -> None:
        self._info = info
        self._raw = raw
        self._dialect = dialect
        self._names: dict[Any, str] = {}  # canonical names of the model's types, by what they are made of
        self._texts: dict[str, str] = {}  # and of the server's
        self._options: dict[Any, bool] = {}
        rows = raw.columns
        self._places = [
            rows.names.index(name) for name in ("column_name", "clustering_order", "kind", "position", "type")
        ] if rows.rows else []  # fmt: skip
        self._option_places = [place for place, name in enumerate(raw.tables.names) if name not in _IN_NO_OPTION]
        self._comment = raw.tables.names.index("comment") if "comment" in raw.tables.names else None

    def is_equal(self, table: Table) -> bool:
        """Whether a table is plainly equal; False where it takes a closer look."""
        options = _options(table)
        if len(table.constraints) != 1 or table.name in self._raw.masked or "cql_id" in options:
            return False
        try:
            return (
                self._columns_are_equal(table, options)
                and self._options_are_equal(table, options)
                and self._indexes_are_equal(table)
            )
        except (ClusterError, sa.exc.SQLAlchemyError, TypeError):
            return False  # the comparison says what is wrong with what the model says

    def _columns_are_equal(self, table: Table, options: Mapping[str, Any]) -> bool:
        rows = self._raw.columns_by_table.get(table.name, ())
        columns = {column.name: column for column in table.columns}
        if len(rows) != len(columns):
            return False
        key = key_of(table, options)
        kinds: dict[str, tuple[str, int, str]] = {}
        for place, name in enumerate(key.partition):
            kinds[name] = ("partition_key", place, "none")
        for place, (name, order) in enumerate(key.clustering):
            kinds[name] = ("clustering", place, order.lower())
        at_name, at_order, at_kind, at_position, at_type = self._places
        for row in rows:
            column = columns.get(row[at_name])
            if column is None or column.server_default is not None:
                return False
            given = _options(column)
            if given.keys() - {"cql_static"}:  # a mask or a check
                return False
            wanted = kinds.get(column.name)
            if wanted is None:
                wanted = ("static" if given.get("cql_static") else "regular", -1, "none")
            if (row[at_kind], row[at_position], row[at_order].lower()) != wanted:
                return False
            if self._name(column.type) != self._text(row[at_type]):
                return False
        return True

    def _options_are_equal(self, table: Table, options: Mapping[str, Any]) -> bool:
        row = self._raw.table_rows[table.name]
        if self._comment is None or (table.comment or "") != (row[self._comment] or ""):
            return False
        ours = tuple((name, _frozen(value)) for name, value in options.items() if name not in _STRUCTURE)
        theirs = tuple(_frozen(row[place]) for place in self._option_places)
        extra = self._raw.extras.get(table.name)
        known = (ours, theirs, extra)
        if known not in self._options:
            check_options(table_options(options), table.name, self._dialect.features)
            changed, _ = changed_options(table, self._info.tables[table.name], self._dialect)
            self._options[known] = not changed
        return self._options[known]

    def _indexes_are_equal(self, table: Table) -> bool:
        rows = self._raw.indexes_by_table.get(table.name, ())
        if len(rows) != len(table.indexes):
            return False
        if not rows:
            return True
        wanted = {str(index.name): index for index in table.indexes}
        for row in rows:
            found = read_index(dict(zip(self._raw.indexes.names, row, strict=True)))
            index = wanted.get(found.name)
            if index is None or index.unique or len(index.expressions) != 1 or found.column not in table.c:
                return False
            options = _options(index)
            if list(index.columns) != [table.c[found.column]]:
                return False
            if identity(found.column, table.c[found.column].type, options) != identity(
                found.column, table.c[found.column].type, found.dialect_options
            ):
                return False
        return True

    def _name(self, kind: TypeEngine[Any]) -> str:
        key = _type_key(kind)
        if key is None:
            return canonical_name(kind, self._dialect)
        name = self._names.get(key)
        if name is None:
            name = self._names[key] = canonical_name(kind, self._dialect)
        return name

    def _text(self, text: str) -> str:
        name = self._texts.get(text)
        if name is None:
            name = self._texts[text] = canonical_name(parse_type(text), self._dialect)
        return name


_arguments: dict[type[Any], tuple[str, ...] | None] = {}


def _type_key(kind: Any) -> Any:
    """Give what two types have in common that are written alike; None where that can't be told."""
    if kind._variant_mapping:
        return None
    cls = kind.__class__
    if isinstance(kind, Composite):
        if isinstance(kind, UserType):
            return (cls, kind.schema, kind.name)
        parts = tuple(map(_type_key, kind.parts()))
        return None if None in parts else (cls, parts, kind.dimension if isinstance(kind, VECTOR) else None)
    if cls not in _arguments:
        _arguments[cls] = tuple(sorted(get_cls_kwargs(cls))) if cls in _PLAIN else None
    names = _arguments[cls]
    if names is None:
        return None
    if not names:
        return cls
    state = kind.__dict__
    return (cls, *map(state.get, names))


def _options(item: Any) -> dict[str, Any]:
    """Give the ``cql_*`` options that a table, column or index was given.

    ``dialect_kwargs`` says the same, and takes ten times as long; none are there before one is given or asked for.
    """
    there = item.__dict__.get("dialect_options")
    if there is None or "cql" not in there:
        return {}
    return {f"cql_{name}": value for name, value in there["cql"]._non_defaults.items()}


_SCALARS = frozenset((type(None), int, float, str, bytes))


def _frozen(value: Any) -> Any:
    """Give what two options' values have in common that mean the same, for a key."""
    cls = value.__class__
    if cls in _SCALARS:
        return value
    if hasattr(value, "items"):
        return tuple([(key, _frozen(item)) for key, item in value.items()])
    if isinstance(value, (list, tuple)):
        return tuple(map(_frozen, value))
    if isinstance(value, Set):
        return frozenset(value)
    return cls, value

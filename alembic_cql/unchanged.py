"""Tables that are on the server just as the model has them, told from the catalog's rows by themselves.

Of a thousand tables a change touches a few. Making SQLAlchemy's objects of all others, only to find them equal, takes
many times as long as reading ``system_schema``; so those are settled first and left out of the comparison. Whatever
isn't plainly equal (a mask, an index under another name, a type of a project's own) is compared as ever.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
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
    names = _TypeNames(dialect)
    for schema, there in tables.items():
        if (schema is None and default is None) or not (schema is None or autogen_context.opts.get("include_schemas")):
            continue
        wanted: list[_Wanted] = []

        def prepare(there: list[Table] = there, wanted: list[_Wanted] = wanted) -> None:
            wanted.extend(_Wanted.of(table, names) for table in there)

        cache = autogen_context.inspector.info_cache
        info: KeyspaceInfo = dialect.keyspace_info(
            autogen_context.connection, schema, info_cache=cache, meanwhile=prepare
        )
        if info.raw is None or not isinstance(info.tables, Late):
            continue
        if not wanted:
            prepare()
        compare = _Comparison(info, info.raw, dialect, names)
        filters = autogen_context.run_name_filters
        equal = {
            item.table
            for item in wanted
            if item.table.name in info.tables
            and filters(item.table.name, "table", {"schema_name": schema})
            and compare.is_equal(item)
        }
        settled |= equal
        left_out = {table.name for table in equal}
        left = replace(info, tables=info.tables.without(left_out), settled=frozenset(left_out))
        cache["alembic_cql.keyspace_info", info.name] = left
    every = [table for there in tables.values() for table in there]
    is_left = [table for table in every if table not in settled]
    autogen_context.sorted_tables = (
        [table for table in autogen_context.sorted_tables if table not in settled] if is_left else []
    )


class _TypeNames:
    """Canonical names of types, each kind of type and each text brought to its own once."""

    def __init__(self, dialect: Any) -> None:
        self._dialect = dialect
        self._names: dict[Any, str] = {}  # of the model's types, by what they are made of
        self._texts: dict[str, str] = {}  # of the server's

    def of_type(self, kind: TypeEngine[Any]) -> str:
        """Name a type of the model's."""
        key = _type_key(kind)
        if key is None:
            return canonical_name(kind, self._dialect)
        name = self._names.get(key)
        if name is None:
            name = self._names[key] = canonical_name(kind, self._dialect)
        return name

    def of_text(self, text: str) -> str:
        """Name a type of the server's."""
        name = self._texts.get(text)
        if name is None:
            name = self._texts[text] = canonical_name(parse_type(text), self._dialect)
        return name


@dataclass(frozen=True)
class _Wanted:
    """What a table's rows must say; made while the server is still looking for them.

    :ivar columns: kind, position, order and type's name of each column; None where it takes a closer look.
    :ivar key: what the options have in common that mean the same.
    """

    table: Table
    columns: Mapping[str, tuple[str, int, str, str]] | None
    options: Mapping[str, Any]
    key: Any

    @classmethod
    def of(cls, table: Table, names: _TypeNames) -> _Wanted:
        """Read a table of the model's."""
        options = _options(table)
        try:
            key = tuple([(name, _frozen(value)) for name, value in options.items() if name not in _STRUCTURE])
            return cls(table, cls._columns(table, options, names), options, key)
        except (ClusterError, sa.exc.SQLAlchemyError, TypeError):
            return cls(table, None, options, None)  # the comparison says what is wrong with it

    @staticmethod
    def _columns(
        table: Table, options: Mapping[str, Any], names: _TypeNames
    ) -> Mapping[str, tuple[str, int, str, str]] | None:
        if len(table.constraints) != 1 or "cql_id" in options:
            return None
        key = key_of(table, options)
        kinds = {name: ("partition_key", place, "none") for place, name in enumerate(key.partition)}
        for place, (name, order) in enumerate(key.clustering):
            kinds[name] = ("clustering", place, order.lower())
        found = {}
        for column in table.columns:
            given = _options(column)
            if column.server_default is not None or given.keys() - {"cql_static"}:  # a mask or a check
                return None
            kind = kinds.get(column.name) or ("static" if given.get("cql_static") else "regular", -1, "none")
            found[column.name] = (*kind, names.of_type(column.type))
        return found


class _Comparison:
    def __init__(self, info: KeyspaceInfo, raw: RawRows, dialect: Any, names: _TypeNames) -> None:
        self._info = info
        self._raw = raw
        self._dialect = dialect
        self._names = names
        self._options: dict[Any, bool] = {}
        rows = raw.columns
        self._places = [
            rows.names.index(name) for name in ("column_name", "clustering_order", "kind", "position", "type")
        ] if rows.rows else []  # fmt: skip
        self._option_places = [place for place, name in enumerate(raw.tables.names) if name not in _IN_NO_OPTION]
        self._comment = raw.tables.names.index("comment") if "comment" in raw.tables.names else None

    def is_equal(self, wanted: _Wanted) -> bool:
        """Whether a table is plainly equal; False where it takes a closer look."""
        if wanted.columns is None or wanted.table.name in self._raw.masked:
            return False
        try:
            return (
                self._columns_are_equal(wanted.table.name, wanted.columns)
                and self._options_are_equal(wanted)
                and self._indexes_are_equal(wanted.table)
            )
        except (ClusterError, sa.exc.SQLAlchemyError, TypeError):
            return False  # the comparison says what is wrong with what the model says

    def _columns_are_equal(self, name: str, columns: Mapping[str, tuple[str, int, str, str]]) -> bool:
        rows = self._raw.columns_by_table.get(name, ())
        if len(rows) != len(columns):
            return False
        at_name, at_order, at_kind, at_position, at_type = self._places
        of_text = self._names.of_text
        return all(
            columns.get(row[at_name]) == (row[at_kind], row[at_position], row[at_order].lower(), of_text(row[at_type]))
            for row in rows
        )

    def _options_are_equal(self, wanted: _Wanted) -> bool:
        table = wanted.table
        row = self._raw.table_rows[table.name]
        if self._comment is None or (table.comment or "") != (row[self._comment] or ""):
            return False
        theirs = tuple([_frozen(row[place]) for place in self._option_places])
        known = (wanted.key, theirs, self._raw.extras.get(table.name))
        if known not in self._options:
            check_options(table_options(wanted.options), table.name, self._dialect.features)
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

"""What a model says beyond SQLAlchemy's own words: keys, materialized views, and where all that isn't a table belongs.

On a Table: ``cql_partition_key`` (names; the first primary key column when not given; the other primary key columns
are clustering columns, in the primary key's order), ``cql_clustering_order`` (``{"ts": "DESC"}``), and each table
option as ``cql_<option>``. On a Column: ``cql_static``, ``cql_masked``, ``cql_check``. On an Index: ``cql_using``,
``cql_target``, ``cql_options``, ``cql_local``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, MetaData, Table
from sqlalchemy.types import TypeDecorator, TypeEngine

from alembic_cluster.errors import InvalidModel
from alembic_cql.composites import Composite
from alembic_cql.functions import AggregateDefinition, FunctionDefinition
from alembic_cql.keyspaces import Keyspace
from alembic_cql.types import COUNTER, FROZEN, LIST, MAP, TUPLE, VECTOR, UserType

_INFO_KEY = "alembic_cql"


@dataclass(frozen=True)
class Key:
    """A table's primary key.

    :ivar partition: names of the partition key columns.
    :ivar clustering: names and orders (``ASC`` or ``DESC``) of the clustering columns.
    """

    partition: tuple[str, ...]
    clustering: tuple[tuple[str, str], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """All names, in order."""
        return self.partition + tuple(name for name, _ in self.clustering)

    def __str__(self) -> str:
        partition = self.partition[0] if len(self.partition) == 1 else f"({', '.join(self.partition)})"
        return f"PRIMARY KEY ({', '.join([partition, *(f'{name} {order}' for name, order in self.clustering)])})"


@dataclass
class KeyspaceObjects:
    """What a MetaData holds besides tables, in the order in which it was declared."""

    types: dict[tuple[str | None, str], UserType] = field(default_factory=dict)
    views: dict[tuple[str | None, str], MaterializedView] = field(default_factory=dict)
    keyspaces: dict[str, Keyspace] = field(default_factory=dict)
    functions: list[FunctionDefinition] = field(default_factory=list)
    aggregates: list[AggregateDefinition] = field(default_factory=list)

    @property
    def definitions(self) -> list[FunctionDefinition | AggregateDefinition]:
        """Functions and aggregates, each aggregate after the functions that it may call."""
        return [*self.functions, *self.aggregates]


class MaterializedView:
    """A materialized view; ``create_all`` creates it after the tables.

    :param name: its name.
    :param metadata: where it belongs.
    :param base: name of the table it is made from.
    :param columns: the columns selected; all (``*``) when None.
    :param where: the condition as CQL, such as ``"id IS NOT NULL AND email IS NOT NULL"``.
    :param partition_key: names of its partition key columns.
    :param clustering: names of its clustering columns, or a mapping from name to ``ASC`` or ``DESC``.
    :param schema: keyspace; that of the connection when None.
    :param comment: the view's comment.
    :param options: table options by name (``gc_grace_seconds=3600``).
    :raises InvalidModel: for a key, a condition or options that are none.
    """

    def __init__(
        self,
        name: str,
        metadata: MetaData | None,
        base: str,
        where: str,
        partition_key: Sequence[str],
        clustering: Sequence[str] | Mapping[str, str] = (),
        columns: Sequence[str] | None = None,
        schema: str | None = None,
        comment: str | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.base = base
        self.columns = None if columns is None else _names(columns, f"materialized view {name!r}: columns")
        self.where = where
        self.key = _view_key(name, partition_key, clustering)
        if not str(where or "").strip():
            raise InvalidModel(
                f"materialized view {name!r}: where takes a condition such as 'id IS NOT NULL', not {where!r}; nothing "
                "was sent"
            )
        if options is not None and not isinstance(options, Mapping):
            raise InvalidModel(f"materialized view {name!r}: options takes a map, not {options!r}; nothing was sent")
        self.schema = schema
        self.comment = comment
        self.options = dict(options or {})
        if metadata is not None:
            attach(metadata, self)

    def __repr__(self) -> str:
        return f"MaterializedView({self.name!r}, base={self.base!r})"


def _names(given: Any, where: str) -> tuple[str, ...]:
    """Read names of columns.

    :raises InvalidModel: for something else, or none.
    """
    names = tuple(given) if isinstance(given, (list, tuple)) else ()
    if not names or not all(isinstance(name, str) for name in names):
        raise InvalidModel(f"{where} takes a list of columns, not {given!r}; nothing was sent")
    return names


def _view_key(name: str, partition_key: Any, clustering: Any) -> Key:
    where = f"materialized view {name!r}"
    partition = _names(partition_key, f"{where}: partition_key")
    if not isinstance(clustering, Mapping):
        clustering = dict.fromkeys(_names(clustering, f"{where}: clustering") if clustering else (), "ASC")
    for order in clustering.values():
        if str(order).upper() not in ("ASC", "DESC"):
            raise InvalidModel(f"{where}: clustering takes ASC or DESC, not {order!r}; nothing was sent")
    names = [*partition, *clustering]
    for column in names:
        if names.count(column) > 1:
            raise InvalidModel(f"{where}: {column!r} is in its primary key twice; nothing was sent")
    return Key(partition, tuple((column, str(order).upper()) for column, order in clustering.items()))


def keyspace_objects(metadata: MetaData) -> KeyspaceObjects:
    """Give what a MetaData holds besides tables; add to it with :func:`attach`."""
    found = metadata.info.get(_INFO_KEY)
    if found is None:
        found = metadata.info[_INFO_KEY] = KeyspaceObjects()
    assert isinstance(found, KeyspaceObjects)
    return found


def attach(metadata: MetaData, item: UserType | MaterializedView) -> None:
    """Make a user type or a view part of a MetaData.

    :raises InvalidModel: when it has one of that name already.
    """
    objects = keyspace_objects(metadata)
    known: dict[tuple[str | None, str], Any] = objects.types if isinstance(item, UserType) else objects.views
    if item.schema is None:
        item.schema = metadata.schema
    if (item.schema, item.name) in known:
        raise InvalidModel(f"the metadata has a {type(item).__name__} {item.name!r} already; give it another name")
    known[(item.schema, item.name)] = item


def sorted_types(types: Iterable[UserType]) -> list[UserType]:
    """Order user types so that each comes after those that it uses."""
    waiting = {(item.schema, item.name): item for item in types}
    done: list[UserType] = []

    def visit(item: UserType) -> None:
        if waiting.pop((item.schema, item.name), None) is None:
            return
        for used in used_types(kind for _, kind in item.fields):
            needed = waiting.get((used.schema or item.schema, used.name))
            if needed is not None:
                visit(needed)
        done.append(item)

    for item in list(waiting.values()):
        visit(item)
    return done


def declared_types(metadata: MetaData) -> dict[tuple[str | None, str], UserType]:
    """Give the user types that a MetaData needs: those that belong to it, and those that columns and functions use.

    A type lives in the keyspace of the tables that use it; one that names no keyspace is given theirs.

    :return: by keyspace and name. One without fields is a mere reference to a type that is there.
    """
    found = dict(keyspace_objects(metadata).types)
    waiting: list[tuple[str | None, TypeEngine[Any]]] = [
        (table.schema, column.type)
        for table in metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, (Composite, TypeDecorator))
    ]
    waiting += [(item.schema, kind) for item in found.values() for _, kind in item.fields]
    for definition in keyspace_objects(metadata).definitions:
        result = definition.returns if isinstance(definition, FunctionDefinition) else definition.stype
        waiting += [(definition.schema, kind) for kind in (*definition.types, result)]
    while waiting:
        schema, using = waiting.pop()
        for kind in used_types([using]):
            place = kind.schema or schema
            if (place, kind.name) not in found:
                there = kind if kind.schema == place else UserType(kind.name, kind.fields, schema=place)
                found[(place, kind.name)] = there
                waiting += [(place, inner) for _, inner in kind.fields]
    return found


def used_types(kinds: Iterable[Any]) -> list[UserType]:
    """Give the user types that some types use directly, at any depth of collections."""
    found: list[UserType] = []
    for kind in kinds:
        if isinstance(kind, UserType):
            found.append(kind)
        elif isinstance(kind, (LIST, MAP, TUPLE, FROZEN)):
            found.extend(used_types(kind.parts()))
        elif isinstance(kind, TypeDecorator):
            found.extend(used_types([kind.impl_instance]))
    return found


def table_key(table: Table) -> Key:
    """Read a table's key.

    :raises InvalidModel: when there is none, or the options name other columns than the primary key's.
    """
    return key_of(table, table.kwargs)


def key_of(table: Table, options: Mapping[str, Any]) -> Key:
    """Do the same with the table's ``cql_*`` options as they have been read already."""
    names = [column.name for column in table.primary_key.columns]
    if not names:
        raise InvalidModel(
            f"table {table.name!r} has no primary key, and every table needs one here: mark at least one column "
            "primary_key=True; nothing was sent"
        )
    wanted = options.get("cql_partition_key")
    partition = names[:1] if wanted is None else [wanted] if isinstance(wanted, str) else wanted
    if not isinstance(partition, (list, tuple)) or not partition:
        raise InvalidModel(
            f"table {table.name!r}: cql_partition_key takes names of columns, not {wanted!r}; nothing was sent"
        )
    for name in partition:
        if name not in names or partition.count(name) > 1:
            raise InvalidModel(
                f"table {table.name!r}: cql_partition_key names {name!r}, and the primary key has {', '.join(names)}; "
                "nothing was sent"
            )
    given = {} if options.get("cql_clustering_order") is None else options["cql_clustering_order"]
    orders: dict[Any, Any] = dict(given) if isinstance(given, Mapping) else {None: None}
    clustering = [(name, str(orders.pop(name, "ASC")).upper()) for name in names if name not in partition]
    if orders or any(order not in ("ASC", "DESC") for _, order in clustering):
        raise InvalidModel(
            f"table {table.name!r}: cql_clustering_order takes ASC or DESC for each clustering column "
            f"({', '.join(name for name, _ in clustering) or 'this table has none'}), not "
            f"{options.get('cql_clustering_order')!r}; nothing was sent"
        )
    return Key(tuple(partition), tuple(clustering))


def check_view(view: MaterializedView, base: Table) -> None:
    """Refuse a view that no server makes of a table (CreateViewStatement.java).

    :raises InvalidModel: naming the view and the rule.
    """
    where = f"materialized view {view.name!r}"
    primary, statics = table_key(base).columns, [column.name for column in base.columns if is_static(column)]
    selected = [column.name for column in base.columns] if view.columns is None else [*view.columns, *view.key.columns]
    unknown = [name for name in selected if name not in base.columns]
    if unknown:
        raise InvalidModel(f"{where}: table {base.name!r} has no column {unknown[0]!r}; nothing was sent")
    static = [name for name in statics if name in selected]
    if static:
        raise InvalidModel(
            f"{where} cannot hold {static[0]!r}, which is static in table {base.name!r}: list the other columns in "
            "columns=; nothing was sent"
        )
    missing = [name for name in primary if name not in view.key.columns]
    if missing:
        raise InvalidModel(
            f"{where}: its primary key lacks {missing[0]!r}; it must have all columns of the primary key of table "
            f"{base.name!r} ({', '.join(primary)}); nothing was sent"
        )
    more = [name for name in view.key.columns if name not in primary]
    if len(more) > 1:
        raise InvalidModel(
            f"{where}: its primary key has {' and '.join(more)}; only one column from outside the primary key of table "
            f"{base.name!r} may be in it; nothing was sent"
        )


def is_static(column: Column[Any]) -> bool:
    """Whether a column is static: one value a partition."""
    return bool(column.kwargs.get("cql_static"))


def is_counter(column: Column[Any]) -> bool:
    """Whether a column is a counter."""
    return isinstance(column.type, COUNTER)


def is_open(kind: Any) -> bool:
    """Whether a type is a collection that isn't frozen (tuples and vectors always are)."""
    return isinstance(kind, (LIST, MAP)) and not isinstance(kind, VECTOR)

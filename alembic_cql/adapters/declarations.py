"""What the models of a library declare, in words that belong to none, and the MetaData made out of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from sqlalchemy import Column, Index, MetaData, PrimaryKeyConstraint, Table
from sqlalchemy.types import TypeEngine

from alembic_cluster.errors import ClusterError, ConfigurationError, InvalidModel
from alembic_cql.differences import ANY_NAME
from alembic_cql.options import TABLE_OPTIONS
from alembic_cql.schema import Key, MaterializedView
from alembic_cql.typenames import parse_type
from alembic_cql.types import FROZEN, LIST, MAP, VECTOR, UserType

_NOT_OF_A_WORD = re.compile(r"[^A-Za-z0-9_]")


@dataclass(frozen=True)
class ColumnDeclaration:
    """One column: its type as CQL, and whether it is static."""

    type: str
    static: bool = False


@dataclass(frozen=True)
class IndexDeclaration:
    """One secondary index.

    :ivar name: its name; None leaves it to the server's rule, and takes an index of any name for it.
    :ivar using: class of a custom index; None for the built-in one.
    """

    column: str
    name: str | None = None
    using: str | None = None
    options: Mapping[str, str] | None = None


@dataclass
class TableDeclaration:
    """What one class says about its table; several classes may say something about the same.

    :ivar source: the class, for messages.
    :ivar keyspace: that of the table; None when the model leaves it to the connection.
    :ivar user_types: the fields (CQL types by name) of each user type that the columns need.
    """

    source: str
    keyspace: str | None
    name: str
    columns: dict[str, ColumnDeclaration]
    key: Key
    options: dict[str, Any] = field(default_factory=dict)
    indexes: list[IndexDeclaration] = field(default_factory=list)
    user_types: dict[str, dict[str, str]] = field(default_factory=dict)

    def merge(self, other: TableDeclaration) -> None:
        """Take over what another class says about the same table.

        :raises InvalidModel: when the two contradict each other.
        """
        self._agree(other, "the primary key", self.key, other.key)
        for name, column in other.columns.items():
            self._agree(other, f"column {name!r}", self.columns.setdefault(name, column), column)
        for name, value in other.options.items():
            self._agree(other, f"option {name!r}", self.options.setdefault(name, value), value)
        self.indexes += [index for index in other.indexes if index not in self.indexes]
        for type_name, fields in other.user_types.items():
            merge_fields(self.user_types, type_name, fields, other.source)

    def _agree(self, other: TableDeclaration, what: str, ours: Any, theirs: Any) -> None:
        if ours != theirs:
            raise InvalidModel(
                f"{self.source} and {other.source} share table {self.name!r} and differ in {what}: {ours} and "
                f"{theirs}; make them equal, or give one of them a table of its own"
            )


@dataclass(frozen=True)
class ViewDeclaration:
    """What one class says about its materialized view.

    :ivar columns: the columns selected; all when None.
    """

    source: str
    keyspace: str | None
    name: str
    base: str
    where: str
    key: Key
    columns: tuple[str, ...] | None = None


def merge_fields(known: dict[str, dict[str, str]], name: str, fields: Mapping[str, str], source: str) -> None:
    """Add the fields of a user type to those known.

    :raises InvalidModel: when a field is known with another type.
    """
    target = known.setdefault(name, {})
    for field_name, kind in fields.items():
        if target.setdefault(field_name, kind) != kind:
            raise InvalidModel(
                f"{source}: field {field_name!r} of user type {name!r} is {kind} here and {target[field_name]} in "
                "another class; give one of the two types another name"
            )


def listed(models: Any, user_type: type) -> tuple[list[Any], list[type]]:
    """Give what a caller named: models and modules, and apart from them the user types.

    :param models: one of them, or an iterable.
    :param user_type: what a user type derives from.
    """
    alone = isinstance(models, (type, ModuleType)) or not isinstance(models, Iterable)
    named: list[Any] = [models] if alone else list(models)
    types = [item for item in named if isinstance(item, type) and issubclass(item, user_type)]
    return [item for item in named if item not in types], types


def chosen_classes(
    named: Iterable[Any], bases: tuple[type, ...], is_abstract: Callable[[Any], bool], library: str
) -> Iterator[type]:
    """Give the classes that a caller means, each once: those named, those of a module, those below an abstract one.

    :param named: classes and modules.
    :param bases: what a class must derive from.
    :param is_abstract: whether a class has no table of its own.
    :param library: name of the library, for messages.
    :raises ConfigurationError: for anything else, and for a module or an abstract class without models.
    """
    done: set[type] = set()
    for item in named:
        if isinstance(item, ModuleType):
            members = [member for member in vars(item).values() if isinstance(member, type)]
            found = [member for member in members if issubclass(member, bases) and not is_abstract(member)]
        elif isinstance(item, type) and issubclass(item, bases):
            found = [item] if not is_abstract(item) else [cls for cls in subclasses(item) if not is_abstract(cls)]
        else:
            raise ConfigurationError(f"{item!r} is neither a {library} model nor a module with such models")
        if not found:
            raise ConfigurationError(
                f"{item!r} has no {library} models (modules below it aren't searched, and classes not imported yet "
                "aren't known): import them, or name them"
            )
        yield from (cls for cls in found if cls not in done)
        done.update(found)


def subclasses(cls: type) -> list[type]:
    """Give all classes below one, at any depth, each once, in the order of their making."""
    found: dict[type, None] = {}
    children: list[type] = cls.__subclasses__()
    for child in children:
        found.setdefault(child, None)
        found.update(dict.fromkeys(subclasses(child)))
    return list(found)


def build_metadata(
    tables: Iterable[TableDeclaration],
    views: Iterable[ViewDeclaration] = (),
    user_types: Mapping[str, Mapping[str, str]] | None = None,
    keyspace: str | None = None,
) -> MetaData:
    """Make the MetaData.

    :param user_types: fields of user types that the models need not use, for the connection's keyspace.
    :param keyspace: the connection's; tables there are written without keyspace. When None it is the only keyspace
        that the declarations name, and nothing when they name several.
    :raises InvalidModel: for what no table can be, naming the class.
    """
    merged: dict[tuple[str | None, str], TableDeclaration] = {}
    for table in tables:
        known = merged.setdefault((table.keyspace, table.name), table)
        if known is not table:
            known.merge(table)
    views = list(views)
    named = {table.keyspace for table in merged.values()} | {view.keyspace for view in views}
    if keyspace is None and len(named) == 1:
        keyspace = next(iter(named))
    metadata = MetaData()
    types: dict[str | None, _UserTypes] = {}

    def schema_of(item: TableDeclaration | ViewDeclaration) -> str | None:
        return None if item.keyspace == keyspace else item.keyspace

    for table in merged.values():
        schema = schema_of(table)
        types.setdefault(schema, _UserTypes(metadata, schema)).declare(table.user_types, table.source)
    types.setdefault(None, _UserTypes(metadata, None)).declare(user_types or {}, "the models")
    for of_keyspace in types.values():
        of_keyspace.make_all()
    names: dict[str | None, set[str]] = {}
    for table in merged.values():
        schema = schema_of(table)
        _to_table(table, metadata, schema, types[schema], names.setdefault(schema, set()))
    for view in views:
        MaterializedView(
            view.name,
            metadata,
            base=view.base,
            where=view.where,
            partition_key=view.key.partition,
            clustering=dict(view.key.clustering),
            columns=view.columns,
            schema=schema_of(view),
        )
    return metadata


class _UserTypes(Mapping[str, UserType]):
    """The user types of a keyspace, each made when it is asked for, so that those it uses are made before it."""

    def __init__(self, metadata: MetaData, schema: str | None) -> None:
        self._metadata = metadata
        self._schema = schema
        self._fields: dict[str, dict[str, str]] = {}
        self._made: dict[str, UserType | None] = {}

    def declare(self, user_types: Mapping[str, Mapping[str, str]], source: str) -> None:
        for name, fields in user_types.items():
            merge_fields(self._fields, name, fields, source)

    def make_all(self) -> None:
        for name in self._fields:
            self[name]

    def __getitem__(self, name: str) -> UserType:
        if name not in self._made:
            fields = self._fields[name]
            self._made[name] = None
            where = f"user type {name!r}, field "
            pairs = [(field, _type(kind, self, f"{where}{field!r}")) for field, kind in fields.items()]
            self._made[name] = UserType(name, self._metadata, pairs, schema=self._schema)
        made = self._made[name]
        if made is None:
            raise InvalidModel(f"user type {name!r} contains itself; nothing was sent")
        return made

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)


def _type(text: str, user_types: Mapping[str, UserType], where: str) -> TypeEngine[Any]:
    try:
        return parse_type(text, user_types)
    except InvalidModel:
        raise
    except ClusterError as error:
        raise InvalidModel(f"{where}: {error}; nothing was sent") from error


def _to_table(
    table: TableDeclaration,
    metadata: MetaData,
    schema: str | None,
    user_types: Mapping[str, UserType],
    index_names: set[str],
) -> None:
    if not table.key.partition:
        raise InvalidModel(f"{table.source} has no primary key, and every table needs one here; nothing was sent")
    kinds = {
        name: _type(column.type, user_types, f"{table.source}, column {name!r}")
        for name, column in table.columns.items()
    }
    columns = [
        Column(
            name,
            kinds[name],
            nullable=name not in table.key.columns,
            autoincrement=False,
            cql_static=column.static or None,
        )
        for name, column in table.columns.items()
    ]
    options = {name: _map_as_sent(value) for name, value in table.options.items() if value is not None}
    comment = options.pop("comment", None)
    for name in options:
        if name not in TABLE_OPTIONS:
            raise InvalidModel(
                f"{table.source}: there is no table option {name!r}; there are {', '.join(TABLE_OPTIONS)} and comment; "
                "nothing was sent"
            )
    kwargs = {f"cql_{name}": value for name, value in options.items()}
    if len(table.key.partition) > 1:
        kwargs["cql_partition_key"] = list(table.key.partition)
    if any(order != "ASC" for _, order in table.key.clustering):
        kwargs["cql_clustering_order"] = dict(table.key.clustering)
    Table(
        table.name,
        metadata,
        *columns,
        PrimaryKeyConstraint(*table.key.columns),
        *(_to_index(index, table.name, kinds[index.column], index_names) for index in table.indexes),
        schema=schema,
        comment=comment or None,
        **kwargs,
    )


def _map_as_sent(value: Any) -> Any:
    """Give a map of texts as both libraries send it: whatever a value is, its ``str``."""
    return {str(key): str(item) for key, item in value.items()} if isinstance(value, Mapping) else value


def _to_index(index: IndexDeclaration, table: str, kind: TypeEngine[Any], taken: set[str]) -> Index:
    # Only full() can index a frozen collection.
    full = isinstance(kind, FROZEN) and isinstance(kind.inner, (LIST, MAP)) and not isinstance(kind.inner, VECTOR)
    name = index.name or _default_index_name(table, index.column, taken)
    taken.add(name)
    return Index(
        name,
        index.column,
        info={} if index.name else {ANY_NAME: True},
        cql_target="full" if full else None,
        cql_using=index.using,
        cql_options=dict(index.options) if index.options else None,
    )


def _default_index_name(table: str, column: str, taken: set[str]) -> str:
    """Give the name that the server gives to an index without one (Cassandra: findAvailableIndexName)."""
    base = _NOT_OF_A_WORD.sub("", f"{table}_{column}") + "_idx"
    names = [base, *(f"{base}_{number}" for number in range(1, len(taken) + 1))]
    return next(name for name in names if name not in taken)

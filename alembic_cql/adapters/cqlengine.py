"""Models of cqlengine, the object mapper that comes with cassandra-driver and scylla-driver.

What a model means on the server is what cqlengine's own ``sync_table`` makes of it; the facts are those of
``cassandra/cqlengine/{columns,management,models,usertype}.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import MetaData

from alembic_cluster.errors import ConfigurationError, first_line
from alembic_cql.adapters.declarations import (
    ColumnDeclaration,
    IndexDeclaration,
    TableDeclaration,
    build_metadata,
    chosen_classes,
    listed,
    merge_fields,
    subclasses,
)
from alembic_cql.schema import Key


def metadata_from_cqlengine(models: Any, *, keyspace: str | None = None) -> MetaData:
    """Make MetaData out of cqlengine models: ``target_metadata = metadata_from_cqlengine([User, Order])``.

    Keys, clustering order, static columns, ``db_field``, ``index=True``, ``__table_name__``, ``__options__`` and
    user types come over as ``sync_table`` would create them. Abstract models have no table. Models that inherit from
    one with a discriminator column share its table, and naming one of them stands for all of them. A column with
    ``custom_index=True`` has an index that cqlengine leaves to others, so nothing is declared for it.

    :param models: a model class, an abstract base class (for all models below it that are imported), a module (for
        the models in it), or an iterable of these; also ``UserType`` classes that no model uses.
    :param keyspace: the connection's keyspace, whose tables are written without one. When None it is the keyspace of
        the models (``__keyspace__`` or cqlengine's default) if they all have the same; tables in other keyspaces name
        theirs, and env.py then needs ``include_schemas=True``.
    :raises ConfigurationError: when no driver is installed, or something else than models is given.
    :raises InvalidModel: for models that no table can be, or that contradict each other.
    """
    library = _Library()
    named, types = listed(models, library.user_type)
    classes = chosen_classes(named, (library.model,), _is_abstract, "cqlengine")
    tables = [library.table(cls) for cls in _with_relatives(classes)]
    user_types: dict[str, dict[str, str]] = {}
    for cls in types:
        library.collect_type(cls, user_types)
    return build_metadata(tables, user_types=user_types, keyspace=keyspace)


def _with_relatives(classes: Iterator[Any]) -> list[Any]:
    """Add the models that share a table with one of those given: each knows only some of its columns."""
    found: dict[Any, None] = {}
    for cls in classes:
        if cls._is_polymorphic:
            base = cls if cls._is_polymorphic_base else cls._polymorphic_base
            family = [relative for relative in [base, *subclasses(base)] if not _is_abstract(relative)]
            found.update(dict.fromkeys(item for item in family if _table_of(item) == _table_of(cls)))
        found.setdefault(cls)
    return list(found)


def _is_abstract(cls: Any) -> bool:
    return bool(cls.__abstract__)


def _table_of(cls: Any) -> tuple[str | None, str]:
    return cls._get_keyspace(), cls._raw_column_family_name()


class _Library:
    """The parts of cqlengine that are needed.

    :raises ConfigurationError: when they can't be imported.
    """

    def __init__(self) -> None:
        try:
            from cassandra.cqlengine import columns, models, usertype
        except Exception as error:  # also the driver's own, for an event loop that it misses
            raise ConfigurationError(
                f"cqlengine cannot be loaded ({first_line(error)}): it comes with the driver, "
                "pip install 'alembic-cluster[cassandra]' (or 'alembic-cluster[scylla]')"
            ) from error
        self.model: type = models.Model
        self.user_type: type = usertype.UserType
        self._columns: Any = columns

    def table(self, cls: Any) -> TableDeclaration:
        """Read a model."""
        columns = list(cls._columns.values())
        keyspace, name = _table_of(cls)
        user_types: dict[str, dict[str, str]] = {}
        for column in columns:
            self._collect_types(column, user_types)
        partition = tuple(column.db_field_name for column in columns if column.partition_key)
        clustering = tuple(
            (column.db_field_name, (column.clustering_order or "ASC").upper())
            for column in columns
            if column.primary_key and not column.partition_key
        )
        return TableDeclaration(
            source=f"{cls.__module__}.{cls.__qualname__}",
            keyspace=keyspace,
            name=name,
            columns={item.db_field_name: ColumnDeclaration(item.db_type, bool(item.static)) for item in columns},
            key=Key(partition, clustering),
            options=dict(cls.__options__ or {}),
            indexes=[IndexDeclaration(column.db_field_name) for column in columns if column.index],
            user_types=user_types,
        )

    def collect_type(self, cls: Any, found: dict[str, dict[str, str]]) -> None:
        """Read a user type, and those that it uses."""
        for field in cls._fields.values():
            self._collect_types(field, found)
        fields = {field.db_field_name: field.db_type for field in cls._fields.values()}
        merge_fields(found, cls.type_name(), fields, f"{cls.__module__}.{cls.__qualname__}")

    def _collect_types(self, column: Any, found: dict[str, dict[str, str]]) -> None:
        used: list[Any] = []
        self._columns.resolve_udts(column, used)
        for cls in used:
            self.collect_type(cls, found)

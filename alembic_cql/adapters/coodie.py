"""Documents of coodie, a mapper that makes Cassandra and ScyllaDB tables out of pydantic models.

What a document means on the server is what coodie's own ``sync_table`` and ``sync_view`` make of it; the facts are
those of ``coodie/{schema,types,cql_builder,usertype}.py`` and ``coodie/sync/document.py`` of release 1.9.3.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import Any

from sqlalchemy import MetaData
from sqlalchemy.engine.default import DefaultDialect

from alembic_cluster.errors import ConfigurationError, InvalidModel, first_line
from alembic_cql.adapters.declarations import (
    ColumnDeclaration,
    IndexDeclaration,
    TableDeclaration,
    ViewDeclaration,
    build_metadata,
    chosen_classes,
    listed,
    merge_fields,
    subclasses,
)
from alembic_cql.identifiers import CqlIdentifierPreparer
from alembic_cql.schema import Key


def metadata_from_coodie(documents: Any, *, keyspace: str | None = None) -> MetaData:
    """Make MetaData out of coodie documents: ``target_metadata = metadata_from_coodie([Product, Review])``.

    Keys, clustering order, static and counter columns, indexes, vectors, user types, ``Settings`` (``name``,
    ``keyspace``, ``__default_ttl__``, ``__options__``) and materialized views come over as ``sync_table`` and
    ``sync_view`` would create them; a ``VectorIndex`` becomes ScyllaDB's vector index there and an SAI index on
    Cassandra, which has no other. Abstract documents have no table. Documents that inherit from one with a
    ``Discriminator`` share its table, and naming one of them stands for all of them.

    :param documents: a document class of ``coodie.sync`` or ``coodie.aio``, an abstract base class (for all documents
        below it that are imported), a module (for the documents in it), or an iterable of these; also ``UserType``
        classes that no document uses.
    :param keyspace: the connection's keyspace, whose tables are written without one. When None it is the keyspace of
        the documents (``Settings.keyspace`` or the registered driver's) if they all have the same; tables in other
        keyspaces name theirs, and env.py then needs ``include_schemas=True``.
    :raises ConfigurationError: when coodie isn't installed, or something else than documents is given.
    :raises InvalidModel: for documents that no table can be, or that contradict each other.
    """
    library = _Library()
    named, types = listed(documents, library.user_type)
    classes = library.with_relatives(chosen_classes(named, library.documents, library.is_abstract, "coodie"))
    tables = [library.table(cls) for cls in classes if not issubclass(cls, library.views)]
    views = [library.view(cls, tables) for cls in classes if issubclass(cls, library.views)]
    user_types: dict[str, dict[str, str]] = {}
    for cls in types:
        library.collect_types(cls, user_types)
    return build_metadata(tables, views, user_types, keyspace)


class _Library:
    """The parts of coodie that are needed.

    :raises ConfigurationError: when they can't be imported.
    """

    def __init__(self) -> None:
        try:
            from coodie import aio, cql_builder, exceptions, schema, sync, types, usertype
            from pydantic import BaseModel

            self._build_schema = schema.build_schema
            self._hints = schema._cached_type_hints
            self._polymorphic_base = schema._resolve_polymorphic_base
            self._stored_name = cql_builder.schema_name
            self._type_name = types._udt_type_name
            self._type_text = types.python_type_to_cql_type_str
        except (ImportError, AttributeError) as error:
            raise ConfigurationError(
                f"coodie cannot be loaded, or is of a release that is not known here ({first_line(error)}): "
                "pip install 'coodie==1.9.3'"
            ) from error
        self.documents: tuple[type, ...] = (sync.Document, aio.Document)
        self.views: tuple[type, ...] = (sync.MaterializedView, aio.MaterializedView)
        self.user_type: type = usertype.UserType
        self._model: type = BaseModel
        self._error = exceptions.CoodieError
        self._reading: list[type] = []

    def is_abstract(self, cls: Any) -> bool:
        """Whether a document has no table: marked so, one of coodie's own, or a keyless base of others."""
        if cls.__module__.startswith("coodie.") or getattr(_settings(cls), "__abstract__", False):
            return True
        return bool(cls.__subclasses__()) and not any(column.primary_key for column in self._columns(cls))

    def with_relatives(self, classes: Iterator[Any]) -> list[Any]:
        """Add the documents that share a table with one of those given: each knows only some of its columns."""
        found: dict[Any, None] = {}
        for cls in classes:
            base = self._polymorphic_base(cls)
            if base is not None:
                family = [relative for relative in [base, *subclasses(base)] if not self.is_abstract(relative)]
                found.update(dict.fromkeys(item for item in family if self._table_of(item) == self._table_of(cls)))
            found.setdefault(cls)
        return list(found)

    def table(self, cls: Any) -> TableDeclaration:
        """Read a document."""
        columns = self._columns(cls)
        keyspace, name = self._table_of(cls)
        user_types: dict[str, dict[str, str]] = {}
        for column in columns:
            self._collect_from(self._hints(cls)[column.name], user_types)
        return TableDeclaration(
            source=_source(cls),
            keyspace=keyspace,
            name=name,
            columns={column.name: ColumnDeclaration(column.cql_type, bool(column.static)) for column in columns},
            key=_key(columns),
            options=dict(cls._get_table_options() or {}),
            indexes=[index for column in columns for index in self._indexes(name, column)],
            user_types=user_types,
        )

    def _indexes(self, table: str, column: Any) -> Iterator[IndexDeclaration]:
        default = self._stored_name(f"{table}_{column.name}_idx")
        if column.index:
            yield IndexDeclaration(column.name, self._stored_name(column.index_name) if column.index_name else default)
        if column.vector_index:
            yield IndexDeclaration(column.name, default, "vector_index", column.vector_index_options)

    def view(self, cls: Any, tables: list[TableDeclaration]) -> ViewDeclaration:
        """Read a materialized view.

        :param tables: the tables declared; a view's clustering columns have the order that they have in its table.
        """
        keyspace, name = self._table_of(cls)
        declared = self._columns(cls)
        key = _key(declared)
        try:
            base = self._stored_name(cls._get_base_table())
        except self._error as error:
            raise InvalidModel(f"{_source(cls)}: {first_line(error)}; nothing was sent") from error
        orders: dict[str, str] = {}
        for table in tables:
            if (table.keyspace, table.name) == (keyspace, base):
                orders.update(table.key.clustering)
        orders.update(cls._get_clustering_order() or {})
        clustering = tuple((column, orders.get(column, "ASC").upper()) for column, _ in key.clustering)
        columns = cls._get_view_columns()
        not_null = " AND ".join(_not_null(item.name) for item in declared if item.name in key.columns)
        return ViewDeclaration(
            source=_source(cls),
            keyspace=keyspace,
            name=name,
            base=base,
            where=getattr(_settings(cls), "__where_clause__", None) or not_null,
            key=Key(key.partition, clustering),
            columns=None if "*" in columns else tuple(columns),
        )

    def collect_types(self, cls: Any, found: dict[str, dict[str, str]]) -> None:
        """Read a user type, and those that it uses."""
        if cls in self._reading:
            raise InvalidModel(f"{_source(cls)} contains itself, which no user type can; nothing was sent")
        self._reading.append(cls)
        name = self._stored_name(self._type_name(cls))
        fields: dict[str, str] = {}
        for field, annotation in self._hints(cls).items():
            if field.startswith("_") or field == "Settings" or typing.get_origin(annotation) is typing.ClassVar:
                continue
            self._collect_from(annotation, found)
            try:
                fields[field] = self._type_text(annotation)
            except self._error as error:
                raise InvalidModel(f"{_source(cls)}, field {field!r}: {first_line(error)}; nothing was sent") from error
        self._reading.remove(cls)
        merge_fields(found, name, fields, _source(cls))

    def _collect_from(self, annotation: Any, found: dict[str, dict[str, str]]) -> None:
        if isinstance(annotation, type) and issubclass(annotation, self._model):
            self.collect_types(annotation, found)
        for part in typing.get_args(annotation):
            self._collect_from(part, found)

    def _columns(self, cls: Any) -> list[Any]:
        try:
            return list(self._build_schema(cls))
        except self._error as error:
            raise InvalidModel(f"{_source(cls)}: {first_line(error)}; nothing was sent") from error

    def _table_of(self, cls: Any) -> tuple[str | None, str]:
        try:
            keyspace = self._stored_name(cls._get_keyspace())
        except self._error:  # neither Settings nor a registered driver names one
            keyspace = None
        return keyspace, self._stored_name(cls.table_name())


def _not_null(name: str) -> str:
    return f"{CqlIdentifierPreparer(DefaultDialect()).quote(name)} IS NOT NULL"


def _settings(cls: Any) -> Any:
    return getattr(cls, "Settings", None)


def _source(cls: Any) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _key(columns: list[Any]) -> Key:
    partition = sorted((column for column in columns if column.primary_key), key=lambda c: c.partition_key_index)
    clustering = sorted((column for column in columns if column.clustering_key), key=lambda c: c.clustering_key_index)
    return Key(
        tuple(column.name for column in partition),
        tuple((column.name, column.clustering_order.upper()) for column in clustering),
    )

"""Catalog objects made ready for a version of the server: in its spelling, and refused where it lacks something."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from alembic_cluster.errors import UnsupportedConstruct
from alembic_crdb import catalog_objects, versions
from alembic_crdb.catalog import Column, Index, Parameters, PrimaryKey, SequenceOptions, SQLType, Table
from alembic_crdb.catalog_objects import Comment, CreateIndex, Sequence, Statement, View

Version = tuple[int, int]
_T = TypeVar("_T", Index, PrimaryKey)
_TRIGRAM = "gin_trgm_ops"


def ready(statement: Statement, version: Version) -> Statement:
    """Give a statement as a server of this version takes it.

    :param statement: made from a model.
    :param version: as :func:`alembic_crdb.versions.version_of` gives it.
    :raises UnsupportedConstruct: the server is too old for it.
    """
    match statement:
        case Table():
            return ready_table(statement, version)
        case CreateIndex(table=table, index=index):
            return replace(statement, index=ready_index(index, version, table.name))
        case catalog_objects.AddConstraint(table=table, constraint=PrimaryKey() as key):
            return replace(statement, constraint=ready_primary_key(key, version, table.name))
        case Sequence(name=name, options=options):
            require_sequence(options, version, f"Sequence {name.name}")
        case View(name=name, parameters=parameters) if parameters:
            versions.SECURITY_INVOKER.require(version, f"View {name.name} has parameters, which")
        case Comment(target="SCHEMA", name=name):
            versions.SCHEMA_COMMENT.require(version, f"The comment on schema {name.name}")
        case Comment(target="TYPE", name=name):
            versions.TYPE_COMMENT.require(version, f"The comment on type {name.name}")
        case Comment(target="CONSTRAINT", name=name, child=child):
            versions.CONSTRAINT_COMMENT.require(version, f"The comment on constraint {child} of table {name.name}")
        case catalog_objects.Domain(name=name):
            versions.DOMAINS.require(version, f"Domain {name.name}")
        case _:
            pass
    return statement


def ready_table(table: Table, version: Version) -> Table:
    """Give a table as a server of this version takes it.

    :raises UnsupportedConstruct: the server is too old for it.
    """
    name = table.name.name
    for column in table.columns:
        require_column(column, version, name)
    require_parameters(table.parameters, version, f"Table {name}")
    key = table.primary_key
    return replace(
        table,
        primary_key=None if key is None else ready_primary_key(key, version, name),
        indexes=tuple(ready_index(index, version, name) for index in table.indexes),
    )


def require_column(column: Column, version: Version, table: str) -> None:
    """Refuse a column that a server of this version does not have.

    :raises UnsupportedConstruct: the server is too old for it.
    """
    of = f"Column {column.name} of table {table}"
    require_type(column.type, version, of)
    if column.identity is not None:
        versions.IDENTITY.require(version, f"{of} is GENERATED AS IDENTITY, which")
        require_sequence(column.identity.options, version, of)
    if column.on_update is not None:
        versions.ON_UPDATE.require(version, f"{of} has ON UPDATE, which")


def require_parameters(parameters: Parameters, version: Version, of: str) -> None:
    """Refuse storage parameters of a table that a server of this version does not have.

    :raises UnsupportedConstruct: the server is too old for one.
    """
    for name, _ in parameters:
        if name == "ttl" or name.startswith("ttl_"):
            versions.ROW_LEVEL_TTL.require(version, f"{of} has row-level TTL, which")
        elif name in versions.PARAMETERS:
            versions.PARAMETERS[name].require(version, f"{of} has the storage parameter {name}, which")


def require_type(kind: SQLType, version: Version, of: str) -> None:
    """Refuse a type that a server of this version does not have.

    :raises UnsupportedConstruct: the server is too old for it.
    """
    switch = versions.TYPES.get(kind.name) if isinstance(kind.name, str) else None
    if switch is not None:
        switch.require(version, f"{of} has the type {kind.name}, which")


def require_sequence(options: SequenceOptions, version: Version, of: str) -> None:
    """Refuse options of a sequence that a server of this version does not have.

    :raises UnsupportedConstruct: the server is too old for them.
    """
    if options.as_type is not None:
        versions.SEQUENCE_TYPE.require(version, f"{of} has AS {options.as_type}, which")


def ready_index(index: Index, version: Version, table: str) -> Index:
    """Give an index as a server of this version takes it.

    :raises UnsupportedConstruct: the server is too old for it.
    """
    of = f"Index {index.name} of table {table}"
    if any(element.expression is not None for element in index.elements):
        versions.EXPRESSION_INDEX.require(version, f"{of} is on an expression, which")
    if any(element.opclass == _TRIGRAM for element in index.elements):
        versions.TRIGRAM_INDEX.require(version, f"{of} is a trigram index, which")
    if index.kind == "VECTOR":
        versions.VECTOR_INDEX.require(version, f"{of} is a vector index, which")
    if index.visibility == 0:
        versions.INVISIBLE_INDEX.require(version, f"{of} is not visible, which")
    elif index.visibility != 1:
        versions.PARTLY_VISIBLE_INDEX.require(version, f"{of} is visible in part, which")
    return _spelled(index, version, of)


def ready_primary_key(key: PrimaryKey, version: Version, table: str) -> PrimaryKey:
    """Give a primary key as a server of this version takes it.

    :raises UnsupportedConstruct: the server is too old for it.
    """
    return _spelled(key, version, f"The primary key of table {table}")


def _spelled(index: _T, version: Version, of: str) -> _T:
    """Write the clauses as the server takes them, not as another one printed them."""
    if not index.hash_sharded or versions.BUCKET_COUNT_PARAMETER.on(version):
        return replace(index, clauses=())
    if index.bucket_count is None:
        raise UnsupportedConstruct(
            f"{of} is hash-sharded without a bucket_count, which servers before v22.1 need. Nothing of it was sent; "
            f"say cockroachdb_with={{'bucket_count': 8}} ({versions.BUCKET_COUNT_PARAMETER.source})."
        )
    return replace(index, clauses=("HASH BUCKET_COUNT",))

"""``create_all`` and ``drop_all`` on CockroachDB: what SQLAlchemy does not send by itself.

SQLAlchemy sends the tables, indexes, sequences, enum types and comments of a MetaData. Its events bring the rest:
before them regions and schemas, after them the NOT VALID constraints, views, zone configurations and other comments.
Before the first statement the whole MetaData is read, so that what the server does not take is refused while nothing
was sent. Importing this module registers the events.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Connection, Dialect, Index, MetaData, Table, event, text
from sqlalchemy.schema import AddConstraint, sort_tables_and_constraints

from alembic_cluster.errors import ConfigurationError
from alembic_crdb import ddl_create, requirements
from alembic_crdb.catalog import ObjectName
from alembic_crdb.catalog_objects import AlterDatabase, Comment, Statement
from alembic_crdb.catalog_objects import Schema as CatalogSchema
from alembic_crdb.ddl import CockroachDDL, Emit
from alembic_crdb.ddl_objects import AlterDatabase as ExecuteAlterDatabase
from alembic_crdb.ddl_objects import ConfigureZone, CreateSchema, CreateView, DropView
from alembic_crdb.model import index_to_catalog
from alembic_crdb.model_objects import (
    comments_of,
    sequence_to_catalog,
    sequences_of,
    sorted_views,
    view_to_catalog,
    zone_to_catalog,
)
from alembic_crdb.model_reader import Reader, options
from alembic_crdb.schema import DatabaseRegions, objects_of
from alembic_crdb.versions import version_of

_DIALECT: Final = "cockroachdb"
_CYCLIC: Final = "alembic_crdb_cyclic"
_DATABASE: Final = text("SELECT current_database()")


def _is_ours(connection: Any) -> bool:
    return connection is not None and connection.dialect.name == _DIALECT


def _is_whole(kw: dict[str, Any]) -> bool:
    """Tell whether all of a MetaData is created or dropped, not some of its tables."""
    return getattr(kw.get("_ddl_runner"), "tables", None) is None


@event.listens_for(MetaData, "before_create")
def _before_create(metadata: MetaData, connection: Connection, *, tables: Any = (), **kw: Any) -> None:
    if not _is_ours(connection):
        return
    for table in tables or ():
        ddl_create.refuse_table(table, connection.dialect)
    runner = kw.get("_ddl_runner")
    if runner is not None:
        *_, (_, cyclic) = sort_tables_and_constraints(list(tables or ()))  # type: ignore[no-untyped-call]
        runner.memo[_CYCLIC] = cyclic
    if not _is_whole(kw):
        return
    _refuse(metadata, Reader(connection.dialect), version_of(connection.dialect))
    checkfirst = bool(kw.get("checkfirst"))
    objects = objects_of(metadata)
    for statement in region_statements(objects.regions, connection, checkfirst):
        connection.execute(statement)
    for each in objects.schemas:
        connection.execute(CreateSchema(CatalogSchema(ObjectName(each.name), each.owner, checkfirst)))


def _refuse(metadata: MetaData, reader: Reader, version: tuple[int, int]) -> None:
    """Refuse what is no table and the server does not take, before anything is sent.

    :raises UnsupportedConstruct: there is something.
    :raises InvalidModel: there is something that makes no sense.
    """
    objects = objects_of(metadata)
    statements: list[Statement] = [view_to_catalog(view, reader) for view in objects.views]
    statements += [sequence_to_catalog(sequence, reader) for sequence in sequences_of(metadata, ())]
    statements += [zone_to_catalog(zone, reader) for zone in objects.zones]
    statements += comments_of(metadata, (), reader)
    reader.check()
    for statement in statements:
        requirements.ready(statement, version)


def region_statements(
    regions: DatabaseRegions | None, connection: Connection, checkfirst: bool = True
) -> Iterator[CockroachDDL]:
    """Give the statements that make a database's regions what a model says, where it has none yet.

    :param connection: is asked for the name of its database where the model says none.
    :param checkfirst: whether a region may be there already.
    :raises ConfigurationError: there is no connection to ask.
    """
    if regions is None:
        return
    database = regions.database
    if database is None:
        if not isinstance(connection, Connection):
            raise ConfigurationError(
                f"{regions!r} says no database, and offline there is none to ask. Nothing was sent; say database=."
            )
        database = str(connection.scalar(_DATABASE))
    changes = [AlterDatabase(database, "PRIMARY REGION", (regions.primary,))]
    changes += [AlterDatabase(database, "ADD REGION", (each,)) for each in regions.regions if each != regions.primary]
    if regions.secondary is not None:
        changes.append(AlterDatabase(database, "SET SECONDARY REGION", (regions.secondary,)))
    if regions.survive == "REGION":
        changes.append(AlterDatabase(database, "SURVIVE REGION FAILURE"))
    if regions.placement == "RESTRICTED":
        changes.append(AlterDatabase(database, "PLACEMENT RESTRICTED"))
    changes += [
        AlterDatabase(database, "ADD SUPER REGION", members, name) for name, members in regions.super_regions.items()
    ]
    for change in changes:
        yield ExecuteAlterDatabase(change, lenient=checkfirst)


@event.listens_for(MetaData, "after_create")
def _after_create(metadata: MetaData, connection: Connection, **kw: Any) -> None:
    if not _is_ours(connection) or not _is_whole(kw):
        return
    reader = Reader(connection.dialect)
    objects = objects_of(metadata)
    for view in sorted_views(view_to_catalog(each, reader) for each in objects.views):
        connection.execute(CreateView(view, if_not_exists=bool(kw.get("checkfirst"))))
    for zone in objects.zones:
        connection.execute(ConfigureZone(zone_to_catalog(zone, reader)))
    for comment in comments_of(metadata, (), reader):
        connection.execute(Emit(comment))


@event.listens_for(MetaData, "before_drop")
def _before_drop(metadata: MetaData, connection: Connection, **kw: Any) -> None:
    if not _is_ours(connection) or not _is_whole(kw):
        return
    reader = Reader(connection.dialect)
    views = sorted_views(view_to_catalog(each, reader) for each in objects_of(metadata).views)
    for view in reversed(views):
        connection.execute(DropView(view.name, view.materialized, if_exists=bool(kw.get("checkfirst"))))


@event.listens_for(Table, "before_create")
def _before_create_table(table: Table, connection: Connection, **kw: Any) -> None:
    # As a part of a MetaData it was looked at already.
    if _is_ours(connection) and not kw.get("_is_metadata_operation"):
        ddl_create.refuse_table(table, connection.dialect)


@event.listens_for(Table, "after_create")
def _after_create_table(table: Table, connection: Connection, **kw: Any) -> None:
    if not _is_ours(connection):
        return
    # Alembic's implementation sends statements by itself; SQLAlchemy's runner by the connection.
    runner = kw.get("_ddl_runner")
    execute = getattr(runner, "_exec", connection.execute)
    # SQLAlchemy adds those of a cycle and those with use_alter itself, when all tables are there.
    cyclic = getattr(runner, "memo", {}).get(_CYCLIC, ())
    for constraint in ddl_create.unvalidated(table, Reader(connection.dialect)):
        if constraint in cyclic or getattr(constraint, "use_alter", False):
            continue
        execute(AddConstraint(constraint, isolate_from_table=False))


def index_comments(index: Index, dialect: Dialect) -> Iterator[CockroachDDL]:
    """Give the statement that sets an index's comment, if a model says one."""
    comment = options(index).get("comment")
    if comment is not None and index.table is not None:
        reader = Reader(dialect)
        name = index_to_catalog(index, reader).name
        yield Emit(Comment("INDEX", reader.object_name(index.table), comment, name))


@event.listens_for(Index, "after_create")
def _after_create_index(index: Index, connection: Connection, **kw: Any) -> None:
    if _is_ours(connection):
        for statement in index_comments(index, connection.dialect):
            connection.execute(statement)

"""What a model says, as catalog objects: the same ones as a database is read into.

What is executed is printed from these objects, and what is compared are these objects, so that the two can't
differ. No SQL is parsed here but the names of types and the texts of partitions and index elements.

:func:`table_to_catalog` and :func:`metadata_to_catalog` look past what CockroachDB does not have (an EXCLUDE
constraint, DEFERRABLE): no database has it either. What is to be executed goes through :class:`Reader` and its
``check``, which refuses it by name.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, Literal

from sqlalchemy import Index, MetaData, Table
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import Constraint

from alembic_cluster.errors import InvalidModel
from alembic_crdb import catalog
from alembic_crdb.catalog import Check, Family, ForeignKey, IndexElement, Locality, ObjectName, PrimaryKey, Unique
from alembic_crdb.lexer import is_word, read_name, tokenize
from alembic_crdb.model_columns import column_to_catalog
from alembic_crdb.model_constraints import constraint_to_catalog, constraints_of
from alembic_crdb.model_indexes import index_to_catalog, partitioning_of
from alembic_crdb.model_objects import (
    comments_of,
    database_of,
    enums_of,
    sequence_to_catalog,
    sequences_of,
    view_to_catalog,
    zone_to_catalog,
)
from alembic_crdb.model_reader import Reader, options, plain_name, said_for_postgresql
from alembic_crdb.schema import objects_of
from alembic_crdb.snapshot import Snapshot, name_of

__all__ = ["Reader", "elements_of", "index_to_catalog", "locality_of", "metadata_to_catalog", "table_to_catalog"]

_LOCALITY: Final = re.compile(
    r"(?P<global>GLOBAL)|REGIONAL\s+BY\s+TABLE(?:\s+IN\s+(?P<region>.+))?|(?P<row>REGIONAL\s+BY\s+ROW)(?:\s+AS\s+(?P<column>.+))?",
    re.I | re.S,
)
_PERSISTENCE: Final[Mapping[str, Literal["TEMP", "UNLOGGED"]]] = {
    "TEMP": "TEMP",
    "TEMPORARY": "TEMP",
    "LOCAL TEMP": "TEMP",
    "LOCAL TEMPORARY": "TEMP",
    "GLOBAL TEMP": "TEMP",
    "GLOBAL TEMPORARY": "TEMP",
    "UNLOGGED": "UNLOGGED",
}
#: Storage parameters of PostgreSQL that the server takes and forgets.
_FORGOTTEN: Final = ("fillfactor", "autovacuum_enabled")
#: Options of PostgreSQL's tables that no version of CockroachDB has.
_MISSING: Final = {"inherits": "INHERITS", "tablespace": "a tablespace", "using": "an access method"}

Element = PrimaryKey | ForeignKey | Check | Unique | catalog.Index


def table_to_catalog(table: Table, dialect: Dialect) -> catalog.Table:
    """Give a table of a model as a catalog object, with all of its constraints and indexes.

    :param table: the table.
    :param dialect: of sqlalchemy-cockroachdb, with any driver.
    :raises InvalidModel: an option has a value that makes no sense, or names a column that there isn't.
    :raises sqlalchemy.exc.CompileError: an expression cannot be written as SQL.
    """
    return read_table(table, Reader(dialect))


def metadata_to_catalog(
    metadata: MetaData,
    dialect: Dialect,
    default_schema: str = "public",
    tables: Iterable[Table] | None = None,
) -> Snapshot:
    """Give everything that a MetaData says as catalog objects by name.

    :param metadata: the model.
    :param dialect: of sqlalchemy-cockroachdb, with any driver.
    :param default_schema: the schema of what is given none.
    :param tables: the tables to read; all of the MetaData when None.
    :raises InvalidModel: as :func:`table_to_catalog`.
    :raises sqlalchemy.exc.CompileError: an expression cannot be written as SQL.
    """
    return read_metadata(metadata, Reader(dialect), default_schema, tables)


def read_metadata(
    metadata: MetaData, reader: Reader, default_schema: str = "public", tables: Iterable[Table] | None = None
) -> Snapshot:
    """Do :func:`metadata_to_catalog` with a reader that collects what CockroachDB does not have."""
    chosen = list(metadata.tables.values() if tables is None else tables)
    objects = objects_of(metadata)

    def key(name: ObjectName) -> tuple[str, str]:
        return name_of(name, default_schema)

    found = [read_table(table, reader) for table in chosen]
    enums = {key(enum.name): enum for enum in enums_of(chosen, metadata, reader)}
    sequences = {
        key(each.name): each for each in (sequence_to_catalog(s, reader) for s in sequences_of(metadata, chosen))
    }
    views = {key(view.name): view for view in (view_to_catalog(v, reader) for v in objects.views)}
    zones = [zone_to_catalog(zone, reader) for zone in objects.zones]
    by_name = {key(table.name): table for table in found}
    schemas = {schema for schema, _ in (*by_name, *enums, *sequences, *views)} | {s.name for s in objects.schemas}
    return Snapshot(
        by_name,
        views,
        enums,
        sequences,
        frozenset(schemas - {default_schema}),
        {
            (comment.target, key(comment.name), comment.child): str(comment.text)
            for comment in comments_of(metadata, chosen, reader)
        },
        {replace(zone, options=()): zone for zone in zones},
        None if objects.regions is None else database_of(objects.regions),
    )


def read_table(table: Table, reader: Reader, only: Collection[Constraint] | None = None) -> catalog.Table:
    """Do :func:`table_to_catalog` with a reader that collects what CockroachDB does not have.

    :param only: the constraints to take, and none of the indexes; all constraints and indexes when None.
    """
    said = options(table)
    of = f"table {table.name}"
    _refuse_options(table, said, reader)
    columns = tuple(column_to_catalog(column, reader) for column in table.columns if not column.system)
    elements = [
        element for element, item in elements_of(table, reader, indexes=only is None) if only is None or item in only
    ]
    parameters = tuple(pair for pair in reader.parameters(said.get("with"), of) if pair[0] not in _FORGOTTEN)
    partition_by = said.get("partition_by")
    if said_for_postgresql(table, "partition_by") is not None:
        partition_by = None
        reader.refuse(
            f"Table {table.name} has postgresql_partition_by, and CockroachDB names the partitions with the table: "
            "say cockroachdb_partition_by='LIST (column) (PARTITION name VALUES IN (...))', or None for no partitions."
        )
    locality = said.get("locality")
    found = catalog.Table(
        reader.object_name(table),
        columns,
        next((each for each in elements if isinstance(each, PrimaryKey)), None),
        tuple(each for each in elements if isinstance(each, ForeignKey)),
        tuple(each for each in elements if isinstance(each, catalog.Index)),
        _families(table, said.get("families"), reader),
        tuple(each for each in elements if isinstance(each, Check)),
        tuple(each for each in elements if isinstance(each, Unique)),
        partitioning=None if partition_by is None else partitioning_of(partition_by, of),
        parameters=parameters,
        locality=None if locality is None else locality_of(locality, of),
        persistence=_persistence(table, reader),
    )
    _check_columns(found)
    return found


def elements_of(table: Table, reader: Reader, indexes: bool = True) -> Iterable[tuple[Element, Constraint | Index]]:
    """Give the constraints and indexes of a table: each as a catalog object, with the object of the model.

    :param indexes: whether to give indexes, too.
    """
    for constraint in constraints_of(table, reader):
        element = constraint_to_catalog(constraint, reader)
        if element is not None:
            yield element, constraint
    for index in sorted(table.indexes, key=lambda each: str(each.name)) if indexes else ():
        if reader.should_create(index):
            yield index_to_catalog(index, reader), index


def _refuse_options(table: Table, said: Mapping[str, Any], reader: Reader) -> None:
    for name, what in _MISSING.items():
        if said.get(name):
            reader.refuse(f"Table {table.name} has {what} (postgresql_{name}), which CockroachDB does not have.")
    if said.get("with_oids"):
        reader.refuse(f"Table {table.name} has OIDs (postgresql_with_oids), which CockroachDB does not have.")
    on_commit = " ".join(str(said.get("on_commit") or "PRESERVE ROWS").replace("_", " ").upper().split())
    if on_commit != "PRESERVE ROWS":
        reader.refuse(f"Table {table.name} has ON COMMIT {on_commit}; CockroachDB has only PRESERVE ROWS.")


def _persistence(table: Table, reader: Reader) -> Literal["TEMP", "UNLOGGED"] | None:
    prefixes = " ".join(" ".join(str(prefix) for prefix in table._prefixes).upper().split())
    if prefixes and prefixes not in _PERSISTENCE:
        reader.refuse(f"Table {table.name} has the prefix {prefixes}, which CockroachDB does not have.")
    return _PERSISTENCE.get(prefixes)


def _families(table: Table, said: Any, reader: Reader) -> tuple[Family, ...]:
    if said is not None and not isinstance(said, Mapping):
        raise InvalidModel(f"cockroachdb_families of table {table.name} is no dict: {said!r}. Nothing was sent.")
    families = {
        str(name): [reader.column_name(table, column) for column in columns] for name, columns in (said or {}).items()
    }
    for column in table.columns:
        family = options(column).get("family")
        if family is not None and plain_name(column.name) not in families.setdefault(family, []):
            families[family].append(plain_name(column.name))
    return tuple(Family(name, tuple(columns)) for name, columns in families.items())


def locality_of(text: Any, of: str) -> Locality:
    """Read a ``cockroachdb_locality``, such as ``REGIONAL BY TABLE IN 'us-east1'`` or ``REGIONAL BY ROW AS region``.

    :param text: keywords in any case, names as SQL writes them; a region in single quotes, too.
    :param of: what has it, for the message.
    :raises InvalidModel: it can't be read.
    """
    said = _LOCALITY.fullmatch(text.strip()) if isinstance(text, str) else None
    if said is None:
        raise InvalidModel(
            f"The locality of {of} can't be read: {text!r}. Nothing was sent; it may be GLOBAL, REGIONAL BY TABLE, "
            "REGIONAL BY TABLE IN 'region', REGIONAL BY ROW, REGIONAL BY ROW AS column."
        )
    if said["global"]:
        return Locality("GLOBAL")
    if said["row"]:
        return Locality("REGIONAL BY ROW", column=None if said["column"] is None else _one_name(said["column"], of))
    region = said["region"]
    if region is None or region.upper().split() == ["PRIMARY", "REGION"]:
        return Locality("REGIONAL BY TABLE")
    return Locality("REGIONAL BY TABLE", _one_name(region, of))


def _one_name(text: str, of: str) -> str:
    text = text.strip()
    if len(text) > 2 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    token, *rest = tokenize(text).texts
    if rest != [""] or not (is_word(token) or token[:1] == '"'):
        raise InvalidModel(f"The locality of {of} names {text}, which is no name. Nothing was sent.")
    return read_name(token)


def _check_columns(table: catalog.Table) -> None:
    """Refuse options that name columns which the table does not have.

    :raises InvalidModel: there is one.
    """
    columns = {column.name for column in table.columns}
    named: list[tuple[str, Iterable[str]]] = [
        *((f"family {family.name}", family.columns) for family in table.families),
        *((f"index {index.name}", (*_columns(index.elements), *index.storing)) for index in table.indexes),
    ]
    for what, names in named:
        for name in names:
            if name not in columns:
                raise InvalidModel(f"{what} of table {table.name.name}: there is no column {name!r}. Nothing was sent.")
    families = [name for family in table.families for name in family.columns]
    if twice := next((name for name in families if families.count(name) > 1), None):
        raise InvalidModel(f"Column {twice!r} of table {table.name.name} is in two families. Nothing was sent.")


def _columns(elements: Iterable[IndexElement]) -> list[str]:
    return [element.name for element in elements if element.name is not None]

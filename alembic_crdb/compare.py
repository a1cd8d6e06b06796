"""Autogenerate for CockroachDB: the database and the models as catalog objects, compared, told as operations.

It takes the place of Alembic's own comparison of tables, and so of one round trip for each table. ``include_name``,
``include_object`` and ``compare_type=False`` are honoured as there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

from alembic.operations import ops
from alembic.util import PriorityDispatchResult
from sqlalchemy import Table

from alembic_cluster.cautions import note_losses
from alembic_crdb.database import read_database, read_zones
from alembic_crdb.differences import compare_snapshots
from alembic_crdb.filters import Filters
from alembic_crdb.model import read_metadata
from alembic_crdb.model_reader import Reader
from alembic_crdb.queries import in_one_spelling
from alembic_crdb.reflection import CockroachInspector
from alembic_crdb.snapshot import Snapshot
from alembic_crdb.telling import Teller


def compare_database(
    autogen_context: Any, upgrade_ops: ops.UpgradeOps, schemas: Collection[str | None]
) -> PriorityDispatchResult:
    """Compare the database with the models, and write down what differs.

    :param autogen_context: Alembic's ``AutogenContext``.
    :param upgrade_ops: where the operations go.
    :param schemas: the schemas to compare; None is the default one.
    """
    connection = autogen_context.connection
    default_schema: str = connection.dialect.default_schema_name or "public"
    filters = Filters(autogen_context, schemas, default_schema)
    tables = [
        table
        for table in autogen_context.table_key_to_table.values()
        if filters.is_compared((table.schema or default_schema, str(table.name)))
    ]
    model = filters.model(_read_models(autogen_context, tables, default_schema))
    database = filters.database(_read(autogen_context))
    if model.zones and database.database is not None:
        database = replace(database, zones=read_zones(connection, database.database.name))
    database, model = in_one_spelling(connection, database, model, default_schema)
    found = list(compare_snapshots(filters.elements(database), model, default_schema))
    if found:
        teller = Teller(autogen_context, database, model, tables, default_schema)
        told = list(teller.tell(found))
        note_losses(told, autogen_context.migration_context.impl, explain=True)
        upgrade_ops.ops.extend(told)
    return PriorityDispatchResult.STOP


def _read(autogen_context: Any) -> Snapshot:
    """Read the database, unless Alembic did for the names of its schemas."""
    inspector = autogen_context.inspector
    return inspector.snapshot() if isinstance(inspector, CockroachInspector) else read_database(inspector.bind)


def _read_models(autogen_context: Any, tables: list[Table], default_schema: str) -> Snapshot:
    metadata = autogen_context.metadata
    every = list(metadata) if isinstance(metadata, (list, tuple)) else [metadata]
    reader = Reader(autogen_context.dialect)
    snapshots = [
        read_metadata(one, reader, default_schema, [table for table in tables if table.metadata is one])
        for one in every
    ]
    return _merged(snapshots)


def _merged(snapshots: Iterable[Snapshot]) -> Snapshot:
    whole = Snapshot()
    for one in snapshots:
        whole = Snapshot(
            {**whole.tables, **one.tables},
            {**whole.views, **one.views},
            {**whole.enums, **one.enums},
            {**whole.sequences, **one.sequences},
            whole.schemas | one.schemas,
            {**whole.comments, **one.comments},
            {**whole.zones, **one.zones},
            whole.database or one.database,
        )
    return whole

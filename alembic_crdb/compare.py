"""Autogenerate for CockroachDB: the database and the models as catalog objects, compared, told as operations.

It takes the place of Alembic's own comparison of tables, and so of one round trip for each table. ``include_name``,
``include_object`` and ``compare_type=False`` are honoured as there.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any

from alembic.operations import ops
from alembic.util import PriorityDispatchResult
from sqlalchemy import Table

from alembic_cluster.cautions import note_losses
from alembic_crdb.database import read_database
from alembic_crdb.differences import compare_snapshots
from alembic_crdb.model import read_metadata
from alembic_crdb.model_reader import Reader
from alembic_crdb.queries import in_one_spelling
from alembic_crdb.snapshot import Name, Snapshot
from alembic_crdb.telling import Teller

log = logging.getLogger(__name__)

OWN_TABLES = ("alembic_cluster_",)


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
    wanted = {schema or default_schema for schema in schemas}
    context = autogen_context.migration_context
    version_table = (context.version_table_schema or default_schema, context.version_table)

    def is_ours(name: Name) -> bool:
        return name == version_table or name[1].startswith(OWN_TABLES)

    def is_compared(name: Name) -> bool:
        schema = None if name[0] == default_schema else name[0]
        return (
            name[0] in wanted
            and not is_ours(name)
            and autogen_context.run_name_filters(name[1], "table", {"schema_name": schema})
        )

    tables = [
        table
        for table in autogen_context.sorted_tables
        if (table.schema or default_schema) in wanted and not is_ours((table.schema or default_schema, table.name))
    ]
    model = _read_models(autogen_context, tables, default_schema)
    database = _restricted(read_database(connection), wanted, is_compared)
    database, model = in_one_spelling(connection, database, model, default_schema)
    found = list(compare_snapshots(database, model, default_schema))
    if found:
        teller = Teller(autogen_context, database, model, tables, default_schema)
        told = list(teller.tell(found))
        note_losses(told, context.impl, explain=True)
        upgrade_ops.ops.extend(told)
    return PriorityDispatchResult.STOP


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


def _restricted(database: Snapshot, schemas: set[str], is_compared: Any) -> Snapshot:
    """Leave out what is not to be compared."""
    return replace(
        database,
        tables={key: table for key, table in database.tables.items() if is_compared(key)},
        views={key: view for key, view in database.views.items() if key[0] in schemas},
        sequences={key: sequence for key, sequence in database.sequences.items() if key[0] in schemas},
    )

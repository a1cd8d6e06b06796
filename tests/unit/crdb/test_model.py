"""Each construct of a model: its DDL, and that the parser reads the same objects out of that DDL."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from alembic_crdb.model import metadata_to_catalog
from alembic_crdb.parser import parse_rows
from alembic_crdb.snapshot import Snapshot, snapshot_of
from tests.unit.crdb.constructs import CONSTRUCTS
from tests.unit.crdb.constructs.base import Construct
from tests.unit.crdb.constructs.columns import types_of_columns
from tests.unit.crdb.emitting import DRIVERS, created, dialect_for


def _blanks(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("construct", [*types_of_columns(), *CONSTRUCTS], ids=lambda construct: construct.name)
@pytest.mark.parametrize("driver", DRIVERS)
def test_emitted(construct: Construct, driver: str) -> None:
    metadata = sa.MetaData()
    construct.build(metadata)
    dialect = dialect_for(driver)
    statements = created(metadata, dialect)
    script = "; ".join(map(_blanks, statements))
    for text in construct.emitted:
        assert _blanks(text) in script
    read = snapshot_of(parse_rows(statements))
    said = metadata_to_catalog(metadata, dialect)
    assert _comparable(read) == _comparable(said)


def _comparable(snapshot: Snapshot) -> Snapshot:
    """Leave out what the statements tell in another form: ALTER DATABASE, and schemas that must be there."""
    tables = {
        key: replace(table, indexes=tuple(sorted(table.indexes, key=lambda index: str(index.name))))
        for key, table in snapshot.tables.items()
    }
    return replace(snapshot, tables=tables, database=None, others=(), schemas=frozenset())

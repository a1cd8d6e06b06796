"""Random schemas: autogenerate is silent on each, writes a change of it as a revision, and that goes both ways.

``CRDB_SCHEMAS=500`` makes it the long run of ``scripts/nightly``; ``CRDB_SHRINK=1`` has a failing schema made smaller.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings

from tests.cockroachdb.live import Live, connected, use_another_database
from tests.cockroachdb.schemas_random import Schema, pairs
from tests.servers.cockroach import CockroachCluster

EXAMPLES = int(os.environ.get("CRDB_SCHEMAS", "50"))
_SHRINK = [Phase.shrink] if os.environ.get("CRDB_SHRINK") else []


@pytest.fixture(scope="module")
def connection(cockroach: CockroachCluster) -> Iterator[sa.Connection]:
    """A connection of a driver that takes ``%`` for itself."""
    with connected(cockroach, "psycopg2") as made:
        yield made


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize="CRDB_SCHEMAS" not in os.environ,
    phases=[Phase.generate, *_SHRINK],
    suppress_health_check=list(HealthCheck),
)
@given(pair=pairs())
@pytest.mark.timeout(60 * EXAMPLES)  # once in a while v21.1 lets a schema change wait for minutes
def test_schema(connection: sa.Connection, pair: tuple[Schema, Schema]) -> None:
    old, new = pair
    use_another_database(connection)
    connection.exec_driver_sql('CREATE SCHEMA "Other %%"')
    with TemporaryDirectory() as folder:
        live = Live(connection, Path(folder), include_schemas=True)
        models = old.metadata()
        models.create_all(connection)
        live.there_and_back(models, new.metadata())

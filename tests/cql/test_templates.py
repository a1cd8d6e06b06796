"""The templates of ``alembic-cluster init`` on Cassandra, from an empty folder to a keyspace without differences."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.servers.fixtures import CassandraKeyspace
from tests.templates import MODELS
from tests.templates import follow_template as follow_template


@pytest.mark.parametrize("template", ["cql", "multi"])
def test_a_template(template: str, cassandra_keyspace: CassandraKeyspace, follow_template: Callable[..., None]) -> None:
    models = MODELS.replace("sa.String(10)", "sa.Text")
    follow_template(template, "cassandra", cassandra_keyspace.url, models)
    assert len(cassandra_keyspace.execute("SELECT * FROM alembic_cluster_history")) == 1

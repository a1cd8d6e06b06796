"""The templates of ``alembic-cluster init`` on CockroachDB, from an empty folder to a database without differences."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.servers.fixtures import CockroachDatabase
from tests.templates import follow_template as follow_template


@pytest.mark.parametrize("template", ["cockroachdb", "cockroachdb-async", "multi"])
def test_a_template(template: str, cockroach_database: CockroachDatabase, follow_template: Callable[..., None]) -> None:
    is_async = template.endswith("async")
    url = cockroach_database.url_for("asyncpg").replace("sslmode", "ssl") if is_async else cockroach_database.url
    follow_template(template, "cockroachdb", url, offline=not is_async)
    assert cockroach_database.execute("SELECT count(*) FROM alembic_cluster_history") == [(1,)]

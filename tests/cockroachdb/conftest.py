"""Fixtures of the tests that need a CockroachDB server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cockroachdb.project import Project
from tests.servers.fixtures import CockroachDatabase


@pytest.fixture(params=["psycopg2", "psycopg"])
def driver(request: pytest.FixtureRequest) -> str:
    """Each of the two drivers that sqlalchemy-cockroachdb has for synchronous programs."""
    return str(request.param)


@pytest.fixture
def project(cockroach_database: CockroachDatabase, driver: str, tmp_path: Path) -> Project:
    """A project on a fresh database, by each driver."""
    return Project(tmp_path, cockroach_database.url_for(driver))

"""pytest-alembic's own tests on the example application's accounts, on CockroachDB.

The plugin itself is switched off in ``pyproject.toml``: it would add its tests to every session, and its collector does
not know pytest 9.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config as AlembicConfig
from pytest_alembic.config import Config
from pytest_alembic.runner import MigrationContext, runner
from pytest_alembic.tests import test_model_definitions_match_ddl as model_definitions_match_ddl
from pytest_alembic.tests import test_single_head_revision as single_head_revision
from pytest_alembic.tests import test_up_down_consistency as up_down_consistency
from pytest_alembic.tests import test_upgrade as upgrade
from pytest_alembic.tests.experimental import test_downgrade_leaves_no_trace as downgrade_leaves_no_trace
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from example_app.settings import ACCOUNTS
from tests.servers.fixtures import CockroachDatabase

INI = Path(__file__).resolve().parents[1] / "example_app" / "alembic.ini"


@pytest.fixture
def alembic_runner(
    cockroach_database: CockroachDatabase, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MigrationContext]:
    url = cockroach_database.url_for("psycopg")
    monkeypatch.setenv(ACCOUNTS, url)
    engine = create_engine(url, poolclass=NullPool)
    config = Config.from_raw_config(AlembicConfig(str(INI), ini_section="accounts"))
    with runner(config=config, engine=engine) as context:
        yield context
    engine.dispose()


@pytest.mark.parametrize(
    "check",
    [
        single_head_revision,
        upgrade,
        model_definitions_match_ddl,
        up_down_consistency,
        downgrade_leaves_no_trace,
    ],
)
def test_of_pytest_alembic(alembic_runner: MigrationContext, check: Any) -> None:
    check(alembic_runner)

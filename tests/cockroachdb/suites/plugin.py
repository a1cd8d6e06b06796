"""SQLAlchemy's pytest plugin, which its suites and Alembic's need; loaded by ``-p`` where they are run, and only there.

Connections are in autocommit, as those of a run are: schema changes of one explicit transaction are refused when
another client changes a schema at the same time (documentation, page "Online Schema Changes").
"""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.pool import Pool

pytest.register_assert_rewrite("sqlalchemy.testing.assertions")

from sqlalchemy.testing.plugin.pytestplugin import *  # noqa: E402, F403

#: Tests of what is done otherwise here, on purpose.
OTHERWISE = {
    "test_cant_change_computed_warning": "a changed formula is a column dropped and added with a note, not a warning",
}


@event.listens_for(Pool, "connect")
def _commit_each_statement(connection: Any, record: Any) -> None:
    connection.autocommit = True


@pytest.hookimpl(trylast=True)
def pytest_itemcollected(item: Any) -> None:
    """Skip what is done otherwise."""
    reason = OTHERWISE.get(getattr(item, "originalname", None) or item.name.partition("[")[0])
    if reason is not None:
        item.add_marker(pytest.mark.skip(reason=reason))

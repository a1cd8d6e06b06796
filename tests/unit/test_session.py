"""What the driver's Cluster is asked for, by what the installed driver takes."""

from __future__ import annotations

from typing import Any

import cassandra.cluster
import pytest

from alembic_cql._session import _cluster
from alembic_cql.connecting import SessionOptions


class OldCluster:
    """A driver that would report to its maker's monitoring."""

    monitor_reporting_enabled = True

    def __init__(self, **options: Any) -> None:
        self.options = options


class NewCluster:
    """A driver that has no such reports, and so no such option."""

    def __init__(self, **options: Any) -> None:
        if "monitor_reporting_enabled" in options:
            raise TypeError("unexpected keyword argument")
        self.options = options


@pytest.mark.parametrize(("driver", "given"), [(OldCluster, False), (NewCluster, None)])
def test_reports_are_switched_off_where_there_are_any(
    driver: type[Any], given: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cassandra.cluster, "Cluster", driver)
    assert _cluster(SessionOptions()).options.get("monitor_reporting_enabled") is given

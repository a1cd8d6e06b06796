"""What is asked of the driver's objects, by what the installed driver takes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import cassandra.cluster
import pytest
from cassandra.cqltypes import Int32Type

from alembic_cql._protocol import exact_statement
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


class KeptTogether:
    """A prepared statement of a driver that lets its result metadata be changed with its id only."""

    column_metadata = ()
    result_metadata_id = b"id"

    def __init__(self, columns: list[Any] | None) -> None:
        self._columns = columns
        self.updated: list[Any] = []

    @property
    def result_metadata(self) -> list[Any] | None:
        return self._columns

    def update_result_metadata(self, columns: list[Any], number: bytes) -> None:
        self.updated.append((columns, number))


def test_result_metadata_that_is_kept_together_with_its_id() -> None:
    prepared = KeptTogether([("ks", "t", "c", Int32Type)])
    assert exact_statement(prepared).updated == [([("ks", "t", "c", Int32Type)], b"id")]
    assert exact_statement(KeptTogether(None)).updated == []


def test_result_metadata_that_is_an_attribute() -> None:
    prepared = SimpleNamespace(column_metadata=(), result_metadata=[("ks", "t", "c", Int32Type)])
    assert exact_statement(prepared).result_metadata == [("ks", "t", "c", Int32Type)]

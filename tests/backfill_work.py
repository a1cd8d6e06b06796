"""Backfills that tests run in other processes: ``python -m tests.backfill_work cql|crdb URL``; and their functions."""

from __future__ import annotations

import sys
import time
from typing import Any

from alembic_cluster.backfill import Report, backfill


def count_up(row: dict[str, Any]) -> dict[str, Any]:
    """Add one: a row that is changed twice shows it."""
    return {"n": row["n"] + 1}


def slowly(row: dict[str, Any]) -> dict[str, Any]:
    """Set what is the same the second time, and take a while."""
    time.sleep(0.001)
    return {"v": f"{row['id']}!"}


def run(database: str, url: str, **options: Any) -> Report:
    """Run one in small pieces, so that a kill meets something."""
    if database == "crdb":
        return backfill(url, "t", function=count_up, batch_rows=20, range_rows=100, concurrency=2, **options)
    return backfill(url, "t", function=slowly, batch_rows=20, range_rows=50, concurrency=2, **options)


if __name__ == "__main__":
    print("begun", flush=True)
    print(run(sys.argv[1], sys.argv[2]), flush=True)

"""How fast a backfill is, as ratios of runs beside one another: coodie's ``scan_table``, and the bare driver."""

from __future__ import annotations

import os

from benchmarks.cql_backfill import measure


def test_it_is_faster_than_coodie_and_no_slower_than_the_driver() -> None:
    of_coodie, of_bare = measure(int(os.environ.get("BACKFILL_ROWS", "20000")), 1)
    assert of_coodie >= 3
    assert of_bare >= 0.8

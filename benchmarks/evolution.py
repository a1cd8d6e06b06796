"""What reading through an evolution costs: ``python -m benchmarks.evolution``.

Prints two ratios, each of paired runs in one process: a current row against a bare ``dict`` copy of it, and a row three
versions old against calling the three functions on a copy by hand.
"""

from __future__ import annotations

import statistics
import timeit
from typing import Any

from alembic_cluster.evolution import Evolution

ROUNDS = 15
NUMBER = 20_000


def ratio(ours: str, theirs: str, names: dict[str, Any]) -> float:
    """Give the median of the pairwise quotients of two statements' times."""
    pairs = [
        timeit.timeit(ours, globals=names, number=NUMBER) / timeit.timeit(theirs, globals=names, number=NUMBER)
        for _ in range(ROUNDS)
    ]
    return statistics.median(pairs)


def measure() -> tuple[float, float]:
    """Give both ratios."""
    sessions = Evolution("sessions")

    @sessions.step(1, 2)
    def first(row: Any) -> Any:
        row = dict(row)
        row["session_state"] = row.pop("state")
        return row

    @sessions.step(2, 3)
    def second(row: Any) -> Any:
        return {"blueprint": "devassist", **row}

    @sessions.step(3, 4)
    def third(row: Any) -> Any:
        return {**row, "title": row["title"].strip().lower()}

    old = {"id": "abc", "schema_version": 1, "user": "u", "title": " My Chat ", "state": "open", "seen": 1, "made": 2}
    names = {"old": old, "new": sessions.upgrade(old), "upgrade": sessions.upgrade}
    names |= {"first": first, "second": second, "third": third}
    return ratio("upgrade(new)", "dict(new)", names), ratio("upgrade(old)", "third(second(first(old)))", names)


if __name__ == "__main__":
    current, three_steps = measure()
    print(f"a current row: {current:.2f} times a dict copy")
    print(f"three steps:   {three_steps:.2f} times calling the three functions")

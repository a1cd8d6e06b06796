"""Every row of a table on CockroachDB changed: ours against a loop of batched UPDATEs.

``python -m benchmarks.crdb_backfill [--rows 200000] [--rounds 3]``

The loop is what is written by hand: ``UPDATE ... WHERE done = false LIMIT 1000`` until it changes none, and, as the
other one, batches of keys that are read first and updated by their keys. All three run in turn, on the same server, in
each round; what is printed are the medians of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from alembic_cluster.backfill import backfill
from tests.servers.cockroach import cockroach_from_environment

BATCH = 1000


def ours(engine: sa.Engine) -> None:
    """A backfill with everything that it does: checkpoint, lease, each row once."""
    backfill(engine, "t", update="n = n + 1, done = true", restart=True)


def loop(engine: sa.Engine) -> None:
    """A loop of UPDATEs with a limit."""
    with engine.connect() as connection:
        statement = sa.text(f"UPDATE t SET n = n + 1, done = true WHERE done = false LIMIT {BATCH}")
        while connection.execute(statement).rowcount:
            pass


def by_keys(engine: sa.Engine) -> None:
    """A loop that reads the keys of a batch, and updates the rows by their keys."""
    with engine.connect() as connection:
        keys = sa.text(f"SELECT id FROM t WHERE done = false ORDER BY id LIMIT {BATCH}")
        update = sa.text("UPDATE t SET n = n + 1, done = true WHERE id IN :ids").bindparams(
            sa.bindparam("ids", expanding=True)
        )
        while ids := list(connection.execute(keys).scalars()):
            connection.execute(update, {"ids": ids})


def measure(rows: int, rounds: int, report: Callable[[str], None] = print) -> tuple[float, float]:
    """Give how many times as fast as the two loops ours is."""
    contenders = (ours, loop, by_keys)
    ratios: list[tuple[float, float]] = []
    with cockroach_from_environment() as cluster:
        name = cluster.create_database()
        engine = sa.create_engine(cluster.url(name), isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                execute: Any = connection.exec_driver_sql
                execute("CREATE TABLE t (id INT8 PRIMARY KEY, n INT8 NOT NULL, done BOOL NOT NULL, v STRING)")
                for begin in range(0, rows, 10_000):
                    end = min(begin + 10_000, rows) - 1
                    numbers = f"generate_series({begin}, {end}) AS g (i)"
                    execute(f"INSERT INTO t SELECT i, 0, false, repeat('x', 50) FROM {numbers}")
                for number in range(rounds):
                    seconds = {}
                    for contender in contenders if number % 2 == 0 else reversed(contenders):
                        for begin in range(0, rows, 10_000):
                            execute(f"UPDATE t SET done = false WHERE id >= {begin} AND id < {begin + 10_000}")
                        begun = time.perf_counter()
                        contender(engine)
                        seconds[contender] = time.perf_counter() - begun
                    ratios.append((seconds[loop] / seconds[ours], seconds[by_keys] / seconds[ours]))
                    report(", ".join(f"{each.__name__} {rows / seconds[each]:,.0f} rows/s" for each in contenders))
                expected = rounds * len(contenders)
                assert execute("SELECT DISTINCT n FROM t").all() == [(expected,)]
        finally:
            engine.dispose()
            cluster.drop_database(name)
    return statistics.median(each[0] for each in ratios), statistics.median(each[1] for each in ratios)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    of_loop, of_keys = measure(arguments.rows, arguments.rounds)
    print(f"{of_loop:.1f} times a loop of UPDATE ... LIMIT, {of_keys:.1f} times updates by keys that are read first")

"""Every row of a table on CockroachDB changed: ours against loops of UPDATEs.

``python -m benchmarks.crdb_backfill [--rows 200000] [--rounds 3]``

The loops are the two that manticore-cockroachdb's migration guide documents, batches of ``LIMIT .. OFFSET`` and single
rows in transactions of a hundred, and the best that is written by hand, ``UPDATE ... WHERE done = false LIMIT 1000``
until it changes none. All run in turn, on the same server, in each round; printed are the medians of the rounds'
ratios. The first is quadratic in the number of rows: from 100,000 rows on it is left out after the first round.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from alembic_cluster.backfill import backfill
from tests.servers.cockroach import cockroach_from_environment

BATCH = 1000
TRANSACTION = 100
MANY = 100_000
SET = "UPDATE t SET n = n + 1, done = true"


def ours(engine: sa.Engine) -> None:
    """A backfill with everything that it does: checkpoint, lease, each row once."""
    backfill(engine, "t", update="n = n + 1, done = true", restart=True)


def offsets(engine: sa.Engine) -> None:
    """Batches of rows by their place in the order of the keys."""
    batch = sa.text(f"{SET} WHERE id IN (SELECT id FROM t ORDER BY id LIMIT {BATCH} OFFSET :place)")
    with engine.connect() as connection:
        total = connection.scalar(sa.text("SELECT count(*) FROM t"))
        assert total is not None
        for place in range(0, total, BATCH):
            connection.execute(batch, {"place": place})


def single(engine: sa.Engine) -> None:
    """All keys are read, then rows are updated one by one, a hundred to a transaction."""
    row = sa.text(f"{SET} WHERE id = :id")
    with engine.connect() as connection:
        keys = list(connection.scalars(sa.text("SELECT id FROM t")))
    with engine.execution_options(isolation_level="SERIALIZABLE").connect() as connection:
        for begin in range(0, len(keys), TRANSACTION):
            with connection.begin():
                for key in keys[begin : begin + TRANSACTION]:
                    connection.execute(row, {"id": key})


def limited(engine: sa.Engine) -> None:
    """Batches of rows that are not done, until there is none."""
    statement = sa.text(f"{SET} WHERE done = false LIMIT {BATCH}")
    with engine.connect() as connection:
        while connection.execute(statement).rowcount:
            pass


LOOPS = (offsets, single, limited)


def measure(rows: int, rounds: int, report: Callable[[str], None] = print) -> dict[str, float]:
    """Give how many times as fast as each loop ours is."""
    ratios: defaultdict[str, list[float]] = defaultdict(list)
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
                runs = 0
                for number in range(rounds):
                    contenders = [ours, *LOOPS] if number == 0 or rows < MANY else [ours, single, limited]
                    seconds = {}
                    for contender in contenders if number % 2 == 0 else reversed(contenders):
                        for begin in range(0, rows, 10_000):
                            execute(f"UPDATE t SET done = false WHERE id >= {begin} AND id < {begin + 10_000}")
                        begun = time.perf_counter()
                        contender(engine)
                        seconds[contender.__name__] = time.perf_counter() - begun
                        runs += 1
                    for loop in contenders[1:]:
                        ratios[loop.__name__].append(seconds[loop.__name__] / seconds["ours"])
                    report(", ".join(f"{each} {rows / taken:,.0f} rows/s" for each, taken in seconds.items()))
                assert execute("SELECT DISTINCT n FROM t").all() == [(runs,)]
        finally:
            engine.dispose()
            cluster.drop_database(name)
    return {name: statistics.median(found) for name, found in ratios.items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    for loop, ratio in measure(arguments.rows, arguments.rounds).items():
        print(f"{loop}: ours is {ratio:.1f} times as fast")

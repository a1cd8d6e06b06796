"""Autogenerate on unchanged CockroachDB tables: ours, stock Alembic with sqlalchemy-cockroachdb, and the bare query.

``python -m benchmarks.crdb_autogenerate [--tables 100] [--rounds 3] [--without-stock]``

Stock runs in a virtual environment of its own (``.cache/benchmark-stock``), because ours replaces it wherever it is
installed. All three run in turn, on the same server and database, in each round; what is printed are the ratios of
their best times. Stock is stopped when it takes 40 times as long as ours.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
import venv
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tests.servers.cockroach import CockroachCluster, cockroach_from_environment

ROOT = Path(__file__).resolve().parent.parent
STOCK = ROOT / ".cache" / "benchmark-stock"
PATIENCE = 40  # how many times as long as ours stock may take

# Run by both interpreters, so that both do the same: compare the very models that made the tables.
COMPARE = """
import json, sys, time
import sqlalchemy as sa
from alembic.autogenerate import produce_migrations
from alembic.migration import MigrationContext

def models(count):
    metadata = sa.MetaData()
    for number in range(count):
        sa.Table(
            f"t{number}", metadata,
            sa.Column("id", sa.Uuid, primary_key=True, server_default=sa.text("gen_random_uuid()")),
            sa.Column("name", sa.Text, nullable=False, index=True),
            sa.Column("email", sa.String(100), unique=True),
            sa.Column("balance", sa.Numeric(12, 2), server_default="0"),
            sa.Column("small", sa.SmallInteger),
            sa.Column("at", sa.DateTime(timezone=True), server_default=sa.func.now()),
            sa.CheckConstraint("balance >= 0", name="positive"),
            sa.Index(f"ix_{number}", "small", "at"),
        )
    return metadata

def operations(ops):
    return sum(operations(op.ops) if hasattr(op, "ops") else 1 for op in ops)

url, count, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
metadata = models(count)
engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
best, found = None, 0
with engine.connect() as connection:
    if sys.argv[4:] == ["create"]:
        # Indexes of a table that its own transaction creates need no job.
        tables = list(metadata.tables.values())
        for first in range(0, count, 20):
            with sa.create_engine(url).begin() as transaction:
                metadata.create_all(transaction, tables=tables[first : first + 20], checkfirst=False)
    for _ in range(rounds):
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        started = time.perf_counter()
        script = produce_migrations(context, metadata)
        taken = time.perf_counter() - started
        best = taken if best is None else min(best, taken)
        found = operations(script.upgrade_ops.ops)
print(json.dumps({"seconds": best, "operations": found}))
"""


def stock_python() -> Path:
    """Give the interpreter of the stock environment, made if it isn't there."""
    python = STOCK / "bin" / "python"
    if not python.exists():
        venv.create(STOCK, with_pip=True)
        wanted = ["alembic==1.20.1", "SQLAlchemy>=2.0.47,<2.1", "sqlalchemy-cockroachdb==2.0.4", "psycopg2-binary"]
        subprocess.run([python, "-m", "pip", "install", "-q", *wanted], check=True)
    return python


def compare(
    python: Path | str, url: str, tables: int, *more: str, patience: float | None = None
) -> dict[str, Any] | None:
    """Run one comparison in a process of its own; gives its seconds and the operations it found.

    :param patience: seconds after which it is stopped; the answer is None then.
    """
    command = [str(python), "-W", "ignore", "-c", COMPARE, url, str(tables), "1", *more]
    try:
        ran = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT, timeout=patience)
    except subprocess.TimeoutExpired:
        return None
    output = ran.stdout
    result: dict[str, Any] = json.loads(output.splitlines()[-1])
    return result


def query_seconds(url: str) -> float:
    """Time the reflecting query by itself."""
    from alembic_crdb.database import reflecting_query

    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        query = reflecting_query(connection)
        started = time.perf_counter()
        connection.exec_driver_sql(query).all()
        taken = time.perf_counter() - started
    engine.dispose()
    return taken


def measure(cluster: CockroachCluster, tables: int, rounds: int, with_stock: bool) -> None:
    """Print the ratios for one number of tables."""
    name = cluster.create_database("bench")
    try:
        url = cluster.url(name)
        compare(sys.executable, url, tables, "create")
        ours: list[dict[str, Any]] = []
        stock: list[dict[str, Any] | None] = []
        queries: list[float] = []
        for _ in range(rounds):
            queries.append(query_seconds(url))
            found = compare(sys.executable, url, tables)
            assert found is not None
            ours.append(found)
            if with_stock and None not in stock:
                stock.append(compare(stock_python(), url, tables, patience=PATIENCE * found["seconds"] + 10))
        best = min(each["seconds"] for each in ours)
        print(
            f"{tables} tables: ours finds {ours[-1]['operations']} operations, in {best / min(queries):.2f} x the query"
        )
        ended = [each for each in stock if each is not None]
        if ended:
            theirs = min(each["seconds"] for each in ended)
            print(
                f"{tables} tables: stock finds {ended[-1]['operations']} operations, in {theirs / best:.1f} x our time"
            )
        elif stock:
            print(f"{tables} tables: stock had not ended after {PATIENCE} x our time")
    finally:
        cluster.drop_database(name)


def main() -> None:
    """Measure what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--tables", type=int, nargs="+", default=[100])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--without-stock", action="store_true")
    arguments = parser.parse_args()
    with cockroach_from_environment() as cluster:
        for tables in arguments.tables:
            measure(cluster, tables, arguments.rounds, not arguments.without_stock)


if __name__ == "__main__":
    main()

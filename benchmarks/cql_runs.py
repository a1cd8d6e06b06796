"""40 one-statement revisions on Cassandra: ours with lock, journal, ledger and agreement; coodie; the bare driver.

``python -m benchmarks.cql_runs [--revisions 40] [--rounds 5]``

In each round the three run one after the other, each in a process of its own and on a fresh keyspace of the same node,
in an order that turns from round to round. What a process does before it opens its connection is not counted. Then
the same commands run again with nothing to do, counted likewise, and as whole processes. Printed are the medians of
each round's ratios: to the bare driver's time for the DDL, and to coodie's for nothing to do.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from uuid import uuid4

from tests.servers.cassandra import CassandraCluster, cassandra_from_environment
from tests.servers.fixtures import driver_cluster

ROOT = Path(__file__).resolve().parent.parent
DDL = "CREATE TABLE t{number} (a int PRIMARY KEY, b text, c timestamp)"

BARE = """
import sys, time
from cassandra.cluster import Cluster
host, port, keyspace, count, ddl = sys.argv[1:]
began = time.perf_counter()
cluster = Cluster([host], port=int(port), protocol_version=5)
session = cluster.connect(keyspace)
for number in range(int(count)):
    session.execute(ddl.replace("{number}", str(number)))
cluster.shutdown()
print(time.perf_counter() - began)
"""
COODIE = """
import asyncio, sys, time
from cassandra.cluster import Cluster
from coodie.drivers import init_coodie
from coodie.migrations.runner import MigrationRunner
host, port, keyspace, folder = sys.argv[1:]
async def main():
    session = Cluster([host], port=int(port), protocol_version=5).connect(keyspace)
    driver = init_coodie(session=session, keyspace=keyspace)
    await MigrationRunner(driver=driver, keyspace=keyspace, migrations_dir=folder).apply()
    session.cluster.shutdown()
began = time.perf_counter()
asyncio.run(main())
print(time.perf_counter() - began)
"""
OURS = """
import sys, time
from unittest import mock
import alembic_cluster.lock, alembic_cql.dbapi, alembic_cql.dialect, cassandra.cluster
from alembic.config import main
opened = []
class Cluster(cassandra.cluster.Cluster):
    def __init__(self, *args, **kw):
        opened.append(time.perf_counter())
        super().__init__(*args, **kw)
with mock.patch("cassandra.cluster.Cluster", Cluster):
    main(["upgrade", "head"])
print(time.perf_counter() - opened[0])
"""
ENV = """
from alembic import context
from sqlalchemy import create_engine, pool
from alembic_cluster import migration_lock
engine = create_engine(context.config.get_main_option("sqlalchemy.url"), poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection)
    with migration_lock(context):
        context.run_migrations()
"""
REVISION = (
    'revision = "{name}"\ndown_revision = {down!r}\nfrom alembic import op\n\ndef upgrade():\n    op.execute("{ddl}")\n'
)
MIGRATION = (
    "from coodie.migrations import Migration\n\nclass ForwardMigration(Migration):\n    description = 'x'\n"
    '    async def upgrade(self, ctx):\n        await ctx.execute("{ddl}")\n'
)


def write(folder: Path, url: str, revisions: int) -> None:
    """Write the same revisions for both."""
    versions = folder / "migrations" / "versions"
    versions.mkdir(parents=True)
    (folder / "coodie").mkdir()
    (folder / "migrations" / "env.py").write_text(ENV)
    (folder / "alembic.ini").write_text(
        f"[alembic]\nscript_location = %(here)s/migrations\nsqlalchemy.url = {url.replace('%', '%%')}\n"
    )
    down = None
    for number in range(revisions):
        name, ddl = f"r{number:03}", DDL.format(number=number)
        (versions / f"{name}.py").write_text(REVISION.format(name=name, down=down, ddl=ddl))
        (folder / "coodie" / f"20260101_{number:03}_x.py").write_text(MIGRATION.format(ddl=ddl))
        down = name


def run(folder: Path, code: str, *arguments: str) -> tuple[float, float]:
    """Run a program; gives the seconds that it says, and those of its whole process."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    return float(done.stdout.split()[-1]), time.perf_counter() - began


def one_round(cluster: CassandraCluster, turn: int, revisions: int) -> dict[str, tuple[float, float, float]]:
    """Run all three on a fresh keyspace each; gives seconds for the DDL, for nothing to do, and for that whole."""
    host, port = cluster.hosts[0], str(cluster.port)
    session = driver_cluster(cluster).connect()
    found = {}
    names = ["bare", "coodie", "ours"]
    for name in names[turn % 3 :] + names[: turn % 3]:
        keyspace = f"b_{uuid4().hex[:12]}"
        session.execute(
            f"CREATE KEYSPACE {keyspace} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}"
        )
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            write(folder, cluster.url(keyspace), revisions)
            commands = {
                "bare": (BARE, host, port, keyspace, str(revisions), DDL),
                "coodie": (COODIE, host, port, keyspace, str(folder / "coodie")),
                "ours": (OURS,),
            }
            first, _ = run(folder, *commands[name])
            found[name] = first, *(run(folder, *commands[name]) if name != "bare" else (0.0, 0.0))
        session.execute(f"DROP KEYSPACE {keyspace}")
    session.cluster.shutdown()
    return found


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--revisions", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    wanted = parser.parse_args()
    with cassandra_from_environment(shortcuts=False) as cluster:
        rounds = []
        for turn in range(wanted.rounds):
            rounds.append(one_round(cluster, turn, wanted.revisions))
            print({name: tuple(round(value, 2) for value in values) for name, values in rounds[-1].items()}, flush=True)
    for name in ("ours", "coodie"):
        ratio = statistics.median(found[name][0] / found["bare"][0] for found in rounds)
        print(f"{wanted.revisions} revisions, {name}: {ratio:.2f} times the bare driver")
    for place, what in (1, "from the connection on"), (2, "the whole process"):
        ratio = statistics.median(found["ours"][place] / found["coodie"][place] for found in rounds)
        print(f"nothing to do, {what}: {ratio:.2f} times coodie")


if __name__ == "__main__":
    main()

"""The main job on real servers; every step is verified.

``python -m scripts.demo`` from the project's folder, or ``scripts/demo``, which installs what is missing first. It
works on a temporary copy of the example application in ``.cache/demo``; its servers are ended by their ids.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import NoReturn
from uuid import uuid4

import sqlalchemy as sa
from rich.markup import escape
from sqlalchemy.exc import SQLAlchemyError

from alembic_cluster.errors import ClusterError, first_line
from scripts.demo_job import Demo, NotAsItShould, console, step
from scripts.demo_parts import CASSANDRA, COCKROACHDB
from tests.servers.at_end import make_folder, remove_folder
from tests.servers.cache import CACHE, PROJECT
from tests.servers.cassandra import CassandraCluster, cassandra_from_environment
from tests.servers.cockroach import CockroachCluster, cockroach_from_environment
from tests.servers.errors import ServerError


class Interrupted(BaseException):
    """Ctrl-C, SIGTERM or SIGHUP: everything is stopped and removed on the way out."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.status = 128 + number


def copy_of_the_example(stack: ExitStack) -> Path:
    """Copy the example application into a temporary folder, which goes when the stack is unwound."""
    folder = make_folder("example-")
    stack.callback(remove_folder, folder)
    shutil.copytree(PROJECT / "example_app", folder / "example_app", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def on_cassandra() -> None:
    """Do the job on a Cassandra of our own, or the one that CASSANDRA_HOSTS names."""
    step("Start Cassandra")
    with ExitStack() as stack:
        cluster: CassandraCluster = stack.enter_context(cassandra_from_environment())
        engine = sa.create_engine(cluster.url(), poolclass=sa.NullPool)
        keyspace = f"demo_{uuid4().hex[:12]}"

        def run(cql: str) -> None:
            with engine.connect() as connection:
                connection.exec_driver_sql(cql)

        with engine.connect() as connection:
            version = ".".join(map(str, connection.dialect.server_version_info or ()))
        console.print(f"Cassandra {version} at {', '.join(cluster.hosts)}, port {cluster.port}; keyspace {keyspace}")
        run(f"CREATE KEYSPACE {keyspace} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}")
        stack.callback(run, f"DROP KEYSPACE {keyspace}")
        Demo(CASSANDRA, copy_of_the_example(stack), cluster.url(keyspace)).run()


def on_cockroachdb() -> None:
    """Do the job on a CockroachDB if one can be had, else print its script and say why."""
    step("Start CockroachDB")
    with ExitStack() as stack:
        try:
            cluster: CockroachCluster = stack.enter_context(cockroach_from_environment())
        except ServerError as reason:
            why = str(reason).partition("\n")[0]
            console.print(f"So here is the script of the same revisions only: {escape(why)}", soft_wrap=True)
            Demo(COCKROACHDB, copy_of_the_example(stack), "cockroachdb+psycopg://root@nowhere/bank").script()
            return
        database = cluster.create_database("demo")
        stack.callback(cluster.drop_database, database)
        version = str(cluster.execute("SELECT version()")[0][0]).partition(" (")[0]
        console.print(f"{version} at {cluster.host}, port {cluster.port}; database {database}")
        Demo(COCKROACHDB, copy_of_the_example(stack), cluster.url(database, "psycopg")).run()


_PARTS = {"cassandra": on_cassandra, "cockroachdb": on_cockroachdb}


def _part(name: str) -> str:
    if name not in _PARTS:
        raise argparse.ArgumentTypeError(f"there is no {name!r}; there are {', '.join(_PARTS)}")
    return name


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo.

    :param argv: the arguments without the program's name; ``sys.argv[1:]`` when None.
    :return: the exit status: 0 if every step did what it should, 1 if one did not, 69 if a server could not be had,
        128 and the signal's number after one.
    """
    parser = argparse.ArgumentParser(prog="scripts/demo", description="The main job on real servers, step by step.")
    parser.add_argument("database", nargs="*", type=_part, help=f"where: {' or '.join(_PARTS)}; on both by default")
    wanted = parser.parse_args(argv).database or list(_PARTS)
    # Every temporary file of ours, of the servers and of what we call stays in the project's folder.
    own = CACHE / "demo"
    own.mkdir(parents=True, exist_ok=True)
    os.environ["TMPDIR"] = tempfile.tempdir = str(own)
    os.environ["MAVEN_OPTS"] = f"{os.environ.get('MAVEN_OPTS', '')} -XX:-UsePerfData".strip()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        for name in wanted:
            _PARTS[name]()
    except NotAsItShould as failed:
        console.print(f"[bold red]Not as it should be:[/] {escape(str(failed))}")
        return 1
    except (ClusterError, SQLAlchemyError) as failed:
        console.print(f"[bold red]Not as it should be:[/] {escape(first_line(failed))}")
        return 1
    except ServerError as missing:
        console.print(f"[bold red]No server:[/] {escape(str(missing))}")
        return 69
    except Interrupted as interrupted:
        console.print(f"Ended by {interrupted}; every server is stopped and every temporary file removed.")
        return interrupted.status
    step("Every step did what it should")
    return 0


def _interrupt(number: int, _frame: FrameType | None) -> NoReturn:
    for other in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(other, signal.SIG_IGN)  # what has to be stopped and removed now takes a moment
    raise Interrupted(number)


if __name__ == "__main__":
    sys.exit(main())

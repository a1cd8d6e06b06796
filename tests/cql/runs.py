"""Projects whose runs take the migration lock, and processes of them that die at a place of the test's choice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from alembic import command
from sqlalchemy import make_url

from tests.cql.project import ROOT, Project
from tests.servers.fixtures import CassandraKeyspace

# Stands in for the moment at which a process dies: DIE says before or after which statement of a revision, counted over
# all of the run's; `during` lets the statement go out and dies before the answer is read.
DYING = """
import os, signal, time
from alembic_cluster.gate import Gate, Gates, Place

class Dying(Gate):
    place = Place.LEASE - 1
    def __init__(self, at):
        self.when, _, number = at.partition(":")
        self.number, self.count = int(number), 0
    def around(self, statement, send):
        if statement.ordinal is None:
            return send()
        self.count += 1
        here = self.count == self.number
        if here and self.when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        if here and self.when == "during":
            connection = statement.connection.connection.dbapi_connection
            session = connection.live_session()
            send_one = session.execute_async
            def and_die(*args, **kw):
                send_one(*args, **kw)
                time.sleep(float(os.environ.get("DIE_AFTER", "0")))
                os.kill(os.getpid(), signal.SIGKILL)
            session.execute_async = and_die
        if here and self.when == "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        send()
        if here and self.when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        if here and self.when == "stopafter":
            os.kill(os.getpid(), signal.SIGSTOP)
"""
LOCKED = """with migration_lock(context):
            if os.environ.get("DIE"):
                Gates.of(connection).add(Dying(os.environ["DIE"]))
            context.run_migrations()"""


class LockedProject(Project):
    """A project with ``migration_lock`` in its ``env.py``.

    :param settings: arguments of ``migration_lock``, as Python.
    """

    def __init__(self, folder: Path, keyspace: CassandraKeyspace, settings: str = "allow_destructive=True") -> None:
        patient = make_url(keyspace.url).update_query_dict({"connect_timeout": "60"})  # many processes, few cores
        super().__init__(folder, keyspace, patient.render_as_string(hide_password=False))
        env = folder / "migrations" / "env.py"
        before, online = env.read_text().split("def run_migrations_online")
        locked = LOCKED.replace("(context)", f"(context, {settings})") if settings else LOCKED
        online = online.replace("with context.begin_transaction():\n            context.run_migrations()", locked)
        assert "migration_lock" in online
        env.write_text(
            "from alembic_cluster import migration_lock\n" + DYING + before + "def run_migrations_online" + online
        )

    def process(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Begin to run ``alembic`` as its own process.

        :param environment: variables, such as ``DIE="before:3"``.
        """
        return subprocess.Popen(
            [sys.executable, "-m", "alembic", *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": f"{self.folder}:{ROOT}", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def dies(self, *arguments: str, at: str, **environment: str) -> None:
        """Run ``alembic`` until it is killed.

        :param at: where, see ``DYING``.
        """
        process = self.process(*arguments, DIE=at, **environment)
        output, _ = process.communicate(timeout=120)
        assert process.returncode == -signal.SIGKILL, output

    def upgrade_with(self, **settings: object) -> None:
        """Upgrade in this process."""
        config = self.config()
        config.attributes["alembic_cluster"] = settings
        command.upgrade(config, "heads")

    def history(self) -> list[tuple[str, str]]:
        """Give revision and direction of each row of the ledger, the oldest first."""
        query = "SELECT revision, direction FROM alembic_cluster_history WHERE scope = 'alembic_version'"
        return [tuple(row) for row in self.keyspace.execute(query)]

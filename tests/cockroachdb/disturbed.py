"""A project under ``migration_lock`` whose runs are disturbed: killed, frozen, cut off, at a place that is said."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alembic_cluster.gate import Gate, Gates, Place, Statement
from tests.cockroachdb.definitions import DEFINITIONS
from tests.cockroachdb.project import Project, environment

#: What ``env.py`` of these projects does before it runs: see ``_Disturber``.
_ENVIRONMENT = """
from tests.cockroachdb.disturbed import disturb
from alembic_cluster.lock import migration_lock

def run_under_lock():
    disturb(context)
    with migration_lock(context):
        with context.begin_transaction():
            context.run_migrations()
"""
#: Where a run is disturbed, in the order in which a statement comes by: before the journal knows of it, when the
#: journal has it as sent, some time after it went to the server, when the server has answered but the journal hasn't
#: heard of it, when the journal says that it is done but a transaction is not committed, and when all is over.
POINTS = ("unknown", "noted", "middle", "answered", "journaled", "done")
#: Gates that are put on the way of the runs of this process.
injected: list[Gate] = []
_STARTED = "ALEMBIC_TEST_STARTED"
_WHAT = "ALEMBIC_TEST_DISTURB"


class LockedProject(Project):
    """A project whose ``env.py`` has ``migration_lock``.

    :param folder: an empty folder.
    :param url: the database.
    :param ttl: seconds of the lease.
    """

    def __init__(self, folder: Path, url: str, ttl: float = 30.0) -> None:
        super().__init__(folder, url, template="async" if "+asyncpg" in url else "generic")
        env = folder / "migrations" / "env.py"
        text = env.read_text()
        block = re.compile(r"( *)with context.begin_transaction\(\):\n +context.run_migrations\(\)\n")
        last = list(block.finditer(text))[-1]
        text = f"{text[: last.start()]}{last[1]}run_under_lock()\n{text[last.end() :]}"
        env.write_text(text.replace("config = context.config\n", f"config = context.config\n{_ENVIRONMENT}", 1))
        settings = f"alembic_cluster.lock_ttl = {ttl:g}\nalembic_cluster.allow_destructive = true\n"
        self.edit("alembic.ini", r"(?m)^sqlalchemy\.url = ", f"{settings}sqlalchemy.url = ")

    def start(self, *arguments: str, disturb: str = "", **more: str) -> subprocess.Popen[str]:
        """Start ``alembic`` as a process of its own.

        :param disturb: ``point:ordinal[:what[:seconds]]``, see :data:`POINTS`; ``what`` is ``kill`` or ``stop``.
        """
        return subprocess.Popen(
            [sys.executable, "-m", "alembic", *arguments],
            cwd=self.folder,
            env=environment(**{_WHAT: disturb, _STARTED: str(time.time()), **more}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, disturb: str = "", **more: str) -> tuple[int, str]:
        """Run ``alembic`` to its end: exit status and output."""
        with self.start(*arguments, disturb=disturb, **more) as process:
            output, _ = process.communicate(timeout=180)
        return process.returncode, output

    def state(self) -> dict[str, object]:
        """Give all that revisions have brought about: definitions, heads, and rows without the server's row ids."""
        definitions = self.rows(
            f"SELECT descriptor_name, create_statement FROM ({DEFINITIONS}) WHERE schema_name = 'public' ORDER BY 1"
        )
        kept = [(name, text) for name, text in definitions if not str(name).startswith("alembic_")]
        rows = {}
        for name, _ in kept:
            quoted = '"' + str(name).replace('"', '""') + '"'
            rows[str(name)] = sorted(map(repr, self.rows(f"SELECT * FROM {quoted}")))
        labels = self.rows("SELECT e.enumlabel FROM pg_catalog.pg_enum AS e ORDER BY e.enumsortorder")
        return {"definitions": kept, "rows": rows, "heads": self.versions(), "labels": labels}


def disturb(context: Any) -> None:
    """Set up what the environment variable says, on the run's connection."""
    connection = context.get_bind()
    point, _, rest = os.environ.get(_WHAT, "").partition(":")
    ordinal, _, rest = rest.partition(":")
    what, _, seconds = rest.partition(":")
    number = signal.SIGSTOP if what == "stop" else signal.SIGKILL

    class Announcer(Gate):
        place = Place.LEASE + 90
        told = False

        def around(self, statement: Statement, send: Callable[[], None]) -> None:
            if statement.ordinal is not None:
                if not Announcer.told:
                    Announcer.told = True
                    print(f"STARTED AFTER {time.time() - float(os.environ.get(_STARTED, time.time())):.2f}", flush=True)
                print(f"SENT {statement.ordinal} {' '.join(statement.text.split())[:300]}", flush=True)
            send()

    class Disturber(Gate):
        place = {
            "unknown": Place.GUARD - 1,
            "noted": Place.LEASE + 80,
            "middle": Place.LEASE + 80,
            "answered": Place.LEASE + 80,
            "journaled": Place.JOURNAL - 1,
            "done": Place.GUARD - 1,
        }.get(point, Place.GUARD)

        def around(self, statement: Statement, send: Callable[[], None]) -> None:
            if not ordinal or statement.ordinal != int(ordinal) or statement.left_out:
                send()
                return
            if point in ("unknown", "noted"):
                self.now()
            if point == "middle":
                timer: Any = threading.Timer(float(seconds or 0), self.now)
                timer.start()
            send()
            if point in ("middle", "answered", "journaled", "done"):
                self.now()

        @staticmethod
        def now() -> None:
            sys.stdout.flush()
            os.kill(os.getpid(), number)

    gates = Gates.of(connection)
    gates.put(Announcer())
    for gate in injected:
        gates.add(gate)
    if point:
        gates.put(Disturber())


def sent(output: str) -> list[str]:
    """Give what a run's output says that it sent."""
    return [line.split(" ", 2)[2].replace("%%", "%") for line in output.splitlines() if line.startswith("SENT ")]


#: Statements of two kinds: schema changes, and changes of data that must not be done twice. Twenty each way.
BEFORE = """
op.execute("CREATE TABLE acc (id INT8 PRIMARY KEY, n INT8 NOT NULL, \\"full\\" STRING)")
op.execute("INSERT INTO acc SELECT g, g * 10, 'name ' || g::STRING FROM generate_series(1, 50) AS g")
op.execute("CREATE TABLE tally (what STRING NOT NULL)")
"""
UPGRADE = [
    'CREATE TABLE "T two" (id INT8 PRIMARY KEY, acc INT8 REFERENCES acc (id), note STRING)',
    "INSERT INTO tally SELECT 'up ' || id::STRING FROM acc WHERE id < 5",
    "ALTER TABLE acc ADD COLUMN extra INT8 NOT NULL DEFAULT 7",
    "UPDATE acc SET n = n + 1, extra = extra * 2",
    "CREATE INDEX ix_n ON acc (n)",
    'CREATE UNIQUE INDEX ux_full ON acc ("full")',
    "INSERT INTO \"T two\" SELECT id, id, 'n' FROM acc WHERE id <= 10",
    'ALTER TABLE "T two" ADD COLUMN amount DECIMAL(10, 2)',
    'UPDATE "T two" SET amount = (SELECT n::DECIMAL FROM acc WHERE acc.id = "T two".acc)',
    "CREATE SEQUENCE sq START 100",
    "INSERT INTO tally VALUES ('middle')",
    "CREATE TYPE mood AS ENUM ('sad', 'glad')",
    "ALTER TABLE acc ADD COLUMN m mood",
    "UPDATE acc SET m = 'glad', n = n * 2 WHERE id % 2 = 0",
    "ALTER TABLE acc ADD CONSTRAINT ck CHECK (n > 0)",
    "CREATE VIEW v AS SELECT id, n FROM acc",
    'ALTER TABLE "T two" RENAME COLUMN note TO remark',
    "DELETE FROM tally WHERE what = 'up 1'",
    "DROP INDEX acc@ix_n",
    "UPDATE acc SET n = n + 1000",
]
DOWNGRADE = [
    "UPDATE acc SET n = n - 1000",
    "CREATE INDEX ix_n ON acc (n)",
    "INSERT INTO tally VALUES ('up 1')",
    'ALTER TABLE "T two" RENAME COLUMN remark TO note',
    "DROP VIEW v",
    "ALTER TABLE acc DROP CONSTRAINT ck",
    "UPDATE acc SET n = n // 2 WHERE id % 2 = 0",
    "ALTER TABLE acc DROP COLUMN m",
    "DROP TYPE mood",
    "DELETE FROM tally WHERE what = 'middle'",
    "DROP SEQUENCE sq",
    'UPDATE "T two" SET amount = amount + 1',
    'ALTER TABLE "T two" DROP COLUMN amount',
    'DELETE FROM "T two" WHERE id > 5',
    "DROP INDEX ux_full CASCADE",
    "DROP INDEX acc@ix_n",
    "UPDATE acc SET n = n - 1",
    "ALTER TABLE acc DROP COLUMN extra",
    "DELETE FROM tally WHERE what LIKE 'up%'",
    'DROP TABLE "T two"',
]


#: The first statements up, and the last ones down again, which undo just these: enough for most tests.
SHORT = (UPGRADE[:6], DOWNGRADE[-6:])


def write_revisions(project: Project, ways: tuple[list[str], list[str]] = SHORT) -> None:
    """Write the revision ``r0``, and ``r1`` on top of it, which changes what that makes.

    :param ways: the statements of upgrade and downgrade.
    """
    project.revision("r0", BEFORE)
    project.revision("r1", *("\n".join(f"op.execute({each!r})" for each in way) for way in ways))


def one_line(statements: list[str]) -> list[str]:
    """Give statements as :func:`sent` does."""
    return [" ".join(each.split()) for each in statements]

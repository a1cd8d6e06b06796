"""Schema-change jobs: what the server goes on with when a statement has answered, or when its client is gone.

``SHOW JOBS`` has them in every version, for every user those of their own; ``crdb_internal.jobs`` is closed since
v26.1 (documentation, page "SHOW JOBS"; release notes of v26.1, ``allow_unsafe_internals``).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta, timezone
from typing import Any

from sqlalchemy.engine import Connection

from alembic_cluster.errors import UnreadableDDL
from alembic_crdb.lexer import is_word, read_name, tokenize

log = logging.getLogger("alembic.cockroachdb")  # below the logger that alembic.ini sets up

_FINISHED = frozenset({"succeeded", "failed", "canceled", "revert-failed"})
_PAUSED = frozenset({"paused", "pause-requested"})
_OPTIONAL = frozenset({"IF", "NOT", "EXISTS"})
_FIRST_PAUSE = 0.02  # seconds between two looks at a job
_LONGEST_PAUSE = 2.0
# "SCHEMA CHANGE", "NEW SCHEMA CHANGE", "TYPEDESC SCHEMA CHANGE"; never "SCHEMA CHANGE GC", which runs for a day.
_JOBS = "SELECT current_database(), clock_timestamp(), * FROM [SHOW JOBS] WHERE right(job_type, 13) = 'SCHEMA CHANGE'"


@dataclass(frozen=True)
class Job:
    """A schema-change job.

    :ivar description: the statement as the server prints it, or what it calls a part of it.
    :ivar status: the server's word, such as ``running``, ``reverting``, ``succeeded``.
    :ivar running_status: what it is doing, in the server's words; often empty.
    :ivar fraction: how much of it is done, from 0 to 1.
    :ivar error: why it failed; empty if it didn't.
    :ivar age: seconds since it was created, by the server's clock.
    """

    id: int
    description: str
    status: str
    running_status: str
    fraction: float
    error: str
    age: float

    @property
    def finished(self) -> bool:
        """Whether it has come to its end, a good or a bad one."""
        return self.status in _FINISHED

    @property
    def paused(self) -> bool:
        """Whether somebody has paused it, so that it goes on only after ``RESUME JOB``."""
        return self.status in _PAUSED

    @property
    def shown(self) -> tuple[str, str, float]:
        """What a reader sees of how far it is."""
        return self.status, self.running_status, self.fraction

    def __str__(self) -> str:
        doing = f", {self.running_status}" if self.running_status else ""
        described = f" ({' '.join(self.description.split())[:200]})" if self.description else ""
        return f"job {self.id}{described}: {self.status}{doing}, {self.fraction:.0%}"


#: Is told about a job whenever something of it has changed.
Listener = Callable[[Job], None]


def schema_changes(connection: Connection, *, since: float | None = None) -> list[Job]:
    """Give the schema-change jobs of the connection's database, the oldest first.

    :param since: only those that were created at most that many seconds ago; None for all that the server still shows
        (those of the last 12 hours, and all that run).
    """
    pooled: Any = connection.connection
    cursor = pooled.cursor()
    try:
        cursor.execute(_JOBS)
        names = [column[0] for column in cursor.description][2:]
        rows = cursor.fetchall()
    finally:
        cursor.close()
    found = []
    for database, asked, *values in rows:
        row = dict(zip(names, values, strict=True))
        created = row["created"]
        if created.tzinfo is None:  # before v23.1 it is a TIMESTAMP, in UTC
            created = created.replace(tzinfo=timezone.utc)
        age = (asked - created) / timedelta(seconds=1)
        if (since is None or age <= since) and _is_about(row["description"] or "", database):
            found.append((created, _job(row, age)))
    return [job for _, job in sorted(found, key=lambda pair: (pair[0], pair[1].id))]


def _job(row: dict[str, Any], age: float) -> Job:
    return Job(
        int(row["job_id"]),
        str(row["description"] or ""),
        str(row["status"] or ""),
        str(row.get("running_status") or ""),
        float(row.get("fraction_completed") or 0),
        str(row.get("error") or ""),
        age,
    )


def _is_about(description: str, database: str | None) -> bool:
    """Tell whether a job can be about a database: not if its description names objects of others only.

    Some descriptions name no database: ``ALTER TABLE t RENAME TO u``, ``updating privileges for table 54``.
    """
    try:
        tokens = tokenize(description).texts
    except UnreadableDDL:
        return True
    named = {
        read_name(tokens[at])
        for at in range(len(tokens) - 4)
        if tokens[at + 1] == tokens[at + 3] == "." and (at == 0 or tokens[at - 1] != ".") and _is_name(tokens[at])
    }
    if len(tokens) > 2 and tokens[1].upper() == "DATABASE":
        at = next((at for at, token in enumerate(tokens) if at > 1 and token.upper() not in _OPTIONAL), 2)
        named.add(read_name(tokens[at]))
    return not named or database in named


def _is_name(token: str) -> bool:
    return is_word(token) or (len(token) > 2 and token[0] == '"')


def unfinished(connection: Connection) -> list[Job]:
    """Give the schema-change jobs of the connection's database that have not come to their end."""
    return [job for job in schema_changes(connection) if not job.finished]


def await_jobs(
    connection: Connection,
    tell_listener: Listener | None = None,
    *,
    at_most: float | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> list[Job]:
    """Wait until no schema-change job of the connection's database is left that goes on.

    :param connection: in no transaction.
    :param tell_listener: is told about each job whenever something of it has changed, and at its end.
    :param at_most: seconds to wait; None for as long as it takes.
    :param pause: waits for so many seconds.
    :return: the jobs that still go on: none, unless the time is over.
    """
    begun = time.monotonic()
    seconds = _FIRST_PAUSE
    known: dict[int, Job] = {}
    while left := unfinished(connection):
        _tell_changes(known, left, tell_listener)
        if at_most is not None and time.monotonic() - begun >= at_most:
            return left
        pause(seconds)
        seconds = min(seconds * 1.5, _LONGEST_PAUSE)
    if known:
        ended = [job for job in schema_changes(connection) if job.id in known]
        _tell_changes(known, ended, tell_listener)
    return []


def _tell_changes(known: dict[int, Job], jobs: Iterable[Job], listener: Listener | None) -> None:
    for job in jobs:
        before = known.get(job.id)
        known[job.id] = job
        if job.paused and (before is None or not before.paused):
            log.warning("%s. The run waits for it: %s", sentence(job), how_to(job))
        if listener is not None and (before is None or before.shown != job.shown):
            listener(job)


def sentence(job: Job) -> str:
    """Begin a sentence with a job."""
    text = str(job)
    return text[0].upper() + text[1:]


def how_to(job: Job) -> str:
    """Say how a job is controlled."""
    if job.paused:
        return f"RESUME JOB {job.id} has it go on, CANCEL JOB {job.id} rolls it back."
    return (
        f"CANCEL JOB {job.id} rolls it back, PAUSE JOB {job.id} stops it until RESUME JOB {job.id}; "
        f"SHOW JOB {job.id} shows how far it is."
    )

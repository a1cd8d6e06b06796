"""Indexes and materialized views that are filled after their statement has returned: waiting until they are.

A run does so where ``await_builds`` is set. Each live node fills its own part and keeps a note of it: Cassandra in
``system."IndexInfo"`` (where ``table_name`` is the keyspace) and ``system.built_views``; ScyllaDB's global indexes are
views named ``<index>_index``. How far a node is stands in ``system_views.sstable_tasks`` (Cassandra 4.0+).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.engine import Connection

from alembic_cluster.errors import BuildStalled
from alembic_cluster.gate import Gate, Place, Statement
from alembic_cluster.progress import reporter_of
from alembic_cql._session import INTERNAL_PROFILE
from alembic_cql.effects import read_statements
from alembic_cql.outcomes import Look

_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 2.0
_PATIENCE: Final = 60.0  # seconds in which nothing fills it
_READ: Final = 10.0  # seconds for a node's answer
_TASKS: Final = (
    "SELECT table_name, kind, progress, total FROM system_views.sstable_tasks WHERE keyspace_name = %s ALLOW FILTERING"
)
_KINDS: Final = {"index": "secondary index build", "materialized view": "view build"}


@dataclass(frozen=True)
class Build:
    """What is being filled.

    :ivar kind: ``index`` or ``materialized view``.
    :ivar table: whose rows it is filled from.
    """

    kind: str
    keyspace: str
    name: str
    table: str


class BuildGate(Gate):
    """Waits behind a statement until what it has made is filled on every live node, and shows how far that is.

    It stands outside of the journal: a run that is killed while it waits has the statement done, and waits again.
    """

    place = Place.PROGRESS + 50

    def __init__(
        self, connection: Connection, sleep: Callable[[float], None] = time.sleep, patience: float = _PATIENCE
    ) -> None:
        self._connection = connection
        self._sleep = sleep
        self._patience = patience

    def around(self, statement: Statement, send: Callable[[], None]) -> None:
        """Send a statement and wait.

        :raises BuildStalled: a node has not filled its part, and nothing does.
        """
        send()
        if statement.ordinal is None:
            return
        for build in builds_of(self._connection, statement.text):
            self._wait(build)

    def _wait(self, build: Build) -> None:
        session = self._connection.connection.dbapi_connection.live_session()  # type: ignore[union-attr]
        reporter = reporter_of(self._connection)
        pause, moved, last = _FIRST_PAUSE, time.monotonic(), -1.0
        while True:
            left, done = progress_of(session, build)
            if not left:
                return
            if done is not None and done != last:
                moved, last = time.monotonic(), done
            if time.monotonic() - moved > self._patience:
                raise BuildStalled(
                    f"the {build.kind} {build.keyspace}.{build.name} is not filled on {', '.join(left)}, and nothing "
                    f"has filled it there for {self._patience:g} s. Its statement is applied. See the log of these "
                    "nodes, have them rebuild it, and run the same command again, or without await_builds."
                )
            if reporter is not None:
                reporter.statement_is_at(done, f"{build.kind} {build.name} is being filled on {', '.join(left)}")
            self._sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)


def builds_of(connection: Connection, text: str) -> Iterator[Build]:
    """Tell what a statement has made that is filled afterwards."""
    look = Look(connection)
    for statement in read_statements(text):
        for effect in statement.effects:
            if effect.kind == "create index":
                keyspace, table = look.path(effect.table)
                name = look.index_name(effect)
            elif effect.kind == "create materialized view":
                keyspace, name = look.path(effect.name)
                table = look.path(effect.table)[1]
            else:
                continue
            if name is not None:
                yield Build(effect.kind.removeprefix("create "), keyspace, name, table)


def progress_of(session: Any, build: Build) -> tuple[list[str], float | None]:
    """Ask every live node.

    :return: the addresses of the nodes that are not at the end, and how much of it is done, from 0 to 1; None when
        nothing fills it at the moment.
    """
    hosts = [host for host in session.cluster.metadata.all_hosts() if host.is_up is not False]
    left, done, busy = [], 0.0, False
    for host in hosts:
        if _is_built(session, host, build):
            done += 1
            continue
        left.append(str(host.endpoint))
        part = _part(session, host, build)
        busy = busy or part is not None
        done += part or 0.0
    return left, done / len(hosts) if busy else None


def _is_built(session: Any, host: Any, build: Build) -> bool:
    queries = {
        "index": (
            ('SELECT index_name FROM system."IndexInfo" WHERE table_name = %s AND index_name = %s', build.name),
            ("SELECT view_name FROM system.built_views WHERE keyspace_name = %s AND view_name = %s",
             f"{build.name}_index"),
        ),
        "materialized view": (
            ("SELECT view_name FROM system.built_views WHERE keyspace_name = %s AND view_name = %s", build.name),
        ),
    }  # fmt: skip
    return any(_ask(session, host, query, build.keyspace, name) for query, name in queries[build.kind])


def _part(session: Any, host: Any, build: Build) -> float | None:
    """Give how much of its part a node has filled; None when it is not at it."""
    tasks = [
        (row["progress"], row["total"])
        for row in _ask(session, host, _TASKS, build.keyspace)
        if row["table_name"] == build.table and str(row["kind"]).lower() == _KINDS[build.kind]
    ]
    total = sum(total for _, total in tasks)
    return sum(progress for progress, _ in tasks) / total if total else (0.0 if tasks else None)


def _ask(session: Any, host: Any, query: str, *values: str) -> list[dict[str, Any]]:
    """Read a node's own table; no rows where there is no such table, or no answer."""
    try:
        return list(session.execute(query, values, host=host, timeout=_READ, execution_profile=INTERNAL_PROFILE))
    except Exception:
        return []

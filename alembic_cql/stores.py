"""Lock, ledger and journal on Cassandra and ScyllaDB: three tables beside the version table.

* The lock is one partition. Its fence is a static column; the holder's row carries a time to live. Both change by one
  conditional batch, so that no two holders have one fence.
* A conditional write that got no answer is resolved by a read at ``SERIAL``, which also ends what is under way.
* Rows of journal and ledger have the fence in their key: what a holder writes that was succeeded lies where nobody
  looks, and no clock of a client decides which of two writes is the later one.
* Whatever the connection's consistency is: conditional writes are ``SERIAL`` over all datacenters, all else is
  written and read at ``QUORUM``, so that a run in one datacenter sees what one in another did.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from typing import Any, Final

from sqlalchemy.engine import Connection

from alembic_cluster.errors import LeaseLost, OutcomeUnknown, first_line
from alembic_cluster.owner import Owner
from alembic_cluster.stores import (
    HISTORY_TABLE,
    JOURNAL_TABLE,
    LOCK_TABLE,
    HistoryRow,
    JournalHeader,
    JournalRow,
    Lease,
    LockState,
)
from alembic_cql._exceptions import ConnectionLost, InternalError, OperationalError, ProgrammingError, map_exception
from alembic_cql.heads import SCOPE

_TABLE_IDS: Final = uuid.UUID("6b1f9d9c-6c1e-5f0e-9a2e-7d0f3c1c8a55")
_NOT_THERE: Final = re.compile(r"does not exist|unconfigured table|Unknown CF", re.IGNORECASE)
_PATIENCE: Final = 10.0  # seconds that a table that was just made may take to be known everywhere
_PAUSE: Final = 0.05
_ATTEMPTS: Final = 3
_SLOT: Final = "lease"
_HEADER: Final = 0  # ordinal of the journal's row that says which revision it is of

_DEFINITIONS: Final[Mapping[str, tuple[str, str]]] = {
    LOCK_TABLE: (
        "scope text, slot text, fence bigint static, owner text, host text, boot text, pid int, started text, "
        "since timestamp, PRIMARY KEY (scope, slot)",
        "Who migrates this keyspace at the moment",
    ),
    HISTORY_TABLE: (
        "scope text, fence bigint, step int, revision text, direction text, started timestamp, finished timestamp, "
        "seconds double, owner text, message text, checksum text, tool text, content text, "
        "PRIMARY KEY (scope, fence, step)",
        "Revisions that ran",
    ),
    JOURNAL_TABLE: (
        "scope text, fence bigint, step int, ordinal int, digest text, statement text, state text, header text, "
        "PRIMARY KEY (scope, fence, step, ordinal)) WITH CLUSTERING ORDER BY (fence DESC, step DESC, ordinal ASC",
        "Statements of the revision that runs",
    ),
}
_HISTORY: Final = (
    "fence", "step", "revision", "direction", "started", "finished", "seconds", "owner", "message", "checksum", "tool",
)  # fmt: skip


class CqlStores:
    """All that a keyspace keeps for one version table.

    :param connection: of SQLAlchemy; the driver's session of it is used.
    :param version_table: its name.
    :param keyspace: the keyspace that it is in.
    """

    def __init__(self, connection: Connection, version_table: str, keyspace: str) -> None:
        self.scope = version_table
        self.keyspace = keyspace
        self.connection = connection
        self.fence: int | None = None
        self.lease = CqlLease(self)
        self.history = CqlHistory(self)
        self.journal = CqlJournal(self)
        self._prepared: dict[str, Any] = {}
        self._under_way: list[Any] = []
        self._made = False

    def name(self, table: str) -> str:
        """Give a table's name as CQL, with its keyspace."""
        return ".".join('"' + part.replace('"', '""') + '"' for part in (self.keyspace, table))

    @property
    def _dbapi(self) -> Any:
        return self.connection.connection.dbapi_connection

    def prepare(self) -> None:
        """Create the tables that are missing; their ids come from their names, so that racing creators converge."""
        rows = self.ask(
            "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?", self.keyspace, plain=True
        )
        there = {name for (name,) in rows}
        for table, (columns, comment) in _DEFINITIONS.items():
            if table in there:
                continue
            table_id = uuid.uuid5(_TABLE_IDS, f"{self.keyspace}.{table}")
            joined = " AND " if "WITH" in columns else " WITH "
            cursor = self._dbapi.cursor()
            cursor.execute(
                f"CREATE TABLE IF NOT EXISTS {self.name(table)} ({columns}){joined}id = {table_id} "
                f"AND comment = '{comment}, kept by alembic-cluster'"
            )
            cursor.close()
        self._made = True

    def arm(self, lease: Lease | None) -> None:
        """Have the heads move under this lease's fence.

        :raises LeaseLost: a later lease was armed before.
        """
        self.fence = None
        if lease is not None:
            self.raise_heads_fence(lease.fence)
            self.fence = lease.fence

    def raise_heads_fence(self, fence: int) -> None:
        """Refuse moves of the heads under any fence below this one from now on.

        :raises LeaseLost: a higher one was raised before.
        """
        table = self.name(self.scope)
        for condition in ("fence < ?", "fence = null"):
            values = (fence, SCOPE, fence) if "?" in condition else (fence, SCOPE)
            rows = self.decide(f"UPDATE {table} SET fence = ? WHERE scope = ? IF {condition}", *values)
            if rows[0][0]:
                return
            found = rows[0][1] if len(rows[0]) > 1 else None  # no value where there is no row at all
            if found == fence:
                return
            if found is not None:
                break
        raise LeaseLost(f"another run has taken the migration lock (fence {found}, ours is {fence}); nothing was sent")

    def flush(self) -> None:
        """Wait until what was written is durable."""
        self.journal.flush()
        self.settle()

    # ---------------------------------------------------------------------------------- what goes to the server

    def decide(self, cql: str, *values: Any) -> list[Any]:
        """Run a conditional statement, over all datacenters; its first column says whether it was applied."""
        return self._run(cql, values, {"consistency": _level("QUORUM"), "serial_consistency": _level("SERIAL")})

    def ask(self, cql: str, *values: Any, serial: bool = False, plain: bool = False) -> list[Any]:
        """Read rows.

        :param serial: settle what conditional writes are under way.
        :param plain: read a node's own tables.
        """
        return self._run(cql, values, {} if plain else {"consistency": _level("SERIAL" if serial else "QUORUM")})

    def write(self, cql: str, *values: Any) -> None:
        """Write rows."""
        self._run(cql, values, {"consistency": _level("QUORUM")})

    def write_all(self, cql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Write rows of one partition, all or none."""
        if len(rows) == 1:
            self.write(cql, *rows[0])
            return
        from cassandra.query import BatchStatement, BatchType

        batch = BatchStatement(BatchType.UNLOGGED, consistency_level=_level("QUORUM"))
        statement = self._statement(cql)
        for row in rows:
            batch.add(statement, row)
        self._patiently(lambda: self._session.execute(batch))

    def write_later(self, cql: str, *values: Any) -> None:
        """Begin to write a row; :meth:`settle` waits for it."""
        bound = self._statement(cql).bind(values)
        bound.consistency_level = _level("QUORUM")
        self._under_way.append((self._session.execute_async(bound), cql, values))

    def settle(self) -> None:
        """Wait for the rows that are under way; one that got no answer is written once more."""
        under_way, self._under_way = self._under_way, []
        for future, cql, values in under_way:
            try:
                future.result()
            except Exception:
                self.write(cql, *values)

    @property
    def _session(self) -> Any:
        return self._dbapi.live_session()

    def _statement(self, cql: str) -> Any:
        found = self._prepared.get(cql)
        if found is None:
            found = self._prepared[cql] = self._patiently(lambda: self._session.prepare(cql))
        return found

    def _run(self, cql: str, values: Sequence[Any], levels: Mapping[str, int]) -> list[Any]:
        bound = self._statement(cql).bind(values)
        for name, level in levels.items():
            setattr(bound, f"{name}_level", level)
        return [tuple(row) for row in self._patiently(lambda: self._session.execute(bound))]

    def _patiently(self, act: Callable[[], Any]) -> Any:
        """Do something; a table of ours that another process is making may not be known to each node yet."""
        deadline = time.monotonic() + (_PATIENCE if self._made else 0)
        while True:
            try:
                return act()
            except Exception as error:
                mapped = map_exception(error)
                if _NOT_THERE.search(str(mapped)) is None or time.monotonic() > deadline:
                    raise mapped from error
            time.sleep(_PAUSE)


def is_missing(error: BaseException) -> bool:
    """Tell whether an error says that a table isn't there."""
    return isinstance(error, ProgrammingError) and _NOT_THERE.search(str(error)) is not None


def is_unanswered(error: BaseException) -> bool:
    """Tell whether an error leaves open whether a write was applied."""
    if type(error.__cause__).__name__ == "Unavailable":
        return False  # the server says itself that it didn't begin
    return isinstance(error, (OperationalError, InternalError))


def _level(name: str) -> int:
    from cassandra import ConsistencyLevel

    return int(ConsistencyLevel.name_to_value[name])


class CqlLease:
    """The lock: :data:`alembic_cluster.stores.LOCK_TABLE`."""

    def __init__(self, stores: CqlStores) -> None:
        self._stores = stores
        self._table = stores.name(LOCK_TABLE)

    def read(self) -> LockState:
        """Read the lock, at ``SERIAL``; as nobody's when there is no table yet."""
        try:
            rows = self._stores.ask(
                f"SELECT fence, owner, host, boot, pid, started, since, TTL(owner) FROM {self._table} WHERE scope = ?",
                self._stores.scope,
                serial=True,
            )
        except ProgrammingError as error:
            if is_missing(error):
                return LockState()
            raise
        if not rows:
            return LockState()
        fence, token, host, boot, pid, started, since, ttl = rows[0]
        if token is None:
            return LockState(int(fence or 0))
        return LockState(int(fence or 0), Owner(token, host, boot, pid, started, _utc(since)), float(ttl or 0))

    def acquire(self, owner: Owner, ttl: float, seen: LockState) -> Lease | None:
        """Take the lock if it is still as it was seen, with the next fencing number."""
        fence = seen.fence + 1
        values = (owner.host, owner.boot, owner.pid, owner.started, owner.since)
        if seen.holder is None:
            take = (
                f"INSERT INTO {self._table} (scope, slot, owner, host, boot, pid, started, since) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?) IF NOT EXISTS USING TTL ?"
            )
            given: tuple[Any, ...] = (self._stores.scope, _SLOT, owner.token, *values, _seconds(ttl))
        else:
            take, given = self._rewrite(owner, ttl, seen.holder.token)
        taken = self._decide(seen.fence, fence, take, given, lambda now: _is(now, owner))
        return Lease(owner, fence, ttl) if taken else None

    def _rewrite(self, owner: Owner, ttl: float, token: str) -> tuple[str, tuple[Any, ...]]:
        """Write every column of the row anew: each has a time to live of its own."""
        cql = (
            f"UPDATE {self._table} USING TTL ? SET owner = ?, host = ?, boot = ?, pid = ?, started = ?, since = ? "
            "WHERE scope = ? AND slot = ? IF owner = ?"
        )
        columns = (owner.token, owner.host, owner.boot, owner.pid, owner.started, owner.since)
        return cql, (_seconds(ttl), *columns, self._stores.scope, _SLOT, token)

    def _decide(
        self, before: int, fence: int, cql: str, values: tuple[Any, ...], is_ours: Callable[[LockState], bool]
    ) -> bool:
        """Raise the fence and change the holder's row, both or neither."""
        scope = self._stores.scope
        condition, given = ("fence = ?", (before,)) if before else ("fence = null", ())
        batch = f"BEGIN BATCH UPDATE {self._table} SET fence = ? WHERE scope = ? IF {condition}; {cql}; APPLY BATCH"
        return self._resolved(batch, (fence, scope, *given, *values), is_ours)

    def _resolved(self, cql: str, values: tuple[Any, ...], is_ours: Callable[[LockState], bool]) -> bool:
        """Run a conditional statement; one without an answer is looked for.

        :raises OutcomeUnknown: the lock can't be read either.
        """
        try:
            return bool(self._stores.decide(cql, *values)[0][0])
        except (OperationalError, InternalError) as error:
            if not is_unanswered(error):
                raise
            unanswered = error
        for attempt in range(_ATTEMPTS):
            try:
                return is_ours(self.read())
            except ConnectionLost as error:
                if attempt + 1 == _ATTEMPTS:
                    raise self._unknown(unanswered) from error
            except (OperationalError, InternalError) as error:
                if attempt + 1 == _ATTEMPTS:
                    raise self._unknown(unanswered) from error
            time.sleep(_PAUSE * 2**attempt)
        raise AssertionError

    @staticmethod
    def _unknown(error: BaseException) -> OutcomeUnknown:
        return OutcomeUnknown(
            f"the cluster did not say whether the migration lock changed hands, nor who holds it: {first_line(error)}. "
            "No statement of a revision was sent since. Run the same command again when the cluster answers."
        )

    def renew(self, lease: Lease) -> bool:
        """Have a lease last ``lease.ttl`` seconds from now on; False when it is lost."""
        cql, values = self._rewrite(lease.owner, lease.ttl, lease.owner.token)
        return self._resolved(cql, values, lambda now: _is(now, lease.owner))

    def release(self, lease: Lease) -> None:
        """Give a lease back; nothing happens when it is lost."""
        self._stores.decide(
            f"DELETE FROM {self._table} WHERE scope = ? AND slot = ? IF owner = ?",
            self._stores.scope,
            _SLOT,
            lease.owner.token,
        )

    def remove(self, seen: LockState) -> bool:
        """Take the lock from its holder, and fence it out."""
        if seen.holder is None:
            return False
        cql = f"DELETE FROM {self._table} WHERE scope = ? AND slot = ? IF owner = ?"
        values = (self._stores.scope, _SLOT, seen.holder.token)
        removed = self._decide(seen.fence, seen.fence + 1, cql, values, lambda now: now.fence == seen.fence + 1)
        if removed:
            self._stores.raise_heads_fence(seen.fence + 1)
        return removed


def _is(state: LockState, owner: Owner) -> bool:
    return state.holder is not None and state.holder.token == owner.token


def _seconds(ttl: float) -> int:
    return max(1, round(ttl))


def _utc(value: datetime) -> datetime:
    return value if value.tzinfo is not None else value.replace(tzinfo=timezone.utc)


class CqlHistory:
    """The ledger: :data:`alembic_cluster.stores.HISTORY_TABLE`."""

    def __init__(self, stores: CqlStores) -> None:
        self._stores = stores
        self._table = stores.name(HISTORY_TABLE)

    def rows(self) -> Sequence[HistoryRow]:
        """Give all rows without their contents, ordered by fence and step; none when there is no table yet."""
        try:
            rows = self._stores.ask(
                f"SELECT {', '.join(_HISTORY)} FROM {self._table} WHERE scope = ?", self._stores.scope
            )
        except ProgrammingError as error:
            if is_missing(error):
                return []
            raise
        found = [dict(zip(_HISTORY, row, strict=True)) for row in rows]
        return [
            HistoryRow(**{**row, "started": _utc(row["started"]), "finished": _utc(row["finished"])}) for row in found
        ]

    def content(self, row: HistoryRow) -> str:
        """Read the content that belongs to a row; empty when the row is gone."""
        rows = self._stores.ask(
            f"SELECT content FROM {self._table} WHERE scope = ? AND fence = ? AND step = ?",
            self._stores.scope,
            row.fence,
            row.step,
        )
        return str(rows[0][0] or "") if rows else ""

    def write(self, row: HistoryRow) -> None:
        """Write a row, or write it anew; :meth:`CqlStores.flush` waits for it."""
        names = (*_HISTORY, "content")
        self._stores.write_later(
            f"INSERT INTO {self._table} (scope, {', '.join(names)}) VALUES (?{', ?' * len(names)})",
            self._stores.scope,
            *(getattr(row, name) for name in names),
        )

    def remove(self, row: HistoryRow) -> None:
        """Delete a row."""
        self._stores.write(
            f"DELETE FROM {self._table} WHERE scope = ? AND fence = ? AND step = ?",
            self._stores.scope,
            row.fence,
            row.step,
        )


class CqlJournal:
    """The statements of the revision that runs: :data:`alembic_cluster.stores.JOURNAL_TABLE`."""

    def __init__(self, stores: CqlStores) -> None:
        self._stores = stores
        self._table = stores.name(JOURNAL_TABLE)
        self._kept_back: list[Sequence[Any]] = []

    def read(self) -> tuple[JournalHeader, Sequence[JournalRow]] | None:
        """Read the journal with the highest fence and step, rows in order; None when there is none."""
        scope = self._stores.scope
        try:
            newest = self._stores.ask(f"SELECT fence, step FROM {self._table} WHERE scope = ? LIMIT 1", scope)
        except ProgrammingError as error:
            if is_missing(error):
                return None
            raise
        if not newest:
            return None
        fence, step = newest[0]
        rows = self._stores.ask(
            f"SELECT ordinal, digest, statement, state, header FROM {self._table} "
            "WHERE scope = ? AND fence = ? AND step = ?",
            scope,
            fence,
            step,
        )
        values = json.loads(rows[0][4])
        values |= {"started": datetime.fromisoformat(values["started"]), "heads": tuple(values["heads"])}
        return JournalHeader(fence=fence, step=step, **values), [JournalRow(*row[:4]) for row in rows[1:]]

    def write(self, header: JournalHeader, rows: Sequence[JournalRow], *, new: bool = False) -> None:
        """Write rows, in one batch of one partition; a schema change that is done is written with the next rows."""
        scope, at = self._stores.scope, (header.fence, header.step)
        written: list[Sequence[Any]] = [
            (scope, *at, row.ordinal, row.digest, row.text, row.state, None) for row in rows
        ]
        if not new and all(row.state == "done" and _SHOWN.match(row.text) for row in rows):
            self._kept_back += written
            return
        if new:
            written.append((scope, *at, _HEADER, None, None, None, _header_text(header)))
        kept_back, self._kept_back = self._kept_back, []
        self._send([*kept_back, *written])

    def flush(self) -> None:
        """Write what was kept back."""
        kept_back, self._kept_back = self._kept_back, []
        self._send(kept_back)

    def _send(self, rows: Sequence[Sequence[Any]]) -> None:
        if rows:
            self._stores.write_all(
                f"INSERT INTO {self._table} (scope, fence, step, ordinal, digest, statement, state, header) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )

    def forget(self, before: int) -> None:
        """Delete the journals of all fences below ``before``."""
        self._kept_back.clear()
        self._stores.write_later(f"DELETE FROM {self._table} WHERE scope = ? AND fence < ?", self._stores.scope, before)


# What the catalog, or sending it again, settles as well (see outcomes.py); so its row may come a moment later.
_SHOWN: Final = re.compile(r"\s*(CREATE|ALTER|DROP)\b", re.IGNORECASE)


def _header_text(header: JournalHeader) -> str:
    values = asdict(header)
    del values["fence"], values["step"]
    return json.dumps({**values, "started": header.started.isoformat()})

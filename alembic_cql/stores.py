"""Lock, ledger and journal on Cassandra and ScyllaDB: three tables beside the version table.

* The lock is one partition. Its fence is a static column; the holder's row carries a time to live. Both change by one
  conditional batch, so that no two holders have one fence.
* A conditional write that got no answer is resolved by a read at ``SERIAL``, which also ends what is under way.
* Rows of journal and ledger have the fence in their key: what a holder writes that was succeeded lies where nobody
  looks, and no clock of a client decides which of two writes is the later one.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Final

from sqlalchemy.engine import Connection

from alembic_cluster.errors import LeaseLost
from alembic_cluster.stores import HISTORY_TABLE, JOURNAL_TABLE, LOCK_TABLE, Lease
from alembic_cql.heads import SCOPE
from alembic_cql.lease import CqlLease
from alembic_cql.ledger import CqlHistory, CqlJournal
from alembic_cql.queries import Queries, again

_TABLE_IDS: Final = uuid.UUID("6b1f9d9c-6c1e-5f0e-9a2e-7d0f3c1c8a55")

#: The tables: columns with the key, and what their comment says.
DEFINITIONS: Final[Mapping[str, tuple[str, str]]] = {
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


class CqlStores(Queries):
    """All that a keyspace keeps for one version table.

    :param connection: of SQLAlchemy; the driver's session of it is used.
    :param version_table: its name.
    :param keyspace: the keyspace that it is in.
    """

    def __init__(self, connection: Connection, version_table: str, keyspace: str) -> None:
        super().__init__(connection)
        self.scope = version_table
        self.keyspace = keyspace
        self.fence: int | None = None
        self.lease = CqlLease(self)
        self.history = CqlHistory(self)
        self.journal = CqlJournal(self)

    def name(self, table: str) -> str:
        """Give a table's name as CQL, with its keyspace."""
        return ".".join('"' + part.replace('"', '""') + '"' for part in (self.keyspace, table))

    def prepare(self) -> None:
        """Create the tables that are missing; their ids come from their names, so that racing creators converge."""
        self.create(DEFINITIONS)

    def create_lock(self) -> None:
        """Create no more than what the lock needs."""
        self.create({LOCK_TABLE: DEFINITIONS[LOCK_TABLE]})

    def create(self, definitions: Mapping[str, tuple[str, str]]) -> None:
        """Create tables that are missing.

        :param definitions: by name, columns with the key, and a comment.
        """
        rows = self.ask(
            "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?", self.keyspace, plain=True
        )
        there = {name for (name,) in rows}
        for table, (columns, comment) in definitions.items():
            if table in there:
                continue
            table_id = uuid.uuid5(_TABLE_IDS, f"{self.keyspace}.{table}")
            joined = " AND " if "WITH" in columns else " WITH "
            cursor = self.cursor
            cursor.execute(
                f"CREATE TABLE IF NOT EXISTS {self.name(table)} ({columns}){joined}id = {table_id} "
                f"AND comment = '{comment}, kept by alembic-cluster'"
            )
            cursor.close()
        self.new_tables = True

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
        found = again(lambda: self._raise_heads_fence(fence))
        if found != fence:
            raise LeaseLost(
                f"another run has taken the migration lock (fence {found}, ours is {fence}); nothing was sent"
            )

    def _raise_heads_fence(self, fence: int) -> int:
        """Raise it where it is lower; gives the fence that is there then. Done twice, it does the same."""
        table = self.name(self.scope)
        for condition in ("fence < ?", "fence = null"):
            values = (fence, SCOPE, fence) if "?" in condition else (fence, SCOPE)
            rows = self.decide(f"UPDATE {table} SET fence = ? WHERE scope = ? IF {condition}", *values)
            if rows[0][0]:
                return fence
            found = rows[0][1] if len(rows[0]) > 1 else None  # no value where there is no row at all
            if found is not None:
                break
        return int(found or 0)

    def flush(self) -> None:
        """Wait until what was written is durable."""
        self.journal.flush()
        self.settle()

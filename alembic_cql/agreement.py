"""Schema agreement: after a DDL statement, wait until every live node has the same schema version.

The driver polls for agreement itself, but only warns when it isn't reached, skips the wait where an
``IF NOT EXISTS`` found nothing to do, and asks every 0.2 s. A migration must not go on before the cluster agrees:
a statement that another node refuses, or two nodes with two ids for one table, are what comes of it
(CASSANDRA-5202, CASSANDRA-10699). So the driver's own wait is switched off and this one is used.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from alembic_cql._session import INTERNAL_PROFILE

FIRST_PAUSE = 0.005
LONGEST_PAUSE = 0.2

_LOCAL = "SELECT host_id, rpc_address, schema_version FROM system.local WHERE key = 'local'"
# Cassandra 4.0+ only; system.peers, the only one elsewhere, holds one of several nodes that share an address.
_PEERS_V2 = "SELECT host_id, native_address, native_port, schema_version FROM system.peers_v2"
_PEERS = "SELECT host_id, rpc_address, schema_version FROM system.peers"


@dataclass(frozen=True)
class Agreement:
    """The schema versions that one node knows of.

    :ivar versions: schema version by node address, live nodes only.
    :ivar down: addresses of nodes left out because the driver holds them for down; they catch up when they return.
    """

    versions: Mapping[str, str]
    down: tuple[str, ...] = field(default=())

    @property
    def reached(self) -> bool:
        """Whether all live nodes have one schema version."""
        return len(set(self.versions.values())) <= 1

    def __str__(self) -> str:
        nodes = ", ".join(f"{node}: {version}" for node, version in sorted(self.versions.items()))
        return nodes + (f" (down, not waited for: {', '.join(self.down)})" if self.down else "")


def read_agreement(session: Any, host: Any = None) -> Agreement:
    """Ask one node for the schema versions of all.

    Both tables must be read from the same node: each node's list of peers holds the others, not itself.

    :param session: a session of :func:`alembic_cql._session.open_session`.
    :param host: the driver's host to ask; any live one when None.
    :raises Exception: the driver's own errors.
    """
    known = session.cluster.metadata.all_hosts()
    if host is None:
        host = next((candidate for candidate in known if candidate.is_up is not False), None)
    is_down = {candidate.host_id for candidate in known if candidate.is_up is False}
    versions: dict[str, str] = {}
    down: list[str] = []
    for row in [*_read(session, _LOCAL, host), *_read_peers(session, host)]:
        if row["schema_version"] is None or row["host_id"] is None:
            continue  # a half-written row of a node that is joining or was removed
        address = str(row.get("native_address") or row.get("rpc_address") or row["host_id"])
        node = f"{address}:{row['native_port']}" if row.get("native_port") else address
        if row["host_id"] in is_down:
            down.append(node)
        else:
            versions[node] = str(row["schema_version"])
    return Agreement(versions, tuple(down))


def wait_for_agreement(session: Any, timeout: float, host: Any = None) -> Agreement:
    """Poll until all live nodes agree or the time is over.

    :param session: the driver's session.
    :param timeout: seconds; at least one reading is taken.
    :param host: the node to ask, usually the one that coordinated the DDL.
    :return: the last reading; ask its ``reached``.
    """
    deadline = time.monotonic() + timeout
    pause = FIRST_PAUSE
    while True:
        agreement = read_agreement(session, host)
        if agreement.reached or time.monotonic() >= deadline:
            return agreement
        time.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


def _read(session: Any, query: str, host: Any) -> list[dict[str, Any]]:
    return list(session.execute(query, host=host, execution_profile=INTERNAL_PROFILE))


def _read_peers(session: Any, host: Any) -> list[dict[str, Any]]:
    from cassandra import InvalidRequest

    try:
        return _read(session, _PEERS_V2, host)
    except InvalidRequest:
        return _read(session, _PEERS, host)

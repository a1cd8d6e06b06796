"""Schema agreement: after a DDL statement, wait until every live node has the same schema version.

The driver polls for agreement itself, but only warns when it isn't reached, skips the wait where an
``IF NOT EXISTS`` found nothing to do, and asks every 0.2 s. A migration must not go on before the cluster agrees:
a statement that another node refuses, or two nodes with two ids for one table, are what comes of it
(CASSANDRA-5202, CASSANDRA-10699). So the driver's own wait is switched off and this one is used.

A node that is down is not waited for: it catches up when it returns. The driver learns that a node is down from the
others, which takes them some 10 to 20 seconds after a crash; a node that refuses connections is one before that.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from alembic_cql._session import INTERNAL_PROFILE

FIRST_PAUSE = 0.005
LONGEST_PAUSE = 0.2
KNOCK_EVERY = 2.0  # seconds; a cluster that is well agrees sooner
LONGEST_READ = 5.0  # seconds for one answer, then another node is asked

_LOCAL = "SELECT host_id, rpc_address, schema_version FROM system.local WHERE key = 'local'"
# Cassandra 4.0+ only; system.peers, the only one elsewhere, holds one of several nodes that share an address.
_PEERS_V2 = "SELECT host_id, native_address, native_port, schema_version FROM system.peers_v2"
_PEERS = "SELECT host_id, rpc_address, schema_version FROM system.peers"


@dataclass(frozen=True)
class Agreement:
    """The schema versions that one node knows of.

    :ivar versions: schema version by node address, live nodes only; the node asked comes first.
    :ivar down: addresses of nodes left out because they are down; they catch up when they return.
    :ivar hosts: the driver's hosts by node address, as far as it knows them.
    """

    versions: Mapping[str, str]
    down: tuple[str, ...] = ()
    hosts: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def reached(self) -> bool:
        """Whether all live nodes have one schema version."""
        return len(set(self.versions.values())) <= 1

    def __str__(self) -> str:
        nodes = ", ".join(f"{node}: {version}" for node, version in sorted(self.versions.items()))
        return nodes + (f" (down, not waited for: {', '.join(self.down)})" if self.down else "")


def read_agreement(session: Any, host: Any, timeout: float = LONGEST_READ, dead: Collection[Any] = ()) -> Agreement:
    """Ask one node for the schema versions of all.

    Both tables are read from the same node: each node's list of peers holds the others, not itself.

    :param session: a session of :func:`alembic_cql._session.open_session`.
    :param host: the driver's host to ask.
    :param timeout: seconds for each answer.
    :param dead: ids of hosts that are down whatever the driver thinks.
    :raises Exception: the driver's own errors.
    """
    known = {candidate.host_id: candidate for candidate in session.cluster.metadata.all_hosts()}
    versions: dict[str, str] = {}
    down: list[str] = []
    hosts: dict[str, Any] = {}
    local = _ask(session, _LOCAL, host, timeout)
    peers = _read_peers(session, host, timeout)  # while the first answer is on its way
    rows = [*local.result(), *peers]
    for row in rows:
        if row["schema_version"] is None or row["host_id"] is None:
            continue  # a half-written row of a node that is joining or was removed
        node, found = _address(row), known.get(row["host_id"])
        if found is not None:
            node = str(found.endpoint)
            hosts[node] = found
        if row["host_id"] in dead or (found is not None and found.is_up is False):
            down.append(node)
        else:
            versions[node] = str(row["schema_version"])
    return Agreement(versions, tuple(down), hosts)


def _address(row: Mapping[str, Any]) -> str:
    address = str(row.get("native_address") or row.get("rpc_address") or row["host_id"])
    return f"{address}:{row['native_port']}" if row.get("native_port") else address


def wait_for_agreement(session: Any, timeout: float, host: Any = None) -> Agreement:
    """Poll until all live nodes agree or the time is over.

    :param session: the driver's session.
    :param timeout: seconds; at least one reading is taken.
    :param host: the node to ask first, usually the one that coordinated the DDL; others when it doesn't answer.
    :return: the last reading; ask its ``reached``.
    :raises Exception: the driver's own error when no node answered in that time.
    """
    deadline = time.monotonic() + timeout
    knock = time.monotonic() + KNOCK_EVERY
    pause = FIRST_PAUSE
    asked = _hosts_to_ask(session, host)
    current = next(asked)
    agreement: Agreement | None = None
    dead: set[Any] = set()
    while True:
        try:
            left = max(deadline - time.monotonic(), KNOCK_EVERY)
            agreement = read_agreement(session, current, min(LONGEST_READ, left), dead)
        except Exception:
            if time.monotonic() >= deadline and agreement is None:
                raise
            current = next(asked)
        if agreement is not None and (agreement.reached or time.monotonic() >= deadline):
            return agreement
        if agreement is not None and time.monotonic() >= knock:
            dead = set(_refusing(agreement))
            knock = time.monotonic() + KNOCK_EVERY
        time.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


def _hosts_to_ask(session: Any, first: Any) -> Iterator[Any]:
    """Give the first, then those that are up, over and over."""
    if first is not None:
        yield first
    while True:
        known = list(session.cluster.metadata.all_hosts())
        yield from [host for host in known if host.is_up is not False and host is not first] or known


def _refusing(agreement: Agreement) -> Iterator[Any]:
    """Give the ids of the nodes that have another schema version than the node asked and refuse connections."""
    wanted = next(iter(agreement.versions.values()), None)
    for node, host in agreement.hosts.items():
        if agreement.versions.get(node) == wanted:
            continue
        try:
            socket.create_connection(host.endpoint.resolve(), timeout=1).close()
        except ConnectionRefusedError:
            yield host.host_id
        except OSError:
            continue  # no answer is no proof: a node that hangs is one to wait for


def _ask(session: Any, query: str, host: Any, timeout: float) -> Any:
    return session.execute_async(query, host=host, timeout=timeout, execution_profile=INTERNAL_PROFILE)


def _read_peers(session: Any, host: Any, timeout: float) -> list[dict[str, Any]]:
    from cassandra import InvalidRequest

    try:
        return list(_ask(session, _PEERS_V2, host, timeout).result())
    except InvalidRequest:
        return list(_ask(session, _PEERS, host, timeout).result())

"""Cassandra for tests and the demo: our own processes on loopback, or a cluster that is already there.

::

    with CassandraCluster.start(nodes=3) as cluster:
        engine = create_engine(cluster.url("my_keyspace"))
        cluster.nodes[1].kill()
        cluster.nodes[1].restart()

``cassandra_from_environment()`` gives the cluster that ``CASSANDRA_HOSTS`` names, or starts one node.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

from tests.servers import cassandra_config
from tests.servers.addresses import accepts_connections, free_common_ports, free_loopback_addresses
from tests.servers.at_end import make_folder, remove_folder
from tests.servers.cassandra_config import NodeConfig
from tests.servers.cassandra_jars import Java, cassandra_jars, find_java
from tests.servers.errors import NoServer, ServerDied
from tests.servers.external import ExternalNode
from tests.servers.process import LOG_LINES, ServerProcess

LOCAL_DC = "datacenter1"
READY_TIMEOUT = 120.0  # seconds; a free machine needs about 7


class CassandraNode:
    """One node: ``host``, ``port``, and what can be done to it."""

    def __init__(self, number: int, config: NodeConfig, java: Java, jars: Path) -> None:
        self.host = config.address
        self.port = config.port
        self.name = f"Cassandra node {number} ({self.host}:{self.port})"
        self.peers: list[CassandraNode] = []
        self._auth = config.auth
        self._born = False
        self._process = ServerProcess(
            self.name,
            cassandra_config.java_command(config, java, jars),
            config.folder / "server.log",
            cassandra_config.server_environment(),
            config.folder,
        )

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process is there, paused or not."""
        return self._process.is_running

    @property
    def is_paused(self) -> bool:
        """Whether ``pause`` froze it."""
        return self._process.is_paused

    def start(self, *, wait: bool = True) -> None:
        """Start it again after ``stop`` or ``kill``, with its data.

        :param wait: wait until it is ready, as ``wait_ready`` does.
        """
        self._process.start()
        if wait:
            self.wait_ready()

    def stop(self) -> None:
        """End it gracefully: it drains and tells the others."""
        self._process.stop()

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        self._process.kill()

    def last_words(self) -> str:
        """Give the last log lines of one that has ended without being asked to; empty otherwise."""
        process = self._process
        return f"{process.name} has died; its last log lines:\n{process.log_tail()}" if process.has_died else ""

    def pause(self) -> None:
        """Freeze it (SIGSTOP): connections stay open, nothing answers."""
        self._process.pause()

    def resume(self) -> None:
        """Let it go on after ``pause``."""
        self._process.resume()

    def restart(self) -> None:
        """Stop it if it runs, start it, wait until it is ready."""
        self.stop()
        self.start()

    def wait_ready(self, timeout: float = READY_TIMEOUT) -> None:
        """Wait until it takes CQL connections, has its default user, and sees and is seen by the others.

        :raises ServerDidNotStart: it ended, or took longer than ``timeout`` seconds; with its last log lines.
        """
        self._process.wait_until(self._is_ready, timeout)
        self._born = True

    def log_tail(self, lines: int = LOG_LINES) -> str:
        """Give the last lines of its log."""
        return self._process.log_tail(lines)

    def _is_ready(self) -> bool:
        if not accepts_connections(self.host, self.port):
            return False
        if self._auth and not self._born and "Created default superuser role" not in self._process.output():
            return False
        awake = [peer for peer in self.peers if peer.is_running and not peer.is_paused]
        return all(self._sees(peer) and peer._sees(self) for peer in awake)

    def _sees(self, peer: CassandraNode) -> bool:
        """Tell whether this node's log says last of that one that it is up and has its part of the ring."""
        node = rf"Node \S*/{re.escape(peer.host)}:\d+ state (?:jump to )?(NORMAL|shutdown)"
        address = rf"InetAddress \S*/{re.escape(peer.host)}:\d+ is now (UP|DOWN)$"
        output = self._process.output()
        states = [re.findall(pattern, output, re.MULTILINE)[-1:] for pattern in (node, address)]
        return states == [["NORMAL"], ["UP"]]


class CassandraCluster:
    """A running cluster: ``hosts``, ``port``, ``nodes``, ``user``, ``password``, ``ca_file``, ``version``.

    Use it as a context manager; at its end the processes are killed by their id and the data folder goes.
    """

    is_ours = True

    def __init__(
        self,
        nodes: Sequence[CassandraNode | ExternalNode],
        port: int,
        *,
        local_dc: str = LOCAL_DC,
        user: str | None = None,
        password: str | None = None,
        folder: Path | None = None,
        version: str = "",
    ) -> None:
        self.nodes = list(nodes)
        self.hosts = [node.host for node in nodes]
        self.port = port
        self.local_dc = local_dc
        self.user = user
        self.password = password
        self.version = version
        self.ca_file: Path | None = None
        self._folder = folder

    @property
    def contact_points(self) -> list[str]:
        """The hosts, under the name that the driver has for them."""
        return self.hosts

    def url(self, keyspace: str | None = None) -> str:
        """Give the SQLAlchemy URL: all hosts, the port, the login if there is one, the local datacenter."""
        login = ""
        if self.user is not None:
            login = f"{quote(self.user, safe='')}:{quote(self.password or '', safe='')}@"
        where = f"{','.join(self.hosts)}:{self.port}/{quote(keyspace or '', safe='')}"
        return f"cassandra://{login}{where}?local_dc={quote(self.local_dc, safe='')}"

    @classmethod
    def start(
        cls,
        nodes: int = 1,
        *,
        auth: bool = False,
        tls: bool = False,
        datacenters: Sequence[str] = (),
        settings: Mapping[str, Any] | None = None,
        shortcuts: bool = True,
    ) -> CassandraCluster:
        """Start a cluster on free loopback addresses and wait until each node is ready and sees the others.

        :param nodes: how many.
        :param auth: ask for a user and password; they are ``cassandra`` and ``cassandra``.
        :param tls: TLS on the client port; ``ca_file`` is then the PEM file that a client trusts.
        :param datacenters: where each node stands, in order; all in one when empty.
        :param settings: more of cassandra.yaml, over ours.
        :param shortcuts: make schema changes faster than they are on any user's server; not where they are timed.
        :raises NoServer: no Java or no Maven here.
        :raises DownloadFailed: the jars could not be had.
        :raises ServerDidNotStart: a node ended or was not ready in time; nothing is left running.
        """
        java = find_java()
        jars = cassandra_jars()
        addresses = free_loopback_addresses(nodes)
        port, storage_port = free_common_ports(addresses, 2)
        folder = make_folder("cassandra-")
        configs = [
            NodeConfig(
                folder=folder / f"node{number}",
                cluster=folder.name,
                address=address,
                port=port,
                storage_port=storage_port,
                seeds=addresses,
                token=-(2**63) + number * (2**64 // (nodes + 1)),
                heap=1536 if nodes == 1 else 512,
                auth=auth,
                tls=tls,
                datacenter=datacenters[number - 1] if datacenters else None,
                settings=settings or {},
                shortcuts=shortcuts,
            )
            for number, address in enumerate(addresses, start=1)
        ]
        ours = [CassandraNode(number, config, java, jars) for number, config in enumerate(configs, start=1)]
        for node in ours:
            node.peers = [other for other in ours if other is not node]
        cluster = cls(
            ours,
            port,
            local_dc=datacenters[0] if datacenters else LOCAL_DC,
            user="cassandra" if auth else None,
            password="cassandra" if auth else None,
            folder=folder,
            version=jars.name,
        )
        try:
            certificates = []
            for config in configs:
                cassandra_config.write_files(config)
                if tls:
                    certificates.append(cassandra_config.make_keystore(config, java))
            if tls:
                cluster.ca_file = folder / "ca.pem"
                cluster.ca_file.write_text("".join(file.read_text() for file in certificates))
            cluster.heal()
        except BaseException:
            cluster.close()
            raise
        return cluster

    def heal(self) -> None:
        """Resume and start every node that does not run, and wait until all are ready and see each other.

        :raises ServerDidNotStart: one of them ended or was not ready in time.
        """
        ours = [node for node in self.nodes if isinstance(node, CassandraNode)]
        for node in ours:
            if node.is_running:
                node.resume()
            else:
                node.start(wait=False)
        for node in ours:
            node.wait_ready()

    def close(self) -> None:
        """Kill every node by its id and remove the data folder."""
        for node in self.nodes:
            if isinstance(node, CassandraNode):
                node.kill()
        if self._folder is not None:
            remove_folder(self._folder)

    def __enter__(self) -> CassandraCluster:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it.

        :raises ServerDied: a node had ended by itself; with its last log lines.
        """
        words = [node.last_words() for node in self.nodes if isinstance(node, CassandraNode)]
        self.close()
        if error is None and any(words):
            raise ServerDied("\n".join(filter(None, words)))


class ExternalCassandra(CassandraCluster):
    """The cluster that ``CASSANDRA_HOSTS`` names; ``close`` leaves it as it is."""

    is_ours = False

    @classmethod
    def from_environment(cls) -> ExternalCassandra:
        """Give the cluster of ``CASSANDRA_HOSTS``: ``h1,h2`` or ``h1,h2:port``.

        ``CASSANDRA_LOCAL_DC``, ``CASSANDRA_USER`` and ``CASSANDRA_PASSWORD`` say the rest.

        :raises NoServer: the value cannot be read, or the first host does not answer.
        """
        hosts, port = parse_hosts(os.environ.get("CASSANDRA_HOSTS", ""))
        cluster = cls(
            [ExternalNode("Cassandra", host, port, "CASSANDRA_HOSTS") for host in hosts],
            port,
            local_dc=os.environ.get("CASSANDRA_LOCAL_DC", LOCAL_DC),
            user=os.environ.get("CASSANDRA_USER"),
            password=os.environ.get("CASSANDRA_PASSWORD"),
        )
        cluster.nodes[0].wait_ready()
        return cluster


def parse_hosts(text: str) -> tuple[list[str], int]:
    """Give the hosts and the one port of ``h1,h2:port``; 9042 when there is none.

    :raises NoServer: no host, or two ports.
    """
    hosts: list[str] = []
    ports: set[int] = set()
    for part in filter(None, (part.strip() for part in text.split(","))):
        host, colon, port = part.rpartition(":") if part.count(":") == 1 else (part, "", "")
        if colon and not port.isdigit():
            raise NoServer(f"CASSANDRA_HOSTS has a port that is no number: {part!r}")
        hosts.append(host)
        if colon:
            ports.add(int(port))
    if not hosts:
        raise NoServer("CASSANDRA_HOSTS names no host")
    if len(ports) > 1:
        raise NoServer(f"CASSANDRA_HOSTS names more than one port: {sorted(ports)}; the driver takes one")
    return hosts, ports.pop() if ports else 9042


def cassandra_from_environment(*, shortcuts: bool = True) -> CassandraCluster:
    """Give the cluster that ``CASSANDRA_HOSTS`` names, else start one node of our own.

    :param shortcuts: see :meth:`CassandraCluster.start`.
    """
    if os.environ.get("CASSANDRA_HOSTS"):
        return ExternalCassandra.from_environment()
    return CassandraCluster.start(shortcuts=shortcuts)


def main(arguments: Sequence[str]) -> None:
    """Start ``arguments[0]`` nodes (1), print their hosts and URL, keep them until Ctrl-C or SIGTERM."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: ended.set())
    with CassandraCluster.start(int(arguments[0]) if arguments else 1) as cluster:
        print(f"CASSANDRA_HOSTS={','.join(cluster.hosts)}:{cluster.port}", flush=True)
        print(f"URL={cluster.url()}", flush=True)
        ended.wait()


if __name__ == "__main__":
    main(sys.argv[1:])

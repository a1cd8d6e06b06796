"""CockroachDB for tests and the demo: a server of ours on loopback, or one that is already there.

::

    with CockroachCluster.start() as cluster:
        name = cluster.create_database()
        engine = create_engine(cluster.url(name, driver="psycopg"))

In this order: the server that ``COCKROACH_URL`` names, ``cockroach`` on PATH, Docker where an engine answers;
else ``NoServer`` says why there is none.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import uuid4

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from tests.servers.addresses import accepts_connections, free_common_ports, free_loopback_addresses
from tests.servers.at_end import make_folder, remove_folder
from tests.servers.docker import DockerContainer, docker_answers
from tests.servers.errors import NoServer, ServerDidNotStart
from tests.servers.external import ExternalNode
from tests.servers.process import LOG_LINES, Server, ServerProcess

READY_TIMEOUT = 120.0  # seconds; a free machine needs about 2
IMAGE = "cockroachdb/cockroach:v25.2.0"
_LOG = "sinks: {stderr: {filter: INFO}}"


class CockroachNode:
    """One node: ``host``, ``port`` (SQL), ``http_port``, and what can be done to it."""

    def __init__(self, host: str, port: int, http_port: int, server: Server) -> None:
        self.host = host
        self.port = port
        self.http_port = http_port
        self.name = server.name
        self._server = server

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._server.pid

    @property
    def is_running(self) -> bool:
        """Whether the process is there, paused or not."""
        return self._server.is_running

    @property
    def is_paused(self) -> bool:
        """Whether ``pause`` froze it."""
        return self._server.is_paused

    def start(self, *, wait: bool = True) -> None:
        """Start it again after ``stop`` or ``kill``: one of three has its data still, a single one is empty.

        :param wait: wait until it is ready, as ``wait_ready`` does.
        """
        self._server.start()
        if wait:
            self.wait_ready()

    def stop(self) -> None:
        """End it gracefully: it drains first."""
        self._server.stop()

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        self._server.kill()

    def pause(self) -> None:
        """Freeze it (SIGSTOP): connections stay open, nothing answers."""
        self._server.pause()

    def resume(self) -> None:
        """Let it go on after ``pause``."""
        self._server.resume()

    def restart(self) -> None:
        """Stop it if it runs, start it, wait until it is ready."""
        self.stop()
        self.start()

    def wait_ready(self, timeout: float = READY_TIMEOUT) -> None:
        """Wait until it says of itself that it takes SQL (its page ``/health?ready=1``).

        :raises ServerDidNotStart: it ended, or took longer than ``timeout`` seconds; with its last log lines.
        """
        self._server.wait_until(lambda: self._health("?ready=1"), timeout)

    def wait_listening(self, timeout: float = READY_TIMEOUT) -> None:
        """Wait until it listens, which it does before it belongs to a cluster."""
        self._server.wait_until(lambda: accepts_connections(self.host, self.port), timeout)

    def log_tail(self, lines: int = LOG_LINES) -> str:
        """Give the last lines of its log."""
        return self._server.log_tail(lines)

    def end(self) -> None:
        """End it for good."""
        self._server.end()

    def _health(self, query: str) -> bool:
        # Straight to the node, whatever proxies the environment names.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"http://{self.host}:{self.http_port}/health{query}", timeout=2) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False


class CockroachCluster:
    """A running CockroachDB: ``nodes``, ``url(...)``, ``create_database()``; a context manager."""

    is_ours = True

    def __init__(self, nodes: Sequence[CockroachNode | ExternalNode], base: URL, folder: Path | None) -> None:
        self.nodes = list(nodes)
        self._base = base
        self._folder = folder

    @property
    def host(self) -> str:
        """The first node's host."""
        return self.nodes[0].host

    @property
    def port(self) -> int:
        """The first node's SQL port."""
        return self.nodes[0].port

    def url(self, database: str | None = None, driver: str = "psycopg2", node: int | None = None) -> str:
        """Give the SQLAlchemy URL ``cockroachdb+driver://...``, password included.

        :param database: the database; ``None`` for the server's default.
        :param driver: ``psycopg2`` or ``psycopg`` (sync and async).
        :param node: the index of the node to connect to; ``None`` for the first.
        """
        url = self._base.set(drivername=f"cockroachdb+{driver}", database=database or self._base.database)
        if node is not None:
            url = url.set(host=self.nodes[node].host, port=self.nodes[node].port)
        return url.render_as_string(hide_password=False)

    @contextlib.contextmanager
    def connect(self, database: str | None = None, node: int | None = None) -> Iterator[Any]:
        """Give a bare psycopg connection in autocommit, closed at the end."""
        import psycopg

        url = make_url(self.url(database, "psycopg", node)).set(drivername="postgresql")
        with psycopg.connect(
            url.render_as_string(hide_password=False), autocommit=True, connect_timeout=20
        ) as connection:
            yield connection

    def execute(self, sql: str, database: str | None = None, node: int | None = None) -> list[Any]:
        """Run one statement by the bare driver; gives the rows."""
        with self.connect(database, node) as connection:
            cursor = connection.execute(sql)
            return list(cursor.fetchall()) if cursor.description else []

    def create_database(self, prefix: str = "t") -> str:
        """Create a database with a name that no other has; gives the name."""
        name = f"{prefix}_{uuid4().hex[:12]}"
        self.execute(f'CREATE DATABASE "{name}"')
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database with everything in it; nothing happens when it is gone."""
        self.execute(f'DROP DATABASE IF EXISTS "{name}" CASCADE')

    def is_worn(self) -> bool:
        """Tell whether this is a server of ours that has had more than 300 objects."""
        ours = all(isinstance(node, CockroachNode) for node in self.nodes)
        return ours and self.execute("SELECT max(id) FROM system.namespace")[0][0] > 350  # its own are the first 50

    @classmethod
    def start(cls, nodes: int = 1) -> CockroachCluster:
        """Start a cluster on free loopback addresses and wait until each node takes SQL.

        A single node keeps its data in memory and starts empty after ``stop`` or ``kill``; each of several
        keeps it in a temporary folder.

        :raises NoServer: there is neither ``cockroach`` on PATH nor a Docker engine.
        :raises ServerDidNotStart: a node ended or was not ready in time; nothing is left running.
        """
        make_server = _how_to_start(_settings(nodes))
        addresses = free_loopback_addresses(nodes)
        port, http_port = free_common_ports(addresses, 2)
        folder = make_folder("cockroach-")
        ours: list[CockroachNode] = []
        try:
            for number, address in enumerate(addresses, start=1):
                arguments = _arguments(addresses, address, port, http_port, f"node{number}")
                name = f"CockroachDB node {number} ({address}:{port})"
                server = make_server(name, f"{folder.name}-{number}", folder / f"node{number}", arguments)
                ours.append(CockroachNode(address, port, http_port, server))
            base = URL.create("cockroachdb", "root", host=addresses[0], port=port, database="defaultdb")
            cluster = cls(ours, base.update_query_dict({"sslmode": "disable"}), folder)
            for node in ours:
                node.start(wait=False)
            if nodes > 1:
                _join(ours)
            cluster.heal()
        except BaseException:
            for node in ours:
                node.end()
            remove_folder(folder)
            raise
        return cluster

    def heal(self) -> None:
        """Resume and start every node that does not run, and wait until all are ready.

        :raises ServerDidNotStart: one of them ended or was not ready in time.
        """
        ours = [node for node in self.nodes if isinstance(node, CockroachNode)]
        for node in ours:
            if node.is_running:
                node.resume()
            else:
                node.start(wait=False)
        for node in ours:
            node.wait_ready()
        # The server's own statistics jobs would run between a test's statements.
        self.execute("SET CLUSTER SETTING sql.stats.automatic_collection.enabled = false")
        self.execute("SET CLUSTER SETTING timeseries.storage.enabled = false")
        if len(ours) > 1:
            self._wait_replicated()

    def _wait_replicated(self) -> None:
        """Wait until every range has a copy on three nodes, so that any one of them may go.

        :raises ServerDidNotStart: that took too long.
        """
        fewer = "SELECT count(*) FROM crdb_internal.ranges_no_leases WHERE array_length(replicas, 1) < 3"
        deadline = time.monotonic() + READY_TIMEOUT
        while missing := self.execute(fewer)[0][0]:
            if time.monotonic() > deadline:
                raise ServerDidNotStart(f"{missing} ranges have no three copies after {READY_TIMEOUT:g} s")
            time.sleep(0.1)

    def close(self) -> None:
        """End every node that is ours and remove the data folder."""
        for node in self.nodes:
            if isinstance(node, CockroachNode):
                node.end()
        if self._folder is not None:
            remove_folder(self._folder)

    def __enter__(self) -> CockroachCluster:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _arguments(addresses: Sequence[str], address: str, port: int, http_port: int, store: str) -> list[str]:
    """Give the arguments of ``cockroach`` for one node; relative paths are in its own folder."""
    single = len(addresses) == 1
    return [
        "start-single-node" if single else "start",
        "--insecure",
        "--store=type=mem,size=2GiB" if single else f"--store={store}",
        f"--listen-addr={address}:{port}",
        f"--http-addr={address}:{http_port}",
        "--cache=128MiB",
        "--max-sql-memory=256MiB",
        f"--log={_LOG}",
        *([] if single else [f"--join={','.join(f'{other}:{port}' for other in addresses)}"]),
    ]


def _how_to_start(settings: Mapping[str, str]) -> Callable[[str, str, Path, list[str]], Server]:
    """Give what makes a server from its name, its container's name, its folder and its arguments."""
    program = shutil.which("cockroach")
    if program is not None:

        def process(name: str, container: str, folder: Path, arguments: list[str]) -> Server:
            folder.mkdir()
            command = [str(program), *arguments, f"--temp-dir={folder}"]
            return ServerProcess(name, command, folder / "server.log", _environment(settings), folder)

        return process
    if docker_answers():
        image = os.environ.get("COCKROACH_IMAGE") or IMAGE

        def docker(name: str, container: str, folder: Path, arguments: list[str]) -> Server:
            return DockerContainer(name, container, image, arguments, settings)

        return docker
    raise NoServer("no CockroachDB: COCKROACH_URL is not set, no cockroach on PATH, no Docker engine answers")


def _settings(nodes: int) -> dict[str, str]:
    """Give the environment variables that a node of a cluster this large is started with."""
    settings = {
        "COCKROACH_SKIP_ENABLING_DIAGNOSTIC_REPORTING": "true",
        # Memory is plenty, processors are few: Go's collector runs a quarter as often.
        "GOGC": "400",
    }
    # A store looks at its ranges every so often; with the default of 1 s three nodes take half a minute to have
    # three copies of each. A single node has nothing to copy, only a core to burn.
    return settings if nodes == 1 else {**settings, "COCKROACH_SCAN_MAX_IDLE_TIME": "20ms"}


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Give the environment of a node: ours without what the program takes for its own options."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COCKROACH_")}
    return {**kept, **settings}


def _join(nodes: Sequence[CockroachNode]) -> None:
    """Make one new cluster of nodes that wait for it (``cockroach init``).

    :raises ServerDidNotStart: the first node refused.
    """
    for node in nodes:
        node.wait_listening()
    first = nodes[0]
    where = ["init", "--insecure", f"--host={first.host}:{first.port}"]
    server = first._server
    if isinstance(server, DockerContainer):
        command = ["docker", "exec", server.container, "/cockroach/cockroach", *where]
    else:
        command = [str(shutil.which("cockroach")), *where]
    deadline = time.monotonic() + READY_TIMEOUT
    while True:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=_environment(_settings(len(nodes))),
            check=False,
        )
        if done.returncode == 0:
            return
        if time.monotonic() > deadline or not first.is_running:
            raise ServerDidNotStart(f"{first.name} made no cluster: {done.stdout.strip()}\n{first.log_tail()}")
        time.sleep(0.2)


class ExternalCockroach(CockroachCluster):
    """The server that ``COCKROACH_URL`` names; ``close`` leaves it as it is."""

    is_ours = False

    @classmethod
    def from_environment(cls) -> ExternalCockroach:
        """Give the server of ``COCKROACH_URL``, such as ``postgresql://root@h:26257/defaultdb?sslmode=disable``.

        :raises NoServer: the URL cannot be read, or nothing answers there.
        """
        try:
            base = make_url(os.environ.get("COCKROACH_URL", ""))
        except ArgumentError as error:
            raise NoServer("COCKROACH_URL is no URL") from error
        if not base.host:
            raise NoServer("COCKROACH_URL names no host")
        node = ExternalNode("CockroachDB", base.host, base.port or 26257, "COCKROACH_URL")
        node.wait_ready()
        return cls([node], base.set(port=node.port, database=base.database or "defaultdb"), None)


def cockroach_from_environment() -> CockroachCluster:
    """Give the server that ``COCKROACH_URL`` names, else start one node of our own.

    :raises NoServer: there is no way to one here; the message is the reason in one line.
    """
    if os.environ.get("COCKROACH_URL"):
        return ExternalCockroach.from_environment()
    return CockroachCluster.start()


def main(arguments: Sequence[str]) -> None:
    """Start ``arguments[0]`` nodes (1), print the URL, keep them until Ctrl-C or SIGTERM."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: ended.set())
    with CockroachCluster.start(int(arguments[0]) if arguments else 1) as cluster:
        print(f"COCKROACH_URL={cluster.url()}", flush=True)
        ended.wait()


if __name__ == "__main__":
    main(sys.argv[1:])

"""A proxy between a client and CockroachDB that cuts a connection around a statement that is said."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType

_BLOCK = 1 << 16
_OWN = "alembic_cluster_"
MOMENTS = ("before", "sent", "answered")


@dataclass
class Cut:
    """Where a connection is cut.

    :ivar text: what the client's message has in it; one that is about our own tables is meant only by their names.
    :ivar moment: ``before`` the message goes to the server; when it is ``sent``; when the server has ``answered``, and
        the client has not heard of it.
    :ivar count: the message with the text that is meant, from 1.
    :ivar then: is called at that moment, before the connection is cut.
    :ivar done: is set when it is cut.
    """

    text: str
    moment: str = "sent"
    count: int = 1
    then: Callable[[], object] = lambda: None
    done: threading.Event = field(default_factory=threading.Event)


class Proxy:
    """Passes connections on; a context manager.

    :param servers: host and port of each server; a connection goes to the first that takes it.
    """

    def __init__(self, *servers: tuple[str, int]) -> None:
        self._servers: Sequence[tuple[str, int]] = servers
        self._lock = threading.Lock()
        self._cuts: list[Cut] = []
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host, self.port = self._listener.getsockname()[:2]
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._shut(self._listener)
        for each in list(self._open):
            self._shut(each)

    def cut(self, text: str, moment: str = "sent", count: int = 1, then: Callable[[], object] = lambda: None) -> Cut:
        """Have a connection cut; see :class:`Cut`."""
        assert moment in MOMENTS
        made = Cut(text, moment, count, then)
        with self._lock:
            self._cuts.append(made)
        return made

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), name="proxy", daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server = self._connect()
        if server is None:
            self._shut(client)
            return
        self._open |= {client, server}
        cut: list[Cut] = []
        threading.Thread(target=self._answers, args=(client, server, cut), name="proxy", daemon=True).start()
        with contextlib.suppress(OSError):
            while data := client.recv(_BLOCK):
                found = self._found(data)
                if found is not None and found.moment == "before":
                    self._end(found, client, server)
                if found is not None and found.moment == "answered":
                    cut.append(found)
                server.sendall(data)
                if found is not None and found.moment == "sent":
                    self._end(found, client, server)
        self._shut(client)
        self._shut(server)

    def _answers(self, client: socket.socket, server: socket.socket, cut: list[Cut]) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(_BLOCK):
                if cut:
                    self._end(cut[0], client, server)
                client.sendall(data)
        self._shut(client)
        self._shut(server)

    def _end(self, cut: Cut, client: socket.socket, server: socket.socket) -> None:
        cut.then()
        self._shut(client)
        self._shut(server)
        cut.done.set()

    def _found(self, data: bytes) -> Cut | None:
        with self._lock:
            for cut in self._cuts:
                if cut.text.encode() in data and (_OWN in cut.text or _OWN.encode() not in data):
                    cut.count -= 1
                    if cut.count == 0:
                        self._cuts.remove(cut)
                        return cut
        return None

    def _connect(self) -> socket.socket | None:
        for address in self._servers:
            with contextlib.suppress(OSError):
                return socket.create_connection(address, timeout=None)
        return None

    def _shut(self, each: socket.socket) -> None:
        self._open.discard(each)
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()

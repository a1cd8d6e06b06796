"""A door with TLS before a server that has none: it asks for a client's certificate, and passes bytes on.

It also answers what a secure connect bundle asks first: where the nodes are, and by which ids.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from types import TracebackType
from typing import Any


class TlsProxy:
    """Listens on the server's own host, where it is this machine; each connection is passed on to the server.

    scylla-driver goes to the host that the server names itself, on the port of the contact point.

    :param target: host and port of the server.
    :param context: of the server's side; with ``CERT_REQUIRED`` a client must show a certificate.
    :param metadata: what ``GET /metadata`` is answered with; a connection that doesn't begin so is passed on.
    :ivar asked_for: the names that clients asked for by SNI, in order.
    """

    def __init__(
        self, target: tuple[str, int], context: ssl.SSLContext, metadata: dict[str, Any] | None = None
    ) -> None:
        self._target = target
        self._context = context
        self.metadata = metadata
        self.asked_for: list[str | None] = []
        context.sni_callback = lambda _, name, __: self.asked_for.append(name)
        try:
            self._server = socket.create_server((target[0], 0))
        except OSError:
            self._server = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, name="tls proxy")]

    @property
    def host(self) -> str:
        """The address where it listens."""
        return str(self._server.getsockname()[0])

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.getsockname()[1])

    def __enter__(self) -> TlsProxy:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for item in self._open:
            with contextlib.suppress(OSError):
                item.shutdown(socket.SHUT_RDWR)
            item.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                raw, _ = self._server.accept()
            except OSError:
                return
            self._open.append(raw)
            self._start(self._serve, raw)

    def _start(self, job: Any, *arguments: Any) -> None:
        thread = threading.Thread(target=job, args=arguments, name="tls proxy")
        self._threads.append(thread)
        thread.start()

    def _serve(self, raw: socket.socket) -> None:
        try:
            client = self._context.wrap_socket(raw, server_side=True)
        except OSError:  # no certificate, or none that is known
            raw.close()
            return
        self._open.append(client)
        with contextlib.suppress(OSError):
            first = client.recv(65536)
            if self.metadata is not None and first.startswith(b"GET /metadata "):
                body = json.dumps(self.metadata).encode()
                client.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
                client.close()
                return
            server = socket.create_connection(self._target)
            self._open.append(server)
            server.sendall(first)
            self._start(_pass_on, server, client)
            _pass_on(client, server)


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)

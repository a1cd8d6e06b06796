"""The options of a connection: which there are, and what each takes.

They come out of a URL (:mod:`alembic_cql.url`), from ``create_engine(..., connect_args={...})``, which wins over the
URL, or straight from a call of :func:`alembic_cql.dbapi.connect`; the same is taken in all three.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from alembic_cluster.errors import ConfigurationError
from alembic_cql.bundles import check_bundle

DEFAULT_PORT = 9042
LONGEST_KEYSPACE = 192  # Scylla's limit; Cassandra's is 48 and the server tells
CONSISTENCIES = (
    "ANY", "ONE", "TWO", "THREE", "QUORUM", "ALL", "LOCAL_QUORUM", "EACH_QUORUM", "LOCAL_ONE",
)  # fmt: skip
SERIAL_CONSISTENCIES = ("SERIAL", "LOCAL_SERIAL")
PROTOCOL_VERSIONS = (3, 4, 5)


@dataclass(frozen=True)
class SessionOptions:
    """How to reach a cluster.

    :ivar contact_points: ``(host, port)`` pairs, tried in turn; the first that answers names the other nodes.
    :ivar keyspace: keyspace of the session; none when None.
    :ivar username: with ``password``, credentials for PasswordAuthenticator.
    :ivar local_dc: datacenter whose nodes coordinate; the first contact point's when None.
    :ivar consistency: name of a consistency level, for all statements.
    :ivar serial_consistency: ``SERIAL`` or ``LOCAL_SERIAL``, for the Paxos phase of conditional statements.
    :ivar connect_timeout: seconds for one connection attempt.
    :ivar request_timeout: seconds the client waits for one statement.
    :ivar schema_agreement_timeout: seconds to wait after each DDL statement until the nodes agree.
    :ivar fetch_size: rows a page.
    :ivar protocol_version: native protocol version; 5, else 4, when None.
    :ivar compression: whether to compress frames when lz4 or snappy is installed.
    :ivar ssl_context: TLS; :func:`tls_context` makes one. No TLS when None.
    :ivar secure_connect_bundle: path of a zip with contact points and certificates; excludes contact points and TLS.
    :ivar auth_provider: one of the driver's, instead of username and password.
    :ivar cluster_options: further keyword arguments for the driver's ``Cluster``, they win over ours.
    """

    contact_points: tuple[tuple[str, int], ...] = (("127.0.0.1", DEFAULT_PORT),)
    keyspace: str | None = None
    username: str | None = None
    password: str | None = None
    local_dc: str | None = None
    consistency: str = "LOCAL_QUORUM"
    serial_consistency: str = "SERIAL"
    connect_timeout: float = 5.0
    request_timeout: float = 60.0
    schema_agreement_timeout: float = 30.0
    fetch_size: int = 1000
    protocol_version: int | None = None
    compression: bool = True
    ssl_context: ssl.SSLContext | None = None
    secure_connect_bundle: str | None = None
    auth_provider: Any = None
    cluster_options: Mapping[str, Any] = field(default_factory=dict)


def read_options(given: Mapping[str, Any]) -> SessionOptions:
    """Check the options of a connection.

    :param given: by name; None stands for the default. Numbers and flags may be text. Beside the fields of
        :class:`SessionOptions` there is ``port``, for contact points that name none.
    :raises ConfigurationError: for an option that doesn't exist or a value that it doesn't take; nothing was sent.
    """
    wanted = {name: value for name, value in given.items() if value is not None}
    port = _port("port", wanted.pop("port", DEFAULT_PORT))
    read: dict[str, Any] = {}
    for name, value in wanted.items():
        if name not in READERS:
            raise ConfigurationError(
                f"there is no connection option {name!r}; there are {', '.join(sorted([*READERS, 'port']))}"
            )
        read[name] = READERS[name](name, value)
    points = [(host, own or port) for host, own in read.get("contact_points") or (("127.0.0.1", None),)]
    read["contact_points"] = tuple(points)
    return SessionOptions(**read)


def wrong_option(name: str, value: Any, takes: str) -> ConfigurationError:
    """Make the error for a value that an option doesn't take."""
    return ConfigurationError(f"the connection option {name!r} takes {takes}, not {value!r}; nothing was sent")


def contact_point(name: str, value: Any) -> tuple[str, int | None]:
    """Read a host with or without its port: ``h1``, ``h1:9042``, ``[::1]:9042``, ``("h1", 9042)``.

    :raises ConfigurationError: when it has no host or no valid port.
    """
    if isinstance(value, str):
        text = value.strip()
        host, colon, port = text.rpartition(":")
        if not colon or "]" in port or (":" in host.strip("[]") and not text.startswith("[")):
            host, port = text, ""  # no port, or a bare IPv6 address
        if not host or (colon and port == "" and text.endswith(":")):
            raise wrong_option(name, value, "hosts such as h1 or h1:9042")
        return host.strip("[]"), _port(name, port) if port else None
    if isinstance(value, (tuple, list)) and len(value) == 2 and isinstance(value[0], str):
        return value[0], None if value[1] is None else _port(name, value[1])
    raise wrong_option(name, value, "hosts such as h1 or h1:9042")


def _contact_points(name: str, value: Any) -> list[tuple[str, int | None]]:
    points = value.split(",") if isinstance(value, str) else value
    if not isinstance(points, (list, tuple, set, frozenset)) or not points:
        raise wrong_option(name, value, "a list of hosts such as h1 or h1:9042")
    return [contact_point(name, point) for point in points]


def tls_context(
    ca: str | None = None,
    cert: str | None = None,
    key: str | None = None,
    key_password: str | None = None,
    *,
    verify: bool = True,
    check_hostname: bool = True,
) -> ssl.SSLContext:
    """Build the TLS context of a connection.

    :param ca: path of the PEM file with the authorities to trust; the system's when None.
    :param cert: path of the client's certificate, for servers that ask for one.
    :param key: path of its private key; in ``cert`` when None.
    :param verify: False trusts any server.
    :param check_hostname: False takes a valid certificate of another host.
    :raises OSError: when a file can't be read (``ssl.SSLError`` when it is not what it should be).
    """
    context = ssl.create_default_context(cafile=ca)
    context.check_hostname = verify and check_hostname
    if not verify:
        context.verify_mode = ssl.CERT_NONE
    if cert is not None:
        context.load_cert_chain(cert, key, key_password or "")  # without a password it would ask the terminal for one
    return context


def _port(name: str, value: Any) -> int:
    text = str(value)
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise wrong_option(name, value, "a port from 1 to 65535")
    return int(text)


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise wrong_option(name, value, "a text that is not empty")
    return value


def _any_text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise wrong_option(name, value, "a text")
    return value


def _keyspace(name: str, value: Any) -> str:
    text = _text(name, value)
    if not (text.replace("_", "a").isalnum() and text.isascii()) or len(text) > LONGEST_KEYSPACE:
        raise ConfigurationError(
            f"{value!r} cannot be a keyspace: letters, digits and underscores, 48 characters (192 on ScyllaDB) at "
            "most; nothing was sent"
        )
    return text


def _level(*choices: str) -> Callable[[str, Any], str]:
    def read(name: str, value: Any) -> str:
        if not isinstance(value, str) or value.upper() not in choices:
            raise wrong_option(name, value, f"one of {', '.join(choices)}")
        return value.upper()

    return read


def boolean(name: str, value: Any) -> bool:
    """Read a flag, such as ``true`` or ``off``.

    :raises ConfigurationError: for anything else.
    """
    known = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    if str(value).lower() not in known:
        raise wrong_option(name, value, "true or false")
    return known[str(value).lower()]


def _seconds(name: str, value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = -1.0
    if not 0 < seconds < float("inf"):
        raise wrong_option(name, value, "seconds, more than 0")
    return seconds


def _count(name: str, value: Any) -> int:
    if not str(value).isdigit() or int(value) < 1:
        raise wrong_option(name, value, "a whole number from 1")
    return int(value)


def _protocol_version(name: str, value: Any) -> int:
    if str(value) not in map(str, PROTOCOL_VERSIONS):
        raise wrong_option(name, value, f"one of {', '.join(map(str, PROTOCOL_VERSIONS))}")
    return int(value)


def file_path(name: str, value: Any) -> str:
    """Read the path of a file that exists.

    :raises ConfigurationError: when it doesn't.
    """
    if not isinstance(value, (str, Path)) or not Path(value).is_file():
        raise ConfigurationError(
            f"the connection option {name!r} is {str(value)!r}, and there is no such file; nothing was sent"
        )
    return str(value)


def _bundle(name: str, value: Any) -> str:
    path = file_path(name, value)
    check_bundle(path)
    return path


def _ssl_context(name: str, value: Any) -> ssl.SSLContext:
    if not isinstance(value, ssl.SSLContext):
        raise wrong_option(name, value, "an ssl.SSLContext")
    return value


def _auth_provider(name: str, value: Any) -> Any:
    if not hasattr(value, "new_authenticator"):
        raise wrong_option(name, value, "an AuthProvider of the driver")
    return value


def _mapping(name: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise wrong_option(name, value, "a mapping of keyword arguments for the driver's Cluster")
    return value


READERS: Mapping[str, Callable[[str, Any], Any]] = {
    "auth_provider": _auth_provider,
    "cluster_options": _mapping,
    "compression": boolean,
    "connect_timeout": _seconds,
    "consistency": _level(*CONSISTENCIES),
    "contact_points": _contact_points,
    "fetch_size": _count,
    "keyspace": _keyspace,
    "local_dc": _text,
    "password": _any_text,
    "protocol_version": _protocol_version,
    "request_timeout": _seconds,
    "schema_agreement_timeout": _seconds,
    "secure_connect_bundle": _bundle,
    "serial_consistency": _level(*SERIAL_CONSISTENCIES),
    "ssl_context": _ssl_context,
    "username": _any_text,
}
assert set(READERS) == {option.name for option in fields(SessionOptions)}

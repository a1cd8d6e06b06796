"""What a ``cassandra://`` or ``scylla://`` URL says, read and checked before any connection is tried.

``cassandra://user:password@h1,h2:9042/keyspace?local_dc=dc1&consistency=LOCAL_QUORUM``

Several contact points stand in the host part, separated by commas and sharing the port, or in ``host=h1:9042``
options, which may be repeated.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL

from alembic_cluster.errors import ConfigurationError
from alembic_cql._session import DEFAULT_PORT, tls_context

CONSISTENCIES = (
    "ANY", "ONE", "TWO", "THREE", "QUORUM", "ALL", "LOCAL_QUORUM", "EACH_QUORUM", "LOCAL_ONE",
)  # fmt: skip
SERIAL_CONSISTENCIES = ("SERIAL", "LOCAL_SERIAL")
PROTOCOL_VERSIONS = ("3", "4", "5")
LONGEST_KEYSPACE = 192  # Scylla's limit; Cassandra's is 48 and the server tells


def connect_arguments(url: URL) -> dict[str, Any]:
    """Translate a URL into keyword arguments of :func:`alembic_cql.dbapi.connect`.

    :raises ConfigurationError: naming the option, what was given and what it takes.
    """
    options = dict(url.query)
    arguments: dict[str, Any] = {}
    tls: dict[str, Any] = {}
    hosts = _texts(options.pop("host", ()))
    for name, value in options.items():
        if name not in _READERS:
            raise ConfigurationError(
                f"the URL has an unknown option {name!r}; there are: {', '.join(sorted([*_READERS, 'host']))}"
            )
        target, read = _READERS[name]
        if not isinstance(value, str):
            raise ConfigurationError(f"the URL gives the option {name!r} {len(value)} times; give it once")
        parsed = read(name, value)
        (tls if target == "tls" else arguments)[name] = parsed
    bundle = arguments.get("secure_connect_bundle")
    if bundle is None:
        arguments["contact_points"] = _contact_points(url, hosts)
    elif url.host or hosts:
        raise ConfigurationError("the URL gives both hosts and a secure_connect_bundle, which brings its own; drop one")
    if url.database:
        arguments["keyspace"] = _keyspace(url.database)
    if url.username is not None:
        arguments["username"] = url.username
        arguments["password"] = "" if url.password is None else str(url.password)
    context = _tls(tls)
    if context is not None:
        if bundle is not None:
            raise ConfigurationError("the URL gives both ssl options and a secure_connect_bundle, which brings its own")
        arguments["ssl_context"] = context
    return arguments


def _texts(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _contact_points(url: URL, hosts: tuple[str, ...]) -> tuple[tuple[str, int], ...]:
    port = url.port or DEFAULT_PORT
    named = [part.strip() for part in (url.host or "").split(",")] if url.host else []
    points = [(name, port) for name in named]
    for text in [part for host in hosts for part in host.split(",")]:
        name, colon, own_port = text.strip().rpartition(":")
        if not colon or "]" in own_port or (":" in name.strip("[]") and not text.startswith("[")):
            name, own_port = text.strip(), str(port)  # no port, or a bare IPv6 address
        if not own_port.isdigit() or not 0 < int(own_port) < 65536:
            raise ConfigurationError(f"the URL's host {text!r} has no valid port")
        points.append((name.strip("[]"), int(own_port)))
    if not points:
        points = [("127.0.0.1", port)]
    if any(not name for name, _ in points):
        raise ConfigurationError(f"the URL has an empty host in {url.host!r}: write h1,h2:9042")
    return tuple(points)


def _keyspace(name: str) -> str:
    if not (name.replace("_", "a").isalnum() and name.isascii()) or len(name) > LONGEST_KEYSPACE:
        raise ConfigurationError(
            f"{name!r} cannot be a keyspace: letters, digits and underscores, 48 characters (192 on ScyllaDB) at most"
        )
    return name


def _tls(options: Mapping[str, Any]) -> ssl.SSLContext | None:
    if not options:
        return None
    if options.get("ssl") is False:
        if len(options) > 1:
            raise ConfigurationError("the URL says ssl=false and gives other ssl options; drop one of them")
        return None
    for name in ("ssl_ca", "ssl_cert", "ssl_key"):
        if name in options and not Path(options[name]).is_file():
            raise ConfigurationError(f"the URL's {name} is {options[name]!r}, and there is no such file")
    try:
        return tls_context(
            ca=options.get("ssl_ca"),
            cert=options.get("ssl_cert"),
            key=options.get("ssl_key"),
            key_password=options.get("ssl_key_password"),
            verify=options.get("ssl_verify", True),
            check_hostname=options.get("ssl_check_hostname", True),
        )
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"the URL's certificates or key cannot be used: {error}") from error


def _text(name: str, value: str) -> str:
    if not value:
        raise ConfigurationError(f"the URL's option {name!r} is empty")
    return value


def _one_of(choices: tuple[str, ...]) -> Callable[[str, str], str]:
    def read(name: str, value: str) -> str:
        if value.upper() not in choices:
            raise ConfigurationError(f"the URL's option {name!r} is {value!r}; it takes one of {', '.join(choices)}")
        return value.upper()

    return read


def _boolean(name: str, value: str) -> bool:
    known = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    if value.lower() not in known:
        raise ConfigurationError(f"the URL's option {name!r} is {value!r}; it takes true or false")
    return known[value.lower()]


def _seconds(name: str, value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < float("inf"):
        raise ConfigurationError(f"the URL's option {name!r} is {value!r}; it takes seconds, more than 0")
    return seconds


def _count(name: str, value: str) -> int:
    if not value.isdigit() or int(value) < 1:
        raise ConfigurationError(f"the URL's option {name!r} is {value!r}; it takes a whole number from 1")
    return int(value)


def _file(name: str, value: str) -> str:
    if not Path(value).is_file():
        raise ConfigurationError(f"the URL's {name} is {value!r}, and there is no such file")
    return value


_READERS: Mapping[str, tuple[str, Callable[[str, str], Any]]] = {
    "local_dc": ("session", _text),
    "consistency": ("session", _one_of(CONSISTENCIES)),
    "serial_consistency": ("session", _one_of(SERIAL_CONSISTENCIES)),
    "connect_timeout": ("session", _seconds),
    "request_timeout": ("session", _seconds),
    "schema_agreement_timeout": ("session", _seconds),
    "fetch_size": ("session", _count),
    "protocol_version": ("session", lambda name, value: int(_one_of(PROTOCOL_VERSIONS)(name, value))),
    "compression": ("session", _boolean),
    "secure_connect_bundle": ("session", _file),
    "ssl": ("tls", _boolean),
    "ssl_ca": ("tls", _text),
    "ssl_cert": ("tls", _text),
    "ssl_key": ("tls", _text),
    "ssl_key_password": ("tls", _text),
    "ssl_verify": ("tls", _boolean),
    "ssl_check_hostname": ("tls", _boolean),
}

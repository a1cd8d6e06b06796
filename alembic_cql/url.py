"""What a ``cassandra://`` or ``scylla://`` URL says, read and checked before any connection is tried.

``cassandra://user:password@h1,h2:9042/keyspace?local_dc=dc1&consistency=LOCAL_QUORUM``

Several contact points stand in the host part, separated by commas and sharing the port, or in ``host=h1:9042``
options, which may be repeated. TLS: ``ssl=true``, or any of the other ``ssl_*`` options.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.engine import URL

from alembic_cluster.errors import ConfigurationError
from alembic_cql.connecting import READERS, boolean, contact_point, file_path, read_options, tls_context

# What stands elsewhere in a URL, or cannot be text.
_NOT_IN_QUERY = (
    "auth_provider",
    "cluster_options",
    "contact_points",
    "keyspace",
    "password",
    "ssl_context",
    "username",
)
_TLS: Mapping[str, Callable[[str, Any], Any]] = {
    "ssl": boolean,
    "ssl_ca": file_path,
    "ssl_cert": file_path,
    "ssl_check_hostname": boolean,
    "ssl_key": file_path,
    "ssl_key_password": lambda name, value: value,
    "ssl_verify": boolean,
}
QUERY_OPTIONS = tuple(sorted({*READERS, *_TLS} - set(_NOT_IN_QUERY)))


def connect_arguments(url: URL) -> dict[str, Any]:
    """Translate a URL into keyword arguments of :func:`alembic_cql.dbapi.connect`.

    :raises ConfigurationError: naming the option, what was given and what it takes.
    """
    options = dict(url.query)
    arguments: dict[str, Any] = {}
    tls: dict[str, Any] = {}
    hosts = options.pop("host", ())
    for name, value in options.items():
        if name not in QUERY_OPTIONS:
            raise ConfigurationError(
                f"the URL has an unknown option {name!r}; there are: {', '.join(sorted([*QUERY_OPTIONS, 'host']))}"
            )
        if not isinstance(value, str):
            raise ConfigurationError(f"the URL gives the option {name!r} {len(value)} times; give it once")
        if name in _TLS:
            tls[name] = _TLS[name](name, value)
        else:
            arguments[name] = READERS[name](name, value)
    points = _contact_points(url, (hosts,) if isinstance(hosts, str) else hosts)
    bundle = arguments.get("secure_connect_bundle")
    if points and bundle is not None:
        raise ConfigurationError("the URL gives both hosts and a secure_connect_bundle, which brings its own; drop one")
    if points:
        arguments["contact_points"] = points
    if url.port is not None:
        arguments["port"] = url.port
    if url.database:
        arguments["keyspace"] = url.database
    if url.username is not None:
        arguments["username"] = url.username
        arguments["password"] = "" if url.password is None else str(url.password)
    context = _tls(tls)
    if context is not None:
        if bundle is not None:
            raise ConfigurationError("the URL gives both ssl options and a secure_connect_bundle, which brings its own")
        arguments["ssl_context"] = context
    read_options(arguments)
    return arguments


def _contact_points(url: URL, hosts: tuple[str, ...]) -> list[tuple[str, int | None]]:
    named = url.host.split(",") if url.host else []
    if not all(name.strip() for name in named):
        raise ConfigurationError(f"the URL has an empty host in {url.host!r}: write h1,h2:9042")
    texts = [part for host in hosts for part in host.split(",")]
    return [(name.strip(), None) for name in named] + [contact_point("host", text) for text in texts]


def _tls(options: Mapping[str, Any]) -> ssl.SSLContext | None:
    if not options:
        return None
    if options.get("ssl") is False:
        if len(options) > 1:
            raise ConfigurationError("the URL says ssl=false and gives other ssl options; drop one of them")
        return None
    if "ssl_cert" not in options and {"ssl_key", "ssl_key_password"} & options.keys():
        raise ConfigurationError("the URL gives the key of a client and no ssl_cert, the certificate that it is for")
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

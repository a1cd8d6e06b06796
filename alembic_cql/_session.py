"""One driver session per DB-API connection: options, and how they become the driver's objects.

The driver is imported when a connection is opened and not before, so that ``--sql`` works without one.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from alembic_cql._protocol import protocol_handler

INTERNAL_PROFILE = "alembic_cql.internal"
DEFAULT_PORT = 9042
PROTOCOL_VERSIONS = (5, 4)  # Cassandra 4.0 and later; before, and ScyllaDB


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
    connect_timeout: float = 10.0
    request_timeout: float = 60.0
    fetch_size: int = 1000
    protocol_version: int | None = None
    compression: bool = True
    ssl_context: ssl.SSLContext | None = None
    secure_connect_bundle: str | None = None
    auth_provider: Any = None
    cluster_options: Mapping[str, Any] = field(default_factory=dict)


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
        context.load_cert_chain(cert, key, key_password)
    return context


def open_session(**options: Any) -> Any:
    """Connect to a cluster.

    :param options: fields of :class:`SessionOptions`.
    :return: the driver's session.
    :raises Exception: the driver's own errors; nothing is left open then.
    """
    wanted = SessionOptions(**options)
    logging.getLogger("cassandra.protocol").addFilter(_says_more_than_use)  # a second time does nothing
    # Without a version the driver would try those of DataStax Enterprise first and warn of each.
    versions = PROTOCOL_VERSIONS if wanted.protocol_version is None else (wanted.protocol_version,)
    for version in versions[:-1]:
        try:
            return _connect(replace(wanted, protocol_version=version))
        except Exception as error:
            if "protocol" not in str(error).lower():
                raise
    return _connect(replace(wanted, protocol_version=versions[-1]))


def _says_more_than_use(record: logging.LogRecord) -> bool:
    """Drop the server's warning about USE with prepared statements: our sessions never change their keyspace."""
    return "`USE <keyspace>` with prepared statements" not in record.getMessage()


def _connect(wanted: SessionOptions) -> Any:
    cluster = _cluster(wanted)
    try:
        session = cluster.connect(wanted.keyspace)
    except BaseException as error:
        datacenters = sorted({host.datacenter for host in cluster.metadata.all_hosts() if host.datacenter})
        cluster.shutdown()
        if wanted.local_dc is not None and datacenters and wanted.local_dc not in datacenters:
            raise ConnectionError(
                f"the cluster has no datacenter {wanted.local_dc!r} (local_dc); it has {', '.join(datacenters)}"
            ) from error
        raise
    session.default_fetch_size = wanted.fetch_size
    session.client_protocol_handler = protocol_handler(session.client_protocol_handler)
    return session


def _cluster(wanted: SessionOptions) -> Any:
    from cassandra import ConsistencyLevel
    from cassandra.auth import PlainTextAuthProvider
    from cassandra.cluster import Cluster, ExecutionProfile
    from cassandra.policies import DCAwareRoundRobinPolicy, TokenAwarePolicy
    from cassandra.query import dict_factory, tuple_factory

    serial = ConsistencyLevel.name_to_value[wanted.serial_consistency]

    def profile(consistency: str, row_factory: Any) -> Any:
        return ExecutionProfile(
            load_balancing_policy=TokenAwarePolicy(DCAwareRoundRobinPolicy(wanted.local_dc or "")),
            consistency_level=ConsistencyLevel.name_to_value[consistency],
            serial_consistency_level=serial,
            request_timeout=wanted.request_timeout,
            row_factory=row_factory,
        )

    arguments: dict[str, Any] = {
        "execution_profiles": {
            "default": profile(wanted.consistency, tuple_factory),
            INTERNAL_PROFILE: profile("ONE", dict_factory),
        },
        # We read the catalog and wait for schema agreement ourselves (see agreement.py).
        "max_schema_agreement_wait": 0,
        "schema_metadata_enabled": False,
        "token_metadata_enabled": False,
        "prepare_on_all_hosts": False,
        "monitor_reporting_enabled": False,
        "connect_timeout": wanted.connect_timeout,
        "control_connection_timeout": wanted.connect_timeout,
        "compression": wanted.compression,
        "protocol_version": wanted.protocol_version,
    }
    if wanted.auth_provider is not None:
        arguments["auth_provider"] = wanted.auth_provider
    elif wanted.username is not None:
        arguments["auth_provider"] = PlainTextAuthProvider(wanted.username, wanted.password or "")
    if wanted.secure_connect_bundle is not None:
        arguments["cloud"] = {"secure_connect_bundle": wanted.secure_connect_bundle}
    else:
        arguments["contact_points"] = list(wanted.contact_points)
        arguments["port"] = wanted.contact_points[0][1]
        arguments["ssl_context"] = wanted.ssl_context
    return Cluster(**{**arguments, **wanted.cluster_options})

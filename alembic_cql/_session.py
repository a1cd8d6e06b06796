"""One driver session per DB-API connection.

The driver is imported when a connection is opened and not before, so that ``--sql`` works without one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from alembic_cluster.errors import ConfigurationError
from alembic_cql._driver_log import quiet_while_connecting
from alembic_cql._protocol import protocol_handler
from alembic_cql.bundles import bundle_context
from alembic_cql.connecting import SessionOptions

INTERNAL_PROFILE = "alembic_cql.internal"
PROTOCOL_VERSIONS = (5, 4)  # Cassandra 4.0 and later; before, and ScyllaDB


def open_session(wanted: SessionOptions) -> Any:
    """Connect to a cluster.

    :return: the driver's session.
    :raises ConfigurationError: for a local datacenter that the cluster hasn't.
    :raises ImportError: when no driver is installed.
    :raises Exception: the driver's own errors; nothing is left open then.
    """
    # Without a version the driver would try those of DataStax Enterprise first and warn of each.
    versions = PROTOCOL_VERSIONS if wanted.protocol_version is None else (wanted.protocol_version,)
    with quiet_while_connecting():
        for version in versions[:-1]:
            try:
                return _connect(replace(wanted, protocol_version=version))
            except Exception as error:
                if "protocol" not in str(error).lower():
                    raise
        return _connect(replace(wanted, protocol_version=versions[-1]))


def _connect(wanted: SessionOptions) -> Any:
    cluster = _cluster(wanted)
    try:
        session = cluster.connect()
        _check_datacenter(cluster, wanted.local_dc)
        if wanted.keyspace is not None:
            # Unlike connect(keyspace), this says what is wrong with it.
            session.execute(f'USE "{wanted.keyspace}"', timeout=wanted.connect_timeout)
    except BaseException:
        _check_datacenter(cluster, wanted.local_dc)
        cluster.shutdown()
        raise
    session.default_fetch_size = wanted.fetch_size
    session.client_protocol_handler = protocol_handler(session.client_protocol_handler)
    return session


def _check_datacenter(cluster: Any, wanted: str | None) -> None:
    """Refuse a datacenter that isn't there: the driver would use no node, or any node, as it happens.

    :raises ConfigurationError: with the datacenters that there are; the cluster object is shut down.
    """
    known = sorted({host.datacenter for host in cluster.metadata.all_hosts() if host.datacenter})
    if wanted is not None and known and wanted not in known:
        cluster.shutdown()
        raise ConfigurationError(
            f"the cluster has no datacenter {wanted!r} (local_dc); it has {', '.join(known)}; nothing was changed"
        )


def _cluster(wanted: SessionOptions) -> Any:
    from cassandra import ConsistencyLevel
    from cassandra.auth import PlainTextAuthProvider
    from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
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
            EXEC_PROFILE_DEFAULT: profile(wanted.consistency, tuple_factory),
            INTERNAL_PROFILE: profile("ONE", dict_factory),
        },
        # We read the catalog and wait for schema agreement ourselves (see agreement.py).
        "max_schema_agreement_wait": 0,
        "schema_metadata_enabled": False,
        "token_metadata_enabled": False,
        "prepare_on_all_hosts": False,
        "connect_timeout": wanted.connect_timeout,
        "control_connection_timeout": wanted.connect_timeout,
        "compression": wanted.compression,
        "protocol_version": wanted.protocol_version,
    }
    if hasattr(Cluster, "monitor_reporting_enabled"):  # gone from newer scylla-drivers
        arguments["monitor_reporting_enabled"] = False
    if wanted.auth_provider is not None:
        arguments["auth_provider"] = wanted.auth_provider
    elif wanted.username is not None:
        arguments["auth_provider"] = PlainTextAuthProvider(wanted.username, wanted.password or "")
    if wanted.secure_connect_bundle is not None:
        arguments["cloud"] = {
            "secure_connect_bundle": wanted.secure_connect_bundle,
            "ssl_context": bundle_context(wanted.secure_connect_bundle),
            "use_default_tempdir": True,  # the bundle's own folder may be one to read only, such as a mounted secret
            "connect_timeout": wanted.connect_timeout,
        }
    else:
        arguments["contact_points"] = list(wanted.contact_points)
        arguments["port"] = wanted.contact_points[0][1]
        arguments["ssl_context"] = wanted.ssl_context
    try:
        return Cluster(**{**arguments, **wanted.cluster_options})
    except (TypeError, ValueError) as error:
        raise ConfigurationError(
            f"the driver does not take these connection options: {error}; nothing was sent"
        ) from error

"""What Cassandra and ScyllaDB tell of themselves: sizes of tables for ``plan``, health for ``doctor``. Only reads."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy.engine import Connection

from alembic_cluster.health import Finding, findings
from alembic_cluster.words import split_path

_NEEDED = frozenset({"ALTER", "CREATE", "DROP", "MODIFY", "SELECT"})


def table_sizes(connection: Connection, tables: Iterable[str]) -> dict[str, int]:
    """Give estimates of partitions, summed over the token ranges that one node holds; unknown tables are left out.

    The node writes ``system.size_estimates`` every few minutes (Cassandra, ``SizeEstimatesRecorder.java``).
    """
    found = {}
    default = str(connection.dialect.default_schema_name)
    for path in tables:
        *outside, name = split_path(path)
        rows = connection.exec_driver_sql(
            "SELECT partitions_count FROM system.size_estimates WHERE keyspace_name = ? AND table_name = ?",
            (outside[-1] if outside else default, name),
        ).all()
        if rows:
            found[path] = sum(int(row[0]) for row in rows)
    return found


def health(connection: Connection) -> Iterator[Finding]:
    """Look at version, schema versions per node, permissions and the keyspace.

    :return: for each the name, ``ok``, ``warning`` or ``failed``, what was found, what to do.
    """
    return findings(connection, _version, _agreement, _permissions, _keyspace)


def _version(connection: Connection) -> Iterator[Finding]:
    features: Any = connection.dialect.features  # type: ignore[attr-defined]
    name = "ScyllaDB" if features.is_scylla else "Cassandra"
    found = f"{name}, release {'.'.join(map(str, features.release))}"
    if not features.is_scylla and features.release < (4, 0):
        yield "server", "warning", found, "Its makers no longer support it; upgrade the server."
    else:
        yield "server", "ok", found, ""


def _agreement(connection: Connection) -> Iterator[Finding]:
    local = connection.exec_driver_sql("SELECT broadcast_address, schema_version FROM system.local").all()
    peers = connection.exec_driver_sql("SELECT peer, schema_version FROM system.peers").all()
    session: Any = connection.connection.dbapi_connection.live_session()  # type: ignore[union-attr]
    down = {
        str(host.broadcast_address or host.address) for host in session.cluster.metadata.all_hosts() if not host.is_up
    }
    yield from _told({str(row[0]): str(row[1]) for row in [*local, *peers]}, down)


def _told(versions: Mapping[str, str], down: Collection[str]) -> Iterator[Finding]:
    """Tell what is wrong with the schema versions of nodes, by address."""
    up = {node: version for node, version in versions.items() if node not in down}
    gone = sorted(set(versions) & set(down))
    if len(set(up.values())) > 1:
        told = ", ".join(f"{node} {version}" for node, version in up.items())
        advice = "See 'nodetool describecluster'; restart the node that differs. Change nothing yet."
        yield "schema versions", "failed", f"nodes disagree: {told}", advice
    else:
        yield "schema versions", "ok", f"{len(up)} node(s) agree", ""
    if gone:
        advice = "A run goes on without it, and it takes over the schema when it is back; TRUNCATE needs every node."
        yield "nodes", "warning", f"{', '.join(gone)} down", advice


def _permissions(connection: Connection) -> Iterator[Finding]:
    """Look at the role's own permissions, which each role may list (documentation, "LIST PERMISSIONS")."""
    role, keyspace = connection.engine.url.username, connection.dialect.default_schema_name
    if role is None:
        yield "permissions", "ok", "the URL has no user", ""
        return
    quoted = connection.dialect.identifier_preparer.quote_identifier(role)
    try:
        granted = connection.exec_driver_sql(f"LIST ALL PERMISSIONS OF {quoted}").mappings().all()
    except Exception as error:
        if "not supported" not in str(error):  # by AllowAllAuthorizer
            raise
        yield "permissions", "ok", "the server lets every role do everything", ""
        return
    roles = connection.exec_driver_sql(f"LIST ROLES OF {quoted}").mappings().all()
    places = ("<all keyspaces>", f"<keyspace {keyspace}>")
    lacks = _NEEDED - {row["permission"] for row in granted if row["resource"] in places}
    if not lacks or any(row["super"] for row in roles):
        yield "permissions", "ok", f"{role} may change tables of {keyspace}", ""
    else:
        words = ", ".join(sorted(lacks))
        advice = " ".join(f"GRANT {word} ON KEYSPACE {keyspace} TO {quoted};" for word in sorted(lacks))
        yield "permissions", "failed", f"{role} lacks {words} on keyspace {keyspace}", advice


def _keyspace(connection: Connection) -> Iterator[Finding]:
    name = connection.dialect.default_schema_name
    row = connection.exec_driver_sql(
        "SELECT replication, durable_writes FROM system_schema.keyspaces WHERE keyspace_name = ?", (name,)
    ).first()
    if row is None:
        yield "keyspace", "failed", f"{name} does not exist", "Create it, with the replication that it needs."
        return
    replication = dict(row[0])
    found = f"{name}: {replication}"
    if "SimpleStrategy" in str(replication.get("class")):
        yield "keyspace", "warning", found, "SimpleStrategy knows no datacenters; use NetworkTopologyStrategy."
    elif not row[1]:
        yield "keyspace", "warning", f"{found}, durable_writes = false", "A killed node loses what it had not flushed."
    else:
        yield "keyspace", "ok", found, ""

"""How a Cassandra node of ours is configured: cassandra.yaml, logback.xml, the Java command line, TLS key."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.cassandra_jars import Java
from tests.servers.errors import ServerDidNotStart

_PLACE = "cassandra-rackdc.properties"  # the file's name and that of the property which names it (SnitchProperties)
KEYSTORE_PASSWORD = "changeit"  # keytool wants one; it guards nothing

# What Cassandra's own jvm17-server.options opens and exports; Java 11 takes the same options.
_EXPORTS = (
    "java.base/jdk.internal.misc",
    "java.base/java.lang.ref",
    "java.management.rmi/com.sun.jmx.remote.internal.rmi",
    "java.rmi/sun.rmi.registry",
    "java.rmi/sun.rmi.server",
    "java.sql/java.sql",
    "jdk.unsupported/sun.misc",
)
_OPENS = (
    "java.base/java.io",
    "java.base/java.lang",
    "java.base/java.lang.module",
    "java.base/java.lang.reflect",
    "java.base/java.math",
    "java.base/java.net",
    "java.base/java.nio",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/java.util.concurrent.atomic",
    "java.base/jdk.internal.loader",
    "java.base/jdk.internal.math",
    "java.base/jdk.internal.module",
    "java.base/jdk.internal.ref",
    "java.base/jdk.internal.reflect",
    "java.base/jdk.internal.util.jar",
    "java.base/sun.nio.ch",
    "java.rmi/sun.rmi.transport.tcp",
    "jdk.management/com.sun.management.internal",
)
_LOGBACK = """\
<configuration>
  <appender name="STDOUT" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%-5level [%thread] %date{ISO8601} %logger{0}:%line - %msg%n</pattern></encoder>
  </appender>
  <!-- tells when another node has become a member of the ring -->
  <logger name="org.apache.cassandra.service.StorageService" level="DEBUG"/>
  <!-- says a line for each of the twenty tables that a DROP flushes -->
  <logger name="org.apache.cassandra.db" level="WARN"/>
  <logger name="org.apache.cassandra.io.sstable" level="WARN"/>
  <root level="INFO"><appender-ref ref="STDOUT"/></root>
</configuration>
"""


@dataclass(frozen=True)
class NodeConfig:
    """What one node's configuration is made from.

    ``seeds`` are the addresses of all nodes; ``token`` is this node's place on the ring; ``heap`` is in MiB;
    ``auth`` asks for user and password, ``tls`` for TLS on the client port; ``datacenter`` is where it stands, None for
    Cassandra's only one; ``settings`` goes over ours; ``shortcuts`` makes schema changes faster than any user's are.
    """

    folder: Path
    cluster: str
    address: str
    port: int
    storage_port: int
    seeds: Sequence[str]
    token: int
    heap: int
    auth: bool
    tls: bool
    datacenter: str | None
    settings: Mapping[str, Any]
    shortcuts: bool = True


def yaml_settings(config: NodeConfig) -> dict[str, Any]:
    """Give the content of cassandra.yaml (names as in Cassandra 5.0's own file)."""
    folder = config.folder
    authenticator = "PasswordAuthenticator" if config.auth else "AllowAllAuthenticator"
    settings: dict[str, Any] = {
        "cluster_name": config.cluster,
        "num_tokens": 1,
        "initial_token": str(config.token),
        "auto_bootstrap": False,
        "partitioner": "org.apache.cassandra.dht.Murmur3Partitioner",
        "endpoint_snitch": "SimpleSnitch" if config.datacenter is None else "GossipingPropertyFileSnitch",
        "storage_compatibility_mode": "NONE",
        "listen_address": config.address,
        "rpc_address": config.address,
        "native_transport_port": config.port,
        "storage_port": config.storage_port,
        "ssl_storage_port": config.storage_port,
        "seed_provider": [
            {
                "class_name": "org.apache.cassandra.locator.SimpleSeedProvider",
                "parameters": [{"seeds": ",".join(f"{seed}:{config.storage_port}" for seed in config.seeds)}],
            }
        ],
        "data_file_directories": [str(folder / "data")],
        "commitlog_directory": str(folder / "commitlog"),
        "hints_directory": str(folder / "hints"),
        "saved_caches_directory": str(folder / "saved_caches"),
        "cdc_raw_directory": str(folder / "cdc_raw"),
        "commitlog_sync": "periodic",
        "commitlog_sync_period": "1s",
        "commitlog_segment_size": "16MiB",
        "cdc_enabled": True,
        "auto_snapshot": False,
        "incremental_backups": False,
        # A machine with two busy cores answers late; a test waits rather than fails.
        "request_timeout": "20s",
        "read_request_timeout": "20s",
        "range_request_timeout": "20s",
        "write_request_timeout": "20s",
        "counter_write_request_timeout": "20s",
        "truncate_request_timeout": "60s",
        "cas_contention_timeout": "10s",
        "slow_query_log_timeout": "0ms",
        # What a default server leaves off and a schema may use.
        "materialized_views_enabled": True,
        "sasi_indexes_enabled": True,
        "user_defined_functions_enabled": True,
        "drop_compact_storage_enabled": True,
        "dynamic_data_masking_enabled": True,
        "transient_replication_enabled": False,
        "tables_warn_threshold": -1,
        "tables_fail_threshold": -1,
        "keyspaces_warn_threshold": -1,
        "keyspaces_fail_threshold": -1,
        "authenticator": authenticator,
        "authorizer": "CassandraAuthorizer" if config.auth else "AllowAllAuthorizer",
        "role_manager": "CassandraRoleManager",
        # One request at a time, mostly: small pools start faster and take less memory.
        "concurrent_reads": 8,
        "concurrent_writes": 8,
        "concurrent_counter_writes": 4,
        "memtable_allocation_type": "heap_buffers",
        "key_cache_size": "1MiB",
        "counter_cache_size": "1MiB",
        "row_cache_size": "0MiB",
    }
    if config.tls:
        settings["client_encryption_options"] = {
            "enabled": True,
            "optional": False,
            "keystore": str(folder / "keystore.p12"),
            "keystore_password": KEYSTORE_PASSWORD,
            "store_type": "PKCS12",
            "require_client_auth": False,
        }
    settings.update(config.settings)
    return settings


def write_files(config: NodeConfig) -> None:
    """Write cassandra.yaml and logback.xml into the node's folder."""
    for name in ("tmp", "triggers"):
        (config.folder / name).mkdir(parents=True, exist_ok=True)
    # JSON is YAML, and the standard library writes it.
    (config.folder / "cassandra.yaml").write_text(json.dumps(yaml_settings(config), indent=1))
    (config.folder / "logback.xml").write_text(_LOGBACK)
    if config.datacenter is not None:
        (config.folder / _PLACE).write_text(f"dc={config.datacenter}\nrack=rack1\n")


def java_command(config: NodeConfig, java: Java, jars: Path) -> list[str]:
    """Give the command that runs the node in the foreground; nothing is written outside the node's folder."""
    folder = config.folder
    jamm = next(iter(sorted(jars.glob("jamm-*.jar"))))
    return [
        str(java.java),
        f"-Xms{config.heap // 2}m",
        f"-Xmx{config.heap}m",
        # Starting fast matters more here than running fast for hours.
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-XX:+UnlockDiagnosticVMOptions",
        "-XX:-BytecodeVerificationRemote",
        "-XX:-UsePerfData",
        "-XX:+ExitOnOutOfMemoryError",
        f"-javaagent:{jamm}",
        "-Djdk.attach.allowAttachSelf=true",
        "-Dio.netty.tryReflectionSetAccessible=true",
        *(f"--add-exports={name}=ALL-UNNAMED" for name in _EXPORTS),
        *(f"--add-opens={name}=ALL-UNNAMED" for name in _OPENS),
        "-Dcassandra-foreground=yes",
        f"-Dcassandra.config=file://{folder / 'cassandra.yaml'}",
        f"-Dlogback.configurationFile={folder / 'logback.xml'}",
        *([] if config.datacenter is None else [f"-D{_PLACE}=file://{folder / _PLACE}"]),
        f"-Dcassandra.storagedir={folder}",
        f"-Dcassandra.logdir={folder}",
        f"-Dcassandra.triggers_dir={folder / 'triggers'}",
        f"-Djava.io.tmpdir={folder / 'tmp'}",
        f"-Djna.tmpdir={folder / 'tmp'}",
        f"-Duser.home={folder}",
        # No waiting for a ring that is all there from the start.
        "-Dcassandra.superuser_setup_delay_ms=0",
        "-Dcassandra.ring_delay_ms=100",
        "-Dcassandra.skip_wait_for_gossip_to_settle=0",
        "-Dcassandra.shutdown_announce_in_ms=0",
        *(_shortcuts(config) if config.shortcuts else []),
        "-cp",
        f"{jars}/*",
        "org.apache.cassandra.service.CassandraDaemon",
    ]


def _shortcuts(config: NodeConfig) -> list[str]:
    """Give the options that make schema changes faster."""
    # Each file that a flush writes has such a spool, and each DROP flushes twenty tables: a quarter of its time.
    found = ["-Dcassandra.streaminghistogram.spoolsize=100"]
    if len(config.seeds) == 1:
        # Half of the time of each schema change. The commit log has them too; a node that is killed is one of several.
        found.append("-Dcassandra.test.flush_local_schema_changes=false")
    return found


def server_environment() -> dict[str, str]:
    """Give the environment of a node: ours without what would change a Java program's behaviour."""
    dropped = {"JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH"}
    return {name: value for name, value in os.environ.items() if name not in dropped}


def make_keystore(config: NodeConfig, java: Java) -> Path:
    """Make the node's key and self-signed certificate; gives the certificate's PEM file, for the client.

    :raises ServerDidNotStart: keytool refused.
    """
    store = ["-keystore", str(config.folder / "keystore.p12"), "-storetype", "PKCS12", "-alias", "node"]
    store += ["-storepass", KEYSTORE_PASSWORD]
    key = ["-keyalg", "RSA", "-keysize", "2048", "-validity", "30", "-dname", f"CN={config.address}"]
    key += ["-ext", f"SAN=ip:{config.address},dns:localhost", "-ext", "BC=ca:true"]
    _keytool(java, ["-genkeypair", *store, *key])
    certificate = config.folder / "certificate.pem"
    _keytool(java, ["-exportcert", "-rfc", *store, "-file", str(certificate)])
    return certificate


def _keytool(java: Java, arguments: list[str]) -> None:
    command = [str(java.keytool), "-J-XX:-UsePerfData", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise ServerDidNotStart(f"no TLS key could be made: {error}") from error
    if done.returncode != 0:
        raise ServerDidNotStart(f"no TLS key could be made: {(done.stdout + done.stderr).strip()}")

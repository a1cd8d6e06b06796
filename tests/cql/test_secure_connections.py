"""Client certificates and secure connect bundles: to a real server, through a door that wants TLS."""

from __future__ import annotations

import json
import logging
import ssl
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import trustme
from sqlalchemy import create_engine

from alembic_cluster.errors import ConfigurationError, ConnectFailed
from tests.cql.project import Project
from tests.servers.cassandra import CassandraCluster
from tests.servers.fixtures import CassandraKeyspace
from tests.servers.tls_proxy import TlsProxy


class Identity:
    """An authority, and a client's certificate and key by it, as files."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.authority = trustme.CA()
        issued = self.authority.issue_cert("client@example.com")
        self.ca, self.cert, self.key = (folder / name for name in ("ca.crt", "cert", "key"))
        self.authority.cert_pem.write_to_path(str(self.ca))
        self.cert.write_bytes(issued.cert_chain_pems[0].bytes())
        self.key.write_bytes(issued.private_key_pem.bytes())

    def bundle(self, path: Path, config: Any) -> Path:
        with zipfile.ZipFile(path, "w") as made:
            made.writestr("config.json", json.dumps(config))
            for file in (self.ca, self.cert, self.key):
                made.write(file, file.name)
        return path


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return Identity(tmp_path_factory.mktemp("tls") / "ours")


@pytest.fixture(scope="module")
def door(cassandra: CassandraCluster, identity: Identity, cassandra_session: Any) -> Iterator[TlsProxy]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    identity.authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    ((host_id, datacenter),) = cassandra_session.execute("SELECT host_id, data_center FROM system.local")
    with TlsProxy((cassandra.hosts[0], cassandra.port), context) as proxy:
        identity.authority.issue_cert(proxy.host).configure_cert(context)
        address = f"{proxy.host}:{proxy.port}"
        proxy.metadata = {
            "contact_info": {
                "local_dc": datacenter, "contact_points": [str(host_id)], "sni_proxy_address": address,
            }
        }  # fmt: skip
        yield proxy


def url_of(cassandra: CassandraCluster, keyspace: str, door: TlsProxy | None = None, **query: Any) -> sa.URL:
    return sa.make_url("cassandra://").set(
        username=cassandra.user, password=cassandra.password, database=keyspace,
        host=None if door is None else door.host, port=None if door is None else door.port,
        query={name: str(value) for name, value in query.items()},
    )  # fmt: skip


def refused(url: sa.URL, caplog: pytest.LogCaptureFixture) -> str:
    """Give the one line that a connection ends in."""
    with caplog.at_level(logging.WARNING), pytest.raises(ConnectFailed) as caught:
        create_engine(url).connect()
    assert [record.getMessage() for record in caplog.records if record.name.startswith("cassandra")] == []
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_migration_with_a_clients_certificate(
    cassandra: CassandraCluster,
    cassandra_keyspace: CassandraKeyspace,
    door: TlsProxy,
    identity: Identity,
    tmp_path: Path,
) -> None:
    url = url_of(
        cassandra, cassandra_keyspace.name, door, ssl_ca=identity.ca, ssl_cert=identity.cert, ssl_key=identity.key
    )
    project = Project(tmp_path, cassandra_keyspace, url.render_as_string(hide_password=False))
    project.revision("a", "op.create_table('t', sa.Column('id', sa.Integer, primary_key=True))", "op.drop_table('t')")
    project.upgrade()
    assert (project.tables(), project.heads()) == ({"t"}, {"a"})
    project.downgrade("base")
    assert project.tables() == set()


def test_a_client_that_the_server_does_not_know(
    cassandra: CassandraCluster, door: TlsProxy, identity: Identity, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    message = refused(url_of(cassandra, "system", door, ssl_ca=identity.ca), caplog)
    assert message.startswith(f"No connection to {door.host}:{door.port}: ")
    assert "does it want a client's certificate (ssl_cert)?" in message
    other = Identity(tmp_path / "other")
    query = {"ssl_ca": identity.ca, "ssl_cert": other.cert, "ssl_key": other.key}
    assert "Nothing was sent" in refused(url_of(cassandra, "system", door, **query), caplog)
    query = {"ssl_ca": other.ca, "ssl_cert": identity.cert, "ssl_key": identity.key}
    assert "certificate verify failed" in refused(url_of(cassandra, "system", door, **query), caplog)


def test_certificates_that_cannot_be_used_stop_the_url(identity: Identity, tmp_path: Path) -> None:
    other = Identity(tmp_path / "other")
    locked = tmp_path / "locked"
    locked.write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n")
    for query in (
        {"ssl_cert": identity.cert, "ssl_key": other.key},  # not of one another
        {"ssl_cert": identity.cert},  # the key is in another file
        {"ssl_cert": identity.cert, "ssl_key": locked},  # asks for a password, and nobody is there
        {"ssl_key": identity.key},
        {"ssl_key_password": "secret"},
    ):
        url = sa.make_url("cassandra://h/k").set(query={name: str(value) for name, value in query.items()})
        with pytest.raises(ConfigurationError) as caught:
            create_engine(url)
        assert "secret" not in str(caught.value)


def test_a_migration_with_a_secure_connect_bundle(
    cassandra: CassandraCluster,
    cassandra_keyspace: CassandraKeyspace,
    door: TlsProxy,
    identity: Identity,
    tmp_path: Path,
) -> None:
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    bundle = identity.bundle(mounted / "bundle.zip", {"host": door.host, "port": door.port, "localDC": "dc"})
    mounted.chmod(0o500)
    door.asked_for.clear()
    url = url_of(cassandra, cassandra_keyspace.name, secure_connect_bundle=bundle)
    (tmp_path / "project").mkdir()
    project = Project(tmp_path / "project", cassandra_keyspace, url.render_as_string(hide_password=False))
    project.revision("a", "op.create_table('t', sa.Column('id', sa.Integer, primary_key=True))", "op.drop_table('t')")
    project.upgrade()
    assert (project.tables(), project.heads()) == ({"t"}, {"a"})
    assert door.metadata is not None
    (node,) = door.metadata["contact_info"]["contact_points"]
    assert {name for name in door.asked_for if name} == {node}
    assert [file.name for file in mounted.iterdir()] == ["bundle.zip"]


def test_a_bundle_whose_service_is_not_there(
    cassandra: CassandraCluster, identity: Identity, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bundle = identity.bundle(tmp_path / "bundle.zip", {"host": "127.0.0.1", "port": 1})
    message = refused(url_of(cassandra, "system", secure_connect_bundle=bundle), caplog)
    assert f"No connection to the hosts of {bundle}: Unable to connect to the metadata service" in message
    assert "Nothing was sent" in message


def test_what_is_no_bundle_stops_the_url(identity: Identity, tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"

    def message(host: str = "", **query: str) -> str:
        url = sa.make_url(f"cassandra://{host}/k").set(query={"secure_connect_bundle": str(path), **query})
        with pytest.raises(ConfigurationError) as caught:
            create_engine(url)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    path.write_bytes(b"nothing")
    assert message() == (
        f"secure_connect_bundle {str(path)!r} cannot be used: it is no zip file; download it again from the database's "
        "console. Nothing was sent"
    )
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("config.json", "{}")
    assert "There is no item named 'ca.crt'" in message()
    for config in ({}, [], {"host": "h"}, {"host": "", "port": 1}, {"host": "h", "port": "x"}):
        identity.bundle(path, config)
        assert "its config.json names no host and port" in message()
    identity.bundle(path, {"host": "h", "port": 1})
    assert "both ssl options and a secure_connect_bundle" in message(ssl="true")
    assert "both hosts and a secure_connect_bundle" in message("h")
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("config.json", '{"host": "h", "port": 1}')
        for name in ("ca.crt", "cert", "key"):
            made.writestr(name, "-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n")
    assert "none that TLS takes" in message()

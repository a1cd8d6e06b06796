"""Connections: by URL and by connect_args, to servers that are there and to some that aren't."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column, Engine, Integer, MetaData, Table, create_engine, inspect, make_url

from alembic_cluster.errors import ClusterError, ConfigurationError, ConnectFailed
from alembic_cql import dbapi, reflect_keyspace
from alembic_cql.options import complete_options, table_options
from tests import situations
from tests.cql.test_commands import two_tables
from tests.servers.cassandra import CassandraCluster
from tests.servers.errors import NoServer
from tests.servers.fixtures import CassandraKeyspace

ANSWER = "SELECT key FROM system.local"


def answer(engine: Engine) -> Any:
    try:
        with engine.connect() as connection:
            return connection.exec_driver_sql(ANSWER).scalar()
    finally:
        engine.dispose()


def url_with(url: str, **query: Any) -> sa.URL:
    return make_url(url).update_query_dict(query)


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(50)
        yield server.getsockname()[1]


def closed_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def wait_for_threads_to_end(before: set[threading.Thread]) -> None:
    """Check that no thread of the driver is left, but the one loop that all its connections share."""
    for _ in range(200):
        left = [thread for thread in threading.enumerate() if thread not in before and thread.name != "event_loop"]
        if not left:
            return
        time.sleep(0.05)
    raise AssertionError(left)


def refusal(url: Any, kind: type[ClusterError], caplog: pytest.LogCaptureFixture, **arguments: Any) -> str:
    """Give the line that an attempt ends in; check that it is one, that nothing else is logged, nothing runs on."""
    before = set(threading.enumerate())
    with caplog.at_level(logging.WARNING), pytest.raises(kind) as caught:
        answer(create_engine(url, **arguments))
    assert [record.getMessage() for record in caplog.records if record.name.startswith("cassandra")] == []
    wait_for_threads_to_end(before)
    message = str(caught.value)
    assert "\n" not in message
    assert "Nothing was sent" in message or isinstance(caught.value, ConfigurationError)
    return message


# ---------------------------------------------------------------------------------------- what works


def test_dead_contact_points_are_passed_over(cassandra: CassandraCluster, silent_port: int) -> None:
    hosts = [f"{host}:{cassandra.port}" for host in cassandra.hosts]
    url = make_url(cassandra.url()).set(host=None, port=None)
    for dead in (f"127.0.0.1:{closed_port()}", f"127.0.0.1:{silent_port}", "no-such-host.invalid:9042"):
        assert answer(create_engine(url.update_query_dict({"host": [dead, *hosts], "connect_timeout": "1"}))) == "local"
    several = make_url(cassandra.url()).set(host=",".join(["127.1.2.3", *cassandra.hosts]))
    assert answer(create_engine(several)) == "local"


def test_the_urls_options_reach_the_driver(cassandra: CassandraCluster) -> None:
    from cassandra import ConsistencyLevel
    from cassandra.cluster import EXEC_PROFILE_DEFAULT

    options = {
        "consistency": "each_quorum", "serial_consistency": "LOCAL_SERIAL", "request_timeout": "12.5",
        "connect_timeout": "7", "fetch_size": "33", "protocol_version": "4", "compression": "false",
        "schema_agreement_timeout": "3",
    }  # fmt: skip
    engine = create_engine(url_with(cassandra.url("system"), **options))
    with engine.connect() as connection:
        raw: Any = connection.connection.dbapi_connection
        profile = raw.session.get_execution_profile(EXEC_PROFILE_DEFAULT)
        assert profile.consistency_level == ConsistencyLevel.EACH_QUORUM
        assert profile.serial_consistency_level == ConsistencyLevel.LOCAL_SERIAL
        assert profile.request_timeout == 12.5
        assert raw.session.default_fetch_size == 33
        cluster = raw.session.cluster
        assert (cluster.protocol_version, cluster.connect_timeout, cluster.compression) == (4, 7, False)
        assert raw.agreement_timeout == 3
        assert raw.session.keyspace == "system"
        assert connection.dialect.default_schema_name == "system"
    engine.dispose()


def test_a_level_for_one_statement(cassandra_keyspace: CassandraKeyspace) -> None:
    cassandra_keyspace.execute("CREATE TABLE t (k int PRIMARY KEY)")
    engine = create_engine(cassandra_keyspace.url)
    with engine.connect() as connection:
        connection.exec_driver_sql("INSERT INTO t (k) VALUES (1)")
        with pytest.raises(sa.exc.OperationalError, match="THREE"):
            connection.execution_options(cql_consistency="THREE").exec_driver_sql("INSERT INTO t (k) VALUES (2)")
    with engine.connect() as connection, pytest.raises(ConfigurationError, match="no consistency level 'MOST'"):
        connection.execution_options(cql_consistency="MOST").exec_driver_sql("SELECT k FROM t")
    engine.dispose()


@pytest.mark.parametrize("drivername", ["scylla", "cassandra"])
def test_both_urls_mean_the_same_dialect(cassandra: CassandraCluster, drivername: str) -> None:
    engine = create_engine(make_url(cassandra.url()).set(drivername=drivername))
    assert answer(engine) == "local"
    assert (engine.dialect.name, engine.dialect.features.is_scylla) == ("cql", False)  # type: ignore[attr-defined]


def test_connect_args_work_as_the_url_does(cassandra: CassandraCluster) -> None:
    from cassandra.policies import ConstantReconnectionPolicy

    login = {"username": cassandra.user, "password": cassandra.password} if cassandra.user else {}
    hosts = cassandra.hosts
    for arguments in (
        {"contact_points": hosts, "port": cassandra.port},
        {"contact_points": ",".join(hosts), "port": str(cassandra.port)},
        {"contact_points": [f"{host}:{cassandra.port}" for host in hosts]},
        {"contact_points": [(host, cassandra.port) for host in hosts], "local_dc": cassandra.local_dc},
        {"contact_points": hosts, "port": cassandra.port, "keyspace": "system", "consistency": "one"},
        {"contact_points": hosts, "port": cassandra.port,
         "cluster_options": {"reconnection_policy": ConstantReconnectionPolicy(1.0)}},
    ):  # fmt: skip
        assert answer(create_engine("cassandra://", connect_args={**arguments, **login})) == "local"
    # They win over the URL.
    url = f"cassandra://127.0.0.1:{closed_port()}/nope"
    arguments = {"contact_points": hosts, "port": cassandra.port, "keyspace": "system", **login}
    assert answer(create_engine(url, connect_args=arguments)) == "local"


def test_a_keyspace_with_capitals(cassandra_session: Any, cassandra: CassandraCluster) -> None:
    replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
    cassandra_session.execute(f'CREATE KEYSPACE IF NOT EXISTS "Mixed_Case" WITH replication = {replication}')
    try:
        engine = create_engine(cassandra.url("Mixed_Case"))
        table = Table("t", MetaData(), Column("k", Integer, primary_key=True))
        table.create(engine)
        assert inspect(engine).get_table_names() == ["t"]
        assert inspect(engine).get_table_names(schema="Mixed_Case") == ["t"]
        table.drop(engine)
        engine.dispose()
    finally:
        cassandra_session.execute('DROP KEYSPACE "Mixed_Case"')


def test_a_lost_connection_is_replaced(cassandra: CassandraCluster) -> None:
    engine = create_engine(cassandra.url())
    with engine.connect() as connection:
        raw: Any = connection.connection.dbapi_connection
        raw.session.cluster.shutdown()
        with pytest.raises(sa.exc.DBAPIError) as caught:
            connection.exec_driver_sql(ANSWER)
        assert caught.value.connection_invalidated
        assert isinstance(caught.value.orig, dbapi.ConnectionLost)
    with engine.connect() as connection:
        assert connection.exec_driver_sql(ANSWER).scalar() == "local"
        connection.connection.dbapi_connection.close()  # type: ignore[union-attr]
        with pytest.raises(sa.exc.DBAPIError) as caught:
            connection.exec_driver_sql(ANSWER)
        assert caught.value.connection_invalidated
    assert answer(engine) == "local"


def test_nothing_runs_on_after_dispose(cassandra: CassandraCluster) -> None:
    before = set(threading.enumerate())
    engine = create_engine(cassandra.url(), pool_size=2)
    with engine.connect() as one, engine.connect() as other:
        assert one.exec_driver_sql(ANSWER).scalar() == other.exec_driver_sql(ANSWER).scalar()
        assert set(threading.enumerate()) - before
    engine.dispose()
    wait_for_threads_to_end(before)


def test_pre_ping_finds_a_lost_connection(cassandra: CassandraCluster) -> None:
    engine = create_engine(cassandra.url(), pool_pre_ping=True)
    with engine.connect() as connection:
        raw: Any = connection.connection.dbapi_connection
    raw.session.cluster.shutdown()
    assert answer(engine) == "local"


# ------------------------------------------------------------------------------------ what doesn't


def test_no_server(caplog: pytest.LogCaptureFixture, silent_port: int) -> None:
    port, other = closed_port(), closed_port()
    assert refusal(f"cassandra://127.0.0.1:{port}/k", ConnectFailed, caplog) == (
        f"No connection to 127.0.0.1:{port}: Connection refused. Nothing was sent. Check that the server runs and that "
        "hosts, port, user and password of the URL are right."
    )
    message = refusal(f"cassandra:///k?host=127.0.0.1:{port}&host=127.0.0.1:{other}", ConnectFailed, caplog)
    assert message.startswith(f"No connection to 127.0.0.1:{port}, 127.0.0.1:{other}: ")
    assert message.count("Connection refused") == 2
    message = refusal("cassandra://no-such-host.invalid/k", ConnectFailed, caplog)
    assert "no address is known for the host's name" in message
    message = refusal(f"cassandra://127.0.0.1:{silent_port}/k?connect_timeout=0.5", ConnectFailed, caplog)
    assert "no answer within the connect_timeout" in message


def test_a_server_of_another_kind(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_answer_http, args=(server,))
        thread.start()
        url = f"cassandra://127.0.0.1:{server.getsockname()[1]}/k?connect_timeout=5"
        message = refusal(url, ConnectFailed, caplog)
        thread.join()
    # scylla-driver waits for an answer that it understands.
    assert "no Cassandra or ScyllaDB server" in message or "no answer within the connect_timeout" in message


def _answer_http(server: socket.socket) -> None:
    for _ in range(2):  # one for each protocol version that is tried
        peer, _ = server.accept()
        with peer:
            peer.recv(1000)
            peer.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")


def test_what_the_cluster_has_not(cassandra: CassandraCluster, caplog: pytest.LogCaptureFixture) -> None:
    message = refusal(url_with(cassandra.url(), local_dc="nowhere"), ConfigurationError, caplog)
    assert f"no datacenter 'nowhere' (local_dc); it has {cassandra.local_dc}" in message
    message = refusal(cassandra.url("no_such_keyspace"), ConnectFailed, caplog)
    assert message.startswith("Keyspace 'no_such_keyspace' does not exist on")
    assert "CREATE KEYSPACE" in message


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("cassandra://h/k?nope=1", r"unknown option 'nope'; there are: .*local_dc.*ssl"),
        ("cassandra://h/k?consistency=MOST", r"'consistency' takes one of .*LOCAL_QUORUM.*, not 'MOST'"),
        ("cassandra://h/k?serial_consistency=ONE", "'serial_consistency' takes one of SERIAL, LOCAL_SERIAL"),
        ("cassandra://h/k?connect_timeout=soon", "'connect_timeout' takes seconds, more than 0, not 'soon'"),
        ("cassandra://h/k?request_timeout=0", "'request_timeout' takes seconds, more than 0"),
        ("cassandra://h/k?request_timeout=inf", "'request_timeout' takes seconds, more than 0"),
        ("cassandra://h/k?schema_agreement_timeout=-1", "'schema_agreement_timeout' takes seconds"),
        ("cassandra://h/k?fetch_size=0", "'fetch_size' takes a whole number from 1"),
        ("cassandra://h/k?protocol_version=2", "'protocol_version' takes one of 3, 4, 5"),
        ("cassandra://h/k?compression=perhaps", "'compression' takes true or false"),
        ("cassandra://h/k?local_dc=a&local_dc=b", "gives the option 'local_dc' 2 times"),
        ("cassandra://h/k?ssl_ca=/no/such.pem", "'ssl_ca' is '/no/such.pem', and there is no such file"),
        ("cassandra://h/k?ssl=false&ssl_verify=false", "ssl=false and gives other ssl options"),
        ("cassandra://h/k?ssl=maybe", "'ssl' takes true or false"),
        (f"cassandra://h/k?ssl_ca={__file__}", "certificates or key cannot be used"),
        ("cassandra:///k?secure_connect_bundle=/no/such.zip", "no such file"),
        (f"cassandra:///k?secure_connect_bundle={__file__}", "it is no zip file"),
        ("cassandra://h/no-keyspace", "'no-keyspace' cannot be a keyspace"),
        (f"cassandra://h/{'k' * 193}", "cannot be a keyspace"),
        ("cassandra://h1,,h2/k", "an empty host in 'h1,,h2'"),
        ("cassandra://h:99999/k", "'port' takes a port from 1 to 65535, not 99999"),
        ("cassandra:///k?host=h:port", "a port from 1 to 65535, not 'port'"),
        ("cassandra:///k?host=:9042", "hosts such as h1 or h1:9042"),
        ("cassandra://h/k?contact_points=h2", "unknown option 'contact_points'"),
    ],
)
def test_a_url_that_cannot_be(url: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        create_engine(url)  # before anything is tried
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"nope": 1}, "no connection option 'nope'; there are .*contact_points"),
        ({"consistency": "MOST"}, "'consistency' takes one of"),
        ({"consistency": 1}, "'consistency' takes one of"),
        ({"contact_points": []}, "'contact_points' takes a list of hosts"),
        ({"contact_points": 5}, "'contact_points' takes a list of hosts"),
        ({"contact_points": [("h", 1, 2)]}, "hosts such as h1"),
        ({"port": "x"}, "'port' takes a port"),
        ({"connect_timeout": "abc"}, "'connect_timeout' takes seconds"),
        ({"ssl_context": True}, "'ssl_context' takes an ssl.SSLContext"),
        ({"auth_provider": "me"}, "'auth_provider' takes an AuthProvider"),
        ({"cluster_options": 1}, "'cluster_options' takes a mapping"),
        ({"cluster_options": {"nope": 1}}, "the driver does not take these connection options: .*nope"),
        ({"username": 5}, "'username' takes a text"),
    ],
)
def test_connect_args_that_cannot_be(arguments: dict[str, Any], message: str, caplog: pytest.LogCaptureFixture) -> None:
    import re

    found = refusal("cassandra://127.0.0.1:1/k", ConfigurationError, caplog, connect_args=arguments)
    assert re.search(message, found)


# ----------------------------------------------------------------------------- TLS, logins, a cluster's own defaults


@pytest.fixture(scope="module")
def secure() -> Iterator[CassandraCluster]:
    """One node that wants TLS and a login, and has a compaction of its own for tables that name none."""
    compaction = {
        "class_name": "UnifiedCompactionStrategy",
        "parameters": {"scaling_parameters": "T4, L10", "target_sstable_size": "100MiB"},
    }
    try:
        cluster = CassandraCluster.start(auth=True, tls=True, settings={"default_compaction": compaction})
    except NoServer as reason:
        pytest.skip(str(reason))
    with cluster:
        yield cluster


def test_tls(secure: CassandraCluster, caplog: pytest.LogCaptureFixture) -> None:
    ca = str(secure.ca_file)
    for query in ({"ssl_ca": ca}, {"ssl_ca": ca, "ssl_check_hostname": "false"}, {"ssl": "true", "ssl_verify": "no"}):
        assert answer(create_engine(url_with(secure.url(), **query))) == "local"
    context = ssl.create_default_context(cafile=ca)
    assert answer(create_engine(secure.url(), connect_args={"ssl_context": context})) == "local"
    assert "certificate verify failed" in refusal(url_with(secure.url(), ssl="true"), ConnectFailed, caplog)
    assert "want TLS" in refusal(secure.url(), ConnectFailed, caplog)


def test_tls_where_the_server_has_none(cassandra: CassandraCluster, caplog: pytest.LogCaptureFixture) -> None:
    message = refusal(url_with(cassandra.url(), ssl="true", ssl_verify="false"), ConnectFailed, caplog)
    assert "does not speak TLS on this port" in message


def test_logins(secure: CassandraCluster, caplog: pytest.LogCaptureFixture) -> None:
    from cassandra.auth import PlainTextAuthProvider

    url = url_with(secure.url(), ssl_ca=str(secure.ca_file))
    for name in ("cassandra", "nobody"):
        message = refusal(url.set(username=name, password="s3cret"), ConnectFailed, caplog)
        assert f"username {name} and/or password are incorrect" in message
        assert "s3cret" not in message
    nameless = make_url(url.render_as_string(hide_password=False).replace("cassandra:cassandra@", ""))
    assert "requires authentication" in refusal(nameless, ConnectFailed, caplog)
    provider = PlainTextAuthProvider("cassandra", "cassandra")
    assert answer(create_engine(nameless, connect_args={"auth_provider": provider})) == "local"
    login = {"username": "cassandra", "password": "cassandra"}
    assert answer(create_engine(nameless, connect_args=login)) == "local"


def test_what_a_role_may_not_do(secure: CassandraCluster) -> None:
    url = url_with(secure.url(), ssl_ca=str(secure.ca_file))
    engine = create_engine(url)
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE ROLE \"read:er\" WITH PASSWORD = 'p@ss/wörd' AND LOGIN = true")
    engine.dispose()
    engine = create_engine(url.set(username="read:er", password="p@ss/wörd"))
    with engine.connect() as connection:
        for statement in (
            "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
            "SELECT role FROM system_auth.roles",
        ):
            with pytest.raises(sa.exc.ProgrammingError, match="User read:er has no"):
                connection.exec_driver_sql(statement)
        assert connection.exec_driver_sql(ANSWER).scalar() == "local"
    engine.dispose()


def test_commands_of_a_role_that_may_only_read(secure: CassandraCluster, tmp_path: Path) -> None:
    url = url_with(secure.url(), ssl_ca=str(secure.ca_file))
    engine = create_engine(url)
    with engine.connect() as connection:
        for statement in (
            "CREATE KEYSPACE IF NOT EXISTS to_read WITH replication = "
            "{'class': 'SimpleStrategy', 'replication_factor': 1}",
            "CREATE ROLE \"only.reader\" WITH PASSWORD = 'p' AND LOGIN = true",
            'GRANT SELECT ON KEYSPACE to_read TO "only.reader"',
        ):
            connection.exec_driver_sql(statement)
    engine.dispose()
    read = url.set(username="only.reader", password="p", database="to_read").render_as_string(hide_password=False)
    keyspace = CassandraKeyspace("to_read", read, secure, None)
    situations.hold_against(two_tables(tmp_path, keyspace).folder, situations.READ_ONLY)


def test_roles_and_grants_are_not_the_models(secure: CassandraCluster) -> None:
    url = url_with(secure.url(), ssl_ca=str(secure.ca_file))
    engine = create_engine(url)
    with engine.connect() as connection:
        for statement in (
            "CREATE KEYSPACE granted WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
            "CREATE TABLE granted.t (k int PRIMARY KEY)",
            "CREATE ROLE grantee WITH LOGIN = false",
            "GRANT MODIFY ON granted.t TO grantee",
            "GRANT SELECT ON KEYSPACE granted TO grantee",
        ):
            connection.exec_driver_sql(statement)
    engine.dispose()
    metadata = MetaData()
    Table("t", metadata, Column("k", Integer, primary_key=True))
    engine = create_engine(url.set(database="granted"))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert set(reflect_keyspace(connection).tables) == {"t"}
    engine.dispose()


def test_the_clusters_own_default_compaction(secure: CassandraCluster) -> None:
    engine = create_engine(url_with(secure.url(), ssl_ca=str(secure.ca_file)))
    metadata = MetaData(schema="own_defaults")
    models = [
        Table("silent", metadata, Column("k", Integer, primary_key=True)),
        Table("leveled", metadata, Column("k", Integer, primary_key=True),
              cql_compaction={"class": "LeveledCompactionStrategy"}),
        Table("tiered", metadata, Column("k", Integer, primary_key=True),
              cql_compaction={"class": "SizeTieredCompactionStrategy"}),
    ]  # fmt: skip
    with engine.connect() as connection:
        connection.exec_driver_sql(
            "CREATE KEYSPACE own_defaults WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"
        )
        metadata.create_all(connection)
        dialect: Any = connection.dialect
        found = dialect.keyspace_info(connection, "own_defaults").tables
        for model in models:
            wanted = complete_options(table_options(model.kwargs), model.name, dialect.features)
            assert complete_options(found[model.name].options, model.name, dialect.features) == wanted
        inspector = inspect(connection)
        assert inspector.get_table_options("silent", schema="own_defaults") == {}
        options = inspector.get_table_options("tiered", schema="own_defaults")
        assert options == {"cql_compaction": {"class": "SizeTieredCompactionStrategy"}}
    engine.dispose()

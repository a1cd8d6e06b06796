"""What a URL and connect_args say."""

from __future__ import annotations

import ssl
from typing import Any

import pytest
from sqlalchemy import make_url

from alembic_cluster.errors import ConfigurationError
from alembic_cql.connecting import SessionOptions, contact_point, read_options, tls_context
from alembic_cql.url import connect_arguments


def options(url: str, **arguments: Any) -> SessionOptions:
    return read_options({**connect_arguments(make_url(url)), **arguments})


@pytest.mark.parametrize(
    ("url", "points"),
    [
        ("cassandra://", [("127.0.0.1", 9042)]),
        ("cassandra:///ks", [("127.0.0.1", 9042)]),
        ("cassandra://h1", [("h1", 9042)]),
        ("cassandra://h1,h2,10.0.0.3:9999/ks", [("h1", 9999), ("h2", 9999), ("10.0.0.3", 9999)]),
        ("cassandra://[::1]:9043/ks", [("::1", 9043)]),
        ("cassandra:///ks?host=h1&host=h2:9043,h3", [("h1", 9042), ("h2", 9043), ("h3", 9042)]),
        ("cassandra://h0:5/ks?host=h1&host=[::1]:7&host=::2", [("h0", 5), ("h1", 5), ("::1", 7), ("::2", 5)]),
        ("scylla://u:p@h1/ks", [("h1", 9042)]),
    ],
)
def test_contact_points(url: str, points: list[tuple[str, int]]) -> None:
    assert list(options(url).contact_points) == points


def test_everything_a_url_can_say() -> None:
    url = (
        "cassandra://us%40er:p%2Fw%3A@h/Ks_1?local_dc=dc 1&consistency=quorum&serial_consistency=local_serial"
        "&connect_timeout=1.5&request_timeout=2&schema_agreement_timeout=3&fetch_size=4&protocol_version=4&compression=off"
    )
    assert options(url) == SessionOptions(
        contact_points=(("h", 9042),), keyspace="Ks_1", username="us@er", password="p/w:", local_dc="dc 1",
        consistency="QUORUM", serial_consistency="LOCAL_SERIAL", connect_timeout=1.5, request_timeout=2.0,
        schema_agreement_timeout=3.0, fetch_size=4, protocol_version=4, compression=False,
    )  # fmt: skip
    assert options("cassandra://user@h").password == ""
    assert options("cassandra://h?ssl=false").ssl_context is None


def test_tls_of_a_url() -> None:
    strict = options("cassandra://h?ssl=true").ssl_context
    assert strict is not None
    assert (strict.verify_mode, strict.check_hostname) == (ssl.CERT_REQUIRED, True)
    any_host = options("cassandra://h?ssl_check_hostname=0").ssl_context
    assert any_host is not None
    assert (any_host.verify_mode, any_host.check_hostname) == (ssl.CERT_REQUIRED, False)
    anyone = options("cassandra://h?ssl_verify=false").ssl_context
    assert anyone is not None
    assert (anyone.verify_mode, anyone.check_hostname) == (ssl.CERT_NONE, False)
    with pytest.raises(OSError, match="No such file"):
        tls_context(ca="/no/such/file")


def test_connect_args_win() -> None:
    found = options("cassandra://h1:5/ks?consistency=ONE", consistency="two", port=6)
    assert (found.consistency, found.contact_points) == ("TWO", (("h1", 6),))
    assert options("cassandra://h1/ks", contact_points="a,b:7").contact_points == (("a", 9042), ("b", 7))
    assert options("cassandra://h1/ks", keyspace=None).keyspace is None


def test_contact_points_as_text() -> None:
    assert contact_point("x", "h") == ("h", None)
    assert contact_point("x", " h:1 ") == ("h", 1)
    assert contact_point("x", "fe80::1") == ("fe80::1", None)
    assert contact_point("x", "[fe80::1]") == ("fe80::1", None)
    for wrong in ("", "h:", ":1", "h:0", "h:65536", "h:x", None, 5, ("h",), (1, 2)):
        with pytest.raises(ConfigurationError, match="nothing was sent"):
            contact_point("x", wrong)

"""Where the databases are: the application and its Alembic environments read the same two environment variables."""

from __future__ import annotations

import os

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from alembic_cluster.errors import ConfigurationError

ACCOUNTS = "ACCOUNTS_URL"
TIMELINE = "TIMELINE_URL"
_SHAPES = {
    ACCOUNTS: "cockroachdb+psycopg://root@localhost:26257/bank?sslmode=disable",
    TIMELINE: "cassandra://localhost:9042/bank?local_dc=datacenter1",
}
_DIALECTS = {ACCOUNTS: ("cockroachdb",), TIMELINE: ("cassandra", "scylla")}


def database_url(variable: str) -> URL:
    """Give the URL of one database.

    :param variable: ``ACCOUNTS`` or ``TIMELINE``.
    :raises ConfigurationError: the environment does not have it, or it is no URL of that kind of database.
    """
    text = os.environ.get(variable, "").strip()
    if not text:
        raise ConfigurationError(f"The environment has no {variable}; set it to a URL such as {_SHAPES[variable]}")
    try:
        url = make_url(text)
    except ArgumentError:
        url = URL.create("")
    if url.drivername.partition("+")[0] not in _DIALECTS[variable]:
        # The value isn't shown: it may hold a password.
        raise ConfigurationError(f"{variable} is no URL such as {_SHAPES[variable]}; nothing was done")
    return url

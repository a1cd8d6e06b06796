"""``create_all`` on a server, each construct alone: what the server then prints is what the model says."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from alembic_cluster.errors import UnsupportedConstruct
from alembic_crdb import Schema, View
from alembic_crdb.changes import AlterZone, ReplaceView
from alembic_crdb.database import read_database
from alembic_crdb.differences import compare_snapshots
from alembic_crdb.model import metadata_to_catalog
from tests.cockroachdb.definitions import DEFINITIONS
from tests.cockroachdb.live import connected, engine_of, left_in, use_another_database
from tests.servers.cockroach import CockroachCluster
from tests.servers.fixtures import CockroachDatabase
from tests.unit.crdb.constructs import CONSTRUCTS
from tests.unit.crdb.constructs.base import Construct
from tests.unit.crdb.constructs.columns import TYPES

#: Constructs that v21.1 has no words for, or only with a licence: locality, partitions, regions, zones of indexes.
_LICENSED = re.compile(r"global|regional|partition|regions|zone|temporary|comments")
TOO_NEW = [each for each in CONSTRUCTS if each.shown is None and not _LICENSED.search(each.name)]
_SHOWN = sa.text(f"SELECT create_statement FROM ({DEFINITIONS})")


@pytest.fixture(scope="module")
def shared(cockroach: CockroachCluster) -> Iterator[Connection]:
    """A connection to a database for all tests of this module, each of which leaves it empty."""
    with connected(cockroach, "psycopg") as made:
        yield made


@pytest.fixture
def connection(shared: Connection) -> Iterator[Connection]:
    yield shared
    if left_in(shared):  # by a test that failed
        use_another_database(shared)


def shown_by(connection: Connection) -> str:
    """Give what the server prints of everything."""
    return " ".join(" ".join(str(row[0]) for row in connection.execute(_SHOWN)).split())


def check(connection: Connection, metadata: sa.MetaData) -> str:
    """Create everything, compare it with the model, drop it; gives what the server printed meanwhile."""
    metadata.create_all(connection)
    shown = shown_by(connection)
    said = metadata_to_catalog(metadata, connection.dialect)
    have = read_database(connection)
    # The server keeps another text of a view's query, and zone configurations elsewhere.
    assert have.views.keys() == said.views.keys()
    changes = compare_snapshots(have, said)
    assert [each for each in changes if not isinstance(each, ReplaceView | AlterZone)] == []
    metadata.drop_all(connection)
    assert left_in(connection) == []
    return shown


@pytest.mark.parametrize(
    "construct", [each for each in CONSTRUCTS if each.shown is not None], ids=lambda each: each.name
)
def test_construct(connection: Connection, construct: Construct) -> None:
    metadata = sa.MetaData()
    construct.build(metadata)
    shown = check(connection, metadata)
    for text in construct.shown or ():
        assert text in shown


def test_types(connection: Connection) -> None:
    known = [(kind, shown) for kind, _, shown in TYPES if shown is not None]
    metadata = sa.MetaData()
    sa.Table("t", metadata, *(sa.Column(f"c{n}", kind) for n, (kind, _) in enumerate(known)))
    shown = check(connection, metadata)
    for n, (_, text) in enumerate(known):
        assert f"c{n} {text} NULL," in shown


@pytest.mark.parametrize("construct", TOO_NEW, ids=lambda each: each.name)
def test_what_the_server_is_too_old_for_is_refused_before_anything_is_sent(
    connection: Connection, construct: Construct
) -> None:
    metadata = sa.MetaData()
    sa.Table("before", metadata, sa.Column("id", sa.Integer, primary_key=True))
    construct.build(metadata)
    with pytest.raises(
        UnsupportedConstruct, match=r"needs CockroachDB v2\d\.\d, and the server is v21\.1|before v22\.1"
    ):
        metadata.create_all(connection, checkfirst=False)
    assert left_in(connection) == []


def test_twice_by_each_driver(cockroach_database: CockroachDatabase, driver: str) -> None:
    """With everything in one MetaData, and with names and texts that drivers are sensitive to."""
    engine = engine_of(cockroach_database.url_for(driver))
    metadata = sa.MetaData()
    Schema("S%", metadata=metadata)
    made = sa.Table(
        "a%b",
        metadata,
        sa.Column("%(id)s", sa.BigInteger, sa.Sequence("s%s"), primary_key=True),
        sa.Column("full", sa.String(20), server_default="5% it's \\n"),
        sa.Column("mood", sa.Enum("%", "b", name="M%d")),
        sa.CheckConstraint("\"full\" <> '%d'", name="ck%"),
        sa.Index("i%", "full", unique=True, cockroachdb_comment="%s"),
        comment="100%",
        schema="S%",
    )
    View("v%", sa.select(made.c["full"]).where(made.c["full"] != "100%"), metadata=metadata)
    View("w%", 'SELECT "full" FROM "v%"', metadata=metadata, materialized=True)
    try:
        with engine.connect() as connection:
            metadata.create_all(connection)
            before = shown_by(connection)
            metadata.create_all(connection)
            assert shown_by(connection) == before
            check(connection, metadata)
    finally:
        engine.dispose()

"""The same revisions by each driver, the asynchronous one too: transactions, streams, sessions, limits."""

from __future__ import annotations

from pathlib import Path

import pytest

from alembic_cluster.errors import ConfigurationError, StatementFailed
from tests.cockroachdb.disturbed import SHORT, LockedProject, one_line, sent, write_revisions
from tests.servers.fixtures import CockroachDatabase

_ROWS = """
op.execute("CREATE TABLE t (id INT8 PRIMARY KEY, x INT8, note STRING)")
op.execute("INSERT INTO t SELECT g, g, 'n' FROM generate_series(1, 2500) AS g")
"""
_STREAM = """
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

class Base(DeclarativeBase):
    pass

class T(Base):
    __tablename__ = "t"
    id: Mapped[int] = mapped_column(primary_key=True)
    x: Mapped[int]
    note: Mapped[str]

bind = op.get_bind()
assert len(bind.execute(sa.text("SELECT * FROM t")).first()) == 3
op.execute("ALTER TABLE t ADD COLUMN y INT8")
assert len(bind.execute(sa.text("SELECT * FROM t")).first()) == 4
t = sa.table("t", sa.column("id"), sa.column("x"), sa.column("y"))
parts = 0
every = sa.select(t.c.id).order_by(t.c.id).execution_options(yield_per=1000)
for part in bind.execute(every).partitions():
    parts += 1
    bind.execute(sa.update(t).where(t.c.id.in_([row.id for row in part])).values(y=t.c.x + 1))
assert parts == 3, parts
seen = 0
for row in bind.execute(sa.text("SELECT id FROM t"), execution_options={"stream_results": True}):
    seen += 1
assert seen == 2500
session = Session(bind=bind)
for number, one in enumerate(session.scalars(sa.select(T).where(T.id <= 20).execution_options(yield_per=7))):
    one.note = f"was {one.id}"
session.add(T(id=9999, x=1, note="added"))
session.commit()
session.close()
with op.get_context().begin_transaction():
    for row in bind.execute(sa.select(t.c.id).where(t.c.id <= 3), execution_options={"yield_per": 2}):
        bind.execute(sa.update(t).where(t.c.id == row.id).values(y=-1))
"""


DRIVERS = ["psycopg2", "psycopg", "asyncpg"]


@pytest.fixture
def driver(request: pytest.FixtureRequest) -> str:
    """The driver that a test names."""
    return str(request.param)


@pytest.fixture
def locked(driver: str, cockroach_database: CockroachDatabase, tmp_path: Path) -> LockedProject:
    """A project under the lock."""
    url = cockroach_database.url_for(driver)
    # asyncpg has another name for it.
    return LockedProject(tmp_path, url.replace("sslmode=", "ssl=") if driver == "asyncpg" else url)


# psycopg2 is the driver of the tests of kills.
@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"], indirect=True)
def test_killed_in_the_middle(locked: LockedProject) -> None:
    write_revisions(locked)
    locked.upgrade("r0")
    low = locked.state()
    status, output = locked.run("upgrade", "head", disturb="middle:5:kill:0.01")
    assert status != 0
    status, again = locked.run("upgrade", "head")
    assert status == 0, again
    assert set(sent(output) + sent(again)) == set(one_line(SHORT[0]))
    locked.downgrade("r0")
    assert locked.state() == low


@pytest.mark.parametrize("driver", DRIVERS, indirect=True)
def test_revisions_that_stream(locked: LockedProject) -> None:
    locked.revision("s0", _ROWS)
    locked.revision("s1", _STREAM)
    locked.upgrade()
    assert locked.rows("SELECT count(*), count(y), sum(y - x) FROM t WHERE id BETWEEN 4 AND 2500") == [
        (2497, 2497, 2497)
    ]
    assert locked.rows("SELECT y FROM t WHERE id <= 3") == [(-1,)] * 3
    assert locked.rows("SELECT count(*) FROM t WHERE note LIKE 'was %' OR note = 'added'") == [(21,)]


@pytest.mark.parametrize(
    ("driver", "level"),
    [
        *((driver, "READ COMMITTED") for driver in DRIVERS),
        ("psycopg", "AUTOCOMMIT"),
    ],
    indirect=["driver"],
)
def test_isolation_levels(locked: LockedProject, level: str) -> None:
    """The level that was chosen for the engine is the one of the revision's own transactions, where a server has it."""
    env = locked.folder / "migrations" / "env.py"
    text = env.read_text()
    env.write_text(
        text.replace("poolclass=pool.NullPool,", f"poolclass=pool.NullPool,\n        isolation_level={level!r},")
    )
    locked.revision("s0", _ROWS)
    locked.revision(
        "s1",
        """
        op.execute("CREATE INDEX ix ON t (x)")
        with op.get_context().begin_transaction():
            op.execute("UPDATE t SET x = x + 1")
            op.execute("CREATE INDEX ix2 ON t (note)")
            op.execute("UPDATE t SET x = x + 1")
        op.execute("UPDATE t SET x = x + 1")
        """,
        "op.execute('DROP INDEX t@ix')\nop.execute('DROP INDEX t@ix2')",
    )
    locked.upgrade()
    assert locked.rows("SELECT sum(x - id) FROM t") == [(7500,)]
    locked.downgrade("s0")
    assert locked.versions() == ["s0"]


@pytest.mark.parametrize(
    ("driver", "way"), [("psycopg2", "argument"), ("psycopg", "file"), ("asyncpg", "command line")], indirect=["driver"]
)
def test_statement_timeout_is_the_runs_own(locked: LockedProject, way: str) -> None:
    """The server's answer to a statement that takes too long; our own tables are made all the same."""
    locked.revision("s0", "op.execute('SELECT pg_sleep(600)')\nop.execute('CREATE TABLE u (id INT8 PRIMARY KEY)')")
    given = {"statement_timeout": "2s"} if way == "command line" else {}
    if way == "argument":
        under_limit = "migration_lock(context, statement_timeout='2s')"
        locked.edit("migrations/env.py", r"migration_lock\(context\)", under_limit)
    elif way == "file":
        locked.edit("alembic.ini", r"(?m)^sqlalchemy\.url", "alembic_cluster.statement_timeout = 2s\nsqlalchemy.url")
    with pytest.raises(StatementFailed, match="timeout"):
        locked.upgrade(**given)
    with pytest.raises(ConfigurationError, match="must be a time"):
        locked.upgrade(statement_timeout="soon")
    assert locked.rows("SELECT count(*) FROM [SHOW TABLES FROM public] WHERE table_name = 'u'") == [(0,)]

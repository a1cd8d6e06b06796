"""How a run sends its statements: schema changes by themselves, data in transactions where the revision says so."""

from __future__ import annotations

import os
import re
import subprocess

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.util import CommandError

from alembic_cluster.errors import StatementFailed
from tests.cockroachdb.project import Project
from tests.servers.fixtures import CockroachDatabase

TABLE = "op.create_table('t', sa.Column('id', sa.Integer(), primary_key=True), sa.Column('x', sa.Integer()))\n"
# Whether the server is in an explicit transaction: inside one, its start is the same for all statements.
STARTED = "op.get_bind().scalar(sa.text('SELECT transaction_timestamp()::STRING'))"


def test_each_schema_change_is_applied_by_itself(project: Project) -> None:
    project.revision("a1", TABLE + "op.create_index('ix', 't', ['x'])\nop.execute('SELECT nothing_of_this_name()')")
    with pytest.raises(StatementFailed, match=r"refused statement 3: .*The 2 statements before it stay applied"):
        project.upgrade()
    assert project.rows("SELECT DISTINCT index_name FROM [SHOW INDEXES FROM t] WHERE index_name = 'ix'") == [("ix",)]
    assert project.versions() == []


def test_statements_of_a_revision_are_in_no_transaction(project: Project) -> None:
    project.revision("a1", f"assert {STARTED} != {STARTED}\n" + TABLE + f"assert {STARTED} != {STARTED}")
    project.upgrade()


@pytest.mark.parametrize("begin", ["connectable.begin()", "connectable.connect()"])
def test_env_py_may_begin_a_transaction(project: Project, begin: str) -> None:
    project.edit("migrations/env.py", r"connectable\.connect\(\)", begin)
    project.revision("a1", TABLE + f"assert {STARTED} != {STARTED}\nop.execute('INSERT INTO t VALUES (1, 1)')")
    project.upgrade()
    assert project.rows("SELECT * FROM t") == [(1, 1)]
    assert project.versions() == ["a1"]


def test_env_py_inside_a_transaction_that_is_under_way(project: Project) -> None:
    """The caller's own: it is left to the caller, who is warned."""
    project.edit(
        "migrations/env.py",
        r"with connectable\.connect\(\) as connection:",
        "with connectable.begin() as connection:\n        connection.exec_driver_sql('SELECT 1')",
    )
    project.revision("a1", TABLE)
    assert "inside a transaction of the caller" in project.cli("upgrade", "head")
    assert project.versions() == ["a1"]


def test_text_of_several_statements_is_sent_one_by_one(project: Project) -> None:
    project.revision(
        "a1",
        """
        op.execute(
            "CREATE TABLE t (x INT); -- one; two\\n"
            "CREATE INDEX ix ON t (x); INSERT INTO t VALUES (1); INSERT INTO t VALUES ('not a number'); SELECT 1"
        )
        """,
    )
    with pytest.raises(StatementFailed, match=r"refused statement 4: .*The 3 statements before it stay applied"):
        project.upgrade()
    assert project.rows("SELECT x FROM t@ix") == [(1,)]


def test_text_with_values_is_sent_as_it_is(project: Project) -> None:
    project.revision(
        "a1",
        TABLE + "op.execute(sa.text('INSERT INTO t VALUES (:a, :b)').bindparams(a=1, b=2))\nop.execute(\"SELECT ';'\")",
    )
    project.upgrade()
    assert project.rows("SELECT * FROM t") == [(1, 2)]


def test_begin_transaction_is_one(project: Project) -> None:
    project.revision(
        "a1",
        TABLE
        + f"""
with op.get_context().begin_transaction():
    op.execute("INSERT INTO t VALUES (1, 1)")
    assert {STARTED} == {STARTED}
    with op.get_context().begin_transaction():
        op.execute("INSERT INTO t VALUES (2, 2)")
try:
    with op.get_context().begin_transaction():
        op.execute("INSERT INTO t VALUES (3, 3)")
        op.execute("INSERT INTO t VALUES (1, 1)")
except sa.exc.IntegrityError:
    pass
assert {STARTED} != {STARTED}
op.execute("INSERT INTO t VALUES (4, 4)")
""",
    )
    project.upgrade()
    assert project.rows("SELECT id FROM t ORDER BY id") == [(1,), (2,), (4,)]
    assert project.versions() == ["a1"]


def test_failed_transaction_is_not_counted_as_applied(project: Project) -> None:
    project.revision(
        "a1",
        TABLE
        + """
with op.get_context().begin_transaction():
    op.execute("INSERT INTO t VALUES (3, 3)")
    op.execute("INSERT INTO t VALUES (3, 3)")
""",
    )
    with pytest.raises(StatementFailed) as caught:
        project.upgrade()
    assert "refused statement 3" in str(caught.value)
    assert "The open transaction is rolled back" in str(caught.value)
    assert "The one statement before it stays applied" in str(caught.value)
    assert project.rows("SELECT id FROM t") == []


def test_schema_change_inside_begin_transaction(project: Project) -> None:
    """It commits what is before it, as servers do by themselves since v25.1."""
    project.revision(
        "a1",
        TABLE
        + """
with op.get_context().begin_transaction():
    op.execute("INSERT INTO t VALUES (1, 1)")
    op.add_column("t", sa.Column("y", sa.Integer(), server_default="7"))
    op.execute("UPDATE t SET y = y + 1")
    op.create_index("ix", "t", ["y"])
    op.execute("INSERT INTO t VALUES (2, 2, 2)")
""",
    )
    project.upgrade()
    assert project.rows("SELECT id, y FROM t ORDER BY id") == [(1, 8), (2, 2)]


def test_autocommit_block(project: Project) -> None:
    project.revision(
        "a1",
        TABLE
        + f"""
with op.get_context().autocommit_block():
    op.execute("CREATE INDEX ix ON t (x)")
    assert {STARTED} != {STARTED}
op.create_index("ix2", "t", ["x", "id"])
assert {STARTED} != {STARTED}
try:
    with op.get_context().begin_transaction():
        op.execute("INSERT INTO t VALUES (1, 1)")
        with op.get_context().autocommit_block():
            assert {STARTED} != {STARTED}
        op.execute("INSERT INTO t VALUES (2, 2)")
        raise KeyError
except KeyError:
    pass
""",
    )
    project.upgrade()
    assert project.rows("SELECT id FROM t") == [(1,)]
    assert project.versions() == ["a1"]


@pytest.mark.parametrize("driver", ["psycopg2"])
def test_begin_and_commit_as_texts(project: Project) -> None:
    """Revisions written for PostgreSQL leave Alembic's transaction by them."""
    project.revision(
        "a1",
        TABLE
        + f"""
op.execute("COMMIT")
op.execute("ALTER TABLE t ADD COLUMN y INT")
op.execute("begin transaction")
op.execute("INSERT INTO t VALUES (1, 1, 1)")
assert {STARTED} == {STARTED}
op.get_bind().execute(sa.text("ROLLBACK"))
assert {STARTED} != {STARTED}
op.execute("START TRANSACTION ISOLATION LEVEL SERIALIZABLE; INSERT INTO t VALUES (2, 2, 2); COMMIT;")
assert {STARTED} != {STARTED}
op.execute("BEGIN")
op.execute("INSERT INTO t VALUES (3, 3, 3)")
""",
    )
    project.upgrade()
    assert project.rows("SELECT id FROM t ORDER BY id") == [(2,), (3,)]
    project.revision("b1", "op.execute('BEGIN')\nop.execute('INSERT INTO t VALUES (4, 4, 4)')\nraise KeyError")
    with pytest.raises(KeyError):
        project.upgrade()
    assert project.rows("SELECT count(*) FROM t") == [(2,)]
    assert project.versions() == ["a1"]
    project.revision("c1", "op.execute('COMMIT')\nop.execute('BEGIN; DELETE FROM t; END')\nop.execute('COMMIT')")
    script = project.offline("upgrade", "b1:c1")
    assert re.findall(r"BEGIN|COMMIT|DELETE|UPDATE", script) == ["BEGIN", "DELETE", "COMMIT", "UPDATE"]


def test_bulk_insert_is_whole_or_nothing(project: Project) -> None:
    project.revision(
        "a1",
        """
        t = op.create_table("t", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("x", sa.String()))
        op.bulk_insert(t, [{"id": i, "x": "it's 100%"} for i in range(2500)])
        op.bulk_insert(t, [{"id": -1, "x": None}])
        op.bulk_insert(t, [])
        op.bulk_insert(t, [{"id": -2, "x": sa.func.upper("a")}, {"id": -3, "x": "b"}], multiinsert=False)
        """,
    )
    project.revision(
        "a2",
        """
        t = sa.table("t", sa.column("id"), sa.column("x"))
        op.bulk_insert(t, [{"id": i, "x": "second"} for i in range(5000, 2499, -1)] + [{"id": 1, "x": "again"}])
        """,
    )
    with pytest.raises(StatementFailed, match="Nothing of the revision is applied"):
        project.upgrade()
    assert project.versions() == ["a1"]
    assert project.rows("SELECT count(*), min(x), count(DISTINCT x) FROM t") == [(2503, "A", 3)]


def test_savepoint_on_the_bind_is_a_transaction(project: Project) -> None:
    """What revisions that were written for PostgreSQL do."""
    project.revision(
        "a1",
        TABLE
        + f"""
bind = op.get_bind()
with bind.begin_nested():
    op.execute("INSERT INTO t VALUES (1, 1)")
    assert {STARTED} == {STARTED}
    try:
        with bind.begin_nested():
            op.execute("INSERT INTO t VALUES (2, 2)")
            op.execute("INSERT INTO t VALUES (1, 1)")
    except sa.exc.IntegrityError:
        pass
    op.execute("INSERT INTO t VALUES (3, 3)")
try:
    with bind.begin_nested():
        op.execute("INSERT INTO t VALUES (4, 4)")
        raise KeyError
except KeyError:
    pass
with bind.begin_nested():
    op.execute("INSERT INTO t VALUES (5, 5)")
    op.create_index("ix", "t", ["x"])
    op.execute("INSERT INTO t VALUES (6, 6)")
op.execute("INSERT INTO t VALUES (7, 7)")
assert {STARTED} != {STARTED}
""",
    )
    project.upgrade()
    assert project.rows("SELECT id FROM t ORDER BY id") == [(1,), (3,), (5,), (6,), (7,)]


def test_orm_session_on_the_bind(project: Project) -> None:
    project.revision(
        "a1",
        TABLE
        + """
from sqlalchemy.orm import Session
session = Session(bind=op.get_bind())
session.execute(sa.text("INSERT INTO t VALUES (1, 1)"))
session.commit()
""",
    )
    project.upgrade()
    assert project.rows("SELECT id FROM t") == [(1,)]
    assert project.versions() == ["a1"]


def test_stamp_branches_and_merge(project: Project) -> None:
    project.revision("a1", TABLE)
    versions = project.folder / "migrations" / "versions"
    for name in ("b1", "b2"):
        versions.joinpath(f"{name}.py").write_text(
            f"revision = {name!r}\ndown_revision = 'a1'\nfrom alembic import op\n"
            f"def upgrade():\n    op.execute('CREATE TABLE {name} (x INT)')\n"
            f"def downgrade():\n    op.execute('DROP TABLE {name}')\n"
        )
    project.upgrade("heads")
    assert project.versions() == ["b1", "b2"]
    versions.joinpath("c1.py").write_text(
        "revision = 'c1'\ndown_revision = ('b1', 'b2')\ndef upgrade():\n    pass\ndef downgrade():\n    pass\n"
    )
    project.upgrade()
    assert project.versions() == ["c1"]
    project.downgrade("b1")
    assert project.versions() == ["b1", "b2"]
    project.downgrade("base")
    assert project.versions() == []
    command.stamp(project.config, "c1")
    assert project.versions() == ["c1"]
    command.stamp(project.config, "a1", purge=True)
    assert project.versions() == ["a1"]
    command.stamp(project.config, "base")
    assert project.versions() == []


def test_version_table_of_another_name_and_schema(project: Project) -> None:
    project.rows("SELECT 1")
    project.edit(
        "migrations/env.py",
        r"connection=connection, target_metadata=target_metadata\n",
        "connection=connection, target_metadata=target_metadata, version_table='Done', version_table_schema='meta'\n",
    )
    project.revision("a1", TABLE)
    engine = sa.create_engine(project.url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text("CREATE SCHEMA meta"))
    project.upgrade()
    assert project.rows('SELECT version_num FROM meta."Done"') == [("a1",)]
    project.downgrade("base")
    assert project.rows('SELECT version_num FROM meta."Done"') == []


def test_connection_goes_back_to_its_pool_as_it_was(cockroach_database: CockroachDatabase, driver: str) -> None:
    from alembic_crdb.transactions import enter_autocommit

    engine = sa.create_engine(cockroach_database.url_for(driver), pool_size=1, max_overflow=0)
    for begin in (engine.connect, engine.begin):
        with begin() as connection:
            assert enter_autocommit(connection)
            assert engine.dialect.detect_autocommit_setting(connection.connection.dbapi_connection)
        with engine.connect() as connection:
            assert not engine.dialect.detect_autocommit_setting(connection.connection.dbapi_connection)
    with engine.connect() as connection:
        connection.execute(sa.text("SELECT 1"))
        assert not enter_autocommit(connection)
    engine.dispose()


def test_offline_script_runs_in_the_servers_own_shell(project: Project, cockroach_database: CockroachDatabase) -> None:
    project.revision(
        "a1",
        """
        t = op.create_table(
            "t",
            sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), primary_key=True),
            sa.Column("full", sa.String(20)),
            sa.Column("up", sa.String(), sa.Computed('upper("full")', persisted=True)),
        )
        op.bulk_insert(t, [{"full": "it's"}, {"full": "b"}])
        with op.get_context().begin_transaction():
            op.execute("UPDATE t SET \\"full\\" = 'c' WHERE \\"full\\" = 'b'")
            op.create_index("ux", "t", ["full"], unique=True)
            op.execute("INSERT INTO t (\\"full\\") VALUES ('d')")
        op.drop_index("ux", table_name="t", unique=True)
        op.create_unique_constraint("uq", "t", ["full"])
        """,
        "op.drop_constraint('uq', 't', type_='unique')\nop.drop_table('t')",
    )
    url = sa.make_url(cockroach_database.url).set(drivername="postgresql").render_as_string(hide_password=False)

    environment = {name: value for name, value in os.environ.items() if name != "COCKROACH_URL"}  # the shell reads it

    def shell(script: str) -> None:
        ran = subprocess.run(
            ["cockroach", "sql", "--url", url, "--set=errexit=true"],
            input=script, text=True, capture_output=True, timeout=60, env=environment,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr

    shell(project.offline("upgrade", "head"))
    assert project.rows('SELECT "full", up FROM t ORDER BY 1') == [("c", "C"), ("d", "D"), ("it's", "IT'S")]
    assert project.versions() == ["a1"]
    shell(project.offline("downgrade", "head:base"))
    assert project.versions() == []


def test_lost_connection_tells_what_is_known(project: Project) -> None:
    """The server ends the session: a statement by itself may be applied, one of an open transaction is not."""
    lose = "op.execute('CANCEL SESSION (SELECT session_id FROM [SHOW session_id])')"
    project.revision("a1", TABLE + lose)
    with pytest.raises(StatementFailed, match=r"did not answer statement 2: .*is not known.*The one statement before"):
        project.upgrade()
    (project.folder / "migrations" / "versions" / "a1.py").unlink()
    project.revision(
        "a2",
        f"""
        with op.get_context().begin_transaction():
            op.execute("INSERT INTO t VALUES (1, 1)")
            {lose}
        """,
    )
    with pytest.raises(
        StatementFailed, match=r"The open transaction is rolled back.*Nothing of the revision is applied"
    ):
        project.upgrade()
    assert project.rows("SELECT * FROM t") == []


def test_stopped_run_leaves_the_version_where_it_was(project: Project) -> None:
    """KeyboardInterrupt in the middle of a transaction: nothing of it stays."""
    project.revision(
        "a1",
        TABLE
        + """
with op.get_context().begin_transaction():
    op.execute("INSERT INTO t VALUES (1, 1)")
    if op.get_bind().scalar(sa.text("SELECT count(*) FROM t")):  # not in the rehearsal
        raise KeyboardInterrupt
""",
    )
    with pytest.raises(KeyboardInterrupt):
        project.upgrade()
    assert project.rows("SELECT * FROM t") == []
    assert project.versions() == []


def test_error_classes(project: Project) -> None:
    project.revision("a1", "op.execute('SELECT 1/0')")
    with pytest.raises(StatementFailed) as caught:
        project.upgrade()
    assert isinstance(caught.value, CommandError)
    assert isinstance(caught.value, sa.exc.DBAPIError)
    assert getattr(caught.value.orig, "sqlstate", None) or caught.value.orig.pgcode == "22012"

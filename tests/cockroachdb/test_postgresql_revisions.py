"""What revisions written for PostgreSQL do besides primary keys, on a server."""

from __future__ import annotations

import pytest

from alembic_cluster.errors import ClusterError, StatementFailed
from tests.cockroachdb.project import Project

TABLE = """
op.create_table(
    "t",
    sa.Column("id", sa.BigInteger(), autoincrement=False, primary_key=True),
    sa.Column("a", sa.BigInteger()),
    sa.Column("s", sa.String(20)),
)
op.bulk_insert(
    sa.table("t", sa.column("id", sa.BigInteger()), sa.column("a", sa.BigInteger()), sa.column("s", sa.String())),
    [{"id": 1, "a": 10, "s": "x"}, {"id": 2, "a": 20, "s": "y"}],
)
"""


@pytest.fixture
def driver() -> str:
    """One is enough: what is sent is the same."""
    return "psycopg2"


def upgrade(project: Project, body: str) -> None:
    """Run one revision on top of the table ``t``."""
    project.revision("a1", TABLE)
    project.revision("b1", body)
    project.upgrade()
    assert project.versions() == ["b1"]


def test_a_column_is_added_and_filled_in_one_revision(project: Project) -> None:
    upgrade(
        project,
        """
        from sqlalchemy import orm

        op.add_column("t", sa.Column("b", sa.BigInteger(), nullable=True))
        t = sa.table("t", sa.column("id"), sa.column("a"), sa.column("b"))
        op.execute(t.update().values(b=t.c.a + 1))
        assert set(op.get_bind().scalars(sa.select(t.c.b))) == {11, 21}
        op.alter_column("t", "b", nullable=False, server_default="7")

        class Base(orm.DeclarativeBase):
            pass

        class Row(Base):
            __tablename__ = "t"
            id = sa.Column(sa.BigInteger(), primary_key=True)
            b = sa.Column(sa.BigInteger())

        with orm.Session(op.get_bind()) as session:
            for row in session.query(Row).order_by(Row.id).yield_per(1):
                row.b = row.b * 2
            session.add(Row(id=3, b=1))
            session.commit()
        """,
    )
    assert project.rows("SELECT id, b FROM t ORDER BY id") == [(1, 22), (2, 42), (3, 1)]


def test_enum_types_come_with_their_tables(project: Project) -> None:
    upgrade(
        project,
        """
        mood = sa.Enum("sad", "happy", name="mood")
        op.create_table("u", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("m", mood))
        op.create_table("v", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("m", mood))
        sa.Enum("a", "b", name="kind").create(op.get_bind(), checkfirst=True)
        sa.Enum("a", "b", name="kind").create(op.get_bind(), checkfirst=True)
        op.add_column("t", sa.Column("k", sa.Enum("a", "b", name="kind", create_type=False), server_default="a"))
        op.execute("ALTER TYPE mood ADD VALUE 'so so'")
        op.execute("INSERT INTO u (id, m) VALUES (1, 'so so')")
        op.execute("ALTER TYPE mood ADD VALUE IF NOT EXISTS 'sad'")
        op.drop_table("v")
        """,
    )
    assert project.rows("SELECT m::STRING FROM u") == [("so so",)]
    assert project.rows("SELECT DISTINCT k::STRING FROM t") == [("a",)]


def test_a_unique_constraint_is_dropped(project: Project) -> None:
    upgrade(
        project,
        """
        op.create_unique_constraint(op.f("uq_t_a"), "t", ["a"])
        op.drop_constraint(op.f("uq_t_a"), "t", type_="unique")
        op.create_index("ux", "t", ["a"], unique=True)
        op.drop_index("ux")
        op.create_index("ix", "t", ["a"])
        op.drop_index("ix", table_name="t")
        op.execute("DROP INDEX IF EXISTS no_such_index")
        op.drop_index("no_such_index", table_name="t", if_exists=True)
        """,
    )
    assert project.rows("SELECT DISTINCT index_name FROM [SHOW INDEXES FROM t] WHERE index_name != 'primary'") == []


def test_types_change_with_using(project: Project) -> None:
    upgrade(
        project,
        """
        op.alter_column("t", "a", type_=sa.Text(), existing_type=sa.BigInteger(), postgresql_using="a::STRING")
        op.alter_column("t", "s", type_=sa.String(40), nullable=False, server_default="z", new_column_name="full")
        op.execute("ALTER TABLE t ALTER COLUMN a TYPE TEXT[] USING ARRAY[a]")
        """,
    )
    assert project.rows('SELECT a, "full" FROM t ORDER BY id') == [(["10"], "x"), (["20"], "y")]
    described = project.rows("SELECT column_name, is_nullable, column_default FROM [SHOW COLUMNS FROM t] ORDER BY 1")
    assert described[1] == ("full", False, "'z':::STRING")


def test_texts_that_cockroachdb_has_other_words_for(project: Project) -> None:
    upgrade(
        project,
        """
        op.execute("CREATE UNIQUE INDEX CONCURRENTLY ix_u ON t (a)")
        op.execute('ALTER TABLE ONLY t ADD CONSTRAINT "U u" UNIQUE USING INDEX ix_u')
        op.execute("CREATE SEQUENCE numbers")
        op.execute("SELECT setval('numbers', (SELECT max(id) FROM t))")
        op.get_bind().execute(sa.text("ALTER SEQUENCE public.numbers RESTART WITH 100"))
        op.execute("TRUNCATE TABLE t CONTINUE IDENTITY")
        """,
    )
    assert project.rows("SELECT nextval('numbers')") == [(100,)]
    assert project.rows("SELECT count(*) FROM t") == [(0,)]
    assert ("U u",) in project.rows("SELECT index_name FROM [SHOW INDEXES FROM t]")


def test_types_change_under_comments(project: Project) -> None:
    """Before v25.1 the server leaves the comment with the column that the new one replaces, and trips over it."""
    upgrade(
        project,
        """
        op.alter_column("t", "a", comment="it's a")
        op.alter_column("t", "s", comment="old")
        op.alter_column("t", "a", type_=sa.Text(), new_column_name="b")
        op.alter_column("t", "s", type_=sa.LargeBinary(), postgresql_using="s::BYTES", comment="new")
        """,
    )
    (created,) = project.rows("SELECT create_statement FROM [SHOW CREATE TABLE t]")
    assert "COMMENT ON COLUMN public.t.b IS e'it\\'s a'" in str(created[0])
    assert "COMMENT ON COLUMN public.t.s IS 'new'" in str(created[0])


def test_percent_signs(project: Project) -> None:
    """Some drivers take them doubled, which is nothing that the server is to see."""
    upgrade(
        project,
        """
        op.get_bind().execute(sa.text("CREATE INDEX ix_a ON t USING btree (a) WHERE a % 2 = 1 AND s LIKE 'x%'"))
        op.execute("CREATE INDEX ix_b ON t USING btree (a) WHERE a % 2 = 1 AND s LIKE 'x%'")
        op.get_bind().exec_driver_sql("CREATE INDEX ix_c ON t USING btree (a) WHERE a %% 2 = 1 AND s LIKE 'x%%'")
        op.create_index("ix_d", "t", ["a"], postgresql_where=sa.text("a % 2 = 1 AND s LIKE 'x%'"))
        """,
    )
    (created,) = project.rows("SELECT create_statement FROM [SHOW CREATE TABLE t]")
    assert str(created[0]).count("WHERE ((a % 2:::INT8) = 1:::INT8) AND (s LIKE 'x%':::STRING)") == 4


def test_indexes_outside_of_a_transaction(project: Project) -> None:
    upgrade(
        project,
        """
        with op.get_context().autocommit_block():
            op.create_index("ix_a", "t", ["a"], postgresql_concurrently=True, if_not_exists=True)
            op.create_index("ix_b", "t", ["s"], postgresql_where=sa.text("a > 3"), postgresql_using="btree")
            op.create_index("ix_c", "t", ["s"], postgresql_include=["a"], unique=True)
            op.create_index("ix_d", "t", ["s"], postgresql_ops={"s": "text_pattern_ops"})
            op.drop_index("ix_a", table_name="t", postgresql_concurrently=True)
        op.create_index("ix_e", "t", [sa.text("a DESC NULLS LAST"), "s"])
        """,
    )
    found = {row[0] for row in project.rows("SELECT DISTINCT index_name FROM [SHOW INDEXES FROM t]")}
    assert found == {"primary", "ix_b", "ix_c", "ix_d", "ix_e"}
    ordered = "SELECT column_name, direction FROM [SHOW INDEXES FROM t] WHERE index_name = 'ix_e' AND NOT implicit"
    assert project.rows(ordered) == [("a", "DESC"), ("s", "ASC")]


def test_indexes_as_texts(project: Project) -> None:
    upgrade(
        project,
        """
        op.execute(
            "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS ix_f ON ONLY public.t USING btree (s varchar_pattern_ops, "
            "a DESC NULLS LAST) INCLUDE (id) WITH (fillfactor = 70) WHERE s <> 'a:b'"
        )
        op.execute("CREATE INDEX ON t (a) STORING (s)")
        op.execute(f"CREATE INDEX {'long_' * 15} ON t USING btree (s)")
        op.create_index("ix_h", "t", ["a"], postgresql_using="hash", cockroachdb_with={"bucket_count": 4})
        op.create_index("ix_i", "t", ["a"], postgresql_include=["id", "s", "a"])
        """,
    )
    created = str(project.rows("SELECT create_statement FROM [SHOW CREATE TABLE t]")[0][0])
    for index in (
        "UNIQUE INDEX ix_f (s ASC, a DESC) WHERE s != 'a:b':::STRING,",
        "INDEX t_a_idx (a ASC) STORING (s),",
        f"INDEX {'long_' * 15} (s ASC),",
        "INDEX ix_h (a ASC) USING HASH WITH BUCKET_COUNT = 4,",
        "INDEX ix_i (a ASC) STORING (s),",
    ):
        assert index in created


def test_a_batch_that_copies_the_table(project: Project) -> None:
    upgrade(
        project,
        """
        op.create_index("ix_s", "t", ["s"])
        with op.batch_alter_table("t", recreate="always") as batch:
            batch.alter_column("s", nullable=False, existing_type=sa.String(20))
            batch.add_column(sa.Column("b", sa.BigInteger(), server_default="5"))
            batch.drop_column("a")
        """,
    )
    assert project.rows("SELECT * FROM t ORDER BY id") == [(1, "x", 5), (2, "y", 5)]
    found = {row[0] for row in project.rows("SELECT DISTINCT index_name FROM [SHOW INDEXES FROM t]")}
    assert "ix_s" in found


def test_constraints_and_comments(project: Project) -> None:
    upgrade(
        project,
        """
        op.create_check_constraint(op.f("ck_t_a"), "t", "a < 15", postgresql_not_valid=True)
        op.drop_constraint("ck_t_a", "t", type_="check")
        op.create_check_constraint("ck_t_b", "t", sa.column("a") > 3)
        op.create_table("r", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("t_id", sa.BigInteger()))
        op.create_foreign_key("fk_r", "r", "t", ["t_id"], ["id"], ondelete="CASCADE", postgresql_not_valid=True)
        op.add_column("r", sa.Column("u_id", sa.BigInteger(), sa.ForeignKey("t.id", name="fk_u"), index=True))
        op.create_table_comment("t", "it's a table")
        op.alter_column("t", "a", comment="a column")
        op.drop_table_comment("t")
        op.drop_table("no_such_table", if_exists=True)
        op.rename_table("r", "renamed")
        op.rename_table("renamed", "full", schema="public")
        """,
    )
    names = [row[0] for row in project.rows("SELECT conname FROM pg_catalog.pg_constraint WHERE contype IN ('f', 'c')")]
    assert sorted(map(str, names)) == ["ck_t_b", "fk_r", "fk_u"]
    assert project.rows('SELECT count(*) FROM "full"') == [(0,)]


def test_sequences(project: Project) -> None:
    upgrade(
        project,
        """
        op.execute("CREATE SEQUENCE s1 START 5")
        op.execute(sa.schema.CreateSequence(sa.Sequence("s2", start=3)))
        op.create_table("u", sa.Column("id", sa.BigInteger(), sa.Sequence("s2"), primary_key=True))
        op.add_column("u", sa.Column("n", sa.BigInteger(), sa.Sequence("made with it")))
        op.execute("INSERT INTO u DEFAULT VALUES")
        """,
    )
    assert project.rows("SELECT id FROM u") == [(3,)]


def test_extensions_that_are_built_in_need_nothing(project: Project) -> None:
    upgrade(
        project,
        """
        op.execute('CREATE EXTENSION IF NOT EXISTS "uuid-ossp"')
        op.get_bind().execute(sa.text("create extension pgcrypto"))
        op.execute("DROP EXTENSION IF EXISTS pgcrypto")
        op.execute("CREATE EXTENSION citext")
        """,
    )


def test_set_local_lasts_until_the_end_of_the_revision(project: Project) -> None:
    upgrade(
        project,
        """
        op.execute("SET LOCAL lock_timeout = '5s'")
        op.execute("SET LOCAL statement_timeout = '77s'")
        assert op.get_bind().scalar(sa.text("SHOW statement_timeout")) == "77000"
        op.get_bind().execute(sa.text("SET LOCAL statement_timeout TO '78s'"))
        assert op.get_bind().scalar(sa.text("SHOW statement_timeout")) == "78000"
        """,
    )
    project.revision("c1", 'assert op.get_bind().scalar(sa.text("SHOW statement_timeout")) == "0"')
    project.upgrade()


@pytest.mark.grammar_exempt("means to send what is refused")
@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (
            'op.create_exclude_constraint("ex", "t", ("a", "="), using="gist")',
            "EXCLUDE constraint ex, which CockroachDB does not have",
        ),
        (
            'op.create_foreign_key("fk", "t", "t", ["a"], ["id"], deferrable=True, initially="DEFERRED")',
            "(?i)deferr",
        ),
        ('op.create_index("ix", "t", [sa.text("lower(s)")])', "needs CockroachDB v21.2"),
        ('op.create_index("ix", "t", ["a"], postgresql_using="brin")', "(?i)brin"),
        ("op.execute('CREATE INDEX ix ON t USING gin (s gin_trgm_ops)')", "needs CockroachDB v22.2"),
        ("op.execute('CREATE INDEX ix ON t (coalesce(a, 0) DESC)')", "needs CockroachDB v21.2"),
        ('op.execute("CREATE EXTENSION IF NOT EXISTS hstore")', "no extension hstore"),
        ("""op.get_bind().execute(sa.text('CREATE EXTENSION "hstore"'))""", "no extension hstore"),
        ('op.execute("DO $$ BEGIN PERFORM 1; END $$")', "DO with a block of code needs CockroachDB v25.1"),
        ('op.execute("CREATE RULE r AS ON INSERT TO t DO NOTHING")', "CockroachDB has no rules"),
        ('op.execute("CREATE FUNCTION f() RETURNS INT LANGUAGE SQL AS $$ SELECT 1 $$")', "FUNCTION"),
        (
            'op.execute("CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()")',
            "TRIGGER",
        ),
        ('op.alter_column("t", "a", server_default=sa.Identity())', "needs CockroachDB v24.1"),
        ('op.alter_column("t", "a", server_default=sa.Computed("id"))', "op.drop_column and op.add_column"),
    ],
)
def test_what_the_server_does_not_have_is_refused_before_anything_is_sent(
    project: Project, body: str, refusal: str
) -> None:
    project.revision("a1", TABLE)
    project.upgrade()
    project.revision("b1", 'op.create_index("ix_first", "t", ["a"])\n' + body)
    with pytest.raises(ClusterError, match=refusal) as caught:
        project.upgrade()
    assert not isinstance(caught.value, StatementFailed)
    found = {row[0] for row in project.rows("SELECT DISTINCT index_name FROM [SHOW INDEXES FROM t]")}
    assert found == {"primary"}
    assert project.versions() == ["a1"]

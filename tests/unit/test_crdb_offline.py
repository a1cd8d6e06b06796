"""``--sql`` for CockroachDB: the script, without a server."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from alembic_cluster.errors import ClusterError, UnsupportedOperation
from tests.cockroachdb.project import Project


@pytest.fixture(params=["cockroachdb", "cockroachdb+psycopg2", "cockroachdb+psycopg"])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Project:
    return Project(tmp_path, f"{request.param}://root@localhost:26257/bank?sslmode=disable")


def _statements(script: str) -> list[str]:
    """Split a script of ours, which has no semicolon inside a statement, without its comments."""
    text = "\n".join(line for line in script.splitlines() if not line.startswith("--"))
    return [" ".join(statement.split()) for statement in text.split(";") if statement.strip()]


def _of_revision(project: Project) -> list[str]:
    """Give what the newest revision's upgrade sends, without the version table's statements."""
    sent = _statements(project.offline("upgrade", "head"))
    return [statement for statement in sent if "alembic_version" not in statement]


def test_tutorial(project: Project) -> None:
    project.revision(
        "a1",
        """
        t = op.create_table(
            "accounts",
            sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), primary_key=True),
            sa.Column("balance", sa.Integer()),
        )
        op.bulk_insert(t, [{"balance": 3}])
        op.execute("ALTER TABLE accounts ADD COLUMN a BOOL AS (CASE WHEN balance < 0 THEN true ELSE false END) STORED")
        op.add_column("accounts", sa.Column("b", sa.Boolean(), sa.Computed("balance < 0", persisted=True)))
        op.add_column("accounts", sa.Column("c", sa.Boolean(), sa.Computed("balance < 0", persisted=False)))
        """,
        'op.drop_column("accounts", "c")\nop.drop_table("accounts")',
    )
    assert _of_revision(project) == [
        "CREATE TABLE accounts ( id UUID NOT NULL DEFAULT gen_random_uuid(), balance INT NULL, PRIMARY KEY (id ASC) )",
        "INSERT INTO accounts (balance) VALUES (3)",
        "ALTER TABLE accounts ADD COLUMN a BOOL AS (CASE WHEN balance < 0 THEN true ELSE false END) STORED",
        "ALTER TABLE accounts ADD COLUMN b BOOL NULL AS (balance < 0) STORED",
        "ALTER TABLE accounts ADD COLUMN c BOOL NULL AS (balance < 0) VIRTUAL",
    ]
    assert _statements(project.offline("downgrade", "a1:base")) == [
        "ALTER TABLE accounts DROP COLUMN c",
        "DROP TABLE accounts",
        "DELETE FROM alembic_version WHERE alembic_version.version_num = 'a1'",
    ]


def test_version_table_and_row(project: Project) -> None:
    project.revision("a1", "pass")
    script = _statements(project.offline("upgrade", "head"))
    assert script[0].startswith("CREATE TABLE alembic_version ( version_num VARCHAR(32) NOT NULL")
    assert script[1].startswith("INSERT INTO alembic_version (version_num) VALUES ('a1')")
    assert len(script) == 2


def test_rows_are_one_transaction(project: Project) -> None:
    project.revision("a1", 'op.bulk_insert(sa.table("t", sa.column("x", sa.Integer())), [{"x": 1}, {"x": 2}])')
    assert _of_revision(project) == ["BEGIN", "INSERT INTO t (x) VALUES (1)", "INSERT INTO t (x) VALUES (2)", "COMMIT"]


def test_begin_transaction(project: Project) -> None:
    project.revision(
        "a1",
        """
        op.execute("INSERT INTO t VALUES (0)")
        with op.get_context().begin_transaction():
            op.execute("INSERT INTO t VALUES (1)")
            op.create_index("ix", "t", ["x"])
            with op.get_context().autocommit_block():
                op.execute("INSERT INTO t VALUES (2)")
            op.execute("INSERT INTO t VALUES (3)")
        with op.get_context().begin_transaction():
            pass
        """,
    )
    assert _of_revision(project) == [
        "INSERT INTO t VALUES (0)",
        "BEGIN",
        "INSERT INTO t VALUES (1)",
        "COMMIT",
        "CREATE INDEX ix ON t (x ASC)",
        "INSERT INTO t VALUES (2)",
        "BEGIN",
        "INSERT INTO t VALUES (3)",
        "COMMIT",
    ]


def test_unique_constraint_is_dropped_as_the_index_that_it_is(project: Project) -> None:
    project.revision(
        "a1",
        """
        op.create_unique_constraint("Uq", "t", ["x"], schema="Sc")
        op.drop_constraint("Uq", "t", type_="unique", schema="Sc")
        op.drop_constraint("ck", "t", type_="check")
        op.drop_index("ix", table_name="t")
        op.drop_index("ix")
        op.drop_index("ix", table_name="t", unique=True, if_exists=True)
        """,
    )
    assert _of_revision(project) == [
        'ALTER TABLE "Sc".t ADD CONSTRAINT "Uq" UNIQUE (x)',
        'DROP INDEX "Sc".t@"Uq" CASCADE',
        "ALTER TABLE t DROP CONSTRAINT ck",
        "DROP INDEX t@ix",
        "DROP INDEX ix",
        "DROP INDEX IF EXISTS t@ix CASCADE",
    ]


def test_keywords_are_quoted(project: Project) -> None:
    project.revision(
        "a1",
        """
        op.create_table("index", sa.Column("full", sa.Integer()), sa.Column("family", sa.Integer()))
        op.add_column("index", sa.Column("nothing", sa.Integer()))
        op.alter_column("index", "full", new_column_name="left")
        op.create_index("ilike", "index", ["left"])
        """,
    )
    assert _of_revision(project) == [
        'CREATE TABLE "index" ( "full" INT NULL, "family" INT NULL )',
        'ALTER TABLE "index" ADD COLUMN "nothing" INT NULL',
        'ALTER TABLE "index" RENAME COLUMN "full" TO "left"',
        'CREATE INDEX "ilike" ON "index" ("left" ASC)',
    ]


def test_primary_key_dropped_and_created_again(project: Project) -> None:
    project.revision(
        "a1",
        """
        op.drop_constraint("t_pkey", "t", type_="primary", schema="Sc")
        op.drop_column("u", "x")
        op.create_primary_key("t_pkey", "t", ["full", "b"], schema="Sc")
        op.execute("ALTER TABLE u DROP CONSTRAINT u_pkey")
        op.execute("alter table u add primary key (b desc)")
        """,
    )
    assert _of_revision(project) == [
        "ALTER TABLE u DROP COLUMN x",
        'ALTER TABLE "Sc".t ALTER PRIMARY KEY USING COLUMNS ("full" ASC, b ASC)',
        "ALTER TABLE u ALTER PRIMARY KEY USING COLUMNS (b DESC)",
    ]


def test_primary_key_dropped_only(project: Project) -> None:
    project.revision("a1", 'op.drop_column("u", "x")\nop.drop_constraint("t_pkey", "t", type_="primary")')
    with pytest.raises(UnsupportedOperation, match="t_pkey of table t is dropped"):
        project.offline("upgrade", "head")


def test_alter_column_in_as_few_statements_as_the_server_allows(project: Project) -> None:
    project.revision(
        "a1",
        """
        op.alter_column("t", "a", type_=sa.Text(), postgresql_using="a::text", nullable=False, server_default="x")
        op.alter_column("t", "a", new_column_name="full", nullable=True, server_default=None, schema="Sc")
        op.alter_column("t", "a", type_=sa.Integer(), server_default=None, existing_type=sa.Text())
        op.alter_column("t", "a", server_default=sa.text("now()"), comment="it's", existing_comment=None)
        op.alter_column("t", "a", server_default=sa.Identity(start=5), nullable=False)
        op.alter_column("t", "a", server_default=sa.Identity(always=True, start=7),
                        existing_server_default=sa.Identity(start=5))
        op.alter_column("t", "a", server_default=None, existing_server_default=sa.Identity())
        op.alter_column("t", "a", server_default=None, existing_server_default=sa.Computed("b", persisted=True))
        op.alter_column("t", "a", existing_type=sa.Text(), existing_nullable=False)
        """,
    )
    assert _of_revision(project) == [
        "ALTER TABLE t ALTER COLUMN a SET DATA TYPE STRING USING a::text",
        "ALTER TABLE t ALTER COLUMN a SET NOT NULL, ALTER COLUMN a SET DEFAULT 'x'",
        'ALTER TABLE "Sc".t RENAME COLUMN a TO "full", ALTER COLUMN "full" DROP NOT NULL, '
        'ALTER COLUMN "full" DROP DEFAULT',
        "ALTER TABLE t ALTER COLUMN a DROP DEFAULT",
        "ALTER TABLE t ALTER COLUMN a SET DATA TYPE INT",
        "ALTER TABLE t ALTER COLUMN a SET DEFAULT now()",
        "COMMENT ON COLUMN t.a IS 'it''s'",
        "ALTER TABLE t ALTER COLUMN a SET NOT NULL, ALTER COLUMN a ADD GENERATED BY DEFAULT AS IDENTITY (START 5)",
        "ALTER TABLE t ALTER COLUMN a SET GENERATED ALWAYS, ALTER COLUMN a SET START 7",
        "ALTER TABLE t ALTER COLUMN a DROP IDENTITY",
        "ALTER TABLE t ALTER COLUMN a DROP STORED",
    ]


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ('server_default=sa.Computed("b")', "column a of table t a computed one"),
        (
            'server_default=sa.Computed("b"), existing_server_default=sa.Computed("c")',
            "use op.drop_column and op.add_column",
        ),
        (
            'server_default=None, existing_server_default=sa.Computed("c", persisted=False)',
            "op.alter_column can't make column a of table t an ordinary one",
        ),
        ('server_default="x", existing_server_default=sa.Computed("c", persisted=True)', "can only drop STORED"),
        ('postgresql_using="a::int"', "no type_ is given"),
        ("type_=sa.dialects.postgresql.HSTORE()", "HSTORE, which CockroachDB does not have"),
    ],
)
def test_what_alter_column_cant_do_is_refused(project: Project, change: str, refusal: str) -> None:
    project.revision("a1", f'import sqlalchemy.dialects.postgresql\nop.alter_column("t", "a", {change})')
    with pytest.raises(ClusterError, match=refusal):
        project.offline("upgrade", "head")


@pytest.mark.parametrize("driver", ["psycopg2", "psycopg"])
def test_percent_signs_are_not_doubled_for_a_driver_that_takes_them_so(driver: str) -> None:
    """An ``env.py`` need not say ``paramstyle="named"``."""
    script = StringIO()
    dialect = sa.create_engine(f"cockroachdb+{driver}://root@localhost/bank").dialect
    context = MigrationContext.configure(dialect=dialect, opts={"as_sql": True, "output_buffer": script})
    op = Operations(context)
    table = op.create_table("t", sa.Column("a", sa.Integer, server_default=sa.text("7 % 3")), sa.Column("b", sa.Text))
    op.bulk_insert(table, [{"b": "5%"}])
    op.execute("SELECT 7 % 3")
    assert "7 % 3" in script.getvalue()
    assert "'5%'" in script.getvalue()
    assert "%%" not in script.getvalue()

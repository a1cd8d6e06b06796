"""Autogenerate on a real server: silent when nothing changed, and its revisions run both ways."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.dialects import postgresql

from alembic_crdb import types
from tests.cockroachdb.project import Project, body
from tests.servers.fixtures import CockroachDatabase

SHOP = """
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

metadata = sa.MetaData()
customers = sa.Table(
    "customers",
    metadata,
    sa.Column("id", sa.UUID(), primary_key=True, server_default=sa.text("gen_random_uuid()")),
    sa.Column("email", sa.Text(), nullable=False),
    sa.Column("name", sa.String(80), unique=True),
    sa.Column("full", sa.SmallInteger()),
    sa.Column("index", sa.BigInteger()),
    sa.Column("family", sa.LargeBinary()),
    sa.Column("Mixed Case", sa.Float()),
    sa.Column("settings", postgresql.JSONB()),
    sa.Column("plain", sa.JSON()),
    sa.Column("active", sa.Boolean(), server_default=sa.true()),
    sa.Column("born", sa.Date()),
    sa.Column("seen", sa.DateTime(timezone=True), server_default=sa.func.now()),
    sa.Column("local", sa.DateTime()),
    sa.Column("tags", postgresql.ARRAY(sa.Text())),
    sa.Column("mood", sa.Enum("sad", "ok", name="mood")),
    sa.Column("shout", sa.Text(), sa.Computed("upper(email || 'x')", persisted=True)),
    sa.Index("ix_customers_email", "email", unique=True),
    sa.Index("ix_customers_seen", sa.text("seen DESC"), "full"),
    sa.Index("ix_customers_index", "index", unique=True, postgresql_where=sa.text('"index" IS NOT NULL')),
    sa.Index("ix_customers_family", "family", postgresql_include=["full"]),
    comment="who buys",
)
orders = sa.Table(
    "orders",
    metadata,
    sa.Column("id", sa.Integer(), primary_key=True),
    sa.Column("customer_id", sa.UUID(), sa.ForeignKey("customers.id", ondelete="CASCADE", onupdate="SET NULL")),
    sa.Column("number", sa.BigInteger(), nullable=False, comment="as printed"),
    sa.Column("total", sa.Numeric(12, 2), server_default="0"),
    sa.Column("note", sa.String()),
    sa.UniqueConstraint("customer_id", "number", name="uq_orders_number"),
    sa.CheckConstraint("total >= 0", name="ck_orders_total"),
    sa.Index("ix_orders_customer_id", "customer_id"),
)
logs = sa.Table("logs", metadata, sa.Column("line", sa.Text()))
"""


def _metadata(source: str = SHOP) -> sa.MetaData:
    names: dict[str, Any] = {}
    exec(source, names)
    metadata: sa.MetaData = names["metadata"]
    return metadata


@pytest.fixture
def driver() -> str:
    """One driver: what they answer to the reflecting query is the same; test_tutorial runs both."""
    return "psycopg2"


@pytest.fixture
def engine(cockroach_database: CockroachDatabase, driver: str) -> Any:
    engine = sa.create_engine(cockroach_database.url_for(driver), poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    yield engine
    engine.dispose()


def _diffs(engine: sa.Engine, metadata: sa.MetaData, **options: Any) -> list[Any]:
    with engine.connect() as connection, warnings.catch_warnings():
        warnings.simplefilter("error")
        return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)


def _create(engine: sa.Engine, metadata: sa.MetaData) -> None:
    with engine.connect() as connection:
        metadata.create_all(connection)


def test_nothing_changed(engine: sa.Engine) -> None:
    metadata = _metadata()
    _create(engine, metadata)
    with engine.connect() as connection:
        connection.execute(sa.text("CREATE VIEW big_orders AS SELECT id FROM orders WHERE total > 100"))
        connection.execute(sa.text("CREATE MATERIALIZED VIEW all_orders AS SELECT id FROM orders"))
        connection.execute(sa.text("CREATE SEQUENCE numbers"))
    assert _diffs(engine, metadata) == []
    assert _diffs(engine, metadata, compare_server_default=True) == []
    assert _diffs(engine, _metadata()) == []


def test_nothing_changed_in_another_schema(engine: sa.Engine) -> None:
    metadata = sa.MetaData(schema="Other")
    for table in _metadata().tables.values():
        table.to_metadata(metadata, schema="Other")
    metadata.tables["Other.customers"].c.mood.type.schema = "Other"
    with engine.connect() as connection:
        connection.execute(sa.text('CREATE SCHEMA "Other"'))
        metadata.create_all(connection)
        connection.execute(sa.text('CREATE VIEW "Other".v AS SELECT id FROM "Other".orders'))

    def ours(name: str | None, kind: str, _: Any) -> bool:
        return kind != "schema" or name == "Other"

    assert _diffs(engine, metadata, include_schemas=True, include_name=ours) == []


def test_whole_schema_comes_and_goes(project: Project) -> None:
    """The revision for a whole schema runs, leaves nothing to do, and takes everything away again."""
    project.models(SHOP)
    project.autogenerate("a1")
    project.upgrade()
    project.rows('SELECT "full", "index", "family", "Mixed Case" FROM customers')
    project.check()
    project.downgrade("base")
    assert project.rows("SELECT table_name FROM [SHOW TABLES]") == [("alembic_version",)]


def test_written_as_batches(project: Project) -> None:
    """What a batch holds runs in its order, operations of this package among Alembic's."""
    project.edit(
        "migrations/env.py",
        "target_metadata=target_metadata\n    ",
        "target_metadata=target_metadata, render_as_batch=True\n    ",
    )
    before = """
    import sqlalchemy as sa
    metadata = sa.MetaData()
    t = sa.Table("t", metadata, sa.Column("id", sa.Integer(), primary_key=True), sa.Column("a", sa.Integer()))
    """
    project.models(before)
    project.autogenerate("a1")
    project.upgrade()
    after = """
    import sqlalchemy as sa
    metadata = sa.MetaData()
    t = sa.Table(
        "t",
        metadata,
        sa.Column("id", sa.Integer()),
        sa.Column("b", sa.Integer(), nullable=False, server_default="7", comment="new"),
        sa.Column("a", sa.Integer()),
        sa.PrimaryKeyConstraint("b", "id"),
        sa.Index("ix_t_b", "b", info={"comment": "of b"}),
    )
    """
    project.models(after)
    written = project.autogenerate("a2")
    for function in ("upgrade", "downgrade"):
        assert "batch_op.alter_primary_key([" in body(written, function)
        assert "    op." not in written.replace("with op.", "")
    project.upgrade()
    project.check()
    project.downgrade("a1")
    project.models(before)
    project.upgrade("a1")
    (file,) = (project.folder / "migrations" / "versions").glob("a2_*.py")
    file.unlink()
    project.check()


def test_changes_are_found_and_undone(project: Project) -> None:
    """New and dropped columns, indexes and unique constraints; widened integers; each both ways."""
    project.models(SHOP)
    project.autogenerate("a1")
    project.upgrade()
    changed = SHOP.replace(
        'sa.Column("note", sa.String()),',
        'sa.Column("note", sa.String()), sa.UniqueConstraint("note", name="Uq Note"),sa.Column("range", sa.Integer()),',
    )
    changed = changed.replace(
        'sa.Index("ix_orders_customer_id", "customer_id"),', 'sa.Index("ix_n", "number", unique=True),'
    )
    changed = changed.replace('sa.Column("born", sa.Date()),', "")
    changed = changed.replace('name="uq_orders_number"', 'name="uq_orders_both"')
    changed = changed.replace('logs = sa.Table("logs"', 'logs = sa.Table("new logs"')
    project.models(changed)
    written = project.autogenerate("a2")
    upgrade = body(written, "upgrade")
    for expected in (
        "op.add_column('orders', sa.Column('range', sa.Integer(), nullable=True))",
        "op.create_index('ix_n', 'orders', ['number'], unique=True)",
        "op.drop_index(op.f('ix_orders_customer_id'), table_name='orders')",
        "op.drop_index(op.f('uq_orders_number'), table_name='orders')",
        "op.create_unique_constraint('uq_orders_both', 'orders', ['customer_id', 'number'])",
        "op.create_unique_constraint('Uq Note', 'orders', ['note'])",
        "op.drop_column('customers', 'born')",
        "op.drop_table('logs')",
    ):
        assert expected in upgrade
    assert upgrade.count("op.") - upgrade.count("op.f(") == 9  # those eight, and the new table
    project.upgrade()
    project.check()
    project.downgrade("-1")
    project.models(SHOP)
    project.upgrade("a1")
    assert project.versions() == ["a1"]
    (file,) = (project.folder / "migrations" / "versions").glob("a2_*.py")
    file.unlink()
    project.check()


@pytest.mark.parametrize(
    ("column", "model", "different"),
    [
        ("INT2", sa.SmallInteger(), False),
        ("INT2", sa.Integer(), True),
        ("INT4", sa.Integer(), False),
        ("INT4", sa.BigInteger(), True),
        ("INT8", sa.Integer(), False),
        ("INT8", sa.BigInteger(), False),
        ("INT8", sa.SmallInteger(), True),
        ("STRING", sa.String(), False),
        ("STRING", sa.Text(), False),
        ("STRING(20)", sa.String(20), False),
        ("VARCHAR(20)", sa.String(30), True),
        ("VARCHAR(20)", sa.Text(), True),
        ("CHAR", sa.CHAR(1), False),
        ("CHAR(3)", sa.CHAR(4), True),
        ("BYTES", sa.LargeBinary(), False),
        ("BYTES", sa.Text(), True),
        ("FLOAT4", sa.REAL(), False),
        ("FLOAT4", sa.Float(), True),
        ("FLOAT8", sa.Float(), False),
        ("FLOAT8", sa.Double(), False),
        ("FLOAT8", sa.Float(53), False),
        ("DECIMAL", sa.Numeric(), False),
        ("DECIMAL(12,2)", sa.Numeric(12, 2), False),
        ("DECIMAL(12,2)", sa.Numeric(12, 3), True),
        ("DECIMAL(12)", sa.Numeric(12, 0), False),
        ("BOOL", sa.Boolean(), False),
        ("DATE", sa.Date(), False),
        ("TIME", sa.Time(), False),
        ("TIMETZ", sa.Time(timezone=True), False),
        ("TIMESTAMP", sa.DateTime(), False),
        ("TIMESTAMP", sa.DateTime(timezone=True), True),
        ("TIMESTAMPTZ", sa.DateTime(timezone=True), False),
        ("TIMESTAMPTZ(3)", postgresql.TIMESTAMP(timezone=True, precision=3), False),
        ("TIMESTAMPTZ(3)", sa.DateTime(timezone=True), True),
        ("INTERVAL", sa.Interval(), False),
        ("JSONB", sa.JSON(), False),
        ("JSONB", postgresql.JSONB(), False),
        ("UUID", sa.Uuid(), False),
        ("UUID", postgresql.UUID(), False),
        ("INET", postgresql.INET(), False),
        ("BIT(3)", postgresql.BIT(3), False),
        ("VARBIT", postgresql.BIT(varying=True), False),
        ("INT8[]", postgresql.ARRAY(sa.Integer()), False),
        ("INT8[]", postgresql.ARRAY(sa.SmallInteger()), True),
        ("STRING[]", sa.ARRAY(sa.String()), False),
        ("STRING[]", sa.String(), True),
        ("NAME", types.CockroachType("NAME"), False),
        ('"char"', types.CockroachType('"char"'), False),
        ("OID", postgresql.OID(), False),
        ("INT4", types.INT4(), False),
        ("INT8", types.INT4(), True),
        ("STRING COLLATE en", sa.Text(collation="en"), False),
    ],
)
def test_types(cockroach_database: CockroachDatabase, column: str, model: Any, different: bool) -> None:
    """A column of the server against the type of a model; what is reflected makes the same column again."""
    engine = sa.create_engine(cockroach_database.url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE TABLE t (id INT8 PRIMARY KEY, c {column})"))
    metadata = sa.MetaData()
    sa.Table("t", metadata, sa.Column("id", sa.BigInteger(), primary_key=True), sa.Column("c", model))
    assert bool(_diffs(engine, metadata)) is different
    with engine.connect() as connection:
        reflected = sa.Table("t", sa.MetaData(), autoload_with=connection)
        before = connection.execute(sa.text("SHOW CREATE TABLE t")).one()[1]
        reflected.drop(connection)
        reflected.create(connection)
        assert connection.execute(sa.text("SHOW CREATE TABLE t")).one()[1] == before
    engine.dispose()


def test_dropped_table_comes_back_as_it_was(project: Project) -> None:
    """Types that only CockroachDB has are written into the revision, too."""
    project.models("import sqlalchemy as sa\nmetadata = sa.MetaData()")
    project.revision(
        "a1",
        """
        op.execute(
            "CREATE TABLE t (id INT8 PRIMARY KEY, a INT4, b NAME, c STRING(7), e INT4[], "
            "f BYTES DEFAULT b'x', g INT8 AS (id + 1) VIRTUAL, h JSONB, i TIMESTAMPTZ(3), j STRING COLLATE en)"
        )
        op.execute("CREATE UNIQUE INDEX ui ON t (a DESC, b) WHERE a > 3")
        op.execute("CREATE INVERTED INDEX inv ON t (h)")
        """,
    )
    project.upgrade()
    before = project.rows("SHOW CREATE TABLE t")
    project.autogenerate("a2")
    project.upgrade()
    project.check()
    project.downgrade("-1")
    assert project.rows("SHOW CREATE TABLE t") == before


def test_unique_index_that_a_foreign_key_needs_is_not_dropped(project: Project) -> None:
    project.revision(
        "a1",
        """
        op.create_table("a", sa.Column("x", sa.Integer(), primary_key=True), sa.Column("y", sa.Integer()))
        op.create_index("ux", "a", ["y"], unique=True)
        op.create_table("b", sa.Column("y", sa.Integer(), sa.ForeignKey("a.y", name="fk_y")))
        """,
    )
    project.revision("a2", "op.drop_index('ux', table_name='a')")
    project.upgrade("a1")
    out = project.cli("upgrade", "head", expect=None)
    assert "foreign key fk_y of table b refers to its columns" in out
    assert "Traceback" not in out
    assert project.rows("SELECT count(*) FROM [SHOW INDEXES FROM a] WHERE index_name = 'ux'") != [(0,)]
    assert project.versions() == ["a1"]


def test_reflected_metadata_says_nothing(engine: sa.Engine) -> None:
    _create(engine, _metadata())
    metadata = sa.MetaData()
    with engine.connect() as connection:
        metadata.reflect(connection)
    assert set(metadata.tables) == {"customers", "orders", "logs"}
    assert _diffs(engine, metadata) == []

"""A primary key dropped and created again in two operations, as in revisions written for PostgreSQL."""

from __future__ import annotations

import pytest

from alembic_cluster.errors import StatementFailed, UnsupportedOperation
from tests.cockroachdb.project import Project

TABLE = """
op.create_table(
    "t",
    sa.Column("id", sa.BigInteger(), autoincrement=False),
    sa.Column("other", sa.BigInteger(), nullable=False),
    sa.Column("maybe", sa.BigInteger()),
    sa.PrimaryKeyConstraint("id", name=op.f("t_pkey")),
)
op.execute("INSERT INTO t VALUES (1, 10, 100), (2, 20, 200)")
"""


@pytest.fixture
def driver() -> str:
    """One is enough: what is sent is the same."""
    return "psycopg"


def key(project: Project, table: str = "t") -> list[str]:
    """Give the columns of a table's primary key, in order."""
    rows = project.rows(
        "SELECT column_name, direction FROM [SHOW INDEXES FROM " + table + "] WHERE index_name = (SELECT conname FROM "
        f"pg_catalog.pg_constraint WHERE contype = 'p' AND conrelid = '{table}'::REGCLASS) ORDER BY seq_in_index"
    )
    return [str(name) + (" DESC" if direction == "DESC" else "") for name, direction in rows]


def indexes(project: Project, table: str = "t") -> set[object]:
    return {row[0] for row in project.rows(f"SELECT DISTINCT index_name FROM [SHOW INDEXES FROM {table}]")}


@pytest.mark.parametrize(
    "upgrade",
    [
        'op.drop_constraint("t_pkey", "t", type_="primary")\nop.create_primary_key("t_pkey", "t", ["other", "id"])',
        'op.drop_constraint("t_pkey", "t")\nop.create_primary_key(None, "t", ["other", "id"])',
        'op.drop_constraint("pk_of_mine", "t", type_="primary")\nop.create_primary_key("k", "t", ["other", "id"])',
        'op.drop_constraint("no_such_name", "t")\nop.create_primary_key("k", "t", ["other", "id"])',
        'op.execute("ALTER TABLE t DROP CONSTRAINT t_pkey")\n'
        'op.execute("ALTER TABLE t ADD CONSTRAINT t_pkey PRIMARY KEY (other, id)")',
        'op.execute("alter table only public.t drop constraint if exists t_pkey cascade")\n'
        'op.create_primary_key("t_pkey", "t", ["other", "id"], schema="public")',
        'op.execute("ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (other, id)")',
        'op.execute("ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD PRIMARY KEY (other, id);")',
        'op.get_bind().execute(sa.text("ALTER TABLE t DROP CONSTRAINT t_pkey"))\n'
        'op.get_bind().exec_driver_sql("ALTER TABLE t ADD PRIMARY KEY (other, id)")',
        'with op.batch_alter_table("t") as batch:\n    batch.drop_constraint("t_pkey", type_="primary")\n'
        '    batch.create_primary_key("t_pkey", ["other", "id"])',
        'op.drop_constraint("t_pkey", "t", type_="primary")\nop.add_column("t", sa.Column("more", sa.Integer()))\n'
        'op.execute("UPDATE t SET maybe = 3 WHERE id = 1")\nop.create_index("ix", "t", ["maybe"])\n'
        'op.create_primary_key("t_pkey", "t", ["other", "id"])',
    ],
)
def test_dropped_and_created_again(project: Project, upgrade: str) -> None:
    project.revision("a1", TABLE)
    project.upgrade()
    before = indexes(project)
    project.revision(
        "b1", upgrade, 'op.drop_constraint("x", "t", type_="primary")\nop.create_primary_key("t_pkey", "t", ["id"])'
    )
    project.upgrade()
    assert key(project) == ["other", "id"]
    assert len(indexes(project) - {"ix"}) == len(before) == 1  # none is left of the old key
    assert project.rows("SELECT id, other FROM t ORDER BY id") == [(1, 10), (2, 20)]
    project.downgrade("a1")
    assert key(project) == ["id"]
    assert project.versions() == ["a1"]


def test_table_of_the_same_revision(project: Project) -> None:
    project.revision(
        "a1",
        TABLE + 'op.drop_constraint("t_pkey", "t", type_="primary")\nop.create_primary_key("t_pkey", "t", ["other"])',
    )
    project.upgrade()
    assert key(project) == ["other"]


def test_columns_of_the_new_key_become_not_null(project: Project) -> None:
    project.revision(
        "a1",
        TABLE + 'op.drop_constraint("t_pkey", "t", type_="primary")\nop.create_primary_key("t_pkey", "t", ["maybe"])',
    )
    project.upgrade()
    assert key(project) == ["maybe"]


def test_the_key_column_is_another_one_of_the_same_name(project: Project) -> None:
    """From a number to a UUID: the new column has the old one's name before the new key is there."""
    project.revision("a1", TABLE)
    project.revision(
        "b1",
        """
        op.drop_constraint("t_pkey", "t", type_="primary")
        op.drop_column("t", "id")
        op.add_column("t", sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False))
        op.create_primary_key("t_pkey", "t", ["id"])
        """,
    )
    project.upgrade()
    assert key(project) == ["id"]
    columns = project.rows("SELECT column_name, data_type FROM [SHOW COLUMNS FROM t] ORDER BY 1")
    assert columns == [("id", "UUID"), ("maybe", "INT8"), ("other", "INT8")]
    assert len(indexes(project)) == 1


def test_a_renamed_column_takes_the_place_of_the_key_column(project: Project) -> None:
    """The key goes with its column, which PostgreSQL does without a word."""
    project.revision("a1", TABLE)
    project.revision(
        "b1",
        """
        op.drop_column("t", "id")
        op.alter_column("t", "other", new_column_name="id")
        op.create_primary_key("t_pkey", "t", ["id"])
        """,
    )
    project.upgrade()
    assert key(project) == ["id"]
    assert project.rows("SELECT id, maybe FROM t ORDER BY id") == [(10, 100), (20, 200)]


def test_a_foreign_key_keeps_the_old_key_as_a_unique_index(project: Project) -> None:
    project.revision(
        "a1", TABLE + 'op.create_table("r", sa.Column("t_id", sa.BigInteger(), sa.ForeignKey("t.id", name="fk_t")))'
    )
    project.revision(
        "b1", 'op.drop_constraint("t_pkey", "t", type_="primary")\nop.create_primary_key("t_pkey", "t", ["other"])'
    )
    project.upgrade()
    assert key(project) == ["other"]
    assert len(indexes(project)) == 2
    assert project.rows("SELECT conname FROM pg_catalog.pg_constraint WHERE contype = 'f'") == [("fk_t",)]


def test_cascade_takes_the_foreign_keys_along(project: Project) -> None:
    project.revision(
        "a1", TABLE + 'op.create_table("r", sa.Column("t_id", sa.BigInteger(), sa.ForeignKey("t.id", name="fk_t")))'
    )
    project.revision(
        "b1",
        'op.execute("ALTER TABLE t DROP CONSTRAINT t_pkey CASCADE")\nop.create_primary_key("t_pkey", "t", ["other"])',
    )
    project.upgrade()
    assert project.rows("SELECT conname FROM pg_catalog.pg_constraint WHERE contype = 'f'") == []
    assert len(indexes(project)) == 1


def test_a_key_for_a_table_without_one(project: Project) -> None:
    project.revision("a1", 'op.create_table("t", sa.Column("a", sa.Integer()), sa.Column("b", sa.Integer()))')
    project.revision("b1", 'op.create_primary_key("t_pkey", "t", ["b", "a"])')
    project.upgrade()
    assert key(project) == ["b", "a"]


@pytest.mark.parametrize(
    "drop",
    [
        'op.drop_constraint("t_pkey", "t", type_="primary")',
        'op.execute("ALTER TABLE t DROP CONSTRAINT t_pkey")',
        'op.get_bind().execute(sa.text("ALTER TABLE t DROP CONSTRAINT t_pkey"))',
        'op.drop_column("t", "id")',
    ],
)
def test_a_drop_without_its_pair_is_refused_before_anything_is_sent(project: Project, drop: str) -> None:
    project.revision("a1", TABLE)
    project.upgrade()
    project.revision("b1", 'op.create_index("ix", "t", ["other"])\n' + drop)
    with pytest.raises(UnsupportedOperation, match=r"(?s)table t is dropped and no other is added"):
        project.upgrade()
    assert "ix" not in indexes(project)
    assert project.versions() == ["a1"]


def test_a_drop_that_only_the_real_run_meets_moves_no_head(project: Project) -> None:
    project.revision("a1", TABLE)
    project.revision(
        "b1",
        """
        op.execute("UPDATE t SET maybe = 7 WHERE id = 1")
        if op.get_bind().scalar(sa.text("SELECT count(*) FROM t WHERE maybe = 7")):
            op.drop_constraint("t_pkey", "t", type_="primary")
        """,
    )
    with pytest.raises(UnsupportedOperation, match="UPDATE t SET maybe = 7"):
        project.upgrade()
    assert project.versions() == ["a1"]
    assert key(project) == ["id"]


def test_what_is_no_key_is_the_servers_to_answer(project: Project) -> None:
    project.revision("a1", TABLE)
    project.revision("b1", 'op.drop_constraint("no_such_name", "t")')
    with pytest.raises(StatementFailed, match="no_such_name"):
        project.upgrade()


def test_a_dropped_table_needs_no_new_key(project: Project) -> None:
    project.revision("a1", TABLE)
    project.revision("b1", 'op.drop_constraint("t_pkey", "t", type_="primary")\nop.drop_table("t")')
    project.upgrade()
    assert project.versions() == ["b1"]


def test_the_driver_itself_is_not_reached_in_a_rehearsal(project: Project) -> None:
    project.revision("a1", TABLE)
    project.revision("b1", 'op.get_bind().connection.cursor().execute("INSERT INTO t VALUES (3, 30, 300)")')
    project.upgrade()
    assert project.rows("SELECT id FROM t ORDER BY id") == [(1,), (2,), (3,)]

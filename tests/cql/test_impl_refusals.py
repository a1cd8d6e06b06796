"""What CQL has not is refused before anything of the revision is sent, on a real server."""

from __future__ import annotations

from typing import Any

import pytest

from alembic_cluster.errors import ClusterError, StatementFailed, UnreadableScript
from tests.cql.models import CREATE
from tests.cql.project import Project, describe

REFUSED = {
    "create_foreign_key": ("op.create_foreign_key('fk', 't', 'u', ['v'], ['id'])", "no foreign keys"),
    "create_unique_constraint": (
        "op.create_unique_constraint('uq', 't', ['v'])",
        "no unique constraints.*IF NOT EXISTS",
    ),
    "create_check_constraint": ("op.create_check_constraint('ck', 't', sa.text('v > 1'))", "no check constraints"),
    "create_primary_key": ("op.create_primary_key('pk', 't', ['v'])", "no way to change a primary key.*new table"),
    "drop_constraint": ("op.drop_constraint('fk', 't', type_='foreignkey')", "no constraints.*'fk'"),
    "rename_table": ("op.rename_table('t', 'u')", "cannot rename table 't'.*copy the rows"),
    "type": ("op.alter_column('t', 'v', type_=sa.Integer)", "cannot change the type of column 'v'.*another name"),
    "nullable": ("op.alter_column('t', 'v', nullable=False)", "no NOT NULL"),
    "default": ("op.alter_column('t', 'v', server_default='1')", "no column defaults"),
    "comment": ("op.alter_column('t', 'v', comment='what for')", "no comments on columns"),
    "rename": (
        "op.alter_column('t', 'v', new_column_name='w')",
        "only primary key columns can be renamed.*copy the values",
    ),
    "rename static": ("op.alter_column('t', 's', new_column_name='w')", "only primary key columns can be renamed"),
    "rename indexed": ("op.alter_column('t', 'd', new_column_name='w')", "index t_d.*drop the index before"),
    "unique index": ("op.create_index('i', 't', ['v'], unique=True)", "no unique index"),
    "index on two": ("op.create_index('i', 't', ['v', 's'])", "no index on several columns"),
    "index on expression": (
        "op.create_index('i', 't', [sa.text('keys(m)')])",
        "no index on .*an expression.*cql_target",
    ),
    "index on unknown target": ("op.create_index('i', 't', ['m'], cql_target='sideways')", "cql_target takes keys"),
    "key column": (
        "op.add_column('t', sa.Column('x', sa.Integer, primary_key=True))",
        "cannot be added to the primary key",
    ),
    "foreign key column": ("op.add_column('t', sa.Column('x', sa.Integer, sa.ForeignKey('u.id')))", "no foreign key"),
    "unique column": ("op.add_column('t', sa.Column('x', sa.Integer, unique=True))", "no unique constraint"),
    "default column": ("op.add_column('t', sa.Column('x', sa.Integer, server_default='1'))", "no column default"),
    "computed column": ("op.add_column('t', sa.Column('x', sa.Integer, sa.Computed('k')))", "no computed column"),
    "drop key column": ("op.drop_column('t', 'c')", "part of the primary key.*new table"),
    "drop indexed column": ("op.drop_column('t', 'm')", "index t_m.*drop the index before"),
    "drop column under view": ("op.drop_column('t', 'v')", "materialized view by_v.*drop the view before"),
    "drop table under view": ("op.drop_table('t')", "materialized view by_v.*drop the view before"),
    "static without clustering": ("op.add_column('u', sa.Column('x', sa.Text, cql_static=True))", "cannot be static"),
    "counter": ("op.add_column('t', sa.Column('x', cql.COUNTER))", "counters"),
    "dropped before": ("op.add_column('u', sa.Column('gone', sa.Integer))", "'gone' .*dropped"),
    "table without key": ("op.create_table('x', sa.Column('id', sa.Integer))", "'x' has no primary key"),
    "table with a foreign key": (
        "op.create_table('x', sa.Column('id', sa.Integer, sa.ForeignKey('t.k'), primary_key=True))",
        "no foreign key",
    ),
    "unknown type": ("op.add_column('t', sa.Column('x', sa.dialects.postgresql.HSTORE))", "no type HSTORE"),
    "unknown option": ("op.alter_table_options('t', {'gc_grace': 1})", "gc_grace"),
    "bad option": ("op.alter_table_options('t', {'gc_grace_seconds': 'soon'})", "takes .*seconds.*, not 'soon'"),
    "recreating batch": ("with op.batch_alter_table('t', recreate='always') as b: b.drop_column('s')", "recreate"),
    "batch": ("with op.batch_alter_table('t') as b: b.create_foreign_key('fk', 'u', ['v'], ['id'])", "no foreign keys"),
    "empty type": ("op.create_type(cql.UserType('x'))", "has no fields"),
    "altered nothing": ("op.alter_type('x')", "nothing to do"),
    "join": (
        "op.execute(sa.select(sa.table('a', sa.column('x')), sa.table('b', sa.column('y'))))",
        "SELECT from several",
    ),
    "unfinished text": ('op.execute("INSERT INTO u (id) VALUES (\'its)")', "never ends"),
    "missing value": ("op.execute(sa.text('DELETE FROM t WHERE k = :k'))", "bind parameter 'k'"),
}


@pytest.fixture(scope="module")
def refusing(keyspaces: Any, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with a table that has everything."""
    project = Project(tmp_path_factory.mktemp("refusing"), next(keyspaces))
    project.revision(
        "begin",
        CREATE
        + """
op.create_index("t_d", "t", ["d"])
op.create_index("t_m", "t", ["m"], cql_target="keys")
op.create_materialized_view("by_v", "t", "v IS NOT NULL AND k IS NOT NULL AND c IS NOT NULL AND d IS NOT NULL",
                            ["v"], ["k", "c", "d"], columns=["v"])
op.create_table("u", sa.Column("id", sa.Integer, primary_key=True), sa.Column("gone", sa.Text), sa.Column("v", sa.Text))
op.drop_column("u", "gone")
""",
    )
    project.upgrade()
    return project


@pytest.mark.parametrize("case", REFUSED)
def test_what_cql_has_not_is_refused_before_anything_is_sent(refusing: Project, case: str) -> None:
    operation, message = REFUSED[case]
    before = describe(refusing.keyspace)
    file = refusing.revision(
        "refused",
        "op.create_table('made_before', sa.Column('id', sa.Integer, primary_key=True))\n" + operation,
        top="import sqlalchemy.dialects.postgresql",
    )
    try:
        with pytest.raises(ClusterError, match=message) as caught:
            refusing.upgrade()
    finally:
        file.unlink()
    assert "\n" not in str(caught.value)
    assert "othing of th" in str(caught.value) or "nothing was sent" in str(caught.value)
    assert not isinstance(caught.value, StatementFailed)
    assert describe(refusing.keyspace) == before
    assert refusing.heads() == {"begin"}


def test_a_refusal_knows_what_the_revision_did_before(project: Project) -> None:
    project.revision("a", CREATE + "op.create_index('t_d', 't', ['d'])\nop.create_index('t_v', 't', ['v'])")
    project.upgrade()
    project.revision(
        "b",
        """
        op.drop_index("t_d", table_name="t")
        op.alter_column("t", "d", new_column_name="e")
        op.alter_column("t", "e", new_column_name="d")
        op.drop_index("t_v", table_name="t")
        op.drop_column("t", "v")
        op.drop_table("t")
        op.create_table("t", sa.Column("v", sa.Integer, primary_key=True), sa.Column("k", sa.Integer))
        op.alter_column("t", "v", new_column_name="w")
        op.drop_column("t", "k")
        """,
    )
    project.upgrade()
    assert "w int PRIMARY KEY" in next(text for kind, _, text in describe(project.keyspace) if kind == "table")


def test_text_that_cannot_be_taken_apart(project: Project) -> None:
    project.revision("a", CREATE + 'op.execute("BEGIN BATCH DELETE FROM t WHERE k = 1;")')
    with pytest.raises(UnreadableScript, match="no APPLY BATCH"):
        project.upgrade()
    assert project.tables() == set()

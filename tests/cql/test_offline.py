"""``--sql``: the scripts that Alembic writes, run statement by statement by the server."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command

from alembic_cluster.errors import ClusterError
from alembic_cql.splitting import split_cql
from tests.cql.project import Project, describe
from tests.servers.fixtures import CassandraKeyspace

FIRST = (
    """
    op.create_type(cql.UserType("address", [("street", cql.TEXT())]))
    t = op.create_table(
        "t", sa.Column("k", sa.Integer, primary_key=True), sa.Column("c", sa.Integer, primary_key=True),
        sa.Column("v", sa.Text), sa.Column("a", cql.FROZEN(cql.UserType("address"))),
        sa.Index("t_v", "v"), comment="it's; a -- comment", cql_clustering_order={"c": "DESC"},
    )
    op.bulk_insert(t, [{"k": 1, "c": 2, "v": "it's ?; :x %"}, {"k": 3, "c": 4}])
    op.execute(t.update().where(t.c.k == 3, t.c.c == 4).values(v="three"))
    op.execute("INSERT INTO t (k, c) VALUES (5, 6); DELETE FROM t WHERE k = 5 AND c = 6;")
    """,
    """
    op.drop_index("t_v", table_name="t")
    op.drop_table("t")
    op.drop_type("address")
    """,
)
SECOND = (
    """
    op.add_column("t", sa.Column("w", cql.LIST(cql.INT)))
    op.alter_column("t", "c", new_column_name="C")
    op.alter_table_options("t", {"gc_grace_seconds": 5})
    op.create_materialized_view("mv", "t", 'v IS NOT NULL AND k IS NOT NULL AND "C" IS NOT NULL', ["v"], ["k", "C"])
    op.execute("BEGIN BATCH INSERT INTO t (k, \\"C\\", v) VALUES (7, 8, 'x;y'); APPLY BATCH")
    """,
    """
    op.drop_materialized_view("mv")
    op.alter_table_options("t", {"gc_grace_seconds": 864000})
    op.alter_column("t", "C", new_column_name="c")
    op.drop_column("t", "w")
    """,
)


@pytest.fixture(scope="module")
def migrated(keyspaces: Iterator[CassandraKeyspace], tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with two revisions, upgraded by the server itself."""
    project = Project(Path(tmp_path_factory.mktemp("offline")), next(keyspaces))
    project.revision("a", *FIRST)
    project.revision("b", *SECOND)
    project.upgrade()
    return project


def run_script(text: str, keyspace: CassandraKeyspace) -> None:
    for statement in split_cql(text):
        keyspace.execute(statement)


def heads(keyspace: CassandraKeyspace) -> set[str]:
    rows = keyspace.execute("SELECT version_num FROM alembic_version WHERE scope = 'heads' AND version_num > ''")
    return {row[0] for row in rows}


def test_the_script_gives_the_same_keyspace_and_the_same_heads(
    migrated: Project, cassandra_keyspace: CassandraKeyspace
) -> None:
    run_script(migrated.upgrade(sql=True), cassandra_keyspace)
    assert describe(cassandra_keyspace, without=()) == describe(migrated.keyspace, without=())
    assert heads(cassandra_keyspace) == {"b"}
    query = 'SELECT k, "C", v FROM t'
    assert sorted(map(tuple, cassandra_keyspace.execute(query))) == sorted(map(tuple, migrated.keyspace.execute(query)))
    assert ("it's ?; :x %",) in [row[2:] for row in cassandra_keyspace.execute(query)]
    run_script(migrated.downgrade("b:a", sql=True), cassandra_keyspace)
    assert heads(cassandra_keyspace) == {"a"}
    run_script(migrated.upgrade("a:b", sql=True), cassandra_keyspace)
    assert heads(cassandra_keyspace) == {"b"}
    run_script(migrated.downgrade("b:base", sql=True), cassandra_keyspace)
    assert heads(cassandra_keyspace) == set()
    assert {kind for kind, _, _ in describe(cassandra_keyspace)} == {"keyspace"}


def test_a_script_needs_no_server(migrated: Project) -> None:
    text = migrated.upgrade(sql=True)
    migrated.set_url("cassandra://nowhere.invalid/anything")
    try:
        assert migrated.upgrade(sql=True) == text
        assert "CREATE TABLE IF NOT EXISTS alembic_version" in text
    finally:
        migrated.set_url(migrated.keyspace.url)


def test_the_command_line_writes_the_script_alone_to_standard_output(migrated: Project) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", "head", "--sql"],
        cwd=migrated.folder, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert split_cql(ran.stdout) == split_cql(migrated.upgrade(sql=True))


def test_a_stamp_and_a_merge_as_scripts(project: Project, cassandra_keyspace: CassandraKeyspace) -> None:
    project.revision("root", "pass")
    for name in ("a", "b", "c"):
        project.revision(name, "pass", down="root")
    project.revision("m", "pass", down=("a", "b", "c"))
    run_script(project.upgrade(sql=True), cassandra_keyspace)
    assert heads(cassandra_keyspace) == {"m"}
    text = project.run("stamp", "m:root", sql=True)
    run_script(text, cassandra_keyspace)
    assert heads(cassandra_keyspace) == {"root"}


def test_what_cql_has_not_is_refused_before_the_script_begins(project: Project) -> None:
    create = "op.create_table({!r}, sa.Column('id', sa.Integer, primary_key=True))\n"
    project.revision("a", create.format("t"))
    project.revision("b", create.format("u") + "op.create_foreign_key('fk', 't', 'u', ['id'], ['id'])")
    project.revision("c", create.format("v") + "op.drop_constraint('fk', 't')")
    for target in ("head", "b:c"):
        output = io.StringIO()
        with pytest.raises(ClusterError, match=r"nothing of this revision was sent"):
            command.upgrade(project.config(output), target, sql=True)
        assert "CREATE TABLE u" not in output.getvalue()
        assert target == "head" or "CREATE TABLE" not in output.getvalue()


def test_values_that_have_no_cql_text_are_refused(project: Project) -> None:
    project.revision("a", "op.execute(sa.text('DELETE FROM t WHERE k = :k').bindparams(k=object()))")
    with pytest.raises(ClusterError, match="cannot be written as CQL text"):
        project.upgrade(sql=True)

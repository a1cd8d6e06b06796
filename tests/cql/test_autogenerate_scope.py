"""Autogenerate on a real server: filters of the environment, and keyspaces beside the connection's."""

from __future__ import annotations

from typing import Any

import pytest

from alembic_cluster.errors import ImpossibleChange
from tests.cql.project import Project, body


def test_filters_of_the_environment_are_kept(project: Project) -> None:
    for statement in (
        "CREATE TYPE theirs (a int)",
        "CREATE TABLE theirs_t (id int PRIMARY KEY, v int)",
        "CREATE MATERIALIZED VIEW theirs_v AS SELECT * FROM theirs_t WHERE v IS NOT NULL AND id IS NOT NULL "
        "PRIMARY KEY (v, id)",
        "CREATE TABLE t (id int PRIMARY KEY, v int)",
    ):
        project.keyspace.execute(statement)
    project.models("sa.Table('t', metadata, sa.Column('id', sa.Integer, primary_key=True), sa.Column('v', sa.Text))")
    env = project.folder / "migrations" / "env.py"
    original = env.read_text()
    filters = (
        "include_name=lambda name, kind, parents: not str(name).startswith('theirs')",
        "include_object=lambda item, name, kind, reflected, other: not name.startswith('theirs')",
    )
    for option in filters:
        project.configure(option)
        with pytest.raises(ImpossibleChange, match="the model has text, the database int"):
            project.run("check")
        env.write_text(original)
    project.configure(
        "include_object=lambda item, name, kind, reflected, other: "
        "not name.startswith('theirs') and (kind, name) != ('column', 'v')"
    )
    assert project.is_clean()
    env.write_text(original)
    project.configure(
        "compare_type=False, include_object=lambda item, name, kind, reflected, other: "
        "kind not in ('table', 'materialized_view', 'user_type') or not reflected"
    )
    assert project.is_clean()


def test_keyspaces_beside_the_connections(project: Project, cassandra_session: Any) -> None:
    other = f"{project.keyspace.name}_o"
    cassandra_session.execute(
        f"CREATE KEYSPACE {other} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}"
    )
    ours = (None, project.keyspace.name, other)
    try:
        project.configure(
            f"include_schemas=True, include_name=lambda name, kind, parents: kind != 'schema' or name in {ours!r}"
        )
        project.models(
            f"""
            sa.Table("here", metadata, sa.Column("id", sa.Integer, primary_key=True))
            sa.Table("named", metadata, sa.Column("id", sa.Integer, primary_key=True), schema={project.keyspace.name!r},
                     cql_gc_grace_seconds=5)
            there = UserType("u", [("a", cql.INT)], metadata, schema={other!r})
            sa.Table("there", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("v", sa.Integer),
                     sa.Column("u", cql.FROZEN(there)), sa.Index("there_v", "v"), schema={other!r}, comment="there",
                     cql_gc_grace_seconds=5)
            MaterializedView("mv", metadata, "there", "id IS NOT NULL AND v IS NOT NULL", ["v"], ["id"],
                             schema={other!r})
            """
        )
        text = project.autogenerate("a")
        assert "system_" not in text
        project.upgrade()
        assert project.is_clean()
        cassandra_session.execute(f"ALTER TABLE {other}.there WITH gc_grace_seconds = 7")
        cassandra_session.execute(f"ALTER TABLE {project.keyspace.name}.named WITH gc_grace_seconds = 7")
        cassandra_session.execute(f"CREATE TABLE {other}.gone (id int PRIMARY KEY)")
        cassandra_session.execute(f"CREATE TABLE {other}.alembic_version (version_num text PRIMARY KEY)")
        text = project.autogenerate("b")
        assert body(text, "upgrade").count("alter_table_options") == 2
        assert f"drop_table('gone', schema='{other}')" in text
    finally:
        cassandra_session.execute(f"DROP KEYSPACE {other}")


def test_all_keyspaces_without_a_filter_leave_the_servers_own_alone(project: Project) -> None:
    project.configure("include_schemas=True")
    project.models("sa.Table('here', metadata, sa.Column('id', sa.Integer, primary_key=True))")
    upgrade = body(project.autogenerate("a"), "upgrade")
    assert "create_table('here'" in upgrade
    assert "schema='system" not in upgrade
    assert "alembic_version" not in upgrade


def test_several_metadata_are_one_model(project: Project) -> None:
    project.models(
        """
        import uuid
        first, second = sa.MetaData(), sa.MetaData()
        kind = UserType("kind", [("a", cql.INT)], first)
        sa.Table("one", first, sa.Column("id", sa.Integer, primary_key=True), sa.Column("k", cql.FROZEN(kind)),
                 cql_id=uuid.UUID("055eee50-1883-11e8-b380-65b5d5335ba9"))
        sa.Table("two", second, sa.Column("id", sa.Integer, primary_key=True), sa.Column("v", sa.Integer))
        MaterializedView("mv", second, "two", "id IS NOT NULL AND v IS NOT NULL", ["v"], ["id"])
        metadata = [first, second]
        """
    )
    upgrade = body(project.autogenerate("a"), "upgrade")
    assert upgrade.index("create_type") < upgrade.index("'one'")
    assert upgrade.index("'two'") < upgrade.index("create_materialized_view")
    project.upgrade()
    assert project.is_clean()
    project.downgrade("base")
    assert project.tables() == set()


OTHER_TOOLS = (
    "_coodie_migrations (migration_name text PRIMARY KEY, applied_at timestamp, description text, checksum text)",
    "_coodie_migrations_lock (lock_id text PRIMARY KEY, acquired_at timestamp, owner text)",
    "database_migrations (id uuid PRIMARY KEY, version int, name text, content text, checksum blob, state text, "
    "applied_at timestamp)",
    "cqltrack_history (version int PRIMARY KEY, description text, checksum text, status text, applied_at timestamp, "
    "applied_by text, exec_time_ms int)",
    "schema_migrations (version bigint PRIMARY KEY, dirty boolean)",
)


def test_tables_of_other_tools_are_never_dropped(project: Project) -> None:
    for table in OTHER_TOOLS:
        name, columns = table.split(" ", 1)
        project.keyspace.execute(f'CREATE TABLE "{name}" {columns}')
    project.keyspace.execute("CREATE TABLE deploy_lock (id int PRIMARY KEY)")  # has only the name of cassachange's
    project.models("")
    assert [(item[0], item[1].name) for item in project.differences()] == [("remove_table", "deploy_lock")]
    project.models(
        "sa.Table('schema_migrations', metadata, sa.Column('version', sa.BigInteger, primary_key=True),"
        " sa.Column('dirty', sa.Boolean), sa.Column('more', sa.Text))\n"
        "sa.Table('deploy_lock', metadata, sa.Column('id', sa.Integer, primary_key=True))"
    )
    ((kind, _, table, column),) = project.differences()
    assert (kind, table, column.name) == ("add_column", "schema_migrations", "more")


def test_a_projects_own_comparison_of_types_is_asked_about_equal_tables(project: Project) -> None:
    project.models('sa.Table("t", metadata, sa.Column("id", sa.Integer, primary_key=True))')
    project.autogenerate("a")
    project.upgrade()
    asked = project.folder / "asked"
    project.configure(f"compare_type=lambda *_: open({str(asked)!r}, 'w').close()")
    assert project.is_clean()
    assert asked.exists()

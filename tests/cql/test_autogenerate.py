"""Autogenerate on a real server: each kind of change is written, and runs both ways."""

from __future__ import annotations

import pytest

from tests.cql.models import table
from tests.cql.project import Project, body, describe


def both_ways(project: Project, old: str, new: str) -> tuple[str, str]:
    """Bring the keyspace from one model to another and back; gives what the revision does each way."""
    project.models(old)
    project.autogenerate("begin")
    project.upgrade()
    assert project.differences() == []
    before = describe(project.keyspace)
    project.models(new)
    assert not project.is_clean()
    text = project.autogenerate("change")
    project.upgrade()
    assert project.is_clean()
    after = describe(project.keyspace)
    assert after != before
    project.downgrade("-1")
    assert describe(project.keyspace) == before
    project.models(old)
    assert project.differences() == []
    return body(text, "upgrade"), body(text, "downgrade")


CHANGES = {
    "columns": (
        table("sa.Column('gone', sa.Integer)"),
        table("sa.Column('new', sa.BigInteger)", "sa.Column('s', sa.Text, cql_static=True)"),
        ["add_column('t', sa.Column('new', sa.BigInteger()", "cql_static=True", "drop_column('t', 'gone')"],
    ),
    "static column": (
        table("sa.Column('s', sa.Text, cql_static=True)"),
        table(),
        ["drop_column('t', 's')"],
    ),
    "options": (
        table("cql_gc_grace_seconds=3600", "cql_speculative_retry='50ms'", 'comment="it\'s old"'),
        table(
            "cql_gc_grace_seconds=7200",
            "cql_compaction={'class': 'LeveledCompactionStrategy', 'sstable_size_in_mb': 64}",
            "comment='new \"one\"'",
        ),
        [
            "'gc_grace_seconds': 7200",
            "'speculative_retry': '99p'",
            "'LeveledCompactionStrategy'",
            "create_table_comment",
        ],
    ),
    "every option": (
        table(),
        table(
            "cql_additional_write_policy='95p'",
            "cql_bloom_filter_fp_chance=0.05",
            "cql_caching={'keys': 'NONE', 'rows_per_partition': '10'}",
            "cql_cdc=True",
            "cql_compression={'class': 'ZstdCompressor', 'chunk_length_in_kb': 32}",
            "cql_crc_check_chance=0.5",
            "cql_default_time_to_live=86400",
            "cql_max_index_interval=1024",
            "cql_min_index_interval=64",
            "cql_memtable_flush_period_in_ms=60000",
            "cql_read_repair='NONE'",
            "cql_incremental_backups=False",
            "cql_allow_auto_snapshot=False",
            "comment='all of them'",
        ),
        ["alter_table_options"],
    ),
    "comment": (table("comment='one'"), table(), ["drop_table_comment(", "existing_comment='one'"]),
    "indexes": (
        table("sa.Column('m', cql.MAP(cql.TEXT, cql.INT))", "sa.Index('gone', 'v')", "sa.Index('turns', 'm')"),
        table(
            "sa.Column('m', cql.MAP(cql.TEXT, cql.INT))",
            "sa.Index('turns', 'm', cql_target='keys')",
            "sa.Index('by_entry', 'm', cql_target='entries')",
            "sa.Index('sai', 'v', cql_using='sai', cql_options={'case_sensitive': 'false'})",
        ),
        ["drop_index(op.f('gone'), table_name='t')", "cql_target='keys'", "cql_using='sai'", "cql_target='entries'"],
    ),
    "index options": (
        table("sa.Index('i', 'v', cql_using='sai', cql_options={'case_sensitive': 'false'})"),
        table("sa.Index('i', 'v', cql_using='sai', cql_options={'normalize': 'true'})"),
        ["drop_index(op.f('i')", "'normalize': 'true'"],
    ),
    "an index renamed": (
        table("sa.Index('one', 'v')"),
        table("sa.Index('two', 'v')"),
        ["drop_index(op.f('one')", "create_index('two'"],
    ),
    "sasi index": (
        table(),
        table(
            "sa.Index('i', 'v', cql_using='org.apache.cassandra.index.sasi.SASIIndex',"
            " cql_options={'mode': 'CONTAINS'})"
        ),
        ["SASIIndex"],
    ),
    "tables": (
        table()
        + """
sa.Table(
    "gone", metadata,
    sa.Column("Part 1", sa.Integer, primary_key=True), sa.Column("p2", cql.DATE, primary_key=True),
    sa.Column("c1", cql.TIMEUUID, primary_key=True), sa.Column("c2", sa.Text, primary_key=True),
    sa.Column("st", cql.SET(cql.INT), cql_static=True), sa.Column("v", sa.Text),
    sa.Column("m", cql.MAP(cql.INT, cql.TEXT)),
    sa.Index("gone_v", "v"), sa.Index("gone_m", "m", cql_target="keys"),
    comment="to be dropped", cql_partition_key=["Part 1", "p2"], cql_clustering_order={"c1": "DESC"},
    cql_default_time_to_live=60, cql_compaction={"class": "TimeWindowCompactionStrategy"},
)
""",
        table()
        + """
sa.Table(
    "New", metadata,
    sa.Column("select", sa.Integer, primary_key=True), sa.Column("Ordered By", sa.Integer, primary_key=True),
    sa.Column('q"uote', sa.Text), sa.Column("ünïcode", sa.Text),
    sa.Index("New_index", 'q"uote'),
    cql_clustering_order={"Ordered By": "DESC"},
)
sa.Table("keys_only", metadata, *(sa.Column(name, sa.Integer, primary_key=True) for name in "ab"))
sa.Table("hits", metadata, sa.Column("page", sa.Text, primary_key=True), sa.Column("n", cql.COUNTER))
""",
        [
            "create_table('New'",
            "drop_table('gone')",
            "cql_clustering_order={'Ordered By': 'DESC'}",
            "drop_index(op.f('gone_v')",
        ],
    ),
    "user types": (
        table()
        + """
sa.Table("gone", metadata, sa.Column("id", sa.Integer, primary_key=True),
         sa.Column("v", cql.FROZEN(UserType("old_type", [("a", cql.INT)], metadata))))
""",
        table(
            "sa.Column('w', cql.LIST(cql.FROZEN(outer)))",
            "sa.Column('x', cql.FROZEN(UserType('loose', {'Ä': cql.TEXT})))",
        ).replace(
            "sa.Table(",
            """
inner = UserType("Inner", [("n", cql.INT), ("when", sa.DateTime)], metadata)
outer = UserType("outer_type", [("i", cql.FROZEN(inner)), ("l", cql.FROZEN(cql.LIST(cql.TEXT)))], metadata)
UserType("unused", [("a", cql.INT)], metadata)
sa.Table(""",
            1,
        ),
        ["create_type('Inner'", "create_type('loose'", "drop_type('old_type')"],
    ),
    "views": (
        table("sa.Column('w', sa.Integer)")
        + """
MaterializedView("gone", metadata, "t", "k IS NOT NULL AND c IS NOT NULL AND v IS NOT NULL", ["v"], ["k", "c"])
MaterializedView("turns", metadata, "t", "k IS NOT NULL AND c IS NOT NULL AND v IS NOT NULL", ["v", "k"], ["c"])
MaterializedView("stays", metadata, "t", "k IS NOT NULL AND c IS NOT NULL AND w is not null", ["w"], ["c", "k"],
                 comment="a")
""",
        table("sa.Column('w', sa.Integer)")
        + """
MaterializedView("turns", metadata, "t", "k IS NOT NULL AND c IS NOT NULL AND v IS NOT NULL", ["v", "k"], {"c": "DESC"})
MaterializedView("stays", metadata, "t", "k IS NOT NULL AND c IS NOT NULL AND w is not null", ["w"], ["c", "k"],
                 comment="b", options={"gc_grace_seconds": 60})
MaterializedView("NewView", metadata, "t", "k IS NOT NULL AND c > 5 AND w IS NOT NULL", ["w"], ["c", "k"],
                 columns=["w", "c", "k"])
""",
        ["drop_materialized_view('gone')", "{'c': 'DESC'}", "'gc_grace_seconds': 60", "'NewView'"],
    ),
    "a table with a view": (
        table()
        + """
sa.Table("gone", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("v", sa.Integer))
MaterializedView("gone_view", metadata, "gone", "id IS NOT NULL AND v IS NOT NULL", ["v"], ["id"])
""",
        table(),
        ["drop_materialized_view('gone_view')", "drop_table('gone')"],
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_runs_both_ways(project: Project, change: str) -> None:
    old, new, wanted = CHANGES[change]
    upgrade, downgrade = both_ways(project, old, new)
    for text in wanted:
        assert text in upgrade
    assert upgrade != downgrade != ""
    assert "'other'" not in upgrade + downgrade


def test_the_downgrade_makes_a_dropped_table_again_with_all_it_had(project: Project) -> None:
    old, new, _ = CHANGES["tables"]
    _, downgrade = both_ways(project, old, new)
    for text in ("cql_static=True", "cql_partition_key=['Part 1', 'p2']", "cql_clustering_order={'c1': 'DESC'", "60"):
        assert text in downgrade


def test_a_field_added_to_a_user_type_stays_there(project: Project) -> None:
    old = "u = UserType('u', [('a', cql.INT)], metadata)" + table("sa.Column('w', cql.FROZEN(u))")
    new = old.replace("('a', cql.INT)", "('a', cql.INT), ('b', cql.TEXT), ('C', cql.LIST(cql.INT))")
    project.models(old)
    project.autogenerate("begin")
    project.upgrade()
    project.models(new)
    text = project.autogenerate("change")
    call = "op.alter_type('u',add=[('b', cql.TEXT()), ('C', cql.LIST(cql.INT()))],if_not_exists=True,)"
    assert body(text, "upgrade").replace("\n", "") == call
    project.upgrade()
    assert project.is_clean()
    project.downgrade("-1")
    assert project.heads() == {"begin"}
    project.models(old)
    assert project.differences() == []
    project.models(new)
    project.upgrade()  # finds the fields there
    assert project.is_clean()

"""alembic_cql.effects: what statements do, told from their text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alembic_cluster.statements import Cost, Known
from alembic_cql.effects import read_statements


def lost(text: str, known: Known | None = None) -> list[str]:
    return [str(effect) for statement in read_statements(text, known) for effect in statement.losses]


@pytest.mark.parametrize(
    ("text", "losses"),
    [
        ("DROP KEYSPACE IF EXISTS k", ["drop keyspace k"]),
        ("DROP SCHEMA k", ["drop keyspace k"]),
        ("DROP TABLE k.t", ["drop table k.t"]),
        ("DROP COLUMNFAMILY t", ["drop table t"]),
        ('drop table "My;Table"', ["drop table My;Table"]),
        ("DROP MATERIALIZED VIEW v", ["drop materialized view v"]),
        ("DROP INDEX k.ix", ["drop index k.ix"]),
        ("DROP TYPE address", ["drop type address"]),
        ("DROP FUNCTION f(int)", []),
        ("DROP ROLE r", []),
        ("TRUNCATE k.t", ["truncate k.t"]),
        ("TRUNCATE TABLE t", ["truncate t"]),
        ("ALTER TABLE t DROP a", ["drop column t.a"]),
        ('ALTER TABLE t DROP a, "B,c"', ["drop column t.a", "drop column t.B,c"]),
        ("ALTER TABLE t DROP (a, b)", ["drop column t.a", "drop column t.b"]),
        ("ALTER TABLE IF EXISTS t DROP IF EXISTS a USING TIMESTAMP 12", ["drop column t.a"]),
        ("ALTER TABLE t DROP COMPACT STORAGE", []),
        ("ALTER TABLE t ALTER a DROP MASKED", []),
        ("ALTER TABLE t ALTER a TYPE blob", []),
        ("ALTER TABLE t WITH default_time_to_live = 60 AND comment = 'x'", ["alter options t"]),
        ("ALTER TABLE t WITH default_time_to_live = 0", []),
        ("ALTER TABLE t TTL expires", ["set row ttl t"]),
        ("ALTER TABLE t TTL NULL", []),
        ("CREATE TABLE t (id int PRIMARY KEY) WITH default_time_to_live = 60", []),
        ("ALTER TABLE t WITH comment = 'DROP TABLE x; TRUNCATE y'", []),
        ("DELETE FROM t WHERE id = 1", []),
        ("BEGIN BATCH DELETE FROM t WHERE id = 1; INSERT INTO t (id) VALUES (2); APPLY BATCH", []),
        ("CREATE FUNCTION f() CALLED ON NULL INPUT RETURNS int LANGUAGE java AS $$ DROP TABLE t; $$", []),
        ("// DROP TABLE t\n-- DROP TABLE t\n/* DROP TABLE t; */ SELECT * FROM t", []),
        ("SELECT * FROM t; DROP TABLE t", ["drop table t"]),
        ("DROP TABLE t; INSERT INTO t (a) VALUES ('never closed)", ["unreadable"]),
        ("", []),
    ],
)
def test_what_is_lost(text: str, losses: list[str]) -> None:
    assert lost(text) == losses


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        ("SELECT * FROM t", Cost.NOTHING),
        ("USE k", Cost.NOTHING),
        ("CREATE TABLE t (id int PRIMARY KEY)", Cost.METADATA),
        ("ALTER TABLE t ADD a int", Cost.METADATA),
        ("CREATE INDEX ON t (a)", Cost.BACKFILL),
        ("CREATE CUSTOM INDEX ix ON t (a) USING 'StorageAttachedIndex'", Cost.BACKFILL),
        ("CREATE MATERIALIZED VIEW v AS SELECT * FROM t WHERE a IS NOT NULL PRIMARY KEY (a)", Cost.VIEW_BUILD),
        ("ALTER TABLE t WITH compaction = {'class': 'LeveledCompactionStrategy'}", Cost.REWRITE),
        ("ALTER TABLE t WITH comment = 'x'", Cost.METADATA),
        ("INSERT INTO t (a) VALUES (1)", Cost.ROWS),
    ],
)
def test_costs(text: str, cost: Cost) -> None:
    (statement,) = read_statements(text)
    assert statement.cost is cost
    assert statement.blocks == ""


def test_a_new_table_holds_nothing_that_could_be_lost() -> None:
    known = Known()
    read_statements("CREATE TABLE n (id int PRIMARY KEY, a int)", known)
    assert lost("ALTER TABLE n DROP a; TRUNCATE n; DROP TABLE n", known) == []
    read_statements("CREATE TABLE m (id int PRIMARY KEY)", known)
    (index,) = read_statements("CREATE INDEX ON m (id)", known)
    assert index.cost is Cost.METADATA


def test_columns_and_keys_of_a_new_table() -> None:
    text = (
        'CREATE TABLE k.t (id uuid, "D d" date, v map<text, frozen<list<int>>>, e vector<float, 3>, s text STATIC, '
        'PRIMARY KEY ((id, "D d"), v)) WITH CLUSTERING ORDER BY (v DESC) AND gc_grace_seconds = 0'
    )
    (statement,) = read_statements(text)
    table, *columns = statement.effects
    assert {effect.column: effect.values["type"] for effect in columns} == {
        "id": "uuid",
        "D d": "date",
        "v": "map<text, frozen<list<int>>>",
        "e": "vector<float, 3>",
        "s": "text",
    }
    assert [effect.column for effect in columns if "static" in effect.traits] == ["s"]
    assert table.values["partition"] == "id, D d"
    assert table.values["clustering"] == "v"
    assert table.values["clustering order"] == "v DESC"
    assert table.values["gc_grace_seconds"] == "0"


def test_a_batch_is_what_is_in_it() -> None:
    text = "BEGIN UNLOGGED BATCH INSERT INTO a (b) VALUES (';'); UPDATE k.c SET d = 1 WHERE e = 2 APPLY BATCH"
    (statement,) = read_statements(text)
    assert [str(effect) for effect in statement.effects] == ["insert a", "update k.c"]
    assert all("unlogged batch" in effect.traits for effect in statement.effects)


@given(st.text())
def test_no_text_is_an_error(text: str) -> None:
    read_statements(text)


_WORDS = (
    "DROP TABLE ALTER ADD CREATE INDEX ON ( ) , ; . IF EXISTS WITH AND AS DELETE FROM WHERE t < > { } = BEGIN BATCH "
    "APPLY \"q.r\" 's' $$b$$ TYPE PRIMARY KEY TRUNCATE INSERT"
)
_WORD = st.sampled_from(_WORDS.split())


@given(st.lists(_WORD, max_size=12))
def test_no_order_of_words_is_an_error(words: list[str]) -> None:
    for statement in read_statements(" ".join(words)):
        assert statement.effects
        assert statement.cost

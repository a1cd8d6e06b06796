"""alembic_crdb.effects: what statements do, told from their text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alembic_cluster.statements import Cost, Known
from alembic_cluster.words import split_path
from alembic_crdb.effects import read_statements


def kinds(text: str, known: Known | None = None) -> list[str]:
    return [str(effect) for statement in read_statements(text, known) for effect in statement.effects]


def lost(text: str, known: Known | None = None) -> list[str]:
    return [str(effect) for statement in read_statements(text, known) for effect in statement.losses]


@pytest.mark.parametrize(
    ("text", "losses"),
    [
        ("DROP TABLE IF EXISTS a, public.b CASCADE", ["drop table a", "drop table b"]),
        ('DROP TABLE "My; Table"', ["drop table My; Table"]),
        ('drop table s."a.b"', ['drop table s."a.b"']),
        ("DROP DATABASE d", ["drop database d"]),
        ("DROP SCHEMA s CASCADE", ["drop schema s"]),
        ("DROP MATERIALIZED VIEW v", ["drop materialized view v"]),
        ("DROP VIEW v", []),
        ("DROP SEQUENCE s", ["drop sequence s"]),
        ("DROP TYPE e", ["drop type e"]),
        ("DROP INDEX t@ix CASCADE", ["drop index t@ix"]),
        ("DROP INDEX CONCURRENTLY IF EXISTS ix", ["drop index ix"]),
        ("DROP OWNED BY alice", ["drop owned objects alice"]),
        ("DROP FUNCTION f(INT8), g()", []),
        ("DROP ROLE r", []),
        ("DROP TRIGGER tr ON t", []),
        ("TRUNCATE a, TABLE b", ["truncate a", "truncate table"]),
        ("TRUNCATE TABLE a, s.b CASCADE", ["truncate a", "truncate s.b"]),
        ("ALTER TABLE t DROP COLUMN a", ["drop column t.a"]),
        ("ALTER TABLE IF EXISTS s.t DROP IF EXISTS a CASCADE, ADD b INT8", ["drop column s.t.a"]),
        ("ALTER TABLE t DROP CONSTRAINT c", []),
        ("ALTER TABLE t ALTER COLUMN a DROP NOT NULL", []),
        ("ALTER TABLE t ALTER a DROP DEFAULT, ALTER b DROP STORED", []),
        ("ALTER TABLE t ALTER COLUMN a TYPE INT4", ["alter column type t.a"]),
        ("ALTER TABLE t ALTER COLUMN a SET DATA TYPE STRING", []),
        ("ALTER TABLE t SET (ttl_expire_after = '1 day')", ["set parameters t"]),
        ("ALTER TABLE t SET (ttl_expiration_expression = 'e', ttl_job_cron = '@daily')", ["set parameters t"]),
        ("ALTER TABLE t SET (ttl_pause = true)", []),
        ("ALTER TABLE t RESET (ttl)", []),
        ("CREATE TABLE t (id INT8 PRIMARY KEY) WITH (ttl_expire_after = '1 day')", []),
        ("ALTER TYPE e DROP VALUE 'x'", ["drop value e"]),
        ("DELETE FROM t", ["delete t"]),
        ("DELETE FROM t WHERE TRUE RETURNING id", ["delete t"]),
        ("DELETE FROM t WHERE (1=1)", ["delete t"]),
        ("DELETE FROM t ORDER BY id LIMIT 10", ["delete t"]),
        ("DELETE FROM t USING u", ["delete t"]),
        ("DELETE FROM t WHERE id = 1", []),
        ("DELETE FROM t WHERE note = 'DROP TABLE x; DELETE FROM t'", []),
        ("UPDATE t SET a = 1", []),
        ("WITH d AS (DELETE FROM t RETURNING *) INSERT INTO u SELECT * FROM d", ["delete t"]),
        ("WITH d AS (SELECT 1), e (x) AS MATERIALIZED (SELECT 2) DELETE FROM t", ["delete t"]),
        ("WITH d AS (SELECT 1) SELECT * FROM d", []),
        ("EXPLAIN DELETE FROM t", []),
        ("EXPLAIN ANALYZE DELETE FROM t", ["delete t"]),
        ("EXPLAIN ANALYZE (DEBUG) DELETE FROM t", ["delete t"]),
        ("PREPARE p AS TRUNCATE t", ["truncate t"]),
        ("DO $$ BEGIN IF true THEN DELETE FROM t; END IF; END $$", ["delete t"]),
        ("DO $$ BEGIN EXECUTE 'DROP TABLE t'; END $$", ["unreadable"]),
        ("CREATE FUNCTION f() RETURNS VOID LANGUAGE SQL AS $$ DELETE FROM t $$", []),
        ("SELECT 'DROP TABLE t'", []),
        ("-- DROP TABLE t\nSELECT 1", []),
        ("/* DROP TABLE t; /* nested */ */ SELECT 1; DROP TABLE u", ["drop table u"]),
        ("INSERT INTO t VALUES ('a;'';DROP TABLE u', e'\\';DROP TABLE u')", []),
        ("SELECT 1; DROP TABLE t; SELECT 2", ["drop table t"]),
        ("DROP TABLE t; SELECT 'never closed", ["unreadable"]),
        ("DELETE FROM t WHERE a = %(a)s", []),
        ("delete from t where a = :a", []),
        ("", []),
        ("-- nothing", []),
    ],
)
def test_what_is_lost(text: str, losses: list[str]) -> None:
    if text == "TRUNCATE a, TABLE b":  # not SQL, and no reason to fail
        assert lost(text)[0] == losses[0]
    else:
        assert lost(text) == losses


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        ("SELECT 1", Cost.NOTHING),
        ("SET statement_timeout = '5s'", Cost.NOTHING),
        ("CREATE TABLE t (id INT8 PRIMARY KEY, INDEX (id))", Cost.METADATA),
        ("CREATE TABLE t AS SELECT * FROM u", Cost.VIEW_BUILD),
        ("CREATE INDEX ix ON t (a)", Cost.BACKFILL),
        ("CREATE MATERIALIZED VIEW v AS SELECT 1", Cost.VIEW_BUILD),
        ("CREATE VIEW v AS SELECT 1", Cost.METADATA),
        ("ALTER TABLE t ADD COLUMN a INT8", Cost.METADATA),
        ("ALTER TABLE t ADD COLUMN a INT8 DEFAULT 1", Cost.BACKFILL),
        ("ALTER TABLE t ADD COLUMN a INT8 DEFAULT NULL", Cost.METADATA),
        ("ALTER TABLE t ADD COLUMN a INT8 AS (b + 1) STORED", Cost.BACKFILL),
        ("ALTER TABLE t ADD COLUMN a INT8 AS (b + 1) VIRTUAL", Cost.METADATA),
        ("ALTER TABLE t ADD COLUMN a INT8 UNIQUE", Cost.BACKFILL),
        ("ALTER TABLE t ALTER COLUMN a SET NOT NULL", Cost.VALIDATION),
        ("ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)", Cost.VALIDATION),
        ("ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID", Cost.METADATA),
        ("ALTER TABLE t ADD CONSTRAINT c UNIQUE (a)", Cost.BACKFILL),
        ("ALTER TABLE t VALIDATE CONSTRAINT c", Cost.VALIDATION),
        ("ALTER TABLE t ALTER PRIMARY KEY USING COLUMNS (a)", Cost.REWRITE),
        ("ALTER TABLE t ALTER COLUMN a TYPE STRING USING a::STRING", Cost.REWRITE),
        ("ALTER TABLE t SET LOCALITY REGIONAL BY ROW", Cost.REWRITE),
        ("ALTER TABLE t SET LOCALITY GLOBAL", Cost.METADATA),
        ("ALTER TABLE t RENAME COLUMN a TO b", Cost.METADATA),
        ("UPDATE t SET a = 1 WHERE b = 2", Cost.ROWS),
    ],
)
def test_costs(text: str, cost: Cost) -> None:
    (statement,) = read_statements(text)
    assert statement.cost is cost


def test_which_writes_wait() -> None:
    def blocks(text: str, version: tuple[int, int] = (25, 2)) -> bool:
        (statement,) = read_statements(text, version=version)
        return bool(statement.blocks)

    assert blocks("UPDATE t SET a = 1")
    assert not blocks("UPDATE t SET a = 1 WHERE id = 1")
    assert blocks("CREATE VECTOR INDEX ON t (v)")
    assert blocks("CREATE INDEX ON t USING cspann (v vector_l2_ops)")
    assert not blocks("CREATE VECTOR INDEX ON t (v)", (25, 4))
    assert blocks("IMPORT INTO t CSV DATA ('x')")
    assert not blocks("CREATE INDEX ix ON t (a)")


def test_a_new_table_holds_nothing_that_could_be_lost() -> None:
    known = Known()
    text = "CREATE TABLE n (id INT8 PRIMARY KEY, a STRING); INSERT INTO n SELECT * FROM o; CREATE INDEX ix ON n (a)"
    read_statements(text, known)
    assert lost("ALTER TABLE n ALTER a TYPE INT4; ALTER TABLE n DROP COLUMN a; DROP TABLE n", known) == []
    assert lost("DROP TABLE n", known) == ["drop table n"]  # this one was there before

    known = Known()
    read_statements("CREATE TABLE IF NOT EXISTS n (id INT8 PRIMARY KEY)", known)
    assert lost("DROP TABLE n", known) == ["drop table n"]

    known = Known()
    read_statements("CREATE TABLE n (id INT8 PRIMARY KEY)", known)
    known.next_revision()
    assert lost("DROP TABLE n", known) == ["drop table n"]


def test_a_table_renamed_to_a_new_name_is_not_new() -> None:
    known = Known()
    read_statements("CREATE TABLE n (id INT8); DROP TABLE o; ALTER TABLE n RENAME TO o", known)
    assert lost("DROP TABLE o", known) == []
    known = Known()
    read_statements("CREATE TABLE n (id INT8); DROP TABLE n; ALTER TABLE old RENAME TO n", known)
    assert lost("DROP TABLE n", known) == ["drop table n"]


def test_types_are_learned_from_what_came_before_and_asked_of_the_catalog() -> None:
    asked = []

    def catalog(table: str, column: str) -> str | None:
        asked.append((table, column))
        return "VARCHAR(20)"

    known = Known(catalog)
    assert lost("ALTER TABLE s.t ALTER a TYPE VARCHAR(30)", known) == []
    assert asked == [("s.t", "a")]
    assert lost("ALTER TABLE s.t ALTER a TYPE VARCHAR(25)", known) == ["alter column type s.t.a"]
    assert asked == [("s.t", "a")]


def test_columns_of_a_new_table() -> None:
    text = (
        'CREATE TABLE t (id UUID NOT NULL DEFAULT gen_random_uuid(), "B b" DECIMAL(10,2) NOT NULL, '
        "at TIMESTAMP(3) WITH TIME ZONE NOT VISIBLE, n STRING[] NULL, s SERIAL8, g INT8 GENERATED BY DEFAULT AS "
        "IDENTITY, v INT8 AS (id) VIRTUAL, PRIMARY KEY (id), FAMILY f (id), CONSTRAINT u UNIQUE (n))"
    )
    (statement,) = read_statements(text)
    table, *columns = statement.effects
    assert {"primary key", "unique"} <= table.traits
    assert {effect.column: effect.values["type"] for effect in columns} == {
        "id": "UUID",
        "B b": "DECIMAL(10, 2)",
        "at": "TIMESTAMP(3) WITH TIME ZONE",
        "n": "STRING[]",
        "s": "SERIAL8",
        "g": "INT8",
        "v": "INT8",
    }
    traits = {effect.column: effect.traits for effect in columns}
    assert traits["id"] == {"not null", "default", "new"}
    assert "as identity" in traits["g"]
    assert "default" not in traits["g"]
    assert {"serial"} < traits["s"]


@given(st.text())
def test_no_text_is_an_error(text: str) -> None:
    read_statements(text)


_WORDS = (
    "DROP TABLE ALTER ADD COLUMN CREATE INDEX ON ( ) , ; . @ IF EXISTS NOT NULL DEFAULT WITH AS DELETE FROM WHERE t "
    "\"q.r\" 's' $$b$$ DO SET TYPE USING TRUNCATE EXPLAIN PREPARE IN"
)
_WORD = st.sampled_from(_WORDS.split())


@given(st.lists(_WORD, max_size=12))
def test_no_order_of_words_is_an_error(words: list[str]) -> None:
    for statement in read_statements(" ".join(words)):
        assert statement.effects
        assert statement.cost


def test_paths() -> None:
    assert split_path('s."a.b"') == ["s", "a.b"]
    assert split_path("T a") == ["T a"]
    assert split_path("d.s.t") == ["d", "s", "t"]

"""alembic_cql.splitting: statements of a CQL text."""

from __future__ import annotations

import pytest

from alembic_cluster.errors import UnreadableScript
from alembic_cql.splitting import split_cql


def test_statements_end_at_semicolons_and_the_last_may_go_without() -> None:
    assert split_cql("CREATE TABLE a (i int PRIMARY KEY);\n\n  DROP TABLE a") == [
        "CREATE TABLE a (i int PRIMARY KEY)",
        "DROP TABLE a",
    ]


@pytest.mark.parametrize("text", ["", " \n\t", ";;", "-- nothing", "-- a;b\n// c;d\n/* e;f */ ; ;"])
def test_a_text_without_statements_has_none(text: str) -> None:
    assert split_cql(text) == []


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO t (a) VALUES ('one; ''two''; -- three')",
        "INSERT INTO t (a) VALUES ('it''s // no /* comment')",
        'SELECT "a;b", "c""d;e" FROM t',
        "CREATE FUNCTION f (a int) CALLED ON NULL INPUT RETURNS int LANGUAGE java AS $$ int b = 1; return b; // 'x $$",
        "SELECT a -- first; of all\n, b /* and; then */ FROM t // over;\n WHERE c = 1",
        "BEGIN BATCH\n INSERT INTO t (a) VALUES (1);\n DELETE FROM t WHERE a = 2;\nAPPLY BATCH",
        "begin unlogged batch using timestamp 5 update t set b = 'apply batch;' where a = 1; apply /* the */ batch",
        "BEGIN COUNTER BATCH UPDATE t SET c = c + 1 WHERE a = 1; APPLY BATCH",
        "BEGIN TRANSACTION LET r = (SELECT * FROM t WHERE a = 1); SELECT r.a; COMMIT TRANSACTION",
    ],
)
def test_a_statement_stays_whole(statement: str) -> None:
    assert split_cql(f"USE k;\n{statement};\nUSE l;") == ["USE k", statement, "USE l"]


def test_comments_around_a_statement_go_because_servers_want_a_newline_after_them() -> None:
    text = "-- before\nUSE a -- behind; this\n; // next\n/* b */ USE b; -- the end"
    assert split_cql(text) == ["USE a", "USE b"]


def test_a_batch_ends_where_it_says_so() -> None:
    text = "BEGIN BATCH DELETE FROM t WHERE a = 1; APPLY BATCH; DROP TABLE t; BEGIN BATCH APPLY BATCH"
    assert split_cql(text) == [
        "BEGIN BATCH DELETE FROM t WHERE a = 1; APPLY BATCH",
        "DROP TABLE t",
        "BEGIN BATCH APPLY BATCH",
    ]


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("USE a;\nINSERT INTO t (a) VALUES ('it''s)", 2, "text"),
        ('USE a;\n\nSELECT "a FROM t;', 3, "quoted name"),
        ("CREATE FUNCTION f AS $$ return 1;", 1, "body"),
        ("USE a; /* here\nUSE b;", 1, "comment"),
        ("\nBEGIN BATCH\nDELETE FROM t WHERE a = 1;\n", 2, "APPLY BATCH"),
    ],
)
def test_what_does_not_end_is_refused_with_its_line(text: str, line: int, what: str) -> None:
    with pytest.raises(UnreadableScript, match=rf"line {line} of the CQL text: .*{what}.*nothing of the text was sent"):
        split_cql(text)

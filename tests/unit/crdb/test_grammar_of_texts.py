"""What the printer writes is a statement of CockroachDB 25.2's own grammar, except what only other versions have."""

from __future__ import annotations

from typing import Final

import pytest

from alembic_crdb.catalog import CANONICAL, Column, Index, IndexElement, ObjectName, PrimaryKey, SQLType, Table
from alembic_crdb.lexer import QUOTED_WORDS, quote_name
from alembic_crdb.parser import parse, to_sql
from tests.servers.grammar import Grammar
from tests.unit.crdb.texts import STATEMENTS, TABLES

#: The beginnings of texts that 25.2 does not take, and why.
OTHER_VERSIONS: Final = {
    "v21.1 families and primary": "prints a family without columns, which no version takes back",
    "v21.1 interleaved and partitioned": "interleaved tables were removed in v22.1",
    "v21.2 computed, hidden, on update": "NULLS LAST of an ascending column is not implemented",
    "v22.2 types": "has a type of the future",
    "CREATE VIEW v (\n\ta\n) WITH (security_invoker": "v26.2",
    "CREATE SEQUENCE s MINVALUE 1 MAXVALUE 5 INCREMENT 1 START 1 PER SESSION": "v25.3",
    "CREATE TYPE public.pair": "an array of a type in another database",
    "CREATE DOMAIN": "v26.3",
    "COMMENT ON FUNCTION": "v26.1",
    "ALTER TABLE t DISABLE TRIGGER": "v26.2",
}
TEXTS = {**TABLES, **{text: text for text in STATEMENTS}}


def test_what_is_printed_is_in_the_grammar(crdb_grammar: Grammar) -> None:
    taken = {key: text for key, text in TEXTS.items() if not key.startswith(tuple(OTHER_VERSIONS))}
    verdicts = crdb_grammar.check(to_sql(parse(text), CANONICAL) for text in taken.values())
    refused = {key: verdict.error for key, verdict in zip(taken, verdicts, strict=True) if not verdict.ok}
    assert refused == {}


@pytest.mark.parametrize("beginning", OTHER_VERSIONS)
def test_what_is_left_out_is_really_refused(beginning: str, crdb_grammar: Grammar) -> None:
    texts = [to_sql(parse(text), CANONICAL) for key, text in TEXTS.items() if key.startswith(beginning)]
    assert texts
    assert not any(verdict.ok for verdict in crdb_grammar.check(texts))


def test_every_word_can_be_a_name(crdb_grammar: Grammar) -> None:
    words = [*QUOTED_WORDS, "view", "type", "name", "status", "Upper", "né", "a b", 'q"q', "x$1", "1a", "ttl", "nan"]
    tables = [
        Table(
            ObjectName(word, word, word),
            (Column(word, SQLType(ObjectName(word, word))),),
            PrimaryKey(word, (IndexElement(word),)),
            indexes=(Index(word, (IndexElement(word),), storing=(word,)),),
            parameters=(("ttl", "'on'"),),
        )
        for word in words
    ]
    verdicts = crdb_grammar.check(map(to_sql, tables))
    assert [verdict.error for verdict in verdicts if not verdict.ok] == []
    # What 25.2 quotes, we quote; we quote a few words more, which v21.1 does and needs.
    more = {
        word
        for word, verdict in zip(words, verdicts, strict=True)
        if not verdict.formatted[0].startswith(f"CREATE TABLE {'.'.join([quote_name(word)] * 3)} (")
    }
    assert more == {"index", "nothing", "visible"}

"""What is printed is what was read; what is read is what was printed; whatever else comes in is refused by name."""

from __future__ import annotations

import json
import os
import random
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from alembic_crdb.catalog import CANONICAL, Column, Index, IndexElement, ObjectName, PrimaryKey, SQLType, Table
from alembic_crdb.catalog_objects import Script, Statement
from alembic_crdb.lexer import is_word, read_name, tokenize
from alembic_crdb.parser import UnreadableDDL, parse, parse_one, to_sql
from tests.unit.crdb import strategies
from tests.unit.crdb.texts import STATEMENTS, TABLES

EXAMPLES = int(os.environ.get("DDL_EXAMPLES", "150"))
MUTATIONS = int(os.environ.get("DDL_MUTATIONS", "1500"))
DOCUMENTED = Path(__file__).parents[4] / "shared" / "documented" / "show_create.json"

ALL = (*TABLES.values(), *STATEMENTS)


@pytest.mark.parametrize("text", ALL, ids=[*TABLES, *(text[:40] for text in STATEMENTS)])
def test_a_server_s_text_is_printed_again_as_it_was(text: str) -> None:
    script = parse(text)
    assert to_sql(script) == text
    assert parse(to_sql(script)) == script
    # Without the layout, it is the same statements in the words of current servers.
    assert parse(to_sql(script, CANONICAL)) == script


def test_many_statements_with_comments_between_them_are_printed_as_they_were() -> None:
    first, second = TABLES["v21.1 nested partitions"], "COMMENT ON TABLE t IS 'x'"
    text = f"-- one\n{first};\n-- Validate foreign keys.\n{second};\n{second} -- end\n;\n{second};\n-- bye"
    script = parse(text)
    assert len(script) == 4
    assert to_sql(script) == text
    assert to_sql(Script()) == to_sql(parse("")) == ""
    assert to_sql(parse("-- nothing")) == "-- nothing"


def _documented() -> list[Any]:
    if not DOCUMENTED.exists():
        return []
    return [
        pytest.param(entry["sql"], id=f"{entry['version']} {entry['page']}")
        for entry in json.loads(DOCUMENTED.read_text())
    ]


@pytest.mark.parametrize("text", _documented())
def test_documented_texts_are_printed_again_as_they_were(text: str) -> None:
    script = parse(text)
    assert to_sql(script) == text.rstrip()
    assert parse(to_sql(script, CANONICAL)) == script


@settings(max_examples=EXAMPLES, deadline=None)
@given(strategies.statements)
def test_every_statement_is_read_back_as_it_was_made(statement: Statement) -> None:
    text = to_sql(statement)
    read = parse_one(text)
    assert read == statement
    assert to_sql(read) == text


@settings(max_examples=EXAMPLES // 3, deadline=None)
@given(strategies.scripts)
def test_every_script_is_read_back_as_it_was_made(script: Script) -> None:
    assert parse(to_sql(script)) == script


def test_a_changed_table_keeps_the_layout_that_it_was_read_with() -> None:
    table = parse_one(TABLES["v20 order of elements"])
    assert isinstance(table, Table)
    more = replace(table, columns=(*table.columns, Column("c", SQLType("INT8"))), indexes=table.indexes[:1])
    assert to_sql(more) == (
        "CREATE TABLE t (\n\ta INT8 NOT NULL,\n\tINDEX i (a ASC),\n"
        "\tCONSTRAINT f FOREIGN KEY (a) REFERENCES u (a),\n\tb INT8 NULL,\n"
        '\tCONSTRAINT "primary" PRIMARY KEY (a ASC),\n\tc INT8 NULL\n)'
    )


def test_without_the_layout_names_are_quoted_where_v21_did_not() -> None:
    table = parse_one(TABLES["v21.1 names of types without quotes"])
    assert '\tb sc."My Enum"[] NOT NULL' in to_sql(table, CANONICAL)
    assert 'a public."MyEnum" NULL' in to_sql(table, CANONICAL)


def test_a_table_made_anew_is_printed_as_current_servers_do() -> None:
    table = Table(
        ObjectName("Orders", "public"),
        (Column("id", SQLType("INT8"), nullable=False), Column("order", SQLType(ObjectName("S", "sc")))),
        PrimaryKey("orders_pkey", (IndexElement("id"),), True, (("bucket_count", "8"),)),
        indexes=(
            Index(
                "i", (IndexElement("order"),), hash_sharded=True, storing=("id",), parameters=(("bucket_count", "4"),)
            ),
        ),
    )
    assert to_sql(table) == (
        'CREATE TABLE public."Orders" (\n'
        "\tid INT8 NOT NULL,\n"
        '\t"order" sc."S" NULL,\n'
        "\tCONSTRAINT orders_pkey PRIMARY KEY (id ASC) USING HASH WITH (bucket_count=8),\n"
        '\tINDEX i ("order" ASC) USING HASH STORING (id) WITH (bucket_count=4)\n'
        ")"
    )


_PIECE = re.compile(r"\s+|\w+|'[^']*'|.", re.DOTALL)
_STRANGERS = (
    "(",
    ")",
    "'",
    '"',
    ",",
    ";",
    "NULL",
    "NOT",
    "$$",
    "--",
    "/*",
    "\\",
    "e'",
    "[",
    "::",
    "é",
    "\0",
    "1e9",
    "-",
)


def _mutated(text: str, rnd: random.Random) -> str:
    kind = rnd.randrange(4)
    if kind == 0:
        return text[: rnd.randrange(len(text) + 1)]
    if kind == 1:
        other = rnd.choice(ALL)
        return text[: rnd.randrange(len(text) + 1)] + other[rnd.randrange(len(other) + 1) :]
    if kind == 2:
        at = rnd.randrange(len(text) + 1)
        return text[:at] + chr(rnd.choice((rnd.randrange(128), rnd.randrange(0xD800)))) + text[at + rnd.randrange(4) :]
    pieces = _PIECE.findall(text)
    for _ in range(rnd.randint(1, 3)):
        at, to = rnd.randrange(len(pieces)), rnd.randrange(len(pieces))
        change = rnd.randrange(4)
        if change == 0:
            pieces[at], pieces[to] = pieces[to], pieces[at]
        elif change == 1:
            pieces[at:at] = pieces[to : to + rnd.randint(1, 9)]
        elif change == 2:
            pieces[at] = rnd.choice(_STRANGERS)
        else:
            del pieces[at : at + rnd.randint(1, 4)]
            pieces = pieces or ["x"]
    return "".join(pieces)


def test_whatever_comes_in_is_taken_whole_or_refused_by_name() -> None:
    """``DDL_MUTATIONS=10000`` makes it the long run; a seed of ``DDL_SEED``, another one each day."""
    rnd = random.Random(os.environ.get("DDL_SEED", "21"))
    taken = 0
    refusals: list[tuple[str, UnreadableDDL]] = []
    for _ in range(MUTATIONS):
        text = _mutated(rnd.choice(ALL), rnd)
        try:
            script = parse(text)
        except UnreadableDDL as refused:
            refusals.append((text, refused))
            continue
        taken += 1
        printed = to_sql(script)
        assert parse(printed) == script, text
        assert parse(to_sql(script, CANONICAL)) == script, text
        # Nothing of it was left out.
        assert not _counted(text) - _counted(printed), text
    assert taken > MUTATIONS // 20
    for text, refused in refusals:
        assert refused.statement in text, text
        assert 0 <= refused.position <= len(refused.statement)


def _counted(text: str) -> Counter[str]:
    """Count the tokens of a text, names and keywords as they are read: without quotes and in lower case."""
    return Counter(
        read_name(token).lower() if token[:1] == '"' or is_word(token) else token
        for token in tokenize(text).texts
        if token not in {"", ";"}
    )

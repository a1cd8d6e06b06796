"""alembic_crdb.statements."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alembic_crdb.statements import split_statements


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("", []),
        (" ;; -- nothing;\n ;", []),
        ("SELECT 1", ["SELECT 1"]),
        ("SELECT 1;", ["SELECT 1"]),
        ("\n  SELECT 1 ;\n\n-- and; then\nSELECT 2; ", ["SELECT 1", "SELECT 2"]),
        ("SELECT ';'; SELECT \"a;b\" ;SELECT e'\\';'", ["SELECT ';'", 'SELECT "a;b"', "SELECT e'\\';'"]),
        ("DO $$ SELECT 1; SELECT 2 $$; SELECT 3", ["DO $$ SELECT 1; SELECT 2 $$", "SELECT 3"]),
        ("SELECT 1; SELECT 'open", ["SELECT 1; SELECT 'open"]),
    ],
)
def test_split(text: str, statements: list[str]) -> None:
    assert split_statements(text) == statements


_PART = st.sampled_from(
    ["SELECT 1", "SELECT ';'", 'SELECT ";"', "SELECT $$;$$", "SELECT e'\\';'", "INSERT INTO t VALUES (1)"]
)


@given(st.lists(_PART), st.sampled_from([";", " ; ", ";\n-- a;b\n", "\n;\n"]))
def test_split_takes_apart_what_was_joined(parts: list[str], between: str) -> None:
    assert split_statements(between.join(parts)) == parts


@given(st.text())
def test_no_text_is_an_error(text: str) -> None:
    split_statements(text)

"""Tokens, names and strings as CockroachDB's scanner reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alembic_crdb.lexer import (
    QUOTED_WORDS,
    quote_free_name,
    quote_name,
    quote_string,
    read_name,
    read_string,
    tokenize,
)
from alembic_crdb.parser import UnreadableDDL

plain = st.text(st.characters(exclude_categories=["Cs"]))


def test_tokens_and_where_they_begin() -> None:
    text = 'a -- c\n."B""b" e\'x\\\'y\':::STRING $q$ ; $q$ 1.5e-3 ->> !~*'
    texts, starts = tokenize(text)
    assert texts == ["a", ".", '"B""b"', "e'x\\'y'", ":::", "STRING", "$q$ ; $q$", "1.5e-3", "->>", "!~*", ""]
    assert [text[start:][: len(token)] for start, token in zip(starts, texts, strict=True)] == texts
    assert starts[-1] == len(text)


@pytest.mark.parametrize("text", ["", "  ", "-- only\n", "a", "a "])
def test_every_text_ends_once(text: str) -> None:
    assert tokenize(text).texts.count("") == 1


@pytest.mark.parametrize(
    "text", ["'a", '"a', "$$ a", "$x$ $y$", "e'\\'", "b'\\", "x'00", "a `b`", "{", "\0", "/* c */", "\x0b"]
)
def test_what_is_no_token(text: str) -> None:
    with pytest.raises(UnreadableDDL):
        tokenize(f"CREATE {text}")


@given(plain)
def test_every_text_is_cut_or_refused(text: str) -> None:
    try:
        texts, starts = tokenize(text)
    except UnreadableDDL:
        return
    assert all(text.startswith(token, start) for token, start in zip(texts, starts, strict=True))
    assert starts == sorted(starts)


@given(plain.filter(bool))
def test_names_are_read_as_they_were_written(name: str) -> None:
    for quoted in (quote_name(name), quote_free_name(name)):
        if "\0" not in name:
            assert tokenize(quoted).texts == [quoted, ""]
        assert read_name(quoted) == name


def test_names_are_quoted_where_the_server_does() -> None:
    assert quote_name("users") == "users"
    assert quote_name("né") == "né"
    assert quote_name("timestamp") == '"timestamp"'
    assert quote_name("Users") == '"Users"'
    assert quote_name("N\u0303") != "N\u0303"
    assert quote_name("1a") == '"1a"'
    assert quote_free_name("primary") == "primary"
    assert read_name("Users") == "users"
    assert {"family", "index", "vector", "nothing", "generated"} <= QUOTED_WORDS
    assert not {"name", "status", "type", "view", "ttl"} & QUOTED_WORDS


@given(plain)
def test_strings_are_read_as_they_were_written(value: str) -> None:
    quoted = quote_string(value)
    assert quoted.isascii()
    assert read_string(quoted) == value
    assert tokenize(quoted).texts == [quoted, ""]


@pytest.mark.parametrize(
    ("token", "value"),
    [
        ("'it''s'", "it's"),
        ("'é'", "é"),
        ("e'\\u00E9\\U0001F600'", "é😀"),
        ("e'\\xc3\\xa9\\303\\251'", "éé"),
        ("E'\\a\\b\\f\\n\\r\\t\\v\\\\\\'\\\"'''", "\a\b\f\n\r\t\v\\'\"'"),
        ("$$a'b$$", "a'b"),
        ("$x$a$$b$x$", "a$$b"),
        ("''", ""),
    ],
)
def test_strings_of_every_kind(token: str, value: str) -> None:
    assert read_string(token) == value


@pytest.mark.parametrize("token", ["'a", "e'\\xff'", "e'\\x1'", "e'\\u12'", "b'a'", "e'\\uD800'"])
def test_what_is_no_string(token: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        read_string(token)

"""Texts of several statements, taken apart: a server runs a text as one transaction, schema changes run alone."""

from __future__ import annotations

import re
from typing import Final

from alembic_cluster.errors import UnreadableDDL
from alembic_crdb.lexer import Tokens, tokenize

# What may hold a /* that begins no comment, and the marks of block comments, which nest (CockroachDB's scanner).
_QUOTED_OR_MARK: Final = re.compile(
    r"\"[^\"]*(?:\"\"[^\"]*)*\"|(?<!\w)[eEb]'[^'\\]*(?:(?:\\.|'')[^'\\]*)*'|'[^']*(?:''[^']*)*'|--[^\n]*"
    r"|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$|(?P<mark>/\*)",
    re.DOTALL,
)
_MARK: Final = re.compile(r"/\*|\*/")
_NOT_LINE_END: Final = re.compile(r"[^\n]")


def blank_block_comments(text: str) -> str:
    """Write blanks in place of ``/* */`` comments, so that every other character stays at its position.

    :param text: SQL; a comment that nothing ends stays.
    """
    if "/*" not in text:
        return text
    out: list[str] = []
    done = at = 0
    while match := _QUOTED_OR_MARK.search(text, at):
        at = match.end()
        if match["mark"] is None:
            continue
        depth = 1
        while depth and (mark := _MARK.search(text, at)):
            depth += 1 if mark[0] == "/*" else -1
            at = mark.end()
        if depth:
            break
        out += [text[done : match.start()], _NOT_LINE_END.sub(" ", text[match.start() : at])]
        done = at
    return "".join(out) + text[done:]


def split_tokens(text: str) -> list[tuple[str, list[str]]]:
    """Take a text apart at the semicolons that end its statements.

    :param text: SQL; a semicolon in a string, a quoted name, a comment or a dollar-quoted body ends nothing.
    :return: each statement's text, without its semicolon and the comments around it, and its tokens.
    :raises UnreadableDDL: it can't be cut into tokens.
    """
    tokens: Tokens = tokenize(blank_block_comments(text))
    found: list[tuple[str, list[str]]] = []
    words: list[str] = []
    first = end = 0
    for token, start in zip(tokens.texts, tokens.starts, strict=True):
        if token in (";", ""):
            if words:
                found.append((text[first:end], words))
            words = []
            continue
        if not words:
            first = start
        words.append(token)
        end = start + len(token)
    return found


def split_statements(text: str) -> list[str]:
    """Take a text apart at the semicolons that end its statements.

    :param text: SQL; a semicolon in a string, a quoted name, a comment or a dollar-quoted body ends nothing.
    :return: the statements without their semicolons and without the comments around them; the text as it is
        when it can't be read, for the server to say why.
    """
    try:
        return [statement for statement, _ in split_tokens(text)]
    except UnreadableDDL:
        return [text]

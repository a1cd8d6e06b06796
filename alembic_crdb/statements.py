"""Texts of several statements, taken apart: a server runs a text as one transaction, schema changes run alone."""

from __future__ import annotations

from alembic_cluster.errors import UnreadableDDL
from alembic_crdb.lexer import tokenize


def split_statements(text: str) -> list[str]:
    """Take a text apart at the semicolons that end its statements.

    :param text: SQL; a semicolon in a string, a quoted name, a comment or a dollar-quoted body ends nothing.
    :return: the statements without their semicolons and without the comments around them; the text as it is
        when it can't be read, for the server to say why.
    """
    try:
        tokens = tokenize(text)
    except UnreadableDDL:
        return [text]
    found: list[str] = []
    first: int | None = None
    for token, start in zip(tokens.texts, tokens.starts, strict=True):
        if token in (";", ""):
            if first is not None:
                found.append(text[first:start].rstrip())
            first = None
        elif first is None:
            first = start
    return found

"""A text of several CQL statements, such as a schema file, taken apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from alembic_cluster.errors import UnreadableScript

# Cassandra's Lexer.g and ScyllaDB's Cql.g: strings and quoted names double their mark, $$ bodies have no escape, and
# each of the three kinds of comment ends at the first end mark (block comments don't nest).
_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<comment>(?:--|//)[^\r\n]*|/\*.*?\*/)
    | (?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*"|\$\$.*?\$\$)
    | (?P<open>'|"|\$\$|/\*)
    | (?P<word>\w+)
    | (?P<end>;)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_OPEN = {"'": "text", '"': "quoted name", "$$": "body between $$", "/*": "comment"}
# What stands between these words is one statement, semicolons and all (the latter pair: Cassandra 6.0).
_BLOCKS = {"BATCH": ("APPLY", "BATCH"), "TRANSACTION": ("COMMIT", "TRANSACTION")}


def split_cql(text: str) -> list[str]:
    """Take a text apart into its statements, each ready for ``op.execute``.

    Semicolons in strings, in quoted names, in ``$$`` bodies and in comments don't end a statement, nor do those between
    ``BEGIN BATCH`` and ``APPLY BATCH``. A file is run by
    ``for statement in split_cql(Path("schema.cql").read_text()): op.execute(statement)``.

    :param text: statements ended by semicolons; the last may go without.
    :return: the statements in order, without the semicolon and without the comments around them; comments inside stay.
    :raises UnreadableScript: for a string, quoted name, body, comment or batch that doesn't end; nothing was sent.
    """
    return [statement for statement, _ in split_tokens(text)]


def split_tokens(text: str) -> list[tuple[str, list[str]]]:
    """Take a text apart as :func:`split_cql` does.

    :return: each statement with its tokens, as they were written.
    :raises UnreadableScript: see there.
    """
    return list(_statements(text))


def read_name(token: str) -> str:
    """Give the name that a token stands for; one without quotes is folded to lower case."""
    return token[1:-1].replace('""', '"') if token.startswith('"') else token.lower()


def _statements(text: str) -> Iterator[tuple[str, list[str]]]:
    start = stop = None  # of the statement, from its first token to its last
    words: list[str] = []
    tokens: list[str] = []
    for match in _TOKEN.finditer(text):
        kind, token = str(match.lastgroup), match.group()
        if kind in ("space", "comment"):
            continue
        if kind == "open":
            raise _unreadable(text, match.start(), f"the {_OPEN[token]} that begins there never ends")
        if kind == "end" and not _in_block(words):
            if start is not None:
                yield text[start:stop], tokens
            start = None
            words, tokens = [], []
            continue
        tokens.append(token)
        words.append(token.upper() if kind == "word" else "")
        start = match.start() if start is None else start
        stop = match.end()
    if start is not None:
        if _in_block(words):
            raise _unreadable(text, start, f"the batch that begins there has no {' '.join(_BLOCKS[_block(words)])}")
        yield text[start:stop], tokens


def _block(words: list[str]) -> str:
    """Say which block a statement is; empty when none."""
    if words[:1] != ["BEGIN"]:
        return ""
    # BEGIN BATCH, BEGIN UNLOGGED BATCH, BEGIN COUNTER BATCH, BEGIN TRANSACTION
    return next((word for word in words[1:3] if word in _BLOCKS), "")


def _in_block(words: list[str]) -> bool:
    block = _block(words)
    return bool(block) and _BLOCKS[block] not in pairwise(words)


def _unreadable(text: str, position: int, reason: str) -> UnreadableScript:
    line = text.count("\n", 0, position) + 1
    shown = text[position : position + 60].partition("\n")[0]
    return UnreadableScript(f"line {line} of the CQL text: {reason} ({shown}); nothing of the text was sent")

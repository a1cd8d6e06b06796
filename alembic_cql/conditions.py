"""Checks of columns: conditions that values must meet, where the server has them (the release after Cassandra 5.0).

They are read out of ``DESCRIBE KEYSPACE``, whose text is the statement that makes the table (CEP-42,
ColumnMetadata.appendCqlTo). No released server has them, so nothing here has met one: what can't be read is taken for
no check.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlalchemy import Connection

_WORDS = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|\w+(?:\.\w+)?|[<>!=]+|[^\s\w]""")
_BRACKETS = {"(": 1, "<": 1, "[": 1, "{": 1, ")": -1, ">": -1, "]": -1, "}": -1}
_COLUMN = re.compile(r"""\s*("(?:[^"]|"")*"|\w+)\s""")
_KEY = re.compile(r"\s+PRIMARY\s+KEY\s*$", re.IGNORECASE)
_JOINS = ("and", "check")


def read_checks(connection: Connection, keyspace: str) -> dict[tuple[str, str], str]:
    """Give the conditions of a keyspace's columns, by table and column.

    :param connection: of dialect ``cql``, to a server that has checks.
    """
    quoted = connection.dialect.identifier_preparer.quote(keyspace)
    rows = connection.exec_driver_sql(f"DESCRIBE KEYSPACE {quoted}").mappings()
    return {
        (row["name"].strip('"'), column): condition
        for row in rows
        if row["type"] == "table"
        for column, condition in described_checks(row["create_statement"])
    }


def described_checks(statement: str) -> Iterator[tuple[str, str]]:
    """Give the names of the columns that have a condition, with it.

    :param statement: a ``CREATE TABLE``, as ``DESCRIBE`` gives it.
    """
    for part in _parts(statement):
        name = _COLUMN.match(part)
        words = list(_WORDS.finditer(part))
        checks = [word for word in words[1:] if word[0].upper() == "CHECK"]
        if name is not None and checks and words[0][0].upper() != "PRIMARY":
            text = _KEY.sub("", part[checks[0].end() :]).strip()
            yield name[1][1:-1].replace('""', '"') if name[1].startswith('"') else name[1], text


def _parts(statement: str) -> Iterator[str]:
    """Give what stands between the commas of the outermost parentheses."""
    depth, begin = 0, 0
    in_check = False
    for word in _WORDS.finditer(statement):
        text = word[0]
        is_first = not statement[begin : word.start()].strip()
        in_check = (in_check or (text.upper() == "CHECK" and not is_first)) and not (text == "," and depth == 1)
        step = 0 if in_check and text in "<>" else _BRACKETS.get(text, 0)
        step -= text.count(">") if set(text) == {">"} and len(text) > 1 and not in_check else 0
        depth += step
        if depth == 1 and text == "(":
            begin = word.end()
        elif (depth == 1 and text == ",") or (depth == 0 and text == ")"):
            yield statement[begin : word.start()]
            begin = word.end()
            if depth == 0:
                return


def canonical_check(condition: str | None, column: str) -> frozenset[tuple[str, ...]]:
    """Give what is equal for equal conditions: their parts, in any order, spelled in one way.

    :param column: the column's name, which a function may be given or not.
    """
    parts: list[list[str]] = [[]]
    for word in _WORDS.findall(condition or ""):
        plain = word if word[0] == "'" else word.strip('"') if word[0] == '"' else word.lower()
        if plain in _JOINS:
            parts.append([])
        elif plain not in ("(", ")", column.lower(), column):
            parts[-1].append(plain)
        elif plain.lower() == column.lower() and not parts[-1]:
            parts[-1].append("")  # a > 5 is another condition than length(a) > 5
    return frozenset(tuple(part) for part in parts if part)

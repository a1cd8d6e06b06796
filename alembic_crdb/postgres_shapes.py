"""Statements of PostgreSQL told by their shape: their words, without what stands in parentheses, strings and comments.

What CockroachDB has no word for is refused by name before anything is sent; what it has other words for is said in
those. That it has none was asked of v25.2's grammar (``tests/unit/crdb/test_postgres_shapes.py``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import chain
from typing import Final

from alembic_cluster.errors import UnreadableDDL
from alembic_crdb.lexer import LEADING_COMMENTS, tokenize
from alembic_crdb.versions import CHANGES_IDENTITY, RESTARTS_SEQUENCES, SETS_PARAMETERS, Switch

_COMMENTS: Final = re.compile(LEADING_COMMENTS, re.DOTALL)
#: A cheap look at each statement, of which most are of another kind.
_BEGIN: Final = re.compile(
    LEADING_COMMENTS + r"(?:ALTER|CREATE|DROP|LISTEN|MERGE|NOTIFY|REINDEX|SECURITY|SET|TRUNCATE|UNLISTEN)\b",
    re.DOTALL | re.IGNORECASE,
)
_WORD: Final = r'(?:"(?:[^"]|"")*"|\S+)'
_NAME: Final = rf"{_WORD}(?: \. {_WORD})*"
_TABLE: Final = rf"ALTER TABLE (?:IF EXISTS )?(?:ONLY )?{_NAME} (?:.* , )?"
_COLUMN: Final = rf"{_TABLE}ALTER (?:COLUMN )?{_WORD} "

#: What a statement of this shape asks for, as a message names it.
_MISSING: Final[Mapping[re.Pattern[str], str]] = {
    re.compile(shape): name
    for shape, name in {
        r"TRUNCATE .*RESTART IDENTITY\b": "RESTART IDENTITY of TRUNCATE (setval('sequence', 1, false) does it)",
        rf"{_COLUMN}SET STORAGE\b": "SET STORAGE of a column",
        rf"{_COLUMN}SET COMPRESSION\b": "SET COMPRESSION of a column",
        rf"{_COLUMN}SET STATISTICS\b": "SET STATISTICS of a column",
        rf"{_TABLE}(?:NO )?INHERIT\b": "inheritance of tables",
        r"CREATE (?:\w+ )?TABLE .*\bINHERITS\b": "inheritance of tables",
        r"CREATE (?:\w+ )?TABLE .*\bPARTITION OF\b": "partitions that are tables (op.partition_by has its own)",
        r"CREATE (?:\w+ )?TABLE .*\bPARTITION BY \w+ \(\)$": "partitions that are tables (op.partition_by has its own)",
        rf"{_TABLE}(?:ATTACH|DETACH) PARTITION\b": "partitions that are tables (op.partition_by has its own)",
        rf"{_TABLE}CLUSTER ON\b": "CLUSTER ON",
        rf"{_TABLE}REPLICA IDENTITY\b": "replica identities",
        rf"{_TABLE}SET TABLESPACE\b": "tablespaces",
        rf"{_TABLE}(?:ENABLE|DISABLE) (?:\w+ )?(?:TRIGGER|RULE)\b": "switches for triggers and rules",
        rf"{_TABLE}SET (?:UN)?LOGGED\b": "tables that are not logged",
        rf"{_TABLE}ALTER CONSTRAINT\b": "ALTER CONSTRAINT: drop it and add it again",
        rf"{_TABLE}ADD .*\bPRIMARY KEY USING INDEX\b": "a primary key made of an index: use op.alter_primary_key",
        rf"{_TABLE}ADD .*\bUNIQUE USING INDEX\b": "UNIQUE USING INDEX beside other actions (alone it has)",
        r"SET CONSTRAINTS\b": "deferred constraints",
        r"(?:CREATE|ALTER|DROP) DOMAIN\b": "domains",
        r"(?:CREATE|ALTER|DROP) (?:PUBLICATION|SUBSCRIPTION)\b": "publications and subscriptions",
        r"(?:CREATE|DROP) (?:OR REPLACE )?(?:TRUSTED )?(?:PROCEDURAL )?LANGUAGE\b": "languages of one's own",
        r"(?:CREATE|ALTER|DROP) (?:FOREIGN|SERVER)\b": "foreign tables",
        r"ALTER INDEX .*\bSET \(\)$": "storage parameters of an index that is there",
        r"ALTER SYSTEM\b": "ALTER SYSTEM: use SET CLUSTER SETTING",
        r"SECURITY LABEL\b": "security labels",
        r"REINDEX\b": "REINDEX, and needs none",
        r"(?:NOTIFY|LISTEN|UNLISTEN)\b": "LISTEN and NOTIFY",
        r"MERGE\b": "MERGE: use INSERT .. ON CONFLICT, UPDATE .. FROM and DELETE",
    }.items()
}
#: The same, with the versions that have it.
_SINCE: Final[Mapping[re.Pattern[str], tuple[str, Switch]]] = {
    re.compile(rf"{_COLUMN}(?:ADD GENERATED|SET GENERATED|DROP IDENTITY)\b"): (
        "a change of what a column is GENERATED as", CHANGES_IDENTITY,
    ),
    re.compile(rf"{_TABLE}(?:SET|RESET) \(\)"): ("a change of a table's storage parameters", SETS_PARAMETERS),
}  # fmt: skip
_UNIQUE: Final = re.compile(
    rf"ALTER TABLE (?:IF EXISTS )?(?:ONLY )?(?P<table>{_NAME}) ADD CONSTRAINT (?P<name>{_WORD}) "
    rf"UNIQUE USING INDEX (?P<index>{_WORD})$",
    re.IGNORECASE,
)
_CONTINUE: Final = re.compile(r"(?P<before>TRUNCATE .*) CONTINUE IDENTITY\b(?P<behind>.*)", re.IGNORECASE)
_RESTART: Final = re.compile(
    rf"ALTER SEQUENCE (?:IF EXISTS )?(?P<sequence>{_NAME}) RESTART (?:WITH )?(?P<value>(?:- )?\d+)$", re.IGNORECASE
)


def shape_of(statement: str) -> str:
    """Give the words of a statement with a space between them; empty where it is of another kind, or can't be read."""
    if _BEGIN.match(statement) is None:
        return ""
    try:
        texts = tokenize(_COMMENTS.sub("", statement, count=1)).texts
    except UnreadableDDL:
        return ""
    words, depth = [], 0
    for text in texts:
        if text == ")":
            depth -= 1
        if depth <= 0 and text not in ("", ";"):
            words.append("''" if text.endswith("'") else text)
        if text == "(":
            depth += 1
    return " ".join(words).replace("( )", "()")


def missing_in(shape: str) -> tuple[str, Switch | None] | None:
    """Name what a statement asks for that CockroachDB hasn't, or hadn't always.

    :param shape: from :func:`shape_of`.
    :return: with the switch of the versions that have it, None where none has; nothing for any other statement.
    """
    shape = shape.upper()
    if _UNIQUE.match(shape):
        return None
    never = ((name, None) for pattern, name in _MISSING.items() if pattern.match(shape))
    since = (found for pattern, found in _SINCE.items() if pattern.match(shape))
    return next(chain(never, since), None)


def in_other_words(shape: str, version: tuple[int, int]) -> str | None:
    """Say in CockroachDB's words what a statement of PostgreSQL does.

    :param shape: from :func:`shape_of`.
    :param version: the server's.
    :return: empty where there is nothing to do; None for any other statement.
    """
    if found := _UNIQUE.match(shape):
        # PostgreSQL gives the index the constraint's name; to CockroachDB the two are one.
        if found["name"] == found["index"]:
            return ""
        return f"ALTER INDEX {_together(found['table'])}@{found['index']} RENAME TO {found['name']}"
    if found := _CONTINUE.match(shape):
        return f"{found['before']}{found['behind']}"
    if not RESTARTS_SEQUENCES.on(version) and (found := _RESTART.match(shape)):
        sequence = _together(found["sequence"]).replace("'", "''")
        return f"SELECT setval('{sequence}', {_together(found['value'])}, false)"
    return None


def _together(words: str) -> str:
    return re.sub(r"(?<=\.) | (?=\.)|(?<=-) ", "", words)

"""Was a statement applied whose answer never came? Told by what the catalog said before it was sent.

Before a schema change is sent, what it is about is read from the catalog and kept as a digest, in the journal. Later,
with the statement's session ended and its jobs at their end, the same is read again: another digest means that it was
applied, the same one means that it wasn't, or that it would change nothing. Either way nothing is done twice. So no
rule is needed for any kind of statement, only where to look for what it changes.

Two things are taken for granted: that nobody else changes the very same objects meanwhile, and that the look comes
after the server has let go of the statement.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.engine import Connection

from alembic_cluster.errors import UnreadableDDL
from alembic_crdb.database import reflecting_query
from alembic_crdb.lexer import tokenize
from alembic_crdb.raw import sqlstate_of, tell
from alembic_crdb.transactions import is_schema_change

_UNDEFINED: Final = frozenset({"42P01", "3F000", "3D000", "42809"})  # no such table, schema, database; not a table
REPEATABLE: Final = "repeatable"
# As SHOW CREATE TABLE prints it. It is left out of digests, because it is set off and on around a statement.
_LOCKED: Final = re.compile(r"schema_locked = true(?:, )?")
_OPTIONAL: Final = {"IF", "NOT", "EXISTS", "CONCURRENTLY", "ONLY"}
# What leaves nothing behind in a catalog that could be compared, but does no harm when it is done twice.
_REPEATABLE: Final = re.compile(
    r"(?:BACKFILL|GRANT|REVOKE|COMMENT|REFRESH|TRUNCATE|REASSIGN|ANALYZE|PAUSE|RESUME|CANCEL|ALTER DEFAULT|"
    r"(?:CREATE|ALTER) STATISTICS|(?:SET|RESET) CLUSTER)\b"
)
#: By the kind of object that a CREATE, ALTER or DROP names: where it is to be looked for. All others: everywhere.
_CATALOGS: Final = {
    "DATABASE": "SELECT database_name FROM [SHOW DATABASES] ORDER BY 1",
    "ROLE": "SELECT rolname, rolcanlogin, rolcreatedb, rolcreaterole FROM pg_catalog.pg_roles ORDER BY 1",
    "FUNCTION": "SELECT pronamespace, proname, proargtypes::STRING, prosrc FROM pg_catalog.pg_proc "
    "WHERE pronamespace NOT IN (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname IN "
    "('crdb_internal', 'information_schema', 'pg_catalog', 'pg_extension')) ORDER BY 1, 2, 3, 4",
    "TRIGGER": "SELECT tgrelid, tgname, tgenabled, tgtype FROM pg_catalog.pg_trigger ORDER BY 1, 2",
    "POLICY": "SELECT * FROM pg_catalog.pg_policies ORDER BY 1, 2, 3",
    "SCHEMA": "SELECT nspname, nspowner FROM pg_catalog.pg_namespace ORDER BY 1, 2",
    "TYPE": "SELECT n.nspname, t.typname, t.typowner, e.enumsortorder, e.enumlabel FROM pg_catalog.pg_type AS t "
    "JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace LEFT JOIN pg_catalog.pg_enum AS e "
    "ON e.enumtypid = t.oid WHERE n.nspname NOT IN ('crdb_internal', 'information_schema', 'pg_catalog', "
    "'pg_extension') ORDER BY 1, 2, 4",
}
_CATALOGS_OF: Final = {"USER": "ROLE", "PROCEDURE": "FUNCTION", "AGGREGATE": "FUNCTION"}
_UNKNOWABLE: Final = frozenset({"SCHEDULE", "CHANGEFEED", "EXTERNAL", "VIRTUAL", "TENANT", "RANGE", "BACKUP"})


@dataclass(frozen=True)
class Evidence:
    """What the catalog said of the objects of a statement.

    :ivar digest: of their definitions; ``repeatable`` for a statement that may be sent twice; None when nothing can be
        told.
    :ivar locked: the tables among them, as they are written, that are locked (``schema_locked``).
    """

    digest: str | None
    locked: tuple[str, ...] = ()


def look(connection: Connection, statement: str) -> Evidence:
    """Read from the catalog what a schema change is about.

    :param statement: its beginning is enough.
    """
    preparer: Any = connection.dialect.identifier_preparer
    if preparer._double_percents:  # some drivers get their statements so
        statement = statement.replace("%%", "%")
    words = _words(statement)
    if _REPEATABLE.match(" ".join(words[:2])):
        return Evidence(REPEATABLE)
    if not is_schema_change(statement) or _kind(words) in _UNKNOWABLE:
        return Evidence(None)
    tables = tables_of(statement)
    if tables:
        kind = next((word for word in ("VIEW", "SEQUENCE") if word == _kind(words)), "TABLE")
        texts = [_create_statement(connection, kind, table) for table in tables]
        locked = tuple(table for table, text in zip(tables, texts, strict=True) if _LOCKED.search(text))
        return Evidence(_digest([_LOCKED.sub("", text) for text in texts]), locked)
    kind = _CATALOGS_OF.get(_kind(words), _kind(words))
    query = _CATALOGS.get(kind) or reflecting_query(connection)
    return Evidence(_digest(sorted(map(repr, tell(connection, query)))))


def _digest(found: list[Any]) -> str:
    return hashlib.sha256(repr(found).encode()).hexdigest()


def _words(statement: str) -> list[str]:
    try:
        return [token.upper() for token in tokenize(_plain(statement)).texts if token][:6]
    except UnreadableDDL:
        return [word.upper() for word in re.findall(r"[A-Za-z_]+", statement)[:6]]


def _plain(statement: str) -> str:
    """Take out block comments, which the tokenizer of server output does not know."""
    return re.sub(r"/\*.*?\*/", " ", statement, flags=re.DOTALL)


def _kind(words: list[str]) -> str:
    modifiers = {"OR", "REPLACE", "TEMP", "TEMPORARY", "UNLOGGED", "MATERIALIZED", "UNIQUE", "INVERTED", "VECTOR"}
    return next((word for word in words[1:] if word not in modifiers), "")


def tables_of(statement: str) -> list[str]:
    """Give the tables, as they are written, that a statement about tables or their indexes changes; views likewise.

    :return: none when it is about something else, or names an index without its table.
    """
    plain = _plain(statement)
    try:
        tokens, starts = tokenize(plain)
    except UnreadableDDL:
        return []
    words = [token.upper() for token in tokens]
    verb, kind = words[0], _kind(words[:6])
    if kind not in ("TABLE", "INDEX", "VIEW", "SEQUENCE") or verb not in ("CREATE", "ALTER", "DROP"):
        return []
    at = words.index(kind) + 1
    if kind == "INDEX" and verb == "CREATE":
        if "ON" not in words[at:]:
            return []
        at = words.index("ON", at) + 1
    while words[at] in _OPTIONAL:
        at += 1
    found: list[str] = []
    while True:
        begin = at
        while tokens[at + 1] == ".":
            at += 2
        if not tokens[at] or (kind == "INDEX" and verb != "CREATE" and tokens[at + 1] != "@"):
            return []
        found.append(plain[starts[begin] : starts[at]] + tokens[at])
        at += 3 if tokens[at + 1] == "@" else 1
        if verb != "DROP" or tokens[at] != ",":
            return found
        at += 1


def _create_statement(connection: Connection, kind: str, name: str) -> str:
    try:
        rows = tell(connection, f"SELECT create_statement FROM [SHOW CREATE {kind} {name}]")
    except Exception as error:
        if sqlstate_of(error) in _UNDEFINED:
            return ""
        raise
    return str(rows[0][0])


def end_session(connection: Connection, session: str, *, pause: Callable[[float], None] = time.sleep) -> None:
    """Have the server end a session, so that nothing more comes of it, and wait until it has.

    A user may end sessions of their own (documentation, page "CANCEL SESSION").

    :param session: its id; nothing happens when there is none with it, or when it is the connection's own.
    """
    query = "SELECT count(*) FROM [SHOW SESSIONS] WHERE session_id = CAST(:session AS STRING)"
    (own,) = tell(connection, "SELECT session_id FROM [SHOW session_id]")[0]
    if not session or session == own:
        return
    waited = 0.0
    while tell(connection, query, session=session)[0][0] and waited < 10:
        if waited in (0.0, 5.0):
            tell(connection, "CANCEL SESSIONS IF EXISTS (SELECT CAST(:session AS STRING))", session=session)
        pause(0.05)
        waited += 0.05


#: What is told of a single table that is not there.
ABSENT: Final = _digest([""])

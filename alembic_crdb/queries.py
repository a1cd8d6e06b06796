"""Queries of views in one spelling: the server formats the model's, and names of its own database are left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.engine import Connection

from alembic_cluster.errors import UnreadableDDL
from alembic_crdb.lexer import quote_string, read_name, tokenize
from alembic_crdb.snapshot import Snapshot
from alembic_crdb.to_metadata import sql


def in_one_spelling(
    connection: Connection, database: Snapshot, model: Snapshot, default_schema: str
) -> tuple[Snapshot, Snapshot]:
    """Give both snapshots with their views' queries in the same spelling, so that equal ones are equal.

    The server is asked once for the form of all of the model's queries (``SHOW SYNTAX``); it sends no query to a table.
    A query that it can't read stays as it is, and is refused when it is executed.

    :param connection: to the database.
    :param default_schema: its default schema.
    """
    both = [key for key in model.views if key in database.views]
    if not both:
        return database, model
    formatted = _formatted(connection, [model.views[key].query for key in both])
    wanted = dict(model.views)
    for key, query in zip(both, formatted, strict=True):
        have = database.views[key].query
        if _tokens(have, default_schema) == _tokens(query, default_schema):
            wanted[key] = replace(wanted[key], query=have)
    return database, replace(model, views=wanted)


def without_database(query: str, database: str) -> str:
    """Take the name of its own database out of a query, as in ``d.public.t``.

    :param query: as the server prints it.
    :param database: the database's name.
    """
    try:
        tokens = tokenize(query)
    except UnreadableDDL:
        return query
    kept, done = [], 0
    texts, starts = tokens.texts, tokens.starts
    for at, token in enumerate(texts):
        first = at == 0 or texts[at - 1] != "."
        if first and texts[at + 1 : at + 4 : 2] == [".", "."] and _name(token) == database:
            kept.append(query[done : starts[at]])
            done = starts[at + 2]
    return "".join(kept) + query[done:]


def _formatted(connection: Connection, queries: Sequence[str]) -> list[str]:
    selects = [
        f"SELECT {position}, field, message FROM [SHOW SYNTAX {quote_string(query)}]"
        for position, query in enumerate(queries)
    ]
    found = list(queries)
    for position, field, message in connection.execute(sql(" UNION ALL ".join(selects))):
        if field == "sql":
            found[position] = message
    return found


def _tokens(query: str, default_schema: str) -> list[str]:
    """Cut a query into tokens, without the default schema's name before a table."""
    try:
        tokens = [token for token in tokenize(query).texts if token]
    except UnreadableDDL:
        return query.split()
    kept: list[str] = []
    at = 0
    while at < len(tokens):
        first = not kept or kept[-1] != "."
        if first and tokens[at + 1 : at + 2] == ["."] and _name(tokens[at]) == default_schema:
            at += 2
            continue
        kept.append(tokens[at])
        at += 1
    return kept


def _name(token: str) -> str:
    return read_name(token) if token[:1] == '"' or token[:1].isalpha() or token[:1] == "_" else token

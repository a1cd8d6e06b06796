"""CockroachDB's canonical DDL, which the ``SHOW CREATE`` statements print, to catalog objects; needs no database.

The texts of all versions from v21.1 to v26.x are read. ``to_sql(parse(text))`` gives the text again, and
``parse(to_sql(x))`` gives ``x``. What is not understood is refused by name
(:class:`~alembic_cluster.errors.UnreadableDDL`); nothing is ever left out.
"""

from __future__ import annotations

from collections.abc import Iterable

from alembic_cluster.errors import UnreadableDDL
from alembic_crdb.catalog import SQLType
from alembic_crdb.catalog_objects import Script, Statement
from alembic_crdb.parser_statements import StatementCursor
from alembic_crdb.printer import to_sql

__all__ = ["UnreadableDDL", "parse", "parse_one", "parse_rows", "parse_type", "to_sql"]


def parse(text: str) -> Script:
    """Read the statements of a text.

    :param text: what a ``SHOW CREATE`` statement gave, of any length; linear time.
    :returns: the statements in their order.
    :raises UnreadableDDL: at the first thing that is no statement of CockroachDB's canonical DDL.
    """
    return StatementCursor(text).script()


def parse_rows(rows: Iterable[str]) -> Script:
    """Read rows of which each holds one or more statements, with their semicolons or without.

    :param rows: the column ``create_statement`` of ``SHOW CREATE ALL TABLES`` and the like.
    :raises UnreadableDDL: as in :func:`parse`.
    """
    # A line of its own, because a row may end in a comment.
    return StatementCursor("\n;\n".join(rows)).script()


def parse_one(text: str) -> Statement:
    """Read a text that holds exactly one statement.

    :raises UnreadableDDL: as in :func:`parse`, and when it holds none or more than one.
    """
    script = parse(text)
    if len(script) != 1:
        raise UnreadableDDL(f"expected one statement, found {len(script)}", text, 0)
    return script.statements[0]


def parse_type(text: str) -> SQLType:
    """Read a type, its keywords in any case: ``DECIMAL(10,2)``, ``timestamp with time zone``, ``public.status[]``.

    :raises UnreadableDDL: when it is none.
    """
    cursor = StatementCursor(text)
    kind = cursor.type(any_case=True)
    if cursor.texts[cursor.at]:
        raise cursor.fail("the end of the type")
    return kind

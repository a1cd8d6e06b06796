"""Names and strings in the text that SQLAlchemy compiles, quoted as CockroachDB reads them."""

from __future__ import annotations

from copy import copy
from typing import Any

from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import IdentifierPreparer

from alembic_crdb.lexer import QUOTED_WORDS


def quote_as_server(dialect: Dialect) -> None:
    """Make a dialect object quote CockroachDB's keywords, and leave backslashes in strings as they are.

    The dialect of PostgreSQL, on which it stands, doubles backslashes until it has asked a server.
    """
    preparer: Any = dialect.identifier_preparer
    if not preparer.reserved_words >= QUOTED_WORDS:
        preparer.reserved_words = preparer.reserved_words | QUOTED_WORDS
        preparer._strings.clear()  # how names were written before
    dialect._backslash_escapes = False  # type: ignore[attr-defined]


def plain_preparer(preparer: IdentifierPreparer) -> IdentifierPreparer:
    """Give a preparer of names that writes ``%`` as it is, not doubled for a driver.

    :param preparer: what it is made from; it stays as it is.
    """
    plain: Any = copy(preparer)
    plain._double_percents = False
    plain._strings = {}
    plain.reserved_words = plain.reserved_words | QUOTED_WORDS
    return plain  # type: ignore[no-any-return]

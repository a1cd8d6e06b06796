"""What sqlalchemy-cockroachdb's dialect lacks, given to a dialect object.

Nothing of it changes the dialect's class: an engine gets it with its first connection (see
:mod:`alembic_crdb.plugin`), an offline run when Alembic makes our implementation for it.
"""

from __future__ import annotations

from sqlalchemy.engine import Dialect

from alembic_crdb import compiler as compiler
from alembic_crdb.lexer import QUOTED_WORDS
from alembic_crdb.reflection import CockroachInspector


def adapt(dialect: Dialect) -> None:
    """Make one dialect object quote CockroachDB's keywords and reflect what the server has.

    Doing it again changes nothing.

    :param dialect: a dialect of sqlalchemy-cockroachdb, with any driver.
    """
    preparer = dialect.identifier_preparer
    preparer.reserved_words = preparer.reserved_words | QUOTED_WORDS
    dialect.inspector = CockroachInspector  # type: ignore[attr-defined]

"""What ``create_all`` sends, without a server."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect, make_url

from alembic_crdb import versions
from alembic_crdb.dialect import adapt

#: The drivers' dialects write ``%`` differently, and cast differently.
DRIVERS = ("psycopg2", "psycopg", "asyncpg")


def dialect_for(driver: str = "psycopg", version: tuple[int, int] | None = None) -> Dialect:
    """Give a dialect object as an engine has it at its first connection.

    :param version: of the server; offline when None.
    """
    dialect: Dialect = make_url(f"cockroachdb+{driver}://root@localhost/d").get_dialect()()
    adapt(dialect)
    if version is not None:
        dialect.alembic_crdb_version = version  # type: ignore[attr-defined]
        assert versions.version_of(dialect) == version
    return dialect


def text_of(element: Any, dialect: Dialect) -> str:
    """Give a statement's text as the server gets it, every run of white space as one blank."""
    text = str(element.compile(dialect=dialect))
    doubled: Any = dialect.identifier_preparer
    return " ".join((text.replace("%%", "%") if doubled._double_percents else text).split())


def raw_text_of(element: Any, dialect: Dialect) -> str:
    """Give a statement's text as the server gets it."""
    text = str(element.compile(dialect=dialect))
    doubled: Any = dialect.identifier_preparer
    return text.replace("%%", "%") if doubled._double_percents else text


def created(metadata: sa.MetaData, dialect: Dialect) -> list[str]:
    """Give the statements of ``create_all``."""
    return _sent(metadata.create_all, dialect)


def dropped(metadata: sa.MetaData, dialect: Dialect) -> list[str]:
    """Give the statements of ``drop_all``."""
    return _sent(metadata.drop_all, dialect)


def _sent(run: Any, dialect: Dialect) -> list[str]:
    sent: list[str] = []
    engine: Any = sa.create_mock_engine(
        "cockroachdb://", lambda element, *_, **__: sent.append(raw_text_of(element, dialect))
    )
    engine._dialect = dialect
    run(engine, checkfirst=False)
    return sent

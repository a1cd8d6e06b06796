"""Each construct that a model can say, alone: the model, the DDL of it, and what a v21.1 server makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

Build = Callable[[sa.MetaData], Any]
Make = Callable[[], Any]


@dataclass(frozen=True)
class Construct:
    """One construct.

    :param name: of the test.
    :param build: puts it into a MetaData.
    :param emitted: texts that the DDL for the newest server must have, white space aside.
    :param shown: texts that SHOW CREATE of v21.1 must have; None where that version does not know the construct.
    """

    name: str
    build: Build
    emitted: tuple[str, ...]
    shown: tuple[str, ...] | None = ()


def plain_key() -> sa.Column[int]:
    """Make a primary key that is no SERIAL."""
    return sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False)


def table(*items: Make, key: Make = plain_key, **options: Any) -> Build:
    """Give what makes a table ``t`` with a primary key and what the items make."""
    return lambda metadata: sa.Table("t", metadata, key(), *(item() for item in items), **options)


def column(type_: Any, *items: Any, **options: Any) -> Build:
    """Give what makes a table with one column ``c``."""
    return table(lambda: sa.Column("c", type_, *(item._copy() for item in items), **options))


def two(*items: Make, **options: Any) -> Build:
    """Give what makes a table with two columns, ``a`` and ``b``, and what the items make."""
    return table(lambda: sa.Column("a", sa.Integer), lambda: sa.Column("b", sa.Integer), *items, **options)

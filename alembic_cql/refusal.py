"""How what CQL lacks is refused."""

from __future__ import annotations

from typing import NoReturn

from alembic_cluster.errors import UnsupportedConstruct


def refuse(what: str, instead: str) -> NoReturn:
    """Refuse a construct.

    :param what: what CQL has not, such as ``JOIN``.
    :param instead: what to do instead.
    :raises UnsupportedConstruct: always.
    """
    raise UnsupportedConstruct(f"CQL has no {what}: {instead}; nothing was sent")

"""What a database's package looks at for ``doctor``: one look that fails doesn't keep the others from being told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from sqlalchemy.engine import Connection

from alembic_cluster.errors import first_line

#: The name, ``ok``, ``warning`` or ``failed``, what was found, what to do.
Finding: TypeAlias = tuple[str, str, str, str]
Look: TypeAlias = Callable[[Connection], Iterator[Finding]]


def findings(connection: Connection, *looks: Look) -> Iterator[Finding]:
    """Give what some functions find; one that fails is told as a warning in its name."""
    for look in looks:
        try:
            found = list(look(connection))
        except Exception as error:
            found = [(look.__name__.strip("_"), "warning", f"could not be looked at: {first_line(error)}", "")]
        yield from found

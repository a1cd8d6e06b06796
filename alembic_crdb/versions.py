"""What differs between CockroachDB's versions: each difference a named switch with its source."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.engine import Connection


@dataclass(frozen=True)
class Switch:
    """Something that servers do since a version.

    :param since: the first version that does it, as ``(26, 2)`` for v26.2.
    :param source: where the server's makers say so.
    """

    since: tuple[int, int]
    source: str

    def on(self, version: tuple[int, int]) -> bool:
        """Tell whether a server of this version does it."""
        return version >= self.since


#: ``ALTER TABLE ... DROP CONSTRAINT`` takes a unique constraint; before, only ``DROP INDEX ... CASCADE`` does.
DROPS_UNIQUE_CONSTRAINT: Final = Switch((26, 2), "https://github.com/cockroachdb/cockroach/issues/42840")

#: ``SHOW CREATE ALL SCHEMAS`` and ``SHOW CREATE ALL TYPES``, and materialized views printed as such.
SHOWS_CREATE_ALL_TYPES: Final = Switch((21, 2), "https://www.cockroachlabs.com/docs/releases/v21.2")

_VERSION: Final = re.compile(r"\bv(\d+)\.(\d+)")


def parse_version(answer: str) -> tuple[int, int]:
    """Read the version out of what ``SELECT version()`` answers.

    :raises ValueError: there is none in it.
    """
    match = _VERSION.search(answer)
    if match is None:
        raise ValueError(f"no CockroachDB version in {answer!r}")
    return int(match[1]), int(match[2])


def server_version(connection: Connection) -> tuple[int, int]:
    """Ask a server for its version, as ``(25, 2)`` for v25.2.1."""
    return parse_version(connection.scalar(text("SELECT version()")) or "")

"""Statements of PostgreSQL that revisions send as text: done in CockroachDB's way, or refused before they are sent.

* ``SET LOCAL`` lasts until the end of a transaction, and here each statement is one: it is sent as ``SET`` and lasts
  until the end of the revision's function, as it does on PostgreSQL.
* ``CREATE EXTENSION`` for what is built into CockroachDB sends nothing, ``DROP EXTENSION`` neither.
* ``SET lock_timeout`` is left out where the server has none: it only waits longer then.
* What the server's version has no statement for is refused by name, or said in other words
  (:mod:`alembic_crdb.postgres_shapes`).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final

from sqlalchemy.exc import SQLAlchemyError

from alembic_cluster.errors import UnsupportedConstruct
from alembic_crdb.lexer import LEADING_COMMENTS
from alembic_crdb.postgres_shapes import in_other_words, missing_in, shape_of
from alembic_crdb.versions import BUILT_IN_EXTENSIONS, LOCK_TIMEOUT, STATEMENTS, Switch

log = logging.getLogger("alembic.cockroachdb")  # below the logger that alembic.ini sets up
_FLAGS = re.IGNORECASE | re.DOTALL
_EXTENSION: Final = re.compile(
    LEADING_COMMENTS + r'(?P<verb>CREATE|DROP)\s+EXTENSION\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?("?)(?P<name>[\w-]+)\2',
    _FLAGS,
)
_SET_LOCAL: Final = re.compile(LEADING_COMMENTS + r"SET\s+LOCAL\s+(?P<rest>(?P<name>[\w.]+)\b.*)", _FLAGS)
_LOCK_TIMEOUT: Final = re.compile(LEADING_COMMENTS + r"SET\s+(?:LOCAL\s+|SESSION\s+)?lock_timeout\b", _FLAGS)
_COMPATIBILITY: Final = "https://www.cockroachlabs.com/docs/stable/postgresql-compatibility"
_KINDS: Final[Mapping[re.Pattern[str], tuple[str, Switch | None]]] = {
    re.compile(LEADING_COMMENTS + words.replace(" ", r"\s+") + r"\b", _FLAGS): (name, switch)
    for words, (name, switch) in STATEMENTS.items()
}


class PostgresTexts:
    """What one run does with such texts.

    :param impl: Alembic's implementation: sends what is to be sent.
    """

    def __init__(self, impl: Any) -> None:
        self._impl = impl
        self._set: dict[str, None] = {}

    def take(self, text: str) -> bool:
        """Do what a statement asks for in CockroachDB's way.

        :return: whether that is done, so that the statement is not to be sent.
        :raises UnsupportedConstruct: the server has no statement for it; nothing was sent.
        """
        if _LOCK_TIMEOUT.match(text) and not LOCK_TIMEOUT.on(self._impl._version):
            if self._impl.rehearsal is None:
                log.warning(
                    "lock_timeout came with CockroachDB v%d.%d: what the revision sets is left out, and statements "
                    "wait as long as they have to (%s).", *LOCK_TIMEOUT.since, LOCK_TIMEOUT.source,
                )  # fmt: skip
            return True
        if found := _SET_LOCAL.match(text):
            self._set[found["name"]] = None
            self._impl._exec(f"SET {found['rest']}")
            return True
        if found := _EXTENSION.match(text):
            name = found["name"].lower()
            if found["verb"].upper() == "CREATE" and name not in BUILT_IN_EXTENSIONS:
                raise _not_here(f"extension {name}")
            self._tell_of(name)
            return True
        shape = shape_of(text)
        kinds = (kind for pattern, kind in _KINDS.items() if pattern.match(text))
        if (missing := next(kinds, None) or missing_in(shape)) is not None:
            name, switch = missing
            if switch is None:
                raise _not_here(name)
            switch.require(self._impl._version, name)
        words = in_other_words(shape, self._impl._version)
        if words:
            self._impl._exec(words)
        return words is not None

    def _tell_of(self, extension: str) -> None:
        """Say of an extension that came later than the server: what uses it is refused by itself."""
        switch = BUILT_IN_EXTENSIONS.get(extension)
        version = self._impl._version
        if switch is not None and not switch.on(version) and self._impl.rehearsal is None:
            log.warning(
                "What extension %s is for came with CockroachDB v%d.%d, and the server is v%d.%d. Nothing was sent; "
                "what uses it is refused by name (%s).", extension, *switch.since, *version, switch.source,
            )  # fmt: skip

    @contextmanager
    def until_the_end(self) -> Iterator[None]:
        """Set back, behind a ``with`` block, what was set in it by ``SET LOCAL``."""
        self._set.clear()
        try:
            yield
        except BaseException:
            with suppress(SQLAlchemyError):  # the first error is the one to see
                self._reset()
            raise
        self._reset()

    def _reset(self) -> None:
        while self._set:
            self._impl._exec(f"RESET {self._set.popitem()[0]}")


def _not_here(what: str) -> UnsupportedConstruct:
    return UnsupportedConstruct(
        f"CockroachDB has no {what}. Nothing of it was sent; send it to PostgreSQL only, where "
        f"op.get_context().dialect.name is 'postgresql' ({_COMPATIBILITY})"
    )

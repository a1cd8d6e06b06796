"""What a revision sends, done in CockroachDB's way where it is written for PostgreSQL, whichever way it is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Executable, TextClause
from sqlalchemy.engine import Connection
from sqlalchemy.exc import ArgumentError, IdentifierError
from sqlalchemy.schema import CreateIndex

from alembic_cluster.errors import InvalidModel
from alembic_cluster.gate import Gate, Gates, Kind, Statement
from alembic_crdb.driver_text import plain_text
from alembic_crdb.index_texts import index_of_text, is_postgresqls
from alembic_crdb.key_events import events_of
from alembic_crdb.postgres_texts import PostgresTexts
from alembic_crdb.primary_keys import PrimaryKeys


class Taking:
    """Takes statements of one run.

    :param impl: Alembic's implementation: sends what is to be sent instead.
    :param keys: the primary keys that the run drops and creates.
    :ivar texts: what it does with texts.
    """

    def __init__(self, impl: Any, keys: PrimaryKeys) -> None:
        self._impl = impl
        self._keys = keys
        self.texts = PostgresTexts(impl)

    def take(self, part: Executable | str) -> bool:
        """Do a statement in CockroachDB's way; False for what is to be sent as it is.

        :raises UnsupportedConstruct: the server has nothing of the kind; nothing was sent.
        """
        if self._keys.take(events_of(part, self._impl.dialect)):
            return True
        if not isinstance(part, str | TextClause):
            return False
        words = part if isinstance(part, str) else part.text
        transactions = self._impl._transactions
        if transactions is not None and transactions.take(words):
            if self._impl.rehearsal is not None:
                self._impl.rehearsal.note(words)
            return True
        return self.texts.take(words) or self._take_index(words)

    def take_written(self, statement: str) -> bool:
        """Do likewise with a statement as it goes to the driver."""
        return self.take(plain_text(self._impl.dialect, statement))

    def _take_index(self, words: str) -> bool:
        found = index_of_text(words)
        if found is None:
            return False
        index, if_not_exists = found
        with suppress(InvalidModel, IdentifierError, ArgumentError):  # for the server to answer
            if is_postgresqls(words):
                self._impl.create_index(index, if_not_exists=if_not_exists)
                return True
            CreateIndex(index).compile(dialect=self._impl.dialect)  # refuses what the server's version lacks
        return False

    @contextmanager
    def past_alembic(self, connection: Connection) -> Iterator[None]:
        """Look in a ``with`` block at what a revision sends by ``op.get_bind()`` or a session, too.

        :param connection: the run's.
        """
        gates, gate = Gates.of(connection), _TakingGate(self.take_written)
        gates.add(gate)
        try:
            yield
        finally:
            gates.remove(gate)


class _TakingGate(Gate):
    """Leaves out what is done in CockroachDB's way already."""

    place = 50  # what is left out here is seen by no other gate

    def __init__(self, take: Callable[[str], bool]) -> None:
        self._take = take
        self._taking = False

    def around(self, statement: Statement, send: Callable[[], None]) -> None:
        """Let a statement pass, unless it is taken; what is sent in its place passes."""
        taken = False
        if statement.kind is not Kind.READ and not self._taking:
            self._taking = True
            try:
                taken = self._take(statement.text)
            finally:
                self._taking = False
        if not taken:
            send()

"""What a run on Cassandra and ScyllaDB is governed by: its settings, its gates, and what the keyspace keeps for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from alembic_cluster.errors import OutcomeUnknown
from alembic_cluster.execution import shorten
from alembic_cluster.gate import Gates, Statement
from alembic_cluster.settings import Settings
from alembic_cql._exceptions import SchemaDisagreement
from alembic_cql.answers import AnswerGate, ConcurrentChangeGate, is_refusal
from alembic_cql.builds import BuildGate
from alembic_cql.outcomes import was_applied
from alembic_cql.refusal import missing_keyspace
from alembic_cql.stores import CqlStores

if TYPE_CHECKING:
    from alembic.ddl.impl import DefaultImpl

    _Base = DefaultImpl
else:
    _Base = object


class GovernedExecution(_Base):
    """Mixin for the implementation. Left of Alembic's class."""

    _stores: CqlStores | None = None

    def take_settings(self, settings: Settings) -> None:
        """Take what a run is told.

        :raises ConfigurationError: a setting that can't be.
        """
        if settings.flag("await_builds"):
            assert self.connection is not None
            Gates.of(self.connection).put(BuildGate(self.connection))

    def stores(self, connection: object) -> CqlStores:
        """Give lock, ledger and journal of this run's version table, on a connection.

        :param connection: the run's own, or another one in its place for another thread.
        :raises ConfigurationError: no keyspace is named.
        """
        assert isinstance(connection, Connection)
        if connection is self.connection and self._stores is not None:
            return self._stores
        name = self.context_opts.get("version_table", "alembic_version")
        keyspace = self.context_opts.get("version_table_schema") or self.dialect.default_schema_name
        if keyspace is None:
            raise missing_keyspace()
        made = CqlStores(connection, name, keyspace)
        if connection is self.connection:
            self._stores = made
            gates = Gates.of(connection)
            gates.put(AnswerGate(self.was_applied))
            gates.put(ConcurrentChangeGate())
        return made

    def was_applied(self, statement: Statement) -> bool | None:
        """Look whether a statement was applied whose answer never came; None when that can't be told.

        :raises OutcomeUnknown: the nodes have different answers.
        """
        connection: Any = self.connection
        try:
            connection.connection.dbapi_connection.await_agreement()
        except SchemaDisagreement as error:
            raise OutcomeUnknown(
                "The nodes don't agree on the schema, so what came of a statement of the run before can't be told: "
                f"{shorten(statement.text)} {str(error).removeprefix('the statement was applied, but ')}. "
                "Nothing was sent."
            ) from error
        return was_applied(connection, statement.text)

    def is_refusal(self, error: BaseException) -> bool:
        """Tell whether an exception says that a statement is not applied."""
        return is_refusal(error)

"""What a run on CockroachDB is governed by: its settings, its gates, and what the database keeps for it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from alembic import context
from sqlalchemy.engine import Connection

from alembic_cluster.execution import WatchedExecution
from alembic_cluster.gate import Gates, Statement
from alembic_cluster.progress import reporter_of
from alembic_cluster.settings import Settings
from alembic_crdb.answers import AnswerGate, TransactionGate
from alembic_crdb.cursors import CursorGate
from alembic_crdb.jobs import Job, Listener, sentence
from alembic_crdb.locked import UnlockGate
from alembic_crdb.raw import is_unanswered
from alembic_crdb.retries import RetryGate
from alembic_crdb.settings import RunSettings
from alembic_crdb.simple_query import SimpleQueryGate
from alembic_crdb.stores import CockroachStores
from alembic_crdb.transactions import Transactions
from alembic_crdb.watching import JobsGate

log = logging.getLogger("alembic.cockroachdb")  # below the logger that alembic.ini sets up

if TYPE_CHECKING:
    from alembic_cluster.backfill_job import Job as BackfillJob
    from alembic_crdb.backfill import CockroachBackfill

    _Base = WatchedExecution
else:
    _Base = object


class GovernedExecution(_Base):
    """Mixin for the Alembic implementation, left of :class:`~alembic_cluster.execution.WatchedExecution`."""

    #: Is told how far the schema-change jobs of this run are; None has them logged.
    job_listener: Listener | None = None
    _settings = RunSettings()
    _governed: Transactions | None = None  # those of a run whose connection is in autocommit
    _stores: CockroachStores | None = None

    def govern_statements(self, transactions: Transactions) -> None:
        """Set the session and the gates of a run up, on a connection in autocommit.

        :raises ConfigurationError: a setting that can't be read, or that the server lacks.
        """
        assert self.connection is not None
        self._governed = transactions
        self._set_up(RunSettings.of(Settings(context.config)))
        gates = Gates.of(self.connection)
        for gate in (CursorGate(transactions), UnlockGate(), JobsGate(self._on_job)):
            gates.put(gate)
        if self.dialect.driver == "asyncpg":
            gates.put(SimpleQueryGate())

    def take_settings(self, settings: Settings) -> None:
        """Hear what the run was told, arguments of ``migration_lock`` included.

        :raises ConfigurationError: a setting that can't be read, or that the server lacks.
        """
        told = RunSettings.of(settings)
        if self._governed is not None and told != self._settings:
            self._set_up(told)

    def _set_up(self, settings: RunSettings) -> None:
        assert self.connection is not None
        assert self._governed is not None
        settings.apply(self.connection)
        self._settings = settings
        self._retry(None if self._stores is None else self._stores.connect_again)

    def _retry(self, connect_again: Callable[[], None] | None) -> None:
        assert self.connection is not None
        assert self._governed is not None
        Gates.of(self.connection).put(
            RetryGate(self._governed, tries=self._settings.tries, listener=self._on_job, connect_again=connect_again)
        )

    def _on_job(self, job: Job) -> None:
        reporter = None if self.connection is None else reporter_of(self.connection)
        if self.job_listener is not None:
            self.job_listener(job)
        elif reporter is not None:
            reporter.statement_is_at(job.fraction, sentence(job))
        else:
            log.info("%s", sentence(job))

    def stores(self, connection: object) -> CockroachStores:
        """Give lock, ledger and journal of this run's version table, on a connection.

        :param connection: the run's own, or another one in its place for another thread.
        """
        assert isinstance(connection, Connection)
        if connection is not self.connection:
            return self._stores_on(connection)
        if self._stores is None:
            self._stores = self._stores_on(connection)
            self._stores.restore = self._settings.apply
            self._stores.lifted = self._settings.lifted
            transactions = Transactions.of(connection, self.progress)
            self._stores.is_inside = lambda: transactions.is_open
            gates = Gates.of(connection)
            gates.put(TransactionGate(self._stores, transactions))
            gates.put(AnswerGate(self._stores, transactions))
            if self._governed is not None:
                self._retry(self._stores.connect_again)
        return self._stores

    def _stores_on(self, connection: Connection) -> CockroachStores:
        options = self.context_opts
        return CockroachStores(
            connection,
            options.get("version_table", "alembic_version"),
            options.get("version_table_schema"),
            self._on_job,
        )

    def is_refusal(self, error: BaseException) -> bool:
        """Tell whether an exception of the driver is the server's word that a statement is not applied."""
        assert self.connection is not None
        dialect: Any = self.dialect
        return isinstance(error, dialect.dbapi.Error) and not is_unanswered(self.connection, error)

    def was_applied(self, statement: Statement) -> bool | None:
        """Look whether a statement was applied whose answer never came; None when that can't be told."""
        assert self.connection is not None
        return self.stores(self.connection).was_applied(statement)

    @staticmethod
    def backfill_source(job: BackfillJob) -> CockroachBackfill:
        """Give what does backfills, see :mod:`alembic_cluster.backfill_source`."""
        from alembic_crdb.backfill import CockroachBackfill

        return CockroachBackfill(job)

"""Lint in ``upgrade``: what a revision sends is looked at right before it is sent, and findings are warnings."""

from __future__ import annotations

import logging
from typing import Any

from alembic_cluster.lint.messages import SEVERITIES
from alembic_cluster.settings import Settings

log = logging.getLogger("alembic.cluster.lint")  # below the logger that alembic.ini sets up

_OF_THE_GUARD = "AL001"  # which refuses what loses data, or has been told that it may


def watch_for_findings(migration: Any, settings: Settings) -> None:
    """Have a run log what lint finds about the revisions that it upgrades.

    The setting ``lint`` is the least severity to log: ``error``, ``warning`` (the default), ``info``, or ``off``.

    :param migration: Alembic's ``MigrationContext``.
    :raises ConfigurationError: ``lint`` is none of these.
    """
    least = settings.choice("lint", (*SEVERITIES, "off"), "warning")
    if least != "off" and hasattr(migration.impl, "statements"):
        migration.impl.watchers = [*migration.impl.watchers, _Watcher(migration.impl, settings, least)]


class _Watcher:
    def __init__(self, impl: Any, settings: Settings, least: str) -> None:
        self._impl = impl
        self._settings = settings
        self._least = least

    def revision_begins(self, step: Any, rehearsal: Any) -> None:
        """Log the findings of an upgrade; a rule that fails stops nothing."""
        if not step.is_upgrade:
            return
        try:
            for finding in self._findings(step.revision, rehearsal):
                log.warning("%s:%s: %s %s", finding.path, finding.line, finding.code, finding.text)
        except Exception as error:
            log.debug("revision %s could not be linted: %s", step.revision.revision, error)

    def _findings(self, script: Any, rehearsal: Any) -> list[Any]:
        from alembic_cluster.lint.run import Severities, lint_read
        from alembic_cluster.reading import ReadRevision, read_rehearsal

        known = self._impl.known()
        read = ReadRevision(script, "upgrade", complete=rehearsal.complete)
        read_rehearsal(read, rehearsal, self._impl, known)
        found = lint_read(read, self._impl.dialect.name, Severities(self._settings), known, set())
        limit = SEVERITIES.index(self._least)
        found = [each for each in found if each.code != _OF_THE_GUARD]
        return [each for each in found if SEVERITIES.index(each.severity) <= limit]

    def revision_ends(self, error: BaseException | None) -> None:
        """Do nothing."""

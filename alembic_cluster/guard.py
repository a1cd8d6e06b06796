"""What loses data runs only where somebody has said that it may.

A statement loses data when :mod:`alembic_cluster.statements` says so: drops, types that hold less, a time to live on
rows that are there, truncation, a DELETE without WHERE. It is refused before the revision's first statement, from the
statements that its rehearsal told; one that a rehearsal could not foresee is refused right before it is sent.

It is allowed, each way being enough on its own:

* for one run: ``--allow-destructive`` of ``alembic-cluster upgrade`` and ``downgrade``, or ``-x allow-destructive``
* for one revision: ``allow_destructive = True`` at the top of its file; ``"upgrade"`` or ``"downgrade"`` for one way
* for a project: ``alembic_cluster.allow_destructive = true`` in ``alembic.ini``, or for downgrades only,
  ``alembic_cluster.allow_destructive_downgrade = true``
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import Connection

from alembic_cluster import gate
from alembic_cluster.errors import ConfigurationError, DestructiveRefused
from alembic_cluster.execution import shorten
from alembic_cluster.settings import Settings
from alembic_cluster.statements import Known, Reads, Statement

if TYPE_CHECKING:
    from alembic_cluster.rehearsal import Rehearsal

_SHOWN = 10  # statements that a message lists; the error has all


@dataclass(frozen=True)
class Policy:
    """What may lose data in a run.

    :ivar upgrade: whether every upgrade may.
    :ivar downgrade: whether every downgrade may.
    """

    upgrade: bool = False
    downgrade: bool = False

    @classmethod
    def of(cls, settings: Settings) -> Policy:
        """Read it from a run's settings.

        :raises ConfigurationError: one of them is neither true nor false.
        """
        every = settings.flag("allow_destructive")
        return cls(every, every or settings.flag("allow_destructive_downgrade"))

    def allows(self, module: Any, direction: str) -> bool:
        """Tell whether a revision may lose data.

        :param module: the revision's module.
        :param direction: ``upgrade`` or ``downgrade``.
        :raises ConfigurationError: its ``allow_destructive`` is nothing that it can be.
        """
        said = getattr(module, "allow_destructive", False)
        if said not in (True, False, "upgrade", "downgrade"):
            raise ConfigurationError(
                f"allow_destructive of revision {getattr(module, 'revision', '')} is {said!r}, and must be True, "
                'False, "upgrade" or "downgrade". Nothing of the revision was sent.'
            )
        return said is True or said == direction or (self.upgrade if direction == "upgrade" else self.downgrade)


def read_all(impl: Reads, texts: Iterable[str], known: Known | None = None) -> list[Statement]:
    """Read the statements of a revision in their order.

    :param impl: the implementation of the database.
    :param texts: as they would be sent; each may hold several statements.
    :param known: what is known before them.
    """
    known = Known() if known is None else known
    return [statement for text in texts for statement in impl.statements(text, known)]


def refuse_losses(statements: Sequence[Statement], revision: str, direction: str, *, sent: str = "") -> None:
    """Refuse statements that lose data.

    :param statements: of one revision, in order.
    :param revision: its identifier.
    :param direction: ``upgrade`` or ``downgrade``.
    :param sent: what of the revision was applied before; empty when nothing was.
    :raises DestructiveRefused: at least one of them does; it names each.
    """
    losing = [statement for statement in statements if statement.losses]
    if not losing:
        return
    shown = [
        f"({number}) {shorten(statement.text)} - {'; '.join(effect.destructive for effect in statement.losses)}"
        for number, statement in enumerate(losing[:_SHOWN], 1)
    ]
    if len(losing) > _SHOWN:
        shown.append(f"and {len(losing) - _SHOWN} more")
    count = "1 statement loses" if len(losing) == 1 else f"{len(losing)} statements lose"
    raise DestructiveRefused(
        f"Revision {revision}, {direction}(): {count} data, and nobody has allowed it: {' '.join(shown)}. "
        f"{sent or 'Nothing of the revision was sent.'} To run it, add --allow-destructive to alembic-cluster "
        f"{direction} (or -x allow-destructive to alembic), or write allow_destructive = True into the revision.",
        losing,
    )


def guard_run(impl: Any, connection: Connection, settings: Settings) -> Guard:
    """Have a run refuse what loses data. Call it before ``context.run_migrations()``.

    :param impl: the implementation of the run's database; one that can't say what a statement does is not guarded.
    :param connection: the run's.
    :param settings: what the run was told.
    :raises ConfigurationError: a setting is nothing that it can be.
    """
    guard = Guard(impl, Policy.of(settings))
    if hasattr(impl, "statements"):
        impl.watchers = [*impl.watchers, guard]
        gate.Gates.of(connection).add(guard)
    return guard


class Guard(gate.Gate):
    """Refuses what loses data: a whole revision by its rehearsal, and each statement that was not foreseen.

    :param impl: the implementation of the database.
    :param policy: what the run may lose.
    """

    place = gate.Place.GUARD

    def __init__(self, impl: Reads, policy: Policy) -> None:
        self._impl = impl
        self._policy = policy
        self._watched: tuple[str, str] | None = None  # revision and direction that run without permission
        self._known = Known()
        self._passed = 0  # changes that this revision has sent

    def revision_begins(self, step: Any, rehearsal: Rehearsal) -> None:
        """Look a revision over before its first statement.

        :param step: Alembic's step.
        :param rehearsal: what its function would send.
        :raises DestructiveRefused: it would lose data, and may not.
        """
        direction = "upgrade" if step.is_upgrade else "downgrade"
        script = step.revision
        self._watched = None
        if self._policy.allows(script.module, direction):
            return
        self._known, self._passed = self._impl.known(), 0
        statements = read_all(self._impl, rehearsal.statements, self._impl.known())
        refuse_losses(statements, script.revision, direction)
        self._watched = (script.revision, direction)

    def around(self, statement: gate.Statement, send: Callable[[], None]) -> None:
        """Refuse a statement of a revision that loses data, and was not foreseen."""
        if self._watched is not None and statement.changes:
            read = self._impl.statements(statement.text, self._known)
            passed = "1 statement" if self._passed == 1 else f"{self._passed} statements"
            sent = f"{passed} of the revision before it passed." if self._passed else ""
            refuse_losses(read, *self._watched, sent=sent)
            self._passed += 1
        send()

    def revision_ends(self, error: BaseException | None) -> None:
        """Stop watching."""
        self._watched = None

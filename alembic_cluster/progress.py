"""How far a run is: events, and the listeners that show them, log them or measure them.

A listener is any object with ``hear(event)``. It is registered for the process, or for one run::

    from alembic_cluster.progress import Event, listeners

    class Metrics:
        def hear(self, event: Event) -> None:
            if event.kind == "statement finished":
                histogram.observe(event.seconds)

    listeners.append(Metrics())
    config.attributes["alembic_cluster"] = {"listeners": [Metrics()]}

One that raises an error is logged and heard no more; the run goes on. The setting ``progress`` chooses what is shown:
``auto`` (bars on a terminal, lines elsewhere), ``rich``, ``plain``, ``json`` or ``none``. OpenTelemetry spans are made
where ``opentelemetry`` is installed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

from sqlalchemy.engine import Connection

from alembic_cluster.gate import Gate, Gates, Place, Statement, kind_of
from alembic_cluster.gate import Kind as StatementKind
from alembic_cluster.settings import Settings

log = logging.getLogger("alembic.cluster")  # below the logger that alembic.ini sets up

Kind = Literal[
    "run started",
    "revision started",
    "statement started",
    "statement progress",
    "statement finished",
    "revision finished",
    "run finished",
]
MODES = ("auto", "rich", "plain", "json", "none")
_REPORTER = "alembic_cluster_reporter"  # execution option of the run's connection


@dataclass(frozen=True)
class Event:
    """Something that has happened in a run.

    :ivar kind: what; see :data:`Kind`.
    :ivar database: the dialect's name, such as ``cockroachdb``.
    :ivar revision: the revision's identifier; empty for the run itself.
    :ivar message: the revision's first line.
    :ivar direction: ``upgrade`` or ``downgrade``; empty for the run itself.
    :ivar ordinal: the statement's place in its revision, from 1; None for what is not about a statement.
    :ivar total: how many statements the revision has; None when its rehearsal did not come to its end.
    :ivar statement: the statement's text.
    :ivar left_out: whether the statement was not sent, because an earlier run had applied it.
    :ivar seconds: how long what has finished took.
    :ivar fraction: how much of the statement is done, from 0 to 1; None when that is not known.
    :ivar note: what the server is at, such as ``job 12: backfill``.
    :ivar error: the error's first line, of what ended with one; empty otherwise.
    """

    kind: Kind
    database: str = ""
    revision: str = ""
    message: str = ""
    direction: str = ""
    ordinal: int | None = None
    total: int | None = None
    statement: str = ""
    left_out: bool = False
    seconds: float | None = None
    fraction: float | None = None
    note: str = ""
    error: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Give what it says, without what it doesn't."""
        return {name: value for name, value in asdict(self).items() if value not in ("", None, False)}


class Listener(Protocol):
    """Hears of a run's events, in the run's own thread."""

    def hear(self, event: Event) -> None:
        """Hear of one event."""


#: The listeners of every run of this process.
listeners: list[Listener] = []


class Reporter(Gate):
    """Tells listeners what a run does: a gate for its statements, a watcher for its revisions.

    :param database: the dialect's name.
    :param heard_by: the listeners.
    """

    place = Place.PROGRESS

    def __init__(self, database: str, heard_by: Sequence[Listener]) -> None:
        self._database = database
        self._listeners = list(heard_by)
        self._run_begun: float | None = None
        self._begun = 0.0
        self._of_revision: dict[str, Any] = {}
        self._now: dict[str, Any] = {}

    def tell(self, kind: Kind, **what: Any) -> None:
        """Tell every listener; one that fails is told nothing more."""
        event = Event(kind, self._database, **what)
        for listener in list(self._listeners):
            try:
                listener.hear(event)
            except Exception:
                log.exception("%s is not told how far the run is any more", type(listener).__name__)
                self._listeners.remove(listener)

    def revision_begins(self, step: Any, rehearsal: Any) -> None:
        """Tell of a revision, and of the run when it is the first."""
        if self._run_begun is None:
            self._run_begun = time.monotonic()
            self.tell("run started")
        self._begun = time.monotonic()
        script = step.revision
        changes = [text for text in rehearsal.statements if kind_of(text) is StatementKind.CHANGE]
        self._of_revision = {
            "revision": script.revision,
            "message": script.doc or "",
            "direction": "upgrade" if step.is_upgrade else "downgrade",
            "total": len(changes) if rehearsal.complete else None,
        }
        self._ordinal = 0
        self.tell("revision started", **self._of_revision)

    def revision_ends(self, error: BaseException | None) -> None:
        """Tell that the revision is over."""
        if self._of_revision:
            told = {**self._of_revision, "seconds": time.monotonic() - self._begun, "error": _first_line(error)}
            self._of_revision = {}
            self.tell("revision finished", **told)

    def around(self, statement: Statement, send: Callable[[], None]) -> None:
        """Tell of a statement before and after it is sent."""
        if not self._of_revision or not statement.changes:
            send()
            return
        self._ordinal += 1
        self._now = {**self._of_revision, "ordinal": self._ordinal, "statement": statement.text.strip()}
        begun = time.monotonic()
        self.tell("statement started", **self._now)
        error: BaseException | None = None
        try:
            send()
        except BaseException as failure:
            error = failure
            raise
        finally:
            now, self._now = self._now, {}
            seconds = time.monotonic() - begun
            self.tell(
                "statement finished", **now, seconds=seconds, left_out=statement.left_out, error=_first_line(error)
            )

    def statement_is_at(self, fraction: float | None, note: str) -> None:
        """Tell how far the statement that runs is.

        :param fraction: from 0 to 1; None when it is not known.
        """
        if self._now:
            self.tell("statement progress", **self._now, fraction=fraction, note=note)

    def run_ends(self, error: BaseException | None) -> None:
        """Tell that the run is over, if it began."""
        if self._run_begun is not None:
            self.tell("run finished", seconds=time.monotonic() - self._run_begun, error=_first_line(error))
            self._run_begun = None


def _first_line(error: BaseException | None) -> str:
    if error is None:
        return ""
    from alembic_cluster.errors import first_line

    return first_line(error)


@contextmanager
def reported(impl: Any, connection: Connection, settings: Settings, config: Any = None) -> Iterator[Reporter]:
    """Report how far a run is in a ``with`` block around ``context.run_migrations()``.

    :param impl: the implementation of the run's database.
    :param connection: the run's.
    :param settings: ``progress`` is looked for, and ``listeners``.
    :param config: Alembic's configuration; its ``-q`` shows nothing.
    :raises ConfigurationError: ``progress`` is none of :data:`MODES`.
    """
    from alembic_cluster.reporters import chosen_listeners

    mode = settings.choice("progress", MODES, "auto")
    if config is not None and getattr(config.cmd_opts, "quiet", False):
        mode = "none"
    found = settings.get("listeners")
    own: Sequence[Listener] = found[0] if found is not None else ()
    reporter = Reporter(impl.dialect.name, [*chosen_listeners(mode), *listeners, *own])
    gates = Gates.of(connection)
    gates.add(reporter)
    impl.watchers = [*impl.watchers, reporter]
    connection.execution_options(**{_REPORTER: reporter})
    error: BaseException | None = None
    try:
        yield reporter
    except BaseException as failure:
        error = failure
        raise
    finally:
        reporter.run_ends(error)
        gates.remove(reporter)
        impl.watchers = [watcher for watcher in impl.watchers if watcher is not reporter]


def reporter_of(connection: Connection) -> Reporter | None:
    """Give the reporter of a run by its connection, for what knows how far a statement is; None when it has none."""
    found = connection.get_execution_options().get(_REPORTER)
    return found if isinstance(found, Reporter) else None

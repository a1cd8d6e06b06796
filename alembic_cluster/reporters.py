"""What shows how far a run is: bars, lines, JSON lines, the log, OpenTelemetry spans."""

from __future__ import annotations

import json
import logging
import re
import sys
from importlib.util import find_spec
from typing import Any, TextIO

from alembic_cluster.execution import shorten
from alembic_cluster.progress import Event, Listener

log = logging.getLogger("alembic_cluster.run")
_SHOWN = 100
_DESCRIPTION = re.compile(r" \(.*\)(?=: )")  # in what is said of a job


def chosen_listeners(mode: str, screen: TextIO | None = None, output: TextIO | None = None) -> list[Listener]:
    """Make the listeners for a mode; those for the log and for OpenTelemetry are always among them.

    :param mode: one of :data:`alembic_cluster.progress.MODES`.
    :param screen: where bars and lines go; standard error when None.
    :param output: where JSON goes; standard output when None.
    """
    screen = screen or sys.stderr
    found: list[Listener] = [Log()]
    if mode == "auto":
        mode = "rich" if screen.isatty() else "plain"
    if mode == "rich":
        found.append(Bars(screen))
    elif mode == "plain":
        found.append(Lines(screen))
    elif mode == "json":
        found.append(JsonLines(output or sys.stdout))
    spans = Spans.if_installed()
    return [*found, spans] if spans is not None else found


def _short(text: str, most: int = _SHOWN) -> str:
    line = shorten(text)
    return line if len(line) <= most else f"{line[: most - 4]} ..."


def _place(event: Event) -> str:
    total = "?" if event.total is None else str(max(event.total, event.ordinal or 0))
    return f"[{event.ordinal}/{total}]"


class Lines:
    """Plain lines, one for each revision and each statement.

    :param stream: where they go.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def hear(self, event: Event) -> None:
        """Write a line."""
        if (line := self._line(event)) is not None:
            print(line, file=self._stream, flush=True)

    def _line(self, event: Event) -> str | None:
        seconds = f" {event.seconds:.2f} s" if event.seconds is not None else ""
        if event.kind == "revision started":
            return f"{event.direction} {event.revision} {event.message}".rstrip()
        if event.kind == "statement progress":
            done = "" if event.fraction is None else f" {event.fraction:.0%}"
            return f"  {_place(event)}{done} {event.note}".rstrip()
        if event.kind == "statement finished":
            outcome = f"FAILED: {event.error}" if event.error else "applied before" if event.left_out else "done"
            return f"  {_place(event)} {_short(event.statement)} {outcome}{seconds}"
        if event.kind in ("revision finished", "run finished"):
            what = f"{event.direction} {event.revision}" if event.revision else "run"
            return f"{what} {'FAILED' if event.error else 'finished'}{seconds}"
        return None


class JsonLines:
    """One JSON object a line: the fields of :class:`~alembic_cluster.progress.Event` that say something.

    :param stream: where they go.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def hear(self, event: Event) -> None:
        """Write an object."""
        print(json.dumps(event.as_dict(), ensure_ascii=False), file=self._stream, flush=True)


class Log:
    """The logger ``alembic_cluster.run``: revisions at INFO, statements at DEBUG, a failure once at ERROR.

    Each record has the event's fields as the attribute ``alembic_cluster``, a dictionary, for structured logging.
    """

    def __init__(self) -> None:
        self._has_failed = False

    def hear(self, event: Event) -> None:
        """Write a record."""
        if event.kind == "run started":
            self._has_failed = False
        if event.error and not self._has_failed:  # its revision and its run end with the same error
            self._has_failed = True
            level = logging.ERROR
        elif event.kind.startswith("statement"):
            level = logging.DEBUG
        else:
            level = logging.INFO
        if log.isEnabledFor(level):
            text = event.kind + "".join(f" {part}" for part in (event.direction, event.revision) if part)
            text += f": {event.error}" if event.error else f": {_short(event.statement)}" if event.statement else ""
            log.log(level, "%s", text, extra={"alembic_cluster": event.as_dict()})


class Bars:
    """A bar for each revision, with the statement that runs below it; made with rich.

    :param stream: the terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._console = Console(file=stream)
        texts = [TextColumn(text, markup=False) for text in ("{task.description}", "{task.fields[place]}")]
        columns = [texts[0], BarColumn(), texts[1]]
        self._progress = Progress(*columns, TimeElapsedColumn(), console=self._console)
        self._revision: Any = None
        self._statement: Any = None

    def hear(self, event: Event) -> None:
        """Move the bars."""
        getattr(self, "_" + event.kind.replace(" ", "_"))(event)

    def _run_started(self, event: Event) -> None:
        self._progress.start()

    def _revision_started(self, event: Event) -> None:
        title = f"{event.direction} {event.revision} {event.message}".rstrip()
        self._revision = self._progress.add_task(title, total=event.total, place="")

    def _statement_started(self, event: Event) -> None:
        title = f"  {_short(event.statement, _SHOWN // 2)}"
        self._statement = self._progress.add_task(title, total=None, place="")
        self._progress.update(self._revision, place=_place(event))

    def _statement_progress(self, event: Event) -> None:
        total = None if event.fraction is None else 1.0
        place = _DESCRIPTION.sub("", event.note)  # the statement stands there already
        self._progress.update(self._statement, total=total, completed=event.fraction or 0.0, place=place)

    def _statement_finished(self, event: Event) -> None:
        self._progress.remove_task(self._statement)
        self._progress.update(self._revision, completed=event.ordinal)

    def _revision_finished(self, event: Event) -> None:
        if not event.error:
            count = event.total or 1
            self._progress.update(self._revision, total=count, completed=count)
        self._progress.update(self._revision, place="FAILED" if event.error else f"{event.seconds:.2f} s")
        self._progress.stop_task(self._revision)

    def _run_finished(self, event: Event) -> None:
        self._progress.stop()


class Spans:
    """OpenTelemetry spans: one for the run, in it one for each revision, in these one for each statement.

    :param tracer: of ``opentelemetry.trace``; made when the run begins when None, for importing it takes its time, and
        a command that finds nothing to do needn't wait for that.
    """

    def __init__(self, tracer: Any = None) -> None:
        self._tracer = tracer
        self._open: list[Any] = []

    @classmethod
    def if_installed(cls) -> Spans | None:
        """Make it where ``opentelemetry`` is installed; None elsewhere."""
        try:
            return cls() if find_spec("opentelemetry.trace") is not None else None
        except ImportError:
            return None

    def hear(self, event: Event) -> None:
        """Begin or end a span."""
        what, _, happened = event.kind.partition(" ")
        if happened == "started":
            self._start(what, event)
        elif happened == "finished":
            self._finish(event)
        elif self._open:
            attributes = {"note": event.note} | ({} if event.fraction is None else {"fraction": event.fraction})
            self._open[-1].add_event("progress", attributes)

    def _start(self, what: str, event: Event) -> None:
        from opentelemetry import trace

        names = {"run": "alembic run", "revision": f"{event.direction} {event.revision}", "statement": "statement"}
        parent = trace.set_span_in_context(self._open[-1]) if self._open else None
        attributes: dict[str, Any] = {"db.system.name": event.database}
        if event.revision:
            attributes |= {"alembic.revision": event.revision, "alembic.direction": event.direction}
        if event.statement:
            attributes |= {"db.query.text": event.statement, "alembic.statement": event.ordinal or 0}
        if self._tracer is None:
            self._tracer = trace.get_tracer("alembic_cluster")
        self._open.append(self._tracer.start_span(names[what], context=parent, attributes=attributes))

    def _finish(self, event: Event) -> None:
        from opentelemetry.trace import Status, StatusCode

        span = self._open.pop()
        if event.left_out:
            span.set_attribute("alembic.left_out", True)
        if event.error:
            span.set_status(Status(StatusCode.ERROR, event.error))
        span.end()

"""alembic_cluster.progress and its reporters."""

from __future__ import annotations

import io
import json
import logging
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from alembic_cluster import progress
from alembic_cluster.gate import Gates
from alembic_cluster.progress import Event, Listener, Reporter, reporter_of
from alembic_cluster.reporters import Bars, JsonLines, Lines, Log, Spans, chosen_listeners
from alembic_cluster.settings import Settings

STEP = SimpleNamespace(is_upgrade=True, revision=SimpleNamespace(revision="ab", doc="first"))


class Heard:
    def __init__(self) -> None:
        self.events: list[Event] = []

    def hear(self, event: Event) -> None:
        self.events.append(event)


def run(*heard_by: Listener, fail: bool = False) -> None:
    """Run a revision of two statements on SQLite; the second is wrong if it is to fail."""
    engine = sa.create_engine("sqlite://")
    impl: Any = SimpleNamespace(dialect=engine.dialect, watchers=())
    given = {"listeners": heard_by, "progress": "none"}
    with engine.connect() as connection, progress.reported(impl, connection, Settings(None, given)) as reporter:
        rehearsal = SimpleNamespace(statements=["1", "2"], complete=True)
        reporter.revision_begins(STEP, rehearsal)
        error: BaseException | None = None
        try:
            connection.exec_driver_sql("CREATE TABLE t (a int)")
            assert connection.exec_driver_sql("SELECT 1").scalar() == 1
            connection.exec_driver_sql("INSERT INTO nowhere VALUES (1)" if fail else "INSERT INTO t VALUES (1)")
        except sa.exc.OperationalError as failure:
            error = failure
            raise
        finally:
            reporter.revision_ends(error)
        assert reporter_of(connection) is reporter
    assert impl.watchers == []
    assert Gates.of(connection)._gates == []


def test_events() -> None:
    heard = Heard()
    run(heard)
    assert [event.kind for event in heard.events] == [
        "run started",
        "revision started",
        "statement started",
        "statement finished",
        "statement started",
        "statement finished",
        "revision finished",
        "run finished",
    ]
    last = heard.events[5]
    assert (last.revision, last.message, last.direction) == ("ab", "first", "upgrade")
    assert (last.ordinal, last.total) == (2, 2)
    assert last.statement == "INSERT INTO t VALUES (1)"
    assert last.seconds is not None
    assert last.seconds >= 0


def test_a_failure_ends_statement_revision_and_run() -> None:
    heard = Heard()
    with pytest.raises(sa.exc.OperationalError):
        run(heard, fail=True)
    ended = [event for event in heard.events if event.error]
    assert [event.kind for event in ended] == ["statement finished", "revision finished", "run finished"]
    assert "no such table" in ended[0].error


def test_a_listener_that_fails_does_not_stop_the_run(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def hear(self, event: Event) -> None:
            raise ValueError(event.kind)

    heard = Heard()
    run(Broken(), heard)
    assert len(heard.events) == 8
    assert len([record for record in caplog.records if record.exc_info]) == 1


def test_listeners_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    heard = Heard()
    monkeypatch.setattr(progress, "listeners", [heard])
    run()
    assert len(heard.events) == 8


def test_how_far_a_statement_is() -> None:
    heard = Heard()
    reporter = Reporter("x", [heard])
    reporter.statement_is_at(0.5, "nobody asked")  # between statements
    assert heard.events == []
    reporter._now = {"revision": "ab", "ordinal": 1}
    reporter.statement_is_at(0.5, "job 1")
    assert heard.events == [Event("statement progress", "x", "ab", ordinal=1, fraction=0.5, note="job 1")]


def test_lines() -> None:
    screen = io.StringIO()
    run(Lines(screen))
    lines = screen.getvalue().splitlines()
    assert lines[0] == "upgrade ab first"
    assert lines[1].startswith("  [1/2] CREATE TABLE t (a int); done 0.")
    assert lines[-1].startswith("run finished")
    screen = io.StringIO()
    with pytest.raises(sa.exc.OperationalError):
        run(Lines(screen), fail=True)
    assert "  [2/2] INSERT INTO nowhere VALUES (1); FAILED: no such table: nowhere" in screen.getvalue()


def test_json_lines() -> None:
    output = io.StringIO()
    run(JsonLines(output))
    events = [json.loads(line) for line in output.getvalue().splitlines()]
    assert len(events) == 8
    assert events[2] == {
        "kind": "statement started",
        "database": "sqlite",
        "revision": "ab",
        "message": "first",
        "direction": "upgrade",
        "ordinal": 1,
        "total": 2,
        "statement": "CREATE TABLE t (a int)",
    }


def test_log_records_have_the_fields(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "alembic_cluster.run"), pytest.raises(sa.exc.OperationalError):
        run(fail=True)
    records: list[Any] = [record for record in caplog.records if record.name == "alembic_cluster.run"]
    statements = [record for record in records if record.alembic_cluster["kind"] == "statement finished"]
    assert [record.levelno for record in records].count(logging.ERROR) == 1
    assert [record.levelno for record in statements] == [logging.DEBUG, logging.ERROR]
    assert statements[-1].levelno == logging.ERROR
    assert statements[-1].alembic_cluster["statement"] == "INSERT INTO nowhere VALUES (1)"


def test_bars_hear_every_event() -> None:
    screen = io.StringIO()
    bars = Bars(screen)
    run(bars)
    assert bars._progress.finished
    bars.hear(Event("revision started", revision="b", total=None))
    bars.hear(Event("statement started", revision="b", ordinal=1, statement="[red]x[/red]"))
    bars.hear(Event("statement progress", revision="b", ordinal=1, fraction=0.4, note="job"))
    bars.hear(Event("statement progress", revision="b", ordinal=1, note="job"))
    bars.hear(Event("statement finished", revision="b", ordinal=1))
    bars.hear(Event("revision finished", revision="b", seconds=1.0))
    assert bars._progress.finished


def test_spans() -> None:
    sdk = pytest.importorskip("opentelemetry.sdk.trace", reason="an older environment; scripts/test installs it")
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    from opentelemetry.trace import StatusCode

    exporter = InMemorySpanExporter()
    provider = sdk.TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with pytest.raises(sa.exc.OperationalError):
        run(Spans(provider.get_tracer("test")), fail=True)
    first, second, revision, whole = exporter.get_finished_spans()
    assert [span.name for span in (first, second, revision, whole)] == [
        "statement",
        "statement",
        "upgrade ab",
        "alembic run",
    ]
    assert second.parent is not None
    assert second.parent.span_id == revision.context.span_id
    assert revision.parent is not None
    assert revision.parent.span_id == whole.context.span_id
    assert second.attributes is not None
    assert second.attributes["db.query.text"] == "INSERT INTO nowhere VALUES (1)"
    assert second.status.status_code is StatusCode.ERROR
    assert first.status.status_code is StatusCode.UNSET


@pytest.mark.parametrize(
    ("mode", "terminal", "kind"),
    [
        ("auto", True, Bars),
        ("auto", False, Lines),
        ("rich", False, Bars),
        ("plain", True, Lines),
        ("json", True, JsonLines),
        ("none", True, None),
    ],
)
def test_what_is_chosen(mode: str, terminal: bool, kind: type | None, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: terminal)
    shown = [type(each) for each in chosen_listeners(mode, screen) if not isinstance(each, Log | Spans)]
    assert shown == ([] if kind is None else [kind])

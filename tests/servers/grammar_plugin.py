"""pytest plugin: every statement that a test sends to, or compiles for, CockroachDB is one of its 25.2's grammar.

Collected are all statements of SQLAlchemy's dialect ``cockroachdb``, those of Alembic's ``--sql`` scripts and
those of Python programs that a test starts. At the end of the session the grammar (:mod:`tests.servers.grammar`) is
asked about each distinct one; the session fails if it refuses one, naming the statement and the test. Workers of
pytest-xdist hand over what they collected, and the session that started them asks.

``@pytest.mark.grammar_exempt("why")`` leaves a test's statements out, where it means to send what is refused.
Without Go one line says that nothing was checked; with ``CI=true`` that is a failure.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.servers import grammar_collect
from tests.servers.at_end import make_folder, remove_folder
from tests.servers.errors import DownloadFailed, NoServer
from tests.servers.grammar import Grammar

_SITE = Path(__file__).parent / "grammar_site"
_OUTSIDE = "outside of any test"
_COLLECTED = "cockroachdb_statements"

#: What a text that is no statement is put into, because it may be an expression.
_PLACES = ("SELECT {}", "SELECT 1 ORDER BY {}")


@dataclass(frozen=True)
class Refused:
    """A statement that the grammar refused: its text, the test it came from, the grammar's reason."""

    sql: str
    test: str
    error: str


class GrammarCheck:
    """The statements of one session and what became of them; pytest calls its hooks."""

    def __init__(self) -> None:
        self._statements: dict[tuple[str, str], str] = {}
        self._test = _OUTSIDE
        self._exempt = False
        self._refused: list[Refused] = []
        self._checked = 0
        self._unchecked = ""
        self._folder = make_folder("grammar-")
        self._log = self._folder / "statements.jsonl"
        # A worker of pytest-xdist is a program that the controlling process started; it collects for itself.
        if started := sys.modules.get("_grammar_collect"):
            started._installed.clear()
        self._uninstall = grammar_collect.install(self._record)
        self._environment = {name: os.environ.get(name) for name in ("PYTHONPATH", "GRAMMAR_LOG")}
        self._collect_from_programs(True)

    def close(self) -> None:
        """Collect no more and put the environment back."""
        self._uninstall()
        for name, value in self._environment.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        remove_folder(self._folder)

    def _collect_from_programs(self, on: bool) -> None:
        if not on:
            os.environ.pop("GRAMMAR_LOG", None)
            return
        others = [path for path in (self._environment["PYTHONPATH"] or "").split(os.pathsep) if path]
        os.environ["PYTHONPATH"] = os.pathsep.join([str(_SITE), *(path for path in others if path != str(_SITE))])
        os.environ["GRAMMAR_LOG"] = str(self._log)

    def _record(self, sql: str, kind: str) -> None:
        if not self._exempt:
            self._statements.setdefault((sql, kind), self._test)

    def _read_programs(self) -> None:
        if not self._log.exists():
            return
        for line in self._log.read_text(errors="replace").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue  # the program was killed while it wrote
            self._statements.setdefault((entry["sql"], entry["kind"]), entry["test"] or _OUTSIDE)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Know which test runs, and whether it is exempt."""
        self._test = item.nodeid
        self._exempt = item.get_closest_marker("grammar_exempt") is not None
        if self._exempt:
            self._collect_from_programs(False)
        try:
            return (yield)
        finally:
            self._test = _OUTSIDE
            if self._exempt:
                self._exempt = False
                self._collect_from_programs(True)

    def pytest_collection_modifyitems(self, items: Sequence[pytest.Item]) -> None:
        """Refuse an exemption without a reason."""
        for item in items:
            marker = item.get_closest_marker("grammar_exempt")
            if marker is not None and not (marker.args and str(marker.args[0]).strip()):
                raise pytest.UsageError(f"{item.nodeid}: grammar_exempt needs a reason")

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Ask the grammar; the session fails if it refuses a statement, or can't be asked in CI."""
        self._read_programs()
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[_COLLECTED] = [[*key, test] for key, test in self._statements.items()]
            return
        if not self._statements or session.config.option.collectonly:
            return
        try:
            self._refused = self._check(Grammar.build())
            self._checked = len(self._statements)
        except (NoServer, DownloadFailed) as reason:
            self._unchecked = str(reason)
        in_ci = os.environ.get("CI", "").lower() in ("true", "1")
        failed = bool(self._refused) or bool(self._unchecked and in_ci)
        if failed and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what a worker of pytest-xdist collected."""
        for sql, kind, test in getattr(node, "workeroutput", {}).get(_COLLECTED, ()):
            self._statements.setdefault((sql, kind), test)

    def _check(self, grammar: Grammar) -> list[Refused]:
        statements = list(self._statements)
        verdicts = grammar.check(sql for sql, _ in statements)
        errors = {key: verdict.error for key, verdict in zip(statements, verdicts, strict=True) if not verdict.ok}
        for place in _PLACES:
            maybe = [(sql, kind) for sql, kind in errors if kind == grammar_collect.MAYBE]
            verdicts = grammar.check(place.format(sql) for sql, _ in maybe)
            for key, verdict in zip(maybe, verdicts, strict=True):
                if verdict.ok:
                    del errors[key]
        return [Refused(sql, self._statements[sql, kind], error) for (sql, kind), error in errors.items()]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what was refused, or why nothing was checked."""
        write = terminalreporter.write_line
        if self._unchecked:
            first = self._unchecked.splitlines()[0]
            write(f"WARNING: CockroachDB's grammar did not check {len(self._statements)} statements: {first}")
        if self._refused:
            terminalreporter.section("statements that CockroachDB 25.2 refuses", red=True)
            for one in self._refused:
                write(f"FAILED {one.test}: {one.error}", red=True)
                write("    " + one.sql.strip().replace("\n", "\n    "))
            write(f"{len(self._refused)} of {self._checked} statements are not in CockroachDB 25.2's grammar")


_KEY = pytest.StashKey[GrammarCheck]()


def pytest_configure(config: pytest.Config) -> None:
    """Start to collect."""
    config.addinivalue_line(
        "markers", "grammar_exempt(reason): this test's statements need not be in CockroachDB 25.2's grammar"
    )
    check = GrammarCheck()
    config.stash[_KEY] = check
    config.pluginmanager.register(check, "grammar-check")


def pytest_unconfigure(config: pytest.Config) -> None:
    """End that."""
    check = config.stash.get(_KEY, None)
    if check is not None:
        check.close()


@pytest.fixture(scope="session")
def crdb_grammar() -> Grammar:
    """CockroachDB 25.2's grammar, for tests that look at how it prints a statement; skips without Go."""
    try:
        return Grammar.build()
    except NoServer as reason:
        pytest.skip(str(reason))

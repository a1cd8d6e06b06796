"""A backfill for the command line: its functions by their names, the database by ``env.py``, its progress shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory

from alembic_cluster.backfill import Backfill, Progress, Report
from alembic_cluster.errors import ConfigurationError, first_line
from alembic_cluster.progress import Reporter
from alembic_cluster.reporters import chosen_listeners

if TYPE_CHECKING:
    from alembic.config import Config


def backfill_environment(
    config: Config,
    table: str,
    options: Mapping[str, Any],
    *,
    functions: Mapping[str, str | None],
    processes: int | None = None,
    progress: str = "auto",
    dry_run: bool = False,
) -> list[Report]:
    """Run a backfill in each database that ``env.py`` connects to, and print what it did.

    :param options: of :class:`~alembic_cluster.backfill.Backfill`.
    :param functions: those that are functions, as ``module:name``.
    :param processes: how many run ranges; threads of this process when None.
    :param progress: one of :data:`alembic_cluster.progress.MODES`.
    :raises ConfigurationError: a function can't be imported; nothing was sent.
    :raises ClusterError: see :class:`~alembic_cluster.backfill.Backfill`.
    """
    script = ScriptDirectory.from_config(config)
    given = dict(options)
    if processes is not None:
        given.setdefault("concurrency", processes)
        given["executor"] = _processes(processes)
    for name, path in functions.items():
        if path is not None:
            given[name] = imported(path)
    if getattr(config.cmd_opts, "quiet", False):
        progress = "none"
    reports: list[Report] = []

    def do(heads: Any, migration: Any) -> list[Any]:
        made = Backfill(migration.connection, table, **given, on_progress=lambda now: tell(now))
        reporter = Reporter(migration.dialect.name, chosen_listeners(progress))
        what = {"direction": "backfill", "revision": made.name, "total": 1}
        statement = {**what, "ordinal": 1, "statement": made.job.describe()}

        def tell(now: Progress) -> None:
            reporter.tell("statement progress", **statement, fraction=now.fraction, note=str(now))

        reporter.tell("run started")
        reporter.tell("revision started", **what)
        reporter.tell("statement started", **statement)
        problem, seconds = "", 0.0
        try:
            report = made.dry_run() if dry_run else made.run()
            seconds = report.seconds
            reports.append(report)
        except BaseException as error:
            problem = first_line(error)
            raise
        finally:
            reporter.tell("statement finished", **statement, seconds=seconds, error=problem)
            reporter.tell("revision finished", **what, seconds=seconds, error=problem)
            reporter.tell("run finished", seconds=seconds, error=problem)
        config.print_stdout("%s", sentence(report))
        return []

    with EnvironmentContext(config, script, fn=do, dont_mutate=True):
        script.run_env()
    return reports


def sentence(report: Report) -> str:
    """Say what a backfill has done."""
    rows = f"{report.rows:,} rows read, {report.changed:,} {'to change' if report.dry_run else 'changed'}"
    if report.skipped:
        rows += f", {report.skipped:,} {'would fail' if report.dry_run else 'skipped'}"
    if report.resumed and not report.rows_now:
        return f"backfill {report.name!r} is done: {rows}, all by an earlier run (--repeat does it again)"
    now = f", {report.rows_now:,} of them now" if report.resumed else ""
    return f"backfill {report.name!r}: {rows}{now}, in {report.seconds:.1f} s"


def imported(path: str) -> Callable[..., Any]:
    """Import a function.

    :param path: ``package.module:name``.
    :raises ConfigurationError: it isn't there.
    """
    found = imported_object(path)
    if not callable(found):
        raise ConfigurationError(f"{path!r} is no function, which is given as package.module:name; nothing was sent")
    result: Callable[..., Any] = found
    return result


def imported_object(path: str) -> Any:
    """Import anything that a module has.

    :param path: ``package.module:name``.
    :raises ConfigurationError: it isn't there.
    """
    module, colon, name = path.partition(":")
    try:
        found: Any = import_module(module)
        for part in name.split(".") if colon else ():
            found = getattr(found, part)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigurationError(
            f"{path!r} can't be imported ({first_line(error)}): it is given as package.module:name; nothing was sent"
        ) from error
    return found


def _processes(count: int) -> Callable[[], Any]:
    def make() -> Any:
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context

        return ProcessPoolExecutor(count, mp_context=get_context("spawn"))

    return make

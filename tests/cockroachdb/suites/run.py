"""The suites, run and compared: ``python -m tests.cockroachdb.suites.run [alembic] [sqlalchemy] [--without-stock]``.

Each suite runs in a process and a database of its own, first with ours, then with stock Alembic and
sqlalchemy-cockroachdb in the virtual environment of the benchmarks. The status is 1 when ours fails a test that stock
does not.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.crdb_autogenerate import STOCK, stock_python
from tests.servers.cockroach import CockroachCluster, cockroach_from_environment

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
SUITES = ("alembic", "sqlalchemy")


def run_suite(
    cluster: CockroachCluster, suite: str, python: Path | str = sys.executable, more: Sequence[str] = ()
) -> dict[str, str]:
    """Run one suite.

    :param cluster: the server; the suite gets a database of its own.
    :param suite: ``alembic`` or ``sqlalchemy``.
    :param python: the interpreter, which decides whether ours or stock is run.
    :param more: arguments for pytest.
    :returns: by test, ``passed``, ``failed``, or ``skipped: `` with the reason.
    """
    database = cluster.create_database("suite")
    try:
        for schema in ("test_schema", "test_schema_2"):  # SQLAlchemy's suite expects them
            cluster.execute(f"CREATE SCHEMA {schema}", database)
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder, "report.xml")
            command = [str(python), "-m", "pytest", "--rootdir", str(HERE), "-c", str(HERE / "setup.cfg"), "-q"]
            command += ["-p", "tests.cockroachdb.suites.plugin", "-p", "no:cacheprovider", f"--junitxml={report}"]
            command += ["-o", "python_files=*_suite.py", "--dburi", cluster.url(database), *more]
            done = subprocess.run(
                [*command, str(HERE / f"{suite}_suite.py")],
                cwd=folder,  # Alembic's suite writes its scratch folder here
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            if not report.exists():
                raise RuntimeError(f"the suite did not run:\n{done.stdout[-4000:]}")
            return _outcomes(report)
    finally:
        cluster.drop_database(database)


def _outcomes(report: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        name = f"{case.get('classname', '').rpartition('.')[2].partition('_cockroachdb')[0]}.{case.get('name')}"
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            found[name] = "failed"
        elif skipped is not None:
            found.setdefault(name, f"skipped: {skipped.get('message')}")
        else:
            found.setdefault(name, "passed")
    return found


def counted(outcomes: Mapping[str, str]) -> str:
    """Give the number of each outcome, in words."""
    counts = Counter(outcome.partition(":")[0] for outcome in outcomes.values())
    return ", ".join(f"{counts[outcome]} {outcome}" for outcome in ("passed", "failed", "skipped"))


def only_ours(ours: Mapping[str, str], stock: Mapping[str, str]) -> list[str]:
    """Give the tests that fail with ours and not with stock."""
    return sorted(name for name, outcome in ours.items() if outcome == "failed" and stock.get(name) != "failed")


def main() -> int:
    """Run what the arguments say; gives the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("suites", nargs="*", default=SUITES)
    parser.add_argument("--without-stock", action="store_true")
    arguments, more = parser.parse_known_args()
    status = 0
    with cockroach_from_environment() as cluster:
        for suite in arguments.suites:
            ours = run_suite(cluster, suite, more=more)
            print(f"{suite}: ours {counted(ours)}")
            for reason, count in Counter(each for each in ours.values() if each.startswith("skipped")).most_common():
                print(f"  {count:4} {reason}")
            failed = [name for name, outcome in ours.items() if outcome == "failed"]
            if not arguments.without_stock:
                python = stock_python()
                subprocess.run([python, "-m", "pip", "install", "-q", "pytest"], check=True, cwd=STOCK)
                stock = run_suite(cluster, suite, python, more)
                print(f"{suite}: stock {counted(stock)}")
                failed = only_ours(ours, stock)
            for name in failed:
                print(f"  FAILED {name}")
                status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())

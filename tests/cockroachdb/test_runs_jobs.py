"""Schema changes that take long: Ctrl-C, and with ``JOBS=all`` jobs that somebody cancels."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cockroachdb.disturbed import LockedProject, sent
from tests.servers.fixtures import CockroachDatabase


@contextmanager
def held_up(database: CockroachDatabase) -> Iterator[Any]:
    """Have no schema change of table ``t`` come to its end: a transaction works with the table as it is."""
    with database.cluster.connect(database.name) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT * FROM t")
        try:
            yield connection
        finally:
            connection.execute("ROLLBACK")


def wait_for_job(database: CockroachDatabase, words: str) -> int:
    """Wait until the server has a job that is not finished, whose description has these words; gives its id."""
    query = (
        "SELECT job_id FROM [SHOW JOBS] WHERE finished IS NULL "
        f"AND description LIKE '%{words}%' AND description LIKE '%{database.name}%'"
    )
    deadline = time.monotonic() + 100
    while not (found := database.execute(query)):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return int(found[0][0])


_REVISION = "op.execute('ALTER TABLE t ADD COLUMN {0} INT8 DEFAULT 5')\nop.execute('UPDATE t SET {0} = {0} + 1')"


@pytest.mark.parametrize("driver", ["psycopg2", "asyncpg"])
def test_interrupted_and_cancelled(cockroach_database: CockroachDatabase, tmp_path: Path, driver: str) -> None:
    url = cockroach_database.url_for(driver)
    project = LockedProject(tmp_path, url.replace("sslmode=", "ssl=") if driver == "asyncpg" else url)
    project.revision("r0", "op.execute('CREATE TABLE t (id INT8 PRIMARY KEY)')\nop.execute('INSERT INTO t VALUES (1)')")
    project.revision("r1", _REVISION.format("a"))
    project.revision("r2", _REVISION.format("b"))
    project.upgrade("r0")
    with held_up(cockroach_database):
        process = project.start("upgrade", "r1")
        job = wait_for_job(cockroach_database, "ADD COLUMN a")
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=100)
        assert process.returncode != 0
        assert re.search(rf"goes on with it: job {job} .*CANCEL JOB {job}.*RESUME JOB {job}", output), output
    # The job is awaited, and its statement not sent again.
    status, output = project.run("upgrade", "r1")
    assert status == 0, output
    assert sent(output) == ["UPDATE t SET a = a + 1"]
    assert project.rows("SELECT a FROM t") == [(6,)]
    if os.environ.get("JOBS") != "all":
        return  # a job that is cancelled takes the server half a minute
    with held_up(cockroach_database):
        process = project.start("upgrade", "r2")
        job = wait_for_job(cockroach_database, "ADD COLUMN b")
        cockroach_database.execute(f"CANCEL JOB {job}")
    output, _ = process.communicate(timeout=100)
    assert process.returncode != 0
    assert "refused statement 1" in output, output
    project.upgrade("r2")
    assert project.rows("SELECT a, b FROM t") == [(6, 6)]

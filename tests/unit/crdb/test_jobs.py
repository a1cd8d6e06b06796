"""Which jobs are awaited, and how they are told of."""

from __future__ import annotations

import pytest

from alembic_crdb.jobs import Job, _is_about, how_to, sentence


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("ALTER TABLE mine.public.t ADD COLUMN a INT8", True),
        ("ALTER TABLE other.public.t ADD COLUMN a INT8", False),
        ('CREATE INDEX i ON "mine".s.t (other)', True),
        ("DROP DATABASE IF EXISTS other CASCADE", False),
        ('DROP DATABASE "mine" CASCADE', True),
        ("ALTER TABLE t RENAME TO u", True),
        ("updating privileges for table 54", True),
        ("'", True),
        ("", True),
    ],
)
def test_jobs_of_this_database(description: str, expected: bool) -> None:
    assert _is_about(description, "mine") is expected


def test_words() -> None:
    job = Job(7, "CREATE INDEX\n i ON t", "running", "populating", 0.25, "", 1.0)
    assert sentence(job) == "Job 7 (CREATE INDEX i ON t): running, populating, 25%"
    assert "CANCEL JOB 7" in how_to(job)
    assert "RESUME JOB 8" in how_to(Job(8, "", "paused", "", 0, "", 1.0))
    assert str(Job(8, "", "paused", "", 0, "", 1.0)) == "job 8: paused, 0%"

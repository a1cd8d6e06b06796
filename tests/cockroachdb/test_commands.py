"""Each command of ``alembic-cluster`` in each situation, on CockroachDB."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from tests import situations
from tests.cockroachdb.project import Project
from tests.servers.fixtures import CockroachDatabase

IMPORT = "from alembic_cluster import migration_lock"
LOCK = "with migration_lock(context):"


def locked(folder: Path, url: str) -> Project:
    folder.mkdir()
    project = Project(folder, url)
    file = "migrations/env.py"
    project.edit(file, r"with context\.begin_transaction\(\):(?=\s+context\.run_migrations\(\)\s+if)", LOCK)
    project.edit(file, r"(?m)^from alembic import context$", f"from alembic import context\n{IMPORT}")
    project.revision("a", "op.execute('CREATE TABLE a (a INT PRIMARY KEY)')", "op.execute('DROP TABLE a')")
    project.revision(
        "b", "op.execute('CREATE TABLE b (a INT PRIMARY KEY)')\nop.execute('CREATE TABLE a (b INT PRIMARY KEY)')"
    )
    return project


@pytest.fixture
def project(tmp_path: Path, cockroach_database: CockroachDatabase) -> Project:
    return locked(tmp_path / "project", cockroach_database.url)


def test_situations(project: Project) -> None:
    situations.hold_against(project.folder, situations.EMPTY)
    assert project.rows("SHOW TABLES") == []
    assert situations.call(project.folder, "upgrade a")[0] == 0
    assert situations.call(project.folder, "upgrade head")[0] == 255
    situations.hold_against(project.folder, situations.HALF_APPLIED)
    situations.take_lock(project.folder)
    situations.hold_against(project.folder, situations.HELD)


@pytest.mark.parametrize("change", [{"port": 1}, {"database": "no_such_database"}])
def test_unreachable(change: dict[str, object], tmp_path: Path, cockroach_database: CockroachDatabase) -> None:
    url = make_url(cockroach_database.url).set(**change)  # type: ignore[arg-type]
    project = locked(tmp_path / "project", url.render_as_string(hide_password=False))
    situations.hold_against(project.folder, situations.UNREACHABLE)


@pytest.fixture
def reader(cockroach_database: CockroachDatabase) -> Iterator[str]:
    name = f"{cockroach_database.name}_reader"
    cockroach_database.execute(f"CREATE USER {name}")
    cockroach_database.execute(f"GRANT CONNECT ON DATABASE {cockroach_database.name} TO {name}")
    try:
        url = make_url(cockroach_database.url).set(username=name, password=None)
        yield url.render_as_string(hide_password=False)
    finally:
        cockroach_database.execute(f"REVOKE ALL ON DATABASE {cockroach_database.name} FROM {name}")
        cockroach_database.execute(f"DROP USER {name}")


def test_a_user_that_may_only_read(reader: str, tmp_path: Path) -> None:
    situations.hold_against(locked(tmp_path / "project", reader).folder, situations.READ_ONLY)


def test_doctor_of_settings_and_of_an_environment_that_fails(project: Project) -> None:
    separator = "&" if "?" in project.url else "?"
    settings = "-csql_safe_updates%3Don%20-cstatement_timeout%3D5000"
    project.edit("alembic.ini", r"(?m)^sqlalchemy\.url = (.*)$",
                 f"sqlalchemy.url = {project.url}{separator}options={settings}".replace("%", "%%"))  # fmt: skip
    status, told = situations.call(project.folder, "doctor")
    assert status == 0
    assert "WARNING sql_safe_updates: on\n        -> It refuses drops" in told
    assert "WARNING statement_timeout: 5000\n        -> It ends schema changes" in told
    env = project.folder / "migrations" / "env.py"
    env.write_text(env.read_text().replace("def run_migrations_online", "no_such_name\n\ndef run_migrations_online"))
    status, told = situations.call(project.folder, "doctor")
    assert status == 1
    assert "FAILED  env.py: NameError: name 'no_such_name' is not defined\n        -> Mend env.py" in told

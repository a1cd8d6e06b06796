"""``op.backfill`` in revisions and ``alembic-cluster backfill``, on a real CockroachDB."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.config import Config

from alembic_cluster.cli import main
from alembic_cluster.errors import BackfillRowFailed, LeaseLost, UnsupportedOperation
from alembic_cluster.gate import Gate
from tests.cockroachdb.disturbed import LockedProject
from tests.servers.fixtures import CockroachDatabase

UP = """
op.create_table("t", sa.Column("id", sa.BigInteger(), primary_key=True), sa.Column("n", sa.Integer()))
op.execute("INSERT INTO t SELECT i, 0 FROM generate_series(1, 300) AS g (i)")
op.backfill("t", update="n = n + 1", batch_rows=20, range_rows=100)
"""


@pytest.fixture
def locked(tmp_path: Path, cockroach_database: CockroachDatabase) -> LockedProject:
    return LockedProject(tmp_path, cockroach_database.url)


def counts(project: LockedProject) -> list[tuple[object, ...]]:
    return project.rows("SELECT n, count(*) FROM t GROUP BY n")


def test_a_run_that_is_killed_goes_on_with_it_and_a_new_one_does_it_again(locked: LockedProject) -> None:
    locked.revision("1a", UP, 'op.backfill("t", update="n = n - 1")')
    locked.revision("2b", 'op.backfill("t", update="n = n + 5", where="id > :x", values={"x": 100})')
    status, output = locked.run("upgrade", "1a", disturb="answered:3")
    assert status == -9, output
    assert counts(locked) == [(1, 300)]
    locked.upgrade()
    assert sorted(counts(locked)) == [(1, 100), (6, 200)]  # type: ignore[type-var]
    with pytest.raises(UnsupportedOperation, match="no script"):
        locked.offline("upgrade", "1a:2b")
    # Its checkpoint says that all is done, and the revision is to be run once more.
    locked.cli("stamp", "1a")
    locked.upgrade()
    assert sorted(counts(locked)) == [(1, 100), (11, 200)]  # type: ignore[type-var]


def test_a_row_that_fails_ends_the_run_which_goes_on_when_mended(locked: LockedProject) -> None:
    function = "\n\ndef bump(row):\n    return {'n': 1 // (row['id'] - 250) * 0 + row['n'] + 1}\n\n"
    body = UP.replace('update="n = n + 1"', "function=bump, concurrency=1")
    file = locked.revision("1a", body)
    file.write_text(file.read_text().replace("\n\n\ndef upgrade", function + "\ndef upgrade", 1))
    with pytest.raises(BackfillRowFailed, match='"id": 250'):
        locked.upgrade()
    assert sorted(counts(locked)) == [(0, 60), (1, 240)]  # type: ignore[type-var]
    file.write_text(file.read_text().replace("1 // (row['id'] - 250) * 0 + ", ""))
    locked.upgrade()
    assert counts(locked) == [(1, 300)]


def test_nothing_is_sent_behind_a_lost_lease_nor_inside_of_a_transaction(
    locked: LockedProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked.revision("1a", UP)
    locked.revision("2b", 'with op.get_context().begin_transaction():\n    op.execute("UPDATE t SET n = 9")\n'
                          '    op.backfill("t", update="n = 2")')  # fmt: skip

    def check(self: Gate) -> None:
        if counts(locked) != [(0, 300)]:
            raise LeaseLost("lost")

    with monkeypatch.context() as patched:
        patched.setattr("alembic_cluster.runner.LeaseGate.check", check)
        with pytest.raises(LeaseLost):
            locked.upgrade("1a")
    done = dict(counts(locked))  # type: ignore[arg-type]
    assert 0 < done[1] <= 80
    locked.upgrade("1a")
    assert counts(locked) == [(1, 300)]
    with pytest.raises(UnsupportedOperation, match="inside of a transaction"):
        locked.upgrade("2b")
    assert counts(locked) == [(1, 300)]


def test_the_command(
    locked: LockedProject, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Config, "print_stdout", lambda self, text, *rest: print(text % rest))
    locked.revision("1a", UP)
    locked.upgrade()
    command = ["-c", str(locked.folder / "alembic.ini"), "backfill", "t", "--progress", "json"]
    main([*command, "--set", "n = n + 1", "--where", "id <= 200", "--dry-run"])
    assert "300 rows read, 200 to change" in capsys.readouterr().out
    main([*command, "--set", "n = n + 1", "--batch-rows", "50", "--backfill-name", "mine"])
    said = capsys.readouterr().out
    assert "'mine': 300 rows read, 300 changed" in said
    assert '"kind": "run finished"' in said
    main([*command, "--set", "n = n + 1", "--backfill-name", "mine"])
    assert "done" in capsys.readouterr().out
    main([*command, "--function", "tests.backfill_work:count_up", "--processes", "1", "--range-rows", "200"])
    assert counts(locked) == [(3, 300)]
    for wrong, message in [
        (["--function", "nope:x"], "can't be imported"),
        (["--function", "tests.backfill_work"], "is no function"),
        (["--set", "id = 1"], "primary key"),
        (["--set", "n = 1", "--backfill-name", "mine"], "something else"),
    ]:
        with pytest.raises(SystemExit):
            main([*command, *wrong])
        assert message in capsys.readouterr().err

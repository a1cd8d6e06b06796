"""``migration_lock`` on Cassandra: real processes that wait, die, stop and come back.

``KILLS`` says at how many places a run is killed each way (2; ``all`` for before, in and behind each statement), and
``ROUNDS`` how often eight processes start together (1).
"""

from __future__ import annotations

import os
import random
import re
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import make_url

from alembic_cluster.errors import LeaseLost, LockNotAcquired
from alembic_cluster.owner import Owner
from alembic_cql import dbapi
from alembic_cql.queries import Queries
from alembic_cql.stores import CqlStores
from tests.cql.project import describe
from tests.cql.runs import LockedProject
from tests.servers.fixtures import CassandraKeyspace

OWN = ("alembic_version", "alembic_cluster_lock", "alembic_cluster_history", "alembic_cluster_journal")
KILLS = os.environ.get("KILLS", "2")
ROUNDS = int(os.environ.get("ROUNDS", "1"))

UP = """
op.execute("CREATE TYPE address (street text, zip int)")
op.create_table('person', sa.Column('id', sa.Integer, primary_key=True), sa.Column('name', sa.Text))
op.execute("ALTER TABLE person ADD home frozen<address>")
op.execute("CREATE TABLE visit (person int, at timestamp, place text, PRIMARY KEY (person, at))")
op.execute("INSERT INTO person (id, name, home) VALUES (1, 'Ada', {street: 'Main St', zip: 1})")
op.get_bind().execute(sa.text("INSERT INTO person (id, name) VALUES (:id, :name)"), [{'id': 2, 'name': 'Bob'}])
op.create_index('by_name', 'person', ['name'])
op.add_column('visit', sa.Column('note', sa.Text))
op.execute("INSERT INTO visit (person, at, place) VALUES (1, '2026-01-01', 'here')")
op.alter_table_options('visit', {'gc_grace_seconds': 3600})
op.execute("ALTER TYPE address ADD country text")
op.execute("UPDATE person SET name = 'Ann' WHERE id = 1")
op.execute("CREATE TABLE \\"MixedCase\\" (a int PRIMARY KEY, \\"B b\\" text)")
op.execute("ALTER TABLE \\"MixedCase\\" DROP \\"B b\\"")
op.execute("ALTER TABLE visit RENAME at TO seen")
op.execute("CREATE TABLE gone (a int PRIMARY KEY)")
op.execute("DROP TABLE gone")
op.execute("DROP INDEX by_name")
op.execute("DELETE FROM person WHERE id = 2")
op.execute("INSERT INTO \\"MixedCase\\" (a) VALUES (3)")
"""
DOWN = """
op.execute("DELETE FROM \\"MixedCase\\" WHERE a = 3")
op.execute("INSERT INTO person (id, name) VALUES (2, 'Bob')")
op.create_index('by_name', 'person', ['name'])
op.execute("CREATE TABLE gone (a int PRIMARY KEY)")
op.execute("DROP TABLE gone")
op.execute("ALTER TABLE visit RENAME seen TO at")
op.execute("ALTER TABLE \\"MixedCase\\" ADD \\"B b\\" text")
op.drop_table('MixedCase')
op.execute("UPDATE person SET name = 'Ada' WHERE id = 1")
op.execute("TRUNCATE visit")
op.alter_table_options('visit', {'gc_grace_seconds': 864000})
op.drop_column('visit', 'note')
op.execute("INSERT INTO visit (person, at, place) VALUES (7, '2026-01-01', 'there')")
op.drop_index('by_name', 'person')
op.execute("DELETE FROM person WHERE id = 2")
op.execute("DROP TABLE visit")
op.execute("ALTER TABLE person DROP home")
op.execute("DROP TYPE address")
op.execute("INSERT INTO person (id, name) VALUES (9, 'Eve')")
op.execute("DROP TABLE person")
"""
PLACES = [f"{when}:{number}" for number in range(1, 21) for when in ("before", "during", "after")]
SOME = ["during:3", "after:16", *random.Random(1).sample(PLACES, len(PLACES))]  # the same for everybody


@pytest.fixture
def project(tmp_path: Path, cassandra_keyspace: CassandraKeyspace) -> LockedProject:
    return LockedProject(tmp_path, cassandra_keyspace)


def state(project: LockedProject) -> tuple[object, ...]:
    """Give schema, heads and data; table ids and the times of writes left out."""
    described = describe(project.keyspace, OWN)
    schema = [(kind, name, re.sub(r"id = [0-9a-f-]+", "", text)) for kind, name, text in described]
    names = [name for kind, name, _ in schema if kind == "table"]  # quoted as they have to be
    data = {name: sorted(map(repr, project.keyspace.execute(f"SELECT * FROM {name}"))) for name in names}
    return schema, data, project.heads()


def finishes(project: LockedProject, *arguments: str) -> float:
    """Run a command that must find nobody in its way; gives the seconds until it began to work."""
    began = time.time()
    process = project.process("-x", "lock_wait=0", *arguments)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    return began


@pytest.mark.timeout(300 if KILLS == "2" else 4 * 3600)
def test_killed_anywhere(project: LockedProject) -> None:
    project.revision("a", UP, DOWN)
    project.upgrade()
    upgraded = state(project)
    project.downgrade("base")
    downgraded = state(project)
    waits = []
    places = PLACES if KILLS == "all" else SOME[: int(KILLS)]
    for up, down in zip(places, reversed(places), strict=True):
        for command, target, place, expected in (
            ("upgrade", "head", up, upgraded),
            ("downgrade", "base", down, downgraded),
        ):
            project.dies(command, target, at=place, DIE_AFTER="0.3" if int(place[-1]) % 2 else "0")
            began = finishes(project, command, target)
            assert state(project) == expected, (command, place)
            query = "SELECT fence, started FROM alembic_cluster_history WHERE scope = 'alembic_version'"
            newest = max(project.keyspace.execute(query))
            waits.append(newest.started.timestamp() - began)
    print(f"{len(waits)} kills; a run begins its work {max(waits):.1f} s after its command at most")


def test_killed_between_heads_and_ledger(project: LockedProject) -> None:
    project.revision("a", "op.execute('CREATE TABLE a (a int PRIMARY KEY)')")
    env = project.folder / "migrations" / "env.py"
    env.write_text(
        env.read_text().replace(
            "context.configure(\n            connection",
            "context.configure(\n            on_version_apply=lambda **kw: os.environ.get('DIE_LATE') "
            "and os.kill(os.getpid(), signal.SIGKILL),\n            connection",
        )
    )
    process = project.process("upgrade", "head", DIE_LATE="1")
    output, _ = process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL, output
    assert project.heads() == {"a"}
    assert project.history() == []
    project.revision("b", "op.execute('CREATE TABLE b (a int PRIMARY KEY)')")
    finishes(project, "upgrade", "head")
    assert project.history() == [("a", "upgrade"), ("b", "upgrade")]


@pytest.mark.timeout(300 if ROUNDS == 1 else 4 * 3600)
def test_eight_at_once(project: LockedProject) -> None:
    project.revision("begin", "pass")
    for number in range(ROUNDS):
        for name in ("x", "y"):
            project.revision(
                f"{name}{number}",
                f"op.execute('CREATE TABLE {name}{number} (a int PRIMARY KEY)')\n"
                f"op.execute('ALTER TABLE {name}{number} ADD b int')",
            )
        processes = [project.process("upgrade", f"y{number}") for _ in range(8)]
        outputs = [process.communicate(timeout=300)[0] for process in processes]
        assert [process.returncode for process in processes] == [0] * 8, "\n".join(outputs)
        assert project.heads() == {f"y{number}"}
    done = [revision for revision, _ in project.history()]
    assert done == ["begin", *(f"{name}{number}" for number in range(ROUNDS) for name in ("x", "y"))]


def test_stopped_longer_than_its_lease(project: LockedProject) -> None:
    project.revision("a", "\n".join(f"op.execute('CREATE TABLE t{number} (a int PRIMARY KEY)')" for number in range(4)))
    for place in ("stop:2", "stopafter:3") if KILLS == "all" else ("stop:2",):
        first = project.process("-x", "lock_ttl=6", "upgrade", "head", DIE=place)
        os.waitpid(first.pid, os.WUNTRACED)
        project.process("-x", "lock_ttl=6", "upgrade", "head").communicate(timeout=120)
        assert project.heads() == {"a"}
        after = state(project)
        project.keyspace.execute("DROP TABLE t3")  # it would come back if the first one sent anything
        os.kill(first.pid, signal.SIGCONT)
        output, _ = first.communicate(timeout=120)
        assert first.returncode not in (0, None)
        assert "lost the migration lock" in " ".join(output.split())
        assert "t3" not in project.tables()
        project.keyspace.execute("CREATE TABLE t3 (a int PRIMARY KEY)")
        assert state(project)[1:] == after[1:]
        assert project.history() == [("a", "upgrade")]


def test_waiting_ends_with_the_documented_status(project: LockedProject) -> None:
    project.revision("a", "op.execute('CREATE TABLE a (a int PRIMARY KEY)')")
    holder = project.process("-x", "lock_ttl=300", "upgrade", "head", DIE="stop:1")
    os.waitpid(holder.pid, os.WUNTRACED)
    try:
        waiter = project.process("-x", "lock_wait=0.5", "upgrade", "head")
        output, _ = waiter.communicate(timeout=120)
        assert waiter.returncode == LockNotAcquired.EXIT_STATUS == 75
        assert f"held by process {holder.pid}" in " ".join(output.split())
        with pytest.raises(LockNotAcquired):
            project.upgrade_with(lock_wait=0)
    finally:
        os.kill(holder.pid, signal.SIGKILL)
        holder.communicate()


def test_next_to_a_version_table_without_history(tmp_path: Path, cassandra_keyspace: CassandraKeyspace) -> None:
    project = LockedProject(tmp_path, cassandra_keyspace)
    env = tmp_path / "migrations" / "env.py"
    locked = env.read_text()
    env.write_text(re.sub(r"with migration_lock\([^\n]*", "if True:", locked))
    project.revision("a", "op.execute('CREATE TABLE a (a int PRIMARY KEY)')")
    project.upgrade()
    assert project.tables() == {"a"}
    env.write_text(locked)
    project.upgrade()  # nothing to do: no table of ours is made
    assert project.tables() == {"a"}
    project.revision("b", "op.execute('CREATE TABLE b (a int PRIMARY KEY)')")
    project.upgrade()
    assert project.heads() == {"b"}
    assert project.history() == [("b", "upgrade")]
    project.downgrade("base")
    assert project.heads() == set()


def test_a_move_under_an_old_fence_is_refused(project: LockedProject) -> None:
    project.revision("a", "op.execute('CREATE TABLE a (a int PRIMARY KEY)')")
    overtaken = (
        "op.execute('CREATE TABLE b (a int PRIMARY KEY)')\n"
        "op.get_bind().exec_driver_sql(\"UPDATE alembic_version SET fence = 99 WHERE scope = 'heads' IF fence = 2\")"
    )
    project.upgrade()
    project.revision("b", overtaken)
    with pytest.raises(LeaseLost):
        project.upgrade()
    assert project.heads() == {"a"}


def test_whatever_the_url_says_our_tables_are_safe_in_many_datacenters(
    project: LockedProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cassandra import ConsistencyLevel
    from cassandra.cluster import Session

    url = make_url(project.keyspace.url).update_query_dict(
        {"consistency": "LOCAL_ONE", "serial_consistency": "LOCAL_SERIAL"}
    )
    project.set_url(url.render_as_string(hide_password=False))
    found = set()
    send = Session.execute_async

    def note(self: Any, query: Any, *args: Any, **kw: Any) -> Any:
        statements = query._statements_and_parameters if hasattr(query, "_statements_and_parameters") else ()
        text = str(getattr(getattr(query, "prepared_statement", query), "query_string", statements or query))
        tables = re.findall(r"alembic_(?:version|cluster_lock|cluster_history|cluster_journal)", text)
        if tables or statements:
            kind = "decides" if " IF " in text and "CREATE" not in text else text.split(None, 1)[0]
            levels = (query.consistency_level, query.serial_consistency_level if kind == "decides" else None)
            found.add((kind, *(ConsistencyLevel.value_to_name.get(level, "") for level in levels)))
        return send(self, query, *args, **kw)

    monkeypatch.setattr(Session, "execute_async", note)
    project.revision("a", "op.execute('CREATE TABLE a (a int PRIMARY KEY)')")
    project.upgrade()
    assert {level for kind, level, _ in found if kind == "SELECT"} == {"SERIAL", "QUORUM"}
    assert {(level, serial) for kind, level, serial in found if kind == "decides"} == {("QUORUM", "SERIAL")}
    assert {level for kind, level, _ in found if kind in ("INSERT", "DELETE")} == {"QUORUM"}


@pytest.mark.parametrize("carried_out", [True, False])
def test_conditional_writes_that_get_no_answer(
    carried_out: bool, project: LockedProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide, met = Queries.decide, set()

    def lose(self: Queries, cql: str, *values: Any) -> list[Any]:
        if cql in met:
            return decide(self, cql, *values)
        met.add(cql)
        if carried_out:
            decide(self, cql, *values)
        raise dbapi.OperationalError("no answer in time")

    monkeypatch.setattr(Queries, "decide", lose)
    project.revision("a", "op.execute('CREATE TABLE a (a int PRIMARY KEY)')")
    project.upgrade_with(lock_wait=5)
    assert len(met) == 4  # taking, two for the fence of the heads, giving back
    assert project.heads() == {"a"}
    assert project.history() == [("a", "upgrade")]
    (lock,) = project.keyspace.execute("SELECT fence, owner FROM alembic_cluster_lock")
    assert tuple(lock) == (1, None)


def test_a_renewal_that_gets_no_answer_is_made_again(project: LockedProject, monkeypatch: pytest.MonkeyPatch) -> None:
    project.revision("a", "op.execute('CREATE TABLE a (a int PRIMARY KEY)')")
    project.upgrade()
    with sa.create_engine(project.keyspace.url, poolclass=sa.NullPool).connect() as connection:
        lease = CqlStores(connection, "alembic_version", project.keyspace.name).lease
        held = lease.acquire(Owner.this_process(), 30, lease.read())
        assert held is not None
        decide = Queries.decide

        def lose(self: Queries, cql: str, *values: Any) -> list[Any]:
            raise dbapi.OperationalError("no answer in time")

        monkeypatch.setattr(Queries, "decide", lose)
        with pytest.raises(dbapi.OperationalError):  # it is ours, and whether for longer now isn't known
            lease.renew(held)
        monkeypatch.setattr(Queries, "decide", decide)
        assert lease.renew(held)
        assert lease.remove(lease.read())
        monkeypatch.setattr(Queries, "decide", lose)
        assert not lease.renew(held)

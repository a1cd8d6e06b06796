"""ScyllaDB's application-level versioning, whole: sessions and messages of a chat whose rows are of all versions.

The pattern is that of https://www.scylladb.com/2022/01/19/handling-schema-changes-in-nosql/: a renamed field, a new
field with a default, rows upgraded when they are read, steps that may run again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from sqlalchemy import Engine

from alembic_cluster.errors import BackfillRowFailed, UnknownRowVersion
from alembic_cluster.evolution import Evolution
from alembic_cluster.evolution_store import StoredRows
from tests.cql.oracle import engine_of
from tests.servers.cassandra import CassandraCluster
from tests.servers.fixtures import CassandraKeyspace, driver_cluster

sessions = Evolution("sessions")
messages = Evolution("messages")


@sessions.step(1, 2, defaults={"blueprint": "devassist"})
def state_is_session_state(row: dict[str, Any]) -> None:
    """Rename a field, and have a new one with a default."""
    if row.get("state") is not None:
        row["session_state"] = row.pop("state")


@sessions.step(2, 3, defaults={"participants": list})
def participants(row: dict[str, Any]) -> None:
    """Every session has the user who began it among its participants."""
    if row["user_id"] not in (row.get("participants") or []):
        row["participants"] = [row["user_id"], *(row.get("participants") or [])]


@messages.step(1, 2)
def text_is_content(row: dict[str, Any]) -> dict[str, Any]:
    if row.get("text") is not None:
        row = {**row, "content": row["text"]}
        del row["text"]
    return row


@messages.step(2, 3, defaults={"role": "user"})
def roles(row: dict[str, Any]) -> None:
    """A new field with a default, and no more."""


TABLES = (
    "CREATE TABLE sessions (session_id text PRIMARY KEY, schema_version int, user_id text, title text, state text, "
    "session_state text, blueprint text, participants list<text>)",
    "CREATE TABLE messages (session_id text, number int, schema_version int, text text, content text, role text, "
    "PRIMARY KEY (session_id, number))",
)


class Repository:
    """A program of the newest release: reads through the evolution, writes the newest version only."""

    def __init__(self, keyspace: CassandraKeyspace) -> None:
        self._keyspace = keyspace

    @sessions.reader
    def session(self, session_id: str) -> Any:
        return self._keyspace.execute("SELECT * FROM sessions WHERE session_id = %s", [session_id])[0]._asdict()

    @messages.reader
    def messages(self, session_id: str) -> Any:
        rows = self._keyspace.execute("SELECT * FROM messages WHERE session_id = %s", [session_id])
        return [row._asdict() for row in rows]

    def rename(self, session_id: str, title: str) -> None:
        row = sessions.stamp({**self.session(session_id), "title": title})
        names = list(row)
        marks = ", ".join("%s" for _ in names)
        self._keyspace.execute(f"INSERT INTO sessions ({', '.join(names)}) VALUES ({marks})", list(row.values()))


@pytest.fixture(scope="module")
def chat(keyspaces: Iterator[CassandraKeyspace]) -> CassandraKeyspace:
    found = next(keyspaces)
    for table in TABLES:
        found.execute(table)
    return found


@pytest.fixture
def engine(chat: CassandraKeyspace) -> Iterator[Engine]:
    for row in (
        "('s1', null, 'u1', 'My Chat', 'open', null, null, null)",
        "('s2', 1, 'u2', 'Old', 'closed', null, null, null)",
        "('s3', 2, 'u3', 'Newer', null, 'open', 'writer', null)",
        "('s4', 3, 'u4', 'Newest', null, 'open', 'coder', ['u4', 'u5'])",
    ):
        chat.execute(
            "INSERT INTO sessions (session_id, schema_version, user_id, title, state, session_state, blueprint, "
            f"participants) VALUES {row}"
        )
    for session in ("s1", "s4"):
        for number, version in enumerate((1, 2, 3)):
            name = "text" if version == 1 else "content"
            chat.execute(
                f"INSERT INTO messages (session_id, number, schema_version, {name}, role) VALUES ('{session}', "
                f"{number}, {version}, 'hello {number}', {repr('system') if version == 3 else 'null'})"
            )
    with engine_of(chat) as made:
        yield made
    for name in ("sessions", "messages"):
        chat.execute(f"TRUNCATE {name}")


def test_a_program_of_the_newest_release_reads_rows_of_all_versions(chat: CassandraKeyspace, engine: Engine) -> None:
    repository = Repository(chat)
    read = [repository.session(f"s{number}") for number in (1, 2, 3)]
    assert [(row["session_state"], row["blueprint"], row["participants"]) for row in read] == [
        ("open", "devassist", ["u1"]),
        ("closed", "devassist", ["u2"]),
        ("open", "writer", ["u3"]),
    ]
    assert all(row["schema_version"] == 3 and not row.get("state") for row in read)
    assert [(row["content"], row["role"]) for row in repository.messages("s1")] == [
        ("hello 0", "user"),
        ("hello 1", "user"),
        ("hello 2", "system"),
    ]
    assert StoredRows(sessions, engine, "sessions").counts() == {1: 2, 2: 1, 3: 1}  # reading writes nothing
    repository.rename("s1", "Renamed")
    assert repository.session("s1")["title"] == "Renamed"
    assert sessions.upgrade({**read[0], "schema_version": 1}) == read[0]  # once more changes nothing


def test_rows_are_written_back_if_nobody_was_quicker(chat: CassandraKeyspace, engine: Engine) -> None:
    stored = StoredRows(sessions, engine, "sessions")
    rows = {row.session_id: row for row in chat.execute("SELECT * FROM sessions")}
    assert stored.upgrade_and_save(rows["s1"])["session_state"] == "open"
    found = chat.execute("SELECT * FROM sessions WHERE session_id = 's1'")[0]
    assert (found.schema_version, found.state, found.session_state, found.participants) == (3, None, "open", ["u1"])
    # Another program has upgraded the row meanwhile, and then changed it.
    chat.execute("UPDATE sessions SET schema_version = 3, session_state = 'later' WHERE session_id = 's2'")
    assert not stored.write_back(rows["s2"], sessions.upgrade(rows["s2"]))
    assert chat.execute("SELECT session_state FROM sessions WHERE session_id = 's2'")[0][0] == "later"
    assert asyncio.run(stored.upgrade_and_save_async(rows["s3"]))["participants"] == ["u3"]
    assert stored.counts() == {3: 4}
    assert stored.retired()


def test_rows_that_expire_go_on_expiring(chat: CassandraKeyspace, engine: Engine) -> None:
    columns = "session_id, schema_version, user_id, state, title"
    for session_id in ("e1", "e2"):
        chat.execute(f"INSERT INTO sessions ({columns}) VALUES ('{session_id}', 1, 'u1', 'open', 't') USING TTL 5000")
    chat.execute("UPDATE sessions USING TTL 100 SET schema_version = 1 WHERE session_id = 'e2'")
    stored = StoredRows(sessions, engine, "sessions")
    for row in chat.execute("SELECT * FROM sessions WHERE session_id IN ('e1', 'e2')"):
        assert stored.upgrade_and_save(row)["session_state"] == "open"
    query = "SELECT TTL(schema_version), TTL(session_state), TTL(blueprint), TTL(user_id) FROM sessions"
    (first,), (second,) = (chat.execute(f"{query} WHERE session_id = '{name}'") for name in ("e1", "e2"))
    assert all(4000 < seconds <= 5000 for seconds in first)
    assert second[0] <= 100
    assert all(4000 < seconds <= 5000 for seconds in second[1:])
    chat.execute("DELETE FROM sessions WHERE session_id IN ('e1', 'e2')")


def test_the_rest_is_upgraded_by_a_backfill(chat: CassandraKeyspace, engine: Engine) -> None:
    stored = StoredRows(messages, engine, "messages")
    assert stored.counts() == {1: 2, 2: 2, 3: 2}
    report = stored.backfill()
    assert (report.rows, report.changed) == (6, 4)
    assert asyncio.run(stored.counts_async()) == {3: 6}
    assert stored.backfill().changed == 0
    found = {(row.content, row.text, row.role) for row in chat.execute("SELECT * FROM messages")}
    assert found == {(f"hello {n}", None, "system" if n == 2 else "user") for n in range(3)}
    chat.execute("UPDATE messages SET schema_version = 4 WHERE session_id = 's1' AND number = 0")
    with pytest.raises(BackfillRowFailed, match="versions up to 3"):
        stored.backfill()
    assert not stored.retired(5)
    with pytest.raises(UnknownRowVersion):
        messages.upgrade(chat.execute("SELECT * FROM messages WHERE session_id = 's1' AND number = 0")[0])


def test_rows_of_cqlengine(chat: CassandraKeyspace, engine: Engine, cassandra: CassandraCluster) -> None:
    from cassandra.cqlengine import columns, connection
    from cassandra.cqlengine.models import Model

    class Session(Model):
        __table_name__ = "sessions"
        __keyspace__ = chat.name
        __connection__ = "evolving"
        session_id = columns.Text(primary_key=True)
        schema_version = columns.Integer()
        user_id = columns.Text()
        title = columns.Text()
        state = columns.Text()
        session_state = columns.Text()
        blueprint = columns.Text()
        participants = columns.List(columns.Text)

    driver = driver_cluster(cassandra)
    connection.register_connection("evolving", session=driver.connect())
    try:
        session = Session.objects(session_id="s1").get()
        assert StoredRows(sessions, engine, "sessions").upgrade_and_save(session) is session
        assert (session.session_state, session.blueprint, session.get_changed_columns()) == ("open", "devassist", [])
        again = Session.objects(session_id="s1").get()
    finally:
        connection.unregister_connection("evolving")
        driver.shutdown()
    assert (again.schema_version, again.session_state, again.state, again.participants) == (3, "open", None, ["u1"])


def test_rows_of_coodie(
    chat: CassandraKeyspace, engine: Engine, cassandra: CassandraCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    from coodie import drivers, fields, sync

    monkeypatch.setattr(drivers, "_registry", {})
    monkeypatch.setattr(drivers, "_default_driver_name", None)

    class Session(sync.Document):
        session_id: Annotated[str, fields.PrimaryKey()]
        schema_version: int | None = None
        user_id: str = ""
        title: str = ""
        state: str | None = None
        session_state: str | None = None
        blueprint: str | None = None
        participants: list[str] | None = None

        class Settings:
            name = "sessions"
            keyspace = chat.name

    driver = driver_cluster(cassandra)
    sync.init_coodie(session=driver.connect(), keyspace=chat.name, driver_type="cassandra")
    try:
        session = Session.find_one(session_id="s2")
        assert StoredRows(sessions, engine, "sessions").upgrade_and_save(session) is session
        again = Session.find_one(session_id="s2")
    finally:
        driver.shutdown()
    assert (session.session_state, session.state) == ("closed", None)
    assert (again.schema_version, again.session_state, again.state, again.participants) == (3, "closed", None, ["u2"])

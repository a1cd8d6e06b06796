"""The example application on both real servers: its revisions, both ways, and what it does with the tables."""

from __future__ import annotations

import datetime
import io
import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from alembic.config import CommandLine, Config
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.exc import IntegrityError

from alembic_cluster.errors import ConfigurationError
from alembic_cluster.stores import TABLES
from alembic_cql.splitting import split_cql
from example_app import cli
from example_app.accounts import Accounts, NoSuchAccount
from example_app.settings import ACCOUNTS, TIMELINE, database_url
from example_app.timeline import Timeline, UnknownKind
from example_app.timeline.models import KEPT_SECONDS
from example_app.timeline.service import happened_at
from tests.servers.fixtures import CassandraKeyspace, CockroachDatabase

PROJECT = Path(__file__).resolve().parents[1]


def alembic(section: str, *arguments: str) -> str:
    """Run one of Alembic's commands for one of the two databases; gives what it wrote."""
    written = io.StringIO()
    line = CommandLine()
    options = line.parser.parse_args(["--raiseerr", *arguments])
    ini = PROJECT / "example_app" / "alembic.ini"
    config = Config(ini, ini_section=section, stdout=written, output_buffer=written, cmd_opts=options)
    line.run_cmd(config, options)
    return written.getvalue()


@pytest.fixture
def accounts_url(cockroach_database: CockroachDatabase, monkeypatch: pytest.MonkeyPatch) -> str:
    url = cockroach_database.url_for("psycopg")
    monkeypatch.setenv(ACCOUNTS, url)
    return url


@pytest.fixture
def timeline_url(cassandra_keyspace: CassandraKeyspace, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv(TIMELINE, cassandra_keyspace.url)
    return cassandra_keyspace.url


@pytest.fixture
def accounts_engine(accounts_url: str) -> Iterator[Engine]:
    engine = create_engine(accounts_url)
    yield engine
    engine.dispose()


@pytest.fixture
def timeline_engine(timeline_url: str) -> Iterator[Engine]:
    engine = create_engine(timeline_url)
    yield engine
    engine.dispose()


def columns(engine: Engine, table: str) -> set[str]:
    return {column["name"] for column in inspect(engine).get_columns(table)}


def tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names()) - {"alembic_version", *TABLES}


def test_accounts_migrate_up_down_and_up_again(accounts_engine: Engine) -> None:
    alembic("accounts", "upgrade", "0002")
    with accounts_engine.begin() as connection:
        connection.execute(text("INSERT INTO accounts (owner, balance) VALUES ('Ada', -5), ('Grace', 7)"))
        rows = connection.execute(text("SELECT owner, overdrawn FROM accounts ORDER BY owner")).all()
    assert [tuple(row) for row in rows] == [("Ada", True), ("Grace", False)]

    alembic("accounts", "upgrade", "head")
    alembic("accounts", "check")
    assert alembic("accounts", "current").split() == ["0003", "(head)"]
    with accounts_engine.begin() as connection:
        assert set(connection.scalars(text("SELECT currency FROM accounts"))) == {"EUR"}
    with pytest.raises(IntegrityError), accounts_engine.begin() as connection:
        connection.execute(text("INSERT INTO accounts (owner, currency) VALUES ('Alan', NULL)"))

    alembic("accounts", "downgrade", "-1")
    assert columns(accounts_engine, "accounts") == {"id", "owner", "balance", "opened_at", "overdrawn"}
    with accounts_engine.begin() as connection:
        assert connection.scalar(text("SELECT count(*) FROM accounts")) == 2
    alembic("accounts", "downgrade", "base")
    assert tables(accounts_engine) == set()
    alembic("accounts", "upgrade", "head")
    alembic("accounts", "check")


def test_timeline_migrates_up_down_and_up_again(timeline_engine: Engine, cassandra_keyspace: CassandraKeyspace) -> None:
    alembic("timeline", "upgrade", "0001")
    key = (uuid.uuid4(), datetime.date(2026, 11, 21), uuid.uuid1())
    cassandra_keyspace.execute("INSERT INTO events (account, day, id, kind) VALUES (%s, %s, %s, 'deposit')", key)

    alembic("timeline", "upgrade", "head")
    alembic("timeline", "check")
    assert alembic("timeline", "current").split() == ["0003", "(head)"]
    assert tables(timeline_engine) == {"events", "event_counts", "event_kinds"}
    (row,) = cassandra_keyspace.execute("SELECT id FROM events WHERE kind = 'deposit'")  # by the index
    assert row.id == key[2]
    options = inspect(timeline_engine).get_table_options("events")
    assert options["cql_default_time_to_live"] == KEPT_SECONDS
    assert options["cql_compaction"]["class"] == "TimeWindowCompactionStrategy"
    assert options["cql_clustering_order"] == {"id": "DESC"}
    assert len(cassandra_keyspace.execute("SELECT kind FROM event_kinds")) == 4

    alembic("timeline", "downgrade", "0001")
    assert tables(timeline_engine) == {"events"}
    assert columns(timeline_engine, "events") == {"account", "day", "id", "owner", "kind", "amount"}
    assert inspect(timeline_engine).get_table_options("events")["cql_default_time_to_live"] == 30 * 24 * 3600
    assert len(cassandra_keyspace.execute("SELECT id FROM events")) == 1
    alembic("timeline", "downgrade", "base")
    assert tables(timeline_engine) == set()
    alembic("timeline", "upgrade", "head")
    alembic("timeline", "check")


def test_accounts_can_be_opened_moved_and_listed(accounts_engine: Engine) -> None:
    alembic("accounts", "upgrade", "head")
    accounts = Accounts(accounts_engine)
    ada = accounts.open("Ada Lovelace")
    grace = accounts.open("Grace Hopper", "USD")
    assert (ada.balance, ada.currency, ada.overdrawn) == (0, "EUR", False)
    assert accounts.add(ada.id, Decimal("12.50")).balance == Decimal("12.50")
    after = accounts.add(ada.id, Decimal("-20"))
    assert (after.balance, after.overdrawn) == (Decimal("-7.50"), True)
    assert [account.id for account in accounts.list()] == [ada.id, grace.id]
    assert [account.id for account in accounts.list("Grace Hopper")] == [grace.id]
    assert [account.id for account in accounts.list(only_overdrawn=True)] == [ada.id]
    with pytest.raises(NoSuchAccount):
        accounts.add(uuid.uuid4(), Decimal(1))


def test_events_can_be_recorded_and_listed(timeline_engine: Engine, cassandra_keyspace: CassandraKeyspace) -> None:
    alembic("timeline", "upgrade", "head")
    timeline = Timeline(timeline_engine)
    account, other = uuid.uuid4(), uuid.uuid4()
    opened = timeline.record(account, "opened", owner="Ada")
    paid = timeline.record(
        account,
        "deposit",
        amount=Decimal("12.50"),
        tags=["salary", "november"],
        details={"balance": "12.50"},
        origin=["app", "ios"],
    )
    timeline.record(other, "deposit")
    today = happened_at(paid).date()
    assert abs(datetime.datetime.now(datetime.timezone.utc) - happened_at(paid)) < datetime.timedelta(minutes=5)

    newest, oldest = timeline.day(account, today)
    assert (newest.id, oldest.id) == (paid, opened)
    assert newest.owner == oldest.owner == "Ada"
    assert (newest.amount, newest.tags, newest.details) == (
        Decimal("12.50"),
        {"salary", "november"},
        {"balance": "12.50"},
    )
    assert (newest.origin, oldest.tags, oldest.origin) == (["app", "ios"], None, None)
    assert [event.id for event in timeline.day(account, today, kind="opened")] == [opened]
    assert [event.id for event in timeline.day(account, today, limit=1)] == [paid]
    assert timeline.day(account, today - datetime.timedelta(days=3)) == []
    assert timeline.counts(account) == {"opened": 1, "deposit": 1}
    timeline.record(account, "deposit")
    assert timeline.counts(account) == {"opened": 1, "deposit": 2}
    (row,) = cassandra_keyspace.execute(
        "SELECT ttl(amount) AS left FROM events WHERE account = %s AND day = %s AND id = %s", (account, today, paid)
    )
    assert 0 < row.left <= KEPT_SECONDS
    with pytest.raises(UnknownKind):
        timeline.record(account, "theft")


def test_the_command_line_does_the_same(
    accounts_url: str, timeline_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    alembic("accounts", "upgrade", "head")
    alembic("timeline", "upgrade", "head")
    cli.main(["open", "Ada Lovelace", "--currency", "chf"])
    account = capsys.readouterr().out.split()[0]
    cli.main(["deposit", account, "20.50", "--tag", "salary"])
    cli.main(["withdraw", account, "30"])
    capsys.readouterr()
    cli.main(["accounts", "--overdrawn"])
    assert capsys.readouterr().out.split() == [account, "Ada", "Lovelace", "-9.50", "CHF", "overdrawn"]
    cli.main(["timeline", account])
    shown = [line.split(maxsplit=2)[2].split() for line in capsys.readouterr().out.splitlines()]
    assert [line[0] for line in shown] == ["Reminder:", "Withdrawal", "Deposit", "Account"]
    assert shown[2] == ["Deposit", "+20.50", "#salary"]
    with pytest.raises(SystemExit, match="there is no account"):
        cli.main(["deposit", str(uuid.uuid4()), "1"])


@pytest.mark.parametrize("amount", ["0", "-1", "0.001", "nan", "inf", "much"])
def test_a_bad_amount_is_refused(amount: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        cli.main(["deposit", str(uuid.uuid4()), "--", amount])
    assert refused.value.code == 2
    assert "amount" in capsys.readouterr().err


@pytest.mark.parametrize("url", ["", "nonsense", "postgresql://h/d", "cassandra://h/k"])
def test_a_bad_accounts_url_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ACCOUNTS, url)
    with pytest.raises(ConfigurationError, match=r"^(The environment has no )?ACCOUNTS_URL"):
        database_url(ACCOUNTS)
    with pytest.raises(ConfigurationError, match="ACCOUNTS_URL"):
        alembic("accounts", "current")


def test_accounts_as_a_script_that_the_server_takes(
    cockroach_database: CockroachDatabase, accounts_engine: Engine
) -> None:
    script = alembic("accounts", "upgrade", "head", "--sql")
    with cockroach_database.cluster.connect(cockroach_database.name) as connection:
        for statement in filter(None, (part.strip() for part in script.split(";\n"))):
            connection.execute(statement)
    alembic("accounts", "check")


def test_timeline_as_a_script_that_the_server_takes(cassandra_keyspace: CassandraKeyspace, timeline_url: str) -> None:
    for statement in split_cql(alembic("timeline", "upgrade", "head", "--sql")):
        cassandra_keyspace.execute(statement)
    alembic("timeline", "check")

"""The README's five-minute starts, run as they stand there: on real servers, in a fresh folder."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.config import Config
from sqlalchemy import NullPool, create_engine, inspect, make_url

from alembic_cql.url import QUERY_OPTIONS
from tests.servers.cache import PROJECT
from tests.servers.fixtures import CassandraKeyspace, CockroachDatabase

README = (PROJECT / "README.md").read_text()
BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)


def section(title: str) -> str:
    """Give the text under one heading."""
    (found,) = re.findall(rf"(?ms)^## {re.escape(title)}$\n(.*?)(?=^## |\Z)", README)
    return str(found)


class Reader:
    """Somebody who does what the README says.

    :param folder: where.
    :param replace: gives what this machine needs in place of what the README names.
    :param create: runs the statement that makes the database, in place of the database's own shell.
    """

    def __init__(self, folder: Path, replace: Callable[[str], str], create: Callable[[str], object]) -> None:
        self.folder = folder
        self.replace = replace
        self.create = create
        self.ran: list[str] = []

    def follow(self, text: str) -> None:
        """Do all blocks in their order."""
        for block in BLOCK.finditer(text):
            body = self.replace(block["body"])
            if block["language"] == "console":
                for command in body.splitlines():
                    self.run(shlex.split(command))
            else:
                first, _, rest = body.partition("\n")
                self.write(*first.removeprefix("# ").partition(", ")[::2], rest)

    def write(self, name: str, place: str, text: str) -> None:
        """Write a file, or change the place in it that the block names."""
        file = self.folder / name
        if name == "alembic.ini":
            key = text.partition(" =")[0]
            self.change(file, rf"(?m)^{re.escape(key)} = .*\n", text)
        elif name == "migrations/env.py":
            self.change(file, r"(?m)^target_metadata = None\n", text)
        elif place == "above":
            file.write_text(text + file.read_text())
        elif place:
            file.write_text(file.read_text() + text)  # the class that is meant ends the file
        else:
            file.write_text(text)

    def change(self, file: Path, pattern: str, text: str) -> None:
        changed, count = re.subn(pattern, lambda _: text, file.read_text())
        assert count == 1, f"{file} has {count} places for {text!r}"
        file.write_text(changed)

    def run(self, command: list[str]) -> None:
        """Run one command of a console block."""
        if command[:2] == ["pip", "install"]:
            assert re.fullmatch(r"alembic-cluster\[(cockroachdb|cassandra)\]", command[2])
        elif command[0] in ("cockroach", "cqlsh"):
            self.create(command[command.index("-e") + 1])
        else:
            assert command[0] == "alembic"
            environment = {**os.environ, "PYTHONWARNINGS": "error", "PYTHONDONTWRITEBYTECODE": "1"}
            done = subprocess.run(
                [sys.executable, "-m", *command],
                cwd=self.folder,
                env=environment,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
            self.ran.append(" ".join(command[1:]))

    def revision(self, name: str) -> str:
        """Give the text of the revision whose file name ends so."""
        (file,) = (self.folder / "migrations" / "versions").glob(f"*_{name}.py")
        return file.read_text()


def test_cockroachdb_in_five_minutes(cockroach_database: CockroachDatabase, tmp_path: Path) -> None:
    url = cockroach_database.url_for("psycopg")

    def replace(text: str) -> str:
        return text.replace("cockroachdb+psycopg://root@localhost:26257/bank?sslmode=disable", url)

    made: list[str] = []
    reader = Reader(tmp_path, replace, made.append)
    reader.follow(section("CockroachDB in five minutes"))
    assert made == ["CREATE DATABASE bank"]
    assert reader.ran[-2:] == ["history", "upgrade head --sql"]
    assert "check" in reader.ran
    assert "sa.Computed(" in reader.revision("overdrawn_accounts")
    engine = create_engine(url, poolclass=NullPool)
    assert [column["name"] for column in inspect(engine).get_columns("accounts")] == ["id", "balance", "overdrawn"]


def test_cassandra_in_five_minutes(cassandra_keyspace: CassandraKeyspace, tmp_path: Path) -> None:
    def replace(text: str) -> str:
        text = text.replace("cassandra://localhost:9042/bank?local_dc=datacenter1", cassandra_keyspace.url)
        return text.replace("KEYSPACE bank", f"KEYSPACE {cassandra_keyspace.name}")

    def create(statement: str) -> None:
        cassandra_keyspace.session.execute(f"DROP KEYSPACE {cassandra_keyspace.name}")
        cassandra_keyspace.session.execute(
            statement.replace("'datacenter1'", f"'{cassandra_keyspace.cluster.local_dc}'")
        )

    reader = Reader(tmp_path, replace, create)
    reader.follow(section("Cassandra in five minutes"))
    assert reader.ran[-2:] == ["history", "upgrade head --sql"]
    assert "check" in reader.ran
    revision = reader.revision("kinds_of_events")
    assert "op.create_index('events_kind'" in revision
    assert "op.drop_column('events', 'kind')" in revision
    inspector = inspect(create_engine(cassandra_keyspace.url, poolclass=NullPool))
    assert {column["name"] for column in inspector.get_columns("events")} == {
        "account", "day", "id", "owner", "tags", "kind",
    }  # fmt: skip
    assert inspector.get_indexes("events")[0]["dialect_options"]["cql_using"] == "sai"


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_every_link_leads_to_a_file(target: str) -> None:
    assert (PROJECT / target).exists()


def test_the_two_commands_are_on_the_first_screen() -> None:
    first = README.splitlines()[:20]
    assert "scripts/demo" in first
    assert "scripts/test" in first
    for script in ("demo", "test"):
        assert os.access(PROJECT / "scripts" / script, os.X_OK)


def test_the_ini_example_is_one_that_alembic_takes(tmp_path: Path) -> None:
    (tmp_path / "alembic.ini").write_text((PROJECT / "alembic.ini.example").read_text())
    for name, dialect in (("accounts", "cockroachdb"), ("timeline", "cql")):
        done = subprocess.run(
            [sys.executable, "-m", "alembic", "-n", name, "init", f"{name}/migrations"],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        config = Config(str(tmp_path / "alembic.ini"), ini_section=name)
        url = config.get_main_option("sqlalchemy.url")
        assert url is not None
        assert make_url(url).get_dialect().name == dialect
        heads = subprocess.run(
            [sys.executable, "-m", "alembic", "-n", name, "upgrade", "head", "--sql"],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert heads.returncode == 0, heads.stderr


def test_urls_of_the_ini_example_say_what_their_dialects_take() -> None:
    urls = re.findall(r"(?m)^(?:# )?sqlalchemy\.url = (\S+)$", (PROJECT / "alembic.ini.example").read_text())
    assert len(urls) == 5
    for url in map(make_url, urls):
        if url.get_dialect().name == "cql":
            assert set(url.query) <= {*QUERY_OPTIONS, "host"}

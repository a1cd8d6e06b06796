"""The documentation's five-minute starts, run as they stand there: on real servers, in a fresh folder."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import NullPool, create_engine, create_mock_engine, inspect

from alembic_cluster.cli import main
from tests.servers.cache import PROJECT
from tests.servers.fixtures import CassandraKeyspace, CockroachDatabase
from tests.test_readme import BLOCK, Reader

START = PROJECT / "docs" / "start"


class StartReader(Reader):
    """Somebody who does what a start page says, with ``alembic-cluster``; each command in this process."""

    def follow(self, text: str) -> None:
        """Do all blocks in their order."""
        for block in BLOCK.finditer(text):
            if block["language"] == "console":
                for command in self.replace(block["body"]).splitlines():
                    self.run(shlex.split(command))
            else:
                first, _, rest = self.replace(block["body"]).partition("\n")
                self.write(*first.removeprefix("# ").partition(", ")[::2], rest)

    def run(self, command: list[str]) -> None:
        """Run one command of a console block."""
        if command[0] == "export":
            name, _, value = command[1].partition("=")
            os.environ[name] = value
        elif command[0] == "alembic-cluster":
            # What a process of its own would import anew.
            sys.modules.pop("models", None)
            main(command[1:])
            self.ran.append(" ".join(command[1:]))
        else:
            super().run(command)


@pytest.fixture(autouse=True)
def in_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # files change within a second
    monkeypatch.setenv("DATABASE_URL", "")


def test_cockroachdb(cockroach_database: CockroachDatabase, tmp_path: Path) -> None:
    url = cockroach_database.url_for("psycopg")

    def replace(text: str) -> str:
        return text.replace("cockroachdb+psycopg://root@localhost:26257/bank?sslmode=disable", url)

    reader = StartReader(tmp_path, replace, lambda statement: None)
    reader.follow((START / "cockroachdb.md").read_text())
    assert [command.split()[0] for command in reader.ran][-3:] == ["check", "downgrade", "upgrade"]
    assert "cockroachdb_include=['balance']" in reader.revision("look_up_by_owner").replace('"', "'")
    (index,) = inspect(create_engine(url, poolclass=NullPool)).get_indexes("accounts")
    assert index["name"] == "accounts_owner"


def test_cassandra(cassandra_keyspace: CassandraKeyspace, tmp_path: Path) -> None:
    def replace(text: str) -> str:
        return text.replace("cassandra://localhost:9042/bank?local_dc=datacenter1", cassandra_keyspace.url)

    reader = StartReader(tmp_path, replace, lambda statement: None)
    reader.follow((START / "cassandra.md").read_text())
    assert [command.split()[0] for command in reader.ran][-2:] == ["check", "downgrade"]
    inspector = inspect(create_engine(cassandra_keyspace.url, poolclass=NullPool))
    assert {column["name"] for column in inspector.get_columns("events")} == {"account", "day", "id", "tags"}


def test_the_recipes_are_models_that_create_all_takes() -> None:
    text = (PROJECT / "docs" / "guides" / "cockroachdb-recipes.md").read_text()
    scope: dict[str, Any] = {}
    for block in BLOCK.finditer(text):
        assert block["language"] == "python"
        exec(block["body"], scope)
    written: list[str] = []
    engine = create_mock_engine(
        "cockroachdb+psycopg://", lambda statement, *_: written.append(str(statement.compile(dialect=engine.dialect)))
    )
    scope["metadata"].create_all(engine, checkfirst=False)
    text = "\n".join(written)
    for part in ("STORING (balance)", "USING HASH", "ttl_expire_after", "REGIONAL BY ROW", "LOCALITY GLOBAL", "STORED"):
        assert part in text, part

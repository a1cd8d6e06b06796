"""Rows written back and counted, by SQLAlchemy alone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from alembic_cluster.errors import ConfigurationError, InvalidEvolution, UnknownRowVersion, UnsupportedOperation
from alembic_cluster.evolution import Evolution
from alembic_cluster.evolution_store import StoredRows
from alembic_cluster.lint.run import Severities, _retired
from alembic_cluster.settings import Settings

STORED: Any = None  # what a test has lint import


def users() -> Evolution:
    evolution = Evolution("users")

    @evolution.step(1, 2, defaults={"plan": "free"})
    def name_is_full_name(row: dict[str, Any]) -> None:
        if "name" in row and row["name"] is not None:
            row["full_name"] = row.pop("name")

    @evolution.step(2, 3)
    def trimmed(row: dict[str, Any]) -> None:
        row["full_name"] = row["full_name"].strip()

    return evolution


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    full_name: Mapped[str | None]
    plan: Mapped[str | None]
    schema_version: Mapped[int | None]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = create_engine(f"sqlite:///{tmp_path / 'db'}")
    Base.metadata.create_all(made)
    with made.begin() as connection:
        connection.execute(text("INSERT INTO users VALUES (1, ' Ann ', NULL, NULL, NULL)"))
        connection.execute(text("INSERT INTO users VALUES (2, NULL, ' Bob', 'paid', 2), (3, NULL, 'Cy', 'free', 3)"))
    yield made
    made.dispose()


def rows(engine: Engine) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(text("SELECT * FROM users ORDER BY id")).mappings()]


def test_old_rows_are_written_back_once(engine: Engine) -> None:
    stored = StoredRows(users(), engine, "users")
    assert stored.counts() == {1: 1, 2: 1, 3: 1}
    before = rows(engine)
    ann = stored.upgrade_and_save(before[0])
    assert ann == {"id": 1, "full_name": "Ann", "plan": "free", "schema_version": 3}
    assert rows(engine)[0] == {"id": 1, "name": None, "full_name": "Ann", "plan": "free", "schema_version": 3}
    assert not stored.write_back(before[0], ann)  # somebody was quicker: the row is of version 3 by now
    assert asyncio.run(stored.upgrade_and_save_async(before[1]))["full_name"] == "Bob"
    assert stored.upgrade_and_save(before[2]) is not None
    assert stored.counts() == asyncio.run(stored.counts_async()) == {3: 3}
    assert stored.retired()


def test_objects_of_the_orm(engine: Engine) -> None:
    stored = StoredRows(users(), engine, User.__table__)  # type: ignore[arg-type]
    with Session(engine) as session:
        ann = session.get(User, 1)
        session.commit()
        session.refresh(ann)
        session.connection().close()
        session.expunge_all()
        assert stored.upgrade_and_save(ann) is ann
    assert (rows(engine)[0]["full_name"], rows(engine)[0]["schema_version"]) == ("Ann", 3)


def test_what_can_not_be(engine: Engine) -> None:
    stored = StoredRows(users(), engine, "users")
    with pytest.raises(InvalidEvolution, match="'id'"):
        stored.write_back({"name": "x"}, {"full_name": "x"})
    with pytest.raises(UnknownRowVersion):
        stored.upgrade_and_save({"id": 1, "schema_version": 4})
    with pytest.raises(InvalidEvolution, match="no table"):
        StoredRows(users(), engine, "nope").counts()
    with pytest.raises(InvalidEvolution, match="no column 'v'"):
        StoredRows(Evolution("users", version="v"), engine, "users").counts()
    with pytest.raises(UnsupportedOperation, match="sqlite"):
        stored.backfill()


def test_lint_says_which_steps_nobody_needs(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = StoredRows(users(), engine, "users")
    monkeypatch.setattr("tests.unit.test_evolution_store.STORED", stored)
    settings = Settings(None, {"row_versions": "tests.unit.test_evolution_store:STORED"})
    assert list(_retired(settings, Severities(settings), "migrations")) == []
    stored.upgrade_and_save(rows(engine)[0])
    (finding,) = _retired(settings, Severities(settings), "migrations")
    assert (finding.code, "1 to 2" in finding.text, "2 to 3" in finding.text) == ("AL013", True, False)
    with pytest.raises(ConfigurationError, match="no StoredRows"):
        list(_retired(Settings(None, {"row_versions": "os:path"}), Severities(settings), ""))

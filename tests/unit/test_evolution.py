"""Row versions: chains, upgrades in memory, every kind of row."""

from __future__ import annotations

import asyncio
import dataclasses
import re
from collections import namedtuple
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Text, create_engine, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, load_only, mapped_column

from alembic_cluster.errors import InvalidEvolution, RowUpgradeFailed, UnknownRowVersion
from alembic_cluster.evolution import Evolution
from benchmarks.evolution import measure
from tests.servers.cache import PROJECT


def chain(**kw: Any) -> Evolution:
    users = Evolution("users", **kw)

    @users.step(1, 2, defaults={"blueprint": "devassist", "tags": list})
    def state_gets_its_full_name(row: dict[str, Any]) -> None:
        if "state" in row:
            row["session_state"] = row.pop("state")

    @users.step(2, 3)
    def titles_are_trimmed(row: dict[str, Any]) -> dict[str, Any]:
        return {**row, "title": (row.get("title") or "").strip()}

    return users


OLD = {"id": 1, "state": "open", "title": " x "}
NEW = {"id": 1, "session_state": "open", "title": "x", "blueprint": "devassist", "tags": [], "schema_version": 3}


def test_a_row_goes_through_every_step() -> None:
    row = dict(OLD)
    assert chain().upgrade(row) == NEW
    assert row == OLD


def test_a_row_in_the_middle_goes_through_the_rest() -> None:
    row = {"session_state": "a", "title": " y", "blueprint": "b", "schema_version": 2}
    assert chain().upgrade(row) == {"session_state": "a", "title": "y", "blueprint": "b", "schema_version": 3}


def test_a_current_row_is_the_same_object() -> None:
    assert chain().upgrade(NEW) is NEW


def test_a_default_is_for_what_is_missing_or_null() -> None:
    assert chain().upgrade({"blueprint": None})["blueprint"] == "devassist"
    assert chain().upgrade({"blueprint": "mine"})["blueprint"] == "mine"
    first, second = (chain().upgrade({}) for _ in range(2))
    first["tags"].append(1)
    assert second["tags"] == []


@given(st.integers(1, 3), st.dictionaries(st.sampled_from(["state", "title", "other"]), st.text()))
def test_upgrading_twice_is_upgrading_once(version: int, fields: dict[str, str]) -> None:
    users = chain()
    once = users.upgrade({**fields, "schema_version": version})
    assert users.upgrade(once) == once
    assert once["schema_version"] == 3


@pytest.mark.parametrize("version", [1, "1", Decimal(1), 1.0, {"N": "1"}, None])
def test_a_version_in_any_type(version: Any) -> None:
    upgraded = chain().upgrade({**OLD, "schema_version": version})
    assert upgraded["schema_version"] == ({"N": "3"} if isinstance(version, dict) else 3)
    assert upgraded["session_state"] == "open"


@pytest.mark.parametrize("version", [3, "3", Decimal(3), {"N": "3"}])
def test_a_current_version_in_any_type_runs_no_step(version: Any) -> None:
    assert chain().upgrade({"state": "open", "schema_version": version})["state"] == "open"


@pytest.mark.parametrize("version", [4, 0, -1, True, False, 1.5, "x", "", [], {"S": "1"}, float("nan")])
def test_a_version_that_cannot_be_read(version: Any) -> None:
    for kind in (dict, MappingProxyType):
        with pytest.raises(UnknownRowVersion):
            chain().upgrade(kind({"schema_version": version}))


def test_what_a_missing_version_counts_as() -> None:
    assert chain(missing=2).upgrade({"state": "x"})["state"] == "x"
    with pytest.raises(UnknownRowVersion, match="has no schema_version"):
        chain(missing=None).upgrade({"state": "x"})


def test_another_name_of_the_version() -> None:
    assert chain(version="v").upgrade({"v": 2})["v"] == 3


def test_retired_steps() -> None:
    users = Evolution("users")
    users.step(4, 5)(lambda row: None)
    assert (users.oldest, users.current) == (4, 5)
    assert users.upgrade({"schema_version": 4}) == {"schema_version": 5}
    with pytest.raises(UnknownRowVersion, match="oldest step"):
        users.upgrade({"schema_version": 3})


def test_no_steps_yet() -> None:
    users = Evolution("users")
    assert users.upgrade({"schema_version": 1}) == {"schema_version": 1}
    with pytest.raises(UnknownRowVersion):
        users.upgrade({"schema_version": 2})


@pytest.mark.parametrize("step", [(1, 2), (2, 3), (4, 5), (3, 5), (3, 3), (3, 2), (0, 1), (3, True), ("3", 4)])
def test_a_step_that_does_not_continue_the_chain(step: tuple[Any, Any]) -> None:
    users = chain()
    with pytest.raises(InvalidEvolution):
        users.step(*step)
    assert users.current == 3


def test_a_step_before_the_first() -> None:
    users = Evolution("users")
    users.step(2, 3)(lambda row: None)
    with pytest.raises(InvalidEvolution, match="before the first"):
        users.step(1, 2)


def test_a_step_that_fails_names_itself_and_leaves_the_row() -> None:
    users = chain()

    @users.step(3, 4)
    def broken(row: dict[str, Any]) -> None:
        row["title"] = row["nothing"]

    row = dict(OLD)
    with pytest.raises(RowUpgradeFailed, match=r"step 3 to 4 of 'users' failed on a row of version 1: KeyError") as met:
        users.upgrade(row)
    assert row == OLD == met.value.row
    assert isinstance(met.value.__cause__, KeyError)


# ------------------------------------------------------------------------------------------------- kinds of rows


def test_rows_that_are_values_come_back_as_dicts() -> None:
    driver_row = namedtuple("Row", "id state title")(**OLD)
    assert chain().upgrade(driver_row) == NEW
    assert chain().upgrade(MappingProxyType(OLD)) == NEW
    with create_engine("sqlite://").connect() as connection:
        rows = connection.execute(text("SELECT 1 AS id, 'open' AS state, ' x ' AS title")).all()
        assert chain().upgrade(rows[0]) == NEW
        assert chain().upgrade(rows[0]._mapping) == NEW


def test_objects_come_back_themselves() -> None:
    @dataclasses.dataclass
    class User:
        id: int
        title: str
        session_state: str | None = None
        schema_version: int | None = None

    user = User(1, " x ")
    assert chain().upgrade(user) is user
    assert (user.title, user.schema_version) == ("x", 3)


def test_what_is_no_row() -> None:
    for row in ((1, 2), 5, None, "x"):
        with pytest.raises(TypeError):
            chain().upgrade(row)


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str | None] = mapped_column(Text)
    session_state: Mapped[str | None] = mapped_column(Text)
    title: Mapped[str | None] = mapped_column(Text)
    blueprint: Mapped[str | None] = mapped_column(Text)
    schema_version: Mapped[int | None]


def test_objects_of_the_orm_are_upgraded_when_loaded_and_nothing_is_written() -> None:
    users = Evolution("users")

    @users.step(1, 2, defaults={"blueprint": "devassist"})
    def rename(row: dict[str, Any]) -> None:
        row["session_state"] = row.pop("state")

    users.attach(User)
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO users (id, state) VALUES (1, 'open')"))
    with Session(engine) as session:
        for _ in range(2):
            user = session.scalars(select(User)).one()
            assert (user.session_state, user.state, user.blueprint, user.schema_version) == (
                "open",
                None,
                "devassist",
                2,
            )
            assert user not in session.dirty
            session.commit()
            session.expire_all()
        session.expunge_all()
        partial = session.scalars(select(User).options(load_only(User.title))).one()
        assert partial.title is None
        assert session.connection().execute(text("SELECT schema_version FROM users")).scalar() is None


def test_attaching_to_what_is_not_mapped() -> None:
    class Plain:
        pass

    with pytest.raises(InvalidEvolution, match="maps"):
        Evolution("x").attach(Plain)
    with pytest.raises(InvalidEvolution, match="no attribute 'v'"):
        Evolution("x", version="v").attach(User)


def test_reading_functions() -> None:
    users = chain()
    assert users.reader(lambda: dict(OLD))() == NEW
    assert users.reader(lambda: None)() is None
    assert users.reader(lambda: [dict(OLD)])() == [NEW]
    assert list(users.reader(lambda: iter([dict(OLD)]))()) == [NEW]

    @users.reader
    async def read(count: int) -> list[Any]:
        return [dict(OLD)] * count

    assert asyncio.run(read(2)) == [NEW, NEW]


def test_saving_what_was_upgraded() -> None:
    users, saved = chain(), []
    assert users.upgrade_and_save(dict(OLD), lambda *rows: saved.append(rows)) == NEW
    users.upgrade_and_save(dict(NEW), lambda *rows: saved.append(rows))
    assert saved == [(OLD, NEW)]

    async def save(old: Any, new: Any) -> None:
        saved.append((old, new))

    asyncio.run(users.upgrade_and_save_async(dict(OLD), save))
    assert saved == [(OLD, NEW), (OLD, NEW)]


def test_steps_that_are_coroutines() -> None:
    users = chain()

    @users.step(3, 4)
    async def look_up(row: dict[str, Any]) -> None:
        await asyncio.sleep(0)
        row["owner"] = "somebody"

    assert asyncio.run(users.upgrade_async(dict(OLD))) == {**NEW, "owner": "somebody", "schema_version": 4}
    with pytest.raises(InvalidEvolution, match="upgrade_async"):
        users.upgrade(dict(OLD))


# -------------------------------------------------------------------------------------- the article, whole


def chat() -> tuple[Evolution, Evolution]:
    """Give sessions and messages of a chat: a renamed field, a new field with a default, idempotent steps."""
    sessions, messages = Evolution("sessions"), Evolution("messages")

    @sessions.step(1, 2, defaults={"blueprint": "devassist"})
    def state_is_session_state(session: dict[str, Any]) -> dict[str, Any]:
        if "state" in session:
            session["session_state"] = session.pop("state")
        return session

    @sessions.step(2, 3, defaults={"archived": False, "participants": list})
    def archived_and_participants(session: dict[str, Any]) -> None:
        if session["user_id"] not in session.setdefault("participants", []):
            session["participants"] = [*session["participants"], session["user_id"]]

    @messages.step(1, 2)
    def text_is_content(message: dict[str, Any]) -> dict[str, Any]:
        if "text" in message:
            message["content"] = message.pop("text")
        return message

    @messages.step(2, 3, defaults={"role": "user"})
    def roles(message: dict[str, Any]) -> None:
        pass

    return sessions, messages


def test_a_table_with_rows_of_all_versions() -> None:
    sessions, messages = chat()
    table: list[dict[str, Any]] = [
        {"session_id": "a", "user_id": "u", "title": "My Chat", "state": "open"},
        {"session_id": "b", "schema_version": 1, "user_id": "u", "title": "My Chat", "state": "open"},
        {"session_id": "c", "schema_version": 2, "user_id": "u", "title": "My Chat", "session_state": "open",
         "blueprint": "own"},
        {"session_id": "d", "schema_version": 3, "user_id": "u", "title": "My Chat", "session_state": "open",
         "blueprint": "devassist", "archived": True, "participants": ["u", "v"]},
    ]  # fmt: skip
    read = [sessions.upgrade(row) for row in table]
    assert {row["schema_version"] for row in read} == {3}
    assert {row["session_state"] for row in read} == {"open"}
    assert [row["blueprint"] for row in read] == ["devassist", "devassist", "own", "devassist"]
    assert [row["archived"] for row in read] == [False, False, False, True]
    assert [row["participants"] for row in read] == [["u"], ["u"], ["u"], ["u", "v"]]
    assert not any("state" in row for row in read)
    assert messages.upgrade({"message_id": 1, "text": "hi"}) == {
        "message_id": 1, "content": "hi", "role": "user", "schema_version": 3,
    }  # fmt: skip
    again = [sessions.upgrade({**row, "schema_version": version}) for row in read for version in (1, 2)]
    assert all(row in read for row in again)


def test_what_reading_costs() -> None:
    measured = []
    for _ in range(12):  # the cores may be busy with other tests
        measured.append(measure())
        current, three_steps = (min(ratios) for ratios in zip(*measured, strict=True))
        if current <= 2 and three_steps <= 1.5:
            break
    assert current <= 2
    assert three_steps <= 1.5


def test_the_guide() -> None:
    code, *_ = re.findall(r"(?ms)^```python\n(.*?)^```$", (PROJECT / "docs" / "evolution.md").read_text())
    exec(code, {})

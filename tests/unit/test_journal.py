"""alembic_cluster.journal: what a revision that was interrupted sends when it runs again."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from alembic_cluster.checksums import checksum, content_of, difference, digest
from alembic_cluster.errors import ChangedRevision
from alembic_cluster.journal import Earlier
from alembic_cluster.stores import JournalHeader, JournalRow, State

HEADER = JournalHeader(3, 1, "a", "upgrade", (), "sum", None, datetime(2026, 1, 1, tzinfo=timezone.utc), "process 1")


def row(ordinal: int, text: str, state: State = "done", parameters: object = None) -> JournalRow:
    return JournalRow(ordinal, digest(text, parameters), text, state)


def met(earlier: Earlier, text: str, parameters: object = None) -> int | None:
    found = earlier.meet(digest(text, parameters), text)
    return None if found is None else found.ordinal


ROWS = [row(1, "A"), row(2, "B"), row(3, "C", "sent")]


def test_the_same_again() -> None:
    earlier = Earlier(HEADER, ROWS, same_content=True)
    assert [met(earlier, text) for text in "ABCD"] == [1, 2, 3, None]


def test_a_refused_statement_is_none() -> None:
    earlier = Earlier(HEADER, [*ROWS[:2], row(3, "C", "refused")], same_content=False)
    assert [met(earlier, text) for text in "ABX"] == [1, 2, None]


@pytest.mark.parametrize("texts", ["XBC", "AXC", "BC", "ACB", "ABX"])
def test_another_content_sends_something_else(texts: str) -> None:
    def run() -> None:
        earlier = Earlier(HEADER, ROWS, same_content=False)
        for text in texts:
            met(earlier, text)
        earlier.end()

    with pytest.raises(ChangedRevision) as refused:
        run()
    assert "1. A;\n    2. B;\n    3. C; (sent; its outcome is unknown)" in str(refused.value)


def test_another_content_sends_less() -> None:
    earlier = Earlier(HEADER, ROWS, same_content=False)
    met(earlier, "A")
    with pytest.raises(ChangedRevision, match="does not send statement 2 any more"):
        earlier.end()


def test_a_value_of_chance() -> None:
    rows = [row(1, "I", parameters=[0.25]), row(2, "I", parameters=[0.5])]
    earlier = Earlier(HEADER, rows, same_content=True)
    assert [met(earlier, "I", [value]) for value in (0.7, 0.5, 0.3)] == [1, 2, None]


def test_a_value_that_was_read_is_another_row() -> None:
    earlier = Earlier(HEADER, [row(1, "I", parameters=[1]), row(2, "I", parameters=[2])], same_content=True)
    earlier.read()
    with pytest.raises(ChangedRevision):
        met(earlier, "I", [3])


def test_looking_before_acting() -> None:
    earlier = Earlier(HEADER, ROWS[:2], same_content=True)
    earlier.read()
    assert [met(earlier, text) for text in "BC"] == [2, None]
    earlier.end()
    earlier = Earlier(HEADER, ROWS[:2], same_content=True)
    earlier.read()
    assert [met(earlier, text) for text in "XA"] == [None, 1]


def test_a_statement_of_unknown_outcome_is_never_passed_over() -> None:
    rows = [row(1, "A", "sent"), row(2, "B")]
    with pytest.raises(ChangedRevision):
        met(Earlier(HEADER, rows, same_content=True), "B")


def test_digests() -> None:
    class Value:
        def __init__(self) -> None:
            self.a = 1

    assert digest("A", {"b": {1, 2}, "a": (1,)}) == digest("A", {"a": [1], "b": {2, 1}})
    assert digest("A", [Value()]) == digest("A", [Value()])
    different = [digest("A", value) for value in (None, [None], ["None"], [1], ["1"], [b"1"], {"a": 1}, {"a": "1"})]
    assert len(set(different)) == len(different)


def test_content_of_a_file(tmp_path: object) -> None:
    class Script:
        path = f"{tmp_path}/a.py"

    def written(data: bytes) -> str:
        with open(Script.path, "wb") as file:
            file.write(data)
        return content_of(Script)

    assert written(b"a\r\nb") == written(b"\xef\xbb\xbfa\nb\n") == "a\nb\n"
    assert checksum(written(b"a\nb")) != checksum(written(b"a\nb # c"))
    assert checksum(written(b"a\xff")) != checksum(written(b"a\xfe"))
    assert difference("a\nb\n", "a\nc\n") == "    -b\n    +c"

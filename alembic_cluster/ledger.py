"""The ledger: which revision ran when, by whom and with which content; and applied revisions that were edited since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from alembic_cluster.checksums import checksum, content_of, difference
from alembic_cluster.errors import EditedRevision
from alembic_cluster.stores import HistoryRow, HistoryStore


@dataclass(frozen=True)
class Edit:
    """An applied revision whose file has another content than when it was applied.

    :ivar row: of the ledger.
    :ivar path: its file.
    :ivar content: what the file has now.
    """

    row: HistoryRow
    path: str
    content: str


def last_rows(rows: Iterable[HistoryRow]) -> Mapping[str, HistoryRow]:
    """Give the newest row of each revision.

    :param rows: the oldest first.
    """
    return {row.revision: row for row in rows}


def find_edits(rows: Sequence[HistoryRow], script: Any, heads: Iterable[str]) -> list[Edit]:
    """Find the applied revisions that were edited.

    A revision without a row, such as one that was applied before there was a ledger, is taken as it is.

    :param rows: of the ledger, the oldest first.
    :param script: Alembic's ``ScriptDirectory``.
    :param heads: the revisions that the database stands at.
    """
    newest = {name: row for name, row in last_rows(rows).items() if row.direction == "upgrade"}
    if not newest:
        return []
    edits = []
    for revision in applied_scripts(script, heads):
        row = newest.get(revision.revision)
        content = content_of(revision) if row is not None else ""
        if row is not None and content and checksum(content) != row.checksum:
            edits.append(Edit(row, revision.path, content))
    return edits


def applied_scripts(script: Any, heads: Iterable[str]) -> list[Any]:
    """Give the scripts of all revisions that heads stand for, those that they depend on as well.

    :param script: Alembic's ``ScriptDirectory``.
    :param heads: of the database; one that has no file is passed over.
    """
    known = script.revision_map
    found: dict[str, Any] = {}
    waiting = list(heads)
    while waiting:
        name = waiting.pop()
        if name in found or name not in known._revision_map:
            continue
        revision = found[name] = known.get_revision(name)
        waiting += revision._all_down_revisions
    return list(found.values())


def refuse_edits(edits: Sequence[Edit], history: HistoryStore) -> None:
    """Say which applied revisions were edited.

    :raises EditedRevision: if there are any.
    """
    if not edits:
        return
    told = []
    for edit in edits:
        row = edit.row
        changes = difference(history.content(row), edit.content)
        told.append(
            f"Revision {row.revision} was edited after it was applied at {row.finished:%Y-%m-%d %H:%M:%S} UTC by "
            f"{row.owner} (alembic-cluster {row.tool}). {edit.path} differs from what was applied:\n{changes}"
        )
    raise EditedRevision(
        "\n".join(told) + "\nThe database doesn't have these changes, and nothing was sent now. Put them into a "
        "revision of their own and bring back the file as it was; or go on for once with --allow-edited "
        "(-x allow_edited=true); or record the files as they are now by 'alembic-cluster repair'."
    )


def tool_version() -> str:
    """Give the version of this package."""
    try:
        return version("alembic-cluster")
    except PackageNotFoundError:
        return "unknown"

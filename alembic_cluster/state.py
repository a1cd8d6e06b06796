"""Where a database stands: revisions applied and pending, the ledger, the lock, a revision left half-way."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from alembic_cluster.reading import in_environment

if TYPE_CHECKING:
    from alembic.config import Config

_COLUMNS = ("revision", "state", "finished", "seconds", "owner", "message")


@dataclass
class RevisionState:
    """One revision.

    :ivar state: ``applied``, ``edited`` (applied, and its file has changed since), ``half-applied`` or ``pending``.
    :ivar finished: when, in UTC as ISO 8601; empty where the ledger has no row.
    :ivar seconds: how long it took; None without a row.
    :ivar owner: the process that ran it; empty without a row.
    :ivar phase: ``expand`` or ``contract`` where the revision says so.
    """

    revision: str
    message: str
    state: str
    finished: str = ""
    seconds: float | None = None
    owner: str = ""
    phase: str = ""


@dataclass
class State:
    """Where a database stands.

    :ivar heads: of the database.
    :ivar revisions: the newest first.
    :ivar unknown: heads of the database that have no file.
    :ivar lock: who holds it and for how many seconds more; empty when nobody does.
    :ivar half_applied: which revision, which direction, how many statements were applied; empty when none is.
    :ivar keeps: whether the database is one that this package keeps a ledger in.
    """

    heads: tuple[str, ...] = ()
    revisions: list[RevisionState] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    lock: dict[str, Any] = field(default_factory=dict)
    half_applied: dict[str, Any] = field(default_factory=dict)
    keeps: bool = True

    def as_json(self) -> str:
        """Write it for programs."""
        return json.dumps(asdict(self), indent=2)

    def as_text(self) -> str:
        """Write it as a table."""
        rows = [tuple(self._cell(each, column) for column in _COLUMNS) for each in self.revisions]
        widths = [max(len(row[at]) for row in (_COLUMNS, *rows)) for at in range(len(_COLUMNS))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
                 for row in (_COLUMNS, *rows)]  # fmt: skip
        pending = sum(each.state == "pending" for each in self.revisions)
        lines.append("")
        lines.append(f"The database stands at {', '.join(self.heads) or 'base'}; {pending} pending.")
        edited = [each.revision for each in self.revisions if each.state == "edited"]
        if edited:
            lines.append(
                f"Edited after it was applied: {', '.join(edited)}. 'upgrade' stops for it: bring the file back as it "
                "was, or see 'alembic-cluster repair --help'."
            )
        if self.unknown:
            lines.append(
                f"No file is there for {', '.join(self.unknown)}: is this the right folder, or an older version?"
            )
        if self.half_applied:
            what = self.half_applied
            lines.append(
                f"{what['direction']} of {what['revision']} is half-applied ({what['done']} of its statements, "
                f"by {what['owner']}): run the same command again to finish it."
            )
        if self.lock:
            lines.append(f"The migration lock is held by {self.lock['holder']} for {self.lock['seconds']:.0f} s more.")
        elif self.keeps:
            lines.append("Nobody holds the migration lock.")
        return "\n".join(lines)

    @staticmethod
    def _cell(each: RevisionState, column: str) -> str:
        value = getattr(each, column)
        if column == "seconds":
            return "" if value is None else f"{value:.2f}"
        if column == "message" and each.phase:
            return f"[{each.phase}] {value}"
        return str(value)


def read_state(config: Config) -> State:
    """Read where a database stands; changes nothing and creates no table."""
    state = State()

    def work(heads: Any, context: Any) -> None:
        from alembic_cluster.ledger import applied_scripts, find_edits, last_rows

        state.heads = tuple(heads)
        scripts = context.script
        stores = context.impl.stores(context.connection) if hasattr(context.impl, "stores") else None
        state.keeps = stores is not None
        rows = [] if stores is None else stores.history.rows()
        newest = last_rows(rows)
        edited = {edit.row.revision for edit in find_edits(rows, scripts, heads)}
        applied = {script.revision for script in applied_scripts(scripts, heads)}
        files = list(scripts.walk_revisions())
        state.unknown = sorted(set(heads) - {script.revision for script in files})
        if stores is not None:
            _read_stores(state, stores, heads)
        for script in files:
            name = script.revision
            row = newest.get(name) if name in applied else None
            half = state.half_applied.get("revision") == name
            word = (
                "half-applied" if half else "edited" if name in edited else "applied" if name in applied else "pending"
            )
            state.revisions.append(
                RevisionState(
                    name,
                    script.doc or "",
                    word,
                    "" if row is None else f"{row.finished:%Y-%m-%dT%H:%M:%SZ}",
                    None if row is None else row.seconds,
                    "" if row is None else row.owner,
                    str(getattr(script.module, "phase", None) or ""),
                )
            )

    in_environment(config, work)
    return state


def _read_stores(state: State, stores: Any, heads: Any) -> None:
    lock = stores.lease.read()
    if lock.holder is not None:
        state.lock = {"holder": str(lock.holder), "seconds": lock.remaining or 0.0, "fence": lock.fence}
    journal = stores.journal.read()
    if journal is None:
        return
    header, rows = journal
    if not header.finished and set(header.heads) == set(heads):
        done = sum(row.state == "done" for row in rows)
        if rows:
            state.half_applied = {
                "revision": header.revision,
                "direction": header.direction,
                "done": done,
                "owner": header.owner,
                "started": f"{header.started:%Y-%m-%dT%H:%M:%SZ}",
            }

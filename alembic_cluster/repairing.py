"""The ledger and the journal, brought in line with what somebody knows better: ``alembic-cluster repair``."""

from __future__ import annotations

from dataclasses import replace

from alembic_cluster.checksums import checksum
from alembic_cluster.errors import ConfigurationError
from alembic_cluster.execution import shorten
from alembic_cluster.ledger import find_edits
from alembic_cluster.stored import Stored
from alembic_cluster.stores import JournalHeader, JournalRow


def record(stored: Stored) -> None:
    """Record applied revisions that were edited as they are now, and say what is half-applied."""
    say = stored.config.print_stdout
    if not find_edits(stored.stores.history.rows(), stored.script, stored.heads):
        say("No applied revision was edited.")
    else:
        with stored.locked():
            for edit in find_edits(stored.stores.history.rows(), stored.script, stored.heads):
                row = replace(edit.row, checksum=checksum(edit.content), content=edit.content)
                stored.stores.history.write(row)
                say(f"Revision {row.revision} is recorded as {edit.path} is now.")
    left = _left(stored)
    if left is not None:
        header, rows = left
        say(
            f"Revision {header.revision} is half-applied ({header.direction}, {len(rows)} statements): run its command "
            "again, or see 'alembic-cluster repair --help'."
        )


def _left(stored: Stored) -> tuple[JournalHeader, list[JournalRow]] | None:
    found = stored.stores.journal.read()
    if found is None or found[0].finished or set(found[0].heads) != set(stored.heads) or not found[1]:
        return None
    return found[0], [row for row in found[1] if row.state != "refused"]


def decide(stored: Stored, forget: bool, applied: bool) -> None:
    """Say what came of the statements of a half-applied revision.

    :param forget: it was undone by hand.
    :param applied: its statement of unknown outcome is applied; when both are False, it is not.
    :raises ConfigurationError: there is nothing to decide; nothing was changed.
    :raises LockNotAcquired: a run is at work.
    """
    say = stored.config.print_stdout
    _half_applied(stored)  # where nothing is, no table is made for the lock
    with stored.locked() as lease:
        header, rows = _half_applied(stored)
        # Under the fence of this command, so that it is the newest journal whatever any clock says.
        header = replace(header, fence=lease.fence, step=0)
        if forget:
            stored.stores.journal.write(replace(header, finished=True), (), new=True)
            say(f"Revision {header.revision} begins anew with its next {header.direction}.")
            return
        unknown = [row for row in rows if row.state == "sent"]
        if not unknown:
            raise ConfigurationError(
                f"what came of each statement of revision {header.revision} is known; nothing was changed"
            )
        kept = [replace(row, state="done") for row in rows if applied or row.state == "done"]
        stored.stores.journal.write(header, kept, new=True)
        for row in unknown:
            say(f"Statement {row.ordinal} is {'' if applied else 'not '}applied: {shorten(row.text)}")


def _half_applied(stored: Stored) -> tuple[JournalHeader, list[JournalRow]]:
    left = _left(stored)
    if left is None:
        raise ConfigurationError("no revision is half-applied; nothing was changed")
    return left

"""The journal of the revision that runs: which of its statements are applied.

Before a statement is sent, the journal says so; when the server has answered, it says what came of it. A revision that
was killed is run again from its beginning: what the journal calls done is left out, what it calls sent is looked for
in the catalog, and the rest is sent.

For that the revision has to send the same statements again. They are compared by text and parameters, with two
freedoms as long as the revision's file is what it was:

* A value that is another one each time, such as a random id, makes no new statement, unless the revision has read
  before: then the value may well stand for another row.
* A revision that looks before it acts (``if not has_table``) doesn't send again what it sees is there.

Anything else is :class:`~alembic_cluster.errors.ChangedRevision`, and nothing is sent.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from alembic_cluster.checksums import digest
from alembic_cluster.errors import ChangedRevision, OutcomeUnknown
from alembic_cluster.execution import shorten
from alembic_cluster.gate import Gate, Kind, Place, Statement
from alembic_cluster.stores import JournalHeader, JournalRow, State, Stores

if TYPE_CHECKING:
    from alembic_cluster.stores import StoringImpl

log = logging.getLogger("alembic.cluster")  # below the logger that alembic.ini sets up

LONGEST_TEXT = 10_000  # characters of a statement that the journal keeps
_LISTED = 20  # statements that a message lists


def plan_digest(statements: Sequence[str]) -> str:
    """Give the SHA-256 of all that a rehearsal has told, in hexadecimal digits."""
    return hashlib.sha256("\0".join(statements).encode("utf-8", errors="surrogatepass")).hexdigest()


class Earlier:
    """What an earlier run left of a revision, met again statement by statement.

    :param header: of its journal.
    :param rows: of its journal, in order.
    :param same_content: whether the revision's file is what it was.
    """

    def __init__(self, header: JournalHeader, rows: Sequence[JournalRow], *, same_content: bool) -> None:
        self.header = header
        self.rows = tuple(row for row in rows if row.state != "refused")
        self._refused = {row.digest for row in rows if row.state == "refused"}
        self._same_content = same_content
        self._left = list(self.rows)
        self._passed: list[JournalRow] = []
        self._has_read = False

    def read(self) -> None:
        """Note that the revision has read something: what it sends may hang on what was applied meanwhile."""
        self._has_read = True

    def meet(self, statement_digest: str, text: str) -> JournalRow | None:
        """Find a statement among those of the earlier run.

        :param text: as the journal keeps it.
        :return: its row; None when the earlier run didn't come to it.
        :raises ChangedRevision: the revision doesn't send what it sent then.
        """
        for place, row in enumerate(self._left):
            if row.digest == statement_digest:
                self._passed += self._left[:place]
                del self._left[: place + 1]
                if place and not self._same_content:
                    raise self.changed(f"does not send statement {self._passed[-place].ordinal} any more")
                return row
            if row.state == "sent":
                break
        for row in self._passed:
            if row.digest == statement_digest:
                self._passed.remove(row)
                return row
        if not self._left or statement_digest in self._refused:
            return None  # what is refused, the function may well go on without
        expected = self._left[0]
        if self._same_content and not self._has_read and expected.text == text:
            return self._left.pop(0)
        if self._same_content and self._has_read and all(row.text != text for row in self._left):
            return None
        raise self.changed(f"sends {shorten(text)} where it sent {shorten(expected.text)}")

    def end(self) -> None:
        """Note that the function has come to its end.

        :raises ChangedRevision: it didn't send all that is applied, and its file is another one.
        """
        if self._left and not self._same_content:
            raise self.changed(f"does not send statement {self._left[0].ordinal} any more")

    def changed(self, how: str) -> ChangedRevision:
        """Make the error that says what is applied."""
        header = self.header
        lines = [
            f"    {row.ordinal}. {shorten(row.text)}{'' if row.state == 'done' else ' (sent; its outcome is unknown)'}"
            for row in self.rows[-_LISTED:]
        ]
        if len(self.rows) > _LISTED:
            lines.insert(0, f"    1. to {self.rows[-_LISTED].ordinal - 1}. not listed here")
        applied = "\n".join(lines) or "    nothing"
        return ChangedRevision(
            f"Revision {header.revision} is half-applied: its {header.direction} began at "
            f"{header.started:%Y-%m-%d %H:%M:%S} UTC ({header.owner}) and did not come to its end, and now it {how}. "
            f"Nothing was sent. Applied of it are, in this order:\n{applied}\n"
            "Bring back the file as it was and run the same command again, and it goes on behind these statements. Or "
            "let the rest be another one with --allow-edited (-x allow_edited=true); these must come first as they "
            "are. Or undo them by hand, then 'alembic-cluster repair --forget' and run the command again."
        )


class JournalGate(Gate):
    """Leaves out what an earlier run has done, and notes what this one does.

    :param stores: of the run's connection.
    :param impl: is asked about statements of unknown outcome.
    :param header: of the revision that runs.
    :param earlier: what an earlier run left of it.
    :param may_differ: whether what comes behind the statements of the earlier run may be another than it was.
    :ivar left_out: how many statements were left out.
    :ivar unanswered: whether what came of the last statement is not known.
    """

    place = Place.JOURNAL

    def __init__(
        self,
        stores: Stores,
        impl: StoringImpl,
        header: JournalHeader,
        earlier: Earlier | None = None,
        *,
        may_differ: bool = False,
    ) -> None:
        self.header = header
        self.left_out = 0
        self.unanswered = False
        self._stores = stores
        self._impl = impl
        self._earlier = earlier
        self._rows: dict[Statement, JournalRow] = {}
        self._doubtful: set[Statement] = set()  # sent by an earlier run, and not applied when they were looked for
        self._next = 1 if earlier is None else max((row.ordinal for row in earlier.rows), default=0) + 1
        self._begun = False
        self._checked = earlier is None or may_differ

    def check(self) -> None:
        """Make sure that the rest of a half-applied revision is what it was; it is done once, before all else.

        :raises ChangedRevision: it isn't, or its file is another one and what it will send can't be told.
        """
        if self._checked or self._earlier is None:
            return
        self._checked = True
        before, now = self._earlier.header, self.header
        if before.checksum != now.checksum and (before.plan is None or before.plan != now.plan):
            raise self._earlier.changed("is another one, for its file was edited")

    def around(self, statement: Statement, send: Callable[[], None]) -> None:
        """Let a statement pass, or leave it out.

        :raises ChangedRevision: see :class:`Earlier`.
        :raises OutcomeUnknown: whether it was applied can't be told.
        """
        if statement.ordinal is None:
            if statement.kind is Kind.READ and self._earlier is not None:
                self._earlier.read()
            send()
            return
        self.check()
        row = self._rows.get(statement)
        if row is None:
            row = self._rows[statement] = self._meet(statement)
            if row.state == "done":
                statement.left_out = True
                self.left_out += 1
                return
        self._note(row, "sent")
        self.unanswered = True
        try:
            send()
        except BaseException as error:
            refused = self._impl.is_refusal(error)
            if not (refused and statement in self._doubtful and self._impl.was_applied(statement)):
                if refused:
                    self._note(row, "refused")
                    self.unanswered = False
                raise
            log.info("statement %s was applied by the run that was interrupted, and only now", row.ordinal)
        self._note(row, "done")
        self.unanswered = False

    def _meet(self, statement: Statement) -> JournalRow:
        """Give the row of a statement: one that says ``done`` where there is nothing to send."""
        text = statement.text[:LONGEST_TEXT]
        key = digest(statement.text, statement.parameters)
        row = None if self._earlier is None else self._earlier.meet(key, text)
        if row is None:
            self._next += 1
            return JournalRow(self._next - 1, key, text, "sent")
        if row.state == "done":
            return row
        applied = self._impl.was_applied(statement)
        if applied is None:
            raise OutcomeUnknown(
                f"Revision {self.header.revision} was interrupted in the middle of its statement {row.ordinal}, and "
                f"whether that was applied can't be told: {shorten(text)} Nothing was sent now. Look for it yourself, "
                "say so by 'alembic-cluster repair --applied' or 'alembic-cluster repair --not-applied', and run the "
                "command again."
            )
        log.info("statement %s was sent by a run that was interrupted; it was %sapplied", row.ordinal,
                 "" if applied else "not ")  # fmt: skip
        if applied:
            self._note(row, "done")
            return replace(row, state="done")
        self._doubtful.add(statement)
        statement.sent_before = True
        return row

    def _note(self, row: JournalRow, state: State) -> None:
        rows = [replace(row, state=state)]
        if not self._begun and self._earlier is not None:
            rows = [earlier for earlier in self._earlier.rows if earlier.ordinal != row.ordinal] + rows
        self._stores.journal.write(self.header, rows, new=not self._begun)
        self._begun = True

    def end(self) -> None:
        """Hear that the revision's function has come to its end.

        :raises ChangedRevision: see :class:`Earlier`.
        """
        if self._earlier is not None:
            self.check()
            self._earlier.end()
        if not self._begun:  # it has sent nothing: the journal says which revision it is when the run dies from here on
            self._stores.journal.write(self.header, () if self._earlier is None else self._earlier.rows, new=True)
            self._begun = True

    def write_header(self, **changes: Any) -> None:
        """Write the header anew.

        :param changes: of its fields.
        """
        if self._begun:
            self.header = replace(self.header, **changes)
            self._stores.journal.write(self.header, (), new=True)

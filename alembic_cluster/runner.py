"""One run of revisions under the migration lock.

Alembic reads the heads, asks for the steps from there, and calls one function after the other, moving the heads behind
each. This module stands in three places of that:

* When the heads are read: if there are steps to do, the lock is taken and the heads are read again.
* Around each step's function: its statements pass the journal and the lease.
* When the next step is asked for, which is when the heads have moved: the step is written into the ledger.

The first write of a revision is the journal's; the last ones are the heads and then the ledger's row. A run that dies
between the last two leaves a journal that says so, and the next run writes the row.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timezone
from itertools import chain
from types import TracebackType
from typing import Any

from alembic_cluster.checksums import checksum, content_of
from alembic_cluster.connections import fresh_connection, in_loop_of
from alembic_cluster.errors import (
    ChangedRevision,
    ConfigurationError,
    LeaseLost,
    OutcomeUnknown,
    UnfinishedRevision,
    first_line,
)
from alembic_cluster.execution import Progress
from alembic_cluster.gate import Gate, Gates, Place, Statement
from alembic_cluster.journal import Earlier, JournalGate, plan_digest
from alembic_cluster.lease import HeldLease, Renewal, wait_for_lock
from alembic_cluster.ledger import find_edits, refuse_edits, tool_version
from alembic_cluster.owner import Owner
from alembic_cluster.settings import Settings
from alembic_cluster.stores import HistoryRow, JournalHeader, JournalRow, LeaseStore, Stores

log = logging.getLogger("alembic.cluster")  # below the logger that alembic.ini sets up

TTL = 30.0
WAIT = 600.0
_SHORTEST_TTL, _LONGEST_TTL = 3.0, 86_400.0


class LeaseGate(Gate):
    """Lets nothing pass once the lease is lost."""

    place = Place.LEASE

    def __init__(self, held: HeldLease) -> None:
        self._held = held

    def around(self, statement: Statement, send: Callable[[], None]) -> None:
        """Send a statement if the lease still holds.

        :raises LeaseLost: it doesn't; nothing was sent.
        """
        self._held.check()
        send()

    def check(self) -> None:
        """Let a long statement go on if the lease still holds.

        :raises LeaseLost: it doesn't.
        """
        self._held.check()


class Run:
    """One call of ``run_migrations``; a context manager around it.

    :param migration: Alembic's ``MigrationContext``.
    :param settings: of the run.
    :raises ConfigurationError: a setting that can't be.
    """

    def __init__(self, migration: Any, settings: Settings) -> None:
        self.ttl = settings.number("lock_ttl", TTL)
        self.wait = settings.number("lock_wait", WAIT)
        self.allow_edited = settings.flag("allow_edited")
        if not _SHORTEST_TTL <= self.ttl <= _LONGEST_TTL:
            raise ConfigurationError(
                f"lock_ttl is {self.ttl:g}, and must be from {_SHORTEST_TTL:g} to {_LONGEST_TTL:g} seconds. "
                "Nothing was sent."
            )
        self._migration = migration
        self._impl: Any = migration.impl
        self._connection = migration.connection
        self._stores: Stores = self._impl.stores(self._connection)
        self._gates = Gates.of(self._connection)
        self._impl.watchers = (*getattr(self._impl, "watchers", ()), self)
        self._command = getattr(migration._migrations_fn, "__name__", "")
        self._steps: Callable[..., Any] = migration._migrations_fn
        self._held: HeldLease | None = None
        self._renewal: Renewal | None = None
        self._lease_gate: LeaseGate | None = None
        self._step_number = 0
        self._journal: JournalGate | None = None
        self._finished: JournalGate | None = None  # of the last revision whose heads have moved
        self._left: tuple[JournalHeader, list[JournalRow]] | None = None

    def __enter__(self) -> Run:
        if self._migration.purge:  # `alembic stamp --purge` doesn't read the heads
            try:
                self._take_lock()
                self._migration._ensure_version_table()
                self._arm()
            except BaseException as error:
                self._let_go(error)
                raise
        else:
            self._migration.get_current_heads = self._begin
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._migration.__dict__.pop("get_current_heads", None)
        self._let_go(error)

    # -------------------------------------------------------------------------------------------- the heads are read

    def _begin(self) -> tuple[str, ...]:
        """Read the heads for Alembic, after having taken the lock if there is something to do from there."""
        migration = self._migration
        del migration.get_current_heads
        self._steps = migration._migrations_fn
        heads: tuple[str, ...] = migration.get_current_heads()
        ahead = self._peek(heads)
        self._check_edits(heads, ahead)
        if ahead is None and self._half_applied(heads) is None:
            migration._migrations_fn = lambda *_: iter(())
            return heads
        self._take_lock()
        again: tuple[str, ...] = migration.get_current_heads()
        if set(again) != set(heads):
            heads, ahead = again, self._peek(again)
        if ahead is None:
            if (left := self._half_applied(heads)) is not None:
                raise _unfinished(*left)
            log.info("another run has done all there was to do")
            migration._migrations_fn = lambda *_: iter(())
            return heads
        if not heads:
            migration._ensure_version_table()
        self._arm()
        self._resume(heads, ahead[0])
        steps = chain([ahead[0]], ahead[1])
        migration._migrations_fn = lambda *_: self._each(steps, set(heads))
        return heads

    def _peek(self, heads: tuple[str, ...]) -> tuple[Any, Iterator[Any]] | None:
        """Give the first step from these heads and the others behind it; None when there is none."""
        steps = iter(self._steps(heads, self._migration))
        for first in steps:
            return first, steps
        return None

    def _check_edits(self, heads: tuple[str, ...], ahead: tuple[Any, Any] | None) -> None:
        upgrades = self._command == "upgrade" if ahead is None else _is_upgrade(ahead[0])
        if not upgrades or not heads or self._migration.script is None:
            return
        history = self._stores.history
        edits = find_edits(history.rows(), self._migration.script, heads)
        if self.allow_edited:
            for edit in edits:
                log.warning("revision %s was edited after it was applied", edit.row.revision)
            return
        refuse_edits(edits, history)

    # ------------------------------------------------------------------------------------------------------ the lock

    def _take_lock(self) -> None:
        self._stores.prepare()
        self._held = wait_for_lock(
            self._stores.lease, Owner.this_process(), self.ttl, self.wait, tell=lambda text: log.warning("%s", text)
        )
        dialect = self._connection.dialect
        self._renewal = Renewal(self._held, self._second_store, lambda work: in_loop_of(dialect, work))
        self._renewal.start()
        self._say_resumable(True)
        self._lease_gate = LeaseGate(self._held)
        self._gates.add(self._lease_gate)

    def _say_resumable(self, resumable: bool) -> None:
        progress: Progress | None = getattr(self._impl, "progress", None)
        if progress is not None:
            progress.resumable = resumable

    def _arm(self) -> None:
        assert self._held is not None
        self._stores.arm(self._held.lease)

    @contextmanager
    def _second_store(self) -> Iterator[LeaseStore]:
        with fresh_connection(self._connection.engine) as connection:
            yield self._impl.stores(connection).lease

    def _let_go(self, error: BaseException | None) -> None:
        if self._lease_gate is not None:
            self._gates.remove(self._lease_gate)
        if self._held is None:
            return
        self._say_resumable(False)
        assert self._renewal is not None
        self._renewal.stop()
        lost = self._held.is_lost
        try:
            if not lost:
                self._stores.flush()
                if self._finished is not None:  # those before it lie behind it
                    self._finished.write_header(finished=True)
                if error is None:
                    self._stores.journal.forget(self._held.lease.fence)
                self._stores.arm(None)
                self._stores.lease.release(self._held.lease)
        except Exception as failure:
            log.warning("the migration lock could not be given back, and runs out by itself: %s", first_line(failure))
        if error is None:
            self._held.check()

    # ------------------------------------------------------------------------------------------------------- resume

    def _resume(self, heads: tuple[str, ...], first: Any) -> None:
        """See what an earlier run has left.

        :raises UnfinishedRevision: a revision that isn't the first of this run.
        """
        found = self._stores.journal.read()
        if found is None or found[0].finished:
            return
        header, rows = found[0], list(found[1])
        if set(header.heads) != set(heads):
            self._complete_history(header, heads)
        elif rows and hasattr(first, "revision"):
            if (first.revision.revision, _direction(first)) != (header.revision, header.direction):
                raise _unfinished(header, rows)
            self._left = header, rows

    def _half_applied(self, heads: tuple[str, ...]) -> tuple[JournalHeader, Sequence[JournalRow]] | None:
        """Give the journal of a revision that this command, which has nothing to do, would pass by."""
        if self._command not in ("upgrade", "downgrade"):
            return None
        found = self._stores.journal.read()
        if found is None or found[0].finished or set(found[0].heads) != set(heads):
            return None
        return found if any(row.state != "refused" for row in found[1]) else None

    def _complete_history(self, header: JournalHeader, heads: tuple[str, ...]) -> None:
        """Write the ledger's row of a revision whose heads have moved right before its run died."""
        if (header.revision in heads) != (header.direction == "upgrade"):
            return
        if not any((row.fence, row.step) == (header.fence, header.step) for row in self._stores.history.rows()):
            self._write_history(header)
        assert self._held is not None
        # Under our own fence, so that it is the newest journal whatever any clock says.
        finished = replace(header, fence=self._held.lease.fence, step=0, finished=True)
        self._stores.journal.write(finished, (), new=True)

    def _write_history(self, header: JournalHeader) -> None:
        script = self._migration.script
        revision = None if script is None else script.get_revision(header.revision)
        content = "" if revision is None else content_of(revision)
        row = HistoryRow(
            header.fence, header.step, header.revision, header.direction, header.started, header.started, 0.0,
            header.owner, "" if revision is None else revision.doc, header.checksum, tool_version(),
            content if checksum(content) == header.checksum else "",
        )  # fmt: skip
        self._stores.history.write(row)

    # ---------------------------------------------------------------------------------------------------- each step

    def _each(self, steps: Iterator[Any], heads: set[str]) -> Iterator[Any]:
        """Give the steps to Alembic; it comes back for the next when the heads have moved."""
        for step in steps:
            if not hasattr(step, "revision"):  # of `alembic stamp`
                yield step
                continue
            self._step_number += 1
            row = self._prepare(step, heads)
            before = time.monotonic()
            yield step
            heads = _heads_after(self._impl, step, heads)
            finished = datetime.now(timezone.utc)
            self._stores.history.write(replace(row, finished=finished, seconds=time.monotonic() - before))
            if self._journal is not None:
                self._finished, self._journal = self._journal, None

    def _prepare(self, step: Any, heads: set[str]) -> HistoryRow:
        """Have a step's function run with the journal."""
        assert self._held is not None
        fence, owner = self._held.lease.fence, str(self._held.lease.owner)
        script, direction = step.revision, _direction(step)
        content = content_of(script)
        started = datetime.now(timezone.utc)
        header = JournalHeader(
            fence, self._step_number, script.revision, direction, tuple(sorted(heads)), checksum(content), None,
            started, owner,
        )  # fmt: skip
        left, self._left = self._left, None
        step.migration_fn = self._journaled(step.migration_fn, header, left)
        return HistoryRow(
            fence, self._step_number, script.revision, direction, started, started, 0.0, owner, script.doc or "",
            header.checksum, tool_version(), content,
        )  # fmt: skip

    def _journaled(
        self, function: Callable[..., Any], header: JournalHeader, left: tuple[JournalHeader, list[JournalRow]] | None
    ) -> Callable[..., Any]:
        @functools.wraps(function)
        def run(**kw: Any) -> Any:
            gate = self._journal = self._open_journal(header, left)
            self._gates.add(gate)
            try:
                with self._gates.revision():
                    result = function(**kw)
                    gate.end()
            except BaseException as error:
                self._interrupted(gate, error)
                raise
            finally:
                self._gates.remove(gate)
            if gate.left_out:
                log.info("%d statements of %s were applied by an earlier run", gate.left_out, header.revision)
            return result

        return run

    def _open_journal(self, header: JournalHeader, left: tuple[JournalHeader, list[JournalRow]] | None) -> JournalGate:
        if left is None:
            return JournalGate(self._stores, self._impl, header)
        before, rows = left
        log.info("going on with %s of revision %s, which did not come to its end", before.direction, before.revision)
        earlier = Earlier(before, rows, same_content=before.checksum == header.checksum)
        return JournalGate(self._stores, self._impl, header, earlier, may_differ=self.allow_edited or before.failed)

    # The implementation tells these two, see alembic_cluster.rehearsal.RevisionWatcher.

    def revision_begins(self, step: Any, rehearsal: Any) -> None:
        """Hear what a revision will send."""
        if self._journal is not None:
            plan = plan_digest(rehearsal.statements) if rehearsal.complete else None
            self._journal.header = replace(self._journal.header, plan=plan)
            self._journal.check()

    def revision_ends(self, error: BaseException | None) -> None:
        """Hear that a revision has ended."""

    def _interrupted(self, gate: JournalGate, error: BaseException) -> None:
        """Write down what is known of a revision that ended with an error."""
        theirs = isinstance(error, Exception) and not isinstance(error, LeaseLost | OutcomeUnknown | ChangedRevision)
        if self._held is None or self._held.is_lost:
            return
        with suppress(Exception):  # the first error is the one to see, and the journal has what is needed
            if theirs and not gate.unanswered:
                gate.write_header(failed=True)
            self._stores.flush()


def _direction(step: Any) -> Any:
    return "upgrade" if step.is_upgrade else "downgrade"


def _is_upgrade(step: Any) -> bool:
    return hasattr(step, "revision") and bool(step.is_upgrade)


def _unfinished(header: JournalHeader, rows: Sequence[JournalRow]) -> UnfinishedRevision:
    target = header.revision if header.direction == "upgrade" else f"{header.revision}-1"
    return UnfinishedRevision(
        f"Revision {header.revision} is half-applied: its {header.direction} began at "
        f"{header.started:%Y-%m-%d %H:%M:%S} UTC ({header.owner}) and did not come to its end; applied of it are "
        f"{len([row for row in rows if row.state == 'done'])} statements. Finish it first: 'alembic {header.direction} "
        f"{target}'. Or undo it by hand, then 'alembic-cluster repair --forget'. Nothing was sent."
    )


def _heads_after(impl: Any, step: Any, heads: set[str]) -> set[str]:
    """Tell the heads behind a step as Alembic moves them."""
    if step.should_delete_branch(heads):
        return heads - {step.delete_version_num}
    if step.should_create_branch(heads):
        return heads | {step.insert_version_num}
    if step.should_merge_branches(heads):
        gone, moved, to = step.merge_branch_idents(heads)
        return heads - {*gone, moved} | {to}
    if step.should_unmerge_branches(heads):
        moved, to, made = step.unmerge_branch_idents(heads)
        return heads - {moved} | {to, *made}
    old, new = step.update_version_num(heads)
    return heads - {old} | {new}

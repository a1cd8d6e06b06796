"""The one way of a run's statements to the server, and the gates on it.

Everything that a revision sends passes the gates of the run's connection, whichever way it goes: ``op.*``,
``op.execute``, ``op.get_bind().execute``, an ORM session on ``op.get_bind()``. A gate may let a statement pass, leave
it out, send it again, look at what came of it, or refuse it::

    class Announce(Gate):
        place = Place.PROGRESS

        def around(self, statement: Statement, send: Callable[[], None]) -> None:
            print(statement.text)
            send()                       # left out when it is not called, sent again when it is called again

    Gates.of(connection).add(Announce())

Gates stand in one another: the one with the lowest place is asked first and has the others inside its ``send()``.
What ``send()`` raises is the driver's own exception (``sqlalchemy.exc`` comes later), so that a gate can tell a
refusal from an answer that never came.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection

from alembic_cluster.execution import HELD_BACK

OWN = "alembic_cluster_own"  # execution option of what this package sends for itself: it passes no gate
_OPTION = "alembic_cluster_gates"

_BEFORE = r"(?:\s|\(|--[^\n]*(?:\n|$)|/\*.*?\*/)*"
_READ = re.compile(_BEFORE + r"(?:SELECT|SHOW|EXPLAIN(?!\s*\(?\s*ANALY[SZ]E)|DESCRIBE|DESC|LIST|VALUES|TABLE|PRAGMA)\b",
                   re.IGNORECASE | re.DOTALL)  # fmt: skip
_WITH = re.compile(_BEFORE + r"WITH\b", re.IGNORECASE | re.DOTALL)
_WRITES = re.compile(r"(?<!FOR )\b(INSERT|UPSERT|UPDATE|DELETE|MERGE)\b", re.IGNORECASE)
_SESSION = re.compile(
    _BEFORE + r"(?:SET(?!\s+CLUSTER)|RESET(?!\s+CLUSTER)|USE|BEGIN(?!\s+(?:UNLOGGED\s+|COUNTER\s+)?BATCH)|START|COMMIT|"
    r"END|ROLLBACK|ABORT|SAVEPOINT|RELEASE|DISCARD|DEALLOCATE|DECLARE|FETCH|MOVE|CLOSE)\b",
    re.IGNORECASE | re.DOTALL,
)


class Kind(enum.Enum):
    """What a statement can do."""

    READ = "read"
    SESSION = "session"  # transactions, settings and cursors of the session
    CHANGE = "change"


class Place(enum.IntEnum):
    """Where a gate stands; the lowest is asked first. Any number between goes as well."""

    GUARD = 100  # refuses
    PROGRESS = 200  # shows
    RETRY = 300  # sends again what the database asks to send again
    TRANSACTION = 400  # puts a statement and its journal row into one transaction
    JOURNAL = 500  # leaves out what an earlier run did, and notes what this one does
    ANSWER = 600  # finds out what came of a statement that got no answer
    LEASE = 900  # the last word before the server


def kind_of(text: str) -> Kind:
    """Tell what a statement can do by its text. What isn't sure is a change."""
    if _READ.match(text) or (_WITH.match(text) and not _WRITES.search(text)):
        return Kind.READ
    return Kind.SESSION if _SESSION.match(text) else Kind.CHANGE


@dataclass(eq=False)
class Statement:
    """One statement on its way. The same object comes again when a gate sends it again.

    :ivar text: as the driver gets it.
    :ivar parameters: as the driver gets them: a sequence or a mapping; a list of these when ``many``; None or empty.
    :ivar many: whether it is sent once for each item of ``parameters`` (DB-API's ``executemany``).
    :ivar kind: what it can do.
    :ivar ordinal: its place among the changes of the running revision, from 1; None outside a revision's function,
        such as when heads move, and for what changes nothing.
    :ivar connection: the run's connection.
    :ivar cursor: the DB-API cursor that sends it.
    :ivar context: SQLAlchemy's execution context.
    :ivar left_out: whether a gate has left it out because it is applied already.
    :ivar sent_before: whether an earlier run had sent it, and died before it knew what came of it.
    """

    text: str
    parameters: Any
    many: bool
    kind: Kind
    ordinal: int | None
    connection: Connection
    cursor: Any
    context: Any
    left_out: bool = False
    sent_before: bool = False

    @property
    def changes(self) -> bool:
        """Whether it can change schema or data."""
        return self.kind is Kind.CHANGE


class Gate:
    """What stands on the way of statements to the server.

    :cvar place: where it stands among the others, see :class:`Place`.
    """

    place: int = Place.PROGRESS

    def around(self, statement: Statement, send: Callable[[], None]) -> None:
        """Let a statement pass.

        It is called for every statement of the run's connection, reads and transactions too: look at
        ``statement.kind`` and at ``statement.ordinal``.

        :param send: sends it through the gates that follow; returns when the server has answered.
        :raises Exception: to refuse it, and what ``send`` raises.
        """
        send()

    def check(self) -> None:
        """Tell in the middle of a long statement whether more of it may be sent; called from any thread.

        :raises Exception: to end it.
        """


class Gates:
    """The gates of one connection.

    :ivar ordinal: how many changes the running revision has sent or left out; None outside a revision's function.
    """

    def __init__(self) -> None:
        self.ordinal: int | None = None
        self._gates: list[Gate] = []

    @classmethod
    def of(cls, connection: Connection) -> Gates:
        """Give the gates of a connection; the first call makes them, open ones."""
        found = connection.get_execution_options().get(_OPTION)
        if isinstance(found, Gates):
            return found
        made = cls()
        connection.execution_options(**{_OPTION: made})
        for name, listener in _LISTENERS.items():
            if not event.contains(connection.dialect, name, listener):
                event.listen(connection.dialect, name, listener)
        return made

    def add(self, gate: Gate) -> None:
        """Set a gate up; one with a place that another has stands behind it."""
        self._gates.append(gate)
        self._gates.sort(key=lambda each: each.place)

    def put(self, gate: Gate) -> None:
        """Set a gate up in place of the one of its class, if there is one: a connection may see several runs."""
        self._gates = [each for each in self._gates if type(each) is not type(gate)]
        self.add(gate)

    def remove(self, gate: Gate) -> None:
        """Take a gate away."""
        self._gates.remove(gate)

    @contextmanager
    def revision(self) -> Iterator[None]:
        """Number the changes that are sent in a ``with`` block: a revision's function runs there."""
        before, self.ordinal = self.ordinal, 0
        try:
            yield
        finally:
            self.ordinal = before

    def pass_through(
        self, text: str, parameters: Any, many: bool, cursor: Any, context: Any, send: Callable[[], None]
    ) -> None:
        """Send one statement through all gates.

        :param send: gives it to the driver.
        """
        self.send(self.meet(text, parameters, many, cursor, context), send)

    def meet(self, text: str, parameters: Any, many: bool, cursor: Any, context: Any) -> Statement:
        """Make the object for a statement that is about to be sent; a change is counted."""
        kind = kind_of(text)
        if kind is Kind.CHANGE and self.ordinal is not None:
            self.ordinal += 1
        ordinal = self.ordinal if kind is Kind.CHANGE else None
        return Statement(text, parameters, many, kind, ordinal, context.root_connection, cursor, context)

    def check(self) -> None:
        """Ask every gate whether more may be sent, in the middle of a statement that takes long; from any thread.

        :raises LeaseLost: the run's lease is lost.
        """
        for gate in self._gates:
            gate.check()

    def send(self, statement: Statement, send: Callable[[], None], *, behind: Gate | None = None) -> None:
        """Send a statement through the gates as the one that it is, such as when a transaction is repeated.

        :param behind: the gates that stand behind this one only; None for all.
        """

        def nest(gate: Gate, inner: Callable[[], None]) -> Callable[[], None]:
            return lambda: gate.around(statement, inner)

        first = 0 if behind is None else self._gates.index(behind) + 1
        for gate in reversed(self._gates[first:]):
            send = nest(gate, send)
        send()


def _gates_for(context: Any) -> Gates | None:
    options = context.execution_options
    if options.get(OWN) or getattr(context, HELD_BACK, False):
        return None
    found: Gates | None = options.get(_OPTION)
    return found if found is not None and found._gates else None


def _do_execute(cursor: Any, statement: str, parameters: Any, context: Any) -> bool | None:
    gates = _gates_for(context)
    if gates is None:
        return None
    dialect = context.dialect
    gates.pass_through(
        statement,
        parameters,
        False,
        cursor,
        context,
        lambda: dialect.do_execute(context.cursor, statement, parameters, context),
    )
    return True


def _do_executemany(cursor: Any, statement: str, parameters: Any, context: Any) -> bool | None:
    gates = _gates_for(context)
    if gates is None:
        return None
    dialect = context.dialect
    gates.pass_through(
        statement,
        parameters,
        True,
        cursor,
        context,
        lambda: dialect.do_executemany(context.cursor, statement, parameters, context),
    )
    return True


def _do_execute_no_params(cursor: Any, statement: str, context: Any) -> bool | None:
    gates = _gates_for(context)
    if gates is None:
        return None
    dialect = context.dialect
    gates.pass_through(
        statement,
        None,
        False,
        cursor,
        context,
        lambda: dialect.do_execute_no_params(context.cursor, statement, context),
    )
    return True


_LISTENERS: dict[str, Callable[..., Any]] = {
    "do_execute": _do_execute,
    "do_executemany": _do_executemany,
    "do_execute_no_params": _do_execute_no_params,
}

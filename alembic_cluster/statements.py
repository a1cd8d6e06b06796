"""What a statement does: the object that it changes, whether something is lost, what it costs, whether writes wait.

The rules are a database's own and so are read by its package (``alembic_crdb.effects``, ``alembic_cql.effects``); an
implementation gives them through one method::

    class CqlImpl(...):
        def statements(self, text, known=None):       # Reads
            return read_cql(text, ...)

A statement is known by its text alone, whichever way it comes: ``op.*`` compiled, or text of ``op.execute``. What the
text doesn't say, such as the type that a column has had, is looked for in :class:`Known`: what the statements before
it made, and a catalog if there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Protocol


class Cost(Enum):
    """What the server has to do for a statement, in growing order."""

    NOTHING = "nothing"
    METADATA = "metadata only"
    VALIDATION = "validation"
    ROWS = "rows"
    BACKFILL = "backfill"
    VIEW_BUILD = "view build"
    REWRITE = "rewrite"

    @property
    def rank(self) -> int:
        """Its place in the order."""
        return list(Cost).index(self)

    @property
    def reads_the_table(self) -> bool:
        """Whether it grows with the rows that the table has."""
        return self.rank >= Cost.VALIDATION.rank


@dataclass(frozen=True)
class Effect:
    """One thing that a statement does; ``ALTER TABLE`` with three commands does three.

    :ivar kind: what is done, in lower case, such as ``drop column``, ``create index``, ``delete``.
    :ivar name: what it is done to, as a path of plain names joined by dots, such as ``shop.users.email``.
    :ivar table: the table that it touches, the same way; empty where there is none.
    :ivar column: of ``table``; empty where it is not about one.
    :ivar destructive: what is lost; empty when nothing is.
    :ivar cost: what the server has to do.
    :ivar blocks: which writes wait, and for what; empty when none do.
    :ivar traits: further facts that rules ask for, such as ``not null`` or ``if exists``; ``new`` where an earlier
        statement of the same revision made the object.
    :ivar values: facts with a value, such as ``type`` of a column.
    """

    kind: str
    name: str = ""
    table: str = ""
    column: str = ""
    destructive: str = ""
    cost: Cost = Cost.METADATA
    blocks: str = ""
    traits: frozenset[str] = frozenset()
    values: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".rstrip()


@dataclass(frozen=True)
class Statement:
    """One statement of a text and what it does.

    :ivar text: the statement without its semicolon.
    :ivar effects: what it does; never empty.
    """

    text: str
    effects: tuple[Effect, ...]

    @property
    def losses(self) -> list[Effect]:
        """The effects that lose something."""
        return [effect for effect in self.effects if effect.destructive]

    @property
    def cost(self) -> Cost:
        """The greatest cost of its effects."""
        return max((effect.cost for effect in self.effects), key=lambda cost: cost.rank)

    @property
    def blocks(self) -> str:
        """Which writes wait; empty when none do."""
        return next((effect.blocks for effect in self.effects if effect.blocks), "")

    @property
    def tables(self) -> list[str]:
        """The tables that it touches, each once."""
        return list(dict.fromkeys(effect.table for effect in self.effects if effect.table))

    @property
    def changes(self) -> bool:
        """Whether it can change anything; reads and settings of the session can't."""
        return self.cost is not Cost.NOTHING


class Known:
    """What is known of a database while statements are read in their order.

    :param column_type: asks a catalog for the type of a column, given the table's path and the column; None, or
        the answer None, when it can't be told.
    """

    def __init__(self, column_type: Callable[[str, str], str | None] | None = None) -> None:
        self._ask = column_type
        self._types: dict[str, dict[str, str]] = {}
        self._made: set[str] = set()
        self._facts: dict[str, Effect] = {}

    def column_type(self, table: str, column: str) -> str | None:
        """Give a column's type as the database's language writes it; None when it is not known."""
        found = self._types.get(table, {}).get(column)
        if found is None and self._ask is not None and table not in self._made:
            found = self._ask(table, column)
        return found

    def columns(self, table: str) -> Mapping[str, str]:
        """Give the columns that earlier statements gave a table, with their types."""
        return self._types.get(table, {})

    def created(self, table: str) -> Effect | None:
        """Give the effect that made a table; None when no statement before did."""
        return self._facts.get(table)

    def is_new(self, name: str) -> bool:
        """Tell whether an earlier statement of the same revision made an object, so that it holds no old data."""
        return name in self._made

    def next_revision(self) -> None:
        """Forget what is new: what an earlier revision made may hold data by now."""
        self._made.clear()

    def learn(self, effects: Iterable[Effect]) -> None:
        """Take over what a statement has changed."""
        for effect in effects:
            self._learn(effect)

    def _learn(self, effect: Effect) -> None:
        verb, _, what = effect.kind.partition(" ")
        if verb == "create" and "if not exists" not in effect.traits and "or replace" not in effect.traits:
            self._made.add(effect.name)
        elif verb == "drop":
            self._made.discard(effect.name)
            if what == "table":
                self._types.pop(effect.name, None)
            elif what == "column":
                self._types.get(effect.table, {}).pop(effect.column, None)
        if effect.kind == "create table":
            self._facts[effect.name] = effect
        if effect.kind == "add column" and "if not exists" not in effect.traits:
            self._made.add(effect.name)
        if "type" in effect.values and effect.column:
            self._types.setdefault(effect.table, {})[effect.column] = effect.values["type"]
        if effect.kind == "rename table" and "to" in effect.values:
            self._rename(effect.table, effect.values["to"])
        if effect.kind == "rename column" and effect.column in self._types.get(effect.table, {}):
            columns = self._types[effect.table]
            columns[effect.values["to"]] = columns.pop(effect.column)

    def _rename(self, old: str, new: str) -> None:
        if old in self._types:
            self._types[new] = self._types.pop(old)
        if old in self._made:
            self._made.discard(old)
            self._made.add(new)
        else:
            self._made.discard(new)


class Reads(Protocol):
    """What an implementation has that can say what a statement does."""

    def known(self) -> Known:
        """Give what is known of the database before the first statement."""

    def statements(self, text: str, known: Known | None = None) -> list[Statement]:
        """Read a text of one or more statements.

        :param text: as it would be sent.
        :param known: what came before; it learns what these statements change.
        :return: its statements in order; empty for one without any.
        """


def in_order(effects: Sequence[Effect], known: Known) -> tuple[Effect, ...]:
    """Take out of effects what is harmless on what the same revision made, and learn them.

    :param effects: of one statement.
    :param known: what came before in the same revision.
    """
    found = []
    for effect in effects:
        seen = effect
        if known.is_new(effect.name) or known.is_new(effect.table):
            seen = replace(effect, destructive="", blocks="", traits=effect.traits | {"new"})
            if effect.cost.reads_the_table and known.is_new(effect.table) and effect.cost is not Cost.ROWS:
                seen = replace(seen, cost=Cost.METADATA)
        known.learn([effect])
        found.append(seen)
    return tuple(found)

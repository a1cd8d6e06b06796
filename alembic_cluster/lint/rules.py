"""What a rule is: a function that looks at one effect, or at one revision, and says what it found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from alembic_cluster.lint.sources import Source
from alembic_cluster.reading import ReadRevision
from alembic_cluster.statements import Effect, Known, Statement


@dataclass
class Look:
    """What a rule looks at: one effect of one statement, and what came before.

    :ivar revision: that sends it.
    :ivar statement: that has it.
    :ivar effect: the effect.
    :ivar before: the effects before it in the same revision.
    :ivar dropped: the columns that earlier statements, of any revision, have dropped.
    :ivar known: what is known of the database.
    """

    revision: ReadRevision
    statement: Statement
    effect: Effect
    before: list[Effect] = field(default_factory=list)
    dropped: set[str] = field(default_factory=set)
    known: Known = field(default_factory=Known)

    @property
    def is_new(self) -> bool:
        """Whether the same revision has made what is changed."""
        return "new" in self.effect.traits

    def has(self, *traits: str) -> bool:
        """Tell whether the effect has all of these traits."""
        return all(trait in self.effect.traits for trait in traits)


Found = Mapping[str, Any] | None  # what fills the message in; None when nothing is wrong
EffectRule = Callable[[Look], Found]
RevisionRule = Callable[["Whole"], Iterator["Place"]]


@dataclass
class Place:
    """Something that a rule has found about a whole revision.

    :ivar values: fill the message in.
    :ivar line: in the revision's file; 1 for the whole.
    """

    values: Mapping[str, Any]
    line: int = 1


@dataclass
class Whole:
    """What a rule of revisions looks at.

    :ivar upgrade: what ``upgrade`` would send.
    :ivar downgrade: what ``downgrade`` would.
    :ivar source: the file's text.
    """

    upgrade: ReadRevision
    downgrade: ReadRevision
    source: Source


#: The rules of effects by dialect, ``""`` for all dialects, and by code.
EFFECT_RULES: dict[str, dict[str, EffectRule]] = {"": {}, "cockroachdb": {}, "cql": {}}
#: The rules of whole revisions by code.
REVISION_RULES: dict[str, RevisionRule] = {}


def rule(code: str, dialect: str = "") -> Callable[[EffectRule], EffectRule]:
    """Register a rule of effects.

    :param code: has its texts in :mod:`alembic_cluster.lint.messages`.
    :param dialect: the one that it is for; empty for every.
    """

    def register(function: EffectRule) -> EffectRule:
        EFFECT_RULES[dialect][code] = function
        return function

    return register


def revision_rule(code: str) -> Callable[[RevisionRule], RevisionRule]:
    """Register a rule of whole revisions."""

    def register(function: RevisionRule) -> RevisionRule:
        REVISION_RULES[code] = function
        return function

    return register

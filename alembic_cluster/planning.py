"""What an ``upgrade`` or ``downgrade`` would send, what it costs and what is dangerous; sends nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from alembic_cluster.execution import shorten
from alembic_cluster.reading import ReadRevision, ReadStatement, in_environment, read_function, reading_impl
from alembic_cluster.settings import Settings

if TYPE_CHECKING:
    from alembic.config import Config


@dataclass
class Plan:
    """What would be sent.

    :ivar direction: ``upgrade`` or ``downgrade``.
    :ivar heads: where the database stands.
    :ivar revisions: what each would send, in order.
    :ivar sizes: rows of the tables that are touched, as far as the server has an estimate.
    :ivar allowed: the revisions that may lose data.
    """

    direction: str
    heads: tuple[str, ...] = ()
    revisions: list[ReadRevision] = field(default_factory=list)
    sizes: Mapping[str, int] = field(default_factory=dict)
    allowed: set[str] = field(default_factory=set)

    def as_text(self) -> str:
        """Write it for people."""
        if not self.revisions:
            return f"Nothing to do: the database stands at {', '.join(self.heads) or 'base'}."
        lines: list[str] = []
        for read in self.revisions:
            lines.append(f"{self.direction} {read.script.revision} {read.script.doc or ''}".rstrip())
            sent = [each for each in read.statements if each.statement.changes]
            for number, each in enumerate(sent, 1):
                lines += [
                    f"  {number}. {shorten(each.statement.text)}",
                    f"     {self._told(each, read.script.revision)}",
                ]
            if not sent and read.complete:
                lines.append("  nothing")
            if not read.complete:
                lines.append(f"  ... and more that can't be foreseen: {read.problem}")
        return "\n".join(lines)

    def _told(self, each: ReadStatement, revision: str) -> str:
        if each.left == "done":
            return "applied by an earlier run, is not sent again"
        statement = each.statement
        told = ["sent by an earlier run, is looked for first"] if each.left else []
        told.append(statement.cost.value)
        told += [f"{table}: {_count(self.sizes[table])}" for table in statement.tables if table in self.sizes]
        told += [statement.blocks] if statement.blocks else []
        losses = [effect.destructive for effect in statement.losses]
        if losses:
            told.append(f"LOSES DATA ({'allowed' if revision in self.allowed else 'not allowed'}): {'; '.join(losses)}")
        return " | ".join(told)

    def as_sql(self) -> str:
        """Write the statements, each with a semicolon."""
        lines: list[str] = []
        for read in self.revisions:
            lines.append(f"-- {self.direction} {read.script.revision}")
            lines += [f"{each.statement.text};" for each in read.statements if _is_to_send(each)]
        return "\n".join(lines)

    def as_json(self) -> str:
        """Write it for programs."""
        return json.dumps(
            {
                "direction": self.direction,
                "heads": list(self.heads),
                "revisions": [self._revision(read) for read in self.revisions],
            },
            indent=2,
        )

    def _revision(self, read: ReadRevision) -> dict[str, Any]:
        return {
            "revision": read.script.revision,
            "message": read.script.doc or "",
            "path": read.script.path,
            "complete": read.complete,
            "problem": read.problem,
            "allow_destructive": read.script.revision in self.allowed,
            "statements": [self._statement(each) for each in read.statements if each.statement.changes],
        }

    def _statement(self, each: ReadStatement) -> dict[str, Any]:
        statement = each.statement
        return {
            "text": statement.text,
            "applied": {"done": True, "sent": None}.get(each.left, False),
            "effects": [str(effect) for effect in statement.effects],
            "cost": statement.cost.value,
            "blocks_writes": bool(statement.blocks),
            "blocks": statement.blocks,
            "destructive": bool(statement.losses),
            "losses": [effect.destructive for effect in statement.losses],
            "tables": {table: self.sizes.get(table) for table in statement.tables},
        }


def _count(rows: int) -> str:
    return f"about {rows:,} row{'s' * (rows != 1)}"


def _is_to_send(each: ReadStatement) -> bool:
    return each.statement.changes and each.left != "done"


def make_plan(config: Config, target: str, direction: str = "") -> Plan:
    """Read what a run would send.

    :param target: as ``alembic upgrade`` and ``downgrade`` take it.
    :param direction: ``upgrade`` or ``downgrade``; when empty, what leads to the target.
    :raises ConfigurationError: for a database that this package doesn't know.
    :raises PhaseRefused: with ``--phase``, as ``upgrade`` does.
    """
    plan = Plan(direction)

    def work(heads: Any, context: Any) -> None:
        from alembic_cluster.guard import Policy
        from alembic_cluster.phases import PHASES, steps_of

        impl = reading_impl(context)
        settings = Settings(config)
        policy = Policy.of(settings)
        plan.heads = tuple(heads)
        plan.direction = direction or _direction_to(context.script, target, heads)
        steps = list(getattr(context.script, f"_{plan.direction}_revs")(target, heads))
        phase = settings.choice("phase", ("", *PHASES), "")
        if phase and plan.direction == "upgrade":
            steps = steps_of(steps, phase)
        known = impl.known()
        for step in steps:
            plan.revisions.append(read_function(impl, step.revision, plan.direction, known))
            if policy.allows(step.revision.module, plan.direction):
                plan.allowed.add(step.revision.revision)
        if plan.revisions:
            _mark_left(plan, impl.stores(context.connection).journal.read())
        tables = {table for read in plan.revisions for each in read.statements for table in each.statement.tables}
        plan.sizes = impl.table_sizes(tables)

    in_environment(config, work)
    return plan


def _direction_to(scripts: Any, target: str, heads: Sequence[str]) -> str:
    """Tell whether a target lies behind where the database stands."""
    from alembic_cluster.ledger import applied_scripts

    if target == "base" or re.search(r"-\d+$", target):
        return "downgrade"
    if target in ("head", "heads") or "+" in target or "@" in target:
        return "upgrade"
    wanted = {script.revision for script in scripts.get_revisions(target) if script is not None}
    applied = {script.revision for script in applied_scripts(scripts, heads)}
    return "downgrade" if wanted <= applied - set(heads) else "upgrade"


def _mark_left(plan: Plan, journal: Any) -> None:
    """Mark what an earlier run has sent of the first revision and did not come to the end of."""
    first = plan.revisions[0]
    if journal is None or journal[0].finished or set(journal[0].heads) != set(plan.heads):
        return
    if (journal[0].revision, journal[0].direction) != (first.script.revision, plan.direction):
        return
    left = [(row.text, row.state) for row in journal[1] if row.state != "refused"]
    for each in first.statements:
        if left and each.statement.changes and " ".join(left[0][0].split()) == " ".join(each.statement.text.split()):
            each.left = left.pop(0)[1]

"""The rules for every database; their reasons are in :mod:`alembic_cluster.lint.messages`."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

from alembic_cluster.errors import ConfigurationError
from alembic_cluster.execution import shorten
from alembic_cluster.guard import Policy
from alembic_cluster.lint.rules import Found, Look, Place, Whole, revision_rule, rule
from alembic_cluster.phases import phase_of

_KNOWN = frozenset(sys.stdlib_module_names) | {
    "alembic",
    "alembic_cluster",
    "alembic_cql",
    "alembic_crdb",
    "geoalchemy2",
    "pgvector",
    "sqlalchemy",
    "sqlalchemy_cockroachdb",
    "sqlalchemy_utils",
}


@rule("AL001")
def loses(look: Look) -> Found:
    allowed = getattr(look.revision.script.module, "allow_destructive", False)
    if not look.effect.destructive or look.revision.direction != "upgrade" or allowed in (True, "upgrade"):
        return None
    return {"destructive": look.effect.destructive}


@rule("AL005")
def expansion_takes(look: Look) -> Found:
    if getattr(look.revision.script.module, "phase", None) != "expand" or look.revision.direction != "upgrade":
        return None
    return {} if look.effect.destructive or (look.effect.kind == "set not null" and not look.is_new) else None


@rule("AL008")
def unreadable(look: Look) -> Found:
    return {"statement": shorten(look.statement.text)} if look.effect.kind == "unreadable" else None


@revision_rule("AL002")
def no_way_back(whole: Whole) -> Iterator[Place]:
    count = sum(each.statement.changes for each in whole.upgrade.statements)
    if count and whole.downgrade.complete and not any(each.statement.changes for each in whole.downgrade.statements):
        yield Place({"count": count}, whole.source.line_of("downgrade"))


@revision_rule("AL003")
def not_read(whole: Whole) -> Iterator[Place]:
    for read in (whole.upgrade, whole.downgrade):
        if not read.complete and not read.refused and "NotImplementedError" not in read.problem:
            values = {"direction": read.direction, "problem": read.problem}
            yield Place(values, whole.source.line_of(read.direction))


@revision_rule("AL011")
def refused(whole: Whole) -> Iterator[Place]:
    for read in (whole.upgrade, whole.downgrade):
        if read.refused:
            yield Place({"direction": read.direction, "problem": read.problem}, whole.source.line_of(read.direction))


@revision_rule("AL012")
def words(whole: Whole) -> Iterator[Place]:
    script = whole.upgrade.script
    for ask in (lambda: phase_of(script), lambda: Policy().allows(script.module, "upgrade")):
        try:
            ask()
        except ConfigurationError as error:
            yield Place({"problem": str(error).partition(". ")[0]})


@revision_rule("AL009")
def imports(whole: Whole) -> Iterator[Place]:
    for node in () if whole.source.tree is None else ast.walk(whole.source.tree):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or "."]
        for module in modules:
            if module.partition(".")[0] not in _KNOWN:
                yield Place({"module": module}, node.lineno)  # type: ignore[attr-defined]


@revision_rule("AL010")
def no_message(whole: Whole) -> Iterator[Place]:
    tree = whole.source.tree
    if tree is not None and not (ast.get_docstring(tree) or "").strip():
        yield Place({})

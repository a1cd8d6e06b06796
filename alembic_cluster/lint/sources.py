"""The text of a revision: Python, or a file of SQL or CQL that is a revision itself."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from alembic_cluster.lint.noqa import Noqa, read_noqa, read_sql_noqa
from alembic_cluster.reading import ReadRevision
from alembic_cluster.sqlfiles import SUFFIXES


@dataclass
class Source:
    """A revision's text.

    :ivar tree: None where it is no Python.
    :ivar noqa: its comments.
    :ivar spans: in SQL and CQL, the first and last line of each statement; None for one that isn't found.
    """

    text: str
    tree: ast.Module | None
    noqa: list[Noqa]
    spans: list[tuple[int, int] | None] = field(default_factory=list)

    def lines_of(self, number: int, lines: tuple[int, ...]) -> tuple[int, ...]:
        """Give the lines that send a statement, the outermost first.

        :param number: of the statement in the revision, from 0.
        :param lines: of the Python that sends it.
        """
        if self.tree is not None:
            return lines
        span = self.spans[number]
        return () if span is None else (span[0],)

    def line_of(self, function: str) -> int:
        """Give the line on which a function begins; 1 where there is none."""
        body: Sequence[ast.stmt] = () if self.tree is None else self.tree.body
        nodes = (node for node in body if isinstance(node, ast.FunctionDef) and node.name == function)
        return next((node.lineno for node in nodes), 1)


def read_source(read: ReadRevision) -> Source:
    """Read a revision's text.

    :param read: what its upgrade would send.
    """
    path = Path(read.script.path)
    text = path.read_text(encoding="utf-8-sig")
    if path.suffix not in SUFFIXES:
        return Source(text, ast.parse(text), read_noqa(text))
    spans = _spans(text, (each.statement.text for each in read.statements))
    return Source(text, None, read_sql_noqa(text, [span for span in spans if span is not None]), spans)


def _spans(source: str, statements: Iterable[str]) -> list[tuple[int, int] | None]:
    """Find statements in a text, in order; one with a variable in it is another text there, and isn't found."""
    found: list[tuple[int, int] | None] = []
    place = 0
    for statement in statements:
        begin = source.find(statement.strip(), place)
        if begin < 0:
            found.append(None)
            continue
        place = begin + len(statement.strip())
        found.append((source.count("\n", 0, begin) + 1, source.count("\n", 0, place) + 1))
    return found

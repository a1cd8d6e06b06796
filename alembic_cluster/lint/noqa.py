"""``# noqa: CR003 reason``, in SQL and CQL ``-- noqa: CR003 reason``: findings that somebody wants to keep.

On a line of a statement it is for that statement, in a line of its own right above one for the statement below, and
outside of every function for the whole revision. Codes of other tools beside ours are left alone.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

_NOQA = re.compile(
    r"(?:#|--|//)\s*noqa\s*:\s*(?P<codes>[A-Z]+\d+(?:\s*,\s*[A-Z]+\d+)*)\s*[,:-]*\s*(?P<reason>.*)",
    re.IGNORECASE,
)
_OURS = re.compile(r"(?:AL|CR|CQ)\d{3}")


@dataclass
class Noqa:
    """One comment.

    :ivar line: where it stands.
    :ivar codes: ours among its codes.
    :ivar reason: what stands behind them.
    :ivar first: the first line that it is for.
    :ivar last: the last one.
    :ivar used: the codes that have silenced something.
    """

    line: int
    codes: tuple[str, ...]
    reason: str
    first: int
    last: int
    used: set[str] = field(default_factory=set)

    def silences(self, code: str, lines: tuple[int, ...]) -> bool:
        """Tell whether it is for a finding, and remember that it was needed."""
        if code not in self.codes or not any(self.first <= line <= self.last for line in lines or (1,)):
            return False
        self.used.add(code)
        return True


def read_noqa(source: str) -> list[Noqa]:
    """Find the comments of a revision.

    :param source: the file's text; it must be Python.
    """
    spans = _statements(source)
    comments = [
        (token.start[0], token.string, token.line.strip().startswith("#"))
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    ]
    return _found(comments, spans, source)


def read_sql_noqa(source: str, spans: Sequence[tuple[int, int]]) -> list[Noqa]:
    """Find the comments of a file of SQL or CQL.

    :param spans: the first and the last line of each statement.
    """
    lines = enumerate(source.split("\n"), 1)
    comments = [(number, line, line.lstrip().startswith(("--", "//"))) for number, line in lines]
    return _found(comments, spans, source)


def _found(comments: Iterable[tuple[int, str, bool]], spans: Sequence[tuple[int, int]], source: str) -> list[Noqa]:
    found = []
    end = source.count("\n") + 1
    for line, text, alone in comments:
        match = _NOQA.search(text)
        codes = tuple(code for code in _codes(match["codes"]) if _OURS.fullmatch(code)) if match else ()
        if match is not None and codes:
            first, last = _span(spans, line, alone) or (1, end)
            found.append(Noqa(line, codes, match["reason"].strip(), first, last))
    return found


def _codes(text: str) -> list[str]:
    return [code.strip().upper() for code in text.split(",")]


def _statements(source: str) -> list[tuple[int, int]]:
    """Give the first and last line of every statement inside a function."""
    return [
        (node.lineno, node.end_lineno or node.lineno)
        for function in ast.walk(ast.parse(source))
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.stmt) and node is not function
    ]


def _span(spans: Sequence[tuple[int, int]], line: int, alone: bool) -> tuple[int, int] | None:
    around = [span for span in spans if span[0] <= line <= span[1]]
    if around and not alone:
        return min(around, key=lambda span: span[1] - span[0])
    below = [span for span in spans if span[0] == line + 1] if alone else []
    if below:
        return max(below, key=lambda span: span[1] - span[0])
    return min(around, key=lambda span: span[1] - span[0]) if around else None

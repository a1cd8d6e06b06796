"""Expressions by meaning: what a model says, ``email || 'x'``, is what the server stores, ``email || 'x':::STRING``.

CockroachDB checks the types of defaults, computed columns, CHECK constraints and predicates, and stores them in a
form of its own: constants with their types and in their types' notation, all operators in parentheses, one name for
what has several. :func:`equivalent` reads both texts into trees in which these differences are gone.

It never takes two expressions for equal that are not: what it cannot read, it compares as text.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from alembic_cluster.errors import UnreadableDDL
from alembic_crdb.catalog import ObjectName, SQLType
from alembic_crdb.expressions_literals import canonical_type, family_of
from alembic_crdb.expressions_nodes import CONSTANTS, NATURAL_FAMILY, Node, annotate, constant_value, same
from alembic_crdb.expressions_parser import ExpressionCursor
from alembic_crdb.lexer import is_word, quote_name, quote_string, tokenize

__all__ = ["canonical_type", "equivalent", "normalize", "parse_expression", "quote_type_names"]


def parse_expression(text: str) -> Node:
    """Read an expression into a tree.

    :raises UnreadableDDL: when it is none that can stand in a schema; subqueries and window functions cannot.
    """
    return ExpressionCursor(text).whole()


def equivalent(one: str | None, other: str | None, kind: SQLType | None = None) -> bool:
    """Tell whether two expressions mean the same.

    :param one: an expression's text; ``None`` for no expression, which for a default is the same as ``NULL``.
    :param other: another's.
    :param kind: the column's type, for a default, ON UPDATE or computed expression.
    """
    if one == other:
        return True
    one, other = ("NULL" if text is None else text for text in (one, other))
    left, right = _tree(one, kind), _tree(other, kind)
    if left is None or right is None:
        return _as_tokens(one) == _as_tokens(other)
    return same(left, right)


def normalize(text: str, kind: SQLType | None = None) -> str:
    """Write an expression in the one form that all its spellings have; for messages and for keys of sets.

    It is meant to be read and compared, not to be executed. Two texts of which :func:`equivalent` holds may still
    differ here where only the other one tells the type of a constant.

    :param kind: the column's type, for a default, ON UPDATE or computed expression.
    """
    tree = _tree(text, kind)
    return _as_tokens(text) if tree is None else _render(tree)


def _tree(text: str, kind: SQLType | None) -> Node | None:
    """Read an expression; ``None`` when it is none that we know.

    A tree belongs to one comparison, which takes it apart: no two may share one.
    """
    try:
        tree = parse_expression(text)
    except UnreadableDDL:
        return None
    if kind is None:
        return tree
    tree = annotate(tree, kind)
    if tree.kind in CONSTANTS and family_of(tree.type) == family_of(kind):
        # The digits that the column keeps count, whatever the constant's own type keeps.
        tree.type = canonical_type(kind)
    return tree


@lru_cache(maxsize=4096)
def _as_tokens(text: str) -> str:
    """Give a text with one blank between its tokens, and its words in lower case."""
    try:
        tokens = tokenize(text).texts
    except UnreadableDDL:
        return " ".join(text.split())
    return " ".join(token.lower() if is_word(token) else token for token in tokens).strip()


def _render(tree: Node) -> str:
    """Write a tree, from its leaves up, with every operator in parentheses."""
    done: list[str] = []
    todo: list[tuple[Node, bool]] = [(tree, False)]
    while todo:
        node, children_done = todo.pop()
        if not children_done:
            todo.append((node, True))
            todo.extend((child, False) for child in reversed(node.children))
            continue
        count = len(node.children)
        texts = done[len(done) - count :]
        del done[len(done) - count :]
        done.append(_render_node(node, texts))
    return done[0]


def _render_node(node: Node, texts: list[str]) -> str:
    if node.kind in CONSTANTS:
        return _render_constant(node)
    if node.kind == "null":
        return "NULL"
    if node.kind == "column":
        return node.value if node.value == "*" else quote_name(node.value)
    inside = ", ".join(texts)
    if node.kind == "call":
        return f"{quote_name(node.value)}({inside})"
    if node.kind == "array":
        return f"ARRAY[{inside}]"
    if node.kind == "tuple":
        return f"({inside},)" if len(texts) == 1 else f"({inside})"
    if node.kind == "cast":
        return f"{inside}::{_render_type(node.type)}"
    if node.value in {"AND", "OR"} or (len(texts) == 2 and node.value != "[]"):
        return f"({f' {node.value} '.join(texts)})"
    if node.value == "[]":
        return f"{texts[0]}[{texts[1]}]"
    return f"({node.value} {inside})"


def _render_constant(node: Node) -> str:
    family = family_of(node.type) or NATURAL_FAMILY.get(node.kind)
    if family is None:
        return quote_string(node.value)
    value = constant_value(node, family, node.type)
    if isinstance(value, tuple):
        value = ".".join(map(quote_name, reversed(value)))
    if family in {"number", "bool"}:
        return str(value)
    return quote_string(str(value))


def _render_type(kind: SQLType | None) -> str:
    if kind is None:
        return ""
    name = kind.name if isinstance(kind.name, str) else ".".join(map(quote_name, kind.name.parts))
    args = f"({','.join(kind.args)})" if kind.args else ""
    return f"{name}{f' {kind.fields}' if kind.fields else ''}{args}{'[]' * kind.dimensions}"


def quote_type_names(text: str, types: Iterable[ObjectName]) -> str:
    """Put quotes around user-defined types that v21.1 prints without, so that the expression can be executed.

    ``'A':::public.MyEnum`` names a type ``myenum`` when it is read back.

    :param text: an expression as ``SHOW CREATE`` gave it.
    :param types: the database's types; those without a schema are left alone.
    """
    printed = {
        f"{name.schema}.{name.name}": f"{quote_name(name.schema)}.{quote_name(name.name)}"
        for name in types
        if name.schema is not None
    }
    wrong = sorted((raw for raw, quoted in printed.items() if raw != quoted), key=len, reverse=True)
    if not wrong or not any(raw in text for raw in wrong):
        return text
    tokens, starts = tokenize(text)
    out: list[str] = []
    at = 0
    for index, token in enumerate(tokens[:-1]):
        begin = starts[index + 1]
        if token not in {"::", ":::"} or begin < at:
            continue
        raw = next((raw for raw in wrong if text.startswith(raw, begin)), None)
        if raw is not None:
            out += (text[at:begin], printed[raw])
            at = begin + len(raw)
    return "".join((*out, text[at:]))

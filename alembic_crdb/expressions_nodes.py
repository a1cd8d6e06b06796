"""The tree of an expression, in which what CockroachDB writes in several ways stands in one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from alembic_crdb.catalog import SQLType
from alembic_crdb.expressions_literals import canonical_type, family_of, value_of

Kind = Literal[
    "number", "string", "bytes", "bit", "bool", "null",
    "column", "call", "operator", "cast", "array", "tuple",
]  # fmt: skip

#: The kinds of nodes that are constants.
CONSTANTS: Final = frozenset({"number", "string", "bytes", "bit", "bool"})
#: The family of a constant that has no type, where its token tells one.
NATURAL_FAMILY: Final[Mapping[str, str]] = {"number": "number", "bool": "bool", "bytes": "bytes", "bit": "bit"}
#: Functions that give the same, under several names.
_SYNONYMS: Final[Mapping[str, str]] = {
    "current_timestamp": "now",
    "transaction_timestamp": "now",
    # v21.1 stores the one for the other.
    "session_user": "current_user",
    "current_role": "current_user",
    "user": "current_user",
    "current_catalog": "current_database",
}
#: Functions whose first argument names a sequence.
_OF_SEQUENCES: Final = frozenset({"nextval", "currval", "setval"})
_REGCLASS: Final = SQLType("REGCLASS")


@dataclass(slots=True, eq=False)
class Node:
    """A constant, a column, a call or an operator.

    :param kind: what it is; ``operator`` is everything that is no plain call.
    :param value: the constant's text, the column's or function's name, the operator.
    :param type: the type of a constant, or that of a cast.
    """

    kind: Kind
    value: str = ""
    children: list[Node] = field(default_factory=list)
    type: SQLType | None = None


def operator(name: str, *children: Node) -> Node:
    """Make an operator; chains of AND and OR become one each, in whatever way they were grouped."""
    if name not in {"AND", "OR"}:
        return Node("operator", name, list(children))
    flat: list[Node] = []
    for child in children:
        if child.kind == "operator" and child.value == name:
            if not flat:
                # Each node has one parent, so that it can take the others in.
                flat = child.children
            else:
                flat.extend(child.children)
        else:
            flat.append(child)
    return Node("operator", name, flat)


def negation(node: Node) -> Node:
    """Make ``NOT node``."""
    return operator("NOT", node)


def minus(node: Node) -> Node:
    """Make ``-node``; of a number, a negative number."""
    if node.kind != "number":
        return operator("-", node)
    value = node.value[1:] if node.value.startswith("-") else f"-{node.value}"
    return Node("number", value, type=node.type)


def call(name: str, arguments: list[Node]) -> Node:
    """Make a function call, under the first of the function's names."""
    if name in _OF_SEQUENCES and arguments:
        arguments = [cast(arguments[0], _REGCLASS), *arguments[1:]]
    if name == "quote_literal" and len(arguments) == 1:
        return Node("call", name, arguments)
    return Node("call", _SYNONYMS.get(name, name), arguments)


def cast(node: Node, kind: SQLType) -> Node:
    """Make ``node::kind``; a constant becomes one of that type, as it does in what the server stores."""
    kind = canonical_type(kind)
    typed = _typed(node, kind)
    return typed if typed is not None else Node("cast", "", [node], kind)


def annotate(node: Node, kind: SQLType) -> Node:
    """Make ``node:::kind``, which only says what the type is anyway."""
    kind = canonical_type(kind)
    if node.kind in CONSTANTS and node.type is not None and family_of(node.type) != family_of(kind):
        return node
    typed = _typed(node, kind)
    return typed if typed is not None else node


def _typed(node: Node, kind: SQLType) -> Node | None:
    """Give a constant, or an array of constants, the type; ``None`` when it is none or of another family."""
    if node.kind == "null":
        return node
    if kind.dimensions:
        if node.kind == "string":
            elements = array_elements(node.value)
            if elements is None:
                return None
            node = Node("array", "", elements)
        if node.kind != "array":
            return None
        element = SQLType(kind.name, kind.args, kind.fields, kind.dimensions - 1, kind.collation)
        typed = [_typed(child, element) for child in node.children]
        children = [child for child in typed if child is not None]
        return Node("array", "", children) if len(children) == len(typed) else None
    if node.kind not in CONSTANTS:
        return None
    family = family_of(node.type) or NATURAL_FAMILY.get(node.kind)
    if family is None or family == family_of(kind) or (node.kind == "string" and family == "string"):
        return Node(node.kind, node.value, type=kind)
    return None


_ARRAY_ELEMENT: Final = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^",{}\s\\]+(?:[ \t]+[^",{}\s\\]+)*))\s*([,}])')


def array_elements(text: str) -> list[Node] | None:
    """Read the text of an array, ``{a,"b c",NULL}``; ``None`` when it is none, or has arrays inside."""
    text = text.strip()
    if re.fullmatch(r"\{\s*\}", text):
        return []
    if not text.startswith("{"):
        return None
    elements: list[Node] = []
    at = 1
    while at < len(text):
        match = _ARRAY_ELEMENT.match(text, at)
        if match is None:
            return None
        quoted, bare, behind = match.groups()
        if bare is not None and bare.upper() == "NULL":
            elements.append(Node("null"))
        else:
            elements.append(Node("string", re.sub(r"\\(.)", r"\1", quoted) if bare is None else bare))
        at = match.end()
        if behind == "}":
            return elements if at == len(text) else None
    return None


def same(left: Node, right: Node) -> bool:
    """Tell whether two expressions mean the same, as far as their form tells."""
    pairs = [(left, right)]
    while pairs:
        one, other = pairs.pop()
        if one.kind in CONSTANTS and other.kind in CONSTANTS:
            if not _same_constant(one, other):
                return False
            continue
        one, other = _as_array(one, other), _as_array(other, one)
        if (one.kind, len(one.children)) != (other.kind, len(other.children)):
            return False
        if one.value != other.value or not same_type(one.type, other.type):
            return False
        pairs.extend(zip(one.children, other.children, strict=True))
    return True


def _as_array(node: Node, other: Node) -> Node:
    if node.kind == "string" and other.kind == "array":
        elements = array_elements(node.value)
        if elements is not None:
            return Node("array", "", elements)
    return node


def _same_constant(one: Node, other: Node) -> bool:
    """Compare two constants; one without a type takes that of the other."""
    families = [family_of(node.type) or NATURAL_FAMILY.get(node.kind) for node in (one, other)]
    family = families[0] or families[1]
    if None not in families and families[0] != families[1]:
        return False
    if family is None:
        return one.value == other.value
    # The digits that a type keeps count for both, as the server rounds what it stores.
    types = (one.type or other.type, other.type or one.type)
    values = [constant_value(node, family, kind) for node, kind in zip((one, other), types, strict=True)]
    if family == "object" and all(isinstance(value, tuple) for value in values):
        shorter, longer = sorted(values, key=len)
        return bool(longer[: len(shorter)] == shorter)
    return bool(values[0] == values[1])


def constant_value(node: Node, family: str, kind: SQLType | None) -> Any:
    """Give what a constant means in a family of types."""
    text = f"\\x{node.value}" if node.kind == "bytes" else node.value
    return value_of(text, family, kind)


def same_type(one: SQLType | None, other: SQLType | None) -> bool:
    """Compare two types; a user-defined one may leave out its schema or database."""
    if one is None or other is None or isinstance(one.name, str) or isinstance(other.name, str):
        return one == other
    shorter, longer = sorted((one.name.parts[::-1], other.name.parts[::-1]), key=len)
    return longer[: len(shorter)] == shorter and (one.dimensions, one.args) == (other.dimensions, other.args)

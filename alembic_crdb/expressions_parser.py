"""The parser of SQL expressions, with CockroachDB's operators and their precedence.

Each rule is a generator that yields the rules inside it; :func:`run` keeps them on a list, so that an expression
may be nested as deep as its text is long.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from alembic_crdb.expressions_keywords import LIKE, KeywordCursor, Rule
from alembic_crdb.expressions_nodes import Node, annotate, call, cast, minus, negation, operator
from alembic_crdb.lexer import is_word

_OR, _AND, _NOT, _IS, _COMPARISON, _LIKE, _ESCAPE, _CONTAINS = 1, 2, 3, 4, 5, LIKE, 7, 8
_OTHER, _BIT_OR, _BIT_XOR, _BIT_AND, _SHIFT, _SUM, _PRODUCT, _POWER, _AT, _COLLATE = range(10, 20)
_MINUS: Final = 20

_OPERATORS: Final[Mapping[str, tuple[int, str]]] = {
    symbol: (precedence, symbol)
    for precedence, symbols in (
        (_COMPARISON, "< > = <= >= !="),
        (_LIKE, "~ !~ ~* !~*"),
        (_CONTAINS, "@> <@ ? ?| ?&"),
        (_OTHER, "|| -> ->> #> #>> #- @@ <-> <#> <=>"),
        (_BIT_OR, "|"),
        (_BIT_XOR, "#"),
        (_BIT_AND, "&"),
        (_SHIFT, "<< >> <<= >>= &&"),
        (_SUM, "+ -"),
        (_PRODUCT, "* / // %"),
        (_POWER, "^"),
    )
    for symbol in symbols.split()
} | {
    "<>": (_COMPARISON, "!="),
    "OR": (_OR, "OR"),
    "AND": (_AND, "AND"),
    "LIKE": (_LIKE, "LIKE"),
    "ILIKE": (_LIKE, "ILIKE"),
    "~~": (_LIKE, "LIKE"),
    "~~*": (_LIKE, "ILIKE"),
}
#: Operators that the server stores as calls.
_STORED_AS_CALLS: Final[Mapping[str, str]] = {
    "#-": "json_remove_path",
    "<<=": "inet_contained_by_or_equals",
    ">>=": "inet_contains_or_equals",
}
_NOT_LIKE: Final[Mapping[str, str]] = {"!~~": "LIKE", "!~~*": "ILIKE"}
_PREFIXES: Final = frozenset({"-", "+", "~", "|/", "||/", "@"})


def run(rule: Rule) -> Node:
    """Run a rule, and the rules that it yields, to its result."""
    stack = [rule]
    value: Any = None
    while stack:
        try:
            stack.append(stack[-1].send(value))
            value = None
        except StopIteration as end:
            stack.pop()
            value = end.value
    result: Node = value
    return result


class ExpressionCursor(KeywordCursor):
    """A cursor that reads an expression into a tree."""

    def whole(self) -> Node:
        """Read the text as one expression.

        :raises UnreadableDDL: when it is none that can stand in a schema.
        """
        node = run(self.tree(0))
        if self.texts[self.at]:
            raise self.fail("an operator or the end of the expression")
        return node

    def tree(self, lowest: int) -> Rule:
        """Give the rule for an expression whose operators bind at least as strongly as ``lowest``."""
        left = yield self._operand()
        while True:
            token = self.uppers[self.at]
            if token in {"::", ":::"}:
                self.at += 1
                left = (cast if token == "::" else annotate)(left, self.type_name())
            elif token == "[":
                self.at += 1
                subscript = yield self.tree(0)
                self.need("]")
                left = operator("[]", left, subscript)
            elif token in _OPERATORS:
                precedence, name = _OPERATORS[token]
                if precedence < lowest:
                    return left
                self.at += 1
                left = yield self._binary(left, name, precedence)
            else:
                rule = self._special(left, token, lowest)
                if rule is None:
                    return left
                left = yield rule

    def _special(self, left: Node, token: str, lowest: int) -> Rule | None:
        negated = token == "NOT" and self.uppers[self.at + 1] in {"LIKE", "ILIKE", "IN", "BETWEEN", "SIMILAR"}
        if (negated or token in {"IN", "BETWEEN", "SIMILAR"} or token in _NOT_LIKE) and lowest <= _LIKE:
            return self._like(left, negated)
        if token in {"IS", "ISNULL", "NOTNULL"} and lowest <= _IS:
            return self._is(left)
        if token == "COLLATE" and lowest <= _COLLATE:
            return self._collate(left)
        if token == "AT" and lowest <= _AT:
            return self._at_time_zone(left)
        return None

    def _binary(self, left: Node, name: str, precedence: int) -> Rule:
        quantifier = self.uppers[self.at]
        if quantifier in {"ANY", "SOME", "ALL"}:
            self.at += 1
            right = yield self.tree(_OTHER + 1)
            return operator(f"{name} {'ALL' if quantifier == 'ALL' else 'ANY'}", left, right)
        right = yield self.tree(precedence + 1)
        if name in {"LIKE", "ILIKE"}:
            return (yield self._escape(left, right, name, False))
        if name in _STORED_AS_CALLS:
            return call(_STORED_AS_CALLS[name], [left, right])
        return operator(name, left, right)

    def _like(self, left: Node, negated: bool) -> Rule:
        token = self.uppers[self.at + negated]
        self.at += 1 + negated
        node: Node
        if token in _NOT_LIKE or token in {"LIKE", "ILIKE"}:
            right = yield self.tree(_LIKE + 1)
            return (yield self._escape(left, right, _NOT_LIKE.get(token, token), True))
        if token == "SIMILAR":
            self.need("TO")
            right = yield self.tree(_LIKE + 1)
            return (yield self._escape(left, right, "SIMILAR TO", negated))
        if token == "IN":
            node = operator("IN", left, (yield self._members()))
        else:
            symmetric = self.word("SYMMETRIC")
            self.word("ASYMMETRIC")
            low = yield self.tree(_LIKE + 1)
            self.need("AND")
            high = yield self.tree(_LIKE + 1)
            node = operator("BETWEEN SYMMETRIC" if symmetric else "BETWEEN", left, low, high)
        return negation(node) if negated else node

    def _escape(self, left: Node, right: Node, name: str, negated: bool) -> Rule:
        if self.word("ESCAPE"):
            escape = yield self.tree(_ESCAPE + 1)
            function = f"{'not_' if negated else ''}{name.lower().replace(' ', '_')}_escape"
            return call(function, [left, right, escape])
        node = operator(name, left, right)
        return negation(node) if negated else node

    def _members(self) -> Rule:
        if self.texts[self.at] != "(":
            return (yield self.tree(_OTHER + 1))
        self.at += 1
        members, _ = yield self.listed(")")
        return Node("tuple", "", members)

    def _is(self, left: Node) -> Rule:
        token = self.uppers[self.at]
        self.at += 1
        negated = token == "NOTNULL" or (token == "IS" and self.word("NOT"))
        node: Node
        if token != "IS" or self.word("NULL") or self.word("UNKNOWN"):
            node = operator("IS", left, Node("null"))
        elif self.word("NAN"):
            equal = operator("!=" if negated else "=", left, Node("string", "NaN"))
            return equal
        elif self.word("DISTINCT", "FROM"):
            right = yield self.tree(_COMPARISON)
            node, negated = operator("IS", left, right), not negated
        elif self.uppers[self.at] in {"TRUE", "FALSE"}:
            node = operator("IS", left, Node("bool", self.uppers[self.at].lower()))
            self.at += 1
        elif self.word("OF"):
            self.need("(")
            types = [self.type(any_case=True)]
            while self.accept(","):
                types.append(self.type(any_case=True))
            self.need(")")
            node = operator("IS OF", left, *(Node("cast", type=kind) for kind in types))
        else:
            raise self.fail("NULL, TRUE, FALSE, UNKNOWN, NAN, DISTINCT FROM or OF")
        return negation(node) if negated else node

    def _collate(self, left: Node) -> Rule:
        self.at += 1
        token = self.texts[self.at]
        if not is_word(token) and token[:1] != '"':
            raise self.fail("a collation")
        self.at += 1
        locale = token[1:-1] if token[0] == '"' else token
        yield from ()
        return operator(f"COLLATE {locale.replace('-', '_').lower()}", left)

    def _at_time_zone(self, left: Node) -> Rule:
        self.need("AT")
        self.need("TIME")
        self.need("ZONE")
        zone = yield self.tree(_AT + 1)
        return call("timezone", [zone, left])

    def _operand(self) -> Rule:
        """Read a prefix operator with its operand, or a primary expression."""
        token = self.uppers[self.at]
        if token == "NOT":
            self.at += 1
            inner = yield self.tree(_NOT + 1)
            return negation(inner)
        if token in _PREFIXES:
            self.at += 1
            inner = yield self.tree(_MINUS)
            if token == "+":
                return inner
            return minus(inner) if token == "-" else operator(token, inner)
        return (yield self.primary())

"""The parts of an expression that begin with a keyword of their own, or that are written like calls but are none."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from typing import Any, Final, TypeAlias

from alembic_crdb.catalog import ObjectName, SQLType
from alembic_crdb.expressions_nodes import Node, annotate, call, cast, operator
from alembic_crdb.lexer import is_word, read_escapes, read_name, read_string
from alembic_crdb.parser_types import BUILTIN_TYPES, INTERVAL_FIELDS, TypeCursor

#: A rule yields the rules inside it and is sent their results.
Rule: TypeAlias = Generator[Any, Any, Any]

#: The precedence of LIKE and IN, above which the operands of POSITION stand.
LIKE: Final = 6

_WITHOUT_PARENTHESES: Final = frozenset(
    {"CURRENT_DATE", "CURRENT_TIMESTAMP", "CURRENT_TIME", "LOCALTIMESTAMP", "LOCALTIME", "CURRENT_USER"}
    | {"CURRENT_ROLE", "SESSION_USER", "USER", "CURRENT_SCHEMA", "CURRENT_CATALOG"}
)
#: Words that cannot begin an operand, or that begin what no expression in a schema has.
_NO_OPERANDS: Final = frozenset(
    {"AND", "OR", "IS", "IN", "LIKE", "ILIKE", "SIMILAR", "BETWEEN", "WHEN", "THEN", "ELSE", "END", "AS", "FROM"}
    | {"FOR", "SELECT", "EXISTS", "WITH", "VALUES", "UNION", "DISTINCT", "VARIADIC", "ANY", "SOME", "ALL"}
)
#: Words that may stand behind the name of a type.
_BEHIND_TYPES: Final = _NO_OPERANDS | {"AT", "COLLATE", "ISNULL", "NOTNULL", "NOT", "ESCAPE", "PLACING", "ASC", "DESC"}


class KeywordCursor(TypeCursor, ABC):
    """A cursor that reads what is no operator, of an expression."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.uppers = [token.upper() for token in self.texts]

    @abstractmethod
    def tree(self, lowest: int) -> Rule:
        """Give the rule for an expression whose operators bind at least as strongly as ``lowest``."""

    def word(self, *words: str) -> bool:
        """Step over these keywords, in any case, if they stand here."""
        if self.uppers[self.at : self.at + len(words)] == list(words):
            self.at += len(words)
            return True
        return False

    def need(self, word: str) -> None:
        """Step over this keyword, in any case; refuse anything else."""
        if not self.word(word):
            raise self.fail(word)

    def primary(self) -> Rule:
        """Read a constant, a column, a call or an expression in parentheses."""
        text, token = self.texts[self.at], self.uppers[self.at]
        if token == "(":
            return (yield self._parenthesized())
        if token[:1].isdigit() or (token[:1] == "." and token[1:2].isdigit()):
            self.at += 1
            return Node("number", text)
        if _is_constant(text):
            return self._constant()
        if text[:1] != '"':
            if not is_word(text) or token in _NO_OPERANDS:
                raise self.fail("an expression")
            if token in {"NULL", "TRUE", "FALSE"}:
                self.at += 1
                return Node("null") if token == "NULL" else Node("bool", token.lower())
            rule = self._keyword(token)
            if rule is not None:
                return (yield rule())
        return (yield self._path())

    def _constant(self) -> Node:
        text = self.texts[self.at]
        try:
            if text[0] == "B":
                node = Node("bit", text[2:-1])
            elif text[0] == "b":
                node = Node("bytes", read_escapes(text[2:-1]).hex())
            elif text[0] in "xX":
                node = Node("bytes", bytes.fromhex(text[2:-1]).hex())
            else:
                node = Node("string", read_string(text))
        except ValueError as error:
            raise self.fail(f"a constant ({error})") from None
        self.at += 1
        return node

    def _keyword(self, token: str) -> Callable[[], Rule] | None:
        behind = self.texts[self.at + 1]
        if token == "CASE":
            return self._case
        if token == "ARRAY" and behind == "[":
            return self._array
        if token in _WITHOUT_PARENTHESES and behind != "(":
            return self._bare_call
        if token in BUILTIN_TYPES and self._typed_constant_ahead():
            return self._typed_constant
        if behind != "(":
            return None
        return {
            "CAST": self._cast,
            "ANNOTATE_TYPE": self._annotation,
            "ROW": self._row,
            "EXTRACT": self._extract,
            "EXTRACT_DURATION": self._extract,
            "SUBSTRING": self._substring,
            "POSITION": self._position,
            "OVERLAY": self._overlay,
            "TRIM": self._trim,
        }.get(token)

    def listed(self, closing: str) -> Rule:
        """Read expressions with commas between them, to behind ``closing``.

        :returns: them, and whether the last had a comma too.
        """
        nodes: list[Node] = []
        while not self.accept(closing):
            nodes.append((yield self.tree(0)))
            if self.accept(closing):
                return nodes, False
            if not self.accept(","):
                raise self.fail(f"a comma or {closing}")
        return nodes, bool(nodes)

    def _parenthesized(self) -> Rule:
        self.at += 1
        nodes, comma = yield self.listed(")")
        node = nodes[0] if len(nodes) == 1 and not comma else Node("tuple", "", nodes)
        while self.accept("."):
            field = "*" if self.accept("*") else self.name()
            node = operator(f".{field}", node)
        return node

    def _path(self) -> Rule:
        parts = [self._part()]
        while self.accept("."):
            if self.accept("*"):
                return Node("column", "*")
            parts.append(self._part())
        if self.accept("("):
            if self.accept("*"):
                self.need(")")
                return call(parts[-1], [Node("column", "*")])
            arguments, _ = yield self.listed(")")
            return call(parts[-1], arguments)
        if _is_constant(self.texts[self.at]) and len(parts) <= 3:
            return cast(self._constant(), SQLType(ObjectName(*reversed(parts))))
        return Node("column", parts[-1])

    def _part(self) -> str:
        token = self.texts[self.at]
        if token[:1] != '"' and not is_word(token):
            raise self.fail("a name")
        self.at += 1
        return read_name(token)

    def type_name(self) -> SQLType:
        """Read the type of a cast or an annotation."""
        kind = self.type(any_case=True, collated=False)
        if not isinstance(kind.name, str) and not kind.dimensions:
            first = self.at - 1
            # v21.1 prints the names of types without quotes, whatever is in them.
            while is_word(self.texts[self.at]) and self.uppers[self.at] not in _BEHIND_TYPES:
                self.at += 1
            if self.at > first + 1:
                dimensions = 0
                name = self.slice(first, self.at)
                while self.accept("[", "]"):
                    dimensions += 1
                kind = SQLType(ObjectName(name, kind.name.schema, kind.name.database), dimensions=dimensions)
        return kind

    def _typed_constant_ahead(self) -> bool:
        """Tell ``DATE '2020-01-02'`` from a column or a function of that name."""
        at = self.at + 1
        while self.uppers[at] in {"PRECISION", "VARYING", "TO"} or self.uppers[at] in INTERVAL_FIELDS:
            at += 1
        if self.texts[at] == "(" and self.texts[at + 1].isdigit():
            at += 2
            if self.texts[at] == "," and self.texts[at + 1].isdigit():
                at += 2
            if self.texts[at] != ")":
                return False
            at += 1
        if self.uppers[at] in {"WITH", "WITHOUT"} and self.uppers[at + 1 : at + 3] == ["TIME", "ZONE"]:
            at += 3
        return _is_constant(self.texts[at])

    def _typed_constant(self) -> Rule:
        kind = self.type(any_case=True, collated=False)
        node = self._constant()
        if kind.name == "INTERVAL" and self.uppers[self.at] in INTERVAL_FIELDS:
            # INTERVAL '1' DAY: without a unit of its own, the number counts the last of these.
            unit = self._interval_fields(True).split()[-1]
            if node.value.strip().lstrip("+-").replace(".", "", 1).isdigit():
                node.value += f" {unit.lower()}"
        yield from ()
        return cast(node, kind)

    def _bare_call(self) -> Rule:
        self.at += 1
        yield from ()
        return call(self.texts[self.at - 1].lower(), [])

    def _case(self) -> Rule:
        self.at += 1
        nodes: list[Node] = []
        shape = "CASE"
        if self.uppers[self.at] != "WHEN":
            nodes.append((yield self.tree(0)))
            shape = "CASE of"
        while self.word("WHEN"):
            nodes.append((yield self.tree(0)))
            self.need("THEN")
            nodes.append((yield self.tree(0)))
        if self.word("ELSE"):
            nodes.append((yield self.tree(0)))
            shape += " ELSE"
        self.need("END")
        if len(nodes) < 2:
            raise self.fail("WHEN in CASE")
        return operator(shape, *nodes)

    def _array(self) -> Rule:
        self.at += 2
        nodes, _ = yield self.listed("]")
        return Node("array", "", nodes)

    def _row(self) -> Rule:
        self.at += 2
        nodes, _ = yield self.listed(")")
        return Node("tuple", "", nodes)

    def _cast(self) -> Rule:
        self.at += 2
        node = yield self.tree(0)
        self.need("AS")
        kind = self.type_name()
        self.need(")")
        return cast(node, kind)

    def _annotation(self) -> Rule:
        self.at += 2
        node = yield self.tree(0)
        self.need(",")
        kind = self.type_name()
        self.need(")")
        return annotate(node, kind)

    def _extract(self) -> Rule:
        function = self.texts[self.at].lower()
        self.at += 2
        field = self.texts[self.at]
        if self.uppers[self.at + 1] != "FROM":
            arguments, _ = yield self.listed(")")
            return call(function, arguments)
        part = self._constant() if _is_constant(field) else Node("string", self._part())
        self.need("FROM")
        source = yield self.tree(0)
        self.need(")")
        return call(function, [part, source])

    def _substring(self) -> Rule:
        self.at += 2
        arguments = [(yield self.tree(0))]
        start = length = None
        while (begins := self.uppers[self.at]) in {"FROM", "FOR"}:
            self.at += 1
            if begins == "FROM":
                start = yield self.tree(0)
            else:
                length = yield self.tree(0)
        if start is None and length is None:
            return (yield self._rest_of_call("substring", arguments))
        self.need(")")
        return call("substring", [*arguments, start or Node("number", "1"), *([length] if length else [])])

    def _rest_of_call(self, function: str, arguments: list[Node]) -> Rule:
        if self.accept(","):
            others, _ = yield self.listed(")")
            return call(function, [*arguments, *others])
        self.need(")")
        return call(function, arguments)

    def _position(self) -> Rule:
        self.at += 2
        part = yield self.tree(LIKE + 1)
        if not self.word("IN"):
            return (yield self._rest_of_call("position", [part]))
        whole = yield self.tree(0)
        self.need(")")
        return call("strpos", [whole, part])

    def _overlay(self) -> Rule:
        self.at += 2
        arguments = [(yield self.tree(0))]
        if not self.word("PLACING"):
            return (yield self._rest_of_call("overlay", arguments))
        arguments.append((yield self.tree(0)))
        for word in ("FROM", "FOR"):
            if self.word(word):
                arguments.append((yield self.tree(0)))
        self.need(")")
        return call("overlay", arguments)

    def _trim(self) -> Rule:
        self.at += 2
        function = "btrim"
        for word, name in (("BOTH", "btrim"), ("LEADING", "ltrim"), ("TRAILING", "rtrim")):
            if self.word(word):
                function = name
        arguments: list[Node] = []
        if not self.word("FROM"):
            arguments.append((yield self.tree(0)))
            if not self.word("FROM"):
                return (yield self._rest_of_call(function, arguments))
        trimmed = yield self.tree(0)
        return (yield self._rest_of_call(function, [trimmed, *arguments]))


def _is_constant(token: str) -> bool:
    return "'" in token[:2] or (token[:1] == "$" and token[-1:] == "$" and len(token) > 1)

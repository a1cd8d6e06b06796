"""What every parser here is made of: a place in the tokens, and the reading of names and expressions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from alembic_cluster.errors import UnreadableDDL
from alembic_crdb.catalog import ObjectName
from alembic_crdb.lexer import (
    QUOTED_WORDS,
    is_word,
    quote_free_name,
    quote_name,
    quote_string,
    read_name,
    read_string,
    refusal,
    tokenize,
)

_OPENING: Final[Mapping[str, str]] = {"(": ")", "[": "]"}
_CLOSING: Final = frozenset({")", "]"})
_WHOLE_NUMBER: Final = re.compile(r"[0-9]{1,20}")
_NO_STOPS: Final[Mapping[str, list[str]]] = {}

#: Keywords that begin another property of a column or constraint, never a part of an expression.
FOREIGN_TO_EXPRESSIONS: Final = frozenset(
    {"CHECK", "CONSTRAINT", "DEFAULT", "FAMILY", "GENERATED", "PRIMARY", "REFERENCES", "STORED", "UNIQUE"} | {"VIRTUAL"}
)


class Cursor:
    """A place in the tokens of a text, and the reading of what stands there.

    :param text: one or more statements.
    :raises UnreadableDDL: when the text cannot be cut into tokens.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokenize(text)
        self.texts, self.starts = self.tokens
        # Looking one token ahead needs no question whether there is one.
        self.texts.append("")
        self.starts.append(len(text))
        self.at = 0
        self.spellings: dict[str, str] = {}
        self.flags: set[str] = set()
        self.spaced = False
        self._known: dict[str, str] = {}

    def fail(self, expected: str, at: int | None = None) -> UnreadableDDL:
        """Make the error that refuses the token here, or the one at ``at``, and says what would be right."""
        index = self.at if at is None else at
        found = self.texts[index]
        what = f"found {found[:40]!r}" if found else "the text ends"
        return refusal(self.text, self.tokens, index, f"expected {expected}, {what}")

    def accept(self, *words: str) -> bool:
        """Step over these keywords if they stand here."""
        at = self.at
        if self.texts[at] != words[0] or self.texts[at : at + len(words)] != list(words):
            return False
        self.at = at + len(words)
        return True

    def expect(self, *words: str) -> None:
        """Step over these keywords; refuse anything else."""
        for word in words:
            if self.texts[self.at] != word:
                raise self.fail(word)
            self.at += 1

    def one_of(self, *words: str) -> str | None:
        """Step over one of these keywords, and give it; ``None`` when another token stands here."""
        token = self.texts[self.at]
        if token in words:
            self.at += 1
            return token
        return None

    def end_of(self, index: int) -> int:
        """Give the place in the text behind a token."""
        return self.starts[index] + len(self.texts[index])

    def slice(self, first: int, behind: int) -> str:
        """Give the text from one token to before another."""
        return self.text[self.starts[first] : self.end_of(behind - 1)]

    def gap(self, index: int) -> str:
        """Give what stands between a token and the one before it."""
        return self.text[self.end_of(index - 1) if index else 0 : self.starts[index]]

    def line_indent(self, index: int) -> str | None:
        """Give what a token is indented with; ``None`` when it does not begin a line."""
        gap = self.gap(index)
        return gap[gap.rindex("\n") + 1 :] if "\n" in gap else None

    def name(self) -> str:
        """Read a name."""
        token = self.texts[self.at]
        name = self._known.get(token)
        if name is None:
            name = self._read_name(token)
            if quote_name(name) == token:
                self._known[token] = name
            else:
                self.spellings[name] = token
        self.at += 1
        return name

    def _read_name(self, token: str) -> str:
        if token[:1] == '"':
            if token == '""':
                raise self.fail("a name that is not empty")
            return read_name(token)
        if not is_word(token) or (token.isupper() and token.lower() in QUOTED_WORDS):
            raise self.fail("a name")
        return read_name(token)

    def free_name(self) -> str:
        """Read a name that stands where no keyword can, such as an index behind ``@``; there, none is quoted."""
        token = self.texts[self.at]
        if token[:1] != '"' and not is_word(token):
            raise self.fail("a name")
        name = read_name(token)
        if not name:
            raise self.fail("a name that is not empty")
        if quote_free_name(name) != token:
            self.spellings[f"free:{name}"] = token
        self.at += 1
        return name

    def raw_name(self, *ends: str) -> str:
        """Read a name that old servers print without its quotes, whatever is in it.

        :param ends: the tokens of which one must follow.
        """
        first = self.at
        token = self.texts[first]
        if token[:1] == '"' and self.texts[first + 1] in ends:
            return self.name()
        while (here := self.texts[self.at]) not in ends:
            if here in {"", ";", "(", ")", ","}:
                raise self.fail(" or ".join(ends))
            self.at += 1
        if self.at == first:
            raise self.fail("a name")
        name = self.slice(first, self.at)
        if quote_name(name) != name:
            self.spellings[f"raw:{name}"] = name
        return name

    def raw_names(self) -> tuple[str, ...]:
        """Read a list, in parentheses, of names that old servers print without their quotes."""
        self.expect("(")
        names = [self.raw_name(",", ")")]
        while self.accept(","):
            names.append(self.raw_name(",", ")"))
        self.expect(")")
        return tuple(names)

    def names(self, may_be_empty: bool = False) -> tuple[str, ...]:
        """Read a list of names in parentheses."""
        self.expect("(")
        if may_be_empty and self.accept(")"):
            return ()
        out = [self.name()]
        while self.texts[self.at] == ",":
            self.at += 1
            out.append(self.name())
        self.expect(")")
        return tuple(out)

    def listed_names(self) -> tuple[str, ...]:
        """Read names with commas between them."""
        out = [self.name()]
        while self.accept(","):
            out.append(self.name())
        return tuple(out)

    def object_name(self) -> ObjectName:
        """Read the name of an object: up to a database, a schema and a name."""
        first = self.name()
        if self.texts[self.at] != ".":
            return ObjectName(first)
        self.at += 1
        second = self.name()
        if self.texts[self.at] != ".":
            return ObjectName(second, first)
        self.at += 1
        return ObjectName(self.name(), second, first)

    def string(self) -> str:
        """Read a string literal."""
        token = self.texts[self.at]
        if token[:1] != "'" and token[:2] not in {"e'", "E'"} and (token[:1] != "$" or token[-1:] != "$"):
            raise self.fail("a string")
        try:
            value = read_string(token)
        except ValueError as error:
            raise self.fail(f"a string ({error})") from None
        ours = quote_string(value)
        if ours != token:
            self.spellings[ours] = token
        self.at += 1
        return value

    def integer(self) -> int:
        """Read a whole number, with a minus sign or without."""
        minus = self.accept("-")
        token = self.texts[self.at]
        if _WHOLE_NUMBER.fullmatch(token) is None:
            raise self.fail("a whole number")
        self.at += 1
        return -int(token) if minus else int(token)

    def expression(self, stops: Mapping[str, list[str]] = _NO_STOPS) -> str:
        """Read an expression, as the text that it is, up to a comma or a closing bracket that is not its own.

        :param stops: keywords that end it too, outside of brackets, with the keywords behind them.
        """
        texts = self.texts
        first = at = self.at
        open_brackets: list[str] = []
        while True:
            token = texts[at]
            if token in _OPENING:
                open_brackets.append(_OPENING[token])
            elif token in _CLOSING:
                if not open_brackets:
                    break
                if open_brackets.pop() != token:
                    raise self.fail("the bracket that closes the last open one", at)
            elif token in {"", ";"}:
                if open_brackets:
                    raise self.fail(open_brackets[-1], at)
                break
            elif not open_brackets:
                if token == "," or (token in stops and self._stops(stops[token], first, at)):
                    break
                if token in FOREIGN_TO_EXPRESSIONS or self._is_property(first, at):
                    raise self.fail("a comma or a closing parenthesis", at)
            at += 1
        if at == first:
            raise self.fail("an expression")
        self.at = at
        return self.slice(first, at)

    def _stops(self, behind: list[str], first: int, at: int) -> bool:
        if at > first and self.texts[at - 1] == "IS":
            return False
        return self.texts[at + 1 : at + 1 + len(behind)] == behind

    def _is_property(self, first: int, at: int) -> bool:
        """Tell a column's property in a place where no server prints it from a part of an expression.

        ``DEFAULT 1 NOT NULL`` has one, ``a IS NOT NULL`` and ``a = NULL`` have none.
        """
        token = self.texts[at]
        if token not in {"NULL", "VISIBLE"} or at == first:
            return False
        before = self.texts[at - 1]
        if before == "NOT":
            return at - 1 > first and self.texts[at - 2] != "IS"
        if token == "VISIBLE":
            return False
        if at - 1 > first and self.texts[at - 2] in {"::", ":::"}:
            return True
        return before[0] in "\"')]" or before[0].isdigit() or (is_word(before) and not before.isupper())

    def bracketed_expression(self) -> str:
        """Read an expression in parentheses, without them."""
        self.expect("(")
        text = self.expression_list()
        self.expect(")")
        return text

    def expression_list(self) -> str:
        """Read expressions with commas between them, as one text."""
        first = self.at
        self.expression()
        while self.accept(","):
            self.expression()
        return self.slice(first, self.at)

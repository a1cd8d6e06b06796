"""A place in the words of a statement, and the reading of what stands there; of SQL and CQL alike."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

_OPENING = {"(": ")", "[": "]", "{": "}"}
_CLOSING = frozenset(_OPENING.values())
_QUOTES = ('"', "'", "$")
_PATH_PART = re.compile(r"\"([^\"]*\.[^\"]*)\"(?=\.|$)|([^.]+)")


class Words:
    """The tokens of one statement, or of a part of one.

    :param tokens: without white space and comments; the end of the text is no token.
    :param name_reader: gives the name that a token stands for: unquoted, folded to the language's case.
    """

    def __init__(self, tokens: Sequence[str], name_reader: Callable[[str], str]) -> None:
        self.tokens = list(tokens)
        self.at = 0
        self.name_reader = name_reader

    def peek(self, ahead: int = 0) -> str:
        """Give a token in upper case; one with quotes is no keyword and stays as it is; empty at the end."""
        if self.at + ahead >= len(self.tokens):
            return ""
        token = self.tokens[self.at + ahead]
        return token if token.startswith(_QUOTES) else token.upper()

    def take(self) -> str:
        """Step over a token and give it as it was written; empty at the end."""
        if self.at >= len(self.tokens):
            return ""
        self.at += 1
        return self.tokens[self.at - 1]

    def accept(self, *words: str) -> bool:
        """Step over these keywords if they stand here."""
        if any(self.peek(ahead) != word for ahead, word in enumerate(words)):
            return False
        self.at += len(words)
        return True

    def one_of(self, *words: str) -> str:
        """Step over one of these keywords, and give it; empty when another token stands here."""
        found = self.peek()
        if found not in words:
            return ""
        self.at += 1
        return found

    def done(self) -> bool:
        """Tell whether the end is reached."""
        return self.at >= len(self.tokens)

    def name(self) -> str:
        """Read one name."""
        token = self.take()
        return self.name_reader(token) if token else ""

    def path(self) -> str:
        """Read a name with what it lies in, such as ``shop.users``; a part with a dot in it keeps its quotes."""
        parts = [self.name()]
        while self.peek() == "." and self.peek(1):
            self.at += 1
            parts.append(self.name())
        return ".".join(f'"{part}"' if "." in part else part for part in parts)

    def paths(self) -> list[str]:
        """Read names with commas between."""
        found = [self.path()]
        while self.accept(","):
            found.append(self.path())
        return found

    def names(self) -> list[str]:
        """Read the names of a list such as ``a, b``."""
        found = [self.name()]
        while self.accept(","):
            found.append(self.name())
        return found

    def group(self) -> Words:
        """Step over a bracket and what belongs into it, and give that; empty words where no bracket opens here."""
        inside: list[str] = []
        if self.peek() in _OPENING:
            depth = 0
            while not self.done():
                token = self.take()
                depth += (token in _OPENING) - (token in _CLOSING)
                if depth == 0:
                    break
                inside.append(token)
            inside = inside[1:]
        return Words(inside, self.name_reader)

    def rest(self) -> Words:
        """Give what is left, as words of their own."""
        return Words(self.tokens[self.at :], self.name_reader)

    def parts(self, separator: str = ",", angles: bool = False) -> list[Words]:
        """Split what is left at a token, wherever no bracket is open; empty parts are left out.

        :param angles: whether ``<`` and ``>`` are brackets, as they are around types of CQL.
        """
        opening = {*_OPENING, "<"} if angles else {*_OPENING}
        closing = {*_CLOSING, ">"} if angles else _CLOSING
        found: list[list[str]] = [[]]
        depth = 0
        for token in self.tokens[self.at :]:
            depth += (token in opening) - (token in closing)
            if depth == 0 and token.upper() == separator:
                found.append([])
            else:
                found[-1].append(token)
        return [Words(part, self.name_reader) for part in found if part]

    def has(self, *words: str) -> bool:
        """Tell whether these keywords stand anywhere ahead, outside of brackets."""
        return self.find(*words) is not None

    def find(self, *words: str, anywhere: bool = False) -> int | None:
        """Tell where these keywords stand.

        :param anywhere: whether brackets are looked into as well.
        :return: an index of ``tokens``.
        """
        depth = 0
        for index in range(self.at, len(self.tokens)):
            token = self.tokens[index]
            depth += (token in _OPENING) - (token in _CLOSING)
            if depth and not anywhere:
                continue
            if all(self.peek(index - self.at + ahead) == word for ahead, word in enumerate(words)):
                return index
        return None

    def text(self) -> str:
        """Give what is left as one line, in the spelling that it was written in."""
        line = ""
        for token in self.tokens[self.at :]:
            tight = token in {",", ")", ".", "]", "(", "["} or line.endswith(("(", ".", "[")) or not line
            line += token if tight else f" {token}"
        return line


def split_path(path: str) -> list[str]:
    """Take what :meth:`Words.path` gives apart into its names."""
    return [quoted or plain for quoted, plain in _PATH_PART.findall(path)]

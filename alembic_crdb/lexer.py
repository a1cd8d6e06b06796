"""The words of CockroachDB's SQL: tokens with their positions, and how names and strings are written.

One compiled regular expression reads the text once, from left to right. A quote that nothing closes takes the
rest of the text as one token, so the time is linear in the length of any text, well-formed or not.

The rules (what may stand unquoted, which keywords are quoted, how a string is escaped) are those of
CockroachDB's scanner and of the printer behind ``SHOW CREATE``.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, NamedTuple

from alembic_cluster.errors import UnreadableDDL

#: White space and comments before a statement, those in blocks too; for expressions with ``re.DOTALL``.
LEADING_COMMENTS: Final = r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*"

_WORD: Final = r"[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*"

_TOKEN: Final = re.compile(
    # SHOW CREATE puts its semicolon behind its own warning, where the comment would swallow it.
    r"(?:[ \t\n\r\f]+|-- Warning: Partitioned table with no zone configurations\.|--[^\n]*)*"
    r"("
    rf"(?![eEbBxX]'){_WORD}"
    r"|[(),;\[\]]"
    r"|\"[^\"]*(?:\"\"[^\"]*)*(?:\"|\Z)"
    r"|(?:0[xX][0-9A-Fa-f]+|[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?)"
    r"|'[^']*(?:''[^']*)*(?:'|\Z)"
    r"|[eEb]'[^'\\]*(?:(?:\\.|'')[^'\\]*)*(?:'|\\?\Z)"
    r"|[BxX]'[^']*(?:'|\Z)"
    r"|\$(?P<tag>(?:[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)?)\$.*?(?:\$(?P=tag)\$|\Z)"
    r"|\$[0-9]+"
    r"|:::|::|->>|->|#>>|#>|#-|@>|<@|@@|\?\||\?&|\|\|/|\|\||\|/|<=>|<->|<#>|<<=|<<|<=|<>|>>=|>>|>="
    r"|!~~\*|!~~|!~\*|!~|!=|~~\*|~~|~\*|&&|//|/\*"
    r"|\Z|."
    r")",
    re.DOTALL,
)

_CLOSED: Final = re.compile(
    r"\"[^\"]*(?:\"\"[^\"]*)*\""
    r"|'[^']*(?:''[^']*)*'"
    r"|[eEb]'[^'\\]*(?:(?:\\.|'')[^'\\]*)*'"
    r"|[BxX]'[^']*'"
    r"|\$(?P<tag>\w*)\$.*\$(?P=tag)\$",
    re.DOTALL,
)

# A character that begins no token of CockroachDB, and the block comments that no server prints.
_STRAY: Final = frozenset({"\\", "`", "{", "}", "$", "/*", "'", '"', "\x7f"}) | {chr(c) for c in range(32)}
_MAY_BE_OPEN: Final = ('"', "'", "$", "e'", "E'", "b'", "B'", "x'", "X'")

#: Words that CockroachDB quotes where a name stands: its grammar's reserved, type or function name and column
#: name keywords, with the words that its lexer looks ahead at, of any version from v21.1 to v26.3.
QUOTED_WORDS: Final = frozenset(
    word
    for line in (
        "all analyse analyze and annotate_type any array as asc asymmetric authorization between bigint bit",
        "boolean both box2d case cast char character characteristics check coalesce collate collation column",
        "concurrently constraint create cross current_catalog current_date current_role current_schema",
        "current_time current_timestamp current_user dec decimal default deferrable desc distinct do else end",
        "except exists extract extract_duration false family fetch float for foreign from full generated",
        "geography geometry grant greatest group grouping having if iferror ifnull ilike in index initially inner",
        "inout int integer intersect interval into is iserror isnull join lateral leading least left like limit",
        "localtime localtimestamp natural none not nothing notnull null nullif numeric of offset on only or order",
        "ordinality out outer overlaps overlay placing point polygon position precision primary real references",
        "reset returning right role row select session_user set setof similar smallint some string substring",
        "symmetric table tenant then time timestamp timestamptz timetz to trailing treat trim true union unique",
        "user using values varbit varchar variadic vector virtual visible when where window with work",
    )
    for word in line.split()
)

_BARE: Final = re.compile(r"[a-z_\x80-\U0010ffff][a-z0-9_$\x80-\U0010ffff]*")
_WORD_ONLY: Final = re.compile(_WORD)
_PRINTABLE: Final = re.compile(r"[ !#-&(-\[\]-~\"]*")


class Tokens(NamedTuple):
    """A text cut into tokens; both lists end with the empty token that stands for the end of the text."""

    texts: list[str]
    starts: list[int]


def tokenize(text: str) -> Tokens:
    """Cut DDL text into tokens, without white space and ``--`` comments.

    :param text: one or more statements.
    :returns: the tokens' texts, as they were written, and where each begins.
    :raises UnreadableDDL: at a string, name or dollar-quoted body that is never closed, and at a character
        that begins no token.
    """
    texts: list[str] = []
    starts: list[int] = []
    for match in _TOKEN.finditer(text):
        texts.append(match[1])
        starts.append(match.start(1))
    if len(texts) > 1 and not texts[-2]:
        # White space at the end matches once with the end of the text and once more without.
        del texts[-1], starts[-1]
    tokens = Tokens(texts, starts)
    if not _STRAY.isdisjoint(texts):
        at = next(index for index, token in enumerate(texts) if token in _STRAY)
        raise refusal(text, tokens, at, "no token of CockroachDB's SQL begins like this")
    if len(texts) > 1 and texts[-2].startswith(_MAY_BE_OPEN) and not _well_closed(texts[-2]):
        raise refusal(text, tokens, len(texts) - 2, "a quote that nothing closes")
    return tokens


def _well_closed(token: str) -> bool:
    return _CLOSED.fullmatch(token) is not None or (token[:1] == "$" and token[1:].isdigit())


def refusal(text: str, tokens: Tokens, index: int, reason: str) -> UnreadableDDL:
    """Make the error for a token that cannot stand where it stands; it names that token's statement.

    :param text: the text that was cut into ``tokens``.
    :param index: of the token.
    :param reason: what was wrong with it.
    """
    texts, starts = tokens
    first = last = index
    while first > 0 and texts[first - 1] != ";":
        first -= 1
    while texts[last] not in {";", ""}:
        last += 1
    begin = min(starts[first], starts[index])
    statement = text[begin : starts[last]].rstrip()
    position = min(starts[index] - begin, len(statement))
    return UnreadableDDL(reason, statement, position, text.count("\n", 0, begin + position) + 1)


def is_word(token: str) -> bool:
    """Tell whether a token is an unquoted name or keyword."""
    return _WORD_ONLY.fullmatch(token) is not None


def is_bare(name: str) -> bool:
    """Tell whether a name reads back as itself without quotes, keywords aside."""
    if _BARE.fullmatch(name) is None:
        return False
    return name.isascii() or unicodedata.normalize("NFC", name.lower()) == name


def quote_name(name: str) -> str:
    """Write a name as ``SHOW CREATE`` does: quoted where it is a keyword or not plain lower case."""
    if name not in QUOTED_WORDS and is_bare(name):
        return name
    return '"' + name.replace('"', '""') + '"'


def quote_free_name(name: str) -> str:
    """Write a name that stands where no keyword can, such as an index after ``@``."""
    return name if is_bare(name) else '"' + name.replace('"', '""') + '"'


def read_name(token: str) -> str:
    """Give the name that a word or a quoted name stands for; unquoted words are folded to lower case."""
    if token[0] == '"':
        return token[1:-1].replace('""', '"')
    return token if token.islower() and token.isascii() else unicodedata.normalize("NFC", token.lower())


_ESCAPE: Final = re.compile(
    r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{2})|([0-7]{3})|([^uUx0-7]))|''|(\\)|[^\\']+",
    re.DOTALL,
)
_SIMPLE_ESCAPES: Final = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}


def read_string(token: str) -> str:
    """Give the text that a string literal stands for: ``'..'``, ``e'..'`` or ``$tag$..$tag$``.

    :raises ValueError: when the literal is not closed, has an unknown escape, or is not UTF-8.
    """
    if _CLOSED.fullmatch(token) is None:
        raise ValueError("the string is not closed")
    if token[0] == "'":
        return token[1:-1].replace("''", "'")
    if token[0] == "$":
        tag = token.index("$", 1) + 1
        return token[tag:-tag]
    if token[0] not in "eE":
        raise ValueError("not a string")
    return read_escapes(token[2:-1]).decode("utf-8")


def read_escapes(inside: str) -> bytes:
    """Give the bytes that the inside of ``e'..'`` or ``b'..'`` stands for.

    :raises ValueError: at an escape that CockroachDB does not know.
    """
    out = bytearray()
    for match in _ESCAPE.finditer(inside):
        four, eight, byte, octal, simple, stray = match.groups()
        if four or eight:
            out += chr(int(four or eight, 16)).encode("utf-8")
        elif byte:
            out.append(int(byte, 16))
        elif octal:
            out.append(int(octal, 8) & 0xFF)
        elif simple:
            code = _SIMPLE_ESCAPES.get(simple)
            out += simple.encode("utf-8") if code is None else bytes((code,))
        elif stray:
            raise ValueError(f"no such escape: {inside[match.start() : match.start() + 10]!r}")
        else:
            out += (match[0] if match[0] != "''" else "'").encode("utf-8")
    return bytes(out)


_ESCAPES: Final = {code: "\\" + name for name, code in _SIMPLE_ESCAPES.items()} | {39: "\\'", 92: "\\\\"}


def quote_string(value: str) -> str:
    """Write a string as ``SHOW CREATE`` does: ``'..'``, or ``e'..'`` where anything needs an escape."""
    if _PRINTABLE.fullmatch(value) is not None:
        return f"'{value}'"
    return "e'" + "".join(_escaped(character) for character in value) + "'"


def _escaped(character: str) -> str:
    code = ord(character)
    if code in _ESCAPES:
        return _ESCAPES[code]
    if 0x20 <= code < 0x7F:
        return character
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"

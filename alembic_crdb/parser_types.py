"""The parsing of types, of ``WITH`` parameters and of sequence options."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from alembic_crdb.catalog import NO_OPTIONS, ObjectName, Parameters, SequenceOptions, SQLType
from alembic_crdb.lexer import is_word, quote_name, quote_string, read_name
from alembic_crdb.parser_base import FOREIGN_TO_EXPRESSIONS, Cursor

_NUMBER: Final = re.compile(r"[0-9]+")
#: What can stand behind a part of the name of a type, in DDL.
_BEHIND_NAMES: Final = frozenset({"NULL", "NOT", "[", ".", ",", ")", ";", "(", "COLLATE", ""})

#: Type names of more than one word, and the one word that CockroachDB prints for each.
_LONG_TYPES: Final[Mapping[tuple[str, ...], str]] = {
    ("DOUBLE", "PRECISION"): "FLOAT8",
    ("CHARACTER", "VARYING"): "VARCHAR",
    ("CHAR", "VARYING"): "VARCHAR",
    ("NATIONAL", "CHARACTER"): "CHAR",
    ("NATIONAL", "CHAR"): "CHAR",
    ("BIT", "VARYING"): "VARBIT",
}
#: The words that say which part of time an ``INTERVAL`` keeps.
INTERVAL_FIELDS: Final = frozenset({"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"})
#: The options of sequences that have a number, the longer spelling of each first, and the field that each sets.
_NUMBERED_OPTIONS: Final[Mapping[tuple[str, ...], str]] = {
    ("MINVALUE",): "min_value",
    ("MAXVALUE",): "max_value",
    ("INCREMENT", "BY"): "increment",
    ("INCREMENT",): "increment",
    ("START", "WITH"): "start",
    ("START",): "start",
    ("RESTART", "WITH"): "restart",
    ("CACHE",): "cache",
    ("PER", "NODE", "CACHE"): "node_cache",
    ("PER", "SESSION", "CACHE"): "cache",
}
_ZONED: Final = frozenset({"TIME", "TIMESTAMP"})

#: Types of the server as they may stand in an expression, where keywords are written in any case.
BUILTIN_TYPES: Final = frozenset(
    word
    for line in (
        "BIGINT BIT BLOB BOOL BOOLEAN BOX2D BPCHAR BYTEA BYTES CHAR CHARACTER CITEXT DATE DEC DECIMAL",
        "DOUBLE FLOAT FLOAT4 FLOAT8 GEOGRAPHY GEOMETRY INET INT INT2 INT2VECTOR INT4 INT64 INT8",
        "INTEGER INTERVAL JSON JSONB JSONPATH LQUERY LTREE NAME NATIONAL NUMERIC OID OIDVECTOR PG_LSN",
        "REAL RECORD REFCURSOR REGCLASS REGNAMESPACE REGPROC REGPROCEDURE REGROLE REGTYPE SERIAL",
        "SMALLINT STRING TEXT TIME TIMESTAMP TIMESTAMPTZ TIMETZ TSQUERY TSVECTOR UUID VARBIT VARCHAR",
        "VECTOR VOID",
    )
    for word in line.split()
)
_PLAIN_TYPES: Final[Mapping[str, SQLType]] = {
    name: SQLType(name) for name in BUILTIN_TYPES - {"DOUBLE", "NATIONAL", "INTERVAL"}
}


class TypeCursor(Cursor):
    """A cursor that reads types, parameters and sequence options."""

    def type(self, any_case: bool = False, collated: bool = True) -> SQLType:
        """Read a type.

        :param any_case: whether keywords may be in lower case, as in expressions; DDL prints them in upper case,
            and what is not in upper case names a user-defined type.
        :param collated: whether ``COLLATE`` behind it is a part of it, which it is not in expressions.
        """
        token = self.texts[self.at]
        behind = self.texts[self.at + 1]
        if behind in {"NULL", "NOT"}:
            plain = _PLAIN_TYPES.get(token)
            if plain is not None:
                self.at += 1
                return plain
        word = token.upper() if any_case else token
        args: tuple[str, ...] = ()
        fields = ""
        name: str | ObjectName
        if token == '"char"':
            self.at += 1
            name = token
        elif behind == "." or not (
            word in BUILTIN_TYPES or (not any_case and word.isascii() and word.isupper() and is_word(word))
        ):
            name = self._user_type(any_case)
        else:
            name = self._builtin_name(word)
            if name == "INTERVAL":
                fields = self._interval_fields(any_case)
            if self.texts[self.at] == "(":
                args = self._type_args()
            name = self._zoned(name)
        dimensions = 0
        while self.accept("[", "]"):
            dimensions += 1
        collation = None
        if collated and self._words("COLLATE", any_case=any_case):
            collation = self._collation()
        return SQLType(name, args, fields, dimensions, collation)

    def _words(self, *words: str, any_case: bool = True) -> bool:
        here = self.texts[self.at : self.at + len(words)]
        if (any_case and [token.upper() for token in here] == list(words)) or here == list(words):
            self.at += len(words)
            return True
        return False

    def _builtin_name(self, word: str) -> str:
        for long, short in _LONG_TYPES.items():
            if word == long[0] and self._words(*long):
                return short
        self.at += 1
        return word

    def _zoned(self, name: str) -> str:
        if name in _ZONED:
            if self._words("WITH", "TIME", "ZONE"):
                return name + "TZ"
            self._words("WITHOUT", "TIME", "ZONE")
        return name

    def _interval_fields(self, any_case: bool) -> str:
        fields: list[str] = []
        while (token := self.texts[self.at].upper() if any_case else self.texts[self.at]) in INTERVAL_FIELDS:
            self.at += 1
            fields.append(token)
            if len(fields) == 2 or not self._words("TO", any_case=any_case):
                break
        if fields and self.texts[self.at - 1].upper() == "TO":
            raise self.fail("a field of an interval")
        return " TO ".join(fields)

    def _type_args(self) -> tuple[str, ...]:
        self.at += 1
        args: list[str] = []
        while True:
            minus = "-" if self.accept("-") else ""
            token = self.texts[self.at]
            if _NUMBER.fullmatch(token) is None and not is_word(token):
                raise self.fail("a number or a word in the type's parentheses")
            args.append(minus + token)
            self.at += 1
            if not self.accept(","):
                break
        self.expect(")")
        return tuple(args)

    def _collation(self) -> str:
        token = self.texts[self.at]
        collation = token
        if token[:1] == '"':
            collation = self.name()
            self.at -= 1
            self.spellings.pop(collation, None)
        elif not is_word(token):
            raise self.fail("a collation")
        if quote_collation(collation) != token:
            self.spellings[f"collation:{collation}"] = token
        self.at += 1
        return collation

    def _user_type(self, any_case: bool) -> ObjectName:
        parts: list[str] = []
        while True:
            first = self.at
            token = self.texts[first]
            if token == '""' or (token[:1] != '"' and not is_word(token)):
                raise self.fail("a type")
            self.at += 1
            # v21.1 prints the names of types without quotes, whatever is in them: their case counts.
            raw = not any_case and self._rest_of_raw_name(first)
            part = self.slice(first, self.at) if raw or token[0] != '"' else read_name(token)
            parts.append(part)
            if quote_name(part) != self.slice(first, self.at):
                self.spellings[f"type:{part}"] = self.slice(first, self.at)
            if len(parts) == 3 or not self.accept("."):
                break
        parts.reverse()
        return ObjectName(*parts)

    def _rest_of_raw_name(self, first: int) -> bool:
        """Step over what is left of a name without quotes; tell whether anything was."""
        while (token := self.texts[self.at]) not in _BEHIND_NAMES and token not in FOREIGN_TO_EXPRESSIONS:
            self.at += 1
        if self.at == first + 1:
            return False
        if token not in {"NULL", "NOT", "[", "."} or (token != "." and self.texts[first - 1] != "."):
            raise self.fail("NULL or NOT NULL")
        return True

    def parameters(self) -> Parameters:
        """Read ``(key = value, ...)``, values as texts; ``spaced`` tells then whether the signs stood free."""
        self.expect("(")
        out: list[tuple[str, str]] = []
        while True:
            key = self._parameter_key()
            self.spaced = self.gap(self.at) != ""
            self.expect("=")
            out.append((key, self.expression()))
            if not self.accept(","):
                break
        self.expect(")")
        return tuple(out)

    def _parameter_key(self) -> str:
        token = self.texts[self.at]
        if token[:1] != "'":
            return self.name()
        key = self.string()
        self.spellings[quote_string(key)] = token
        return key

    def sequence_options(self) -> SequenceOptions:
        """Read what follows a sequence's name, in any order."""
        found: dict[str, object] = {}
        clauses: list[str] = []
        while True:
            first = self.at
            option = self._sequence_option()
            if option is None:
                break
            clause, key, value = option
            if key in found:
                raise self.fail("no option twice", first)
            found[key] = value
            if clause == "PER SESSION CACHE":
                found["per_session"] = True
            clauses.append(clause)
        if not found:
            return NO_OPTIONS
        return SequenceOptions(**found, clauses=tuple(clauses))  # type: ignore[arg-type]

    def _sequence_option(self) -> tuple[str, str, object] | None:
        """Read one option: its words, the field it sets and the value; ``None`` when none stands here."""
        if self.accept("NO"):
            for word, key in (("MINVALUE", "min_value"), ("MAXVALUE", "max_value")):
                if self.accept(word):
                    return f"NO {word}", key, "NO"
            self.expect("CYCLE")
            return "NO CYCLE", "cycle", False
        for words, key in _NUMBERED_OPTIONS.items():
            if self.accept(*words):
                return " ".join(words), key, self.integer()
        for word in ("VIRTUAL", "CYCLE"):
            if self.accept(word):
                return word, word.lower(), True
        if self.accept("RESTART"):
            number = self.texts[self.at] == "-" or self.texts[self.at].isdigit()
            return "RESTART", "restart", self.integer() if number else "DEFAULT"
        if self.accept("AS"):
            kind = self.texts[self.at]
            if not is_word(kind):
                raise self.fail("an integer type")
            self.at += 1
            return "AS", "as_type", kind
        if self.accept("OWNED", "BY"):
            return "OWNED BY", "owned_by", () if self.accept("NONE") else self.dotted()
        return None

    def dotted(self) -> tuple[str, ...]:
        """Read names with dots between them, however many."""
        parts = [self.name()]
        while self.accept("."):
            parts.append(self.name())
        return tuple(parts)


def quote_collation(collation: str) -> str:
    """Write a locale as ``SHOW CREATE`` does: with its case, in quotes where it is more than a word."""
    return collation if is_word(collation) else '"' + collation.replace('"', '""') + '"'

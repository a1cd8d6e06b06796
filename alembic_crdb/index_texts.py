"""``CREATE INDEX`` as PostgreSQL has it, sent as text by a revision, made the index that CockroachDB takes.

What PostgreSQL says and CockroachDB does not (``ON ONLY``, access methods, operator classes of B-trees, ``INCLUDE`` of
columns that the primary key brings along, where NULLs are) is read as in a model. So is what is refused by name.
"""

from __future__ import annotations

import re
from typing import Any, Final

from alembic.operations.schemaobj import SchemaObjects
from sqlalchemy import Index, TextClause, text

from alembic_cluster.errors import UnreadableDDL
from alembic_crdb.lexer import LEADING_COMMENTS, is_word, read_name, tokenize
from alembic_crdb.model_reader import plain_name
from alembic_crdb.to_metadata import bind_free

_BEGIN: Final = re.compile(LEADING_COMMENTS + r"(?P<from>CREATE\s+(?:UNIQUE\s+)?INDEX\b)", re.I | re.S)
#: What has to be said in another way, or is looked into.
_POSTGRESQLS: Final = re.compile(r"\b(?:USING|INCLUDE|NULLS|WITH|ONLY|TABLESPACE|\w+_ops)\b", re.I)


class _Other(Exception):
    """Something stands there that PostgreSQL does not have."""


def index_of_text(statement: str) -> tuple[Index, bool] | None:
    """Read a ``CREATE INDEX`` that has a name.

    :return: the index, of a table that has nothing else, and whether it may be there already; None for any other
        statement, and for what only CockroachDB has, which is to be sent as it is.
    """
    begin = _BEGIN.match(statement)
    if begin is None:
        return None
    try:
        return _Reader(statement[begin.start("from") :]).index()
    except (UnreadableDDL, _Other):
        return None


def is_postgresqls(statement: str) -> bool:
    """Tell whether a ``CREATE INDEX`` says what CockroachDB takes in another way."""
    return _POSTGRESQLS.search(statement) is not None


def leave_out_of_storing(index: Index, stored: frozenset[str]) -> None:
    """Take columns out of ``INCLUDE`` that the index has anyway: its own and those of the primary key.

    :param stored: the columns of the primary key.
    """
    own = stored | {plain_name(column.name) for column in index.columns}
    for dialect in ("cockroachdb", "postgresql"):
        options = index.dialect_options[dialect]
        said = options.get("include")
        if said:
            options["include"] = [each for each in said if plain_name(getattr(each, "name", each)) not in own]


class _Reader:
    def __init__(self, statement: str) -> None:
        tokens = tokenize(statement)
        self._statement, self._starts, self._texts = statement, tokens.starts, tokens.texts
        self._words = [token.upper() for token in tokens.texts]
        self._at = 1  # behind CREATE

    def index(self) -> tuple[Index, bool]:
        unique = self._accept("UNIQUE")
        self._expect("INDEX")
        self._accept("CONCURRENTLY")
        optional = self._accept("IF", "NOT", "EXISTS")
        name = self._name()
        self._expect("ON")
        self._accept("ONLY")
        names = [self._name()]
        while self._accept("."):
            names.append(self._name())
        if len(names) > 2:
            raise _Other
        options: dict[str, Any] = {}
        if self._accept("USING"):
            options["postgresql_using"] = self._name()
        elements = [text(bind_free(each)) for each in self._list()]
        self._clauses(options)
        table, schema = names[-1], names[0] if len(names) == 2 else None
        made: Index = SchemaObjects().index(name, table, elements, schema=schema, unique=unique, **options)
        return made, optional

    def _clauses(self, options: dict[str, Any]) -> None:
        while not self._is_end():
            if self._accept("INCLUDE") or self._accept("STORING") or self._accept("COVERING"):
                options["postgresql_include"] = [self._column(each) for each in self._list()]
            elif self._accept("NULLS", "NOT", "DISTINCT"):
                options["postgresql_nulls_not_distinct"] = True
            elif self._accept("NULLS", "DISTINCT"):
                continue
            elif self._accept("WITH"):
                options["postgresql_with"] = dict(map(self._parameter, self._list()))
            elif self._accept("TABLESPACE"):
                options["postgresql_tablespace"] = self._name()
            elif self._accept("WHERE"):
                first = self._at
                while not self._is_end():
                    self._at += 1
                options["postgresql_where"] = text(bind_free(self._slice(first, self._at)))
            else:
                raise _Other

    def _is_end(self) -> bool:
        return self._texts[self._at] in {"", ";"}

    def _list(self) -> list[str]:
        """Read what stands in parentheses, cut at its commas."""
        self._expect("(")
        found, first, depth = [], self._at, 0
        while depth or self._texts[self._at] != ")":
            token = self._texts[self._at]
            if self._is_end():
                raise _Other
            depth += (token in "([") - (token in ")]")
            if token == "," and not depth:
                found.append(self._slice(first, self._at))
                first = self._at + 1
            self._at += 1
        found.append(self._slice(first, self._at))
        self._at += 1
        return found

    def _slice(self, first: int, end: int) -> str:
        """Give the text of some tokens, as it stands."""
        if end == first:
            raise _Other
        return self._statement[self._starts[first] : self._starts[end - 1] + len(self._texts[end - 1])]

    @staticmethod
    def _column(text: str) -> str:
        return read_name(text) if text[:1] == '"' or is_word(text) else text

    @staticmethod
    def _parameter(said: str) -> tuple[str, TextClause]:
        name, _, value = said.partition("=")
        if not value:
            raise _Other
        return name.strip(), text(bind_free(value.strip()))

    def _name(self) -> str:
        token = self._texts[self._at]
        if not (token[:1] == '"' or is_word(token)):
            raise _Other
        self._at += 1
        return read_name(token)

    def _accept(self, *words: str) -> bool:
        if self._words[self._at : self._at + len(words)] != [*words]:
            return False
        self._at += len(words)
        return True

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            raise _Other

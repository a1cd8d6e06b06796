"""The parsing of what a table is made of: columns, indexes, constraints, families, partitions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from alembic_crdb.catalog import (
    CANONICAL,
    Action,
    Check,
    Column,
    Computed,
    Direction,
    Family,
    ForeignKey,
    Identity,
    Index,
    IndexElement,
    Interleave,
    Layout,
    Parameters,
    Partition,
    Partitioning,
    PrimaryKey,
    TableElement,
    Unique,
)
from alembic_crdb.lexer import is_word
from alembic_crdb.parser_types import TypeCursor

#: The optional clauses of an index, in the order in which current servers print them.
INDEX_CLAUSES: Final = ("HASH", "STORING", "INTERLEAVE", "PARTITION", "WITH", "WHERE", "VISIBILITY")

_COLUMN_STOPS: Final[Mapping[str, list[str]]] = {"ON": ["UPDATE"], "AS": ["("]}
_PREDICATE_STOPS: Final[Mapping[str, list[str]]] = {
    "NOT": ["VISIBLE"],
    "VISIBILITY": [],
    "INTERLEAVE": ["IN", "PARENT"],
    "PARTITION": ["BY"],
}
_UNIQUE_STOPS: Final[Mapping[str, list[str]]] = {"NOT": ["VALID"]}
_ACTIONS: Final[tuple[tuple[Action, tuple[str, ...]], ...]] = tuple(
    (action, tuple(action.split()))
    for action in cast(tuple[Action, ...], ("CASCADE", "SET NULL", "SET DEFAULT", "RESTRICT", "NO ACTION"))
)
#: Partitions inside of partitions: each level takes a column of the key, of which there are few.
_DEEPEST_PARTITION: Final = 16


class ElementCursor(TypeCursor):
    """A cursor that reads the elements of a table."""

    def layout(
        self, indent: str = "\t", order: tuple[int, ...] = (), clauses: tuple[str, ...] = (), closing: str = ""
    ) -> Layout:
        """Give the layout of the statement that was just read, and begin another."""
        if list(order) == sorted(order):
            order = ()
        spellings, flags = self.spellings, self.flags
        if not (spellings or flags or order or clauses or closing or indent != "\t"):
            return CANONICAL
        self.spellings, self.flags = {}, set()
        return Layout(indent, closing, spellings, order, clauses, frozenset(flags))

    def element(self) -> TableElement:
        """Read one element of a table."""
        token = self.texts[self.at]
        if (self.texts[self.at + 1] if token == "UNIQUE" else token) in {"INDEX", "INVERTED", "VECTOR"}:
            return self.index_body(*self.index_head())
        if token == "FAMILY":
            self.at += 1
            return Family(self.name() if self.texts[self.at] != "(" else "", self.names(may_be_empty=True))
        if token in {"CONSTRAINT", "PRIMARY", "FOREIGN", "CHECK", "UNIQUE"}:
            return self.constraint(self.name() if self.accept("CONSTRAINT") else None)
        return self.column()

    def column(self) -> Column:
        """Read a column, from its name to its last property."""
        name = self.name()
        kind = self.type()
        found: dict[str, object] = {}
        while (token := self.texts[self.at]) not in {",", ")"}:
            first = self.at
            self.at += 1
            key, value = self._column_property(token)
            if key in found:
                raise self.fail("no property twice", first)
            found[key] = value
        return Column(name, kind, **found)  # type: ignore[arg-type]

    def _column_property(self, token: str) -> tuple[str, object]:
        if token == "NULL":
            return "nullable", True
        if token == "NOT":
            if self.accept("VISIBLE"):
                return "hidden", True
            self.expect("NULL")
            return "nullable", False
        if token == "DEFAULT":
            return "default", self.expression(_COLUMN_STOPS)
        if token == "ON":
            self.expect("UPDATE")
            return "on_update", self.expression(_COLUMN_STOPS)
        if token == "AS":
            text = self.bracketed_expression()
            stored = self.one_of("STORED", "VIRTUAL")
            if stored is None:
                raise self.fail("STORED or VIRTUAL")
            return "computed", Computed(text, stored == "STORED")
        if token == "GENERATED":
            always = self.accept("ALWAYS")
            if not always:
                self.expect("BY", "DEFAULT")
            self.expect("AS", "IDENTITY")
            if not self.accept("("):
                return "identity", Identity(always)
            options = self.sequence_options()
            self.expect(")")
            return "identity", Identity(always, options)
        self.at -= 1
        raise self.fail("a property of a column, a comma or a closing parenthesis")

    def index_head(self) -> tuple[bool, str | None, str | None]:
        """Read the beginning of an index: whether it is unique, its kind and its name."""
        unique = self.accept("UNIQUE")
        kind = self.one_of("INVERTED", "VECTOR")
        self.expect("INDEX")
        return unique, kind, None if self.texts[self.at] in {"(", "ON"} else self.name()

    def index_body(self, unique: bool, kind: str | None, name: str | None) -> Index:
        """Read an index from its elements to its last clause."""
        elements = self._index_elements()
        found: dict[str, object] = {}
        clauses = self._index_clauses(found)
        return Index(name, elements, unique, kind, **found, clauses=clauses)  # type: ignore[arg-type]

    def _index_elements(self) -> tuple[IndexElement, ...]:
        self.expect("(")
        elements = [self._index_element()]
        while self.texts[self.at] == ",":
            self.at += 1
            elements.append(self._index_element())
        self.expect(")")
        return tuple(elements)

    def _index_element(self) -> IndexElement:
        name = expression = opclass = nulls = None
        first = self.at
        if self.texts[first] == "(":
            self.bracketed_expression()
            expression = self.slice(first, self.at)
        elif self.texts[first + 1] in {"(", "."}:
            expression = self._function_call()
        else:
            name = self.name()
        token = self.texts[self.at]
        if token not in {"ASC", "DESC", "NULLS", ",", ")"}:
            opclass = self.name()
        direction = cast("Direction | None", self.one_of("ASC", "DESC"))
        if self.accept("NULLS"):
            nulls = self.one_of("FIRST", "LAST")
            if nulls is None:
                raise self.fail("FIRST or LAST")
        return IndexElement(name, direction, expression, nulls, opclass)  # type: ignore[arg-type]

    def _function_call(self) -> str:
        first = self.at
        while True:
            if not is_word(self.texts[self.at]) and self.texts[self.at][:1] != '"':
                raise self.fail("a function")
            self.at += 1
            if not self.accept("."):
                break
        self.expect("(")
        if not self.accept(")"):
            self.expression_list()
            self.expect(")")
        return self.slice(first, self.at)

    def _index_clauses(self, found: dict[str, object]) -> tuple[str, ...]:
        """Read the clauses behind an index's elements; give them as they stood, or () for the current order."""
        clauses: list[str] = []
        while (first := self.texts[self.at]) not in {",", ")", ";", ""}:
            at = self.at
            clause = self._index_clause(first, found)
            if clause is None:
                break
            if any(clause.split()[0] == known.split()[0] for known in clauses):
                raise self.fail("no clause twice", at)
            clauses.append(clause)
        places = [INDEX_CLAUSES.index(clause) if clause in INDEX_CLAUSES else -1 for clause in clauses]
        return () if -1 not in places and places == sorted(places) else tuple(clauses)

    def _index_clause(self, first: str, found: dict[str, object]) -> str | None:
        if self.accept("USING", "HASH"):
            found["hash_sharded"] = True
            if not self.accept("WITH", "BUCKET_COUNT"):
                return "HASH"
            self.expect("=")
            found["parameters"] = (("bucket_count", str(self.integer())), *self._parameters_of(found))
            return "HASH BUCKET_COUNT"
        if self.accept("STORING"):
            found["storing"] = self.names()
            return "STORING"
        if first == "INTERLEAVE":
            found["interleave"] = self.interleave()
            return "INTERLEAVE"
        if first == "PARTITION":
            found["partitioning"] = self.partitioning()
            return "PARTITION"
        if self.accept("WITH"):
            found["parameters"] = (*self._parameters_of(found), *self.parameters())
            return "WITH SPACED" if self.spaced else "WITH"
        if self.accept("WHERE"):
            found["predicate"] = self.expression(_PREDICATE_STOPS)
            return "WHERE"
        return self._visibility(found)

    @staticmethod
    def _parameters_of(found: Mapping[str, object]) -> Parameters:
        return cast(Parameters, found.get("parameters", ()))

    def _visibility(self, found: dict[str, object]) -> str | None:
        if self.accept("NOT", "VISIBLE"):
            found["visibility"] = 0.0
            return "VISIBILITY"
        if self.accept("VISIBILITY"):
            token = self.texts[self.at]
            if not token[:1].isdigit() or not token.replace(".", "", 1).isdigit() or float(token) > 1:
                raise self.fail("a number between 0 and 1")
            self.at += 1
            found["visibility"] = float(token)
            return "VISIBILITY"
        return None

    def constraint(self, name: str | None) -> PrimaryKey | ForeignKey | Check | Unique:
        """Read a constraint from behind its name."""
        if self.accept("PRIMARY", "KEY"):
            elements = self._index_elements()
            found: dict[str, object] = {}
            first = self.at
            clauses = self._index_clauses(found)
            if not found.keys() <= {"hash_sharded", "parameters"}:
                raise self.fail("no other clause than USING HASH and WITH on a primary key", first)
            return PrimaryKey(name, elements, **found, clauses=clauses)  # type: ignore[arg-type]
        if self.accept("FOREIGN", "KEY"):
            return self._foreign_key(name)
        if self.accept("CHECK"):
            return Check(name, self.bracketed_expression(), not self.accept("NOT", "VALID"))
        self.expect("UNIQUE")
        without_index = self.accept("WITHOUT", "INDEX")
        columns = self.raw_names()
        predicate = self.expression(_UNIQUE_STOPS) if self.accept("WHERE") else None
        return Unique(name, columns, without_index, predicate, not self.accept("NOT", "VALID"))

    def _foreign_key(self, name: str | None) -> ForeignKey:
        columns = self.names()
        self.expect("REFERENCES")
        table = self.object_name()
        referenced: tuple[str, ...] = ()
        if self.texts[self.at] == "(":
            if self.gap(self.at):
                self.flags.add("spaced reference")
            referenced = self.names()
        match = self.one_of("SIMPLE", "FULL", "PARTIAL") if self.accept("MATCH") else "SIMPLE"
        if match is None:
            raise self.fail("FULL, PARTIAL or SIMPLE")
        actions: dict[str, Action] = {}
        while self.accept("ON"):
            event = self.one_of("DELETE", "UPDATE")
            if event is None or event in actions:
                raise self.fail("DELETE or UPDATE, once")
            actions[event] = self._action()
        return ForeignKey(
            name,
            columns,
            table,
            referenced,
            match,  # type: ignore[arg-type]
            actions.get("DELETE", "NO ACTION"),
            actions.get("UPDATE", "NO ACTION"),
            not self.accept("NOT", "VALID"),
        )

    def _action(self) -> Action:
        for action, words in _ACTIONS:
            if self.accept(*words):
                return action
        raise self.fail("an action")

    def interleave(self) -> Interleave:
        """Read ``INTERLEAVE IN PARENT``."""
        self.expect("INTERLEAVE", "IN", "PARENT")
        parent = self.object_name()
        return Interleave(parent, self.names())

    def partitioning(self, depth: int = 0) -> Partitioning:
        """Read ``PARTITION [ALL] BY``.

        :param depth: of how many partitions this is a part.
        """
        if depth > _DEEPEST_PARTITION:
            raise self.fail(f"no more than {_DEEPEST_PARTITION} levels of partitions")
        self.expect("PARTITION")
        everything = self.accept("ALL")
        self.expect("BY")
        kind = self.one_of("LIST", "RANGE", "NOTHING")
        if kind is None:
            raise self.fail("LIST, RANGE or NOTHING")
        if kind == "NOTHING":
            return Partitioning("NOTHING", all=everything)
        columns = self.raw_names()
        self.expect("(")
        partitions = [self._partition(kind, depth)]
        while self.accept(","):
            if not self.gap(self.at).startswith(" "):
                self.flags.add("tight partitions")
            partitions.append(self._partition(kind, depth))
        self.expect(")")
        return Partitioning("LIST" if kind == "LIST" else "RANGE", columns, tuple(partitions), everything)

    def _partition(self, kind: str, depth: int) -> Partition:
        self.expect("PARTITION")
        name = self.raw_name("VALUES")
        self.expect("VALUES")
        values: list[str] = []
        start = end = inner = None
        if kind == "LIST":
            self.expect("IN", "(")
            values.append(self._partition_value())
            while self.accept(","):
                values.append(self._partition_value())
            self.expect(")")
        else:
            self.expect("FROM")
            start = self._bound()
            self.expect("TO")
            end = self._bound()
        if self.texts[self.at] == "PARTITION":
            inner = self.partitioning(depth + 1)
        return Partition(name, tuple(values), start, end, inner)

    def _partition_value(self) -> str:
        return "DEFAULT" if self.accept("DEFAULT") else self.expression()

    def _bound(self) -> str:
        first = self.at
        self.bracketed_expression()
        return self.slice(first, self.at)

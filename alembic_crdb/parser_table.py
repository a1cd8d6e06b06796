"""The parsing of ``CREATE TABLE``: its elements, and the clauses behind them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from alembic_crdb.catalog import (
    Check,
    Column,
    Family,
    ForeignKey,
    Index,
    Locality,
    PrimaryKey,
    Table,
    TableElement,
    Unique,
)
from alembic_crdb.parser_elements import ElementCursor

#: The kinds of a table's elements, in the order in which current servers print them.
ELEMENT_KINDS: Final[tuple[type[TableElement], ...]] = (
    Column,
    PrimaryKey,
    ForeignKey,
    Index,
    Family,
    Check,
    Unique,
)
_KIND_NUMBER: Final[Mapping[type, int]] = {kind: number for number, kind in enumerate(ELEMENT_KINDS)}

#: The clauses behind a table's elements, in the order in which current servers print them.
TABLE_CLAUSES: Final = ("INTERLEAVE", "PARTITION", "WITH", "LOCALITY")


class TableCursor(ElementCursor):
    """A cursor that reads ``CREATE TABLE`` from behind the word ``TABLE``."""

    def table(self, persistence: Literal["TEMP", "UNLOGGED"] | None) -> Table:
        """Read a table from its name to the end of its last clause."""
        name = self.object_name()
        self.expect("(")
        first = self.at
        elements, order = self._elements()
        last = self.at - 1
        indent, closing = self._indent(first, last), self.line_indent(last) or ""
        by_kind: list[list[Any]] = [[] for _ in ELEMENT_KINDS]
        for kind, element in zip(order, elements, strict=True):
            by_kind[kind].append(element)
        columns, keys, foreign_keys, indexes, families, checks, uniques = map(tuple, by_kind)
        if len(keys) > 1:
            raise self.fail("one primary key, not two", last)
        found: dict[str, Any] = {}
        clauses = self._table_clauses(found)
        return Table(
            name,
            columns,
            keys[0] if keys else None,
            foreign_keys,
            indexes,
            families,
            checks,
            uniques,
            persistence=persistence,
            layout=self.layout(indent, tuple(order), clauses, closing),
            **found,
        )

    def _elements(self) -> tuple[list[TableElement], list[int]]:
        elements: list[TableElement] = []
        order: list[int] = []
        if self.accept(")"):
            return elements, order
        while True:
            element = self.element()
            elements.append(element)
            order.append(_KIND_NUMBER[type(element)])
            if self.texts[self.at] == ",":
                self.at += 1
                if self.accept(")"):
                    self.flags.add("trailing comma")
                    return elements, order
            else:
                self.expect(")")
                return elements, order

    def _indent(self, first: int, last: int) -> str:
        """Give what the elements are indented with; note where they do not begin on lines of their own."""
        indent = self.line_indent(first)
        if indent is not None:
            return indent
        if first <= last and self.texts[first] != ")":
            # v21.1 begins with the families, on the first line, where a table has no visible column.
            self.flags.add("first on line" if "\n" in self.gap(last) else "one line")
        return "\t"

    def _table_clauses(self, found: dict[str, Any]) -> tuple[str, ...]:
        clauses: list[str] = []
        while (token := self.texts[self.at]) in TABLE_CLAUSES:
            if token in clauses:
                raise self.fail("no clause twice")
            clauses.append(token)
            if token == "INTERLEAVE":
                found["interleave"] = self.interleave()
            elif token == "PARTITION":
                found["partitioning"] = self.partitioning()
            elif token == "WITH":
                self.at += 1
                found["parameters"] = self.parameters()
                if not self.spaced:
                    self.flags.add("tight parameters")
            else:
                self.at += 1
                found["locality"] = self.locality()
        places = [TABLE_CLAUSES.index(clause) for clause in clauses]
        return () if places == sorted(places) else tuple(clauses)

    def locality(self) -> Locality:
        """Read what follows ``LOCALITY``."""
        if self.accept("GLOBAL"):
            return Locality("GLOBAL")
        self.expect("REGIONAL", "BY")
        if self.accept("ROW"):
            return Locality("REGIONAL BY ROW", column=self.name() if self.accept("AS") else None)
        self.expect("TABLE")
        if not self.accept("IN"):
            self.flags.add("short locality")
            return Locality("REGIONAL BY TABLE")
        if self.accept("PRIMARY", "REGION"):
            return Locality("REGIONAL BY TABLE")
        return Locality("REGIONAL BY TABLE", self.name())

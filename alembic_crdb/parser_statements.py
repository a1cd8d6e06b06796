"""The parsing of every statement that CockroachDB prints of a database, and of whole texts of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

from alembic_cluster.errors import UnreadableDDL
from alembic_crdb.catalog import Check, Layout, ObjectName, SQLType
from alembic_crdb.catalog_objects import (
    AddConstraint,
    Comment,
    CompositeType,
    CreateIndex,
    Domain,
    EnumType,
    Opaque,
    Policy,
    RowSecurity,
    Schema,
    Script,
    Sequence,
    Statement,
    ValidateConstraint,
    View,
    ZoneConfiguration,
)
from alembic_crdb.lexer import is_word
from alembic_crdb.parser_database import DatabaseCursor

_Item = TypeVar("_Item")

_NAMED: Final = ("FUNCTION", "PROCEDURE", "AGGREGATE", "TRIGGER")
#: Created objects that are no part of a schema as we compare it; kept whole.
_FOREIGN: Final = ("STATISTICS", "SCHEDULE", "CHANGEFEED", "EXTENSION", "EXTERNAL CONNECTION")
_DOMAIN_STOPS: Final[Mapping[str, list[str]]] = {"NOT": ["NULL"], "CONSTRAINT": [], "CHECK": []}
_ROLE_WORDS: Final = frozenset({"CURRENT_USER", "SESSION_USER", "CURRENT_ROLE"})
_COMMANDS: Final = ("ALL", "SELECT", "INSERT", "UPDATE", "DELETE")
#: What a comment may be on beside what is compared.
_NOT_COMPARED: Final = ("POLICY", "TRIGGER", "PROCEDURE", "ROUTINE", "EXTENSION", "ROLE")
_OBJECTS: Final = ("DATABASE", "SCHEMA", "TYPE", "TABLE", "VIEW", "SEQUENCE")


class StatementCursor(DatabaseCursor):
    """A cursor that reads whole statements."""

    def script(self) -> Script:
        """Read the text to its end."""
        statements: list[Statement] = []
        ends: list[int] = []
        while True:
            while self.texts[self.at] == ";":
                self.at += 1
            if not self.texts[self.at]:
                break
            first = self.at
            statement = self.statement()
            if self.texts[self.at] not in {";", ""}:
                raise self.fail("the end of the statement")
            statements.append(self._commented(statement, first))
            ends.append(self.at)
        trailer = self.text[self.end_of(ends[-1] - 1) :] if ends else self.text
        if statements and statements[-1].layout.after:
            statements[-1] = replace(statements[-1], layout=replace(statements[-1].layout, after=""))
        return Script(tuple(statements), trailer.rstrip())

    def _commented(self, statement: Statement, first: int) -> Statement:
        """Add the comments before and behind a statement to its layout."""
        before = self.gap(first).strip()
        after = self.gap(self.at)
        if "--" not in after:
            after = ""
        if not before and not after:
            return statement
        return replace(statement, layout=replace(statement.layout, before=before, after=after))

    def statement(self) -> Statement:
        """Read one statement, without its semicolon."""
        first = self.at
        if self.accept("CREATE"):
            return self._create(first)
        if self.accept("ALTER"):
            return self._alter(first)
        if self.accept("COMMENT", "ON"):
            return self._comment(first)
        verb = self.one_of("GRANT", "REVOKE")
        if verb is not None:
            return self.opaque(verb, None, first)
        raise self.fail("CREATE, ALTER or COMMENT ON")

    def _create(self, first: int) -> Statement:
        replaced = self.accept("OR", "REPLACE")
        for kind in _NAMED:
            if self.accept(kind):
                return self.opaque(kind, self.object_name(), first)
        if not replaced:
            token = self.texts[self.at]
            if token in {"UNIQUE", "INVERTED", "VECTOR", "INDEX"}:
                return self._create_index()
            for words, read in self._creators().items():
                if self.accept(*words.split()):
                    return read()
            for kind in _FOREIGN:
                if self.accept(*kind.split()):
                    return self.opaque(kind, self._name_if_any(), first)
        raise self.fail("what CockroachDB can create")

    def _creators(self) -> dict[str, Callable[[], Statement]]:
        return {
            "TABLE": lambda: self.table(None),
            "TEMP TABLE": lambda: self.table("TEMP"),
            "UNLOGGED TABLE": lambda: self.table("UNLOGGED"),
            "VIEW": self._view,
            "TEMP VIEW": lambda: self._view(temporary=True),
            "MATERIALIZED VIEW": lambda: self._view(materialized=True),
            "SEQUENCE": self._sequence,
            "TEMP SEQUENCE": lambda: self._sequence(temporary=True),
            "TYPE": self._type_definition,
            "DOMAIN": self._domain,
            "SCHEMA": self._schema,
            "DATABASE": self.database,
            "POLICY": lambda: self._or_whole("POLICY", self._policy),
        }

    def _or_whole(self, kind: str, read: Callable[[], Statement]) -> Statement:
        """Read a statement about what is not compared; kept whole where a newer server says it in other words.

        :param kind: the words after ``CREATE`` or ``ALTER``, which were read.
        """
        behind = self.at
        try:
            statement = read()
        except UnreadableDDL:
            statement = None
        if statement is not None and self.texts[self.at] in {";", ""}:
            return statement
        self.flags.clear()
        self.at = behind
        return self.opaque(kind, None, behind - len(kind.split()) - 1)

    def _name_if_any(self) -> ObjectName | None:
        token = self.texts[self.at]
        named = token[:1] == '"' or (is_word(token) and not token.isupper())
        return self.object_name() if named else None

    def opaque(self, kind: str, name: ObjectName | None, first: int) -> Opaque:
        """Keep a statement whole, from its first token to its semicolon."""
        self._rest()
        layout = self.layout()
        return Opaque(kind, name, self.slice(first, self.at), Layout(before=layout.before))

    def _rest(self) -> str:
        """Step over everything to the statement's end, with its brackets in pairs."""
        first = self.at
        expected: list[str] = []
        while (token := self.texts[self.at]) not in {";", ""}:
            if token in {"(", "["}:
                expected.append(")" if token == "(" else "]")
            elif token in {")", "]"} and (not expected or expected.pop() != token):
                raise self.fail("brackets in pairs")
            self.at += 1
        if expected:
            raise self.fail(expected[-1])
        return self.slice(first, self.at) if self.at > first else ""

    def _create_index(self) -> CreateIndex:
        unique, kind, name = self.index_head()
        self.expect("ON")
        table = self.object_name()
        index = self.index_body(unique, kind, name)
        return CreateIndex(table, index, self.layout())

    def _view(self, materialized: bool = False, temporary: bool = False) -> View:
        name = self.object_name()
        columns: tuple[str, ...] = ()
        indent = "\t"
        if self.texts[self.at] == "(":
            first = self.at + 1
            columns = self.names()
            indent = self._indent_of(first)
        parameters = self.parameters() if self.accept("WITH") else ()
        if parameters and not self.spaced:
            self.flags.add("tight parameters")
        self.expect("AS")
        if self.texts[self.at] not in {"SELECT", "WITH", "VALUES", "TABLE", "("}:
            raise self.fail("a query")
        query = self._rest()
        return View(name, query, columns, materialized, temporary, parameters, self.layout(indent))

    def _indent_of(self, first: int) -> str:
        indent = self.line_indent(first)
        if indent is None:
            self.flags.add("one line")
        return "\t" if indent is None else indent

    def _sequence(self, temporary: bool = False) -> Sequence:
        return Sequence(self.object_name(), self.sequence_options(), temporary, self.layout())

    def _type_definition(self) -> EnumType | CompositeType:
        name = self.object_name()
        self.expect("AS")
        if self.accept("ENUM"):
            return EnumType(name, tuple(self._bracketed(self.string)), self.layout())
        return CompositeType(name, tuple(self._bracketed(self._field)), self.layout())

    def _field(self) -> tuple[str, SQLType]:
        return self.name(), self.type()

    def _bracketed(self, read: Callable[[], _Item]) -> list[_Item]:
        """Read items in parentheses, with commas between them; there may be none."""
        self.expect("(")
        items: list[_Item] = []
        if not self.accept(")"):
            items.append(read())
            while self.accept(","):
                items.append(read())
            self.expect(")")
        return items

    def _domain(self) -> Domain:
        name = self.object_name()
        self.expect("AS")
        kind = self.type()
        default = self.expression(_DOMAIN_STOPS) if self.accept("DEFAULT") else None
        nullable = not self.accept("NOT", "NULL")
        checks: list[Check] = []
        while self.texts[self.at] in {"CONSTRAINT", "CHECK"}:
            constraint = self.constraint(self.name() if self.accept("CONSTRAINT") else None)
            if not isinstance(constraint, Check):
                raise self.fail("a CHECK constraint before this")
            checks.append(constraint)
        return Domain(name, kind, default, nullable, tuple(checks), self.layout())

    def _schema(self) -> Schema:
        optional = self.accept("IF", "NOT", "EXISTS")
        name = self.object_name()
        owner = self.name() if self.accept("AUTHORIZATION") else None
        return Schema(name, owner, optional, self.layout())

    def _policy(self) -> Policy:
        name = self.name()
        self.expect("ON")
        found: dict[str, Any] = {"table": self.object_name()}
        if self.accept("AS"):
            found["kind"] = self.needed("PERMISSIVE", "RESTRICTIVE")
        if self.accept("FOR"):
            found["command"] = self.needed(*_COMMANDS)
        if self.accept("TO"):
            roles = [self._role()]
            while self.accept(","):
                roles.append(self._role())
            found["roles"] = tuple(roles)
        if self.accept("USING"):
            found["using"] = self.bracketed_expression()
        if self.accept("WITH", "CHECK"):
            found["check"] = self.bracketed_expression()
        return Policy(name, **found, layout=self.layout())

    def _role(self) -> str:
        token = self.texts[self.at]
        if token in _ROLE_WORDS:
            self.at += 1
            return token
        return self.name()

    def _alter(self, first: int) -> Statement:
        if self.accept("DATABASE"):
            return self._alter_database(first)
        if self.accept("TABLE"):
            return self._alter_table(first)
        if self.accept("INDEX"):
            return self._zone("INDEX", None)
        if self.accept("PARTITION"):
            partition = self.raw_name("OF")
            self.expect("OF")
            return self._zone(self.needed("TABLE", "INDEX"), partition)
        if self.accept("RANGE"):
            return self._zone("RANGE", None)
        if self.accept("DEFAULT", "PRIVILEGES"):
            return self.opaque("ALTER DEFAULT PRIVILEGES", None, first)
        if self.accept("POLICY"):
            return self.opaque("ALTER POLICY", None, first)
        kind = self.needed(*_NAMED, "VIEW", "SEQUENCE", "TYPE", "SCHEMA", "DOMAIN")
        return self.opaque(f"ALTER {kind}", self.object_name(), first)

    def _alter_database(self, first: int) -> Statement:
        name = self.name()
        if self.texts[self.at] == "CONFIGURE":
            return self._zone_of("DATABASE", ObjectName(name), None, None)
        if self.texts[self.at] in {"OWNER", "SET"} and self.texts[self.at + 1] not in {"PRIMARY", "SECONDARY"}:
            return self.opaque("ALTER DATABASE", ObjectName(name), first)
        return self.alter_database(name)

    def _alter_table(self, first: int) -> Statement:
        table = self.object_name()
        if self.accept("ADD", "CONSTRAINT"):
            constraint = self.constraint(self.name())
            return AddConstraint(table, constraint, self.layout())
        if self.accept("VALIDATE", "CONSTRAINT"):
            return ValidateConstraint(table, self.name(), self.layout())
        if self.texts[self.at] == "CONFIGURE":
            return self._zone_of("TABLE", table, None, None)
        if self.texts[self.at] == "OWNER" or "TRIGGER" in self.texts[self.at + 1 : self.at + 3]:
            return self.opaque("ALTER TABLE", table, first)
        modes: list[str] = []
        while True:
            mode = "NO FORCE" if self.accept("NO", "FORCE") else self.needed("ENABLE", "DISABLE", "FORCE")
            self.expect("ROW", "LEVEL", "SECURITY")
            modes.append(mode)
            if not self.accept(","):
                return RowSecurity(table, tuple(modes), self.layout())  # type: ignore[arg-type]

    def _zone(self, target: str, partition: str | None) -> ZoneConfiguration:
        name = self.object_name()
        index = None
        if target == "INDEX":
            self.expect("@")
            index = self.free_name()
        return self._zone_of(target, name, index, partition)

    def _zone_of(self, target: str, name: ObjectName, index: str | None, partition: str | None) -> ZoneConfiguration:
        self.expect("CONFIGURE", "ZONE")
        options: list[tuple[str, str]] = []
        indent = "\t"
        if not self.accept("DISCARD"):
            self.expect("USING")
            indent = self._indent_of(self.at)
            while True:
                key = ".".join(self.dotted())
                self.expect("=")
                options.append((key, self.expression()))
                if not self.accept(","):
                    break
        return ZoneConfiguration(target, name, tuple(options), index, partition, self.layout(indent))  # type: ignore[arg-type]

    def _comment(self, first: int) -> Comment | Opaque:
        if self.texts[self.at] in _NOT_COMPARED:
            return self.opaque(f"COMMENT ON {self.needed(*_NOT_COMPARED)}", None, first)
        target = self.needed(*_OBJECTS, "COLUMN", "INDEX", "CONSTRAINT", "FUNCTION")
        child: str | None = None
        if target == "COLUMN":
            first = self.at
            *parts, child = self.dotted()
            if not 1 <= len(parts) <= 3:
                raise self.fail("a table and its column", first)
            name = ObjectName(*reversed(parts))
        elif target == "CONSTRAINT":
            child = self.name()
            self.expect("ON")
            name = self.object_name()
        else:
            name = self.object_name()
            if target == "INDEX":
                self.expect("@")
                child = self.free_name()
            elif target == "FUNCTION":
                self.expect("(")
                child = "" if self.texts[self.at] == ")" else self.expression_list()
                self.expect(")")
        self.expect("IS")
        text = None if self.accept("NULL") else self.string()
        return Comment(target, name, text, child, self.layout())  # type: ignore[arg-type]

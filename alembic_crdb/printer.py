"""Catalog objects back to the text that CockroachDB prints for them.

What the parser read, this prints as it was read: with the spellings and in the order of the server that wrote it
(:class:`~alembic_crdb.catalog.Layout`). What was made anew, it prints as current servers do.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import singledispatchmethod

from alembic_crdb.catalog import Layout, Locality, Table, TableElement
from alembic_crdb.catalog_objects import (
    AddConstraint,
    AlterDatabase,
    Comment,
    CompositeType,
    CreateIndex,
    Database,
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
from alembic_crdb.parser_database import DATABASE_CLAUSES
from alembic_crdb.parser_table import TABLE_CLAUSES
from alembic_crdb.printer_base import ElementPrinter


def to_sql(what: Script | Statement, layout: Layout | None = None) -> str:
    """Print a statement, or a script of several.

    :param what: what was parsed or made.
    :param layout: how to lay it out; by default as it was read. With ``CANONICAL`` the text has the quotes and the
        order of current servers, and none of the names that old servers print without their quotes.
    :returns: the text, of a statement without a semicolon.
    """
    if isinstance(what, Script):
        return _script(what, layout)
    if layout is None:
        return StatementPrinter(what.layout).statement(what)
    return StatementPrinter(layout, as_read=False).statement(what)


def _script(script: Script, layout: Layout | None) -> str:
    if layout is not None:
        return ";\n".join(to_sql(statement, layout) for statement in script)
    texts = []
    for statement in script:
        before = f"{statement.layout.before}\n" if statement.layout.before else ""
        texts.append(f"{before}{to_sql(statement)}{statement.layout.after}")
    return ";\n".join(texts) + script.trailer


class StatementPrinter(ElementPrinter):
    """Prints whole statements.

    Of a layout's flags it knows, beside those of :class:`~alembic_crdb.printer_base.ElementPrinter`: ``one line``
    (no line breaks), ``first on line`` (only the first element of a table stands on the first line), ``trailing
    comma`` (documentation has one), ``tight parameters`` (``key=value``), ``short locality`` (``REGIONAL BY TABLE``
    without its region) and ``set`` (``SET PRIMARY REGION``).
    """

    @singledispatchmethod
    def statement(self, statement: Statement) -> str:
        """Print a statement."""
        raise TypeError(f"not a statement: {statement!r}")

    @statement.register
    def _(self, table: Table) -> str:
        kind = f"{table.persistence} TABLE" if table.persistence else "TABLE"
        elements = [self.element(element) for element in self._elements(table)]
        return " ".join(
            (f"CREATE {kind} {self.object_name(table.name)} ({self._body(elements)})", *self._clauses(table))
        )

    def _elements(self, table: Table) -> list[TableElement]:
        kinds: list[list[TableElement]] = [
            list(table.columns),
            [] if table.primary_key is None else [table.primary_key],
            list(table.foreign_keys),
            list(table.indexes),
            list(table.families),
            list(table.checks),
            list(table.uniques),
        ]
        for elements in kinds:
            elements.reverse()
        out = [kinds[kind].pop() for kind in self.layout.order if kinds[kind]]
        return out + [element for elements in kinds for element in reversed(elements)]

    def _body(self, elements: list[str]) -> str:
        comma = "," if "trailing comma" in self.flags else ""
        if "one line" in self.flags:
            return ", ".join(elements) + comma
        line = f"\n{self.layout.indent}"
        first = "" if "first on line" in self.flags or not elements else line
        return f"{first}{f',{line}'.join(elements)}{comma}\n{self.layout.closing}"

    def _clauses(self, table: Table) -> Iterable[str]:
        texts: dict[str, str] = {}
        if table.interleave is not None:
            texts["INTERLEAVE"] = self.interleave(table.interleave)
        if table.partitioning is not None:
            texts["PARTITION"] = self.partitioning(table.partitioning, 0)
        if table.parameters:
            texts["WITH"] = self._with(table.parameters)
        if table.locality is not None:
            texts["LOCALITY"] = f"LOCALITY {self.locality(table.locality)}"
        return [texts.pop(clause) for clause in (*self.layout.clauses, *TABLE_CLAUSES) if clause in texts]

    def _with(self, parameters: tuple[tuple[str, str], ...]) -> str:
        sign = "=" if "tight parameters" in self.flags else " = "
        return f"WITH ({self.parameters(parameters, sign)})"

    def locality(self, locality: Locality) -> str:
        """Print what follows ``LOCALITY``."""
        if locality.kind == "REGIONAL BY TABLE":
            if locality.region is not None:
                return f"REGIONAL BY TABLE IN {self.name(locality.region)}"
            return "REGIONAL BY TABLE" if "short locality" in self.flags else "REGIONAL BY TABLE IN PRIMARY REGION"
        if locality.column is not None:
            return f"{locality.kind} AS {self.name(locality.column)}"
        return locality.kind

    @statement.register
    def _(self, view: View) -> str:
        kind = "MATERIALIZED VIEW" if view.materialized else "TEMP VIEW" if view.temporary else "VIEW"
        text = f"CREATE {kind} {self.object_name(view.name)}"
        if view.columns:
            if "one line" in self.flags:
                text += f" ({self.names(view.columns)})"
            else:
                line = f"\n{self.layout.indent}"
                text += f" ({line}{f',{line}'.join(map(self.name, view.columns))}\n)"
        if view.parameters:
            text += f" {self._with(view.parameters)}"
        return f"{text} AS {view.query}"

    @statement.register
    def _(self, sequence: Sequence) -> str:
        kind = "TEMP SEQUENCE" if sequence.temporary else "SEQUENCE"
        options = self.sequence_options(sequence.options)
        text = f"CREATE {kind} {self.object_name(sequence.name)}"
        return f"{text} {options}" if options else text

    @statement.register
    def _(self, enum: EnumType) -> str:
        values = ", ".join(map(self.string, enum.values))
        return f"CREATE TYPE {self.object_name(enum.name)} AS ENUM ({values})"

    @statement.register
    def _(self, composite: CompositeType) -> str:
        fields = ", ".join(f"{self.name(name)} {self.type(kind)}" for name, kind in composite.fields)
        return f"CREATE TYPE {self.object_name(composite.name)} AS ({fields})"

    @statement.register
    def _(self, domain: Domain) -> str:
        text = f"CREATE DOMAIN {self.object_name(domain.name)} AS {self.type(domain.type)}"
        if domain.default is not None:
            text += f" DEFAULT {domain.default}"
        if not domain.nullable:
            text += " NOT NULL"
        return " ".join((text, *map(self.constraint, domain.checks)))

    @statement.register
    def _(self, schema: Schema) -> str:
        optional = "IF NOT EXISTS " if schema.if_not_exists else ""
        text = f"CREATE SCHEMA {optional}{self.object_name(schema.name)}"
        return text if schema.owner is None else f"{text} AUTHORIZATION {self.name(schema.owner)}"

    @statement.register
    def _(self, database: Database) -> str:
        texts = {key: f"{key} = {value}" for key, value in database.options}
        if database.primary_region is not None:
            texts["PRIMARY REGION"] = f"PRIMARY REGION {self.name(database.primary_region)}"
        if database.regions:
            texts["REGIONS"] = f"REGIONS = {self.names(database.regions)}"
        if database.survive is not None:
            texts["SURVIVE"] = f"SURVIVE {database.survive} FAILURE"
        if database.placement is not None:
            texts["PLACEMENT"] = f"PLACEMENT {database.placement}"
        if database.super_region is not None:
            name, regions = database.super_region
            texts["SUPER REGION"] = f"SUPER REGION {self.name(name)} VALUES {self.names(regions)}"
        if database.secondary_region is not None:
            texts["SECONDARY REGION"] = f"SECONDARY REGION {self.name(database.secondary_region)}"
        order = (*self.layout.clauses, *DATABASE_CLAUSES)
        clauses = [texts.pop(clause) for clause in order if clause in texts]
        return " ".join((f"CREATE DATABASE {self.name(database.name)}", *clauses))

    @statement.register
    def _(self, change: AlterDatabase) -> str:
        text = f"ALTER DATABASE {self.name(change.name)} {'SET ' if 'set' in self.flags else ''}{change.action}"
        if change.super_region is None:
            return f"{text} {self.names(change.regions)}" if change.regions else text
        text += f" {self.name(change.super_region)}"
        return f"{text} VALUES {self.names(change.regions)}" if change.regions else text

    @statement.register
    def _(self, comment: Comment) -> str:
        name = self.object_name(comment.name)
        if comment.target == "COLUMN":
            name += f".{self.name(comment.child or '')}"
        elif comment.target == "INDEX":
            name += f"@{self.free_name(comment.child or '')}"
        elif comment.target == "CONSTRAINT":
            name = f"{self.name(comment.child or '')} ON {name}"
        elif comment.target == "FUNCTION":
            name += f"({comment.child or ''})"
        text = "NULL" if comment.text is None else self.string(comment.text)
        return f"COMMENT ON {comment.target} {name} IS {text}"

    @statement.register
    def _(self, added: AddConstraint) -> str:
        # CONSTRAINT is a part of the constraint's own text.
        return f"ALTER TABLE {self.object_name(added.table)} ADD {self.constraint(added.constraint)}"

    @statement.register
    def _(self, validated: ValidateConstraint) -> str:
        return f"ALTER TABLE {self.object_name(validated.table)} VALIDATE CONSTRAINT {self.name(validated.name)}"

    @statement.register
    def _(self, created: CreateIndex) -> str:
        return f"CREATE {self.index(created.index, created.table)}"

    @statement.register
    def _(self, zone: ZoneConfiguration) -> str:
        name = self.object_name(zone.name)
        if zone.index is not None:
            name += f"@{self.free_name(zone.index)}"
        target: str = zone.target
        if zone.partition is not None:
            target = f"PARTITION {self.raw_name(zone.partition)} OF {target}"
        text = f"ALTER {target} {name} CONFIGURE ZONE"
        if not zone.options:
            return f"{text} DISCARD"
        options = (f"{self._option(key)} = {value}" for key, value in zone.options)
        if "one line" in self.flags:
            return f"{text} USING {', '.join(options)}"
        line = f"\n{self.layout.indent}"
        return f"{text} USING{line}{f',{line}'.join(options)}"

    def _option(self, key: str) -> str:
        return ".".join(map(self.name, key.split(".")))

    @statement.register
    def _(self, security: RowSecurity) -> str:
        modes = ", ".join(f"{mode} ROW LEVEL SECURITY" for mode in security.modes)
        return f"ALTER TABLE {self.object_name(security.table)} {modes}"

    @statement.register
    def _(self, policy: Policy) -> str:
        text = f"CREATE POLICY {self.name(policy.name)} ON {self.object_name(policy.table)}"
        if policy.kind is not None:
            text += f" AS {policy.kind}"
        if policy.command is not None:
            text += f" FOR {policy.command}"
        if policy.roles:
            text += f" TO {', '.join(map(self._role, policy.roles))}"
        if policy.using is not None:
            text += f" USING ({policy.using})"
        if policy.check is not None:
            text += f" WITH CHECK ({policy.check})"
        return text

    def _role(self, role: str) -> str:
        return role if role in {"CURRENT_USER", "SESSION_USER", "CURRENT_ROLE"} else self.name(role)

    @statement.register
    def _(self, opaque: Opaque) -> str:
        return opaque.text

"""Was a statement applied whose answer never came? Told by the catalog, from what the statement would have made.

It is asked about a statement whose predecessors are all applied and whose successors aren't, so that a table that is
there was made by the ``CREATE TABLE`` in question. A statement that does the same when it is sent again is sent again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy.engine import Connection

from alembic_cluster.gate import OWN
from alembic_cluster.statements import Effect
from alembic_cql.effects import read_statements
from alembic_cql.splitting import read_name

# What a second INSERT, UPDATE or DELETE adds to: counters, lists, and values that the server makes up.
_ADDS: Final = re.compile(r'("[^"]+"|\w+)\s*(?:=\s*(?:\1\s*[+-](?!\s*\{)|\[[^\]]*\]\s*\+)|[+-]=(?!\s*\{))')
_MADE_UP: Final = re.compile(r"\b(now|uuid|current_?timeuuid|current_?timestamp)\s*\(", re.IGNORECASE)
_ELEMENT: Final = re.compile(r"\bDELETE\s+[^;]*\[", re.IGNORECASE)

#: Where the catalog keeps objects of each kind: table, and the column with their names.
_CATALOGS: Final[Mapping[str, tuple[str, str]]] = {
    "keyspace": ("keyspaces", ""),
    "table": ("tables", "table_name"),
    "materialized view": ("views", "view_name"),
    "type": ("types", "type_name"),
    "function": ("functions", "function_name"),
    "aggregate": ("aggregates", "aggregate_name"),
}
#: What is the same after it was done twice, as long as nobody else changes it between.
_REPEATABLE: Final = frozenset(
    {"alter options", "alter keyspace", "alter materialized view", "alter role", "alter user", "grant", "revoke",
     "alter column", "alter column type", "set row ttl", "drop compact storage", "comment", "alter table",
     "backfill", "copy"}
)  # fmt: skip


def was_applied(connection: Connection, text: str) -> bool | None:
    """Look whether a statement was applied.

    :param text: the statement as it was sent.
    :return: None when that can't be told and sending it again could do something twice; False also for a statement
        that may be sent again whatever came of it.
    :raises sqlalchemy.exc.DBAPIError: the catalog can't be read.
    """
    look = Look(connection)
    answers = {look.at(effect, text) for statement in read_statements(text) for effect in statement.effects}
    answers.discard(True)
    if not answers:
        return True
    return None if None in answers else False


class Look:
    """Reads the catalog on a run's connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        dialect: Any = connection.dialect
        self._keyspace: str = dialect.default_schema_name or ""

    def at(self, effect: Effect, text: str) -> bool | None:
        """Tell whether one effect of a statement is to be seen."""
        verb, _, what = effect.kind.partition(" ")
        if effect.kind in ("insert", "update", "delete", "batch"):
            return self._rows(effect, text)
        if effect.kind == "truncate":
            return self._ask(f"SELECT * FROM {self._quoted(effect.table)} LIMIT 1") == []
        if effect.kind in _COLUMNS:
            return _COLUMNS[effect.kind](self._column_names(effect.table), effect)
        if effect.kind == "column":  # of a table that is asked about itself
            return True
        if effect.kind in ("add field", "rename field"):
            fields = self._fields(effect.name.rpartition(".")[0])
            return (effect.name.rpartition(".")[2] in fields) == (verb == "add")
        if effect.kind in _REPEATABLE or "or replace" in effect.traits:
            return False
        if what == "index":
            return (self.index_name(effect) is not None) == (verb == "create")
        if what in _CATALOGS and verb in ("create", "drop"):
            return self._has(what, effect.name) == (verb == "create")
        if what in ("role", "user") and verb in ("create", "drop"):
            rows = self._ask("SELECT role FROM system_auth.roles WHERE role = ?", effect.name)
            return bool(rows) == (verb == "create")
        return None

    def _rows(self, effect: Effect, text: str) -> bool | None:
        """A change of rows is sent again, unless it would add to what is there."""
        if "conditional" in effect.traits:
            return False
        if "counter batch" in effect.traits or _MADE_UP.search(text) or _ELEMENT.search(text):
            return None
        adding = {read_name(match[1]) for match in _ADDS.finditer(text)}
        if not adding:
            return False
        keyspace, table = self.path(effect.table)
        rows = self._ask(
            "SELECT column_name, type FROM system_schema.columns WHERE keyspace_name = ? AND table_name = ?",
            keyspace,
            table,
        )
        kept_apart = {name for name, type_ in rows if type_.startswith(("set<", "map<"))}
        return False if adding <= kept_apart else None

    def _has(self, kind: str, name: str) -> bool:
        catalog, column = _CATALOGS[kind]
        if not column:
            query = f"SELECT keyspace_name FROM system_schema.{catalog} WHERE keyspace_name = ?"
            return bool(self._ask(query, name))
        keyspace, plain = self.path(name)
        query = f"SELECT {column} FROM system_schema.{catalog} WHERE keyspace_name = ? AND {column} = ?"
        return bool(self._ask(query, keyspace, plain))

    def index_name(self, effect: Effect) -> str | None:
        """Find the index that a ``CREATE INDEX`` makes, or that a ``DROP INDEX`` drops; None when it isn't there."""
        keyspace, name = self.path(effect.name or effect.table)
        rows = self._ask(
            "SELECT table_name, index_name, options FROM system_schema.indexes WHERE keyspace_name = ?", keyspace
        )
        if name and effect.name:
            return next((index for _, index, _ in rows if index == name), None)
        # The server names an index without a name after table and column.
        table = self.path(effect.table)[1]
        column = _plain_target(effect.values["columns"])
        return next(
            (index for of, index, options in rows if (of, _plain_target(options.get("target", ""))) == (table, column)),
            None,
        )

    def _column_names(self, table: str) -> set[str]:
        keyspace, name = self.path(table)
        query = "SELECT column_name FROM system_schema.columns WHERE keyspace_name = ? AND table_name = ?"
        return {column for (column,) in self._ask(query, keyspace, name)}

    def _fields(self, name: str) -> set[str]:
        keyspace, plain = self.path(name)
        query = "SELECT field_names FROM system_schema.types WHERE keyspace_name = ? AND type_name = ?"
        return {field for (fields,) in self._ask(query, keyspace, plain) for field in fields}

    def path(self, name: str) -> tuple[str, str]:
        """Take a name apart into keyspace, the connection's unless it names one, and the plain name."""
        keyspace, dot, plain = name.rpartition(".")
        return (keyspace, plain) if dot else (self._keyspace, name)

    def _quoted(self, name: str) -> str:
        return ".".join('"' + part.replace('"', '""') + '"' for part in self.path(name) if part)

    def _ask(self, query: str, *values: Any) -> list[Any]:
        rows = self._connection.exec_driver_sql(query, values or None, execution_options={OWN: True})
        return list(rows)


def _plain_target(target: str) -> str:
    """Give what an index is on, however it is spelled: ``values(a)`` is what the catalog has for ``a`` of a list."""
    return re.sub(r'\s|"|^values\(|\)$', "", target, flags=re.IGNORECASE).lower()


_COLUMNS: Final[Mapping[str, Callable[[set[str], Effect], bool]]] = {
    "add column": lambda names, effect: effect.column in names,
    "drop column": lambda names, effect: effect.column not in names,
    "rename column": lambda names, effect: effect.values["to"] in names and effect.column not in names,
}

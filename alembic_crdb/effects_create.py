"""What CREATE does on CockroachDB: tables with their columns, indexes, views and the rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from alembic_cluster.statements import Cost, Effect, Known
from alembic_cluster.words import Words
from alembic_crdb.versions import VECTOR_INDEX_ONLINE

#: The words that end a column's type.
_BEHIND_TYPE: Final = frozenset(
    {
        "NOT", "NULL", "DEFAULT", "PRIMARY", "UNIQUE", "CHECK", "REFERENCES", "CONSTRAINT", "FAMILY", "AS",
        "GENERATED", "ON", "VISIBLE", "CREATE", "COLLATE", "USING", "STORED", "VIRTUAL"
    }
)  # fmt: skip
_NOT_A_COLUMN: Final = frozenset(
    {"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "INDEX", "INVERTED", "VECTOR", "FAMILY", "EXCLUDE", "LIKE"}
)


def created(kind: str, words: Words, traits: frozenset[str]) -> list[Effect]:
    """Read what follows ``CREATE kind [IF NOT EXISTS]``.

    :param kind: in lower case, such as ``table``.
    :param traits: what was said before.
    """
    if kind == "trigger":
        return [Effect("create trigger", words.name(), traits=traits)]
    name = words.path().removeprefix("public.")
    if kind == "table":
        return [*_created_table(words, name, traits)]
    cost = Cost.VIEW_BUILD if kind == "materialized view" else Cost.METADATA
    table = words.path().removeprefix("public.") if kind in ("policy", "statistics") and words.accept("ON") else ""
    if kind == "statistics":
        cost = Cost.VALIDATION
    return [Effect(f"create {kind}", name, table, cost=cost, traits=traits)]


def _created_table(words: Words, name: str, traits: frozenset[str]) -> Iterator[Effect]:
    if words.accept("AS") or (words.peek() == "(" and words.has("AS")):
        yield Effect("create table", name, name, cost=Cost.VIEW_BUILD, traits=traits | {"as"})
        return
    found = set(traits)
    key = ""
    columns: list[Effect] = []
    elements = words.group().parts()
    for element in elements:
        if element.peek() in _NOT_A_COLUMN:
            constraint = _constraint(element)
            found |= constraint.traits
            if "primary key" in constraint.traits:
                key = constraint.values.get("columns", "")
                found |= {"hash key"} if "hash" in constraint.traits else set()
        else:
            column = read_column(element, name)
            columns.append(column)
            key = column.column if "primary key" in column.traits else key
            found |= {trait for trait in column.traits if trait in ("primary key", "references")}
    if words.accept("WITH"):
        found |= {f"with {part.name().lower()}" for part in words.group().parts()}
    if words.accept("LOCALITY"):
        found.add("locality")
    if not elements:
        found.add("no columns")
    yield Effect("create table", name, name, traits=frozenset(found), values={"key": key})
    yield from columns


def _constraint(words: Words) -> Effect:
    """Read a constraint or index of a table, its name included."""
    name = ""
    if words.accept("CONSTRAINT"):
        words.accept("IF", "NOT", "EXISTS")
        name = words.name()
    kind = words.take().upper()
    traits = {f"{kind} {words.take()}".lower()} if kind in ("PRIMARY", "FOREIGN") else {kind.lower()}
    values = {}
    if words.peek() == "(":
        values["columns"] = words.group().text()
    traits |= {"not valid"} if words.has("NOT", "VALID") else set()
    traits |= {"deferrable"} if words.has("DEFERRABLE") and not words.has("NOT", "DEFERRABLE") else set()
    traits |= {"hash"} if words.has("USING", "HASH") else set()
    return Effect("constraint", name, traits=frozenset(traits), values=values)


def read_constraint(words: Words, table: str) -> Effect:
    """Read the constraint that ``ALTER TABLE .. ADD`` adds."""
    found = _constraint(words)
    costs = {"primary key": Cost.REWRITE, "unique": Cost.BACKFILL}
    cost = next((cost for trait, cost in costs.items() if trait in found.traits), Cost.VALIDATION)
    if "not valid" in found.traits:
        cost = Cost.METADATA
    path = f"{table}@{found.name}" if found.name else table
    return Effect("add constraint", path, table, cost=cost, traits=found.traits, values=found.values)


def read_column(words: Words, table: str) -> Effect:
    """Read one column: its name, type and properties, in a new table or behind ``ADD COLUMN``."""
    name = words.name()
    begin = words.at
    while not words.done() and (words.peek() not in _BEHIND_TYPE or words.at == begin):
        if words.peek() == "NOT" and words.peek(1) == "VISIBLE":
            break
        words.take() if words.peek() != "(" else words.group()
    type_ = Words(words.tokens[begin : words.at], words.name_reader).text()
    traits = {
        trait.lower()
        for trait in ("NOT NULL", "PRIMARY KEY", "UNIQUE", "REFERENCES", "STORED", "VIRTUAL", "CHECK", "AS IDENTITY")
        if words.has(*trait.split())
    }
    values = {"type": type_}
    at = words.find("DEFAULT")
    if at is not None and words.find("BY", "DEFAULT") != at - 1:
        traits.add("default")
        values["default"] = Words(words.tokens[at + 1 :], words.name_reader).text()
        if words.tokens[at + 1 : at + 2] == ["NULL"]:
            traits.discard("default")
    if words.has("ON", "UPDATE") and not words.has("REFERENCES"):
        traits.add("on update")
    if type_.upper().startswith(("SERIAL", "BIGSERIAL", "SMALLSERIAL")):
        traits |= {"serial", "default"}
    if words.has("AS") and not words.has("STORED") and not words.has("AS", "IDENTITY"):
        traits.add("virtual")
    return Effect("column", f"{table}.{name}", table, name, traits=frozenset(traits), values=values)


def made_index(words: Words, traits: frozenset[str], known: Known, version: tuple[int, int]) -> Effect:
    """Read what follows ``CREATE .. INDEX``."""
    found = set(traits)
    if words.accept("CONCURRENTLY"):
        found.add("concurrently")
    if words.accept("IF", "NOT", "EXISTS"):
        found.add("if not exists")
    name = "" if words.peek() == "ON" else words.name()
    words.accept("ON")
    table = words.path().removeprefix("public.")
    if words.accept("USING"):
        method = words.take().lower()
        found |= {"vector"} if method in ("cspann", "hnsw") else {"inverted"} if method == "gin" else set()
    columns = words.group()
    first = columns.parts()[0].name() if columns.tokens else ""
    found |= {"hash"} if words.has("USING", "HASH") else set()
    found |= {"partial"} if words.has("WHERE") else set()
    values = {"columns": columns.text(), "first": first}
    blocks = ""
    if "vector" in found and not VECTOR_INDEX_ONLINE.on(version):
        blocks = "writes to the table are refused until the vector index is built (before v25.4)"
    path = f"{table}@{name}" if name else table
    return Effect(
        "create index", path, table, cost=Cost.BACKFILL, blocks=blocks, traits=frozenset(found), values=values
    )

"""What ALTER TABLE does on CockroachDB, command by command."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from alembic_cluster.statements import Cost, Effect, Known
from alembic_cluster.words import Words
from alembic_crdb.effects_create import read_column, read_constraint
from alembic_crdb.narrowing import holds_anything, narrows
from alembic_crdb.types import canonical

#: The storage parameters that say which rows row-level TTL deletes (documentation, page "Row-Level TTL").
_TTL: Final = ("ttl_expire_after", "ttl_expiration_expression")
#: Commands that can't stand beside others in one ALTER TABLE (documentation, page "ALTER TABLE").
ALONE: Final = frozenset({"configure zone", "alter owner", "rename table", "set locality", "set schema", "split"})


def altered_table(words: Words, table: str, known: Known, traits: frozenset[str]) -> list[Effect]:
    """Read the commands behind ``ALTER TABLE [IF EXISTS] name``.

    :param table: the table's path.
    :param known: for the types that columns have had.
    :param traits: ``if exists`` when it was said.
    """
    commands = words.parts()
    found = [effect for command in commands for effect in _command(command, table, known)]
    if len(commands) > 1:
        traits = traits | {"combined"}
    if traits:
        found = [replace(effect, traits=effect.traits | traits) for effect in found]
    return found or [Effect("alter table", table, table)]


def _command(words: Words, table: str, known: Known) -> Iterator[Effect]:
    verb = words.one_of("ADD", "DROP", "ALTER", "RENAME", "SET", "RESET", "VALIDATE", "CONFIGURE", "OWNER", "SPLIT")
    if verb == "ADD":
        yield _add(words, table)
    elif verb == "DROP":
        yield _drop(words, table)
    elif verb == "ALTER" and words.accept("PRIMARY", "KEY"):
        keys = words.has("USING", "HASH")
        yield Effect("alter primary key", table, table, cost=Cost.REWRITE, traits=frozenset({"hash"} if keys else ()))
    elif verb == "ALTER":
        words.accept("COLUMN")
        yield _alter_column(words, table, words.name(), known)
    elif verb == "RENAME":
        yield _rename(words, table)
    elif verb == "SET":
        yield from _set(words, table)
    elif verb == "RESET":
        yield Effect("reset parameters", table, table, values={"parameters": words.group().text()})
    elif verb == "VALIDATE":
        words.accept("CONSTRAINT")
        yield Effect("validate constraint", f"{table}@{words.name()}", table, cost=Cost.VALIDATION)
    elif verb == "CONFIGURE":
        yield Effect("configure zone", table, table)
    elif verb == "OWNER":
        yield Effect("alter owner", table, table)
    elif words.accept("PARTITION"):
        yield Effect("partition table", table, table, cost=Cost.METADATA)
    else:
        yield Effect("split" if verb == "SPLIT" else "alter table", table, table)


def _add(words: Words, table: str) -> Effect:
    if words.peek() in ("CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "EXCLUDE"):
        return read_constraint(words, table)
    words.accept("COLUMN")
    traits = frozenset({"if not exists"} if words.accept("IF", "NOT", "EXISTS") else ())
    column = read_column(words, table)
    traits |= column.traits
    # Without a default, a column is metadata (documentation, page "ALTER TABLE", ADD COLUMN).
    fills = traits & {"default", "stored", "unique", "primary key", "as identity"}
    fills |= traits & {"not null"} if "virtual" not in traits else set()
    cost = Cost.BACKFILL if fills else Cost.VALIDATION if traits & {"check", "references"} else Cost.METADATA
    return Effect("add column", column.name, table, column.column, cost=cost, traits=traits, values=column.values)


def _drop(words: Words, table: str) -> Effect:
    if words.accept("CONSTRAINT"):
        exists = words.accept("IF", "EXISTS")
        name = words.name()
        return Effect("drop constraint", f"{table}@{name}", table, traits=frozenset({"if exists"} if exists else ()))
    words.accept("COLUMN")
    traits = {"if exists"} if words.accept("IF", "EXISTS") else set()
    name = words.name()
    traits |= {"cascade"} if words.accept("CASCADE") else set()
    return Effect(
        "drop column",
        f"{table}.{name}",
        table,
        name,
        destructive="all values of the column are deleted",
        cost=Cost.BACKFILL,
        traits=frozenset(traits),
    )


def _alter_column(words: Words, table: str, column: str, known: Known) -> Effect:
    path = f"{table}.{column}"
    if words.accept("SET", "DATA", "TYPE") or words.accept("TYPE"):
        return _alter_type(words, table, column, known)
    changes = {
        ("SET", "NOT", "NULL"): ("set not null", Cost.VALIDATION),
        ("DROP", "NOT", "NULL"): ("drop not null", Cost.METADATA),
        ("SET", "DEFAULT"): ("set default", Cost.METADATA),
        ("DROP", "DEFAULT"): ("drop default", Cost.METADATA),
        ("SET", "ON", "UPDATE"): ("set on update", Cost.METADATA),
        ("DROP", "ON", "UPDATE"): ("drop on update", Cost.METADATA),
        ("DROP", "STORED"): ("drop stored", Cost.METADATA),
        ("SET", "VISIBLE"): ("set visible", Cost.METADATA),
        ("SET", "NOT", "VISIBLE"): ("set not visible", Cost.METADATA),
        ("ADD", "GENERATED"): ("add identity", Cost.METADATA),
        ("DROP", "IDENTITY"): ("drop identity", Cost.METADATA),
    }
    for said, (kind, cost) in changes.items():
        if words.accept(*said):
            return Effect(kind, path, table, column, cost=cost)
    return Effect("alter column", path, table, column)


def _alter_type(words: Words, table: str, column: str, known: Known) -> Effect:
    begin = words.at
    while not words.done() and words.peek() not in ("USING", "COLLATE"):
        words.take() if words.peek() != "(" else words.group()
    new = Words(words.tokens[begin : words.at], words.name_reader).text()
    traits = frozenset({"using"} if words.has("USING") else ())
    old = known.column_type(table, column)
    values = {"type": new} if old is None else {"type": new, "from": old}
    lost = ""
    if old is not None and narrows(old, new):
        lost = f"{new} does not hold every value of {old}"
    elif old is None and not holds_anything(new):
        lost = f"{new} may not hold every value that is there; what type the column has had is not known here"
    same_bytes = old is not None and not lost and _same_storage(old, new)
    return Effect(
        "alter column type",
        f"{table}.{column}",
        table,
        column,
        destructive=lost,
        cost=Cost.METADATA if same_bytes else Cost.REWRITE,
        traits=traits,
        values=values,
    )


def _same_storage(old: str, new: str) -> bool:
    """Tell whether a type is only widened, which rewrites nothing (documentation, page "ALTER COLUMN")."""
    before, after = (canonical(text).partition("(")[0] for text in (old, new))
    integers = {"INT2", "INT4", "INT8", "INT"}
    return before == after or {before, after} <= integers


def _rename(words: Words, table: str) -> Effect:
    if words.accept("TO"):
        return Effect("rename table", table, table, values={"to": words.path().removeprefix("public.")})
    if words.accept("CONSTRAINT"):
        name = words.name()
        words.accept("TO")
        return Effect("rename constraint", f"{table}@{name}", table, values={"to": words.name()})
    words.accept("COLUMN")
    name = words.name()
    words.accept("TO")
    return Effect("rename column", f"{table}.{name}", table, name, values={"to": words.name()})


def _set(words: Words, table: str) -> Iterator[Effect]:
    if words.accept("SCHEMA"):
        yield Effect("set schema", table, table, values={"to": words.name()})
        return
    if words.accept("LOCALITY"):
        by_row = words.has("BY", "ROW")
        yield Effect(
            "set locality",
            table,
            table,
            cost=Cost.REWRITE if by_row else Cost.METADATA,
            values={"locality": words.text().upper()},
        )
        return
    parameters = {part.peek().strip('"').lower(): part for part in words.group().parts()}
    lost = ""
    if any(name in parameters for name in _TTL):
        lost = "row-level TTL deletes the rows that are there and older than it says"
    text = ", ".join(part.text() for part in parameters.values())
    rewrite = Cost.REWRITE if "ttl_expire_after" in parameters else Cost.METADATA
    yield Effect(
        "set parameters",
        table,
        table,
        destructive=lost,
        cost=rewrite,
        traits=frozenset(f"with {name}" for name in parameters),
        values={"parameters": text},
    )

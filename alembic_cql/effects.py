"""What a statement does on Cassandra and ScyllaDB: the object, what is lost, what it costs.

No statement of CQL makes writes wait. Sources: Cassandra's documentation, chapter "Data Definition", and ScyllaDB's
of the same name; costs beyond metadata have their source beside them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from alembic_cluster.errors import UnreadableScript
from alembic_cluster.statements import Cost, Effect, Known, Statement, in_order
from alembic_cluster.words import Words
from alembic_cql.splitting import read_name, split_tokens

_DANGEROUS: Final = re.compile(r"\b(DROP|TRUNCATE)\b", re.IGNORECASE)
_KINDS: Final[Mapping[tuple[str, ...], str]] = {
    ("MATERIALIZED", "VIEW"): "materialized view",
    ("CUSTOM", "INDEX"): "index",
    ("COLUMNFAMILY",): "table",
    ("SCHEMA",): "keyspace",
    ("SERVICE", "LEVEL"): "service level",
    ("SERVICE_LEVEL",): "service level",
}

#: What is lost with an object; an object that isn't here holds no data.
LOST: Final[Mapping[str, str]] = {
    "keyspace": "all tables and rows of the keyspace are deleted",
    "table": "all rows of the table are deleted",
    "type": "the type and the names of its fields are lost",
    "materialized view": "the stored rows of the view are deleted; making it again builds it from all rows",
    "index": "the index is deleted: queries by its column are refused, and making it again reads all rows",
}


def read_statements(text: str, known: Known | None = None) -> list[Statement]:
    """Read a text of one or more statements.

    :param text: CQL, also with ``%(name)s`` or ``?`` in place of values.
    :param known: what came before in the revision; it learns what these statements change.
    """
    known = Known() if known is None else known
    try:
        found = split_tokens(text)
    except UnreadableScript:
        word = _DANGEROUS.search(text)
        lost = f"the text can't be read, and {word[0].upper()} stands in it" if word else ""
        return [Statement(text.strip(), (Effect("unreadable", destructive=lost, cost=Cost.ROWS),))]
    return [Statement(text, in_order(effects_of(Words(tokens, read_name), known), known)) for text, tokens in found]


def effects_of(words: Words, known: Known) -> list[Effect]:
    """Read one statement.

    :param words: all of its tokens.
    """
    verb = words.take().upper()
    if verb in _VERBS:
        return _VERBS[verb](words, known)
    if verb in ("SELECT", "DESCRIBE", "DESC", "LIST"):
        traits = frozenset({"allow filtering"} if words.has("ALLOW", "FILTERING") else ())
        return [Effect(verb.lower(), cost=Cost.NOTHING, traits=traits)]
    if verb == "USE":
        return [Effect("use", words.name(), cost=Cost.NOTHING)]
    if verb == "BACKFILL":  # op.backfill's own words
        table = words.name()
        return [Effect("backfill", table, table, cost=Cost.ROWS)]
    return [Effect(verb.lower())]


def _kind_of(words: Words) -> str:
    for long, kind in _KINDS.items():
        if words.accept(*long):
            return kind
    return words.take().lower()


# ------------------------------------------------------------------------------------------------- DROP, TRUNCATE


def _drop(words: Words, known: Known) -> list[Effect]:
    kind = _kind_of(words)
    traits = frozenset({"if exists"} if words.accept("IF", "EXISTS") else ())
    name = words.path()
    table = name if kind == "table" else ""
    return [Effect(f"drop {kind}", name, table, destructive=LOST.get(kind, ""), traits=traits)]


def _truncate(words: Words, known: Known) -> list[Effect]:
    words.accept("TABLE") or words.accept("COLUMNFAMILY")
    table = words.path()
    return [Effect("truncate", table, table, destructive="all rows of the table are deleted, on every node")]


# -------------------------------------------------------------------------------------------------------- ALTER


def _alter(words: Words, known: Known) -> list[Effect]:
    kind = _kind_of(words)
    traits = frozenset({"if exists"} if words.accept("IF", "EXISTS") else ())
    name = words.path()
    if kind == "table":
        return _alter_table(words, name, traits, known) or [Effect("alter table", name, name)]
    if kind == "type":
        return [_alter_type(words, name)]
    options = _options(words)
    if kind == "keyspace":
        # Replicas that are new get their rows by nodetool rebuild or repair only (Cassandra, "Adding a datacenter").
        return [Effect("alter keyspace", name, traits=_keyspace_traits(options), values=options)]
    return [Effect(f"alter {kind}", name, values=options)]


def _alter_table(words: Words, table: str, traits: frozenset[str], known: Known) -> list[Effect]:
    if words.accept("ADD"):
        if words.accept("IF", "NOT", "EXISTS"):
            traits |= {"if not exists"}
        inside = words.group() if words.peek() == "(" else words
        return [_column("add column", part, table, traits) for part in inside.parts(angles=True)]
    if words.accept("DROP"):
        if words.accept("COMPACT", "STORAGE"):
            return [Effect("drop compact storage", table=table)]
        if words.accept("IF", "EXISTS"):
            traits |= {"if exists"}
        inside = words.group() if words.peek() == "(" else words
        lost = "all values of the column are deleted"
        return [
            Effect(
                "drop column",
                f"{table}.{name}",
                table,
                name,
                destructive=lost,
                traits=traits,
                values={"had": known.column_type(table, name) or ""},
            )
            for name in inside.names()
        ]
    if words.accept("RENAME"):
        words.accept("IF", "EXISTS")
        found = []
        for part in words.parts("AND"):
            name = part.name()
            part.accept("TO")
            found.append(Effect("rename column", f"{table}.{name}", table, name, values={"to": part.name()}))
        return found
    if words.accept("ALTER"):
        return _alter_column(words, table, known)
    if words.accept("WITH"):
        return _with_options(words, table)
    if words.accept("TTL"):
        column = words.name()
        lost = "" if column == "null" else f"rows are deleted at the time that their column {column} says"
        return [Effect("set row ttl", table, table, column, destructive=lost)]
    return []


def _alter_column(words: Words, table: str, known: Known) -> list[Effect]:
    words.accept("IF", "EXISTS")
    column = words.name()
    if words.accept("TYPE"):
        new = words.text()
        old = known.column_type(table, column)
        values = {"type": new} if old is None else {"type": new, "from": old}
        return [Effect("alter column type", f"{table}.{column}", table, column, values=values)]
    return [Effect("alter column", f"{table}.{column}", table, column)]


def _alter_type(words: Words, name: str) -> Effect:
    if words.accept("ADD"):
        words.accept("IF", "NOT", "EXISTS")
        field = words.name()
        return Effect("add field", f"{name}.{field}", values={"type": words.text()})
    if words.accept("RENAME"):
        words.accept("IF", "EXISTS")
        return Effect("rename field", f"{name}.{words.name()}")
    return Effect("alter type", name)


def _with_options(words: Words, table: str) -> list[Effect]:
    options = _options(words)
    cost = Cost.METADATA
    if "compaction" in options:
        cost = Cost.REWRITE  # SSTables are compacted anew by the new strategy (Cassandra, page "Compaction")
    found = Effect(
        "alter options", table, table, cost=cost, values=options, traits=frozenset(f"with {name}" for name in options)
    )
    ttl = options.get("default_time_to_live", "0")
    if ttl == "0":
        return [found]
    lost = f"rows that are written from then on are deleted after {ttl} seconds, unless their statement says otherwise"
    return [Effect(found.kind, table, table, "", lost, cost, "", found.traits, options)]


def _options(words: Words) -> dict[str, str]:
    """Read ``name = value AND ..``; values as they were written."""
    words.accept("WITH")
    found = {}
    for part in words.parts("AND"):
        name = part.name()
        part.accept("=")
        found[name] = part.text()
    return found


# ------------------------------------------------------------------------------------------------------ CREATE


def _create(words: Words, known: Known) -> list[Effect]:
    traits = {"or replace"} if words.accept("OR", "REPLACE") else set()
    custom = words.peek() == "CUSTOM"
    kind = _kind_of(words)
    if words.accept("IF", "NOT", "EXISTS"):
        traits.add("if not exists")
    if kind == "index":
        return [_create_index(words, frozenset(traits | ({"custom"} if custom else set())))]
    name = words.path()
    if kind == "table":
        return _create_table(words, name, frozenset(traits))
    if kind == "materialized view":
        base = ""
        at = words.find("FROM")
        if at is not None:
            words.at = at + 1
            base = words.path()
        return [Effect("create materialized view", name, base, cost=Cost.VIEW_BUILD, traits=frozenset(traits))]
    if kind == "keyspace":
        options = _options(words)
        return [Effect("create keyspace", name, traits=frozenset(traits) | _keyspace_traits(options), values=options)]
    if kind == "type":
        return [Effect("create type", name, traits=frozenset(traits), values={"fields": words.group().text()})]
    return [Effect(f"create {kind}", name, traits=frozenset(traits))]


def _keyspace_traits(options: Mapping[str, str]) -> frozenset[str]:
    replication = options.get("replication", "")
    said = {"SimpleStrategy": "simple strategy", "NetworkTopologyStrategy": "network topology strategy"}
    traits = {trait for word, trait in said.items() if word in replication}
    if options.get("durable_writes", "").lower() == "false":
        traits.add("not durable")
    return frozenset(traits | {f"with {name}" for name in options})


def _create_index(words: Words, traits: frozenset[str]) -> Effect:
    name = "" if words.peek() == "ON" else words.name()
    words.accept("ON")
    table = words.path()
    target = words.group().text()
    keyspace, dot, _ = table.rpartition(".")
    values = {"columns": target, "using": words.take().strip("'") if words.accept("USING") else ""}
    return Effect("create index", f"{keyspace}{dot}{name}", table, cost=Cost.BACKFILL, traits=traits, values=values)


def _create_table(words: Words, name: str, traits: frozenset[str]) -> list[Effect]:
    if words.accept("LIKE"):
        return [Effect("create table", name, name, traits=traits | {"like"})]
    columns: list[Effect] = []
    key = ""
    for part in words.group().parts(angles=True):
        if part.accept("PRIMARY", "KEY"):
            key = part.group().text()
            continue
        column = _column("column", part, name, frozenset())
        if "primary key" in column.traits:
            key = column.column
        columns.append(column)
    options = {}
    if words.accept("WITH"):
        for part in words.parts("AND"):
            if part.accept("CLUSTERING", "ORDER", "BY"):
                options["clustering order"] = part.group().text()
            elif part.accept("COMPACT", "STORAGE"):
                traits |= {"compact storage"}
            else:
                options |= _options(part)
    partition, clustering = _read_key(key)
    values = {"key": key, "partition": ", ".join(partition), "clustering": ", ".join(clustering)} | options
    traits |= {f"with {option}" for option in options}
    return [Effect("create table", name, name, traits=traits, values=values), *columns]


def _read_key(key: str) -> tuple[list[str], list[str]]:
    """Take the text of a primary key apart into partition key and clustering columns."""
    tokens = split_tokens(key)
    parts = Words(tokens[0][1] if tokens else [], read_name).parts()
    if not parts:
        return [], []
    first = parts[0].group().names() if parts[0].peek() == "(" else [parts[0].name()]
    return first, [part.name() for part in parts[1:]]


def _column(kind: str, words: Words, table: str, traits: frozenset[str]) -> Effect:
    name = words.name()
    begin = words.at
    while not words.done() and words.peek() not in ("STATIC", "PRIMARY", "MASKED", "CHECK"):
        words.take()
    type_ = Words(words.tokens[begin : words.at], words.name_reader).text()
    for spaced, tight in ((" <", "<"), ("< ", "<"), (" >", ">")):
        type_ = type_.replace(spaced, tight)
    traits |= {"static"} if words.has("STATIC") else set()
    traits |= {"primary key"} if words.has("PRIMARY", "KEY") else set()
    return Effect(kind, f"{table}.{name}", table, name, traits=traits, values={"type": type_.lower()})


# -------------------------------------------------------------------------------------------------------- rows


def _insert(words: Words, known: Known) -> list[Effect]:
    words.accept("INTO")
    return [_rows("insert", words.path(), words)]


def _update(words: Words, known: Known) -> list[Effect]:
    return [_rows("update", words.path(), words)]


def _delete(words: Words, known: Known) -> list[Effect]:
    at = words.find("FROM")
    if at is not None:
        words.at = at + 1
    return [_rows("delete", words.path(), words)]


def _rows(kind: str, table: str, words: Words) -> Effect:
    traits = {"conditional"} if words.has("IF") else set()
    traits |= {"ttl"} if words.has("TTL") else set()
    return Effect(kind, table, table, cost=Cost.ROWS, traits=frozenset(traits))


def _begin(words: Words, known: Known) -> list[Effect]:
    """Read a batch: the statements in it, each with the trait ``batch``."""
    kind = "logged"
    while not words.done() and words.peek() not in _ROWS:
        kind = {"UNLOGGED": "unlogged", "COUNTER": "counter"}.get(words.take().upper(), kind)
    found = []
    current: list[str] = []
    for token in [*words.tokens[words.at :], "APPLY"]:
        starts = token.upper() in ("INSERT", "UPDATE", "DELETE", "APPLY")
        if starts and current and current[0].upper() in _ROWS:
            found += effects_of(Words(current, read_name), known)
            current = []
        if token != ";" and (current or token.upper() in _ROWS):
            current.append(token)
    traits = frozenset({"batch", f"{kind} batch"})
    return [
        Effect(effect.kind, effect.name, effect.table, cost=effect.cost, traits=effect.traits | traits)
        for effect in found
    ] or [Effect("batch", cost=Cost.ROWS, traits=traits)]


_ROWS: Final = ("INSERT", "UPDATE", "DELETE")
_Reader = Callable[[Words, Known], list[Effect]]
_VERBS: Final[Mapping[str, _Reader]] = {
    "ALTER": _alter,
    "BEGIN": _begin,
    "CREATE": _create,
    "DELETE": _delete,
    "DROP": _drop,
    "INSERT": _insert,
    "TRUNCATE": _truncate,
    "UPDATE": _update,
}

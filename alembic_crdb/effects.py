"""What a statement does on CockroachDB: the object, what is lost, what it costs, which writes wait.

Every schema change is online unless it says otherwise here (documentation, page "Online Schema Changes"): what the
costs stand for is on the page of each statement. A text that can't be read is taken for the worst that its words say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from alembic_cluster.errors import UnreadableDDL
from alembic_cluster.statements import Cost, Effect, Known, Statement, in_order
from alembic_cluster.words import Words
from alembic_crdb.effects_create import created, made_index
from alembic_crdb.effects_table import altered_table
from alembic_crdb.lexer import read_name, read_string
from alembic_crdb.statements import split_tokens
from alembic_crdb.versions import NEWEST

_NOTHING: Final = frozenset(
    {
        "SELECT", "SHOW", "VALUES", "TABLE", "SET", "RESET", "USE", "BEGIN", "START", "COMMIT", "END", "ROLLBACK",
        "ABORT", "SAVEPOINT", "RELEASE", "DISCARD", "DEALLOCATE", "FETCH", "CLOSE", "DECLARE", "MOVE", "LISTEN",
        "UNLISTEN", "CHECK"
    }
)  # fmt: skip
_DANGEROUS: Final = re.compile(r"\b(DROP|TRUNCATE|DELETE)\b", re.IGNORECASE)
_ALWAYS_TRUE: Final = frozenset({"TRUE", "( TRUE )", "1 = 1", "( 1 = 1 )", "(TRUE)", "(1 = 1)"})

_KINDS: Final[Mapping[tuple[str, ...], str]] = {
    ("MATERIALIZED", "VIEW"): "materialized view",
    ("EXTERNAL", "CONNECTION"): "external connection",
    ("VIRTUAL", "CLUSTER"): "virtual cluster",
    ("OWNED", "BY"): "owned objects",
    ("DEFAULT", "PRIVILEGES"): "default privileges",
}

#: What is lost with an object; an object that isn't here holds no data.
LOST: Final[Mapping[str, str]] = {
    "table": "all rows of the table are deleted",
    "database": "all schemas, tables and rows of the database are deleted",
    "schema": "all tables and rows of the schema are deleted",
    "materialized view": "the stored rows of the view are deleted; making it again computes all of them anew",
    "sequence": "the sequence's position is lost: made again, it gives out numbers that were given out before",
    "type": "the type and the names of its values are lost",
    "index": "the index is deleted: queries that use it read whole tables, a unique one no longer holds, "
    "and making it again reads all rows",
    "owned objects": "all tables and rows of these owners are deleted",
    "virtual cluster": "all data of the virtual cluster is deleted",
    "tenant": "all data of the tenant is deleted",
}


def read_statements(text: str, known: Known | None = None, version: tuple[int, int] = NEWEST) -> list[Statement]:
    """Read a text of one or more statements.

    :param text: SQL, also with ``%(name)s`` or ``:name`` in place of values.
    :param known: what came before in the revision; it learns what these statements change.
    :param version: the server's, such as ``(25, 2)``.
    """
    known = Known() if known is None else known
    try:
        found = split_tokens(text)
    except UnreadableDDL:
        return [Statement(text.strip(), (_unreadable(text),))]
    return [
        Statement(statement, in_order(effects_of(Words(tokens, read_name), known, version), known))
        for statement, tokens in found
    ]


def _unreadable(text: str) -> Effect:
    word = _DANGEROUS.search(text)
    lost = f"the text can't be read, and {word[0].upper()} stands in it" if word else ""
    return Effect("unreadable", destructive=lost, cost=Cost.ROWS)


def effects_of(words: Words, known: Known, version: tuple[int, int]) -> list[Effect]:
    """Read one statement.

    :param words: all of its tokens.
    """
    verb = words.peek()
    while verb == "(":  # (SELECT ..) UNION ..
        words.take()
        verb = words.peek()
    if verb in _VERBS:
        words.take()
        return _VERBS[verb](words, known, version)
    if verb in _NOTHING:
        return _read(words, verb)
    if verb == "BACKFILL":  # op.backfill's own words
        words.take()
        table = plain_path(words)
        return [Effect("backfill", table, table, cost=Cost.ROWS)]
    return [Effect(verb.lower(), cost=Cost.METADATA)]


def _read(words: Words, verb: str) -> list[Effect]:
    kind = verb.lower()
    if verb == "SELECT" and words.has("INTO"):
        kind = "select into"
        return [Effect(kind, cost=Cost.VIEW_BUILD)]
    if verb == "SET":
        return [Effect("set", name=words.tokens[1].lower() if len(words.tokens) > 1 else "", cost=Cost.NOTHING)]
    return [Effect(kind, cost=Cost.NOTHING)]


# ---------------------------------------------------------------------------------------------------- DROP, TRUNCATE


def kind_of(words: Words) -> str:
    """Step over the kind of an object, such as ``MATERIALIZED VIEW``, and give it in lower case."""
    for long, kind in _KINDS.items():
        if words.accept(*long):
            return kind
    return words.take().lower()


def plain_path(words: Words) -> str:
    """Read a path; the schema ``public`` is left out."""
    return words.path().removeprefix("public.")


def _drop(words: Words, known: Known, version: tuple[int, int]) -> list[Effect]:
    kind = kind_of(words)
    traits = {"concurrently"} if words.accept("CONCURRENTLY") else set()
    if words.accept("IF", "EXISTS"):
        traits.add("if exists")
    names: list[tuple[str, str]] = []  # each with its table
    while not words.done():
        path = plain_path(words)
        if words.accept("@"):
            names.append((f"{path}@{words.name()}", path))
        else:
            names.append((path, path if kind == "table" else ""))
        words.group()  # the arguments of a function
        if not words.accept(","):
            break
    if kind in ("trigger", "policy") and words.accept("ON"):
        names = [(name, plain_path(words)) for name, _ in names]
    traits |= {word.lower() for word in ("CASCADE", "RESTRICT") if words.accept(word)}
    lost = LOST.get(kind, "")
    return [
        Effect(f"drop {kind}", name, table, destructive=lost, traits=frozenset(traits))
        for name, table in names or [("", "")]
    ]


def _truncate(words: Words, known: Known, version: tuple[int, int]) -> list[Effect]:
    words.accept("TABLE")
    return [
        Effect("truncate", name, name, destructive="all rows of the table are deleted")
        for name in (path.removeprefix("public.") for path in words.paths())
    ]


# ------------------------------------------------------------------------------------------------------- ALTER


def _alter(words: Words, known: Known, version: tuple[int, int]) -> list[Effect]:
    kind = kind_of(words)
    traits = frozenset({"if exists"}) if words.accept("IF", "EXISTS") else frozenset()
    if kind == "table":
        return altered_table(words, plain_path(words), known, traits)
    if kind == "partition":
        return [Effect("configure zone", cost=Cost.METADATA)]
    name = plain_path(words)
    table = ""
    if words.accept("@"):
        table, name = name, f"{name}@{words.name()}"
    if kind == "type":
        return [_altered_type(words, name)]
    if words.accept("RENAME", "TO"):
        return [Effect(f"rename {kind}", name, table, traits=traits, values={"to": plain_path(words)})]
    if words.accept("CONFIGURE", "ZONE"):
        return [Effect("configure zone", name, table)]
    detail = " ".join(token.lower() for token in words.tokens[words.at : words.at + 2])
    return [Effect(f"alter {kind}", name, table, traits=traits, values={"change": detail})]


def _altered_type(words: Words, name: str) -> Effect:
    if words.accept("DROP", "VALUE"):
        lost = "the type has one value less; the server refuses it while a row holds the value"
        return Effect("drop value", name, destructive=lost, cost=Cost.VALIDATION, values={"value": words.take()})
    if words.accept("ADD", "VALUE"):
        words.accept("IF", "NOT", "EXISTS")
        return Effect("add value", name, values={"value": words.take()})
    if words.accept("RENAME", "VALUE"):
        return Effect("rename value", name, values={"value": words.take()})
    if words.accept("RENAME", "TO"):
        return Effect("rename type", name, values={"to": words.name()})
    return Effect("alter type", name)


# ------------------------------------------------------------------------------------------------------- rows


def _delete(words: Words, known: Known, version: tuple[int, int]) -> list[Effect]:
    return [*_inside(words, known, version), _deletion(words)]


def _deletion(words: Words) -> Effect:
    words.accept("FROM")
    words.accept("ONLY")
    table = plain_path(words)
    lost = "" if _has_condition(words) else "all rows of the table are deleted, for the DELETE has no WHERE"
    blocks = "writes to the table's rows wait until it commits" if lost else ""
    return Effect("delete", table, table, destructive=lost, cost=Cost.ROWS, blocks=blocks)


def _update(words: Words, known: Known, version: tuple[int, int]) -> list[Effect]:
    words.accept("ONLY")
    table = plain_path(words)
    whole = not _has_condition(words)
    return [
        *_inside(words, known, version),
        Effect(
            "update",
            table,
            table,
            cost=Cost.ROWS,
            blocks="writes to the table's rows wait until it commits" if whole else "",
            traits=frozenset({"whole table"} if whole else ()),
        ),
    ]


def _has_condition(words: Words) -> bool:
    at = words.find("WHERE")
    if at is None:
        return False
    stop = [
        place
        for word in (("RETURNING",), ("ORDER", "BY"), ("LIMIT",))
        if (place := words.find(*word)) is not None and place > at
    ]
    return " ".join(words.tokens[at + 1 : min(stop, default=len(words.tokens))]).upper() not in _ALWAYS_TRUE


def _insert(words: Words, known: Known, version: tuple[int, int]) -> list[Effect]:
    words.accept("INTO")
    table = plain_path(words)
    whole = words.has("SELECT") and not words.has("WHERE") and not words.has("LIMIT")
    traits = frozenset({"from a query"} if whole else ())
    return [*_inside(words, known, version), Effect("insert", table, table, cost=Cost.ROWS, traits=traits)]


def _with(words: Words, known: Known, version: tuple[int, int]) -> list[Effect]:
    found = _inside(words, known, version)
    words.accept("RECURSIVE")
    while not words.done():  # each query with a name: name [(columns)] AS [[NOT] MATERIALIZED] (query)
        words.name()
        words.group()
        if not words.accept("AS"):
            break
        words.accept("NOT")
        words.accept("MATERIALIZED")
        words.group()
        if not words.accept(","):
            break
    return [*found, *effects_of(words.rest(), known, version)]


def _inside(words: Words, known: Known, version: tuple[int, int]) -> list[Effect]:
    """Find the queries in brackets that change rows."""
    found: list[Effect] = []
    for index, token in enumerate(words.tokens[:-1]):
        if token == "(" and words.tokens[index + 1].upper() in ("DELETE", "UPDATE", "INSERT", "UPSERT", "TRUNCATE"):
            part = Words(words.tokens[index:], read_name).group()
            found += effects_of(part, known, version)
    return found


def _explain(words: Words, known: Known, version: tuple[int, int]) -> list[Effect]:
    runs = words.accept("ANALYZE") or words.accept("ANALYSE")
    if words.peek() == "(":
        runs = words.group().has("ANALYZE") or runs
    return effects_of(words.rest(), known, version) if runs else [Effect("explain", cost=Cost.NOTHING)]


def _prepare(words: Words, known: Known, version: tuple[int, int]) -> list[Effect]:
    words.name()
    words.group()
    if not words.accept("AS"):
        return [Effect("prepare", cost=Cost.NOTHING)]
    return effects_of(words.rest(), known, version)


def _do(words: Words, known: Known, version: tuple[int, int]) -> list[Effect]:
    """Read the body of an anonymous block, statement by statement from the first word that changes something."""
    body = next((token for token in words.tokens if token.startswith(("$", "'"))), "")
    try:
        statements = split_tokens(read_string(body))
    except (ValueError, UnreadableDDL):
        return [_unreadable(body)]
    found: list[Effect] = []
    for _, tokens in statements:
        begin = next((i for i, token in enumerate(tokens) if token.upper() in _CHANGING), None)
        if begin is not None:
            found += effects_of(Words(tokens[begin:], read_name), known, version)
        elif any(token.upper() == "EXECUTE" for token in tokens):
            found.append(_unreadable(" ".join(tokens)))
    return found or [Effect("do", cost=Cost.ROWS)]


_CHANGING: Final = frozenset({"DROP", "TRUNCATE", "DELETE", "ALTER", "UPDATE", "INSERT", "UPSERT", "CREATE", "WITH"})


def _copy(words: Words, known: Known, version: tuple[int, int]) -> list[Effect]:
    table = plain_path(words)
    return [Effect("copy", table, table, cost=Cost.ROWS)]


def _import(words: Words, known: Known, version: tuple[int, int]) -> list[Effect]:
    table = plain_path(words) if words.accept("INTO") else ""
    return [Effect("import", table, table, cost=Cost.ROWS, blocks="the table is offline until the import ends")]


def _refresh(words: Words, known: Known, version: tuple[int, int]) -> list[Effect]:
    words.accept("MATERIALIZED", "VIEW")
    words.accept("CONCURRENTLY")
    name = plain_path(words)
    return [Effect("refresh materialized view", name, name, cost=Cost.VIEW_BUILD)]


def _create(words: Words, known: Known, version: tuple[int, int]) -> list[Effect]:
    traits = set()
    if words.accept("OR", "REPLACE"):
        traits.add("or replace")
    if words.one_of("TEMP", "TEMPORARY", "UNLOGGED"):
        traits.add("temporary")
    kinds = [word.lower() for _ in range(3) if (word := words.one_of("UNIQUE", "INVERTED", "VECTOR"))]
    if words.accept("INDEX"):
        return [made_index(words, frozenset(traits | set(kinds)), known, version)]
    kind = kind_of(words)
    if words.accept("IF", "NOT", "EXISTS"):
        traits.add("if not exists")
    return created(kind, words, frozenset(traits))


_Reader = Callable[[Words, Known, tuple[int, int]], list[Effect]]
_VERBS: Final[Mapping[str, _Reader]] = {
    "ALTER": _alter,
    "COPY": _copy,
    "CREATE": _create,
    "DELETE": _delete,
    "DO": _do,
    "DROP": _drop,
    "EXPLAIN": _explain,
    "IMPORT": _import,
    "INSERT": _insert,
    "PREPARE": _prepare,
    "REFRESH": _refresh,
    "TRUNCATE": _truncate,
    "UPDATE": _update,
    "UPSERT": _insert,
    "WITH": _with,
}

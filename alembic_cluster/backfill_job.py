"""What a backfill is: a table, what is done to its rows, and how. All of it can be pickled and sent to a worker."""

from __future__ import annotations

import hashlib
import inspect
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sqlalchemy import URL, create_engine, make_url
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.sql import ClauseElement

from alembic_cluster.errors import ConfigurationError, InvalidBackfill

RowFunction = Callable[[dict[str, Any]], Any]
BatchFunction = Callable[[list[dict[str, Any]]], Any]
OnError = Literal["stop", "skip"]
_PLACEHOLDER = re.compile(r"(?<![:\w\\]):([A-Za-z_]\w*)(?!:)")


@dataclass(frozen=True)
class Assignment:
    """What one column is set to by an UPDATE expression.

    :ivar column: its name, without quotes.
    :ivar text: the expression in the database's own words; None for a value.
    :ivar value: the value, bound to the statement, where there is no text.
    """

    column: str
    text: str | None = None
    value: Any = None


@dataclass(frozen=True)
class Change:
    """What is done to rows: an UPDATE expression, or a function; never both.

    :ivar assignments: of the expression.
    :ivar function: gets a row, or a list of rows if ``batched``, each a ``dict``.
    :ivar columns: what the function gets to see beside the key; None for all columns.
    :ivar where: a condition in the database's own words; all rows without.
    :ivar values: by name, what ``:name`` stands for in ``where`` and in texts of ``assignments``.
    """

    assignments: tuple[Assignment, ...] = ()
    function: Callable[..., Any] | None = None
    batched: bool = False
    columns: tuple[str, ...] | None = None
    where: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_async(self) -> bool:
        """Whether the function must be awaited."""
        return inspect.iscoroutinefunction(self.function)

    def describe(self) -> str:
        """Say in one line what it does."""
        if self.function is not None:
            text = f"BY {_qualified(self.function)}"
        else:
            text = "SET " + ", ".join(
                f"{each.column} = {repr(each.value) if each.text is None else each.text}" for each in self.assignments
            )
        return text if self.where is None else f"{text} WHERE {self.where}"


@dataclass(frozen=True)
class Options:
    """How a backfill is done.

    :ivar batch_rows: rows that are read, changed and retried together.
    :ivar range_rows: rows that a range has, about.
    :ivar concurrency: ranges that are under way at a time.
    :ivar rows_per_second: at most that many rows are read, over all ranges; None for no limit.
    :ivar tries: how often a batch is tried.
    :ivar on_error: what comes of a row that fails: the backfill stops, or the row is skipped into a side table.
    :ivar as_of: CockroachDB: read as of then, such as ``-10s``; None reads what is there now.
    :ivar only_if: columns that must have the values that were read, or the row is left alone.
    """

    batch_rows: int = 1000
    range_rows: int = 20_000
    concurrency: int = 4
    rows_per_second: float | None = None
    tries: int = 5
    on_error: OnError = "stop"
    as_of: str | None = None
    only_if: tuple[str, ...] = ()

    def check(self) -> None:
        """Refuse what can't be.

        :raises InvalidBackfill: nothing was sent.
        """
        for name in ("batch_rows", "range_rows", "concurrency", "tries"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise InvalidBackfill(f"{name} is {value!r}, and must be a whole number from 1 on; nothing was sent")
        rate = self.rows_per_second
        if rate is not None and not 0 < rate < float("inf"):
            raise InvalidBackfill(f"rows_per_second is {rate!r}, and must be a number above 0; nothing was sent")
        if self.on_error not in ("stop", "skip"):
            raise InvalidBackfill(f"on_error is {self.on_error!r}, and must be 'stop' or 'skip'; nothing was sent")


class Target:
    """The database: an engine in this process, and what makes one in another.

    Pickled, it is a URL or a function that makes an engine; what ``create_engine`` was told beside a URL is lost.

    :param target: an Engine or AsyncEngine, a connection of one, a URL, or a function without arguments that gives
        an engine.
    :raises ConfigurationError: it is none of these.
    """

    def __init__(self, target: Any) -> None:
        self._engine: Engine | None = None
        self._make: Callable[[], Any] | None = None
        self._url = ""
        target = getattr(target, "sync_engine", getattr(target, "sync_connection", target))
        if isinstance(target, Connection):
            target = target.engine
        if isinstance(target, Engine):
            self._engine = target
            self._url = target.url.render_as_string(hide_password=False)
        elif isinstance(target, str | URL):
            self._url = make_url(target).render_as_string(hide_password=False)
        elif callable(target):
            self._make = target
        else:
            raise ConfigurationError(
                f"a backfill takes an engine, a connection, a URL or a function that makes an engine, not {target!r}; "
                "nothing was sent"
            )

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_engine": None}

    @property
    def engine(self) -> Engine:
        """The engine of this process."""
        if self._engine is None:
            made = create_engine(self._url) if self._make is None else self._make()
            self._engine = getattr(made, "sync_engine", made)
        assert self._engine is not None
        return self._engine


@dataclass(frozen=True)
class Job:
    """A backfill, whole.

    :ivar name: what it is called in the checkpoint table.
    :ivar token: of this run of it, so that a worker's process knows what it has made for it.
    :ivar fence: of the lease that it runs under; 0 before it has one.
    """

    name: str
    table: str
    schema: str | None
    target: Target
    change: Change
    options: Options = field(default_factory=Options)
    token: str = field(default_factory=lambda: uuid.uuid4().hex)
    fence: int = 0

    def under(self, fence: int) -> Job:
        """Give the same under a lease."""
        return replace(self, fence=fence)

    def describe(self) -> str:
        """Say in one line what it does."""
        table = self.table if self.schema is None else f"{self.schema}.{self.table}"
        return f"BACKFILL {table} {self.change.describe()}"

    @property
    def digest(self) -> str:
        """SHA-256 of what it does, in hexadecimal digits: a checkpoint of another one is not gone on with."""
        change = self.change
        parts = [self.schema, self.table, change.describe(), sorted((k, repr(v)) for k, v in change.values.items())]
        return hashlib.sha256(repr(parts).encode("utf-8", errors="surrogatepass")).hexdigest()


def make_change(
    dialect: Dialect,
    *,
    update: str | Mapping[str, Any] | None = None,
    function: RowFunction | None = None,
    batch_function: BatchFunction | None = None,
    columns: Sequence[str] | None = None,
    where: str | ClauseElement | None = None,
    values: Mapping[str, Any] | None = None,
) -> Change:
    """Make a change from what a program says.

    :param update: what comes after ``SET``; or, by column, a value or an SQL expression.
    :raises InvalidBackfill: it can't be; nothing was sent.
    """
    given = [each for each in (update, function, batch_function) if each is not None]
    if len(given) != 1:
        raise InvalidBackfill(
            "a backfill is told one of update=, function= and batch_function=, "
            f"and this one {'none' if not given else 'several'} of them; nothing was sent"
        )
    if where is not None and not isinstance(where, str):
        where = _written(where, dialect)
    if where is not None and not where.strip():
        raise InvalidBackfill("where= is empty: leave it out to mean all rows; nothing was sent")
    values = dict(values or {})
    if update is not None:
        assignments = _assignments(update, dialect)
        names = {name for each in [where, *(item.text for item in assignments)] for name in placeholders(each or "")}
        _check_values(names, values, dialect)
        return Change(assignments, where=where, values=values)
    _check_values(set(placeholders(where or "")), values, dialect)
    work = function if function is not None else batch_function
    if not callable(work):
        raise InvalidBackfill(f"the function of a backfill is {work!r}, which can't be called; nothing was sent")
    chosen = None if columns is None else tuple(columns)
    return Change((), work, batch_function is not None, chosen, where, values)


def placeholders(text: str) -> list[str]:
    """Give the names that stand behind a colon in a text outside of its quotes."""
    return _PLACEHOLDER.findall(_without_quotes(text))


def bind_marks(text: str, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """Put question marks in place of the names that have values; gives the values in order."""
    found: list[Any] = []

    def mark(match: re.Match[str]) -> str:
        if match[1] not in values:
            return match[0]
        found.append(values[match[1]])
        return "?"

    parts = re.split(r"('(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")", text)
    return "".join(part if place % 2 else _PLACEHOLDER.sub(mark, part) for place, part in enumerate(parts)), found


def _without_quotes(text: str) -> str:
    return re.sub(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"", "''", text)


def _check_values(names: set[str], values: Mapping[str, Any], dialect: Dialect) -> None:
    unknown = sorted(set(values) - names)
    if unknown:
        raise InvalidBackfill(f"values= has {unknown[0]!r}, and no text has :{unknown[0]}; nothing was sent")
    missing = sorted(names - set(values))
    if missing and dialect.name != "cql":  # in CQL a colon stands in maps, too
        raise InvalidBackfill(
            f"':{missing[0]}' stands in a text of the backfill, and values= has no {missing[0]!r}: give it a value, or "
            "write '\\:' for a colon that begins no parameter; nothing was sent"
        )


def _assignments(update: str | Mapping[str, Any], dialect: Dialect) -> tuple[Assignment, ...]:
    if isinstance(update, Mapping):
        found = [
            Assignment(column, _written(value, dialect)) if isinstance(value, ClauseElement) else
            Assignment(column, None, value)
            for column, value in update.items()
        ]  # fmt: skip
    elif isinstance(update, str):
        found = [_assignment(part) for part in _split(re.sub(r"^\s*SET\s", "", update, flags=re.I))]
    else:
        raise InvalidBackfill(f"update= is {update!r}, and must be a text or a mapping by column; nothing was sent")
    names = [each.column for each in found]
    twice = [name for name in names if names.count(name) > 1]
    if not found or twice:
        what = f"sets {twice[0]!r} twice" if twice else "sets no column"
        raise InvalidBackfill(f"update= {what}; nothing was sent")
    return tuple(found)


def _written(clause: Any, dialect: Dialect) -> str:
    return str(getattr(clause, "text", None) or clause.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


_NAME = re.compile(r'\s*("(?:[^"]|"")+"|[^\W\d][\w$]*)\s*=(?!=)\s*(.+?)\s*$', re.DOTALL)


def _assignment(part: str) -> Assignment:
    match = _NAME.match(part)
    if match is None:
        raise InvalidBackfill(f"{part.strip()!r} in update= is not of the form 'column = expression'; nothing was sent")
    name = match[1]
    name = name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()
    return Assignment(name, match[2])


def _split(text: str) -> list[str]:
    """Split at the commas that stand in no quotes and no brackets."""
    parts, depth, begin = [], 0, 0
    for match in re.finditer(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|[\[({\])},;]", text):
        token = match[0]
        if token in "[({":
            depth += 1
        elif token in "])}":
            depth -= 1
        elif token == ";" and depth == 0:
            raise InvalidBackfill("update= has a semicolon: it is what comes after SET, and no more; nothing was sent")
        elif token == "," and depth == 0:
            parts.append(text[begin : match.start()])
            begin = match.end()
    return [*parts, text[begin:]]


def _qualified(function: Any) -> str:
    function = getattr(function, "func", function)
    return f"{getattr(function, '__module__', '?')}.{getattr(function, '__qualname__', type(function).__name__)}"

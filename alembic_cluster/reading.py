"""What revisions would send, read without sending it: for ``plan`` and ``lint``.

A revision's function is rehearsed (:mod:`alembic_cluster.rehearsal`) and its statements are told what they do. Online,
reads go to the server; offline nothing does, and a revision that needs a connection can't be read to its end.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from alembic_cluster.errors import ClusterError, ConfigurationError, first_line
from alembic_cluster.keeping import kept_clear
from alembic_cluster.statements import Known, Statement

if TYPE_CHECKING:
    from alembic.config import Config


@dataclass
class ReadStatement:
    """A statement and where a revision sends it.

    :ivar statement: what it is and does.
    :ivar lines: the lines of the revision's file that were running, the outermost first.
    :ivar left: ``done`` or ``sent`` where an earlier run has begun with the revision, as its journal says; else empty.
    """

    statement: Statement
    lines: tuple[int, ...] = ()
    left: str = ""


@dataclass
class ReadRevision:
    """What one direction of a revision would send.

    :ivar script: Alembic's ``Script``.
    :ivar direction: ``upgrade`` or ``downgrade``.
    :ivar statements: in order, as far as they could be told.
    :ivar complete: whether its function came to its end.
    :ivar problem: why it didn't, or what it would be refused for; empty when nothing is wrong.
    :ivar refused: whether the real run would be refused for that as well.
    """

    script: Any
    direction: str
    statements: list[ReadStatement] = field(default_factory=list)
    complete: bool = True
    problem: str = ""
    refused: bool = False


def read_function(impl: Any, script: Any, direction: str, known: Known) -> ReadRevision:
    """Read one function of a revision, inside an environment.

    :param impl: of the running environment.
    :param known: what came before; it learns what the revision changes.
    """
    found = ReadRevision(script, direction)
    known.next_revision()
    impl.values_matter = False
    try:
        rehearsal = impl.rehearse(getattr(script.module, direction))
        found.complete = rehearsal.complete
        if not rehearsal.complete:
            found.problem = "what it sends depends on what it has sent before"
    except Exception as error:
        rehearsal = impl.last_rehearsal
        found.complete, found.problem = False, first_line(error).rstrip(".")
        found.refused = isinstance(error, ClusterError)
    read_rehearsal(found, rehearsal, impl, known)
    return found


def read_rehearsal(found: ReadRevision, rehearsal: Any, impl: Any, known: Known) -> None:
    """Read the statements that a rehearsal told.

    :param found: gets them.
    """
    for text, lines in zip(rehearsal.statements, rehearsal.lines, strict=True):
        found.statements += [ReadStatement(each, lines) for each in impl.statements(text, known)]


def in_environment(
    config: Config, work: Callable[[Any, Any], Any], *, offline: bool = False, dialect: str = ""
) -> None:
    """Run ``env.py`` for a function that sends nothing and moves no heads.

    :param work: is called with the heads and Alembic's ``MigrationContext``.
    :param offline: without a connection, as for ``--sql``.
    :param dialect: offline, the database that the revisions are for; ``env.py``, which may ask for a URL, isn't run
        then.
    """
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(config)

    def read_only(heads: Any, context: Any) -> Iterable[Any]:
        with nullcontext() if offline else kept_clear(context.connection):
            work(heads, context)
        return []

    options: dict[str, Any] = {}
    if offline:
        options = {"starting_rev": None, "destination_rev": "heads"}
        nowhere: Any = _Nowhere()
        config.output_buffer = nowhere
    environment = EnvironmentContext(config, scripts, fn=read_only, as_sql=offline, dont_mutate=True, **options)
    with _unannounced(), environment:
        if dialect:
            environment.configure(dialect_name=dialect, literal_binds=True, dialect_opts={"paramstyle": "named"})
            environment.run_migrations()
        else:
            scripts.run_env()


@contextmanager
def _unannounced() -> Iterator[None]:
    """Keep back what Alembic logs of each run's begin."""
    logger = logging.getLogger("alembic.runtime.migration")

    def is_news(record: logging.LogRecord) -> bool:
        return record.levelno > logging.INFO

    logger.addFilter(is_news)
    try:
        yield
    finally:
        logger.removeFilter(is_news)


def reading_impl(context: Any) -> Any:
    """Give the implementation of a context.

    :raises ConfigurationError: the database is none that this package can read the statements of.
    """
    if not hasattr(context.impl, "statements") or not hasattr(context.impl, "rehearse"):
        raise ConfigurationError(
            f"The dialect {context.dialect.name!r} is none of cockroachdb, cassandra and scylla: what its statements "
            "do can't be told."
        )
    return context.impl


class _Nowhere:
    """A stream that forgets what is written."""

    def write(self, text: str) -> int:
        """Forget it."""
        return len(text)

    def flush(self) -> None:
        """Do nothing."""

"""Connections out of what users have: a URL, an engine, an async engine; and beside those of an engine's pool."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from sqlalchemy import Engine, NullPool, create_engine, make_url
from sqlalchemy.engine import URL, Connection, Dialect
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from alembic_cluster.errors import ConfigurationError

_T = TypeVar("_T")
Bind = str | URL | Engine | Any  # the last: AsyncEngine, which needs greenlet to be imported


def url_of(bind: Bind) -> URL:
    """Give the URL of a bind.

    :param bind: a URL, an ``Engine`` or an ``AsyncEngine``.
    :raises ConfigurationError: it is none of them.
    """
    if isinstance(bind, (str, URL)):
        try:
            return make_url(bind)
        except (ArgumentError, ValueError) as error:
            raise ConfigurationError(f"the URL can't be read: {error}; nothing was sent") from error
    url = getattr(bind, "url", None)
    if not isinstance(url, URL):
        raise ConfigurationError(f"a URL or an engine is needed, not {type(bind).__name__}; nothing was sent")
    return url


def dialect_name(bind: Bind) -> str:
    """Give the name of a bind's dialect, such as ``cockroachdb`` or ``cql``.

    :raises ConfigurationError: no installed package has it.
    """
    try:
        return str(url_of(bind).get_dialect().name)
    except (NoSuchModuleError, ImportError) as error:
        raise ConfigurationError(f"the driver of the URL is missing: {error}; nothing was sent") from error


def with_connection(bind: Bind, work: Callable[[Connection], _T]) -> _T:
    """Call a function with a connection, and close the connection.

    An async engine's connection is driven in an event loop of its own, in another thread where one runs already.

    :param bind: a URL, an ``Engine`` or an ``AsyncEngine``. An engine made here for a URL keeps no connections.
    """
    url = url_of(bind)
    is_url = isinstance(bind, (str, URL))
    engine: Any = create_engine(url, poolclass=NullPool) if is_url else getattr(bind, "sync_engine", bind)

    def connected() -> _T:
        # The connections in an async engine's pool belong to the event loop that made them.
        with fresh_connection(engine) if engine.dialect.is_async else engine.connect() as connection:
            return work(connection)

    try:
        return in_loop_of(engine.dialect, connected)
    finally:
        if is_url:
            engine.dispose()


@contextlib.contextmanager
def fresh_connection(engine: Engine) -> Iterator[Connection]:
    """Open a connection as an engine does, for another thread or event loop, and close it.

    It comes from the same function and with the same events as those of the engine's pool, but not from the pool.
    """
    pool: Any = engine.pool
    alone = NullPool(pool._creator, _dispatch=pool.dispatch, dialect=engine.dialect)
    with Engine(alone, engine.dialect, engine.url).connect() as connection:
        yield connection


def in_loop_of(dialect: Dialect, work: Callable[[], _T]) -> _T:
    """Do work that opens connections of its own; those of an asynchronous driver need an event loop around it.

    :return: what the work gives.
    """
    if not dialect.is_async:
        return work()
    from sqlalchemy.util import greenlet_spawn

    async def run() -> _T:
        return await greenlet_spawn(work)

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(run())
    with ThreadPoolExecutor(1) as aside:  # this thread has a loop, which goes on with other things or waits for us
        return aside.submit(lambda: asyncio.run(run())).result()

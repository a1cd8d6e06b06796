"""Connections out of what users have: a URL, an engine, an async engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from sqlalchemy import Engine, NullPool, create_engine, make_url
from sqlalchemy.engine import URL, Connection
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
    if getattr(url.get_dialect(), "is_async", False):
        return _in_loop(url if is_url else bind, work)
    engine: Any = create_engine(url, poolclass=NullPool) if is_url else bind
    try:
        with engine.connect() as connection:
            return work(connection)
    finally:
        if is_url:
            engine.dispose()


def _in_loop(bind: Any, work: Callable[[Connection], _T]) -> _T:
    from sqlalchemy.ext.asyncio import create_async_engine

    async def run() -> _T:
        # Not the pool of an engine that was given: its connections belong to the event loop that made them.
        engine = create_async_engine(bind if isinstance(bind, URL) else bind.url, poolclass=NullPool)
        try:
            async with engine.connect() as connection:
                return await connection.run_sync(work)
        finally:
            await engine.dispose()

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(run())
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, run()).result()

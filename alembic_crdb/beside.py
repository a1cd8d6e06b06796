"""A second connection beside a run's own, and waiting that does not stand in an event loop's way."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.util import await_only, greenlet_spawn

_ASKED_EVERY = 0.1  # seconds between two looks at whether something is to be done while a statement runs


@contextmanager
def connection_beside(connection: Connection) -> Iterator[Connection]:
    """Give a connection of its own, in autocommit, made as the given one was, and close it afterwards.

    With asyncpg it must be called where SQLAlchemy may await, which is where the run itself is.
    """
    engine = connection.engine
    aside = Engine(engine.pool.recreate(), engine.dialect, engine.url)
    try:
        with aside.connect() as second:
            pooled: Any = second.connection
            engine.dialect.set_isolation_level(pooled.dbapi_connection, "AUTOCOMMIT")
            yield second
    finally:
        aside.dispose()


def pause_for(connection: Connection) -> Callable[[float], None]:
    """Give what waits for so many seconds: an event loop goes on meanwhile."""
    if not connection.dialect.is_async:
        return time.sleep

    def pause(seconds: float) -> None:
        await_only(asyncio.sleep(seconds))

    return pause


def send_and(connection: Connection, send: Callable[[], None], meanwhile: Callable[[], None]) -> None:
    """Send a statement that may take long, and do something else meanwhile.

    A driver of C waits where Python's signal handlers can't run. So the statement is sent in a thread of its own, or as
    a task of the event loop, and Ctrl-C ends the waiting here: the connection is cut then, and it is for the server to
    go on with the statement or not.

    :param connection: whose driver's connection sends it.
    :param send: sends it and returns with the server's answer.
    :param meanwhile: is called every tenth of a second.
    :raises BaseException: what ``send`` raises, and what ends the waiting, such as KeyboardInterrupt.
    """
    if connection.dialect.is_async:
        _as_task(connection, send, meanwhile)
    else:
        _in_thread(connection, send, meanwhile)


def _in_thread(connection: Connection, send: Callable[[], None], meanwhile: Callable[[], None]) -> None:
    ended = threading.Event()
    failed: list[BaseException] = []

    def work() -> None:
        try:
            send()
        except BaseException as error:
            failed.append(error)
        finally:
            ended.set()

    thread = threading.Thread(target=work, name="alembic-cluster statement", daemon=True)
    thread.start()
    try:
        while not ended.wait(_ASKED_EVERY):
            meanwhile()
    except BaseException:
        _cut(connection)
        thread.join(5)
        raise
    thread.join()
    if failed:
        raise failed[0]


def _as_task(connection: Connection, send: Callable[[], None], meanwhile: Callable[[], None]) -> None:
    async def run() -> Any:
        return await greenlet_spawn(send)

    async def wait(task: asyncio.Task[Any]) -> bool:
        done, _ = await asyncio.wait({task}, timeout=_ASKED_EVERY)
        return bool(done)

    async def begin() -> asyncio.Task[Any]:
        return asyncio.ensure_future(run())

    task = await_only(begin())
    try:
        while not await_only(wait(task)):
            meanwhile()
    except BaseException:
        _cut(connection)
        task.cancel()
        raise
    task.result()


def _cut(connection: Connection) -> None:
    pooled: Any = connection.connection
    dbapi_connection = pooled.dbapi_connection
    with contextlib.suppress(Exception):
        if connection.dialect.is_async:
            dbapi_connection._connection.terminate()
        else:
            with socket.socket(fileno=os.dup(dbapi_connection.fileno())) as copy:
                copy.shutdown(socket.SHUT_RDWR)

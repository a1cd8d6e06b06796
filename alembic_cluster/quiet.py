"""What a function that is tried out first would show, kept from the user: prints, logs, warnings, questions."""

from __future__ import annotations

import io
import logging
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO


class Kept(io.TextIOBase):
    """A stream that keeps what one thread writes and hands on what the others write.

    :param stream: the stream in whose place it stands.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._thread = threading.get_ident()
        self._kept: list[str] = []

    def write(self, text: str) -> int:
        """Keep or hand on."""
        if threading.get_ident() != self._thread:
            return self._stream.write(text)
        self._kept.append(text)
        return len(text)

    def flush(self) -> None:
        """Flush what others wrote."""
        self._stream.flush()

    def writable(self) -> bool:
        """Answer True."""
        return True

    def release(self) -> None:
        """Write what was kept."""
        self._stream.write("".join(self._kept))
        self._kept.clear()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _NoInput(io.TextIOBase):
    """Standard input that calls a function instead of waiting."""

    def __init__(self, on_input: Callable[[], Any]) -> None:
        self.read = self.readline = lambda *_: on_input()  # type: ignore[assignment]


@contextmanager
def quiet(on_input: Callable[[], Any]) -> Iterator[Kept]:
    """Keep what this thread prints, logs and warns of from being seen.

    :param on_input: called, instead of waiting, when it reads standard input.
    :return: what was printed; its ``release`` prints it after all.
    """
    streams = sys.stdin, sys.stdout, sys.stderr
    output = Kept(sys.stdout)
    thread = threading.get_ident()
    handlers = _log_handlers()

    def of_others(record: logging.LogRecord) -> bool:
        return record.thread != thread

    for handler in handlers:
        handler.addFilter(of_others)
    sys.stdin, sys.stdout, sys.stderr = _NoInput(on_input), output, Kept(sys.stderr)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield output
    finally:
        sys.stdin, sys.stdout, sys.stderr = streams
        for handler in handlers:
            handler.removeFilter(of_others)


def _log_handlers() -> list[logging.Handler]:
    loggers = [logging.root, *logging.root.manager.loggerDict.values()]
    found = [handler for logger in loggers if isinstance(logger, logging.Logger) for handler in logger.handlers]
    return [*found, *([logging.lastResort] if logging.lastResort is not None else [])]

"""Fixtures for all tests; what they are is said where they are."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Iterator

import pytest

# Revisions are written anew within a second, with the same size: Python would take what it has compiled before.
sys.dont_write_bytecode = True
# A shell that runs the tests in the background has them ignore Ctrl-C, and what they start would inherit it.
signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = ["pytester", "tests.servers.fixtures", "tests.servers.grammar_plugin"]


@pytest.fixture(autouse=True)
def _loggers_as_they_were() -> Iterator[None]:
    """Take back what the ``fileConfig`` of an environment does to the process: it switches off every other logger."""
    before = {logger: (logger.level, logger.handlers[:]) for logger in _loggers()}
    yield
    for logger in _loggers():
        logger.disabled = False
        level, logger.handlers[:] = before.get(logger, (logging.NOTSET, []))
        if logger.level != level:
            logger.setLevel(level)


def _loggers() -> list[logging.Logger]:
    root = logging.getLogger()
    return [root, *(logger for logger in root.manager.loggerDict.values() if isinstance(logger, logging.Logger))]

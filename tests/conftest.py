"""Fixtures for all tests; what they are is said where they are."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

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

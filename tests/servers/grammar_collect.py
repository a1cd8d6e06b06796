"""Collects every statement that is sent to, or compiled for, SQLAlchemy's dialect ``cockroachdb``.

Imports nothing but the standard library at its top: ``grammar_site/sitecustomize.py`` loads it by its path into
the Python programs that a test starts.
"""

from __future__ import annotations

import functools
import importlib.abc
import importlib.machinery
import importlib.util
import re
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

DIALECT = "cockroachdb"

#: What a collected text is: a statement, or ``MAYBE``: a statement or an expression that a statement is made of
#: (``text("now()")`` may be either, and only its author knows).
STATEMENT = "statement"
MAYBE = "maybe"

Recorder = Callable[[str, str], None]

_installed: list[Recorder] = []


def record(sql: str, kind: str) -> None:
    """Hand one text, ready for the grammar, to whoever installed a recorder."""
    if sql.strip():
        for recorder in _installed:
            recorder(sql, kind)


def for_grammar(sql: str, paramstyle: str) -> str:
    """Give a statement as the server's parser would see it: the driver's placeholders become ``$1``, ``$2`` ...

    :param sql: the statement as it goes to a driver, or as SQLAlchemy compiled it.
    :param paramstyle: the dialect's, as in the DB-API, or ``numeric_dollar``.
    """
    # SQLAlchemy fills these in only when it executes.
    sql = re.sub(r"__\[POSTCOMPILE_[^\]]*\]", "NULL", sql)
    sql = re.sub(r"__\[SCHEMA_[^\]]*\]", "public", sql)
    numbers: dict[str, int] = {}

    def number(name: str | None) -> str:
        return f"${numbers.setdefault(name or f'#{len(numbers)}', len(numbers) + 1)}"

    if paramstyle in ("pyformat", "format"):
        # The driver looks for them in the whole text, string literals included.
        return re.sub(
            r"%(?:\((?P<name>[^)]*)\))?(?P<what>[%sbt])",
            lambda found: "%" if found["what"] == "%" else number(found["name"]),
            sql,
        )
    if paramstyle in ("named", "qmark"):
        mark = r":(?P<name>[A-Za-z_]\w*)" if paramstyle == "named" else r"\?(?P<name>)"
        # Text in quotes, comments and `::` are stepped over.
        skipped = r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|::"
        return re.sub(
            rf"(?s)(?P<skipped>{skipped})|{mark}",
            lambda found: found["skipped"] or number(found["name"]),
            sql,
        )
    return sql


def install(recorder: Recorder) -> Callable[[], None]:
    """Have every statement for the dialect handed to ``recorder(sql, kind)``; gives what ends that again."""
    _installed.append(recorder)
    for name, hook in (("sqlalchemy", _hook_sqlalchemy), ("alembic.ddl.impl", _hook_alembic)):
        if name in sys.modules:
            hook(sys.modules[name])
        elif not any(isinstance(finder, _AfterImport) and finder.name == name for finder in sys.meta_path):
            sys.meta_path.insert(0, _AfterImport(name, hook))
    return functools.partial(_installed.remove, recorder)


def _hook_sqlalchemy(module: ModuleType) -> None:
    from sqlalchemy import event
    from sqlalchemy.engine import Engine
    from sqlalchemy.sql import ddl, elements

    if event.contains(Engine, "before_cursor_execute", _sent):
        return
    event.listen(Engine, "before_cursor_execute", _sent)
    # Whoever compiles, compiles through one of these two: execution, `--sql`, mock engines, tests.
    for owner in (elements.CompilerElement, ddl.BaseDDLElement):
        owner._compiler = _recording(owner._compiler)  # type: ignore[method-assign]


def _sent(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
    if connection.dialect.name == DIALECT:
        record(for_grammar(statement, connection.dialect.paramstyle), STATEMENT)


def _recording(compiler: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(compiler)
    def compile_and_record(element: Any, dialect: Any, **options: Any) -> Any:
        compiled = compiler(element, dialect, **options)
        if dialect.name == DIALECT and compiled.string and (kind := _kind(element)) is not None:
            record(for_grammar(compiled.string, dialect.paramstyle), kind)
        return compiled

    return compile_and_record


def _kind(element: Any) -> str | None:
    """Tell what the text of a compiled element is; ``None`` when it is part of something and no expression."""
    from sqlalchemy import ColumnElement, TextClause, UpdateBase
    from sqlalchemy.schema import ExecutableDDLElement
    from sqlalchemy.sql.selectable import SelectBase

    if isinstance(element, (ExecutableDDLElement, SelectBase, UpdateBase)):
        return STATEMENT
    if isinstance(element, (ColumnElement, TextClause)):
        return MAYBE
    return None


def _hook_alembic(module: ModuleType) -> None:
    implementation = module.DefaultImpl
    if hasattr(implementation.static_output, "__wrapped__"):
        return
    static_output = implementation.static_output

    @functools.wraps(static_output)
    def output_and_record(self: Any, text: str) -> None:
        static_output(self, text)
        if self.dialect.name == DIALECT:
            # As it stands: nobody fills in parameters between the script and the server's shell.
            record(text, STATEMENT)

    implementation.static_output = output_and_record


class _AfterImport(importlib.abc.MetaPathFinder):
    """Calls a hook with one module, right after that was imported the ordinary way."""

    def __init__(self, name: str, hook: Callable[[ModuleType], None]) -> None:
        self.name = name
        self._hook = hook

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.name:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def execute_and_hook(module: ModuleType) -> None:
            execute(module)
            self._hook(module)

        spec.loader.exec_module = execute_and_hook  # type: ignore[method-assign]
        return spec

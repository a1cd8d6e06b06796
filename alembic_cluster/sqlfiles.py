"""SQL and CQL files of a migration: a way there, and behind a line ``-- @UNDO`` the way back.

A file is named by a revision (``op.execute_file("x.sql")``, ``op.undo_file("x.sql")``), or is a revision itself
(:mod:`alembic_cluster.sqlfolders`). ``${name}`` in it stands for a variable of the environment that it runs in::

    CREATE TABLE users (id UUID PRIMARY KEY) WITH (ttl_expire_after = '${retention}');
    -- @UNDO
    DROP TABLE users;
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic_cluster.errors import ConfigurationError, InvalidSqlFile
from alembic_cluster.revision_frames import revision_folder
from alembic_cluster.settings import Settings

if TYPE_CHECKING:
    from alembic.operations import Operations

SUFFIXES = (".sql", ".cql")
# @UNDO: the documentation of manticore-cockroachdb; DOWN: what that writes; @down: cql-track
_UNDO = re.compile(r"^[ \t]*--[ \t]*(?:@UNDO\b[^\n]*|@?DOWN[ \t]*)$", re.IGNORECASE | re.MULTILINE)
_VARIABLE = re.compile(r"(?P<escape>\\)?\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)\}")
_ENDING = re.compile(rb"ql['\"]")  # of a string that names such a file
_COMMENT = re.compile(r"--[^\n]*|//[^\n]*|/\*.*?\*/", re.DOTALL)
#: Attribute of a revision's module: text that is part of its content, and stands in no file.
HEADER = "_alembic_cluster_header"
ENVIRONMENT_PREFIX = "ALEMBIC_VAR_"


@dataclass(frozen=True)
class SqlFile:
    """What a file holds.

    :ivar path: where it was read.
    :ivar up: the statements of the upgrade.
    :ivar down: those behind ``-- @UNDO``; None without such a line.
    """

    path: Path
    up: str
    down: str | None = None

    def section(self, direction: str) -> str:
        """Give one of the two parts.

        :param direction: ``upgrade`` or ``downgrade``.
        :raises InvalidSqlFile: the file has no way back.
        """
        if direction == "upgrade":
            return self.up
        if self.down is None:
            raise InvalidSqlFile(
                f"{self.path} has no line '-- @UNDO' with the way back behind it, so it can't be downgraded. Write "
                "one, with nothing behind it if there is nothing to do. Nothing of it was sent."
            )
        return self.down


@dataclass(frozen=True)
class Variables:
    """What ``${name}`` stands for: ``-x var.name=..``, the program, the configuration, then the process's environment.

    :param settings: of the run.
    """

    settings: Settings = field(default_factory=lambda: Settings(None))

    @classmethod
    def of(cls, operations: Operations) -> Variables:
        """Give those of the environment that an operation runs in."""
        return cls(Settings(getattr(operations.migration_context, "config", None)))

    def get(self, name: str) -> str | None:
        """Give the text of a variable; None when nobody has set it."""
        found = self.settings.get(f"var.{name}")
        return os.environ.get(f"{ENVIRONMENT_PREFIX}{name}") if found is None else str(found[0])

    def put_in(self, text: str, where: str) -> str:
        """Write each variable's text in its place; ``\\${name}`` becomes ``${name}``.

        :param text: a file's statements.
        :param where: the file, for the message.
        :raises ConfigurationError: for variables that nobody has set; nothing was sent.
        """
        missing: dict[str, int] = {}

        def replace(match: re.Match[str]) -> str:
            if match["escape"]:
                return match[0][1:]
            value = self.get(match["name"])
            if value is None:
                missing.setdefault(match["name"], text.count("\n", 0, match.start()) + 1)
                return ""
            return value

        written = _VARIABLE.sub(replace, text)
        if missing:
            names = ", ".join(f"${{{name}}} (line {line})" for name, line in missing.items())
            first = next(iter(missing))
            raise ConfigurationError(
                f"{where} has variables that are not set: {names}. Set them with '-x var.{first}=...', "
                f"'alembic_cluster.var.{first} = ...' in the configuration, or the environment variable "
                f"{ENVIRONMENT_PREFIX}{first}. Nothing of the file was sent."
            )
        return written


def read_sql_file(path: Path) -> SqlFile:
    """Read a file.

    :param path: UTF-8, with or without a byte order mark.
    :raises ConfigurationError: it can't be read.
    :raises InvalidSqlFile: it has more than one ``-- @UNDO``.
    """
    return parse_sql_file(path, read_text(path))


def read_text(path: Path) -> str:
    """Read a file's text, with ``\\n`` at the end of each line.

    :raises ConfigurationError: it can't be read.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the file {path} can't be read: {error}; nothing of it was sent") from error


def parse_sql_file(path: Path, text: str) -> SqlFile:
    """Take a file's text apart.

    :raises InvalidSqlFile: it has more than one ``-- @UNDO``.
    """
    marks = list(_UNDO.finditer(text))
    if len(marks) > 1:
        lines = ", ".join(str(text.count("\n", 0, mark.start()) + 1) for mark in marks)
        raise InvalidSqlFile(f"{path} has more than one line '-- @UNDO' (lines {lines}). Nothing of it was sent.")
    if not marks:
        return SqlFile(path, text)
    (mark,) = marks
    return SqlFile(path, text[: mark.start()], text[mark.end() :])


def is_empty(text: str) -> bool:
    """Tell whether a text has nothing but blanks, semicolons and comments."""
    return not _COMMENT.sub("", text).replace(";", "").strip()


def find_beside(folder: Path | None, path: str | Path) -> Path:
    """Find a file that a revision names: beside the revision, then from the working directory.

    :param folder: the revision's; None outside of a revision.
    """
    beside = None if folder is None else folder / path
    return beside if beside is not None and beside.exists() else Path(path)


def statements_of(operations: Operations, path: str | Path, direction: str) -> str:
    """Give what ``op.execute_file`` and ``op.undo_file`` send, with the variables put in; empty for nothing.

    :param path: the file; see :func:`find_beside` for where it is looked for.
    :param direction: ``upgrade`` for what stands before ``-- @UNDO``, ``downgrade`` for what stands behind it.
    :raises ConfigurationError: the file can't be read, or a variable isn't set; nothing was sent.
    :raises InvalidSqlFile: there is no way back in it; nothing was sent.
    """
    found = find_beside(revision_folder(), path)
    text = read_sql_file(found).section(direction)
    return "" if is_empty(text) else Variables.of(operations).put_in(text, str(path))


def files_named_in(revision: Path) -> Iterator[Path]:
    """Give the SQL and CQL files beside a Python revision that its text names, each once, in order.

    They are part of the revision's content: editing one is editing the revision.
    """
    if revision.suffix == ".py":
        yield from _named(revision, revision.stat().st_mtime_ns)


@lru_cache(maxsize=4096)
def _named(revision: Path, _changed: int) -> tuple[Path, ...]:
    try:
        source = revision.read_bytes()
        if not _ENDING.search(source):  # nearly all revisions, and taking them apart takes long
            return ()
        tree: Any = ast.parse(source)
    except (OSError, SyntaxError, ValueError):
        return ()
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    names = dict.fromkeys(text for text in texts if text.endswith(SUFFIXES) and "\n" not in text)
    return tuple(path for path in (find_beside(revision.parent, name) for name in names) if path.is_file())

"""A revision's content, and what tells one content from another."""

from __future__ import annotations

import difflib
import hashlib
from pathlib import Path
from typing import Any

from alembic_cluster.sqlfiles import HEADER, files_named_in

_SHOWN = 12  # lines of a difference in a message


def content_of(script: Any) -> str:
    """Read a revision's file.

    :param script: Alembic's ``Script``.
    :return: its text, and behind it those of the SQL and CQL files that it names, with ``\\n`` at the end of each line,
        as a checkout may give it other ends; empty for a revision without a file to read.
    """
    try:
        path = Path(script.path)
        texts = [getattr(getattr(script, "module", None), HEADER, ""), _text(path)]
        for file in files_named_in(path):
            texts += [f"-- {file.name}\n", _text(file)]
    except (OSError, TypeError):
        return ""
    return "".join(texts)


def _text(path: Path) -> str:
    text = path.read_bytes().decode("utf-8-sig", errors="surrogateescape")
    return "\n".join(text.splitlines()) + "\n"


def checksum(content: str) -> str:
    """Give the SHA-256 of a revision's content in hexadecimal digits."""
    return hashlib.sha256(content.encode("utf-8", errors="surrogateescape")).hexdigest()


def digest(text: str, parameters: Any) -> str:
    """Give the SHA-256 of a statement's text and parameters in hexadecimal digits."""
    return hashlib.sha256(f"{text}\0{_plain(parameters)}".encode("utf-8", errors="surrogatepass")).hexdigest()


def _plain(value: Any) -> str:
    """Write a value the same way in every process; a set's and a mapping's own order is none."""
    if isinstance(value, dict):
        return "{" + ",".join(sorted(f"{_plain(key)}:{_plain(item)}" for key, item in value.items())) + "}"
    if isinstance(value, (set, frozenset)):
        return "{" + ",".join(sorted(map(_plain, value))) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(_plain, value)) + "]"
    if value is None or isinstance(value, (str, bytes, int, float, bool)):
        return repr(value)
    plain: Any = object.__repr__  # tells an address, another one in each process
    if type(value).__repr__ is plain:
        return f"{type(value).__qualname__}({_plain(getattr(value, '__dict__', str(value)))})"
    return repr(value)


def difference(before: str, after: str) -> str:
    """Say what changed from one content to another: the lines that differ, some of them where they are many."""
    lines = [
        line
        for line in difflib.unified_diff(before.splitlines(), after.splitlines(), "then", "now", n=0, lineterm="")
        if not line.startswith(("---", "+++", "@@"))
    ]
    shown = lines[:_SHOWN]
    if len(lines) > len(shown):
        shown.append(f"... and {len(lines) - len(shown)} lines more")
    return "\n".join(f"    {line}" for line in shown)

"""CQL literals in the form in which equal ones are equal: what the server keeps as text it spells in its own way."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from decimal import Decimal

_TOKEN = re.compile(
    r"""\s*('(?:[^']|'')*'|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![\w-])|[\w.+-]+|.)""",
    re.DOTALL,
)
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d.*)?")
_TIME = re.compile(r"(\d\d:\d\d:\d\d)(?:\.(\d+))?")


def canonical_literal(text: str | None) -> tuple[str, ...] | None:
    """Give a literal's parts without what doesn't count.

    These are spaces, the case of what isn't quoted, ``1.0`` for ``1``, the spelling of a date, the order in braces.
    """
    if text is None:
        return None
    tokens = [canonical_token(token) for token in _TOKEN.findall(text.strip())]
    return tuple(sorted(tokens) if text.lstrip().startswith("{") else tokens)


def canonical_token(token: str) -> str:
    """Give one number, text or word in the form in which equal ones are equal; a text without its quotes."""
    if token.startswith("'"):
        return _quoted(token[1:-1])
    if re.match(r"-?\d", token):
        try:
            return str(Decimal(token).normalize())
        except ArithmeticError:
            pass
    return token.lower()


def _quoted(text: str) -> str:
    time = _TIME.fullmatch(text)
    if time is not None:
        return f"{time[1]}.{(time[2] or '').rstrip('0')}"
    if _TIMESTAMP.fullmatch(text):
        try:
            found = datetime.fromisoformat(re.sub(r"Z$", "+00:00", text))
        except ValueError:
            return text
        return str((found if found.tzinfo else found.replace(tzinfo=timezone.utc)).timestamp())
    return text

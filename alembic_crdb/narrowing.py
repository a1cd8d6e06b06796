"""Whether a column's new type holds every value of its old one.

The ranges are those of CockroachDB's documentation, page "Data Types" and the pages of each type. A conversion that
the server refuses for a value that doesn't fit is narrowing too: the revision then depends on the data.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from alembic_crdb.types import canonical

_PARTS: Final = re.compile(r"(?P<name>[^(\[ ]+)(?:\((?P<args>[^)]*)\))?(?P<array>\[\])?(?: COLLATE .+)?")

#: Whole decimal digits of each integer type; INT is as wide as the session says, at most 64 bits.
_INTEGERS: Final = {"INT2": 5, "INT4": 10, "INT8": 19, "INT": 19}
_TEXTS: Final = frozenset({"STRING", "CHAR", "NAME", "CITEXT"})
_EXACT_IN_FLOAT8: Final = frozenset({"INT2", "INT4", "FLOAT4"})
_CLOCKS: Final = frozenset({"TIME", "TIMETZ", "TIMESTAMP", "TIMESTAMPTZ", "INTERVAL"})
_WIDER: Final = frozenset({("DATE", "TIMESTAMP"), ("DATE", "TIMESTAMPTZ"), ("BIT", "VARBIT")})


class _Type(NamedTuple):
    name: str
    args: tuple[int, ...]
    array: bool

    @property
    def first(self) -> int | None:
        return self.args[0] if self.args else None


def _read(text: str) -> _Type:
    match = _PARTS.fullmatch(canonical(text))
    if match is None:
        return _Type(text, (), False)
    args = tuple(int(part) for part in (match["args"] or "").split(",") if part.strip().isdigit())
    name = match["name"]
    if name == "CHAR" and not args:
        args = (1,)
    return _Type(name, args, match["array"] is not None)


def holds_anything(new: str) -> bool:
    """Tell whether a type takes the text of any value, such as STRING without a length."""
    have = _read(new)
    return have.name == "STRING" and not have.args and not have.array


def narrows(old: str, new: str) -> bool:
    """Tell whether some value of a type does not fit into another, or loses something there.

    :param old: the type that the column has had, in any spelling.
    :param new: the type that it gets.
    """
    if canonical(old) == canonical(new) or holds_anything(new):
        return False
    have, want = _read(old), _read(new)
    if have.array != want.array:
        return True
    if have.name in _INTEGERS and want.name in _INTEGERS:
        return _INTEGERS[want.name] < _INTEGERS[have.name]
    if want.name == "DECIMAL":
        return _narrows_to_decimal(have, want)
    if have.name in _TEXTS and want.name in _TEXTS:
        return want.first is not None and (have.first is None or want.first < have.first)
    if want.name == "FLOAT8":
        return have.name not in _EXACT_IN_FLOAT8
    if (have.name, want.name) in _WIDER:
        return have.name == "BIT" and want.first is not None and want.first < (have.first or 1)
    if have.name != want.name and {have.name, want.name} != {"TIMESTAMP", "TIMESTAMPTZ"}:
        return True
    limit = 6 if want.name in _CLOCKS else None  # the digits of a second that are kept where nothing is said
    mine, yours = have.first if have.first is not None else limit, want.first if want.first is not None else limit
    return yours is not None and (mine is None or yours < mine)


def _narrows_to_decimal(have: _Type, want: _Type) -> bool:
    if not want.args:
        return have.name not in {"DECIMAL", *_INTEGERS}
    whole = want.args[0] - (want.args[1] if len(want.args) > 1 else 0)
    scale = want.args[1] if len(want.args) > 1 else 0
    if have.name in _INTEGERS:
        return whole < _INTEGERS[have.name]
    if have.name != "DECIMAL" or not have.args:
        return True
    old_scale = have.args[1] if len(have.args) > 1 else 0
    return whole < have.args[0] - old_scale or scale < old_scale

"""Python values of CQL's composite types, and of timestamps."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

_EPOCH = datetime.datetime(1970, 1, 1)
_EPOCH_UTC = _EPOCH.replace(tzinfo=datetime.timezone.utc)
_MILLISECOND = datetime.timedelta(milliseconds=1)


class FrozenDict(dict[Any, Any]):
    """A dict that cannot change and so can be an element of a set or the key of a dict."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)  # a copy or an unpickled one is made whole, not item by item

    def _refuse(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise TypeError(f"{type(self).__name__} cannot be changed; make a dict of it first")

    __setitem__ = __delitem__ = __ior__ = update = setdefault = pop = popitem = clear = _refuse


class UserTypeValue(FrozenDict):
    """A value of a user type: fields by name (``v["street"]``), by attribute (``v.street``), in the type's order.

    Equal to a dict with the same fields, and to a tuple with the same values in order.
    """

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"the user type's value has no field {name!r}") from None

    def __eq__(self, other: object) -> bool:
        if isinstance(other, (tuple, list)):
            return tuple(self.values()) == tuple(other)
        return dict.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = FrozenDict.__hash__


def freeze(value: Any) -> Any:
    """Give a hashable equal of a value: lists as tuples, sets as frozensets, dicts as :class:`FrozenDict`."""
    if isinstance(value, FrozenDict):
        return type(value)((key, freeze(item)) for key, item in value.items())
    if isinstance(value, Mapping):
        return FrozenDict((freeze(key), freeze(item)) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return tuple(freeze(item) for item in value)
    if isinstance(value, (set, frozenset)):
        return frozenset(freeze(item) for item in value)
    return value


def pairs(mapping: Any) -> list[tuple[Any, Any]]:
    """Give the keys and values of a mapping, also of one of the driver's.

    The driver's own looks each value up by the bytes that it would send for the key, and fails where another program
    wrote the key with its elements in another order.

    :raises TypeError: when it is no mapping.
    """
    if hasattr(mapping, "_items") and hasattr(mapping, "cass_key_type"):
        return list(mapping._items)
    if not hasattr(mapping, "items"):
        raise TypeError(f"a mapping is wanted, not {mapping!r}")
    return list(mapping.items())


def user_type_fields(value: Any, names: Iterable[str]) -> tuple[Any, ...]:
    """Give the fields of a user type's value in the type's order.

    :param value: a mapping, a sequence in the type's order, or an object with attributes of the fields' names.
    :param names: the type's fields, in order. Fields that a mapping lacks are null.
    :raises ValueError: for a field that the type doesn't have, or a sequence that is too long.
    """
    fields = tuple(names)
    if isinstance(value, Mapping):
        unknown = [name for name in value if name not in fields]
        if unknown:
            raise ValueError(f"the user type has no field {unknown[0]!r}; it has {', '.join(fields)}")
        return tuple(value.get(name) for name in fields)
    if isinstance(value, (tuple, list)):
        if len(value) > len(fields):
            raise ValueError(f"the user type has {len(fields)} fields, and {len(value)} values were given")
        return (*value, *[None] * (len(fields) - len(value)))
    if not any(hasattr(value, name) for name in fields):
        raise TypeError(f"a value of the user type has the fields {', '.join(fields)}, and {value!r} has none of them")
    return tuple(getattr(value, name, None) for name in fields)


def to_milliseconds(value: Any) -> int:
    """Give a timestamp as CQL holds it: milliseconds since 1970 in UTC, fractions cut off towards the past.

    :param value: a datetime (naive is UTC), a date (its midnight), or milliseconds already.
    :raises TypeError: for anything else.
    """
    if isinstance(value, datetime.datetime):
        return (value - (_EPOCH if value.tzinfo is None else _EPOCH_UTC)) // _MILLISECOND
    if isinstance(value, datetime.date):
        return (datetime.datetime(value.year, value.month, value.day) - _EPOCH) // _MILLISECOND
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return int(value)
    raise TypeError(f"a timestamp is a datetime, a date or milliseconds since 1970, not {value!r}")


def from_milliseconds(milliseconds: int) -> datetime.datetime | int:
    """Give a timestamp as a naive datetime in UTC, or as it is where Python has no such year (1 to 9999)."""
    try:
        return _EPOCH + milliseconds * _MILLISECOND
    except OverflowError:
        return milliseconds

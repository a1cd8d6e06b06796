"""Python values of CQL's composite types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NoReturn


class FrozenDict(dict[Any, Any]):
    """A dict that cannot change and so can be an element of a set or the key of a dict."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

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
    return tuple(getattr(value, name, None) for name in fields)

"""Python values of composite types and timestamps."""

from __future__ import annotations

import copy
import datetime as dt
import pickle
from types import SimpleNamespace

import pytest

from alembic_cql.values import (
    FrozenDict,
    UserTypeValue,
    freeze,
    from_milliseconds,
    pairs,
    to_milliseconds,
    user_type_fields,
)


def test_a_frozen_dict_is_a_key_and_cannot_change() -> None:
    frozen = FrozenDict(a=1)
    assert {frozen: 2}[FrozenDict(a=1)] == 2
    assert frozen == {"a": 1}
    for change in (
        lambda: frozen.update(b=2),
        lambda: frozen.pop("a"),
        frozen.clear,
        lambda: frozen.setdefault("b", 1),
    ):
        with pytest.raises(TypeError, match="cannot be changed"):
            change()
    with pytest.raises(TypeError, match="cannot be changed"):
        frozen["b"] = 1
    with pytest.raises(TypeError, match="cannot be changed"):
        del frozen["a"]


def test_a_user_types_value() -> None:
    value = UserTypeValue([("street", "s"), ("No", 1)])
    assert (value.street, value["No"], list(value)) == ("s", 1, ["street", "No"])
    assert value == {"street": "s", "No": 1}
    assert value == ("s", 1)
    assert value != ("s", 2)
    assert value != {"street": "s"}
    with pytest.raises(AttributeError, match="no field 'city'"):
        value.city  # noqa: B018
    for twin in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
        assert type(twin) is UserTypeValue
        assert twin == value
        assert hash(twin) == hash(value)


def test_freeze_makes_hashable_equals() -> None:
    value = {"a": [1, {2}], "b": UserTypeValue(x=[1], y={"z": None})}
    frozen = freeze(value)
    hash(frozen)
    assert frozen == {"a": (1, frozenset({2})), "b": {"x": (1,), "y": {"z": None}}}
    assert type(frozen["b"]) is UserTypeValue


def test_fields_of_a_user_type() -> None:
    names = ("a", "b")
    assert user_type_fields({"b": 2}, names) == (None, 2)
    assert user_type_fields((1,), names) == (1, None)
    assert user_type_fields(SimpleNamespace(a=1, c=3), names) == (1, None)
    with pytest.raises(ValueError, match="no field 'c'; it has a, b"):
        user_type_fields({"c": 1}, names)
    with pytest.raises(ValueError, match="2 fields, and 3 values"):
        user_type_fields((1, 2, 3), names)
    for value in ("text", 5, None):
        with pytest.raises(TypeError, match="has none of them"):
            user_type_fields(value, names)


def test_timestamps_are_cut_off_towards_the_past() -> None:
    assert to_milliseconds(dt.datetime(1970, 1, 1)) == 0
    assert to_milliseconds(dt.datetime(1969, 12, 31, 23, 59, 59, 999999)) == -1
    assert to_milliseconds(dt.datetime(1970, 1, 1, 0, 0, 0, 1999)) == 1
    assert to_milliseconds(dt.datetime(1970, 1, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=2)))) == -3_600_000
    assert to_milliseconds(dt.date(1970, 1, 2)) == 86_400_000
    assert to_milliseconds(12) == 12
    for wrong in ("1970", True, None, object()):
        with pytest.raises(TypeError, match="a timestamp is"):
            to_milliseconds(wrong)


@pytest.mark.parametrize(
    "moment", [dt.datetime.min, dt.datetime(9999, 12, 31, 23, 59, 59, 999000), dt.datetime(1969, 1, 1)]
)
def test_timestamps_come_back(moment: dt.datetime) -> None:
    assert from_milliseconds(to_milliseconds(moment)) == moment


def test_timestamps_that_python_has_not_stay_numbers() -> None:
    for far in (to_milliseconds(dt.datetime.min) - 1, 253_402_300_800_000, 2**63 - 1, -(2**63)):
        assert from_milliseconds(far) == far


def test_pairs_of_a_mapping_and_of_the_drivers() -> None:
    from cassandra.util import OrderedMapSerializedKey

    assert pairs({"a": 1}) == [("a", 1)]
    mapping = OrderedMapSerializedKey(None, 5)
    mapping._insert_unchecked(["b", "a"], b"bytes as another program wrote them", 1)
    assert pairs(mapping) == [(["b", "a"], 1)]
    with pytest.raises(TypeError, match="a mapping is wanted"):
        pairs([1])

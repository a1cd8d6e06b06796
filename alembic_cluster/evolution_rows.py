"""The kinds of rows that :class:`~alembic_cluster.evolution.Evolution` takes, and how each is read and changed.

| kind | what ``upgrade`` gives |
|---|---|
| ``dict``, any mapping, psycopg's ``RealDictRow``, asyncpg's ``Record`` | a new ``dict`` |
| named tuples (cassandra-driver's rows), SQLAlchemy's ``Row`` and ``RowMapping`` | a new ``dict`` |
| objects of SQLAlchemy's ORM | the object; its attributes are set as if they had been loaded so |
| cqlengine's models | the object; its columns are set as if they had been read so |
| coodie's documents, other pydantic models, dataclasses, plain objects | the object; its attributes are set |

No framework is imported here: an object tells what it is by what it has.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any


def fields_of(row: Any) -> dict[str, Any]:
    """Read the fields of any kind of row.

    :return: a new ``dict``; of an ORM object only what is loaded, so that reading it loads nothing more.
    :raises TypeError: for what is no row.
    """
    return _kind(row)[0](row)


def put_back(row: Any, before: Mapping[str, Any], after: dict[str, Any]) -> Any:
    """Give an upgraded row in the kind of the row that was read.

    :param before: its fields as they were.
    :param after: its fields as they are to be.
    :return: ``after`` itself for what is a value, ``row`` with its attributes changed for what is an object. A field
        that went is None then, if the object still has it.
    """
    put = _kind(row)[1]
    if put is None:
        return after
    changed = {name: value for name, value in after.items() if name not in before or before[name] is not value}
    changed.update({name: None for name in before if name not in after})
    put(row, changed)
    return row


def each_row(given: Any, upgrade: Callable[[Any], Any]) -> Any:
    """Upgrade what a reading function gave: a row, None, a list of rows, or any other iterable of rows."""
    if given is None or _is_row(given):
        return None if given is None else upgrade(given)
    if isinstance(given, list):
        return [upgrade(row) for row in given]
    if isinstance(given, Iterable):
        return _upgraded(given, upgrade)
    return upgrade(given)


def _upgraded(rows: Iterable[Any], upgrade: Callable[[Any], Any]) -> Iterator[Any]:
    for row in rows:
        yield upgrade(row)


def _is_row(given: Any) -> bool:
    return isinstance(given, Mapping) or hasattr(given, "_fields") or hasattr(given, "keys")


_Reader = Callable[[Any], dict[str, Any]]
_Writer = Callable[[Any, dict[str, Any]], None] | None


def _kind(row: Any) -> tuple[_Reader, _Writer]:
    if isinstance(row, Mapping):
        return dict, None
    if hasattr(row, "_mapping"):  # SQLAlchemy's Row
        return lambda each: dict(each._mapping), None
    if isinstance(row, tuple):
        if hasattr(row, "_asdict"):
            return lambda each: dict(each._asdict()), None
    elif hasattr(row, "_sa_instance_state"):
        return _orm_fields, _put_orm
    elif hasattr(row, "_values") and hasattr(row, "_columns"):
        return _cqlengine_fields, _put_cqlengine
    elif hasattr(type(row), "model_fields"):
        return lambda each: dict(each), _put_attributes
    elif callable(getattr(row, "keys", None)) and hasattr(row, "__getitem__"):  # asyncpg's Record
        return lambda each: {name: each[name] for name in each.keys()}, None  # noqa: SIM118  (it iterates values)
    elif dataclasses.is_dataclass(row) or hasattr(row, "__dict__"):
        return lambda each: dict(vars(each)), _put_attributes
    raise TypeError(
        f"{type(row).__name__} is no row: an evolution takes mappings, rows of drivers with names "
        "(a row factory that gives plain tuples loses them), and objects"
    )


def _orm_fields(row: Any) -> dict[str, Any]:
    state = row._sa_instance_state
    return {name: state.dict[name] for name in state.mapper.column_attrs.keys() if name in state.dict}  # noqa: SIM118


def _put_orm(row: Any, changed: dict[str, Any]) -> None:
    from sqlalchemy.orm.attributes import set_committed_value

    attributes = row._sa_instance_state.mapper.all_orm_descriptors
    for name, value in changed.items():
        if name in attributes:
            set_committed_value(row, name, value)
        else:
            setattr(row, name, value)


def _cqlengine_fields(row: Any) -> dict[str, Any]:
    return {name: manager.value for name, manager in row._values.items()}


def _put_cqlengine(row: Any, changed: dict[str, Any]) -> None:
    for name, value in changed.items():
        if name in row._values:
            manager = row._values[name]
            manager.setval(value)
            manager.reset_previous_value()
        else:
            object.__setattr__(row, name, value)


def _put_attributes(row: Any, changed: dict[str, Any]) -> None:
    known = getattr(type(row), "model_fields", None)
    for name, value in changed.items():
        if known is not None and name not in known and row.model_config.get("extra") != "allow":
            continue  # a field that an older version had, or that the model doesn't know yet
        # Past validation: a row that is half-way is nobody's business.
        object.__setattr__(row, name, value) if known is None else row.__dict__.__setitem__(name, value)

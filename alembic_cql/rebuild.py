"""``alembic -x rebuild revision --autogenerate``: a table that no ALTER can change moves to a new one, step by step."""

from __future__ import annotations

import decimal
import re
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from alembic.operations import MigrateOperation, ops
from sqlalchemy import Index, MetaData, Table

from alembic_cluster.errors import CopyFailed
from alembic_cluster.notes import WARNING, noted
from alembic_cql.copy_operations import CopyTableOp
from alembic_cql.copy_plan import WIDER, Side, frozen_name, plan_copy
from alembic_cql.reflection import TableInfo
from alembic_cql.types import TEXT

REQUEST = "rebuild"
HOW = "to have the steps written, run: alembic -x rebuild revision --autogenerate"


def rebuild_requested(autogen_context: Any, table: str) -> bool:
    """Whether the command line asks for the rebuild of a table: ``-x rebuild``, or ``-x rebuild=this,that``."""
    environment = autogen_context.migration_context.environment_context
    given = {} if environment is None else environment.get_x_argument(as_dictionary=True)
    named = given.get(REQUEST)
    return named is not None and (not named or table in [name.strip() for name in named.split(",")])


def rebuild(
    table: Table, found: TableInfo, schema: str | None, clauses: Iterable[str], taken: Collection[str], dialect: Any
) -> Iterator[MigrateOperation]:
    """Give the operations that make a new table as the model wants it and copy the rows.

    :param table: the model's.
    :param found: the server's.
    :param clauses: why it can't be altered.
    :param taken: names that the keyspace has already.
    """
    name = _free_name(table.name, taken)
    there: Any = schema
    new = table.to_metadata(MetaData(), schema=there, name=name)
    suffix = name.removeprefix(re.sub(r"_v\d+$", "", table.name))
    indexes = sorted(table.indexes, key=lambda index: str(index.name))
    new.indexes.clear()
    create = ops.CreateTableOp.from_table(new)
    noted(create, _steps(table, name, clauses, suffix), [f"{WARNING}this deletes table {name!r} with all its rows."])
    yield create
    for index in indexes:
        yield ops.CreateIndexOp.from_index(_moved(index, new, suffix))
    yield _copy(Side.of_info(found, schema), Side.of_table(new, dialect), dialect)


def _free_name(name: str, taken: Collection[str]) -> str:
    stem, number = name, 2
    match = re.fullmatch(r"(.*)_v(\d+)", name)
    if match is not None:
        stem, number = match[1], int(match[2]) + 1
    while f"{stem}_v{number}" in taken:
        number += 1
    return f"{stem}_v{number}"


def _moved(index: Index, table: Table, suffix: str) -> Index:
    column = next(iter(index.columns)).name
    name = None if index.name is None else f"{index.name}{suffix}"
    return Index(name, table.c[column], **index.dialect_kwargs)


def _steps(table: Table, name: str, clauses: Iterable[str], suffix: str) -> list[str]:
    old = table.name
    indexes = ", ".join(repr(str(index.name)) for index in table.indexes if index.name is not None)
    models = f"have the models say {name!r} instead of {old!r}"
    if indexes:
        models += f" (and its indexes {indexes} with {suffix!r} after their names)"
    return [
        *(f"No ALTER TABLE can do this: {clause}." for clause in clauses),
        f"So the rows of {old!r} move to a new table, {name!r}, which the program then uses instead:",
        f"1. This revision creates {name!r} and copies the rows. The program may go on using {old!r} meanwhile.",
        f"2. {models[0].upper()}{models[1:]}, and release the program. Materialized views of {old!r} are declared on "
        f"{name!r}. If it writes while it is being released, have it write to both tables until that is done.",
        f"3. Copy once more, in a revision of its own: op.copy_table with the arguments below. It brings over what was "
        f"written to {old!r} meanwhile; newer values in {name!r} stay.",
        f"4. The next autogenerate drops {old!r}: in a later revision, when nothing reads it any more.",
    ]


def _copy(source: Side, target: Side, dialect: Any) -> CopyTableOp:
    convert, notes = {}, []
    for name, kind in target.types.items():
        if name not in source.types:
            continue
        before, now = frozen_name(source.types[name], dialect), frozen_name(kind, dialect)
        if before == now or (before, now) in WIDER:
            continue
        function = _CONVERT.get(now) if now != "text" or before in _SHOWN else None
        if function is not None:
            convert[name] = function
            if not isinstance(kind, TEXT):
                notes.append(f"{WARNING}copying ends at the first value of {name!r} that is no {now}.")
    lost = [name for name in source.types if name not in target.types]
    if lost:
        notes.append(f"{WARNING}what {', '.join(map(repr, lost))} of {source.name!r} holds is not copied.")
    merged = [name for name in source.key.columns if name not in target.key.columns]
    if merged:
        names = " and ".join(map(repr, merged))
        notes.append(f"{WARNING}rows of {source.name!r} that differ only in {names} of their keys become one row.")
    if source.key.columns != target.key.columns and _may_be_null(source, target):
        names = ", ".join(map(repr, _may_be_null(source, target)))
        notes.append(f"{WARNING}rows without a value for {names} need one: fill={{..}}; copying ends at the first.")
    operation = CopyTableOp(source.name, target.name, convert=convert, schema=target.schema)
    try:
        plan_copy(source, target, dialect, convert=convert)
    except CopyFailed as error:
        notes.append(f"{WARNING}{str(error).removesuffix('; nothing was copied')}.")
    noted(operation, notes)
    return operation


def _may_be_null(source: Side, target: Side) -> list[str]:
    return [name for name in target.key.columns if source.kinds.get(name) in ("static", "regular")]


# By the type that is wanted: a function that any text, and most other values, can be given to.
_CONVERT: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("tinyint", "smallint", "int", "bigint", "varint"), int),
    **dict.fromkeys(("float", "double"), float),
    "decimal": decimal.Decimal,
    "text": str,
    "uuid": uuid.UUID,
}
_SHOWN = (
    "tinyint", "smallint", "int", "bigint", "varint", "float", "double", "decimal", "boolean", "uuid", "timeuuid",
    "inet", "date", "time", "timestamp",
)  # fmt: skip

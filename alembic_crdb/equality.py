"""When two catalog objects are the same to the server, however they are spelled."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from alembic_crdb import expressions
from alembic_crdb.catalog import (
    Check,
    Column,
    ForeignKey,
    Index,
    IndexElement,
    ObjectName,
    Parameters,
    PrimaryKey,
    SQLType,
    Unique,
)
from alembic_crdb.catalog_objects import Database, ZoneConfiguration
from alembic_crdb.snapshot import name_of

#: ``VARCHAR`` is another name of ``STRING`` that the server remembers (documentation, page "STRING").
_STRINGS = frozenset({"STRING", "VARCHAR"})
_INTEGER = "INTEGER"
_SERIALS = {
    "SERIAL": ("INT2", "INT4", "INT8"),
    "SERIAL2": ("INT2", "INT8"),
    "SERIAL4": ("INT4", "INT8"),
    "SERIAL8": ("INT8",),
}
_SERIAL_DEFAULTS = ("unique_rowid()", "unordered_unique_rowid()", "nextval(")
#: Precisions that the server leaves out because they are the default (documentation, pages of the types).
_DEFAULT_PRECISION = frozenset({"TIME", "TIMETZ", "TIMESTAMP", "TIMESTAMPTZ", "INTERVAL"})
_OWN_PARAMETERS = frozenset({"ttl", "ttl_automatic_column"})
_DEFAULT_CRONS = frozenset({"'@hourly'", "'@daily'"})
#: Parameters that servers set without being asked: schema_locked on every new table since v26.1 (documentation,
#: page "Online Schema Changes"), ttl_job_cron in v22.1.
_SERVERS_PARAMETERS = frozenset({"schema_locked", "ttl_job_cron"})
_NO_CONSTRAINTS = frozenset({"[]", "{}"})
_INTERVAL = SQLType("INTERVAL")
_TEXT = SQLType("STRING")

equivalent = lru_cache(maxsize=1 << 16)(expressions.equivalent)
_canonical = lru_cache(maxsize=4096)(expressions.canonical_type)


def is_serial(kind: SQLType) -> bool:
    """Tell whether a model's type is one of the ``SERIAL`` pseudo types."""
    return isinstance(kind.name, str) and kind.name in _SERIALS


@lru_cache(maxsize=1 << 14)
def same_type(database: SQLType, model: SQLType, default_schema: str = "public") -> bool:
    """Tell whether a column has the type that a model says.

    :param database: as the server prints it.
    :param model: as SQLAlchemy writes it. ``INTEGER`` is as wide as the session's ``default_int_size`` makes it,
        ``SERIAL`` as its ``serial_normalization``.
    """
    if isinstance(database.name, ObjectName) or isinstance(model.name, ObjectName):
        return _same_user_type(database, model, default_schema)
    if model.name in _SERIALS:
        return database.name in _SERIALS[model.name]
    if model.name in (_INTEGER, "INT") and not model.args:
        return database.name in ("INT4", "INT8") and database.dimensions == model.dimensions
    have, want = _precise(_canonical(database)), _precise(_canonical(model))
    if have.name in _STRINGS and want.name in _STRINGS:
        want = replace(want, name=have.name)
    return have == want


def _same_user_type(database: SQLType, model: SQLType, default_schema: str) -> bool:
    if not isinstance(database.name, ObjectName) or not isinstance(model.name, ObjectName):
        return False
    names = name_of(database.name, default_schema) == name_of(model.name, default_schema)
    return names and database.dimensions == model.dimensions


def _precise(kind: SQLType) -> SQLType:
    if kind.name in _DEFAULT_PRECISION and kind.args == ("6",):
        return replace(kind, args=())
    return replace(kind, dimensions=min(kind.dimensions, 1))


def same_default(database: Column, model: Column) -> bool:
    """Tell whether two columns have the same default, identity aside."""
    if is_serial(model.type) or model.identity is not None or database.identity is not None:
        return True
    return equivalent(database.default, model.default, database.type)


def is_servers_serial(column: Column) -> bool:
    """Tell whether a column has the default that ``SERIAL`` gives."""
    return column.default is not None and column.default.startswith(_SERIAL_DEFAULTS)


def same_computed(database: Column, model: Column) -> bool:
    """Tell whether two columns are computed alike, or both are not."""
    have, want = database.computed, model.computed
    if have is None or want is None:
        return have is want
    return have.stored == want.stored and equivalent(have.expression, want.expression, database.type)


def element_key(element: IndexElement) -> tuple[object, ...]:
    """Give what an index element is, without its expression: CockroachDB sorts NULLs first when ascending."""
    direction = element.direction or "ASC"
    nulls = element.nulls if element.nulls != ("FIRST" if direction == "ASC" else "LAST") else None
    return (element.name, direction, nulls, element.opclass)


def same_elements(database: tuple[IndexElement, ...], model: tuple[IndexElement, ...]) -> bool:
    """Tell whether two indexes are on the same columns and expressions."""
    return len(database) == len(model) and all(
        element_key(have) == element_key(want)
        and (have.expression == want.expression or _both_equivalent(have.expression, want.expression))
        for have, want in zip(database, model, strict=True)
    )


def _both_equivalent(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and equivalent(one, other, None)


def same_primary_key(database: PrimaryKey | None, model: PrimaryKey | None) -> bool:
    """Tell whether two primary keys are the same; their names don't count."""
    if database is None or model is None:
        return database is model
    return (
        same_elements(database.elements, model.elements)
        and database.hash_sharded == model.hash_sharded
        and same_buckets(database, model)
    )


def same_buckets(database: PrimaryKey | Index, model: PrimaryKey | Index) -> bool:
    """Tell whether two hash-sharded indexes have as many buckets; a model that says none takes any number."""
    return model.bucket_count is None or database.bucket_count == model.bucket_count


def same_index(database: Index, model: Index) -> bool:
    """Tell whether two indexes are the same but for name and visibility."""
    return (
        database.unique == model.unique
        and database.kind == model.kind
        and database.hash_sharded == model.hash_sharded
        and same_buckets(database, model)
        and sorted(database.storing) == sorted(model.storing)
        and same_elements(database.elements, model.elements)
        and same_predicate(database.predicate, model.predicate)
        and _without_buckets(database.parameters) == _without_buckets(model.parameters)
    )


def same_predicate(database: str | None, model: str | None) -> bool:
    """Tell whether two indexes or constraints are for the same rows."""
    if database is None or model is None:
        return database is model
    return equivalent(database, model, None)


def _without_buckets(parameters: Parameters) -> dict[str, str]:
    return {name: value for name, value in parameters if name != "bucket_count"}


def foreign_key_key(key: ForeignKey, default_schema: str = "public") -> tuple[object, ...]:
    """Give what a foreign key is, but for its name."""
    target = name_of(key.table, default_schema)
    return (key.columns, target, key.referenced, key.match, key.on_delete, key.on_update)


def unique_key(unique: Unique) -> tuple[object, ...]:
    """Give what a unique constraint without an index is, but for its name and predicate."""
    return unique.columns


def same_check(database: Check, model: Check) -> bool:
    """Tell whether two checks are the same but for their names."""
    return equivalent(database.expression, model.expression, None)


def same_zone(database: ZoneConfiguration | None, model: ZoneConfiguration | None) -> bool:
    """Tell whether a zone configuration says what a model does.

    An empty list is as good as none, and what the model copies from the parent may be anything.
    """
    if database is None or model is None:
        return database is model
    copied = {name for name, value in model.options if value.upper().split() == ["COPY", "FROM", "PARENT"]}
    have, want = (
        {
            name: _plain(value)
            for name, value in zone.options
            if name not in copied and _plain(value) not in _NO_CONSTRAINTS
        }
        for zone in (database, model)
    )
    return have == want


def parameter_differences(
    database: Parameters, model: Parameters
) -> tuple[tuple[tuple[str, str | None], ...], tuple[tuple[str, str | None], ...]]:
    """Give the storage parameters that differ: those of the database and those of the model, None for not set."""
    have = {name: value for name, value in database if name not in _OWN_PARAMETERS}
    want = {name: value for name, value in model if name not in _OWN_PARAMETERS}
    for name in _SERVERS_PARAMETERS - want.keys():
        if name != "ttl_job_cron" or have.get(name) in _DEFAULT_CRONS:
            have.pop(name, None)
    differing = [name for name in sorted({*have, *want}) if not same_parameter(name, have.get(name), want.get(name))]
    return tuple((name, have.get(name)) for name in differing), tuple((name, want.get(name)) for name in differing)


def same_parameter(name: str, database: str | None, model: str | None) -> bool:
    """Tell whether a storage parameter has the same value; a false boolean is the same as none."""
    if database == model:
        return True
    if database is None or model is None:
        return (database or model or "").strip("'").lower() in ("false", "off")
    if name == "ttl_expire_after":
        return equivalent(database, model, _INTERVAL)
    return _plain(database) == _plain(model)


def same_regions(database: Database, model: Database) -> bool:
    """Tell whether two databases have the same regions, survival goal and secondary region."""

    def said(one: Database) -> tuple[object, ...]:
        return one.primary_region, {*one.regions, one.primary_region}, one.survive or "ZONE", one.secondary_region

    return said(database) == said(model)


def _plain(value: str) -> str:
    return expressions.normalize(value, _TEXT).strip("'").lower()

"""The ``cockroachdb_*`` options that tables, columns, constraints and indexes of a model take; the Inspector.

SQLAlchemy asks a dialect's class for the options it knows (``construct_arguments``) when the first of them is
used, and loads that class for it; ``sqlalchemy.inspect`` asks it for its Inspector before an engine ever connects. So
the dialect named ``cockroachdb``, with any driver, is registered to be loaded through this module, which adds both to
the class on its way. Nothing of sqlalchemy-cockroachdb is imported before that:
:func:`register` runs in the middle of ``import alembic``, where it can't be.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module, metadata
from typing import Any, Final

from sqlalchemy import exc, schema
from sqlalchemy.dialects import registry
from sqlalchemy.sql.base import DialectKWArgs

_DIALECT: Final = "cockroachdb"
_GROUP: Final = "sqlalchemy.dialects"
_CLASS: Final = "CockroachDBDialect"
_DRIVERS: Final = ("asyncpg", "psycopg", "psycopg2")

#: The options by what takes them, with their defaults. Those of PostgreSQL's dialect stay beside them.
OPTIONS: Final[Mapping[type[DialectKWArgs], Mapping[str, Any]]] = {
    schema.Table: {"families": None, "with": None, "locality": None, "partition_by": None},
    schema.Column: {"not_visible": False, "on_update": None, "family": None},
    schema.PrimaryKeyConstraint: {"using": None, "with": None, "sorting": None, "partition_by": None},
    schema.UniqueConstraint: {
        "without_index": False,
        "where": None,
        "include": None,
        "not_valid": False,
        "using": None,
        "with": None,
        "sorting": None,
        "partition_by": None,
        "visibility": None,
    },
    schema.CheckConstraint: {"not_valid": False},
    schema.ForeignKeyConstraint: {"not_valid": False},
    schema.Index: {
        "where": None,
        "include": None,
        "using": None,
        "ops": None,
        "with": None,
        "visibility": None,
        "partition_by": None,
        "comment": None,
        "concurrently": False,
    },
}

#: What was registered before, by the names under which the dialect is looked for.
_before: dict[str, Any] = {}


def register() -> None:
    """Have SQLAlchemy load the dialect ``cockroachdb`` through this module; doing it again changes nothing.

    A dialect of that name that somebody registered before keeps its place, and gets the options, too.
    """
    if _before:
        return
    for name in (_DIALECT, *(f"{_DIALECT}.{driver}" for driver in _DRIVERS)):
        _before[name] = registry.impls.get(name)
        registry.register(name, __name__, name)
    loaded = getattr(sys.modules.get("sqlalchemy_cockroachdb.base"), _CLASS, None)
    if loaded is not None:
        extend(loaded)
        _compile_options()


def __getattr__(name: str) -> Any:
    if name in _before:
        return _load(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _load(name: str) -> Any:
    """Load the class of the dialect ``cockroachdb``, with what we add to it.

    :param name: ``cockroachdb``, or with a driver ``cockroachdb.psycopg``.
    :raises sqlalchemy.exc.NoSuchModuleError: sqlalchemy-cockroachdb is not installed.
    """
    before = _before[name]
    if before is not None:
        found = before()
    else:
        entries = list(metadata.entry_points(group=_GROUP, name=name))
        if not entries:
            raise exc.NoSuchModuleError(f"Can't load plugin: {_GROUP}:{name}")
        found = entries[0].load()
    _compile_options()
    # The class that those of all drivers are made of, so that each has the options.
    base = next((each for each in found.__mro__ if each.__name__ == _CLASS), found)
    extend(base)
    return found


def _compile_options() -> None:
    """Have what the options say sent: by our compilation of CREATE TABLE and the like, and our events of MetaData."""
    import_module("alembic_crdb.creation")


def extend(dialect: Any) -> None:
    """Give a dialect's class our options, beside those that it has, and our Inspector; a second time changes nothing.

    :param dialect: the class; its own list is replaced by another one, because it is PostgreSQL's, too.
    """
    from alembic_crdb.reflection import CockroachInspector

    if vars(dialect).get("inspector") is CockroachInspector:
        return
    dialect.inspector = CockroachInspector
    merged: dict[Any, dict[str, Any]] = {cls: dict(options) for cls, options in dialect.construct_arguments or ()}
    for cls, options in OPTIONS.items():
        merged.setdefault(cls, {}).update(options)
    dialect.construct_arguments = list(merged.items())
    # What SQLAlchemy read from the class before is read again.
    DialectKWArgs._kw_registry.pop(_DIALECT, None)

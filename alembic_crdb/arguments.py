"""The ``cockroachdb_*`` options that tables, columns, constraints and indexes of a model take.

SQLAlchemy asks a dialect's class for the options it knows (``construct_arguments``) when the first of them is
used, and loads that class for it. So the dialect named ``cockroachdb`` is registered to be loaded through this
module, which adds the options to the class on its way. Nothing of sqlalchemy-cockroachdb is imported before that:
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

_before: Any = None
_registered = False


def register() -> None:
    """Have SQLAlchemy load the dialect ``cockroachdb`` through this module; doing it again changes nothing.

    A dialect of that name that somebody registered before keeps its place, and gets the options, too.
    """
    global _before, _registered
    if _registered:
        return
    _registered = True
    _before = registry.impls.get(_DIALECT)
    registry.register(_DIALECT, __name__, "dialect_class")
    loaded = getattr(sys.modules.get("sqlalchemy_cockroachdb.base"), _CLASS, None)
    if loaded is not None:
        extend(loaded)
        _compile_options()


def __getattr__(name: str) -> Any:
    if name == "dialect_class":
        return _load()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _load() -> Any:
    """Load the class of the dialect ``cockroachdb``, with our options.

    :raises sqlalchemy.exc.NoSuchModuleError: sqlalchemy-cockroachdb is not installed.
    """
    if _before is not None:
        found = _before()
    else:
        entries = list(metadata.entry_points(group=_GROUP, name=_DIALECT))
        if not entries:
            raise exc.NoSuchModuleError(f"Can't load plugin: {_GROUP}:{_DIALECT}")
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
    """Give a dialect's class our options, beside those that it has.

    :param dialect: the class; its own list is replaced by another one, because it is PostgreSQL's, too.
    """
    merged: dict[Any, dict[str, Any]] = {cls: dict(options) for cls, options in dialect.construct_arguments or ()}
    for cls, options in OPTIONS.items():
        merged.setdefault(cls, {}).update(options)
    dialect.construct_arguments = list(merged.items())
    # What SQLAlchemy read from the class before is read again.
    DialectKWArgs._kw_registry.pop(_DIALECT, None)

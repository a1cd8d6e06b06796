"""Alembic for CockroachDB.

Installed with its entry point, it needs no line in ``env.py``; ``import alembic_crdb`` there does the same.
Models say what only CockroachDB has by the names below and by ``cockroachdb_*`` options.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from alembic_crdb.arguments import register as _register_arguments
from alembic_crdb.plugin import register

if TYPE_CHECKING:
    from alembic_crdb.reflection import reflect_database
    from alembic_crdb.schema import (
        TTL,
        Comment,
        DatabaseRegions,
        Schema,
        View,
        ZoneConfiguration,
    )

__all__ = ["TTL", "Comment", "DatabaseRegions", "Schema", "View", "ZoneConfiguration", "reflect_database"]

_MODULES = {**dict.fromkeys(__all__, "alembic_crdb.schema"), "reflect_database": "alembic_crdb.reflection"}


def __getattr__(name: str) -> Any:
    # Not before they are asked for: Alembic imports this package in the middle of its own import.
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


_register_arguments()
register()

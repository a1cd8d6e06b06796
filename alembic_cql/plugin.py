"""Entry point of the group ``alembic.plugins``: autogenerate comparators for the dialect ``cql``.

Loaded in the middle of ``import alembic``, for whatever database that is. So it imports the comparators when they are
called; implementation and operations come with the dialect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy.dialects import registry

from alembic_cluster import sqlfolders
from alembic_cluster.execution import watch_errors

if TYPE_CHECKING:
    from alembic.runtime.plugins import Plugin

_DIALECTS: Final = {"cql": "CassandraDialect", "cassandra": "CassandraDialect", "scylla": "ScyllaDialect"}


def setup(plugin: Plugin) -> None:
    """Register our comparators and the error messages of a run."""
    from alembic.util import DispatchPriority

    def add(function: Any, *where: str, **options: Any) -> None:
        plugin.add_autogenerate_comparator(function, *where, qualifier="cql", **options)

    for name, kind in _DIALECTS.items():  # SQLAlchemy would look for each among what is installed, anew for each
        registry.register(name, "alembic_cql.dialect", kind)
    watch_errors("cql", "Cassandra")
    sqlfolders.install()
    for element in ("nullable", "server_default", "comments", "types"):
        add(_stop, "column", element)
    add(_stop, "table", "foreignkeys")
    add(_check_model, "autogenerate", priority=DispatchPriority.FIRST)
    add(_add_declared, "schema", priority=DispatchPriority.FIRST)
    add(_compare_schemas, "schema", "cql", priority=DispatchPriority.LAST)


def _stop(*args: Any, **kw: Any) -> Any:
    """Keep Alembic from comparing what CQL doesn't have: NOT NULL, defaults, comments on columns, foreign keys."""
    from alembic.util import PriorityDispatchResult

    return PriorityDispatchResult.STOP


def _check_model(*args: Any) -> Any:
    from alembic_cql.compare import check_model

    return check_model(*args)


def _add_declared(*args: Any) -> Any:
    from alembic_cql.compare_keyspaces import add_declared

    return add_declared(*args)


def _compare_schemas(*args: Any) -> Any:
    from alembic_cql.compare import compare_schemas

    return compare_schemas(*args)

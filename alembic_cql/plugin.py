"""Entry point of the group ``alembic.plugins``: autogenerate comparators for the dialect ``cql``.

Loaded in the middle of ``import alembic``, so what needs Alembic's parts is imported when it is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic_cluster import sqlfolders
from alembic_cluster.execution import watch_errors

if TYPE_CHECKING:
    from alembic.runtime.plugins import Plugin


def setup(plugin: Plugin) -> None:
    """Register our comparators, our operations and the error messages of a run."""
    from alembic_cql import compare
    from alembic_cql import op as _op  # noqa: F401  (registers the operations)

    watch_errors("cql", "Cassandra")
    sqlfolders.install()
    compare.register(plugin)

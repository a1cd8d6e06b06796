"""Alembic's ``op`` with this package's operations, as type checkers see them (``op.pyi``): same functions, same proxy.

``from alembic_cql import op`` in a revision in place of ``from alembic import op``.
"""

from __future__ import annotations

from typing import Any

from alembic import op as _op

from alembic_cluster import backfill_operation, file_operations  # noqa: F401
from alembic_cql import (  # noqa: F401  (they register the operations)
    column_operations,
    copy_operations,
    function_operations,
    keyspace_operations,
    operations,
    text_operations,
    type_operations,
    view_operations,
)


def __getattr__(name: str) -> Any:
    return getattr(_op, name)


def __dir__() -> list[str]:
    return sorted(set(dir(_op)))

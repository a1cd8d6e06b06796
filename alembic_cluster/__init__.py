"""What alembic_crdb and alembic_cql share; for ``env.py``: ``from alembic_cluster import migration_lock``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

# First: `import alembic` loads the plugins, which must not find this package's modules half-imported.
import alembic  # noqa: F401

if TYPE_CHECKING:
    from alembic_cluster.lock import migration_lock

__all__ = ["migration_lock"]


def __getattr__(name: str) -> Any:
    """Import what is asked for, and only then: a plugin that Alembic loads needs little of this package."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from alembic_cluster import lock

    return getattr(lock, name)

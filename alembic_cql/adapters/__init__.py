"""Models that a project has already, of other libraries, as MetaData for autogenerate and ``create_all``.

Importing this imports none of the libraries.
"""

from __future__ import annotations

from alembic_cql.adapters.coodie import metadata_from_coodie
from alembic_cql.adapters.cqlengine import metadata_from_cqlengine

__all__ = ["metadata_from_coodie", "metadata_from_cqlengine"]

"""What alembic_crdb and alembic_cql share."""

from __future__ import annotations

# First: `import alembic` loads the plugins, which must not find this package's modules half-imported.
import alembic  # noqa: F401

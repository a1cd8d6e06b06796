"""Alembic's suite for dialects of third parties."""

from alembic.testing.suite import *  # noqa: F403

"""Alembic for CockroachDB."""

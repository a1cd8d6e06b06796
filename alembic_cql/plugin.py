"""Entry point of the group ``alembic.plugins``."""

from alembic.runtime.plugins import Plugin


def setup(plugin: Plugin) -> None:
    """Register our autogenerate comparators."""

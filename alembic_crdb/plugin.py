"""Entry point of the group ``alembic.plugins``: our implementation and comparators in every environment.

Alembic loads this module in the middle of ``import alembic``, where most of Alembic and all of
sqlalchemy-cockroachdb can't be imported yet. So the rest of this package is imported when it is first needed.
"""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING, Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

if TYPE_CHECKING:
    from alembic.ddl.impl import DefaultImpl
    from alembic.runtime.plugins import Plugin
    from sqlalchemy.engine import Dialect

NAME = "alembic.autogenerate.cockroachdb"
_DIALECT = "cockroachdb"


def setup(plugin: Plugin) -> None:
    """Register what this package adds to Alembic; Alembic calls it once.

    :param plugin: collects the autogenerate comparators.
    """
    from alembic_cluster import sqlfolders
    from alembic_cluster.execution import watch_errors

    watch_errors(_DIALECT, "CockroachDB")
    sqlfolders.install()
    _prefer_our_implementation()
    event.listen(Engine, "do_connect", _connect)
    plugin.add_autogenerate_comparator(_compare, "schema", "tables", qualifier=_DIALECT)


def _compare(autogen_context: Any, upgrade_ops: Any, schemas: Any) -> Any:
    from alembic_crdb.compare import compare_database

    return compare_database(autogen_context, upgrade_ops, schemas)


def register() -> None:
    """Do what the entry point does where a program is installed without entry points, such as from one file."""
    if not any(entry.name == NAME for entry in metadata.entry_points(group="alembic.plugins")):
        from alembic.runtime.plugins import Plugin

        setup(Plugin(NAME))


def _prefer_our_implementation() -> None:
    """Make Alembic find our implementation, whenever sqlalchemy-cockroachdb registers its own.

    Whoever defines a class with ``__dialect__ = "cockroachdb"`` last is Alembic's choice, and
    sqlalchemy-cockroachdb does it when an engine is first made. An implementation of the user's own stays.
    """
    from alembic.ddl.impl import DefaultImpl

    alembics = DefaultImpl.get_by_dialect

    def get_by_dialect(cls: type[DefaultImpl], dialect: Dialect) -> type[DefaultImpl]:
        found = alembics(dialect)
        if dialect.name == _DIALECT and found.__module__ == "sqlalchemy_cockroachdb.base":
            from alembic_crdb.impl import CockroachDBImpl

            return CockroachDBImpl
        return found

    DefaultImpl.get_by_dialect = classmethod(get_by_dialect)  # type: ignore[method-assign, assignment]


def _connect(dialect: Dialect, record: Any, arguments: list[Any], options: dict[str, Any]) -> Any:
    """Adapt the dialect before its first statement, and name an option of the URL that the driver chokes on."""
    if dialect.name != _DIALECT:
        return None
    from alembic_cluster.errors import ConfigurationError
    from alembic_cluster.execution import environment_runs
    from alembic_crdb.dialect import adapt

    adapt(dialect)
    if not environment_runs():
        return None
    try:
        return dialect.connect(*arguments, **options)
    except (TypeError, ValueError) as error:  # anything else is the driver's own answer
        raise ConfigurationError(
            f"The URL of CockroachDB has an option that {dialect.driver} can't use: {error}. "
            f"Nothing was sent; its options are {', '.join(sorted(options))}."
        ) from error

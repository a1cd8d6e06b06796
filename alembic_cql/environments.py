"""What one environment has otherwise than the models and revisions say: the options of its keyspaces.

A revision is the same everywhere, three datacenters are not. ``cql_keyspaces`` gives the options of keyspaces that this
environment has instead: a map by the keyspace's name, or ``"*"`` for all, of ``replication``, ``durable_writes`` and
``tablets``. It stands in ``create_engine(url, cql_keyspaces=...)``, in ``alembic.ini`` (JSON) or ``pyproject.toml``, in
``context.configure(cql_keyspaces=...)``, or on the command line (``-x cql_keyspaces='{..}'``); of several, the later in
this list wins.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from alembic import context

from alembic_cluster.errors import ConfigurationError, InvalidModel
from alembic_cluster.execution import environment_runs
from alembic_cql.keyspaces import Keyspace, check_options

OPTION = "cql_keyspaces"
ALL = "*"
KeyspaceOptions: TypeAlias = "Mapping[str, Mapping[str, Any]]"


def read_keyspaces(given: Any, source: str) -> dict[str, dict[str, Any]]:
    """Read what somebody gave as ``cql_keyspaces``.

    :param given: a map of maps, or JSON of one.
    :param source: where it stands, for messages.
    :raises ConfigurationError: saying what is wrong.
    """
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError as error:
            raise ConfigurationError(f"{OPTION} ({source}) is not JSON: {error}; nothing was sent") from None
    if not isinstance(given, Mapping) or not all(isinstance(options, Mapping) for options in given.values()):
        raise ConfigurationError(
            f"{OPTION} ({source}) takes a map of keyspaces, such as "
            f'{{"bank": {{"replication": {{"class": "SimpleStrategy", "replication_factor": 1}}}}}}, not {given!r}; '
            "nothing was sent"
        )
    for name, options in given.items():
        try:
            check_options(name, options)
        except InvalidModel as error:
            raise ConfigurationError(f"{OPTION} ({source}): {error}") from None
    return {str(name): dict(options) for name, options in given.items()}


def configured_keyspaces(dialect: Any, migration_context: Any = None) -> dict[str, dict[str, Any]]:
    """Give the options that this environment has for its keyspaces.

    :param dialect: its ``cql_keyspaces`` are what ``create_engine`` was given.
    :param migration_context: Alembic's ``MigrationContext``; without one, ``alembic.ini`` and ``-x`` of the env.py that
        is being run count.
    :raises ConfigurationError: for what can't be read.
    """
    found: dict[str, dict[str, Any]] = {}
    for source, given in _sources(dialect, migration_context):
        for name, options in read_keyspaces(given, source).items():
            found[name] = {**found.get(name, {}), **options}
    return found


def _sources(dialect: Any, migration_context: Any) -> Iterator[tuple[str, Any]]:
    if dialect.cql_keyspaces:
        yield "create_engine", dialect.cql_keyspaces
    # Without a run of its own (create_keyspaces, create_all) it is that of the env.py that is being run, if one is.
    running: Any = context if environment_runs() else None
    environment = running if migration_context is None else migration_context.environment_context
    if environment is not None:
        config = environment.config
        if config.file_config.has_option(config.config_ini_section, OPTION):
            yield "alembic.ini", config.file_config.get(config.config_ini_section, OPTION)
        elif OPTION in config.toml_alembic_config:
            yield "pyproject.toml", config.toml_alembic_config[OPTION]
    if migration_context is not None and migration_context.opts.get(OPTION):
        yield "context.configure", migration_context.opts[OPTION]
    if environment is not None:
        given = environment.get_x_argument(as_dictionary=True).get(OPTION)
        if given is not None:
            yield "-x", given


def in_environment(keyspace: Keyspace, configured: KeyspaceOptions) -> Keyspace:
    """Give a keyspace as this environment has it.

    :param configured: from :func:`configured_keyspaces`.
    """
    return keyspace.with_options(options_of(keyspace.name, configured))


def options_of(name: str, configured: KeyspaceOptions) -> dict[str, Any]:
    """Give the options that this environment has for one keyspace."""
    return {**configured.get(ALL, {}), **configured.get(name, {})}

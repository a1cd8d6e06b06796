"""``cql_keyspaces``: each place that it may stand in, and which of them wins."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext

from alembic_cluster.errors import ConfigurationError
from alembic_cql import Keyspace
from alembic_cql.dialect import CassandraDialect
from alembic_cql.environments import configured_keyspaces, in_environment


def simple(factor: int) -> dict[str, Any]:
    return {"class": "SimpleStrategy", "replication_factor": factor}


def context(config: Config, opts: dict[str, Any], *given: str) -> Any:
    config.cmd_opts = Namespace(x=list(given))
    environment = EnvironmentContext(config, None)  # type: ignore[arg-type]
    return SimpleNamespace(environment_context=environment, opts=opts)


def configured(tmp_path: Path, **texts: str) -> Config:
    (tmp_path / "alembic.ini").write_text(f"[alembic]\n{texts.get('ini', '')}\n")
    (tmp_path / "pyproject.toml").write_text(f"[tool.alembic]\n{texts.get('toml', '')}\n")
    return Config(str(tmp_path / "alembic.ini"), toml_file=str(tmp_path / "pyproject.toml"))


def test_a_later_place_wins_option_by_option(tmp_path: Path) -> None:
    dialect = CassandraDialect(cql_keyspaces={"*": {"replication": simple(1), "durable_writes": False}})
    ini = 'cql_keyspaces = {"bank": {"replication": {"class": "SimpleStrategy", "replication_factor": 2}}}'
    config = configured(tmp_path, ini=ini)
    production = Keyspace("bank", replication={"class": "NetworkTopologyStrategy", "east": 3})

    def here(migration_context: Any) -> Keyspace:
        return in_environment(production, configured_keyspaces(dialect, migration_context))

    assert here(None).replication == simple(1)
    found = here(context(config, {}))
    assert (found.replication, found.durable_writes) == (simple(2), False)
    assert here(context(config, {"cql_keyspaces": {"bank": {"durable_writes": True}}})).durable_writes is True
    option = 'cql_keyspaces={"bank": {"replication": {"class": "SimpleStrategy", "replication_factor": 4}}}'
    found = here(context(config, {"cql_keyspaces": {"bank": {"replication": simple(3)}}}, option))
    assert found.replication == simple(4)
    assert production.durable_writes is True  # the model's own stays


def test_pyproject(tmp_path: Path) -> None:
    toml = '[tool.alembic.cql_keyspaces."*".replication]\nclass = "SimpleStrategy"\nreplication_factor = 2'
    found = configured_keyspaces(CassandraDialect(), context(configured(tmp_path, toml=toml), {}))
    assert found == {"*": {"replication": simple(2)}}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("{", r"cql_keyspaces \(-x\) is not JSON"),
        ("[]", r"cql_keyspaces \(-x\) takes a map of keyspaces"),
        ('{"k": {"replication": {"class": "Nope"}}}', "no replication strategy 'Nope'"),
        ('{"k": {"durable_writes": 5}}', "durable_writes takes True or False"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, given: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{message}.*nothing was sent"):
        configured_keyspaces(CassandraDialect(), context(configured(tmp_path), {}, f"cql_keyspaces={given}"))

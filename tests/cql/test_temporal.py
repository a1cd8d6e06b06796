"""Temporal's versioned schema, v1.0 to v1.13, as Alembic revisions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from alembic_cql import reflect_keyspace
from alembic_cql.splitting import split_cql
from tests.cql import real_schemas
from tests.cql.project import Project, describe
from tests.servers.fixtures import CassandraKeyspace

VERSIONS = tuple(f"v1.{minor}" for minor in range(14))

# Temporal's schema.cql lost this table when v1.6 made another in its place, and no version drops it.
LEFT_BEHIND = ("cluster_metadata",)


def files(version: str) -> list[str]:
    """Give the texts of a version's files, in the order in which its manifest names them."""
    folder = f"temporal/versioned/{version}"
    manifest = json.loads(real_schemas.read(f"{folder}/manifest.json"))
    return [real_schemas.read(f"{folder}/{name}") for name in manifest["SchemaUpdateCqlFiles"]]


@pytest.fixture(scope="module")
def migrated(
    keyspaces: Iterator[CassandraKeyspace], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Project, dict[str, str]]:
    """A project with one revision for each version, upgraded; and what the upgrade wrote."""
    texts = {version: files(version) for version in VERSIONS}
    project = Project(Path(tmp_path_factory.mktemp("temporal")), next(keyspaces))
    for version, contents in texts.items():
        project.revision(version.replace(".", "_"), "\n".join(f"op.execute({text!r})" for text in contents))
    return project, {"upgrade": project.cli("upgrade", "head")}


def test_there_are_all_versions() -> None:
    real_schemas.read("temporal/versioned/v1.0/manifest.json")
    folders = {path.name for path in (real_schemas.FOLDER / "temporal" / "versioned").iterdir()}
    assert folders == set(VERSIONS)


def test_upgrading_step_by_step_gives_the_whole_schema(
    migrated: tuple[Project, dict[str, str]], cassandra_keyspace: CassandraKeyspace
) -> None:
    project, output = migrated
    assert project.heads() == {"v1_13"}
    assert output["upgrade"].count("Running upgrade") == len(VERSIONS)
    real_schemas.TEMPORAL.load(cassandra_keyspace)
    left_out = ("alembic_version", *LEFT_BEHIND)
    assert describe(project.keyspace, without=left_out) == describe(cassandra_keyspace)
    assert project.tables().issuperset(LEFT_BEHIND)


def test_autogenerate_has_nothing_to_add(migrated: tuple[Project, dict[str, str]]) -> None:
    project, _ = migrated
    with sa.create_engine(project.keyspace.url, poolclass=sa.NullPool).connect() as connection:
        metadata = reflect_keyspace(connection)
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    assert "alembic_version" not in metadata.tables
    assert metadata.tables.keys() == project.tables()


def test_upgrading_again_does_nothing(migrated: tuple[Project, dict[str, str]]) -> None:
    project, _ = migrated
    before = describe(project.keyspace, without=())
    assert "Running" not in project.upgrade()
    assert describe(project.keyspace, without=()) == before


def test_the_script_of_all_versions_gives_the_whole_schema(
    migrated: tuple[Project, dict[str, str]], cassandra_keyspace: CassandraKeyspace
) -> None:
    project, _ = migrated
    for statement in split_cql(project.upgrade(sql=True)):
        cassandra_keyspace.execute(statement)
    assert describe(cassandra_keyspace) == describe(project.keyspace)
    heads = cassandra_keyspace.execute("SELECT version_num FROM alembic_version")
    assert {row[0] for row in heads if row[0]} == {"v1_13"}

"""Expand and contract on CockroachDB: one change of the models, split, run before and after a deployment."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.cockroachdb.project import Project
from tests.servers.fixtures import CockroachDatabase

MODELS = """
import sqlalchemy as sa
metadata = sa.MetaData()
sa.Table('t', metadata, sa.Column('id', sa.BigInteger, primary_key=True), {columns})
"""


@pytest.fixture
def project(cockroach_database: CockroachDatabase, tmp_path: Path) -> Project:
    made = Project(tmp_path, cockroach_database.url_for("psycopg2"))
    made.models(MODELS.format(columns="sa.Column('old', sa.Text), sa.Column('kept', sa.Text)"))
    made.autogenerate("a")
    made.upgrade()
    return made


def columns(project: Project) -> dict[str, bool]:
    engine = sa.create_engine(project.url, poolclass=sa.NullPool)
    return {each["name"]: each["nullable"] for each in sa.inspect(engine).get_columns("t")}


def test_one_change_becomes_two_revisions(project: Project) -> None:
    project.edit("migrations/env.py", r"(?m)^            connection=connection, target_metadata=target_metadata$",
                 "            connection=connection, target_metadata=target_metadata,\n"
                 "            process_revision_directives=split_phases,")  # fmt: skip
    env = project.folder / "migrations" / "env.py"
    env.write_text("from alembic_cluster.phases import split_phases\n" + env.read_text())
    project.models(MODELS.format(columns="sa.Column('new', sa.Text, nullable=False), "
                                 "sa.Column('kept', sa.Text, nullable=False)"))  # fmt: skip
    project.cli("revision", "--autogenerate", "-m", "swap")
    versions = project.folder / "migrations" / "versions"
    (expand,) = versions.glob("*_swap_expand.py")
    (contract,) = versions.glob("*_swap_contract.py")
    assert 'phase = "expand"' in expand.read_text()
    assert 'phase = "contract"' in contract.read_text()
    assert "drop_column" not in expand.read_text().partition("def downgrade")[0]

    project.cli("-x", "phase=expand", "upgrade", "head")
    assert columns(project) == {"id": False, "old": True, "kept": True, "new": True}
    project.cli("-x", "phase=contract", "upgrade", "head")
    assert columns(project) == {"id": False, "kept": False, "new": False}
    project.check()
    project.downgrade("a")
    assert columns(project) == {"id": False, "old": True, "kept": True}

    project.revision("z", "op.add_column('t', sa.Column('last', sa.Text))")
    refused = project.cli("-x", "phase=expand", "upgrade", "head", expect=None)
    assert "expand revision z stands on the contract revision" in " ".join(refused.split())
    assert "last" not in columns(project)
    assert project.versions() == ["a"]


def test_a_change_that_only_adds_stays_one(project: Project) -> None:
    from alembic.autogenerate import produce_migrations
    from alembic.migration import MigrationContext

    from alembic_cluster.phases import split_phases

    metadata = sa.MetaData()
    more = [sa.Column(name, sa.Text) for name in ("old", "kept", "more")]
    sa.Table("t", metadata, sa.Column("id", sa.BigInteger, primary_key=True), *more)
    with sa.create_engine(project.url, poolclass=sa.NullPool).connect() as connection:
        context = MigrationContext.configure(connection)
        directives = [produce_migrations(context, metadata)]
        split_phases(context, None, directives)
    (script,) = directives
    assert script.imports == {'phase = "expand"'}

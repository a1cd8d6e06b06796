"""CockroachDB's own page "Migrate CockroachDB Schemas with Alembic", step by step as it is written there."""

from __future__ import annotations

import re

import pytest

from tests.cockroachdb.project import Project, body

ACCOUNTS = """
op.create_table(
    'accounts',
    sa.Column('id', sa.dialects.postgresql.UUID, primary_key=True),
    sa.Column('balance', sa.Integer),
)
"""
OVERDRAWN = """
from sqlalchemy import Column, Boolean, Computed

op.add_column('accounts', sa.Column('overdrawn', Boolean, Computed('CASE WHEN balance < 0 THEN True ELSE False END')))
"""
RAW = '''
from sqlalchemy import text

op.execute(text("""ALTER TABLE accounts ADD COLUMN overdrawn BOOLEAN AS (
                    CASE
                        WHEN balance < 0 THEN True
                        ELSE False
                    END
                    ) STORED;"""))
'''
MODELS = """
from sqlalchemy import Boolean, Column, Computed, Integer
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import declarative_base

Base = declarative_base()
metadata = Base.metadata


class Account(Base):
    __tablename__ = 'accounts'
    id = Column(UUID(as_uuid=True), primary_key=True)
    balance = Column(Integer)
    overdrawn = Column('overdrawn', Boolean, Computed('CASE WHEN balance < 0 THEN True ELSE False END'))
"""
COLUMNS = "SELECT column_name, data_type, generation_expression FROM [SHOW COLUMNS FROM accounts] ORDER BY 1"
WITHOUT = [("balance", "INT8", ""), ("id", "UUID", "")]
WITH = [*WITHOUT, ("overdrawn", "BOOL", "CASE WHEN balance < 0 THEN true ELSE false END")]


def _accounts(project: Project) -> None:
    project.revision("ad72c7ec8b22", ACCOUNTS, "op.drop_table('accounts')")


def test_the_tutorial(project: Project) -> None:
    _accounts(project)
    out = project.cli("upgrade", "head")
    assert "Context impl CockroachDBImpl." in out
    assert "Will assume non-transactional DDL." in out
    assert "Running upgrade  -> ad72c7ec8b22" in out
    tables = project.rows("SELECT table_name FROM [SHOW TABLES] ORDER BY 1")
    assert tables == [("accounts",), ("alembic_version",)]
    assert project.versions() == ["ad72c7ec8b22"]
    assert project.rows(COLUMNS) == WITHOUT

    file = project.revision("fd88c68af7b5", OVERDRAWN, "op.drop_column('accounts', 'overdrawn')")
    project.cli("upgrade", "fd88c68af7b5")
    assert project.rows(COLUMNS) == WITH
    assert project.versions() == ["fd88c68af7b5"]

    assert "Running downgrade fd88c68af7b5 -> ad72c7ec8b22" in project.cli("downgrade", "-1")
    assert project.rows(COLUMNS) == WITHOUT
    file.unlink()
    file = project.revision("fd88c68af7b5", RAW, "op.drop_column('accounts', 'overdrawn')")
    project.cli("upgrade", "fd88c68af7b5")
    assert project.rows(COLUMNS) == WITH

    project.cli("downgrade", "-1")
    file.unlink()
    project.models(MODELS)
    project.cli("revision", "--autogenerate", "-m", "add overdrawn column", "--rev-id", "44fa7043e441")
    (file,) = (project.folder / "migrations" / "versions").glob("44fa7043e441_*.py")
    written = file.read_text()
    assert re.fullmatch(
        r"op\.add_column\('accounts', sa\.Column\('overdrawn', sa\.Boolean\(\), "
        r"sa\.Computed\('CASE WHEN balance < 0 THEN True ELSE False END', \), nullable=True\)\)",
        body(written, "upgrade"),
    )
    assert body(written, "downgrade") == "op.drop_column('accounts', 'overdrawn')"
    project.cli("upgrade", "44fa7043e441")
    assert project.rows(COLUMNS) == WITH
    assert "No new upgrade operations detected" in project.cli("check")
    project.cli("downgrade", "-1")
    assert project.rows(COLUMNS) == WITHOUT


def test_current_and_history(project: Project) -> None:
    _accounts(project)
    project.revision("fd88c68af7b5", OVERDRAWN, "op.drop_column('accounts', 'overdrawn')")
    assert "ad72c7ec8b22" not in project.cli("current")
    assert project.rows("SELECT table_name FROM [SHOW TABLES]") == []
    project.cli("upgrade", "+1")
    assert "ad72c7ec8b22" in project.cli("current")
    project.cli("current", "--check-heads", expect=None)
    project.cli("upgrade", "+1")
    assert "fd88c68af7b5 (head)" in project.cli("current", "--check-heads")
    history = project.cli("history", "--indicate-current")
    assert "ad72c7ec8b22 -> fd88c68af7b5 (head) (current)" in history
    assert "<base> -> ad72c7ec8b22" in history
    project.cli("downgrade", "base")
    assert project.versions() == []
    assert project.rows("SELECT table_name FROM [SHOW TABLES]") == [("alembic_version",)]


def test_accounts_with_rows(project: Project) -> None:
    """Rows by DML, by bulk_insert and by the bind; the computed columns of later revisions fill for all of them."""
    project.revision(
        "a1",
        """
        accounts = op.create_table(
            "accounts",
            sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), primary_key=True),
            sa.Column("balance", sa.Numeric(12, 2), nullable=False),
        )
        op.bulk_insert(accounts, [{"balance": 10}, {"balance": -5}])
        op.execute("INSERT INTO accounts (balance) VALUES (-7.5)")
        op.get_bind().execute(accounts.insert(), {"balance": 0})
        seen = op.get_bind().execute(sa.select(sa.func.count()).select_from(accounts)).scalar_one()
        assert seen == 4, seen
        """,
        "op.drop_table('accounts')",
    )
    project.revision(
        "a2",
        """
        op.execute(
            "ALTER TABLE accounts ADD COLUMN overdrawn BOOLEAN AS "
            "(CASE WHEN balance < 0 THEN true ELSE false END) STORED"
        )
        """,
        "op.drop_column('accounts', 'overdrawn')",
    )
    project.revision(
        "a3",
        "op.add_column('accounts', sa.Column('debt', sa.Numeric, sa.Computed('-balance', persisted=True)))",
        "op.drop_column('accounts', 'debt')",
    )
    project.revision(
        "a4",
        "op.add_column('accounts', sa.Column('twice', sa.Numeric, sa.Computed('balance * 2', persisted=False)))",
        "op.drop_column('accounts', 'twice')",
    )
    project.upgrade()
    assert project.rows(
        "SELECT balance::STRING, overdrawn, debt::STRING, twice::STRING FROM accounts ORDER BY accounts.balance"
    ) == [
        ("-7.50", True, "7.50", "-15.00"),
        ("-5.00", True, "5.00", "-10.00"),
        ("0.00", False, "0.00", "0.00"),
        ("10.00", False, "-10.00", "20.00"),
    ]
    created = str(project.rows("SELECT create_statement FROM [SHOW CREATE TABLE accounts]"))
    assert ") VIRTUAL" in created
    assert created.count(") STORED") == 2
    for expected in (["a3"], ["a2"], ["a1"], []):
        project.downgrade("-1")
        assert project.versions() == expected


@pytest.mark.parametrize("persisted", [True, False])
def test_computed_column_of_the_model_is_found(project: Project, persisted: bool) -> None:
    _accounts(project)
    project.upgrade()
    project.models(MODELS.replace("False END')", f"False END', persisted={persisted})"))
    written = project.autogenerate("b1")
    assert f"sa.Computed('CASE WHEN balance < 0 THEN True ELSE False END', persisted={persisted})" in written
    project.upgrade()
    project.check()
    # Taken out of the model again: the revision can bring the same column back.
    project.models(re.sub(r"(?m)^    overdrawn = .*$", "", MODELS))
    written = project.autogenerate("b2")
    assert body(written, "upgrade") == "op.drop_column('accounts', 'overdrawn')"
    assert f"persisted={persisted}" in body(written, "downgrade")
    project.upgrade()
    project.check()
    project.downgrade("-1")
    assert project.rows(COLUMNS) == WITH


def test_revision_with_other_models_file(project: Project) -> None:
    """The tutorial's models are found as new tables on an empty database, too."""
    project.models(MODELS)
    written = project.autogenerate("c1")
    assert "op.create_table('accounts'" in written
    project.upgrade()
    project.check()
    project.downgrade("base")
    assert project.rows("SELECT table_name FROM [SHOW TABLES]") == [("alembic_version",)]

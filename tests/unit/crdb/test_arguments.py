"""The ``cockroachdb_*`` options, whatever was imported first; each order in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

MODELS = """
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

table = sa.Table(
    "t", sa.MetaData(),
    sa.Column("a", sa.Integer, cockroachdb_not_visible=True, cockroachdb_on_update="1", cockroachdb_family="f"),
    sa.Column("b", sa.Integer),
    sa.PrimaryKeyConstraint("a", cockroachdb_using="hash", cockroachdb_with={"bucket_count": 4},
                            cockroachdb_sorting={"a": "DESC"}),
    sa.UniqueConstraint("b", cockroachdb_without_index=True, cockroachdb_where="b > 1", cockroachdb_not_valid=True),
    sa.CheckConstraint("b > 0", cockroachdb_not_valid=True),
    sa.ForeignKeyConstraint(["b"], ["t.a"], cockroachdb_not_valid=True),
    sa.Index("ix", "b", cockroachdb_visibility=0.5, cockroachdb_include=["a"], cockroachdb_ops={"b": "x"},
             cockroachdb_partition_by="LIST (b) (PARTITION p VALUES IN (1))", cockroachdb_comment="c"),
    cockroachdb_families={"f": ["a"]}, cockroachdb_with={"schema_locked": True}, cockroachdb_locality="GLOBAL",
    cockroachdb_partition_by="LIST (a) (PARTITION p VALUES IN (1))",
)
for make in (
    lambda: sa.Index("ix", "b", cockroachdb_nonsense=1),
    lambda: sa.Table("u", sa.MetaData(), cockroachdb_nonsense=1),
    lambda: sa.Table("v", sa.MetaData(), postgresql_families={}),
    lambda: sa.Column("c", sa.Integer, postgresql_not_visible=True),
):
    try:
        make()
    except ArgumentError:
        pass
    else:
        raise AssertionError("an option that there isn't was taken")
sa.Index("ix", "b", postgresql_where=sa.text("b > 1"), postgresql_using="gin", postgresql_with={"fillfactor": 70})

from sqlalchemy.schema import CreateTable
for driver in ("psycopg2", "psycopg"):
    dialect = sa.create_engine(f"cockroachdb+{driver}://root@localhost/d").dialect
    text = str(CreateTable(table).compile(dialect=dialect))
    assert "FAMILY f (a)" in text and "LOCALITY GLOBAL" in text, text
print("fine")
"""

BEFORE = {
    "nothing": "",
    "alembic": "import alembic",
    "alembic_crdb": "import alembic_crdb",
    "a public name": "from alembic_crdb import View",
    "our types": "import alembic_crdb.types",
    "the dialect": "import sqlalchemy_cockroachdb",
    "the dialect's class": "import sqlalchemy_cockroachdb.psycopg",
    "the dialect, then alembic_crdb": "import sqlalchemy_cockroachdb.base, alembic_crdb",
    "an engine": "import sqlalchemy; sqlalchemy.create_engine('cockroachdb+psycopg://root@localhost/d')",
    "an engine of the default driver": "import sqlalchemy; sqlalchemy.create_engine('cockroachdb://root@localhost/d')",
    "an option of PostgreSQL": "import sqlalchemy; sqlalchemy.Index('i', 'a', postgresql_where='x')",
    "an option of CockroachDB": "import sqlalchemy; sqlalchemy.Index('i', 'a', cockroachdb_where='x')",
    "alembic, then the dialect": "import alembic.config, alembic.command, sqlalchemy_cockroachdb.psycopg2",
}


def _run(source: str) -> str:
    ran = subprocess.run([sys.executable, "-W", "error", "-c", source], capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.parametrize("before", BEFORE.values(), ids=BEFORE)
def test_options_are_taken_in_every_import_order(before: str) -> None:
    assert _run(before + MODELS) == "fine\n"


def test_another_dialect_of_that_name_keeps_its_place() -> None:
    before = """
import sqlalchemy
from sqlalchemy.dialects import registry
registry.register("cockroachdb", "sqlalchemy_cockroachdb.psycopg", "CockroachDBDialect_psycopg")
import alembic_crdb
assert sqlalchemy.create_engine("cockroachdb://root@localhost/d").dialect.driver == "psycopg"
"""
    assert _run(before + MODELS) == "fine\n"


def test_without_sqlalchemy_cockroachdb_sqlalchemy_says_so() -> None:
    source = """
import sys
from importlib import metadata
entry_points = metadata.entry_points
metadata.entry_points = lambda **kw: [] if kw.get("name") == "cockroachdb" else entry_points(**kw)
import alembic_crdb, sqlalchemy
try:
    sqlalchemy.create_engine("cockroachdb://root@localhost/d")
except sqlalchemy.exc.NoSuchModuleError as error:
    print(error)
"""
    assert _run(source) == "Can't load plugin: sqlalchemy.dialects:cockroachdb\n"

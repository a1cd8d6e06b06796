"""``alembic_cql.op``: the same functions as Alembic's, and a stub that says of each what it takes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from alembic import op as alembic_op
from alembic.operations import Operations

import alembic_cql
from alembic_cql import op
from tests.unit.op_stub import operations, stub

REVISION = """
import datetime
import sqlalchemy as sa
from alembic_cql import op
from alembic_cql import types as cql

def upgrade() -> None:
    op.create_keyspace("bank", {"class": "NetworkTopologyStrategy", "dc1": 3}, durable_writes=True)
    op.alter_keyspace("bank", replication={"class": "SimpleStrategy", "replication_factor": 1})
    op.drop_keyspace("bank", if_exists=True)
    op.create_type("address", [("street", cql.TEXT()), ("city", cql.TEXT)], schema="bank")
    op.create_type(cql.UserType("person", {"name": cql.TEXT}))
    op.alter_type("address", add=[("zip", cql.TEXT())], rename={"city": "town"}, if_not_exists=True)
    op.drop_type("address")
    op.create_table("t", sa.Column("id", sa.Integer(), primary_key=True), cql_gc_grace_seconds=60)
    op.alter_table_options("t", {"gc_grace_seconds": 3600}, existing={"gc_grace_seconds": 60})
    op.add_column("t", sa.Column("a", cql.FROZEN(cql.UserType("person"))))
    op.alter_column_mask("t", "a", "mask_inner(1, null)", existing_mask=None)
    op.alter_column_check("t", "a", "a > 0")
    op.create_index("t_a", "t", ["a"], cql_using="sai")
    op.create_materialized_view("v", "t", "a IS NOT NULL AND id IS NOT NULL", ["a"], {"id": "DESC"}, columns=["a"])
    op.alter_materialized_view_options("v", {"gc_grace_seconds": 60})
    op.drop_materialized_view("v")
    op.create_function("f", [("a", cql.INT())], cql.INT(), "return a;", replace=True)
    op.create_aggregate("g", [cql.INT()], "f", cql.INT(), initcond=0)
    op.drop_aggregate("g", [cql.INT()])
    op.drop_function("f")
    op.copy_table("t", "t2", convert={"a": str}, fill={"day": datetime.date(2026, 1, 1)})
    op.backfill("t", update={"a": None}, where="id > 5", rows_per_second=1000)
    op.execute_cql("CREATE ROLE r", down="DROP ROLE r")
    op.execute_file("up.cql", down="down.cql")
    op.undo_file("both.cql")
    op.execute("SELECT 1")
"""
WRONG = """
from alembic_cql import op
op.create_keyspace("bank")
op.alter_keyspace("bank", replicas={})
op.execute_cql(5)
op.no_such_operation()
op.create_function("f", [], None, "x")
op.create_materialized_view("v", "t", "id IS NOT NULL")
op.alter_type("t", add=5)
op.execute_file(5)
"""


def test_the_stub_is_what_the_operations_are() -> None:
    written = (Path(alembic_cql.__file__).parent / "op.pyi").read_text()
    assert written == stub(), "python -m tests.unit.op_stub > alembic_cql/op.pyi"


def test_every_operation_is_alembics_own_function() -> None:
    assert len(operations()) > 18
    for name in operations():
        assert getattr(op, name) is getattr(alembic_op, name)
        assert hasattr(Operations, name)
    assert op.create_table is alembic_op.create_table
    assert {"create_table", "create_keyspace"} <= set(dir(op))


def test_the_revision_above_uses_every_operation() -> None:
    assert [name for name in operations() if f"op.{name}(" not in REVISION] == []


def test_type_checkers_see_them(tmp_path: Path) -> None:
    right, wrong = tmp_path / "right.py", tmp_path / "wrong.py"
    right.write_text(REVISION)
    wrong.write_text(WRONG)
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--config-file=", str(right), str(wrong)],
        cwd=Path(alembic_cql.__file__).parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    found = {line.split(":")[1] for line in ran.stdout.splitlines() if "wrong.py" in line and "error" in line}
    assert "right.py" not in ran.stdout, ran.stdout
    assert found == {str(line) for line in range(3, 11)}, ran.stdout + ran.stderr

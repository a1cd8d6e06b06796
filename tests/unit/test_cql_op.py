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
from alembic_cql import op
from alembic_cql import types as cql
op.create_table
op.add_column
op.create_keyspace("bank", {"class": "SimpleStrategy", "replication_factor": 1})
op.create_function("f", [("a", cql.INT())], cql.INT(), "return a;")
op.execute_cql("x", down="y")
"""
WRONG = """
from alembic_cql import op
op.create_keyspace("bank")
op.alter_keyspace("bank", replicas={})
op.execute_cql(5)
op.no_such_operation()
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
    assert found == {"3", "4", "5", "6"}, ran.stdout + ran.stderr

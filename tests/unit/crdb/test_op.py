"""``alembic_crdb.op``: the operations of revisions as type checkers see them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import alembic.op
import pytest

from alembic_crdb import op
from tests.unit.crdb.op_stub import operations, stub

PACKAGE = Path(__file__).resolve().parents[3] / "alembic_crdb"


def test_the_stub_says_what_the_operations_take() -> None:
    written = (PACKAGE / "op.pyi").read_text()
    formatted = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--stdin-filename", "op.pyi", "-"],
        input=stub(),
        capture_output=True,
        text=True,
        check=True,
        cwd=PACKAGE,
        timeout=60,
    )
    assert written == formatted.stdout, "python -m tests.unit.crdb.op_stub | ruff format - > alembic_crdb/op.pyi"


def test_it_is_alembics_op() -> None:
    assert op.create_table is alembic.op.create_table
    for name in operations():
        assert getattr(op, name) is getattr(alembic.op, name)
        assert name in dir(op)
    with pytest.raises(AttributeError):
        op.no_such_operation  # noqa: B018


CALLS = {
    "op.alter_primary_key('t', ['a', 'b DESC'], existing=['a'])": None,
    "op.set_locality('t', 'GLOBAL')": None,
    "op.add_column('t', sa.Column('a', sa.Integer()))": None,
    "op.set_survival_goal('d', 'ZONE')": None,
    "op.set_survival_goal('d', 'PLANET')": "arg-type",
    "op.alter_primary_key('t')": "call-arg",
    "with op.batch_alter_table('t') as batch: batch.set_locality('GLOBAL', existing=None)": None,
    "with op.batch_alter_table('t') as batch: batch.drop_column('a')": None,
    "with op.batch_alter_table('t') as batch: batch.set_locality()": "call-arg",
    "op.no_such_operation()": "attr-defined",
}


def test_mypy_sees_the_operations(tmp_path: Path) -> None:
    revision = tmp_path / "revision_a1.py"
    head = ["import sqlalchemy as sa", "from alembic_crdb import op", "def upgrade() -> None:"]
    revision.write_text("\n".join([*head, *(f"    {call}" for call in CALLS), ""]))
    ran = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--follow-imports=silent", str(revision)],
        capture_output=True,
        text=True,
        check=False,
        cwd=PACKAGE.parent,
        timeout=250,
    )
    found = {int(line): code for line, code in re.findall(r"revision_a1.py:(\d+): error: .*\[(.*)\]", ran.stdout)}
    wanted = {number: code for number, code in enumerate(CALLS.values(), len(head) + 1) if code}
    assert found == wanted, ran.stdout

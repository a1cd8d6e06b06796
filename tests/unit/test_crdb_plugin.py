"""Our implementation is Alembic's choice, in whatever order things are imported."""

from __future__ import annotations

import itertools
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

IMPORTS = ("import alembic", "import alembic_crdb", "import sqlalchemy_cockroachdb", "import alembic_crdb.impl")
CHOICE = """
from alembic.runtime.migration import MigrationContext
from alembic.runtime.plugins import _all_plugins
context = MigrationContext.configure(dialect_name="cockroachdb", opts={"as_sql": True})
assert type(context.impl).__module__ == "alembic_crdb.impl", type(context.impl)
assert type(context.impl).__name__ == "CockroachDBImpl"
assert "alembic.autogenerate.cockroachdb" in _all_plugins
other = MigrationContext.configure(dialect_name="postgresql", opts={"as_sql": True})
assert type(other.impl).__module__ == "alembic.ddl.postgresql"
"""
NO_ENTRY_POINTS = """
from importlib import metadata
known = metadata.entry_points
def entry_points(**params):
    found = known(**params)
    return () if params.get("group") == "alembic.plugins" else found
metadata.entry_points = entry_points
"""


def _python(source: str, folder: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(source)], cwd=folder, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize(
    "order", [(), *itertools.permutations(IMPORTS, 1), *itertools.permutations(IMPORTS, 2)], ids=str
)
def test_every_import_order(order: tuple[str, ...], tmp_path: Path) -> None:
    _python("\n".join(order) + CHOICE, tmp_path)


@pytest.mark.parametrize("first", ["", "import alembic", "import sqlalchemy_cockroachdb"])
def test_line_in_env_py_without_the_entry_point(first: str, tmp_path: Path) -> None:
    _python(f"{NO_ENTRY_POINTS}{first}\nimport alembic_crdb\n{CHOICE}", tmp_path)


def test_without_the_entry_point_and_the_line_it_is_not_registered(tmp_path: Path) -> None:
    """What the test above would say if it tested nothing."""
    with pytest.raises(AssertionError, match="sqlalchemy_cockroachdb"):
        _python(NO_ENTRY_POINTS + CHOICE, tmp_path)


def test_implementation_of_the_users_own_stays(tmp_path: Path) -> None:
    _python(
        """
        import alembic
        from sqlalchemy_cockroachdb.base import CockroachDBImpl

        class Mine(CockroachDBImpl):
            __dialect__ = "cockroachdb"

        from alembic.runtime.migration import MigrationContext
        context = MigrationContext.configure(dialect_name="cockroachdb", opts={"as_sql": True})
        assert type(context.impl) is Mine
        """,
        tmp_path,
    )


def test_nothing_of_the_dialect_is_imported_before_it_is_needed(tmp_path: Path) -> None:
    """A project on another database pays nothing, and needs no CockroachDB driver."""
    _python(
        """
        import sys
        import alembic.command
        import sqlalchemy as sa
        from alembic.runtime.migration import MigrationContext
        with sa.create_engine("sqlite://").connect() as connection:
            MigrationContext.configure(connection).get_current_revision()
        assert not [name for name in sys.modules if name.startswith(("sqlalchemy_cockroachdb", "alembic_crdb.impl"))]
        """,
        tmp_path,
    )

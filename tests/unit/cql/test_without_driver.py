"""Without a driver: scripts are written, and a connection says which extra to install."""

from __future__ import annotations

import subprocess
import sys
import textwrap

BLOCKED = "import sys; sys.modules['cassandra'] = None\n"


def run(program: str) -> str:
    """Run a program in a Python that has no driver; gives what it printed."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", BLOCKED + textwrap.dedent(program)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_scripts_are_written() -> None:
    script = run(
        """
        import io
        import sqlalchemy as sa
        from alembic.operations import Operations
        from alembic.runtime.migration import MigrationContext
        from alembic_cql import types as cql
        out = io.StringIO()
        context = MigrationContext.configure(url="cassandra://h/ks", opts={"as_sql": True, "output_buffer": out})
        op = Operations(context)
        table = op.create_table(
            "t", sa.Column("k", sa.Integer, primary_key=True), sa.Column("v", cql.LIST(cql.FROZEN(cql.SET(cql.TEXT))))
        )
        op.bulk_insert(table, [{"k": 1, "v": [{"it's"}]}])
        print(out.getvalue())
        """
    )
    assert "v list<frozen<set<text>>>" in script
    assert "INSERT INTO t (k, v) VALUES (1, [{'it''s'}]);" in script


def test_a_connection_names_the_extra() -> None:
    for name in ("cassandra", "scylla"):
        printed = run(
            f"""
            import sqlalchemy as sa
            from alembic_cluster.errors import ConfigurationError
            engine = sa.create_engine("{name}://h/ks")  # checks the URL, and needs no driver
            try:
                engine.connect()
            except ConfigurationError as error:
                print(error)
            """
        )
        assert printed.count("\n") == 1
        assert f"pip install 'alembic-cluster[{name}]'" in printed

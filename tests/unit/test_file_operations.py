"""``op.execute_file`` on each database, whichever package was loaded last."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import pytest
from alembic.autogenerate.render import renderers
from alembic.migration import MigrationContext
from alembic.operations import Operations

from alembic_cluster.errors import ConfigurationError
from alembic_cluster.file_operations import ExecuteFileOp


def script_of(url: str, path: Path) -> str:
    written = io.StringIO()
    context = MigrationContext.configure(url=url, opts={"as_sql": True, "output_buffer": written})
    with Operations.context(context) as op:
        op.execute_file(path)  # type: ignore[attr-defined]
    return written.getvalue()


@pytest.mark.parametrize("url", ["cockroachdb://h/d", "cassandra://h/k", "postgresql://h/d"])
def test_a_file_is_sent_statement_by_statement_and_colons_are_text(url: str, tmp_path: Path) -> None:
    file = tmp_path / "up.sql"
    file.write_text("\ufeffINSERT INTO t (a) VALUES ('10:30 :b');\nINSERT INTO t (a) VALUES ('x');\n", encoding="utf-8")
    written = script_of(url, file)
    assert "\ufeff" not in written
    assert "'10:30 :b'" in written.replace("\\:", ":")
    assert written.count("INSERT") == 2
    file.write_text("\n", encoding="utf-8")
    assert script_of(url, file) == ""


def test_a_file_that_is_not_there_or_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="nothing of it was sent"):
        script_of("cassandra://h/k", tmp_path / "none.cql")
    (tmp_path / "binary.cql").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match="nothing of it was sent"):
        script_of("cockroachdb://h/d", tmp_path / "binary.cql")


def test_there_and_back() -> None:
    operation = ExecuteFileOp("up.cql", "down.cql")
    assert operation.reverse().to_diff_tuple() == ("execute_file", "down.cql")
    rendered = renderers.dispatch(operation)(SimpleNamespace(opts={"alembic_module_prefix": "op."}), operation)
    assert rendered == "op.execute_file('up.cql', down='down.cql')"
    undo = ExecuteFileOp("up.cql").reverse()
    assert undo.to_diff_tuple() == ("undo_file", "up.cql")
    rendered = renderers.dispatch(undo)(SimpleNamespace(opts={"alembic_module_prefix": "op."}), undo)
    assert rendered == "op.undo_file('up.cql')"
    assert undo.reverse().to_diff_tuple() == ("execute_file", "up.cql")

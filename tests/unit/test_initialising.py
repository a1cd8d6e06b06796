"""``alembic-cluster init``: the templates."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from alembic.config import Config

from alembic_cluster.cli import main
from alembic_cluster.initialising import list_templates, own_templates


def test_the_templates() -> None:
    assert own_templates() == ["cockroachdb", "cockroachdb-async", "cql", "multi"]
    written = io.StringIO()
    list_templates(Config(stdout=written))
    assert "multi - CockroachDB and Cassandra" in written.getvalue()
    assert "generic - " in written.getvalue()


@pytest.mark.parametrize("name", [*own_templates(), "generic"])
def test_init(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    main(["init", "-t", name, "migrations"])
    env = (tmp_path / "migrations/env.py").read_text()
    if name != "generic":
        assert len(env.splitlines()) < 60
        assert "with migration_lock(context):" in env
        assert "DATABASE_URL" in env or "_URL" in env
    for variable in ("DATABASE_URL", "COCKROACHDB_URL"):
        monkeypatch.delenv(variable, raising=False)
    section = ["-n", "cockroachdb"] if name == "multi" else []
    main([*section, "revision", "-m", "first"])
    if name == "generic":
        return
    with pytest.raises(SystemExit):
        main([*section, "upgrade", "head"])
    assert "_URL, such as " in capfd.readouterr().err
    with pytest.raises(SystemExit):
        main(["init", "-t", name, "migrations"])

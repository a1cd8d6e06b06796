"""``alembic-cluster revision --sql-file``."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from alembic_cluster.cli import main
from alembic_cluster.errors import ConfigurationError
from alembic_cluster.sqlrevisions import create_sql_revision


@pytest.fixture
def ini(tmp_path: Path) -> Path:
    ini = tmp_path / "alembic.ini"
    command.init(Config(str(ini)), str(tmp_path / "migrations"))
    return ini


def run(ini: Path, *arguments: str) -> None:
    main(["-q", "-c", str(ini), "revision", *arguments])


def folders(ini: Path, *names: str) -> None:
    for name in names:
        (ini.parent / name).mkdir()
    setting = ", ".join(f"%(here)s/{name}" for name in names)
    ini.write_text(ini.read_text().replace("[alembic]\n", f"[alembic]\nalembic_cluster.sql_folders = {setting}\n", 1))


def test_beside_a_revision(ini: Path) -> None:
    run(ini, "-m", "Create users", "--rev-id", "1a", "--sql-file")
    run(ini, "-m", "it's more", "--cql-file", "--branch-label", "b")
    second, first = ScriptDirectory.from_config(Config(str(ini))).walk_revisions()
    assert (first.revision, second.down_revision, second.branch_labels) == ("1a", "1a", {"b"})
    file = Path(first.path).with_name("1a_create_users.sql")
    assert file.read_text() == "-- Create users\n\n-- @UNDO\n\n"
    text = Path(first.path).read_text()
    assert "op.execute_file('1a_create_users.sql')" in text
    assert "op.undo_file('1a_create_users.sql')" in text
    assert Path(second.path).with_name(f"{second.revision}_it_s_more.cql").exists()


def test_in_a_folder(ini: Path) -> None:
    folders(ini, "one", "two")
    run(ini, "-m", "Create users", "--sql-file")
    two = ini.parent / "two"
    script = create_sql_revision(Config(str(ini)), "m", up="SELECT 1;", down="SELECT 2;", version_path=str(two))
    assert Path(script.path).read_text() == "-- m\nSELECT 1;\n\n-- @UNDO\nSELECT 2;\n"
    (one,) = (ini.parent / "one").iterdir()
    assert one.read_text() == "-- Create users\n\n-- @UNDO\n\n"


@pytest.mark.parametrize(
    "arguments",
    [("--sql-file", "--autogenerate"), ("--sql-file", "--cql-file"), ("--sql-file", "--split-phases")],
)
def test_what_excludes_each_other(ini: Path, arguments: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit):
        run(ini, *arguments)
    assert not list((ini.parent / "migrations/versions").iterdir())


def test_what_a_folder_refuses(ini: Path) -> None:
    folders(ini, "one")
    with pytest.raises(ConfigurationError, match="its place is its version"):
        create_sql_revision(Config(str(ini)), "m", rev_id="x")
    with pytest.raises(ConfigurationError, match="is none of"):
        create_sql_revision(Config(str(ini)), "m", version_path=str(ini.parent))
    with pytest.raises(ConfigurationError, match="ends with one of"):
        create_sql_revision(Config(str(ini)), "m", ".txt")
    assert not list((ini.parent / "one").iterdir())

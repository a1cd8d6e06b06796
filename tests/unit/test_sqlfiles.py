"""Migration files of SQL and CQL: their two parts, their variables, the revisions that name them."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path
from types import SimpleNamespace

import pytest
from alembic.config import Config

from alembic_cluster.checksums import content_of
from alembic_cluster.errors import ConfigurationError, InvalidSqlFile
from alembic_cluster.settings import Settings
from alembic_cluster.sqlfiles import Variables, files_named_in, is_empty, parse_sql_file, read_sql_file

PATH = Path("x.sql")


@pytest.mark.parametrize("mark", ["-- @UNDO", "--@undo", "  --  @Undo  ", "-- @UNDO: the way back"])
def test_two_parts(mark: str) -> None:
    found = parse_sql_file(PATH, f"CREATE TABLE t (a INT);\n{mark}\nDROP TABLE t;\n")
    assert found.up.strip() == "CREATE TABLE t (a INT);"
    assert found.section("downgrade").strip() == "DROP TABLE t;"


@pytest.mark.parametrize("text", ["SELECT 1; -- @UNDO", "SELECT '-- @UNDO'", "-- @UNDOING\nSELECT 1"])
def test_what_is_no_mark(text: str) -> None:
    found = parse_sql_file(PATH, text)
    assert (found.up, found.down) == (text, None)
    with pytest.raises(InvalidSqlFile, match=r"no line '-- @UNDO'.*Nothing of it was sent"):
        found.section("downgrade")


def test_two_marks() -> None:
    with pytest.raises(InvalidSqlFile, match="lines 2, 4"):
        parse_sql_file(PATH, "a\n-- @UNDO\nb\n-- @UNDO\n")


def test_reading(tmp_path: Path) -> None:
    file = tmp_path / "a.sql"
    file.write_bytes("\ufeffSELECT 'ä';\r\n-- @UNDO\r\n".encode())
    assert read_sql_file(file).up == "SELECT 'ä';\n"
    assert is_empty(read_sql_file(file).section("downgrade"))
    file.write_bytes(b"SELECT '\xff'")
    for path in (file, tmp_path / "none.sql"):
        with pytest.raises(ConfigurationError, match=r"can't be read.*nothing of it was sent"):
            read_sql_file(path)


@pytest.mark.parametrize("text", ["", " \n;;", "-- nothing\n/* to\n do */ ;", "// nothing"])
def test_an_empty_part(text: str) -> None:
    assert is_empty(text)
    assert not is_empty(text + "\nSELECT 1")


def variables(ini: str = "", x: tuple[str, ...] = ()) -> Variables:
    config = Config(cmd_opts=SimpleNamespace(x=list(x)))  # type: ignore[arg-type]
    for line in ini.split():
        name, _, value = line.partition("=")
        config.set_main_option(f"alembic_cluster.var.{name}", value)
    return Variables(Settings(config))


def test_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALEMBIC_VAR_region", "from the environment")
    text = "${region} $${body}$$ \\${region} ${ region } $region ${region}"
    with pytest.raises(ConfigurationError, match=r"x.sql has .*\$\{body\} \(line 1\).*-x var.body=.*ALEMBIC_VAR_body"):
        variables().put_in(text, "x.sql")
    written = variables("body=b").put_in(text, "x.sql")
    assert written == "from the environment $b$$ ${region} ${ region } $region from the environment"
    assert variables("region=ini").put_in("${region}", "") == "ini"
    assert variables("region=ini", ("var.region=x=1",)).put_in("${region}", "") == "x=1"


def test_all_missing_variables_are_named() -> None:
    with pytest.raises(ConfigurationError, match=r"\$\{a\} \(line 1\), \$\{b\} \(line 2\)"):
        variables().put_in("${a}\n${b} ${a}", "x.sql")


def test_a_file_is_part_of_the_revision_that_names_it(tmp_path: Path) -> None:
    revision, named, other = tmp_path / "r.py", tmp_path / "named.sql", tmp_path / "other.sql"
    revision.write_text(
        textwrap.dedent("""
        def upgrade():
            op.execute_file("named.sql")
            op.execute_file("gone.sql")
        def downgrade():
            op.undo_file("named.sql")
        """)
    )
    named.write_text("SELECT 1\r\n")
    other.write_text("SELECT 2")
    assert list(files_named_in(revision)) == [named]
    script = SimpleNamespace(path=str(revision))
    before = content_of(script)
    assert before == revision.read_text() + "-- named.sql\nSELECT 1\n"
    other.write_text("SELECT 3")
    assert content_of(script) == before
    named.write_text("SELECT 4")
    assert content_of(script) != before
    revision.write_text("def upgrade(): (")
    os.utime(revision, ns=(1, 1))
    assert list(files_named_in(revision)) == []

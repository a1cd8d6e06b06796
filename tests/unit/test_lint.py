"""alembic_cluster.lint: every rule finds its page's bad example and nothing of the kind in the good one."""

from __future__ import annotations

import io
import json
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.util import CommandError

from alembic_cluster.commands import lint as lint_command
from alembic_cluster.errors import ConfigurationError
from alembic_cluster.lint import messages, pages
from alembic_cluster.lint.noqa import read_noqa
from alembic_cluster.lint.output import written
from alembic_cluster.lint.rules import EFFECT_RULES, REVISION_RULES
from alembic_cluster.lint.run import Finding, fails, lint
from tests.servers.cache import PROJECT

URLS = {"CR": "cockroachdb://root@localhost/x", "CQ": "cassandra://localhost/k", "AL": "cockroachdb://root@localhost/x"}


BACK = "op.execute('CREATE SCHEMA back')"


class Project:
    def __init__(self, folder: Path, url: str) -> None:
        self.config = Config(str(folder / "alembic.ini"), stdout=io.StringIO())
        self.folder = folder
        command.init(self.config, str(folder / "migrations"))
        ini = folder / "alembic.ini"
        ini.write_text(re.sub(r"(?m)^sqlalchemy\.url = .*$", f"sqlalchemy.url = {url}", ini.read_text()))
        self.config = Config(str(ini))
        self.last: str | None = None

    def revision(self, name: str, upgrade: str, top: str = "", downgrade: str = BACK) -> None:
        body = textwrap.indent(upgrade, "    ")
        (self.folder / "migrations" / "versions" / f"{name}.py").write_text(
            f'"""{name}"""\nrevision = {name!r}\ndown_revision = {self.last!r}\nimport sqlalchemy as sa\n'
            f"from alembic import op\nfrom alembic_cql import types as cql\n{top}\n\ndef upgrade():\n{body}\n\n"
            f"def downgrade():\n    {downgrade}\n"
        )
        self.last = name

    def codes(self, *revisions: str) -> list[str]:
        return sorted({each.code for each in lint(self.config, revisions)} - {"AL002"})


@pytest.fixture
def crdb(tmp_path: Path) -> Project:
    return Project(tmp_path, URLS["CR"])


@pytest.fixture
def cassandra(tmp_path: Path) -> Project:
    return Project(tmp_path, URLS["CQ"])


SETUP = {
    "CR009": "op.execute('CREATE TABLE events (id UUID PRIMARY KEY, created_at TIMESTAMPTZ)')",
    "CQ002": "op.execute('CREATE TABLE users (id uuid PRIMARY KEY, mail text)')",
    "CQ014": "op.execute('CREATE TABLE hits (id uuid PRIMARY KEY, views counter)')",
}
# What an ellipsis in an example stands for.
ELLIPSIS = {
    "CQ005": "op.create_table('t_by_a', sa.Column('id', sa.Integer, primary_key=True))",
    "CQ008": "op.create_table('t2', sa.Column('id', sa.Integer, primary_key=True), cql_default_time_to_live=86400)",
    "CQ009": "op.create_table('t2', sa.Column('id', sa.Integer, primary_key=True))",
    "CQ011": "op.execute(\"ALTER KEYSPACE k WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': 5}\")  "
    "# noqa: CQ011 rebuild follows",
    "CQ014": "op.create_table('hits2', sa.Column('id', sa.Integer, primary_key=True))",
    "CQ016": "op.alter_table_options('t', {'compaction': {'class': 'LeveledCompactionStrategy'}})  # noqa: CQ016 small",
    "CQ018": "op.create_table('t2', sa.Column('id', sa.Integer, primary_key=True))",
}
STATEMENTS = [code for code in messages.MESSAGES if code[:2] != "AL"]
NOT_PYTHON = {"CR019"}  # its good example is of env.py


def split_example(example: str) -> tuple[str, str]:
    """Give the lines above upgrade() of an example, and its body."""
    top, found, body = example.partition("def upgrade():\n")
    return (top, textwrap.dedent(body)) if found else ("", example)


@pytest.mark.parametrize("code", STATEMENTS)
def test_every_example(code: str, tmp_path: Path) -> None:
    message = messages.MESSAGES[code]
    for number, (example, expected) in enumerate(((message.bad, True), (message.good, False))):
        if not expected and code in NOT_PYTHON:
            continue
        folder = tmp_path / str(number)
        folder.mkdir()
        project = Project(folder, URLS[code[:2]])
        if code in SETUP:
            project.revision("before", SETUP[code])
        top, body = split_example(ELLIPSIS[code] if "..." in example else example)
        project.revision("a", body, top)
        assert (code in project.codes("a")) is expected, (code, example)


def test_every_rule_has_its_texts() -> None:
    rules = {code for group in EFFECT_RULES.values() for code in group} | set(REVISION_RULES)
    assert rules | {"AL004", "AL006", "AL007", "AL013"} == set(messages.MESSAGES)
    assert len(EFFECT_RULES["cockroachdb"]) >= 15
    assert len(EFFECT_RULES["cql"]) >= 15


def test_the_pages_are_made_from_the_texts() -> None:
    folder = PROJECT / "docs" / "lint"
    assert {path.name: path.read_text() for path in folder.glob("*.md")} == pages.pages()


def test_rules_of_revisions(crdb: Project) -> None:
    crdb.revision("a", "op.drop_table('t')", "phase = 'expand'")
    assert crdb.codes() == ["AL001", "AL005"]
    crdb.revision("b", "if op.get_bind().scalar(sa.text('SELECT 1')):\n    op.drop_table('t')")
    assert crdb.codes("b") == ["AL003"]
    crdb.revision("c", "op.execute(\"INSERT INTO t VALUES ('it's')\")")
    assert "AL008" in crdb.codes("c")
    crdb.revision("d", "op.execute('SET a = 1')", downgrade="pass")
    assert [each.code for each in lint(crdb.config, ["d"])] == []
    crdb.revision("e", "op.execute('CREATE SCHEMA s')", downgrade="pass")
    (found,) = lint(crdb.config, ["e"])
    assert (found.code, found.line) == ("AL002", 12)
    (crdb.folder / "migrations" / "versions" / "f.py").write_text(
        "revision = 'f'\ndown_revision = 'd'\nimport json, example_app.cli\n"
        "def upgrade(): pass\ndef downgrade(): pass\n"
    )
    assert crdb.codes("f") == ["AL004", "AL009", "AL010"]


def test_what_would_be_refused_is_an_error(crdb: Project) -> None:
    crdb.revision("a", "op.drop_constraint('t_pkey', 't', type_='primary')")
    (found,) = lint(crdb.config)
    assert (found.code, found.severity) == ("AL011", "error")


def test_values_without_a_type_do_not_end_the_reading(crdb: Project) -> None:
    crdb.revision("a", "op.bulk_insert(sa.table('t', sa.column('a')), [{'a': 1}, {'a': 2}])\nop.rename_table('u', 'v')")
    assert crdb.codes() == ["CR014"]


def test_words_that_mean_nothing(crdb: Project) -> None:
    crdb.revision("a", "op.execute('CREATE SCHEMA s')", "phase = 'expnd'\nallow_destructive = 'yes'")
    assert sorted(each.text for each in lint(crdb.config)) == [
        "allow_destructive of revision a is 'yes', and must be True, False, \"upgrade\" or \"downgrade\".",
        "phase of revision a is 'expnd', and must be \"expand\" or \"contract\".",
    ]


def test_allowed_losses_are_no_findings(crdb: Project) -> None:
    crdb.revision("a", "op.drop_table('t')", "allow_destructive = True")
    assert crdb.codes() == []


def test_noqa(crdb: Project) -> None:
    crdb.revision(
        "a",
        "op.drop_table(\n    't',\n)  # noqa: AL001 nobody reads it\n"
        "# noqa: CR014 no program knows it yet\nop.rename_table('u', 'v')\n"
        "op.rename_table('x', 'y')",
    )
    (found,) = lint(crdb.config)
    assert (found.code, found.line) == ("CR014", 15)
    crdb.revision("b", "op.rename_table('a', 'b')\nop.rename_table('c', 'd')", "# noqa: CR014 before the first release")
    assert crdb.codes("b") == []
    crdb.revision("c", "op.rename_table('a', 'b')  # noqa: CR014, F401")
    assert crdb.codes("c") == ["AL006"]
    crdb.revision("d", "op.execute('CREATE SCHEMA s')  # noqa: CR014 why")
    assert crdb.codes("d") == ["AL007"]
    crdb.revision("e", "op.execute('CREATE SCHEMA s')  # noqa: E501")
    assert crdb.codes("e") == []


def test_where_noqa_reaches() -> None:
    source = (
        "# noqa: AL010 all of it\ndef upgrade():\n    f(\n        1,  # noqa: CR001, cr002: because\n    )\n"
        "    # noqa: CR003 below\n    g(\n        2)\n    x = '# noqa: CR004 a string'\n"
    )
    assert [(each.codes, each.reason, each.first, each.last) for each in read_noqa(source)] == [
        (("AL010",), "all of it", 1, 10),
        (("CR001", "CR002"), "because", 3, 5),
        (("CR003",), "below", 7, 8),
    ]


def test_files_that_are_revisions(crdb: Project) -> None:
    folder = crdb.folder / "sql"
    folder.mkdir()
    file = folder / "1_people.sql"
    file.write_text(
        "-- people\nCREATE TABLE a (id INT); -- noqa: CR001 small\n-- noqa: CR014 no program knows it\n"
        "ALTER TABLE users\n  RENAME TO people;\n\nCREATE TABLE\n  b (id INT);\n-- @UNDO\nDROP TABLE b;\n"
    )
    ini = crdb.folder / "alembic.ini"
    ini.write_text(ini.read_text().replace("[alembic]", "[alembic]\nalembic_cluster.sql_folders = %(here)s/sql"))
    crdb.config = Config(str(ini))
    found = [(each.code, each.line, Path(each.path).name) for each in lint(crdb.config)]
    assert found == [("CR001", 7, "1_people.sql")]
    crdb.last = "1"
    crdb.revision("two", "op.execute_file('x.sql')", top="# x.sql")
    beside = crdb.folder / "migrations" / "versions" / "x.sql"
    beside.write_text("CREATE TABLE c (a INT);")
    two = str(crdb.folder / "migrations" / "versions" / "two.py")
    assert crdb.codes(str(file)) == ["CR001"]
    assert [each.revision for each in lint(crdb.config, [two])] == ["two"]
    assert [each.revision for each in lint(crdb.config, [str(beside)])] == ["two"]
    assert crdb.codes(str(crdb.folder / "migrations" / "env.py")) == []


def test_a_dialect_needs_no_environment(crdb: Project) -> None:
    crdb.revision("a", "op.rename_table('u', 'v')")
    (crdb.folder / "migrations" / "env.py").write_text("raise Exception('no URL')")
    with pytest.raises(Exception, match="no URL"):
        lint(crdb.config)
    crdb.config.set_main_option("alembic_cluster.dialect", "cockroachdb")
    assert crdb.codes() == ["CR014"]
    crdb.config.set_main_option("alembic_cluster.dialect", "cassandra")
    assert "CR014" not in crdb.codes()
    crdb.config.set_main_option("alembic_cluster.dialect", "oracle")
    with pytest.raises(ConfigurationError, match="cassandra, cockroachdb, scylla"):
        lint(crdb.config)


def test_severities(crdb: Project) -> None:
    ini = crdb.folder / "alembic.ini"
    lines = "alembic_cluster.lint.CR014 = off\nalembic_cluster.lint.CR001 = info"
    ini.write_text(ini.read_text().replace("[alembic]", f"[alembic]\n{lines}"))
    crdb.revision("a", "op.rename_table('u', 'v')\nop.create_table('t', sa.Column('a', sa.Text))")
    (found,) = lint(Config(str(ini)))
    assert (found.code, found.severity) == ("CR001", "info")
    ini.write_text(ini.read_text().replace("CR001 = info", "CR001 = loud"))
    with pytest.raises(ConfigurationError, match=r"alembic_cluster\.lint\.CR001"):
        lint(Config(str(ini)))


def test_ranges_and_what_earlier_revisions_made(cassandra: Project) -> None:
    cassandra.revision("a", "op.execute('CREATE TABLE t (id int PRIMARY KEY, a text)')")
    cassandra.revision("b", "op.drop_column('t', 'a')", "allow_destructive = True")
    cassandra.revision("c", "op.add_column('t', sa.Column('a', sa.Integer))")
    cassandra.revision("d", "op.execute('TRUNCATE t')", "allow_destructive = True")
    assert cassandra.codes("c") == ["CQ003"]
    assert cassandra.codes("c:d") == ["CQ003", "CQ009"]
    assert cassandra.codes("a:b") == []


FINDING = Finding("CR001", "error", "a", "versions/a,b.py", 7, "100% bad\nreally", "CREATE TABLE t;")


def test_output() -> None:
    assert written([FINDING], "text") == "versions/a,b.py:7: error CR001 100% bad\nreally\n    CREATE TABLE t;"
    assert written([FINDING], "github") == (
        "::error file=versions/a%2Cb.py,line=7,title=CR001 Table without a primary key::"
        "100%25 bad%0Areally (lint/CR001.md)"
    )
    (read,) = json.loads(written([FINDING], "json"))
    assert (read["code"], read["line"], read["page"]) == ("CR001", 7, "lint/CR001.md")


def test_what_fails() -> None:
    assert fails([FINDING], "error")
    assert not fails([FINDING], "never")
    warning = Finding("CR007", "warning", "a", "x", 1, "y")
    assert not fails([warning], "error")
    assert fails([warning], "warning")
    assert fails([warning], "info")


def test_the_command(crdb: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    monkeypatch.chdir(crdb.folder)
    crdb.revision("a", "op.create_table('t', sa.Column('a', sa.Text))")

    def run(fail_on: str = "never", **options: Any) -> str:
        output = io.StringIO()
        given = {"revisions": [], "format": None, "json": False, "explain": None, **options}
        lint_command.run(Config("alembic.ini", stdout=output), fail_on=fail_on, **given)
        return output.getvalue()

    assert run().startswith("migrations/versions/a.py:10: error CR001 Table t has no primary key")
    with pytest.raises(SystemExit) as ended:
        run("error")
    assert ended.value.code == 1
    assert [each["code"] for each in json.loads(run(json=True))] == ["CR001"]
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert run(revisions=["a"]).startswith("::error file=migrations/versions/a.py,line=10,")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(crdb.folder.parent))
    assert run().startswith(f"::error file={crdb.folder.name}/migrations/versions/a.py,line=10,")
    with pytest.raises(CommandError, match="nowhere"):
        run(revisions=["nowhere"])
    assert run(explain="cr003").startswith("# CR003: NOT NULL column without a default\n")
    with pytest.raises(ConfigurationError, match="there is no rule CR999"):
        run(explain="CR999")

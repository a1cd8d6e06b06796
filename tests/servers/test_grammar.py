"""The grammar is CockroachDB's own; each statement for the dialect reaches it; a session with a bad one fails."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tests.servers import cache, grammar
from tests.servers.cache import PROJECT
from tests.servers.errors import NoServer
from tests.servers.grammar import Grammar
from tests.servers.grammar_collect import for_grammar


def test_the_grammar_says_what_it_takes_and_how_it_prints_it(crdb_grammar: Grammar) -> None:
    good, bad, several, nothing = crdb_grammar.check(
        [
            "create table t (id uuid primary key default gen_random_uuid(), b text not visible)",
            "CREATE TABLE full (id INT PRIMARY KEY)",
            "SELECT 1; -- a comment\nSELECT 'é\n2'",
            "-- only a comment",
        ]
    )
    assert good.ok
    assert good.formatted == ("CREATE TABLE t (id UUID PRIMARY KEY DEFAULT gen_random_uuid(), b STRING NOT VISIBLE)",)
    assert not bad.ok
    assert "full" in bad.error
    assert bad.formatted == ()
    assert several.formatted == ("SELECT 1", "SELECT e'\\u00E9\\n2'")
    assert nothing.ok


def test_it_is_version_25_2(crdb_grammar: Grammar) -> None:
    newer = ["CREATE POLICY p ON t FOR SELECT USING (true)", "ALTER TABLE t ENABLE ROW LEVEL SECURITY"]
    gone = ["CREATE TABLE t (a INT PRIMARY KEY) INTERLEAVE IN PARENT p (a)"]
    assert [verdict.ok for verdict in crdb_grammar.check(newer + gone)] == [True, True, False]


@pytest.mark.parametrize(
    ("sql", "paramstyle", "seen"),
    [
        ("a = %(x)s AND b = %(y)s OR c = %(x)s", "pyformat", "a = $1 AND b = $2 OR c = $1"),
        ("a = %(x)s::UUID", "pyformat", "a = $1::UUID"),
        ("VALUES (%s, %s)", "format", "VALUES ($1, $2)"),
        ("a LIKE '10%%' AND b %% 2 = %(x)s", "pyformat", "a LIKE '10%' AND b % 2 = $1"),
        ("a = $1::VARCHAR AND b LIKE '%s'", "numeric_dollar", "a = $1::VARCHAR AND b LIKE '%s'"),
        ("a = :x AND b = ':y' AND c::INT = :x", "named", "a = $1 AND b = ':y' AND c::INT = $1"),
        ('"it""s:x" = :y -- :z\n/* :z */', "named", '"it""s:x" = $1 -- :z\n/* :z */'),
        ("a = ? AND b = '?' AND c = ?", "qmark", "a = $1 AND b = '?' AND c = $2"),
        ("a IN (__[POSTCOMPILE_a_1~~x~~REPL~~y~~])", "pyformat", "a IN (NULL)"),
        ('SELECT * FROM __[SCHEMA__none]."t"', "pyformat", 'SELECT * FROM public."t"'),
    ],
)
def test_placeholders_become_the_servers(sql: str, paramstyle: str, seen: str) -> None:
    assert for_grammar(sql, paramstyle) == seen


def _go(folder: Path, version: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "go").write_text(f"#!/bin/sh\necho go version go{version} linux/amd64\n")
    (folder / "go").chmod(stat.S_IRWXU)


def test_without_go_the_reason_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(grammar, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(grammar, "find_go", grammar.find_go.__wrapped__)
    monkeypatch.setenv("PATH", str(tmp_path / "programs"))
    with pytest.raises(NoServer, match="no go on PATH"):
        Grammar.build()
    _go(tmp_path / "programs", "1.19.8")
    monkeypatch.setenv("PATH", f"{tmp_path / 'programs'}{os.pathsep}/bin")
    with pytest.raises(NoServer, match=r"Go 1\.\d+\.\d+ or newer is needed, found only 1\.19\.8"):
        Grammar.build()
    in_cache = tmp_path / "cache" / "go" / "toolchain" / "go" / "bin"
    in_cache.mkdir(parents=True)
    _go(in_cache, "1.99.0")
    assert grammar.find_go() == in_cache / "go"


_HEADER = """
import os, subprocess, sys
import pytest
import sqlalchemy as sa
from sqlalchemy import create_mock_engine, make_url
dialect = make_url("cockroachdb+psycopg2://").get_dialect()()
table = sa.Table("t", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True))
"""

_GOOD = """
def test_good():
    sa.select(table.c.id).where(table.c.id.in_([1, 2])).compile(dialect=dialect)
    table.insert().values(id=1).compile(dialect=dialect)
    (table.c.id + 1).compile(dialect=dialect)
    table.c.id.desc().compile(dialect=dialect)
    sa.text("gen_random_uuid()").compile(dialect=dialect)
    sa.text("SELECT 1 % 2, 'a:b', :x").compile(dialect=dialect)
"""

#: Each sends or compiles one statement with BAD in it in another way.
_BAD = {
    "select": 'sa.select(sa.literal_column("BAD BAD BAD")).compile(dialect=dialect)',
    "ddl": 'sa.DDL("CREATE TABL BAD").compile(dialect=dialect)',
    "table": 'sa.schema.CreateTable(sa.Table("t", sa.MetaData(), sa.Column("a", sa.Integer, '
    'server_default=sa.text("BAD BAD BAD")))).compile(dialect=dialect)',
    "text": 'sa.text("DROP TABL BAD").compile(dialect=dialect)',
    "mock": 'engine = create_mock_engine("cockroachdb+psycopg2://", lambda sql, *a, **k: '
    'sql.compile(dialect=dialect)); engine.execute(sa.DDL("DROP TABL BAD"))',
    "offline": "from io import StringIO; from alembic.migration import MigrationContext; "
    'MigrationContext.configure(dialect_name="cockroachdb", opts={"as_sql": True, "output_buffer": StringIO()})'
    '.impl.static_output("DROP TABL BAD;")',
    "operation": "from io import StringIO; from alembic.migration import MigrationContext; "
    "from alembic.operations import Operations; "
    'Operations(MigrationContext.configure(dialect_name="cockroachdb", opts={"as_sql": True, '
    '"output_buffer": StringIO()})).execute("DROP TABL BAD")',
    "program": 'code = \'import sqlalchemy as sa; sa.DDL("DROP TABL BAD").compile(dialect='
    'sa.make_url("cockroachdb+psycopg2://").get_dialect()())\'; '
    "subprocess.run([sys.executable, '-c', code], check=True)",
    "alembic program": "code = 'from io import StringIO; from alembic.migration import MigrationContext; "
    'MigrationContext.configure(dialect_name="cockroachdb", opts={"as_sql": True, "output_buffer": '
    'StringIO()}).impl.static_output("DROP TABL BAD;")\'; subprocess.run([sys.executable, "-c", code], check=True)',
}

needs_go = pytest.mark.usefixtures("crdb_grammar")
exempt = pytest.mark.grammar_exempt("statements that are refused are what these sessions are about")


@pytest.fixture
def session(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A place for a pytest session of its own, with the plugin."""
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    monkeypatch.delenv("CI", raising=False)
    pytester.makeini("[pytest]\naddopts = -p tests.servers.grammar_plugin --strict-markers\n")
    return pytester


@needs_go
@exempt
def test_a_session_of_good_statements_passes(session: pytest.Pytester) -> None:
    session.makepyfile(test_it=_HEADER + _GOOD)
    result = session.runpytest_subprocess()
    result.assert_outcomes(passed=1)
    assert result.ret == 0
    result.stdout.no_fnmatch_line("*CockroachDB*")


@needs_go
@exempt
def test_a_session_with_bad_statements_names_each(session: pytest.Pytester) -> None:
    named = {how.replace(" ", "_"): code for how, code in _BAD.items()}
    # A statement is asked about once, so each has a name of its own.
    bad = [f"\ndef test_bad_{how}():\n    {code.replace('BAD', f'BAD_{how}')}\n" for how, code in named.items()]
    session.makepyfile(test_it=_HEADER + _GOOD + "".join(bad))
    result = session.runpytest_subprocess()
    result.assert_outcomes(passed=1 + len(_BAD))
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["FAILED test_it.py::test_bad*: *syntax error*", "*BAD*", "*of * statements are not*"])
    for how in named:
        result.stdout.fnmatch_lines([f"FAILED test_it.py::test_bad_{how}*"])
    result.stdout.no_fnmatch_line("FAILED test_it.py::test_good*")


@needs_go
@exempt
def test_a_session_of_several_processes_fails_as_well(session: pytest.Pytester) -> None:
    session.makepyfile(
        test_it=f"{_HEADER}{_GOOD}\ndef test_bad_text():\n    {_BAD['text']}\n",
        test_other=f"{_HEADER}\ndef test_bad_program():\n    {_BAD['program']}\n",
    )
    result = session.runpytest_subprocess("-n", "2", "--dist", "loadfile")
    result.assert_outcomes(passed=3)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["FAILED test_it.py::test_bad_text*: *syntax error*", "*of * statements are not*"])
    result.stdout.fnmatch_lines(["FAILED test_other.py::test_bad_program*: *syntax error*"])


@needs_go
@exempt
@pytest.mark.usefixtures("cockroach")
def test_what_a_server_takes_is_asked_of_the_newer_grammar(
    session: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv("URL", request.getfixturevalue("cockroach").url())
    bad = """
def test_bad():
    engine = sa.create_engine(os.environ["URL"])
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT %(x)s, '%%'", {"x": 1}).all() == [(1, "%")]
        with pytest.raises(sa.exc.ProgrammingError):
            connection.exec_driver_sql("DROP TABL BAD")
    engine.dispose()
"""
    session.makepyfile(test_it=_HEADER + bad)
    result = session.runpytest_subprocess()
    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["FAILED test_it.py::test_bad*", "*DROP TABL BAD*", "1 of *"])


@needs_go
@exempt
def test_an_exempt_test_may_send_what_is_refused(session: pytest.Pytester) -> None:
    marked = "\n".join(
        f'@pytest.mark.grammar_exempt("on purpose")\ndef test_bad_{number}():\n    {bad}\n'
        for number, bad in enumerate(_BAD.values())
    )
    session.makepyfile(test_it=_HEADER + _GOOD + marked)
    result = session.runpytest_subprocess()
    result.assert_outcomes(passed=1 + len(_BAD))
    assert result.ret == 0


def test_an_exemption_without_a_reason_is_refused(session: pytest.Pytester) -> None:
    session.makepyfile(test_it="import pytest\n@pytest.mark.grammar_exempt\ndef test_it(): pass\n")
    result = session.runpytest_subprocess()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*grammar_exempt needs a reason*"])


@exempt
@pytest.mark.parametrize(("ci", "status"), [("", 0), ("true", 1)])
def test_without_go_one_line_says_so_and_ci_fails(
    session: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, ci: str, status: int
) -> None:
    monkeypatch.setenv("CI", ci)
    session.makeconftest(
        "from tests.servers import grammar_plugin\n"
        "from tests.servers.errors import NoServer\n"
        "def build():\n"
        "    raise NoServer('there is no go on PATH')\n"
        "grammar_plugin.Grammar.build = build\n"
    )
    session.makepyfile(test_it=f"{_HEADER}\ndef test_bad():\n    {_BAD['ddl']}\n")
    result = session.runpytest_subprocess()
    result.assert_outcomes(passed=1)
    assert result.ret == status
    lines = [line for line in result.outlines if "CockroachDB" in line]
    assert lines == ["WARNING: CockroachDB's grammar did not check 1 statements: there is no go on PATH"]


def test_a_session_without_cockroachdb_needs_no_grammar(session: pytest.Pytester) -> None:
    session.makepyfile(test_it="def test_it(): pass\n")
    result = session.runpytest_subprocess()
    assert result.ret == 0
    result.stdout.no_fnmatch_line("*CockroachDB*")

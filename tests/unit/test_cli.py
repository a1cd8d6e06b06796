"""The command line as a whole: help, versions, exit statuses, completion in the shell."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import argcomplete
import pytest
from alembic import command
from alembic.config import Config

from alembic_cluster import commands
from alembic_cluster.adoptable import TOOLS
from alembic_cluster.cli import ClusterCommandLine, as_sentence, main
from alembic_cluster.commands import adopt
from alembic_cluster.completion import complete
from tests.servers.cache import PROJECT

DOCUMENTED = "".join(page.read_text() for page in sorted((PROJECT / "docs").rglob("*.md")))
LISTED = ("doctor", "lint", "plan", "repair", "status", "unlock")  # commands whose every option is documented


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    command.init(Config(str(tmp_path / "alembic.ini"), stdout=io.StringIO()), str(tmp_path / "migrations"))
    for name, before in (("1a90", None), ("5f2c", "1a90")):
        (tmp_path / "migrations" / "versions" / f"{name}.py").write_text(
            f'"""users of {name}"""\nrevision = {name!r}\ndown_revision = {before!r}\n'
        )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def completions(line: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    output = io.StringIO()
    shell = {"_ARGCOMPLETE": "1", "_ARGCOMPLETE_IFS": "\n", "COMP_LINE": line, "COMP_POINT": str(len(line))}
    for name, value in shell.items():
        monkeypatch.setenv(name, value)

    # It would close the process's file descriptor 9.
    monkeypatch.setattr(argcomplete.CompletionFinder, "_init_debug_stream", lambda _: None)

    def end(status: int) -> None:
        raise SystemExit(status)

    leave: Callable[[int], None] = end
    with pytest.raises(SystemExit):
        complete(ClusterCommandLine("alembic-cluster").parser, os.environ, output_stream=output, exit_method=leave)
    return [each.strip() for each in output.getvalue().split("\n")]


def test_completion(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert {"upgrade", "plan", "unlock"} <= set(completions("alembic-cluster ", monkeypatch))
    assert completions("alembic-cluster unl", monkeypatch) == ["unlock"]
    assert completions("alembic-cluster upgrade 5", monkeypatch) == ["5f2c"]
    assert {"head", "base", "1a90", "5f2c"} <= set(completions("alembic-cluster downgrade ", monkeypatch))
    assert "5f2c" in completions("alembic-cluster -c alembic.ini plan --target ", monkeypatch)
    assert completions("alembic-cluster upgrade --allow-d", monkeypatch) == ["--allow-destructive"]
    assert completions("alembic-cluster upgrade --phase c", monkeypatch) == ["contract"]
    assert {"head", "heads"} <= set(completions("alembic-cluster -c nowhere.ini upgrade hea", monkeypatch))


def test_no_completion_is_asked_for() -> None:
    complete(ClusterCommandLine("alembic-cluster").parser, {})


def test_the_shell_completes_the_installed_command(folder: Path) -> None:
    script = "import sys; sys.argv[0] = 'alembic-cluster'; from alembic_cluster.cli import main; main()"
    ran = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "_ARGCOMPLETE": "1", "_ARGCOMPLETE_IFS": "\n", "_ARGCOMPLETE_STDOUT_FILENAME": "told",
             "COMP_LINE": "alembic-cluster stat", "COMP_POINT": "20"},
        capture_output=True, text=True, timeout=60, cwd=folder,
    )  # fmt: skip
    assert (folder / "told").read_text().strip() == "status", ran


def test_help_is_one_text() -> None:
    line = ClusterCommandLine("alembic-cluster")
    for name in commands.COMMANDS:
        parser = line.subparsers.choices[name]
        assert parser.description[0].isupper(), name
        assert parser.description.endswith("."), name
        assert f"`{name}`" in DOCUMENTED or f"`alembic-cluster {name}`" in DOCUMENTED, name
        for action in parser._actions:
            if action.dest != "help":
                assert action.help, (name, action.dest)
                assert re.fullmatch(r"[A-Z].*\.", action.help, re.DOTALL), (name, action.help)
                for option in action.option_strings if name in LISTED else ():
                    assert option in DOCUMENTED, (name, option)
    for names, option, _ in commands.OPTIONS:
        assert option in DOCUMENTED, option
        assert set(names) <= set(line.subparsers.choices)


@pytest.mark.parametrize("arguments", [["plan", "--nothing"], ["no-such-command"], ["upgrade", "head", "--phase", "x"]])
def test_a_wrong_command_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: alembic-cluster" in capsys.readouterr().err


def test_versions(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert re.fullmatch(r"alembic-cluster \S+ \(alembic \S+\)\n", capsys.readouterr().out)


def test_an_error_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["show", "nowhere"])
    assert ended.value.code == 255
    assert capsys.readouterr() == ("", "FAILED: Can't locate revision identified by 'nowhere'.\n")
    with pytest.raises(Exception, match="nowhere"):
        main(["--raiseerr", "show", "nowhere"])


@pytest.mark.parametrize(
    ("message", "written"),
    [
        ("the lock was left alone", "The lock was left alone."),
        ("alembic_cluster.lint is 'x'", "alembic_cluster.lint is 'x'."),
        ("Nothing was sent.", "Nothing was sent."),
        ("these are edited:\n    +x\n", "These are edited:\n    +x\n"),
        ("/a/b.sql has no name", "/a/b.sql has no name."),
        ("mend this: ALTER TABLE t;", "Mend this: ALTER TABLE t;"),
    ],
)
def test_messages_are_sentences(message: str, written: str) -> None:
    assert as_sentence(message) == written


def test_the_hook_for_pre_commit() -> None:
    hook = (PROJECT / ".pre-commit-hooks.yaml").read_text()
    (entry,) = re.findall(r"(?m)^  entry: alembic-cluster (.*)$", hook)
    (arguments,) = re.findall(r"(?m)^  args: \[(.*)\]$", hook)
    (files,) = re.findall(r"(?m)^  files: (.*)$", hook)
    changed = [name for name in ("app/migrations/versions/a.py", "app/a.py", "sql/1_a.cql") if re.search(files, name)]
    parsed = ClusterCommandLine().parser.parse_args([entry, *arguments.split(", "), *changed])
    assert parsed.revisions == ["app/migrations/versions/a.py", "sql/1_a.cql"]


def test_the_tools_of_adopt_are_those_that_can_be_adopted() -> None:
    assert set(adopt.NAMES) == set(TOOLS)

"""CockroachDB 25.2's own grammar, as a program of ours on its published parser.

::

    for verdict in Grammar.build().check(["CREATE TABLE t (id INT PRIMARY KEY)"]):
        print(verdict.ok, verdict.error, verdict.formatted)
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.servers.cache import CACHE, locked, run_tool
from tests.servers.errors import NoServer, ServerError

_SOURCE = Path(__file__).parent / "crdb_grammar"
_FILES = ("main.go", "go.mod", "go.sum")


@dataclass(frozen=True)
class Verdict:
    """What the grammar says of one text.

    ``ok``: whether it is taken; ``error``: why not; ``formatted``: its statements as CockroachDB prints them back.
    """

    sql: str
    ok: bool
    error: str
    formatted: tuple[str, ...]


def go_needed() -> tuple[int, ...]:
    """Give the version of Go that the grammar is written in, such as (1, 23, 8)."""
    return _version(re.search(r"(?m)^go ([\d.]+)", (_SOURCE / "go.mod").read_text()))


@functools.cache
def find_go() -> Path:
    """Give the program ``go`` of PATH or of ``.cache/go``, whichever is new enough.

    :raises NoServer: there is none.
    """
    found = [Path(go) for go in [shutil.which("go")] if go] + [CACHE / "go" / "toolchain" / "go" / "bin" / "go"]
    old = []
    for go in found:
        try:
            shown = subprocess.run(
                [go, "version"], capture_output=True, text=True, check=False, env=_environment()
            ).stdout
        except OSError:
            continue
        version = _version(re.search(r"go(\d[\d.]*)", shown))
        if version >= go_needed():
            return go
        old.append(".".join(map(str, version)))
    needed = ".".join(map(str, go_needed()))
    if old:
        raise NoServer(f"Go {needed} or newer is needed, found only {', '.join(old)}")
    raise NoServer(f"there is no go on PATH; Go {needed} or newer is needed")


def _version(match: re.Match[str] | None) -> tuple[int, ...]:
    return tuple(int(part) for part in match[1].split(".") if part) if match else ()


def _environment() -> dict[str, str]:
    """Give Go's environment: the machine's own, with everything it downloads or builds in ``.cache/go``."""
    folder = CACHE / "go"
    kept = {
        "GOPATH": str(folder),
        "GOMODCACHE": str(folder / "modules"),
        "GOCACHE": str(folder / "build"),
        # No other Go than the one found: that would be fetched on its own.
        "GOTOOLCHAIN": "local",
        # Go writes its telemetry counters below this one; without -modcacherw its modules cannot be removed.
        "XDG_CONFIG_HOME": str(folder / "config"),
        "GOFLAGS": f"{os.environ.get('GOFLAGS', '')} -modcacherw".strip(),
    }
    if "GOENV" not in os.environ:
        config = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
        kept["GOENV"] = os.path.join(config, "go", "env")
    return {**os.environ, **kept}


class Grammar:
    """The grammar; ``Grammar.build()`` gives it.

    :param program: the built program.
    """

    def __init__(self, program: Path) -> None:
        self._program = program

    @classmethod
    def build(cls) -> Grammar:
        """Build the program on first use; later it is there already, in ``.cache/crdb_grammar``.

        :raises NoServer: it is not built yet and there is no Go for it.
        :raises DownloadFailed: Go could not fetch or build it; with its last lines.
        """
        program = cls._program_file()
        with locked("crdb_grammar"):
            if not program.exists():
                go = find_go()
                partial = program.with_suffix(".partial")
                # Not optimized: the parser is large, and building it is most of the time it takes.
                options = ["-trimpath", "-gcflags=all=-N -l", "-ldflags=-s -w", "-o", str(partial)]
                run_tool(
                    [str(go), "build", *options, "."],
                    cwd=_SOURCE,
                    env=_environment(),
                    what="CockroachDB's grammar could not be built",
                )
                partial.rename(program)
        return cls(program)

    @classmethod
    def is_built(cls) -> bool:
        """Tell whether ``build`` has nothing to do any more."""
        return cls._program_file().exists()

    @staticmethod
    def _program_file() -> Path:
        content = b"".join((_SOURCE / name).read_bytes() for name in _FILES)
        return CACHE / "crdb_grammar" / f"crdb_grammar-{hashlib.sha256(content).hexdigest()[:16]}"

    def check(self, statements: Iterable[str]) -> list[Verdict]:
        """Give the grammar's verdict on each text, in the given order; a text may hold several statements."""
        asked = list(statements)
        lines = "".join(json.dumps({"id": number, "sql": sql}) + "\n" for number, sql in enumerate(asked))
        done = subprocess.run([self._program], input=lines, capture_output=True, text=True, check=True)
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        return [
            Verdict(asked[answer["id"]], answer["ok"], answer["error"], tuple(answer["formatted"]))
            for answer in sorted(answers, key=lambda answer: int(answer["id"]))
        ]


if __name__ == "__main__":
    try:
        Grammar.build()
    except ServerError as error:
        sys.exit(f"error: {error}")

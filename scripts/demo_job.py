"""The main job on one database, step by step: shown, and each step verified."""

from __future__ import annotations

import ast
import difflib
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from rich.console import Console
from rich.markup import escape
from rich.syntax import Syntax
from rich.table import Table

from scripts.demo_parts import Part
from scripts.demo_tables import Shown, tables_of

CONFIG = "example_app/alembic.ini"
NEW = "0004"
# What Alembic logs before each command; not shown.
ALWAYS_THE_SAME = ("[alembic.runtime.plugins]", "] Context impl ", "] Will assume non-transactional DDL.")
_T = TypeVar("_T")

console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)


class NotAsItShould(Exception):
    """A step did not do what it should; the message says which and how."""


class Demo:
    """The steps on one database.

    :param part: which.
    :param folder: holds the temporary copy of the example.
    :param url: of an empty database or keyspace; None where there is no server, for ``--sql``.
    """

    def __init__(self, part: Part, folder: Path, url: str) -> None:
        self.part = part
        self.folder = folder
        self.url = url
        self.models = folder / "example_app" / part.section / "models.py"

    def run(self) -> None:
        """Upgrade, change, autogenerate, upgrade, check, downgrade.

        :raises NotAsItShould: at the first step that went wrong.
        """
        step("Upgrade to the newest revision")
        self.alembic("upgrade", "head")
        first = self.show()
        expect(self.names(first) == self.part.tables, f"the tables are {sorted(self.names(first))}")
        self.alembic("check")
        self.write(self.part.row)
        row = self.rows()

        step(f"Change the model ({self.part.section}/models.py)")
        self.edit()
        self.alembic("check", fails=True)

        step("Have the revision written")
        self.alembic("revision", "--autogenerate", "-m", "what the model says now", "--rev-id", NEW)
        self.read_revision()

        step("Upgrade to it")
        self.alembic("-x", "allow-destructive", "upgrade", "head")
        second = self.show(first)
        expect(first != second, "the upgrade changed nothing")
        self.alembic("check")
        self.alembic("current", says=f"{NEW} (head)")

        step("Downgrade by one")
        self.alembic("downgrade", "-1")
        third = self.show()
        expect(third == first, f"the tables are not what they were: {different(first, third)}")
        self.alembic("current", says="0003")
        expect(self.rows() == row, f"the rows are not what they were: {self.rows()}, and should be {row}")
        console.print(f"The row written before the change is as it was: {escape(str(row[0]))}", soft_wrap=True)

        step("Downgrade to nothing, and up again")
        self.alembic("downgrade", "base")
        left = self.names(self.tables())
        expect(not left, f"tables are left: {sorted(left)}")
        self.alembic("-x", "allow-destructive", "upgrade", "head")
        expect(self.tables() == second, f"the tables are not what they were: {different(second, self.tables())}")
        self.alembic("check")

    def script(self) -> None:
        """Print what would run, both ways, where there is no server.

        :raises NotAsItShould: a statement is missing.
        """
        step(f"Change the model ({self.part.section}/models.py) and write the revision")
        self.edit()
        self.alembic("revision", "-m", "what the model says now", "--rev-id", NEW)
        self.write_revision()
        self.read_revision()
        for what, title in (("upgrade", "head"), ("downgrade", f"{NEW}:base")):
            step(f"What `alembic {what}` would run")
            script = self.alembic(what, title, "--sql", quiet=True)
            console.print(Syntax(script.strip(), "sql", background_color="default", word_wrap=True))
            for words in self.part.in_script[what]:
                expect(words in script, f"the script has no {words}")

    # ---------------------------------------------------------------------------------------------- the tools

    def alembic(self, *arguments: str, fails: bool = False, says: str = "", quiet: bool = False) -> str:
        """Run ``alembic`` in the copy and show what it says.

        :param fails: it must end with a status other than 0.
        :param says: what its output must be.
        :param quiet: show only the command.
        :return: its standard output.
        :raises NotAsItShould: it ended or answered otherwise.
        """
        command = ["alembic", "-c", CONFIG, "-n", self.part.section, *arguments]
        console.print(f"[bold]$ {escape(' '.join(part if ' ' not in part else repr(part) for part in command))}[/]")
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=self.folder,
            env={**os.environ, self.part.variable: self.url, "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        log = [line for line in done.stderr.splitlines() if not any(words in line for words in ALWAYS_THE_SAME)]
        for line in [*log, *([] if quiet else done.stdout.splitlines())]:
            console.print(escape(line), style="dim", soft_wrap=True)
        if fails:
            expect(done.returncode != 0, f"`{' '.join(command)}` should have found a difference")
        else:
            expect(done.returncode == 0, f"`{' '.join(command)}` ended with status {done.returncode}")
        expect(says in done.stdout, f"`{' '.join(command)}` should have said {says}")
        return done.stdout

    def edit(self) -> None:
        """Change the copy's model and show the difference."""
        before = after = self.models.read_text()
        for old, new in self.part.edits.items():
            expect(after.count(old) == 1, f"the model file has not exactly one {old!r}")
            after = after.replace(old, new)
        self.models.write_text(after)
        name = f"example_app/{self.part.section}/models.py"
        diff = "".join(difflib.unified_diff(before.splitlines(True), after.splitlines(True), name, name, n=1))
        console.print(Syntax(diff.strip(), "diff", background_color="default", word_wrap=True))

    @property
    def revision(self) -> Path:
        """The file of the new revision."""
        found = list((self.folder / "example_app" / self.part.section / "migrations/versions").glob(f"{NEW}_*.py"))
        expect(len(found) == 1, f"there are {len(found)} files of revision {NEW}")
        return found[0]

    def read_revision(self) -> None:
        """Show the revision and compare its operations with those that it must have, one by one."""
        source = self.revision.read_text()
        console.print(Syntax(source.strip(), "python", background_color="default", word_wrap=True))
        for function, wanted in (("upgrade", self.part.upgrade), ("downgrade", self.part.downgrade)):
            found = operations(source, function)
            for operation in wanted:
                expect(canonical(operation) in found, f"{function}() lacks {operation}")
            expect(len(found) == len(wanted), f"{function}() has {len(found)} operations, not {len(wanted)}: {found}")
            expect(found == [canonical(operation) for operation in wanted], f"{function}() has another order: {found}")

    def write_revision(self) -> None:
        """Write the operations into the empty revision, as autogenerate would."""
        source = self.revision.read_text()
        for docstring, lines in (("Upgrade", self.part.upgrade), ("Downgrade", self.part.downgrade)):
            empty = f'    """{docstring} schema."""\n    pass\n'
            expect(source.count(empty) == 1, "the empty revision is not as expected")
            source = source.replace(empty, empty.replace("pass", "\n    ".join(lines)))
        self.revision.write_text(source)

    def tables(self) -> tuple[Shown, ...]:
        """Read the tables from the server."""
        return self.connected(tables_of)

    def names(self, tables: Sequence[Shown]) -> frozenset[str]:
        """Give the tables' names."""
        return frozenset(table.name for table in tables)

    def write(self, statement: str) -> None:
        """Run one statement that writes a row."""

        def work(connection: sa.Connection) -> None:
            connection.exec_driver_sql(statement)
            connection.commit()

        self.connected(work)

    def rows(self) -> list[dict[str, Any]]:
        """Read the rows of the part's table; there is one."""

        def work(connection: sa.Connection) -> list[dict[str, Any]]:
            table = sa.Table(self.part.table, sa.MetaData(), autoload_with=connection)
            return [dict(row) for row in connection.execute(sa.select(table)).mappings()]

        found = self.connected(work)
        expect(len(found) == 1, f"{self.part.table} has {len(found)} rows, not one")
        return found

    def connected(self, work: Callable[[sa.Connection], _T]) -> _T:
        """Call a function with a connection of its own."""
        engine = sa.create_engine(self.url, poolclass=sa.NullPool)
        with engine.connect() as connection:
            return work(connection)

    def show(self, before: Sequence[Shown] = ()) -> tuple[Shown, ...]:
        """Print the server's tables; what is not in ``before`` is marked."""
        known: dict[str, set[object]] = {table.name: {*table.rows, *table.notes} for table in before}
        tables = self.tables()
        for table in tables:
            old = known.get(table.name, set()) if before else {*table.rows, *table.notes}

            grid = Table(title=f"{self.part.product}: {table.name}", title_justify="left")
            for heading in table.headings:
                grid.add_column(heading)
            for row in table.rows:
                name, *rest = map(escape, row)
                grid.add_row(f"+ {name}" if row not in old else name, *rest, style="green" if row not in old else None)
            console.print(grid)
            for note in table.notes:
                mark, style = ("+ ", "green") if note not in old else ("  ", None)
                console.print(mark + escape(note), style=style, soft_wrap=True)
        return tables


def canonical(operation: str) -> str:
    """Bring a call to one spelling: its own quotes and spaces, keyword arguments by name."""
    tree = ast.parse(operation, mode="eval")
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            node.keywords.sort(key=lambda keyword: keyword.arg or "")
    return ast.unparse(tree)


def operations(source: str, function: str) -> list[str]:
    """Give the statements of a revision's function, each in its one spelling, without docstring and ``pass``."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            return [
                canonical(ast.unparse(statement))
                for statement in node.body
                if isinstance(statement, ast.Expr) and not isinstance(statement.value, ast.Constant)
            ]
    raise NotAsItShould(f"the revision has no function {function}()")


def different(wanted: Sequence[Shown], found: Sequence[Shown]) -> str:
    """Say how two readings of the tables differ."""
    return f"{set(wanted) - set(found)} should be there, {set(found) - set(wanted)} should not"


def step(title: str) -> None:
    """Announce a step."""
    console.print()
    console.rule(f"[bold]{escape(title)}", align="left")


def expect(true: bool, otherwise: str) -> None:
    """Go on if something is so.

    :raises NotAsItShould: it is not.
    """
    if not true:
        raise NotAsItShould(otherwise)

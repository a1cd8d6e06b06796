"""The tools whose projects can be taken over: how their files are named, and what their state tables say.

Facts from their documentation and from what they write: coodie 1.9.3, manticore-cockroachdb 0.3.1, cassandra-migrate
0.3, cql-track 1.1, golang-migrate 4.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from alembic_cluster.errors import AdoptionRefused
from alembic_cluster.sqlfiles import SUFFIXES, read_text

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_DOWN = re.compile(r"^[ \t]*--[ \t]*(@UNDO|@DOWN|DOWN|migrate:down|\+migrate Down)[ \t]*$", re.I | re.M)
_UP = re.compile(r"^[ \t]*--[ \t]*(@UP|UP|migrate:up|\+migrate Up|Forward migration)[ \t]*$\n?", re.I | re.M)


@dataclass(frozen=True)
class Migration:
    """A migration of another tool.

    :ivar version: what its state table calls it.
    :ivar description: what it is about.
    :ivar path: its file.
    :ivar up: statements of the upgrade.
    :ivar down: statements of the downgrade; None when it has none.
    :ivar checksum: as its tool makes it; None when that makes none.
    :ivar unwritable: why its statements can't be told; empty when they can.
    """

    version: str
    description: str
    path: Path
    up: str
    down: str | None = None
    checksum: str | None = None
    unwritable: str = ""

    @property
    def name(self) -> str:
        """The name of its file."""
        return self.path.name


@dataclass(frozen=True)
class Applied:
    """A row of a state table.

    :ivar checksum: of the file when it was applied; None when the tool keeps none.
    :ivar problem: what went wrong with it; empty when nothing did.
    """

    version: str
    checksum: str | None = None
    problem: str = ""


@dataclass(frozen=True)
class Tool:
    """One tool.

    :ivar names: how its files are named, for messages.
    :ivar table: its state table.
    :ivar read: gives the migrations of a folder, in order.
    :ivar state: reads what of the migrations is applied, None when there is no table; None for a tool without one.
    :ivar suffix: of the files that are written where the tool's own are Python.
    """

    names: str
    table: str
    read: Callable[[Path], list[Migration]]
    state: Callable[[Connection, list[Migration]], list[Applied] | None] | None
    suffix: str = ".sql"


def natural_key(text: str) -> tuple[Any, ...]:
    """Give what sorts ``2`` before ``10``."""
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", text) if part)


def _files(folder: Path, *suffixes: str) -> list[Path]:
    found = [path for path in folder.iterdir() if path.suffix in suffixes and not path.name.startswith((".", "__"))]
    return sorted(found, key=lambda path: natural_key(path.name))


def _two_parts(text: str) -> tuple[str, str | None]:
    text = _UP.sub("", text)
    parts = _DOWN.split(text, maxsplit=1)
    return parts[0].strip(), None if len(parts) == 1 else parts[2].strip()


def _described(name: str) -> str:
    return re.sub(r"[_\s]+", " ", name).strip()


def _named_by(pattern: str, checksum: Callable[[Path, str], str | None], version: Callable[[str], str]) -> Any:
    """Make the reader of a folder whose files are named by version and description."""
    compiled = re.compile(pattern)

    def read(folder: Path) -> list[Migration]:
        found = []
        for path in _files(folder, *SUFFIXES):
            match = compiled.fullmatch(path.name)
            if match is None:
                raise AdoptionRefused(f"{path} is named like no migration of that tool; nothing was written")
            text = read_text(path)
            up, down = _two_parts(text)
            found.append(
                Migration(
                    version(match["version"]), _described(match["description"]), path, up, down, checksum(path, text)
                )
            )
        return sorted(found, key=lambda each: natural_key(each.version))

    return read


def _no_checksum(path: Path, text: str) -> None:
    return None


def _plain_int(text: str) -> str:
    return str(int(text))


# ----------------------------------------------------------------------------------------------------------- coodie


class _Recorder:
    """Stands for coodie's context: takes down what a migration would send."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.unwritable = ""

    async def execute(self, cql: str, params: Any = None) -> list[Any]:
        if params:
            self.unwritable = "it sends statements with values of its own"
        self.statements.append(cql.strip().rstrip(";") + ";")
        return []

    async def column_exists(self, *args: Any) -> bool:
        return False

    async def index_exists(self, *args: Any) -> bool:
        return False

    async def scan_table(self, *args: Any, **kw: Any) -> Any:
        self.unwritable = "it changes rows by a program"
        nothing: tuple[Any, ...] = ()
        for row in nothing:
            yield row


def _record(function: Callable[[Any], Any]) -> tuple[str, str]:
    """Run one of a migration's functions; gives its statements, and why they are not all."""
    import asyncio

    recorder = _Recorder()
    try:
        asyncio.run(function(recorder))
    except Exception as error:
        recorder.unwritable = f"what it sends depends on the database ({type(error).__name__})"
    return "\n".join(recorder.statements), recorder.unwritable


def _read_coodie(folder: Path) -> list[Migration]:
    import importlib.util

    found = []
    for path in _files(folder, ".py"):
        match = re.fullmatch(r"(\d{8}_\d{3})_(.+)\.py", path.name)
        if match is None:
            continue
        spec: Any = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
            migration = module.ForwardMigration()
        except Exception as error:
            raise AdoptionRefused(f"{path} can't be loaded: {error}; nothing was written") from error
        up, unwritable = _record(migration.upgrade)
        down, not_back = _record(migration.downgrade) if migration.reversible else ("", "it has no way back")
        description = migration.description or _described(match[2])
        checksum = hashlib.sha256(path.read_bytes()).hexdigest()
        found.append(Migration(path.stem, description, path, up, None if not_back else down, checksum, unwritable))
    return found


def _coodie_state(connection: Connection, migrations: list[Migration]) -> list[Applied] | None:
    rows = _rows(connection, "_coodie_migrations", "migration_name", "checksum")
    return None if rows is None else [Applied(name, checksum) for name, checksum in rows]


# -------------------------------------------------------------------------------------------------------- manticore


def _manticore_state(connection: Connection, migrations: list[Migration]) -> list[Applied] | None:
    rows = _rows(connection, "_migrations", "version")
    return None if rows is None else [Applied(str(version)) for (version,) in rows]


# ------------------------------------------------------------------------------------------------ cassandra-migrate


def _read_cassandra_migrate(folder: Path) -> list[Migration]:
    found = []
    for path in _files(folder, ".cql", ".py"):
        text = read_text(path)
        checksum = hashlib.sha256(text.encode()).hexdigest()
        description = _described(re.sub(r"^[vV]?\d*", "", path.stem)) or path.stem
        if path.suffix == ".py":
            found.append(Migration(path.name, description, path, "", None, checksum, "it is a program"))
        else:
            found.append(Migration(path.name, description, path, text.strip(), None, checksum))
    return found


def _cassandra_migrate_state(connection: Connection, migrations: list[Migration]) -> list[Applied] | None:
    rows = _rows(connection, "database_migrations", "name", "checksum", "state")
    if rows is None:
        return None
    good = ("SUCCEEDED", "SKIPPED")
    return [Applied(name, bytes(checksum).hex(), "" if state in good else str(state)) for name, checksum, state in rows]


# -------------------------------------------------------------------------------------------------------- cql-track


def _cql_track_checksum(path: Path, text: str) -> str:
    return hashlib.md5(text.strip().encode(), usedforsecurity=False).hexdigest()


def _cql_track_state(connection: Connection, migrations: list[Migration]) -> list[Applied] | None:
    rows = _rows(connection, "cqltrack_history", "version", "checksum", "status")
    if rows is None:
        return None
    return [
        Applied(str(version), checksum, "failed" if status == "failed" else "") for version, checksum, status in rows
    ]


# --------------------------------------------------------------------------------------------------- golang-migrate


def _read_pairs(folder: Path) -> list[Migration]:
    found: dict[str, Migration] = {}
    downs: dict[str, str] = {}
    for path in _files(folder, *SUFFIXES):
        match = re.fullmatch(r"(\d+)_(.*)\.(up|down)\.(sql|cql)", path.name)
        if match is None:
            raise AdoptionRefused(f"{path} is named like no migration of that tool; nothing was written")
        version = str(int(match[1]))
        if match[3] == "down":
            downs[version] = read_text(path).strip()
        else:
            found[version] = Migration(version, _described(match[2]), path, read_text(path).strip())
    return [
        Migration(each.version, each.description, each.path, each.up, downs.get(version))
        for version, each in sorted(found.items(), key=lambda item: int(item[0]))
    ]


def _golang_state(connection: Connection, migrations: list[Migration]) -> list[Applied] | None:
    rows = _rows(connection, "schema_migrations", "version", "dirty")
    if rows is None:
        return None
    # One row: the version that the database stands at.
    return [
        Applied(each.version, None, "dirty" if dirty and int(each.version) == version else "")
        for version, dirty in rows
        for each in migrations
        if int(each.version) <= version
    ]


# ------------------------------------------------------------------------------------------------------------ plain


def _read_plain(folder: Path) -> list[Migration]:
    if any(re.search(r"\.(up|down)\.(sql|cql)$", path.name) for path in _files(folder, *SUFFIXES)):
        return _read_pairs(folder)
    found = []
    for path in _files(folder, *SUFFIXES):
        match = re.fullmatch(r"[vV]?(\d[\d._]*?)[_\- ]+(.*)", path.stem)
        version, description = (match[1], match[2]) if match else (path.stem, path.stem)
        up, down = _two_parts(read_text(path))
        found.append(Migration(version, _described(description), path, up, down))
    return sorted(found, key=lambda each: natural_key(each.version))


def _rows(connection: Connection, table: str, *columns: str) -> list[tuple[Any, ...]] | None:
    """Read columns of a state table; None when there is no such table."""
    import sqlalchemy as sa

    if not sa.inspect(connection).has_table(table):
        return None
    query = sa.select(*(sa.column(name) for name in columns)).select_from(sa.table(table))
    return [tuple(row) for row in connection.execute(query)]


#: The tools by the name that ``alembic-cluster adopt`` takes.
TOOLS: Final = {
    "coodie": Tool("YYYYMMDD_NNN_name.py", "_coodie_migrations", _read_coodie, _coodie_state, ".cql"),
    "manticore": Tool(
        "V1__name.sql or 20230101120000_name.sql",
        "_migrations",
        _named_by(r"[vV]?(?P<version>\d+)_+(?P<description>.+)\.sql", _no_checksum, _plain_int),
        _manticore_state,
    ),
    "cassandra-migrate": Tool(
        "v001_name.cql", "database_migrations", _read_cassandra_migrate, _cassandra_migrate_state, ".cql"
    ),
    "cql-track": Tool(
        "V001__name.cql",
        "cqltrack_history",
        _named_by(r"V(?P<version>\d+)__(?P<description>.+)\.cql", _cql_track_checksum, _plain_int),
        _cql_track_state,
        ".cql",
    ),
    "golang-migrate": Tool("1_name.up.sql and 1_name.down.sql", "schema_migrations", _read_pairs, _golang_state),
    "plain": Tool("*.sql or *.cql", "", _read_plain, None),
}

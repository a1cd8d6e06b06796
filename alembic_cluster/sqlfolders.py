"""Folders whose SQL and CQL files are revisions themselves, without one line of Python.

``alembic_cluster.sql_folders = %(here)s/sql`` in the configuration names them. A file ``<version>_<description>.sql``
in one (or ``.cql``) is the revision ``<version>``, behind the one of the next lower version, and takes part in all that
revisions take part in: ``alembic upgrade head``, ``history``, ``downgrade -1``, ``stamp``, ``--sql``, ``lint``.

What a revision says in Python stands in comments at the top of the file::

    -- @REVISES: 8f3a2b1c0d4e        the revision before the first of these files, or before this one
    -- @DEPENDS_ON: 2f1e0d3c4b5a
    -- @BRANCH_LABELS: reports
    -- @ALLOW_DESTRUCTIVE            or ": downgrade" for one direction
    -- @PHASE: contract
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from alembic_cluster.errors import ConfigurationError, InvalidSqlFile
from alembic_cluster.settings import Settings
from alembic_cluster.sqlfiles import HEADER, SUFFIXES, parse_sql_file, read_text

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

SETTING = "sql_folders"
_FOLDERS = "_alembic_cluster_sql_folders"  # attribute of a ScriptDirectory
_NAME = re.compile(r"[vV]?(?P<version>\d+(?:[._]\d+)*)_{1,2}(?P<description>\w.*)")
_DIRECTIVE = re.compile(r"--\s*@(?P<name>\w+)\s*(?::\s*(?P<value>.*?))?\s*$")
_LISTS = {"DEPENDS_ON": "depends_on", "BRANCH_LABELS": "branch_labels"}
_KNOWN = ("REVISES", *_LISTS, "ALLOW_DESTRUCTIVE", "PHASE")
TEMPLATE = """\
-- {message}

-- @UNDO

"""
_MODULE = """\
from alembic import op
def upgrade(): op.execute_file({path!r})
def downgrade(): op.undo_file({path!r})
"""


def install() -> None:
    """Have Alembic's ``ScriptDirectory`` find the files of such folders; once is enough.

    Alembic has no public hook for revisions that are no Python files.
    """
    from alembic.script import ScriptDirectory

    directory: Any = ScriptDirectory
    if hasattr(directory, _FOLDERS):
        return
    from_config, load = directory.from_config, directory._load_revisions

    def from_config_with_folders(cls: Any, config: Config) -> ScriptDirectory:
        script: ScriptDirectory = from_config(config)
        setattr(script, _FOLDERS, sql_folders(config))
        return script

    def load_with_folders(self: Any) -> Iterator[Any]:
        yield from load(self)
        for folder in getattr(self, _FOLDERS):
            yield from load_folder(folder)

    setattr(directory, _FOLDERS, ())
    directory.from_config = classmethod(from_config_with_folders)
    directory._load_revisions = load_with_folders


def sql_folders(config: Config) -> tuple[Path, ...]:
    """Give the folders that the configuration names, separated by lines, commas or the system's path separator.

    :raises ConfigurationError: one that isn't there.
    """
    text = Settings(config).text(SETTING)
    folders = tuple(Path(part.strip()) for part in re.split(rf"[\n,{os.pathsep}]", text) if part.strip())
    for folder in folders:
        if not folder.is_dir():
            raise ConfigurationError(f"alembic_cluster.{SETTING}: there is no folder {folder}; nothing was sent")
    return folders


def load_folder(folder: Path) -> list[Any]:
    """Make the revisions of a folder, in the order of their versions.

    :return: Alembic's ``Script`` for each.
    :raises InvalidSqlFile: a file that is named like no version, or like another's, or that says what isn't known.
    """
    found: dict[tuple[int, ...], tuple[str, str, Path]] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix not in SUFFIXES or path.name.startswith("."):
            continue
        match = _NAME.fullmatch(path.stem)
        if match is None:
            raise InvalidSqlFile(
                f"{path} is no migration: files of alembic_cluster.{SETTING} are named <version>_<description>"
                f"{path.suffix}, such as 20260131120000_create_users{path.suffix}. Nothing was sent."
            )
        version = match["version"]
        order = tuple(int(part) for part in re.split(r"[._]", version))
        if order in found:
            raise InvalidSqlFile(f"{path} and {found[order][2]} have the same version. Nothing was sent.")
        found[order] = version, match["description"].replace("_", " ").strip(), path
    scripts = []
    before: str | None = None
    for _, (version, description, path) in sorted(found.items()):
        scripts.append(_script(version, description, path, before))
        before = version
    return scripts


def new_file(folder: Path, message: str, suffix: str, up: str = "", down: str | None = "") -> Path:
    """Write the file of a new revision, with the time as its version.

    :param message: its description.
    :param suffix: ``.sql`` or ``.cql``.
    :return: where it is.
    """
    now = datetime.now(timezone.utc)
    versions = [_NAME.fullmatch(path.stem) for path in folder.iterdir() if path.suffix in SUFFIXES]
    highest = max((int(re.split(r"[._]", match["version"])[0]) for match in versions if match), default=0)
    # Two files of one second, or after one of tomorrow.
    version = max(int(now.strftime("%Y%m%d%H%M%S")), highest + 1)
    path = folder / f"{version}_{slug(message)}{suffix}"
    path.write_text(file_text(message, up, down), encoding="utf-8")
    return path


def slug(message: str) -> str:
    """Give a message as the part of a file's name."""
    return "_".join(re.findall(r"\w+", message.lower()))[:60].strip("_") or "migration"


def file_text(message: str, up: str = "", down: str | None = "") -> str:
    """Give the text of a new file.

    :param down: what takes it back; None for a file without ``-- @UNDO``.
    """
    if down is None:
        return f"-- {message}\n{up.strip()}\n"
    if not up and not down:
        return TEMPLATE.format(message=message)
    return f"-- {message}\n{up.strip()}\n\n-- @UNDO\n{down.strip()}\n"


def _script(version: str, description: str, path: Path, before: str | None) -> Any:
    from alembic.script.base import Script

    text = read_text(path)
    parse_sql_file(path, text)
    said = _directives(path, text)
    module: Any = ModuleType(path.stem)
    module.__doc__ = description
    module.__file__ = str(path)
    module.revision = version
    module.down_revision = said.get("REVISES") or before
    for name, attribute in _LISTS.items():
        values = tuple(part for part in re.split(r"[\s,]+", said.get(name, "")) if part)
        setattr(module, attribute, values or None)
    if "ALLOW_DESTRUCTIVE" in said:
        module.allow_destructive = said["ALLOW_DESTRUCTIVE"].lower() or True
    if "PHASE" in said:
        module.phase = said["PHASE"]
    # A file that is put between two that ran has the second one changed, which is what stops the run.
    setattr(module, HEADER, f"-- revises {module.down_revision}\n")
    exec(compile(_MODULE.format(path=str(path.resolve())), str(path), "exec"), module.__dict__)
    return Script(module, version, str(path))


def _directives(path: Path, text: str) -> dict[str, str]:
    """Read the comments at the top that say something."""
    said: dict[str, str] = {}
    for line in text.splitlines():
        line = line.strip()
        if line and not line.startswith("--"):
            break
        match = _DIRECTIVE.match(line)
        if match is None or match["name"].upper() == "UNDO":
            continue
        name = match["name"].upper()
        if name not in _KNOWN:
            raise InvalidSqlFile(
                f"{path}: '-- @{match['name']}' is not known; there are {', '.join(_KNOWN)} and UNDO. Nothing was sent."
            )
        said[name] = match["value"] or ""
    return said

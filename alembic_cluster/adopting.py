"""Taking over a project of another tool: revisions out of its files, and the heads out of its state table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic_cluster.adoptable import TOOLS, Applied, Migration, Tool
from alembic_cluster.errors import AdoptionRefused
from alembic_cluster.sqlfiles import SUFFIXES

if TYPE_CHECKING:
    from alembic.config import Config

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_.]+")


@dataclass(frozen=True)
class Adoption:
    """What is adopted.

    :ivar migrations: of the other tool, the first one first.
    :ivar applied: how many of them, from the first on, the database has.
    :ivar revisions: the names of their revisions, in the same order.
    """

    migrations: Sequence[Migration]
    applied: int
    revisions: Sequence[str]

    @property
    def head(self) -> str | None:
        """The revision that the database stands at; None when nothing is applied."""
        return self.revisions[self.applied - 1] if self.applied else None


def adopt(
    config: Config,
    tool: str,
    folder: str | Path,
    *,
    applied: str | None = None,
    allow_edited: bool = False,
    dry_run: bool = False,
) -> Adoption:
    """Write revisions out of another tool's migrations, and stamp what is applied.

    The other tool's files and its state table stay as they are.

    :param tool: a name in :data:`alembic_cluster.adoptable.TOOLS`.
    :param folder: its migrations.
    :param applied: the last applied version, for a project without a state table.
    :param allow_edited: go on although files are not what they were when they were applied.
    :param dry_run: look only.
    :raises AdoptionRefused: nothing was written and nothing was stamped; the message says why.
    """
    from alembic.script import ScriptDirectory

    chosen = TOOLS[tool]
    folder = Path(folder)
    if not folder.is_dir():
        raise AdoptionRefused(f"there is no folder {folder}; nothing was written")
    migrations = chosen.read(folder)
    if not migrations:
        raise AdoptionRefused(f"{folder} has no migrations of {tool} ({chosen.names}); nothing was written")
    script = ScriptDirectory.from_config(config)
    if list(script.walk_revisions()):
        raise AdoptionRefused(
            f"{script.dir} has revisions already, and those of {tool} come before any other; nothing was written. "
            "Adopt into an environment that 'alembic-cluster init' has just made."
        )
    rows = _read_state(config, chosen, migrations)
    count = _count_applied(chosen, migrations, rows, applied, allow_edited)
    names = [revision_name(each.version) for each in migrations]
    if len(set(names)) < len(names):
        raise AdoptionRefused("two migrations have one version; nothing was written")
    late = [f"{each.name} ({each.unwritable})" for each in migrations[count:] if each.unwritable]
    if late:
        raise AdoptionRefused(
            f"{', '.join(late)}: no file of statements can say that. Apply with {tool} first, then adopt; or take the "
            "file out and write it as a revision afterwards. Nothing was written."
        )
    found = Adoption(migrations, count, names)
    if not dry_run:
        _write(config, script, tool, found)
        if found.head is not None:
            from alembic import command

            command.stamp(config, found.head)
    return found


def revision_name(version: str) -> str:
    """Give a version as Alembic takes it for a revision: no blanks, no signs that mean something there."""
    return _NOT_IN_A_NAME.sub("_", version).strip("_")


def _read_state(config: Config, tool: Tool, migrations: list[Migration]) -> list[Applied] | None:
    """Read the other tool's table; None when there is none."""
    from alembic_cluster.reading import in_environment

    found: list[list[Applied] | None] = []

    def read(heads: Sequence[str], context: Any) -> None:
        if heads:
            raise AdoptionRefused(f"the database stands at {', '.join(heads)} already; nothing was written")
        found.append(None if tool.state is None else tool.state(context.connection, migrations))

    in_environment(config, read)
    return found[0]


def _count_applied(
    tool: Tool, migrations: Sequence[Migration], rows: list[Applied] | None, applied: str | None, allow_edited: bool
) -> int:
    """Tell how many migrations the database has; they have to be the first ones."""
    versions = [each.version for each in migrations]
    if applied is not None:
        matching = [at for at, each in enumerate(migrations) if applied in (each.version, each.name)]
        if not matching:
            raise AdoptionRefused(
                f"there is no version {applied!r}; there are {', '.join(versions)}. Nothing was written."
            )
        return matching[0] + 1
    if rows is None:
        if tool.state is not None:
            raise AdoptionRefused(
                f"the database has no table {tool.table}: is this its database? If nothing is applied, or to say what "
                "is, give --applied VERSION or use the tool 'plain'. Nothing was written."
            )
        return 0
    bad = [f"{row.version} ({row.problem})" for row in rows if row.problem]
    if bad:
        raise AdoptionRefused(
            f"{tool.table} says that something went wrong: {', '.join(bad)}. Mend it with the tool itself first. "
            "Nothing was written."
        )
    there = {row.version: row for row in rows}
    lost = sorted(set(there) - set(versions))
    if lost:
        raise AdoptionRefused(
            f"{tool.table} has {', '.join(lost)}, and no file is there for it: is this the right folder? "
            "Nothing was written."
        )
    count = len(there)
    missing = [version for version in versions[:count] if version not in there]
    if missing:
        raise AdoptionRefused(
            f"{', '.join(missing)} is not applied, and later ones are: revisions are applied one behind the other. "
            "Apply it with the tool itself first. Nothing was written."
        )
    edited = [
        each.name
        for each in migrations[:count]
        if there[each.version].checksum is not None and there[each.version].checksum != each.checksum
    ]
    if edited and not allow_edited:
        raise AdoptionRefused(
            f"{', '.join(edited)} was edited after it was applied, as {tool.table} says. Bring it back, or say "
            "--allow-edited to adopt it as it is. Nothing was written."
        )
    return count


def _write(config: Config, script: Any, tool: str, found: Adoption) -> None:
    from alembic.util import CommandError

    from alembic_cluster.sqlrevisions import create_sql_revision

    written: list[Path] = []
    try:
        for each, name in zip(found.migrations, found.revisions, strict=True):
            note = f"-- adopted from {tool}: {each.path.name}\n"
            if each.unwritable:
                note += f"-- {each.unwritable}: what it did is in that file, and was done when this was adopted\n"
            revision = create_sql_revision(
                config,
                each.description,
                each.path.suffix if each.path.suffix in SUFFIXES else TOOLS[tool].suffix,
                up=note + _literal(each.up),
                down=None if each.down is None else _literal(each.down),
                head="head" if written else "base",
                rev_id=name,
                beside=True,
            )
            written += [Path(revision.path), *Path(revision.path).parent.glob(f"{name}_*.[sc]ql")]
    except (CommandError, OSError):
        for path in written:
            path.unlink(missing_ok=True)
        raise


def _literal(text: str) -> str:
    """Keep what looks like a variable as it is."""
    return text.replace("${", "\\${")

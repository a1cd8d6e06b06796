"""New revisions whose statements stand in a file of SQL or CQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import rev_id as new_rev_id

from alembic_cluster.errors import ConfigurationError
from alembic_cluster.sqlfiles import SUFFIXES
from alembic_cluster.sqlfolders import file_text, load_folder, new_file, slug, sql_folders


def create_sql_revision(
    config: Config,
    message: str | None = None,
    suffix: str = ".sql",
    *,
    up: str = "",
    down: str | None = "",
    head: str | None = None,
    splice: bool = False,
    branch_label: str | None = None,
    version_path: str | None = None,
    rev_id: str | None = None,
    depends_on: str | None = None,
    beside: bool = False,
) -> Any:
    """Make a revision whose statements stand in a file.

    Where the configuration has ``alembic_cluster.sql_folders``, it is one file in the first of them (or in
    ``version_path``), with the time as its version. Elsewhere it is a revision of a few lines of Python and the file
    beside it. The other arguments are those of ``alembic revision``.

    :param suffix: ``.sql`` or ``.cql``.
    :param up: statements of the upgrade; a file to be filled in without.
    :param down: statements of the downgrade; None for a migration that has no way back.
    :param beside: a revision with the file beside it, whatever the configuration says.
    :return: Alembic's ``Script``.
    :raises ConfigurationError: what a file of a folder can't say: a branch label, another place in the history.
    :raises alembic.util.CommandError: as of ``alembic revision``.
    """
    if suffix not in SUFFIXES:
        raise ConfigurationError(f"a migration file ends with one of {', '.join(SUFFIXES)}, not {suffix!r}")
    folders = () if beside else sql_folders(config)
    if folders:
        if head not in (None, "head", "heads") or splice or branch_label or rev_id or depends_on:
            raise ConfigurationError(
                "a file of alembic_cluster.sql_folders comes behind the others: its place is its version, and what "
                "else it has to say is in comments at its top, such as '-- @DEPENDS_ON: ...'. Nothing was written."
            )
        path = new_file(_folder(folders, version_path), message or "", suffix, up, down)
        return next(each for each in load_folder(path.parent) if Path(each.path) == path)
    identifier = rev_id or new_rev_id()
    name = f"{identifier}_{slug(message or '')}{suffix}"
    revision: Any = ScriptDirectory.from_config(config).generate_revision(
        identifier,
        message,
        head=head,
        splice=splice,
        branch_labels=branch_label,
        version_path=version_path,
        depends_on=depends_on,
        imports="",
        upgrades=f"op.execute_file({name!r})",
        downgrades=f"op.undo_file({name!r})",
    )
    file = Path(revision.path).with_name(name)
    file.write_text(file_text(message or "", up, down), encoding="utf-8")
    return revision


def _folder(folders: tuple[Path, ...], wanted: str | None) -> Path:
    if wanted is None:
        return folders[0]
    for folder in folders:
        if folder.resolve() == Path(wanted).resolve():
            return folder
    raise ConfigurationError(f"{wanted} is none of alembic_cluster.sql_folders. Nothing was written.")

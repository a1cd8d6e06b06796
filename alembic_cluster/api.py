"""Migrations from Python: :class:`Migrator`, and :class:`AsyncMigrator` for programs with an event loop.

The same runs as those of the command line: under the lock, with ledger and journal, guarded, resumable.

::

    migrator = Migrator("cockroachdb://root@localhost:26257/bank", "migrations")
    migrator.create("add age", "ALTER TABLE users ADD COLUMN age INT", "ALTER TABLE users DROP COLUMN age")
    migrator.upgrade()
"""

from __future__ import annotations

import asyncio
import functools
import io
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData

from alembic_cluster.connections import Bind, dialect_name, url_of
from alembic_cluster.errors import ConfigurationError
from alembic_cluster.planning import Plan, make_plan
from alembic_cluster.reading import in_environment
from alembic_cluster.sqlrevisions import create_sql_revision
from alembic_cluster.state import RevisionState, State, read_state
from alembic_cluster.stores import HistoryRow
from alembic_cluster.syncing import SyncResult, sync

_P = ParamSpec("_P")
_T = TypeVar("_T")
STANDALONE = Path(__file__).parent / "standalone"
# `alembic.context` and `alembic.op` are of the module: one environment at a time in a process.
_ENVIRONMENT = threading.RLock()


@dataclass(frozen=True)
class Revision:
    """A revision, as its file says it.

    :ivar revision: what names it: the version of a file of SQL, Alembic's identifier else.
    :ivar description: its message.
    :ivar path: its file.
    :ivar down_revision: the one or those before it; None for the first.
    """

    revision: str
    description: str
    path: Path
    down_revision: str | tuple[str, ...] | None

    @classmethod
    def of(cls, script: Any) -> Revision:
        """Make one of Alembic's ``Script``."""
        down = script.down_revision
        return cls(script.revision, script.doc or "", Path(script.path), down if isinstance(down, str) or down is None
                   else tuple(down))  # fmt: skip


class Migrator:
    """The migrations of one database.

    :param bind: a URL, an ``Engine`` or an ``AsyncEngine``.
    :param folder: migrations: files ``<version>_<description>.sql`` or ``.cql``, revisions in Python, or both. It is
        made where it isn't there. One that has an ``env.py``, as ``alembic init`` makes it, is used with that; its
        ``env.py`` has to take the URL from ``sqlalchemy.url``.
    :param metadata: the models, for ``sync``.
    :param settings: of each run, such as ``lock_wait=60`` or ``allow_destructive=True``; ``variables={"a": "b"}`` for
        ``${a}`` in files.
    :raises ConfigurationError: a bind that is none; nothing was sent.
    """

    def __init__(
        self, bind: Bind, folder: str | Path = "migrations", *, metadata: MetaData | None = None, **settings: Any
    ) -> None:
        folder = Path(folder).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        config = Config()
        if (folder / "env.py").exists():
            config.set_main_option("script_location", _escaped(folder))
            config.set_main_option("sqlalchemy.url", url_of(bind).render_as_string(False).replace("%", "%%"))
        else:
            config.set_main_option("script_location", _escaped(STANDALONE))
            config.set_main_option("version_locations", _escaped(folder))
            config.set_main_option("path_separator", "newline")
            config.set_main_option("alembic_cluster.sql_folders", _escaped(folder))
        config.attributes.update(bind=bind, url=url_of(bind), target_metadata=metadata)
        self._bind: Bind = bind
        self._metadata = metadata
        self._set_up(config, settings)

    @classmethod
    def from_config(cls, config: str | Path | Config = "alembic.ini", **settings: Any) -> Migrator:
        """Make one of a project that has an ``alembic.ini`` and an ``env.py``.

        :param config: the file, or Alembic's ``Config``.
        :param settings: as of the class.
        :raises ConfigurationError: there is no such file.
        """
        if not isinstance(config, Config):
            if not Path(config).is_file():
                raise ConfigurationError(f"there is no file {config}; nothing was sent")
            config = Config(str(config))
        migrator = cls.__new__(cls)
        url = config.get_main_option("sqlalchemy.url")
        migrator._bind = url or None
        migrator._metadata = None
        migrator._set_up(config, settings)
        return migrator

    def _set_up(self, config: Config, settings: dict[str, Any]) -> None:
        variables = settings.pop("variables", None) or {}
        given = {**settings, **{f"var.{name}": str(value) for name, value in variables.items()}}
        config.attributes["alembic_cluster"] = {**config.attributes.get("alembic_cluster", {}), **given}
        config.stdout = config.output_buffer = io.StringIO()
        # What env.py does with a file's [loggers] is the command line's business, not a program's.
        config.file_config  # noqa: B018  (it is read once, while the name is known)
        config.config_file_name = None
        self.config = config

    # --------------------------------------------------------------------------------------------- files

    def create(self, message: str, up: str = "", down: str = "", *, suffix: str | None = None) -> Revision:
        """Write a new migration of SQL or CQL behind the others.

        :param message: its description.
        :param up: statements of the upgrade.
        :param down: statements of the downgrade.
        :param suffix: ``.sql`` or ``.cql``; what the database speaks when None.
        """
        if suffix is None:
            suffix = ".cql" if self._bind is not None and dialect_name(self._bind) == "cql" else ".sql"
        return Revision.of(create_sql_revision(self.config, message, suffix, up=up, down=down))

    def load(self) -> list[Revision]:
        """Read all migrations, the first one first."""
        return _all_of(self._scripts())

    # ---------------------------------------------------------------------------------------------- runs

    def upgrade(self, target: str = "heads") -> list[Revision]:
        """Apply what is pending.

        :param target: up to this revision, as ``alembic upgrade`` takes it.
        :return: what was applied, the first one first; by this call or by another process while it waited.
        :raises LockNotAcquired: another run held the lock too long.
        :raises ClusterError: what else stops a run; its message says what was applied.
        """
        with _ENVIRONMENT:
            before = self.current()
            command.upgrade(self.config, target)
            return self._between(before, self.current())

    def downgrade(self, target: str | int = 1) -> list[Revision]:
        """Take back what was applied.

        :param target: a number of steps, or down to this revision as ``alembic downgrade`` takes it (``base`` for all).
        :return: what was taken back, the last one first.
        :raises ClusterError: see :meth:`upgrade`.
        """
        with _ENVIRONMENT:
            before = self.current()
            command.downgrade(self.config, f"-{target}" if isinstance(target, int) else target)
            return self._between(self.current(), before)[::-1]

    def stamp(self, target: str) -> None:
        """Say that the database stands at a revision, without running anything."""
        with _ENVIRONMENT:
            command.stamp(self.config, target)

    def sync(
        self,
        metadata: MetaData | None = None,
        dry_run: bool = False,
        drop_removed_indexes: bool = False,
        allow_versioned: bool = False,
    ) -> SyncResult:
        """Bring a development database to what the models say, without a revision.

        :param metadata: the models; those of the migrator when None.
        :return: the statements; see :func:`alembic_cluster.syncing.sync` for the other arguments.
        :raises ConfigurationError: there are no models.
        """
        models = metadata if metadata is not None else self._metadata
        if models is None:
            raise ConfigurationError("sync needs the models: Migrator(..., metadata=...); nothing was sent")
        return sync(
            self._bind,
            models,
            dry_run=dry_run,
            drop_removed_indexes=drop_removed_indexes,
            allow_versioned=allow_versioned,
        )

    # --------------------------------------------------------------------------------------------- looks

    def current(self) -> tuple[str, ...]:
        """Give the heads that the database stands at; empty before the first migration."""
        found: list[str] = []
        self._look(lambda heads, context: found.extend(heads))
        return tuple(sorted(found))

    def is_applied(self, revision: str) -> bool:
        """Tell whether a migration is applied.

        :raises alembic.util.CommandError: there is no such migration.
        """
        script = self._scripts().get_revision(revision)
        return script.revision in {each.revision for each in self.applied()}

    def applied(self) -> list[RevisionState]:
        """Give what is applied, the first one first, with time, seconds and owner of each as the ledger has them."""
        return [each for each in reversed(self.status().revisions) if each.state in ("applied", "edited")]

    def status(self) -> State:
        """Read where the database stands: applied, pending, edited, half-applied, and who holds the lock."""
        with _ENVIRONMENT:
            return read_state(self.config)

    def history(self) -> list[HistoryRow]:
        """Read the ledger, each run of a revision in each direction, the first one first."""
        found: list[HistoryRow] = []

        def read(heads: Any, context: Any) -> None:
            if hasattr(context.impl, "stores"):
                found.extend(context.impl.stores(context.connection).history.rows())

        self._look(read)
        return sorted(found, key=lambda row: (row.fence, row.step))

    def plan(self, target: str = "heads", direction: str = "") -> Plan:
        """Read what a run would send, and what it costs; sends nothing.

        :param direction: ``upgrade`` or ``downgrade``; when empty, what leads to the target.
        """
        with _ENVIRONMENT:
            return make_plan(self.config, target, direction)

    def _look(self, work: Callable[[Any, Any], Any]) -> None:
        with _ENVIRONMENT:
            in_environment(self.config, work)

    def _scripts(self) -> ScriptDirectory:
        return ScriptDirectory.from_config(self.config)

    def _between(self, lower: tuple[str, ...], upper: tuple[str, ...]) -> list[Revision]:
        """Give what is applied at some heads and not at others, the first one first."""
        from alembic_cluster.ledger import applied_scripts

        scripts = self._scripts()
        before = {script.revision for script in applied_scripts(scripts, lower)}
        after = {script.revision for script in applied_scripts(scripts, upper)}
        return [each for each in _all_of(scripts) if each.revision in after - before]


def _all_of(scripts: ScriptDirectory) -> list[Revision]:
    return [Revision.of(script) for script in reversed(list(scripts.walk_revisions()))]


def _awaited(
    method: Callable[Concatenate[Migrator, _P], _T],
) -> Callable[Concatenate[AsyncMigrator, _P], Coroutine[Any, Any, _T]]:
    @functools.wraps(method)
    async def run(self: AsyncMigrator, /, *args: _P.args, **kw: _P.kwargs) -> _T:
        return await asyncio.to_thread(method, self.migrator, *args, **kw)

    return run


def _escaped(path: Path) -> str:
    return str(path).replace("%", "%%")


class AsyncMigrator:
    """A :class:`Migrator` whose methods are awaited; each runs in a thread, and the event loop goes on meanwhile.

    :param bind: a URL, an ``Engine`` or an ``AsyncEngine``; of the latter, the URL is used.
    :param folder: see :class:`Migrator`, for the others as well.
    """

    def __init__(
        self, bind: Bind, folder: str | Path = "migrations", *, metadata: MetaData | None = None, **settings: Any
    ) -> None:
        self.migrator = Migrator(bind, folder, metadata=metadata, **settings)

    @classmethod
    def from_config(cls, config: str | Path | Config = "alembic.ini", **settings: Any) -> AsyncMigrator:
        """Make one of a project that has an ``alembic.ini`` and an ``env.py``."""
        migrator = cls.__new__(cls)
        migrator.migrator = Migrator.from_config(config, **settings)
        return migrator

    create = _awaited(Migrator.create)
    load = _awaited(Migrator.load)
    upgrade = _awaited(Migrator.upgrade)
    downgrade = _awaited(Migrator.downgrade)
    stamp = _awaited(Migrator.stamp)
    sync = _awaited(Migrator.sync)
    current = _awaited(Migrator.current)
    is_applied = _awaited(Migrator.is_applied)
    applied = _awaited(Migrator.applied)
    status = _awaited(Migrator.status)
    history = _awaited(Migrator.history)
    plan = _awaited(Migrator.plan)

"""Row versions where the rows are stored: upgraded rows written back, rows counted by version, the rest upgraded.

::

    stored = StoredRows(users, engine, "users")

    user = stored.upgrade_and_save(row)    # what was read comes back upgraded, and is written if nobody was quicker
    print(stored.counts())                 # {1: 1200, 3: 98800}
    stored.backfill()                      # the remaining rows, by alembic_cluster.backfill
    stored.retired()                       # True when no row is older than the current version

It needs an engine and a table, and nothing of Alembic's: a program uses it as it serves requests. Every write is on the
condition that the row still has the version that was read, so that the upgrade of an old row never undoes what a newer
program has written meanwhile: a lightweight transaction in CQL (``UPDATE ... IF schema_version = ?``), a condition of
the UPDATE elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from sqlalchemy import MetaData, Table, and_, func, select
from sqlalchemy.engine import Connection, Engine

from alembic_cluster.backfill import Backfill, Report
from alembic_cluster.backfill_job import Target
from alembic_cluster.backfill_source import implementation_of
from alembic_cluster.connections import in_loop_of
from alembic_cluster.errors import InvalidEvolution
from alembic_cluster.evolution import Evolution
from alembic_cluster.evolution_rows import fields_of

_Given = TypeVar("_Given")


class StoredRows:
    """The rows of one table that an evolution is about.

    :param evolution: the versions.
    :param target: what :class:`~alembic_cluster.backfill.Backfill` takes: an ``Engine`` or ``AsyncEngine``, a URL, or
        a function that makes an engine.
    :param table: the table's name; or a ``Table``, which is taken as it is and not read from the catalog.
    :param schema: schema or keyspace of the table.
    :raises InvalidEvolution: when it is used: the table isn't there, or has no column for the version.
    """

    def __init__(
        self, evolution: Evolution, target: Any, table: str | Table, *, schema: str | None = None
    ) -> None:
        self.evolution = evolution
        self._target = Target(target)
        self._is_async = hasattr(target, "sync_engine")
        self._async_engine = target if self._is_async else None
        self._given = table if isinstance(table, Table) else None
        self.name = table.name if isinstance(table, Table) else table
        self.schema = table.schema if isinstance(table, Table) else schema
        self._reflected: Table | None = None

    # ------------------------------------------------------------------------------------------- writing back

    def write_back(self, old: Any, new: Any) -> bool:
        """Write an upgraded row, if the stored one still has the version of the row that was read.

        Columns that the step took away are set to null; fields that the table hasn't are left out.

        :param old: the row as it was read, with its primary key.
        :param new: the same row upgraded.
        :return: whether it was written; False when another program was quicker.
        """
        return self._on_connection(lambda connection: self._write(connection, old, new))

    async def write_back_async(self, old: Any, new: Any) -> bool:
        """Do what :meth:`write_back` does, awaited."""
        return await self._awaited(lambda connection: self._write(connection, old, new))

    def upgrade_and_save(self, row: Any) -> Any:
        """Upgrade a row that was read, write it back if it was of an older version, and give it upgraded."""
        before = fields_of(row)  # an object is changed in place
        return self.evolution.upgrade_and_save(row, lambda _, new: self.write_back(before, new))

    async def upgrade_and_save_async(self, row: Any) -> Any:
        """Do what :meth:`upgrade_and_save` does, awaited; steps may be coroutine functions."""
        before = fields_of(row)
        return await self.evolution.upgrade_and_save_async(row, lambda _, new: self.write_back_async(before, new))

    def _write(self, connection: Connection, old: Any, new: Any) -> bool:
        table, version = self._table(connection), self.evolution.version
        before, after = fields_of(old), fields_of(new)
        key = {column.name: before.get(column.name) for column in table.primary_key}
        if None in key.values():
            lacking = next(name for name, value in key.items() if value is None)
            raise InvalidEvolution(
                f"a row of {self.evolution.name!r} has no {lacking!r}, which is in the primary key of {self.name!r}: "
                "read it with its whole key to have it written back; nothing was written"
            )
        values = {
            column.name: after.get(column.name)
            for column in table.columns
            if column.name not in key
            and (column.name in after or column.name in before)
            and (column.name == version or after.get(column.name) != before.get(column.name))
        }
        values[version] = self.evolution.current
        found = before.get(version)
        impl: Any = implementation_of(connection.dialect)
        if hasattr(impl, "update_if"):
            return bool(impl.update_if(connection, table, key, values, {version: found}))
        stored = table.c[version]
        where = and_(*(table.c[name] == value for name, value in key.items()))
        unchanged = stored.is_(None) if found is None else stored == found
        return connection.execute(table.update().where(where, unchanged).values(values)).rowcount == 1

    # ------------------------------------------------------------------------------------------- counting

    def counts(self) -> dict[int, int]:
        """Count the rows of each version, those without one as what ``Evolution(missing=)`` says; reads all rows.

        :return: numbers of rows by version, the oldest first; versions without rows are left out.
        """
        return self._on_connection(self._counts)

    async def counts_async(self) -> dict[int, int]:
        """Do what :meth:`counts` does, awaited."""
        return await self._awaited(self._counts)

    def _counts(self, connection: Connection) -> dict[int, int]:
        stored = self._table(connection).c[self.evolution.version]
        found: dict[int, int] = {}
        if not getattr(implementation_of(connection.dialect), "groups_by_any_column", True):
            # The column alone is read, a page at a time.
            rows = ((version, 1) for (version,) in connection.execute(select(stored)))
        else:
            rows = ((version, count) for version, count in connection.execute(
                select(stored, func.count()).group_by(stored)
            ))  # fmt: skip
        for version, count in rows:
            number = self.evolution.missing if version is None else int(version)
            number = 0 if number is None else number
            found[number] = found.get(number, 0) + count
        return dict(sorted(found.items()))

    def retired(self, version: int | None = None) -> bool:
        """Tell whether no row is older than a version, so that the steps up to it can be taken away.

        :param version: the current one when None.
        """
        return not any(found < (version or self.evolution.current) for found in self.counts())

    # ------------------------------------------------------------------------------------------- upgrading the rest

    def backfill(self, **options: Any) -> Report:
        """Upgrade all rows that are of an older version, in ranges; it goes on where an earlier run of it ended.

        :param options: of :class:`~alembic_cluster.backfill.Backfill`.
        :raises BackfillRowFailed: for a row that a step fails on, or of a version that this program doesn't know.
        """
        return self._backfill(options).run()

    async def backfill_async(self, **options: Any) -> Report:
        """Do what :meth:`backfill` does, awaited."""
        return await self._backfill(options).run_async()

    def _backfill(self, options: Mapping[str, Any]) -> Backfill:
        evolution = self.evolution
        name = f"{evolution.name} to version {evolution.current}"
        if any(step.is_async for step in evolution.steps):
            function: Callable[[dict[str, Any]], Any] = _UpgradeAsync(evolution).upgrade
        else:
            function = _Upgrade(evolution)
        if hasattr(implementation_of(self._target.engine.dialect), "update_if"):
            options = {"only_if": [evolution.version], **options}
        return Backfill(
            self._target,
            self.name,
            schema=self.schema,
            function=function,
            **{"name": name, "repeat": True, **options},
        )

    # ------------------------------------------------------------------------------------------- connections

    def _table(self, connection: Connection) -> Table:
        if self._given is not None:
            table = self._given
        elif self._reflected is not None:
            table = self._reflected
        else:
            from sqlalchemy.exc import NoSuchTableError

            try:
                table = Table(self.name, MetaData(), schema=self.schema, autoload_with=connection)
            except NoSuchTableError:
                raise InvalidEvolution(f"there is no table {self.name!r}; nothing was written") from None
            self._reflected = table
        if self.evolution.version not in table.c:
            raise InvalidEvolution(
                f"table {self.name!r} has no column {self.evolution.version!r} for the rows' version: add it "
                "(nullable; those without are the oldest), or name it by Evolution(version=). Nothing was written"
            )
        return table

    def _on_connection(self, work: Callable[[Connection], _Given]) -> _Given:
        engine: Engine = self._target.engine

        def on_connection() -> _Given:
            with engine.begin() as connection:
                return work(connection)

        return in_loop_of(engine.dialect, on_connection)

    def _awaited(self, work: Callable[[Connection], _Given]) -> Awaitable[_Given]:
        if self._async_engine is None:
            return asyncio.to_thread(self._on_connection, work)
        return self._run_sync(work)

    async def _run_sync(self, work: Callable[[Connection], _Given]) -> _Given:
        assert self._async_engine is not None
        async with self._async_engine.begin() as connection:
            given: _Given = await connection.run_sync(work)
            return given


class _Upgrade:
    """A function of rows that can be pickled where the evolution can."""

    def __init__(self, evolution: Evolution) -> None:
        self._evolution = evolution
        self.__qualname__ = f"{evolution.name} to version {evolution.current}"
        self.__module__ = __name__

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        upgraded: dict[str, Any] = self._evolution.upgrade(row)
        return _whole(row, upgraded)


class _UpgradeAsync:
    def __init__(self, evolution: Evolution) -> None:
        self._evolution = evolution

    async def upgrade(self, row: dict[str, Any]) -> dict[str, Any]:
        return _whole(row, await self._evolution.upgrade_async(row))


def _whole(row: Mapping[str, Any], upgraded: dict[str, Any]) -> dict[str, Any]:
    """Say of fields that a step took away that they are null."""
    return upgraded if upgraded is row else {**{name: None for name in row if name not in upgraded}, **upgraded}

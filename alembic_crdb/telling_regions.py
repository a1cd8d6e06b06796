"""Changes of a database's regions told as operations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from alembic.operations import MigrateOperation

from alembic_crdb import catalog, operations
from alembic_crdb import operations_regions as own
from alembic_crdb.catalog_objects import AlterDatabase, Database
from alembic_crdb.changes import AlterRegions, Change
from alembic_crdb.printer import to_sql


def regions_before(found: Iterable[Change]) -> Iterator[MigrateOperation]:
    """Give what comes before the changes of tables: regions that their localities may name, then a higher goal.

    The first region of a database is its primary one, and only a region that it has can become that; a database that
    survives the failure of a region has three (documentation, page "Multi-Region Capabilities Overview").
    """
    for old, new, name in _regions(found):
        primary = str(new.primary_region)
        if old.primary_region is None:
            yield own.AlterRegionOp(name, "PRIMARY REGION", primary, "")
        for region in new.regions:
            if region not in old.regions and (region != primary or old.primary_region is not None):
                yield own.AddRegionOp(name, region)
        if old.primary_region not in (None, primary):
            yield own.AlterRegionOp(name, "PRIMARY REGION", primary, old.primary_region)
        if new.secondary_region not in (None, old.secondary_region):
            yield _secondary(name, old, new)
        if new.survive == "REGION" and old.survive != "REGION":
            yield own.SetSurvivalGoalOp(name, "REGION", "ZONE")


def regions_after(found: Iterable[Change]) -> Iterator[MigrateOperation]:
    """Give what comes after the changes of tables: a lower goal, then the regions that nothing needs any more."""
    for old, new, name in _regions(found):
        if old.survive == "REGION" and new.survive != "REGION":
            yield own.SetSurvivalGoalOp(name, "ZONE", "REGION")
        if new.secondary_region is None and old.secondary_region is not None:
            yield _secondary(name, old, new)
        for region in old.regions:
            if region not in (*new.regions, new.primary_region):
                yield own.DropRegionOp(name, region)


def _regions(found: Iterable[Change]) -> Iterator[tuple[Database, Database, str]]:
    for change in found:
        if isinstance(change, AlterRegions):
            yield change.old, change.new, change.old.name


def _secondary(name: str, old: Database, new: Database) -> MigrateOperation:
    def statement(region: str | None) -> str:
        if region is None:
            return to_sql(AlterDatabase(name, "DROP SECONDARY REGION"), catalog.CANONICAL)
        return to_sql(AlterDatabase(name, "SET SECONDARY REGION", (region,)), catalog.CANONICAL)

    return operations.ExecuteSqlOp(statement(new.secondary_region), statement(old.secondary_region))

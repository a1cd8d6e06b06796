"""Operations on where data is: zone configurations, regions of the database, survival goal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import text
from sqlalchemy.sql import Executable

from alembic_crdb import catalog_objects, ddl_objects, schema
from alembic_crdb.model_objects import zone_target, zone_to_catalog
from alembic_crdb.model_reader import Reader
from alembic_crdb.operation_base import CockroachOperation, known, operation

_PARENTS = text("COPY FROM PARENT")


@operation("configure_zone")
@dataclass(eq=False)
class ConfigureZoneOp(CockroachOperation):
    """``CONFIGURE ZONE USING``, or ``CONFIGURE ZONE DISCARD`` for no options.

    :param target: as of a ZoneConfiguration: ``"TABLE t"``, ``"INDEX t@ix"``, ``"DATABASE d"``, ``"RANGE default"``.
    :param options: such as ``{"num_replicas": 5}``; None or empty discards the configuration, and the value None
        copies that of the parent.
    :param existing: before, for the downgrade; empty for none. What is there no more is discarded first.
    """

    target: str
    options: Mapping[str, Any] | None
    existing: Mapping[str, Any] | None = None

    def statements(self, dialect: Any) -> Iterable[Executable]:
        """Give the CONFIGURE ZONE, and one before it where options go."""
        reader = Reader(dialect)
        options = {name: _PARENTS if value is None else value for name, value in (self.options or {}).items()}
        if not options or set(self.existing or ()) - options.keys():
            yield ddl_objects.ConfigureZone(zone_target(self.target, reader))
        if options:
            zone = schema.ZoneConfiguration(self.target, options)
            yield ddl_objects.ConfigureZone(zone_to_catalog(zone, reader))

    def reverse(self) -> ConfigureZoneOp:
        """Give the operation that sets the configuration before."""
        before = known(self.existing, f"The zone configuration of {self.target}")
        return ConfigureZoneOp(self.target, before, self.options or {})


@operation("alter_region")
@dataclass(eq=False)
class AlterRegionOp(CockroachOperation):
    """``ALTER DATABASE .. ADD | DROP | PRIMARY REGION``; ``op.add_region`` and its kind are written with it.

    :param database: the database.
    :param action: ``ADD REGION``, ``DROP REGION`` or ``PRIMARY REGION``.
    :param region: the region.
    :param existing: the primary region before, for the downgrade of ``PRIMARY REGION``; empty where there was none.
    """

    database: str
    action: Literal["ADD REGION", "DROP REGION", "PRIMARY REGION"]
    region: str
    existing: str | None = None

    def statements(self, dialect: Any) -> Iterable[Executable]:
        """Give the ALTER DATABASE."""
        yield ddl_objects.AlterDatabase(catalog_objects.AlterDatabase(self.database, self.action, (self.region,)))

    def reverse(self) -> AlterRegionOp:
        """Give the operation that takes it back."""
        if self.action == "PRIMARY REGION":
            before = known(self.existing, f"The primary region of {self.database}")
            if not before:
                return AlterRegionOp(self.database, "DROP REGION", self.region)
            return AlterRegionOp(self.database, self.action, before, self.region)
        return AlterRegionOp(self.database, "DROP REGION" if self.action == "ADD REGION" else "ADD REGION", self.region)


@operation("add_region")
@dataclass(eq=False)
class AddRegionOp(CockroachOperation):
    """``ALTER DATABASE .. ADD REGION``.

    :param database: the database.
    :param region: the region.
    """

    database: str
    region: str

    def statements(self, dialect: Any) -> Iterable[Executable]:
        """Give the ALTER DATABASE."""
        return AlterRegionOp(self.database, "ADD REGION", self.region).statements(dialect)

    def reverse(self) -> DropRegionOp:
        """Give the operation that drops it."""
        return DropRegionOp(self.database, self.region)


@operation("drop_region")
@dataclass(eq=False)
class DropRegionOp(CockroachOperation):
    """``ALTER DATABASE .. DROP REGION``.

    :param database: the database.
    :param region: the region.
    """

    database: str
    region: str

    def statements(self, dialect: Any) -> Iterable[Executable]:
        """Give the ALTER DATABASE."""
        return AlterRegionOp(self.database, "DROP REGION", self.region).statements(dialect)

    def reverse(self) -> AddRegionOp:
        """Give the operation that adds it again."""
        return AddRegionOp(self.database, self.region)


@operation("set_survival_goal")
@dataclass(eq=False)
class SetSurvivalGoalOp(CockroachOperation):
    """``ALTER DATABASE .. SURVIVE ZONE | REGION FAILURE``.

    :param database: the database.
    :param goal: the failure to survive.
    :param existing: the goal before, for the downgrade.
    """

    database: str
    goal: Literal["ZONE", "REGION"]
    existing: Literal["ZONE", "REGION"] | None = None

    def statements(self, dialect: Any) -> Iterable[Executable]:
        """Give the ALTER DATABASE."""
        action: Literal["SURVIVE ZONE FAILURE", "SURVIVE REGION FAILURE"] = (
            "SURVIVE ZONE FAILURE" if self.goal == "ZONE" else "SURVIVE REGION FAILURE"
        )
        yield ddl_objects.AlterDatabase(catalog_objects.AlterDatabase(self.database, action))

    def reverse(self) -> SetSurvivalGoalOp:
        """Give the operation that sets the goal before."""
        return SetSurvivalGoalOp(self.database, known(self.existing, "The survival goal"), self.goal)


__all__ = [
    "AddRegionOp",
    "AlterRegionOp",
    "ConfigureZoneOp",
    "DropRegionOp",
    "SetSurvivalGoalOp",
]

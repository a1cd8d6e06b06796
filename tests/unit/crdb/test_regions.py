"""Regions of the database and zone configurations: compared where the model says them, told in an order that works."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alembic_crdb import operations_regions as ops
from alembic_crdb.catalog_objects import Database
from alembic_crdb.differences import compare_snapshots
from alembic_crdb.operations import ExecuteSqlOp
from alembic_crdb.parser import parse
from alembic_crdb.snapshot import Snapshot, snapshot_of
from alembic_crdb.telling_regions import regions_after, regions_before

NONE = Database("d")
EAST = Database("d", "us-east1", ("us-east1",), "ZONE")
TWO = Database("", "us-east1", ("us-east1", "us-west1"))
OTHER_PRIMARY = Database("", "us-west1", ("us-east1", "us-west1"))
THREE = Database("d", "us-east1", ("eu", "us-east1", "us-west1"), "REGION")
SECOND = Database("", "us-east1", ("us-east1", "us-west1"), secondary_region="us-west1")


def told(database: Database, model: Database | None) -> list[str]:
    """Give the statements, those behind the changes of tables after a line."""
    found = list(compare_snapshots(Snapshot(database=database), Snapshot(database=model)))
    before, after = list(regions_before(found)), list(regions_after(found))
    reversed_ = [op.reverse() for op in (*before, *after)]
    assert all(isinstance(op.reverse(), type(op)) or op.existing == "" for op in reversed_ if hasattr(op, "existing"))
    return [_text(op) for op in before] + (["--"] if after else []) + [_text(op) for op in after]


def _text(op: object) -> str:
    match op:
        case ops.AlterRegionOp():
            return f"{op.action} {op.region}"
        case ops.AddRegionOp():
            return f"ADD {op.region}"
        case ops.DropRegionOp():
            return f"DROP {op.region}"
        case ops.SetSurvivalGoalOp():
            return f"SURVIVE {op.goal}"
        case ExecuteSqlOp():
            return str(op.up)
    raise AssertionError(op)


@pytest.mark.parametrize(
    ("database", "model", "expected"),
    [
        (THREE, None, []),
        (EAST, Database("", "us-east1", ("us-east1",)), []),
        (THREE, Database("another", "x", ("x",)), []),
        (NONE, TWO, ["PRIMARY REGION us-east1", "ADD us-west1"]),
        (EAST, TWO, ["ADD us-west1"]),
        (EAST, OTHER_PRIMARY, ["ADD us-west1", "PRIMARY REGION us-west1"]),
        (EAST, THREE, ["ADD eu", "ADD us-west1", "SURVIVE REGION"]),
        (THREE, TWO, ["--", "SURVIVE ZONE", "DROP eu"]),
        (EAST, SECOND, ["ADD us-west1", 'ALTER DATABASE d SET SECONDARY REGION "us-west1"']),
        (replace(SECOND, name="d"), EAST, ["--", "ALTER DATABASE d DROP SECONDARY REGION", "DROP us-west1"]),
    ],
)
def test_regions(database, model, expected):
    assert told(database, model) == expected


def test_the_first_primary_region_is_dropped_by_the_downgrade():
    (change,) = compare_snapshots(Snapshot(database=NONE), Snapshot(database=TWO))
    first, *_ = regions_before([change])
    assert isinstance(first, ops.AlterRegionOp)
    assert (first.reverse().action, first.reverse().region) == ("DROP REGION", "us-east1")


ZONES = "ALTER TABLE public.t CONFIGURE ZONE USING\n\tgc.ttlseconds = 3600,\n\tconstraints = '[]'"


@pytest.mark.parametrize(
    ("server", "model", "changes"),
    [
        (ZONES, "ALTER TABLE t CONFIGURE ZONE USING gc.ttlseconds = 3600", 0),
        (ZONES, "ALTER TABLE t CONFIGURE ZONE USING gc.ttlseconds = 7200", 1),
        (ZONES, "ALTER TABLE t CONFIGURE ZONE USING gc.ttlseconds = 3600, num_replicas = 5", 1),
        (f"{ZONES}; ALTER TABLE u CONFIGURE ZONE USING num_replicas = 3", ZONES, 1),
        (f"{ZONES}; ALTER DATABASE d CONFIGURE ZONE USING num_replicas = 3", ZONES, 0),
        (f"{ZONES}; ALTER RANGE default CONFIGURE ZONE USING num_replicas = 3", ZONES, 0),
        (
            "ALTER RANGE default CONFIGURE ZONE USING num_replicas = 3",
            "ALTER RANGE default CONFIGURE ZONE USING num_replicas = 5",
            1,
        ),
        (ZONES, "", 0),
    ],
)
def test_zones(server, model, changes):
    assert len(list(compare_snapshots(snapshot_of(parse(server)), snapshot_of(parse(model))))) == changes


def test_zones_that_a_database_with_regions_has_by_itself_are_left_alone():
    server = Snapshot(zones=snapshot_of(parse(ZONES)).zones, database=THREE)
    model = snapshot_of(parse("ALTER RANGE default CONFIGURE ZONE USING num_replicas = 5"))
    assert [change.new.target for change in compare_snapshots(server, model)] == ["RANGE"]


@pytest.mark.parametrize(
    "text",
    [
        "CREATE POLICY p ON public.t AS PERMISSIVE FOR ALL TO public USING (true)",
        "CREATE POLICY p ON [104 AS t] AS SOMETHING NEW",
        "ALTER POLICY p ON public.t USING (false)",
        "COMMENT ON POLICY p ON public.t IS 'it''s'",
        "ALTER TABLE public.t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
        "CREATE TRIGGER tr BEFORE INSERT ON public.t FOR EACH ROW WHEN ((new).a > 1) EXECUTE FUNCTION public.f()",
        "COMMENT ON TRIGGER tr ON public.t IS 'x'",
        "ALTER TABLE public.t ENABLE ALWAYS TRIGGER tr",
        "ALTER TABLE public.t DISABLE TRIGGER tr",
        "CREATE FUNCTION public.f() RETURNS TRIGGER LANGUAGE plpgsql AS $$\n\tBEGIN\n\tRETURN new;\n\tEND;\n$$",
        "CREATE PROCEDURE public.p(IN a INT8)\n\tLANGUAGE SQL\n\tAS $f$\n\tSELECT ')';\n$f$",
        "COMMENT ON PROCEDURE public.p(INT8) IS 'x'",
    ],
)
def test_policies_triggers_and_functions_are_never_reported(text):
    table = "CREATE TABLE public.t (\n\ta INT8 NOT NULL,\n\tCONSTRAINT t_pkey PRIMARY KEY (a ASC)\n)"
    server = snapshot_of(parse(f"{table};\n{text};"))
    assert len(server.others) == 1
    assert list(compare_snapshots(server, snapshot_of(parse(table)))) == []

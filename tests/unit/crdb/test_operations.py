"""Each operation: the statements that it sends, its own text in a revision, and its way back."""

from __future__ import annotations

import io

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, Integer
from sqlalchemy_cockroachdb.psycopg2 import CockroachDBDialect_psycopg2

from alembic_cluster.errors import InvalidModel, UnsupportedOperation
from alembic_crdb import ddl_create, operations, operations_objects, operations_regions  # noqa: F401
from alembic_crdb.operation_base import CockroachOperation

OPERATIONS: list[tuple[CockroachOperation, list[str]]] = [
    (
        operations.AlterPrimaryKeyOp("t", ["a", "b DESC"], ["a"], schema="s"),
        ["ALTER TABLE s.t ALTER PRIMARY KEY USING COLUMNS (a ASC, b DESC)"],
    ),
    (
        operations.AlterPrimaryKeyOp("t", ["a"], ["b"], 8, 4),
        ["ALTER TABLE t ALTER PRIMARY KEY USING COLUMNS (a ASC) USING HASH WITH (bucket_count=8)"],
    ),
    (operations.SetLocalityOp("t", "GLOBAL", "REGIONAL BY TABLE"), ["ALTER TABLE t SET LOCALITY GLOBAL"]),
    (
        operations.SetStorageParametersOp(
            "t", {"ttl_expire_after": "3 days", "exclude_data_from_backup": None}, {"exclude_data_from_backup": True}
        ),
        ["ALTER TABLE t RESET (exclude_data_from_backup)", "ALTER TABLE t SET (ttl_expire_after = '3 days')"],
    ),
    (
        operations.ResetStorageParametersOp("t", ["ttl_expire_after", "ttl_job_cron"], {"ttl_expire_after": "1 day"}),
        ["ALTER TABLE t RESET (ttl)"],
    ),
    (operations.AlterIndexVisibilityOp("ix", "t", 0.0, 1.0), ["ALTER INDEX t@ix NOT VISIBLE"]),
    (operations.AlterIndexVisibilityOp("ix", "t", 0.5, 1.0), ["ALTER INDEX t@ix VISIBILITY 0.5"]),
    (
        operations.AlterColumnOptionsOp("t", "full", True, "now()", False, ""),
        ['ALTER TABLE t ALTER COLUMN "full" SET NOT VISIBLE, ALTER COLUMN "full" SET ON UPDATE now()'],
    ),
    (operations.ValidateConstraintOp("c", "t"), ["ALTER TABLE t VALIDATE CONSTRAINT c"]),
    (operations.PartitionByOp("t", "NOTHING", existing="NOTHING"), ["ALTER TABLE t PARTITION BY NOTHING"]),
    (operations.ExecuteSqlOp("SELECT ':x'", "SELECT 2"), ["SELECT ':x'"]),
    (operations_objects.CreateEnumOp("mood", ["sad", "it's"]), ["CREATE TYPE mood AS ENUM ('sad', e'it\\'s')"]),
    (operations_objects.DropEnumOp("mood", ["sad"]), ["DROP TYPE mood"]),
    (operations_objects.AddEnumValueOp("mood", "x", after="sad"), ["ALTER TYPE mood ADD VALUE 'x' AFTER 'sad'"]),
    (operations_objects.DropEnumValueOp("mood", "x", after="sad"), ["ALTER TYPE mood DROP VALUE 'x'"]),
    (operations_objects.RenameEnumValueOp("mood", "x", "y"), ["ALTER TYPE mood RENAME VALUE 'x' TO 'y'"]),
    (operations_objects.CreateViewOp("v", "SELECT 1;"), ["CREATE VIEW v AS SELECT 1"]),
    (operations_objects.DropViewOp("v", "SELECT 1", True), ["DROP MATERIALIZED VIEW v"]),
    (
        operations_objects.ReplaceViewOp("v", "SELECT 2", "SELECT 1", False, False),
        ["DROP VIEW v", "CREATE VIEW v AS SELECT 2"],
    ),
    (
        operations_regions.ConfigureZoneOp("TABLE t", {"num_replicas": 5}, {}),
        ["ALTER TABLE t CONFIGURE ZONE USING\n\tnum_replicas = 5"],
    ),
    (operations_regions.AddRegionOp("d", "us-east1"), ['ALTER DATABASE d ADD REGION "us-east1"']),
    (operations_regions.DropRegionOp("d", "us-east1"), ['ALTER DATABASE d DROP REGION "us-east1"']),
    (
        operations_regions.AlterRegionOp("d", "PRIMARY REGION", "a", "b"),
        ["ALTER DATABASE d PRIMARY REGION a"],
    ),
    (operations_regions.SetSurvivalGoalOp("d", "REGION", "ZONE"), ["ALTER DATABASE d SURVIVE REGION FAILURE"]),
    (operations_objects.CreateSequenceOp("s", {"increment": 5}), ["CREATE SEQUENCE s INCREMENT 5"]),
    (operations_objects.DropSequenceOp("s", {"increment": 5}), ["DROP SEQUENCE s"]),
    (
        operations_objects.CommentOnOp("INDEX", "t", "it's", "ix"),
        ["COMMENT ON INDEX t@ix IS e'it\\'s'"],
    ),
]
IDS = [f"{number}-{op.name}" for number, (op, _) in enumerate(OPERATIONS)]


@pytest.fixture
def dialect():
    return CockroachDBDialect_psycopg2()


@pytest.mark.parametrize(("op", "statements"), OPERATIONS, ids=IDS)
def test_an_operation_sends(op, statements, dialect):
    sent = [str(statement.compile(dialect=dialect)) for statement in op.statements(dialect)]
    assert [text.strip().replace("    ", "\t") for text in sent] == statements


@pytest.mark.parametrize("op", [op for op, _ in OPERATIONS], ids=IDS)
def test_an_operation_is_rendered_as_it_was_called(op):
    made = eval(op.render(""), {op.name: type(op)})
    assert made.to_diff_tuple() == op.to_diff_tuple()


@pytest.mark.parametrize("op", [op for op, _ in OPERATIONS], ids=IDS)
def test_the_way_back_and_forth_again_ends_where_it_began(op):
    there_and_back = op.reverse().reverse()
    if isinstance(op, operations.ResetStorageParametersOp):  # what is set to None is reset
        there_and_back = operations.ResetStorageParametersOp("t", list(there_and_back.parameters), op.existing)
    if isinstance(op, operations.ValidateConstraintOp):
        assert isinstance(there_and_back, operations.NoteOp)
        return
    assert there_and_back.to_diff_tuple() == op.to_diff_tuple()


@pytest.mark.parametrize(
    "op",
    [
        operations.AlterPrimaryKeyOp("t", ["a"]),
        operations.SetLocalityOp("t", "GLOBAL"),
        operations.ExecuteSqlOp("SELECT 1"),
        operations_objects.DropViewOp("v"),
        operations_objects.DropEnumOp("e"),
    ],
)
def test_a_way_back_that_is_not_known_is_refused(op):
    with pytest.raises(ValueError, match="isn't known"):
        op.reverse()


def test_a_visibility_out_of_range_is_refused(dialect):
    with pytest.raises(InvalidModel):
        list(operations.AlterIndexVisibilityOp("ix", "t", 1.5).statements(dialect))


def test_a_batch_holds_operations_back(dialect):
    sent = io.StringIO()
    context = MigrationContext.configure(dialect_name="cockroachdb", opts={"as_sql": True, "output_buffer": sent})
    op = Operations(context)
    with op.batch_alter_table("t", schema="s") as batch:
        batch.set_locality("GLOBAL", existing="REGIONAL BY TABLE")
        batch.add_column(Column("b", Integer()))
        batch.alter_index_visibility("ix", visibility=0.0)
        batch.comment_on("COLUMN", "t", "new", "b", schema="s")
        assert sent.getvalue() == ""
    statements = [line for line in sent.getvalue().split(";") if "s.t" in line]
    assert [statement.split()[:5] for statement in statements] == [
        ["ALTER", "TABLE", "s.t", "SET", "LOCALITY"],
        ["ALTER", "TABLE", "s.t", "ADD", "COLUMN"],
        ["ALTER", "INDEX", "s.t@ix", "NOT", "VISIBLE"],
        ["COMMENT", "ON", "COLUMN", "s.t.b", "IS"],
    ]
    with pytest.raises(TypeError, match="takes 2 arguments: locality, existing"), op.batch_alter_table("t") as batch:
        batch.set_locality("GLOBAL", None, None)
    with pytest.raises(UnsupportedOperation, match="recreate"), op.batch_alter_table("t", recreate="always") as batch:
        batch.set_locality("GLOBAL")

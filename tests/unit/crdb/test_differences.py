"""Two texts of one table compared: nothing where they mean the same, the one change where they don't."""

from __future__ import annotations

import hashlib

import pytest
import sqlalchemy as sa
from sqlalchemy_cockroachdb.psycopg2 import CockroachDBDialect_psycopg2

from alembic_crdb import changes
from alembic_crdb.differences import compare_snapshots
from alembic_crdb.model_reader import Reader, ServersName
from alembic_crdb.parser import parse
from alembic_crdb.snapshot import snapshot_of

SERVER = """
CREATE TABLE public.t (
	id UUID NOT NULL DEFAULT gen_random_uuid(),
	a INT8 NULL,
	b STRING NULL DEFAULT 'x':::STRING,
	c DECIMAL(12,2) NULL DEFAULT 0.00:::DECIMAL,
	d TIMESTAMPTZ NULL DEFAULT now():::TIMESTAMPTZ ON UPDATE now():::TIMESTAMPTZ,
	e STRING NULL AS (b || 'x':::STRING) STORED,
	CONSTRAINT t_pkey PRIMARY KEY (id ASC),
	CONSTRAINT t_b_fkey FOREIGN KEY (b) REFERENCES public.u(name) ON DELETE CASCADE,
	INDEX t_a_idx (a ASC) STORING (b),
	UNIQUE INDEX t_b_key (b ASC) WHERE a > 3:::INT8,
	FAMILY "primary" (id, a, b, c, d, e),
	CONSTRAINT check_a CHECK (a > 0:::INT8)
)
"""
MODEL = """
CREATE TABLE t (
	id UUID NOT NULL DEFAULT gen_random_uuid(),
	a INTEGER NULL,
	b VARCHAR NULL DEFAULT 'x',
	c NUMERIC(12,2) NULL DEFAULT '0',
	d TIMESTAMPTZ NULL DEFAULT now() ON UPDATE now(),
	e TEXT NULL AS (b || 'x') STORED,
	PRIMARY KEY (id ASC),
	CONSTRAINT t_b_fkey FOREIGN KEY (b) REFERENCES u(name) ON DELETE CASCADE,
	INDEX t_a_idx (a ASC) STORING (b),
	UNIQUE INDEX t_b_key (b ASC) WHERE a > 3,
	CONSTRAINT check_a CHECK (a > 0)
)
"""


def differences(database: str, model: str) -> list[changes.Change]:
    return list(compare_snapshots(snapshot_of(parse(database)), snapshot_of(parse(model))))


def test_spellings_of_the_same_table_are_equal():
    assert differences(SERVER, MODEL) == []


@pytest.mark.parametrize(
    ("old", "new", "kinds"),
    [
        ("a INTEGER NULL", "a INT2 NULL", [changes.AlterColumn]),
        ("a INTEGER NULL", "a INTEGER NOT NULL", [changes.AlterColumn]),
        ("DEFAULT '0'", "DEFAULT '1'", [changes.AlterColumn]),
        ("DEFAULT now() ON UPDATE now()", "DEFAULT now()", [changes.AlterColumn]),
        ("(b || 'x') STORED", "(b || 'y') STORED", [changes.ReplaceColumn]),
        ("(b || 'x') STORED", "(b || 'x') VIRTUAL", [changes.ReplaceColumn]),
        ("b VARCHAR NULL", "b VARCHAR(20) NULL", [changes.AlterColumn]),
        ("a INTEGER NULL", "a INTEGER NOT VISIBLE NULL", [changes.AlterColumn]),
        ("PRIMARY KEY (id ASC)", "PRIMARY KEY (id ASC, a ASC)", [changes.AlterPrimaryKey]),
        ("PRIMARY KEY (id ASC)", "PRIMARY KEY (id DESC)", [changes.AlterPrimaryKey]),
        (
            "PRIMARY KEY (id ASC)",
            "PRIMARY KEY (id ASC) USING HASH WITH (bucket_count=8)",
            [changes.AlterPrimaryKey],
        ),
        ("ON DELETE CASCADE", "ON DELETE SET NULL", [changes.DropConstraint, changes.AddConstraint]),
        ("STORING (b)", "STORING (b, c)", [changes.DropIndex, changes.AddIndex]),
        ("t_a_idx (a ASC)", "t_a_idx (a DESC)", [changes.DropIndex, changes.AddIndex]),
        ("INDEX t_a_idx (a ASC) STORING (b),", "", [changes.DropIndex]),
        (
            "INDEX t_a_idx (a ASC) STORING (b)",
            "INDEX t_a_idx (a ASC) STORING (b) NOT VISIBLE",
            [changes.AlterIndexVisibility],
        ),
        ("UNIQUE INDEX t_b_key", "UNIQUE INDEX t_b2_key", [changes.AddIndex, changes.DropIndex]),
        ("WHERE a > 3", "WHERE a > 4", [changes.DropIndex, changes.AddIndex]),
        ("CHECK (a > 0)", "CHECK (a > 1)", [changes.DropConstraint, changes.AddConstraint]),
        ("e TEXT NULL AS (b || 'x') STORED,", "", [changes.DropColumn]),
        ("e TEXT NULL", "f INT8 NULL, e TEXT NULL", [changes.AddColumn]),
        ("CHECK (a > 0)\n)", "CHECK (a > 0)\n) WITH (exclude_data_from_backup = true)", [changes.AlterParameters]),
        ("CHECK (a > 0)\n)", "CHECK (a > 0)\n) LOCALITY GLOBAL", [changes.AlterLocality]),
    ],
)
def test_one_change_is_found_as_that_change(old, new, kinds):
    assert old in MODEL
    assert [type(change) for change in differences(SERVER, MODEL.replace(old, new))] == kinds


@pytest.mark.parametrize(
    ("database", "model"),
    [
        ("WITH (schema_locked = true)", ""),
        ("WITH (ttl = 'on', ttl_expire_after = '3 mons':::INTERVAL)", "WITH (ttl_expire_after = '3 months')"),
        ("WITH (exclude_data_from_backup = false)", ""),
        ("LOCALITY REGIONAL BY TABLE IN PRIMARY REGION", ""),
    ],
)
def test_what_the_server_adds_is_no_change(database, model):
    table = "CREATE TABLE t (\n\ta INT8 NOT NULL,\n\tCONSTRAINT t_pkey PRIMARY KEY (a ASC)\n) "
    assert differences(table + database, table + model) == []


def test_hidden_rowid_and_shard_columns_are_no_change():
    server = """
CREATE TABLE public.t (
	a INT8 NULL,
	rowid INT8 NOT VISIBLE NOT NULL DEFAULT unique_rowid(),
	crdb_internal_a_shard_8 INT4 NOT VISIBLE NOT NULL AS (mod(fnv32(a), 8:::INT8)) STORED,
	CONSTRAINT "primary" PRIMARY KEY (rowid ASC),
	INDEX t_a_idx (a ASC) USING HASH WITH BUCKET_COUNT = 8,
	FAMILY "primary" (a, rowid, crdb_internal_a_shard_8),
	CONSTRAINT check_crdb_internal_a_shard_8 CHECK (crdb_internal_a_shard_8 IN (0:::INT8, 1:::INT8))
)"""
    model = "CREATE TABLE t (\n\ta INT8 NULL,\n\tINDEX t_a_idx (a ASC) USING HASH WITH (bucket_count=8)\n)"
    assert differences(server, model) == []


@pytest.mark.parametrize(("kind", "dropped"), [("SERIAL8", []), ("INT8", ["It's"])])
def test_sequences_that_the_server_made_for_serial_columns_are_no_change(kind, dropped):
    sequences = 'CREATE SEQUENCE public."It\'s" INCREMENT 1;\nCREATE SEQUENCE public.other INCREMENT 1;\n'
    server = f"""{sequences}CREATE TABLE public.t (
	a INT8 NOT NULL DEFAULT nextval('public."It''s"':::STRING::REGCLASS),
	CONSTRAINT t_pkey PRIMARY KEY (a ASC)
)"""
    model = f"CREATE SEQUENCE other INCREMENT 1;\nCREATE TABLE t (\n\ta {kind} NOT NULL,\n\tPRIMARY KEY (a ASC)\n)"
    found = differences(server, model)
    assert [each.sequence.name.name for each in found if isinstance(each, changes.DropSequence)] == dropped


def test_a_name_that_sqlalchemy_has_cut_is_the_long_one():
    text = "CREATE TABLE t (a INT8 NULL, INDEX {} (a ASC), CONSTRAINT {} CHECK (a > 0))"
    long, other = "long_" * 14, "longer" * 14
    cut, cut_other = (f"{name[:55]}_{hashlib.md5(name.encode()).hexdigest()[-4:]}" for name in (long, other))
    assert differences(text.format(long, other), text.format(cut, cut_other)) == []
    assert differences(text.format(cut, other), text.format(long, cut_other)) == []
    assert len(differences(text.format(long, other), text.format(cut_other, other))) == 2


def test_a_name_of_the_server_keeps_its_length():
    name = "long_" * 14
    table = sa.Table("t", sa.MetaData(), sa.Column("a", sa.Integer))
    index = sa.Index(ServersName(name), table.c.a)
    assert Reader(CockroachDBDialect_psycopg2()).name_of(index) == name

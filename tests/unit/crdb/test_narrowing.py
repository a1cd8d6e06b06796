"""alembic_crdb.narrowing."""

from __future__ import annotations

import pytest

from alembic_crdb.narrowing import narrows

WIDENINGS = [
    ("INT2", "INT4"),
    ("INT4", "BIGINT"),
    ("VARCHAR(5)", "VARCHAR(6)"),
    ("VARCHAR(5)", "TEXT"),
    ("CHAR(3)", "VARCHAR(3)"),
    ("DECIMAL(10,2)", "DECIMAL(12,4)"),
    ("DECIMAL(10,2)", "DECIMAL"),
    ("INT4", "DECIMAL(12,2)"),
    ("INT8", "DECIMAL"),
    ("FLOAT4", "FLOAT8"),
    ("INT4", "FLOAT8"),
    ("DATE", "TIMESTAMPTZ"),
    ("TIMESTAMP(3)", "TIMESTAMP"),
    ("TIMESTAMP", "TIMESTAMPTZ"),
    ("BIT(3)", "VARBIT"),
    ("UUID", "STRING"),
    ("JSONB", "TEXT"),
    ("VARCHAR(5)[]", "TEXT[]"),
    ("INT8", "INT8"),
]
NARROWINGS = [
    ("INT8", "INT4"),
    ("INT8", "FLOAT8"),
    ("FLOAT8", "FLOAT4"),
    ("FLOAT8", "INT8"),
    ("TEXT", "VARCHAR(5)"),
    ("VARCHAR(5)", "VARCHAR(4)"),
    ("VARCHAR(5)", "CHAR"),
    ("TEXT", "INT8"),
    ("TEXT", "JSONB"),
    ("TEXT", "UUID"),
    ("DECIMAL", "DECIMAL(10,2)"),
    ("DECIMAL(10,2)", "DECIMAL(10,3)"),
    ("DECIMAL(10,2)", "DECIMAL(9,2)"),
    ("INT8", "DECIMAL(10,2)"),
    ("DECIMAL(10,2)", "INT8"),
    ("TIMESTAMPTZ", "DATE"),
    ("TIMESTAMPTZ", "TIMESTAMPTZ(3)"),
    ("VARBIT", "BIT(3)"),
    ("TEXT[]", "VARCHAR(5)[]"),
    ("TEXT[]", "VARCHAR(5)"),
]


@pytest.mark.parametrize(("old", "new"), WIDENINGS)
def test_wider(old: str, new: str) -> None:
    assert not narrows(old, new)


@pytest.mark.parametrize(("old", "new"), NARROWINGS)
def test_narrower(old: str, new: str) -> None:
    assert narrows(old, new)

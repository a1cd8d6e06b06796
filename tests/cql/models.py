"""A model that tests of autogenerate begin with, and add to."""

from __future__ import annotations

BASE = """
sa.Table("other", metadata, sa.Column("id", sa.Integer, primary_key=True))
sa.Table(
    "t", metadata,
    sa.Column("k", cql.UUID, primary_key=True),
    sa.Column("c", cql.TIMESTAMP, primary_key=True),
    sa.Column("v", cql.TEXT),
    {more}
)
"""


def table(*more: str) -> str:
    return BASE.format(more=",\n    ".join(more))

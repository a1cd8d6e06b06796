"""A model, and an operation, that tests begin with and add to."""

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


CREATE = """
op.create_table(
    "t",
    sa.Column("k", sa.Integer, primary_key=True),
    sa.Column("c", sa.Integer, primary_key=True),
    sa.Column("d", sa.Integer, primary_key=True),
    sa.Column("s", sa.Text, cql_static=True),
    sa.Column("v", sa.Text),
    sa.Column("m", cql.MAP(cql.TEXT, cql.INT)),
    comment="it's a table",
    cql_clustering_order={"c": "DESC"},
    cql_gc_grace_seconds=3600,
)
"""

"""Models for the tests of sync_tables."""

from __future__ import annotations

from sqlalchemy import Column, Index, MetaData, Table, Text

from alembic_cql import MaterializedView, UserType
from alembic_cql import types as cql


def shop(schema: str | None = None) -> MetaData:
    metadata = MetaData(schema=schema)
    money = UserType("Money", {"amount": cql.DECIMAL(), "currency": cql.ASCII()}, metadata)
    UserType("line", {"price": cql.FROZEN(money), "tags": cql.FROZEN(cql.SET(Text))}, metadata)
    Table(
        "orders",
        metadata,
        Column("customer", cql.UUID, primary_key=True),
        Column("at", cql.TIMEUUID, primary_key=True),
        Column("Total", cql.FROZEN(money)),
        Column("state", Text, index=True),
        Column("limit", cql.INT, cql_static=True),
        cql_clustering_order={"at": "DESC"},
        cql_gc_grace_seconds=3600,
        comment="What's ordered",
    )
    MaterializedView(
        "orders_by_state",
        metadata,
        base="orders",
        where="state IS NOT NULL AND customer IS NOT NULL AND at IS NOT NULL",
        partition_key=["state"],
        clustering={"at": "DESC", "customer": "ASC"},
        columns=["state", "at", "customer", "Total"],
    )
    return metadata


def grown_shop() -> MetaData:
    """The same with something more of each kind."""
    metadata = MetaData()
    money = UserType("Money", {"amount": cql.DECIMAL(), "currency": cql.ASCII(), "Rate": cql.DOUBLE()}, metadata)
    UserType("coupon", {"code": Text()}, metadata)
    line = UserType("line", {"price": cql.FROZEN(money), "tags": cql.FROZEN(cql.SET(Text))}, metadata)
    Table(
        "orders",
        metadata,
        Column("customer", cql.UUID, primary_key=True),
        Column("at", cql.TIMEUUID, primary_key=True),
        Column("Total", cql.FROZEN(money)),
        Column("state", Text, index=True),
        Column("limit", cql.INT, cql_static=True),
        Column("lines", cql.LIST(cql.FROZEN(line))),
        Column("since", cql.DATE, cql_static=True),
        Column("note", Text),
        Index("OrdersNotes", "note", cql_using="sai"),
        cql_clustering_order={"at": "DESC"},
        cql_compaction={"class": "LeveledCompactionStrategy"},
        comment='It\'s "new"',
    )
    Table("coupons", metadata, Column("code", Text, primary_key=True), Column("used", cql.COUNTER))
    for name, options in (("orders_by_state", {"gc_grace_seconds": 60}), ("orders_by_limit", {})):
        MaterializedView(
            name,
            metadata,
            base="orders",
            where='state is not null  AND "customer" IS NOT NULL AND at IS NOT NULL',
            partition_key=["state"],
            clustering={"at": "DESC", "customer": "ASC"},
            columns=["customer", "at", "state", "Total"],
            comment="A view" if options else None,
            options=options,
        )
    return metadata

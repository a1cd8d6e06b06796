"""Indexes."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from alembic_crdb import types
from tests.unit.crdb.constructs.base import Build, Construct, table, two


def indexes() -> list[Construct]:
    """Give the constructs of indexes."""

    def index(*elements: Any, name: str = "ix", **options: Any) -> Build:
        return two(lambda: sa.Index(name, *(each() if callable(each) else each for each in elements), **options))

    def on(type_: Any, *elements: Any, **options: Any) -> Build:
        return table(
            lambda: sa.Column("a", sa.Integer),
            lambda: sa.Column("c", type_),
            lambda: sa.Index("ix", *(elements or ("c",)), **options),
        )

    def of_columns(make: Any) -> Build:
        def build(metadata: sa.MetaData) -> None:
            made = sa.Table("t", metadata, sa.Column("id", sa.Text, primary_key=True), sa.Column("a", sa.Integer))
            make(made)

        return build

    def sql(text: str) -> Any:
        return lambda: sa.text(text)

    return [
        Construct("index", index("a", "b"), ("CREATE INDEX ix ON t (a ASC, b ASC)",), ("INDEX ix (a ASC, b ASC)",)),
        Construct(
            "index if not exists of PostgreSQL's options",
            index(
                "a",
                postgresql_using="btree",
                postgresql_with={"fillfactor": 70},
                postgresql_concurrently=True,
                postgresql_ops={"a": "int4_ops"},
            ),
            ("CREATE INDEX ix ON t (a ASC)",),
            ("INDEX ix (a ASC)",),
        ),
        Construct(
            "unique index",
            index("a", unique=True),
            ("CREATE UNIQUE INDEX ix ON t (a ASC)",),
            ("UNIQUE INDEX ix (a ASC)",),
        ),
        Construct(
            "descending",
            of_columns(lambda t: sa.Index("ix", t.c.a.desc(), t.c.id)),
            ("CREATE INDEX ix ON t (a DESC, id ASC)",),
            ("INDEX ix (a DESC, id ASC)",),
        ),
        Construct(
            "nulls as the server has them",
            of_columns(lambda t: sa.Index("ix", t.c.a.desc().nulls_last(), t.c.id.asc().nulls_first())),
            ("CREATE INDEX ix ON t (a DESC, id ASC)",),
            ("INDEX ix (a DESC, id ASC)",),
        ),
        Construct(
            "descending by text",
            index(sql("a DESC"), sql("b")),
            ("CREATE INDEX ix ON t (a DESC, b ASC)",),
            ("INDEX ix (a DESC, b ASC)",),
        ),
        Construct(
            "descending by name",
            index(lambda: sa.desc("a")),
            ("CREATE INDEX ix ON t (a DESC)",),
            ("INDEX ix (a DESC)",),
        ),
        Construct(
            "storing",
            index("a", cockroachdb_include=["b"]),
            ("ON t (a ASC) STORING (b)",),
            ("INDEX ix (a ASC) STORING (b)",),
        ),
        Construct(
            "include of PostgreSQL",
            index("a", postgresql_include=["b"]),
            ("ON t (a ASC) STORING (b)",),
            ("INDEX ix (a ASC) STORING (b)",),
        ),
        Construct(
            "partial",
            index("a", cockroachdb_where="b % 2 = 1"),
            ("ON t (a ASC) WHERE b % 2 = 1",),
            ("INDEX ix (a ASC) WHERE (b % 2:::INT8) = 1:::INT8",),
        ),
        Construct(
            "partial of PostgreSQL",
            of_columns(lambda t: sa.Index("ix", t.c.a, unique=True, postgresql_where=t.c.a > 3)),
            ("ON t (a ASC) WHERE a > 3",),
            ("UNIQUE INDEX ix (a ASC) WHERE a > 3:::INT8",),
        ),
        Construct(
            "expression",
            of_columns(lambda t: sa.Index("ix", sa.func.lower(t.c.id), (t.c.a + 1).desc())),
            ("ON t (lower(id) ASC, (a + 1) DESC)",),
            None,
        ),
        Construct(
            "expression by text",
            index(sql("lower(a::STRING) DESC"), sql("(a + b)"), sql("a - b")),
            ("ON t (lower(a::STRING) DESC, (a + b) ASC, (a - b) ASC)",),
            None,
        ),
        Construct(
            "expression that is a cast",
            of_columns(lambda t: sa.Index("ix", sa.cast(t.c.a, sa.Text))),
            ("ON t ((CAST(a AS TEXT)) ASC)",),
            None,
        ),
        Construct(
            "hash-sharded",
            index("a", cockroachdb_using="hash", cockroachdb_with={"bucket_count": 4}, cockroachdb_include=["b"]),
            ("ON t (a ASC) USING HASH STORING (b) WITH (bucket_count=4)",),
            ("INDEX ix (a ASC) USING HASH WITH BUCKET_COUNT = 4 STORING (b)",),
        ),
        Construct(
            "hash-sharded of default buckets", index("a", postgresql_using="hash"), ("ON t (a ASC) USING HASH",), None
        ),
        Construct(
            "inverted",
            on(pg.JSONB, cockroachdb_using="inverted"),
            ("CREATE INVERTED INDEX ix ON t (c)",),
            ("INVERTED INDEX ix (c)",),
        ),
        Construct(
            "gin of PostgreSQL",
            on(pg.ARRAY(sa.Text), postgresql_using="gin"),
            ("CREATE INVERTED INDEX ix ON t (c)",),
            ("INVERTED INDEX ix (c)",),
        ),
        Construct(
            "gin of PostgreSQL with its classes",
            on(pg.JSONB, postgresql_using="GIN", postgresql_ops={"c": "jsonb_path_ops"}),
            ("CREATE INVERTED INDEX ix ON t (c)",),
            ("INVERTED INDEX ix (c)",),
        ),
        Construct(
            "gist of a shape",
            on(types.GEOMETRY(), postgresql_using="gist"),
            ("CREATE INVERTED INDEX ix ON t (c)",),
            ("INVERTED INDEX ix (c)",),
        ),
        Construct(
            "inverted with parameters",
            on(types.GEOMETRY(), cockroachdb_using="gist", cockroachdb_with={"s2_max_level": 15}),
            ("ON t (c) WITH (s2_max_level=15)",),
            ("INVERTED INDEX ix (c) WITH (s2_max_level=15)",),
        ),
        Construct(
            "inverted with a column before",
            on(pg.JSONB, "a", "c", cockroachdb_using="gin"),
            ("CREATE INVERTED INDEX ix ON t (a ASC, c)",),
            ("INVERTED INDEX ix (a, c)",),
        ),
        Construct(
            "trigram",
            on(sa.Text, postgresql_using="gin", postgresql_ops={"c": "gin_trgm_ops"}),
            ("CREATE INVERTED INDEX ix ON t (c gin_trgm_ops)",),
            None,
        ),
        Construct(
            "trigram by gist",
            on(sa.Text, postgresql_using="gist", postgresql_ops={"c": "gist_trgm_ops"}),
            ("CREATE INVERTED INDEX ix ON t (c gin_trgm_ops)",),
            None,
        ),
        Construct(
            "trigram by text",
            table(
                lambda: sa.Column("c", sa.Text),
                lambda: sa.Index("ix", sa.text("c gin_trgm_ops"), postgresql_using="gin"),
            ),
            ("CREATE INVERTED INDEX ix ON t (c gin_trgm_ops)",),
            None,
        ),
        Construct(
            "class of text",
            on(sa.Text, postgresql_ops={"c": "text_pattern_ops"}),
            ("CREATE INDEX ix ON t (c ASC)",),
            ("INDEX ix (c ASC)",),
        ),
        Construct(
            "class of a column with a key",
            table(
                lambda: sa.Column("C", sa.Text, key="c"),
                lambda: sa.Index("ix", "c", postgresql_using="gin", postgresql_ops={"c": "gin_trgm_ops"}),
            ),
            ('ON t ("C" gin_trgm_ops)',),
            None,
        ),
        Construct(
            "vector",
            on(
                types.VECTOR(3),
                "a",
                "c",
                cockroachdb_using="vector",
                cockroachdb_ops={"c": "vector_cosine_ops"},
                cockroachdb_with={"min_partition_size": 4},
            ),
            ("CREATE VECTOR INDEX ix ON t (a ASC, c vector_cosine_ops) WITH (min_partition_size=4)",),
            None,
        ),
        Construct(
            "vector of pgvector",
            on(
                types.VECTOR(3),
                postgresql_using="hnsw",
                postgresql_with={"m": 16, "ef_construction": 64},
                postgresql_ops={"c": "vector_l2_ops"},
            ),
            ("CREATE VECTOR INDEX ix ON t (c vector_l2_ops)",),
            None,
        ),
        Construct("index not visible", index("a", cockroachdb_visibility=False), ("ON t (a ASC) NOT VISIBLE",), None),
        Construct(
            "index visible in part", index("a", cockroachdb_visibility=0.25), ("ON t (a ASC) VISIBILITY 0.25",), None
        ),
        Construct("index visible", index("a", cockroachdb_visibility=1), ("ON t (a ASC)",), ("INDEX ix (a ASC),",)),
        Construct(
            "index comment",
            index("a", cockroachdb_comment="it's %"),
            ("COMMENT ON INDEX t@ix IS e'it\\'s %'",),
            ("COMMENT ON INDEX",),
        ),
        Construct(
            "partitioned index",
            index(
                "a",
                cockroachdb_partition_by="LIST (a) (PARTITION one VALUES IN (1), PARTITION rest VALUES IN (DEFAULT))",
            ),
            (
                "ON t (a ASC) PARTITION BY LIST (a) ( PARTITION one VALUES IN ((1)), PARTITION rest VALUES "
                "IN ((DEFAULT)) )",
            ),
            None,
        ),
        Construct(
            "index of one dialect alone",
            of_columns(lambda t: sa.Index("ix", t.c.a).ddl_if(dialect="cockroachdb")),
            ("CREATE INDEX ix ON t (a ASC)",),
            ("INDEX ix (a ASC)",),
        ),
    ]

"""Tables and what is beside them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from alembic_crdb import TTL, Comment, DatabaseRegions, Schema, View, ZoneConfiguration, types
from tests.unit.crdb.constructs.base import Build, Construct, table, two


def tables() -> list[Construct]:
    """Give the constructs of tables."""

    def of_regions(locality: str, *items: Any) -> Build:
        return table(*items, cockroachdb_locality=locality)

    ttl = TTL(
        expire_after="3 months",
        job_cron="@weekly",
        select_batch_size=10,
        delete_batch_size=20,
        select_rate_limit=0,
        delete_rate_limit=5,
        row_stats_poll_interval=timedelta(minutes=1),
        pause=True,
        label_metrics=True,
        disable_changefeed_replication=True,
    )
    return [
        Construct(
            "families",
            two(cockroachdb_families={"f1": ["id", "a"], "F 2": ["b"]}),
            ('FAMILY f1 (id, a), FAMILY "F 2" (b)',),
            ("FAMILY f1 (id, a)", 'FAMILY "F 2" (b)'),
        ),
        Construct(
            "families by columns",
            table(lambda: sa.Column("a", sa.Integer, cockroachdb_family="f2"), cockroachdb_families={"f1": ["id"]}),
            ("FAMILY f1 (id), FAMILY f2 (a)",),
            ("FAMILY f1 (id)", "FAMILY f2 (a)"),
        ),
        Construct(
            "storage parameters",
            two(
                cockroachdb_with={
                    "exclude_data_from_backup": True,
                    "sql_stats_automatic_collection_min_stale_rows": 7,
                    "schema_locked": False,
                }
            ),
            (
                "WITH (exclude_data_from_backup = true, sql_stats_automatic_collection_min_stale_rows = 7, "
                "schema_locked = false)",
            ),
            None,
        ),
        Construct(
            "storage parameters that the server forgets",
            two(cockroachdb_with={"fillfactor": 70}),
            ("b INT NULL, PRIMARY KEY (id ASC) )",),
            (),
        ),
        Construct(
            "row-level TTL",
            two(cockroachdb_with=ttl),
            (
                "WITH (ttl_expire_after = '3 months', ttl_job_cron = '@weekly', ttl_select_batch_size = "
                "10, ttl_delete_batch_size = 20, ttl_select_rate_limit = 0, ttl_delete_rate_limit = 5, "
                "ttl_row_stats_poll_interval = '0 days 60 seconds 0 microseconds', ttl_pause = true, "
                "ttl_label_metrics = true, ttl_disable_changefeed_replication = true)",
            ),
            None,
        ),
        Construct(
            "row-level TTL by expression",
            table(
                lambda: sa.Column("expires", sa.DateTime(timezone=True)),
                cockroachdb_with={**TTL(expiration_expression="expires"), "schema_locked": True},
            ),
            ("WITH (ttl_expiration_expression = 'expires', schema_locked = true)",),
            None,
        ),
        Construct("global", of_regions("GLOBAL"), (") LOCALITY GLOBAL",), None),
        Construct(
            "regional by table",
            of_regions("regional by table"),
            ("LOCALITY REGIONAL BY TABLE IN PRIMARY REGION",),
            None,
        ),
        Construct(
            "regional by table in a region",
            of_regions("REGIONAL BY TABLE IN 'us-east1'"),
            ('LOCALITY REGIONAL BY TABLE IN "us-east1"',),
            None,
        ),
        Construct("regional by row", of_regions("REGIONAL BY ROW"), ("LOCALITY REGIONAL BY ROW",), None),
        Construct(
            "regional by row as a column",
            of_regions(
                'Regional by row as "Region"',
                lambda: sa.Column("Region", types.CockroachType("public.crdb_internal_region")),
            ),
            ('"Region" public.crdb_internal_region NULL', 'LOCALITY REGIONAL BY ROW AS "Region"'),
            None,
        ),
        Construct(
            "partitions",
            two(
                cockroachdb_partition_by=(
                    "RANGE (id) (PARTITION few VALUES FROM (MINVALUE) TO (10), PARTITION many VALUES FROM (10) "
                    "TO (MAXVALUE))"
                )
            ),
            (
                "PARTITION BY RANGE (id) ( PARTITION few VALUES FROM (MINVALUE) TO (10), PARTITION many "
                "VALUES FROM (10) TO (MAXVALUE) )",
            ),
            None,
        ),
        Construct(
            "partitions of all indexes",
            two(cockroachdb_partition_by="ALL BY LIST (id) (PARTITION one VALUES IN (1))"),
            ("PARTITION ALL BY LIST (id) ( PARTITION one VALUES IN ((1)) )",),
            None,
        ),
        Construct("temporary", two(prefixes=["TEMPORARY"]), ("CREATE TEMP TABLE t",), None),
        Construct("unlogged", two(prefixes=["UNLOGGED"]), ("CREATE UNLOGGED TABLE t",), ()),
        Construct(
            "table comment", two(comment="it's 5%"), ("COMMENT ON TABLE t IS 'it''s 5%'",), ("COMMENT ON TABLE",)
        ),
        Construct(
            "constraint comment",
            two(lambda: sa.CheckConstraint("a > 1", name="ck", comment="why")),
            ("COMMENT ON CONSTRAINT ck ON t IS 'why'",),
            None,
        ),
        Construct(
            "naming convention",
            _named,
            (
                "CONSTRAINT pk_t PRIMARY KEY (id ASC)",
                "UNIQUE INDEX uq_t_a (a ASC)",
                "CONSTRAINT ck_t_positive CHECK (a > 0)",
                "CREATE INDEX ix_t_b ON t (b ASC)",
            ),
            ("UNIQUE INDEX uq_t_a (a ASC)",),
        ),
    ]


def _named(metadata: sa.MetaData) -> None:
    metadata.naming_convention = {
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
    sa.Table(
        "t",
        metadata,
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("a", sa.Integer, sa.ForeignKey("t.a"), unique=True),
        sa.Column("b", sa.Integer, index=True),
        sa.CheckConstraint("a > 0", name="positive"),
    )


def others() -> list[Construct]:
    """Give the constructs beside tables."""

    def beside(*make: Any) -> Build:
        def build(metadata: sa.MetaData) -> None:
            sa.Table("t", metadata, sa.Column("id", sa.Text, primary_key=True), sa.Column("a", sa.Integer))
            for each in make:
                each(metadata)

        return build

    def view(name: str, query: str, **options: Any) -> Any:
        return lambda metadata: View(name, query, metadata=metadata, **options)

    def of_table(metadata: sa.MetaData) -> None:
        made = metadata.tables["t"]
        View("v", sa.select(made.c.id).where(made.c.id == "5%"), metadata=metadata)

    def in_schema(metadata: sa.MetaData) -> None:
        Schema("Other", metadata=metadata)
        sa.Table("t", metadata, sa.Column("id", sa.Text, primary_key=True), schema="Other")
        sa.Sequence("s", schema="Other", metadata=metadata)
        View("v", 'SELECT id FROM "Other".t', metadata=metadata, schema="Other")

    def zones(metadata: sa.MetaData) -> None:
        made = metadata.tables["t"]
        ZoneConfiguration(made, {"num_replicas": 3, "gc.ttlseconds": 600}, metadata=metadata)

    def more_zones(metadata: sa.MetaData) -> None:
        made = metadata.tables["t"]
        ZoneConfiguration(sa.Index("ix", made.c.a), {"constraints": "[+region=us-east1]"}, metadata=metadata)
        ZoneConfiguration("database d", {"num_replicas": sa.text("COPY FROM PARENT")}, metadata=metadata)
        ZoneConfiguration("range default", {"global_reads": True}, metadata=metadata)
        ZoneConfiguration('partition "P" of table s."T"', {"num_voters": 3}, metadata=metadata)
        ZoneConfiguration("PARTITION p OF INDEX t@ix", {"num_voters": 3}, metadata=metadata)

    def sequences(metadata: sa.MetaData) -> None:
        sa.Sequence("s1", metadata=metadata)
        sa.Sequence("s2", start=5, increment=2, minvalue=1, maxvalue=99, cache=3, cycle=False, metadata=metadata)
        sa.Sequence("s3", nominvalue=True, nomaxvalue=True, metadata=metadata)

    regions = DatabaseRegions  # its name is long
    return [
        Construct(
            "view",
            beside(view("v", "SELECT id FROM t WHERE a = 5;")),
            ("CREATE VIEW v AS SELECT id FROM t WHERE a = 5",),
            (),
        ),
        Construct(
            "view of a select",
            beside(of_table),
            ("CREATE VIEW v AS SELECT t.id FROM t WHERE t.id = '5%'",),
            (),
        ),
        Construct(
            "view with columns",
            beside(view("v", "SELECT id, a FROM t", columns=["x", "Y"])),
            ('CREATE VIEW v ( x, "Y" ) AS SELECT id, a FROM t',),
            (),
        ),
        Construct(
            "materialized view",
            beside(view("v", "SELECT id FROM t", materialized=True)),
            ("CREATE MATERIALIZED VIEW v AS SELECT id FROM t",),
            (),
        ),
        Construct(
            "views of views",
            beside(view("a", 'SELECT id FROM "B"'), view("c", "SELECT id FROM t"), view("B", "SELECT id FROM c")),
            ('CREATE VIEW c AS SELECT id FROM t; CREATE VIEW "B" AS SELECT id FROM c; CREATE VIEW a',),
            (),
        ),
        Construct(
            "schema",
            in_schema,
            (
                'CREATE SCHEMA "Other"',
                'CREATE TABLE "Other".t',
                'CREATE SEQUENCE "Other".s',
                'CREATE VIEW "Other".v',
            ),
            (),
        ),
        Construct(
            "sequences",
            beside(sequences),
            (
                "CREATE SEQUENCE s1",
                "CREATE SEQUENCE s2 MINVALUE 1 MAXVALUE 99 INCREMENT 2 START 5 CACHE 3 NO CYCLE",
                "s3 NO MINVALUE NO MAXVALUE",
            ),
            (),
        ),
        Construct(
            "sequence of a type",
            beside(lambda metadata: sa.Sequence("s", data_type=sa.SmallInteger(), metadata=metadata)),
            ("CREATE SEQUENCE s AS INT2",),
            None,
        ),
        Construct(
            "zone configuration",
            beside(zones),
            ("ALTER TABLE t CONFIGURE ZONE USING num_replicas = 3, gc.ttlseconds = 600",),
            (),
        ),
        Construct(
            "more zone configurations",
            beside(more_zones),
            (
                "ALTER INDEX t@ix CONFIGURE ZONE USING constraints = '[+region=us-east1]'",
                "ALTER DATABASE d CONFIGURE ZONE USING num_replicas = COPY FROM PARENT",
                'ALTER PARTITION "P" OF TABLE s."T" CONFIGURE ZONE USING num_voters = 3',
                "ALTER PARTITION p OF INDEX t@ix CONFIGURE ZONE",
            ),
            None,
        ),
        Construct(
            "regions",
            beside(
                lambda metadata: regions(
                    "us-east1", ["us-west1", "europe-west1"], "REGION", database="Bank", metadata=metadata
                )
            ),
            (
                'ALTER DATABASE "Bank" PRIMARY REGION "us-east1"; ALTER DATABASE "Bank" ADD REGION '
                '"us-west1"; ALTER DATABASE "Bank" ADD REGION "europe-west1"; ALTER DATABASE "Bank" '
                "SURVIVE REGION FAILURE",
            ),
            None,
        ),
        Construct(
            "more of regions",
            beside(
                lambda metadata: regions(
                    "a",
                    ["b", "c"],
                    placement="RESTRICTED",
                    secondary="b",
                    super_regions={"s": ["a", "b"]},
                    database="d",
                    metadata=metadata,
                )
            ),
            (
                "ALTER DATABASE d SET SECONDARY REGION b",
                "ALTER DATABASE d PLACEMENT RESTRICTED",
                "ALTER DATABASE d ADD SUPER REGION s VALUES a, b",
            ),
            None,
        ),
        Construct(
            "comments",
            beside(
                lambda metadata: Comment("DATABASE", "d", "x", metadata=metadata),
                lambda metadata: Comment("SCHEMA", "public", "y", metadata=metadata),
                lambda metadata: Comment("TYPE", "mood", "z", metadata=metadata),
            ),
            ("COMMENT ON DATABASE d IS 'x'", "COMMENT ON SCHEMA public IS 'y'", "COMMENT ON TYPE mood IS 'z'"),
            None,
        ),
    ]

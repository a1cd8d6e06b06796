"""Primary keys and other constraints."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from alembic_crdb import types
from tests.unit.crdb.constructs.base import Build, Construct, table, two


def keys() -> list[Construct]:
    """Give the constructs of primary keys."""

    def serial(kind: Any) -> Build:
        return table(key=lambda: sa.Column("id", kind, primary_key=True))

    def composite(**options: Any) -> Build:
        return lambda metadata: sa.Table(
            "t",
            metadata,
            sa.Column("a", sa.Text, nullable=False),
            sa.Column("b", sa.Integer, nullable=False),
            sa.PrimaryKeyConstraint("b", "a", **options),
        )

    return [
        Construct(
            "serial",
            serial(sa.Integer),
            ("id SERIAL NOT NULL", "PRIMARY KEY (id ASC)"),
            ("id INT8 NOT NULL DEFAULT unique_rowid()",),
        ),
        Construct(
            "serial 8", serial(sa.BigInteger), ("id SERIAL8 NOT NULL",), ("id INT8 NOT NULL DEFAULT unique_rowid()",)
        ),
        Construct(
            "serial 4", serial(types.INT4), ("id SERIAL4 NOT NULL",), ("id INT8 NOT NULL DEFAULT unique_rowid()",)
        ),
        Construct("no serial 2", serial(sa.SmallInteger), ("id INT2 NOT NULL",), ("id INT2 NOT NULL,",)),
        Construct(
            "optional sequence",
            table(key=lambda: sa.Column("id", sa.Integer, sa.Sequence("s", optional=True), primary_key=True)),
            ("id SERIAL NOT NULL",),
        ),
        Construct(
            "key of a sequence",
            table(key=lambda: sa.Column("id", sa.Integer, sa.Sequence("Key Seq"), primary_key=True)),
            ('CREATE SEQUENCE "Key Seq"', """id INT NOT NULL DEFAULT nextval('"Key Seq"')"""),
            ("DEFAULT nextval(",),
        ),
        Construct(
            "no primary key",
            lambda metadata: sa.Table("t", metadata, sa.Column("a", sa.Integer)),
            ("CREATE TABLE t ( a INT NULL )",),
            (),
        ),
        Construct(
            "composite key",
            composite(name="The Key"),
            ('CONSTRAINT "The Key" PRIMARY KEY (b ASC, a ASC)',),
            ("PRIMARY KEY (b ASC, a ASC)",),
        ),
        Construct(
            "descending key",
            composite(cockroachdb_sorting={"a": "desc"}),
            ("PRIMARY KEY (b ASC, a DESC)",),
            ("PRIMARY KEY (b ASC, a DESC)",),
        ),
        Construct(
            "hash-sharded key",
            composite(cockroachdb_using="hash", cockroachdb_with={"bucket_count": 4}),
            ("PRIMARY KEY (b ASC, a ASC) USING HASH WITH (bucket_count=4)",),
            ("PRIMARY KEY (b ASC, a ASC) USING HASH WITH BUCKET_COUNT = 4",),
        ),
        Construct(
            "hash-sharded key of default buckets",
            composite(cockroachdb_using="hash"),
            ("PRIMARY KEY (b ASC, a ASC) USING HASH",),
            None,
        ),
    ]


def constraints() -> list[Construct]:
    """Give the constructs of other constraints."""

    def reference(**options: Any) -> Build:
        def build(metadata: sa.MetaData) -> None:
            sa.Table("Parent", metadata, sa.Column("Id", sa.Integer, primary_key=True, autoincrement=False))
            table(
                lambda: sa.Column("a", sa.Integer),
                lambda: sa.ForeignKeyConstraint(["a"], ["Parent.Id"], name="fk", **options),
            )(metadata)

        return build

    def cycle(not_valid: bool) -> Build:
        def build(metadata: sa.MetaData) -> None:
            for name, other in (("one", "two"), ("two", "one")):
                sa.Table(
                    name,
                    metadata,
                    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
                    sa.ForeignKeyConstraint(
                        ["id"], [f"{other}.id"], name=f"fk_{name}", cockroachdb_not_valid=not_valid
                    ),
                )

        return build

    actions = ["CASCADE", "SET NULL", "SET DEFAULT", "RESTRICT"]
    target = 'CONSTRAINT fk FOREIGN KEY (a) REFERENCES "Parent"("Id")'
    shown = 'CONSTRAINT fk FOREIGN KEY (a) REFERENCES public."Parent"("Id")'
    return [
        Construct(
            "check",
            two(lambda: sa.CheckConstraint("a % 2 = 1", name="odd")),
            ("CONSTRAINT odd CHECK (a % 2 = 1)",),
            ("CONSTRAINT odd CHECK ((a % 2:::INT8) = 1:::INT8)",),
        ),
        Construct(
            "check without name", two(lambda: sa.CheckConstraint("a > b")), ("CHECK (a > b)",), ("CHECK (a > b)",)
        ),
        Construct(
            "check not valid",
            two(lambda: sa.CheckConstraint("a > b", name="ck", cockroachdb_not_valid=True)),
            ("ALTER TABLE t ADD CONSTRAINT ck CHECK (a > b) NOT VALID",),
            ("CONSTRAINT ck CHECK (a > b) NOT VALID",),
        ),
        Construct(
            "check not valid of PostgreSQL",
            two(lambda: sa.CheckConstraint("a > b", name="ck", postgresql_not_valid=True)),
            ("ADD CONSTRAINT ck CHECK (a > b) NOT VALID",),
        ),
        Construct("foreign key", reference(), (target,), (shown,)),
        *(
            Construct(
                f"foreign key on delete {action}",
                reference(ondelete=action.lower()),
                (f"{target} ON DELETE {action}",),
                (f"{shown} ON DELETE {action}",),
            )
            for action in actions
        ),
        *(
            Construct(
                f"foreign key on update {action}",
                reference(onupdate=action),
                (f"{target} ON UPDATE {action}",),
                (f"{shown} ON UPDATE {action}",),
            )
            for action in actions
        ),
        Construct("foreign key no action", reference(ondelete="NO ACTION", onupdate="NO ACTION"), (target,), (shown,)),
        Construct(
            "foreign key match full", reference(match="FULL"), (f"{target} MATCH FULL",), (f"{shown} MATCH FULL",)
        ),
        Construct(
            "foreign key not valid",
            reference(cockroachdb_not_valid=True),
            (f"ALTER TABLE t ADD {target} NOT VALID",),
            (f"{shown} NOT VALID",),
        ),
        Construct(
            "foreign keys in a circle",
            cycle(False),
            ("ALTER TABLE one ADD CONSTRAINT fk_one FOREIGN KEY (id) REFERENCES two(id)",),
            (),
        ),
        Construct(
            "foreign keys in a circle, not valid",
            cycle(True),
            ("ALTER TABLE one ADD CONSTRAINT fk_one FOREIGN KEY (id) REFERENCES two(id) NOT VALID",),
            ("REFERENCES public.two(id) NOT VALID",),
        ),
        Construct(
            "unique",
            two(lambda: sa.UniqueConstraint("a", "b", name="uq")),
            ("UNIQUE INDEX uq (a ASC, b ASC)",),
            ("UNIQUE INDEX uq (a ASC, b ASC)",),
        ),
        Construct(
            "unique without name",
            two(lambda: sa.UniqueConstraint("a")),
            ("UNIQUE INDEX (a ASC)",),
            ("UNIQUE INDEX t_a_key (a ASC)",),
        ),
        Construct(
            "unique with everything",
            two(
                lambda: sa.UniqueConstraint(
                    "a",
                    name="uq",
                    cockroachdb_include=["b"],
                    cockroachdb_where="b > 1",
                    cockroachdb_sorting={"a": "DESC"},
                )
            ),
            ("UNIQUE INDEX uq (a DESC) STORING (b) WHERE b > 1",),
            ("UNIQUE INDEX uq (a DESC) STORING (b) WHERE b > 1:::INT8",),
        ),
        Construct(
            "unique hash-sharded",
            two(
                lambda: sa.UniqueConstraint(
                    "a", name="uq", cockroachdb_using="hash", cockroachdb_with={"bucket_count": 4}
                )
            ),
            ("UNIQUE INDEX uq (a ASC) USING HASH WITH (bucket_count=4)",),
            ("UNIQUE INDEX uq (a ASC) USING HASH WITH BUCKET_COUNT = 4",),
        ),
        Construct(
            "unique without index",
            two(lambda: sa.UniqueConstraint("a", name="uq", cockroachdb_without_index=True)),
            ("CONSTRAINT uq UNIQUE WITHOUT INDEX (a)",),
            ("CONSTRAINT uq UNIQUE WITHOUT INDEX (a)",),
        ),
        Construct(
            "unique without index of some rows",
            two(
                lambda: sa.UniqueConstraint(
                    "a", name="uq", cockroachdb_without_index=True, cockroachdb_where=sa.text("b > 1")
                )
            ),
            ("UNIQUE WITHOUT INDEX (a) WHERE b > 1",),
            ("UNIQUE WITHOUT INDEX (a) WHERE b > 1:::INT8",),
        ),
        Construct(
            "unique without index, not valid",
            two(
                lambda: sa.UniqueConstraint("a", name="uq", cockroachdb_without_index=True, cockroachdb_not_valid=True)
            ),
            ("ALTER TABLE t ADD CONSTRAINT uq UNIQUE WITHOUT INDEX (a) NOT VALID",),
            ("CONSTRAINT uq UNIQUE WITHOUT INDEX (a) NOT VALID",),
        ),
        Construct(
            "column unique and indexed",
            table(
                lambda: sa.Column("a", sa.Integer, unique=True),
                lambda: sa.Column("b", sa.Integer, index=True),
                lambda: sa.Column("c", sa.Integer, unique=True, index=True),
            ),
            ("UNIQUE INDEX (a ASC)", "CREATE INDEX ix_t_b ON t (b ASC)", "CREATE UNIQUE INDEX ix_t_c ON t (c ASC)"),
            ("UNIQUE INDEX ix_t_c (c ASC)",),
        ),
    ]

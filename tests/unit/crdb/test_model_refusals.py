"""What no server takes is refused by name before anything is sent; a comparison looks past it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.schema import AddConstraint, CreateIndex, CreateTable

from alembic_cluster.errors import InvalidModel, UnsupportedConstruct
from alembic_crdb import TTL, Comment, DatabaseRegions, Schema, View, ZoneConfiguration
from alembic_crdb.model import metadata_to_catalog, table_to_catalog
from tests.unit.crdb.constructs.base import Build, table, two
from tests.unit.crdb.emitting import created, dialect_for, text_of

UNSUPPORTED: dict[str, tuple[Build, str]] = {
    "EXCLUDE": (
        two(lambda: pg.ExcludeConstraint(("a", "="), name="ex", using="gist")),
        "Table t has the EXCLUDE constraint ex",
    ),
    "deferrable foreign key": (two(lambda: sa.ForeignKeyConstraint(["a"], ["t.b"], deferrable=True)), "DEFERRABLE"),
    "initially deferred": (two(lambda: sa.UniqueConstraint("a", name="uq", initially="DEFERRED")), "DEFERRABLE"),
    "deferrable check": (two(lambda: sa.CheckConstraint("a > 1", deferrable=True)), "DEFERRABLE"),
    "nulls last": (
        two(lambda: sa.Index("ix", sa.text("a NULLS LAST"))),
        "Index ix of table t is ordered ASC NULLS LAST",
    ),
    "descending nulls first": (two(lambda: sa.Index("ix", sa.text("a desc nulls first"))), "ordered DESC NULLS FIRST"),
    "nulls not distinct": (two(lambda: sa.Index("ix", "a", postgresql_nulls_not_distinct=True)), "NULLS NOT DISTINCT"),
    "unique nulls not distinct": (
        two(lambda: sa.UniqueConstraint("a", postgresql_nulls_not_distinct=True)),
        "NULLS NOT DISTINCT",
    ),
    "access method": (two(lambda: sa.Index("ix", "a", postgresql_using="brin")), "uses brin"),
    "tablespace of an index": (two(lambda: sa.Index("ix", "a", postgresql_tablespace="x")), "tablespace"),
    "tablespace": (two(postgresql_tablespace="x"), "tablespace"),
    "inheritance": (two(postgresql_inherits="u"), "INHERITS"),
    "on commit": (two(postgresql_on_commit="DELETE ROWS"), "ON COMMIT DELETE ROWS"),
    "oids": (two(postgresql_with_oids=True), "OIDs"),
    "partitions of PostgreSQL": (two(postgresql_partition_by="LIST (a)"), "cockroachdb_partition_by"),
    "prefix": (two(prefixes=["FOREIGN"]), "prefix FOREIGN"),
    "match partial": (two(lambda: sa.ForeignKeyConstraint(["a"], ["t.b"], match="PARTIAL")), "MATCH PARTIAL"),
    "set null of some": (two(lambda: sa.ForeignKeyConstraint(["a"], ["t.b"], ondelete="SET NULL (a)")), "SET NULL"),
    "hstore": (table(lambda: sa.Column("c", pg.HSTORE)), "Column c has the type HSTORE"),
    "range": (table(lambda: sa.Column("c", pg.INT4RANGE)), "Column c has the type INT4RANGE"),
    "array of macaddr": (table(lambda: sa.Column("c", pg.ARRAY(pg.MACADDR))), "Column c has the type MACADDR"),
    "cycle": (table(lambda: sa.Column("c", sa.Integer, sa.Identity(cycle=True))), "CYCLE"),
}

INVALID: dict[str, tuple[Build, str]] = {
    "family of no column": (two(cockroachdb_families={"f": ["x"]}), "family f of table t: there is no column 'x'"),
    "column in two families": (two(cockroachdb_families={"f": ["a"], "g": ["a"]}), "'a' of table t is in two families"),
    "families that are none": (two(cockroachdb_families=["a"]), "no dict"),
    "storing no column": (two(lambda: sa.Index("ix", "a", cockroachdb_include=["x"])), "no column 'x'"),
    "locality": (two(cockroachdb_locality="EVERYWHERE"), "can't be read: 'EVERYWHERE'"),
    "locality of no name": (two(cockroachdb_locality="REGIONAL BY TABLE IN 1 2"), "no name"),
    "parameters that are none": (two(cockroachdb_with="ttl"), "no dict: 'ttl'"),
    "name of a parameter": (two(cockroachdb_with={"a b": 1}), "'a b' is no name"),
    "value of a parameter": (two(cockroachdb_with={"ttl": object()}), "neither text, number nor boolean"),
    "partitions": (two(cockroachdb_partition_by="LIST (a)"), "can't be read"),
    "more than partitions": (
        two(cockroachdb_partition_by="LIST (a) (PARTITION p VALUES IN (1)) x"),
        "the end of the partitions",
    ),
    "partitions that are none": (two(cockroachdb_partition_by=7), "no text"),
    "visibility": (two(lambda: sa.Index("ix", "a", cockroachdb_visibility=1.5)), "not between 0 and 1: 1.5"),
    "visibility in words": (two(lambda: sa.Index("ix", "a", cockroachdb_visibility="no")), "not between 0 and 1"),
    "buckets": (
        two(lambda: sa.Index("ix", "a", cockroachdb_using="hash", cockroachdb_with={"bucket_count": 0})),
        "no number of buckets: 0",
    ),
    "sorting of no column": (
        two(lambda: sa.UniqueConstraint("a", cockroachdb_sorting={"b": "DESC"})),
        "cockroachdb_sorting",
    ),
    "sorting": (two(lambda: sa.UniqueConstraint("a", cockroachdb_sorting={"a": "down"})), "cockroachdb_sorting"),
    "inverted unique": (two(lambda: sa.UniqueConstraint("a", cockroachdb_using="gin")), "can't be an INVERTED index"),
    "not valid unique": (two(lambda: sa.UniqueConstraint("a", cockroachdb_not_valid=True)), "without_index"),
    "no index and options of one": (
        two(lambda: sa.UniqueConstraint("a", cockroachdb_without_index=True, cockroachdb_include=["b"])),
        "options of one: include",
    ),
}


@pytest.mark.parametrize(("build", "message"), UNSUPPORTED.values(), ids=UNSUPPORTED)
def test_unsupported(build: Build, message: str) -> None:
    metadata = sa.MetaData()
    sa.Table("before", metadata, sa.Column("id", sa.Integer, primary_key=True))
    build(metadata)
    dialect = dialect_for()
    sent: list[str] = []
    with pytest.raises(UnsupportedConstruct, match="Nothing of it was sent") as refused:
        sent += created(metadata, dialect)
    assert message in str(refused.value)
    assert sent == []
    made = metadata.tables["t"]
    (index,) = made.indexes or (None,)
    statement = CreateTable(made) if index is None else CreateIndex(index)
    with pytest.raises(UnsupportedConstruct, match="Nothing of it was sent"):
        text_of(statement, dialect)
    # A comparison is made with what the server can have.
    table_to_catalog(made, dialect)


@pytest.mark.parametrize(("build", "message"), INVALID.values(), ids=INVALID)
def test_invalid(build: Build, message: str) -> None:
    metadata = sa.MetaData()
    build(metadata)
    dialect = dialect_for()
    with pytest.raises(InvalidModel, match=r"Nothing was sent|ASC or DESC|options of one") as refused:
        created(metadata, dialect)
    assert message in str(refused.value)
    with pytest.raises(InvalidModel):
        metadata_to_catalog(metadata, dialect)


def test_exclude_of_postgresql_alone_is_no_matter() -> None:
    metadata = sa.MetaData()
    two(lambda: pg.ExcludeConstraint(("a", "="), using="gist").ddl_if(dialect="postgresql"))(metadata)
    assert created(metadata, dialect_for())[0].startswith("CREATE TABLE t")


def test_add_constraint_refuses() -> None:
    metadata = sa.MetaData()
    two(lambda: pg.ExcludeConstraint(("a", "="), name="ex", using="gist"))(metadata)
    (constraint,) = (each for each in metadata.tables["t"].constraints if isinstance(each, pg.ExcludeConstraint))
    with pytest.raises(UnsupportedConstruct, match="EXCLUDE constraint ex"):
        text_of(AddConstraint(constraint, isolate_from_table=False), dialect_for())


OBJECTS: dict[str, tuple[Callable[[sa.MetaData], Any], str]] = {
    "two views": (lambda m: [View("v", "SELECT 1", metadata=m) for _ in "ab"], "has two of View"),
    "two schemas": (lambda m: [Schema("s", metadata=m) for _ in "ab"], "has two of Schema"),
    "two zones": (lambda m: [ZoneConfiguration("t", {"num_replicas": 3}, metadata=m) for _ in "ab"], "has two of"),
    "two comments": (lambda m: [Comment("DATABASE", "d", "x", metadata=m) for _ in "ab"], "has two of Comment"),
    "two regions": (lambda m: [DatabaseRegions("a", metadata=m) for _ in "ab"], "has DatabaseRegions"),
    "no options": (lambda m: ZoneConfiguration("t", {}, metadata=m), "has no options"),
    "survival goal": (lambda m: DatabaseRegions("a", survive="EVERYTHING", metadata=m), "EVERYTHING"),  # type: ignore[arg-type]
    "comment on a table": (lambda m: Comment("TABLE", "t", "x", metadata=m), "No comment on TABLE"),
    "comment on an index of no table": (lambda m: Comment("INDEX", "t", "x", metadata=m), "needs a child"),
    "comment on a type's child": (lambda m: Comment("TYPE", "t", "x", child="y", metadata=m), "has no child"),
    "TTL of nothing": (lambda m: TTL(pause=True), "expire_after"),
}


@pytest.mark.parametrize(("make", "message"), OBJECTS.values(), ids=OBJECTS)
def test_objects(make: Callable[[sa.MetaData], Any], message: str) -> None:
    with pytest.raises(InvalidModel, match=message):
        make(sa.MetaData())


@pytest.mark.parametrize("target", ["TABLE", "INDEX t", "a b", "PARTITION p", "DATABASE a.b.c.d"])
def test_zone_target(target: str) -> None:
    metadata = sa.MetaData()
    ZoneConfiguration(target, {"num_replicas": 3}, metadata=metadata)
    with pytest.raises(InvalidModel, match="zone configuration"):
        created(metadata, dialect_for())


def test_sequence_that_cycles() -> None:
    metadata = sa.MetaData()
    sa.Sequence("s", cycle=True, metadata=metadata)
    with pytest.raises(UnsupportedConstruct, match="Sequence s has CYCLE"):
        created(metadata, dialect_for())


def test_enum_without_name() -> None:
    metadata = sa.MetaData()
    table(lambda: sa.Column("c", sa.Enum("a", "b")))(metadata)
    with pytest.raises(InvalidModel, match="has no name"):
        metadata_to_catalog(metadata, dialect_for())

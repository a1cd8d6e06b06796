"""Models of cqlengine with something of everything that it knows."""

# ruff: noqa: RUF012  (cqlengine's __options__ are mappings on the class)

from __future__ import annotations

from cassandra.cqlengine import columns
from cassandra.cqlengine.models import Model
from cassandra.cqlengine.usertype import UserType


class Street(UserType):
    name = columns.Text()
    houseNumbers = columns.Set(columns.Integer)


class PostalAddress(UserType):
    street = columns.UserDefinedType(Street)
    code = columns.Text(db_field="zip code")
    lines = columns.List(columns.Text)
    nested = columns.Map(columns.Text, columns.List(columns.Integer()))


class Everything(Model):
    tenant = columns.Text(partition_key=True)
    bucket = columns.Integer(partition_key=True)
    at = columns.TimeUUID(primary_key=True, clustering_order="desc")
    number = columns.BigInt(primary_key=True)
    shared = columns.Text(static=True)
    a_text = columns.Text(index=True)
    a_ascii = columns.Ascii()
    a_small = columns.SmallInt()
    a_tiny = columns.TinyInt()
    a_varint = columns.VarInt()
    a_timestamp = columns.DateTime()
    a_date = columns.Date()
    a_time = columns.Time()
    a_uuid = columns.UUID()
    a_boolean = columns.Boolean()
    a_float = columns.Float()
    a_double = columns.Double()
    a_decimal = columns.Decimal()
    a_blob = columns.Blob()
    some_bytes = columns.Bytes()
    an_inet = columns.Inet()
    a_duration = columns.Duration()
    a_set = columns.Set(columns.Text, index=True)
    a_list = columns.List(columns.UUID)
    a_map = columns.Map(columns.Text, columns.Integer, index=True)
    a_tuple = columns.Tuple(columns.Text, columns.Integer, columns.List(columns.Text()))
    deep = columns.Map(columns.Text, columns.List(columns.Tuple(columns.Text, columns.Set(columns.Integer()))))
    of_tuples = columns.Set(columns.Tuple(columns.Integer, columns.Text))
    an_address = columns.UserDefinedType(PostalAddress)
    addresses = columns.List(columns.UserDefinedType(PostalAddress))
    by_name = columns.Map(columns.Text, columns.UserDefinedType(PostalAddress))
    renamed = columns.Text(db_field="Column With Spaces", index=True)
    order = columns.Text()


class PageViews(Model):
    __table_name__ = "page_view_counts"
    url = columns.Text(db_field="Page", primary_key=True)
    day = columns.Date(db_field="select", primary_key=True, clustering_order="ASC")
    views = columns.Counter()
    visitors = columns.Counter(db_field="Visitors")


class Tuned(Model):
    __table_name__ = "TunedTable"
    __table_name_case_sensitive__ = True
    __options__ = {
        "compaction": {
            "class": "LeveledCompactionStrategy",
            "sstable_size_in_mb": "64",
            "tombstone_threshold": ".2",
        },
        "compression": {"class": "DeflateCompressor", "chunk_length_in_kb": 32},
        "caching": {"keys": "ALL", "rows_per_partition": "20"},
        "gc_grace_seconds": 43200,
        "default_time_to_live": 60,
        "bloom_filter_fp_chance": 0.2,
        "speculative_retry": "50ms",
        "cdc": False,
        "comment": "Anna's table; don't drop",
        "memtable_flush_period_in_ms": None,
    }
    id = columns.UUID(primary_key=True)
    value = columns.Text()


class Pet(Model):
    __options__ = {"gc_grace_seconds": 7200}
    owner = columns.UUID(primary_key=True)
    kind = columns.Text(primary_key=True, discriminator_column=True)
    name = columns.Text()


class Cat(Pet):
    __discriminator_value__ = "cat"
    lives = columns.Integer()


class HouseCat(Cat):
    __discriminator_value__ = "house cat"
    sofa = columns.Text(index=True)


class Dog(Pet):
    __discriminator_value__ = "dog"
    tricks = columns.Set(columns.Text)


class Timestamped(Model):
    __abstract__ = True
    id = columns.UUID(primary_key=True)
    created = columns.DateTime()


class Invoice(Timestamped):
    total = columns.Decimal()


class CreditNote(Timestamped):
    invoice = columns.UUID(index=True)


ALL = [Everything, PageViews, Tuned, Pet, Cat, HouseCat, Dog, Invoice, CreditNote]

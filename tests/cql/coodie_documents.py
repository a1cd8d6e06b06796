"""Documents of coodie with something of everything that it knows."""

# ruff: noqa: RUF012, UP045  (coodie's __options__ are mappings on the class; Optional is what users write)

from datetime import date, datetime, time
from decimal import Decimal
from ipaddress import IPv4Address
from typing import Annotated, ClassVar, Optional
from uuid import UUID

from coodie import aio, fields, sync
from coodie.types import CqlDuration
from coodie.usertype import UserType


class HTTPAddress(UserType):
    host: str
    portNumber: int


class Order(UserType):
    LIMIT: ClassVar[int] = 5
    origin: HTTPAddress
    lines: Annotated[list[str], fields.Frozen()]
    by_name: Annotated[dict[str, HTTPAddress], fields.Frozen()]


class Everything(sync.Document):
    bucket: Annotated[int, fields.PrimaryKey(partition_key_index=1)]
    tenant: Annotated[str, fields.PrimaryKey(partition_key_index=0)]
    number: Annotated[int, fields.BigInt(), fields.ClusteringKey(clustering_key_index=1)]
    at: Annotated[UUID, fields.TimeUUID(), fields.ClusteringKey(order="DESC", clustering_key_index=0)]
    shared: Annotated[str, fields.Static()] = ""
    a_text: Annotated[str, fields.Indexed()]
    a_ascii: Annotated[str, fields.Ascii()]
    a_small: Annotated[int, fields.SmallInt()]
    a_tiny: Annotated[int, fields.TinyInt()]
    a_varint: Annotated[int, fields.VarInt()]
    an_int: int
    a_timestamp: Optional[datetime] = None
    a_date: date | None = None
    a_time: time
    a_marked_time: Annotated[int, fields.Time()]
    a_uuid: UUID
    a_boolean: bool
    a_float: float
    a_double: Annotated[float, fields.Double()]
    a_decimal: Decimal
    a_blob: bytes
    an_inet: IPv4Address
    a_duration: CqlDuration
    a_set: Annotated[set[str], fields.Indexed(index_name="TagIndex")]
    a_list: list[UUID]
    a_map: dict[str, int]
    a_tuple: tuple[str, int]
    a_frozen_set: frozenset[str]
    deep: dict[str, Annotated[list[Annotated[set[int], fields.Frozen()]], fields.Frozen()]]
    an_order: Order
    orders: list[Order]
    by_name: dict[str, Order] | None = None
    a_vector: Annotated[list[float], fields.Vector(dimensions=3)]
    camelCase: Annotated[str, fields.Indexed()]
    select: str


class PageViews(aio.CounterDocument):
    url: Annotated[str, fields.PrimaryKey()]
    views: Annotated[int, fields.Counter()]
    visitors: Annotated[int, fields.Counter()]

    class Settings:
        name = '"PageViewCounts"'


class Tuned(aio.Document):
    id: Annotated[UUID, fields.PrimaryKey()]
    value: str

    class Settings:
        name = "TunedTable"
        __default_ttl__ = 7200
        __options__ = {
            "compaction": {"class": "LeveledCompactionStrategy", "sstable_size_in_mb": 64, "enabled": True},
            "gc_grace_seconds": 43200,
            "bloom_filter_fp_chance": 0.2,
            "speculative_retry": "50ms",
            "comment": "A table of tokens",
        }


class Review(sync.Document):
    product: Annotated[UUID, fields.PrimaryKey()]
    at: Annotated[datetime, fields.ClusteringKey(order="DESC")]
    author: str
    Stars: int

    class Settings:
        name = "reviews"


class ReviewsByAuthor(sync.MaterializedView):
    author: Annotated[str, fields.PrimaryKey()]
    product: Annotated[UUID, fields.ClusteringKey(clustering_key_index=1)]
    at: Annotated[datetime, fields.ClusteringKey(clustering_key_index=0)]

    class Settings:
        name = "reviews_by_author"
        __base_table__ = "reviews"


class ReviewsByStars(aio.MaterializedView):
    Stars: Annotated[int, fields.PrimaryKey()]
    at: Annotated[datetime, fields.ClusteringKey(clustering_key_index=0)]
    product: Annotated[UUID, fields.ClusteringKey(clustering_key_index=1)]

    class Settings:
        name = "reviews_by_stars"
        __base_table__ = "Reviews"
        __view_columns__ = ["Stars", "at", "product"]
        __where_clause__ = '"Stars" is not null and "at" IS NOT NULL AND product IS NOT NULL'
        __clustering_order__ = {"at": "ASC", "product": "DESC"}


class ReviewsUpwards(sync.MaterializedView):
    author: Annotated[str, fields.PrimaryKey()]
    at: Annotated[datetime, fields.ClusteringKey(clustering_key_index=0)]
    product: Annotated[UUID, fields.ClusteringKey(clustering_key_index=1)]

    class Settings:
        __base_table__ = "reviews"
        __clustering_order__ = {"at": "ASC", "product": "ASC"}


class Pet(sync.Document):
    owner: Annotated[UUID, fields.PrimaryKey()]
    kind: Annotated[str, fields.Discriminator(), fields.ClusteringKey()]
    name: str

    class Settings:
        name = "pets"
        __options__ = {"gc_grace_seconds": 7200}


class Cat(Pet):
    lives: Optional[int] = None

    class Settings:
        __discriminator_value__ = "cat"


class Dog(Pet):
    tricks: Annotated[Optional[str], fields.Indexed()] = None

    class Settings:
        __discriminator_value__ = "dog"


class Timestamped(sync.Document):
    created: datetime

    class Settings:
        __abstract__ = True


class Invoice(Timestamped):
    id: Annotated[UUID, fields.PrimaryKey()]

    class Settings:
        name = "invoices"


class Mixin(aio.Document):
    updated: datetime


class Payment(Mixin):
    id: Annotated[UUID, fields.PrimaryKey()]


TABLES = [Everything, PageViews, Tuned, Review, Pet, Cat, Dog, Invoice, Payment]
VIEWS = [ReviewsByAuthor, ReviewsByStars, ReviewsUpwards]


class Product(sync.Document):
    id: Annotated[UUID, fields.PrimaryKey()]
    name: str
    brand: Annotated[str, fields.Indexed()] = "Unknown"
    price: float = 0.0

    class Settings:
        name = "products"


class GrownProduct(sync.Document):
    id: Annotated[UUID, fields.PrimaryKey()]
    name: str
    brand: str = "Unknown"
    price: float = 0.0
    rating: Annotated[int, fields.Indexed()] = 0

    class Settings:
        name = "products"
        __default_ttl__ = 7200


class Embedding(sync.Document):
    id: Annotated[UUID, fields.PrimaryKey()]
    vector: Annotated[list[float], fields.Vector(dimensions=3), fields.VectorIndex(similarity_function="DOT_PRODUCT")]

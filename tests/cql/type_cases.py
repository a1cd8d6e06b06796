"""Types and values at their limits, for the tests of types."""

from __future__ import annotations

import datetime as dt
import enum
import ipaddress
import math
import uuid
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from cassandra.util import Date, Duration, Time
from sqlalchemy.types import TypeEngine

from alembic_cql import types as cql
from alembic_cql.values import freeze

UTC = dt.timezone.utc
INDIA = dt.timezone(dt.timedelta(hours=5, minutes=30))
NOT_FINITE = (math.inf, -math.inf, math.nan)
TIMEUUID = uuid.UUID("8a172460-c6a1-11f0-bc1c-0242ac120002")
UUID4 = uuid.UUID("0d1e2c3b-4a59-4687-9f0e-1d2c3b4a5968")


class Colour(enum.Enum):
    RED = "r"
    BLUE = "b"


class Upper(sa.types.TypeDecorator[str]):
    """Upper case in the database, lower case in Python."""

    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return None if value is None else value.upper()

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        return None if value is None else value.lower()


# The driver takes the hexadecimal name of a type for a number when it has digits only, as "address" and "A" have.
ADDRESS = cql.UserType(
    "address", [("street", cql.TEXT()), ("No 1", cql.INT()), ("tags", cql.FROZEN(cql.SET(cql.TEXT)))]
)
PERSON = cql.UserType(
    "Person",
    [
        ("home", cql.FROZEN(ADDRESS)),
        ("others", cql.FROZEN(cql.LIST(cql.FROZEN(ADDRESS)))),
        ("by_year", cql.FROZEN(cql.MAP(cql.INT, cql.FROZEN(ADDRESS)))),
        ("rank", cql.FROZEN(cql.MAP(cql.FROZEN(ADDRESS), cql.INT))),
        ("pair", cql.TUPLE(cql.INT, cql.FROZEN(ADDRESS))),
    ],
)
HERE = {"street": "O'Connell St", "No 1": -1, "tags": {"b", "a", "ä", "é", "z"}}
THERE = {"street": "", "No 1": None, "tags": None}
SOMEONE = {
    "home": HERE,
    "others": [HERE, THERE],
    "by_year": {2020: HERE, 1999: THERE},
    "rank": {freeze(HERE): 1, freeze(THERE): 2},
    "pair": (None, THERE),
}

# What is written, and what is read when that is something else.
CASES: list[tuple[TypeEngine[Any], Any] | tuple[TypeEngine[Any], Any, Any]] = [
    *((cql.TEXT(), text) for text in ("", "it's", "ünï 😀", "a\nb\x00", ":x %s %(y)s ? $$ \\ \"")),
    (cql.ASCII(), ""),
    (cql.ASCII(), "~ plain"),
    *((cql.TINYINT(), number) for number in (-(2**7), 2**7 - 1)),
    *((cql.SMALLINT(), number) for number in (-(2**15), 2**15 - 1)),
    *((cql.INT(), number) for number in (-(2**31), 0, 2**31 - 1)),
    *((cql.BIGINT(), number) for number in (-(2**63), 2**63 - 1)),
    *((cql.VARINT(), number) for number in (0, -1, 127, 128, -128, -129, 10**60, -(10**60))),
    *(
        (cql.DECIMAL(), Decimal(text))
        for text in ("0", "0.00", "-1.50", "1E+40", "1E-40", "-123456789012345678901234567890.1234567890")
    ),
    (cql.DECIMAL(), 0.1, Decimal("0.1")),
    (cql.DECIMAL(), 7, Decimal(7)),
    *((kind, number) for kind in (cql.DOUBLE(), cql.FLOAT()) for number in (0.0, -0.0, 0.5, *NOT_FINITE)),
    *((cql.DOUBLE(), number) for number in (0.1, 5e-324, 1.7976931348623157e308)),
    *((cql.FLOAT(), number) for number in (1.401298464324817e-45, 3.4028234663852886e38)),
    *((cql.BOOLEAN(), flag) for flag in (True, False)),
    *((cql.BLOB(), data) for data in (b"", bytes(range(256)))),
    (cql.BLOB(), bytearray(b"\xff"), b"\xff"),
    (cql.UUID(), UUID4),
    (cql.UUID(), str(UUID4), UUID4),
    (cql.UUID(as_uuid=False), str(UUID4)),
    (cql.TIMEUUID(), TIMEUUID),
    *((cql.INET(), text) for text in ("127.0.0.1", "255.255.255.255", "::", "2001:db8::ff00:42:8329")),
    (cql.INET(), "::ffff:1.2.3.4"),
    (cql.INET(), ipaddress.ip_address("::1"), "::1"),
    *((cql.DATE(), dt.date(*day)) for day in ((1, 1, 1), (1969, 12, 31), (1970, 1, 1), (9999, 12, 31))),
    *((cql.DATE(), Date(days)) for days in (-(2**31), -1_000_000, 5_000_000, 2**31 - 1)),
    (cql.DATE(), "2020-02-29", dt.date(2020, 2, 29)),
    (cql.DATE(), dt.datetime(2020, 2, 29, 23, 59), dt.date(2020, 2, 29)),
    *((cql.TIME(), time) for time in (dt.time(0), dt.time(23, 59, 59, 999999), Time(1), Time(86_399_999_999_999))),
    (cql.TIME(), "10:11:12.123456789", Time("10:11:12.123456789")),
    *(
        (cql.TIMESTAMP(), moment)
        for moment in (
            dt.datetime(1, 1, 1),
            dt.datetime(850, 6, 1, 0, 0, 0, 1000),
            dt.datetime(1969, 12, 31, 23, 59, 59, 999000),
            dt.datetime(1970, 1, 1),
            dt.datetime(9999, 12, 31, 23, 59, 59, 999000),
        )
    ),
    *((cql.TIMESTAMP(), far) for far in (253_402_300_800_000, -62_135_596_800_001, -(2**63), 2**63 - 1)),
    (cql.TIMESTAMP(), dt.datetime(1969, 12, 31, 23, 59, 59, 999999), dt.datetime(1969, 12, 31, 23, 59, 59, 999000)),
    (cql.TIMESTAMP(), dt.datetime(2020, 1, 1, 2, tzinfo=INDIA), dt.datetime(2019, 12, 31, 20, 30)),
    (cql.TIMESTAMP(), dt.datetime.min.replace(tzinfo=INDIA), -62_135_616_600_000),
    (cql.TIMESTAMP(), dt.date(2020, 1, 1), dt.datetime(2020, 1, 1)),
    (
        cql.TIMESTAMP(timezone=True),
        dt.datetime(2020, 1, 1, 2, tzinfo=INDIA),
        dt.datetime(2019, 12, 31, 20, 30, tzinfo=UTC),
    ),
    *(
        (cql.DURATION(), Duration(*parts))
        for parts in (
            (0, 0, 0),
            (14, -0, 3),
            (-1, -2, -3),
            (2**31 - 1, 2**31 - 1, 2**63 - 1),
            (-(2**31), -(2**31), -(2**63)),
        )
    ),
    (cql.DURATION(), dt.timedelta(days=-1, seconds=5, microseconds=7), Duration(0, 0, -86_394_999_993_000)),
    (cql.DURATION(), dt.timedelta(days=-2), Duration(0, -2, 0)),
    # collections: empty ones that aren't frozen are null for the server
    (cql.LIST(cql.INT), [], None),
    (cql.LIST(cql.INT), (3, 1, 1), [3, 1, 1]),
    (cql.LIST(cql.TEXT), ["", "it's"]),
    (cql.LIST(cql.DURATION), [Duration(1, 2, 3)]),
    (cql.SET(cql.TEXT), set(), None),
    (cql.SET(cql.TEXT), ["b", "a", "b"], {"a", "b"}),
    (cql.SET(cql.BLOB), {b"", b"\x00"}),
    (cql.MAP(cql.TEXT, cql.INT), {}, None),
    (cql.MAP(cql.TIMESTAMP, cql.DATE), {dt.datetime(2020, 1, 1): dt.date(2020, 1, 1), 10**15: Date(5_000_000)}),
    (cql.MAP(cql.INET, cql.UUID), {"::1": UUID4}),
    (cql.FROZEN(cql.LIST(cql.INT)), []),
    (cql.FROZEN(cql.SET(cql.INT)), set()),
    (cql.FROZEN(cql.MAP(cql.INT, cql.INT)), {}),
    (cql.FROZEN(cql.MAP(cql.INT, cql.LIST(cql.INT))), {1: [], 2: [2]}),
    (cql.LIST(cql.FROZEN(cql.LIST(cql.FROZEN(cql.SET(cql.INT))))), [[{1}, set()], []]),
    (cql.MAP(cql.FROZEN(cql.LIST(cql.INT)), cql.FROZEN(cql.SET(cql.TEXT))), {(1, 2): {"a"}, (): set()}),
    (cql.MAP(cql.FROZEN(cql.SET(cql.INT)), cql.INT), {frozenset({300, 2, -1}): 1}),
    (cql.SET(cql.TUPLE(cql.INT, cql.FROZEN(cql.LIST(cql.TEXT)))), {(1, ("a", "b")), (None, ())}),
    *((cql.TUPLE(cql.INT, cql.TEXT), pair) for pair in ((1, "a"), (None, ""), (1, None), (None, None))),
    (cql.TUPLE(cql.INT, cql.TEXT), (1,), (1, None)),
    (cql.FROZEN(cql.TUPLE(cql.LIST(cql.INT))), ([1],)),
    # vectors: elements of fixed and of varying size
    (cql.VECTOR(cql.FLOAT, 3), [1.0, -0.5, 0.0]),
    *(
        (cql.VECTOR(kind, 2), [value, value])
        for kind, value in (
            (cql.TEXT(), "x"), (cql.INT(), 1), (cql.BIGINT(), -1), (cql.SMALLINT(), 1), (cql.TINYINT(), 1),
            (cql.VARINT(), 10**30), (cql.DECIMAL(), Decimal("1.5")), (cql.DOUBLE(), 0.1), (cql.BOOLEAN(), True),
            (cql.BLOB(), b""), (cql.UUID(), UUID4), (cql.TIMEUUID(), TIMEUUID), (cql.INET(), "::1"),
            (cql.DATE(), dt.date(1, 1, 1)), (cql.TIME(), dt.time(1)), (cql.TIMESTAMP(), dt.datetime(1, 1, 1)),
            (cql.TIMESTAMP(), 10**15), (cql.DURATION(), Duration(1, 2, 3)), (cql.FROZEN(cql.LIST(cql.INT)), [1]),
            (cql.FROZEN(cql.MAP(cql.TEXT, cql.TIMESTAMP)), {"a": dt.datetime(9999, 12, 31)}),
            (cql.TUPLE(cql.INT, cql.TEXT), (1, None)), (cql.VECTOR(cql.TEXT, 2), ["a", "bb"]),
            (cql.VECTOR(cql.FLOAT, 2), [0.5, 1.0]), (cql.FROZEN(ADDRESS), HERE), (cql.FROZEN(PERSON), SOMEONE),
        )
    ),
    (cql.LIST(cql.VECTOR(cql.FLOAT, 2)), [[0.5, 1.0]]),
    (cql.MAP(cql.VECTOR(cql.INT, 2), cql.TEXT), {(1, 2): "a"}),
    # user types
    (ADDRESS, HERE),
    (ADDRESS, ("s", 2, {"x"}), {"street": "s", "No 1": 2, "tags": {"x"}}),
    (ADDRESS, {"street": "only"}, {"street": "only", "No 1": None, "tags": None}),
    (cql.FROZEN(ADDRESS), HERE),
    (cql.FROZEN(ADDRESS), {}, dict.fromkeys(HERE)),
    (cql.SET(cql.FROZEN(ADDRESS)), [HERE, THERE, HERE], {freeze(HERE), freeze(THERE)}),
    (cql.MAP(cql.FROZEN(ADDRESS), cql.FROZEN(ADDRESS)), {freeze(HERE): THERE}),
    (cql.TUPLE(cql.FROZEN(ADDRESS), cql.INT), (HERE, 1)),
    (cql.FROZEN(PERSON), SOMEONE),
    (cql.FROZEN(PERSON), {"home": None}, dict.fromkeys(SOMEONE)),
    # SQLAlchemy's own types
    (sa.String(3), "abcdef"), (sa.Unicode(), "ü"), (sa.VARCHAR(3), "x"), (sa.CHAR(3), "x"), (sa.Text(), "x"),
    (sa.UnicodeText(), "ü"), (sa.Integer(), 1), (sa.BigInteger(), 2**40), (sa.SmallInteger(), 1),
    (sa.Float(), 0.1), (sa.Double(), 0.1), (sa.Float(24), 0.5), (sa.REAL(), 0.5), (sa.DOUBLE_PRECISION(), 0.1),
    (sa.Float(asdecimal=True), Decimal("1.5")),
    (sa.Numeric(10, 2), Decimal("1.50")), (sa.Numeric(10, 2, asdecimal=False), 1.5), (sa.DECIMAL(), Decimal("0.1")),
    (sa.Boolean(), True), (sa.Boolean(create_constraint=True, name="b"), False),
    (sa.Date(), dt.date(2020, 1, 1)), (sa.Time(), dt.time(1, 2, 3, 4)),
    (sa.DateTime(), dt.datetime(2020, 1, 1, 0, 0, 0, 5000)), (sa.TIMESTAMP(), dt.datetime(2020, 1, 1)),
    (sa.DateTime(timezone=True), dt.datetime(2020, 1, 1, tzinfo=UTC)),
    (sa.LargeBinary(), b"\x00'"), (sa.BINARY(3), b"abc"), (sa.VARBINARY(3), b"'"),
    (sa.Uuid(), UUID4), (sa.Uuid(as_uuid=False), str(UUID4)), (sa.Uuid(native_uuid=False), UUID4), (sa.UUID(), UUID4),
    (sa.UUID(as_uuid=False), str(UUID4)),
    (sa.Enum("a", "it's", name="e"), "it's"), (sa.Enum(Colour), Colour.BLUE),
    (sa.Enum(Colour, native_enum=False), Colour.RED),
    *((sa.JSON(), value) for value in ({"a": [1, None, "it's"]}, [], "x", 1, None)),
    *(
        (sa.Interval(), delta)
        for delta in (dt.timedelta(days=1, seconds=3, microseconds=5), dt.timedelta(days=-1, microseconds=1))
    ),
    (sa.PickleType(), {"a": (1, {2})}),
    (sa.ARRAY(sa.Integer), [1, 2]), (sa.ARRAY(sa.DateTime(timezone=True)), [dt.datetime(2020, 1, 1, tzinfo=UTC)]),
    (Upper(), "abc"),
    (cql.LIST(Upper()), ["abc"]), (cql.SET(sa.Enum(Colour)), {Colour.RED}), (cql.LIST(sa.JSON), [{"a": 1}]),
    (cql.MAP(sa.Uuid(as_uuid=False), sa.Interval), {str(UUID4): dt.timedelta(1)}),
    (cql.FROZEN(cql.LIST(sa.PickleType)), [{"a": 1}]),
    (sa.String().with_variant(cql.ASCII(), "cql"), "x"),
]  # fmt: skip

"""CQL's native types as SQLAlchemy types, and what stands in for SQLAlchemy's generic ones.

Import them from :mod:`alembic_cql.types`, which also says what Python values they take and give.
"""

from __future__ import annotations

import datetime
import ipaddress
import math
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeAlias

from sqlalchemy import types as sqltypes
from sqlalchemy.engine import Dialect
from sqlalchemy.types import UserDefinedType

from alembic_cql.values import from_milliseconds, to_milliseconds

Processor: TypeAlias = "Callable[[Any], Any]"

BIGINT = sqltypes.BIGINT
BOOLEAN = sqltypes.BOOLEAN
DOUBLE = sqltypes.DOUBLE
SMALLINT = sqltypes.SMALLINT
TEXT = sqltypes.TEXT

# The server holds a date as days with 1970-01-01 in the middle of an unsigned 32-bit number.
_DAY_ZERO = 2**31


def quote_text(value: str) -> str:
    """Give a CQL string literal."""
    return "'" + value.replace("'", "''") + "'"


def _or_none(process: Processor) -> Processor:
    return lambda value: None if value is None else process(value)


class ASCII(sqltypes.String):
    """``ascii``: text of US-ASCII characters."""

    __visit_name__ = "ASCII"


class INT(sqltypes.INTEGER):
    """``int``: 32 bits, signed."""

    __visit_name__ = "INTEGER"


class TINYINT(sqltypes.Integer):
    """``tinyint``: 8 bits, signed."""

    __visit_name__ = "TINYINT"


class VARINT(sqltypes.Integer):
    """``varint``: a whole number of any size."""

    __visit_name__ = "VARINT"


class COUNTER(sqltypes.BigInteger):
    """``counter``: 64 bits, changed by ``UPDATE t SET c = c + n`` only."""

    __visit_name__ = "COUNTER"


def _decimal(value: Any) -> Decimal:
    number = Decimal(str(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite():
        raise ValueError(f"a decimal column cannot hold {value!r}")
    return number


class DECIMAL(sqltypes.DECIMAL[Decimal]):
    """``decimal``: a decimal number of any size; values are :class:`decimal.Decimal`."""

    def bind_processor(self, dialect: Dialect) -> Processor:
        return _or_none(_decimal)

    def literal_processor(self, dialect: Dialect) -> Processor:
        return lambda value: str(_decimal(value))


class GenericFloat(sqltypes.Float[Any]):
    """Literals of float and double: CQL writes NaN and Infinity as words."""

    def literal_processor(self, dialect: Dialect) -> Processor:
        def process(value: Any) -> str:
            number = float(value)
            if math.isnan(number):
                return "NaN"
            if math.isinf(number):
                return "Infinity" if number > 0 else "-Infinity"
            return repr(number)

        return process


class FLOAT(GenericFloat):
    """``float``: 32 bits. (``sqlalchemy.Float`` is ``double``, which holds every Python float.)"""

    __visit_name__ = "REAL"


def _bytes(value: Any) -> bytes:
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise TypeError(f"a blob column takes bytes, not {value!r}")
    return bytes(value)


class BLOB(sqltypes.LargeBinary):
    """``blob``: bytes."""

    def bind_processor(self, dialect: Dialect) -> Processor:
        return _or_none(_bytes)

    def literal_processor(self, dialect: Dialect) -> Processor:
        return lambda value: "0x" + _bytes(value).hex()


def _uuid(value: Any) -> uuid.UUID:
    return value if isinstance(value, uuid.UUID) else uuid.UUID(value)


class UUID(sqltypes.UUID[Any]):
    """``uuid``: :class:`uuid.UUID`, or text with ``as_uuid=False``; both are always taken."""

    def bind_processor(self, dialect: Dialect) -> Processor:
        return _or_none(_uuid)

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor | None:
        return None if self.as_uuid else _or_none(str)

    def literal_processor(self, dialect: Dialect) -> Processor:
        return lambda value: str(_uuid(value))


class GenericUuid(sqltypes.Uuid[Any]):
    """``sqlalchemy.Uuid``: ``uuid``, or ``text`` with ``native_uuid=False``."""

    def bind_processor(self, dialect: Dialect) -> Processor | None:
        return _or_none(_uuid) if self.native_uuid else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor | None:
        if self.native_uuid:
            return None if self.as_uuid else _or_none(str)
        as_text: Processor | None = super().result_processor(dialect, coltype)  # type: ignore[no-untyped-call]
        return as_text

    def literal_processor(self, dialect: Dialect) -> Processor:
        if self.native_uuid:
            return lambda value: str(_uuid(value))
        as_text: Processor = super().literal_processor(dialect)  # type: ignore[no-untyped-call]
        return as_text


class TIMEUUID(UUID):
    """``timeuuid``: :class:`uuid.UUID` of version 1."""

    __visit_name__ = "TIMEUUID"


class INET(UserDefinedType[Any]):
    """``inet``: an IPv4 or IPv6 address; text or :mod:`ipaddress` objects in, text out."""

    __visit_name__ = "INET"
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Processor:
        return _or_none(lambda value: str(ipaddress.ip_address(str(value))))

    def literal_processor(self, dialect: Dialect) -> Processor:
        def process(value: Any) -> str:
            address = ipaddress.ip_address(str(value))
            if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
                return f"blobasinet(0x{address.packed.hex()})"  # as text, the server makes an IPv4 address of it
            return quote_text(str(address))

        return process


class DATE(sqltypes.DATE):
    """``date``: :class:`datetime.date`, or ``cassandra.util.Date`` for other years."""

    def bind_processor(self, dialect: Dialect) -> Processor:
        return _or_none(lambda value: value.date() if isinstance(value, datetime.datetime) else value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        def process(value: Any) -> Any:
            if value is None or isinstance(value, datetime.date):
                return value
            try:
                return value.date()
            except (ValueError, OverflowError):
                return value

        return process

    def literal_processor(self, dialect: Dialect) -> Processor:
        def process(value: Any) -> str:
            if isinstance(value, datetime.datetime):
                value = value.date()
            if isinstance(value, int):  # days as the server counts them
                return str(value)
            if isinstance(value, (datetime.date, str)):
                return quote_text(str(value))
            return str(value.days_from_epoch + _DAY_ZERO)

        return process


class TIME(sqltypes.TIME):
    """``time``: :class:`datetime.time`, or ``cassandra.util.Time`` where there are nanoseconds."""

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        def process(value: Any) -> Any:
            if value is None or isinstance(value, datetime.time) or value.nanosecond_time % 1000:
                return value
            return value.time()

        return process

    def literal_processor(self, dialect: Dialect) -> Processor:
        def process(value: Any) -> str:
            if isinstance(value, datetime.time):
                value = value.replace(tzinfo=None)  # as the driver does with a bound value
            return str(value) if isinstance(value, int) else quote_text(str(value))

        return process


class TIMESTAMP(sqltypes.TIMESTAMP):
    """``timestamp``: :class:`datetime.datetime` to the millisecond, in UTC.

    :param timezone: True gives aware values (UTC), False naive ones. Aware values are always taken.
    """

    def bind_processor(self, dialect: Dialect) -> None:
        return None  # see alembic_cql._protocol

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor | None:
        if not self.timezone:
            return None

        def process(value: Any) -> Any:
            return value.replace(tzinfo=datetime.timezone.utc) if isinstance(value, datetime.datetime) else value

        return process

    def literal_processor(self, dialect: Dialect) -> Processor:
        def process(value: Any) -> str:
            milliseconds = to_milliseconds(value)
            moment = from_milliseconds(milliseconds)
            if isinstance(moment, int):
                return str(milliseconds)
            # Without an offset the server would read it in its own time zone.
            return quote_text(moment.isoformat(timespec="milliseconds") + "+0000")

        return process


class DURATION(UserDefinedType[Any]):
    """``duration``: ``cassandra.util.Duration``; takes :class:`datetime.timedelta` as well."""

    __visit_name__ = "DURATION"
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Processor:
        def process(value: Any) -> Any:
            if not isinstance(value, datetime.timedelta):
                return value
            from cassandra.util import Duration

            seconds, days = value.seconds, value.days
            if days < 0 and (seconds or value.microseconds):  # all three parts must have one sign
                days, seconds = days + 1, seconds - 86_400
            return Duration(0, days, seconds * 10**9 + value.microseconds * 1000)

        return process

    def literal_processor(self, dialect: Dialect) -> Processor:
        to_duration = self.bind_processor(dialect)

        def process(value: Any) -> str:
            duration = to_duration(value)
            months, days, nanoseconds = duration.months, duration.days, duration.nanoseconds
            if max(months, days, nanoseconds) > 0 > min(months, days, nanoseconds):
                raise ValueError(f"months, days and nanoseconds of a duration must have one sign, not {value!r}")
            if -(2**31) in (months, days) or nanoseconds == -(2**63):
                # CQL writes the sign before the number, and the smallest numbers have no positive counterparts.
                from cassandra.cqltypes import DurationType

                return f"blobasduration(0x{DurationType.serialize(duration, 5).hex()})"
            sign = "-" if min(months, days, nanoseconds) < 0 else ""
            return f"{sign}{abs(months)}mo{abs(days)}d{abs(nanoseconds)}ns"

        return process


class GenericInterval(DURATION):
    """``sqlalchemy.Interval``: ``duration``; values are :class:`datetime.timedelta`."""

    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        def process(value: Any) -> Any:
            # How long a month is depends on the day it is added to, and a timedelta has no nanoseconds.
            if value.months or value.nanoseconds % 1000:
                return value
            return datetime.timedelta(value.days, microseconds=value.nanoseconds // 1000)

        return _or_none(process)


class GenericJSON(sqltypes.JSON):
    """``sqlalchemy.JSON``: JSON in a ``text``."""

    def literal_processor(self, dialect: Dialect) -> Processor:
        to_text: Processor = self.bind_processor(dialect)  # type: ignore[no-untyped-call]
        return lambda value: quote_text(to_text(value))

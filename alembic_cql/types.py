"""CQL's data types as SQLAlchemy types.

SQLAlchemy's own types may be used in models as well: ``String`` and ``Text`` are ``text``, ``Integer`` ``int``,
``Float`` and ``Double`` ``double``, ``DateTime`` ``timestamp``, ``Uuid`` ``uuid``, ``Numeric`` ``decimal``,
``LargeBinary`` ``blob``, ``ARRAY`` ``list`` (the whole table stands in docs/cql/types.md).

Values: Python's own wherever they hold what CQL's hold. A ``date`` outside the years 1 to 9999 and a ``time`` with
nanoseconds come back as the driver's ``cassandra.util.Date`` and ``Time``, a ``duration`` as its ``Duration``.
Composite values come back as list, set, dict, tuple and :class:`~alembic_cql.values.UserTypeValue`; inside a set
or as keys of a map in their hashable forms. An empty collection that isn't frozen comes back as None: the server
doesn't tell the two apart.
"""

from __future__ import annotations

import datetime
import ipaddress
import math
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import types as sqltypes
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine, UserDefinedType, to_instance

from alembic_cql.values import UserTypeValue, freeze, user_type_fields

if TYPE_CHECKING:
    from sqlalchemy import MetaData

TypeArgument: TypeAlias = "TypeEngine[Any] | type[TypeEngine[Any]]"
Processor: TypeAlias = "Callable[[Any], Any]"

BIGINT = sqltypes.BIGINT
BOOLEAN = sqltypes.BOOLEAN
DOUBLE = sqltypes.DOUBLE
SMALLINT = sqltypes.SMALLINT
TEXT = sqltypes.TEXT


def quote_text(value: str) -> str:
    """Give a CQL string literal."""
    return "'" + value.replace("'", "''") + "'"


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


class DECIMAL(sqltypes.DECIMAL[Decimal]):
    """``decimal``: a decimal number of any size; values are :class:`decimal.Decimal`."""

    def literal_processor(self, dialect: Dialect) -> Processor:
        return lambda value: str(Decimal(value))


class _Float(sqltypes.Float[Any]):
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


class FLOAT(_Float):
    """``float``: 32 bits. (``sqlalchemy.Float`` is ``double``, which holds every Python float.)"""

    __visit_name__ = "REAL"


class BLOB(sqltypes.LargeBinary):
    """``blob``: bytes."""

    def literal_processor(self, dialect: Dialect) -> Processor:
        return lambda value: "0x" + bytes(value).hex()


class UUID(sqltypes.UUID[Any]):
    """``uuid``: :class:`uuid.UUID`."""

    def literal_processor(self, dialect: Dialect) -> Processor:
        return str


class TIMEUUID(UUID):
    """``timeuuid``: :class:`uuid.UUID` of version 1."""

    __visit_name__ = "TIMEUUID"


class INET(UserDefinedType[Any]):
    """``inet``: an IPv4 or IPv6 address; text or :mod:`ipaddress` objects in, text out."""

    __visit_name__ = "INET"
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Processor:
        return lambda value: None if value is None else str(value)

    def literal_processor(self, dialect: Dialect) -> Processor:
        return lambda value: quote_text(str(ipaddress.ip_address(str(value))))


class DATE(sqltypes.DATE):
    """``date``: :class:`datetime.date`, or ``cassandra.util.Date`` for other years."""

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
        return lambda value: quote_text(str(value))


class TIME(sqltypes.TIME):
    """``time``: :class:`datetime.time`, or ``cassandra.util.Time`` where there are nanoseconds."""

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        def process(value: Any) -> Any:
            if value is None or isinstance(value, datetime.time) or value.nanosecond_time % 1000:
                return value
            return value.time()

        return process

    def literal_processor(self, dialect: Dialect) -> Processor:
        return lambda value: quote_text(str(value))


class TIMESTAMP(sqltypes.TIMESTAMP):
    """``timestamp``: :class:`datetime.datetime` to the millisecond, in UTC.

    :param timezone: True gives aware values (UTC), False naive ones. Aware values are always taken.
    """

    def bind_processor(self, dialect: Dialect) -> Processor:
        def process(value: Any) -> Any:
            if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
                return datetime.datetime(value.year, value.month, value.day)
            return value

        return process

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor | None:
        if not self.timezone:
            return None

        def process(value: Any) -> Any:
            return value.replace(tzinfo=datetime.timezone.utc) if isinstance(value, datetime.datetime) else value

        return process

    def literal_processor(self, dialect: Dialect) -> Processor:
        def process(value: datetime.datetime) -> str:
            if value.tzinfo is not None:
                value = value.astimezone(datetime.timezone.utc)
            # Without an offset the server would read it in its own time zone.
            return quote_text(f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03d}+0000")

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
            sign = "-" if min(duration.months, duration.days, duration.nanoseconds) < 0 else ""
            return f"{sign}{abs(duration.months)}mo{abs(duration.days)}d{abs(duration.nanoseconds)}ns"

        return process


class _Composite(UserDefinedType[Any]):
    """A type made of other types; the subclasses say how a value is taken apart and put together."""

    def _parts(self) -> tuple[TypeEngine[Any], ...]:
        raise NotImplementedError

    def _map(self, value: Any, part: Callable[[int, Any], Any]) -> Any:
        """Give the value with ``part(index of the type in _parts, element)`` in place of each element."""
        raise NotImplementedError

    def _result(self, value: Any) -> Any:
        return value

    def _brackets(self, items: Any) -> str:
        return "[" + ", ".join(items) + "]"

    def bind_processor(self, dialect: Dialect) -> Processor:
        processors = [part.dialect_impl(dialect).bind_processor(dialect) for part in self._parts()]
        return self._process(processors, lambda value: value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        processors = [part.dialect_impl(dialect).result_processor(dialect, None) for part in self._parts()]
        return self._process(processors, self._result)

    def literal_processor(self, dialect: Dialect) -> Processor:
        processors = [literal_of(part, dialect) for part in self._parts()]
        to_text = self._process(processors, lambda value: value)
        return lambda value: "NULL" if value is None else self._brackets(to_text(value))

    def _process(self, processors: list[Any], finish: Processor) -> Processor:
        def part(index: int, element: Any) -> Any:
            processor = processors[index]
            return element if processor is None else processor(element)

        return lambda value: None if value is None else finish(self._map(value, part))


def literal_of(type_: TypeEngine[Any], dialect: Dialect) -> Processor:
    """Give the function that writes a value of a type as a CQL literal.

    :raises NotImplementedError: for a type that has none.
    """
    processor = type_.dialect_impl(dialect).literal_processor(dialect)
    if processor is None:
        raise NotImplementedError(f"values of {type_!r} cannot be written as CQL text")
    return lambda value: "NULL" if value is None else processor(value)


class LIST(_Composite):
    """``list<item_type>``."""

    __visit_name__ = "CQL_LIST"
    cache_ok = True  # SQLAlchemy wants it said by each class itself

    def __init__(self, item_type: TypeArgument) -> None:
        self.item_type: TypeEngine[Any] = to_instance(item_type)

    def _parts(self) -> tuple[TypeEngine[Any], ...]:
        return (self.item_type,)

    def _map(self, value: Any, part: Callable[[int, Any], Any]) -> Any:
        if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
            raise TypeError(f"a list is wanted, not {value!r}")
        return [part(0, item) for item in value]


class SET(LIST):
    """``set<item_type>``."""

    __visit_name__ = "CQL_SET"
    cache_ok = True

    def _result(self, value: Any) -> Any:
        return {freeze(item) for item in value}

    def _brackets(self, items: Any) -> str:
        return "{" + ", ".join(items) + "}"


class VECTOR(LIST):
    """``vector<item_type, dimension>`` (Cassandra 5.0, ScyllaDB 2025.2).

    :param dimension: how many elements each value has.
    """

    __visit_name__ = "CQL_VECTOR"
    cache_ok = True

    def __init__(self, item_type: TypeArgument, dimension: int) -> None:
        super().__init__(item_type)
        self.dimension = dimension


class MAP(_Composite):
    """``map<key_type, value_type>``."""

    __visit_name__ = "CQL_MAP"
    cache_ok = True

    def __init__(self, key_type: TypeArgument, value_type: TypeArgument) -> None:
        self.key_type: TypeEngine[Any] = to_instance(key_type)
        self.value_type: TypeEngine[Any] = to_instance(value_type)

    def _parts(self) -> tuple[TypeEngine[Any], ...]:
        return (self.key_type, self.value_type)

    def _map(self, value: Any, part: Callable[[int, Any], Any]) -> Any:
        if not hasattr(value, "items"):
            raise TypeError(f"a mapping is wanted, not {value!r}")
        # Pairs, not a dict: a converted key need not be hashable. The driver takes anything with items().
        return _Pairs((part(0, key), part(1, item)) for key, item in value.items())

    def _result(self, value: Any) -> Any:
        return {freeze(key): item for key, item in value.items()}

    def _brackets(self, items: Any) -> str:
        return "{" + ", ".join(f"{key}: {value}" for key, value in items.items()) + "}"


class _Pairs(list[Any]):
    """Pairs that the driver takes for a mapping."""

    def items(self) -> list[Any]:
        return self


class TUPLE(_Composite):
    """``tuple<...>``; always frozen, so ``frozen<tuple<...>>`` is the same type."""

    __visit_name__ = "CQL_TUPLE"

    def __init__(self, *item_types: TypeArgument) -> None:
        self.item_types: tuple[TypeEngine[Any], ...] = tuple(to_instance(item) for item in item_types)

    def adapt(self, cls: type[Any], **kw: Any) -> Any:
        return cls(*self.item_types)

    @property
    def _static_cache_key(self) -> Any:
        # SQLAlchemy makes the key out of __init__'s named parameters, and this one has none.
        return (type(self), *(item._static_cache_key for item in self.item_types))

    def __repr__(self) -> str:
        return f"TUPLE({', '.join(map(repr, self.item_types))})"

    def _parts(self) -> tuple[TypeEngine[Any], ...]:
        return self.item_types

    def _map(self, value: Any, part: Callable[[int, Any], Any]) -> Any:
        if len(value) > len(self.item_types):
            raise ValueError(f"a tuple of {len(self.item_types)} elements is wanted, not {value!r}")
        return tuple(part(index, item) for index, item in enumerate(value))

    def _brackets(self, items: Any) -> str:
        return "(" + ", ".join(items) + ")"


class FROZEN(_Composite):
    """``frozen<inner>``: a collection or user type that is written and read as one value."""

    __visit_name__ = "CQL_FROZEN"
    cache_ok = True

    def __init__(self, inner: TypeArgument) -> None:
        self.inner: TypeEngine[Any] = to_instance(inner)

    def _parts(self) -> tuple[TypeEngine[Any], ...]:
        return (self.inner,)

    def _map(self, value: Any, part: Callable[[int, Any], Any]) -> Any:
        return part(0, value)

    def _brackets(self, items: Any) -> str:
        return str(items)


class CustomType(UserDefinedType[Any]):
    """A type known to the server by its Java class only, such as ``'org.example.MyType'``; values are bytes."""

    __visit_name__ = "CQL_CUSTOM"
    cache_ok = True

    def __init__(self, class_name: str) -> None:
        self.class_name = class_name


class UserType(_Composite):
    """A user-defined type: declared once with a MetaData, used as the type of columns, usually in ``FROZEN``.

    ``create_all`` creates it before the tables, ``drop_all`` drops it after them.

    :param name: name in the keyspace.
    :param fields: field types by name, or pairs, in order. Without fields it is a mere reference by name.
    :param metadata: where it belongs, so that ``create_all`` finds it.
    :param schema: keyspace; that of the connection when None.
    """

    __visit_name__ = "CQL_USER_TYPE"

    def __init__(
        self,
        name: str,
        fields: Mapping[str, TypeArgument] | Iterable[tuple[str, TypeArgument]] = (),
        metadata: MetaData | None = None,
        schema: str | None = None,
    ) -> None:
        pairs = fields.items() if isinstance(fields, Mapping) else fields
        self.name = name
        self.fields: tuple[tuple[str, TypeEngine[Any]], ...] = tuple((key, to_instance(kind)) for key, kind in pairs)
        self.schema = schema
        if metadata is not None:
            from alembic_cql.schema import attach

            attach(metadata, self)

    def adapt(self, cls: type[Any], **kw: Any) -> Any:
        return cls(self.name, self.fields, schema=self.schema)

    @property
    def _static_cache_key(self) -> Any:
        fields = tuple((name, kind._static_cache_key) for name, kind in self.fields)
        return (type(self), self.name, self.schema, fields)

    def __repr__(self) -> str:
        schema = "" if self.schema is None else f", schema={self.schema!r}"
        return f"UserType({self.name!r}, {list(self.fields)!r}{schema})"

    def _parts(self) -> tuple[TypeEngine[Any], ...]:
        return tuple(kind for _, kind in self.fields)

    def _map(self, value: Any, part: Callable[[int, Any], Any]) -> Any:
        if not self.fields:
            return value
        values = user_type_fields(value, (name for name, _ in self.fields))
        return tuple(part(index, item) for index, item in enumerate(values))

    def _result(self, value: Any) -> Any:
        if not self.fields:
            return value
        return UserTypeValue(zip((name for name, _ in self.fields), value, strict=True))

    def literal_processor(self, dialect: Dialect) -> Processor:
        quote = dialect.identifier_preparer.quote
        literals = [literal_of(part, dialect) for part in self._parts()]

        def process(value: Any) -> str:
            values = self._map(value, lambda index, item: literals[index](item))
            pairs = zip(self.fields, values, strict=True)
            return "{" + ", ".join(f"{quote(name)}: {text}" for (name, _), text in pairs) + "}"

        return process


# What stands in for SQLAlchemy's generic types when values are bound, read and written as text.
COLSPECS: dict[type[TypeEngine[Any]], type[TypeEngine[Any]]] = {
    sqltypes.ARRAY: LIST,
    sqltypes.Date: DATE,
    sqltypes.DateTime: TIMESTAMP,
    sqltypes.Float: _Float,
    sqltypes.LargeBinary: BLOB,
    sqltypes.Numeric: DECIMAL,
    sqltypes.Time: TIME,
    sqltypes.Uuid: UUID,
}

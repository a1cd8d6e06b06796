"""CQL's collections, tuples, vectors and user types as SQLAlchemy types.

Import them from :mod:`alembic_cql.types`. Expressions on columns of these types: ``tags.contains("x")``,
``prices.contains_key("eur")``, ``prices["eur"]``, ``names[0]``, ``address["street"]`` (not frozen), ``tags + {"x"}``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from typing import Any, TypeAlias

from sqlalchemy import bindparam, literal_column
from sqlalchemy import types as sqltypes
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import BinaryExpression
from sqlalchemy.types import TypeEngine, UserDefinedType, to_instance

from alembic_cluster.errors import InvalidModel
from alembic_cql._exceptions import DataError
from alembic_cql.scalars import BLOB, Processor
from alembic_cql.values import freeze, pairs

TypeArgument: TypeAlias = "TypeEngine[Any] | type[TypeEngine[Any]]"

CONTAINS = "CONTAINS"
CONTAINS_KEY = "CONTAINS KEY"
FIELD = "cql_field"  # modifier of a getitem expression: what is got is a field of a user type


def instance(kind: Any, where: str) -> TypeEngine[Any]:
    """Give a type's instance.

    :param where: what has the type, for messages.
    :raises InvalidModel: for what isn't a type.
    """
    try:
        made = to_instance(kind)
    except Exception:
        made = None
    if not isinstance(made, TypeEngine):
        raise InvalidModel(f"{where} takes a type, such as cql.INT, not {kind!r}; nothing was sent")
    return made


class _Comparator(UserDefinedType.Comparator[Any]):
    """Expressions on a column of a composite type."""

    def contains(self, other: Any, **kw: Any) -> Any:
        """``column CONTAINS value``: an element of a list or set, or a value of a map."""
        return self._contains(CONTAINS, other)

    def contains_key(self, other: Any) -> Any:
        """``column CONTAINS KEY key`` of a map."""
        return self._contains(CONTAINS_KEY, other)

    def _contains(self, operator: str, other: Any) -> Any:
        return self.expr.op(operator, is_comparison=True, return_type=sqltypes.BOOLEAN())(other)

    def __getitem__(self, index: Any) -> Any:
        kind: Any = self.type
        index_type, element_type = kind.element_of(index)
        if index_type is None:
            place: Any = literal_column(index)
        else:
            place = bindparam(None, index, type_=index_type, unique=True)
        return BinaryExpression(
            self.expr, place, operators.getitem, type_=element_type, modifiers={FIELD: index_type is None}
        )


class Composite(UserDefinedType[Any]):
    """A type made of other types; the subclasses say how a value is taken apart and put together."""

    comparator_factory = _Comparator

    def parts(self) -> tuple[TypeEngine[Any], ...]:
        """Give the types that this one is made of."""
        raise NotImplementedError

    def element_of(self, index: Any) -> tuple[TypeEngine[Any] | None, TypeEngine[Any]]:
        """Give the types of an index into a value (None for the name of a field) and of what is there.

        :raises NotImplementedError: when CQL can't select or set single elements.
        """
        raise NotImplementedError(f"{self!r} has no elements that CQL can select or set by an index")

    def _map(self, value: Any, part: Callable[[int, Any], Any]) -> Any:
        """Give the value with ``part(index of the type in parts, element)`` in place of each element."""
        raise NotImplementedError

    def _bound(self, value: Any) -> Any:
        return value

    def _result(self, value: Any) -> Any:
        return value

    def _brackets(self, items: Any) -> str:
        return "[" + ", ".join(items) + "]"

    def _inward(self, process: Processor | None) -> Processor | None:
        """Give the function for an element on its way to the server."""
        return process

    def bind_processor(self, dialect: Dialect) -> Processor:
        processors = [part.dialect_impl(dialect).bind_processor(dialect) for part in self.parts()]
        return self.checked(self._process([self._inward(processor) for processor in processors], self._bound))

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        processors = [part.dialect_impl(dialect).result_processor(dialect, None) for part in self.parts()]
        return self._process(processors, self._result)

    def literal_processor(self, dialect: Dialect) -> Processor:
        literals = [self._inward(literal_of(part, dialect)) for part in self.parts()]
        return self.checked(self._process(literals, self._brackets))

    def _process(self, processors: list[Any], finish: Processor) -> Processor:
        def part(index: int, element: Any) -> Any:
            processor = processors[index]
            return element if processor is None else processor(element)

        return lambda value: None if value is None else finish(self._map(value, part))

    def checked(self, process: Processor) -> Processor:
        """Turn what is wrong with a value into the DB-API's error for that."""

        def process_checked(value: Any) -> Any:
            try:
                return process(value)
            except (TypeError, ValueError, ArithmeticError, AttributeError, LookupError) as error:
                raise DataError(f"a value does not fit its type {self!r}: {error}; nothing was sent") from error

        return process_checked

    def coerce_compared_value(self, op: Any, value: Any) -> Any:
        text = getattr(op, "opstring", "").upper()
        if text == CONTAINS:
            return self.parts()[-1]
        return self.parts()[0] if text == CONTAINS_KEY else self


def literal_of(type_: TypeEngine[Any], dialect: Dialect) -> Processor:
    """Give the function that writes a value of a type as a CQL literal.

    :raises NotImplementedError: for a type that has none.
    """
    impl = type_.dialect_impl(dialect)
    processor = impl.literal_processor(dialect)
    if isinstance(type_, sqltypes.PickleType):  # it pickles bound values only
        pickled: Any = impl.bind_processor(dialect)
        to_text: Any = BLOB().literal_processor(dialect)
        return lambda value: "NULL" if value is None else str(to_text(pickled(value)))
    if processor is None:
        raise NotImplementedError(f"values of {type_!r} cannot be written as CQL text")
    # JSON's null is a value, unless the type says otherwise.
    return lambda value: "NULL" if value is None and not type_.should_evaluate_none else processor(value)


class _Collection(Composite):
    """Refuses null elements: the server has no place for them, and takes some of them all the same."""

    def _inward(self, process: Processor | None) -> Processor:
        def checked(element: Any) -> Any:
            if element is None:
                raise ValueError("None cannot be an element of a collection")
            return element if process is None else process(element)

        return checked


class LIST(_Collection):
    """``list<item_type>``."""

    __visit_name__ = "CQL_LIST"
    cache_ok = True  # SQLAlchemy wants it said by each class itself

    def __init__(self, item_type: TypeArgument) -> None:
        self.item_type = instance(item_type, type(self).__name__)

    def parts(self) -> tuple[TypeEngine[Any], ...]:
        return (self.item_type,)

    def element_of(self, index: Any) -> tuple[TypeEngine[Any] | None, TypeEngine[Any]]:
        return sqltypes.INTEGER(), self.item_type

    def _map(self, value: Any, part: Callable[[int, Any], Any]) -> Any:
        if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
            raise TypeError(f"a list is wanted, not {value!r}")
        return [part(0, item) for item in value]


class SET(LIST):
    """``set<item_type>``."""

    __visit_name__ = "CQL_SET"
    cache_ok = True

    def element_of(self, index: Any) -> tuple[TypeEngine[Any] | None, TypeEngine[Any]]:
        return self.item_type, self.item_type

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

    def element_of(self, index: Any) -> tuple[TypeEngine[Any] | None, TypeEngine[Any]]:
        return Composite.element_of(self, index)

    def _map(self, value: Any, part: Callable[[int, Any], Any]) -> Any:
        items = super()._map(value, part)
        if len(items) != self.dimension:
            raise ValueError(f"{self.dimension} elements are wanted, not {len(items)}")
        return items


class MAP(_Collection):
    """``map<key_type, value_type>``."""

    __visit_name__ = "CQL_MAP"
    cache_ok = True

    def __init__(self, key_type: TypeArgument, value_type: TypeArgument) -> None:
        self.key_type = instance(key_type, type(self).__name__)
        self.value_type = instance(value_type, type(self).__name__)

    def parts(self) -> tuple[TypeEngine[Any], ...]:
        return (self.key_type, self.value_type)

    def element_of(self, index: Any) -> tuple[TypeEngine[Any] | None, TypeEngine[Any]]:
        return self.key_type, self.value_type

    def coerce_compared_value(self, op: Any, value: Any) -> Any:
        if op is operators.sub and isinstance(value, Set):  # m - {keys}
            return SET(self.key_type)
        return super().coerce_compared_value(op, value)

    def _map(self, value: Any, part: Callable[[int, Any], Any]) -> Any:
        # Pairs, not a dict: a converted key need not be hashable. The driver takes anything with items().
        return _Pairs((part(0, key), part(1, item)) for key, item in pairs(value))

    def _result(self, value: Any) -> Any:
        return {freeze(key): item for key, item in value.items()}

    def _brackets(self, items: Any) -> str:
        return "{" + ", ".join(f"{key}: {value}" for key, value in items.items()) + "}"


class _Pairs(list[Any]):
    """Pairs that the driver takes for a mapping."""

    def items(self) -> list[Any]:
        return self


class TUPLE(Composite):
    """``tuple<...>``; always frozen, so ``frozen<tuple<...>>`` is the same type."""

    __visit_name__ = "CQL_TUPLE"
    cache_ok = True

    def __init__(self, *item_types: TypeArgument) -> None:
        self.item_types: tuple[TypeEngine[Any], ...] = tuple(instance(item, type(self).__name__) for item in item_types)

    def adapt(self, cls: type[Any], **kw: Any) -> Any:
        return cls(*self.item_types)

    @property
    def _static_cache_key(self) -> Any:
        # SQLAlchemy makes the key out of __init__'s named parameters, and this one has none.
        return (type(self), *(item._static_cache_key for item in self.item_types))

    def __repr__(self) -> str:
        return f"TUPLE({', '.join(map(repr, self.item_types))})"

    def parts(self) -> tuple[TypeEngine[Any], ...]:
        return self.item_types

    def _map(self, value: Any, part: Callable[[int, Any], Any]) -> Any:
        if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
            raise TypeError(f"a tuple is wanted, not {value!r}")
        items = tuple(value)
        if len(items) > len(self.item_types):
            raise ValueError(f"a tuple of {len(self.item_types)} elements is wanted, not {value!r}")
        items += (None,) * (len(self.item_types) - len(items))  # the server takes a short one, and can't show it
        return tuple(part(index, item) for index, item in enumerate(items))

    def _brackets(self, items: Any) -> str:
        return "(" + ", ".join(items) + ")"


class FROZEN(Composite):
    """``frozen<inner>``: a collection or user type that is written and read as one value."""

    __visit_name__ = "CQL_FROZEN"
    cache_ok = True

    def __init__(self, inner: TypeArgument) -> None:
        self.inner = instance(inner, type(self).__name__)

    def parts(self) -> tuple[TypeEngine[Any], ...]:
        return (self.inner,)

    def element_of(self, index: Any) -> tuple[TypeEngine[Any] | None, TypeEngine[Any]]:
        inner: Any = self.inner
        found: tuple[TypeEngine[Any] | None, TypeEngine[Any]] = inner.element_of(index)
        return found

    def coerce_compared_value(self, op: Any, value: Any) -> Any:
        found = self.inner.coerce_compared_value(op, value)
        return self if found is self.inner else found

    def _map(self, value: Any, part: Callable[[int, Any], Any]) -> Any:
        return part(0, value)

    def _brackets(self, items: Any) -> str:
        return str(items)

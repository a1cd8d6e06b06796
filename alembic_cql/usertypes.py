"""User-defined types, and types that only the server knows. Import them from :mod:`alembic_cql.types`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import SimpleNamespace
from typing import Any, TypeAlias, overload

from sqlalchemy import MetaData
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine, UserDefinedType

from alembic_cluster.errors import InvalidModel
from alembic_cql.composites import Composite, TypeArgument, instance, literal_of
from alembic_cql.scalars import BLOB, Processor
from alembic_cql.values import UserTypeValue, user_type_fields


def _text(given: Any, where: str) -> str:
    if not isinstance(given, str) or not given:
        raise InvalidModel(f"{where} takes a name, not {given!r}; nothing was sent")
    return given


class CustomType(UserDefinedType[Any]):
    """A type known to the server by its Java class only, such as ``'org.example.MyType'``; values are bytes."""

    __visit_name__ = "CQL_CUSTOM"
    cache_ok = True

    def __init__(self, class_name: str) -> None:
        self.class_name = _text(class_name, "CustomType")

    def literal_processor(self, dialect: Dialect) -> Processor:
        to_text: Processor = BLOB().literal_processor(dialect)
        return to_text


Fields: TypeAlias = "Mapping[str, TypeArgument] | Iterable[tuple[str, TypeArgument]]"


def typed_pairs(given: Fields, where: str, what: str) -> tuple[tuple[str, TypeEngine[Any]], ...]:
    """Give named types, of a user type or of a function's arguments.

    :param given: types by name, or pairs, in order.
    :param where: what they belong to, for messages.
    :param what: what each is called.
    :raises InvalidModel: for something else.
    """
    try:
        pairs = [(name, kind) for name, kind in (given.items() if isinstance(given, Mapping) else given)]
        if not all(isinstance(name, str) for name, _ in pairs):
            raise TypeError
    except (TypeError, ValueError):
        raise InvalidModel(
            f"{where}: {what}s are types by name, or pairs of both, not {given!r}; nothing was sent"
        ) from None
    return tuple((name, instance(kind, f"{where}: {what} {name!r}")) for name, kind in pairs)


def _fields_and_metadata(fields: Fields = (), metadata: MetaData | None = None) -> tuple[Fields, MetaData | None]:
    return fields, metadata


class UserType(Composite):
    """A user-defined type: declared once with a MetaData, used as the type of columns, usually in ``FROZEN``.

    ``UserType("address", metadata, {"street": TEXT})`` declares one as other objects are declared;
    ``UserType("address", {"street": TEXT})`` belongs to no MetaData, and ``UserType("address")`` only names one.

    ``create_all`` creates it before the tables, ``drop_all`` drops it after them. Fields that the server's type has
    besides are null when written and left out when read.

    :param name: name in the keyspace.
    :param fields: field types by name, or pairs, in order. Without fields it is a mere reference by name.
    :param metadata: where it belongs, so that ``create_all`` finds it; before the fields or after them.
    :param schema: keyspace; that of the connection when None.
    :raises InvalidModel: for fields that are none.
    """

    __visit_name__ = "CQL_USER_TYPE"
    cache_ok = True

    @overload
    def __init__(
        self, name: str, fields: Fields = ..., metadata: MetaData | None = None, *, schema: str | None = None
    ) -> None: ...
    @overload
    def __init__(self, name: str, metadata: MetaData, fields: Fields = ..., *, schema: str | None = None) -> None: ...
    def __init__(self, name: str, *given: Any, schema: str | None = None, **named: Any) -> None:
        if given and isinstance(given[0], MetaData):
            named["metadata"], given = given[0], given[1:]
        fields, metadata = _fields_and_metadata(*given, **named)
        self.name = _text(name, "UserType")
        self.fields = typed_pairs(fields, f"user type {name!r}", "field")
        self.schema = None if schema is None else _text(schema, f"user type {name!r}: schema")
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

    def parts(self) -> tuple[TypeEngine[Any], ...]:
        return tuple(kind for _, kind in self.fields)

    def field_names(self) -> tuple[str, ...]:
        """Give the names of the fields, in order."""
        return tuple(name for name, _ in self.fields)

    def element_of(self, index: Any) -> tuple[TypeEngine[Any] | None, TypeEngine[Any]]:
        kinds = dict(self.fields)
        if index not in kinds:
            raise KeyError(f"the user type {self.name!r} has no field {index!r}")
        return None, kinds[index]

    def _map(self, value: Any, part: Callable[[int, Any], Any]) -> Any:
        if not self.fields:
            return value
        values = user_type_fields(value, self.field_names())
        return tuple(part(index, item) for index, item in enumerate(values))

    def _bound(self, value: Any) -> Any:
        # By name: the server's type may have more fields by now, and the driver would miss them in a tuple.
        return SimpleNamespace(**dict(zip(self.field_names(), value, strict=True))) if self.fields else value

    def _brackets(self, items: Any) -> str:
        raise NotImplementedError

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        names = self.field_names()
        processors = [part.dialect_impl(dialect).result_processor(dialect, None) for part in self.parts()]

        def process(value: Any) -> Any:
            if value is None or not names:
                return value
            found = (*value, *[None] * (len(names) - len(value)))  # ALTER TYPE adds fields at the end
            return UserTypeValue(
                (name, item if processor is None else processor(item))
                for name, processor, item in zip(names, processors, found, strict=False)
            )

        return process

    def literal_processor(self, dialect: Dialect) -> Processor:
        if not self.fields:
            raise NotImplementedError(f"the fields of the user type {self.name!r} are not known")
        quote = dialect.identifier_preparer.quote
        names = [quote(name) for name in self.field_names()]
        literals = [literal_of(part, dialect) for part in self.parts()]

        def process(value: Any) -> str:
            values = self._map(value, lambda index, item: literals[index](item))
            return "{" + ", ".join(f"{name}: {text}" for name, text in zip(names, values, strict=True)) + "}"

        return self.checked(lambda value: "NULL" if value is None else process(value))

"""User-defined types, and types that only the server knows. Import them from :mod:`alembic_cql.types`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine, UserDefinedType, to_instance

from alembic_cql.composites import Composite, TypeArgument, literal_of
from alembic_cql.scalars import BLOB, Processor
from alembic_cql.values import UserTypeValue, user_type_fields

if TYPE_CHECKING:
    from sqlalchemy import MetaData


class CustomType(UserDefinedType[Any]):
    """A type known to the server by its Java class only, such as ``'org.example.MyType'``; values are bytes."""

    __visit_name__ = "CQL_CUSTOM"
    cache_ok = True

    def __init__(self, class_name: str) -> None:
        self.class_name = class_name

    def literal_processor(self, dialect: Dialect) -> Processor:
        to_text: Processor = BLOB().literal_processor(dialect)
        return to_text


class UserType(Composite):
    """A user-defined type: declared once with a MetaData, used as the type of columns, usually in ``FROZEN``.

    ``create_all`` creates it before the tables, ``drop_all`` drops it after them. Fields that the server's type has
    besides are null when written and left out when read.

    :param name: name in the keyspace.
    :param fields: field types by name, or pairs, in order. Without fields it is a mere reference by name.
    :param metadata: where it belongs, so that ``create_all`` finds it.
    :param schema: keyspace; that of the connection when None.
    """

    __visit_name__ = "CQL_USER_TYPE"
    cache_ok = True

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

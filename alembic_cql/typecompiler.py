"""CQL text of types."""

from __future__ import annotations

from typing import Any, NoReturn

from sqlalchemy.sql.compiler import GenericTypeCompiler

from alembic_cql import types
from alembic_cql.refusal import refuse


class CqlTypeCompiler(GenericTypeCompiler):
    """Type names."""

    def visit_unsupported_compilation(self, element: Any, err: Exception, **kw: Any) -> NoReturn:
        refuse(
            f"type {type(element).__name__}",
            "use one of alembic_cql.types, or a TypeDecorator over one of them",
        )

    def visit_null(self, type_: Any, **kw: Any) -> str:
        refuse("untyped column", "give the column a type")

    def visit_TEXT(self, type_: Any, **kw: Any) -> str:
        return "text"

    visit_CHAR = visit_VARCHAR = visit_NCHAR = visit_NVARCHAR = visit_CLOB = visit_NCLOB = visit_TEXT
    visit_JSON = visit_string = visit_unicode = visit_text = visit_unicode_text = visit_enum = visit_TEXT

    def visit_ASCII(self, type_: Any, **kw: Any) -> str:
        return "ascii"

    def visit_BIGINT(self, type_: Any, **kw: Any) -> str:
        return "bigint"

    visit_big_integer = visit_BIGINT

    def visit_BLOB(self, type_: Any, **kw: Any) -> str:
        return "blob"

    visit_BINARY = visit_VARBINARY = visit_large_binary = visit_BLOB

    def visit_BOOLEAN(self, type_: Any, **kw: Any) -> str:
        return "boolean"

    visit_boolean = visit_BOOLEAN

    def visit_COUNTER(self, type_: Any, **kw: Any) -> str:
        return "counter"

    def visit_DATE(self, type_: Any, **kw: Any) -> str:
        return "date"

    visit_date = visit_DATE

    def visit_DECIMAL(self, type_: Any, **kw: Any) -> str:
        return "decimal"

    visit_NUMERIC = visit_numeric = visit_DECIMAL

    def visit_DOUBLE(self, type_: Any, **kw: Any) -> str:
        return "double"

    visit_DOUBLE_PRECISION = visit_double = visit_DOUBLE

    def visit_FLOAT(self, type_: Any, **kw: Any) -> str:
        # SQL's FLOAT(n): up to 24 bits of mantissa fit the 32-bit type.
        return "float" if type_.precision is not None and type_.precision <= 24 else "double"

    visit_float = visit_FLOAT

    def visit_REAL(self, type_: Any, **kw: Any) -> str:
        return "float"

    def visit_DURATION(self, type_: Any, **kw: Any) -> str:
        return "duration"

    def visit_INET(self, type_: Any, **kw: Any) -> str:
        return "inet"

    def visit_INTEGER(self, type_: Any, **kw: Any) -> str:
        return "int"

    visit_integer = visit_INTEGER

    def visit_SMALLINT(self, type_: Any, **kw: Any) -> str:
        return "smallint"

    visit_small_integer = visit_SMALLINT

    def visit_TIME(self, type_: Any, **kw: Any) -> str:
        return "time"

    visit_time = visit_TIME

    def visit_TIMESTAMP(self, type_: Any, **kw: Any) -> str:
        return "timestamp"

    visit_DATETIME = visit_datetime = visit_TIMESTAMP

    def visit_TIMEUUID(self, type_: Any, **kw: Any) -> str:
        return "timeuuid"

    def visit_TINYINT(self, type_: Any, **kw: Any) -> str:
        return "tinyint"

    def visit_UUID(self, type_: Any, **kw: Any) -> str:
        return "uuid"

    def visit_uuid(self, type_: Any, **kw: Any) -> str:
        return "uuid" if type_.native_uuid else "text"

    def visit_VARINT(self, type_: Any, **kw: Any) -> str:
        return "varint"

    def visit_ARRAY(self, type_: Any, **kw: Any) -> str:
        if (type_.dimensions or 1) > 1:
            refuse("ARRAY of several dimensions", "use LIST(FROZEN(LIST(...)))")
        return f"list<{self._part(type_.item_type)}>"

    def visit_CQL_LIST(self, type_: Any, **kw: Any) -> str:
        return f"list<{self._part(type_.item_type)}>"

    def visit_CQL_SET(self, type_: Any, **kw: Any) -> str:
        return f"set<{self._part(type_.item_type)}>"

    def visit_CQL_MAP(self, type_: Any, **kw: Any) -> str:
        return f"map<{self._part(type_.key_type)}, {self._part(type_.value_type)}>"

    def visit_CQL_VECTOR(self, type_: Any, **kw: Any) -> str:
        if not isinstance(type_.dimension, int) or type_.dimension < 1:
            refuse(f"vector of {type_.dimension!r} elements", "give the dimension as a whole number from 1")
        return f"vector<{self._part(type_.item_type)}, {type_.dimension}>"

    def visit_CQL_TUPLE(self, type_: Any, **kw: Any) -> str:
        if not type_.item_types:
            refuse("tuple without elements", "give it the types of its elements")
        return f"tuple<{', '.join(map(self._part, type_.item_types))}>"

    def visit_CQL_FROZEN(self, type_: Any, **kw: Any) -> str:
        return f"frozen<{self._part(type_.inner)}>"

    def visit_CQL_CUSTOM(self, type_: Any, **kw: Any) -> str:
        return types.quote_text(type_.class_name)

    def visit_CQL_USER_TYPE(self, type_: Any, **kw: Any) -> str:
        preparer = self.dialect.identifier_preparer
        name = str(preparer.quote(type_.name))
        return name if type_.schema is None else f"{preparer.quote_schema(type_.schema)}.{name}"

    def _part(self, type_: Any) -> str:
        return str(self.process(type_))

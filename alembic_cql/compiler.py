"""CQL text of types and of Core's SELECT, INSERT, UPDATE and DELETE.

What CQL lacks is refused here, with what to do instead, before anything is sent.
"""

from __future__ import annotations

from typing import Any, NoReturn

from sqlalchemy import Table, literal_column
from sqlalchemy.sql import operators
from sqlalchemy.sql.compiler import GenericTypeCompiler, SQLCompiler
from sqlalchemy.sql.elements import BinaryExpression, Grouping

from alembic_cluster.errors import UnsupportedConstruct
from alembic_cql import types

# Table.info key of our version table: only rows with a head are read, never the one that holds static columns alone.
HEADS_TABLE = "alembic_cql.heads"


def refuse(what: str, instead: str) -> NoReturn:
    """Refuse a construct.

    :raises UnsupportedConstruct: always.
    """
    raise UnsupportedConstruct(f"CQL has no {what}: {instead}; nothing was sent")


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
        return f"vector<{self._part(type_.item_type)}, {int(type_.dimension)}>"

    def visit_CQL_TUPLE(self, type_: Any, **kw: Any) -> str:
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


class CqlCompiler(SQLCompiler):
    """SELECT, INSERT, UPDATE, DELETE."""

    reads_heads = False
    purged_heads: str | None = None  # name of the version table whose rows a DELETE without WHERE is to delete

    def visit_column(self, column: Any, *args: Any, **kw: Any) -> str:
        kw["include_table"] = False  # CQL has no t.c
        return str(super().visit_column(column, *args, **kw))

    def visit_select(self, select_stmt: Any, asfrom: bool = False, **kw: Any) -> str:  # type: ignore[override]
        froms = select_stmt.get_final_froms()
        if asfrom or kw.get("compound_index") is not None or self.stack:
            refuse("sub-select", "run it first and bind what it gives")
        if len(froms) > 1:
            refuse("SELECT from several tables", "select from each and join in the program")
        if select_stmt._having_criteria:
            refuse("HAVING", "filter in the program")
        if froms and isinstance(froms[0], Table) and HEADS_TABLE in froms[0].info:
            self.reads_heads = True
            scope = types.quote_text(froms[0].info[HEADS_TABLE])
            select_stmt = select_stmt.where(
                froms[0].c.scope == literal_column(scope), froms[0].c.version_num > literal_column("''")
            )
        return str(super().visit_select(select_stmt, asfrom=asfrom, **kw))  # type: ignore[no-untyped-call]

    def visit_compound_select(self, cs: Any, *args: Any, **kw: Any) -> str:
        refuse("UNION, EXCEPT or INTERSECT", "run each SELECT and combine in the program")

    def visit_join(self, join: Any, *args: Any, **kw: Any) -> str:
        refuse("JOIN", "select from each table and join in the program")

    def visit_cte(self, cte: Any, *args: Any, **kw: Any) -> str:
        refuse("WITH query", "run it first and bind what it gives")

    def visit_alias(self, alias: Any, *args: Any, **kw: Any) -> str:
        refuse("alias of a table", "select from the table itself")

    def visit_subquery(self, subquery: Any, *args: Any, **kw: Any) -> str:
        refuse("sub-select", "run it first and bind what it gives")

    def visit_over(self, over: Any, **kw: Any) -> str:
        refuse("window function", "compute it in the program")

    def visit_case(self, clause: Any, **kw: Any) -> str:
        refuse("CASE", "decide in the program, or in a user-defined function")

    def visit_clauselist(self, clauselist: Any, **kw: Any) -> str:
        if clauselist.operator is operators.or_:
            refuse("OR", "run one statement for each side")
        return str(super().visit_clauselist(clauselist, **kw))  # type: ignore[no-untyped-call]

    def visit_binary(self, binary: Any, *args: Any, **kw: Any) -> str:
        for side in (binary.left, binary.right):
            if isinstance(side, Grouping) and isinstance(side.element, BinaryExpression):
                refuse("parentheses in an expression", "compute the inner part in the program and bind the result")
        return str(super().visit_binary(binary, *args, **kw))  # type: ignore[no-untyped-call]

    def visit_grouping(self, grouping: Any, asfrom: bool = False, **kw: Any) -> str:
        # SQLAlchemy writes SET n=(n + ?); the grammar has no such parentheses.
        return str(self.process(grouping.element, **kw))

    def limit_clause(self, select: Any, **kw: Any) -> str:
        if select._offset_clause is not None:
            refuse("OFFSET", "page by the clustering key: WHERE key > the last one read")
        if select._limit_clause is None:
            return ""
        return "\n LIMIT " + str(self.process(select._limit_clause, **kw))

    def visit_update(self, update_stmt: Any, *args: Any, **kw: Any) -> str:
        if not update_stmt._where_criteria:
            refuse("UPDATE of a whole table", "give the primary key of each row in where()")
        return str(super().visit_update(update_stmt, *args, **kw))

    def visit_delete(self, delete_stmt: Any, *args: Any, **kw: Any) -> str:
        if not delete_stmt._where_criteria and HEADS_TABLE in delete_stmt.table.info:
            self.reads_heads = True
            self.purged_heads = self.preparer.format_table(delete_stmt.table)
            scope = types.quote_text(delete_stmt.table.info[HEADS_TABLE])
            return f"SELECT version_num FROM {self.purged_heads} WHERE scope = {scope} AND version_num > ''"
        if not delete_stmt._where_criteria:
            refuse("DELETE of a whole table", "execute TRUNCATE, or give the partition key in where()")
        return str(super().visit_delete(delete_stmt, *args, **kw))  # type: ignore[no-untyped-call]

    def visit_empty_set_op_expr(self, type_: Any, expand_op: Any, **kw: Any) -> str:
        return ""  # IN () matches nothing

    def visit_empty_set_expr(self, element_types: Any, **kw: Any) -> str:
        return ""

    def visit_now_func(self, fn: Any, **kw: Any) -> str:
        return "toTimestamp(now())"

    visit_current_timestamp_func = visit_now_func

    def returning_clause(self, *args: Any, **kw: Any) -> str:
        refuse("RETURNING", "select the row by its key")

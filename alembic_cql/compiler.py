"""CQL text of Core's SELECT, INSERT, UPDATE and DELETE.

What CQL lacks is refused here, with what to do instead, before anything is sent. What CQL has and SQL lacks::

    insert(t).with_dialect_options(cql_if_not_exists=True, cql_ttl=60, cql_timestamp=1_700_000_000_000_000)
    update(t).with_dialect_options(cql_if_exists=True, cql_ttl=60, cql_timestamp=...)
    delete(t).with_dialect_options(cql_if_exists=True, cql_timestamp=...)
    select(t).suffix_with("ALLOW FILTERING")

The result of a conditional statement has ``rowcount`` 1 when it was applied, else 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table, literal_column
from sqlalchemy import types as sqltypes
from sqlalchemy.sql import operators
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import BinaryExpression, Grouping

from alembic_cluster.errors import ConfigurationError, InvalidValue
from alembic_cql import types
from alembic_cql._exceptions import DataError
from alembic_cql.refusal import refuse

# Table.info key of our version table: only rows with a head are read, never the one that holds static columns alone.
HEADS_TABLE = "alembic_cql.heads"

_IS = ("IS NULL and IS NOT NULL", "rows cannot be found by a value they lack; filter in the program")
_LIKE = ("comparison of this kind", "use like('x%'), which needs a SASI index, or filter in the program")
_REFUSED_OPERATORS: Mapping[Any, tuple[str, str]] = {
    operators.is_: _IS,
    operators.is_not: _IS,
    operators.is_distinct_from: _IS,
    operators.is_not_distinct_from: _IS,
    operators.concat_op: ("||", "concatenate in the program"),
    operators.contains_op: _LIKE,
    operators.startswith_op: _LIKE,
    operators.endswith_op: _LIKE,
    operators.not_contains_op: _LIKE,
    operators.not_startswith_op: _LIKE,
    operators.not_endswith_op: _LIKE,
    operators.ilike_op: _LIKE,
    operators.not_ilike_op: _LIKE,
    operators.not_like_op: _LIKE,
    operators.regexp_match_op: _LIKE,
    operators.not_regexp_match_op: _LIKE,
    operators.not_between_op: ("NOT BETWEEN", "run one statement for each side"),
}


# SQLAlchemy before 2.0.56 takes %(x)s inside a literal for a parameter of its own.
_PERCENT, _KEPT_PERCENT = "%(", "%\ue000("


class CqlCompiler(SQLCompiler):
    """SELECT, INSERT, UPDATE, DELETE."""

    reads_heads = False
    purged_heads: str | None = None  # name of the version table whose rows a DELETE without WHERE is to delete

    def __init__(self, *args: Any, **kw: Any) -> None:
        super().__init__(*args, **kw)
        self.string = self.string.replace(_KEPT_PERCENT, _PERCENT)

    # ------------------------------------------------------------------------------------------ expressions

    def visit_column(self, column: Any, *args: Any, **kw: Any) -> str:
        kw["include_table"] = False  # CQL has no t.c
        return str(super().visit_column(column, *args, **kw))

    def visit_bindparam(self, bindparam: Any, within_columns_clause: Any = False, **kw: Any) -> str:  # type: ignore[override]
        nothing = bindparam.value is None and bindparam.callable is None and not bindparam.required
        if nothing and kw.get("literal_binds") and bindparam.type.should_evaluate_none:
            return self.render_literal_value(None, bindparam.type)  # JSON's null, for which SQLAlchemy writes NULL
        text = str(super().visit_bindparam(bindparam, within_columns_clause=within_columns_clause, **kw))  # type: ignore[no-untyped-call]
        if not within_columns_clause or isinstance(bindparam.type, sqltypes.NullType):
            return text
        # Among the columns selected the server knows a constant's type only when told.
        return f"({self.dialect.type_compiler_instance.process(bindparam.type)}){text}"

    def render_literal_value(self, value: Any, type_: Any) -> str:
        if value is None and not type_.should_evaluate_none:
            return "NULL"
        try:
            return str(types.literal_of(type_, self.dialect)(value)).replace(_PERCENT, _KEPT_PERCENT)
        except DataError as error:
            raise InvalidValue(str(error)) from error
        except Exception as error:
            raise InvalidValue(f"{value!r} is no value of type {type_!r}: {error}; nothing was sent") from error

    def visit_grouping(self, grouping: Any, asfrom: bool = False, **kw: Any) -> str:
        text = str(self.process(grouping.element, **kw))
        # SQLAlchemy writes SET n=(n + ?); the grammar has no such parentheses.
        return text if isinstance(grouping.element, BinaryExpression) else f"({text})"

    def visit_clauselist(self, clauselist: Any, **kw: Any) -> str:
        if clauselist.operator is operators.or_:
            refuse("OR", "run one statement for each side")
        return str(super().visit_clauselist(clauselist, **kw))  # type: ignore[no-untyped-call]

    def visit_expression_clauselist(self, clauselist: Any, **kw: Any) -> str:
        if clauselist.operator is operators.or_:
            refuse("OR", "run one statement for each side, or use in_()")
        return str(super().visit_expression_clauselist(clauselist, **kw))  # type: ignore[no-untyped-call]

    def visit_binary(self, binary: Any, *args: Any, **kw: Any) -> str:
        if binary.operator in _REFUSED_OPERATORS:
            refuse(*_REFUSED_OPERATORS[binary.operator])
        for side in (binary.left, binary.right):
            if isinstance(side, Grouping) and isinstance(side.element, BinaryExpression):
                refuse("parentheses in an expression", "compute the inner part in the program and bind the result")
        return str(super().visit_binary(binary, *args, **kw))  # type: ignore[no-untyped-call]

    def visit_between_op_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        if binary.modifiers.get("symmetric"):
            refuse("BETWEEN SYMMETRIC", "put the smaller value first")
        column = self.process(binary.left, **kw)
        low, high = (self.process(bound, **kw) for bound in binary.right.clauses)
        return f"{column} >= {low} AND {column} <= {high}"

    def visit_not_in_op_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        if not self.dialect.features.not_in:  # type: ignore[attr-defined]
            refuse("NOT IN on this server", "filter in the program")
        return str(self._generate_generic_binary(binary, " NOT IN ", **kw))

    def visit_truediv_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        return f"{self.process(binary.left, **kw)} / {self.process(binary.right, **kw)}"

    def visit_getitem_binary(self, binary: Any, operator: Any, **kw: Any) -> str:
        column, index = self.process(binary.left, **kw), binary.right
        if binary.modifiers.get(types.FIELD):
            return f"{column}.{self.preparer.quote(index.name)}"
        return f"{column}[{self.process(index, **{**kw, 'within_columns_clause': False})}]"

    def visit_unary(self, unary: Any, *args: Any, **kw: Any) -> str:
        if unary.operator is operators.inv:
            refuse("NOT", "turn the comparison round")
        if unary.operator is operators.distinct_op:
            refuse("DISTINCT inside a function", "use select().distinct() on partition key columns")
        if unary.modifier in (operators.nulls_first_op, operators.nulls_last_op):
            refuse("NULLS FIRST or LAST", "clustering columns, by which rows are ordered, have no nulls")
        return str(super().visit_unary(unary, *args, **kw))  # type: ignore[no-untyped-call]

    def visit_case(self, clause: Any, **kw: Any) -> str:
        refuse("CASE", "decide in the program, or in a user-defined function")

    def visit_extract(self, extract: Any, **kw: Any) -> str:
        refuse("EXTRACT", "take the part out in the program")

    def visit_collation(self, element: Any, **kw: Any) -> str:
        refuse("COLLATE", "order in the program")

    def visit_over(self, over: Any, **kw: Any) -> str:
        refuse("window function", "compute it in the program")

    def visit_funcfilter(self, funcfilter: Any, **kw: Any) -> str:
        refuse("FILTER of a function", "give the condition in where()")

    def visit_empty_set_op_expr(self, type_: Any, expand_op: Any, **kw: Any) -> str:
        return ""  # IN () matches nothing

    def visit_empty_set_expr(self, element_types: Any, **kw: Any) -> str:
        return ""

    def visit_now_func(self, fn: Any, **kw: Any) -> str:
        return "toTimestamp(now())"

    visit_current_timestamp_func = visit_localtimestamp_func = visit_now_func

    def visit_current_date_func(self, fn: Any, **kw: Any) -> str:
        return "toDate(now())"

    # ----------------------------------------------------------------------------------------------- SELECT

    def visit_select(self, select_stmt: Any, asfrom: bool = False, **kw: Any) -> str:  # type: ignore[override]
        froms = select_stmt.get_final_froms()
        if asfrom or kw.get("compound_index") is not None or self.stack:
            refuse("sub-select", "run it first and bind what it gives")
        if not froms:
            refuse("SELECT without FROM", "select from a table, such as system.local")
        if len(froms) > 1:
            refuse("SELECT from several tables", "select from each and join in the program")
        if select_stmt._having_criteria:
            refuse("HAVING", "filter in the program")
        if isinstance(froms[0], Table) and HEADS_TABLE in froms[0].info:
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

    def visit_values(self, element: Any, *args: Any, **kw: Any) -> str:
        refuse("VALUES as a table", "insert the rows into one")

    def limit_clause(self, select: Any, **kw: Any) -> str:
        if select._offset_clause is not None:
            refuse("OFFSET", "page by the clustering key: WHERE key > the last one read")
        if select._limit_clause is None:
            return ""
        return "\n LIMIT " + str(self.process(select._limit_clause, **kw))

    def fetch_clause(self, select: Any, *args: Any, **kw: Any) -> str:
        if any(select._fetch_clause_options.values()):
            refuse("FETCH in percent or WITH TIES", "use limit()")
        if select._offset_clause is not None:
            refuse("OFFSET", "page by the clustering key: WHERE key > the last one read")
        return "\n LIMIT " + str(self.process(select._fetch_clause, **kw))

    def for_update_clause(self, select: Any, **kw: Any) -> str:
        refuse("FOR UPDATE", "use a conditional UPDATE (lightweight transaction)")

    # -------------------------------------------------------------------------------- INSERT, UPDATE, DELETE

    def visit_insert(self, insert_stmt: Any, *args: Any, **kw: Any) -> str:
        if insert_stmt._multi_values:
            refuse("INSERT of several rows in one statement", "give execute() the statement and a list of rows")
        if insert_stmt.select is not None:
            refuse("INSERT from a SELECT", "run the SELECT first and insert what it gives")
        text = str(super().visit_insert(insert_stmt, *args, **kw))  # type: ignore[no-untyped-call]
        return text + self._condition(insert_stmt, "if_not_exists", " IF NOT EXISTS") + self._using(insert_stmt)

    def visit_update(self, update_stmt: Any, *args: Any, **kw: Any) -> str:
        if not update_stmt._where_criteria:
            refuse("UPDATE of a whole table", "give the primary key of each row in where()")
        text = str(super().visit_update(update_stmt, *args, **kw))
        return text + self._condition(update_stmt, "if_exists", " IF EXISTS")

    def visit_delete(self, delete_stmt: Any, *args: Any, **kw: Any) -> str:
        if not delete_stmt._where_criteria and HEADS_TABLE in delete_stmt.table.info:
            self.reads_heads = True
            self.purged_heads = self.preparer.format_table(delete_stmt.table)
            scope = types.quote_text(delete_stmt.table.info[HEADS_TABLE])
            return f"SELECT version_num FROM {self.purged_heads} WHERE scope = {scope} AND version_num > ''"
        if not delete_stmt._where_criteria:
            refuse("DELETE of a whole table", "execute TRUNCATE, or give the partition key in where()")
        text = str(super().visit_delete(delete_stmt, *args, **kw))  # type: ignore[no-untyped-call]
        return text + self._condition(delete_stmt, "if_exists", " IF EXISTS")

    def update_tables_clause(self, update_stmt: Any, *args: Any, **kw: Any) -> str:
        return str(super().update_tables_clause(update_stmt, *args, **kw)) + self._using(update_stmt)  # type: ignore[no-untyped-call]

    def delete_table_clause(self, delete_stmt: Any, *args: Any, **kw: Any) -> str:
        return str(super().delete_table_clause(delete_stmt, *args, **kw)) + self._using(delete_stmt)  # type: ignore[no-untyped-call]

    def update_from_clause(self, *args: Any, **kw: Any) -> str:
        refuse("UPDATE with a second table", "read that table first and bind what it gives")

    def delete_extra_from_clause(self, *args: Any, **kw: Any) -> str:
        refuse("DELETE with a second table", "read that table first and bind what it gives")

    def visit_savepoint(self, savepoint_stmt: Any, **kw: Any) -> str:
        refuse("SAVEPOINT", "each statement is final when it returns")

    def returning_clause(self, *args: Any, **kw: Any) -> str:
        refuse("RETURNING", "select the row by its key")

    def _condition(self, statement: Any, option: str, text: str) -> str:
        return text if statement.dialect_options["cql"].get(option) else ""

    def _using(self, statement: Any) -> str:
        options = statement.dialect_options["cql"]
        given = {name: options.get(name) for name in ("ttl", "timestamp") if options.get(name) is not None}
        for name, value in given.items():
            if not isinstance(value, int) or (name == "ttl" and value < 0):
                raise ConfigurationError(f"the option cql_{name} takes a whole number, not {value!r}; nothing was sent")
        return " USING " + " AND ".join(f"{name.upper()} {value}" for name, value in given.items()) if given else ""

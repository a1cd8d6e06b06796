"""CQL text of DDL: SQLAlchemy's CREATE and DROP elements, and those that Alembic and this package add."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, Table, UniqueConstraint
from sqlalchemy.schema import ExecutableDDLElement
from sqlalchemy.sql.compiler import DDLCompiler

from alembic_cluster.errors import InvalidModel
from alembic_cql.options import map_literal, normal_option, option_literal, table_options
from alembic_cql.refusal import refuse
from alembic_cql.schema import Key, MaterializedView, is_counter, is_static, table_key
from alembic_cql.types import LIST, MAP, UserType, quote_text

# Table.info key: CREATE TABLE says IF NOT EXISTS, for tables of ours that several processes may create at once.
IF_NOT_EXISTS = "alembic_cql.if_not_exists"
SAI = "sai"
VECTOR_INDEX = "vector_index"  # ScyllaDB's index on vectors; an SAI index is what Cassandra has for them
TARGETS = ("keys", "values", "entries", "full")


class CreateUserType(ExecutableDDLElement):
    """``CREATE TYPE``."""

    __visit_name__ = "create_cql_user_type"

    def __init__(self, element: UserType) -> None:
        self.element = element


class DropUserType(CreateUserType):
    """``DROP TYPE``."""

    __visit_name__ = "drop_cql_user_type"


class CreateMaterializedView(ExecutableDDLElement):
    """``CREATE MATERIALIZED VIEW``."""

    __visit_name__ = "create_cql_view"

    def __init__(self, element: MaterializedView) -> None:
        self.element = element


class DropMaterializedView(CreateMaterializedView):
    """``DROP MATERIALIZED VIEW``."""

    __visit_name__ = "drop_cql_view"


class AlterTableOptions(ExecutableDDLElement):
    """``ALTER TABLE .. WITH``.

    :param table_name: the table.
    :param options: values by option name (``comment`` included).
    :param schema: its keyspace; that of the connection when None.
    """

    __visit_name__ = "alter_cql_table_options"

    def __init__(self, table_name: str, options: Mapping[str, Any], schema: str | None = None) -> None:
        self.table_name = table_name
        self.changes = dict(options)
        self.schema = schema


def check_table(table: Table) -> Key:
    """Refuse what CQL can't hold.

    :return: the table's key.
    :raises InvalidModel: for a table without primary key, with keys, statics and counters that don't fit together, or
        with a value that an option doesn't take.
    :raises UnsupportedConstruct: for foreign keys, unique and check constraints, defaults, computed columns, identity.
    """
    key = table_key(table)
    for constraint in table.constraints:
        if isinstance(constraint, ForeignKeyConstraint):
            names = ", ".join(constraint.column_keys)
            refuse(f"foreign key (table {table.name!r}, {names})", "drop it from the model; check in the program")
        if isinstance(constraint, UniqueConstraint):
            names = ", ".join(column.name for column in constraint.columns)
            refuse(
                f"unique constraint (table {table.name!r}, {names})",
                "make the columns the primary key of a table of their own and insert IF NOT EXISTS",
            )
        if isinstance(constraint, CheckConstraint) and not getattr(constraint, "_type_bound", False):
            refuse(f"check constraint (table {table.name!r}, {constraint.name})", "check in the program")
    for column in table.columns:
        check_column(table.name, column)
        if is_static(column) and (column.name in key.columns or not key.clustering):
            raise InvalidModel(
                f"table {table.name!r}: column {column.name!r} cannot be static: only columns outside the primary key "
                "of a table with clustering columns can; nothing was sent"
            )
    for index in table.indexes:
        check_index(index)
    _check_counters(table, key)
    for name, value in table_options(table.kwargs).items():
        normal_option(name, value, table.name)
    return key


def check_column(table_name: str, column: Column[Any]) -> None:
    """Refuse defaults, computed columns and identity.

    :raises UnsupportedConstruct: naming the column.
    """
    where = f"(table {table_name!r}, column {column.name!r})"
    if column.computed is not None:
        refuse(f"computed column {where}", "compute in the program when writing")
    if column.identity is not None:
        refuse(f"identity column {where}", "use a uuid or timeuuid key made by the program")
    if column.server_default is not None:
        refuse(f"column default {where}", "use default=, which the program fills in")


def _check_counters(table: Table, key: Key) -> None:
    counters = [column.name for column in table.columns if is_counter(column)]
    others = [column.name for column in table.columns if not is_counter(column) and column.name not in key.columns]
    in_key = [name for name in counters if name in key.columns]
    if in_key:
        raise InvalidModel(f"table {table.name!r}: counter {in_key[0]!r} is in the primary key; nothing was sent")
    if counters and others:
        raise InvalidModel(
            f"table {table.name!r} mixes counters ({', '.join(counters)}) with other columns ({', '.join(others)}): "
            "put the counters into a table of their own; nothing was sent"
        )


def check_index(index: Index) -> None:
    """Refuse an index that CQL can't hold.

    :raises UnsupportedConstruct: for unique indexes, several columns, expressions.
    :raises InvalidModel: for an unknown target.
    """
    where = f"(index {index.name!r})"
    if index.unique:
        refuse(
            f"unique index {where}",
            "make the columns the primary key of a table of their own and insert IF NOT EXISTS",
        )
    if len(index.expressions) != 1 or len(index.columns) != 1:
        refuse(f"index on several columns or an expression {where}", "make one index for each column")
    target = index.kwargs.get("cql_target")
    if target is not None and str(target).lower() not in TARGETS:
        raise InvalidModel(f"index {index.name!r}: cql_target takes {', '.join(TARGETS)}, not {target!r}")
    if index.kwargs.get("cql_options") and not index.kwargs.get("cql_using"):
        raise InvalidModel(f"index {index.name!r}: cql_options needs cql_using, such as 'sai'; nothing was sent")


def _table_of(index: Index) -> Table:
    assert index.table is not None
    return index.table


_SAI_CLASSES = ("sai", "storageattachedindex", "org.apache.cassandra.index.sai.storageattachedindex")


def index_identity(index: Index) -> tuple[str, str | None, str | None, frozenset[tuple[str, str]]]:
    """Give what makes an index what it is: column, class, target, options; equal for equal indexes."""
    using = index.kwargs.get("cql_using")
    if using is not None and using.lower() in (*_SAI_CLASSES, VECTOR_INDEX):
        using = SAI
    elif using == "legacy_local_table":
        using = None
    column = next(iter(index.columns))
    target = index.kwargs.get("cql_target")
    if target is None and using is None and isinstance(column.type, (LIST, MAP)):
        target = "values"  # what the server makes of an index on a bare collection
    options = index.kwargs.get("cql_options") or {}
    texts = frozenset((str(key), str(value).lower()) for key, value in options.items())
    return column.name, using, target and str(target).lower(), texts


class CqlDDLCompiler(DDLCompiler):
    """CREATE, ALTER and DROP."""

    def check_added_column(self, table_name: str, column: Column[Any]) -> None:
        """Refuse what no column added to an existing table can be.

        :raises UnsupportedConstruct: for defaults, computed columns, identity, foreign keys, unique.
        :raises InvalidModel: for a column of the primary key.
        """
        if column.primary_key:
            raise InvalidModel(
                f"column {column.name!r} cannot be added to the primary key of table {table_name!r}: create a new "
                "table with the wanted key, copy the rows, and drop the old table in a later revision; nothing of "
                "this revision was sent"
            )
        if column.foreign_keys:
            refuse(f"foreign key (table {table_name!r}, {column.name})", "drop it from the model")
        if column.unique:
            refuse(f"unique constraint (table {table_name!r}, {column.name})", "drop it from the model")
        check_column(table_name, column)

    def visit_create_table(self, create: Any, **kw: Any) -> str:
        table: Table = create.element
        key = check_table(table)
        lines = [self._column_line(column) for column in table.columns]
        lines.append(self._primary_key(key))
        if_not_exists = create.if_not_exists or IF_NOT_EXISTS in table.info
        text = f"CREATE TABLE {'IF NOT EXISTS ' if if_not_exists else ''}{self.preparer.format_table(table)} (\n    "
        return text + ",\n    ".join(lines) + "\n)" + self._with(self._table_properties(table, key))

    def get_column_specification(self, column: Column[Any], **kwargs: Any) -> str:
        return self._column_line(column)

    def _column_line(self, column: Column[Any]) -> str:
        kind = self.dialect.type_compiler_instance.process(column.type, type_expression=column)
        return f"{self.preparer.format_column(column)} {kind}{' static' if is_static(column) else ''}"

    def _primary_key(self, key: Key) -> str:
        partition = ", ".join(map(self.preparer.quote, key.partition))
        names = [f"({partition})", *(self.preparer.quote(name) for name, _ in key.clustering)]
        return f"PRIMARY KEY ({', '.join(names)})"

    def _clustering(self, key: Key, *, of_view: bool = False) -> list[str]:
        # A view without the clause takes the orders of its table's columns, so ASC must be said there.
        if not key.clustering or not (of_view or any(order != "ASC" for _, order in key.clustering)):
            return []
        orders = ", ".join(f"{self.preparer.quote(name)} {order}" for name, order in key.clustering)
        return [f"CLUSTERING ORDER BY ({orders})"]

    def _table_properties(self, table: Table, key: Key) -> list[str]:
        properties = self._clustering(key)
        if table.kwargs.get("cql_id") is not None:
            properties.append(f"id = {table.kwargs['cql_id']}")
        options = table_options(table.kwargs)
        if table.comment:
            properties.append(f"comment = {quote_text(table.comment)}")
        return properties + [f"{name} = {option_literal(name, value, table.name)}" for name, value in options.items()]

    def _with(self, properties: list[str]) -> str:
        return " WITH " + "\n    AND ".join(properties) if properties else ""

    def visit_create_index(
        self, create: Any, include_schema: bool = False, include_table_schema: bool = True, **kw: Any
    ) -> str:
        index: Index = create.element
        check_index(index)
        self._verify_index_table(index)
        using = index.kwargs.get("cql_using")
        if using == VECTOR_INDEX and not self.dialect.features.is_scylla:  # type: ignore[attr-defined]
            using = SAI
        builtin = using is not None and using.lower() in (SAI, "legacy_local_table")
        column = self.preparer.quote(next(iter(index.columns)).name)
        target = index.kwargs.get("cql_target")
        text = "CREATE CUSTOM INDEX " if using is not None and not builtin else "CREATE INDEX "
        text += "IF NOT EXISTS " if create.if_not_exists else ""
        text += f"{self._prepared_index_name(index)} " if index.name is not None else ""
        text += f"ON {self.preparer.format_table(_table_of(index))} ({f'{target}({column})' if target else column})"
        if using is not None:
            text += f" USING {quote_text(using)}"
        options = index.kwargs.get("cql_options")
        return text + (f" WITH OPTIONS = {map_literal(options)}" if options else "")

    def visit_drop_index(self, drop: Any, **kw: Any) -> str:
        index: Index = drop.element
        name = self._prepared_index_name(index)
        schema = index.table.schema if index.table is not None else None
        if schema:
            name = f"{self.preparer.quote_schema(schema)}.{name}"
        return f"DROP INDEX {'IF EXISTS ' if drop.if_exists else ''}{name}"

    def visit_set_table_comment(self, create: Any, **kw: Any) -> str:
        table = create.element
        return f"ALTER TABLE {self.preparer.format_table(table)} WITH comment = {quote_text(table.comment or '')}"

    def visit_drop_table_comment(self, drop: Any, **kw: Any) -> str:
        return f"ALTER TABLE {self.preparer.format_table(drop.element)} WITH comment = ''"

    def visit_set_column_comment(self, create: Any, **kw: Any) -> str:
        refuse("comment on a column", "write it into the table's comment")

    def visit_drop_column_comment(self, drop: Any, **kw: Any) -> str:
        return self.visit_set_column_comment(drop, **kw)

    def visit_alter_cql_table_options(self, alter: AlterTableOptions, **kw: Any) -> str:
        properties = [
            f"comment = {quote_text(value or '')}"
            if name == "comment"
            else f"{name} = {option_literal(name, value, alter.table_name)}"
            for name, value in alter.changes.items()
        ]
        return f"ALTER TABLE {self._name(alter.table_name, alter.schema)}{self._with(properties)}"

    def visit_create_cql_user_type(self, create: CreateUserType, **kw: Any) -> str:
        kind = create.element
        if not kind.fields:
            raise InvalidModel(f"user type {kind.name!r} has no fields; nothing was sent")
        process = self.dialect.type_compiler_instance.process
        fields = ",\n    ".join(f"{self.preparer.quote(name)} {process(field)}" for name, field in kind.fields)
        return f"CREATE TYPE {self._name(kind.name, kind.schema)} (\n    {fields}\n)"

    def visit_drop_cql_user_type(self, drop: DropUserType, **kw: Any) -> str:
        return f"DROP TYPE {self._name(drop.element.name, drop.element.schema)}"

    def visit_create_cql_view(self, create: CreateMaterializedView, **kw: Any) -> str:
        view = create.element
        columns = "*" if view.columns is None else ", ".join(map(self.preparer.quote, view.columns))
        properties = self._clustering(view.key, of_view=True)
        if view.comment:
            properties.append(f"comment = {quote_text(view.comment)}")
        properties += [f"{name} = {option_literal(name, value, view.name)}" for name, value in view.options.items()]
        return (
            f"CREATE MATERIALIZED VIEW {self._name(view.name, view.schema)} AS\n    SELECT {columns}\n"
            f"    FROM {self._name(view.base, view.schema)}\n    WHERE {view.where}\n"
            f"    {self._primary_key(view.key)}{self._with(properties)}"
        )

    def visit_drop_cql_view(self, drop: DropMaterializedView, **kw: Any) -> str:
        return f"DROP MATERIALIZED VIEW {self._name(drop.element.name, drop.element.schema)}"

    def visit_create_schema(self, create: Any, **kw: Any) -> str:
        refuse("CREATE SCHEMA without replication", "execute CREATE KEYSPACE .. WITH replication = {..}")

    def visit_create_sequence(self, create: Any, prefix: Any = None, **kw: Any) -> str:
        refuse("sequence", "use a uuid or timeuuid key made by the program")

    def visit_create_view(self, create: Any, **kw: Any) -> str:
        refuse("view", "use a MaterializedView")

    def visit_add_constraint(self, create: Any, **kw: Any) -> str:
        refuse(f"constraint {create.element.name!r}", "check in the program")

    def _name(self, name: str, schema: str | None) -> str:
        quoted = self.preparer.quote(name)
        return quoted if schema is None else f"{self.preparer.quote_schema(schema)}.{quoted}"

"""CQL text of DDL: SQLAlchemy's CREATE and DROP elements, and those that Alembic and this package add."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Column, Index, Table
from sqlalchemy.schema import ExecutableDDLElement
from sqlalchemy.sql.compiler import DDLCompiler

from alembic_cluster.errors import InvalidModel
from alembic_cql.checks import check_column, check_table, check_user_type
from alembic_cql.ddl_objects import column_check, column_mask
from alembic_cql.indexes import SAI, VECTOR_INDEX, check_index
from alembic_cql.options import check_changes, map_literal, option_literal, table_options
from alembic_cql.refusal import refuse
from alembic_cql.schema import Key, MaterializedView, is_static
from alembic_cql.types import UserType, quote_text

# Table.info key: CREATE TABLE says IF NOT EXISTS, for tables of ours that several processes may create at once.
IF_NOT_EXISTS = "alembic_cql.if_not_exists"


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


class ViewName(NamedTuple):
    """The name of a materialized view of which nothing else is known."""

    name: str
    schema: str | None = None


class DropMaterializedView(ExecutableDDLElement):
    """``DROP MATERIALIZED VIEW``."""

    __visit_name__ = "drop_cql_view"

    def __init__(self, element: MaterializedView | ViewName) -> None:
        self.element = element


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


def _table_of(index: Index) -> Table:
    assert index.table is not None
    return index.table


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
        check_column(table_name, column, self.dialect)

    def visit_create_table(self, create: Any, **kw: Any) -> str:
        table: Table = create.element
        key = check_table(table, self.dialect)
        lines = [self._column_line(column) for column in table.columns]
        lines.append(self._primary_key(key))
        if_not_exists = create.if_not_exists or IF_NOT_EXISTS in table.info
        text = f"CREATE TABLE {'IF NOT EXISTS ' if if_not_exists else ''}{self.preparer.format_table(table)} (\n    "
        return text + ",\n    ".join(lines) + "\n)" + self._with(self._table_properties(table, key))

    def get_column_specification(self, column: Column[Any], **kwargs: Any) -> str:
        return self._column_line(column)

    def _column_line(self, column: Column[Any]) -> str:
        kind = self.dialect.type_compiler_instance.process(column.type, type_expression=column)
        line = f"{self.preparer.format_column(column)} {kind}{' static' if is_static(column) else ''}"
        where = f"column {column.name!r}"
        mask, check = column.kwargs.get("cql_masked"), column.kwargs.get("cql_check")
        line += column_check(where, check, self.dialect) if check is not None else ""
        return line + (column_mask(where, mask, self.dialect) if mask is not None else "")

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
        return properties + [f"{name} = {self._option(name, value, table.name)}" for name, value in options.items()]

    def _option(self, name: str, value: Any, table: str) -> str:
        return option_literal(name, value, table, self.dialect.features)  # type: ignore[attr-defined]

    def _with(self, properties: list[str]) -> str:
        return " WITH " + "\n    AND ".join(properties) if properties else ""

    def visit_create_index(
        self, create: Any, include_schema: bool = False, include_table_schema: bool = True, **kw: Any
    ) -> str:
        index: Index = create.element
        check_index(index, self.dialect)
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
        where = f"{target}({column})" if target else column
        local = index.kwargs.get("cql_local")
        if local is not None:
            where = f"({', '.join(map(self.preparer.quote, local))}), {where}"
        text += f"ON {self.preparer.format_table(_table_of(index))} ({where})"
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
        given = {name: value for name, value in alter.changes.items() if name != "comment"}
        check_changes(given, alter.table_name, self.dialect.features)  # type: ignore[attr-defined]
        properties = [
            f"comment = {quote_text(value or '')}"
            if name == "comment"
            else f"{name} = {self._option(name, value, alter.table_name)}"
            for name, value in alter.changes.items()
        ]
        return f"ALTER TABLE {self._name(alter.table_name, alter.schema)}{self._with(properties)}"

    def visit_create_cql_user_type(self, create: CreateUserType, **kw: Any) -> str:
        kind = create.element
        check_user_type(kind, self.dialect)
        process = self.dialect.type_compiler_instance.process
        fields = ",\n    ".join(f"{self.preparer.quote(name)} {process(field)}" for name, field in kind.fields)
        return f"CREATE TYPE {self._name(kind.name, kind.schema)} (\n    {fields}\n)"

    def visit_drop_cql_user_type(self, drop: DropUserType, **kw: Any) -> str:
        return f"DROP TYPE {self._name(drop.element.name, drop.element.schema)}"

    def visit_create_cql_view(self, create: CreateMaterializedView, **kw: Any) -> str:
        view = create.element
        check_changes(view.options, view.name, self.dialect.features, of_view=True)  # type: ignore[attr-defined]
        columns = "*"
        if view.columns is not None:  # those of the key must be named too
            columns = ", ".join(map(self.preparer.quote, dict.fromkeys((*view.columns, *view.key.columns))))
        properties = self._clustering(view.key, of_view=True)
        if view.comment:
            properties.append(f"comment = {quote_text(view.comment)}")
        properties += [f"{name} = {self._option(name, value, view.name)}" for name, value in view.options.items()]
        return (
            f"CREATE MATERIALIZED VIEW {self._name(view.name, view.schema)} AS\n    SELECT {columns}\n"
            f"    FROM {self._name(view.base, view.schema)}\n    WHERE {view.where}\n"
            f"    {self._primary_key(view.key)}{self._with(properties)}"
        )

    def visit_drop_cql_view(self, drop: DropMaterializedView, **kw: Any) -> str:
        return f"DROP MATERIALIZED VIEW {self._name(drop.element.name, drop.element.schema)}"

    def visit_copy_cql_rows(self, copy: Any, **kw: Any) -> str:
        """Say what is done; it is no CQL, and never sent."""
        source, target = copy.plan.source, copy.plan.target
        return f"COPY ROWS FROM {self._name(source.name, source.schema)} TO {self._name(target.name, target.schema)}"

    def visit_create_schema(self, create: Any, **kw: Any) -> str:
        refuse("CREATE SCHEMA without replication", "give the MetaData a Keyspace, or use op.create_keyspace")

    def visit_create_sequence(self, create: Any, prefix: Any = None, **kw: Any) -> str:
        refuse("sequence", "use a uuid or timeuuid key made by the program")

    def visit_create_view(self, create: Any, **kw: Any) -> str:
        refuse("view", "use a MaterializedView")

    def visit_add_constraint(self, create: Any, **kw: Any) -> str:
        refuse(f"constraint {create.element.name!r}", "check in the program")

    def _name(self, name: str, schema: str | None) -> str:
        quoted = self.preparer.quote(name)
        return quoted if schema is None else f"{self.preparer.quote_schema(schema)}.{quoted}"

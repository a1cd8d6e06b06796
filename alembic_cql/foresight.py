"""What the server will refuse of an ALTER or DROP, told from its catalog before anything of a revision is sent.

Sources: Cassandra's AlterTableStatement.java and DropTableStatement.java, ScyllaDB's alter_table_statement.cc; each
rule was tried on Cassandra 5.0. What isn't sure is left to the server.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from alembic.ddl.base import AddColumn, ColumnName, DropColumn
from sqlalchemy import Column, Connection, Index, MetaData, PrimaryKeyConstraint, Table
from sqlalchemy.schema import CreateIndex, CreateTable, DropIndex, DropTable

from alembic_cluster.errors import InvalidModel, UnsupportedOperation
from alembic_cql.ddl import AlterTableOptions, CreateMaterializedView, DropMaterializedView
from alembic_cql.ddl_objects import AlterKeyspace, CreateKeyspace
from alembic_cql.differences import refused_addition
from alembic_cql.indexes import check_index
from alembic_cql.keyspaces import check_datacenters, check_server
from alembic_cql.options import check_options
from alembic_cql.reflection import KeyspaceInfo, TableInfo, to_table
from alembic_cql.schema import is_static
from alembic_cql.types import COUNTER, UserType

_COPY = "add a column of another name, copy the values in batches, and drop the old one in a later revision"


class Refusal(UnsupportedOperation):
    """An operation that the server has no way to do.

    :ivar reason: what it can't do, and what to do instead.
    """

    def __init__(self, what: str, instead: str) -> None:
        self.reason = f"{what}: {instead}"
        super().__init__(f"{self.reason}; nothing of this revision was sent")


class Foresight:
    """Looks a revision's statements over before they are sent.

    :param connection: reads the catalog when it is needed; once for each keyspace.
    :ivar recorded: what the revision says before; the catalog doesn't show it yet.
    """

    def __init__(self, connection: Connection, recorded: Sequence[Any] = ()) -> None:
        self._connection = connection
        self._dialect: Any = connection.dialect
        self._cache: dict[Any, Any] = {}
        self.recorded = recorded

    def check(self, construct: Any) -> None:
        """Refuse a statement that the server is sure to refuse.

        :param construct: what is about to be sent, or taken down.
        :raises UnsupportedOperation: saying what to do instead.
        """
        if isinstance(construct, (CreateKeyspace, AlterKeyspace)):
            self._check_keyspace(construct)
            return
        if isinstance(construct, CreateIndex):
            self._check_index(construct.element)
            return
        if isinstance(construct, AlterTableOptions):
            self._check_options(construct)
            return
        if isinstance(construct, (ColumnName, DropColumn, AddColumn)):
            name, schema = str(construct.table_name), construct.schema
        elif isinstance(construct, DropTable):
            name, schema = construct.element.name, construct.element.schema
        else:
            return
        table = self._known(name, schema)
        if table is None:
            return
        if isinstance(construct, ColumnName):
            self._check_rename(table, str(construct.column_name), schema)
        elif isinstance(construct, DropColumn):
            self._check_drop_column(table, construct.column.name, schema)
        elif isinstance(construct, AddColumn):
            self._check_add_column(table, construct, schema)
        else:
            self._check_drop_table(table, schema)

    def _check_keyspace(self, construct: CreateKeyspace | AlterKeyspace) -> None:
        if isinstance(construct, CreateKeyspace):
            name, options = construct.element.name, construct.element.options
        else:
            name, options = construct.name, construct.changes
        check_server(name, options, self._dialect.features)
        check_datacenters(name, options.get("replication"), self._dialect.datacenters(self._connection))

    def _check_options(self, construct: AlterTableOptions) -> None:
        table = self._known(construct.table_name, construct.schema)
        given = {name: value for name, value in construct.changes.items() if name != "comment"}
        if table is None:
            return
        where = f"table {table.name!r}"
        options = {**table.options, **given}
        check_options(options, table.name, self._dialect.features)
        if given.get("default_time_to_live") and any(isinstance(column.type, COUNTER) for column in table.columns):
            raise Refusal(f"{where} has counters, which cannot expire", "drop default_time_to_live")
        views = self._views(table, construct.schema)
        if "gc_grace_seconds" in given and not int(given["gc_grace_seconds"]) and views:
            raise Refusal(
                f"gc_grace_seconds of {where} cannot be 0, for it has the materialized view {', '.join(views)}",
                "leave it above 0: what a view misses is kept that long",
            )

    def _check_index(self, index: Index) -> None:
        """Hold an index against its table, which ``op.create_index`` only knows by name."""
        check_index(index)
        if index.table is None:
            return
        name, schema, column = index.table.name, index.table.schema, next(iter(index.columns)).name
        made: Any = next((item.element for item in self._earlier(CreateTable) if item.element.name == name), None)
        found = self._known(name, schema)
        if made is None and found is not None:
            made = to_table(found, MetaData(), self._dialect.features)
        if made is None or any(isinstance(item, (ColumnName, str)) for item in self.recorded):
            return
        columns = {item.name: item.type for item in made.columns}
        for earlier in self._earlier(AddColumn):
            if str(earlier.table_name) == name and earlier.schema == schema:
                columns[earlier.column.name] = earlier.column.type
        if column not in columns:
            raise InvalidModel(
                f"index {index.name!r}: table {name!r} has no column {column!r}; it has "
                f"{', '.join(columns)}; nothing of this revision was sent"
            )
        copy = Table(name, MetaData(), *(Column(*item) for item in columns.items()), schema=schema)
        copy.append_constraint(PrimaryKeyConstraint(*made.primary_key.columns.keys()))
        copy.kwargs.update({key: value for key, value in made.kwargs.items() if key.startswith("cql_")})
        check_index(Index(index.name, copy.columns[column], **index.kwargs), self._dialect)

    def _keyspace(self, schema: str | None) -> KeyspaceInfo:
        info: KeyspaceInfo = self._dialect.keyspace_info(self._connection, schema, info_cache=self._cache)
        return info

    def _known(self, name: str, schema: str | None) -> TableInfo | None:
        """Give the table, unless the revision itself changed it in a way that can't be followed."""
        for earlier in self.recorded:
            if isinstance(earlier, str) or not hasattr(earlier, "__visit_name__"):
                return None
            if isinstance(earlier, (CreateTable, DropTable)) and earlier.element.name == name:
                return None
        return self._keyspace(schema).tables.get(name)

    def _earlier(self, *kinds: type[Any]) -> Iterable[Any]:
        return (construct for construct in self.recorded if isinstance(construct, kinds))

    def _indexes(self, table: TableInfo, column: str) -> list[str]:
        dropped = {str(earlier.element.name) for earlier in self._earlier(DropIndex)}
        found = [index.name for index in table.indexes if index.column == column and index.name not in dropped]
        for earlier in self._earlier(CreateIndex):
            index = earlier.element
            if index.table.name == table.name and column in (item.name for item in index.columns):
                found.append(str(index.name))
        return found

    def _views(self, table: TableInfo, schema: str | None) -> list[str]:
        found = {
            view.name: None
            for view in self._keyspace(schema).views.values()
            if view.view is not None and view.view["base_table_name"] == table.name
        }
        for earlier in self._earlier(CreateMaterializedView, DropMaterializedView):
            if isinstance(earlier, DropMaterializedView):
                found.pop(earlier.element.name, None)
            elif earlier.element.base == table.name:
                found[earlier.element.name] = None
        return list(found)

    def _column(self, table: TableInfo, name: str) -> Any:
        renamed = {
            str(earlier.newname): str(earlier.column_name)
            for earlier in self._earlier(ColumnName)
            if str(earlier.table_name) == table.name
        }
        return next((column for column in table.columns if column.name == renamed.get(name, name)), None)

    def _check_rename(self, table: TableInfo, name: str, schema: str | None) -> None:
        column = self._column(table, name)
        if column is not None and column.kind in ("static", "regular"):
            raise Refusal(
                f"only primary key columns can be renamed, and {name!r} of table {table.name!r} is none", _COPY
            )
        indexes = self._indexes(table, name)
        if indexes:
            raise Refusal(
                f"column {name!r} of table {table.name!r} has the index {', '.join(indexes)}, so it cannot be renamed",
                "drop the index before and create it again afterwards",
            )

    def _check_drop_column(self, table: TableInfo, name: str, schema: str | None) -> None:
        where = f"column {name!r} of table {table.name!r}"
        column = self._column(table, name)
        if column is not None and column.kind in ("partition_key", "clustering"):
            raise Refusal(
                f"{where} is part of the primary key, so it cannot be dropped",
                "create a new table with the wanted key, copy the rows, and drop the old table in a later revision",
            )
        indexes = self._indexes(table, name)
        if indexes:
            raise Refusal(
                f"{where} has the index {', '.join(indexes)}, so it cannot be dropped", "drop the index before"
            )
        if self._dialect.features.drop_column_under_view:
            return
        views = self._views(table, schema)
        if views:
            raise Refusal(
                f"{where} cannot be dropped while the table has the materialized view {', '.join(views)}",
                "drop the view before; creating it again afterwards builds it anew from all rows",
            )
        if column is not None and isinstance(column.type, UserType):
            raise Refusal(
                f"{where} is of a user type that is not frozen, so it cannot be dropped",
                "leave the column and its type",
            )

    def _check_add_column(self, table: TableInfo, construct: AddColumn, schema: str | None) -> None:
        column = construct.column
        where = f"column {column.name!r} of table {table.name!r}"
        if is_static(column) and not table.key.clustering:
            raise Refusal(f"{where} cannot be static, for the table has no clustering columns", "drop cql_static")
        dropped = self._keyspace(schema).dropped_columns.get(table.name, {})
        reason = refused_addition(column, table, dropped, self._dialect)
        if reason is not None:
            raise Refusal(f"{where} cannot be added: {reason}", "give it another name, or a table of its own")

    def _check_drop_table(self, table: TableInfo, schema: str | None) -> None:
        views = self._views(table, schema)
        if views:
            raise Refusal(
                f"table {table.name!r} has the materialized view {', '.join(views)}, so it cannot be dropped",
                "drop the view before",
            )

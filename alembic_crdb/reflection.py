"""What the Inspector of a CockroachDB engine answers: one query reads the database, and all answers come from it.

What that query does not give (``pg_catalog``, ``information_schema``, temporary tables, hidden columns that the server
made) is asked of sqlalchemy-cockroachdb, one query after another.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import MetaData, bindparam, text
from sqlalchemy.dialects.postgresql.base import PGInspector
from sqlalchemy.engine import Connection
from sqlalchemy.engine.reflection import ObjectKind, ObjectScope, ReflectionDefaults
from sqlalchemy.exc import NoSuchTableError

from alembic_crdb import types
from alembic_crdb.database import read_database
from alembic_crdb.inspection import Inspection
from alembic_crdb.snapshot import Name, Snapshot
from alembic_crdb.to_metadata import bind_free, sql, to_metadata
from alembic_crdb.versions import NAMES_PRIMARY_KEYS, server_version

# No CREATE VIEW says the types of its columns.
_VIEW_COLUMNS = text(
    "SELECT table_name, column_name, crdb_sql_type, is_nullable, column_default FROM information_schema.columns "
    "WHERE table_schema = :schema AND table_name IN :names AND is_hidden = 'NO' ORDER BY table_name, ordinal_position"
).bindparams(bindparam("names", expanding=True))
_CACHED = "alembic_crdb_inspection"

_Key = tuple[str | None, str]


def reflect_database(connection: Connection) -> MetaData:
    """Give every object of the connection's database: tables with all that is theirs, enum types, sequences, views.

    One query reads them; ``create_all`` of the result makes the same database again. Objects in other schemas than the
    default one carry their schema's name.

    :raises UnreadableDDL: the server printed a statement that is not understood.
    """
    key_name = "{}_pkey" if NAMES_PRIMARY_KEYS.on(server_version(connection)) else "primary"
    schema = connection.dialect.default_schema_name or "public"
    return to_metadata(read_database(connection), schema, key_name=key_name)


class CockroachInspector(PGInspector):
    """SQLAlchemy's Inspector for CockroachDB; ``sqlalchemy.inspect`` gives it for every adapted dialect.

    The database is read by the first question and kept for those that follow; ``clear_cache()`` forgets it.
    """

    # ------------------------------------------------------------------------------------------ what there is

    def get_schema_names(self, **kw: Any) -> list[str]:
        """Give the names of the schemas, sorted: the user's own, ``public`` and ``information_schema``."""
        return sorted({*self._read().snapshot.schemas, self._schema(None), "information_schema"})

    def get_table_names(self, schema: str | None = None, **kw: Any) -> list[str]:
        """Give the names of the tables of a schema, sorted; neither views nor materialized views."""
        if not self._covers(schema):
            return super().get_table_names(schema, **kw)
        return self._names_in(schema, self._read().snapshot.tables)

    def get_view_names(self, schema: str | None = None, **kw: Any) -> list[str]:
        """Give the names of the views of a schema, sorted, without the materialized ones."""
        if not self._covers(schema):
            return super().get_view_names(schema, **kw)
        views = self._read().snapshot.views
        return self._names_in(schema, [key for key, view in views.items() if not view.materialized])

    def get_materialized_view_names(self, schema: str | None = None, **kw: Any) -> list[str]:
        """Give the names of the materialized views of a schema, sorted."""
        if not self._covers(schema):
            return super().get_materialized_view_names(schema, **kw)
        views = self._read().snapshot.views
        return self._names_in(schema, [key for key, view in views.items() if view.materialized])

    def get_sequence_names(self, schema: str | None = None, **kw: Any) -> list[str]:
        """Give the names of the sequences of a schema, sorted; those that columns own are among them."""
        if not self._covers(schema):
            return super().get_sequence_names(schema, **kw)
        return self._names_in(schema, self._read().snapshot.sequences)

    def get_enums(self, schema: str | None = None) -> list[Any]:
        """Give the enum types of a schema, by name.

        :param schema: None for the default one, ``"*"`` for all.
        """
        return [
            {"name": name, "schema": space, "visible": space == self._schema(None), "labels": list(enum.values)}
            for (space, name), enum in sorted(self._read().snapshot.enums.items())
            if schema == "*" or space == self._schema(schema)
        ]

    def get_view_definition(self, view_name: str, schema: str | None = None, **kw: Any) -> str:
        """Give the query of a view.

        :raises NoSuchTableError: there is no such view.
        """
        found = self._read().snapshot.views.get((self._schema(schema), view_name)) if self._covers(schema) else None
        return super().get_view_definition(view_name, schema, **kw) if found is None else found.query

    # ------------------------------------------------------------------------------------------ of one table

    def get_columns(self, table_name: str, schema: str | None = None, **kw: Any) -> list[Any]:
        """Give the columns of one table or view, without those that the server made.

        :param include_hidden: sqlalchemy-cockroachdb's option: with them, and its types.
        :raises NoSuchTableError: there is no such table.
        """
        if kw.get("include_hidden"):
            return super().get_columns(table_name, schema, **kw)
        found: list[Any] = self._of_one("columns", table_name, schema, super().get_columns, kw)
        if not found:
            self._require(table_name, schema)
        return found

    def get_pk_constraint(self, table_name: str, schema: str | None = None, **kw: Any) -> Any:
        """Give the primary key of one table; no columns where the server made it up.

        :raises NoSuchTableError: there is no such table.
        """
        return self._of_one("pk_constraint", table_name, schema, super().get_pk_constraint, kw)

    def get_foreign_keys(self, table_name: str, schema: str | None = None, **kw: Any) -> Any:
        """Give the foreign keys of one table.

        :raises NoSuchTableError: there is no such table.
        """
        return self._of_one("foreign_keys", table_name, schema, super().get_foreign_keys, kw)

    def get_indexes(self, table_name: str, schema: str | None = None, **kw: Any) -> Any:
        """Give the indexes of one table, without the primary key's.

        :raises NoSuchTableError: there is no such table.
        """
        return self._of_one("indexes", table_name, schema, super().get_indexes, kw)

    def get_unique_constraints(self, table_name: str, schema: str | None = None, **kw: Any) -> Any:
        """Give the unique constraints of one table; what only an index can say is no constraint.

        :raises NoSuchTableError: there is no such table.
        """
        return self._of_one("unique_constraints", table_name, schema, super().get_unique_constraints, kw)

    def get_check_constraints(self, table_name: str, schema: str | None = None, **kw: Any) -> Any:
        """Give the check constraints of one table.

        :raises NoSuchTableError: there is no such table.
        """
        return self._of_one("check_constraints", table_name, schema, super().get_check_constraints, kw)

    def get_table_comment(self, table_name: str, schema: str | None = None, **kw: Any) -> Any:
        """Give the comment on one table or view.

        :raises NoSuchTableError: there is no such table.
        """
        return self._of_one("table_comment", table_name, schema, super().get_table_comment, kw)

    def get_table_options(self, table_name: str, schema: str | None = None, **kw: Any) -> Any:
        """Give the families, storage parameters, locality and partitions of one table, as a Table says them.

        :raises NoSuchTableError: there is no such table.
        """
        return self._of_one("table_options", table_name, schema, self._no_options, kw)

    def has_index(self, table_name: str, index_name: str, schema: str | None = None, **kw: Any) -> bool:
        """Tell whether a table has an index of this name; there may be no such table."""
        try:
            return any(index["name"] == index_name for index in self.get_indexes(table_name, schema))
        except NoSuchTableError:
            return False

    # ---------------------------------------------------------------------------------------- of many tables

    def get_multi_columns(self, schema: str | None = None, filter_names: Any = None, *args: Any, **kw: Any) -> Any:
        """Give the columns of many tables and views; one more query is sent for those of views."""
        return self._of_many("columns", super().get_multi_columns, schema, filter_names, *args, **kw)

    def get_multi_pk_constraint(
        self, schema: str | None = None, filter_names: Any = None, *args: Any, **kw: Any
    ) -> Any:
        """Give the primary keys of many tables."""
        return self._of_many("pk_constraint", super().get_multi_pk_constraint, schema, filter_names, *args, **kw)

    def get_multi_foreign_keys(self, schema: str | None = None, filter_names: Any = None, *args: Any, **kw: Any) -> Any:
        """Give the foreign keys of many tables."""
        return self._of_many("foreign_keys", super().get_multi_foreign_keys, schema, filter_names, *args, **kw)

    def get_multi_indexes(self, schema: str | None = None, filter_names: Any = None, *args: Any, **kw: Any) -> Any:
        """Give the indexes of many tables."""
        return self._of_many("indexes", super().get_multi_indexes, schema, filter_names, *args, **kw)

    def get_multi_unique_constraints(
        self, schema: str | None = None, filter_names: Any = None, *args: Any, **kw: Any
    ) -> Any:
        """Give the unique constraints of many tables."""
        stock = super().get_multi_unique_constraints
        return self._of_many("unique_constraints", stock, schema, filter_names, *args, **kw)

    def get_multi_check_constraints(
        self, schema: str | None = None, filter_names: Any = None, *args: Any, **kw: Any
    ) -> Any:
        """Give the check constraints of many tables."""
        stock = super().get_multi_check_constraints
        return self._of_many("check_constraints", stock, schema, filter_names, *args, **kw)

    def get_multi_table_comment(
        self, schema: str | None = None, filter_names: Any = None, *args: Any, **kw: Any
    ) -> Any:
        """Give the comments on many tables and views."""
        return self._of_many("table_comment", super().get_multi_table_comment, schema, filter_names, *args, **kw)

    def get_multi_table_options(
        self, schema: str | None = None, filter_names: Any = None, *args: Any, **kw: Any
    ) -> Any:
        """Give the options of many tables."""
        return self._of_many("table_options", lambda *args, **kw: {}, schema, filter_names, *args, **kw)

    def _get_reflection_info(self, *args: Any, **kw: Any) -> Any:
        """Give what SQLAlchemy makes its tables of, with nothing in an expression taken for a bind parameter."""
        found = super()._get_reflection_info(*args, **kw)
        for columns in found.columns.values():
            for column in columns:
                column["default"] = _clause(column.get("default"))
                if "computed" in column:
                    column["computed"]["sqltext"] = _clause(column["computed"]["sqltext"])
        for checks in found.check_constraints.values():
            for check in checks:
                check["sqltext"] = _clause(check["sqltext"])
        for indexes in found.indexes.values():
            for index in indexes:
                if "expressions" in index:
                    index["expressions"] = [bind_free(each) for each in index["expressions"]]
        return found

    # ------------------------------------------------------------------------------------------ how it is told

    def snapshot(self) -> Snapshot:
        """Give the whole database as catalog objects.

        :raises UnreadableDDL: the server printed a statement that is not understood.
        """
        return self._read().snapshot

    def _read(self) -> Inspection:
        """Read the database, once."""
        found: Inspection | None = self.info_cache.get(_CACHED)
        if found is None:
            with self._operation_context() as connection:
                found = Inspection(read_database(connection), self._schema(None))
            self.info_cache[_CACHED] = found
        return found

    def _schema(self, schema: str | None) -> str:
        return schema or self.default_schema_name or "public"

    def _covers(self, schema: str | None) -> bool:
        """Tell whether what was read has all that is lasting in a schema."""
        return self._schema(schema) in {"public", *self._read().snapshot.schemas}

    def _require(self, table_name: str, schema: str | None) -> None:
        """Refuse the name of a table that there isn't; sqlalchemy-cockroachdb answers that it has nothing."""
        if not self.has_table(table_name, schema):
            raise NoSuchTableError(f"{schema}.{table_name}" if schema else table_name)

    def _no_options(self, table_name: str, schema: str | None, **kw: Any) -> dict[str, Any]:
        self._require(table_name, schema)
        return {}

    def _names_in(self, schema: str | None, keys: Collection[Name]) -> list[str]:
        return sorted(name for space, name in keys if space == self._schema(schema))

    def _of_one(
        self, what: str, table_name: str, schema: str | None, stock: Callable[..., Any], kw: dict[str, Any]
    ) -> Any:
        found = self._answers(what, schema, [table_name]) if self._covers(schema) else {}
        if table_name in found:
            return found[table_name]
        return stock(table_name, schema, **kw)

    def _of_many(
        self,
        what: str,
        stock: Callable[..., Any],
        schema: str | None,
        filter_names: Sequence[str] | None,
        kind: ObjectKind = ObjectKind.TABLE,
        scope: ObjectScope = ObjectScope.DEFAULT,
        **kw: Any,
    ) -> dict[_Key, Any]:
        if not self._covers(schema):
            return dict(stock(schema, filter_names, kind, scope, **kw))
        found: dict[_Key, Any] = {}
        if ObjectScope.DEFAULT in scope:
            chosen = [name for name in self._names(schema, kind) if not filter_names or name in filter_names]
            found = {(schema, name): answer for name, answer in self._answers(what, schema, chosen).items()}
        if ObjectScope.TEMPORARY in scope:
            missing = [name for name in filter_names or self.get_temp_table_names() if (schema, name) not in found]
            if missing:
                found |= stock(schema, missing, kind, ObjectScope.ANY, **kw)
        return found

    def _names(self, schema: str | None, kind: ObjectKind) -> Iterator[str]:
        if ObjectKind.TABLE in kind:
            yield from self.get_table_names(schema)
        if ObjectKind.VIEW in kind:
            yield from self.get_view_names(schema)
        if ObjectKind.MATERIALIZED_VIEW in kind:
            yield from self.get_materialized_view_names(schema)

    def _answers(self, what: str, schema: str | None, names: Collection[str]) -> dict[str, Any]:
        """Give the answers about those of these tables and views that were read, by name."""
        inspection = self._read()
        space = self._schema(schema)
        told: dict[str, Callable[[Name], Any]] = {
            "columns": inspection.columns,
            "pk_constraint": inspection.primary_key,
            "foreign_keys": lambda key: inspection.foreign_keys(key, schema),
            "indexes": inspection.indexes,
            "unique_constraints": inspection.unique_constraints,
            "check_constraints": inspection.check_constraints,
            "table_comment": lambda key: inspection.comment("TABLE", key),
            "table_options": inspection.options,
        }
        found = {name: told[what]((space, name)) for name in names if (space, name) in inspection.snapshot.tables}
        views = [name for name in names if (space, name) in inspection.snapshot.views]
        if what == "columns":
            return found | self._view_columns(space, views)
        if what == "table_comment":
            return found | {name: inspection.comment("VIEW", (space, name)) for name in views}
        return found | {name: getattr(ReflectionDefaults, what)() for name in views}

    def _view_columns(self, schema: str, names: Collection[str]) -> dict[str, list[dict[str, Any]]]:
        if not names:
            return {}
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
        labels = {key: list(enum.values) for key, enum in self._read().snapshot.enums.items()}
        with self._operation_context() as connection:
            for row in connection.execute(_VIEW_COLUMNS, {"schema": schema, "names": list(names)}):
                found[row.table_name].append(
                    {
                        "name": row.column_name,
                        "type": types.from_server(row.crdb_sql_type, labels),
                        "nullable": row.is_nullable == "YES",
                        "default": row.column_default,
                        "autoincrement": False,
                        "comment": None,
                    }
                )
        return found


def _clause(expression: Any) -> Any:
    """Give an expression as it is where SQLAlchemy takes it for what it is, else as a clause."""
    return sql(expression) if isinstance(expression, str) and bind_free(expression) != expression else expression

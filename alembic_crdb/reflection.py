"""What the Inspector of a CockroachDB engine answers.

sqlalchemy-cockroachdb asks as if the server were PostgreSQL 9.5. Here the answers are put right: views
are no tables, types keep their width, and nothing is reported that the server adds by itself (the ``rowid``
column, the primary key's default name, the default sort order of an index).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import MetaData, bindparam, text
from sqlalchemy.dialects.postgresql.base import PGInspector
from sqlalchemy.engine import Connection
from sqlalchemy.engine.reflection import ObjectKind, ObjectScope
from sqlalchemy.exc import NoSuchTableError

from alembic_crdb import types
from alembic_crdb.database import read_database
from alembic_crdb.to_metadata import to_metadata

_TABLES = text(
    "SELECT table_name FROM information_schema.tables "
    "WHERE table_schema = :schema AND table_type = 'BASE TABLE' ORDER BY table_name"
)
_COLUMNS = """
SELECT table_name, column_name, crdb_sql_type, is_nullable, column_default, generation_expression
FROM information_schema.columns
WHERE table_schema = :schema AND is_hidden = 'NO'{names}
ORDER BY table_name, ordinal_position
"""
# information_schema has comments, too, but v21.1 gives them there as a quoted literal.
_COMMENTS = """
SELECT c.relname, a.attname, d.description FROM pg_catalog.pg_description AS d
JOIN pg_catalog.pg_class AS c ON c.oid = d.objoid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = d.objoid AND a.attnum = d.objsubid
WHERE n.nspname = :schema AND d.objsubid > 0{names}
"""
_ENUMS = text(
    "SELECT n.nspname, t.typname, e.enumlabel FROM pg_catalog.pg_enum AS e "
    "JOIN pg_catalog.pg_type AS t ON t.oid = e.enumtypid "
    "JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace ORDER BY e.enumtypid, e.enumsortorder"
)
_INDEXES = """
SELECT tablename, indexname, indexdef FROM pg_catalog.pg_indexes WHERE schemaname = :schema{names}
"""
_STORING = re.compile(r"\) STORING \((?P<columns>.*?)\)(?: WHERE |$)", re.S)
_PREDICATE = re.compile(r"\) WHERE \((?P<predicate>.*)\)$", re.S)
# What an index can say and UNIQUE (a, b) cannot, once the quoted names are taken out.
_SPECIAL = re.compile(
    r" WHERE | STORING \(| INCLUDE \(| DESC\b| NULLS (?:FIRST|LAST)| USING (?!btree)| USING btree \([^)]*\("
)
_QUOTED = re.compile(r'"(?:[^"]|"")*"')
_VIRTUAL = re.compile(r"^\s+(?P<name>\"(?:[^\"]|\"\")*\"|\S+) .*\) VIRTUAL,?$", re.M)
# The access methods of CockroachDB, in its pg_catalog's words, and what PostgreSQL's dialect calls them.
_ACCESS_METHODS = {"prefix": None, "inverted": "gin"}
_DEFAULT_SORTING = (("nulls_first",), ("asc", "nulls_first"), ("asc",))
_DEFAULT_DESCENDING = ("desc", "nulls_last")

_Key = tuple[str | None, str]


def reflect_database(connection: Connection) -> MetaData:
    """Give every object of the connection's database: tables with all that is theirs, enum types, sequences, views.

    One query reads them; ``create_all`` of the result makes the same database again. Objects in other schemas than the
    default one carry their schema's name.

    :raises UnreadableDDL: the server printed a statement that is not understood.
    """
    return to_metadata(read_database(connection), connection.dialect.default_schema_name or "public")


class CockroachInspector(PGInspector):
    """SQLAlchemy's Inspector for CockroachDB; ``sqlalchemy.inspect`` gives it for every adapted dialect."""

    def get_table_names(self, schema: str | None = None, **kw: Any) -> list[str]:
        """Give the names of the tables of a schema, sorted; neither views nor materialized views."""
        with self._operation_context() as connection:
            return list(connection.scalars(_TABLES, {"schema": self._schema(schema)}))

    def get_columns(self, table_name: str, schema: str | None = None, **kw: Any) -> list[Any]:
        """Give the visible columns of one table or view.

        :raises NoSuchTableError: there is no such table.
        """
        kind = ObjectKind.ANY
        found = self.get_multi_columns(schema, [table_name], kind=kind, scope=ObjectScope.ANY, **kw)
        if (schema, table_name) not in found:
            raise NoSuchTableError(f"{schema}.{table_name}" if schema else table_name)
        return found[schema, table_name]

    def get_multi_columns(
        self,
        schema: str | None = None,
        filter_names: Sequence[str] | None = None,
        kind: ObjectKind = ObjectKind.TABLE,
        scope: ObjectScope = ObjectScope.DEFAULT,
        **kw: Any,
    ) -> dict[_Key, list[Any]]:
        """Give the visible columns of many tables, with one query for the columns and one for their comments.

        Another one is sent when a column has a type of the user's own, and one for each table with a
        computed column, which only ``SHOW CREATE`` calls stored or virtual.
        """
        names = self._names(schema, filter_names, kind)
        rows = self._rows(_COLUMNS, "table_name", schema, names)
        comments = {
            (row.relname, row.attname): row.description for row in self._rows(_COMMENTS, "c.relname", schema, names)
        }
        enums = self._enums() if any("." in row.crdb_sql_type for row in rows) else {}
        virtual = {
            name: self._virtual_columns(schema, name)
            for name in sorted({row.table_name for row in rows if row.generation_expression})
        }
        result: dict[_Key, list[Any]] = {}
        for row in rows:
            column: dict[str, Any] = {
                "name": row.column_name,
                "type": types.from_server(row.crdb_sql_type, enums),
                "nullable": row.is_nullable == "YES",
                "default": row.column_default,
                "autoincrement": bool(re.match(r"unique_rowid\(|nextval\(", row.column_default or "")),
                "comment": comments.get((row.table_name, row.column_name)),
            }
            if row.generation_expression:
                persisted = row.column_name not in virtual[row.table_name]
                column |= {
                    "default": None,
                    "computed": {"sqltext": row.generation_expression, "persisted": persisted},
                }
            result.setdefault((schema, row.table_name), []).append(column)
        return result

    def get_indexes(self, table_name: str, schema: str | None = None, **kw: Any) -> list[Any]:
        """Give the indexes of one table, without the primary key's."""
        key = (schema, table_name)
        return self._clean_indexes(schema, {key: super().get_indexes(table_name, schema, **kw)})[key]

    def get_multi_indexes(
        self, schema: str | None = None, filter_names: Sequence[str] | None = None, *args: Any, **kw: Any
    ) -> dict[_Key, list[Any]]:
        """Give the indexes of many tables, without the primary keys'."""
        return self._clean_indexes(schema, super().get_multi_indexes(schema, filter_names, *args, **kw))

    def get_unique_constraints(self, table_name: str, schema: str | None = None, **kw: Any) -> list[Any]:
        """Give the unique constraints of one table; what only an index can say is no constraint."""
        key = (schema, table_name)
        return self._clean_uniques(schema, {key: super().get_unique_constraints(table_name, schema, **kw)})[key]

    def get_multi_unique_constraints(
        self, schema: str | None = None, filter_names: Sequence[str] | None = None, *args: Any, **kw: Any
    ) -> dict[_Key, list[Any]]:
        """Give the unique constraints of many tables; what only an index can say is no constraint."""
        return self._clean_uniques(schema, super().get_multi_unique_constraints(schema, filter_names, *args, **kw))

    def get_pk_constraint(self, table_name: str, schema: str | None = None, **kw: Any) -> Any:
        """Give the primary key of one table; no columns when the server made it up."""
        return self._clean_primary_key(table_name, super().get_pk_constraint(table_name, schema, **kw))

    def get_multi_pk_constraint(self, *args: Any, **kw: Any) -> dict[_Key, Any]:
        """Give the primary keys of many tables; no columns where the server made it up."""
        found = super().get_multi_pk_constraint(*args, **kw)
        return {key: self._clean_primary_key(key[1], value) for key, value in found.items()}

    def _schema(self, schema: str | None) -> str:
        return schema or self.default_schema_name or "public"

    def _names(
        self, schema: str | None, filter_names: Sequence[str] | None, kind: ObjectKind
    ) -> Collection[str] | None:
        """Give the names to ask for; None for every table and view."""
        if filter_names or kind is ObjectKind.ANY:
            return filter_names
        names: list[str] = []
        if ObjectKind.TABLE in kind:
            names += self.get_table_names(schema)
        if ObjectKind.VIEW in kind:
            names += self.get_view_names(schema)
        if ObjectKind.MATERIALIZED_VIEW in kind:
            names += self.get_materialized_view_names(schema)
        return names

    def _rows(self, query: str, column: str, schema: str | None, names: Collection[str] | None) -> Sequence[Any]:
        """Run a query for the objects of the given names in a schema; None is all of them."""
        values: dict[str, Any] = {"schema": self._schema(schema)}
        statement = text(query.format(names=""))
        if names is not None:
            values["names"] = list(names)
            statement = text(query.format(names=f" AND {column} IN :names"))
            statement = statement.bindparams(bindparam("names", expanding=True))
        with self._operation_context() as connection:
            return connection.execute(statement, values).all()

    def _enums(self) -> Mapping[tuple[str, str], list[str]]:
        found: dict[tuple[str, str], list[str]] = {}
        with self._operation_context() as connection:
            for schema, name, label in connection.execute(_ENUMS):
                found.setdefault((schema, name), []).append(label)
        return found

    def _virtual_columns(self, schema: str | None, name: str) -> set[str]:
        quote = self.dialect.identifier_preparer.quote_identifier
        with self._operation_context() as connection:
            row = connection.execute(text(f"SHOW CREATE TABLE {quote(self._schema(schema))}.{quote(name)}")).one()
        found = _VIRTUAL.finditer(row[1])
        return {match["name"].strip('"').replace('""', '"') for match in found}

    def _definitions(self, schema: str | None, names: list[str]) -> Mapping[tuple[str, str], str]:
        """Give the text of each index of some tables, by the table's and the index's name."""
        key = ("alembic_crdb_definitions", schema, *names)
        if key not in self.info_cache:
            rows = self._rows(_INDEXES, "tablename", schema, names)
            self.info_cache[key] = {(row.tablename, row.indexname): row.indexdef for row in rows}
        found: Mapping[tuple[str, str], str] = self.info_cache[key]
        return found

    def _clean_indexes(self, schema: str | None, found: Mapping[_Key, list[Any]]) -> dict[_Key, list[Any]]:
        definitions = self._definitions(schema, sorted(name for _, name in found))
        cleaned = {}
        for key, indexes in found.items():
            cleaned[key] = [_clean_index(index, definitions.get((key[1], index["name"]), "")) for index in indexes]
        return cleaned

    def _clean_uniques(self, schema: str | None, found: Mapping[_Key, list[Any]]) -> dict[_Key, list[Any]]:
        definitions = self._definitions(schema, sorted(name for _, name in found))
        cleaned = {}
        for key, constraints in found.items():
            cleaned[key] = [
                {**constraint, "dialect_options": {}}
                for constraint in constraints
                if not _is_special(definitions.get((key[1], constraint["name"]), ""))
            ]
        return cleaned

    def _clean_primary_key(self, table_name: str, found: Any) -> Any:
        found = dict(found)
        if found.get("constrained_columns") == ["rowid"]:
            found["constrained_columns"] = []
        # The names that servers give by themselves: "primary" before v22.1, <table>_pkey since.
        if found.get("name") in ("primary", f"{table_name}_pkey"):
            found["name"] = None
        return found


def _is_special(definition: str) -> bool:
    """Tell whether an index's text says more than a unique constraint can."""
    return _SPECIAL.search(_QUOTED.sub("", definition)) is not None


def _clean_index(index: Mapping[str, Any], definition: str) -> dict[str, Any]:
    """Take out of a reflected index what the server says of every index, and add what only its text says."""
    cleaned = dict(index)
    if _is_special(definition):
        cleaned.pop("duplicates_constraint", None)
    options = dict(index.get("dialect_options", {}))
    options["postgresql_ops"] = {key: ops for key, ops in options.get("postgresql_ops", {}).items() if ops}
    method = options.get("postgresql_using")
    if method in _ACCESS_METHODS:
        options["postgresql_using"] = _ACCESS_METHODS[method]
    if storing := _STORING.search(definition):
        options["postgresql_include"] = _identifiers(storing["columns"])
    if predicate := _PREDICATE.search(definition):
        options["postgresql_where"] = predicate["predicate"]
    cleaned["dialect_options"] = {key: value for key, value in options.items() if value}
    cleaned["column_sorting"] = {
        key: ("desc",) if sorting == _DEFAULT_DESCENDING else sorting
        for key, sorting in index.get("column_sorting", {}).items()
        if sorting not in _DEFAULT_SORTING
    }
    return cleaned


def _identifiers(listed: str) -> list[str]:
    found: Iterable[str] = re.findall(r'"(?:[^"]|"")*"|[^,\s]+', listed)
    return [name[1:-1].replace('""', '"') if name.startswith('"') else name for name in found]

"""What takes part in a comparison: the schemas, ``include_name``, and none of the tables that runs keep."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

from alembic_crdb.catalog import Table
from alembic_crdb.inspection import is_constraint
from alembic_crdb.snapshot import Name, Snapshot

#: What the names of the tables begin with in which this project keeps what it knows of runs.
OWN_TABLES: Final = "alembic_cluster_"
#: Tables in which other tools for migrations keep their state, told by name and columns; never dropped.
OTHER_TOOLS: Final[Mapping[str, Collection[str]]] = {
    "_migrations": ("version", "description", "applied_at"),  # manticore-cockroachdb 0.3
    "schema_migrations": ("version", "dirty"),  # golang-migrate 4
    "flyway_schema_history": ("installed_rank", "version", "script", "checksum", "success"),
    "databasechangelog": ("id", "author", "filename", "dateexecuted", "md5sum"),  # Liquibase
    "databasechangeloglock": ("id", "locked", "lockgranted", "lockedby"),
    "goose_db_version": ("id", "version_id", "is_applied", "tstamp"),
    "django_migrations": ("id", "app", "name", "applied"),
}

_Item = TypeVar("_Item")


def _tables(autogen_context: Any) -> Collection[Any]:
    tables: Collection[Any] = autogen_context.table_key_to_table.values()
    return tables


class Filters:
    """The filters of one comparison.

    :param autogen_context: Alembic's ``AutogenContext``.
    :param schemas: the schemas to compare; None is the default one.
    :param default_schema: the default schema.
    """

    def __init__(self, autogen_context: Any, schemas: Collection[str | None], default_schema: str) -> None:
        context = autogen_context.migration_context
        self.schemas = {schema or default_schema for schema in schemas}
        self.default_schema = default_schema
        self._context = autogen_context
        # Stock Alembic compares the tables of a model whether or not their schemas were asked for, and so do we.
        self._more = self._named_elsewhere(
            (table.schema or default_schema, str(table.name)) for table in _tables(autogen_context)
        )
        self._more_objects: set[Name] = set()
        self._version_table = (context.version_table_schema or default_schema, context.version_table)

    def is_compared(self, name: Name) -> bool:
        """Tell whether a table of the model takes part; the version table and our own never do."""
        if name == self._version_table or name[1].startswith(OWN_TABLES):
            return False
        return name[0] in self.schemas or name in self._more

    def model(self, model: Snapshot) -> Snapshot:
        """Give what of a model takes part, which is then compared wherever it is; its tables are chosen already."""
        self._more_objects = self._named_elsewhere({*model.views, *model.sequences})
        return replace(model, views=self._inside(model.views), sequences=self._inside(model.sequences))

    def database(self, database: Snapshot) -> Snapshot:
        """Give the tables, views and sequences of a database that take part, each of them whole."""
        tables = {
            key: table
            for key, table in database.tables.items()
            if self.is_compared(key) and not _is_other_tools(key[1], table) and self._includes(key[1], "table", key)
        }
        views = {key: view for key, view in self._inside(database.views).items() if self._includes(key[1], "view", key)}
        sequences = self._inside(database.sequences)
        return replace(
            database,
            tables=tables,
            views=views,
            sequences={key: each for key, each in sequences.items() if self._includes(key[1], "sequence", key)},
        )

    def elements(self, database: Snapshot) -> Snapshot:
        """Leave out the columns, indexes and constraints that ``include_name`` does not want."""
        if not self._context._name_filters:
            return database
        return replace(database, tables={key: self._table(key, table) for key, table in database.tables.items()})

    def _named_elsewhere(self, named: Iterable[Name]) -> set[Name]:
        """Give those of a model's names that lie in schemas which weren't asked for, or aren't there yet."""
        outside = {name for name in named if name[0] not in self.schemas}
        wanted = {
            schema for schema in {name[0] for name in outside} if self._context.run_name_filters(schema, "schema", {})
        }
        return {name for name in outside if name[0] in wanted}

    def _inside(self, objects: Mapping[Name, _Item]) -> dict[Name, _Item]:
        return {key: each for key, each in objects.items() if key[0] in self.schemas or key in self._more_objects}

    def _schema(self, key: Name) -> str | None:
        return None if key[0] == self.default_schema else key[0]

    def _includes(self, name: str | None, kind: str, key: Name, **parents: str) -> bool:
        parents_of: dict[str, str | None] = {"schema_name": self._schema(key), **parents}
        return bool(self._context.run_name_filters(name, kind, parents_of))

    def _table(self, key: Name, table: Table) -> Table:
        def kept(items: tuple[_Item, ...], *kinds: str) -> tuple[_Item, ...]:
            def is_wanted(item: Any) -> bool:
                return all(self._includes(item.name, kind, key, table_name=key[1]) for kind in kinds)

            return tuple(each for each in items if is_wanted(each))

        # A unique constraint and a unique index are one thing to the server.
        unique = tuple(index for index in table.indexes if is_constraint(index))
        chosen = {
            *kept(tuple(index for index in table.indexes if not is_constraint(index)), "index"),
            *kept(unique, "index", "unique_constraint"),
        }
        return replace(
            table,
            columns=kept(table.columns, "column"),
            indexes=tuple(index for index in table.indexes if index in chosen),
            foreign_keys=kept(table.foreign_keys, "foreign_key_constraint"),
            checks=kept(table.checks, "check_constraint"),
            uniques=kept(table.uniques, "unique_constraint"),
        )


def _is_other_tools(name: str, table: Table) -> bool:
    wanted = OTHER_TOOLS.get(name)
    return wanted is not None and set(wanted) <= {column.name for column in table.columns}

"""A database read in one round trip: one query gives the CREATE statements of everything, the parser does the rest."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sqlalchemy.engine import Connection

from alembic_crdb.catalog import ObjectName
from alembic_crdb.catalog_objects import Database, EnumType, Statement, View, ZoneConfiguration
from alembic_crdb.expressions import quote_type_names
from alembic_crdb.lexer import quote_name
from alembic_crdb.parser import parse_rows
from alembic_crdb.queries import without_database
from alembic_crdb.snapshot import Snapshot, name_of, snapshot_of
from alembic_crdb.versions import SECONDARY_REGION, SHOWS_CREATE_ALL_TYPES, server_version

# Each row: what it is, schema, name, text. Never crdb_internal, which v26.1 and later forbid.
_ALL = """
SELECT 'database', current_database(), '', ''
UNION ALL SELECT 'sql', '', '', create_statement FROM [SHOW CREATE ALL SCHEMAS]
UNION ALL SELECT 'sql', '', '', create_statement FROM [SHOW CREATE ALL TYPES]
UNION ALL SELECT 'sql', '', '', create_statement FROM [SHOW CREATE ALL TABLES]
UNION ALL SELECT 'regions', primary_region, array_to_string(regions, ','), survival_goal FROM [SHOW DATABASES]
WHERE database_name = current_database() AND primary_region <> ''
"""
_SECONDARY = """UNION ALL SELECT 'secondary', secondary_region, '', '' FROM [SHOW DATABASES]
WHERE database_name = current_database() AND secondary_region <> ''
"""
# Before v21.2 there is no ALL TYPES, ALL TABLES takes a second for a hundred tables, and materialized views are
# printed as views. crdb_internal is open to everybody there. Its create_statements are looked up one by one: read
# whole, it asks for the comment of each of its 250 virtual tables first, which takes 0.3 s in an empty database.
_ALL_BEFORE = """
SELECT 'database', current_database(), '', ''
UNION ALL SELECT 'sql', '', '', c.create_statement FROM (
SELECT table_id FROM crdb_internal.tables WHERE database_name = current_database() AND state = 'PUBLIC'
AND left(schema_name, 8) <> 'pg_temp_') AS t
INNER LOOKUP JOIN crdb_internal.create_statements AS c ON c.descriptor_id = t.table_id
UNION ALL SELECT 'schema', nspname, '', '' FROM pg_catalog.pg_namespace WHERE left(nspname, 8) <> 'pg_temp_'
UNION ALL SELECT 'materialized', schemaname, matviewname, '' FROM pg_catalog.pg_matviews
UNION ALL SELECT 'enum', n.nspname, t.typname, lpad(e.enumsortorder::INT8::STRING, 12, '0') || e.enumlabel
FROM pg_catalog.pg_enum AS e
JOIN pg_catalog.pg_type AS t ON t.oid = e.enumtypid
JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
UNION ALL SELECT 'regions', primary_region, array_to_string(regions, ','), survival_goal FROM [SHOW DATABASES]
WHERE database_name = current_database() AND primary_region <> ''
"""
_ZONES = "SELECT raw_config_sql FROM [SHOW ZONE CONFIGURATIONS] WHERE raw_config_sql IS NOT NULL"
_ORDER_DIGITS = 12
SYSTEM_SCHEMAS = frozenset({"crdb_internal", "information_schema", "pg_catalog", "pg_extension"})


def reflecting_query(connection: Connection) -> str:
    """Give the one query that reads a database of this server's version."""
    version = server_version(connection)
    if not SHOWS_CREATE_ALL_TYPES.on(version):
        return _ALL_BEFORE
    return _ALL + _SECONDARY if SECONDARY_REGION.on(version) else _ALL


def read_database(connection: Connection) -> Snapshot:
    """Read the connection's database.

    :raises UnreadableDDL: the server printed a statement that the parser does not understand.
    :raises sqlalchemy.exc.DBAPIError: the server's refusal.
    """
    if SHOWS_CREATE_ALL_TYPES.on(server_version(connection)):
        rows = connection.exec_driver_sql(reflecting_query(connection)).all()
        database = _regions(rows)
        return _of_itself(snapshot_of(parse_rows(row[3] for row in rows if row[0] == "sql")), database)
    return _before(connection)


def read_zones(connection: Connection, database: str) -> dict[ZoneConfiguration, ZoneConfiguration]:
    """Read the zone configurations of a database and its tables, and those of ranges, by what they are for.

    A model that has none is not compared with them, so this is a query of its own.

    :param database: the name of the connection's database, which is left out of the names of tables.
    :raises UnreadableDDL: the server printed a statement that the parser does not understand.
    """
    rows = connection.exec_driver_sql(_ZONES).all()
    zones = [each for each in parse_rows(row[0] for row in rows) if isinstance(each, ZoneConfiguration)]
    ours = [
        replace(zone, name=replace(zone.name, database=None))
        for zone in zones
        if zone.target in ("DATABASE", "RANGE") or zone.name.database == database
    ]
    return {replace(zone, options=()): zone for zone in ours if zone.target != "DATABASE" or zone.name.name == database}


def _regions(rows: Iterable[Any]) -> Database:
    """Give the database: its name and, when it has any, its regions and what it survives."""
    name, secondary, found = "", None, None
    for kind, *values in rows:
        if kind == "database":
            name = values[0]
        elif kind == "secondary":
            secondary = values[0]
        elif kind == "regions":
            found = values
    if found is None:
        return Database(name)
    primary, regions, goal = found
    return Database(name, primary, tuple(sorted(regions.split(","))), goal.upper(), secondary_region=secondary)


def _of_itself(snapshot: Snapshot, database: Database) -> Snapshot:
    """Take the database's own name out of its views, which must not name the database that they were read from."""
    views = {
        key: replace(view, query=without_database(view.query, database.name)) for key, view in snapshot.views.items()
    }
    return replace(snapshot, views=views, database=database)


def _before(connection: Connection) -> Snapshot:
    texts: list[str] = []
    schemas: set[str] = set()
    materialized: set[tuple[str, str]] = set()
    labels: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    rows = connection.exec_driver_sql(reflecting_query(connection)).all()
    for kind, schema, name, text in rows:
        if kind == "sql":
            texts.append(text)
        elif kind == "schema":
            schemas.add(schema)
        elif kind == "materialized":
            materialized.add((schema, name))
        elif kind == "enum":
            labels[schema, name].append(text)
    enums = [
        EnumType(ObjectName(name, schema), tuple(label[_ORDER_DIGITS:] for label in sorted(found)))
        for (schema, name), found in labels.items()
    ]
    database = _regions(rows)
    types = [enum.name for enum in enums]
    own = _own_sequence(database.name)
    texts = [own.sub(r"\1", text) for text in texts]
    statements: Iterable[Statement] = parse_rows(quote_type_names(text, types) for text in texts)
    snapshot = snapshot_of([*(_materialized(each, materialized) for each in statements), *enums])
    return replace(_of_itself(snapshot, database), schemas=frozenset(schemas - SYSTEM_SCHEMAS - {"public"}))


def _own_sequence(database: str) -> re.Pattern[str]:
    """Find the database's own name in what a sequence is called: a default must not name where it was read from."""
    names = "|".join(re.escape(name.replace("'", "''")) for name in {database, quote_name(database)})
    return re.compile(rf"((?:next|curr|set)val\(')(?:{names})\.")


def _materialized(statement: Statement, names: set[tuple[str, str]]) -> Statement:
    """Say of a view that it is materialized, and leave out its hidden column, which those servers print."""
    if not isinstance(statement, View) or name_of(statement.name) not in names:
        return statement
    return replace(statement, materialized=True, columns=tuple(name for name in statement.columns if name != "rowid"))

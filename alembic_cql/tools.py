"""Tables in which other tools for migrations keep their state: no model has them, and autogenerate never drops them.

A table counts as a tool's by its name and the columns that the tool gives it; a table of the application that only has
the name is compared as any other. Whoever gave the tool's table another name leaves it out with ``include_name``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

_LEADER = ("keyspace_name", "leader", "took_lead_at", "leader_hostname")
_VERSION = ("version", "checksum", "description", "execution_time", "installed_by", "installed_on", "script", "success")
_TABLES: Mapping[str, Collection[str]] = {
    # coodie 1.9, migrations/runner.py
    "_coodie_migrations": ("migration_name", "applied_at"),
    "_coodie_migrations_lock": ("lock_id", "acquired_at"),
    # cassandra-migrate 0.3, migrator.py
    "database_migrations": ("id", "version", "name", "content", "checksum", "state", "applied_at"),
    # cql-track 1.1, migrator.py
    "cqltrack_history": ("version", "description", "checksum", "status", "applied_at", "applied_by", "exec_time_ms"),
    "cqltrack_lock": ("lock_id", "owner", "acquired_at"),
    # cassachange, history.py
    "change_history": ("script", "installed_on", "script_type", "version", "checksum", "status", "keyspace_name"),
    "deploy_lock": ("lock_key", "locked_by", "locked_at", "run_id"),
    # golang-migrate 4, database/cassandra/cassandra.go
    "schema_migrations": ("version", "dirty"),
    # gocqlx, migrate/migrate.go
    "gocqlx_migrate": ("name", "checksum", "done", "start_time", "end_time"),
    # patka/cassandra-migration, Database.java
    "schema_migration": ("applied_successful", "version", "script_name", "script", "executed_at"),
    "schema_migration_leader": _LEADER,
    # hhandoko/cassandra-migration and Contrast-Security-OSS/cassandra-migration
    "cassandra_migration_version": _VERSION,
    "cassandra_migration_version_counts": ("name", "count"),
    # liquibase-cassandra
    "databasechangelog": ("id", "author", "filename", "dateexecuted", "orderexecuted", "exectype", "md5sum"),
    "databasechangeloglock": ("id", "locked", "lockgranted", "lockedby"),
    # cqlmigrate (sky-uk)
    "schema_updates": ("filename", "checksum", "applied_on"),
}
NAMES = tuple(_TABLES)


def is_other_tools_table(name: str, columns: Collection[str]) -> bool:
    """Tell a table in which another tool keeps its state.

    :param columns: the names of its columns.
    """
    wanted = _TABLES.get(name)
    return wanted is not None and set(wanted) <= set(columns)

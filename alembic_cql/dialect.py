"""The SQLAlchemy dialect ``cql``: URLs ``cassandra://`` and ``scylla://``."""

from __future__ import annotations

import re
from dataclasses import replace
from types import ModuleType
from typing import Any

from sqlalchemy import Column as SQLColumn
from sqlalchemy import Connection, Delete, Index, Insert, PrimaryKeyConstraint, Table, Update, exc
from sqlalchemy.engine import URL, default
from sqlalchemy.engine.interfaces import BindTyping, IsolationLevel

from alembic_cluster.errors import ConfigurationError, ConnectFailed, first_line
from alembic_cql.compiler import CqlCompiler
from alembic_cql.connecting import read_options
from alembic_cql.copying import CopyRows, copy_rows
from alembic_cql.ddl import CqlDDLCompiler
from alembic_cql.environments import KeyspaceOptions, read_keyspaces
from alembic_cql.features import Features, parse_release
from alembic_cql.heads import purge, select_heads
from alembic_cql.identifiers import CqlIdentifierPreparer
from alembic_cql.options import STRUCTURE_OPTIONS, TABLE_OPTIONS
from alembic_cql.reflection import KeyspaceInfo, TableInfo, read_keyspace, table_kwargs
from alembic_cql.refusal import missing_keyspace
from alembic_cql.typecompiler import CqlTypeCompiler
from alembic_cql.types import COLSPECS
from alembic_cql.url import connect_arguments


class CqlExecutionContext(default.DefaultExecutionContext):
    """Carries ``execution_options(cql_consistency=.., cql_serial_consistency=..)`` to the cursor."""

    @property
    def consistency_options(self) -> dict[str, int]:
        """Keyword arguments for the cursor's ``execute``.

        :raises ConfigurationError: for an unknown consistency level.
        """
        found = {
            "consistency": self.execution_options.get("cql_consistency"),
            "serial_consistency": self.execution_options.get("cql_serial_consistency"),
        }
        if isinstance(self.compiled, CqlCompiler) and self.compiled.reads_heads:
            # Heads are moved by conditional batches; only a read at SERIAL sees one whose outcome is still open.
            found["consistency"] = found["consistency"] or "SERIAL"
        return {name: _consistency(value) for name, value in found.items() if value is not None}


def _consistency(name: str) -> int:
    from cassandra import ConsistencyLevel

    try:
        return int(ConsistencyLevel.name_to_value[name])
    except KeyError:
        raise ConfigurationError(
            f"there is no consistency level {name!r}; there are {', '.join(ConsistencyLevel.name_to_value)}"
        ) from None


class CassandraDialect(default.DefaultDialect):
    """Apache Cassandra through cassandra-driver (or scylla-driver, which installs the same package)."""

    name = "cql"
    driver = "cassandra"
    driver_distribution = "cassandra-driver"
    extra = "cassandra"

    statement_compiler = CqlCompiler
    ddl_compiler = CqlDDLCompiler
    type_compiler_cls = CqlTypeCompiler
    preparer = CqlIdentifierPreparer
    execution_ctx_cls = CqlExecutionContext
    colspecs = COLSPECS
    bind_typing = BindTyping.NONE

    default_paramstyle = "qmark"
    max_identifier_length = 222  # SchemaConstants.NAME_LENGTH is 48 for tables made by old servers, 222 on disk
    supports_statement_cache = True
    supports_alter = True
    supports_comments = True
    inline_comments = True
    supports_default_values = False
    supports_empty_insert = False
    supports_default_metavalue = False
    supports_multivalues_insert = False
    supports_native_boolean = True
    supports_native_decimal = True
    supports_native_uuid = True
    supports_sane_rowcount = False
    supports_sane_multi_rowcount = False
    supports_sequences = False
    supports_schemas = True
    supports_views = False
    postfetch_lastrowid = False
    insert_returning = update_returning = delete_returning = False
    use_insertmanyvalues = False
    requires_name_normalize = False

    # What sqltypes.JSON asks for; it is kept as text.
    _json_serializer = None
    _json_deserializer = None

    construct_arguments = [  # noqa: RUF012  (SQLAlchemy's own annotation)
        (Table, {name: None for name in (*STRUCTURE_OPTIONS, *TABLE_OPTIONS) if name != "comment"}),
        (SQLColumn, {"static": False, "masked": None, "check": None}),
        (Index, {"using": None, "target": None, "options": None, "local": None}),
        (PrimaryKeyConstraint, {}),
        (Insert, {"if_not_exists": False, "ttl": None, "timestamp": None}),
        (Update, {"if_exists": False, "ttl": None, "timestamp": None}),
        (Delete, {"if_exists": False, "timestamp": None}),
    ]

    features = Features()
    default_schema_name: str | None = None

    def __init__(self, cql_keyspaces: KeyspaceOptions | None = None, **kwargs: Any) -> None:
        """Take what ``create_engine`` gives.

        :param cql_keyspaces: options that this environment's keyspaces have instead of the models' (environments.py).
        :raises ConfigurationError: for options that no keyspace has.
        """
        super().__init__(**kwargs)
        self.cql_keyspaces = read_keyspaces(cql_keyspaces or {}, "create_engine")

    @classmethod
    def import_dbapi(cls) -> ModuleType:
        from alembic_cql import dbapi

        return dbapi

    def create_connect_args(self, url: URL) -> tuple[list[Any], dict[str, Any]]:
        return [], connect_arguments(url)

    def connect(self, *cargs: Any, **cparams: Any) -> Any:
        dbapi: Any = self.loaded_dbapi
        try:
            return dbapi.connect(**cparams)
        except dbapi.Error as error:
            raise ConnectFailed(_connect_message(cparams, error), error) from error
        except ImportError as error:
            raise ConfigurationError(
                f"the driver cannot be loaded ({first_line(error)}): pip install 'alembic-cluster[{self.extra}]'"
            ) from error

    def initialize(self, connection: Connection) -> None:
        super().initialize(connection)
        scylla = connection.exec_driver_sql(
            "SELECT table_name FROM system_schema.tables "
            "WHERE keyspace_name = 'system_schema' AND table_name = 'scylla_tables'"
        ).first()
        features = Features(is_scylla=scylla is not None, release=self.server_version_info or ())
        if features.has_default_compaction:
            features = replace(features, default_compaction=_default_compaction(connection))
        self.features = features

    def _get_server_version_info(self, connection: Connection) -> tuple[int, ...]:
        release = connection.exec_driver_sql("SELECT release_version FROM system.local WHERE key = 'local'").scalar()
        return parse_release(str(release))

    def _get_default_schema_name(self, connection: Connection) -> str | None:  # type: ignore[override]
        keyspace: str | None = connection.connection.dbapi_connection.live_session().keyspace  # type: ignore[union-attr]
        return keyspace

    def get_default_isolation_level(self, dbapi_conn: Any) -> IsolationLevel:
        return "AUTOCOMMIT"

    def get_isolation_level(self, dbapi_connection: Any) -> IsolationLevel:
        return "AUTOCOMMIT"

    def get_isolation_level_values(self, dbapi_conn: Any) -> list[IsolationLevel]:
        return ["AUTOCOMMIT"]

    def set_isolation_level(self, dbapi_connection: Any, level: IsolationLevel) -> None:
        """Do nothing: every statement is committed when it returns."""

    def do_ping(self, dbapi_connection: Any) -> bool:
        cursor = dbapi_connection.cursor()
        cursor.execute("SELECT key FROM system.local WHERE key = 'local'")
        cursor.close()
        return True

    def do_execute(self, cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        compiled: Any = getattr(context, "compiled", None)
        options = {} if context is None else context.consistency_options
        if isinstance(getattr(compiled, "statement", None), CopyRows):
            copy_rows(cursor.connection, compiled.statement.plan, self)
        elif getattr(compiled, "purged_heads", None) is not None:
            purge(cursor, statement, compiled.purged_heads, options)
        elif getattr(compiled, "reads_heads", False):
            select_heads(cursor, statement, options)
        else:
            cursor.execute(statement, parameters, **options)

    def do_executemany(self, cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        for single in parameters:
            self.do_execute(cursor, statement, single, context)

    def do_execute_no_params(self, cursor: Any, statement: str, context: Any = None) -> None:
        self.do_execute(cursor, statement, None, context)

    def is_disconnect(self, e: Exception, connection: Any, cursor: Any) -> bool:
        dbapi: Any = self.loaded_dbapi
        closed = isinstance(e, dbapi.InterfaceError) and "connection is closed" in str(e)
        return closed or isinstance(e, dbapi.ConnectionLost)

    # ------------------------------------------------------------------------------------------- reflection

    def keyspace_info(self, connection: Connection, schema: str | None, **kw: Any) -> KeyspaceInfo:
        """Read a keyspace, once for each Inspector.

        :param schema: the keyspace; that of the connection when None.
        :param kw: ``info_cache`` of the Inspector; ``meanwhile``, which is called while the server looks, if it must.
        :raises ConfigurationError: when neither names one.
        """
        keyspace = schema or self.default_schema_name
        if keyspace is None:
            raise missing_keyspace()
        cache: dict[Any, Any] | None = kw.get("info_cache")
        if cache is None:
            return read_keyspace(connection, keyspace, self.features)
        key = ("alembic_cql.keyspace_info", keyspace)
        if key not in cache:
            cache[key] = read_keyspace(connection, keyspace, self.features, kw.get("meanwhile"))
        found: KeyspaceInfo = cache[key]
        return found

    def datacenters(self, connection: Connection) -> set[str]:
        """Give the names of the cluster's datacenters."""
        found = set()
        for table in ("local", "peers"):
            found |= set(connection.exec_driver_sql(f"SELECT data_center FROM system.{table}").scalars())
        return {name for name in found if name}

    def _table_info(self, connection: Connection, name: str, schema: str | None, **kw: Any) -> TableInfo:
        keyspace = self.keyspace_info(connection, schema, **kw)
        found = keyspace.tables.get(name) or keyspace.views.get(name)
        if found is None:
            raise exc.NoSuchTableError(f"{keyspace.name}.{name}")
        return found

    def has_table(self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any) -> bool:
        self._ensure_has_table_connection(connection)
        keyspace = schema or self.default_schema_name
        if keyspace is None:
            raise missing_keyspace()
        return any(
            connection.exec_driver_sql(
                f"SELECT {name} FROM system_schema.{catalog} WHERE keyspace_name = ? AND {name} = ?",
                (keyspace, table_name),
            ).first()
            for catalog, name in (("tables", "table_name"), ("views", "view_name"))
        )

    def has_schema(self, connection: Connection, schema_name: str, **kw: Any) -> bool:
        return schema_name in self.get_schema_names(connection)

    def get_schema_names(self, connection: Connection, **kw: Any) -> list[str]:
        rows = connection.exec_driver_sql("SELECT keyspace_name FROM system_schema.keyspaces")
        return sorted(name for (name,) in rows if name != "system" and not name.startswith("system_"))

    def get_table_names(self, connection: Connection, schema: str | None = None, **kw: Any) -> list[str]:
        return sorted(self.keyspace_info(connection, schema, **kw).tables)

    def get_view_names(self, connection: Connection, schema: str | None = None, **kw: Any) -> list[str]:
        return []

    def get_materialized_view_names(self, connection: Connection, schema: str | None = None, **kw: Any) -> list[str]:
        return sorted(self.keyspace_info(connection, schema, **kw).views)

    def get_temp_table_names(self, connection: Connection, schema: str | None = None, **kw: Any) -> list[str]:
        return []

    def get_temp_view_names(self, connection: Connection, schema: str | None = None, **kw: Any) -> list[str]:
        return []

    def get_sequence_names(self, connection: Connection, schema: str | None = None, **kw: Any) -> list[str]:
        return []

    def has_sequence(self, connection: Connection, sequence_name: str, schema: str | None = None, **kw: Any) -> bool:
        return False

    def get_view_definition(self, connection: Connection, view_name: str, schema: str | None = None, **kw: Any) -> str:
        view = self.keyspace_info(connection, schema, **kw).views.get(view_name)
        if view is None or view.view is None:
            raise exc.NoSuchTableError(view_name)
        quote = self.identifier_preparer.quote
        columns = "*" if view.view["include_all_columns"] else ", ".join(quote(column.name) for column in view.columns)
        return f"SELECT {columns} FROM {quote(view.view['base_table_name'])} WHERE {view.view['where_clause']}"

    def get_columns(self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any) -> Any:
        return [
            {
                "name": column.name,
                "type": column.type,
                "nullable": column.kind in ("static", "regular"),
                "default": None,
                "autoincrement": False,
                "comment": None,
                "dialect_options": column.dialect_options,
            }
            for column in self._table_info(connection, table_name, schema, **kw).columns
        ]

    def get_pk_constraint(self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any) -> Any:
        key = self._table_info(connection, table_name, schema, **kw).key
        return {"constrained_columns": list(key.columns), "name": None}

    def get_indexes(self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any) -> Any:
        return [
            {
                "name": index.name,
                "column_names": [index.column],
                "unique": False,
                "dialect_options": index.dialect_options,
            }
            for index in self._table_info(connection, table_name, schema, **kw).indexes
        ]

    def get_table_options(self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any) -> Any:
        return table_kwargs(self._table_info(connection, table_name, schema, **kw), self.features)

    def get_table_comment(self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any) -> Any:
        return {"text": self._table_info(connection, table_name, schema, **kw).comment or None}

    def get_foreign_keys(self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any) -> Any:
        return []

    def get_unique_constraints(
        self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any
    ) -> Any:
        return []

    def get_check_constraints(
        self, connection: Connection, table_name: str, schema: str | None = None, **kw: Any
    ) -> Any:
        return []


class ScyllaDialect(CassandraDialect):
    """ScyllaDB through scylla-driver. The dialect's name stays ``cql``; only the driver differs."""

    supports_statement_cache = True  # SQLAlchemy takes it from no parent class
    features = Features(is_scylla=True, release=(3, 0, 8))  # for --sql; a connection tells what it really is

    driver = "scylla"
    driver_distribution = "scylla-driver"
    extra = "scylla"


def _default_compaction(connection: Connection) -> dict[str, str] | None:
    """Read the cluster's own default compaction; None when it has none, or doesn't let us look."""
    try:
        rows = connection.exec_driver_sql(
            "SELECT name, value FROM system_views.settings "
            "WHERE name IN ('default_compaction.class_name', 'default_compaction.parameters')"
        ).all()
    except exc.DBAPIError:
        return None
    settings = {name: value for name, value in rows if value is not None}
    if "default_compaction.class_name" not in settings:
        return None
    parameters = settings.get("default_compaction.parameters", "{}")[1:-1]  # as Java writes a map: {a=T4, L10, b=1}
    pairs = dict(re.findall(r"(\w+)=(.*?)(?=, \w+=|$)", parameters))
    return {"class": settings["default_compaction.class_name"], **pairs}


def _connect_message(parameters: dict[str, Any], error: Exception) -> str:
    wanted = read_options(parameters)
    hosts = ", ".join(f"{host}:{port}" for host, port in wanted.contact_points)
    if wanted.secure_connect_bundle is not None:
        hosts = f"the hosts of {wanted.secure_connect_bundle}"
    reason = first_line(error)
    if wanted.keyspace is not None and "does not exist" in reason:
        return (
            f"Keyspace {wanted.keyspace!r} does not exist on {hosts}. Nothing was sent. Create it (CREATE KEYSPACE "
            ".. WITH replication = {..}), or mend the URL."
        )
    return (
        f"No connection to {hosts}: {reason.rstrip('.')}. Nothing was sent. Check that the server runs and that hosts, "
        "port, user and password of the URL are right."
    )


# Alembic finds an implementation by the dialect's name among those imported, and create_all what goes with tables.
from alembic_cql import create_all as _create_all  # noqa: E402
from alembic_cql import impl as _impl  # noqa: E402, F401
from alembic_cql import op as _op  # noqa: E402, F401  (registers the operations)

_create_all.listen(CassandraDialect.name)

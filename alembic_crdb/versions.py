"""What differs between CockroachDB's versions: each difference a named switch with its source."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.engine import Connection, Dialect

from alembic_cluster.errors import UnsupportedConstruct


@dataclass(frozen=True)
class Switch:
    """Something that servers do since a version.

    :param since: the first version that does it, as ``(26, 2)`` for v26.2.
    :param source: where the server's makers say so.
    """

    since: tuple[int, int]
    source: str

    def on(self, version: tuple[int, int]) -> bool:
        """Tell whether a server of this version does it."""
        return version >= self.since

    def require(self, version: tuple[int, int], what: str) -> None:
        """Refuse what a server of this version does not do.

        :param what: begins the message, such as ``Index ix of table t is not visible, which``.
        :raises UnsupportedConstruct: the server is too old.
        """
        if not self.on(version):
            raise UnsupportedConstruct(
                f"{what} needs CockroachDB v{self.since[0]}.{self.since[1]}, and the server is v{version[0]}."
                f"{version[1]}. Nothing of it was sent; upgrade the server or take it out of the model ({self.source})."
            )


#: ``ALTER TABLE ... DROP CONSTRAINT`` takes a unique constraint; before, only ``DROP INDEX ... CASCADE`` does.
DROPS_UNIQUE_CONSTRAINT: Final = Switch((26, 2), "https://github.com/cockroachdb/cockroach/issues/42840")

#: ``ALTER COLUMN TYPE`` that rewrites the column, without a session setting that calls it experimental.
ALTERS_ANY_TYPE: Final = Switch((25, 1), "https://github.com/cockroachdb/cockroach/issues/49329")

#: ``SHOW CREATE ALL SCHEMAS`` and ``SHOW CREATE ALL TYPES``, and materialized views printed as such.
SHOWS_CREATE_ALL_TYPES: Final = Switch((21, 2), "https://www.cockroachlabs.com/docs/releases/v21.2")

#: ``ON UPDATE`` of a column.
ON_UPDATE: Final = Switch((21, 2), "https://github.com/cockroachdb/cockroach/pull/69091")
#: ``ALTER DATABASE ... SET SECONDARY REGION``, and a column for it in ``SHOW DATABASES``.
SECONDARY_REGION: Final = Switch((22, 2), "https://www.cockroachlabs.com/docs/releases/v22.2")
#: ``GENERATED ... AS IDENTITY`` in CREATE TABLE and ADD COLUMN.
IDENTITY: Final = Switch((21, 2), "https://github.com/cockroachdb/cockroach/pull/69107")
#: ``ALTER COLUMN ... ADD GENERATED``, ``SET GENERATED``, ``DROP IDENTITY``.
CHANGES_IDENTITY: Final = Switch((24, 1), "https://www.cockroachlabs.com/docs/releases/v24.1#v24-1-0-alpha-3")
#: Indexes on expressions.
EXPRESSION_INDEX: Final = Switch((21, 2), "https://github.com/cockroachdb/cockroach/pull/68807")
#: Trigram indexes, ``gin_trgm_ops``.
TRIGRAM_INDEX: Final = Switch((22, 2), "https://github.com/cockroachdb/cockroach/pull/79705")
#: ``VECTOR INDEX``.
VECTOR_INDEX: Final = Switch((25, 2), "https://www.cockroachlabs.com/docs/releases/v25.2")
#: A vector index is built while writes go on; before, they are refused until it is there.
VECTOR_INDEX_ONLINE: Final = Switch((25, 4), "https://www.cockroachlabs.com/docs/releases/v25.4")
#: ``NOT VISIBLE`` of an index.
INVISIBLE_INDEX: Final = Switch((22, 2), "https://github.com/cockroachdb/cockroach/issues/72576")
#: ``VISIBILITY 0.5`` of an index.
PARTLY_VISIBLE_INDEX: Final = Switch((23, 2), "https://www.cockroachlabs.com/docs/releases/v23.2#v23-2-0-alpha-1")
#: ``USING HASH WITH (bucket_count = 8)``, and without a count. Before, it is ``USING HASH WITH BUCKET_COUNT = 8``,
#: the count must be said, and the session variable ``experimental_enable_hash_sharded_indexes`` be on.
BUCKET_COUNT_PARAMETER: Final = Switch((22, 1), "https://github.com/cockroachdb/cockroach/pull/76068")
#: ``ALTER SEQUENCE ... RESTART``.
RESTARTS_SEQUENCES: Final = Switch((22, 2), "https://github.com/cockroachdb/cockroach/pull/81377")
#: Row-level TTL.
ROW_LEVEL_TTL: Final = Switch((22, 1), "https://github.com/cockroachdb/cockroach/issues/20239")
#: Session variables without which servers before a version refuse what revisions ask for.
WANTED_BEFORE: Final[Mapping[str, Switch]] = {
    "enable_experimental_alter_column_type_general": ALTERS_ANY_TYPE,
    "experimental_enable_hash_sharded_indexes": BUCKET_COUNT_PARAMETER,
}
#: ``ALTER TABLE ... SET (parameter = value)`` and ``RESET (parameter)``.
SETS_PARAMETERS: Final = Switch((22, 1), "https://www.cockroachlabs.com/docs/v22.1/with-storage-parameter")
#: A primary key without a name is called ``<table>_pkey``; before, ``primary``.
NAMES_PRIMARY_KEYS: Final = Switch((22, 1), "https://www.cockroachlabs.com/docs/v22.1/primary-key")
#: ``CREATE SEQUENCE ... AS``.
SEQUENCE_TYPE: Final = Switch((22, 1), "https://github.com/cockroachdb/cockroach/issues/25110")
#: ``COMMENT ON SCHEMA``.
SCHEMA_COMMENT: Final = Switch((21, 2), "https://github.com/cockroachdb/cockroach/pull/68606")
#: ``COMMENT ON CONSTRAINT``; in v21.2 it fails for tables outside of ``public``.
CONSTRAINT_COMMENT: Final = Switch((22, 1), "https://github.com/cockroachdb/cockroach/pull/71985")
#: ``COMMENT ON TYPE``.
TYPE_COMMENT: Final = Switch((24, 2), "https://www.cockroachlabs.com/docs/releases/v24.2#v24-2-0-alpha-1")
#: ``CREATE VIEW ... WITH (security_invoker = true)``.
SECURITY_INVOKER: Final = Switch((26, 2), "https://www.cockroachlabs.com/docs/releases/v26.2#v26-2-0-alpha-2")
#: The session variable ``lock_timeout`` does something; before, it takes 0 only.
LOCK_TIMEOUT: Final = Switch((22, 1), "https://www.cockroachlabs.com/docs/v22.1/set-vars")
#: ``DECLARE ... CURSOR`` in a transaction.
SQL_CURSORS: Final = Switch((22, 1), "https://www.cockroachlabs.com/docs/v22.1/cursors")
#: ``CREATE DOMAIN``.
DOMAINS: Final = Switch((26, 3), "https://www.cockroachlabs.com/docs/releases/v26.3")
#: Column types that came later than all that this package runs on.
TYPES: Final[Mapping[str, Switch]] = {
    "TSVECTOR": Switch((23, 1), "https://www.cockroachlabs.com/docs/releases/v23.1#v23-1-0-alpha-1"),
    "TSQUERY": Switch((23, 1), "https://www.cockroachlabs.com/docs/releases/v23.1#v23-1-0-alpha-1"),
    "PG_LSN": Switch((23, 2), "https://www.cockroachlabs.com/docs/releases/v23.2#v23-2-0-alpha-1"),
    "REFCURSOR": Switch((23, 2), "https://www.cockroachlabs.com/docs/releases/v23.2#v23-2-0-alpha-4"),
    "VECTOR": Switch((24, 2), "https://www.cockroachlabs.com/docs/releases/v24.2#v24-2-0-beta-1"),
    "JSONPATH": Switch((25, 2), "https://www.cockroachlabs.com/docs/releases/v25.2"),
    "CITEXT": Switch((25, 3), "https://www.cockroachlabs.com/docs/releases/v25.3"),
    "LTREE": Switch((25, 4), "https://www.cockroachlabs.com/docs/releases/v25.4"),
}
#: Storage parameters of tables that came later; those of row-level TTL beside them.
PARAMETERS: Final[Mapping[str, Switch]] = {
    "exclude_data_from_backup": Switch((22, 1), "https://www.cockroachlabs.com/docs/v22.1/with-storage-parameter"),
    "schema_locked": Switch((23, 1), "https://www.cockroachlabs.com/docs/v23.1/with-storage-parameter"),
    "sql_stats_automatic_collection_enabled": Switch(
        (22, 1), "https://www.cockroachlabs.com/docs/v22.1/with-storage-parameter"
    ),
}

_RELEASES: Final = "https://www.cockroachlabs.com/docs/releases"
#: Statements that PostgreSQL has, by their first words: what they are called in a message, and since when CockroachDB
#: has them; None where it has none.
STATEMENTS: Final[Mapping[str, tuple[str, Switch | None]]] = {
    r"DO": ("DO with a block of code", Switch((25, 1), f"{_RELEASES}/v25.1")),
    r"CREATE (?:OR REPLACE )?FUNCTION": ("CREATE FUNCTION", Switch((22, 2), f"{_RELEASES}/v22.2")),
    r"CREATE (?:OR REPLACE )?PROCEDURE": ("CREATE PROCEDURE", Switch((23, 2), f"{_RELEASES}/v23.2")),
    r"CREATE (?:OR REPLACE )?TRIGGER": ("CREATE TRIGGER", Switch((24, 3), f"{_RELEASES}/v24.3")),
    r"CREATE POLICY": ("CREATE POLICY", Switch((25, 2), f"{_RELEASES}/v25.2")),
    r"CREATE CONSTRAINT TRIGGER": ("constraint triggers", None),
    r"CREATE EVENT TRIGGER": ("event triggers", None),
    r"CREATE (?:OR REPLACE )?RULE": ("rules", None),
    r"CREATE (?:OR REPLACE )?AGGREGATE": ("aggregates of one's own", None),
    r"CREATE OPERATOR": ("operators of one's own", None),
    r"CREATE CAST": ("casts of one's own", None),
    r"CREATE COLLATION": ("collations of one's own", None),
    r"CREATE TEXT SEARCH": ("text search configurations of one's own", None),
    r"LOCK TABLE": ("LOCK TABLE", None),
    r"CLUSTER": ("CLUSTER", None),
    r"VACUUM": ("VACUUM, and needs none", None),
}
#: Extensions of PostgreSQL whose types and functions, as far as revisions use them, are built in.
BUILT_IN_EXTENSIONS: Final[Mapping[str, Switch]] = {
    "plpgsql": Switch((0, 0), f"{_RELEASES}/v23.2"),  # asked for by every dump; what is in it is refused by itself
    "pgcrypto": Switch((0, 0), "https://www.cockroachlabs.com/docs/stable/functions-and-operators"),
    "postgis": Switch((20, 2), f"{_RELEASES}/v20.2"),
    "uuid-ossp": Switch((0, 0), "https://www.cockroachlabs.com/docs/stable/functions-and-operators"),
    "btree_gin": Switch((21, 1), f"{_RELEASES}/v21.1"),  # inverted indexes take other columns before the last
    "fuzzystrmatch": Switch((0, 0), "https://www.cockroachlabs.com/docs/v21.1/functions-and-operators"),
    "unaccent": Switch((0, 0), "https://www.cockroachlabs.com/docs/v21.1/functions-and-operators"),
    "pg_trgm": TRIGRAM_INDEX,
    "vector": TYPES["VECTOR"],
    "citext": TYPES["CITEXT"],
    "ltree": TYPES["LTREE"],
}

#: The newest version whose documentation this package was made from; taken where a server can't be asked.
NEWEST: Final = (26, 3)

_ATTRIBUTE: Final = "alembic_crdb_version"
_VERSION: Final = re.compile(r"\bv(\d+)\.(\d+)")


def parse_version(answer: str) -> tuple[int, int]:
    """Read the version out of what ``SELECT version()`` answers.

    :raises ValueError: there is none in it.
    """
    match = _VERSION.search(answer)
    if match is None:
        raise ValueError(f"no CockroachDB version in {answer!r}")
    return int(match[1]), int(match[2])


def server_version(connection: Connection) -> tuple[int, int]:
    """Ask a server for its version, as ``(25, 2)`` for v25.2.1; its dialect object knows it from then on."""
    version = parse_version(connection.scalar(text("SELECT version()")) or "")
    setattr(connection.dialect, _ATTRIBUTE, version)
    return version


def version_of(dialect: Dialect) -> tuple[int, int]:
    """Give the version that a dialect object's server had at its first connection.

    Offline, and for an engine that connected before this package was imported, it is the newest that is documented.
    """
    version: tuple[int, int] = getattr(dialect, _ATTRIBUTE, NEWEST)
    return version


def remember_version(connection: Connection) -> None:
    """Ask a connection's server for its version, if its dialect object does not know it yet."""
    if not hasattr(connection.dialect, _ATTRIBUTE):
        server_version(connection)


def remember_version_at_first_connect(dialect: Dialect) -> None:
    """Have a dialect object's server asked for its version when SQLAlchemy first connects; see :func:`version_of`."""
    initialize: Any = dialect.initialize
    if getattr(initialize, "remembers", False):
        return

    def initialize_and_remember(connection: Connection) -> None:
        initialize(connection)
        remember_version(connection)

    initialize_and_remember.remembers = True  # type: ignore[attr-defined]
    dialect.initialize = initialize_and_remember  # type: ignore[method-assign]

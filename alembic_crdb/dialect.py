"""What sqlalchemy-cockroachdb's dialect lacks, given to a dialect object.

Nothing of it changes the dialect's class: an engine gets it with its first connection (see
:mod:`alembic_crdb.plugin`), an offline run when Alembic makes our implementation for it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.engine import Connection, Dialect

from alembic_crdb import compiler as compiler
from alembic_crdb import creation as creation
from alembic_crdb.quoting import quote_as_server
from alembic_crdb.versions import remember_version_at_first_connect


def adapt(dialect: Dialect) -> None:
    """Make one dialect object quote CockroachDB's keywords and create sequences.

    Doing it again changes nothing.

    :param dialect: a dialect of sqlalchemy-cockroachdb, with any driver.
    """
    quote_as_server(dialect)
    remember_version_at_first_connect(dialect)
    # sqlalchemy-cockroachdb says no, and so leaves out CREATE SEQUENCE and the default of the sequence's column.
    dialect.supports_sequences = True
    _find_types(dialect)


def _find_types(dialect: Any) -> None:
    """Look for types that have no schema where CREATE TYPE would put them.

    SQLAlchemy asks ``pg_type_is_visible``, which says no of every enum type in v21.1.
    """
    if "has_type" in vars(dialect):
        return
    has_type = dialect.has_type

    def has_type_in_schema(connection: Connection, type_name: str, schema: str | None = None, **kw: Any) -> bool:
        return bool(has_type(connection, type_name, schema=schema or dialect.default_schema_name, **kw))

    dialect.has_type = has_type_in_schema

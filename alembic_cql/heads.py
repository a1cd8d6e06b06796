"""Alembic's version table in CQL.

Alembic moves a head by ``UPDATE alembic_version SET version_num = ..``, and Cassandra can't update a primary key. So
all heads are rows of one partition, and a head moves by one conditional batch: the new row is inserted if it is not
there and the old one deleted if it is, both or neither. Reads are at SERIAL (see compiler.HEADS_TABLE).
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.sql import ClauseElement

from alembic_cluster.errors import HeadsMoved
from alembic_cql.compiler import HEADS_TABLE
from alembic_cql.ddl import IF_NOT_EXISTS
from alembic_cql.types import quote_text

SCOPE = "heads"
_TABLE_IDS = uuid.UUID("6b1f9d9c-6c1e-5f0e-9a2e-7d0f3c1c8a55")
_INSERT = re.compile(r"VALUES \('(?P<added>[^']*)'\)$")
_UPDATE = re.compile(r"SET version_num='(?P<added>[^']*)' WHERE version_num = '(?P<removed>[^']*)'$")
_DELETE = re.compile(r"WHERE version_num = '(?P<removed>[^']*)'$")


def heads_table(name: str, schema: str | None, keyspace: str | None) -> Table:
    """Make the version table.

    :param name: its name, ``alembic_version`` unless configured.
    :param schema: its keyspace when env.py sets ``version_table_schema``.
    :param keyspace: the keyspace it ends up in. Its id is derived from both names, so that processes which create it
        at the same time create the same table and not two of one name; None (``--sql``) leaves the id to the server.
    """
    table_id = None if keyspace is None else uuid.uuid5(_TABLE_IDS, f"{keyspace}.{name}")
    return Table(
        name,
        MetaData(),
        # nullable, so that SQLAlchemy doesn't miss the column in Alembic's INSERT; HeadMove fills it in.
        Column("scope", Text, primary_key=True, nullable=True),
        Column("version_num", Text, primary_key=True),
        Column("fence", BigInteger, cql_static=True),
        schema=schema,
        comment="Heads of the schema's revisions, kept by Alembic",
        info={HEADS_TABLE: SCOPE, IF_NOT_EXISTS: True},
        cql_id=table_id,
    )


@dataclass(frozen=True)
class HeadMove:
    """One move of heads: the head removed, the head added, or both.

    :ivar table: the version table's name as CQL.
    """

    table: str
    added: str | None = None
    removed: str | None = None

    @classmethod
    def read(cls, construct: ClauseElement, dialect: Dialect) -> HeadMove:
        """Read the move out of the INSERT, UPDATE or DELETE that Alembic makes."""
        table: Any = construct.table  # type: ignore[attr-defined]
        text = str(construct.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
        match = _INSERT.search(text) or _UPDATE.search(text) or _DELETE.search(text)
        assert match is not None, text
        return cls(dialect.identifier_preparer.format_table(table), **match.groupdict())

    @property
    def cql(self) -> str:
        """The conditional statement."""
        insert = delete = ""
        if self.added is not None:
            insert = (
                f"INSERT INTO {self.table} (scope, version_num) VALUES "
                f"({quote_text(SCOPE)}, {quote_text(self.added)}) IF NOT EXISTS"
            )
        if self.removed is not None:
            delete = (
                f"DELETE FROM {self.table} WHERE scope = {quote_text(SCOPE)} "
                f"AND version_num = {quote_text(self.removed)} IF EXISTS"
            )
        if insert and delete:
            return f"BEGIN BATCH\n    {insert};\n    {delete};\nAPPLY BATCH"
        return insert or delete

    def apply(self, connection: Connection) -> None:
        """Send it.

        :raises HeadsMoved: when the heads aren't what this run read.
        :raises sqlalchemy.exc.DBAPIError: the server's refusal.
        """
        try:
            applied = bool(connection.exec_driver_sql(self.cql).scalar())
        except OperationalError as error:
            # A conditional write that timed out may have been applied or not: only a read at SERIAL tells.
            if not self._is_there(connection, error):
                raise
            return
        if not applied:
            raise HeadsMoved(
                f"the heads in {self.table} are not what this run read ({self._wish()}): another process migrated "
                "meanwhile. The statements of this revision were applied, the heads were left alone: see "
                "'alembic current', then run the command again"
            )

    def _is_there(self, connection: Connection, error: DBAPIError) -> bool:
        query = f"SELECT version_num FROM {self.table} WHERE scope = {quote_text(SCOPE)} AND version_num > ''"
        try:
            rows = connection.exec_driver_sql(query, execution_options={"cql_consistency": "SERIAL"})
            heads = {head for (head,) in rows}
        except DBAPIError:
            raise error from None
        return (self.added is None or self.added in heads) and self.removed not in heads

    def _wish(self) -> str:
        if self.removed is None:
            return f"{self.added} is there already"
        return f"{self.removed} should be there" + (f" and {self.added} not" if self.added else "")


def purge(cursor: Any, statement: str, table: str) -> None:
    """Delete all heads, one conditional statement each: rows written by Paxos must be deleted by Paxos.

    :param cursor: a DB-API cursor.
    :param statement: the SELECT that gives the heads.
    :param table: the version table's name as CQL.
    """
    cursor.execute(statement)
    for (head,) in cursor.fetchall():
        cursor.execute(HeadMove(table, removed=head).cql)
        cursor.fetchall()
    cursor.description = None

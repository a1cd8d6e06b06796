"""Alembic's version table in CQL.

Alembic moves a head by ``UPDATE alembic_version SET version_num = ..``, and Cassandra can't update a primary key. So
all heads are rows of one partition, and a head moves by one conditional batch: the new row is inserted if it is not
there and the old one deleted if it is, both or neither. Reads are at SERIAL (see compiler.HEADS_TABLE).
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError, InternalError, OperationalError
from sqlalchemy.sql import ClauseElement

from alembic_cluster.errors import ConfigurationError, HeadsMoved, LeaseLost, OutcomeUnknown, first_line
from alembic_cql._exceptions import DatabaseError
from alembic_cql.compiler import HEADS_TABLE
from alembic_cql.ddl import IF_NOT_EXISTS
from alembic_cql.refusal import missing_keyspace
from alembic_cql.tools import is_other_tools_table
from alembic_cql.types import quote_text

SCOPE = "heads"
_TABLE_IDS = uuid.UUID("6b1f9d9c-6c1e-5f0e-9a2e-7d0f3c1c8a55")
_LAYOUT = {"scope": "partition_key", "version_num": "clustering", "fence": "static"}
OWN_TABLES = "alembic_cluster_"  # how the names of this package's tables begin (alembic_cluster.stores)
_ATTEMPTS = 3
# Heads are one for all datacenters, whatever the URL says.
_EVERYWHERE = {"cql_consistency": "QUORUM", "cql_serial_consistency": "SERIAL"}
_PATIENCE = 10.0  # seconds that a table of the catalog may take to be there
_PAUSE = 0.05
_NOT_THERE = re.compile(r"does not exist|unconfigured table|Unknown CF", re.IGNORECASE)
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


def check_layout(connection: Connection, table: Table) -> None:
    """Refuse to go on when the version table is there and isn't one of ours.

    :raises ConfigurationError: naming what it is, or when no keyspace is named for it.
    """
    dialect: Any = connection.dialect
    keyspace = table.schema or dialect.default_schema_name
    if keyspace is None:
        raise missing_keyspace()
    query = "SELECT column_name, kind FROM system_schema.columns WHERE keyspace_name = ? AND table_name = ?"
    found = dict(tuple(row) for row in connection.exec_driver_sql(query, (keyspace, table.name)))
    if not found or is_heads_table(found):
        return
    raise ConfigurationError(
        f"the table {keyspace}.{table.name} is not a version table of ours (it has the columns "
        f"{', '.join(sorted(found))}): give ours another name by version_table= in context.configure and record where "
        f"the schema stands by 'alembic stamp', or drop that table first; nothing was changed"
    )


def is_heads_table(columns: Mapping[str, str]) -> bool:
    """Tell a version table of any name by its columns.

    :param columns: kinds of its columns by name, as ``system_schema.columns`` has them.
    """
    return columns.items() >= _LAYOUT.items()


def is_tools_table(name: str, columns: Mapping[str, str]) -> bool:
    """Tell a table that a tool for migrations keeps: a version table of any name, this package's, another tool's.

    :param columns: kinds of its columns by name, as ``system_schema.columns`` has them.
    """
    return is_heads_table(columns) or name.startswith(OWN_TABLES) or is_other_tools_table(name, columns)


def count_moves(step: Any, heads: set[str]) -> int:
    """Say how many statements Alembic will make to move the heads for one step.

    :param step: its ``RevisionStep`` or ``StampStep``.
    :param heads: the heads before it.
    """
    if step.should_delete_branch(heads) or step.should_create_branch(heads):
        return 1
    if step.should_merge_branches(heads):
        return len(step.merge_branch_idents(heads)[0]) + 1
    if step.should_unmerge_branches(heads):
        return len(step.unmerge_branch_idents(heads)[2]) + 1
    return 1


@dataclass(frozen=True)
class HeadMove:
    """One move of heads, applied as a whole or not at all.

    :ivar table: the version table's name as CQL.
    :ivar added: heads that must not be there before, and are there afterwards.
    :ivar removed: heads that must be there before, and aren't there afterwards.
    :ivar fence: of the lease that it is made under; None without one.
    """

    table: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    fence: int | None = None

    @classmethod
    def read(cls, construct: ClauseElement, dialect: Dialect) -> HeadMove:
        """Read the move out of the INSERT, UPDATE or DELETE that Alembic makes."""
        table: Any = construct.table  # type: ignore[attr-defined]
        text = str(construct.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
        match = _INSERT.search(text) or _UPDATE.search(text) or _DELETE.search(text)
        assert match is not None, text
        added, removed = (tuple(filter(None, [match.groupdict().get(name)])) for name in ("added", "removed"))
        return cls(dialect.identifier_preparer.format_table(table), added, removed)

    def __add__(self, other: HeadMove) -> HeadMove:
        return HeadMove(self.table, self.added + other.added, self.removed + other.removed, self.fence)

    @property
    def cql(self) -> str:
        """The conditional statement: a batch in one partition, which the server applies as one."""
        statements = [
            f"INSERT INTO {self.table} (scope, version_num) VALUES "
            f"({quote_text(SCOPE)}, {quote_text(head)}) IF NOT EXISTS"
            for head in self.added
        ]
        statements += [
            f"DELETE FROM {self.table} WHERE scope = {quote_text(SCOPE)} AND version_num = {quote_text(head)} IF EXISTS"
            for head in self.removed
        ]
        if self.fence is not None:
            where = f"WHERE scope = {quote_text(SCOPE)} IF fence = {self.fence}"
            statements.append(f"UPDATE {self.table} SET fence = {self.fence} {where}")
        if len(statements) == 1:
            return statements[0]
        return "BEGIN BATCH\n" + "".join(f"    {statement};\n" for statement in statements) + "APPLY BATCH"

    def apply(self, connection: Connection) -> None:
        """Send it.

        :raises HeadsMoved: when the heads aren't what this run read.
        :raises LeaseLost: when a later lease than the one it is made under is there.
        :raises OutcomeUnknown: when the server gave no answer, and none to the question what became of it.
        :raises sqlalchemy.exc.DBAPIError: the server's refusal.
        """
        unanswered: DBAPIError | None = None
        for _ in range(_ATTEMPTS):
            try:
                applied = bool(connection.exec_driver_sql(self.cql, execution_options=_EVERYWHERE).scalar())
            except (OperationalError, InternalError) as error:
                # A conditional write that timed out may have been applied or not: only a read at SERIAL tells, which
                # also settles it, so that sending it again is safe.
                unanswered = error
                if self._is_there(connection, error):
                    return
                continue
            if not applied and not (unanswered is not None and self._is_there(connection, unanswered)):
                self._check_fence(connection)
                raise HeadsMoved(
                    f"the heads in {self.table} are not what this run read ({self._wish()}): another process migrated "
                    "meanwhile. The statements of this revision were applied, the heads were left alone: see "
                    "'alembic current', then run the command again"
                )
            return
        assert unanswered is not None
        raise unanswered

    def _check_fence(self, connection: Connection) -> None:
        if self.fence is None:
            return
        query = f"SELECT fence FROM {self.table} WHERE scope = {quote_text(SCOPE)} LIMIT 1"
        found = connection.exec_driver_sql(query, execution_options={"cql_consistency": "SERIAL"}).scalar()
        if found != self.fence:
            raise LeaseLost(
                f"another run has taken the migration lock (fence {found}, ours is {self.fence}), so the heads in "
                f"{self.table} were left alone ({self._wish()}) and nothing more was sent. Run the same command again."
            )

    def _is_there(self, connection: Connection, error: DBAPIError) -> bool:
        query = f"SELECT version_num FROM {self.table} WHERE scope = {quote_text(SCOPE)} AND version_num > ''"
        try:
            rows = connection.exec_driver_sql(query, execution_options={"cql_consistency": "SERIAL"})
            heads = {head for (head,) in rows}
        except DBAPIError:
            if type(getattr(error.orig, "__cause__", None)).__name__ == "Unavailable":
                raise error from None  # the server says itself that it didn't begin
            raise OutcomeUnknown(
                f"the server did not say whether the heads in {self.table} moved ({self._wish()}): "
                f"{first_line(error.orig)}. The statements of this revision were applied. When the cluster answers "
                f"again, see 'alembic current': if it shows other heads than {' and '.join(self.added) or 'wanted'}, "
                f"record them by 'alembic stamp'"
            ) from error
        return heads.issuperset(self.added) and heads.isdisjoint(self.removed)

    def _wish(self) -> str:
        go, come = (" and ".join(heads) or "none" for heads in (self.removed, self.added))
        return f"to go: {go}, to come: {come}"


def select_heads(cursor: Any, statement: str, options: Mapping[str, Any]) -> None:
    """Read the heads of a table that the catalog has.

    A table that another process is creating stands in the catalog of a node a moment before the node can read it, and
    in that of one node before that of another.

    :param cursor: a DB-API cursor.
    :param statement: the SELECT that gives the heads.
    :param options: keyword arguments for the cursor's ``execute``.
    """
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            cursor.execute(statement, **options)
        except DatabaseError as error:
            if _NOT_THERE.search(str(error)) is None or time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE)
        else:
            return


def purge(cursor: Any, statement: str, table: str, options: Mapping[str, Any]) -> None:
    """Delete all heads in one conditional batch: rows written by Paxos must be deleted by Paxos.

    :param cursor: a DB-API cursor.
    :param statement: the SELECT that gives the heads.
    :param table: the version table's name as CQL.
    :param options: keyword arguments for the cursor's ``execute``.
    :raises HeadsMoved: when they moved meanwhile; none was deleted then.
    """
    select_heads(cursor, statement, options)
    heads = tuple(head for (head,) in cursor.fetchall())
    if heads:
        cursor.execute(HeadMove(table, removed=heads).cql)
        if not cursor.fetchall()[0][0]:
            raise HeadsMoved(
                f"the heads in {table} moved while they were to be deleted; nothing was deleted: try again"
            )
    cursor.description = None

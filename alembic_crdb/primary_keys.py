"""A primary key that is dropped and added again in two operations, as PostgreSQL has it, made one statement.

A table of CockroachDB has a primary key at all times: ``DROP CONSTRAINT`` of it by itself is refused outside of
transactions (cockroachdb/cockroach#48026), and inside of one the pair is when anything else changes the table (#45510).
So the drop is held back until the key is added, and then ``ALTER PRIMARY KEY`` is sent. The rehearsal of a revision
tells, before anything is sent, of a key that is not added again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Index, MetaData, Table, text
from sqlalchemy.engine import Connection

from alembic_cluster.errors import UnsupportedOperation
from alembic_crdb import alterations, ddl, key_events
from alembic_crdb.catalog import CANONICAL, IndexElement, ObjectName, PrimaryKey
from alembic_crdb.catalog_objects import Comment
from alembic_crdb.compiler import DropUniqueIndex
from alembic_crdb.key_events import Event
from alembic_crdb.printer_base import ElementPrinter
from alembic_crdb.uniques import needed_by

_PRINT = ElementPrinter(CANONICAL)
_ASIDE = "alembic_dropped_"  # begins the name of a column that goes with the old key while the new one is not there yet
_IMPLICIT = ("rowid",)  # the key of a table that was made without one

_CONSTRAINTS = text("""
SELECT c.conname, c.contype::STRING, a.attname
FROM pg_catalog.pg_constraint AS c
JOIN pg_catalog.pg_class AS t ON t.oid = c.conrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = ANY (c.conkey) AND c.contype = 'p'
WHERE t.relname = :table AND n.nspname = :schema
""")
_REFERRING = text("""
SELECT n.nspname, t.relname, c.conname FROM pg_catalog.pg_constraint AS c
JOIN pg_catalog.pg_class AS t ON t.oid = c.conrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
JOIN pg_catalog.pg_class AS o ON o.oid = c.confrelid
JOIN pg_catalog.pg_namespace AS m ON m.oid = o.relnamespace
WHERE c.contype = 'f' AND o.relname = :table AND m.nspname = :schema
AND c.confkey::STRING IN (SELECT k.conkey::STRING FROM pg_catalog.pg_constraint AS k
                          WHERE k.contype = 'p' AND k.conrelid = c.confrelid)
ORDER BY 1, 2, 3
""")
_COMMENTS = text("""
SELECT c.relname, d.description FROM pg_catalog.pg_description AS d
JOIN pg_catalog.pg_index AS i ON i.indexrelid = d.objoid
JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
WHERE t.relname = :table AND n.nspname = :schema ORDER BY 1
""")
_NULLABLE = text("""
SELECT a.attname FROM pg_catalog.pg_attribute AS a
JOIN pg_catalog.pg_class AS t ON t.oid = a.attrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
WHERE t.relname = :table AND n.nspname = :schema AND NOT a.attnotnull
""")


@dataclass
class _Held:
    """A primary key that the revision has dropped and that is still there.

    :ivar columns: its columns; None where there is no server to ask.
    :ivar dropped: columns that are to go with it, by the name they had: the name that they have now.
    """

    name: str
    columns: set[str] | None
    dropped: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Known:
    """What a server knows of a table's constraints."""

    names: frozenset[str]
    key: str | None
    columns: frozenset[str]


class PrimaryKeys:
    """The primary keys that one revision drops and adds.

    :param impl: Alembic's implementation: sends what is to be sent.
    """

    def __init__(self, impl: Any) -> None:
        self._impl = impl
        self._held: dict[ObjectName, _Held] = {}
        self._unclear: dict[ObjectName, str] = {}
        self._paired: set[tuple[ObjectName, str]] = set()
        self._foreseen: dict[ObjectName, frozenset[str]] = {}
        self._busy = False

    def begin(self, paired_before: bool = False) -> None:
        """Forget the revision before.

        :param paired_before: whether what its rehearsal has told of names stays.
        """
        self._held.clear()
        self._unclear.clear()
        self._foreseen.clear()
        if not paired_before:
            self._paired.clear()

    def refuse_held(self) -> None:
        """Refuse a revision that has dropped a primary key and not added one.

        :raises UnsupportedOperation: there is such a key.
        """
        for table, held in self._held.items():
            self._held.clear()
            raise UnsupportedOperation(
                f"Primary key {held.name} of table {_PRINT.object_name(table)} is dropped and no other is added in the "
                "same revision, and a table of CockroachDB has a primary key at all times. The key was not dropped, "
                "nothing was sent for it; add op.create_primary_key for this table to the revision, or use "
                "op.alter_primary_key in its place"
            )

    def foresee(self, table: ObjectName, key: PrimaryKey) -> None:
        """Hear of a key that a table gets in a rehearsal, whose later steps find the old one on the server."""
        self._foreseen[table] = frozenset(str(element.name) for element in key.elements)

    def columns_of(self, table: ObjectName) -> frozenset[str]:
        """Give the columns of a table's primary key; none where no server knows the table."""
        known = self._known(table)
        return frozenset() if known is None else known.columns

    def take(self, events: Sequence[Event]) -> bool:
        """Do what a statement does to primary keys, in CockroachDB's way.

        :return: whether it is done with that, so that the statement is not to be sent.
        """
        if self._busy or not events:
            return False
        kinds = [type(event) for event in events]
        if kinds == [key_events.KeyDropped, key_events.KeyAdded]:
            if not self._is_key(events[0]):  # type: ignore[arg-type]
                return False
        elif len(events) > 1:
            return False
        taken = [self._take(event) for event in events]
        return all(taken)

    def _take(self, event: Event) -> bool:
        held = self._held.get(event.table)
        match event:
            case key_events.KeyDropped():
                return self._drop(event)
            case key_events.KeyAdded():
                return self._add(event, held)
            case key_events.ColumnDropped():
                return self._drop_column(event, held)
            case key_events.ColumnAdded():
                self._make_way(event.table, event.column, held)
            case key_events.ColumnRenamed():
                self._make_way(event.table, event.new, held)
                if held is not None and held.columns is not None and event.column in held.columns:
                    held.columns = (held.columns - {event.column}) | {event.new}
            case key_events.TableDropped():
                self._held.pop(event.table, None)
            case key_events.TableRenamed() if held is not None:
                self._held[replace(event.table, name=event.new)] = self._held.pop(event.table)
        return False

    # ------------------------------------------------------------------------------------------ the key

    def _drop(self, event: key_events.KeyDropped) -> bool:
        if not self._is_key(event):
            self._unclear[event.table] = event.name
            return False
        known = self._known(event.table)
        if event.cascade and known is not None:
            self._drop_referring(event.table)
        self._held[event.table] = _Held(event.name, None if known is None else set(known.columns))
        return True

    def _is_key(self, event: key_events.KeyDropped) -> bool:
        """Tell whether a constraint is its table's primary key, also by a name that the server doesn't have for it.

        PostgreSQL names it after the table, CockroachDB v21.1 ``primary``; and a renamed table's key keeps its name.
        """
        if event.said or (event.table, event.name) in self._paired:
            return True
        known = self._known(event.table)
        looks = event.name.endswith(("_pkey", "_pk")) or event.name.startswith("pk_") or event.name == "primary"
        if known is None:
            return looks
        return event.name == known.key or (looks and known.key is not None and event.name not in known.names)

    def _add(self, event: key_events.KeyAdded, held: _Held | None) -> bool:
        known = self._known(event.table)
        if held is None:
            # By a name that says nothing, a constraint was dropped that the table doesn't have: it was the key.
            name = self._unclear.get(event.table)
            if name is not None and known is not None and known.key is not None and name not in known.names:
                self._paired.add((event.table, name))
            if known is None or known.key is None:
                self._require_values(event.table, event.key)
            return False
        del self._held[event.table]
        self._require_values(event.table, event.key)
        change_primary_key(self._impl, event.table, event.key)
        if event.key.name is not None and self._impl.rehearsal is None:
            now = self._known(event.table)
            if now is not None and now.key not in (None, event.key.name) and event.key.name not in now.names:
                self._send(event.table, alterations.RenameConstraint(str(now.key), event.key.name))
        for column in held.dropped.values():
            self._send(event.table, alterations.DropColumn(column))
        return True

    def _require_values(self, table: ObjectName, key: PrimaryKey) -> None:
        """Make the columns of a new key NOT NULL, as PostgreSQL does by itself."""
        with self._impl.asking() as connection:
            if connection is None:
                return
            nullable = set(connection.execute(_NULLABLE, _names(connection, table)).scalars())
        for element in key.elements:
            if element.name in nullable:
                self._send(table, alterations.SetNullable(str(element.name), False))

    def _drop_referring(self, table: ObjectName) -> None:
        with self._impl.asking() as connection:
            found = [] if connection is None else connection.execute(_REFERRING, _names(connection, table)).all()
        for schema, referring, name in found:
            self._send(ObjectName(referring, schema), alterations.DropConstraint(name))

    # -------------------------------------------------------------------------------------- its columns

    def _drop_column(self, event: key_events.ColumnDropped, held: _Held | None) -> bool:
        if held is None:
            # PostgreSQL drops a primary key together with any column of it.
            known = self._known(event.table)
            if known is None or known.key is None or event.column not in known.columns:
                return False
            held = self._held[event.table] = _Held(known.key, set(known.columns))
        if held.columns is not None and event.column not in held.columns:
            return False
        held.dropped[event.column] = event.column
        return True

    def _make_way(self, table: ObjectName, name: str, held: _Held | None) -> None:
        """Rename a column that goes with the old key, if another one comes by its name."""
        if held is not None and held.dropped.get(name) == name:
            aside = f"{_ASIDE}{name}"
            held.dropped[name] = aside
            self._send(table, alterations.RenameColumn(name, aside))

    # ------------------------------------------------------------------------------------------- tools

    def _send(self, table: ObjectName, action: alterations.Action) -> None:
        self._busy = True
        try:
            self._impl._exec(ddl.AlterTable(table, action))
        finally:
            self._busy = False

    def _known(self, table: ObjectName) -> _Known | None:
        """Ask the server for a table's constraints; None where it doesn't know the table."""
        with self._impl.asking() as connection:
            rows = [] if connection is None else connection.execute(_CONSTRAINTS, _names(connection, table)).all()
        if not rows:
            return None
        columns = frozenset(column for _, kind, column in rows if kind == "p")
        key = next((name for name, kind, _ in rows if kind == "p"), None)
        if columns == {*_IMPLICIT}:
            key, columns = None, frozenset()
        columns = self._foreseen.get(table, columns)
        return _Known(frozenset(name for name, _, _ in rows), key, columns)


def change_primary_key(impl: Any, table: ObjectName, key: PrimaryKey, keep_old: bool = False) -> None:
    """Send ``ALTER PRIMARY KEY``, and drop the unique index that the server makes of the old key.

    The index stays where a foreign key needs it. Nothing is sent for a key that the table has already.

    :param impl: Alembic's implementation for CockroachDB.
    :param keep_old: whether the index stays in any case.
    """
    statement = ddl.AlterTable(table, alterations.AlterPrimaryKey(key))
    with impl.asking() as connection:
        before = _indexes(connection, table)
    if not key.hash_sharded and key.elements in before.values():
        known = [name for name, columns in before.items() if columns == key.elements]
        with impl.asking() as connection:
            if connection is not None and _key_name(connection, table) in known:
                return
    # v21.1 makes every index anew and prints no table whose old index has a comment: "index in GC mutations list".
    with impl.asking() as connection:
        rows = [] if connection is None else connection.execute(_COMMENTS, _names(connection, table)).all()
        old_key = None if not rows or connection is None else _key_name(connection, table)
    for index, _ in rows:
        impl._exec(ddl.Emit(Comment("INDEX", table, None, index)))
    impl._exec(statement)
    for index, comment in rows:
        if index != old_key:
            impl._exec(ddl.Emit(Comment("INDEX", table, comment, index)))
    if impl.rehearsal is not None:
        impl._keys.foresee(table, key)
    if keep_old or not before or impl.rehearsal is not None:
        return
    with impl.asking() as connection:
        # v21.1 calls the new key "primary", whatever the old one's name was.
        made = sorted(_indexes(connection, table).keys() - before.keys() - {_key_name(connection, table)})
        spare = [name for name in made if needed_by(connection, table.schema, table.name, name) is None]
    for name in spare:
        impl._exec(DropUniqueIndex(Index(name, _table=Table(table.name, MetaData(), schema=table.schema))))


def _indexes(connection: Connection | None, table: ObjectName) -> dict[str, tuple[IndexElement, ...]]:
    """Read the names of a table's indexes with their columns; nothing where the server doesn't know the table."""
    if connection is None or _key_name(connection, table) is None:
        return {}
    rows = connection.execute(
        text(
            "SELECT index_name, column_name, direction FROM "
            f"[SHOW INDEXES FROM {_PRINT.object_name(table).replace(':', chr(92) + ':')}] "
            "WHERE NOT storing AND NOT implicit ORDER BY index_name, seq_in_index"
        )
    )
    found: dict[str, tuple[IndexElement, ...]] = {}
    for index, column, direction in rows:
        found[index] = (*found.get(index, ()), IndexElement(column, "DESC" if direction == "DESC" else "ASC"))
    return found


def _key_name(connection: Connection, table: ObjectName) -> str | None:
    rows = connection.execute(_CONSTRAINTS, _names(connection, table)).all()
    return next((name for name, kind, _ in rows if kind == "p"), None)


def _names(connection: Connection, table: ObjectName) -> dict[str, Any]:
    return {"table": table.name, "schema": table.schema or connection.dialect.default_schema_name or "public"}

"""The printing of names, types, columns, indexes and constraints, as ``SHOW CREATE`` prints them."""

from __future__ import annotations

from collections.abc import Iterable

from alembic_crdb.catalog import (
    Check,
    Column,
    Family,
    ForeignKey,
    Identity,
    Index,
    IndexElement,
    Interleave,
    Layout,
    ObjectName,
    Parameters,
    Partition,
    Partitioning,
    PrimaryKey,
    SequenceOptions,
    SQLType,
    TableElement,
    Unique,
)
from alembic_crdb.lexer import quote_free_name, quote_name, quote_string
from alembic_crdb.parser_elements import INDEX_CLAUSES
from alembic_crdb.parser_types import quote_collation


class ElementPrinter:
    """Prints what statements are made of.

    Of a layout's flags it knows ``spaced reference`` (``REFERENCES t (a)``) and ``tight partitions`` (no space
    behind the comma between two partitions; servers print one, documentation does not show it).

    :param layout: how the statement's text was laid out.
    :param as_read: whether indexes and sequences have their clauses in the order and spelling in which they
        were read, rather than in that of current servers.
    """

    def __init__(self, layout: Layout, as_read: bool = True) -> None:
        self.layout = layout
        self.as_read = as_read
        self.flags = layout.flags
        self._spellings = layout.spellings

    def name(self, name: str) -> str:
        """Print a name."""
        return self._spellings.get(name) or quote_name(name)

    def free_name(self, name: str) -> str:
        """Print a name where no keyword can stand."""
        return self._spellings.get(f"free:{name}") or quote_free_name(name)

    def raw_name(self, name: str) -> str:
        """Print a name that old servers print without quotes."""
        return self._spellings.get(f"raw:{name}") or self.name(name)

    def names(self, names: Iterable[str]) -> str:
        """Print names with commas between them."""
        return ", ".join(map(self.name, names))

    def object_name(self, name: ObjectName) -> str:
        """Print the name of an object."""
        return ".".join(map(self.name, name.parts))

    def string(self, value: str) -> str:
        """Print a string literal."""
        ours = quote_string(value)
        return self._spellings.get(ours, ours)

    def type(self, kind: SQLType) -> str:
        """Print a type."""
        if isinstance(kind.name, str):
            text = kind.name
            if kind.fields:
                text += f" {kind.fields}"
        else:
            text = ".".join(self._spellings.get(f"type:{part}") or quote_name(part) for part in kind.name.parts)
        if kind.args:
            text += f"({','.join(kind.args)})"
        text += "[]" * kind.dimensions
        if kind.collation is not None:
            spelled = self._spellings.get(f"collation:{kind.collation}") or quote_collation(kind.collation)
            text += f" COLLATE {spelled}"
        return text

    def parameters(self, parameters: Parameters, sign: str) -> str:
        """Print the inside of ``WITH (...)``.

        :param sign: what stands between a key and its value.
        """
        return ", ".join(f"{self.parameter_key(key)}{sign}{value}" for key, value in parameters)

    def parameter_key(self, key: str) -> str:
        """Print the key of a parameter, which is a name or a string."""
        return self._spellings.get(quote_string(key)) or self.name(key)

    def element(self, element: TableElement) -> str:
        """Print an element of a table."""
        if isinstance(element, Column):
            return self.column(element)
        if isinstance(element, Index):
            return self.index(element)
        if isinstance(element, Family):
            name = f"{self.name(element.name)} " if element.name else ""
            return f"FAMILY {name}({self.names(element.columns)})"
        return self.constraint(element)

    def column(self, column: Column) -> str:
        """Print a column."""
        parts = [self.name(column.name), self.type(column.type)]
        if column.hidden:
            parts.append("NOT VISIBLE")
        parts.append("NULL" if column.nullable else "NOT NULL")
        if column.identity is not None:
            parts.append(self._identity(column.identity))
        if column.default is not None:
            parts.append(f"DEFAULT {column.default}")
        if column.on_update is not None:
            parts.append(f"ON UPDATE {column.on_update}")
        if column.computed is not None:
            kind = "STORED" if column.computed.stored else "VIRTUAL"
            parts.append(f"AS ({column.computed.expression}) {kind}")
        return " ".join(parts)

    def _identity(self, identity: Identity) -> str:
        text = f"GENERATED {'ALWAYS' if identity.always else 'BY DEFAULT'} AS IDENTITY"
        options = self.sequence_options(identity.options)
        return f"{text} ({options})" if options else text

    def sequence_options(self, options: SequenceOptions) -> str:
        """Print the options of a sequence, with blanks between them."""
        texts = dict(self._sequence_options(options))
        # An option may have been spelled in another way than ours: START WITH for START.
        clauses = options.clauses if self.as_read else ()
        spelled = {clause.split()[0]: clause for clause in clauses}
        order = [key for clause in clauses for key in texts if key == _option_key(clause)]
        order += [key for key in texts if key not in order]
        return " ".join(_spell(spelled.get(key.split()[0], key), key, texts[key]) for key in order)

    def _sequence_options(self, options: SequenceOptions) -> Iterable[tuple[str, str]]:
        if options.as_type is not None:
            yield "AS", options.as_type
        for key, limit in (("MINVALUE", options.min_value), ("MAXVALUE", options.max_value)):
            if limit is not None:
                yield (f"NO {key}", "") if limit == "NO" else (key, str(limit))
        if options.increment is not None:
            yield "INCREMENT", str(options.increment)
        if options.start is not None:
            yield "START", str(options.start)
        if options.restart is not None:
            yield "RESTART", "" if options.restart == "DEFAULT" else str(options.restart)
        if options.virtual:
            yield "VIRTUAL", ""
        if options.cache is not None:
            yield "PER SESSION CACHE" if options.per_session else "CACHE", str(options.cache)
        if options.node_cache is not None:
            yield "PER NODE CACHE", str(options.node_cache)
        if options.cycle is not None:
            yield "CYCLE" if options.cycle else "NO CYCLE", ""
        if options.owned_by is not None:
            yield "OWNED BY", ".".join(map(self.name, options.owned_by)) or "NONE"

    def index(self, index: Index, table: ObjectName | None = None) -> str:
        """Print an index.

        :param table: its table, for ``CREATE INDEX``.
        """
        words = ["UNIQUE"] if index.unique else []
        if index.kind is not None:
            words.append(index.kind)
        words.append("INDEX")
        if index.name is not None:
            words.append(self.name(index.name))
        if table is not None:
            words.append(f"ON {self.object_name(table)}")
        words.append(f"({self.index_elements(index.elements)})")
        return " ".join((*words, *self._index_clauses(index, 1 if table is None else 0)))

    def index_elements(self, elements: Iterable[IndexElement]) -> str:
        """Print the columns and expressions of an index or a primary key."""
        return ", ".join(map(self._index_element, elements))

    def _index_element(self, element: IndexElement) -> str:
        text = self.name(element.name) if element.name is not None else element.expression or ""
        if element.opclass is not None:
            text += f" {self.name(element.opclass)}"
        if element.direction is not None:
            text += f" {element.direction}"
        if element.nulls is not None:
            text += f" NULLS {element.nulls}"
        return text

    def _index_clauses(self, index: Index | PrimaryKey, depth: int) -> list[str]:
        clauses = index.clauses if self.as_read else ()
        styles = {clause.split()[0]: clause for clause in clauses}
        parameters = index.parameters
        texts: dict[str, str] = {}
        if index.hash_sharded:
            texts["HASH"] = "USING HASH"
            if styles.get("HASH") == "HASH BUCKET_COUNT" and index.bucket_count is not None:
                # How servers before v22.1 print it.
                texts["HASH"] += f" WITH BUCKET_COUNT = {index.bucket_count}"
                parameters = tuple(pair for pair in parameters if pair[0] != "bucket_count")
        if parameters:
            sign = " = " if styles.get("WITH") == "WITH SPACED" else "="
            texts["WITH"] = f"WITH ({self.parameters(parameters, sign)})"
        if isinstance(index, Index):
            texts.update(self._index_only_clauses(index, depth))
        order = [clause.split()[0] for clause in clauses]
        return [texts.pop(clause) for clause in (*order, *INDEX_CLAUSES) if clause in texts]

    def _index_only_clauses(self, index: Index, depth: int) -> Iterable[tuple[str, str]]:
        if index.storing:
            yield "STORING", f"STORING ({self.names(index.storing)})"
        if index.interleave is not None:
            yield "INTERLEAVE", self.interleave(index.interleave)
        if index.partitioning is not None:
            yield "PARTITION", self.partitioning(index.partitioning, depth)
        if index.predicate is not None:
            yield "WHERE", f"WHERE {index.predicate}"
        if index.visibility != 1.0:
            yield "VISIBILITY", "NOT VISIBLE" if not index.visibility else _visibility(index.visibility)

    def constraint(self, constraint: PrimaryKey | ForeignKey | Check | Unique) -> str:
        """Print a constraint, with its name if it has one."""
        text = f"CONSTRAINT {self.name(constraint.name)} " if constraint.name is not None else ""
        if isinstance(constraint, PrimaryKey):
            clauses = self._index_clauses(constraint, 0)
            return " ".join((f"{text}PRIMARY KEY ({self.index_elements(constraint.elements)})", *clauses))
        if isinstance(constraint, ForeignKey):
            text += self._foreign_key(constraint)
        elif isinstance(constraint, Check):
            text += f"CHECK ({constraint.expression})"
        else:
            without = "UNIQUE WITHOUT INDEX" if constraint.without_index else "UNIQUE"
            text += f"{without} ({', '.join(map(self.raw_name, constraint.columns))})"
            if constraint.predicate is not None:
                text += f" WHERE {constraint.predicate}"
        return text if constraint.validated else f"{text} NOT VALID"

    def _foreign_key(self, key: ForeignKey) -> str:
        text = f"FOREIGN KEY ({self.names(key.columns)}) REFERENCES {self.object_name(key.table)}"
        if key.referenced:
            space = " " if "spaced reference" in self.flags else ""
            text += f"{space}({self.names(key.referenced)})"
        if key.match != "SIMPLE":
            text += f" MATCH {key.match}"
        if key.on_delete != "NO ACTION":
            text += f" ON DELETE {key.on_delete}"
        if key.on_update != "NO ACTION":
            text += f" ON UPDATE {key.on_update}"
        return text

    def interleave(self, interleave: Interleave) -> str:
        """Print ``INTERLEAVE IN PARENT``."""
        parent = self.object_name(interleave.parent)
        return f"INTERLEAVE IN PARENT {parent} ({self.names(interleave.columns)})"

    def partitioning(self, partitioning: Partitioning, depth: int) -> str:
        """Print ``PARTITION BY``.

        :param depth: how far its lines are indented.
        """
        text = f"PARTITION {'ALL ' if partitioning.all else ''}BY {partitioning.kind}"
        if partitioning.kind == "NOTHING":
            return text
        indent = self.layout.indent * depth
        comma = "," if "tight partitions" in self.flags else ", "
        parts = comma.join(
            f"\n{indent}{self.layout.indent}{self._partition(part, depth)}" for part in partitioning.partitions
        )
        return f"{text} ({', '.join(map(self.raw_name, partitioning.columns))}) ({parts}\n{indent})"

    def _partition(self, partition: Partition, depth: int) -> str:
        text = f"PARTITION {self.raw_name(partition.name)} VALUES "
        if partition.start is not None:
            text += f"FROM {partition.start} TO {partition.end}"
        else:
            text += f"IN ({', '.join(partition.values)})"
        if partition.partitioning is not None:
            text += f" {self.partitioning(partition.partitioning, depth + 1)}"
        return text


def _visibility(visibility: float) -> str:
    short = f"{visibility:.2f}"
    return f"VISIBILITY {short if float(short) == visibility else visibility}"


def _option_key(clause: str) -> str:
    return {"START WITH": "START", "INCREMENT BY": "INCREMENT", "RESTART WITH": "RESTART"}.get(clause, clause)


def _spell(spelled: str, key: str, value: str) -> str:
    clause = spelled if _option_key(spelled) == key else key
    return f"{clause} {value}" if value else clause

"""What a table of CockroachDB is: immutable objects, as ``SHOW CREATE TABLE`` tells them.

Every object compares by what it says. How the text was laid out (:class:`Layout`, ``clauses``) is kept beside
it, so that it can be printed as it was read, and takes no part in any comparison.

Expressions are kept as the text that stood there; :mod:`alembic_crdb.expressions` compares them by meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class Layout:
    """How a statement's text differs from what a current server prints, without differing in meaning.

    :param indent: what an element of a table is indented with.
    :param closing: what the parenthesis behind the elements is indented with; documentation indents it.
    :param spellings: for a name or a string (in our spelling) that was spelled otherwise, that spelling.
        Which words are quoted, and which characters are escaped, changed between versions.
    :param order: the kinds of a table's elements in their order; empty for the order of current servers.
    :param clauses: the clauses behind a table's elements in their order; empty for that of current servers.
    :param flags: names of other differences; each is explained in :mod:`alembic_crdb.printer`.
    :param before: comments between the statement before and this one.
    :param after: comments between the statement's end and its semicolon.
    """

    indent: str = "\t"
    closing: str = ""
    spellings: Mapping[str, str] = field(default_factory=dict)
    order: tuple[int, ...] = ()
    clauses: tuple[str, ...] = ()
    flags: frozenset[str] = frozenset()
    before: str = ""
    after: str = ""


#: The layout of current servers.
CANONICAL: Final = Layout()


@dataclass(frozen=True, slots=True)
class ObjectName:
    """The name of a table, view, sequence, type or function, without quotes.

    :param schema: ``None`` when the text did not name it.
    :param database: ``None`` when the text did not name it.
    """

    name: str
    schema: str | None = None
    database: str | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that were named, the outermost first."""
        return tuple(part for part in (self.database, self.schema, self.name) if part is not None)


@dataclass(frozen=True, slots=True)
class SQLType:
    """A column type.

    :param name: a type of the server in upper case (``INT8``, ``STRING``, and ``"char"`` with its quotes), or
        the name of a user-defined type.
    :param args: what stood in parentheses: ``("10", "2")``, ``("POINT", "4326")``.
    :param fields: of ``INTERVAL``: ``"DAY TO SECOND"``.
    :param dimensions: of an array; 0 for a scalar.
    :param collation: the locale of ``COLLATE``.
    """

    name: str | ObjectName
    args: tuple[str, ...] = ()
    fields: str = ""
    dimensions: int = 0
    collation: str | None = None


@dataclass(frozen=True, slots=True)
class SequenceOptions:
    """Options of a sequence or of an identity column; ``None`` for what was not said.

    :param as_type: the integer type of ``AS``.
    :param cache: values that each session caches.
    :param node_cache: values that each node caches (v23.1 and later).
    :param per_session: whether ``cache`` was said as ``PER SESSION CACHE`` (v25.3 and later).
    :param owned_by: ``("table", "column")`` parts, or ``()`` for ``OWNED BY NONE``.
    :param clauses: the clauses as they were spelled, in their order; no part of comparisons.
    """

    as_type: str | None = None
    min_value: int | Literal["NO"] | None = None
    max_value: int | Literal["NO"] | None = None
    increment: int | None = None
    start: int | None = None
    restart: int | Literal["DEFAULT"] | None = None
    virtual: bool = False
    cache: int | None = None
    node_cache: int | None = None
    per_session: bool = False
    cycle: bool | None = None
    owned_by: tuple[str, ...] | None = None
    clauses: tuple[str, ...] = field(default=(), compare=False, repr=False)


#: No option said.
NO_OPTIONS: Final = SequenceOptions()


@dataclass(frozen=True, slots=True)
class Identity:
    """``GENERATED ALWAYS AS IDENTITY``, or ``BY DEFAULT`` when ``always`` is false."""

    always: bool
    options: SequenceOptions = NO_OPTIONS


@dataclass(frozen=True, slots=True)
class Computed:
    """``AS (expression) STORED``, or ``VIRTUAL`` when ``stored`` is false."""

    expression: str
    stored: bool = True


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    :param hidden: ``NOT VISIBLE``.
    :param default: the expression's text.
    :param on_update: the expression's text.
    """

    name: str
    type: SQLType
    nullable: bool = True
    hidden: bool = False
    default: str | None = None
    on_update: str | None = None
    computed: Computed | None = None
    identity: Identity | None = None


Direction: TypeAlias = Literal["ASC", "DESC"]


@dataclass(frozen=True, slots=True)
class IndexElement:
    """A column or an expression of an index.

    :param name: the column; ``None`` for an expression.
    :param expression: its text; all but a plain function call stands in its parentheses, as in the DDL.
    :param direction: ``None`` where none is said: the last column of an inverted or a vector index.
    :param nulls: ``NULLS FIRST`` or ``NULLS LAST`` where it was said.
    :param opclass: such as ``gin_trgm_ops`` or ``vector_l2_ops``.
    """

    name: str | None
    direction: Direction | None = "ASC"
    expression: str | None = None
    nulls: Literal["FIRST", "LAST"] | None = None
    opclass: str | None = None


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition of a ``PARTITION BY``; values are texts, ``('new york')``, ``(MINVALUE)``.

    :param values: of ``VALUES IN``; empty for a range partition.
    :param start: of ``VALUES FROM``, inclusive.
    :param end: of ``TO``, exclusive.
    """

    name: str
    values: tuple[str, ...] = ()
    start: str | None = None
    end: str | None = None
    partitioning: Partitioning | None = None


@dataclass(frozen=True, slots=True)
class Partitioning:
    """``PARTITION [ALL] BY LIST | RANGE (columns) (partitions)`` or ``PARTITION ALL BY NOTHING``."""

    kind: Literal["LIST", "RANGE", "NOTHING"]
    columns: tuple[str, ...] = ()
    partitions: tuple[Partition, ...] = ()
    all: bool = False


@dataclass(frozen=True, slots=True)
class Interleave:
    """``INTERLEAVE IN PARENT parent (columns)``, of servers before v22.1."""

    parent: ObjectName
    columns: tuple[str, ...]


Parameters: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class PrimaryKey:
    """``CONSTRAINT name PRIMARY KEY (elements)``.

    :param hash_sharded: ``USING HASH``.
    :param parameters: of ``WITH``, values as texts; ``bucket_count`` is one of them, in the old spelling too.
    :param clauses: the optional clauses in the order of the text; no part of comparisons.
    """

    name: str | None
    elements: tuple[IndexElement, ...]
    hash_sharded: bool = False
    parameters: Parameters = ()
    clauses: tuple[str, ...] = field(default=(), compare=False, repr=False)

    @property
    def bucket_count(self) -> int | None:
        """The number of hash buckets; ``None`` where it was not said."""
        return _bucket_count(self.parameters)


@dataclass(frozen=True, slots=True)
class Index:
    """An index, also the one behind a unique constraint.

    :param kind: ``INVERTED`` (GIN, trigram, spatial), ``VECTOR``, or ``None`` for an ordinary one.
    :param predicate: of a partial index: the text after ``WHERE``.
    :param parameters: of ``WITH``, values as texts; ``bucket_count`` is one of them, in the old spelling too.
    :param visibility: 1.0, 0.0 for ``NOT VISIBLE``, or what ``VISIBILITY`` says.
    :param clauses: the optional clauses in the order of the text; no part of comparisons.
    """

    name: str | None
    elements: tuple[IndexElement, ...]
    unique: bool = False
    kind: Literal["INVERTED", "VECTOR"] | None = None
    hash_sharded: bool = False
    storing: tuple[str, ...] = ()
    parameters: Parameters = ()
    partitioning: Partitioning | None = None
    interleave: Interleave | None = None
    predicate: str | None = None
    visibility: float = 1.0
    clauses: tuple[str, ...] = field(default=(), compare=False, repr=False)

    @property
    def bucket_count(self) -> int | None:
        """The number of hash buckets; ``None`` where it was not said."""
        return _bucket_count(self.parameters)


def _bucket_count(parameters: Parameters) -> int | None:
    for key, value in parameters:
        if key == "bucket_count" and value.isdigit():
            return int(value)
    return None


Action: TypeAlias = Literal["NO ACTION", "RESTRICT", "CASCADE", "SET NULL", "SET DEFAULT"]


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """``CONSTRAINT name FOREIGN KEY (columns) REFERENCES table (referenced)``.

    :param validated: false for ``NOT VALID``.
    """

    name: str | None
    columns: tuple[str, ...]
    table: ObjectName
    referenced: tuple[str, ...] = ()
    match: Literal["SIMPLE", "FULL", "PARTIAL"] = "SIMPLE"
    on_delete: Action = "NO ACTION"
    on_update: Action = "NO ACTION"
    validated: bool = True


@dataclass(frozen=True, slots=True)
class Check:
    """``CONSTRAINT name CHECK (expression)``; ``validated`` is false for ``NOT VALID``."""

    name: str | None
    expression: str
    validated: bool = True


@dataclass(frozen=True, slots=True)
class Unique:
    """``CONSTRAINT name UNIQUE WITHOUT INDEX (columns)``, or a ``UNIQUE (columns)`` with an index of its own.

    :param predicate: the text after ``WHERE``.
    :param validated: false for ``NOT VALID``.
    """

    name: str | None
    columns: tuple[str, ...]
    without_index: bool = True
    predicate: str | None = None
    validated: bool = True


@dataclass(frozen=True, slots=True)
class Family:
    """``FAMILY name (columns)``."""

    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Locality:
    """``LOCALITY GLOBAL``, ``REGIONAL BY TABLE [IN region]`` or ``REGIONAL BY ROW [AS column]``.

    :param region: of a table: the region, or ``None`` for the primary one.
    :param column: of a table that is regional by row; ``None`` for the default, ``crdb_region``.
    """

    kind: Literal["GLOBAL", "REGIONAL BY TABLE", "REGIONAL BY ROW"]
    region: str | None = None
    column: str | None = None


TableElement: TypeAlias = Column | PrimaryKey | ForeignKey | Index | Family | Check | Unique


@dataclass(frozen=True, slots=True)
class Table:
    """``CREATE TABLE``.

    :param persistence: ``TEMP`` or ``UNLOGGED`` where it was said.
    :param primary_key: ``None`` for the hidden ``rowid`` of old servers, and for virtual tables.
    :param uniques: unique constraints that are not printed as indexes.
    :param parameters: of ``WITH``, values as texts: ``("schema_locked", "true")``, ``("ttl", "'on'")``.
    """

    name: ObjectName
    columns: tuple[Column, ...] = ()
    primary_key: PrimaryKey | None = None
    foreign_keys: tuple[ForeignKey, ...] = ()
    indexes: tuple[Index, ...] = ()
    families: tuple[Family, ...] = ()
    checks: tuple[Check, ...] = ()
    uniques: tuple[Unique, ...] = ()
    interleave: Interleave | None = None
    partitioning: Partitioning | None = None
    parameters: Parameters = ()
    locality: Locality | None = None
    persistence: Literal["TEMP", "UNLOGGED"] | None = None
    layout: Layout = field(default=CANONICAL, compare=False, repr=False)

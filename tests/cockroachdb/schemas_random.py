"""Random schemas of everything that v21.1 knows, and random changes of them.

A schema is plain data (:class:`Schema`), so that its models can be made anew and a changed copy be drawn of it.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql as pg

from alembic_crdb import View, types

#: Names that need quotes, or look as if they did not.
NAMES = [
    "users",
    "orders",
    "full",
    "family",
    "Mixed",
    "two words",
    'q"uote',
    "né",
    "日本",
    "100%",
    "order",
    "index",
    "user",
    "x$1",
    "_under",
    "a:b",
    "it's",
    "select",
    "name",
    "value",
    "n" * 60,
]
COLUMNS = [
    "a",
    "b",
    "c",
    "kind",
    "Kind",
    "window",
    "left",
    "full",
    "percent %",
    "at:time",
    "né",
    "select",
    "end",
    "note",
    "long_" + "x" * 40,
    "d",
    "e",
]
ACTIONS = [None, "CASCADE", "SET NULL", "SET DEFAULT", "RESTRICT", "NO ACTION"]


@dataclass(frozen=True)
class Kind:
    """A type of a column.

    :param make: makes the type anew.
    :param defaults: server defaults of it, each made anew.
    :param ordered: whether an ordinary index can be on it.
    :param inverted: whether an inverted one can.
    :param wider: the kind that a column of it can be altered to, by its place in :data:`KINDS`.
    """

    make: Callable[[], Any]
    defaults: tuple[Callable[[], Any], ...] = ()
    ordered: bool = True
    inverted: bool = False
    wider: str | None = None


def _text(sql: str) -> Callable[[], Any]:
    return lambda: sa.text(sql)


def _plain(value: str) -> Callable[[], Any]:
    return lambda: value


_STRINGS = (_plain("it's"), _plain("a:b %s \\ \n"), _plain(""), _text("'x' || 'y'"))
_INTEGERS = (_plain("3"), _text("1 + 2 * 3"), _text("-5"), _text("7 % 4"))
KINDS: dict[str, Kind] = {
    "int2": Kind(types.INT2, _INTEGERS[:1], wider="int8"),
    "int4": Kind(types.INT4, _INTEGERS, wider="int8"),
    "int8": Kind(sa.BigInteger, (*_INTEGERS, _text("unique_rowid()"))),
    "integer": Kind(sa.Integer, _INTEGERS),
    "text": Kind(sa.Text, _STRINGS),
    "varchar": Kind(lambda: sa.String(20), _STRINGS, wider="longer"),
    "longer": Kind(lambda: sa.String(60), _STRINGS, wider="string"),
    "string": Kind(sa.String, _STRINGS),
    "unicode": Kind(lambda: sa.Unicode(9), _STRINGS[2:3]),
    "char": Kind(lambda: sa.CHAR(3), (_plain("ab"),)),
    "name": Kind(types.NAME),
    "collated": Kind(lambda: sa.String(20, collation="de")),
    "decimal": Kind(lambda: sa.Numeric(10, 2), (_plain("0"), _text("1.5"), _text("-2")), wider="decimals"),
    "decimals": Kind(lambda: sa.Numeric(14, 2), (_plain("0"),)),
    "any decimal": Kind(sa.Numeric, (_plain("1e3"),)),
    "float": Kind(sa.Float, (_text("1.5"), _plain("0"), _text("-1"))),
    "float4": Kind(types.FLOAT4),
    "bool": Kind(sa.Boolean, (sa.true, sa.false, _text("NOT true"))),
    "date": Kind(sa.Date, (_text("current_date()"), _plain("2020-02-29"))),
    "time": Kind(sa.Time, (_plain("10:11:12"),)),
    "timetz": Kind(lambda: sa.Time(timezone=True)),
    "timestamp": Kind(sa.DateTime, (sa.func.now, _plain("2020-01-01 00:00:00"))),
    "timestamptz": Kind(lambda: sa.DateTime(timezone=True), (sa.func.now, _text("now() + INTERVAL '3 days'"))),
    "milliseconds": Kind(lambda: pg.TIMESTAMP(precision=3)),
    "interval": Kind(sa.Interval, (_plain("1 day 2 hours"), _text("INTERVAL '1 month'"))),
    "uuid": Kind(sa.Uuid, (_text("gen_random_uuid()"),)),
    "bytes": Kind(sa.LargeBinary, (_text("b'\\x01'"),)),
    "bit": Kind(lambda: pg.BIT(4), (_text("B'0101'"),)),
    "varbit": Kind(lambda: types.VARBIT(8)),
    "inet": Kind(pg.INET, (_plain("10.0.0.1"),)),
    "jsonb": Kind(pg.JSONB, (_plain("{}"), _text("'{\"a\": [1, 2]}'::JSONB")), ordered=False, inverted=True),
    "json": Kind(sa.JSON, ordered=False, inverted=True),
    "texts": Kind(lambda: pg.ARRAY(sa.Text), (_plain("{}"), _text("ARRAY['a', 'b']")), ordered=False, inverted=True),
    "integers": Kind(lambda: pg.ARRAY(sa.BigInteger), (_text("ARRAY[1, 2]"),), ordered=False, inverted=True),
    "geometry": Kind(lambda: types.GEOMETRY("POINT", 4326), ordered=False, inverted=True),
    "geography": Kind(types.GEOGRAPHY, ordered=False, inverted=True),
    "oid": Kind(pg.OID),
    "enum": Kind(lambda: None, ordered=True),
}
#: Kinds of the columns that computed columns and checks are about.
_NUMBERS = ("int2", "int4", "int8", "integer")


@dataclass
class Column:
    """A column; of kind ``enum``, ``enum`` names its type."""

    kind: str
    nullable: bool = True
    default: int | None = None
    comment: str | None = None
    hidden: bool = False
    enum: str | None = None
    computed: tuple[str, int, bool] | None = None
    family: str | None = None


@dataclass
class Index:
    """An index or, if ``constraint``, a unique constraint."""

    columns: list[tuple[str, bool]]
    unique: bool = False
    constraint: bool = False
    inverted: bool = False
    storing: list[str] = field(default_factory=list)
    where: tuple[str, int] | None = None
    buckets: int | None = None
    comment: str | None = None
    postgresql: bool = False


@dataclass
class Reference:
    """A foreign key of one column to the key of a table."""

    column: str
    table: str
    ondelete: str | None = None
    onupdate: str | None = None
    match: str | None = None


@dataclass
class Table:
    """A table: its key, of its columns, and what is on them."""

    columns: dict[str, Column]
    key: list[tuple[str, bool]]
    buckets: int | None = None
    indexes: dict[str, Index] = field(default_factory=dict)
    checks: dict[str, tuple[str, int]] = field(default_factory=dict)
    references: dict[str, Reference] = field(default_factory=dict)
    comment: str | None = None
    schema: str | None = None


@dataclass
class Schema:
    """A whole schema. A view is of the columns of one table; a sequence has its increment.

    One that had a view once always has one: a model without any leaves the database's views to others.
    """

    tables: dict[str, Table] = field(default_factory=dict)
    enums: dict[str, list[str]] = field(default_factory=dict)
    sequences: dict[str, int] = field(default_factory=dict)
    views: dict[str, tuple[str, list[str], bool]] = field(default_factory=dict)
    convention: bool = False
    viewed: bool = False

    def metadata(self) -> sa.MetaData:
        """Make the models."""
        convention = {"ix": "ix_%(table_name)s_%(column_0_N_name)s", "fk": "fk_%(table_name)s_%(column_0_name)s"}
        metadata = sa.MetaData(naming_convention=convention if self.convention else None)
        for name, values in self.enums.items():
            pg.ENUM(*values, name=name, metadata=metadata)
        for name, increment in self.sequences.items():
            sa.Sequence(name, increment=increment, metadata=metadata)
        for name, table in self.tables.items():
            self._table(name, table, metadata)
        if self.viewed:
            View("one", "SELECT 1 AS one", metadata=metadata)
        for name, (of, columns, materialized) in self.views.items():
            table = self.tables[of]
            names = ", ".join(_quoted(each) for each in columns)
            schema = "" if table.schema is None else f"{_quoted(table.schema)}."
            View(name, f"SELECT {names} FROM {schema}{_quoted(of)}", metadata=metadata, materialized=materialized)
        return metadata

    def _type(self, column: Column, metadata: sa.MetaData) -> Any:
        if column.enum is not None:
            return pg.ENUM(*self.enums[column.enum], name=column.enum, metadata=metadata)
        return KINDS[column.kind].make()

    def _default(self, column: Column) -> Any:
        if column.default is None:
            return None
        if column.enum is not None:
            return self.enums[column.enum][0]
        defaults = KINDS[column.kind].defaults
        return defaults[column.default % len(defaults)]() if defaults else None

    def _table(self, name: str, table: Table, metadata: sa.MetaData) -> None:
        made = [self._column(each, column, metadata) for each, column in table.columns.items()]
        key: dict[str, Any] = {"cockroachdb_sorting": {each: "DESC" for each, down in table.key if down}}
        if table.buckets is not None:
            key |= {"cockroachdb_using": "hash", "cockroachdb_with": {"bucket_count": table.buckets}}
        if not key["cockroachdb_sorting"]:
            del key["cockroachdb_sorting"]
        sa.Table(
            name,
            metadata,
            *made,
            sa.PrimaryKeyConstraint(*(each for each, _ in table.key), **key),
            *(self._index(each, index) for each, index in table.indexes.items()),
            *(
                sa.CheckConstraint(f"{_quoted(column)} > {number}", name=each)
                for each, (column, number) in table.checks.items()
            ),
            *(self._reference(each, reference) for each, reference in table.references.items()),
            schema=table.schema,
            comment=table.comment,
        )

    def _column(self, name: str, column: Column, metadata: sa.MetaData) -> sa.Column[Any]:
        options: dict[str, Any] = {}
        if column.hidden:
            options["cockroachdb_not_visible"] = True
        if column.family:
            options["cockroachdb_family"] = column.family
        computed = []
        if column.computed is not None:
            of, number, stored = column.computed
            computed.append(sa.Computed(f"{_quoted(of)} + {number}", persisted=stored))
        return sa.Column(
            name,
            self._type(column, metadata),
            *computed,
            nullable=column.nullable,
            autoincrement=False,
            server_default=None if column.computed else self._default(column),
            comment=column.comment,
            **options,
        )

    def _index(self, name: str, index: Index) -> Any:
        prefix = "postgresql" if index.postgresql else "cockroachdb"
        options: dict[str, Any] = {}
        if index.storing:
            options[f"{prefix}_include"] = index.storing
        if index.where is not None:
            options[f"{prefix}_where"] = sa.text(f"{_quoted(index.where[0])} > {index.where[1]}".replace(":", "\\:"))
        if index.constraint:
            return sa.UniqueConstraint(*(each for each, _ in index.columns), name=name)
        if index.inverted:
            options["postgresql_using"] = "gin"
        if index.buckets is not None:
            options |= {"cockroachdb_using": "hash", "cockroachdb_with": {"bucket_count": index.buckets}}
        if index.comment is not None:
            options["cockroachdb_comment"] = index.comment
        elements = [
            sa.text(f"{_quoted(each)} DESC".replace(":", "\\:")) if down else each for each, down in index.columns
        ]
        return sa.Index(name, *elements, unique=index.unique, **options)

    def _reference(self, name: str, reference: Reference) -> sa.ForeignKeyConstraint:
        table = self.tables[reference.table]
        of = reference.table if table.schema is None else f"{table.schema}.{reference.table}"
        return sa.ForeignKeyConstraint(
            [reference.column],
            [f"{of}.{table.key[0][0]}"],
            name=None if self.convention else name,
            ondelete=reference.ondelete,
            onupdate=reference.onupdate,
            match=reference.match,
        )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _descending(name: str) -> sa.TextClause:
    return sa.text(f"{_quoted(name)} DESC".replace(":", "\\:"))


comments = st.sampled_from([None, None, None, "it's 5% of :x \\ é\n", "a comment"])


@st.composite
def columns(draw: Any, schema: Schema) -> Column:
    """Draw an ordinary column."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    if kind == "enum" and not schema.enums:
        kind = "text"
    column = Column(kind, draw(st.booleans()), draw(st.none() | st.integers(0, 3)), draw(comments))
    column.hidden = draw(st.integers(0, 9)) == 0
    if kind == "enum":
        column.enum = draw(st.sampled_from(sorted(schema.enums)))
    return column


@st.composite
def tables(draw: Any, schema: Schema, name: str) -> Table:
    """Draw a table that goes well with the others of a schema."""
    kind = draw(st.sampled_from(["int8", "uuid", "text", "int4"]))
    default = 0 if kind == "uuid" and draw(st.booleans()) else None
    table = Table({"id": Column(kind, nullable=False, default=default)}, [("id", False)])
    for column in draw(st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=6, unique=True)):
        table.columns[column] = draw(columns(schema))
    table.comment = draw(comments)
    if draw(st.integers(0, 4)) == 0:
        table.schema = "Other %"
    if draw(st.integers(0, 5)) == 0:
        for column in list(table.columns.values())[1:]:
            column.family = draw(st.sampled_from(["f1", "F 2", None]))
        table.columns["id"].family = "f1"
    if draw(st.integers(0, 5)) == 0:
        table.buckets = draw(st.sampled_from([2, 4, 8]))
    for change in draw(
        st.lists(st.sampled_from([add_index, add_index, add_check, add_computed, add_reference]), max_size=4)
    ):
        change(draw, schema, name, table)
    return table


@st.composite
def schemas(draw: Any) -> Schema:
    """Draw a schema."""
    schema = Schema(convention=draw(st.integers(0, 3)) == 0)
    for name in draw(st.lists(st.sampled_from(["mood", "Size", "state %"]), max_size=2, unique=True)):
        schema.enums[name] = draw(st.lists(st.sampled_from(VALUES), min_size=1, max_size=4, unique=True))
    for name in draw(st.lists(st.sampled_from(["s1", "Seq %"]), max_size=1, unique=True)):
        schema.sequences[name] = draw(st.integers(1, 5))
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True)):
        schema.tables[name] = draw(tables(schema, name))
    schema.viewed = draw(st.booleans())
    add_view(draw, schema)
    return schema


VALUES = ["a", "b", "it's", "x %", "é", "C", "", 'q"', "z"]


# ------------------------------------------------------------------------------------------------ changes of a table


def _plain_columns(table: Table, test: Callable[[Column], bool] = lambda column: True) -> list[str]:
    """Give the columns that are no part of the key."""
    keys = {each for each, _ in table.key}
    return [each for each, column in table.columns.items() if each not in keys and test(column)]


def _numbers(table: Table) -> list[str]:
    # No formula can be about a column that refers to another table.
    numbers = _plain_columns(table, lambda column: column.kind in _NUMBERS and column.computed is None)
    return [each for each in numbers if not each.endswith("_id")]


def columns_of(index: Index) -> set[str]:
    """Give all columns that an index is about."""
    where = set() if index.where is None else {index.where[0]}
    return {*(each for each, _ in index.columns), *index.storing, *where}


def used(schema: Schema, name: str, table: Table, column: str) -> bool:
    """Tell whether something is made of a column."""
    return (
        any(
            column in [each for each, _ in index.columns]
            or column in index.storing
            or (index.where or "")[:1] == (column,)
            for index in table.indexes.values()
        )
        or any(column == each for each, _ in table.checks.values())
        or any(column == reference.column for reference in table.references.values())
        or any(other.computed is not None and other.computed[0] == column for other in table.columns.values())
        or any(of == name and column in names for of, names, _ in schema.views.values())
    )


def add_index(draw: Any, schema: Schema, name: str, table: Table) -> None:
    """Add an index or a unique constraint."""
    taken = set(table.indexes)
    new = next(each for each in ("ix", "by %", "Ix", "where", "i5", "i6", "i7", "i8", "i9", "i10") if each not in taken)
    if schema.convention:
        new = f"{new}_{name}"[:50]
    inverted = _plain_columns(table, lambda column: column.kind != "enum" and KINDS[column.kind].inverted)
    if inverted and draw(st.booleans()):
        table.indexes[new] = Index([(draw(st.sampled_from(inverted)), False)], inverted=True)
        return
    ordered = _plain_columns(table, lambda column: KINDS[column.kind].ordered and column.computed is None)
    if not ordered:
        return
    chosen = draw(st.lists(st.sampled_from(ordered), min_size=1, max_size=2, unique=True))
    index = Index([(each, draw(st.booleans())) for each in chosen], unique=draw(st.booleans()))
    if index.unique and draw(st.booleans()):
        index.constraint = True
        table.indexes[new] = index
        return
    rest = [each for each in _plain_columns(table) if each not in chosen and not _is_virtual(table.columns[each])]
    if rest and draw(st.booleans()):
        index.storing = draw(st.lists(st.sampled_from(rest), min_size=1, max_size=2, unique=True))
        index.postgresql = draw(st.booleans())
    numbers = _numbers(table)
    if numbers and draw(st.integers(0, 2)) == 0:
        index.where = (draw(st.sampled_from(numbers)), draw(st.integers(-3, 3)))
    elif draw(st.integers(0, 4)) == 0:
        index.buckets = draw(st.sampled_from([2, 4]))
        index.columns = [(each, False) for each, _ in index.columns]
    index.comment = draw(comments)
    table.indexes[new] = index


def _is_virtual(column: Column) -> bool:
    return column.computed is not None and not column.computed[2]


def add_check(draw: Any, schema: Schema, name: str, table: Table) -> None:
    """Add a check."""
    numbers = _numbers(table)
    if numbers:
        new = draw(st.sampled_from(["ck", "check %", "Positive"]))
        table.checks[new] = (draw(st.sampled_from(numbers)), draw(st.integers(-3, 3)))


def add_computed(draw: Any, schema: Schema, name: str, table: Table) -> None:
    """Add a computed column, or change the formula of one."""
    numbers = _numbers(table)
    if numbers:
        said = (draw(st.sampled_from(numbers)), draw(st.integers(0, 5)), draw(st.booleans()))
        if "computed" not in table.columns or not used(schema, name, table, "computed"):
            table.columns["computed"] = Column("int8", computed=said)


def add_reference(draw: Any, schema: Schema, name: str, table: Table) -> None:
    """Add a foreign key to a table that is there already."""
    others = [
        each for each, other in schema.tables.items() if each != name and len(other.key) == 1 and other.buckets is None
    ]
    if not others:
        return
    target = draw(st.sampled_from(others))
    new = draw(st.sampled_from(["fk", "Fk %", "refers"]))
    if new in table.references:
        return
    column = f"{target[:40]}_id"
    if column in table.columns:
        return
    table.columns[column] = Column(schema.tables[target].columns[schema.tables[target].key[0][0]].kind)
    table.references[new] = Reference(
        column,
        target,
        draw(st.sampled_from(ACTIONS)),
        draw(st.sampled_from(ACTIONS)),
        draw(st.sampled_from([None, "FULL"])),
    )


# --------------------------------------------------------------------------------------------- changes of a schema


def _some_table(draw: Any, schema: Schema) -> tuple[str, Table] | None:
    if not schema.tables:
        return None
    name = draw(st.sampled_from(sorted(schema.tables)))
    return name, schema.tables[name]


def change_table(draw: Any, schema: Schema) -> None:
    """Add to a table."""
    found = _some_table(draw, schema)
    if found is not None:
        draw(st.sampled_from([add_index, add_check, add_computed, add_reference]))(draw, schema, *found)


def add_table(draw: Any, schema: Schema) -> None:
    """Add a table."""
    name = draw(st.sampled_from([each for each in NAMES if each not in schema.tables]))
    schema.tables[name] = draw(tables(schema, name))


def drop_table(draw: Any, schema: Schema) -> None:
    """Drop a table, and what refers to it."""
    found = _some_table(draw, schema)
    if found is None:
        return
    name, _ = found
    del schema.tables[name]
    for table in schema.tables.values():
        table.references = {each: one for each, one in table.references.items() if one.table != name}
    schema.views = {each: view for each, view in schema.views.items() if view[0] != name}


def add_column(draw: Any, schema: Schema) -> None:
    """Add a column."""
    found = _some_table(draw, schema)
    if found is None:
        return
    _, table = found
    new = [each for each in COLUMNS if each not in table.columns]
    if new:
        table.columns[draw(st.sampled_from(new))] = draw(columns(schema))


def drop_column(draw: Any, schema: Schema) -> None:
    """Drop a column, and all that is made of it."""
    found = _some_table(draw, schema)
    if found is None:
        return
    name, table = found
    plain = _plain_columns(table)
    if not plain:
        return
    column = draw(st.sampled_from(plain))
    gone = {column} | {
        each for each, other in table.columns.items() if other.computed is not None and other.computed[0] == column
    }
    for each in gone:
        del table.columns[each]
    table.indexes = {each: index for each, index in table.indexes.items() if not gone & columns_of(index)}
    table.checks = {each: check for each, check in table.checks.items() if check[0] not in gone}
    table.references = {each: one for each, one in table.references.items() if one.column not in gone}
    schema.views = {each: view for each, view in schema.views.items() if view[0] != name or not gone & set(view[1])}


def change_column(draw: Any, schema: Schema) -> None:
    """Change what a column is like."""
    found = _some_table(draw, schema)
    if found is None:
        return
    name, table = found
    plain = _plain_columns(table, lambda column: column.computed is None)
    if not plain:
        return
    chosen = draw(st.sampled_from(plain))
    column = table.columns[chosen]
    match draw(st.sampled_from(["nullable", "default", "comment", "type"])):
        case "nullable":
            column.nullable = not column.nullable
        case "default":
            column.default = draw(st.none() | st.integers(0, 3))
        case "comment":
            column.comment = draw(comments)
        case "type" if KINDS[column.kind].wider is not None and not used(schema, name, table, chosen):
            column.kind = str(KINDS[column.kind].wider)


def drop_something(draw: Any, schema: Schema) -> None:
    """Drop an index, a check or a foreign key."""
    found = _some_table(draw, schema)
    if found is None:
        return
    _, table = found
    of: dict[str, Any] = draw(st.sampled_from([table.indexes, table.checks, table.references]))
    if of:
        del of[draw(st.sampled_from(sorted(of)))]


def change_something(draw: Any, schema: Schema) -> None:
    """Change an index, a check, a foreign key or a comment under its name."""
    found = _some_table(draw, schema)
    if found is None:
        return
    name, table = found
    if table.indexes and draw(st.booleans()):
        chosen = draw(st.sampled_from(sorted(table.indexes)))
        before = table.indexes.pop(chosen)
        kept = set(table.indexes)
        add_index(draw, schema, name, table)
        for new in set(table.indexes) - kept:
            table.indexes[chosen] = table.indexes.pop(new)
        table.indexes.setdefault(chosen, before)
    elif table.checks:
        chosen = draw(st.sampled_from(sorted(table.checks)))
        table.checks[chosen] = (table.checks[chosen][0], draw(st.integers(-3, 3)))
    elif table.references:
        reference = table.references[draw(st.sampled_from(sorted(table.references)))]
        reference.ondelete = draw(st.sampled_from(ACTIONS))
    else:
        table.comment = draw(comments)


def change_key(draw: Any, schema: Schema) -> None:
    """Change the primary key of a table that nothing refers to."""
    found = _some_table(draw, schema)
    if found is None:
        return
    name, table = found
    if any(one.table == name for other in schema.tables.values() for one in other.references.values()):
        return
    possible = [
        each
        for each, column in table.columns.items()
        if KINDS[column.kind].ordered and not column.nullable and column.computed is None and not column.hidden
    ]
    table.key = [
        (each, draw(st.booleans()))
        for each in draw(st.lists(st.sampled_from(possible), min_size=1, max_size=3, unique=True))
    ]
    table.buckets = draw(st.sampled_from([None, None, 4]))
    for index in table.indexes.values():
        index.storing = [each for each in index.storing if each not in dict(table.key)]


def change_enum(draw: Any, schema: Schema) -> None:
    """Add a value to an enum type, or rename one."""
    if not schema.enums:
        return
    values = schema.enums[draw(st.sampled_from(sorted(schema.enums)))]
    new = [each for each in VALUES if each not in values]
    if not new:
        return
    if draw(st.booleans()):
        values[draw(st.integers(0, len(values) - 1))] = draw(st.sampled_from(new))
    # Dropping a value, which the way back needs, came after v21.1.


def add_view(draw: Any, schema: Schema) -> None:
    """Add a view, or replace one."""
    found = _some_table(draw, schema)
    if found is None or not schema.viewed:
        return
    name, table = found
    of = draw(st.lists(st.sampled_from(list(table.columns)), min_size=1, max_size=3, unique=True))
    schema.views[draw(st.sampled_from(["v", "View %"]))] = (name, of, draw(st.booleans()))


def drop_view(draw: Any, schema: Schema) -> None:
    """Drop a view."""
    if schema.views:
        del schema.views[draw(st.sampled_from(sorted(schema.views)))]


CHANGES = [
    change_table,
    change_table,
    add_table,
    drop_table,
    add_column,
    add_column,
    drop_column,
    change_column,
    change_column,
    drop_something,
    change_something,
    change_key,
    change_enum,
    add_view,
    drop_view,
]


@st.composite
def changed(draw: Any, schema: Schema) -> Schema:
    """Draw a schema that is another one with some changes."""
    new = deepcopy(schema)
    for change in draw(st.lists(st.sampled_from(CHANGES), min_size=1, max_size=6)):
        change(draw, new)
    return new


@st.composite
def pairs(draw: Any) -> tuple[Schema, Schema]:
    """Draw a schema and a changed one."""
    schema = draw(schemas())
    return schema, draw(changed(schema))

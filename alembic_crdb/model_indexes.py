"""Indexes, primary keys and unique constraints of a model as catalog objects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, Literal

from alembic.util.sqla_compat import _textual_index_element
from sqlalchemy import ColumnClause, Index, PrimaryKeyConstraint, Table, TextClause, UniqueConstraint
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import UnaryExpression, _textual_label_reference

from alembic_cluster.errors import InvalidModel, UnreadableDDL
from alembic_crdb import catalog
from alembic_crdb.catalog import Direction, IndexElement, Parameters, Partitioning, PrimaryKey, Unique
from alembic_crdb.lexer import is_word, read_name, tokenize
from alembic_crdb.model_reader import Reader, options, plain_name, said_for_postgresql
from alembic_crdb.parser_statements import StatementCursor

Kind = Literal["INVERTED", "VECTOR"] | None

_ORDINARY: Final = frozenset({"btree", "prefix"})
_INVERTED: Final = frozenset({"gin", "gist", "inverted"})
# PostgreSQL's pgvector calls them hnsw and ivfflat.
_VECTOR: Final = frozenset({"vector", "cspann", "hnsw", "ivfflat"})
#: Operator classes of PostgreSQL that say what an index of CockroachDB does without being told.
_IMPLIED: Final[Mapping[Kind, frozenset[str]]] = {
    None: frozenset(
        {"bpchar_ops", "bpchar_pattern_ops", "date_ops", "float4_ops", "float8_ops", "int2_ops", "int4_ops"}
        | {"int8_ops", "interval_ops", "numeric_ops", "text_ops", "text_pattern_ops", "timestamp_ops"}
        | {"timestamptz_ops", "uuid_ops", "varchar_ops", "varchar_pattern_ops"}
    ),
    "INVERTED": frozenset({"array_ops", "jsonb_ops", "jsonb_path_ops", "gist_geometry_ops_2d", "gist_geography_ops"}),
    "VECTOR": frozenset(),
}
#: What the server calls other operator classes of PostgreSQL.
_RENAMED: Final[Mapping[str, str]] = {"gist_trgm_ops": "gin_trgm_ops"}
#: Storage parameters of PostgreSQL that the server takes and forgets (fillfactor), or that tune a kind of index which
#: it does not have.
_FORGOTTEN: Final = frozenset(
    {"buffering", "deduplicate_items", "ef_construction", "fastupdate", "fillfactor", "gin_pending_list_limit"}
    | {"lists", "m"}
)
_ORDERS: Final[Mapping[Any, tuple[Direction | None, Literal["FIRST", "LAST"] | None]]] = {
    operators.asc_op: ("ASC", None),
    operators.desc_op: ("DESC", None),
    operators.nulls_first_op: (None, "FIRST"),
    operators.nulls_last_op: (None, "LAST"),
}


def index_to_catalog(index: Index, reader: Reader) -> catalog.Index:
    """Give an index of a model as a catalog object.

    :param index: of a table.
    :param reader: reads for the dialect.
    :raises InvalidModel: it has no table, or an option has a value that makes no sense.
    """
    said = options(index)
    table = index.table
    name = reader.name_of(index)
    if table is None:
        raise InvalidModel(f"Index {name} belongs to no table. Nothing was sent.")
    of = f"index {name} of table {table.name}"
    kind, hashed = _method(said, reader, of)
    classes = {reader.column_name(table, key): value for key, value in (said.get("ops") or {}).items()}
    elements = tuple(_element(each, classes, reader, of) for each in index.expressions)
    if said.get("nulls_not_distinct"):
        reader.refuse(f"{_begin(of)} has NULLS NOT DISTINCT, which CockroachDB does not have.")
    if said_for_postgresql(index, "tablespace"):
        reader.refuse(f"{_begin(of)} has a tablespace; CockroachDB has none (go.crdb.dev/issue-v/54113).")
    where = said.get("where")
    # It has these anyway, and CockroachDB refuses to have them said, which PostgreSQL takes.
    own = {each.name for each in elements} | {plain_name(column.name) for column in table.primary_key.columns}
    return catalog.Index(
        name,
        _finished(elements, kind),
        bool(index.unique),
        kind,
        hashed,
        tuple(each for each in _names(said.get("include"), table, reader) if each not in own),
        index_parameters(said.get("with"), reader, of),
        _partitioning(index, said, reader, of),
        predicate=None if where is None else reader.sql(where),
        visibility=visibility(said.get("visibility"), of),
    )


def unique_to_catalog(constraint: UniqueConstraint, reader: Reader) -> catalog.Index | Unique:
    """Give a unique constraint of a model: the unique index that it is, or one ``WITHOUT INDEX``.

    :raises InvalidModel: an option has a value that makes no sense.
    """
    said = options(constraint)
    table = constraint.table
    name = reader.name_of(constraint)
    columns = tuple(plain_name(column.name) for column in constraint.columns)
    of = f"unique constraint {name or ', '.join(columns)} of table {table.name}"
    if said.get("nulls_not_distinct"):
        reader.refuse(f"{_begin(of)} has NULLS NOT DISTINCT, which CockroachDB does not have.")
    refuse_deferred(constraint, reader, of)
    where = said.get("where")
    predicate = None if where is None else reader.sql(where)
    if said.get("without_index"):
        without = {"include", "using", "with", "sorting", "partition_by", "visibility"} & said.keys()
        if any(said[option] for option in without):
            raise InvalidModel(f"{_begin(of)} has no index, and options of one: {', '.join(sorted(without))}.")
        return Unique(name, columns, True, predicate, not said.get("not_valid"))
    if said.get("not_valid"):
        raise InvalidModel(f"{_begin(of)} can be NOT VALID only with cockroachdb_without_index. Nothing was sent.")
    kind, hashed = _method(said, reader, of)
    if kind is not None:
        raise InvalidModel(f"{_begin(of)} can't be an {kind} index. Nothing was sent.")
    return catalog.Index(
        name,
        _sorted(columns, said.get("sorting"), table, reader, of),
        True,
        None,
        hashed,
        _names(said.get("include"), table, reader),
        index_parameters(said.get("with"), reader, of),
        _partitioning(constraint, said, reader, of),
        predicate=predicate,
        visibility=visibility(said.get("visibility"), of),
    )


def primary_key_to_catalog(constraint: PrimaryKeyConstraint, reader: Reader) -> PrimaryKey | None:
    """Give a primary key of a model; None for one without columns.

    ``postgresql_include`` is looked past: a primary key of CockroachDB stores all columns.

    :raises InvalidModel: an option has a value that makes no sense.
    """
    # SQLAlchemy puts the autoincrementing column first where the model gives no order.
    implicit = constraint._implicit_generated
    columns = tuple(
        plain_name(column.name) for column in (constraint.columns_autoinc_first if implicit else constraint.columns)
    )
    if not columns:
        return None
    said = options(constraint)
    of = f"the primary key of table {constraint.table.name}"
    refuse_deferred(constraint, reader, of)
    kind, hashed = _method(said, reader, of)
    if kind is not None:
        raise InvalidModel(f"{_begin(of)} can't be an {kind} index. Nothing was sent.")
    return PrimaryKey(
        reader.name_of(constraint),
        _sorted(columns, said.get("sorting"), constraint.table, reader, of),
        hashed,
        index_parameters(said.get("with"), reader, of),
    )


def refuse_deferred(constraint: Any, reader: Reader, of: str) -> None:
    """Note a constraint that is to be checked at the end of a transaction."""
    if constraint.deferrable or (constraint.initially or "").upper() == "DEFERRED":
        reader.refuse(f"{_begin(of)} is DEFERRABLE, which CockroachDB does not have (go.crdb.dev/issue-v/31632).")


def visibility(value: Any, of: str) -> float:
    """Read ``cockroachdb_visibility``.

    :raises InvalidModel: it is neither a boolean nor a number between 0 and 1.
    """
    if value is None:
        return 1.0
    if not isinstance(value, int | float) or not 0 <= value <= 1:
        raise InvalidModel(f"The visibility of {of} is not between 0 and 1: {value!r}. Nothing was sent.")
    return float(value)


def index_parameters(values: Any, reader: Reader, of: str) -> Parameters:
    """Read the ``with`` option of an index, without what the server forgets.

    :raises InvalidModel: as :meth:`Reader.parameters`; or the number of buckets is none.
    """
    found = tuple(pair for pair in reader.parameters(values, of) if pair[0] not in _FORGOTTEN)
    for name, value in found:
        if name == "bucket_count" and (not value.isdigit() or int(value) < 1):
            raise InvalidModel(f"The bucket_count of {of} is no number of buckets: {value}. Nothing was sent.")
    return found


def partitioning_of(text: Any, of: str) -> Partitioning:
    """Read a ``cockroachdb_partition_by``, such as ``LIST (city) (PARTITION us VALUES IN ('new york'))``.

    :raises InvalidModel: it can't be read.
    """
    if not isinstance(text, str):
        raise InvalidModel(f"cockroachdb_partition_by of {of} is no text: {text!r}. Nothing was sent.")
    words = text.strip()
    everything = words.upper().startswith("ALL BY ")
    try:
        cursor = StatementCursor(f"PARTITION {words}" if everything else f"PARTITION BY {words}")
        found = cursor.partitioning()
        if cursor.texts[cursor.at]:
            raise cursor.fail("the end of the partitions")
    except UnreadableDDL as error:
        raise InvalidModel(
            f"cockroachdb_partition_by of {of} can't be read: {error.reason}, at column {error.column} of "
            f"{error.statement!r}. Nothing was sent."
        ) from error
    return _as_printed(found)


def _as_printed(partitioning: Partitioning) -> Partitioning:
    """Write each value of a list as the server does, in parentheses of its own: ``(('AU'), ('NZ'))``."""
    return replace(
        partitioning,
        partitions=tuple(
            replace(
                each,
                values=tuple(value if value[0] == "(" else f"({value})" for value in each.values),
                partitioning=None if each.partitioning is None else _as_printed(each.partitioning),
            )
            for each in partitioning.partitions
        ),
    )


def _begin(text: str) -> str:
    return text[:1].upper() + text[1:]


def _method(said: Mapping[str, Any], reader: Reader, of: str) -> tuple[Kind, bool]:
    """Give an index's kind, and whether it is hash-sharded."""
    using = said.get("using")
    if not using:
        return None, False
    method = str(using).lower()
    if method in _ORDINARY:
        return None, False
    if method == "hash":
        return None, True
    if method in _INVERTED:
        return "INVERTED", False
    if method in _VECTOR:
        return "VECTOR", False
    reader.refuse(f"{_begin(of)} uses {using}, an access method that CockroachDB does not have.")
    return None, False


def _partitioning(item: Any, said: Mapping[str, Any], reader: Reader, of: str) -> Partitioning | None:
    text = said.get("partition_by")
    return None if text is None else partitioning_of(text, of)


def _names(columns: Iterable[Any] | None, table: Table, reader: Reader) -> tuple[str, ...]:
    return tuple(reader.column_name(table, column) for column in columns or ())


def _sorted(columns: tuple[str, ...], sorting: Any, table: Table, reader: Reader, of: str) -> tuple[IndexElement, ...]:
    said = {reader.column_name(table, column): str(order).upper() for column, order in (sorting or {}).items()}
    for column, order in said.items():
        if column not in columns or order not in ("ASC", "DESC"):
            raise InvalidModel(f"cockroachdb_sorting of {of} is {sorting!r}; its columns are {columns}, ASC or DESC.")
    return tuple(IndexElement(column, "DESC" if said.get(column) == "DESC" else "ASC") for column in columns)


def _finished(elements: tuple[IndexElement, ...], kind: Kind) -> tuple[IndexElement, ...]:
    """Take out of the elements what the server implies."""
    found = [
        replace(each, opclass=None if each.opclass in _IMPLIED[kind] else _RENAMED.get(each.opclass, each.opclass))
        if each.opclass is not None
        else each
        for each in elements
    ]
    if kind is not None and found and found[-1].direction == "ASC":
        found[-1] = replace(found[-1], direction=None)
    return tuple(found)


def _element(expression: Any, classes: Mapping[str, Any], reader: Reader, of: str) -> IndexElement:
    direction: Direction = "ASC"
    nulls: Literal["FIRST", "LAST"] | None = None
    inner = expression
    while isinstance(inner, UnaryExpression) and inner.modifier in _ORDERS:
        said_direction, said_nulls = _ORDERS[inner.modifier]
        direction, nulls = said_direction or direction, said_nulls or nulls
        inner = inner.element
    if isinstance(inner, _textual_index_element):  # what op.create_index makes of text("a DESC")
        inner = inner.text
    if isinstance(inner, ColumnClause) and not inner.is_literal:
        name = plain_name(inner.name)
        element = IndexElement(name, direction, None, nulls, classes.get(name))
    elif isinstance(inner, TextClause | ColumnClause | _textual_label_reference):
        # The last one is what desc("name") is about.
        element = _read_element(reader.sql(inner), direction, nulls)
    else:
        opclass = classes.get(getattr(inner, "key", None) or "")
        element = IndexElement(None, direction, standalone(reader.sql(inner.self_group())), nulls, opclass)
    return _with_servers_nulls(element, reader, of)


def _with_servers_nulls(element: IndexElement, reader: Reader, of: str) -> IndexElement:
    """Leave out where NULLs are when that is where CockroachDB has them: first, when ascending."""
    if element.nulls is None:
        return element
    if element.nulls != ("LAST" if element.direction == "DESC" else "FIRST"):
        reader.refuse(
            f"{_begin(of)} is ordered {element.direction} NULLS {element.nulls}; CockroachDB has NULLs first when "
            "ascending and last when descending (go.crdb.dev/issue-v/6224)."
        )
    return replace(element, nulls=None)


def _read_element(text: str, direction: Direction, nulls: Literal["FIRST", "LAST"] | None) -> IndexElement:
    """Read an element that a model gives as text, such as ``lower(name) text_pattern_ops DESC``."""
    opclass = None
    texts, starts = tokenize(text)
    words = [token.upper() for token in texts[:-1]]
    if len(words) > 2 and words[-2] == "NULLS" and words[-1] in ("FIRST", "LAST"):
        nulls = "FIRST" if words[-1] == "FIRST" else "LAST"
        del words[-2:]
    if len(words) > 1 and words[-1] in ("ASC", "DESC"):
        direction = "DESC" if words[-1] == "DESC" else "ASC"
        del words[-1]
    end = len(words)
    if end > 1 and is_word(texts[end - 1]) and (texts[end - 2] == ")" or (end == 2 and _is_name(texts[0]))):
        opclass = texts[end - 1].lower()
        end -= 1
    if end == 1 and _is_name(texts[0]):
        return IndexElement(read_name(texts[0]), direction, None, nulls, opclass)
    expression = text[: starts[end - 1] + len(texts[end - 1])] if end else text
    return IndexElement(None, direction, standalone(expression), nulls, opclass)


def _is_name(token: str) -> bool:
    return is_word(token) or token[:1] == '"'


def standalone(expression: str) -> str:
    """Write an expression as an index takes it: all but a plain function call in parentheses."""
    texts = tokenize(expression).texts
    first = 0
    while first + 2 < len(texts) and _is_name(texts[first]) and texts[first + 1] == ".":
        first += 2
    call = len(texts) > first + 2 and _is_name(texts[first]) and texts[first + 1] == "("
    special = call and texts[first].upper() in _SPECIAL
    opening = first + 1 if call and not special else 0
    depth = 0
    for at, token in enumerate(texts[:-1]):
        if at < opening:
            continue
        depth += (token == "(") - (token == ")")
        if depth == 0:
            return expression if at == len(texts) - 2 and texts[opening] == "(" else f"({expression})"
    return f"({expression})"


#: Calls that are syntax of their own, which the server puts in parentheses, too.
_SPECIAL: Final = frozenset(
    {"CAST", "COALESCE", "EXTRACT", "GREATEST", "IF", "IFERROR", "IFNULL", "LEAST", "NULLIF", "OVERLAY", "POSITION"}
    | {"SUBSTRING", "TRIM", "TREAT", "COLLATION", "ROW", "ARRAY"}
)

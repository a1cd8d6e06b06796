"""Secondary indexes: what makes two of them equal, and which ones no server makes.

Sources: Cassandra's CreateIndexStatement, StorageAttachedIndex, IndexWriterConfig and SASI's IndexMode (each rule was
tried on Cassandra 5.0), ScyllaDB's create_index_statement.cc and vector_index.cc.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column, Index, Table
from sqlalchemy.engine import Dialect
from sqlalchemy.types import NullType, TypeEngine

from alembic_cluster.errors import InvalidModel
from alembic_cql import types
from alembic_cql.identifiers import check_name
from alembic_cql.option_values import text_of
from alembic_cql.refusal import refuse
from alembic_cql.schema import is_counter, is_open, table_key
from alembic_cql.typenames import parse_type

TARGETS = ("keys", "values", "entries", "full")
SAI = "sai"
VECTOR_INDEX = "vector_index"  # ScyllaDB's index on vectors; an SAI index is what Cassandra has for them
SASI = "org.apache.cassandra.index.sasi.SASIIndex"
_SAI_CLASSES = (SAI, "storageattachedindex", "org.apache.cassandra.index.sai.storageattachedindex")
_BUILT_IN = "legacy_local_table"
_WORDS = (SAI, "storageattachedindex", _BUILT_IN, VECTOR_INDEX, "fulltext_index")  # the last two are ScyllaDB's
_CLASS_COLUMN = re.compile(r"\w+", re.ASCII)
_ANALYZER = {"case_sensitive": "true", "normalize": "false", "ascii": "false"}
_SIMILARITY = "similarity_function"
_SIMILARITIES = ("cosine", "dot_product", "euclidean")
_VECTOR = (_SIMILARITY, "optimize_for", "maximum_node_connections", "construction_beam_width")
_SASI_MODES = ("prefix", "contains", "sparse")
# What an index is without the option, so that naming it changes nothing.
_DEFAULTS: Mapping[str, Mapping[str, str]] = {
    SAI: {**_ANALYZER, _SIMILARITY: "cosine"},
    SASI: {"mode": "prefix"},
}


def index_class(using: str | None) -> str | None:
    """Give the one name of an index's kind; None for the built-in secondary index."""
    if using is None or using.lower() == _BUILT_IN:
        return None
    return SAI if using.lower() in (*_SAI_CLASSES, VECTOR_INDEX) else using


Identity = tuple[str, str | None, str | None, frozenset[tuple[str, str]], tuple[str, ...] | None]


def index_identity(index: Index) -> Identity:
    """Give what makes an index what it is: column, class, target, options, partition key of a local one."""
    column = next(iter(index.columns))
    return identity(column.name, column.type, index.kwargs)


def identity(column: str, kind: TypeEngine[Any], options: Mapping[str, Any]) -> Identity:
    """Do the same with the name and the type of the index's column, and its ``cql_*`` options."""
    using = index_class(options.get("cql_using"))
    target = options.get("cql_target")
    if target is None and isinstance(kind, (types.LIST, types.MAP)) and using in (None, SAI):
        target = "values"  # what the server makes of an index on a bare collection
    local = options.get("cql_local")
    return (
        column,
        using,
        target and str(target).lower(),
        frozenset(_own_options(options.get("cql_options"), using).items()),
        None if local is None else tuple(local),
    )


def _own_options(options: Mapping[str, Any] | None, using: str | None) -> dict[str, str]:
    """Give the options that aren't the server's defaults; only the server's own kinds don't mind the case of values."""
    given = {str(key): text_of(value) for key, value in (options or {}).items()}
    if using in _DEFAULTS:
        given = {key: value if key == "analyzer_class" else value.lower() for key, value in given.items()}
    defaults = _DEFAULTS.get(using or "", {})
    return {key: value for key, value in given.items() if defaults.get(key) != value}


def check_index(index: Index, dialect: Dialect | None = None) -> None:
    """Refuse an index that CQL can't hold.

    :param dialect: with one, what the column's type must be is checked as well, where it is known.
    :raises UnsupportedConstruct: for unique indexes, several columns, expressions.
    :raises InvalidModel: for a target or an option that its column hasn't, and columns that can't have one.
    """
    where = f"(index {index.name!r})"
    if index.name is not None:
        check_name("index", index.name)
    if index.unique:
        refuse(
            f"unique index {where}",
            "make the columns the primary key of a table of their own and insert IF NOT EXISTS",
        )
    if len(index.expressions) != 1 or len(index.columns) != 1:
        refuse(f"index on several columns or an expression {where}", "make one index for each column")
    if not isinstance(index.expressions[0], Column):
        refuse(
            f"index on an expression {where}",
            "name the column, and for what a collection holds say cql_target='keys', 'values', 'entries' or 'full'",
        )
    column = next(iter(index.columns))
    problem = _problem(index, column)
    # op.create_index doesn't know the column's type; foresight.py looks it up.
    if problem is None and dialect is not None and not isinstance(column.type, NullType):
        problem = _local_problem(index, dialect) or _type_problem(index, column, dialect)
    if problem is not None:
        raise InvalidModel(f"index {index.name!r}: {problem}; nothing was sent")


def check_indexes(table: Table) -> None:
    """Refuse two SAI indexes of one column and target.

    :raises InvalidModel: naming both.
    """
    known: dict[Any, Index] = {}
    for index in sorted(table.indexes, key=lambda item: str(item.name)):
        column, using, target, *_ = index_identity(index)
        other = known.setdefault((column, target), index) if using == SAI else index
        if other is not index:
            raise InvalidModel(
                f"table {table.name!r}: {other.name!r} and {index.name!r} are both SAI indexes of column {column!r}, "
                "and it can have one; nothing was sent"
            )


def _problem(index: Index, column: Column[Any]) -> str | None:
    """Say what is wrong, whatever the column's type is."""
    target, using, options = (index.kwargs.get(f"cql_{name}") for name in ("target", "using", "options"))
    if target is not None and str(target).lower() not in TARGETS:
        return f"cql_target takes {', '.join(TARGETS)}, not {target!r}"
    if using is not None and (not isinstance(using, str) or not (using.lower() in _WORDS or "." in using)):
        return f"cql_using takes {', '.join(map(repr, _WORDS))} or a class with its package, not {using!r}"
    if options is not None and not isinstance(options, Mapping):
        return f"cql_options takes a map of texts, not {options!r}"
    if options and not using:
        return "cql_options needs cql_using, such as 'sai'"
    if is_counter(column):
        return "counters cannot be indexed"
    table = index.table
    if table is not None and any(is_counter(item) for item in table.columns):
        return f"table {table.name!r} has counters, and no column of such a table can be indexed"
    is_key = table is not None and table.primary_key.columns and column.name in table_key(table).partition
    if is_key and table is not None and len(table_key(table).partition) == 1 and index.kwargs.get("cql_local") is None:
        return f"column {column.name!r} is the whole partition key, by which rows are found without an index"
    if index_class(using) is not None and _CLASS_COLUMN.fullmatch(column.name) is None:  # IndexMetadata.validate
        return (
            f"column {column.name!r} can have no index by a class such as 'sai': its name would have to be of letters "
            "of a-z, digits and underscores"
        )
    analyzed = [name for name in options or {} if name in _ANALYZER] if index_class(using) == SAI else []
    if analyzed and table is not None and column.name in {item.name for item in table.primary_key.columns}:
        return f"the option {analyzed[0]!r} is for columns outside of the primary key, and {column.name!r} is in it"
    return _option_problem(index_class(using), options or {})


def _option_problem(using: str | None, given: Mapping[str, Any]) -> str | None:
    options = {str(key): text_of(value).lower() for key, value in given.items()}
    if using == SASI and options.get("mode", "prefix") not in _SASI_MODES:
        return f"the option 'mode' takes {', '.join(_SASI_MODES)}, not {given['mode']!r}"
    if using != SAI:
        return None
    for name, value in options.items():
        if name in _ANALYZER and value not in ("true", "false"):
            return f"the option {name!r} takes true or false, not {given[name]!r}"
        if name == _SIMILARITY and value not in _SIMILARITIES:
            return f"the option {name!r} takes {', '.join(_SIMILARITIES)}, not {given[name]!r}"
    return None


def _local_problem(index: Index, dialect: Any) -> str | None:
    local, table = index.kwargs.get("cql_local"), index.table
    if local is None:
        return None
    if not dialect.features.local_indexes:
        return "only ScyllaDB has local indexes: drop cql_local"
    partition = list(table_key(table).partition) if table is not None and table.primary_key.columns else list(local)
    if list(local) != partition:
        return f"cql_local takes the partition key, {partition!r}, not {local!r}"
    return None


def _type_problem(index: Index, column: Column[Any], dialect: Dialect) -> str | None:
    parsed: Any = parse_type(dialect.type_compiler_instance.process(column.type))
    target = index.kwargs.get("cql_target")
    problem = None if target is None else _target_problem(str(target).lower(), parsed, column, dialect)
    if problem is not None:
        return problem
    if isinstance(parsed, types.UserType):
        return f"column {column.name!r} is of a user type that is not frozen, and cannot be indexed"
    if target is None and isinstance(parsed, types.FROZEN) and is_open(parsed.inner):
        return f"column {column.name!r} is a frozen collection, which is indexed whole: say cql_target='full'"
    if isinstance(parsed, types.DURATION):
        return "durations have no order and cannot be indexed"
    if index_class(index.kwargs.get("cql_using")) == SAI:
        return _sai_problem(index, parsed, dialect)
    return None


def _target_problem(target: str, parsed: Any, column: Column[Any], dialect: Dialect) -> str | None:
    frozen = isinstance(parsed, types.FROZEN)
    inner = parsed.inner if frozen else parsed
    if target == "full":
        wrong = None if frozen and is_open(inner) else "a frozen collection"
    elif target in ("keys", "entries"):
        wrong = None if isinstance(parsed, types.MAP) else "a map that is not frozen"
    else:
        wrong = None if is_open(parsed) else "a collection that is not frozen"
    if wrong is None:
        return None
    written = dialect.type_compiler_instance.process(column.type)
    return f"the target {target!r} needs {wrong}, and the column is {written}"


def _sai_problem(index: Index, parsed: Any, dialect: Any) -> str | None:
    """Say what of an SAI index doesn't fit what it indexes."""
    kind = _indexed(parsed, str(index.kwargs.get("cql_target") or "values").lower())
    written = dialect.type_compiler_instance.process(kind)
    options = index.kwargs.get("cql_options") or {}
    known = (*_ANALYZER, *_VECTOR)
    unknown = [name for name in options if name not in known]
    if unknown and not dialect.features.is_scylla:
        return f"SAI has no option {unknown[0]!r}; it has {', '.join(known)}"
    if any(name in _ANALYZER for name in options) and not isinstance(kind, (types.TEXT, types.ASCII)):
        return f"the option {next(name for name in options if name in _ANALYZER)!r} is for texts, and this is {written}"
    if not isinstance(kind, types.VECTOR):
        wrong = [name for name in options if name in _VECTOR]
        if wrong:
            return f"the option {wrong[0]!r} is for vectors, and this is {written}"
        return f"SAI cannot index {written}" if isinstance(kind, types.BLOB) else None
    if not isinstance(kind.item_type, types.FLOAT):
        return f"SAI indexes vectors of float, and this is {written}"
    similarity = str(options.get(_SIMILARITY, "cosine")).lower()
    if kind.dimension == 1 and similarity == "cosine":
        return "vectors of one element have no cosine similarity: take 'euclidean' or 'dot_product'"
    return None


def _indexed(parsed: Any, target: str) -> TypeEngine[Any]:
    """Give the type of what an index holds: of a collection, its keys or its values."""
    found: TypeEngine[Any] = parsed
    if isinstance(parsed, types.MAP) and target in ("keys", "values"):
        found = parsed.key_type if target == "keys" else parsed.value_type
    elif isinstance(parsed, types.LIST) and not isinstance(parsed, types.VECTOR):
        found = parsed.item_type
    return found

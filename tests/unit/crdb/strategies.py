"""Random catalogs: every object that the parser knows, with names, types and expressions of all sorts."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from alembic_crdb import catalog as c
from alembic_crdb import catalog_objects as o
from alembic_crdb.lexer import QUOTED_WORDS, quote_name, quote_string

names = st.one_of(
    st.sampled_from(
        ["id", "name", "primary", "select", "Big", "a b", 'q"q', "né", "x$1", "日本", "null", "index", "asc"]
    ),
    st.sampled_from(sorted(QUOTED_WORDS)),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=8),
)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
object_names = st.builds(c.ObjectName, names, st.none() | names, st.none()) | st.builds(
    c.ObjectName, names, names, names
)
columns = st.lists(names, min_size=1, max_size=3).map(tuple)
any_columns = st.lists(names, max_size=3).map(tuple)


def _optional(values: Any) -> Any:
    return st.none() | values


literals = st.one_of(
    texts.map(quote_string),
    texts.map(lambda text: quote_string(text) + ":::STRING"),
    st.integers(-9, 9).map(lambda number: f"({number}):::INT8" if number < 0 else f"{number}:::INT8"),
    st.sampled_from(["NULL", "true", "now():::TIMESTAMPTZ", "ARRAY[1, 2]:::INT8[]", "B'01'", "'1 day':::INTERVAL"]),
)
_operands = literals | names.map(quote_name)
expressions = st.recursive(
    _operands,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["=", "+", "||", "AND", "->>", "IS DISTINCT FROM"]), inner).map(
            lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})"
        ),
        st.tuples(inner, inner).map(lambda parts: f"f({parts[0]}, {parts[1]})"),
        inner.map(lambda text: f"({text}) IS NOT NULL"),
        inner.map(lambda text: f"CASE WHEN {text} THEN NULL ELSE ({text}) END"),
        inner.map(lambda text: f"({text})::DECIMAL(10,2)"),
    ),
    max_leaves=5,
)

_builtin = st.sampled_from(
    [
        "INT2",
        "INT8",
        "STRING",
        "VARCHAR",
        "CHAR",
        "DECIMAL",
        "BIT",
        "TIMESTAMPTZ",
        "JSONB",
        "UUID",
        "REGCLASS",
    ]
)
_args = st.lists(st.integers(0, 30).map(str), max_size=2).map(tuple)
types = st.one_of(
    st.builds(
        c.SQLType, _builtin, _args, st.just(""), st.integers(0, 2), _optional(st.sampled_from(["en", "de_DE", "x-y"]))
    ),
    st.builds(c.SQLType, object_names, st.just(()), st.just(""), st.integers(0, 1)),
    st.builds(
        c.SQLType, st.just("INTERVAL"), st.sampled_from([(), ("3",)]), st.sampled_from(["", "DAY", "YEAR TO MONTH"])
    ),
    st.sampled_from([c.SQLType('"char"'), c.SQLType("GEOMETRY", ("POINT", "4326")), c.SQLType("VECTOR", ("3",))]),
)

_limits = st.none() | st.integers(-(2**63), 2**63 - 1)
sequence_options = st.builds(
    c.SequenceOptions,
    as_type=_optional(st.sampled_from(["INT4", "INT8"])),
    min_value=_limits | st.just("NO"),
    max_value=_limits | st.just("NO"),
    increment=_limits,
    start=_limits,
    restart=_limits | st.just("DEFAULT"),
    virtual=st.booleans(),
    cache=_optional(st.integers(1, 99)),
    node_cache=_optional(st.integers(1, 99)),
    cycle=_optional(st.booleans()),
    owned_by=_optional(st.lists(names, max_size=3).map(tuple)),
)

table_columns = st.builds(
    c.Column,
    names,
    types,
    st.booleans(),
    st.booleans(),
    _optional(expressions),
    _optional(expressions),
    _optional(st.builds(c.Computed, expressions, st.booleans())),
    _optional(st.builds(c.Identity, st.booleans(), sequence_options)),
)
index_elements = st.one_of(
    st.builds(
        c.IndexElement,
        names,
        st.sampled_from(["ASC", "DESC", None]),
        st.none(),
        st.sampled_from([None, "FIRST", "LAST"]),
        st.sampled_from([None, "gin_trgm_ops", "vector_l2_ops"]),
    ),
    st.builds(
        c.IndexElement,
        st.none(),
        st.sampled_from(["ASC", "DESC"]),
        expressions.map(lambda text: f"({text})") | expressions.map(lambda text: f"lower({text})"),
    ),
)
_elements = st.lists(index_elements, min_size=1, max_size=3).map(tuple)
parameters = st.lists(st.tuples(names, literals), max_size=2).map(tuple)
_bucketed = st.lists(st.tuples(names, literals), max_size=2).map(lambda pairs: (*pairs, ("bucket_count", "8")))

values = st.lists(literals.map(lambda text: f"({text})"), min_size=1, max_size=2).map(tuple)
_bounds = st.sampled_from(["(MINVALUE)", "('a', 1)", "(MAXVALUE)"])


def _partitionings(inner: Any) -> Any:
    lists = st.builds(c.Partition, names, values, st.none(), st.none(), _optional(inner))
    ranges = st.builds(c.Partition, names, st.just(()), _bounds, _bounds, _optional(inner))
    return st.one_of(
        st.builds(
            c.Partitioning, st.just("LIST"), columns, st.lists(lists, min_size=1, max_size=2).map(tuple), st.booleans()
        ),
        st.builds(
            c.Partitioning,
            st.just("RANGE"),
            columns,
            st.lists(ranges, min_size=1, max_size=2).map(tuple),
            st.booleans(),
        ),
    )


partitionings = st.recursive(st.just(c.Partitioning("NOTHING", all=True)), _partitionings, max_leaves=3)
interleaves = st.builds(c.Interleave, object_names, columns)
primary_keys = st.builds(c.PrimaryKey, _optional(names), _elements, st.booleans(), parameters | _bucketed)
indexes = st.builds(
    c.Index,
    names,
    _elements,
    st.booleans(),
    st.sampled_from([None, "INVERTED", "VECTOR"]),
    st.booleans(),
    any_columns,
    parameters | _bucketed,
    _optional(partitionings),
    _optional(interleaves),
    _optional(expressions),
    st.sampled_from([1.0, 0.0, 0.5, 0.25, 0.125]),
)
_actions = st.sampled_from(["NO ACTION", "RESTRICT", "CASCADE", "SET NULL", "SET DEFAULT"])
foreign_keys = st.builds(
    c.ForeignKey,
    _optional(names),
    columns,
    object_names,
    any_columns,
    st.sampled_from(["SIMPLE", "FULL", "PARTIAL"]),
    _actions,
    _actions,
    st.booleans(),
)
checks = st.builds(c.Check, _optional(names), expressions, st.booleans())
uniques = st.builds(c.Unique, _optional(names), columns, st.booleans(), _optional(expressions), st.booleans())
families = st.builds(c.Family, names, any_columns)
localities = st.one_of(
    st.just(c.Locality("GLOBAL")),
    st.builds(c.Locality, st.just("REGIONAL BY TABLE"), _optional(names)),
    st.builds(c.Locality, st.just("REGIONAL BY ROW"), st.none(), _optional(names)),
)


def _some(elements: Any) -> Any:
    return st.lists(elements, max_size=2).map(tuple)


tables = st.builds(
    c.Table,
    object_names,
    st.lists(table_columns, max_size=3).map(tuple),
    _optional(primary_keys),
    _some(foreign_keys),
    _some(indexes),
    _some(families),
    _some(checks),
    _some(uniques),
    _optional(interleaves),
    _optional(partitionings),
    parameters,
    _optional(localities),
    st.sampled_from([None, "TEMP", "UNLOGGED"]),
)
_queries = st.sampled_from(
    ["SELECT 1", "SELECT a, ';' FROM t WHERE (a = 1)", "VALUES (1), (2)", "WITH x AS (SELECT 1) TABLE x"]
)
_regions = st.lists(names, min_size=1, max_size=2).map(tuple)
_region_changes = st.one_of(
    st.builds(
        o.AlterDatabase,
        names,
        st.sampled_from(["PRIMARY REGION", "SET SECONDARY REGION", "ADD REGION", "DROP REGION"]),
        names.map(lambda name: (name,)),
    ),
    st.builds(
        o.AlterDatabase,
        names,
        st.sampled_from(
            ["DROP SECONDARY REGION", "SURVIVE ZONE FAILURE", "SURVIVE REGION FAILURE", "PLACEMENT DEFAULT"]
        ),
    ),
    st.builds(o.AlterDatabase, names, st.sampled_from(["ADD SUPER REGION", "ALTER SUPER REGION"]), _regions, names),
    st.builds(o.AlterDatabase, names, st.just("DROP SUPER REGION"), st.just(()), names),
)
_comments = st.one_of(
    st.builds(
        o.Comment,
        st.sampled_from(["DATABASE", "SCHEMA", "TYPE", "TABLE", "VIEW", "SEQUENCE"]),
        object_names,
        _optional(texts),
    ),
    st.builds(o.Comment, st.sampled_from(["COLUMN", "INDEX", "CONSTRAINT"]), object_names, _optional(texts), names),
    st.builds(o.Comment, st.just("FUNCTION"), object_names, _optional(texts), st.sampled_from(["", "INT8, STRING"])),
)
_zone_options = st.lists(
    st.tuples(
        st.sampled_from(["num_replicas", "gc.ttlseconds", "constraints"]), literals | st.just("COPY FROM PARENT")
    ),
    max_size=2,
).map(tuple)
_zones = st.one_of(
    st.builds(
        o.ZoneConfiguration, st.sampled_from(["DATABASE", "RANGE"]), st.builds(c.ObjectName, names), _zone_options
    ),
    st.builds(o.ZoneConfiguration, st.just("TABLE"), object_names, _zone_options, st.none(), _optional(names)),
    st.builds(o.ZoneConfiguration, st.just("INDEX"), object_names, _zone_options, names, _optional(names)),
)
statements: st.SearchStrategy[o.Statement] = st.one_of(
    tables,
    st.builds(o.View, object_names, _queries, any_columns, st.just(False), st.booleans(), parameters),
    st.builds(o.View, object_names, _queries, any_columns, st.just(True)),
    st.builds(o.Sequence, object_names, sequence_options, st.booleans()),
    st.builds(o.EnumType, object_names, st.lists(texts, max_size=3).map(tuple)),
    st.builds(o.CompositeType, object_names, st.lists(st.tuples(names, types), max_size=3).map(tuple)),
    st.builds(o.Domain, object_names, types, _optional(literals), st.booleans(), _some(checks)),
    st.builds(o.Schema, object_names, _optional(names), st.booleans()),
    st.builds(
        o.Database,
        names,
        _optional(names),
        st.lists(names, max_size=2).map(tuple),
        st.sampled_from([None, "ZONE", "REGION", "AVAILABILITY ZONE"]),
        st.sampled_from([None, "RESTRICTED", "DEFAULT"]),
        _optional(st.tuples(names, _regions)),
        _optional(names),
        st.sampled_from([(), (("ENCODING", "'UTF8'"), ("OWNER", "me")), (("CONNECTION LIMIT", "-1"),)]),
    ),
    _region_changes,
    _comments,
    st.builds(o.AddConstraint, object_names, st.builds(c.Check, names, expressions, st.booleans())),
    st.builds(o.AddConstraint, object_names, st.builds(c.ForeignKey, names, columns, object_names, columns)),
    st.builds(o.ValidateConstraint, object_names, names),
    st.builds(o.CreateIndex, object_names, indexes),
    _zones,
    st.builds(
        o.RowSecurity,
        object_names,
        st.lists(st.sampled_from(["ENABLE", "DISABLE", "FORCE", "NO FORCE"]), min_size=1, max_size=2).map(tuple),
    ),
    st.builds(
        o.Policy,
        names,
        object_names,
        st.sampled_from([None, "PERMISSIVE", "RESTRICTIVE"]),
        st.sampled_from([None, "ALL", "SELECT", "UPDATE"]),
        st.lists(names | st.just("CURRENT_USER"), max_size=2).map(tuple),
        _optional(expressions),
        _optional(expressions),
    ),
)
scripts = st.builds(o.Script, st.lists(statements, max_size=4).map(tuple))

"""Random changes of random keyspaces: what CQL can do and take back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from tests.cql.keyspace_specs import ColumnSpec, Keyspace, Kind
from tests.cql.random_schemas import (
    BODIES,
    COLUMN_WORDS,
    COMMENTS,
    STATES,
    Names,
    frozen_kinds,
    kinds,
    masks,
    options,
    table_specs,
    type_specs,
    with_functions,
    with_index,
    with_view,
)


def _mentions(kind: Kind, name: str | None = None) -> bool:
    """Tell whether a kind has a user type in it, of this name or of any."""
    if isinstance(kind, tuple):
        own = kind[0] == "TYPE" and name in (None, kind[1])
        return own or any(_mentions(part, name) for part in kind[1:])
    return False


@st.composite
def changes(draw: Callable[..., Any], keyspace: Keyspace, names: Names) -> Keyspace:
    """Give a keyspace that differs from another one in what CQL can change and take back."""
    names = Names(set(names.taken))
    for _ in range(draw(st.integers(1, 4))):
        keyspace = draw(_change(keyspace, names))
    return keyspace


@st.composite
def _change(draw: Callable[..., Any], keyspace: Keyspace, names: Names) -> Keyspace:
    if keyspace.other is not None and draw(st.booleans()):
        return replace(keyspace, other=draw(_change(keyspace.other, names)))
    few = [_add_table, _drop_table, _add_type, _drop_type, _add_field, _change_settings, _change_function]
    what = draw(st.sampled_from([*few, with_functions, _drop_function, *[_change_table] * 7]))
    return draw(what(keyspace, names))


@st.composite
def _change_settings(draw: Callable[..., Any], keyspace: Keyspace, names: Names) -> Keyspace:
    return replace(keyspace, durable=draw(st.booleans()), by_datacenter=draw(st.booleans()))


@st.composite
def _change_function(draw: Callable[..., Any], keyspace: Keyspace, names: Names) -> Keyspace:
    """Change what a function does or returns, or where an aggregate begins."""
    called = {one.name for item in keyspace.aggregates for one in (item.state, item.final) if one is not None}
    changed: list[Keyspace] = []
    for function in keyspace.functions:
        new = replace(function, body=draw(st.sampled_from(BODIES)))
        if function.name not in called:
            new = replace(new, on_null=draw(st.booleans()), returns=draw(frozen_kinds(keyspace.types)))
        functions = tuple(new if one is function else one for one in keyspace.functions)
        aggregates = tuple(
            replace(
                item,
                state=new if item.state is function else item.state,
                final=new if item.final is function else item.final,
            )
            for item in keyspace.aggregates
        )
        changed.append(replace(keyspace, functions=functions, aggregates=aggregates))
    for item in keyspace.aggregates:
        initial = draw(st.none() | st.sampled_from(STATES[item.state.returns]))
        other = tuple(replace(one, initial=initial) if one is item else one for one in keyspace.aggregates)
        changed.append(replace(keyspace, aggregates=other))
    return draw(st.sampled_from(changed)) if changed else keyspace


@st.composite
def _drop_function(draw: Callable[..., Any], keyspace: Keyspace, names: Names) -> Keyspace:
    """Drop an aggregate, with or without its functions, or a function that no aggregate calls."""
    if keyspace.aggregates:
        gone = draw(st.sampled_from(keyspace.aggregates))
        own = [gone.state, gone.final] if draw(st.booleans()) else []
        return replace(
            keyspace,
            aggregates=tuple(one for one in keyspace.aggregates if one is not gone),
            functions=tuple(one for one in keyspace.functions if not any(one is item for item in own)),
        )
    return replace(keyspace, functions=keyspace.functions[1:])


@st.composite
def _add_table(draw: Callable[..., Any], keyspace: Keyspace, names: Names) -> Keyspace:
    return replace(keyspace, tables=(*keyspace.tables, draw(table_specs(names, keyspace.types))))


@st.composite
def _drop_table(draw: Callable[..., Any], keyspace: Keyspace, names: Names) -> Keyspace:
    if not keyspace.tables:
        return keyspace
    gone = draw(st.sampled_from(keyspace.tables))
    return replace(keyspace, tables=tuple(table for table in keyspace.tables if table is not gone))


@st.composite
def _add_type(draw: Callable[..., Any], keyspace: Keyspace, names: Names) -> Keyspace:
    return replace(keyspace, types=(*keyspace.types, draw(type_specs(names, keyspace.types))))


@st.composite
def _drop_type(draw: Callable[..., Any], keyspace: Keyspace, names: Names) -> Keyspace:
    columns = [
        column
        for table in keyspace.tables
        for column in (*table.partition, *(column for column, _ in table.clustering), *table.columns)
    ]
    used = [column.kind for column in columns] + [kind for spec in keyspace.types for _, kind in spec.fields]
    used += [kind for one in keyspace.functions for kind in (one.returns, *(kind for _, kind in one.arguments))]
    unused = [spec for spec in keyspace.types if not any(_mentions(kind, spec.name) for kind in used)]
    if not unused:
        return keyspace
    gone = draw(st.sampled_from(unused))
    return replace(keyspace, types=tuple(spec for spec in keyspace.types if spec is not gone))


@st.composite
def _add_field(draw: Callable[..., Any], keyspace: Keyspace, names: Names) -> Keyspace:
    """Add a field to a type; none to one that a key is made of, which the server refuses."""
    in_keys = [
        column.kind
        for table in keyspace.tables
        for column in (*table.partition, *(column for column, _ in table.clustering))
    ]
    nested = {spec.name for spec in keyspace.types for other in keyspace.types for _, kind in other.fields
              if _mentions(kind, spec.name)}  # fmt: skip
    open_types = [
        spec for spec in keyspace.types
        if spec.name not in nested and not any(_mentions(kind, spec.name) for kind in in_keys)
    ]  # fmt: skip
    if not open_types:
        return keyspace
    spec = draw(st.sampled_from(open_types))
    earlier = tuple(one for one in keyspace.types[: keyspace.types.index(spec)])
    own = Names({name for name, _ in spec.fields})
    more = replace(spec, fields=(*spec.fields, (own.draw(draw, COLUMN_WORDS), draw(frozen_kinds(earlier)))))
    return replace(keyspace, types=tuple(more if one is spec else one for one in keyspace.types))


@st.composite
def _change_table(draw: Callable[..., Any], keyspace: Keyspace, names: Names) -> Keyspace:
    if not keyspace.tables:
        return keyspace
    table = draw(st.sampled_from(keyspace.tables))
    kinds_of_change = ["add", "add", "drop", "options", "comment", "index", "no index", "view", "no view", "mask"]
    what = draw(st.sampled_from([*kinds_of_change, *["view options"] * bool(table.views)]))
    changed = table
    if what == "add" and not table.has_counters:
        own = Names({*table.key, *(column.name for column in table.columns)})
        static = bool(table.clustering) and draw(st.integers(0, 3)) == 0
        column = ColumnSpec(own.draw(draw, ("new", "Newer", "added; x")), draw(kinds(keyspace.types)), static)
        column = replace(column, mask=draw(masks(column)))
        if not (static and any(view.columns is None for view in table.views)):
            changed = replace(table, columns=(*table.columns, column))
    elif what == "drop" and not table.has_counters:
        used = {view.extra for view in table.views} | {
            name for view in table.views for name in view.columns or ()
        }
        # A column of a user type can't come back.
        possible = [one for one in table.columns if one.name not in used and not _mentions(one.kind)]
        if possible:
            gone = draw(st.sampled_from(possible))
            changed = replace(
                table,
                columns=tuple(column for column in table.columns if column is not gone),
                indexes=tuple(index for index in table.indexes if index.column != gone.name),
            )
    elif what == "options":
        found = draw(options(table.has_counters))
        if not (table.views and dict(found).get("cql_gc_grace_seconds") == 0):
            changed = replace(table, options=found)
    elif what == "comment":
        changed = replace(table, comment=draw(COMMENTS))
    elif what == "index":
        changed = draw(with_index(table, names))
    elif what == "no index":
        changed = replace(table, indexes=table.indexes[1:])
    elif what == "view":
        changed = draw(with_view(table, names))
    elif what == "mask" and table.columns:
        column = draw(st.sampled_from(table.columns))
        masked = replace(column, mask=draw(masks(column)))
        changed = replace(table, columns=tuple(masked if one is column else one for one in table.columns))
    elif what == "view options":
        view = replace(table.views[0], ttl=draw(st.none() | st.just(3600)), comment=draw(COMMENTS))
        changed = replace(table, views=(view, *table.views[1:]))
    elif what == "no view":
        changed = replace(table, views=table.views[1:])
    return replace(keyspace, tables=tuple(changed if one is table else one for one in keyspace.tables))

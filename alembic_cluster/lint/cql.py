"""The rules for Cassandra and ScyllaDB; their reasons are in :mod:`alembic_cluster.lint.messages`."""

from __future__ import annotations

import re
from functools import partial

from alembic_cluster.lint.rules import Found, Look, rule
from alembic_cluster.words import split_path

cql = partial(rule, dialect="cql")

_OLD_INDEX = ("", "legacy_local_table")
_COARSE = frozenset({"boolean", "date", "tinyint"})
_PLAIN = re.compile(r"[a-z0-9_]*")


@cql("CQ001")
def changed_type(look: Look) -> Found:
    return {} if look.effect.kind == "alter column type" else None


@cql("CQ002")
def renamed(look: Look) -> Found:
    effect = look.effect
    table = look.known.created(effect.table)
    if effect.kind != "rename column" or table is None:
        return None
    key = f"{table.values.get('partition', '')}, {table.values.get('clustering', '')}".split(", ")
    return None if effect.column in key or effect.values["to"] in key else {}


@cql("CQ003")
def comes_back(look: Look) -> Found:
    return {} if look.effect.kind == "add column" and look.effect.name in look.dropped else None


@cql("CQ004")
def old_index(look: Look) -> Found:
    effect = look.effect
    bad = effect.kind == "create index" and effect.values["using"] in _OLD_INDEX and not look.has("custom")
    return {"name": effect.name or effect.values["columns"]} if bad else None


@cql("CQ005")
def view(look: Look) -> Found:
    return {} if look.effect.kind == "create materialized view" else None


@cql("CQ006")
def filtering(look: Look) -> Found:
    return {} if look.has("allow filtering") else None


@cql("CQ007")
def no_grace(look: Look) -> Found:
    value = look.effect.values.get("gc_grace_seconds")
    return {"value": value} if value == "0" else None


@cql("CQ008")
def ttl_on_rows(look: Look) -> Found:
    value = look.effect.values.get("default_time_to_live", "0")
    return {"value": value} if look.effect.kind == "alter options" and value != "0" and not look.is_new else None


@cql("CQ009")
def truncated(look: Look) -> Found:
    return {} if look.effect.kind == "truncate" else None


@cql("CQ010")
def simple_strategy(look: Look) -> Found:
    return {} if look.has("simple strategy") else None


@cql("CQ011")
def replication(look: Look) -> Found:
    return {} if look.effect.kind == "alter keyspace" and look.has("with replication") else None


@cql("CQ012")
def not_durable(look: Look) -> Found:
    return {} if look.has("not durable") else None


@cql("CQ013")
def list_column(look: Look) -> Found:
    type_ = look.effect.values.get("type", "")
    bad = look.effect.kind in ("column", "add column") and type_.startswith("list<")
    return {"type": type_} if bad else None


@cql("CQ014")
def dropped_counter(look: Look) -> Found:
    return {} if look.effect.kind == "drop column" and look.effect.values.get("had") == "counter" else None


@cql("CQ015")
def added_field(look: Look) -> Found:
    return {} if look.effect.kind == "add field" else None


@cql("CQ016")
def compaction(look: Look) -> Found:
    return {} if look.effect.kind == "alter options" and look.has("with compaction") and not look.is_new else None


@cql("CQ017")
def batch(look: Look) -> Found:
    kind = next((trait for trait in look.effect.traits if trait.endswith(" batch")), None)
    return {"kind": kind} if kind is not None and look.effect is look.statement.effects[0] else None


@cql("CQ018")
def compact_storage(look: Look) -> Found:
    return {} if look.effect.kind == "drop compact storage" else None


@cql("CQ019")
def other_keyspace(look: Look) -> Found:
    return {} if look.effect.kind == "use" else None


@cql("CQ020")
def static_column(look: Look) -> Found:
    table = look.known.created(look.effect.table)
    bad = look.effect.kind in ("column", "add column") and look.has("static") and table is not None
    return {} if bad and table is not None and not table.values.get("clustering") else None


@cql("CQ021")
def coarse_partition(look: Look) -> Found:
    effect = look.effect
    columns = [name for name in effect.values.get("partition", "").split(", ") if name]
    if effect.kind != "create table" or not columns or not effect.values.get("clustering"):
        return None
    types = [look.known.columns(effect.table).get(name, "") for name in columns]
    return {"columns": ", ".join(columns), "types": ", ".join(types)} if set(types) <= _COARSE else None


@cql("CQ022")
def conditional(look: Look) -> Found:
    return {} if look.has("conditional") else None


@cql("CQ023")
def quoted_name(look: Look) -> Found:
    if look.effect.kind not in ("create table", "column", "add column", "create keyspace", "create type"):
        return None
    name = split_path(look.effect.name)[-1] if look.effect.name else ""
    return {"name": f'"{name}"'} if _PLAIN.fullmatch(name) is None else None

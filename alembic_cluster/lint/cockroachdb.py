"""The rules for CockroachDB; their reasons are in :mod:`alembic_cluster.lint.messages`."""

from __future__ import annotations

import re
from functools import partial

from alembic_cluster.lint.rules import Found, Look, rule

crdb = partial(rule, dialect="cockroachdb")

_GROWS = re.compile(r"(timestamp|timestamptz|date|serial|bigserial|smallserial)", re.IGNORECASE)
_ADVISORY = re.compile(r"\bpg_(?:try_)?advisory_", re.IGNORECASE)
_INTERNAL = re.compile(r"\bcrdb_internal\s*\.", re.IGNORECASE)
_TRANSACTION = ("begin", "start", "commit", "rollback", "savepoint", "release")


def _counts(look: Look) -> bool:
    effect = look.effect
    counted = bool(effect.traits & {"serial", "as identity"})
    return counted or re.search(r"\bnextval\s*\(", effect.values.get("default", ""), re.IGNORECASE) is not None


@crdb("CR001")
def no_primary_key(look: Look) -> Found:
    effect = look.effect
    if effect.kind != "create table" or effect.traits & {"as", "primary key", "no columns", "temporary"}:
        return None
    return {}


@crdb("CR002")
def sequential_key(look: Look) -> Found:
    effect = look.effect
    table = look.known.created(effect.table)
    if effect.kind != "column" or table is None or not _counts(look) or "hash key" in table.traits:
        return None
    first = table.values.get("key", "").partition(",")[0].split(" ")[0].strip('"')
    return {} if first == effect.column else None


@crdb("CR003")
def not_null_without_default(look: Look) -> Found:
    filled = {"default", "stored", "virtual", "as identity", "serial", "new"}
    bad = look.effect.kind == "add column" and look.has("not null") and not look.effect.traits & filled
    return {} if bad else None


@crdb("CR004")
def counting_column_added(look: Look) -> Found:
    return {} if look.effect.kind == "add column" and not look.is_new and _counts(look) else None


@crdb("CR005")
def rewriting_type(look: Look) -> Found:
    effect = look.effect
    bad = effect.kind == "alter column type" and not look.is_new and effect.cost.value == "rewrite"
    return {"type": effect.values["type"]} if bad else None


@crdb("CR006")
def combined_type(look: Look) -> Found:
    return {} if look.effect.kind == "alter column type" and look.has("combined") else None


@crdb("CR007")
def whole_update(look: Look) -> Found:
    return {} if look.effect.kind == "update" and look.has("whole table") and not look.is_new else None


@crdb("CR008")
def whole_copy(look: Look) -> Found:
    return {} if look.effect.kind == "insert" and look.has("from a query") else None


@crdb("CR009")
def growing_index(look: Look) -> Found:
    effect = look.effect
    if effect.kind != "create index" or effect.traits & {"hash", "inverted", "vector"}:
        return None
    column = effect.values.get("first", "")
    type_ = look.known.columns(effect.table).get(column, "")
    return {"column": column, "type": type_} if _GROWS.match(type_) else None


@crdb("CR010")
def index_without_table(look: Look) -> Found:
    return {} if look.effect.kind == "drop index" and not look.effect.table else None


@crdb("CR011")
def new_primary_key(look: Look) -> Found:
    return {} if look.effect.kind == "alter primary key" and not look.is_new else None


@crdb("CR012")
def validated_constraint(look: Look) -> Found:
    bad = look.effect.kind == "add constraint" and look.effect.traits & {"foreign key", "check"}
    return {} if bad and not look.has("not valid") and not look.is_new else None


@crdb("CR013")
def set_not_null(look: Look) -> Found:
    return {} if look.effect.kind == "set not null" and not look.is_new else None


@crdb("CR014")
def renamed(look: Look) -> Found:
    bad = look.effect.kind in ("rename table", "rename column") and not look.is_new
    return {"to": look.effect.values["to"]} if bad else None


@crdb("CR015")
def concurrently(look: Look) -> Found:
    return {} if look.has("concurrently") else None


@crdb("CR016")
def ttl_on_rows(look: Look) -> Found:
    ttl = {"with ttl_expire_after", "with ttl_expiration_expression"} & look.effect.traits
    return {} if look.effect.kind == "set parameters" and ttl and not look.is_new else None


@crdb("CR017")
def dropped_value(look: Look) -> Found:
    return {} if look.effect.kind == "drop value" else None


@crdb("CR018")
def deferrable(look: Look) -> Found:
    return {} if look.has("deferrable") else None


@crdb("CR019")
def advisory_lock(look: Look) -> Found:
    return {} if _ADVISORY.search(look.statement.text) else None


@crdb("CR020")
def internal_tables(look: Look) -> Found:
    return {} if _INTERNAL.search(look.statement.text) else None


@crdb("CR021")
def transaction_in_text(look: Look) -> Found:
    return {"kind": look.effect.kind.upper()} if look.effect.kind in _TRANSACTION else None


@crdb("CR022")
def table_as(look: Look) -> Found:
    return {} if look.effect.kind == "create table" and look.has("as") else None


@crdb("CR023")
def locality(look: Look) -> Found:
    return {} if look.effect.kind == "set locality" and not look.is_new else None


@crdb("CR024")
def vector_index(look: Look) -> Found:
    return {} if look.effect.kind == "create index" and look.has("vector") and not look.is_new else None


@crdb("CR025")
def locked_beside_others(look: Look) -> Found:
    alone = {trait for trait in look.effect.traits if trait.startswith("with ")} == {"with schema_locked"}
    bad = look.effect.kind == "set parameters" and look.has("with schema_locked")
    return {} if bad and (not alone or look.has("combined")) else None


@crdb("CR026")
def behind_primary_key(look: Look) -> Found:
    changed = any(each.kind == "alter primary key" and each.table == look.effect.table for each in look.before)
    schema = look.effect.kind.partition(" ")[0] in ("add", "drop", "alter", "create", "set", "rename")
    return {} if changed and schema and not look.is_new else None
